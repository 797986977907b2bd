"""Files of two models: the same, moved, changed, added, removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from openvet.core.dataclass import dataclass
from openvet.evidence.predicates.diff_v1 import FileChange, Side
from openvet.inventory.component import Component

__all__ = ["Leaf", "compare_files", "paired", "unknown"]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One file of a model, or one member of an archive that stands for a folder.

    Attributes:
        name: below the model, printable; what the same file is called on the other side.
        component: what was read.
        sha256: of its bytes, where all of them were read.
    """

    name: str
    component: Component
    sha256: str | None

    @property
    def identity(self) -> str | None:
        """What two leaves share that are the same: a digest, or where a link leads; ``None`` where nobody can say."""
        if self.component.format == "link":
            return f"link {self.component.metadata.get('link', '')}"
        return self.sha256

    def side(self) -> Side:
        """The leaf as a statement names it."""
        return Side(self.component.place, self.component.size, self.sha256)


def compare_files(a: Mapping[str, Leaf], b: Mapping[str, Leaf]) -> tuple[int, list[FileChange]]:
    """How many files are the same, and every other one: changed, then moved, then added, then removed."""
    same = 0
    changed: list[FileChange] = []
    only_b = []
    gone: dict[str, list[Leaf]] = {}
    for name, leaf in b.items():
        other = a.get(name)
        if other is None:
            only_b.append(leaf)
        elif leaf.sha256 is not None and leaf.sha256 == other.sha256:
            same += 1
        elif (leaf.identity and other.identity) or leaf.component.size != other.component.size:
            changed.append(FileChange("changed", other.side(), leaf.side()))
    only_a = [leaf for name, leaf in a.items() if name not in b]
    for leaf in only_a:
        if leaf.sha256 is not None:
            gone.setdefault(leaf.sha256, []).append(leaf)
    moved, added = [], []
    found = set()
    for leaf in only_b:
        others = gone.get(leaf.sha256 or "", [])
        if others and leaf.component.size:  # an empty file is like every other one
            other = others.pop(0)
            found.add(other.name)
            moved.append(FileChange("moved", other.side(), leaf.side()))
        else:
            added.append(FileChange("added", None, leaf.side()))
    removed = [FileChange("removed", leaf.side(), None) for leaf in only_a if leaf.name not in found]
    return same, [*changed, *moved, *added, *removed]


def unknown(a: Mapping[str, Leaf], b: Mapping[str, Leaf]) -> list[str]:
    """Names on both sides of which nobody can say whether they are the same: as long, and not hashed."""
    return [
        name
        for name, leaf in b.items()
        if name in a
        and (leaf.identity is None or a[name].identity is None)
        and leaf.component.size == a[name].component.size
    ]


def paired(
    a: Mapping[str, Leaf], b: Mapping[str, Leaf], changes: Sequence[FileChange]
) -> list[tuple[Leaf | None, Leaf | None]]:
    """The files whose contents are worth a look: changed ones side by side, added and removed ones alone."""
    by_place_a = {leaf.component.place: leaf for leaf in a.values()}
    by_place_b = {leaf.component.place: leaf for leaf in b.values()}
    return [
        (None if each.a is None else by_place_a[each.a.place], None if each.b is None else by_place_b[each.b.place])
        for each in changes
        if each.change != "moved"
    ]
