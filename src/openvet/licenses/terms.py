"""What each licence lets people do and asks of them, clause by clause, as data that a person can read and correct.

One file of ``data/licenses/terms`` for a licence or a family of close ones. A family writes a clause once: ``only`` names the tags of
the licences that have it, and ``{word}`` stands for what differs. Every clause has the place in the text and a quotation, and a test
holds each quotation against the canonical text. A licence whose text is not at hand has a name and a link and no clause, so whoever
asks about it is told to read it.

Nothing here is advice about law, and nothing says what a court would hold.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.tables import data_folder, read_table

__all__ = ["KINDS", "Clause", "Kind", "LicenseTerms", "clauses_of", "known_keys", "terms_of"]

#: What a clause does: gives a right; forbids; sets a bound; asks for something; may end or change the licence; says how far it reaches.
ROLES: Final = ("grant", "forbid", "limit", "duty", "risk", "reach")
#: What becomes of a duty: something goes along with the files, is shown to people, is part of the name, binds the next one, is done.
GROUPS: Final = ("ship", "show", "name", "pass-on", "do", "keep-to")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of clause.

    Attributes:
        role: one of :data:`ROLES`.
        uses: the uses that it is about unless the clause says otherwise.
        says: a sentence without its end, with ``{words}`` of the clause.
        group: of a duty, one of :data:`GROUPS`.
        derived: whether it only counts where the work was changed.
        restricts: whether a derivative that no longer has it lets people do what the base does not.
    """

    role: str
    uses: tuple[str, ...]
    says: str
    group: str = ""
    derived: bool = False
    restricts: bool = False


_SHARE: Final = ("redistribute", "serve")
_CHANGE: Final = ("modify", "merge", "distil")
_ANY: Final = (
    "commercial",
    "research",
    "internal",
    "redistribute",
    "serve",
    "modify",
    "merge",
    "distil",
    "train-on-outputs",
)

