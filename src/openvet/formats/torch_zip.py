"""PyTorch's zip container (``torch.save`` since 1.6, TorchScript): a pickle, and every storage as a member.

::

    <name>/data.pkl        the objects; storages are persistent ids ('storage', class, key, location, elements)
    <name>/data/<key>      the bytes of one storage, stored and aligned
    <name>/version, byteorder, .data/serialization_id, .format_version, .storage_alignment
    <name>/code/..., <name>/constants.pkl      TorchScript only

Reference: ``torch/serialization.py`` and ``caffe2/serialize/inline_container.cc`` of PyTorch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from openvet.core.location import member_place
from openvet.core.text import printable
from openvet.errors import ReadError
from openvet.formats import zip as zip_format
from openvet.formats._format import Facts, Format, Head, Likeness, Member
from openvet.formats._listing import put_listing
from openvet.io.source import Source

if TYPE_CHECKING:
    from openvet.formats._torch import Storage, Tensors
    from openvet.io.archive.zip import ZipEntry, ZipListing

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="torch-zip",
    title="PyTorch zip archive",
    extensions=(".pt", ".pth", ".bin", ".ckpt", ".pt2", ".jit", ".ptl", ".model", ".pkl", ".tar"),
    media_types=("application/x-pytorch",),
    can_tell=(
        "every tensor's name, dtype, shape and place as its pickle says",
        "whether the storages are as large as the pickle claims",
        "everything that a pickle reader tells of data.pkl and of other pickles inside",
        "everything that a zip reader tells",
    ),
    cannot_tell=(
        "what TorchScript code inside does",
        "names of tensors that are only held by sets or by objects with their own state",
    ),
    refines=("zip",),
)

_PICKLE = "data.pkl"
_SMALL = 4096


def probe(head: Head) -> Likeness:
    """A zip one of whose first or last records names ``data.pkl`` inside a folder."""
    if b"/data.pkl" not in head.data.lower() and b"/data.pkl" not in head.tail.lower():
        return Likeness.NO
    return zip_format.probe(head)


def read(source: Source, facts: Facts) -> None:
    """List the zip, walk every ``data.pkl`` for its tensors, and hand all members on."""
    from openvet.io.archive.zip import read_zip

    listing = read_zip(source, facts.budget)
    put_listing(facts, listing)
    by_name: dict[str, ZipEntry] = {}
    for entry in listing.entries:
        by_name.setdefault(entry.name.lower(), entry)  # PyTorch does not tell upper case from lower case
    claimed: set[int] = set()
    for entry in _pickles(listing):
        claimed.update(_walk(source, facts, entry, by_name))
    _script(facts, by_name)
    facts.add_members(_members(source, listing, facts, claimed))


def _pickles(listing: ZipListing) -> Iterator[ZipEntry]:
    """The entries that a loader takes for the pickle of a model. More than a few are not one model."""
    found = 0
    for entry in listing.entries:
        if entry.name.lower().endswith("/" + _PICKLE) and entry.name.count("/") == 1 and found < 8:
            found += 1
            yield entry


def _walk(source: Source, facts: Facts, entry: ZipEntry, by_name: dict[str, ZipEntry]) -> set[int]:
    """Tensors of one ``data.pkl``. Gives the offsets of the members that are its storages.

    The member is read again as a pickle when the inventory opens it, and that reading reports what it would run. Only
    where it does not look like one there, although a loader would take it for one, its programs are reported here.
    """
    from openvet.formats import pickle as pickle_format
    from openvet.formats._torch import Tensors
    from openvet.formats.pickle.machine import Machine
    from openvet.formats.pickle.reading import Reading
    from openvet.io.archive.zip import open_zip_entry

    place = member_place(facts.place, entry.name)
    folder = entry.name.rpartition("/")[0].lower()
    tensors = Tensors(facts, place)
    try:
        member = open_zip_entry(source, entry, facts.budget)
    except ReadError as error:
        facts.unknown("malformed", f"{printable(entry.name)} cannot be opened: {error.message}", error.offset)
        return set()
    with member:
        if pickle_format.probe(Head(entry.name, member)) is Likeness.STRONG:
            machine = Machine(member, facts.budget, observer=tensors)
            machine.run()
        else:
            machine = Reading(member, facts, place).one(0, tensors)
        _note(facts, source, folder, by_name)

        def place_of(storage: Storage) -> int | None:
            data = by_name.get(f"{folder}/data/{storage.key.lower()}")
            return data.data_offset if data is not None and data.method == 0 and data.data_offset >= 0 else None

        tensors.finish(machine, place_of)
    return _check_storages(tensors, folder, by_name)


def _check_storages(tensors: Tensors, folder: str, by_name: dict[str, ZipEntry]) -> set[int]:
    claimed = set()
    for storage in tensors.storages.values():
        entry = by_name.get(f"{folder}/data/{storage.key.lower()}")
        shown = printable(storage.key)[:80]
        if entry is None:
            tensors.mismatch(f"storage {shown} is not in the archive", storage.offset, storage=shown)
            continue
        claimed.add(entry.header_offset)
        if storage.width and entry.size != storage.nbytes:
            tensors.mismatch(
                f"storage {shown} has {entry.size} bytes, but the pickle claims {storage.nbytes}",
                storage.offset,
                storage=shown,
                claimed=str(storage.nbytes),
                present=entry.size,
            )
    return claimed


def _members(source: Source, listing: ZipListing, facts: Facts, claimed: set[int]) -> Iterator[Member]:
    seen = set()
    for member in zip_format.zip_members(source, listing, facts):
        if member.offset in claimed and member.offset not in seen:
            seen.add(member.offset)
            yield replace(member, role="tensor-data")
        else:
            yield member


def _note(facts: Facts, source: Source, folder: str, by_name: dict[str, ZipEntry]) -> None:
    """The small texts beside the pickle."""
    from openvet.io.archive.zip import open_zip_entry

    for name in ("version", "byteorder"):
        entry = by_name.get(f"{folder}/{name}")
        if entry is None or entry.size > _SMALL:
            continue
        try:
            with open_zip_entry(source, entry, facts.budget) as member:
                facts.note(name, member.upto(0, 64).decode("utf-8", "replace").strip())
        except ReadError as error:
            facts.unknown("malformed", f"{printable(entry.name)} cannot be read: {error.message}", error.offset)


def _script(facts: Facts, by_name: dict[str, ZipEntry]) -> None:
    """TorchScript has its program in a folder of its own."""
    code = next((name for name in by_name if name.count("/") >= 2 and name.split("/", 2)[1] == "code"), None)
    if code is not None and any(name.endswith("/constants.pkl") for name in by_name):
        facts.note("torchscript", True)
        facts.unknown("no-reader", "TorchScript code inside the archive is not read yet")
