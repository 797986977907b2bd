"""What documents say in every form: values as people read them, bases, states, and what has to be done about what is open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from openvet.policy.paper import Paper, PaperLine, Reference, Said
from openvet.reports._text import bytes_for_people, cut, plural

__all__ = [
    "DRAFT",
    "LEGEND",
    "STATES",
    "TEXT",
    "basis_words",
    "head",
    "label_words",
    "open_words",
    "sections",
    "shown",
    "tally",
    "value_words",
    "value_words_of",
]

#: Columns of one value, or of what somebody wrote beside it.
TEXT: Final = 20_000
#: What stands above every document.
DRAFT: Final = (
    "A draft by OpenVet. Each value says how it is known and on which statement it rests; what nobody has said stays open. "
    "Whether what stands here is true, sufficient or lawful is for people to judge."
)
#: What the words of the bases mean.
LEGEND: Final = (
    "Declared: the model says so of itself, and nobody verified it. Derived: computed from the files, or from other values here. "
    "Attested: the word of whoever is named. A number in brackets is a statement of the list at the end."
)
#: Values of a list that are shown; the JSON form has all.
_LISTED: Final = 40
STATES: Final = {
    "filled": "filled",
    "in-part": "in part",
    "open": "open",
    "satisfied-by-evidence": "satisfied by evidence",
    "satisfied-by-attestation": "satisfied by somebody's word",
    "violated": "violated",
    "not-applicable": "does not apply",
    "indeterminate": "nobody can say yet",
    "not-yet-in-force": "not yet in force",
}
_BASES: Final = {
    "declared": "declared",
    "derived": "derived",
    "measured": "measured",
}


def value_words_of(value: Any, name: str = "") -> str:
    """A value in words. ``name`` says its unit where it has one."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        more = f" and {len(value) - _LISTED:,} more" if len(value) > _LISTED else ""
        return ", ".join(value_words_of(each) for each in value[:_LISTED]) + more
    if isinstance(value, dict):
        return ", ".join(f"{key}: {value_words_of(each)}" for key, each in list(value.items())[:_LISTED])
    if isinstance(value, int | float):
        if name.endswith("_bytes") and value >= 0:
            exact = f" ({int(value):,} bytes)" if value >= 1000 else ""
            return f"{bytes_for_people(int(value))}{exact}"
        return f"{value:,}" if isinstance(value, int) and abs(value) < 10**15 else f"{value:.4g}"
    return str(value)


def value_words(said: Said) -> str:
    """What stands in a line, of at most :data:`TEXT` columns; the JSON form has it whole."""
    return cut(_whole_words(said), TEXT)


def _whole_words(said: Said) -> str:
    if said.type == "document":
        return _document(said)
    if said.type == "number" or said.type == "step":
        try:
            number = float(said.value)
            return value_words_of(int(number) if number.is_integer() and abs(number) < 10**15 else number)
        except (TypeError, ValueError, OverflowError):
            return {"true": "yes", "false": "no"}.get(str(said.value), str(said.value))
    return value_words_of(said.value, said.name)


def _document(said: Said) -> str:
    if said.value is False:
        return "there is none"
    found = said.document or {}
    parts = [str(found[each]) for each in ("name", "uri") if found.get(each)]
    digest = found.get("digest")
    if isinstance(digest, dict):
        parts += [f"{name}:{each}" for name, each in sorted(digest.items())]
    dated = (found.get("annotations") or {}).get("date")
    parts += [f"of {dated}"] if dated else []
    return ", ".join(parts) or "there is one, which is not attached"


def label_words(said: Said) -> str:
    """What stands before a value."""
    return said.label if said.label.endswith("?") else f"{said.label}:"


def basis_words(said: Said) -> str:
    """How a value is known; of somebody's word, whose and from when."""
    if said.basis != "attested":
        return _BASES[said.basis]
    if not said.by:
        return "attested: by the signature's key"
    until = f", counts until {said.until}" if said.until else ""
    when = f" on {said.said}" if said.said else ""
    return f"attested by {said.by}{when}{until}"


def open_words(line: PaperLine, paper: Paper) -> Iterator[str]:
    """What is open in a line, and who has to do what; nothing of a line that is not."""
    if line.state in ("open", "in-part") and line.human:
        what = "to be filled in" if line.state == "open" else "to be completed"
        yield f"{what} by {paper.filled_by}"
    elif line.state == "open":
        yield "nothing that is at hand says it"
    elif line.state == "in-part":
        yield "not all of it is known"
    if line.questions:
        yield f"questions: {', '.join(line.questions)}"
    if line.missing and line.state in ("open", "in-part", "indeterminate"):
        yield f"not known: {', '.join(line.missing)}"


def sections(paper: Paper) -> list[tuple[str, list[PaperLine]]]:
    """The lines by sections, in order."""
    out: list[tuple[str, list[PaperLine]]] = []
    for each in paper.lines:
        if not out or out[-1][0] != each.section:
            out.append((each.section, []))
        out[-1][1].append(each)
    return out


def tally(lines: Sequence[PaperLine]) -> str:
    """How many lines are in which state."""
    found = Counter(each.state for each in lines)
    counts = [f"{found[state]} {words}" for state, words in STATES.items() if found[state]]
    return f"{plural(len(lines), 'line')}: {', '.join(counts)}"


def head(paper: Paper) -> Sequence[tuple[str, str]]:
    """What the document is about, and what it was made from."""
    digests = ", ".join(f"{name}:{each}" for name, each in paper.digest.items())
    rows = [
        ("model", paper.subject or "unnamed"),
        ("digests", digests or "none: not all of it was read"),
        ("as of", paper.as_of),
        ("asked for by", paper.clause),
        ("written from", paper.source),
        ("pack", f"{paper.pack}{f', law as of {paper.law}' if paper.law else ''}"),
        ("made by", f"{paper.tool.name} {paper.tool.version}"),
        ("state", tally(paper.lines)),
    ]
    return [(label, text) for label, text in rows if text]


def shown(reference: Reference, paper: Paper) -> str:
    """Where a statement can be looked at."""
    if not paper.signed:
        return "made just now and signed by nobody; openvet check MODEL --dossier DIR --sign KEY keeps it"
    return f"openvet dossier show DOSSIER --key OWNER.pub --line {reference.line}"
