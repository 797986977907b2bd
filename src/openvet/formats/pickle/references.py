"""What a program resolves: the table of references, and bags that say which of them a container holds."""

from __future__ import annotations

from typing import Final

from openvet.formats.pickle.program import UNBOUND, Call, Reference
from openvet.formats.pickle.values import MAX_INDEX

__all__ = ["MANY", "SETTLED", "SETTLED_ENCODES", "SETTLED_SHAPED", "UNSETTLED", "Bags", "Ref", "References"]

#: A bag that may hold any reference of the program.
MANY: Final = 1
_BAG_SIZE: Final = 64
_BAGS: Final = 4_096
_REFERENCES: Final = 50_000
_CALLS_KEPT: Final = 8
#: What is known of further calls of a reference: nothing; they give an instance; they give their first argument as bytes; they
#: give an array whose extents are the second argument.
UNSETTLED: Final = 0
SETTLED: Final = 1
SETTLED_ENCODES: Final = 2
SETTLED_SHAPED: Final = 3


class Ref:
    """One reference while the walk goes on. Kinds other than ``global`` are what a linker made; see ``linkers``."""

    __slots__ = (
        "armed",
        "bag",
        "bound",
        "builds",
        "calls",
        "count",
        "first_calls",
        "kind",
        "module",
        "name",
        "offset",
        "opcode",
        "own",
        "settled",
        "settled_bag",
        "settled_codec",
        "target",
        "variant",
        "via",
        "written",
    )

    def __init__(self, module: str, name: str, kind: str, variant: str, offset: int, opcode: str) -> None:
        self.module = module
        self.name = name
        self.kind = kind
        self.variant = variant
        self.offset = offset
        self.opcode = opcode
        self.written = ""
        self.via: tuple[str, ...] = ()
        self.count = 0
        self.calls = 0
        self.builds = 0
        self.first_calls: list[Call] = []
        self.bag = 0
        self.armed = ""  # what a partial of it would call it with
        self.own = 0  # the bag of this alone, once it was asked for; 0 where it also holds something else
        self.target = 0  # the value that a partial calls
        self.bound: list[int] = []
        self.settled = UNSETTLED  # what another call with plain data gives, of which nothing is kept
        self.settled_codec = 0  # the literal that names the codec, where it encodes
        self.settled_bag = 0  # nor with arguments in this bag, which ``bag`` holds already

    @property
    def qualified(self) -> str:
        return ".".join(filter(None, (self.module, self.name)))

    @property
    def keeps_calls(self) -> bool:
        return len(self.first_calls) < _CALLS_KEPT


class References:
    """All references of one program. Index 0 stands for whatever could not be told apart."""

    __slots__ = ("_ids", "overflow", "rows")

    def __init__(self) -> None:
        self.rows: list[Ref] = [Ref("", "<unknown>", "unknown", "", 0, "")]
        self._ids: dict[tuple[str, str, str, str], int] = {}
        self.overflow = 0

    def intern(self, module: str, name: str, kind: str, variant: str, offset: int, opcode: str) -> int:
        """The index of the reference with this name; the same name is the same reference."""
        key = (module, name, kind, variant)
        index = self._ids.get(key)
        if index is None:
            index = self.add(Ref(module, name, kind, variant, offset, opcode))
            if index:
                self._ids[key] = index
        self.rows[index].count += 1
        return index

    def add(self, ref: Ref) -> int:
        if len(self.rows) >= min(_REFERENCES, MAX_INDEX):
            self.overflow += 1
            return 0
        self.rows.append(ref)
        return len(self.rows) - 1


class Bags:
    """Interned sets of references. Bag 0 is empty; :data:`MANY` stands for every reference of the program."""

    __slots__ = ("_ids", "_joined", "rows")

    def __init__(self) -> None:
        self.rows: list[frozenset[int]] = [frozenset(), frozenset((-1,))]
        self._ids: dict[frozenset[int], int] = {frozenset(): 0}
        self._joined: dict[tuple[int, int], int] = {}

    def of(self, reference: int) -> int:
        return self._intern(frozenset((reference,)))

    def join(self, one: int, other: int) -> int:
        if one == other or not other:
            return one
        if not one:
            return other
        if one == MANY or other == MANY:
            return MANY
        key = (one, other)
        joined = self._joined.get(key)
        if joined is None:
            joined = self._intern(self.rows[one] | self.rows[other])
            if len(self._joined) < _BAGS * 4:
                self._joined[key] = joined
        return joined

    def _intern(self, members: frozenset[int]) -> int:
        index = self._ids.get(members)
        if index is None:
            if len(members) > _BAG_SIZE or len(self.rows) >= _BAGS:
                return MANY
            index = len(self.rows)
            self.rows.append(members)
            self._ids[members] = index
        return index


def freeze(references: References, bags: Bags) -> tuple[Reference, ...]:
    """The references as frozen words. What a linker made is left out: what it leads to is a reference of its own."""
    out: list[Reference] = []
    for ref in references.rows:
        if ref.kind not in ("global", "method") and not (ref.kind == "unknown" and ref.calls):
            continue
        if ref.opcode == UNBOUND and ref.count <= 0 and not ref.calls:
            continue
        passes: list[tuple[str, str]] = []
        more = ref.bag == MANY
        for index in sorted(bags.rows[ref.bag]) if not more else ():
            passed = references.rows[index]
            if passed.kind == "global":
                passes.append((passed.module, passed.name))
        out.append(
            Reference(
                module=ref.module,
                name=ref.name,
                written=ref.written,
                offset=ref.offset,
                opcode=ref.opcode,
                via=ref.via,
                variant=ref.variant,
                count=ref.count,
                calls=ref.calls,
                first_calls=tuple(ref.first_calls),
                builds=ref.builds,
                passes=tuple(passes),
                passes_more=more,
                armed=ref.armed,
            )
        )
    return tuple(out)