KINDS: Final[Mapping[str, Kind]] = {
    "grant": Kind("grant", (), "grants it"),
    "outputs-free": Kind("grant", ("train-on-outputs",), "claims nothing over outputs"),
    "results-free": Kind("reach", (), "asks nothing of models that are trained on the data"),
    "outputs-derive": Kind(
        "reach", ("train-on-outputs", "distil"), "counts a model that learned from outputs to perform alike as a derivative"
    ),
    "no-commerce": Kind("forbid", ("commercial",), "no commercial use", restricts=True),
    "research-only": Kind("forbid", ("commercial", "internal"), "research only", restricts=True),
    "no-derivatives": Kind("forbid", _CHANGE, "no changed versions", restricts=True),
    "no-sharing-changes": Kind("forbid", ("redistribute",), "changed versions may not be shared", derived=True, restricts=True),
    "no-redistribution": Kind("forbid", ("redistribute",), "may not be passed on", restricts=True),
    "no-hosting": Kind("forbid", ("serve",), "may not be offered to others as a service", restricts=True),
    "no-output-training": Kind(
        "forbid", ("train-on-outputs", "distil"), "may not be used to improve {scope}{exception}", restricts=True
    ),
    "territory": Kind("forbid", (), "not granted in {outside}", restricts=True),
    "user-threshold": Kind("limit", ("commercial",), "above {number} monthly active users, {effect}", restricts=True),
    "revenue-threshold": Kind("limit", ("commercial",), "above {number} {currency} of {period} revenue, {effect}", restricts=True),
    "licence-copy": Kind("duty", ("redistribute",), "give along a copy of the licence", "ship"),
    "licence-link": Kind("duty", ("redistribute",), "give along the licence or its address", "ship"),
    "notice-line": Kind("duty", ("redistribute",), "keep this line in a Notice file: {text}", "ship"),
    "keep-notices": Kind("duty", ("redistribute",), "keep copyright and other notices", "ship"),
    "keep-notice-file": Kind("duty", ("redistribute",), "keep what an upstream NOTICE file says", "ship"),
    "state-changes": Kind("duty", ("redistribute",), "say in changed files, or beside them, that they were changed", "ship", derived=True),
    "source": Kind("duty", ("redistribute",), "give along the source, or an offer of it", "ship"),
    "network-source": Kind("duty", ("serve",), "offer the source of a changed version to those who use it over a network", "ship", derived=True),
    "documentation": Kind("duty", ("redistribute",), "give along the documentation, and document changes as well", "ship"),
    "attribution": Kind("duty", ("redistribute",), "name the author, the work and the licence", "show"),
    "display": Kind("duty", _SHARE, "show prominently: {text}", "show"),
    "statement": Kind("duty", _SHARE, "say in public statements about a derivative: {text}", "show", derived=True),
    "name-prefix": Kind("duty", _SHARE, 'begin the name of a model made from it with "{text}"', "name"),
    "name-change": Kind("duty", ("redistribute",), "give changed versions another name", "name", derived=True),
    "no-endorsement": Kind("duty", _SHARE, "do not use the licensor's names to promote", "keep-to"),
    "share-alike": Kind("duty", ("redistribute",), "share changed versions only under {licenses}", "pass-on", derived=True, restricts=True),
    "same-terms": Kind("duty", ("redistribute",), "pass it on only under this licence", "pass-on", restricts=True),
    "flow-down": Kind("duty", _SHARE, "bind the next user to the use restrictions, and tell that they apply", "pass-on", restricts=True),
    "no-added-restrictions": Kind("duty", ("redistribute",), "put no further restrictions on it", "pass-on"),
    "use-restrictions": Kind("duty", _ANY, "keep to the restrictions on use", "keep-to", restricts=True),
    "use-policy": Kind("duty", _ANY, "keep to the policy at {url}", "keep-to", restricts=True),
    "use-policy-amended": Kind("duty", _ANY, "keep to the policy at {url} as it is amended", "keep-to", restricts=True),
    "no-circumvention": Kind("duty", ("modify", "merge"), "leave safety measures in place", "keep-to", restricts=True),
    "register": Kind("duty", ("commercial",), "register with the licensor", "do"),
    "latest-version": Kind("duty", _ANY, "make reasonable efforts to use the latest version", "do"),
    "patent-ending": Kind("risk", (), "patent licence ends for whoever sues over patents in it"),
    "litigation-ending": Kind("risk", (), "the licence ends for whoever sues over rights in it"),
    "breach-ending": Kind("risk", (), "ends on a breach, and copies are to be deleted"),
    "may-restrict": Kind("risk", (), "the licensor may restrict use"),
    "may-amend": Kind("risk", (), "the licensor may change the terms"),
    "revocable": Kind("risk", (), "the licensor may take it back"),
    "outputs-owned": Kind("risk", (), "the licensor owns the outputs"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause: which kind, where, and the words.

    Attributes:
        kind: a key of :data:`KINDS`.
        at: its place in the text, as the text counts (``1.b.i``).
        quote: words of the text; ``[...]`` stands for words left out.
        uses: what it is about.
        words: what the sentence of the kind takes, and numbers for comparing.
        document: '' for the licence, else the name of the text that it includes (``policy``).
        copies: whether it only speaks of unchanged copies.
    """

    kind: str
    at: str
    quote: str
    uses: tuple[str, ...]
    words: Mapping[str, Any]
    document: str = ""
    copies: bool = False

    @property
    def role(self) -> str:
        return KINDS[self.kind].role

    @property
    def kind_derived(self) -> bool:
        """Whether it counts for changed versions alone."""
        return KINDS[self.kind].derived

    @property
    def says(self) -> str:
        """The sentence of the clause, without its end."""
        return str(self.words.get("says") or KINDS[self.kind].says.format_map(_Spoken(self.words)))


@dataclass(frozen=True, slots=True)
class LicenseTerms:
    """What is known of one licence.

    Attributes:
        key: SPDX id, ``LicenseRef-scancode-…`` or ``LicenseRef-openvet-…``.
        title: its full name.
        basis: ``text`` where the clauses were read in the text, ``name`` where only name and link are known.
        of: the date of the text, where it has one.
        link: where the publisher keeps it.
        texts: names of the canonical texts, by document ('' is the licence).
        clauses: in the order of the text.
    """

    key: str
    title: str
    basis: str
    of: str
    link: str
    texts: Mapping[str, str]
    clauses: tuple[Clause, ...]

    @property
    def rules(self) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
        """What the clauses come to; versions of one licence that differ only in names and dates have the same."""
        return tuple((each.kind, each.at, each.uses) for each in self.clauses)

    def of_kind(self, *kinds: str) -> tuple[Clause, ...]:
        return tuple(each for each in self.clauses if each.kind in kinds)


def known_keys() -> tuple[str, ...]:
    """The keys of all licences that have an entry, sorted."""
    return tuple(sorted(_files()))


@cache
def terms_of(key: str) -> LicenseTerms | None:
    """What is known of the licence ``key``; ``None`` where nothing is."""
    name = _files().get(key)
    return None if name is None else _family(name)[key]


def clauses_of(key: str) -> tuple[Clause, ...]:
    """The clauses of the licence ``key``; none where its text was not read."""
    terms = terms_of(key)
    return () if terms is None else terms.clauses


@cache
def _files() -> dict[str, str]:
    """Which file each licence is in: a small table of its own, so that a question about one licence reads one file."""
    return {key: name for name, keys in read_table("licenses/terms")["files"].items() for key in keys}


@cache
def _family(name: str) -> dict[str, LicenseTerms]:
    import tomllib

    with open(os.path.join(data_folder(), "licenses", "terms", f"{name}.toml"), "rb") as file:
        table = tomllib.load(file)
    made = [
        _license(each, key, table.get("clause", []))
        for each in table["license"]
        for key in (each["key"], *each.get("also", ()))
    ]
    return {each.key: each for each in made}


def _license(entry: Mapping[str, Any], key: str, clauses: list[dict[str, Any]]) -> LicenseTerms:
    tags, words = set(entry.get("tags", ())), entry.get("words", {})
    mine = [
        _clause(each, words)
        for each in (*clauses, *entry.get("clause", ()))
        if tags.issuperset(each.get("all", ()))
        and (not each.get("only") or tags & set(each["only"]))
        and not tags & set(each.get("without", ()))
    ]
    texts = {"": entry["text"], **entry.get("documents", {})} if "text" in entry else {}
    return LicenseTerms(
        key,
        entry["title"],
        "text" if texts else "name",
        str(entry.get("of", "")),
        entry.get("link", ""),
        texts,
        tuple(mine),
    )


_OWN: Final = frozenset({"kind", "at", "quote", "uses", "document", "copies", "only", "without", "all"})


def _clause(entry: Mapping[str, Any], words: Mapping[str, str]) -> Clause:
    def put(value: Any) -> Any:
        if isinstance(value, str):
            for word, stands in words.items():
                value = value.replace(f"{{{word}}}", str(stands))
        return value

    kind = entry["kind"]
    said = {name: put(value) for name, value in entry.items() if name not in _OWN}
    uses = tuple(entry.get("uses", KINDS[kind].uses))
    return Clause(
        kind, put(entry["at"]), put(entry["quote"]), uses, said, entry.get("document", ""), entry.get("copies", False)
    )


class _Spoken(dict[str, str]):
    """Words of a clause as a sentence takes them."""

    def __init__(self, words: Mapping[str, Any]) -> None:
        super().__init__({name: self._say(value) for name, value in words.items()})

    @staticmethod
    def _say(value: Any) -> str:
        if isinstance(value, list):
            return ", ".join(map(str, value))
        return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)

    def __missing__(self, name: str) -> str:
        return {
            "scope": "other models",
            "effect": "a licence has to be asked for",
            "licenses": "the same licence",
            "period": "annual",
            "currency": "USD",
        }.get(name, "")
