"""Text that comes token by token: which token is next, what of it can be said already, and where it stops."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from openvet.engines._engine import CannotError

if TYPE_CHECKING:
    import numpy as np

    Row = np.ndarray[Any, np.dtype[np.float32]]

__all__ = ["Chooser", "Written", "highest"]

_MOST_STOPS: Final = 64


def highest(row: np.ndarray[Any, Any]) -> float:
    """The highest of the logits.

    Raises:
        CannotError: there is none: a logit is no number, as in a model that is broken.
    """
    import numpy as np

    found = float(row.max())
    if not np.isfinite(found):
        raise CannotError("the model gives something else than numbers (NaN or infinity) for its next token")
    return found


class Chooser:
    """Chooses each token from the logits of all.

    Args:
        temperature: 0 takes the likeliest, the first of equals.
        top_p: of the likeliest tokens, as many as have this probability together; 1 takes all.
        seed: the same logits and seed choose the same.

    Raises:
        CannotError: a value that no choice can be made by.

    Source: nucleus sampling, A. Holtzman et al., ICLR 2020 (arXiv 1904.09751).
    """

    def __init__(self, temperature: float, top_p: float, seed: int) -> None:
        import numpy as np

        if not 0.0 <= temperature <= 100.0 or not 0.0 < top_p <= 1.0:
            raise CannotError("temperature has to be from 0 to 100, and top_p above 0 and at most 1")
        self._temperature, self._top_p = temperature, top_p
        self._random = np.random.Generator(np.random.PCG64(seed & (2**63 - 1)))

    def choose(self, row: Row) -> int:
        """The next token (raises :class:`CannotError` where the logits are no numbers)."""
        import numpy as np

        most = highest(row)
        if self._temperature == 0.0:
            return int(row.argmax())
        with np.errstate(over="ignore"):  # by next to no heat: minus infinity then, which has no probability
            values = np.exp((row.astype(np.float64) - most) / self._temperature)
        values /= values.sum()
        if self._top_p < 1.0:
            order = np.argsort(-values, kind="stable")
            kept = order[: int(np.searchsorted(np.cumsum(values[order]), self._top_p)) + 1]
            return int(self._random.choice(kept, p=values[kept] / values[kept].sum()))
        return int(self._random.choice(len(values), p=values))


class Written:
    """What was written so far. A piece is handed on once no stop can begin in it any more, and once its bytes are characters."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = [each for each in stops if each]
        if len(self._stops) > _MOST_STOPS:
            raise CannotError(f"{len(self._stops)} texts to stop at are more than {_MOST_STOPS}")
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""
        self.stopped = False

    def add(self, data: bytes) -> str:
        """Take the bytes of a token; gives what can be said now. ``stopped`` says whether a stop was reached, which is not said."""
        return self._take(self._decoder.decode(data))

    def end(self) -> str:
        """What was held back, once nothing more comes."""
        if self.stopped:
            return ""
        said = self._take(self._decoder.decode(b"", final=True))
        rest, self._held = self._held, ""
        return said + rest if not self.stopped else said

    def _take(self, text: str) -> str:
        self._held += text
        places = [(self._held.find(each), each) for each in self._stops]
        found = [(at + len(each), at) for at, each in places if at >= 0]
        if found:  # the stop that is whole first, however the text came in pieces
            _, at = min(found)
            said, self._held, self.stopped = self._held[:at], "", True
            return said
        keep = max((self._overlap(each) for each in self._stops), default=0)
        said, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return said

    def _overlap(self, stop: str) -> int:
        """How much of the end may be the beginning of a stop."""
        return next(
            (size for size in range(min(len(stop) - 1, len(self._held)), 0, -1) if stop.startswith(self._held[-size:])),
            0,
        )
