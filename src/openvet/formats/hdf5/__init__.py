r"""HDF5: groups, attributes and arrays; what h5py, Keras (``.h5``, ``.weights.h5``), pandas and netCDF-4 write.

::

    [user block: 512 bytes times a power of two, of any content]
    superblock "\x89HDF\r\n\x1a\n", version 0 to 3, sizes of addresses and lengths, end of file, where the root group is
    object headers: messages with type, shape, layout, links, attributes
    groups: symbol tables ("TREE", "SNOD", "HEAP"), or link messages, or fractal heaps ("FRHP") by a B-tree ("BTHD")
    global heaps ("GCOL"): values of variable length; data: contiguous, in chunks behind filters, or inside a header

Texts and opaque values that are JSON, a pickle or a file of another kind become members: Keras keeps ``model_config`` and
``training_config`` as attributes, PyTables pickles. The user block becomes a member as well. Numbers are not read.

Specification: HDF5 File Format Specification 3.0, https://support.hdfgroup.org/documentation/hdf5/latest/_s_p_e_c.html
"""

from __future__ import annotations

from openvet.errors import MalformedError, UnsupportedError
from openvet.formats._format import Facts, Format, Head, Likeness, Member
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="hdf5",
    title="HDF5 (Keras and others)",
    extensions=(".h5", ".hdf5", ".keras", ".hdf", ".nc", ".mat"),
    media_types=("application/x-hdf5",),
    can_tell=(
        "every dataset's name, type, shape and, where it lies in one piece, its place",
        "every attribute, and the JSON, pickles and files that attributes and datasets of texts carry",
        "links, data and virtual datasets that lead to other files, and filters that a library has to be loaded for",
        "what stands in the user block in front, which is a line of text in files of MATLAB 7.3",
    ),
    cannot_tell=(
        "what the numbers do",
        "bytes of the file that no object uses, other than programs and pickles in its first 16 MiB",
        "texts behind filters other than deflate, shuffle and Fletcher-32, and in the newest indexes of chunks",
    ),
)

_MAGIC = b"\x89HDF\r\n\x1a\n"
_FURTHEST = 1 << 40
#: The header of a MATLAB file, and the text that it begins with.
_MATLAB_HEAD, _MATLAB_TEXT = 128, 116


def probe(head: Head) -> Likeness:
    """The signature at 0, or behind a user block of 512 bytes times a power of two.

    Far from the start it is looked for only under the usual names: each look costs a request where the file is on a server.
    """
    named = head.suffix in FORMAT.extensions
    at = _superblock(head.source, _FURTHEST if named else len(head.data))
    if at is None or (at >= 512 and not named and _is_tar(head.data[:512])):
        return Likeness.NO
    return Likeness.STRONG


def _is_tar(block: bytes) -> bool:
    """A tar with an HDF5 file among the first members, which stands where it would behind a user block; it is read as a member."""
    from openvet.io.archive.tar_records import checksum_fits

    return len(block) == 512 and block[0] != 0 and checksum_fits(block)


def _superblock(source: Source, furthest: int = _FURTHEST) -> int | None:
    at = 0
    while at + 48 <= source.size and at < furthest:
        if source.upto(at, 8) == _MAGIC:
            return at
        at = max(512, at * 2)
    return None


def _is_matlab(source: Source, base: int) -> bool:
    """Whether the user block is what MATLAB puts in front since version 7.3: a line of text, a version, zeros to the end."""
    from openvet.formats._trailing import all_zero

    head = source.read(0, _MATLAB_HEAD)
    text, places, version = head[:_MATLAB_TEXT], head[_MATLAB_TEXT : _MATLAB_HEAD - 4], head[_MATLAB_HEAD - 4 :]
    printed = text.rstrip(b"\0")
    plain = printed.startswith(b"MATLAB ") and printed.isascii() and printed.decode("ascii").isprintable()
    marked = version in {b"\0\2IM", b"\2\0MI"} and places in {bytes(8), b" " * 8}
    return plain and marked and all_zero(source, _MATLAB_HEAD, base)


def read(source: Source, facts: Facts) -> None:
    """The superblock, the user block as a member, then every object from the root on.

    Raises:
        MalformedError: the superblock breaks its form.
        UnsupportedError: a version or a size of addresses that no specification describes.
        LimitError: more objects than are followed.
    """
    from openvet.formats._trailing import account_for_rest, all_zero, say_incomplete
    from openvet.formats.hdf5._bytes import Block, HdfBytes
    from openvet.formats.hdf5._walk import Walk

    base = _superblock(source)
    if base is None:
        raise MalformedError("has no superblock", offset=0)
    if base and _is_matlab(source, base):
        facts.note("user_block", base)
        facts.note("written_by", source.read(0, _MATLAB_TEXT).decode("ascii").rstrip())
    elif base and not all_zero(source, 0, base):
        facts.note("user_block", base)
        facts.add_members([Member("user-block", base, lambda: source.window(0, base), 0)])
    head = source.upto(base, 160)
    version = head[8]
    facts.note("superblock", version)
    if version > 3:
        raise UnsupportedError(f"has a superblock of version {version}, and only 0 to 3 are known", offset=base)
    wide = (head[13], head[14]) if version < 2 else (head[9], head[10])
    if wide[0] not in (2, 4, 8) or wide[1] not in (2, 4, 8):
        raise UnsupportedError(f"has addresses of {wide[0]} and lengths of {wide[1]} bytes", offset=base)
    block = Block(head, base, wide)
    block.take({0: 24, 1: 28, 2: 12, 3: 12}[version])
    stated, _, end = block.address() or 0, block.address(), block.address()
    if version < 2:
        block.address()
        block.take(wide[0])
    root = block.address()
    if root is None:
        raise MalformedError("has no root group", offset=base)
    if end is not None:
        end += base - stated  # the library corrects it so, when a user block was put in front later
        if end > source.size:
            say_incomplete(facts, end, source.size)
        else:
            account_for_rest(source, facts, end, "the HDF5 file")
    Walk(HdfBytes(source, base, wide, facts.budget), facts).run(root)
