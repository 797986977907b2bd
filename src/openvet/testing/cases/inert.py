"""What stands beside models and no loader of models runs: meshes, pictures, data bases, documents; whole, and with something hidden."""

from __future__ import annotations

import gzip
import json
import re
import struct
import zlib
from collections.abc import Callable
from typing import Literal

from openvet.testing import forge_inert as forge
from openvet.testing.case import Case, Files
from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_archive import ZipPart, forge_zip
from openvet.testing.forge_hdf5 import Group, floats, hdf5
from openvet.testing.forge_inert import INERT

__all__ = ["CASES"]

_EVIL = dump(Call(Name("os", "system"), ("echo forged",)), 4)
_ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHI", 3, 62, 1) + bytes(40)
_OFFICE, _BEHIND, _RUNS = "office/active-content", "file/trailing-data", "pickle/runs-process"
_SCRIPT = b"""const { log } = require('a-log')
const fetch = require('b-fetch')
const { ask } = require('../ask.js')
const read = require('../read.js')
const Base = require('../base.js')

async function run (items) {
  return items.map(each => each.name)
}
"""
_Decision = Literal["admit", "review", "reject"]


def _format(word: str) -> str:
    return word if word in {"idl-save", "apple-double"} else word.split("-", maxsplit=1)[0]


def _gives(data: bytes) -> Callable[[], bytes]:
    return lambda: data


def _whole(word: str) -> Case:
    name, data = INERT[word]
    return Case(
        f"inert/{word}", f"a whole file of the kind {word}", _gives(data), "admit", formats=(_format(word),), name=name
    )


def _followed(word: str) -> Case:
    name, data = INERT[word]
    rules = frozenset({_BEHIND, _RUNS})
    return Case(
        f"inert/{word}-and-more", f"a pickle behind the end of a file of the kind {word}", _gives(data + _EVIL), "reject", rules,
        (_format(word),), name=name,
    )  # fmt: skip


def _case(
    word: str,
    technique: str,
    forge_it: Callable[[], bytes | Files],
    decision: _Decision,
    *rules: str,
    name: str,
    kind: str,
) -> Case:
    return Case(f"inert/{word}", technique, forge_it, decision, frozenset(rules), (kind,), (), name)


def _document(*parts: tuple[str, str]) -> Callable[[], bytes]:
    types = '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
    listed = (("[Content_Types].xml", types), ("word/document.xml", '<w:document xmlns:w="w"/>'), *parts)
    return lambda: forge_zip([ZipPart(name.encode(), text.encode(), 8) for name, text in listed])


def _relation(kind: str, target: str) -> str:
    return (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
        f'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}" Target="{target}" TargetMode="External"/>'
        "</Relationships>"
    )


def _ooxml(
    word: str,
    technique: str,
    decision: _Decision,
    *rules: str,
    parts: tuple[tuple[str, str], ...],
    name: str = "a.docx",
) -> Case:
    return _case(word, technique, _document(*parts), decision, *rules, name=name, kind="ooxml")


def _plan(value: bytes = b"", *, numbers: bool = False) -> bytes:
    """A plan of Polars that holds ``value``, as bytes or as an array of numbers."""
    held = b"\xc4" + bytes([len(value)]) + value
    if numbers:
        held = b"\xdc" + struct.pack(">H", len(value)) + re.sub(rb"([\x80-\xff])", b"\xcc\\1", value)
    return b"DSL_VERSION" + struct.pack("<I", 24) + b"0123456789abcdef" * 4 + b"\x82\xa4root\x01\xa5value" + held


def _ncnn(weights: bytes) -> Files:
    network = b"7767517\n2 2\nInput data 0 1 data 0=4\nInnerProduct fc 1 1 data out 0=2 1=1 2=8\n"
    return {"model.param": network, "model.bin": weights}


def _zfile(data: bytes) -> bytes:
    return b"ZF" + hex(len(data)).encode().ljust(19) + zlib.compress(data)


def _matlab73(text: bytes = b"MATLAB 7.3 MAT-file, Platform: GLNXA64", behind: bytes = b"") -> bytes:
    return hdf5(Group({"x": floats(3)}), text.ljust(124, b"\0") + b"\0\2IM" + behind)


_STREAMED = ZipPart(b"a.txt", b"streamed", 8, 8, local={"crc": 0, "packed": 0, "size": 8})
_MACROS = forge.compound(("Workbook", forge.workbook()), ("_VBA_PROJECT", b"\xcc\x61"))

