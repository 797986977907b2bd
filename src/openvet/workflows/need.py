"""A need: what a model has to do, on what, within which budget, for which uses, as a team writes it into a YAML file.

Read strictly: a field that is not known, or a value that makes no sense, is told with its line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.core.limits import parse_amount
from openvet.core.pattern import pattern
from openvet.core.text import printable
from openvet.errors import UsageError
from openvet.licenses.uses import take_uses
from openvet.policy.yaml_reader import Mapped, Node, PackError, Problems, documents

__all__ = ["BUDGETS", "PREFERENCES", "Budget", "Need", "NeedTask", "read_need"]

#: What a budget may bound: field -> (what it is, its unit, whether it is the least in place of the most).
BUDGETS: Final[Mapping[str, tuple[str, str, bool]]] = {
    "size": ("weights", "byte", False),
    "memory": ("peak memory", "byte", False),
    "latency-p50": ("latency p50", "s", False),
    "latency-p90": ("latency p90", "s", False),
    "first-token-p90": ("first token p90", "s", False),
    "cold-start": ("cold start", "s", False),
    "tokens-per-second": ("writing", "token/s", True),
    "real-time-factor": ("time for a second of audio", "", False),
    "usd-per-million-tokens": ("cost of a million tokens", "USD", False),
}
PREFERENCES: Final = ("quality", "latency", "memory", "size", "cost")
_FIELDS: Final = (
    "need",
    "task",
    "languages",
    "device",
    "context",
    "budget",
    "usd-per-hour",
    "uses",
    "policy",
    "safety",
    "prefer",
    "certified",
    "signed",
)
_TASK: Final = ("name", "sha256", "at-least", "at-most", "margin")
_SAFETY: Final = ("admit", "review")
_LANGUAGE: Final = pattern(r"[a-z]{2,3}\Z", re.ASCII)
_SHA256: Final = pattern(r"[0-9a-f]{8,64}\Z", re.ASCII)
_DURATION: Final = pattern(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?(ms|s|min)?\Z", re.ASCII)
_TIMES: Final = {"ms": 0.001, "s": 1.0, "min": 60.0, None: 1.0}


@dataclass(frozen=True, slots=True)
class NeedTask:
    """The task whose results count.

    Attributes:
        name, sha256: as results name it; ``sha256`` may be its beginning, and '' where the name is enough.
        at_least, at_most: what the figure has to be, with its interval; ``None`` where nobody says.
        margin: how much worse than the best candidate is still as good; ``None`` where nobody says.
    """

    name: str
    sha256: str = ""
    at_least: float | None = None
    at_most: float | None = None
    margin: float | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """One line of a budget, in the unit of :data:`BUDGETS`, and the line it stands in."""

    name: str
    bound: float
    line: int


@dataclass(frozen=True, slots=True)
class Need:
    """What is needed.

    Attributes:
        name: of the need.
        languages: two or three letters (ISO 639) that the model's card has to name.
        device: that it has to run on, as ``openvet profile --device`` takes it; '' for none.
        context: tokens of a sequence; 0 where nobody says.
        usd_per_hour: what the machine costs that latency was measured on.
        uses: that its licences have to allow.
        packs: that have to admit it, and from where paths of theirs start.
        safety: ``admit``, or ``review`` where a review is good enough.
        prefer: by what those that are feasible are ranked.
        certified: whether only benches count that are certified.
        signed: whether statements count only where a key that was named has signed them.
    """

    name: str
    task: NeedTask | None = None
    languages: tuple[str, ...] = ()
    device: str = ""
    context: int = 0
    budget: tuple[Budget, ...] = ()
    usd_per_hour: float | None = None
    uses: tuple[str, ...] = ()
    packs: tuple[str, ...] = ()
    safety: str = "admit"
    prefer: tuple[str, ...] = field(default=())
    certified: bool = True
    signed: bool = False


def read_need(data: bytes, file: str) -> Need:
    """The need in a file.

    Raises:
        PackError: it makes no sense; with file and line of each problem.
    """
    found = documents(data, file)
    if len(found) != 1:
        raise PackError(f"{file}: has to hold one document, and holds {len(found)}")
    top = found[0].mapped()
    problems = Problems()
    name = problems.of(lambda: top.take("need").text(), "")
    task = problems.of(lambda: _task(top.may("task")), None)
    languages = problems.of(lambda: _languages(top.may("languages")), ())
    device = problems.of(lambda: top.may_text("device"), "")
    context = problems.of(lambda: 0 if (node := top.may("context")) is None else node.whole(1), 0)
    budget = problems.of(lambda: _budget(top.may("budget")), ())
    usd = problems.of(lambda: None if (node := top.may("usd-per-hour")) is None else _above(node), None)
    uses = problems.of(lambda: _uses(top.may("uses")), ())
    packs = problems.of(lambda: () if (node := top.may("policy")) is None else node.texts(), ())
    safety = problems.of(lambda: "admit" if (node := top.may("safety")) is None else node.word(_SAFETY), "admit")
    prefer = problems.of(lambda: _prefer(top.may("prefer")), ())
    certified = problems.of(lambda: True if (node := top.may("certified")) is None else node.truth(), True)
    signed = problems.of(lambda: False if (node := top.may("signed")) is None else node.truth(), False)
    problems.of(lambda: top.end(*_FIELDS), None)
    priced = next((each for each in budget if each.name == "usd-per-million-tokens"), None)
    if priced is not None and usd is None:
        line = priced.line
        problems.of(
            lambda: _refuse(file, line, "usd-per-million-tokens needs usd-per-hour: what the machine costs"), None
        )
    problems.end()
    if not prefer:
        prefer = ("quality",) if task is not None and task.margin is None else ("size",)
    return Need(name, task, languages, device, context, budget, usd, uses, packs, safety, prefer, certified, signed)


def _refuse(file: str, line: int, message: str) -> None:
    raise PackError(f"{file}:{line}: {message}")


def _task(node: Node | None) -> NeedTask | None:
    if node is None:
        return None
    if isinstance(node.value, str):
        return NeedTask(node.text())
    top = node.mapped()
    name = top.take("name").text()
    digest = top.may_text("sha256")
    if digest and not _SHA256.match(digest):
        node.refuse(f"{printable(digest)[:60]!r} is no SHA-256, nor the first 8 digits or more of one")
    least, most, margin = (_maybe(top, each) for each in ("at-least", "at-most", "margin"))
    if margin is not None and margin <= 0:
        node.refuse("'margin' has to be above 0: how much worse than the best is still as good")
    top.end(*_TASK)
    return NeedTask(name, digest, least, most, margin)


def _maybe(top: Mapped, name: str) -> float | None:
    node = top.may(name)
    return None if node is None else node.number()


def _above(node: Node) -> float:
    found = node.number()
    if not found > 0:
        node.refuse(f"{node.name!r} has to be above 0")
    return found


def _languages(node: Node | None) -> tuple[str, ...]:
    if node is None:
        return ()
    out = []
    for each in node.items():
        text = each.text()
        if not _LANGUAGE.match(text):
            each.refuse(f"{printable(text)[:60]!r} is no code of a language, such as en or deu")
        out.append(text)
    return tuple(dict.fromkeys(out))


def _budget(node: Node | None) -> tuple[Budget, ...]:
    if node is None:
        return ()
    top = node.mapped()
    out = []
    for name in BUDGETS:
        found = top.may(name)
        if found is not None:
            out.append(Budget(name, _amount(found, BUDGETS[name][1]), found.line))
    top.end(*BUDGETS)
    return tuple(out)


def _amount(node: Node, unit: str) -> float:
    if unit == "byte":
        try:
            return float(parse_amount(node.text(), whole=True))
        except UsageError as error:
            node.refuse(f"{node.name!r}: {error}")
    if unit == "s":
        match = _DURATION.match(node.text())
        if match is None or not float(match[1]):
            node.refuse(f"{printable(node.text())[:60]!r} is no duration, such as 250 ms or 2 s")
        return float(match[1]) * _TIMES[match[2]]
    return _above(node)


def _uses(node: Node | None) -> tuple[str, ...]:
    if node is None:
        return ()
    texts = node.texts()
    try:
        take_uses(texts)
    except UsageError as error:
        node.refuse(f"'uses': {error}")
    return texts


def _prefer(node: Node | None) -> tuple[str, ...]:
    if node is None:
        return ()
    if isinstance(node.value, str):
        return (node.word(PREFERENCES),)
    return tuple(dict.fromkeys(each.word(PREFERENCES) for each in node.items()))
