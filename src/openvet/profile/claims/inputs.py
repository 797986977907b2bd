"""What somebody states about a run, taken strictly: every number with its source, and everything that makes no sense with its place.

A number is written as such, or as a table: ``{ value = 366e9, source = "..." }``, ``{ low = 0.38, high = 0.43 }``, or with
``or = 300e9`` where it can be read in two ways, which are then both computed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import product
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.quantity import brief, exact, plain_spelling
from openvet.core.text import printable
from openvet.profile.claims.chips import Chip, chips
from openvet.profile.claims.keys import KEYS, SECTIONS, Key

__all__ = ["TOP", "Inputs", "Problem", "Stated", "Traffic", "take_inputs"]

#: Called with the path of a key and what is wrong there.
Problem = Callable[[tuple[str | int, ...], str], None]

TOP: Final = ("name", "source", "notes", *SECTIONS)
_NUMBER: Final = ("value", "low", "high", "or", "source")
_TRAFFIC: Final = ("kind", "tokens", "usd_per_million", "source")
_LONGEST: Final = 1000
_MOST_READINGS: Final = 8
_MOST_ITEMS: Final = 50


@dataclass(frozen=True, slots=True)
class Stated:
    """One thing that was stated.

    Attributes:
        key: what.
        value, low, high: the number; a band has ``low`` and ``high``, and a value only where one was given.
        others: other ways to read the number.
        word: in place of a number.
        source: who says so, or ''.
    """

    key: Key
    value: Fraction | None = None
    low: Fraction | None = None
    high: Fraction | None = None
    others: tuple[Fraction, ...] = ()
    word: str = ""
    source: str = ""

    @property
    def numbers(self) -> tuple[Fraction, ...]:
        """Every number that it can be, and of a band the ends."""
        return tuple(each for each in (self.value, self.low, self.high, *self.others) if each is not None)


@dataclass(frozen=True, slots=True)
class Traffic:
    """Tokens of one kind that were served, and their list price in USD for a million."""

    kind: str
    tokens: Fraction
    usd_per_million: Fraction
    source: str


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that was stated; ``chip`` is the row of the table that ``training.chip`` names."""

    name: str
    stated: Mapping[str, Stated]
    traffic: tuple[Traffic, ...] = ()
    notes: tuple[str, ...] = ()
    chip: Chip | None = None

    def readings(self) -> list[dict[str, Fraction]]:
        """Every way to read what can be read in more than one; one empty way where nothing can."""
        doubtful = [each for each in self.stated.values() if each.others]
        ways = [[(each.key.name, number) for number in (each.value, *each.others)] for each in doubtful]
        return [{name: number for name, number in way if number is not None} for way in product(*ways)]


def take_inputs(document: Mapping[str, Any], problem: Problem) -> Inputs:
    """What ``document`` states; whatever is wrong with it is given to ``problem``, and the result is then good for nothing."""
    for key in document:
        if key not in TOP:
            problem((key,), f"unknown key {_shown(key)}{_near(key, TOP)}")
    source = _text(document, "source", problem, ())
    stated: dict[str, Stated] = {}
    for section, leaves in SECTIONS.items():
        table = document.get(section, {})
        if not isinstance(table, Mapping):
            problem((section,), f"{section} must be a table of keys such as {leaves[0]}")
            continue
        for leaf, value in table.items():
            if section == "serving" and leaf == "traffic":
                continue
            known = KEYS.get(f"{section}.{leaf}")
            if known is None:
                problem((section, leaf), f"unknown key {_shown(leaf)} in {section}{_near(leaf, leaves)}")
                continue
            found = _stated(known, value, source, problem)
            if found is not None:
                stated[known.name] = found
    chip = _together(stated, problem)
    serving = document.get("serving")
    return Inputs(
        _text(document, "name", problem, ()) or "unnamed",
        stated,
        _traffic(serving.get("traffic", []), source, problem) if isinstance(serving, Mapping) else (),
        _notes(document.get("notes", []), problem),
        chip,
    )


