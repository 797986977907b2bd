"""Publishers that are known: ``data/publishers.toml``.

What every check asks, whose an account is and what it resembles, is read from the JSON that ``tools/publishers.py`` makes of the table;
the table itself takes five times as long as all else, and is read when somebody asks who a publisher is.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.tables import data_folder, read_table
from openvet.publishers._spelling import words

__all__ = ["Known", "Publisher", "known"]

#: How a family's name begins; what comes after it is a version or a size.
_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True, slots=True)
class Publisher:
    """One publisher; see the head of the table for what each field means. A field that is not known is ``None``."""

    id: str
    name: str
    accounts: tuple[str, ...]
    families: tuple[str, ...]
    legal_name: str | None
    seat: str | None
    law: str | None
    says: str | None
    source: str | None
    date: str | None


class Known:
    """The table, by what one looks for. What a rule does not need is made when somebody asks.

    Attributes:
        accounts: account in lower case -> (as it is written, id of the publisher).
        forms: what an account looks like -> (as it is written, its letters for counting slips).
        ordinary: accounts that resemble others and are none of their squats, in lower case.
        affixes: words that squats put around a name; those of ``honest`` are in honest names as well.
        derived, plain: words of names.
    """

    def __init__(self, table: Mapping[str, Any]) -> None:
        self.accounts: Mapping[str, tuple[str, str]] = table["byAccount"]
        self.forms: Mapping[str, tuple[str, str]] = table["forms"]
        self.ordinary: Collection[str] = table["ordinary"]
        self.affixes: Sequence[str] = table["affixes"]
        self.honest: Sequence[str] = table["honest"]
        self.derived: Collection[str] = table["derived"]
        self.plain: Collection[str] = table["plain"]

    @functools.cached_property
    def publishers(self) -> Mapping[str, Publisher]:
        """By their ids."""
        return {
            each["id"]: Publisher(
                each["id"], each["name"], tuple(each["accounts"]), tuple(each.get("families", ())),
                *(each.get(name) for name in ("legal_name", "seat", "law", "says", "source", "date")),
            )
            for each in read_table("publishers")["publisher"]
        }  # fmt: skip

    @functools.cached_property
    def families(self) -> Mapping[str, str]:
        """How a model's name begins -> id of the publisher, the longest first."""
        found = {"-".join(words(each)): owner.id for owner in self.publishers.values() for each in owner.families}
        return {family: found[family] for family in sorted(found, key=lambda each: (-len(each), each))}

    def of_account(self, account: str) -> Publisher | None:
        """Whose account it is. A hub does not tell upper from lower case in names."""
        found = self.accounts.get(account.casefold())
        return None if found is None else self.publishers[found[1]]

    def of_family(self, name: str) -> Publisher | None:
        """Whose models have names that begin like ``name``; the longest family counts."""
        parts = words(name)
        if len(parts) > 1 and parts[0] == "meta":  # Meta-Llama-3
            parts = parts[1:]
        text = "-".join(parts)
        for family, owner in self.families.items():
            if text.startswith(family) and text[len(family) : len(family) + 1] not in _LETTERS:
                return self.publishers[owner]
        return None

    def of_text(self, text: str) -> Publisher | None:
        """Whose name a free text is: an account, the name or the legal name, and nothing beside it."""
        plain = " ".join(words(text))
        for each in self.publishers.values():
            names = (each.name, each.legal_name or "", *each.accounts)
            if plain and any(plain == " ".join(words(name)) for name in names):
                return each
        return None


@functools.cache
def known() -> Known:
    """The table that ships.

    Raises:
        OSError, ValueError: a fault of the installation.
    """
    with open(os.path.join(data_folder(), "publishers.json"), "rb", buffering=0) as file:
        return Known(json.loads(file.read()))
