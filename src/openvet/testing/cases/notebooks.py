"""Notebooks whose stored outputs do something in a browser, and those of charts, tables and maps."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Literal

from openvet.testing.case import Case

__all__ = ["CASES"]


def _notebook(kind: str, text: str) -> Callable[[], bytes]:
    if kind == "markdown":
        cell: dict[str, object] = {"cell_type": "markdown", "metadata": {}, "source": [text]}
    else:
        output = {"output_type": "display_data", "metadata": {}, "data": {kind: text.splitlines(keepends=True)}}
        cell = {"cell_type": "code", "metadata": {}, "source": [], "outputs": [output], "execution_count": 1}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}).encode


_HTML, _SCRIPT = "text/html", "application/javascript"
_REJECTED = (
    ("terminal", "opens a terminal", _SCRIPT, "fetch('/api/terminals', {method: 'POST'})"),
    (
        "terminal-handler",
        "a picture that fails to load and opens a terminal",
        _HTML,
        "<img src=x onerror=\"(async()=>{const t=await (await fetch('/api/terminals',{method:'POST'})).json();new WebSocket('ws://'+location.host+'/terminals/websocket/'+t.name)})()\">",
    ),
    (
        "kernel",
        "gives the kernel a command",
        _HTML,
        "<script>IPython.notebook.kernel.execute(\"print('hello')\")</script>",
    ),
    ("kernel-script", "the same as JavaScript", _SCRIPT, "Jupyter.notebook.kernel.execute('print(1)')"),
    ("kernel-lab", "the same for JupyterLab", _SCRIPT, "app.kernel.requestExecute({code: 'print(1)'})"),
)
_REVIEWED = (
    ("decoded", "decodes a script", _HTML, "<script>eval(atob('YWxlcnQoMSk='))</script>"),
    ("cookie", "takes cookies", _HTML, "<script>x = document.cookie</script>"),
    ("sends", "talks to somebody else", _SCRIPT, "fetch('https://example.org/x')"),
    ("foreign", "loads a script of somebody else", _HTML, "<script src='https://example.org/x.js'></script>"),
    ("picture", "a picture that fails to load", _HTML, "<img src=x onerror=alert(1)>"),
    ("svg", "a drawing that runs a script when it is there", "image/svg+xml", "<svg onload='alert(1)'></svg>"),
    ("link", "a link that is a script, in Markdown", "markdown", '<a href=" javascript:alert(1)">x</a>'),
    ("frame", "a frame that is a script", "markdown", "<iframe src=javascript:alert(1)></iframe>"),
)
_COLAB = (
    "<table border='1'><tr><td>1</td></tr></table><button class='colab-df-convert' onclick=\"convertToInteractive('df-1')\">x</button>"
    "<script>async function convertToInteractive(key) { const t = await google.colab.kernel.invokeFunction('convert', [key], {}); }</script>"
)
_ORDINARY = (
    ("colab", "a table of Colab", _HTML, _COLAB),
    ("plotly", "a chart with its library", _HTML, "<script>" + "var a=fetch('https://example.org/');" * 2000 + "</script><div></div>"),
    ("library", "a chart whose library is on a well-known host", _HTML,
     "<script src='https://cdn.plot.ly/plotly-2.js'></script><script>Plotly.newPlot('x', [])</script>"),
    ("bokeh", "a chart that talks to the kernel by a variable", _SCRIPT, "const kernel = Jupyter.notebook.kernel; kernel.execute(cmd, {}, {});"),
    ("map", "a map in a frame", _HTML, "<iframe src='data:text/html;charset=utf-8;base64,PGI+eDwvYj4=' allowfullscreen></iframe>"),
    ("video", "a video in a frame", _HTML, "<iframe src='https://www.youtube.com/embed/x' width=400></iframe>"),
    ("void", "a link that does nothing", _HTML, "<a href='javascript:void(0)'>x</a>"),
    ("prose", "prose about scripts", "markdown", "Use `javascript:` links and `onerror` with care, and `document.cookie` too."),
)  # fmt: skip

_Rows = tuple[tuple[str, str, str, str], ...]
_DECIDED: tuple[tuple[Literal["admit", "review", "reject"], _Rows], ...] = (
    ("reject", _REJECTED),
    ("review", _REVIEWED),
    ("admit", _ORDINARY),
)

CASES: tuple[Case, ...] = tuple(
    Case(f"notebooks/{name}", f"a stored output of a notebook: {what}", _notebook(kind, text), decision,
         frozenset({"hub/active-output"} if decision != "admit" else ()), ("notebook",), (), "a.ipynb")
    for decision, rows in _DECIDED
    for name, what, kind, text in rows
)  # fmt: skip
