"""Code that changes what a model's user says, what the model answers, or the models that are loaded after it; and look-alikes."""

from __future__ import annotations

from collections.abc import Mapping

from openvet.testing.case import Case
from openvet.testing.forge_swayed import ORDINARY, SWAYED
from openvet.testing.forge_turned import LOOKED_AT, TURNED
from openvet.testing.forge_turned import ORDINARY as ORDINARY_TOO

__all__ = ["CASES"]


def _case(name: str, technique: str, text: str, decision: str, *rules: str) -> Case:
    def forge() -> Mapping[str, bytes]:
        return {"config.json": b'{"model_type": "x"}', "modeling_x.py": text.encode()}

    return Case(f"swayed/{name}", technique, forge, decision, frozenset(rules), ("python",))  # type: ignore[arg-type]


CASES: tuple[Case, ...] = (
    *(
        _case(name, f"a model against its user: {name.replace('-', ' ')}", text, "reject", "python/hostile-code", "hub/python-code")
        for name, text in {**SWAYED, **TURNED}.items()
    ),
    *(
        _case(f"looked-at-{name}", f"code that a person looks at: {name.replace('-', ' ')}", text, "review", "hub/python-code")
        for name, text in LOOKED_AT.items()
    ),
    *(
        _case(f"ordinary-{name}", f"looks like a model against its user: {name.replace('-', ' ')}", text, "admit")
        for name, text in {**ORDINARY, **ORDINARY_TOO}.items()
    ),
)  # fmt: skip