def _stated(key: Key, value: Any, source: str, problem: Problem) -> Stated | None:
    at = (key.section, key.leaf)
    table: Mapping[str, Any] = value if isinstance(value, Mapping) else {"value": value}
    allowed = ("value", "source") if key.kind == "word" else _NUMBER
    for name in table:
        if name not in allowed:
            problem((*at, name), f"{key.leaf} has the unknown key {_shown(name)}; it may have {', '.join(allowed)}")
    own = _text(table, "source", problem, at) or source
    if key.kind == "word":
        return _word(key, table.get("value"), own, at, problem)
    numbers: dict[str, Fraction] = {}
    for name in ("value", "low", "high"):
        if name in table:
            found = _number(key, table[name], (*at, name) if isinstance(value, Mapping) else at, problem)
            if found is None:
                return None
            numbers[name] = found
    others = _others(key, table.get("or"), (*at, "or"), problem)
    low, high, middle = numbers.get("low"), numbers.get("high"), numbers.get("value")
    if (low is None) != (high is None):
        problem(at, f"{key.leaf} needs low and high together")
    elif low is not None and high is not None and not low <= (low if middle is None else middle) <= high:
        problem(at, f"{key.leaf} must have low <= value <= high")
    elif low is None and middle is None:
        problem(at, f"{key.leaf} needs a value, or low and high")
    elif others and (low is not None or key.section == "published"):
        problem(at, f"{key.leaf}: or belongs to a single value that is no published figure")
    else:
        return Stated(key, middle, low, high, others, "", own)
    return None


def _number(key: Key, value: Any, at: tuple[str | int, ...], problem: Problem) -> Fraction | None:
    found = exact(value)
    must = {
        "number": "a number above zero",
        "count": "a whole number above zero",
        "share": "a share above 0 and at most 1",
        "factor": "a factor of at least 1",
    }[key.kind]
    fits = found is not None and found > 0
    if fits and found is not None:
        if key.kind == "count":
            fits = found.denominator == 1
        elif key.kind == "share":
            fits = found <= 1
            must += ", such as 0.46 for 46 %" if 1 < found <= 100 else ""
        elif key.kind == "factor":
            fits = 1 <= found <= 100
            must += " and at most 100"
    if not fits:
        unit = f" ({key.unit})" if key.unit else ""
        advice = plain_spelling(value) if isinstance(value, str) else ""
        problem(at, f"{key.leaf} must be {must}{unit}, not {_shown(value)}{advice}")
        return None
    return found


def _others(key: Key, value: Any, at: tuple[str | int, ...], problem: Problem) -> tuple[Fraction, ...]:
    if value is None:
        return ()
    listed = value if isinstance(value, list) else [value]
    if not 0 < len(listed) < _MOST_READINGS:
        problem(at, f"or must be one number, or up to {_MOST_READINGS - 1} of them")
        return ()
    found = [_number(key, each, at, problem) for each in listed]
    return tuple(each for each in found if each is not None)


def _word(key: Key, value: Any, source: str, at: tuple[str | int, ...], problem: Problem) -> Stated | None:
    if not isinstance(value, str) or not 0 < len(value) <= 100:
        problem(at, f"{key.leaf} must be a word, not {_shown(value)}")
    elif key.words and value not in key.words:
        problem(at, f"{key.leaf} is {_shown(value)}; it may be {', '.join(key.words)}")
    else:
        return Stated(key, word=printable(value), source=source)
    return None


def _together(stated: Mapping[str, Stated], problem: Problem) -> Chip | None:
    """What does not go together is a problem; gives the row of the chip."""
    active, total = stated.get("model.parameters"), stated.get("model.total_parameters")
    if active and total and min(active.numbers) > max(total.numbers):
        problem(("model", "parameters"), "parameters that work on a token are more than total_parameters")
    lookup = stated.get("model.embedding_parameters")
    if lookup and total and max(lookup.numbers) >= min(total.numbers):
        problem(("model", "embedding_parameters"), "embedding_parameters are not fewer than total_parameters")
    if ("model.kv_rank" in stated) != ("model.rope_size" in stated):
        problem(("model", "kv_rank"), "kv_rank and rope_size belong together (latent attention)")
    if "model.kv_rank" in stated and "model.kv_heads" in stated:
        problem(("model", "kv_rank"), "a cache has either kv_heads and head_size, or kv_rank and rope_size")
    count = 1
    for each in stated.values():
        count *= 1 + len(each.others)
    if count > _MOST_READINGS:
        problem((), f"with so many numbers that can be read in two ways there are more than {_MOST_READINGS} readings")
    run, all_hours = stated.get("training.chip_hours"), stated.get("training.all_chip_hours")
    if run and all_hours and min(run.numbers) > max(all_hours.numbers):
        problem(("training", "all_chip_hours"), "all_chip_hours are fewer than chip_hours, which they include")
    return _chip(stated, problem)


