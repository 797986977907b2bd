"""Credentials left in text, found by the form that their issuers gave them.

``data/secrets.toml`` lists the forms. A text is first searched for their literal beginnings, all in one pass; most texts
hold none and cost nothing more. What a message shows of a secret is its first four and last two characters.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import cache

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.core.tables import read_table
from openvet.formats._format import Facts

__all__ = ["redacted", "scan_text"]

RULE = "secrets/key-in-file"
#: Secrets reported for one file; a longer list of the same helps nobody.
_MOST = 50
_PLACEHOLDER = pattern(r"example|placeholder|dummy|your[_-]|xxxx|0000000|1234567|abcdefg|\.\.\.", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Form:
    id: str
    title: str
    pattern: re.Pattern[str]
    entropy: float
    confidence: str


@cache
def _forms() -> tuple[re.Pattern[str], dict[str, tuple[_Form, ...]]]:
    """The search for all beginnings, and for each beginning the forms that it may begin."""
    data = read_table("secrets")
    by_start: dict[str, tuple[_Form, ...]] = {}
    for each in data["secret"]:
        form = _Form(each["id"], each["title"], re.compile(each["pattern"]), each["entropy"], each["confidence"])
        for start in each["starts"]:
            by_start[start] = (*by_start.get(start, ()), form)
    longest_first = sorted(by_start, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first))), by_start


def scan_text(text: str, facts: Facts, first_line: int = 1) -> None:
    """Record a ``secrets/key-in-file`` anomaly for every credential in ``text``.

    Args:
        text: a text, or a part of a long one (parts should overlap by some hundred characters).
        facts: of the file that holds it.
        first_line: the line of the file on which ``text`` begins.
    """
    starts, by_start = _forms()
    forms: dict[str, _Form] = {}
    for match in starts.finditer(text):
        for form in by_start[match.group()]:
            forms[form.id] = form
        if len(forms) > 8:  # enough kinds at once: look for all of them
            forms = {form.id: form for several in by_start.values() for form in several}
            break
    seen: set[str] = set()
    for form in forms.values():
        for match in form.pattern.finditer(text):
            secret = match.group(match.lastindex or 0)
            if secret in seen or _PLACEHOLDER.search(match.group()) or _entropy(secret) < form.entropy:
                continue
            seen.add(secret)
            line = first_line + text.count("\n", 0, match.start())
            facts.anomaly(
                RULE,
                f"holds what looks like a credential: {form.title} {redacted(secret)}",
                line=line,
                kind=form.id,
                confidence=form.confidence,
            )
            if len(seen) >= _MOST:
                return


def redacted(secret: str) -> str:
    """Enough of ``secret`` to recognise it by, and not enough to use it."""
    flat = "".join(secret.split())
    return f"{flat[:4]}…{flat[-2:]}"


def _entropy(text: str) -> float:
    """Shannon entropy in bits per character."""
    total = len(text)
    return -sum(count / total * math.log2(count / total) for count in Counter(text).values())
