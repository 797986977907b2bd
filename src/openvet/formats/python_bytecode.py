r"""Python bytecode (``.pyc``, ``.pyo``): a header, then one marshalled code object.

::

    magic[2] "\r\n"                          one number for each version of the interpreter
    flags[4]                                  from 3.7 on; 1: checked by hash, 3: by hash, 1 only: never looked at the source
    time of the source[4], its size[4]        or, by the flags, the hash of the source[8]; without a size before 3.3
    marshalled code                           see _marshal.py

The instructions are walked, never run: imports, names and attributes are followed to what they mean, in the code that runs
when the file is imported, and apart from it in the functions that nothing there uses.

Specification: https://peps.python.org/pep-0552/ , https://github.com/python/cpython/blob/main/Python/marshal.c
"""

from __future__ import annotations

from openvet.errors import MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._trailing import say_trailing
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="python-bytecode",
    title="Python bytecode",
    extensions=(".pyc", ".pyo"),
    media_types=("application/x-python-code",),
    can_tell=(
        "which version of Python wrote it",
        "names of dangerous callables that its code uses, and whether it does so when it is imported",
        "whether Python compares it with its source before running it",
    ),
    cannot_tell=("whether it was made from the source beside it", "names that only come about while it runs"),
)

#: The last magic number of each version; those between two belong to the later one.
_VERSIONS = ((3000, (3, 0)), (3131, (3, 0)), (3151, (3, 1)), (3180, (3, 2)), (3230, (3, 3)), (3310, (3, 4)), (3351, (3, 5)),
             (3379, (3, 6)), (3394, (3, 7)), (3419, (3, 8)), (3429, (3, 9)), (3449, (3, 10)), (3499, (3, 11)),
             (3549, (3, 12)), (3599, (3, 13)), (3649, (3, 14)), (3699, (3, 15)))  # fmt: skip


def _version(magic: int) -> tuple[int, int] | None:
    if 62_000 <= magic < 62_300:
        return 2, 7
    return next((version for last, version in _VERSIONS if 3000 <= magic <= last), None)


def _header(version: tuple[int, int]) -> int:
    return 16 if version >= (3, 7) else 12 if version >= (3, 3) else 8


def probe(head: Head) -> Likeness:
    """A magic number that exists, and a code object behind the header that its version has."""
    data = head.data
    version = _version(int.from_bytes(data[:2], "little")) if data[2:4] == b"\r\n" else None
    if version is None:
        return Likeness.NO
    at = _header(version)
    return Likeness.STRONG if data[at : at + 1] in {b"c", b"\xe3"} else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk the code.

    Raises:
        MalformedError: it breaks off, or holds no code object.
        LimitError: it is nested too deeply or holds too much.
    """
    from openvet.formats._bytecode_walk import program_of
    from openvet.formats._marshal import Code, read_marshal

    version = _version(int.from_bytes(source.read(0, 2), "little"))
    if version is None:
        raise MalformedError("has a magic number of no version", offset=0)
    facts.note("python", f"{version[0]}.{version[1]}")
    if version >= (3, 7) and source.read(4, 4)[0] & 3 == 1:
        facts.note("source", "never compared")
    cursor = source.cursor(_header(version))
    code = read_marshal(cursor, facts.budget, version)
    if not isinstance(code, Code):
        raise MalformedError("holds no code", offset=_header(version))
    facts.programs.append(program_of(code, version, facts.at(), source.size))
    say_trailing(source, facts, cursor.position, "the code")
