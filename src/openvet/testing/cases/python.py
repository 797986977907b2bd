"""Python code that comes with a model, judged by what it does when it is imported or constructed."""

from __future__ import annotations

from collections.abc import Mapping

from openvet.testing.case import Case
from openvet.testing.forge_python import ON_IMPORT, OTHERWISE, QUIET

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


CASES: tuple[Case, ...] = (
    *(_case(name, f"a command on import, by way of {name.replace('-', ' ')}", files, "reject", "python/process-at-load",
            *(["python/native-at-load"] if name == "ctypes" else [])) for name, files in ON_IMPORT.items()),
    *(_case(name, f"on import, {name.replace('-', ' ')}", {"": text}, "reject", f"python/{rule}",
            *(["python/code-at-load"] if rule == "hidden-code" else []),
            *(["python/network-at-load"] if "fetched" in name else []),
            *(["python/unpickle-at-load"] if name == "marshal" else []))
      for name, (text, rule) in OTHERWISE.items()),
    _case("path-file", "a path configuration file, whose import lines run when the interpreter starts",
          {"x.pth": "/opt/x\nimport os; os.system('echo hello')\n"}, "reject", "python/process-at-load", "file/name-mismatch"),
    *(_case(f"quiet-{name}", f"code that does nothing on import: {name.replace('-', ' ')}", {"": text},
            "review" if "subprocess" in text else "admit")
      for name, text in QUIET.items()),
)  # fmt: skip
