"""Following calls from one Python source to another of the same folder or archive."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field

from openvet.core.dataclass import dataclass
from openvet.core.location import Location
from openvet.core.text import printable
from openvet.formats.python import PythonCall, PythonSource

__all__ = ["Followed", "Where", "follow", "targets"]

_NEAR = "<near>."
_LOCAL = "<local>."
_RANK = {"import": 0, "construction": 1, "inference": 2}
#: Steps in all; a repository of some thousand files stays far below.
_MOST = 200_000
#: Parts of one dotted name, of which each beginning may be a file; more is no name of a module.
_PARTS = 64
#: Folders above a source that may be the root of modules.
_ROOTS = 3

Where = tuple[Location, str]


@dataclass(frozen=True, slots=True)
class Followed:
    """Where calls lead.

    Attributes:
        reached: when functions are called that nothing in their own file calls, and from where: by file and function.
        addressed: the sources of which a function is handed an address of another source's own choice by some call on the way.
        left_off: the call at which following ended because the steps were spent; ``None`` where it came to its end.
    """

    reached: Mapping[Where, tuple[str, str]] = field(default_factory=dict)
    addressed: frozenset[Location] = frozenset()
    left_off: Location | None = None


def follow(sources: Iterable[PythonSource], more: Iterable[tuple[PythonSource, PythonCall]] = ()) -> Followed:
    """Follow every call that runs at a time that matters, those of the import first.

    Args:
        sources: all of the folder or archive.
        more: calls that come from elsewhere, each with what stands for the caller.
    """
    by_place = {program.location.place: program for program in sources}
    leading: dict[Where, list[PythonCall]] = {}
    starts: list[tuple[int, str, PythonSource, PythonCall]] = []
    for place, program in by_place.items():
        for call in program.calls:
            if call.when in _RANK:
                starts.append((_RANK[call.when], f"{printable(place)}, line {call.line}", program, call))
            else:
                leading.setdefault((program.location, call.owner), []).append(call)
    starts += [(_RANK[call.when], printable(caller.location.place), caller, call) for caller, call in more]
    reached: dict[Where, tuple[str, str]] = {}
    addressed: set[Location] = set()
    steps = [0]
    for _, via, program, first in sorted(starts, key=lambda each: (each[0], each[2].location.place, each[3].line)):
        waiting = [(program, first)]
        while waiting:
            source, call = waiting.pop()
            for target, function in targets(source, call.name, by_place, steps):
                where = (target.location, function)
                # what a constructor is given is nobody's wish anyway
                told = (call.addressed and function not in target.classes) or source.location in addressed
                if target is not source and told:
                    addressed.add(target.location)
                if where not in reached:
                    reached[where] = (first.when, via)
                    waiting.extend((target, each) for each in leading.get(where, ()))
            if steps[0] > _MOST:
                return Followed(reached, frozenset(addressed), Location(program.location.place, line=first.line))
    return Followed(reached, frozenset(addressed))


def _above(folder: str) -> Iterator[str]:
    """The folders above, of which one may be the root of the modules: that of an archive, or of a repository's sources."""
    for _ in range(_ROOTS):
        folder = folder.rpartition("/")[0]
        if not folder:
            return
        yield folder


def targets(source: PythonSource, name: str, by_place: Mapping[str, PythonSource], steps: list[int], hops: int = 4
             ) -> Iterator[tuple[PythonSource, str]]:  # fmt: skip
    """The sources and functions that ``name`` may mean when ``source`` says it. ``steps`` counts what all calls cost together."""
    steps[0] += 1
    if steps[0] > _MOST:
        return
    if name.startswith(_LOCAL):
        yield source, name[len(_LOCAL) :]
        return
    folder = source.location.place.rpartition("/")[0]
    parts = name[len(_NEAR) :].split(".", _PARTS)
    while parts and parts[0] == "^":
        folder = folder.rpartition("/")[0]
        parts = parts[1:]
    for root in dict.fromkeys((folder, *_above(folder), "")):
        for split in range(len(parts), -1, -1):
            path = "/".join([*([root] if root else []), *parts[:split]])
            function = ".".join(parts[split:])
            for place in (f"{path}.py", f"{path}/__init__.py" if path else "__init__.py"):
                target = by_place.get(place)
                if target is None or target is source or not function:
                    continue
                yield target, function
                head, _, rest = function.partition(".")
                for known, full in target.handed_on if hops else ():
                    if known == head:
                        yield from targets(target, full + (f".{rest}" if rest else ""), by_place, steps, hops - 1)
                    elif known == "*":
                        yield from targets(target, f"{full}.{function}", by_place, steps, hops - 1)
