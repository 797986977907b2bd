"""What every runtime is: a module of this room with an ``ENGINE``, which a child imports, opens a model with and asks.

It runs in a child, with the standard library and the runtime alone: nothing of ours that needs another package may be imported by it. What it is asked
and what it answers is JSON; bytes are base64.

A request names its kind, which is the name of a method of what ``open`` gives; what an engine can do for a model is which of them that has:

=============== ================================================================ ==========================================================
kind            request                                                          reply
=============== ================================================================ ==========================================================
``generate``    ``messages`` (a list of role and content) or ``prompt``,         ``ended`` (``stop`` or ``length``), ``prompt_tokens``,
                ``max_tokens``, ``stop``, ``temperature``, ``top_p``, ``seed``;  ``completion_tokens``; the text goes before it, in pieces
                ``prefix`` (first characters of the prompt or last message that
                are the same in every request): the answer then depends on
                nothing that was asked before, to the last digit
``likelihoods`` ``context``, ``prefix`` (its first characters that are the same  ``logprobs``, ``tokens`` (their number), ``greedy`` (is each
                in every request), ``continuations``                             the most likely), ``prompt_tokens``
``tokens``      ``text`` or ``ids`` (as they are, nothing added), ``top``        ``texts`` (joined they are the text), ``logprobs`` (``null``
                (number), ``next`` (the likeliest one behind them as well)       where none is before it), ``tops``: of each, text ->
                                                                                 logarithm of the ``top`` most likely in its place
``count``       ``prompt`` or ``messages``                                       ``tokens`` that ``generate`` would read
``score``       ``text``, ``window`` (tokens), ``write`` or ``against`` (a file  ``tokens``, ``nll`` (of each token but the first of a
                of distributions to make, or to compare with),                   window); with ``against`` ``kl``, ``same``, ``flipped`` and
                ``same_tokens``                                                  ``apart`` as well
``embed``       ``texts``                                                        ``vectors``, ``tokens``
``transcribe``  ``audio`` (16 kHz, mono, 16 bits, little-endian), ``language``   ``text``, ``seconds`` (of the audio); segments in pieces
``match``       ``images`` (PNG), ``texts``                                      ``scores``: image by image, of each text
``read``        ``image`` (PNG)                                                  ``lines``: text and confidence of each
``compute``     ``inputs``: name -> ``type``, ``shape``, ``data``; none: zeros,  ``outputs``, likewise, and ``seconds``
                or with ``seed`` what is drawn from it
``memory``                                                                       ``peak``: bytes that were resident at most
=============== ================================================================ ==========================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from openvet.core.dataclass import dataclass

__all__ = ["KINDS", "CannotError", "Engine", "Opened", "Piece"]

#: Kinds of requests that are about what a model can do.
KINDS: Final = (
    "generate", "likelihoods", "tokens", "count", "score", "embed", "transcribe", "match", "read", "compute",
)  # fmt: skip

#: Says a part of a reply; ``False`` once nobody wants more.
Piece = Callable[[Any], bool]


class CannotError(Exception):
    """What was asked cannot be done, and why, in words for whoever asked."""


class Opened:
    """A model in memory. Subclasses have a method for each kind of request that the model can answer: ``kind(request, piece) -> reply``."""

    def facts(self) -> dict[str, Any]:
        """What is known once it is loaded, such as ``context`` (tokens), ``vocabulary`` and whether it has a ``template`` for chats."""
        return {}

    def can(self) -> list[str]:
        """Which kinds of requests this model answers."""
        return [each for each in KINDS if callable(getattr(self, each, None))]


@dataclass(frozen=True, slots=True)
class Engine:
    """One runtime.

    Attributes:
        id: which, such as ``llama.cpp``.
        packages: that have to be importable, the first of which is named with its version.
        install: what installs them, behind ``pip install``.
        open: a path and options -> the model; imports the runtime first. Options: ``threads``, ``context`` (tokens), and the engine's own.
    """

    id: str
    packages: tuple[str, ...]
    install: str
    open: Callable[[str, Mapping[str, Any]], Opened]