def _chip(stated: Mapping[str, Stated], problem: Problem) -> Chip | None:
    named = stated.get("training.chip")
    if named is None:
        return None
    known = chips()
    chip = known.get(named.word)
    if chip is None:
        if "training.peak_flop_per_second" not in stated:
            near = _near(named.word, tuple(known))
            problem(
                ("training", "chip"),
                f"chip {_shown(named.word)} is not known{near}; `openvet claims --chips` lists those that are, or state "
                "peak_flop_per_second and chip_watts",
            )
        return None
    dtype = stated.get("training.dtype")
    if dtype is not None and dtype.word not in chip.peak and "training.peak_flop_per_second" not in stated:
        problem(
            ("training", "dtype"),
            f"of {chip.id} the peaks of {', '.join(chip.peak)} are known, not of {_shown(dtype.word)}",
        )
    return chip


def _traffic(value: Any, source: str, problem: Problem) -> tuple[Traffic, ...]:
    at: tuple[str | int, ...] = ("serving", "traffic")
    if not isinstance(value, list) or len(value) > _MOST_ITEMS:
        problem(at, f"traffic must be a list of at most {_MOST_ITEMS} tables with kind, tokens and usd_per_million")
        return ()
    tokens = Key("serving.tokens", "number", "token", "")
    price = Key("serving.usd_per_million", "number", "USD for a million tokens", "")
    found = []
    for index, each in enumerate(value):
        here = (*at, index)
        if not isinstance(each, Mapping) or not {"kind", "tokens", "usd_per_million"} <= set(each):
            problem(here, "traffic needs kind, tokens and usd_per_million")
            continue
        for name in each:
            if name not in _TRAFFIC:
                problem((*here, name), f"unknown key {_shown(name)} in traffic{_near(name, _TRAFFIC)}")
        count = _number(tokens, each["tokens"], (*here, "tokens"), problem)
        rate = _number(price, each["usd_per_million"], (*here, "usd_per_million"), problem)
        kind, own = _text(each, "kind", problem, here), _text(each, "source", problem, here)
        if count is not None and rate is not None:
            found.append(Traffic(kind, count, rate, own or source))
    return tuple(found)


def _notes(value: Any, problem: Problem) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or len(listed) > _MOST_ITEMS:
        problem(("notes",), f"notes must be a text, or a list of at most {_MOST_ITEMS}")
        return ()
    return tuple(_text({"notes": each}, "notes", problem, ()) for each in listed)


def _text(table: Mapping[str, Any], name: str, problem: Problem, at: tuple[str | int, ...]) -> str:
    if name not in table:
        return ""
    value = table[name]
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST:
        problem((*at, name), f"{name} must be a text that says something, of at most {_LONGEST} characters")
        return ""
    return printable(" ".join(value.split()))


def _shown(value: Any) -> str:
    found = exact(value)
    if found is not None:
        return brief(found) if found else "0"
    if isinstance(value, int) and not isinstance(value, bool):
        return "a number beyond all limits"
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    if isinstance(value, Mapping | list):
        return "a table" if isinstance(value, Mapping) else "a list"
    return repr(printable(str(value)[:60]))


def _near(word: Any, known: tuple[str, ...]) -> str:
    import difflib

    near = difflib.get_close_matches(str(word)[:100], known, 1, 0.5)
    return f"; did you mean {near[0]}?" if near else ""
