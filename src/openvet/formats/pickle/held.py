"""What a walk keeps of containers: their first items, and how heavy tuples in tuples are.

Both are asked for at almost every tuple and list, so this is compiled with :mod:`openvet.formats.pickle.tape`.
"""

from __future__ import annotations

from openvet.formats.pickle.values import KEPT_ITEMS

__all__ = ["Held", "Weights"]

# Numbers for a compiled module; a test holds those that are shared to their origins.
_KEPT_ITEMS = KEPT_ITEMS
#: Items beyond the usual that are kept in one walk: 80 MB of them.
_MANY_ITEMS = 2_000_000
#: Tuples that hold tuples, of which the weights are kept, twice.
_WEIGHED = 65_536
_TAG = 0xF
_TUPLE = 2
_FROZENSET = 6
#: Levels of containers that share what they hold; honest data has a few.
_LEVELS = 20
_OFFSET_SHIFT = 24
_DEEP_SHIFT = 40
_WEIGHT = (1 << 40) - 1
#: Seconds for every hash; and a hash of C without a bound for its depth overflows the stack.
_BULKY = 1 << 28
_TOO_DEEP = 20_000


class Held:
    """The first items of recently made or recently used containers, in two generations of bounded size.

    What is forgotten shows as ``…`` and makes a linker's arguments unknown, which is reported; it never hides a call.
    An entry is ``[count, item, item ...]``; a dict's items are key, value, key, value.

    Args:
        generation: containers of one generation.

    Attributes:
        room: items that may still be kept of containers of which more is asked for than of others.
    """

    def __init__(self, generation: int) -> None:
        self._generation = generation
        self.room = _MANY_ITEMS
        self._young: dict[int, list[int]] = {}
        self._old: dict[int, list[int]] = {}

    def put(self, identity: int, items: list[int]) -> None:
        if len(self._young) >= self._generation:
            self._old = self._young
            self._young = {}
        self._young[identity] = items

    def get(self, identity: int) -> list[int] | None:
        items = self._young.get(identity)
        if items is None:
            items = self._old.get(identity)
            if items is not None:
                self.put(identity, items)
        return items

    def forget(self, identity: int) -> None:
        """The items are not known any more: they were set in a way that is not followed."""
        self._young.pop(identity, None)
        self._old.pop(identity, None)

    def extend(self, identity: int, items: list[int], kept: int = _KEPT_ITEMS) -> None:
        """Add items to a container, keeping the first few and the count of all."""
        held = self.get(identity)
        if held is None:
            return
        if kept > _KEPT_ITEMS and len(held) > _KEPT_ITEMS:
            self.room -= len(items)
            if self.room < 0:
                kept = _KEPT_ITEMS
        room = kept + 1 - len(held)
        if room > 0:
            held.extend(items[:room])
        held[0] += len(items)

    def lattice(self) -> int:
        """Identity of a container that is reached on more ways than anybody follows, through many levels that share what they hold;
        -1 where there is none. Of containers that are forgotten nothing is known.
        """
        known = {**self._old, **self._young}
        ways: dict[int, int] = {}
        levels: dict[int, int] = {}
        for start in known:
            if start in ways:
                continue
            waiting = [start]
            while waiting:
                identity = waiting[-1]
                if ways.get(identity):
                    waiting.pop()
                    continue
                entered = identity in ways
                ways.setdefault(identity, 0)  # for a container that holds itself
                entry = known.get(identity)
                total, deepest, ready = 1, 0, True
                for value in entry[1:] if entry is not None else ():
                    if not _TUPLE <= value & _TAG <= _FROZENSET:
                        continue
                    inner = value >> _OFFSET_SHIFT
                    if inner not in ways:
                        if not entered:
                            waiting.append(inner)
                            ready = False
                        continue
                    total += ways[inner]
                    deepest = max(deepest, levels.get(inner, 0) + 1)
                if not ready:
                    continue
                waiting.pop()
                if total >= _BULKY and deepest >= _LEVELS:
                    return identity
                ways[identity] = min(total, _WEIGHT)
                levels[identity] = deepest
        return -1


class Weights:
    """How many items a tuple has when those of tuples in it are counted each time that they are reached, and how deep it is.

    Kept in two generations of bounded size, and only of tuples that hold tuples.

    Attributes:
        bulky: offset of the first tuple that is too heavy to be hashed or compared: shared tuples in shared tuples make 2^60 items
            out of sixty; -1 where there is none.
    """

    def __init__(self) -> None:
        self.bulky = -1
        self._young: dict[int, int] = {}
        self._old: dict[int, int] = {}

    def of(self, value: int) -> int:
        """Depth and weight of a value in one number, to be summed; 0 for what is no tuple, and weighs 1."""
        if value & _TAG != _TUPLE:
            return 0
        known = self._young.get(value >> _OFFSET_SHIFT)
        if known is None:
            known = self._old.get(value >> _OFFSET_SHIFT, 1)
        return known

    def weigh(self, identity: int, items: list[int]) -> None:
        """Note the tuple ``identity``, which holds ``items``."""
        weight = deepest = 0
        for value in items:
            known = self.of(value)
            if known:
                weight += known & _WEIGHT
                deepest = max(deepest, (known >> _DEEP_SHIFT) + 1)
            else:
                weight += 1
        if deepest:
            self.keep(identity, weight, deepest)

    def keep(self, identity: int, weight: int, deepest: int) -> None:
        """Note weight and depth of the tuple ``identity``."""
        if len(self._young) >= _WEIGHED:
            self._old = self._young
            self._young = {}
        weight = min(weight, _WEIGHT)
        if self.bulky < 0 and (weight >= _BULKY or deepest >= _TOO_DEEP):
            self.bulky = identity
        self._young[identity] = min(deepest, _TOO_DEEP) << _DEEP_SHIFT | weight
