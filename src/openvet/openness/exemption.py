"""What the open-source exemption of Article 53(2) of the AI Act asks for, line by line; a provider of a general-purpose model may claim it.

Nothing here says that the exemption holds: whether the model is a general-purpose one, what it earns, and what else its provider asks for are
in no file. What can be seen is what would be against it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from openvet.core.dataclass import dataclass
from openvet.core.license_ids import keys_of
from openvet.core.location import Location
from openvet.evidence.predicates.card_v1 import CardDocument
from openvet.evidence.predicates.openness_v1 import Checklist, License, Line, Part
from openvet.inventory.component import Inventory
from openvet.openness._tables import exemption_table, sign_table
from openvet.openness.gathered import Declared

__all__ = ["Clause", "Clauses", "check_exemption"]

#: What marks a part of the world that the Union belongs to.
_EU: Final = "eu"
#: Line of the checklist -> the use that a clause grants.
_GRANTS: Final = {"use": "commercial", "modification": "modify", "distribution": "redistribute"}
_USAGE: Final = ("Uses", "How to Get Started with the Model")

#: (state, text, who is asked, where it is read)
_Found = tuple[str, str, str, tuple[Location, ...]]


class Clause(Protocol):
    """A clause of a licence, as the room of licences has it."""

    @property
    def kind(self) -> str: ...
    @property
    def at(self) -> str: ...
    @property
    def uses(self) -> tuple[str, ...]: ...
    @property
    def words(self) -> Mapping[str, Any]: ...


#: Key of a licence -> its clauses; empty where none was read.
Clauses = Callable[[str], Sequence[Clause]]


@dataclass(frozen=True, slots=True)
class _Bears:
    """Terms that bear on a line: the entry of our table, and the clause by which the licence has them, where one was read."""

    entry: Mapping[str, Any]
    clause: Clause | None

    @property
    def needs(self) -> str:
        """What has to be known before the clause says anything."""
        return "" if self.clause is None else str(self.clause.words.get("needs", ""))

    @property
    def state(self) -> str:
        return "open" if self.needs else str(self.entry["state"])


@dataclass(frozen=True, slots=True)
class _Release:
    parts: Mapping[str, Part]
    card: CardDocument | None
    inventory: Inventory | None
    license: License | None
    clauses: Clauses


def check_exemption(
    parts: Mapping[str, Part],
    card: CardDocument | None,
    distribution: Declared | None,
    inventory: Inventory | None,
    clauses: Clauses,
) -> Checklist:
    """The checklist of one release.

    Args:
        parts: its components by their ids.
        card: its model card.
        distribution: the licence of the whole; that of the weights comes before it.
        inventory: its files; ``None`` for a record alone.
        clauses: what licences say.
    """
    table = exemption_table()
    license = parts["final-parameters"].license  # noqa: A001 - the word of the house
    if license is None and distribution is not None:
        license = distribution.of("final-parameters")  # noqa: A001
    release = _Release(parts, card, inventory, license, clauses)
    lines = []
    for each in table["line"]:
        state, text, asks, sources = _LOOKS[each["id"]](release)
        clause = each["clause"]
        lines.append(Line(each["id"], clause, each["asked"], state, text, asks, sources))
    return Checklist("eu-53-2", table["law"], tuple(lines))


# --- the licence ---


def _terms(release: _Release, line: str) -> tuple[_Bears, License] | None:
    """The terms of the declared licence that bear on ``line``, the one against it first."""
    license = release.license  # noqa: A001
    if license is None:
        return None
    parts = [each.strip() for each in license.id.split(" AND ")]
    found = [bears for part in parts for bears in _bearing(release, part) if line in bears.entry["lines"]]
    return (min(found, key=lambda each: each.state != "against"), license) if found else None


def _bearing(release: _Release, named: str) -> Iterator[_Bears]:
    """What the clauses of a licence come to; of one without clauses, what is known of its name. Of an ambiguous name what all that it may mean have."""
    keys = keys_of(named) or (named,)
    read = [release.clauses(key) for key in keys]
    for entry in exemption_table()["terms"].values():
        if all(read):
            having = [[each for each in clauses if _is_meant(each, entry["kinds"])] for clauses in read]
            if all(having):
                yield _Bears(entry, having[0][0])
        elif named.lower() in entry["ids"]:
            yield _Bears(entry, None)


def _granting(release: _Release, named: str, use: str) -> Clause | None:
    """The clause by which a licence gives a right; of an ambiguous name that of the first that it may mean, where all of them have one."""
    found = [
        next((each for each in release.clauses(key) if each.kind == "grant" and use in each.uses), None)
        for key in keys_of(named) or (named,)
    ]
    return found[0] if all(each is not None for each in found) else None


def _is_meant(clause: Clause, kinds: Sequence[str]) -> bool:
    return clause.kind in kinds and (clause.kind != "territory" or _EU in clause.words["outside"])


def _any_terms(release: _Release) -> tuple[_Bears, License] | None:
    found = [
        each
        for line in ("use", "modification", "distribution", "access")
        if (each := _terms(release, line)) is not None
    ]
    return min(found, key=lambda each: each[0].state != "against", default=None)


def _say(found: tuple[_Bears, License]) -> _Found:
    bears, license = found  # noqa: A001
    where = bears.entry["clause"] if bears.clause is None else f"its clause {bears.clause.at}; {bears.entry['clause']}"
    text = f"{license.id} {bears.entry['text']} ({where})"
    if bears.needs:
        text += f"; to know: {bears.needs}"
    asks = str(bears.entry.get("asks", "lawyer" if bears.state == "open" else ""))
    return bears.state, text, asks, (license.source,)


def _license(release: _Release) -> _Found:
    license = release.license  # noqa: A001
    if license is None:
        return "open", "no licence is declared", "provider", ()
    if license.standing.startswith("open"):
        if license.text is not None:
            return "evidence", f"{license.id} is declared, and its text is here", "", (license.source, license.text)
        return "declared", f"{license.id} is declared", "", (license.source,)
    found = _any_terms(release)
    if found is not None:
        return _say(found)
    text = f"{license.id} is declared; it is not among those that we know as open, and its terms were not read"
    return "open", text, "lawyer", (license.source,)


def _right(line: str) -> Callable[[_Release], _Found]:
    """A right that the licence gives."""

    def look(release: _Release) -> _Found:
        license = release.license  # noqa: A001
        if license is None:
            return "open", "no licence is declared", "provider", ()
        found = _terms(release, line)
        if found is not None:
            return _say(found)
        if license.standing.startswith("open"):
            return "declared", f"{license.id} gives it", "", (license.source,)
        granted = _granting(release, license.id, _GRANTS[line])
        if granted is not None:
            text = f"{license.id} grants it (its clause {granted.at}), within what it allows at all"
            return "open", text, "lawyer", (license.source,)
        return "open", f"what {license.id} says of it was not read", "lawyer", (license.source,)

    return look


# --- access and money ---


def _access(release: _Release) -> _Found:
    found = _terms(release, "access")
    if found is not None:
        return _say(found)
    asked = (
        [each for each in release.card.facts if each.name.startswith("extra_gated")] if release.card is not None else []
    )
    sources = tuple(each.source for each in asked)
    if any(each.name == "extra_gated_eu_disallowed" and each.value is True for each in asked):
        return "against", "the card shuts users in the European Union out (extra_gated_eu_disallowed)", "", sources
    if asked:
        names = ", ".join(sorted({each.name for each in asked}))
        text = f"access is gated ({names}); where personal data are asked for, and not for security alone, the exemption is likely lost"
        return "open", text, "lawyer", sources
    return "open", "nothing in the files asks for anything before access; what the place of publication asks for is not in them", "provider", ()  # fmt: skip


def _money(release: _Release) -> _Found:
    found = _terms(release, "not-monetised")
    return (
        _say(found) if found is not None else ("open", "no file shows it; only its provider can say so", "provider", ())
    )


# --- what is public ---


def _parameters(release: _Release) -> _Found:
    part = release.parts["final-parameters"]
    if part.state == "missing":
        return "open", "no weights are here or named", "provider", ()
    where = (part.evidence[0].source,)
    if part.state != "found":
        return "declared", f"they are {part.state}, and were not looked at", "", where
    if all("adapter" in each.what for each in part.evidence):
        return "open", "the weights of an adapter are here, and not those of its base model", "provider", where
    return "evidence", "weights are here", "", where


def _architecture(release: _Release) -> _Found:
    part = release.parts["architecture"]
    if part.state == "found":
        return "evidence", "code of the architecture is here", "", (part.evidence[0].source,)
    for each in release.inventory.walk() if release.inventory is not None else ():
        document = each.document
        if each.basename == "config.json" and isinstance(document, dict):
            for key in ("architectures", "model_type"):
                if document.get(key):
                    return "evidence", "the configuration describes it", "", (Location(each.place, pointer=f"/{key}"),)
        if each.metadata.get("general.architecture"):
            return "evidence", "the header describes it", "", (Location(each.place, pointer="general.architecture"),)
        if not set(sign_table()["graphs"]).isdisjoint(each.formats):
            return "evidence", "the file holds the model's graph", "", (Location(each.place),)
    if part.state != "missing":
        return "declared", f"it is {part.state}, and was not looked at", "", (part.evidence[0].source,)
    return "open", "nothing of it is here or named", "provider", ()


def _usage(release: _Release) -> _Found:
    for section in release.card.sections if release.card is not None else ():
        if section.name in _USAGE and section.state == "filled":
            return "evidence", f"the card has the section {section.name}", "", (section.source,)
    part = release.parts["model-card"]
    if part.state == "missing":
        return "open", "there is no model card", "provider", ()
    text = "a model card is named, and was not looked at" if part.state != "found" else "the model card has no section about use under the hub's headings"  # fmt: skip
    return "open", text, "provider", (part.evidence[0].source,)


# --- what the exemption leaves ---


def _stays(_: _Release) -> _Found:
    return "open", "the exemption does not cover it", "provider", ()


def _systemic(_: _Release) -> _Found:
    return "open", "the compute of the training is in no file; openvet claims reckons it from stated inputs", "provider", ()  # fmt: skip


_LOOKS: Final[Mapping[str, Callable[[_Release], _Found]]] = {
    "licence": _license,
    "access": _access,
    "use": _right("use"),
    "modification": _right("modification"),
    "distribution": _right("distribution"),
    "not-monetised": _money,
    "parameters": _parameters,
    "architecture": _architecture,
    "usage": _usage,
    "systemic-risk": _systemic,
    "copyright-policy": _stays,
    "training-summary": _stays,
}
