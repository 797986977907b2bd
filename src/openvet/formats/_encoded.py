"""Pickles written as text: in base64, base32, base85 or hexadecimal digits, as escapes, or as they are, inside a text of another kind.

No loader of configurations decodes such a value by itself. Code beside the model does, or a library that keeps objects in its
settings (stable-baselines3, jsonpickle, MLflow), and what it decodes is a program. Every run of digits that is long enough is
decoded, and what is a pickle is handed on as a member and read as one: one that only builds data stays harmless.

What does not look like one for certain (a strict walk of its opcodes) is left alone: digests, pictures, tokens of a vocabulary.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.errors import ReadError
from openvet.formats._carried import hand_on
from openvet.formats._format import Facts, Head, Likeness, Member
from openvet.formats._hidden import program_in
from openvet.formats._json_stream import plain_letters
from openvet.formats._standing import OVERLAP, StandingPickles
from openvet.formats.pickle.nested import decoded_prefix
from openvet.io.source import BytesSource, Source

__all__ = ["EncodedPickles", "long_runs"]

#: The shortest call of a function is some twenty bytes long.
_SHORTEST: Final = 24
_LONGEST: Final = 12 * 1024 * 1024
#: Of what is decoded as much is looked at before the whole of it is.
_PREFIX: Final = 64 * 1024
#: Of a line in the middle, so that many lines do not decode the same digits again and again.
_PREFIX_OF_OTHERS: Final = 2 * 1024
_MOST: Final = 100
_SHORTEST_FIELD: Final = 16
_LONGEST_FIELD: Final = 1024 * 1024
#: As many candidates are walked as a pickle is.
_WALKS: Final = 2_000
_WORD: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-"
_BASE85: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&()*+-;<=>?@^_`{|}~"
_NOT_WORD: Final = pattern(rb"[^A-Za-z0-9+/_-]")
#: Lines of an encoder belong together; a newline that was an escape arrives as CR and a blank.
_LINES: Final = pattern(rb"[A-Za-z0-9+/_-]++(?:[\r\n][ \t\r\n>#]*+[A-Za-z0-9+/_-]++)*+")
_URLSAFE: Final = bytes.maketrans(b"-_", b"+/")
_BREAKS: Final = b" \t\r\n>#"
_HEX: Final = b"0123456789abcdefABCDEF"
_BASE32: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_ASCII85: Final = pattern(rb"J-[!-uz]{18,}")
#: How base64 and base32 of a pickle with a head begin, and of zlib, gzip, bzip2 and xz.
_BEGINNINGS: Final = frozenset((b"gA", b"eJ", b"eN", b"eA", b"eF", b"H4", b"Ql", b"/T", b"_T", b"QA"))
_HEX_BEGINNINGS: Final = frozenset(
    (b"8002", b"8003", b"8004", b"8005", b"789c", b"7801", b"78da", b"1f8b", b"425a", b"fd37")
)
#: How a pickle begins, with a head or without, and what gzip and zlib write.
_FIRST_TWO: Final = frozenset(
    (
        b"\x80\x02",
        b"\x80\x03",
        b"\x80\x04",
        b"\x80\x05",
        b"\x1f\x8b",
        b"\x78\x01",
        b"\x78\x5e",
        b"\x78\x9c",
        b"\x78\xda",
    )
)
_FIRST_BYTES: Final = b"\x80c(\x1f\x78"
_ESCAPES: Final = pattern(rb"\\x80\\x0[2-5](?:\\[^\r\n]|[^\\\r\n\"'])+")
#: A name that is resolved, by GLOBAL or INST, or by two short texts and STACK_GLOBAL; bounded, since this is looked for at every byte.
_NAMES: Final = pattern(
    rb"[ci][A-Za-z_][\w.]{0,200}\r?\n[A-Za-z_][\w.]{0,200}\r?\n|\x8c.[A-Za-z_].{0,200}?\x93", re.DOTALL
)


def _runs(alphabet: bytes) -> bytes:
    """A table that makes every byte of ``alphabet`` an ``a`` and every other one a blank."""
    return bytes(0x61 if code in alphabet else 0x20 for code in range(256))


_WORD_RUNS: Final = _runs(_WORD)
_BASE85_RUNS: Final = _runs(_BASE85)
_NEEDLE: Final = b"a" * _SHORTEST


@dataclass(frozen=True, slots=True)
class _Run:
    """Digits of one spelling: where they begin and end, what decodes them, whether the next lines may go on with them, and
    whether no line before does.
    """

    spelling: str
    data: bytes
    start: int
    end: int
    decode: Callable[[bytes], bytes | None]
    goes_on: bool = False
    first: bool = True

    def goes_beyond(self, most: int) -> bool:
        """Whether there may be more than so many digits."""
        return self.goes_on or self.end - self.start > most

    def raw(self, most: int) -> bytes:
        """The decoded bytes of about so many digits; nothing where they are none."""
        end = min(self.end, self.start + most)
        if self.goes_on and (match := _LINES.match(self.data, self.start, self.start + most)):
            end = match.end()
        text = self.data[self.start : end]
        return self.decode(text.translate(None, _BREAKS) if self.goes_on else text) or b""


class EncodedPickles:
    """The search of one file, which may be given in parts.

    Args:
        facts: of the file; pickles become its members, other programs an anomaly of ``file/hidden-program``.
        name: what the names of its members begin with, where a file has several searches.
    """

    def __init__(self, facts: Facts, name: str = "") -> None:
        self._facts = facts
        self._name = name
        self._found = 0
        self._tries = 0
        self._walks = 0
        self._said = False
        self._members: set[bytes] = set()
        self._standing = StandingPickles(facts.budget)
        self._before = b""

    def look(self, text: str | bytes, first_line: int = 1, *, goes_on: bool = False, prose: bool = False) -> None:
        """Look through a text, or through whole lines of one, which begin on ``first_line``.

        ``goes_on`` says that the text goes on in the next one, so that what lies across the two is seen as well. ``prose`` is
        written for people: a line end that is spelled there belongs to an example, and no program reads it back.
        """
        data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        self._look_standing(self._before + data)
        self._before = data[-OVERLAP:] if goes_on else b""
        if b"\\" in data:
            if b"\\n" in data and not prose:
                self._look_standing(_from_escapes(data) or data.replace(b"\\r", b"").replace(b"\\n", b"\n"))
            while b"\\\\x" in data:  # a literal inside a text that escapes as well
                data = data.replace(b"\\\\", b"\\")
            for match in _ESCAPES.finditer(data):
                self._try(_Run("escapes", data, match.start(), match.end(), _from_escapes), first_line)
            data = plain_letters(data).replace(b"\\/", b"/").replace(b"\\r", b"\r ").replace(b"\\n", b"\r ")
        for run in _candidates(data):
            if self._found >= _MOST:
                self._say(f"holds more than {_MOST} pickles or programs; the rest was not decoded")
                return
            if self._tries % 256 == 0:
                self._facts.budget.check_time()
            self._tries += 1
            self._try(run, first_line)

    def _look_standing(self, data: bytes) -> None:
        """Pickles of the oldest protocols that stand in the text as they are."""
        for whole in self._standing.find(data):
            if whole not in self._members and self._found < _MOST:
                self._members.add(whole)
                self._found += 1
                self._facts.add_members(
                    [Member(f"{self._name}plain-text-{self._found}", len(whole), partial(_source, whole))]
                )
        if self._standing.spent:
            self._say("holds too many places where a pickle might begin; the rest was not looked at")

    def field(self, data: Source, name: str, at: int) -> None:
        """Look at a field of bytes or text of a binary format: it may be a program as it is, compressed, or written as text."""
        if data.size < _SHORTEST_FIELD or self._found >= _MOST:
            return
        if hand_on(data, self._facts, name, at, text=True):
            self._found += 1
        elif data.size <= _LONGEST_FIELD:
            raw = data.read(0, data.size)
            if self._is_pickle(raw):
                self._found += 1
                self._facts.add_members([Member(name, len(raw), partial(_source, raw), at)])
            elif raw.isascii():
                self.look(raw)

    def walk(self, document: Any, *, spelled: bool = False, prose: bool = False) -> None:
        """Look at the texts of a parsed document: one may be a pickle as it is, each byte a character.

        ``spelled`` says that the document spells characters as escapes, so that its texts are looked through once they are read.
        ``prose`` says that its texts are written for people, as in :meth:`look`.
        """
        waiting = [document]
        while waiting and self._found < _MOST:
            value = waiting.pop()
            if isinstance(value, str):
                headed = value[:1] == "\x80" and value[1:2] in ("\x02", "\x03", "\x04", "\x05")
                if prose and not headed:
                    continue
                if len(value) >= 16 and (headed or ("\n" in value and _NAMES.search(value.encode("utf-8", "replace")))):
                    data = value.encode("latin-1", "replace")
                    self._try(_Run("plain text", data, 0, len(data), bytes), 1)
                elif len(value) >= _SHORTEST and "\n" in value:
                    self._look_standing(value.encode("utf-8", "replace"))
                if spelled and len(value) >= _SHORTEST:
                    self.look(value)
            elif isinstance(value, dict):
                waiting.extend(value.values())
                waiting.extend(key for key in value if isinstance(key, str) and len(key) >= 16)
            elif isinstance(value, list):
                self._look_at_list(value)
                waiting.extend(value)

    def _look_at_list(self, values: list[Any]) -> None:
        """A list may be the bytes of a pickle as numbers, or the pieces of one in base64; its first items tell."""
        if len(values) < 2 or type(values[0]) is not type(values[1]):
            return
        first = values[0]
        if (
            isinstance(first, str)
            and first[:2].encode("utf-8", "replace") in _BEGINNINGS
            and len(values) <= _LONGEST_FIELD
        ):
            if all(isinstance(each, str) for each in values):
                self.look("".join(values))
        elif isinstance(first, str) and len(values) <= _LONGEST_FIELD and all(isinstance(each, str) for each in values):
            text = ("" if first.endswith("\n") else "\n").join(values)  # the lines of a cell, or of a file
            self._look_standing(text.encode("utf-8", "replace"))
        elif type(first) is int and _SHORTEST <= len(values) <= _LONGEST_FIELD and first & 0xFF in _FIRST_BYTES:
            raw = _from_numbers(values)
            if raw[:1] in (b"c", b"("):  # as any row of a picture may begin
                self._look_standing(raw)
            elif raw[:2] in _FIRST_TWO:
                self._try(_Run("numbers", raw, 0, len(raw), bytes), 1)

    def _try(self, run: _Run, first_line: int) -> None:
        raw = run.raw(_PREFIX if run.first else _PREFIX_OF_OTHERS)
        if len(raw) < 8:
            return
        if self._is_pickle(raw) or self._is_long_pickle(run, raw):
            whole = run.raw(_LONGEST)
            if whole in self._members:
                return
            self._members.add(whole)
            self._found += 1
            name = f"{self._name}{run.spelling.replace(' ', '-')}-{self._found}"
            self._facts.add_members([Member(name, len(whole), partial(_source, whole))])
        elif run.spelling == "base64" and len(raw) >= 64 and (program := program_in(raw)) and program != "a pickle":
            if raw in self._members:
                return
            self._members.add(raw)
            self._found += 1
            line = first_line + run.data.count(b"\n", 0, run.start)
            self._facts.anomaly(
                "file/hidden-program", f"{program} in base64 stands in the text", line=line, size=len(raw)
            )

    def _is_long_pickle(self, run: _Run, prefix: bytes) -> bool:
        """Whether the whole is a pickle where its beginning ends in the middle of something long, behind which it goes on."""
        inner = decoded_prefix(prefix) or prefix
        cut = run.goes_beyond(_PREFIX) or len(inner) >= _PREFIX
        if not cut or len(inner) < 2 or inner[0] != 0x80 or not 2 <= inner[1] <= 5:
            return False
        return self._spend(_WALKS // 20) and self._is_pickle(run.raw(_LONGEST), _LONGEST)

    def _is_pickle(self, raw: bytes, most: int = _PREFIX) -> bool:
        """Whether bytes are a pickle, or one that was compressed, without doubt."""
        unpacked = decoded_prefix(raw, most) if self._walks < _WALKS else None
        inner = unpacked or raw
        headed = len(inner) > 2 and inner[0] == 0x80 and 2 <= inner[1] <= 5
        if unpacked is not None and not self._spend(1):
            return False
        if (not headed and _NAMES.search(inner) is None) or not self._spend(1):
            return False
        from openvet.formats import pickle

        try:
            return pickle.probe(Head("", BytesSource(inner))) is Likeness.STRONG
        except ReadError:
            return False

    def _spend(self, walks: int) -> bool:
        """Whether as much work is left; says once that it is not."""
        if self._walks >= _WALKS:
            self._say(f"holds more than {_WALKS} texts that may be pickles; the rest was not decoded")
            return False
        self._walks += walks
        return True

    def _say(self, message: str) -> None:
        if not self._said:
            self._said = True
            self._facts.unknown("limit", message)


def _candidates(data: bytes) -> Iterator[_Run]:
    """Runs of digits, each in every spelling that it may have."""
    block = 0
    for start, end in _long_runs(data, _WORD_RUNS):
        run = data[start:end]
        if first := start >= block:
            match = _LINES.match(data, start)
            block = end if match is None else match.end()
            goes_on = block > end
        else:  # what goes on from the line before is its first line's
            goes_on = _begins(run)
        if not run.translate(None, _HEX):
            yield _Run("hexadecimal digits", data, start, end, _from_hex, goes_on, first)
        elif not run.translate(None, _BASE32):
            yield _Run("base32", data, start, end, _from_base32, goes_on, first)
        yield _Run("base64", data, start, end, _from_base64, goes_on, first)
    for start, end in _long_runs(data, _BASE85_RUNS):
        if _NOT_WORD.search(data, start, end):
            yield _Run("base85", data, start, end, _from_base85)
    at = data.find(b"J-")
    while at >= 0:
        match = _ASCII85.match(data, at)
        if match is not None:
            yield _Run("ascii85", data, at, match.end(), _from_ascii85)
        at = data.find(b"J-", at + 2 if match is None else match.end())


def _begins(run: bytes) -> bool:
    """Whether these digits begin as those of a pickle with a head do, or of something compressed."""
    return run[:2] in _BEGINNINGS or run[:4].lower() in _HEX_BEGINNINGS


def long_runs(data: bytes) -> Iterator[tuple[int, int]]:
    """Where runs of the letters of base64 begin and end that are long enough for a pickle."""
    return _long_runs(data, _WORD_RUNS)


def _long_runs(data: bytes, table: bytes) -> Iterator[tuple[int, int]]:
    """Where runs of one alphabet begin and end; a search in C for a row of letters, since most texts have only words."""
    marks = data.translate(table)
    at = marks.find(_NEEDLE)
    while at >= 0:
        end = marks.find(b" ", at)
        end = len(marks) if end < 0 else end
        yield at, end
        at = marks.find(_NEEDLE, end)


def _from_hex(run: bytes) -> bytes | None:
    cut = len(run) - len(run.lstrip(_HEX))
    return binascii.a2b_hex(run[: cut // 2 * 2])


def _from_base32(run: bytes) -> bytes | None:
    cut = len(run) - len(run.lstrip(_BASE32))
    kept = run[: cut - (cut % 8 in (1, 3, 6))]
    try:
        return base64.b32decode(kept + b"=" * (-len(kept) % 8))
    except ValueError:
        return None


def _from_base64(run: bytes) -> bytes | None:
    kept = run[: len(run) - 1 if len(run) % 4 == 1 else len(run)].translate(_URLSAFE)
    try:
        return binascii.a2b_base64(kept + b"=" * (-len(kept) % 4))
    except ValueError:
        return None


def _from_base85(run: bytes) -> bytes | None:
    try:
        return base64.b85decode(run)
    except ValueError:
        return None


def _from_ascii85(run: bytes) -> bytes | None:
    try:
        return base64.a85decode(run)
    except (ValueError, OverflowError):
        return None


def _from_numbers(values: list[Any]) -> bytes:
    """The bytes that a list holds as numbers, with a sign or without; none where one of them is no byte."""
    if all(type(each) is int and -128 <= each < 256 for each in values):
        return bytes(each & 0xFF for each in values)
    return b""


def _from_escapes(run: bytes) -> bytes | None:
    """What a Python literal of bytes writes."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an escape that Python does not know stands for itself
            return codecs.escape_decode(run)[0]
    except ValueError:
        return None


def _source(data: bytes) -> Source:
    return BytesSource(data)
