"""Commands in Python that comes with a model: look-alikes of harmless ones, and harmless ones as people write them.

What makes them one or the other is which commands a name may stand for: in a loop, in two branches, changed in place, or handed
to a function that runs what it is given.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["COMMANDS", "DESCRIPTION", "DESCRIPTIONS", "TOLD"]

_RUN = "import subprocess\ndef run(cmd):\n    return subprocess.check_output(cmd, shell=True).decode()\n"
_PIP = (
    "import subprocess, sys\ndef install(p):\n    subprocess.check_call([sys.executable, '-m', 'pip', 'install', p])\n"
)
_EVIL = "'echo hello > x'"

#: All of these run ``echo`` (or install from an address) on import or construction, after something harmless.
COMMANDS: dict[str, str | Mapping[str, str]] = {
    "second-of-a-loop": f"import os\nfor c in ['nvidia-smi', {_EVIL}]:\n    os.system(c)\n",
    "second-of-a-counted-loop": f"import os\nfor i, c in enumerate(['nvidia-smi', {_EVIL}]):\n    os.system(c)\n",
    "second-of-a-table": f"import os\nfor k, c in {{'a': 'nvidia-smi', 'b': {_EVIL}}}.items():\n    os.system(c)\n",
    "second-of-a-comprehension": f"import os\n[os.system(c) for c in ['nvidia-smi', {_EVIL}]]\n",
    "second-of-named-commands": f"import os\nALL = ('nvidia-smi', {_EVIL})\nfor c in ALL:\n    os.system(c)\n",
    "second-package-of-a-loop": "import subprocess\nfor p in ['torch', 'x @ https://192.0.2.1/x.whl']:\n"
                                "    subprocess.run(['pip', 'install', p])\n",
    "a-global-of-a-function": f"import os\nc = 'nvidia-smi'\ndef f():\n    global c\n    c = {_EVIL}\nf()\nos.system(c)\n",
    "a-list-set-anew": "import subprocess\nc = ['nvidia-smi']\nc[:] = ['sh', '-c', 'echo hello']\nsubprocess.run(c)\n",
    "a-list-item-set": "import subprocess\nc = ['nvidia-smi', '-L']\nc[0] = 'echo'\nsubprocess.run(c)\n",
    "a-list-put-before": "import subprocess\nc = ['git', 'log']\nc.insert(0, 'echo')\nsubprocess.run(c)\n",
    "a-list-changed-in-a-function": "import subprocess\nC = ['git', 'log']\ndef f():\n    C.insert(0, 'echo')\nf()\nsubprocess.run(C)\n",
    "a-default-replaced": f"import os\ndef f(c='nvidia-smi'):\n    os.system(c)\nf()\nf({_EVIL})\n",
    "a-default-replaced-by-name": f"import os\ndef f(c='nvidia-smi'):\n    os.system(c)\nf()\nf(**{{'c': {_EVIL}}})\n",
    "a-default-replaced-in-a-class": f"import os\nclass R:\n    def __init__(self, *, c='nvidia-smi'):\n        os.system(c)\nR()\nR(c={_EVIL})\n",
    "a-default-replaced-elsewhere": {
        "": f"from .u import f\nf({_EVIL})\n", "u.py": "import os\ndef f(c='nvidia-smi'):\n    os.system(c)\nf()\n"},
    "handed-over": f"{_RUN}run('nvidia-smi')\nrun({_EVIL})\n",
    "handed-over-computed": f"{_RUN}run('nvidia-smi')\nrun(X.y)\n",
    "handed-over-twice": f"{_RUN}def sh(c): return run(c)\nsh('nvidia-smi')\nsh({_EVIL})\n",
    "handed-over-by-map": f"{_RUN}run('nvidia-smi')\nlist(map(run, [{_EVIL}]))\n",
    "handed-over-by-partial": f"import functools\n{_RUN}run('nvidia-smi')\nfunctools.partial(run, {_EVIL})()\n",
    "handed-over-by-a-thread": f"import threading\n{_RUN}run('nvidia-smi')\nthreading.Thread(target=run, args=({_EVIL},)).start()\n",
    "handed-over-by-a-lambda": f"import os\nrun = lambda c: os.system(c)\nrun('nvidia-smi')\nrun({_EVIL})\n",
    "handed-over-elsewhere": {"": f"from .u import run\nrun({_EVIL})\n", "u.py": f"{_RUN}v = run('git rev-parse HEAD')\n"},
    "handed-over-twice-elsewhere": {
        "": f"from .u import sh\nsh({_EVIL})\n", "u.py": f"{_RUN}def sh(c): return run(c)\nv = sh('git rev-parse HEAD')\n"},
    "handed-over-in-a-class": "import subprocess\nclass A:\n    @staticmethod\n    def _sh(c):\n        return subprocess.check_output(c, shell=True)\n"
                              f"    def __init__(self, c):\n        self._sh('nvidia-smi')\n        A._sh({_EVIL})\n",
    "an-address-handed-over": f"{_PIP}install('einops')\ninstall('https://192.0.2.1/x.whl')\n",
    "a-compiler-that-runs": "import subprocess\nsubprocess.run(['nvcc', 'x.cu', '--run'])\n",
    "a-log-to-a-file": "import subprocess\nsubprocess.run(['git', 'log', '--output=x.py'])\n",
}  # fmt: skip

#: All of these only tell about the machine, convert, or install packages that everybody knows.
TOLD: dict[str, str] = {
    "handed-over": f"{_RUN}rev = run('git rev-parse HEAD')\ngpu = run('nvidia-smi -L')\n",
    "handed-over-in-a-list": "import subprocess\ndef _run(cmd, cwd=None):\n    try:\n"
                             "        return subprocess.run(cmd, cwd=cwd, capture_output=True, text=True, check=True).stdout.strip()\n"
                             "    except OSError:\n        return None\nclass A:\n    def __init__(self, c):\n"
                             "        self.rev = _run(['git', 'rev-parse', '--short', 'HEAD'])\n",
    "handed-over-twice": "import subprocess\ndef sh(c): return run(c)\ndef run(cmd):\n    return subprocess.check_output(cmd.split())\n"
                         "rev = sh('git rev-parse HEAD')\n",
    "handed-over-in-a-class": "import subprocess\nclass A:\n    def _sh(self, *, cmd):\n        return subprocess.check_output(cmd, shell=True)\n"
                              "    def __init__(self, c):\n        self._sh(cmd='nvidia-smi')\n",
    "a-default": "import subprocess\ndef gpus(cmd='nvidia-smi -L'):\n    return subprocess.getoutput(cmd)\nCOUNT = len(gpus().splitlines())\n",
    "packages-where-they-lack": f"import importlib\n{_PIP}for p in ['einops', 'timm']:\n    try:\n        importlib.import_module(p)\n"
                                "    except ImportError:\n        install(p)\n",
    "packages-in-a-loop": "import subprocess, sys\nfor p in ('einops', 'timm>=0.9'):\n"
                          "    subprocess.check_call([sys.executable, '-m', 'pip', 'install', '-q', p])\n",
    "versions": "import subprocess\nv = subprocess.getoutput('espeak-ng --version')\n"
                "w = subprocess.check_output(['tesseract', '--version'])\nx = subprocess.check_output(['nvcc', '-V'])\n",
    "a-converter-with-more": "import subprocess\nclass A:\n    def preprocess(self, path, rate=None):\n"
                             "        cmd = ['ffmpeg', '-i', path]\n        if rate:\n            cmd += ['-ar', str(rate)]\n"
                             "        cmd.append('-')\n        return subprocess.run(cmd, capture_output=True).stdout\n",
    "either-of-two": "import os\nif os.name == 'nt':\n    c = 'cls'\nelse:\n    c = 'clear'\nos.system(c)\n",
}  # fmt: skip

#: The way in which YOLOv5 and Ultralytics build a model of its description, whose words are examined where they stand.
DESCRIPTION = """import torch.nn as nn
class Conv(nn.Module):
    default_act = nn.SiLU()
