"""Data sets of other tools beside models: MATLAB 4, NetCDF 3, Stata; each ordinary, and with something in it that belongs to nothing."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Literal

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump

__all__ = ["CASES", "matlab4", "netcdf", "stata", "stata_tagged"]

_EVIL = dump(Call(Name("os", "system"), ("echo forged",)), 4)


def matlab4(name: str = "weights", *, big: bool = False, rows: int = 2) -> bytes:
    """Two matrices of float64."""
    order = ">" if big else "<"
    one = struct.pack(f"{order}5I", 1000 * big, rows, 3, 0, len(name) + 1) + name.encode() + b"\0" + bytes(48)
    return one * 2


def netcdf(gap: bytes = b"", *, version: int = 1, records: int = 2) -> bytes:
    """A variable of three numbers and one that grows."""
    place = ">I" if version == 1 else ">Q"

    def named(text: str) -> bytes:
        return struct.pack(">I", len(text)) + text.encode() + bytes(-len(text) % 4)

    def variable(name: str, dimension: int, size: int, begin: int) -> bytes:
        return (
            named(name)
            + struct.pack(">4I", 1, dimension, 0, 0)
            + struct.pack(">2I", 5, size)
            + struct.pack(place, begin)
        )

    front = b"CDF" + bytes([version]) + struct.pack(">I", records)
    front += struct.pack(">2I", 10, 2) + named("x") + struct.pack(">I", 3) + named("time") + struct.pack(">I", 0)
    front += struct.pack(">4I", 0, 0, 11, 2)
    size = len(front) + len(variable("a", 0, 12, 0)) + len(variable("b", 1, 4, 0))
    begin = size + len(gap)
    return front + variable("a", 0, 12, begin) + variable("b", 1, 4, begin + 12) + gap + bytes(12 + 4 * records)


def stata(rows: int = 2) -> bytes:
    """Two variables, a byte and a float64, of version 114."""
    front = (
        struct.pack("<4BHI", 114, 2, 1, 0, 2, rows) + b"label".ljust(81, b"\0") + b"1 Jan 2020 10:00".ljust(18, b"\0")
    )
    return front + bytes((251, 255)) + bytes(2 * 33 + 6 + 2 * (49 + 33 + 81)) + bytes(5) + bytes(9 * rows)


def stata_tagged(between: bytes = b"", long: bytes = b"") -> bytes:
    """The same with tags, of version 118."""
    words = ("variable_types", "varnames", "sortlist", "formats", "value_label_names", "variable_labels", "characteristics",
             "data", "strls", "value_labels")  # fmt: skip
    made = b"<stata_dta><header><release>118</release><byteorder>LSF</byteorder><K>" + struct.pack("<H", 2) + b"</K><N>"
    made += struct.pack("<Q", 2) + b"</N><label>" + bytes(2) + b"</label><timestamp>\0</timestamp></header>"
    places, front = [0, len(made)], made
    made += b"<map>" + bytes(112) + b"</map>"
    for word in words:
        places.append(len(made))
        made += (
            f"<{word}>".encode()
            + (long if word == "strls" else bytes(8 if word != "strls" else 0))
            + f"</{word}>".encode()
            + between
        )
    places += [len(made), len(made) + 12]
    return front + b"<map>" + struct.pack("<14Q", *places) + made[len(front) + 117 :] + b"</stata_dta>"


def _case(
    word: str,
    technique: str,
    forge: Callable[[], bytes],
    decision: Literal["admit", "review", "reject"],
    *rules: str,
    name: str,
    formats: tuple[str, ...],
) -> Case:
    return Case(f"data-sets/{word}", technique, forge, decision, frozenset(rules), formats, (), name)


def _matlab(
    word: str, technique: str, forge: Callable[[], bytes], decision: Literal["admit", "review", "reject"], *rules: str
) -> Case:
    return _case(word, technique, forge, decision, *rules, name="data.mat", formats=("matlab-4",))


def _netcdf(
    word: str, technique: str, forge: Callable[[], bytes], decision: Literal["admit", "review", "reject"], *rules: str
) -> Case:
    return _case(word, technique, forge, decision, *rules, name="data.nc", formats=("netcdf",))


def _stata(
    word: str, technique: str, forge: Callable[[], bytes], decision: Literal["admit", "review", "reject"], *rules: str
) -> Case:
    return _case(word, technique, forge, decision, *rules, name="data.dta", formats=("stata",))


CASES: tuple[Case, ...] = (
    _matlab("matlab-4", "matrices of MATLAB 4", matlab4, "admit"),
    _matlab("matlab-4-big", "the same with the other order of bytes", lambda: matlab4(big=True), "admit"),
    _matlab("matlab-4-pickle-behind", "a pickle behind the last matrix", lambda: matlab4() + _EVIL, "reject", "file/trailing-data",
            "pickle/runs-process"),
    _matlab("matlab-4-cut-off", "matrices that were cut off", lambda: matlab4()[:-4], "review", "file/malformed"),
    _netcdf("netcdf", "variables of NetCDF 3", netcdf, "admit"),
    _netcdf("netcdf-64-bit", "the same with places of 64 bits", lambda: netcdf(version=2), "admit"),
    _netcdf("netcdf-gap", "bytes between the header and the first variable", lambda: netcdf(b"forged bytes"), "review", "file/trailing-data"),
    _netcdf("netcdf-behind", "a pickle behind the last variable", lambda: netcdf() + _EVIL, "reject", "file/trailing-data",
            "pickle/runs-process"),
    _netcdf("netcdf-cut-off", "a table that was cut off", lambda: netcdf()[:-8], "review", "file/incomplete"),
    _stata("stata-114", "a data set of Stata 10", stata, "admit"),
    _stata("stata-118", "a data set of Stata 14", stata_tagged, "admit"),
    _stata("stata-behind", "a pickle behind the rows", lambda: stata() + _EVIL, "reject", "file/trailing-data", "pickle/runs-process"),
    _stata("stata-between", "bytes between the sections", lambda: stata_tagged(b"forged"), "review", "file/malformed"),
    _stata("stata-long-texts", "texts that may be anything", lambda: stata_tagged(long=b"GSO" + bytes(20)), "review"),
)  # fmt: skip
