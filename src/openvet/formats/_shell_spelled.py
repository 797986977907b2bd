"""Lines of a shell as they are run: with what their variables are set to, what ``printf`` puts in a place, and without the marks that a shell drops."""

from __future__ import annotations

import re

from openvet.core.pattern import pattern
from openvet.formats._shell_line import LONGEST_LINE

__all__ = ["Spelled"]

#: A variable that is set to a short constant or to a place of the home, and where one is used; what a POSIX shell drops from a word.
_SET = pattern(
    r"(?:^|[;&(\s])(?:export\s+|local\s+)?([A-Za-z_]\w{0,60})=(\"(?:[^\"$`\\]|\$HOME\b|\$\{HOME\}){0,400}\"|'[^']{0,400}'|[^\s;&|$`\"'()<>\\]{1,400})(?=$|[\s;&])"
)
_USED = pattern(r"\$\{?([A-Za-z_]\w{0,60})\}?")
#: The signs between words, cut to nothing or to a blank: ``c${IFS%??}url``.
_CUT = pattern(r"\$\{IFS(%\?{1,3}|:\d:\d|#\?{0,3}|//?[^}]{0,8})\}")
_DROPPED = pattern(r"\\(?=[a-z])")
#: A word that a shell puts together: what ``printf`` or ``echo`` prints in its place, or a text with escapes (``$'...'``).
_WORDS_IN = r"(\"[^\"`$()]{0,400}\"|'[^']{0,400}'|[^\s()\"'`$;|&]{1,400})"
_PRINTED = pattern(
    rf"\$\(\s{{0,9}}(?:printf|echo(?:\s{{1,9}}-[neE]{{1,3}})?)\s{{1,9}}{_WORDS_IN}\s{{0,9}}\)"
    rf"|`\s{{0,9}}(?:printf|echo(?:\s{{1,9}}-[neE]{{1,3}})?)\s{{1,9}}{_WORDS_IN}\s{{0,9}}`|\$('[^']{{0,400}}')"
)
_ESCAPE = pattern(r"\\x([0-9a-fA-F]{2})|\\0?([0-7]{3})")
_MOST = 100


class Spelled:
    """Lines with what their variables are set to in the place of these, and without the marks that a shell drops."""

    __slots__ = ("_room", "_values")

    def __init__(self) -> None:
        self._room = 64 * LONGEST_LINE
        self._values: dict[str, str] = {"IFS": " "}

    def plain(self, line: str) -> str:
        """``line`` itself where nothing is put into it."""
        out = _PRINTED.sub(_printed, line) if self._room > 0 and ("$" in line or "`" in line) else line
        if "${IFS" in out:
            out = _CUT.sub(lambda found: "" if found[1][0] == "%" else " ", out)
        if "=" in out and len(self._values) < _MOST:
            for name, value in _SET.findall(out):
                self._values[name] = value.strip("\"'")
        if self._room <= 0 or not ("$" in line or "\\" in line):
            return line
        if "$" in out:
            out = _USED.sub(lambda found: self._values.get(found[1], found[0]), out)[:LONGEST_LINE]
        out = _DROPPED.sub("", out)
        if out == line:
            return line
        self._room -= len(out)
        return out


def _printed(found: re.Match[str]) -> str:
    text = (found[1] or found[2] or found[3] or "").strip("\"'")
    return _ESCAPE.sub(lambda each: chr(int(each[1], 16) if each[1] else int(each[2], 8) & 0xFF), text)
