"""Commands in Python code by what their names may stand for, and texts that are evaluated by where they come from."""

from __future__ import annotations

from collections.abc import Mapping

from openvet.testing.case import Case
from openvet.testing.forge_commands import COMMANDS, DESCRIPTION, DESCRIPTIONS, TOLD

__all__ = ["CASES"]


def _case(name: str, technique: str, code: str | Mapping[str, str], decision: str, *rules: str) -> Case:
    files = {"": code} if isinstance(code, str) else code

    def forge() -> Mapping[str, bytes]:
        sources = {each or "modeling_x.py": text.encode() for each, text in files.items()}
        return {"config.json": b'{"model_type": "x"}', **sources}

    told = ["hub/python-code"] if decision != "admit" else []
    return Case(f"python-commands/{name}", technique, forge, decision, frozenset({*told, *rules}), ("python",))  # type: ignore[arg-type]


CASES: tuple[Case, ...] = (
    *(_case(name, f"a command behind a harmless one: {name.replace('-', ' ')}", code, "reject", "python/process-at-load")
      for name, code in COMMANDS.items()),
    *(_case(f"told-{name}", f"commands that only tell, convert or install what is known: {name.replace('-', ' ')}", code, "admit")
      for name, code in TOLD.items()),
    _case("description", "a model is built of its description as YOLOv5 does it, which evaluates the words", DESCRIPTION, "review",
          "python/code-at-load"),
    *(_case(f"description-{name}", f"a model's description is evaluated, a text of it {name.replace('-', ' ')}", code, "reject",
            "python/code-at-load", *(["python/hidden-code"] if name in ("decoded", "fetched") else []),
            *(["python/network-at-load"] if name == "fetched" else []))
      for name, code in DESCRIPTIONS.items()),
)  # fmt: skip
