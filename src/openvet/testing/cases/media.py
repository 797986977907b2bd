"""Pictures, sounds, videos, fonts and small tables: admitted when they are whole, told when something stands behind them."""

from __future__ import annotations

import struct
from base64 import b64encode
from collections.abc import Callable

from openvet.testing import forge_media
from openvet.testing.case import Case
from openvet.testing.forge_media import png_chunk
from openvet.testing.forge_tables import TABLES, matroska
from openvet.testing.forge_tensors import gguf, safetensors

__all__ = ["CASES"]

_ENDINGS = {"mp4": ".mp4", "matroska": ".webm", "avi": ".avi", "aiff": ".aiff", "midi": ".mid", "bmp": ".bmp", "ico": ".ico",
            "tiff": ".tif", "truetype": ".ttf", "woff": ".woff", "apple_plist": ".plist", "gettext": ".mo",
            "ds_store": ".DS_Store", "flac": ".flac"}  # fmt: skip


def _gives(data: bytes) -> Callable[[], bytes]:
    return lambda: data


def _whole(kind: str, data: bytes, name: str = "") -> Case:
    name = name or kind
    return Case(
        f"media/{name.replace('_', '-')}",
        f"a whole file of the kind {name.replace('_', '-')}",
        _gives(data),
        "admit",
        formats=(kind.replace("_", "-"),),
        name=f"example{_ENDINGS[kind]}",
    )


def _followed(kind: str, data: bytes) -> Case:
    return Case(
        f"media/{kind.replace('_', '-')}-and-more",
        f"a pickle behind the end of a file of the kind {kind.replace('_', '-')}",
        _gives(data + b"cposix\nsystem\n(S'echo forged'\ntR."),
        "reject",
        frozenset({"file/trailing-data", "pickle/runs-process"}),
        (kind.replace("_", "-"),),
        name=f"example{_ENDINGS[kind]}",
    )


_PICKLE = b"cposix\nsystem\n(S'echo forged'\ntR."
_ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHI", 3, 62, 1) + bytes(40)
_SCRIPT = b"#!/bin/sh\necho forged\n"
_COMMENT = b"\xff\xfe" + struct.pack(">H", 2 + len(_ELF)) + _ELF


def _hidden(name: str, technique: str, data: bytes, file: str, kind: str) -> Case:
    rules = frozenset({"file/hidden-program"})
    return Case(f"media/{name}", technique, lambda: data, "review", rules, (kind,), name=file)


def _behind(name: str, what: str, data: bytes, *more: str) -> Case:
    made = forge_media.png() + data
    rules = frozenset({"file/trailing-data", "file/disguised-program", *more})
    return Case(f"media/{name}-behind-picture", f"{what} behind the end of a picture", lambda: made, "reject", rules, ("png",),
                name="logo.png")  # fmt: skip


CASES: tuple[Case, ...] = (
    *(_whole(kind, data) for kind, data in TABLES.items()),
    _whole("matroska", matroska(live=True), "live-recording"),
    *(_followed(kind, data) for kind, data in TABLES.items() if kind not in {"avi", "apple_plist"}),
    _behind("program", "a program", _ELF, "file/native-code"),
    _behind("script", "a script", _SCRIPT),
    _hidden("pickle-in-picture", "a pickle in a text chunk of a picture",
            forge_media.png(extra=png_chunk(b"tEXt", b"Comment\0" + _PICKLE)), "a.png", "png"),
    _hidden("program-in-photo", "a program in a comment of a photo",
            forge_media.jpeg()[:2] + _COMMENT + forge_media.jpeg()[2:], "a.jpg", "jpeg"),
    _hidden("script-in-animation", "a script in a comment of a GIF",
            forge_media.gif().replace(b"\x05hello", bytes([len(_SCRIPT)]) + _SCRIPT), "a.gif", "gif"),
    Case("media/pickle-in-metadata", "a pickle in base64 in the metadata of safetensors",
         lambda: safetensors({"a": ("F32", (2,))}, {"format": "pt", "note": b64encode(b"\x80\x04" + _PICKLE).decode()}),
         "reject", frozenset({"file/hidden-program", "pickle/runs-process"}), ("safetensors",), name="model.safetensors"),
    _hidden("program-in-metadata", "a program in the value of a key of GGUF",
            gguf([("general.architecture", "string", "llama"), ("general.note", "string", _ELF)]), "model.gguf", "gguf"),
    Case("media/words-in-metadata", "metadata with words, a digest and a licence in base64",
         lambda: safetensors({"a": ("F32", (2,))}, {"format": "pt", "sha": "0" * 64, "text": b64encode(b"Licence " * 9).decode()}),
         "admit", name="model.safetensors"),
)  # fmt: skip
