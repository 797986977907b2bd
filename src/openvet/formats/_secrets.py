"""Credentials left in text, found by the form that their issuers gave them.

``data/secrets.toml`` lists the forms. A text is first searched for their literal beginnings, all in one pass; most texts
hold none and cost nothing more. What a message shows of a secret is its first four and last two characters.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.core.tables import read_table
from openvet.formats._format import Facts
from openvet.io.source import Source

__all__ = ["redacted", "scan_pickle", "scan_text"]

RULE = "secrets/key-in-file"
#: Secrets reported for one file; a longer list of the same helps nobody.
_MOST = 50
_PICKLED = 512 * 1024
#: Bits per character of a password in a file that is there for it.
_NAMED = 2.3
#: How texts begin in protocols 1 to 5, with their length.
_LITERAL = pattern(rb"[\x8cU](.)|[XT](..\0\0)", re.DOTALL)
#: What stands in front of the text of a line in protocol 0.
_LINES = pattern(r"^[(dlt)}\]]{0,4}V", re.MULTILINE)
#: Samples of a data set.
_ROWS = (".jsonl", ".ndjson", ".csv", ".tsv")
_SAYING = frozenset(
    {
        "aws_secret_access_key",
        "AWS_SECRET_ACCESS_KEY",
        "secretAccessKey",
        "SecretAccessKey",
        "WANDB_API_KEY",
        "wandb_api_key",
    }
)
#: Words of placeholders, and the signatures of the two tokens that jwt.io shows to everybody.
_PLACEHOLDER = pattern(
    r"example|placeholder|dummy|your[_-]|xxxx|0000000|1234567|abcdefg|\.\.\."
    r"|\.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c|\.TJVA95OrM7E2cBab30RMHrHDcEfxjoYZgeFONFh7HgQ",
    re.IGNORECASE,
)


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
        form = _Form(each["id"], each["title"], pattern(each["pattern"]), each["entropy"], each["confidence"])
        for start in each["starts"]:
            by_start[start] = (*by_start.get(start, ()), form)
    # by their first letters, so that at most places one is compared and not all of them: half the time of a plain alternation
    rests: dict[str, list[str]] = {}
    for start in sorted(by_start, key=len, reverse=True):  # the longest first
        rests.setdefault(start[0], []).append(re.escape(start[1:]))
    return re.compile("|".join(f"{re.escape(first)}(?:{'|'.join(each)})" for first, each in rests.items())), by_start


def scan_text(text: str, facts: Facts, first_line: int | None = 1, offset: int | None = None) -> None:
    """Record a ``secrets/key-in-file`` anomaly for every credential in ``text``, and what in it no font shows.

    Args:
        text: a text, or a part of a long one (parts should overlap by some hundred characters).
        facts: of the file that holds it.
        first_line: the line of the file on which ``text`` begins; ``None`` in a file that has no lines.
        offset: where ``text`` stands in such a file, if that is known.
    """
    from openvet.formats._unseen import tell_unseen

    tell_unseen(text, facts, first_line, rows=facts.place.lower().endswith(_ROWS))
    for form, secret, start in _found(text):
        line = None if first_line is None else first_line + text.count("\n", 0, start)
        _tell(facts, form, secret, line=line, offset=offset)
    _scan_named(text, facts, first_line)


def _scan_named(text: str, facts: Facts, first_line: int | None) -> None:
    """The same for files that are known by their names, where nothing was found by its form."""
    from openvet.formats._credential_files import kept_in

    if any(each.rule == RULE for each in facts.anomalies):
        return
    for title, secret, start in kept_in(facts.place, text):
        if _entropy(secret) >= _NAMED:
            line = None if first_line is None else first_line + text.count("\n", 0, start)
            message = f"holds what looks like a credential: {title} {redacted(secret)}"
            facts.anomaly(RULE, message, line=line, kind="named-file", confidence="medium")
            return


def scan_pickle(source: Source, facts: Facts) -> None:
    """The same for the literals of a pickle, as far as they lie in its first half megabyte: settings are small, and weights hold none."""
    data = source.upto(0, _PICKLED)
    starts, _ = _forms()
    plain = data.decode("latin-1")
    if starts.search(plain) is None:
        return
    told: set[str] = set()
    for text in (_literals(data), _LINES.sub(" ", plain.replace("\\u000a", "\n"))):  # protocol 0 writes lines of text
        for form, secret, _ in _found(text):
            if secret not in told and len(told) < _MOST:
                told.add(secret)
                at = data.find(secret.encode("latin-1", "replace"))
                _tell(facts, form, secret, offset=max(at, 0))


def _literals(data: bytes) -> str:
    """The texts of a pickle, a line each; one behind a name that says what it is, on the line of that."""
    out: list[str] = []
    at = 0
    while (found := _LITERAL.search(data, at)) is not None:
        size = found[1][0] if found[1] else int.from_bytes(found[2], "little")
        at = found.end() + size if found.end() + size <= len(data) else found.start() + 1
        if at >= found.end():
            text = data[found.end() : at].decode("utf-8", "replace")
            out += [text, "=" if text in _SAYING else "\n"]
    return "".join(out)


def _tell(facts: Facts, form: _Form, secret: str, *, line: int | None = None, offset: int | None = None) -> None:
    message = f"holds what looks like a credential: {form.title} {redacted(secret)}"
    facts.anomaly(RULE, message, offset, line=line, kind=form.id, confidence=form.confidence)


def _found(text: str) -> Iterator[tuple[_Form, str, int]]:
    """The credentials in a text, each once, with where they are."""
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
            yield form, secret, match.start()
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
