"""Blocks of code in documents: between fences in Markdown, R Markdown and Quarto, and between ``<<>>=`` and ``@`` in Sweave.

Specification: https://spec.commonmark.org/ , fenced code blocks; https://yihui.org/knitr/ .
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern

__all__ = ["Fence", "fences_of"]

_OPENS = pattern(r"[ \t>]{0,40}(`{3,}|~{3,})[ \t]{0,8}([^`\n]{0,200})")
_WORD = pattern(r"[{\s.]{0,8}([A-Za-z][\w+#-]{0,20})")
_SWEAVE = pattern(r"<<([^>\n]{0,200})>>=\s{0,20}\Z")
_ENGINE = pattern(r"\bengine\s{0,4}=\s{0,4}[\"'](\w{1,20})")
_MOST = 2_000


@dataclass(frozen=True, slots=True)
class Fence:
    """One block: its language in lower case (empty where none is said), its first line in the file, and its text."""

    language: str
    line: int
    text: str


def fences_of(text: str) -> Iterator[Fence]:
    """The blocks of a document, in order; at most some thousands, and one without an end reaches to the end."""
    mark, language, first = "", "", 0
    body: list[str] = []
    count = 0
    for number, line in enumerate(text.split("\n"), 1):
        bare = line.strip().lstrip("> ")
        if mark:
            if bare == mark or (mark != "@" and bare.startswith(mark) and not bare.strip(mark[0])):
                yield Fence(language, first, "\n".join(body))
                mark, body = "", []
                count += 1
                if count >= _MOST:
                    return
            else:
                body.append(line)
            continue
        if "```" in line or "~~~" in line:
            opened = _OPENS.match(line)
            if opened is not None:
                word = _WORD.match(opened[2])
                mark, language, first = opened[1], word[1].lower() if word else "", number + 1
        elif line.startswith("<<") and (sweave := _SWEAVE.match(line)) is not None:
            engine = _ENGINE.search(sweave[1])
            mark, language, first = "@", engine[1].lower() if engine else "r", number + 1
    if mark and body:
        yield Fence(language, first, "\n".join(body))
