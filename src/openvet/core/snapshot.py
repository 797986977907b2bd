"""A snapshot: the immutable listing of a subject's files, as an origin found it.

Digests come in while the files are read (design law 12: one read) and stand in the inventory.
"""

from __future__ import annotations

from enum import StrEnum

from openvet.core.dataclass import dataclass

__all__ = ["Entry", "EntryKind", "Snapshot"]


class EntryKind(StrEnum):
    """What stands at a name. Only ``FILE`` is read; everything else is said to be unread, with the reason."""

    FILE = "file"
    #: A link to a folder inside the subject: what it shows is read under its own name.
    FOLDER_LINK = "folder-link"
    ESCAPING_LINK = "escaping-link"
    BROKEN_LINK = "broken-link"
    SPECIAL = "special"
    DENIED = "denied"
    EXCLUDED = "excluded"


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a subject.

    Attributes:
        name: relative path with ``/``, raw: bytes that are not UTF-8 are surrogate escapes.
        place: the same in printable form.
        kind: what stands there.
        size: bytes of a file when it was listed, else 0.
        detail: what a person needs to know about anything but a file (the link's target, the kind of device).
        key: what the origin needs to open it; nobody else looks at it.
        linked: whether the name is a link; a file that a link leads to is read like any other.
    """

    name: str
    place: str
    kind: EntryKind
    size: int = 0
    detail: str = ""
    key: tuple[str, ...] = ()
    linked: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All entries of one subject, in byte order of their names.

    Attributes:
        name: what to call the subject: the last part of what the user named, printable.
        entries: every name in it.
        single: whether the subject is one file and not a folder.
        cut: why the listing is not complete, or ''.
    """

    name: str
    entries: tuple[Entry, ...]
    single: bool
    cut: str = ""

    @property
    def total_bytes(self) -> int:
        return sum(entry.size for entry in self.entries)
