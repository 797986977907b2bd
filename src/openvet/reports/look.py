"""How text looks on its way out: width, colours, and whether the screen has more than ASCII."""

from __future__ import annotations

from openvet.core.dataclass import dataclass

__all__ = ["PLAIN", "Look"]

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
#: Our own symbols for an encoding that cannot carry them; other text is escaped by the door.
_ASCII = str.maketrans(
    {"—": "-", "→": "->", "…": "...", "·": "-", "×": "x", "─": "-", "│": "|", "└": "+", "├": "+", "≥": ">="}
)


@dataclass(frozen=True, slots=True)
class Look:
    """What the reader of a text can show.

    Attributes:
        width: columns.
        colour: whether ANSI colours may be used.
        unicode: whether symbols beyond ASCII can be shown.
    """

    width: int = 100
    colour: bool = False
    unicode: bool = True

    def paint(self, text: str, *styles: str) -> str:
        """``text`` in the named styles, where colours may be used."""
        if not self.colour or not styles or not text:
            return text
        return f"\x1b[{';'.join(_CODES[each] for each in styles)}m{text}\x1b[0m"

    def finish(self, text: str) -> str:
        """``text`` with our symbols replaced where the screen has only ASCII."""
        return text if self.unicode else text.translate(_ASCII)


PLAIN = Look()