def parse_model(d, ch):
    anchors, nc, gd, gw, act = d["anchors"], d["nc"], d["depth_multiple"], d["width_multiple"], d.get("activation")
    if act:
        Conv.default_act = eval(act)
    layers, c2 = [], ch[-1]
    for i, (f, n, m, args) in enumerate(d["backbone"] + d["head"]):
        m = eval(m) if isinstance(m, str) else m
        for j, a in enumerate(args):
            try:
                args[j] = eval(a) if isinstance(a, str) else a
            except NameError:
                pass
        c1, c2 = ch[f], args[0]
        args = [c1, c2, *args[1:]]
        layers.append(m(*args))
    return nn.Sequential(*layers)
class DetectionModel(nn.Module):
    def __init__(self, cfg, ch=3):
        super().__init__()
        self.model = parse_model(cfg, [ch])
"""
_ACT = 'd.get("activation")'
#: The same, but the text comes from somewhere else.
DESCRIPTIONS: dict[str, str] = {
    "decoded": "import base64\n" + DESCRIPTION.replace(_ACT, 'base64.b64decode(d["activation"])'),
    "of-a-file": DESCRIPTION.replace(_ACT, 'open(d["activation"]).read()'),
    "fetched": "import requests\n" + DESCRIPTION.replace(_ACT, 'requests.get(d["activation"]).text'),
    "of-the-settings": DESCRIPTION.replace(_ACT, "CONFIG.activation"),
}
