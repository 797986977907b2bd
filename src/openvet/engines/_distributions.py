"""Files of distributions: for each token of a text the probabilities of all tokens, of one model, to hold another one against.

A file is a line of JSON (the vocabulary's size, the tokens of the text, what each window begins with, which tokens are foretold), then of each of these the
likeliest token (int32), the least logarithm and a step (float32 each), and a logarithm of the probability of every token in 24 bits: least + value * step;
the upper 16 bits of all, then the lower 8. Steps are some 2e-6 nats, as fine as 32-bit floats are there, so that what is exported can be told from what is
rounded. Probabilities are made to sum to 1 again. All little-endian.

Source: llama.cpp, ``perplexity --kl-divergence-base``, which keeps 16 bits of each, and cuts off what is 16 nats below the likeliest.
"""

from __future__ import annotations

import json
import os
import resource
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Any, Final

from openvet.engines._engine import CannotError

if TYPE_CHECKING:
    import numpy as np

    Row = np.ndarray[Any, np.dtype[np.float64]]

__all__ = ["LEAST", "Reader", "Writer", "text_in"]

_KIND: Final = "openvet distributions 2"
_HEAD: Final = 64 * 1024 * 1024
_STEPS: Final = (1 << 24) - 1
#: Of one row before its logarithms, and of each of those.
_ROW: Final = 12
_EACH: Final = 3
#: What is less likely than e to this counts as so likely.
LEAST: Final = -100.0


class Writer:
    """Makes a file, row by row.

    Args:
        path: which must not be there yet.
        vocabulary: how many tokens there are.
        tokens: of the text.
        begin: the token before each window; -1 for none.
        foretold: places in ``tokens``, one for each row that comes.

    Raises:
        CannotError: it cannot be made, or would be larger than a file may be here.
    """

    def __init__(self, path: str, vocabulary: int, tokens: Sequence[int], begin: int, foretold: Sequence[int]) -> None:
        head = {
            "kind": _KIND,
            "vocabulary": vocabulary,
            "tokens": list(tokens),
            "begin": begin,
            "foretold": list(foretold),
        }
        data = json.dumps(head, separators=(",", ":")).encode() + b"\n"
        size = len(data) + len(foretold) * (_ROW + _EACH * vocabulary)
        most = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
        if 0 <= most < size:
            raise CannotError(f"the distributions would be a file of {size} bytes, and one may have {most} here")
        try:
            self._file: IO[bytes] = open(path, "xb")  # noqa: SIM115 - closed in close
            self._file.write(data)
        except OSError as error:
            raise CannotError(f"the file of distributions cannot be written: {error.strerror or error}") from error

    def add(self, row: Row) -> None:
        """The next row: natural logarithms of the probabilities."""
        import numpy as np

        row = np.maximum(row, LEAST)
        least, most = float(row.min()), float(row.max())
        step = max((most - least) / _STEPS, 1e-12)
        head = np.array([least, step], "<f4")
        values = np.clip(np.rint((row - float(head[0])) / float(head[1])), 0, _STEPS).astype("<u4")
        try:
            self._file.write(np.array([row.argmax()], "<i4").tobytes() + head.tobytes())
            self._file.write((values >> 8).astype("<u2").tobytes() + (values & 255).astype("u1").tobytes())
        except OSError as error:
            raise CannotError(f"the distributions cannot be written: {error.strerror or error}") from error

    def close(self) -> None:
        """Nothing more comes."""
        self._file.close()


class Reader:
    """Reads a file that another model's process wrote, row by row.

    Raises:
        CannotError: it is none, or of another vocabulary or text.
    """

    def __init__(self, path: str, vocabulary: int, tokens: Sequence[int], foretold: Sequence[int]) -> None:
        self._vocabulary = vocabulary
        try:
            self._file: IO[bytes] = open(path, "rb")  # noqa: SIM115 - closed in close
        except OSError as error:
            raise CannotError(f"the file of distributions cannot be read: {error.strerror or error}") from error
        try:
            self._check(list(tokens), list(foretold))
        except BaseException:
            self._file.close()
            raise

    def _check(self, tokens: list[int], foretold: list[int]) -> None:
        line, head = _head(self._file, self._vocabulary)
        size = os.fstat(self._file.fileno()).st_size
        if head.get("tokens") != tokens or head.get("foretold") != foretold:
            raise CannotError(
                "the distributions are of other tokens than this model makes of the text: another text, window or tokenizer"
            )
        if size != len(line) + len(foretold) * (_ROW + _EACH * self._vocabulary):
            raise CannotError("the file of distributions is cut off, or longer than it says")

    def next(self) -> tuple[Row, int]:
        """The next row: natural logarithms that sum to 1 as probabilities, and the likeliest token."""
        import numpy as np

        data = self._file.read(_ROW + _EACH * self._vocabulary)
        top = int(np.frombuffer(data, "<i4", 1)[0])
        least, step = (float(each) for each in np.frombuffer(data, "<f4", 2, 4))
        if not (np.isfinite(least) and np.isfinite(step)):
            raise CannotError("the file of distributions holds something else than numbers")
        upper = np.frombuffer(data, "<u2", self._vocabulary, _ROW).astype(np.float64)
        lower = np.frombuffer(data, "u1", self._vocabulary, _ROW + 2 * self._vocabulary)
        row = least + step * (256.0 * upper + lower)
        highest = row.max()
        return row - (highest + np.log(np.exp(row - highest).sum())), top

    def close(self) -> None:
        """It is not needed any more."""
        self._file.close()


def text_in(path: str, vocabulary: int) -> tuple[list[int], int]:
    """The tokens of the text that a file is about, and what each window begins with (-1 for nothing).

    Raises:
        CannotError: it is none, or of another vocabulary.
    """
    try:
        with open(path, "rb") as file:
            _, head = _head(file, vocabulary)
    except OSError as error:
        raise CannotError(f"the file of distributions cannot be read: {error.strerror or error}") from error
    tokens, begin = head.get("tokens"), head.get("begin")
    listed = [0, *tokens] if isinstance(tokens, list) else []
    if not listed or not all(type(each) is int and 0 <= each < vocabulary for each in listed):
        raise CannotError("the file of distributions is about something else than tokens")
    if type(begin) is not int or not -1 <= begin < vocabulary:
        raise CannotError("the file of distributions says nothing of what a window begins with")
    return listed[1:], begin


def _head(file: IO[bytes], vocabulary: int) -> tuple[bytes, dict[str, Any]]:
    """The first line, and what it says (raises :class:`CannotError`)."""
    line = file.readline(_HEAD)
    try:
        head = json.loads(line)
    except (ValueError, RecursionError):
        head = None
    if not isinstance(head, dict) or head.get("kind") != _KIND:
        raise CannotError("the file to compare with holds no distributions")
    if head.get("vocabulary") != vocabulary:
        raise CannotError(
            f"the distributions are over {str(head.get('vocabulary'))[:20]} tokens, and this model has {vocabulary}: they cannot be compared"
        )
    return line, head
