"""Whether a model's names can be odd at all: what every check asks, and so imports and reads as little as it can."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openvet.inventory.component import Inventory
from openvet.publishers.names import account_of, fetched_from, find_names

if TYPE_CHECKING:
    from openvet.evidence.predicates.origin_v1 import Remark

__all__ = ["find_suspects"]


def find_suspects(inventory: Inventory) -> tuple[Remark, ...]:
    """The remarks that rules tell of; ask through :meth:`~openvet.inventory.component.Inventory.once`."""
    place = fetched_from(inventory.name)
    stated = inventory.once(find_names)
    accounts = {account_of(each.repository) for each in stated if each.repository}
    odd = any(not (each.value.isascii() and each.value.isprintable()) for each in stated)
    if place is not None:
        accounts.add(place[0])
    if not accounts and not odd:
        return ()
    from openvet.publishers.known import known

    table = known()
    unknown = [each for each in accounts if each.casefold() not in table.accounts]
    if not odd and (place is None or place[0] not in unknown):
        from openvet.publishers.resemblance import like_account

        if not any(like_account(each, table) for each in unknown):
            return ()
    from openvet.publishers.examine import suspects_of

    return suspects_of(inventory)
