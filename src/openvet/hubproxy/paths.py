"""Numbers in paths: those that a row may have, so that what is longer is no path of ours before anybody converts it."""

from __future__ import annotations

from typing import Final

from starlette.convertors import Convertor, register_url_convertor

__all__ = ["know_rows"]

_ROW: Final = "row"


class _Row(Convertor[int]):
    """At most 16 digits: 2**53 has so many."""

    regex = "[0-9]{1,16}"

    def convert(self, value: str) -> int:
        """The number."""
        return int(value)

    def to_string(self, value: int) -> str:
        """The text of a number."""
        return str(value)


def know_rows() -> None:
    """Let paths have numbers of rows, as in ``/requests/{number:row}``."""
    register_url_convertor(_ROW, _Row())
