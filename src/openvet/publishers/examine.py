"""What the names of a model say about who published it, and what speaks against that.

Names alone prove nothing, and most people who publish somebody else's model say so. So there are three answers to "it is called as the
publisher's own": it says whose it is (``republished``), it says nothing (``name-of-another``), it says that it is the publisher's
(``claims-official``). A name that resembles a known one is ``look-alike-account`` where it is an account, else ``look-alike-name``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.core.location import Location
from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.evidence.predicates.origin_v1 import OriginName, Place, PublisherEntry, Remark
from openvet.inventory.component import Inventory
from openvet.publishers._spelling import hidden, words
from openvet.publishers.known import Known, Publisher, known
from openvet.publishers.names import Stated, account_of, fetched_from, find_names
from openvet.publishers.resemblance import Resemblance, is_derived, is_plain, like_account, like_family

__all__ = ["HUB", "Names", "examine_names", "place_of", "suspects_of"]

HUB: Final = "huggingface.co"
_SHOWN: Final = 120
_OFFICIAL: Final = pattern(r"\bofficial(?:ly)?\b[^.\n]{0,60}\b(?:releas\w*|repo(?:sitory)?|weights|models?|checkpoints?|account|page|version|upload\w*)\b", re.IGNORECASE)  # fmt: skip
_NOT: Final = pattern(r"\b(?:not|non|no|un|isn't|without|from|of|the base|original)\b[^.\n]{0,40}$", re.IGNORECASE)
#: Controls of direction, which are in no name.
_TURNS: Final = frozenset(
    f"U+{code:04X}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C)
)


@dataclass(frozen=True, slots=True)
class Names:
    """What was found out from names; every list in a fixed order."""

    publishers: tuple[PublisherEntry, ...]
    names: tuple[OriginName, ...]
    remarks: tuple[Remark, ...]


def place_of(name: str) -> Place | None:
    """Where a subject was fetched from, by the name that its origin gave it; ``None`` for one that was here already."""
    found = fetched_from(name)
    if found is None:
        return None
    account, model, commit = found
    return Place(HUB, account, f"{account}/{model}", commit, "declared" if "local cache" in name else "measured")


def suspects_of(inventory: Inventory) -> tuple[Remark, ...]:
    """The remarks that rules tell of, without asking first whether there can be any; see :func:`~openvet.publishers.suspects.find_suspects`."""
    place = place_of(inventory.name)
    stated = inventory.once(find_names)
    table = known()
    out = [each for each in _look_alikes(place, stated, table) if not each.evidence.get("weak")]
    if place is not None:
        out += _official(inventory, place, stated, table)
    return tuple(out)


def examine_names(inventory: Inventory, place: Place | None) -> Names:
    """Everything that names say: those that are stated, whose they are, and what is odd about them.

    Args:
        place: where the model was published, as far as that is known.
    """
    table = known()
    stated = inventory.once(find_names)
    names = []
    if place is not None and place.account:
        owner = table.of_account(place.account) if place.host == HUB else None
        names.append(
            OriginName(
                "account", printable(place.account), place.basis, Location(""), None if owner is None else owner.id
            )
        )
    names += [
        OriginName(each.role, printable(each.value), "declared", each.source, _owner(each, table)) for each in stated
    ]
    remarks = list(_look_alikes(place, stated, table))
    if place is not None:
        remarks += _official(inventory, place, stated, table)
        if not any(each.kind == "claims-official" for each in remarks):
            remarks += _republished(place, stated, table)
        remarks += _family_like(place, table)
    return Names(_entries(names, place, table), tuple(names), tuple(remarks))


def _owner(each: Stated, table: Known) -> str | None:
    found = table.of_account(account_of(each.repository)) if each.repository else table.of_text(each.value)
    return None if found is None else found.id


def _entries(names: Sequence[OriginName], place: Place | None, table: Known) -> tuple[PublisherEntry, ...]:
    """The publishers that are named, that of the account first."""
    because: dict[str, list[str]] = {}
    for each in names:
        if each.publisher is not None:
            shown = shorten(f"{each.role} {each.value}", _SHOWN)
            if shown not in because.setdefault(each.publisher, []):
                because[each.publisher].append(shown)
    if place is not None:
        family = table.of_family(place.repository.rpartition("/")[2])
        if family is not None:
            because.setdefault(family.id, []).append(
                shorten(f"name {printable(place.repository.rpartition('/')[2])}", _SHOWN)
            )
    out = []
    for id_, why in because.items():
        who = table.publishers[id_]
        own = place is not None and place.host == HUB and table.of_account(place.account) is who
        said = (who.legal_name, who.seat, who.law, who.says, who.source, who.date)
        out.append(PublisherEntry(who.id, who.name, own, tuple(why[:8]), *said))
    return tuple(sorted(out, key=lambda each: not each.own))


def _look_alikes(place: Place | None, stated: Sequence[Stated], table: Known) -> Iterator[Remark]:
    seen: set[str] = set()
    if place is not None and place.account and place.host == HUB:  # other registries have other accounts
        found = like_account(place.account, table)
        seen.add(place.account.casefold())
        if found is not None:
            yield _like(
                found, "look-alike-name" if found.weak else "look-alike-account", "the account", Location(""), table
            )
    for each in stated:
        codes = hidden(each.value)
        if codes and (each.repository or not _TURNS.isdisjoint(codes)):
            shown = shorten(printable(each.value), _SHOWN)
            yield Remark("hidden-characters", f"the {each.role} {shown} holds characters that show nothing or turn the text", "derived", False, each.source, {"characters": sorted(set(codes))[:20]})  # fmt: skip
        name = account_of(each.repository) if each.repository else each.value
        # a free text has more honest neighbours than an account: only what cannot be typed by chance counts
        if name.casefold() in seen or (
            not each.repository and (each.value.isascii() or each.role not in ("organization", "author"))
        ):
            continue
        seen.add(name.casefold())
        found = like_account(name, table)
        if found is not None and (each.repository or found.how == "characters that look like others"):
            yield _like(found, "look-alike-name", f"the {each.role}", each.source, table)


def _like(found: Resemblance, kind: str, what: str, source: Location, table: Known) -> Remark:
    shown = printable(found.name)
    message = f"{what} {shorten(shown, _SHOWN)} looks like {found.like}, which is {table.publishers[found.publisher].name}'s, and is another one: {found.how}"
    return Remark(
        kind,
        message,
        "derived",
        True,
        source,
        {"name": shown, "like": found.like, "publisher": found.publisher, "how": found.how, "weak": found.weak},
    )


def _family_like(place: Place, table: Known) -> Iterator[Remark]:
    name = place.repository.rpartition("/")[2]
    found = like_family(name, table) if table.of_account(place.account) is None else None
    if found is not None:
        yield _like(found, "look-alike-name", "the model's name", Location(""), table)


def _of_another(place: Place, table: Known) -> Publisher | None:
    """Whose model this is called, where the account is not known as one of anybody's."""
    if place.host != HUB or table.of_account(place.account) is not None:
        return None
    return table.of_family(place.repository.rpartition("/")[2])


