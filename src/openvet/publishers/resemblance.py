"""Names that look like a known publisher's and are not. A heuristic: it says how two names are alike, and never who is behind one.

What counts, in this order: the same name to the eye (confusable characters, digits for letters, separators); a known name with words around
it as squats like them (``official``, ``hub``); a slip of typing. Short names have many honest neighbours: a slip counts from
six characters on, two of them from ten.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.publishers._spelling import LONGEST, distance, letters, neighbours, skeleton, words
from openvet.publishers.known import Known

__all__ = ["Resemblance", "is_derived", "is_plain", "like_account", "like_family"]

_ONE: Final = 6
_TWO: Final = 10
#: From this length on a letter may be any other one.
_LONG: Final = 9
#: A known name within another one has to be this long; ``yi`` is in every second word.
_CORE: Final = 5
#: What is left of a known account without its own "ai" or "labs" has to be this long.
_STRIPPED: Final = 6
_FAMILY: Final = 7
_SIZE: Final = pattern(r"v?\d+[a-z]?|\d+(?:\.\d+)?[bmkt]|\d+x\d+[bm]?|[ae]\d+[bm]|r\d+|k\d+|\d+k|\d{4,8}", re.ASCII)
_QUANT: Final = pattern(r"i?q\d.*|\d+bits?|\d+bpw|w\d+a\d+|b?f(?:p)?(?:8|16|32)|int\d|g\d{2,3}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Resemblance:
    """A name that looks like ``like``, which is ``publisher``'s; ``how`` says in which way.

    ``weak`` is one whose only difference is a word that the publisher itself may have put there, such as ``team``.
    """

    name: str
    like: str
    publisher: str
    how: str
    weak: bool = False


def like_account(account: str, table: Known) -> Resemblance | None:
    """Which known account a hub's account could be taken for; ``None`` for known and ordinary ones, and where there is none."""
    folded = account.casefold()
    if not account or folded in table.accounts or folded in table.ordinary:
        return None
    form = skeleton(account)
    if not form:
        return None
    for like, how, weak in _alike(account, form, table):
        return Resemblance(account[:LONGEST], like, table.accounts[like.casefold()][1], how, weak)
    return None


def _alike(account: str, form: str, table: Known) -> Iterator[tuple[str, str, bool]]:
    same = table.forms.get(form)
    if same is not None:
        yield same[0], _how_same(account, same[0]), False
    around = list(_around(account, form, table))
    yield from (each for each in around if not each[2])
    yield from ((like, how, False) for like, how in _slips(letters(account), table))
    yield from around


def _how_same(account: str, like: str) -> str:
    if not account.isascii():
        return "characters that look like others"
    same = "".join(words(account)) == "".join(words(like))
    return "the same letters with other separators" if same else "digits and letters that look like others"


def _around(account: str, form: str, table: Known) -> Iterator[tuple[str, str, bool]]:
    """A known name with words of squats before or behind it."""
    extra = (*table.affixes, *table.honest)
    parts = words(account)
    first, last = 0, len(parts)
    while first < last - 1 and parts[first] in extra:
        first += 1
    while last > first + 1 and parts[last - 1] in extra:
        last -= 1
    added = [*parts[:first], *parts[last:]]
    if added:
        typed = "".join(parts[first:last])
        core = skeleton(typed)
        for known_form, (like, _) in table.forms.items():
            if core == known_form or (len(core) >= _STRIPPED and core == skeleton(_stripped(like, table))):
                honest = typed in ("".join(words(like)), _stripped(like, table)) and not set(added) & set(table.affixes)
                yield like, f"the words around it ({', '.join(added)})", honest
    for word in extra:
        added_form = skeleton(word)
        for rest in (form.removesuffix(added_form), form.removeprefix(added_form)):
            if len(rest) >= _CORE and rest != form and rest in table.forms:
                honest = word in table.honest and "".join(words(table.forms[rest][0])) in "".join(words(account))
                yield table.forms[rest][0], f"the word around it ({word})", honest


def _stripped(like: str, table: Known) -> str:
    """A known account without the words that only say what kind of account it is."""
    parts = words(like)
    while len(parts) > 1 and parts[-1] in table.honest:
        parts.pop()
    return "".join(parts)


