"""The words of the tokenizer in a GGUF file, which the reader of the format only counts."""

from __future__ import annotations

from typing import Any, Final

from openvet.core.limits import Budget
from openvet.core.text import printable
from openvet.errors import UnsupportedError
from openvet.formats._format import Facts
from openvet.formats.gguf import _Header
from openvet.io.source import Source

__all__ = ["gguf_words"]

_KEYS: Final = ("tokenizer.ggml.tokens", "tokenizer.ggml.merges")
_LONGEST: Final = 4096


def gguf_words(source: Source, budget: Budget, most: int, most_bytes: int) -> dict[str, list[str]]:
    """``tokens`` and ``merges``, in the order of the file; a key that is not there is left out.

    Raises:
        ReadError: the header cannot be read.
        UnsupportedError: more than ``most`` words, or words of more than ``most_bytes`` bytes together.
    """
    reading = _Words(source, Facts("", "", budget), most, most_bytes)
    reading.counts()
    reading.keys()
    return reading.found


class _Words(_Header):
    def __init__(self, source: Source, facts: Facts, most: int, most_bytes: int) -> None:
        super().__init__(source, facts)
        self.found: dict[str, list[str]] = {}
        self.most = most
        self.left = most_bytes

    def texts(self, key: str, count: int) -> Any:
        """Keep the words of a tokenizer; step over all other texts."""
        if key not in _KEYS:
            self.count_strings(count)
            self.step_over(count)
            return None
        self.count_strings(count)
        if count > self.most:
            raise UnsupportedError("more words than are compared", offset=self.cursor.position)
        words: list[str] = []
        for _ in range(count):
            data, length = self.string(_LONGEST)
            self.left -= length
            if self.left < 0 or length > _LONGEST:
                raise UnsupportedError("its words are too long to be compared", offset=self.cursor.position)
            words.append(printable(data.decode("utf-8", "surrogateescape")))
        self.found[key.rpartition(".")[2]] = words
        return None