def _says_whose(place: Place, stated: Sequence[Stated], owner: Publisher, table: Known) -> Stated | None:
    """Where a file says that the model is made of somebody else's."""
    for each in stated:
        other = each.repository is not None and each.repository.casefold() != place.repository.casefold()
        if other and (
            each.role == "base" or (each.repository and table.of_account(account_of(each.repository)) is owner)
        ):
            return each
    return None


def _official(inventory: Inventory, place: Place, stated: Sequence[Stated], table: Known) -> Iterator[Remark]:
    """The account, the name or the card says that the model is the publisher's own, and the account is not known to be that."""
    owner = _of_another(place, table)
    if owner is None or place.account.casefold() in table.ordinary:
        return
    said: tuple[str, Location] | None = None
    name = place.repository.rpartition("/")[2]
    if "official" in words(place.account):
        said = (place.repository, Location(""))
    elif _says_whose(place, stated, owner, table) is None and not is_derived(name, table):
        said = (place.repository, Location("")) if "official" in words(name) else next(_claims(inventory), None)
    if said is not None:
        shown = shorten(printable(said[0]), _SHOWN)
        message = f"{shown!r} claims to be official, and {shorten(printable(place.account), _SHOWN)} is not known as an account of {owner.name}"
        yield Remark(
            "claims-official",
            message,
            "derived",
            True,
            said[1],
            {"publisher": owner.id, "accounts": list(owner.accounts)},
        )


def _claims(inventory: Inventory) -> Iterator[tuple[str, Location]]:
    for component in inventory.of(("markdown",)):
        if component.basename.lower() != "readme.md" or component.outline is None:
            continue
        for heading in component.outline.headings[:100]:
            for text in (heading.text, *heading.first):
                found = _OFFICIAL.search(text)
                if found is not None and not _NOT.search(text[: found.start()]):
                    yield found[0], Location(component.place, line=heading.line)


def _republished(place: Place, stated: Sequence[Stated], table: Known) -> Iterator[Remark]:
    """Another account has it: whether it says whose it is."""
    owner = _of_another(place, table)
    if owner is None or place.account.casefold() in table.ordinary:
        return
    name = place.repository.rpartition("/")[2]
    said = _says_whose(place, stated, owner, table)
    evidence = {"publisher": owner.id, "accounts": list(owner.accounts)}
    who = shorten(printable(place.account), _SHOWN)
    if said is not None:
        message = f"{who} publishes it, and says that it is made of {shorten(printable(said.value), _SHOWN)}"
        yield Remark("republished", message, "derived", False, said.source, evidence)
    elif is_derived(name, table):
        yield Remark("republished", f"{who} publishes it, and its name says that it was made of a model of {owner.name}", "derived", False, Location(""), evidence)  # fmt: skip
    elif is_plain(name, table):
        message = (
            f"it is called as {owner.name} calls its models, {who} publishes it, and nothing says what it was made of"
        )
        yield Remark("name-of-another", message, "derived", True, Location(""), evidence)
