"""Python that comes with a model: the ways to run one command on import, and look-alikes that run nothing."""

from __future__ import annotations

__all__ = ["ON_IMPORT", "OTHERWISE", "QUIET"]

#: What the case shows: files, of which the first is the model's code. All run ``echo`` when ``modeling_x.py`` is imported.
ON_IMPORT: dict[str, dict[str, str]] = {
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
}  # fmt: skip

#: Other things that are refused: the source, and the rule.
OTHERWISE: dict[str, tuple[str, str]] = {
    "fetched-and-run": ("import requests\nr = requests.get('https://example.org/x')\nexec(r.text)\n", "hidden-code"),
    "fetched-by-urllib": ("from urllib.request import urlopen\nexec(urlopen('https://example.org/x').read())\n",
                          "hidden-code"),
    "base64-zlib": ("import base64, zlib\nexec(zlib.decompress(base64.b64decode(b)))\n", "hidden-code"),
    "marshal": ("import marshal\nexec(marshal.loads(b))\n", "hidden-code"),
    "a-shell-profile": ("import os\nopen(os.path.expanduser('~/.bashrc'), 'a').write('echo hello')\n", "startup-file"),
}  # fmt: skip

#: Sources that a repository may well have, and that do nothing on import or construction: told, and reviewed as code.
QUIET: dict[str, str] = {
    "operators": "import torch\nclass A:\n    def __add__(self, o): return torch.add(self.x, o)\n    def __iter__(self): "
                 "return iter(self.x)\nA() + 1\n",
    "match": "match kind:\n    case 'a': x = 1\n    case [y]: x = y\n    case _: x = 2\n",
    "a-helper-that-nothing-calls": "import subprocess\ndef build(): subprocess.run(['make'])\n",
    "lambdas": "ACT = {'gelu': lambda x: x, 'relu': lambda x: x * 2}\nACT['gelu'](1)\n",
    "relative": "from .configuration_x import Config\nclass A:\n    def __init__(self, c: Config): self.c = c\n",
}  # fmt: skip
