"""Texts of licences that nobody gave us leave to hand on, as hashes of their runs of five words, in order.

A quotation is held against them as against a text: all its runs stand there, one behind the other. The text cannot be read out of them.

    python -m tests.licenses.runs NAME < TEXT       writes vendor/licenses/NAME.runs
"""

from __future__ import annotations

import hashlib
import html
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parents[1] / "vendor" / "licenses"
RUN = 5


def words(text: str) -> list[str]:
    """The words of a text; case, signs, wrapping and links of Markdown do not matter."""
    plain = re.sub(r"\]\([^)]*\)", "]", html.unescape(text))
    return re.findall(r"[^\W_]+", plain.lower())


def runs(said: list[str]) -> list[str]:
    return [hashlib.sha256(" ".join(said[at : at + RUN]).encode()).hexdigest()[:8] for at in range(len(said) - RUN + 1)]


class Hashed:
    """A text by its runs."""

    def __init__(self, name: str) -> None:
        lines = (HERE / f"{name}.runs").read_text("ascii").splitlines()
        self._runs = "".join(lines[1:])

    def find(self, said: str, start: int) -> int:
        """Where the words stand from ``start`` on, else -1; at least five words, since fewer have no run."""
        wanted = "".join(runs(words(said)))
        assert wanted, f"too short to be held against hashes: {said}"
        at = self._runs.find(wanted, start)
        while at > 0 and at % 8:
            at = self._runs.find(wanted, at + 1)
        return at


def main() -> None:
    said = sys.stdin.read()
    line = "".join(runs(words(said)))
    head = f"# SHA-256 of the text {hashlib.sha256(said.encode()).hexdigest()}, {len(words(said))} words"
    wrapped = [line[at : at + 120] for at in range(0, len(line), 120)]
    (HERE / f"{sys.argv[1]}.runs").write_text("\n".join([head, *wrapped]) + "\n", "ascii")


if __name__ == "__main__":
    main()
