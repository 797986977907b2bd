"""Programs in languages without a parser, and lines of builds, charts and settings, that nobody should run unread; and honest ones."""

from __future__ import annotations

from typing import Literal

from openvet.testing.case import Case
from openvet.testing.forge_programs import HARMLESS_PROGRAMS, PROGRAMS

__all__ = ["CASES"]

_WHAT = {
    "code-fetched": "runs code that another machine gives it",
    "program-fetched": "starts a program that another machine gives it",
    "command": "starts a command that fetches what it runs",
    "code-decoded": "decodes code and runs it",
    "secrets-sent": "sends what its user keeps private",
    "home-removed": "removes the home of its user",
    "what-is-asked-is-run": "runs what a server is asked",
    "persists": "makes the machine run or let in something later",
    "lines": "does what nobody should run unread",
}
_RULES = {"names": "hub/requirement-source"}


def _case(name: str, technique: str, file: tuple[str, str], decision: Literal["admit", "reject"], rule: str) -> Case:
    path, text = file
    rules = frozenset({rule}) if decision == "reject" else frozenset[str]()
    return Case(f"programs/{name}", technique, lambda: {path: text.encode()}, decision, rules)


CASES: tuple[Case, ...] = (
    *(
        _case(f"{behaviour}-{language}", f"{_WHAT[behaviour]} ({language})", file, "reject", _RULES.get(language, "hub/shell-command"))
        for behaviour, languages in PROGRAMS.items()
        for language, file in languages.items()
    ),
    *(_case(f"honest-{name}", f"an honest program or setting: {name}", file, "admit", "") for name, file in HARMLESS_PROGRAMS.items()),
)  # fmt: skip
