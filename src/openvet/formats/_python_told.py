"""What is told of a Python source to rules: the words by which they know a use again, and what its functions give and take.

Rules import this without the rooms that read sources.
"""

from __future__ import annotations

from typing import Final

from openvet.core.dataclass import dataclass

__all__ = ["BESIDE", "CALLERS", "DESCRIBED", "HANDED_ON", "NETWORK", "Handed", "Meeting"]

#: What a use of such a text has for its detail.
DESCRIBED: Final = "a word of a model's description"
BESIDE: Final = "runs a source that lies beside this one: "
CALLERS: Final = "an address that its caller gives"
HANDED_ON: Final = "sends what the model is given to somebody else"
#: What stands for a call that sends.
NETWORK: Final = "<network>"


@dataclass(frozen=True, slots=True)
class Meeting:
    """A call that is given something.

    Attributes:
        line: where.
        owner: the function in which it stands; empty for the module.
        name: what is called, of this source or a neighbour's; :data:`NETWORK` where that sends.
        given: names of neighbours, or of functions of this source, whose values flow in.
        private: what flows in that is private to the user, in a few words.
    """

    line: int
    owner: str
    name: str
    given: tuple[str, ...]
    private: str


@dataclass(frozen=True, slots=True)
class Handed:
    """What a source gives and takes.

    Attributes:
        gives: function or constant -> what it gives that is private, in a few words; empty for what only passes on ``passes``.
        passes: function -> names of neighbours whose values it gives.
        sends: functions that send what they are given.
        meetings: its calls.
    """

    gives: tuple[tuple[str, str], ...] = ()
    passes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    sends: tuple[str, ...] = ()
    meetings: tuple[Meeting, ...] = ()
