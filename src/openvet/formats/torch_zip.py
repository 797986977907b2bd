"""PyTorch's zip container (``torch.save`` since 1.6, TorchScript): a pickle, and every storage as a member.

::

    <name>/data.pkl        the objects; storages are persistent ids ('storage', class, key, location, elements)
    <name>/data/<key>      the bytes of one storage, stored and aligned
    <name>/version, byteorder, .data/serialization_id, .format_version, .storage_alignment
    <name>/code/..., constants.pkl, constants/<key>, bytecode.pkl, extra/...      TorchScript only

Reference: ``torch/serialization.py`` and ``caffe2/serialize/inline_container.cc`` of PyTorch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from openvet.core.location import member_place
from openvet.core.text import printable
from openvet.errors import ReadError
from openvet.formats import zip as zip_format
from openvet.formats._format import Facts, Format, Head, Likeness, Member
from openvet.formats._listing import put_listing
from openvet.io.source import BytesSource, Source

if TYPE_CHECKING:
    from openvet.formats._torch import Storage, Tensors
    from openvet.formats.pickle.machine import Machine
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
        "which operators TorchScript code and bytecode inside name",
        "everything that a zip reader tells",
    ),
    cannot_tell=(
        "what TorchScript code inside computes",
        "names of tensors that are only held by sets or by objects with their own state",
    ),
    refines=("zip",),
)

_PICKLE = "data.pkl"
#: The pickle of a model; the constants of TorchScript, whose storages lie in a folder of their own; the lite interpreter's code.
_WITH_TENSORS = ("/data.pkl", "/constants.pkl", "/bytecode.pkl")
#: Classes in C++ that libraries register with PyTorch.
_CLASSES = "__torch__.torch.classes."
_SMALL = 4096
_DIRECTORY = 16 * 1024 * 1024


def probe(head: Head) -> Likeness:
    """A zip whose directory, or first record, names ``data.pkl`` inside a folder."""
    if b"/data.pkl" not in head.data.lower() and b"/data.pkl" not in head.tail.lower():
        return Likeness.NO
    directory = _directory(head)
    if directory is not None and b"/data.pkl" not in directory.lower() and not _first_is_pickle(head):
        return Likeness.NO  # a zip that holds one, which is a member like others
    return zip_format.probe(head)


def _directory(head: Head) -> bytes | None:
    """The directory that the last record leads to; ``None`` where it is not there, or too long."""
    tail = head.tail
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + 22 > len(tail):
        return None
    size = int.from_bytes(tail[at + 12 : at + 16], "little")
    start = head.size - len(tail) + at - size
    if not 0 < size <= _DIRECTORY or start < 0:
        return None
    directory = head.source.upto(start, size)
    return directory if directory.startswith(b"PK\x01\x02") else None


def _first_is_pickle(head: Head) -> bool:
    size = int.from_bytes(head.data[26:28], "little")
    return head.data.startswith(b"PK\x03\x04") and head.data[30 : 30 + size].lower().endswith(b"/data.pkl")


def read(source: Source, facts: Facts) -> None:
    """List the zip, walk every ``data.pkl`` for its tensors, and hand all members on."""
    from openvet.io.archive.zip import read_zip

    listing = read_zip(source, facts.budget)
    put_listing(source, facts, listing)
    by_name: dict[str, ZipEntry] = {}
    for entry in listing.entries:
        by_name.setdefault(entry.name.lower(), entry)  # PyTorch does not tell upper case from lower case
    claimed: set[int] = set()
    classes: list[str] = []
    walked: dict[int, Machine] = {}
    for entry in _pickles(listing):
        claimed.update(_walk(source, facts, entry, by_name, classes, walked))
    if any(
        entry.name.lower().endswith("/constants.pkl") or "/code/" in entry.name.lower() for entry in listing.entries
    ):
        _script(source, facts, listing, classes)
    facts.add_members(_members(source, listing, facts, claimed, walked))


def _pickles(listing: ZipListing) -> Iterator[ZipEntry]:
    """The entries that a loader takes for the pickle of a model. More than a few are not one model."""
    found = 0
    for entry in listing.entries:
        if entry.name.lower().endswith(_WITH_TENSORS) and entry.name.count("/") == 1 and found < 16:
            found += 1
            yield entry


def _walk(
    source: Source,
    facts: Facts,
    entry: ZipEntry,
    by_name: dict[str, ZipEntry],
    classes: list[str],
    walked: dict[int, Machine],
) -> set[int]:
    """Tensors of one ``data.pkl``. Gives the offsets of the members that are its storages.

    The member is read as a pickle when the inventory opens it, which takes the walk over from here and reports what it
    would run. Only where it does not look like one there, although a loader would take it for one, its programs are
    reported here.
    """
    from openvet.formats import pickle as pickle_format
    from openvet.formats._torch import Tensors
    from openvet.formats.pickle.machine import Machine
    from openvet.formats.pickle.reading import Reading
    from openvet.io.archive.zip import open_zip_entry

    place = member_place(facts.place, entry.name)
    folder, _, base = entry.name.lower().rpartition("/")
    inner = _folder_of_storages(folder, base, by_name)
    tensors = Tensors(facts, place)
    try:
        member = open_zip_entry(source, entry, facts.budget)
        if member.size <= facts.limits.spool_memory:  # the names of tensors are looked up all over it
            member = _held(member)
    except ReadError as error:
        facts.unknown("malformed", f"{printable(entry.name)} cannot be opened: {error.message}", error.offset)
        return set()
    with member:
        if pickle_format.probe(Head(entry.name, member)) is Likeness.STRONG:
            machine = Machine(member, facts.budget, observer=tensors)
            machine.steps = [] if facts.every_call else None
            machine.run()
            if machine.first_array < 0 and not machine.raw_follows:  # what joblib puts between opcodes is read there
                walked[entry.header_offset] = machine
        else:
            machine = Reading(member, facts, place).one(0, tensors)
        _note(facts, source, folder, by_name)
        for ref in machine.refs:
            if ref.module.startswith(_CLASSES) and len(classes) < _SMALL:
                classes.append(f"{ref.module.removeprefix(_CLASSES)}.{ref.name}")

        stored = {key: by_name.get(f"{folder}/{inner}/{key.lower()}") for key in tensors.storages}

        def place_of(storage: Storage) -> int | None:
            data = stored[storage.key]
            return data.data_offset if data is not None and data.method == 0 and data.data_offset >= 0 else None

        tensors.finish(machine, place_of)
    return _check_storages(tensors, stored)


def _folder_of_storages(folder: str, base: str, by_name: dict[str, ZipEntry]) -> str:
    """Where the storages of a pickle lie. The lite interpreter's code had a folder of its own up to its version 4."""
    if base == _PICKLE:
        return "data"
    own = f"{folder}/bytecode/"
    return "bytecode" if base == "bytecode.pkl" and any(name.startswith(own) for name in by_name) else "constants"