def _slips(form: str, table: Known) -> Iterator[tuple[str, str]]:
    if len(form) < _ONE - 1:
        return
    best: tuple[int, str, str] | None = None
    for like, known_form in table.forms.values():
        short = min(len(form), len(known_form))
        most = 0 if len(known_form) < _ONE else 2 if short >= _TWO else 1
        if not most or abs(len(form) - len(known_form)) > most:
            continue
        same_start, same_end = form[0] == known_form[0], form[-1] == known_form[-1]
        if not (same_start or same_end):  # slips at both ends are rare, and honest names that differ so are not
            continue
        found = distance(form, known_form, most)
        if found > most or (found == 2 and not (same_start and same_end)):
            continue
        if found == 1 and not _is_likely(form, known_form):
            continue
        if best is None or (found, like) < best[:2]:
            best = (found, like, known_form)
    if best is not None:
        yield best[1], _slip(form, best[2], best[0])


def _is_likely(form: str, known_form: str) -> bool:
    """Whether one slip in a short name is one of the hand. ``OpenR1`` is one letter from ``openai``, and is no squat of it."""
    if len(known_form) >= _LONG:
        return True
    if len(form) != len(known_form):
        return form[0] == known_form[0]
    wrong = [(a, b) for a, b in zip(form, known_form, strict=True) if a != b]
    return len(wrong) == 2 or neighbours(*wrong[0])


def _slip(form: str, known_form: str, count: int) -> str:
    if count > 1:
        return f"{count} letters that differ"
    if len(form) != len(known_form):
        return "a letter more" if len(form) > len(known_form) else "a letter less"
    wrong = [(a, b) for a, b in zip(form, known_form, strict=True) if a != b]
    if len(wrong) == 2:
        return "two letters swapped"
    return "a letter beside it on the keyboard" if wrong and neighbours(*wrong[0]) else "another letter"


def like_family(name: str, table: Known) -> Resemblance | None:
    """Which family's name a model's name could be taken for, where it is not that name; long words only."""
    if table.of_family(name) is not None:
        return None
    first = ((family.split("-")[0], family, owner) for family, owner in table.families.items())
    heads = {head: (family, owner) for head, family, owner in first if head.isalpha()}
    for word in words(name)[:3]:
        core = word.rstrip("0123456789").removesuffix("v") or word
        if core in heads or len(core) < 4:
            continue
        form = skeleton(core)
        for head, (_, owner) in heads.items():
            if len(head) < 4:
                continue
            if form == skeleton(head):
                how = (
                    "digits and letters that look like others" if core.isascii() else "characters that look like others"
                )
                return Resemblance(name[:LONGEST], head, owner, how)
            if len(head) >= _FAMILY and core.isalpha() and core[0] == head[0] and _is_slip(core, head):
                return Resemblance(name[:LONGEST], head, owner, _slip(core, head, 1))
    return None


def _is_slip(word: str, head: str) -> bool:
    """Whether a word is a mistyped other one. Many models have honest names that are one letter away; slips of the hand are fewer."""
    if distance(word, head, 1) != 1:
        return False
    if len(word) > len(head):
        at = next((index for index, letter in enumerate(head) if word[index] != letter), len(head))
        return word[at] == word[at - 1]
    wrong = [(a, b) for a, b in zip(word, head, strict=False) if a != b] if len(word) == len(head) else []
    return len(wrong) != 1 or neighbours(*wrong[0])


def is_derived(name: str, table: Known) -> bool:
    """Whether a model's name says that it is somebody's derivative: quantized, converted, tuned, merged."""
    return any(each in table.derived or _QUANT.fullmatch(each) for each in words(name))


def is_plain(name: str, table: Known) -> bool:
    """Whether a model's name is made as its publisher makes names: the family, versions, sizes and the usual words."""
    owner = table.of_family(name)
    if owner is None:
        return False
    known_words = {word for family in owner.families for word in words(family)}
    return all(each in known_words or each in table.plain or _SIZE.fullmatch(each) for each in words(name))
