"""What harms by flows over several calls, methods and files, and in the languages of pages, servers and builds; and what looks like it."""

from __future__ import annotations

from collections.abc import Mapping

from openvet.testing.case import Case
from openvet.testing.forge_harm import HARM
from openvet.testing.forge_hosts import HOSTS
from openvet.testing.forge_instructed import INSTRUCTED
from openvet.testing.forge_lines import LINES
from openvet.testing.forge_look_alikes import LOOK_ALIKES
from openvet.testing.forge_services import HONEST_LINES, SERVES_OTHERS

__all__ = ["CASES"]

_FAMILIES = {
    "python": ("Python that does harm", HARM),
    "program": ("a program that does harm", HOSTS),
    "lines": ("lines of a shell, a build or a setting", LINES),
    "service": ("a line that works for somebody else", SERVES_OTHERS),
    "assistant": ("a text that sets an assistant against its user", INSTRUCTED),
}


def _case(name: str, technique: str, files: Mapping[str, str], decision: str, rules: tuple[str, ...]) -> Case:
    def forge() -> Mapping[str, bytes]:
        return {path: text.encode() for path, text in files.items()}

    return Case(f"hides/{name}", technique, forge, decision, frozenset(rules))  # type: ignore[arg-type]


CASES: tuple[Case, ...] = (
    *(
        _case(f"{family}-{name}", f"{technique}: {name.replace('-', ' ')}", files, "reject", rules)
        for family, (technique, held) in _FAMILIES.items()
        for name, (files, rules) in held.items()
    ),
    *(
        _case(f"honest-{name}", f"an honest file: {name.replace('-', ' ')}", files, "admit", rules)
        for name, (files, rules) in {**LOOK_ALIKES, **HONEST_LINES}.items()
    ),
)
