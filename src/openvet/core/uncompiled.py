"""What stands for Cython's own words where it is not installed: nothing has to be given back by a loop that was not compiled."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Final

__all__ = ["nogil"]

nogil: Final[AbstractContextManager[None]] = nullcontext()
