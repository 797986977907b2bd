"""Pictures, sounds, videos, fonts and small tables: admitted when they are whole, told when something stands behind them."""

from __future__ import annotations

from collections.abc import Callable

from openvet.testing.case import Case
from openvet.testing.forge_tables import TABLES, matroska

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
        "review",
        frozenset({"file/trailing-data"}),
        (kind.replace("_", "-"),),
        name=f"example{_ENDINGS[kind]}",
    )


CASES: tuple[Case, ...] = (
    *(_whole(kind, data) for kind, data in TABLES.items()),
    _whole("matroska", matroska(live=True), "live-recording"),
    *(_followed(kind, data) for kind, data in TABLES.items() if kind not in {"avi", "apple_plist"}),
)