CASES: tuple[Case, ...] = (
    *map(_whole, INERT),
    *map(_followed, INERT),
    _case("stl", "triangles", forge.stl, "admit", name="a.stl", kind="stl"),
    _case("wav-streamed", "sound that was written to a pipe", forge.streamed, "admit", name="a.wav", kind="wav"),
    _case("ani-header", "a cursor with a header of another length", lambda: forge.ani().replace(b"anih\x24", b"anih\x23"), "review",
          "file/malformed", name="a.ani", kind="ani"),
    _case("glb-chunk", "a scene with a chunk of an extension", lambda: forge.glb(b"EXTN"), "review", name="a.glb", kind="glb"),
    _case("idl-code", "compiled routines of IDL", lambda: forge.idl_save(12), "review", name="a.sav", kind="idl-save"),
    _case("apple-double-program", "a program in an attribute of a file", lambda: forge.apple_double(_ELF), "review", "file/hidden-program",
          name="._a.txt", kind="apple-double"),
    _case("apple-double-resources", "resources that are not read", lambda: forge.apple_double(resources=b"forged" * 60), "review", name="._a",
          kind="apple-double"),
    _case("fits-program", "a program behind the data of a unit", lambda: forge.fits() + _ELF, "reject", _BEHIND, "file/disguised-program",
          "file/native-code",
          name="a.fits", kind="fits"),
    _case("ggml-dimensions", "a tensor of 64 dimensions: readers write them behind an array of four",
          lambda: forge.ggml("whisper", dimensions=64), "reject", "file/outside-memory", "file/trailing-data", name="ggml-model.bin", kind="ggml"),
    _case("ggml-four-dimensions", "a tensor of four dimensions", lambda: forge.ggml("whisper", dimensions=4), "admit",
          name="ggml-model.bin", kind="ggml"),
    _case("ggml-program", "a tensor that begins as a program does", lambda: forge.ggml(data=_ELF[:54]), "review", "file/program-in-weights",
          name="ggml-model.bin", kind="ggml"),
    _case("program-of-names", "a program whose lines read as names in a pickle, and its first word behind them as a change of one", lambda: _SCRIPT, "admit",
          name="token.js", kind="script"),
    _case("sqlite-pickles", "pickles of plain values in a data base", lambda: forge.sqlite(("insert into t(c) values(?)", [dump([1, 2], 4)])),
          "admit", name="a.sqlite", kind="sqlite"),
    _case("sqlite-pickle", "a pickle that runs something in a data base", lambda: forge.sqlite(("insert into t(c) values(?)", [_EVIL])),
          "reject", _RUNS, name="a.sqlite", kind="sqlite"),
    _case("sqlite-long-pickle", "the same in a value that flows over many pages",
          lambda: forge.sqlite(("insert into t(c) values(?)", [dump([bytes(9000), Call(Name("os", "system"), ("echo forged",))], 4)])),
          "reject", _RUNS, name="a.sqlite", kind="sqlite"),
    _case("sqlite-page", "a page that belongs to no table", lambda: forge.sqlite() + b"forged".ljust(512, b"\1"), "review", _BEHIND,
          name="a.sqlite", kind="sqlite"),
    _case("sqlite-log", "a data base with its log", lambda: {"a.db": forge.sqlite(), "a.db-wal": forge.wal(b"forged bytes")}, "admit",
          name="model", kind="sqlite-wal"),
    _case("sqlite-log-pickle", "a pickle in the log of a data base", lambda: forge.wal(_EVIL), "reject", _RUNS, name="a.db-wal",
          kind="sqlite-wal"),
    _case("ole-macros", "an old table with macros", _gives(_MACROS), "review", _OFFICE, name="a.xls", kind="ole"),
    _case("ole-sheet-of-macros", "an old table with a sheet of macros", lambda: forge.compound(("Workbook", forge.workbook(1))), "review",
          _OFFICE, name="a.xls", kind="ole"),
    _case("ole-put-in", "an old text with a file that was put in", lambda: forge.compound(("WordDocument", b"\xec\xa5"), ("\1Ole10Native", b"a")),
          "review", _OFFICE, name="a.doc", kind="ole"),
    _case("ole-program", "a program as a stream", lambda: forge.compound(("Workbook", forge.workbook()), ("Data", _ELF)), "review",
          "file/native-code", name="a.xls", kind="ole"),
    _case("ole-unknown", "an OLE file of a kind that is not known", lambda: forge.compound(("Something", b"a")), "review", name="a.dat",
          kind="ole"),
    _ooxml("docx", "a document with a hyperlink", "admit", parts=(("word/_rels/document.xml.rels", _relation("hyperlink", "https://example.org")),)),
    _ooxml("docx-template", "a document that takes its template from elsewhere", "review", _OFFICE,
           parts=(("word/_rels/settings.xml.rels", _relation("attachedTemplate", "https://example.org/a.dotm")),)),
    _ooxml("docx-field", "a field that starts another program, in pieces", "review", _OFFICE,
           parts=(("word/header1.xml", '<w:a xmlns:w="w"><w:instrText>DD</w:instrText><w:instrText>EAUTO c:\\\\a</w:instrText></w:a>'),)),
    _ooxml("xlsx-macros", "a table with a sheet of macros", "review", _OFFICE, parts=(("xl/macrosheets/sheet1.xml", "<a/>"),), name="a.xlsx"),
    _case("docm-macros", "macros in a document", lambda: forge_zip([ZipPart(b"[Content_Types].xml", b"<a/>"), ZipPart(b"word/vbaProject.bin", _MACROS)]),
          "review", _OFFICE, name="a.docm", kind="ooxml"),
    _case("polars-plan", "a plan of Polars", lambda: _plan(b"words and words"), "admit", name="plan.bin", kind="polars-plan"),
    _case("polars-plan-pickle", "a plan with a function of Python that is another", lambda: _plan(b"PLPYFN\3\x0b\1\0" + _EVIL), "reject",
          _RUNS, name="plan.bin", kind="polars-plan"),
    _case("polars-plan-numbers", "the same as an array of numbers", lambda: _plan(_EVIL, numbers=True), "reject", _RUNS, name="plan.bin",
          kind="polars-plan"),
    _case("polars-expression", "an expression of Polars with such a function",
          lambda: b"\x82\xa4name\xa1a\xa8function\xc4" + bytes([10 + len(_EVIL)]) + b"PLPYFN\3\x0b\1\0" + _EVIL, "reject", _RUNS,
          name="expression.bin", kind="msgpack"),
    _case("ncnn", "a network of ncnn and its weights", lambda: _ncnn(bytes(range(1, 37))), "admit", name="model", kind="ncnn"),
    _case("ncnn-pickle", "a pickle where the weights are", lambda: _ncnn(_EVIL), "reject", _RUNS, name="model", kind="ncnn"),
    _case("joblib-array", "the numbers of an array of joblib before 0.10, alone", lambda: _zfile(bytes(range(7, 47))), "admit",
          name="a.pkl_01.npy.z", kind="joblib-zfile"),
    _case("joblib-array-pickle", "a pickle where those numbers are", lambda: _zfile(_EVIL), "reject", _RUNS, "file/name-mismatch", name="a.pkl_01.npy.z",
          kind="joblib-zfile"),
    _case("matlab-7-3", "data of MATLAB 7.3", _matlab73, "admit", name="a.mat", kind="hdf5"),
    _case("matlab-7-3-hidden", "bytes behind the text of the header", lambda: _matlab73(behind=b"forged\1\2\3" * 9), "review", name="a.mat",
          kind="hdf5"),
    _case("zip-streamed", "a zip whose writer knew one size in advance", lambda: forge_zip([_STREAMED]), "admit", name="a.zip", kind="zip"),
    _case("zip-as-table", "a table that pandas zipped under its own name", lambda: forge_zip([ZipPart(b"rows.csv.zip", b"a,b\n1,2\n", 8)]),
          "admit", name="rows.csv.zip", kind="zip"),
    _case("zip-as-other", "a text called .zip in a zip of another name", lambda: forge_zip([ZipPart(b"rows.csv.zip", b"a,b\n1,2\n", 8)]),
          "review", "file/name-mismatch", name="other.zip", kind="zip"),
    _case("gzip-line-ends", "ends of lines behind an image", lambda: forge.jp2() + b"\r\n\n", "admit", name="a.jp2", kind="jpeg2000"),
    _case("svg", "a drawing", lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="5"/></svg>', "admit", name="a.svg", kind="xml"),
    _case("text-8-bit", "a long text whose first letter of an old encoding stands far behind", lambda: b"words " * 20_000 + b"caf\xe9\n",
          "admit", name="a.txt", kind="text"),
    _case("notebook-copy", "a notebook's copy", lambda: {".ipynb_checkpoints/a-checkpoint.ipynb": json.dumps(
        {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()}, "admit", name="model", kind="notebook"),
    _case("table-packed", "a packed table", lambda: gzip.compress(b"a,b\n1,2\n", mtime=0), "admit", name="a.csv.gz", kind="gzip"),
)  # fmt: skip
