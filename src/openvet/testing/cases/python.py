"""Python code that comes with a model, judged by what it does when it is imported or constructed."""

from __future__ import annotations

from collections.abc import Mapping

from openvet.testing.case import Case
from openvet.testing.forge_python import INSTALLS, LATER, ON_IMPORT, OTHERWISE, QUIET, SECRETS

__all__ = ["CASES"]


def _folder(files: Mapping[str, str]) -> Mapping[str, bytes]:
    return {
        "config.json": b'{"model_type": "x"}',
        **{name or "modeling_x.py": text.encode() for name, text in files.items()},
    }


def _case(name: str, technique: str, files: Mapping[str, str], decision: str, *rules: str) -> Case:
    return Case(
        id=f"python/{name}",
        technique=technique,
        forge=lambda: _folder(files),
        decision=decision,  # type: ignore[arg-type]
        rules=frozenset({*(["hub/python-code"] if decision != "admit" else []), *rules}),
        formats=("python",),
    )


_HUB = "from huggingface_hub import hf_hub_download\nimport importlib.util\n"
_MADE = "s = importlib.util.spec_from_file_location('p', {})\nm = importlib.util.module_from_spec(s)\ns.loader.exec_module(m)\n"

_LOADED = {"a-loader-under-another-name", "a-loader-among-others", "a-loader-by-itself", "a-loader-of-arrays"}
#: Of the quiet ones, those in which somebody must look at a line.
_REVIEWED = {
    "a-helper-that-nothing-calls",
    "a-helper-of-a-module-under-another-name",
    "a-cluster-asked-more",
    "a-file-that-runs",
    "a-file-outside",
    "a-file-outside-by-mode",
    "a-file-of-the-home",
    "a-file-of-the-home-expanded",
    "a-file-of-code",
    *_LOADED,
    "a-package-in-a-branch",
    "an-unknown-package",
    "fetched-weights",
    "other-packages-installed",
    "weights-fetched-by-a-program",
    "compiled-kernel",
}

CASES: tuple[Case, ...] = (
    *(_case(name, f"a command on import, by way of {name.replace('-', ' ')}", files, "reject", "python/process-at-load",
            *(["python/native-at-load"] if name == "ctypes" else [])) for name, files in ON_IMPORT.items()),
    *(_case(name, f"on import, {name.replace('-', ' ')}", {"": text}, "reject", f"python/{rule}",
            *(["python/code-at-load"] if rule == "hidden-code" and "exec" in text else []),
            *(["python/network-at-load"] if "fetched" in name else []),
            *(["hub/shell-command"] if name == "a-home-folder-deleted" else []),
            *(["python/unpickle-at-load"] if name == "marshal" else []))
      for name, (text, rule) in OTHERWISE.items()),
    *(_case(f"later-{name}", f"a command on construction or in use, by way of {name.replace('-', ' ')}", {"": text}, "reject",
            "python/process-at-load") for name, text in LATER.items()),
    *(_case(f"installs-{name}", f"a command that looks like an ordinary installation: {name.replace('-', ' ')}", {"": text}, "reject",
            "python/process-at-load") for name, text in INSTALLS.items()),
    *(_case(f"secrets-{name}", f"what is secret to the user is sent: {name.replace('-', ' ')}", {"": text}, "reject",
            "python/sends-secrets", *(["python/network-at-load"] if "__init__" in text else []),
            *(["python/hostile-code"] if name == "hub-token" else []))
      for name, text in SECRETS.items()),
    _case("path-file", "a path configuration file, whose import lines run when the interpreter starts",
          {"x.pth": "/opt/x\nimport os; os.system('echo hello')\n"}, "reject", "python/process-at-load", "file/name-mismatch"),
    _case("module-of-a-hub", "a module is fetched from a hub and run on import",
          {"": f"{_HUB}p = hf_hub_download('x/y', 'p.py')\n{_MADE.format('p')}"}, "review", "python/unpickle-at-load"),
    _case("module-of-a-drive", "a module is fetched from anywhere and run on import",
          {"": f"import gdown\nimport importlib.util\np = gdown.download(id='x', output='p.py')\n{_MADE.format('p')}"}, "reject",
          "python/unpickle-at-load"),
    _case("module-of-a-path", "a module is made of a file at a fixed path, and weights come from a hub later",
          {"": f"{_HUB}{_MADE.format(repr('lib/p.py'))}\ndef weights():\n    return hf_hub_download('x/y', 'w.safetensors')\n"}, "review",
          "python/unpickle-at-load"),
    *(_case(f"quiet-{name}", f"code that does nothing on import: {name.replace('-', ' ')}", {"": text},
            "review" if name in _REVIEWED else "admit",
            *(["python/native-at-load"] if name == "compiled-kernel" else []),
            *(["python/unpickle-at-load"] if name in _LOADED else []),
            *(["python/process-at-load"] if name in ("other-packages-installed", "weights-fetched-by-a-program") else []))
      for name, text in QUIET.items()),
)  # fmt: skip