def _held(member: Source) -> Source:
    with member:
        return BytesSource(member.read(0, member.size))


def _check_storages(tensors: Tensors, stored: dict[str, ZipEntry | None]) -> set[int]:
    claimed = set()
    for storage in tensors.storages.values():
        entry = stored[storage.key]
        if entry is not None and entry.size == storage.nbytes:
            claimed.add(entry.header_offset)
            continue
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
                beyond=entry.size < storage.nbytes,
            )
    return claimed


def _members(
    source: Source, listing: ZipListing, facts: Facts, claimed: set[int], walked: dict[int, Machine]
) -> Iterator[Member]:
    from openvet.formats._tensor_starts import look_at_start, may_begin
    from openvet.io.ranges import RangeSource

    near = not isinstance(source, RangeSource)  # a request for each tensor would cost too much
    for entry in zip_format.opened_entries(listing, facts):
        if not zip_format.holds_bytes(entry):
            continue
        storage = entry.header_offset in claimed
        claimed.discard(entry.header_offset)  # another entry of the same record is a member like others
        if near and storage and entry.plain and may_begin(entry.first):  # it is not opened again
            look_at_start(source, entry.data_offset, entry.size, entry.name, facts)
        machine = walked.pop(entry.header_offset, None)
        yield Member(
            entry.name,
            entry.size,
            zip_format.Opener(source, entry, facts),
            entry.header_offset,
            "tensor-data" if storage else None,
            storage and entry.plain,
            None if machine is None else ("pickle", machine),
        )


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


def _script(source: Source, facts: Facts, listing: ZipListing, classes: list[str]) -> None:
    """What TorchScript code and bytecode name; the loader takes them in any spelling of their folder's name."""
    found = [entry for entry in listing.entries if _is_script(entry.name.lower())]
    if not found and not classes:
        return
    from openvet.formats._torchscript import Collected, read_bytecode, read_code
    from openvet.io.archive.zip import open_zip_entry

    facts.note("torchscript", True)
    collected = Collected(facts)
    for name in classes:
        collected.add(f"class.{name}", facts.place, 0)
    for entry in found:
        place = member_place(facts.place, entry.name)
        try:
            with open_zip_entry(source, entry, facts.budget) as member:
                if entry.name.lower().endswith(".py"):
                    read_code(member, place, collected)
                else:
                    read_bytecode(member, place, collected)
        except ReadError as error:
            facts.unknown("malformed", f"{printable(entry.name)} cannot be read: {error.message}", error.offset)
    facts.programs.append(collected.freeze())


def _is_script(name: str) -> bool:
    """Whether a member is code of TorchScript, or bytecode of its lite interpreter."""
    parts = name.split("/")
    if len(parts) > 2 and parts[1] == "code":
        return name.endswith(".py")
    return len(parts) == 2 and parts[1] == "bytecode.pkl"
