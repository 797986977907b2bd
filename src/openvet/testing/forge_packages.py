"""Packages of Debian and RPM from text: as small as their installers take them."""

from __future__ import annotations

import io
import tarfile

__all__ = ["debian_package", "rpm_package"]


def debian_package(files: dict[str, str], brought: dict[str, str] | None = None) -> bytes:
    """A ``.deb`` with the control files ``files`` and the files ``brought``, by name and text."""
    out = bytearray(b"!<arch>\n")
    members = {
        "debian-binary": b"2.0\n",
        "control.tar.gz": _tar({"control": "Package: x\nVersion: 1\nArchitecture: all\n", **files}),
        "data.tar.gz": _tar(brought or {"usr/share/doc/x/README": "x\n"}),
    }
    for name, data in members.items():
        out += f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode() + data + b"\n" * (len(data) % 2)
    return bytes(out)


def _tar(files: dict[str, str]) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"./{name}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return raw.getvalue()


def rpm_package(script: str, payload: bytes = b"") -> bytes:
    """An ``.rpm`` whose ``%post`` is ``script`` and whose packed archive is ``payload``; without files unless it is given."""
    lead = b"\xed\xab\xee\xdb\x03\x00" + bytes(90)
    signatures = _header({1000: b"\0\0\0\0"})
    return (
        lead
        + signatures
        + bytes(-len(signatures) % 8)
        + _header({1000: b"x\0", 1024: script.encode() + b"\0"})
        + payload
    )


def _header(tags: dict[int, bytes]) -> bytes:
    index, store = b"", b""
    for tag, value in tags.items():
        index += b"".join(part.to_bytes(4, "big") for part in (tag, 6, len(store), 1))
        store += value
    start = b"\x8e\xad\xe8\x01" + bytes(4) + len(tags).to_bytes(4, "big") + len(store).to_bytes(4, "big")
    return start + index + store
