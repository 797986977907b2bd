"""A package of ``torch.package``: pickles, the Python sources that they need, and storages, in a zip.

::

    <name>/.data/extern_modules      modules that are taken from the environment, one a line
    <name>/.data/<key>.storage       the bytes of one storage
    <name>/.data/version, python_version
    <name>/<package>/<name>.py       source, run when something in a pickle needs it
    <name>/<package>/<name>.pkl      objects; storages are persistent ids

Loading an object imports its classes from the sources inside, which is what the format is for: a package is a program.

Reference: ``torch/package/package_importer.py`` of PyTorch.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from openvet.core.location import member_place
from openvet.core.text import printable
from openvet.errors import ReadError
from openvet.formats import zip as zip_format
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._listing import put_listing
from openvet.io.source import Source

if TYPE_CHECKING:
    from openvet.io.archive.zip import ZipEntry

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="torch-package",
    title="PyTorch package",
    extensions=(".pt", ".pth", ".package"),
    media_types=("application/x-pytorch",),
    can_tell=(
        "every tensor's dtype and shape, and whether its storage is as large as its pickle claims",
        "everything that a pickle reader and a Python reader tell of the members",
        "which modules it takes from the environment",
    ),
    cannot_tell=("what its sources do when they run, beyond what a Python reader tells",),
    refines=("torch-zip", "zip"),
)

_EXTERN = b"/.data/extern_modules"
_LIST = 64 * 1024
_PICKLES = 1_000


def probe(head: Head) -> Likeness:
    """A zip with the list of modules that are taken from the environment."""
    return zip_format.probe(head) if _EXTERN in head.data or _EXTERN in head.tail else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """List the zip, walk the pickles for their tensors, and hand all members on."""
    from openvet.io.archive.zip import read_zip

    listing = read_zip(source, facts.budget)
    put_listing(source, facts, listing)
    by_name = {entry.name.lower(): entry for entry in listing.entries}
    claimed: set[int] = set()
    for number, entry in enumerate(each for each in listing.entries if each.name.lower().endswith(".pkl")):
        if number < _PICKLES:
            claimed |= _walk(source, facts, entry, by_name)
    _externs(source, facts, listing.entries)
    facts.note("sources", sum(entry.name.lower().endswith(".py") for entry in listing.entries))
    facts.add_members(
        replace(member, role="tensor-data") if member.offset in claimed else member
        for member in zip_format.zip_members(source, listing, facts)
    )


def _walk(source: Source, facts: Facts, entry: ZipEntry, by_name: dict[str, ZipEntry]) -> set[int]:
    """Tensors of one pickle; gives the offsets of the members that are its storages."""
    from openvet.formats._torch import Storage, Tensors
    from openvet.formats.pickle.machine import Machine
    from openvet.io.archive.zip import open_zip_entry

    folder = entry.name.partition("/")[0].lower()
    tensors = Tensors(facts, member_place(facts.place, entry.name))

    def member_of(storage: Storage) -> ZipEntry | None:
        return by_name.get(f"{folder}/.data/{storage.key.lower()}.storage")

    def place_of(storage: Storage) -> int | None:
        data = member_of(storage)
        return data.data_offset if data is not None and data.method == 0 and data.data_offset >= 0 else None

    try:
        with open_zip_entry(source, entry, facts.budget) as member:
            machine = Machine(member, facts.budget, observer=tensors)
            machine.run()
            tensors.finish(machine, place_of)
    except ReadError as error:
        facts.unknown("malformed", f"{printable(entry.name)} cannot be read: {error.message}", error.offset)
        return set()
    claimed = set()
    for storage in tensors.storages.values():
        found = member_of(storage)
        shown = printable(storage.key)[:80]
        if found is None:
            tensors.mismatch(f"storage {shown} is not in the archive", storage.offset, storage=shown)
        else:
            claimed.add(found.header_offset)
            if storage.width and found.size != storage.nbytes:
                tensors.mismatch(
                    f"storage {shown} has {found.size} bytes, but the pickle claims {storage.nbytes}",
                    storage.offset,
                    storage=shown,
                    beyond=found.size < storage.nbytes,
                )
    return claimed


def _externs(source: Source, facts: Facts, entries: list[ZipEntry] | tuple[ZipEntry, ...]) -> None:
    from openvet.io.archive.zip import open_zip_entry

    for entry in entries:
        if not entry.name.lower().endswith("/.data/extern_modules") or entry.size > _LIST:
            continue
        try:
            with open_zip_entry(source, entry, facts.budget) as member:
                names = member.upto(0, _LIST).decode("utf-8", "replace").split()
        except ReadError as error:
            facts.unknown("malformed", f"{printable(entry.name)} cannot be read: {error.message}", error.offset)
            continue
        facts.note("extern_modules", [printable(name)[:200] for name in names[:500]])
