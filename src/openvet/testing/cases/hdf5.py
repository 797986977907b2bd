"""HDF5 files: what leads out of them, what they carry, and ordinary ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_hdf5 import Data, External, Group, Value, fixed, floats, hdf5, opaque, sequences, text

__all__ = ["CASES"]

_EVIL = dump(Call(Name("os", "system"), ("echo forged",)), protocol=2)
_EVIL0 = b"cos\nsystem\n(S'echo forged'\ntR."
_OUT, _RUNS = "hdf5/external-file", "pickle/runs-process"


def _case(
    name: str,
    technique: str,
    forge: Callable[[], Any],
    decision: Any,
    *rules: str,
    cve: str = "",
    formats: tuple[str, ...] = ("hdf5",),
) -> Case:
    return Case(f"hdf5/{name}", technique, forge, decision, frozenset(rules), formats, tuple(cve.split()), "model.h5")


def _huge() -> Value:
    return Value(floats(1).type, (1 << 20, 1 << 20))


def _stored(name: bytes) -> bytes:
    return hdf5(Group({}, {"kernel": Data(floats(4), files=((name, 16),))}))


def _linked(name: bytes) -> bytes:
    return hdf5(Group({}, {"kernel": External(name, b"/x"), "bias": Data(floats(2))}))


def _attribute(value: Any) -> bytes:
    return hdf5(Group({}, {"table": Data(floats(2), attributes={"extra": value})}))


CASES: tuple[Case, ...] = (
    _case("external-data", "weights that are a local file", lambda: _stored(b"/etc/passwd"), "reject", _OUT, cve="CVE-2026-1669"),
    _case("external-data-climbs", "weights outside the folder", lambda: _stored(b"../../secret"), "reject", _OUT),
    _case("external-link", "a link to a local file", lambda: _linked(b"/home/user/model.h5"), "reject", _OUT, cve="CVE-2026-1669"),
    _case("external-link-share", "a link to another machine", lambda: _linked(b"\\\\host\\share\\m.h5"), "reject", _OUT),
    _case("external-beside", "weights in a file beside", lambda: _stored(b"weights.bin"), "review", _OUT),
    _case("external-link-beside", "a link to a file beside", lambda: _linked(b"shard-1.h5"), "review", _OUT),
    _case("shape-bomb", "a shape of terabytes in a file of kilobytes",
          lambda: hdf5(Group({}, {"kernel": Data(_huge(), filters=((1, b""),))})), "review", "hdf5/header-lies", cve="CVE-2026-0897"),
    _case("out-of-file", "data beyond the end", lambda: hdf5(Group({}, {"kernel": Data(floats(4), address=1 << 40)})), "review",
          "hdf5/header-lies"),
    _case("unknown-filter", "a filter that nobody registered",
          lambda: hdf5(Group({}, {"kernel": Data(floats(4), filters=((61234, b"evil"),))})), "review", "hdf5/filter-plugin"),
    _case("pickle-attribute", "a pickle in an attribute, as PyTables writes them", lambda: _attribute(fixed(_EVIL)), "reject", _RUNS,
          formats=("hdf5", "pickle")),
    _case("pickle-attribute-0", "a pickle of protocol 0 in a text", lambda: _attribute(text(_EVIL0)), "reject", _RUNS,
          formats=("hdf5", "pickle")),
    _case("pickle-opaque", "a pickle in an opaque value", lambda: hdf5(Group({}, {"object": Data(opaque(_EVIL))})), "reject", _RUNS,
          formats=("hdf5", "pickle")),
    _case("pickle-sequences", "the second of several pickles of variable length",
          lambda: hdf5(Group({}, {"objects": Data(sequences(b"\x80\2N.", _EVIL))})), "reject", _RUNS, formats=("hdf5", "pickle")),
    _case("pickle-compact", "a pickle inside the header of a dataset",
          lambda: hdf5(Group({}, {"object": Data(opaque(_EVIL), compact=True)})), "reject", _RUNS, formats=("hdf5", "pickle")),
    _case("user-block", "a pickle in the user block in front", lambda: hdf5(Group({}, {"k": Data(floats(2))}), user_block=_EVIL),
          "reject", "file/polyglot", "pickle/trailing-data", _RUNS, formats=("hdf5", "pickle")),
    _case("plain-pickles", "pickles that only hold data", lambda: hdf5(Group({"a": fixed(b"\x80\2]q\0.")}, {"o": Data(sequences(b"\x80\2N."))})),
          "admit"),
    _case("plain", "groups, attributes and arrays", lambda: hdf5(Group({"title": text("os.system('echo')")}, {"a": Data(floats(2, 3)), "g": Group()})),
          "admit"),
    _case("texts", "texts that look like code and end in a full stop",
          lambda: hdf5(Group({"note": text("cos and sin of an angle."), "other": fixed(b"(a remark).")}, {"t": Data(fixed(b"I.", b"N."))})), "admit"),
    _case("registered-filter", "a filter that is registered", lambda: hdf5(Group({}, {"k": Data(floats(4), filters=((32001, b"blosc"),))})), "admit"),
    _case("compressed", "a deflated dataset", lambda: hdf5(Group({}, {"k": Data(floats(4), filters=((2, b"shuffle"), (1, b"deflate")))})), "admit"),
    _case("empty", "a file without anything in it", lambda: hdf5(Group()), "admit"),
)  # fmt: skip
