"""Exact numbers as text: how a quantity is written into evidence, and how a person reads it.

Arithmetic about claims is done with fractions, so that nothing is rounded on the way; only what is written is. Both spellings are
the same on every machine, since no floating-point number is involved.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from openvet.core.pattern import pattern

__all__ = ["DIGITS", "LARGEST", "SMALLEST", "STATED_DIGITS", "brief", "exact", "number_text", "plain_spelling"]

#: Significant digits of a number that has no shorter exact spelling.
DIGITS: Final = 17
#: What a quantity may be: nobody trains with less than a quectounit or more than 10**60 of anything.
SMALLEST: Final = Fraction(1, 10**30)
LARGEST: Final = Fraction(10**60)
_PLAIN: Final = 15
#: Letters that people write for powers of ten.
_POWERS: Final = {"K": 3, "M": 6, "B": 9, "G": 9, "T": 12}
_LETTERED: Final = pattern(r"([0-9]{1,20}(?:\.[0-9]{1,20})?) ?([KkMmBbGgTt])")
#: Of a number that a person stated, in a text for people.
STATED_DIGITS: Final = 8


def exact(value: object) -> Fraction | None:
    """A number as it was written, or ``None`` where it is none that a quantity can be: NaN, infinite, of another type, beyond limits.

    A floating-point number counts as the shortest decimal that stands for it, which is what a person wrote.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, Fraction):
        found = value
    elif isinstance(value, int):
        if value.bit_length() > 256:
            return None
        found = Fraction(value)
    elif isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            return None
        found = Fraction(repr(value))
    else:
        return None
    return found if found == 0 or SMALLEST <= abs(found) <= LARGEST else None


def plain_spelling(text: str) -> str:
    """``; write 7e9`` for ``7B``, a number with the letter of a thousand, a million ...; else ''."""
    found = _LETTERED.fullmatch(text.strip()[:60])
    return f"; write {found[1]}e{_POWERS[found[2].upper()]}" if found else ""


def number_text(value: Fraction) -> str:
    """``value`` in decimal: exact where :data:`DIGITS` digits do, else rounded half to even; ``3.8694e23`` from 10**15 on."""
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    digits, power = _rounded(abs(value), DIGITS)
    text = str(digits).rstrip("0")
    if -5 <= power < _PLAIN:
        return sign + _plain(text, power)
    point = f".{text[1:]}" if len(text) > 1 else ""
    return f"{sign}{text[0]}{point}e{power}"


def brief(value: Fraction, digits: int = 4) -> str:
    """``value`` for a person: a whole number below a thousand millions whole, else so many significant digits, fewer where it has fewer."""
    if value.denominator == 1 and abs(value) < 10**9:
        return f"{int(value):,}"
    sign = "-" if value < 0 else ""
    whole, power = _rounded(abs(value), digits)
    text = str(whole)
    if abs(value) == whole * Fraction(10) ** (power - digits + 1):
        text = text.rstrip("0")
    if 0 <= power < 6:
        head, tail = text[: power + 1].ljust(power + 1, "0"), text[power + 1 :]
        return f"{sign}{int(head):,}{'.' + tail if tail else ''}"
    if -4 <= power < 0:
        return f"{sign}0.{'0' * (-power - 1)}{text}"
    return f"{sign}{text[0]}{'.' + text[1:] if text[1:] else ''}e{power}"


def _rounded(value: Fraction, digits: int) -> tuple[int, int]:
    """``value`` (above zero) as a whole number of so many digits, and the power of ten of its first digit."""
    power = len(str(value.numerator)) - len(str(value.denominator))
    if Fraction(10) ** power > value:
        power -= 1
    elif Fraction(10) ** (power + 1) <= value:
        power += 1
    whole = round(value / Fraction(10) ** (power - digits + 1))
    return (whole // 10, power + 1) if whole == 10**digits else (whole, power)


def _plain(text: str, power: int) -> str:
    if power < 0:
        return f"0.{'0' * (-power - 1)}{text}"
    if len(text) <= power + 1:
        return text.ljust(power + 1, "0")
    return f"{text[: power + 1]}.{text[power + 1 :]}"
