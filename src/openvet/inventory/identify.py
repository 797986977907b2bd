"""Which formats a run of bytes is, by the bytes alone."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

from openvet.core.dataclass import dataclass
from openvet.core.registry import Entry, Registered, load_kind
from openvet.errors import ReadError
from openvet.formats._format import Format, Head, Likeness, sign_of

__all__ = ["Identity", "formats", "identify"]


@dataclass(frozen=True, slots=True)
class Identity:
    """What bytes were recognised as.

    Attributes:
        readers: format modules to read them with, the best first. Several STRONG ones make a polyglot; several WEAK
            ones are alternatives, of which the first that can read the bytes counts.
        recognised: a format that we know but have no reader for. Beside readers, it is a program that stands in front of
            what they read, as in a self-extracting archive.
        polyglot: whether more than one format claims the bytes without doubt.
    """

    readers: tuple[ModuleType, ...] = ()
    recognised: Format | None = None
    polyglot: bool = False


def formats() -> Registered:
    """All formats with a reader; the facts of each entry are its :class:`~openvet.formats._format.Sign`."""
    return load_kind("openvet.formats", ("FORMAT", "probe", "read"), sign_of)


#: For each first byte the entries that it may begin, and how. By identity of the registry, for which it is held: to hash all
#: entries for each member would take longer than most probes.
_told: dict[int, tuple[Registered, dict[bytes, tuple[tuple[tuple[bytes, ...] | None, Entry], ...]]]] = {}


def _asked(registered: Registered, data: bytes) -> Iterator[ModuleType]:
    """The formats whose bytes may begin as ``data`` does, in order."""
    _, by_first = _told.setdefault(id(registered), (registered, {}))
    first = data[:1]
    found = by_first.get(first)
    if found is None:
        found = by_first[first] = tuple(
            (each.facts.starts, each) for each in registered.entries if each.facts.may_be(first)
        )
    for starts, entry in found:
        if starts is None or data.startswith(starts):
            yield entry.module


def identify(head: Head) -> Identity:
    """Ask every format that may begin so; a format that refines another one replaces it where both match."""
    from openvet.formats import empty, known

    # an archive may hold a hundred thousand of them, and nothing is there that another format could be told by
    if not head.size:
        return Identity((empty,))
    strong: list[ModuleType] = []
    weak: list[ModuleType] = []
    for module in _asked(formats(), head.data):
        try:
            likeness = module.probe(head)
        except ReadError:  # the file changed under the probe, or a structure broke off: another format may fit
            continue
        if likeness is Likeness.STRONG:
            strong.append(module)
        elif likeness is Likeness.WEAK:
            weak.append(module)
    if strong:
        best = _without_refined(strong)
        return Identity(tuple(best), _program(best, head), polyglot=len(best) > 1)
    recognised = known.recognise(head)
    if recognised is not None:
        return Identity(recognised=recognised)
    return Identity(tuple(_without_refined(weak)))


def _program(readers: list[ModuleType], head: Head) -> Format | None:
    """The program in front of an archive: of all formats only zip is found from its end, whatever stands in front."""
    from openvet.formats import known

    if head.data.startswith(b"PK") or not any("zip" in (m.FORMAT.id, *m.FORMAT.refines) for m in readers):
        return None
    recognised = known.recognise(head)
    return recognised if recognised is not None and recognised.id in known.code_kinds() else None


def _without_refined(modules: list[ModuleType]) -> list[ModuleType]:
    refined = {each for module in modules for each in module.FORMAT.refines}
    return [module for module in modules if module.FORMAT.id not in refined]
