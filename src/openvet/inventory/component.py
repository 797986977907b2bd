"""The inventory's frozen words: what was found in every file, and in every file inside a file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, TypeVar, cast

from openvet.core.coverage import Coverage, Unknown
from openvet.core.dataclass import dataclass
from openvet.formats._format import Anomaly, Outline, Program, Tensor

__all__ = ["Component", "Inventory"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Component:
    """One file of a subject, or one member of an archive in it.

    Attributes:
        place: printable path; a member follows after ``!/``.
        name: the raw name (last part matters as a hint only).
        size: bytes; decoded bytes for a member.
        formats: ids of the formats that it was read as, the best first; empty when nothing recognised it.
        coverage: how much of it was read, its members apart.
        digests: algorithm -> lower-case hex; only of whole files, and of members that are programs.
        role: ``tensor-data`` for raw storage, else ``None``.
        claims: bytes of other files that it describes as raw tensors (see :class:`~openvet.formats._format.Facts`).
        children: its members.
        outline: where keys and headings stand, of a model card and the like.
        text: of a licence file or a card, or what stands at the head of a text that names a licence; ``None`` elsewhere.
    """

    place: str
    name: str
    size: int
    formats: tuple[str, ...]
    coverage: Coverage
    digests: Mapping[str, str] = field(default_factory=dict)
    role: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    document: Any = None
    tensors: tuple[Tensor, ...] = ()
    programs: tuple[Program, ...] = ()
    anomalies: tuple[Anomaly, ...] = ()
    unknowns: tuple[Unknown, ...] = ()
    dropped: int = 0
    claims: Mapping[str, Sequence[tuple[int, int]]] = field(default_factory=dict)
    children: tuple[Component, ...] = ()
    outline: Outline | None = None
    text: str | None = None

    @property
    def format(self) -> str | None:
        return self.formats[0] if self.formats else None

    @property
    def basename(self) -> str:
        return self.name.rsplit("/", 1)[-1]

    def walk(self) -> Iterator[Component]:
        """This component and everything inside it, depth first."""
        stack = [self]
        while stack:
            component = stack.pop()
            yield component
            stack.extend(reversed(component.children))


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a subject contains. ``files`` are in order of their places; ``name`` is what its origin calls it (``hf:org/name@commit``)."""

    files: tuple[Component, ...]
    name: str = ""
    _all: list[Component] = field(default_factory=list, init=False, repr=False, compare=False)
    _by_format: dict[str, list[Component]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _anomalies: dict[str, list[Anomaly]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _found: dict[object, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    _left: dict[Unknown, None] = field(default_factory=dict, init=False, repr=False, compare=False)

    def walk(self) -> Iterator[Component]:
        """Every file and every member, in order."""
        if not self._all:  # every rule walks, so the order is found once
            self._all.extend(each for file in self.files for each in file.walk())
        return iter(self._all)

    def of(self, formats: Collection[str]) -> Iterator[Component]:
        """Every file and member that was read as one of ``formats``, in order."""
        if not self._by_format:
            self._by_format[""] = []  # looked through, even where nothing was recognised
            for component in self.walk():
                for name in dict.fromkeys(component.formats):
                    self._by_format.setdefault(name, []).append(component)
        found = [self._by_format[name] for name in formats if name in self._by_format]
        if len(found) < 2:
            return iter(found[0] if found else ())
        wanted = frozenset(formats)
        return (component for component in self.walk() if not wanted.isdisjoint(component.formats))

    def anomalies(self, rule: str) -> Sequence[Anomaly]:
        """What the readers recorded for this rule, in order of the components."""
        if not self._anomalies:
            self._anomalies[""] = []  # looked through, even where nothing was recorded
            for component in self.walk():
                for anomaly in component.anomalies:
                    self._anomalies.setdefault(anomaly.rule, []).append(anomaly)
        return self._anomalies.get(rule, ())

    def once(self, find: Callable[[Inventory], T]) -> T:
        """What ``find`` makes of this inventory, made once for all rules that ask, however often they do."""
        if find not in self._found:
            self._found[find] = find(self)
        return cast("T", self._found[find])

    def left_off(self, unknown: Unknown) -> None:
        """Record what a rule met a limit at, so that the report says so; the same twice counts once."""
        self._left[unknown] = None

    @property
    def unfinished(self) -> tuple[Unknown, ...]:
        """What :meth:`left_off` was told, in that order."""
        return tuple(self._left)

    def file(self, place: str) -> Component | None:
        """The file at ``place``, if the subject has one."""
        for component in self.files:
            if component.place == place:
                return component
        return None
