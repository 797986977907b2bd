"""Where a model comes from, for people: who is named, who signed, what a hub says, what was found, and what is not known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from openvet.core.location import Location
from openvet.evidence.predicates.origin_v1 import Copy, OriginName, OriginV1, PublisherEntry, Remark, Signer
from openvet.reports._text import bytes_for_people, plural, visible
from openvet.reports.look import PLAIN, Look
from openvet.reports.text import table

__all__ = ["compose_origin"]

_SHOWN: Final = 20
#: Remarks that tell how things are, and that nobody has to look into.
_QUIET: Final = ("republished", "moved-on")


def compose_origin(name: str, origin: OriginV1, look: Look = PLAIN, *, everything: bool = False) -> str:
    """The report on one model; only the first names of each kind without ``everything``."""
    lines = [look.paint(visible(name), "bold")]
    place = origin.published
    if place is not None:
        revision = f" at {visible(place.revision[:12])}" if place.revision else ""
        how = "it was fetched from there" if place.basis == "measured" else "declared"
        lines.append(f"  published  {visible(place.repository)}{revision} on {visible(place.host)} ({how})")
    for each in origin.publishers:
        lines += _publisher(each, place is not None)
    lines += _section("Signed", _signers(origin.signers), look)
    lines += _section("Look into", _remarks([each for each in origin.remarks if each.kind not in _QUIET]), look, wrap=True, color="yellow")  # fmt: skip
    lines += _section("Also", _remarks([each for each in origin.remarks if each.kind in _QUIET]), look, wrap=True)
    lines += _section("The same tensors elsewhere", map(_copy, origin.copies), look, wrap=True)
    shown = origin.names if everything else origin.names[:_SHOWN]
    lines += _section("Names (declared)", map(_name, shown), look)
    if len(shown) < len(origin.names):
        lines.append(f"    and {len(origin.names) - len(shown):,} more; --all lists them")
    lines += _section("What the hub says (declared)", ([f"    {visible(each.name)}", _value(each.value)] for each in origin.metadata), look)  # fmt: skip
    lines += _section("Not known", (["   -", visible(each)] for each in origin.not_known), look, wrap=True)
    if origin.left_out:
        lines.append(f"  and {origin.left_out:,} more, too many to be listed")
    if any(each.heuristic for each in origin.remarks):
        lines.append(
            "  What is marked as a guess compares spellings or wordings, and may be wrong about an honest publisher."
        )
    return look.finish("\n".join(lines) + "\n")


def _section(title: str, rows: Any, look: Look, *, wrap: bool = False, color: str = "dim") -> Iterator[str]:
    found = list(rows)
    if found:
        yield f"  {look.paint(title, color)}"
        yield from table(found, look.width, wrap=wrap)


def _publisher(each: PublisherEntry, has_place: bool) -> Iterator[str]:
    what = "its own account" if each.own else "named, and the account is not known as its own" if has_place else "named"
    yield f"  publisher  {visible(each.name)} ({what}: {visible(', '.join(each.because[:3]))})"
    said = [f"legal name {each.legal_name}"] if each.legal_name else []
    said += [f"seat {each.seat}"] if each.seat else []
    said += [f"licences under the law of {each.law}"] if each.law else []
    if said:
        yield f"             {visible('; '.join(said))} (says {visible(each.source or '')}, {visible(each.date or '')})"


def _signers(signers: tuple[Signer, ...]) -> Iterator[list[str]]:
    for each in signers:
        who = each.identity or f"key {each.key[:16]}" if each.identity or each.key else "an unnamed key"
        issuer = f", says {each.issuer}" if each.issuer else ""
        state = "attested" if each.verified else "declared, not verified"
        yield [f"    {visible(who)}{visible(issuer)}", state, f"{visible(each.about)} ({_where(each.source)})"]


def _remarks(remarks: list[Remark]) -> Iterator[list[str]]:
    for each in remarks:
        guess = " (a guess)" if each.heuristic else ""
        where = f"{_where(each.source)}: " if each.source.place else ""
        yield [f"    {each.kind}{guess}", f"{where}{visible(each.message)}"]


def _copy(each: Copy) -> list[str]:
    share = f"{each.equal:,} of {plural(each.tensors, 'tensor')}, {bytes_for_people(each.equal_bytes)} of {bytes_for_people(each.tensor_bytes)}"
    name = (
        "under the same name"
        if each.same_name
        else "under another name, which this model names"
        if each.says_so
        else "under another name"
    )
    how = f"{each.basis}, by its fingerprint" if each.sketched else each.basis
    return [f"    {visible(each.of)}", f"{share}, {name} ({how})"]


def _name(each: OriginName) -> list[str]:
    whose = f"known: {each.publisher}" if each.publisher else ""
    return [f"    {each.role}", visible(each.value), whose, _where(each.source)]


def _where(source: Location) -> str:
    line = "" if source.line is None else f":{source.line}"
    return " ".join(filter(None, (f"{visible(source.place)}{line}", visible(source.pointer or ""))))


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else visible(str(value))
