"""Archives whose fields lie: what a loader opens is judged, whatever the other view of the archive says."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable
from typing import Literal

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_archive import TarPart, ZipPart, forge_tar, forge_zip, pax_records
from openvet.testing.forge_torch import FakeTensor, state_dict, torch_zip

__all__ = ["CASES"]

_EVIL = dump(Call(Name("os", "system"), ("echo forged",)), 4)
_GOOD = dump({"layers": [1, 2, 3], "name": "ordinary"}, 4)
_RUNS, _DIFFERS, _HIDDEN = "pickle/runs-process", "archive/header-mismatch", "archive/hidden-member"
_SUM, _TWICE, _LINK = "archive/checksum-mismatch", "archive/duplicate-member", "archive/link-escape"
_NAMED, _CLIMBS, _SPECIAL, _LOCKED = (
    "file/name-mismatch",
    "archive/path-traversal",
    "archive/special-member",
    "archive/encrypted-member",
)
_DATA = b"archive/data.pkl"


def _case(
    name: str,
    technique: str,
    forge: Callable[[], bytes],
    decision: Literal["admit", "review", "reject"],
    *rules: str,
    file: str = "model.zip",
    formats: tuple[str, ...] = ("zip",),
    advisories: tuple[str, ...] = (),
) -> Case:
    return Case(f"archive/{name}", technique, forge, decision, frozenset(rules), formats, advisories, file)


def _zip(*parts: ZipPart, **more: object) -> Callable[[], bytes]:
    return lambda: forge_zip(parts, **more)  # type: ignore[arg-type]


def _tar(*parts: TarPart, **more: object) -> Callable[[], bytes]:
    return lambda: forge_tar(parts, **more)  # type: ignore[arg-type]


def _pax(records: dict[str, bytes], kind: bytes = b"x") -> TarPart:
    return TarPart(b"PaxHeaders/x", pax_records(records), kind)


CASES: tuple[Case, ...] = (
    _case("zip-flag-bit", "a flag says that the member is encrypted; PyTorch ignores it and loads the pickle",
          _zip(ZipPart(_DATA, _EVIL, flags=1)), "reject", _RUNS, _LOCKED, advisories=("GHSA-w8jq-xcqf-f792",)),
    _case("zip-flag-bit-local", "only the local header has the flag of encryption",
          _zip(ZipPart(_DATA, _EVIL, local={"flags": 1})), "reject", _RUNS, _DIFFERS, advisories=("GHSA-w8jq-xcqf-f792",)),
    _case("zip-local-name", "the local header names a text, the directory the pickle",
          _zip(ZipPart(_DATA, _EVIL, local={"name": b"archive/notes.txt"})), "reject", _RUNS, _DIFFERS, _NAMED,
          advisories=("GHSA-7q5r-7gvp-wc82",)),
    _case("zip-central-name", "the directory names a text, the local header the pickle",
          _zip(ZipPart(b"archive/notes.txt", _EVIL, local={"name": _DATA})), "reject", _RUNS, _DIFFERS, _NAMED,
          advisories=("GHSA-7q5r-7gvp-wc82",)),
    _case("zip-checksum", "a pickle was replaced in place: the checksum is that of another; PyTorch does not check",
          _zip(ZipPart(_DATA, _EVIL, local={"crc": 1}, central={"crc": 1})), "reject", _RUNS, _SUM,
          advisories=("CVE-2025-10156",)),
    _case("zip-ending", "a hostile pickle in a member whose ending no loader expects",
          _zip(ZipPart(b"archive/data.txt", _EVIL)), "reject", _RUNS, _NAMED,
          advisories=("GHSA-769v-p64c-89pr", "CVE-2025-10155")),
    _case("zip-wrong-name", "a zip with a hostile pickle under the name of an image", _zip(ZipPart(_DATA, _EVIL)), "reject", _RUNS,
          _NAMED, file="picture.png", advisories=("CVE-2025-10155",)),
    _case("zip-not-listed", "the pickle has a local record and is not in the directory",
          _zip(ZipPart(b"a.txt", b"text\n"), ZipPart(_DATA, _EVIL, listed=False)), "reject", _RUNS, _HIDDEN),
    _case("zip-twice", "the same name twice: which of the two is loaded depends on the loader",
          _zip(ZipPart(_DATA, _GOOD), ZipPart(_DATA, _EVIL)), "reject", _RUNS, _TWICE),
    _case("zip-twice-first", "the same name twice, the hostile one first", _zip(ZipPart(_DATA, _EVIL), ZipPart(_DATA, _GOOD)),
          "reject", _RUNS, _TWICE),
    _case("zip-prefix", "a zip behind other bytes, as zipfile and PyTorch find it from its end",
          _zip(ZipPart(_DATA, _EVIL), prefix=b"\x7fnothing that is known" * 9), "reject", _RUNS, "archive/hidden-data"),
    _case("zip-descriptor", "sizes only behind the data", _zip(ZipPart(_DATA, _EVIL, method=8, flags=8)), "reject", _RUNS),
    _case("zip-zip64", "sizes of 64 bits", _zip(ZipPart(_DATA, _EVIL, zip64=True), zip64=True), "reject", _RUNS),
    _case("zip-bzip2", "a member compressed with bzip2", _zip(ZipPart(_DATA, _EVIL, method=12)), "reject", _RUNS),
    _case("zip-lzma", "a member compressed with LZMA", _zip(ZipPart(_DATA, _EVIL, method=14)), "reject", _RUNS),
    _case("zip-traversal", "a member that is unpacked outside of the folder",
          _zip(ZipPart(b"../../.bashrc", b"echo forged\n")), "reject", _CLIMBS),
    _case("zip-absolute", "a member with an absolute name", _zip(ZipPart(b"/etc/cron.d/x", b"text\n")), "reject", _CLIMBS),
    _case("zip-link", "a link to a file of the machine",
          _zip(ZipPart(b"config.txt", b"/etc/passwd", central={"attributes": 0o120777 << 16})), "reject", _LINK),
    _case("zip-ordinary-folder", "a folder that was packed as files are, which takes two bytes for nothing",
          _zip(ZipPart(b"model/", b"", method=8), ZipPart(b"model/notes.txt", b"text\n")), "admit"),
    _case("zip-in-zip", "a hostile pickle in a zip in a zip",
          lambda: forge_zip([ZipPart(b"inner.zip", forge_zip([ZipPart(_DATA, _EVIL)]))]), "reject", _RUNS),
    _case("zip-in-tar-gz", "a hostile pickle in a zip in a tar.gz",
          lambda: gzip.compress(forge_tar([TarPart(b"inner.zip", forge_zip([ZipPart(_DATA, _EVIL)]))]), mtime=0), "reject", _RUNS,
          file="model.tar.gz", formats=("gzip", "tar", "zip")),
    _case("tar", "a hostile pickle in a tar", _tar(TarPart(b"model.pkl", _EVIL)), "reject", _RUNS, file="model.tar", formats=("tar",)),
    _case("tar-ordinary-frame", "a frame that pandas put into a compressed tar under the name of the file",
          lambda: gzip.compress(forge_tar([TarPart(b"df.pkl.tar.gz", _GOOD)]), mtime=0), "admit", file="df.pkl.tar.gz", formats=("gzip", "tar")),
    _case("tar-hostile-frame", "the same with a hostile pickle",
          lambda: gzip.compress(forge_tar([TarPart(b"df.pkl.tar.gz", _EVIL)]), mtime=0), "reject", _RUNS, file="df.pkl.tar.gz", formats=("gzip", "tar")),
    _case("tar-second", "a second archive behind the end of the first",
          lambda: forge_tar([TarPart(b"a.txt", b"text\n")]) + forge_tar([TarPart(b"model.pkl", _EVIL)]), "reject", _RUNS,
          "archive/hidden-member", file="model.tar", formats=("tar",)),
    _case("tar-traversal", "an entry that is unpacked outside of the folder", _tar(TarPart(b"../../x.txt", b"text\n")), "reject", _CLIMBS,
          file="model.tar", formats=("tar",)),
    _case("tar-pax-name", "the pax header gives the entry a name that climbs out",
          _tar(_pax({"path": b"../../x.txt"}), TarPart(b"x.txt", b"text\n")), "reject", _CLIMBS, file="model.tar",
          formats=("tar",)),
    _case("tar-link", "a link that leads out, by which a later entry is written",
          _tar(TarPart(b"weights", b"", b"2", b"/tmp"), TarPart(b"weights/x.txt", b"text\n")), "reject", _LINK,
          file="model.tar", formats=("tar",)),
    _case("tar-hard-link", "a hard link to a file of the machine", _tar(TarPart(b"config.json", b"", b"1", b"/etc/passwd")), "reject", _LINK,
          file="model.tar", formats=("tar",)),
    _case("tar-pax-size", "the pax header gives another size than the header: two readers see two archives",
          _tar(_pax({"size": b"2048"}), TarPart(b"a.bin", b"\n" * 512), TarPart(b"model.pkl", _EVIL)), "reject", _RUNS, _DIFFERS,
          file="model.tar", formats=("tar",), advisories=("CVE-2025-62518",)),
    _case("tar-twice", "the same name twice: the last one wins", _tar(TarPart(b"model.pkl", _GOOD), TarPart(b"model.pkl", _EVIL)), "reject",
          _RUNS, _TWICE, file="model.tar", formats=("tar",)),
    _case("tar-device", "a device", _tar(TarPart(b"model.bin", b"", b"3")), "reject", _SPECIAL, file="model.tar", formats=("tar",)),
    _case("tar-pipe", "a pipe, for which the next reader waits for ever", _tar(TarPart(b"config.json", b"", b"6")), "reject", _SPECIAL,
          file="model.tar", formats=("tar",)),
    _case("zip-device", "a device in a zip", _zip(ZipPart(b"null", central={"attributes": 0o020644 << 16})), "reject", _SPECIAL),
    _case("tar-link-chain", "a link that leads out by way of another, each of which stays inside by its own text",
          _tar(TarPart(b"a", b"", b"2", b"."), TarPart(b"a/b", b"", b"2", b".."), TarPart(b"a/b/x.txt", b"text\n")), "reject", _LINK,
          file="model.tar", formats=("tar",), advisories=("CVE-2025-4517", "CVE-2025-4138")),
    _case("tar-link-chain-deep", "a link through a link to the folder above, and on from there",
          _tar(TarPart(b"d/a", b"", b"2", b".."), TarPart(b"d/b", b"", b"2", b"a/.."), TarPart(b"d/b/x.txt", b"text\n")), "reject",
          _LINK, file="model.tar", formats=("tar",)),
    _case("tar-link-copied", "a hard link in the root to a symbolic link that lies deeper, and so points elsewhere",
          _tar(TarPart(b"d/e/up", b"", b"2", b"../.."), TarPart(b"up", b"", b"1", b"d/e/up"), TarPart(b"up/x.txt", b"text\n")),
          "reject", _LINK, file="model.tar", formats=("tar",)),
    _case("zip-link-chain", "the same chain of links in a zip",
          _zip(ZipPart(b"a", b".", central={"attributes": 0o120777 << 16}),
               ZipPart(b"a/b", b"..", central={"attributes": 0o120777 << 16})), "reject", _LINK),
    _case("ordinary-links", "links that stay inside, also through one another and round in a circle",
          _tar(TarPart(b"lib/libx.so.1.txt", b"text\n"), TarPart(b"lib/libx.so", b"", b"2", b"libx.so.1.txt"),
               TarPart(b"current", b"", b"2", b"lib"), TarPart(b"d/e/l", b"", b"2", b"../../current/libx.so"),
               TarPart(b"loop", b"", b"2", b"loop"), TarPart(b"h", b"", b"1", b"lib/libx.so.1.txt")), "admit",
          file="model.tar", formats=("tar",)),
    _case("gzip", "a hostile pickle in gzip", lambda: gzip.compress(_EVIL, mtime=0), "reject", _RUNS, file="model.pkl.gz", formats=("gzip",)),
    _case("gzip-second", "the second member of a gzip stream",
          lambda: gzip.compress(_GOOD, mtime=0) + gzip.compress(_EVIL, mtime=0), "reject", _RUNS,
          file="model.pkl.gz", formats=("gzip",)),
    _case("bzip2", "a hostile pickle in bzip2", lambda: bz2.compress(_EVIL), "reject", _RUNS, file="model.pkl.bz2", formats=("bzip2",)),
    _case("xz", "a hostile pickle in xz", lambda: lzma.compress(_EVIL), "reject", _RUNS, file="model.pkl.xz", formats=("xz",)),
    _case("lzma", "a hostile pickle in LZMA's old container", lambda: lzma.compress(_EVIL, lzma.FORMAT_ALONE), "reject", _RUNS,
          file="model.pkl.lzma", formats=("xz",)),
    _case("zlib", "a hostile pickle in zlib, as joblib writes it", lambda: zlib.compress(_EVIL), "reject", _RUNS, file="model.joblib",
          formats=("zlib",)),
    _case("ordinary-zip", "an ordinary zip", _zip(ZipPart(b"a.txt", b"text\n"), ZipPart(b"data.pkl", _GOOD, method=8)), "admit"),
    _case("ordinary-zip64", "an ordinary zip with sizes of 64 bits", _zip(ZipPart(b"a.txt", b"text\n", zip64=True), zip64=True), "admit"),
    _case("ordinary-streamed", "a zip that was written as a stream", _zip(ZipPart(b"a.txt", b"text\n" * 9, method=8, flags=8)), "admit"),
    _case("ordinary-tar", "an ordinary tar with a pax header", _tar(_pax({"mtime": b"1.5"}), TarPart(b"a.txt", b"text\n")), "admit",
          file="model.tar", formats=("tar",)),
    _case("ordinary-tar-of-a-model", "a tar whose first name begins like the opcode GLOBAL, with a checkpoint behind",
          _tar(TarPart(b"config.json", b'{"model_type": "bert"}'), TarPart(b"model.bin", torch_zip(state_dict({"w": FakeTensor((2, 2))})))),
          "admit", file="model.tar", formats=("tar",)),
    _case("ordinary-tar-gz", "an ordinary tar.gz", lambda: gzip.compress(forge_tar([TarPart(b"a/data.pkl", _GOOD)]), mtime=0), "admit",
          file="model.tar.gz", formats=("gzip", "tar")),
    _case("ordinary-gzip", "a pickle in gzip", lambda: gzip.compress(_GOOD, mtime=0), "admit", file="model.pkl.gz", formats=("gzip",)),
    _case("ordinary-torch-in-zip", "a checkpoint of PyTorch in a zip",
          lambda: forge_zip([ZipPart(b"model.pt", torch_zip(state_dict({"w": FakeTensor((2, 2))})))]), "admit"),
)  # fmt: skip
