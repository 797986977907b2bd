"""What is secret, on its way to another machine, and what another machine says, on its way into what is run: by ways of the language, and by clients."""

from __future__ import annotations

from collections.abc import Mapping

from openvet.testing.case import Case
from openvet.testing.forge_reach import ACTS, CLIENTS, HONEST, WAYS

__all__ = ["CASES"]

_FAMILIES = {
    "way": ("what is secret is sent by way of", WAYS),
    "act": ("what has no honest use by itself", ACTS),
    "client": ("a client that nobody asked for", CLIENTS),
}


def _case(name: str, technique: str, text: str, decision: str, rules: tuple[str, ...]) -> Case:
    def forge() -> Mapping[str, bytes]:
        return {"worker.py": text.encode()}

    return Case(f"flows/{name}", technique, forge, decision, frozenset(rules), ("python",))  # type: ignore[arg-type]


CASES: tuple[Case, ...] = (
    *(
        _case(f"{family}-{name}", f"{technique}: {name.replace('-', ' ')}", text, "reject", rules)
        for family, (technique, held) in _FAMILIES.items()
        for name, (text, rules) in held.items()
    ),
    *(
        _case(f"honest-{name}", f"an honest use: {name.replace('-', ' ')}", text, "admit", rules)
        for name, (text, rules) in HONEST.items()
    ),
)
