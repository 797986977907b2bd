"""A chat as tokens, in which what people say is text: only the template writes control tokens.

A control token's own text in a message (``<|im_end|>``) would end the message and begin another one, in any role, wherever the filled template is read as one text. So
the template is filled twice, the second time with marks around such texts and at both ends of each message, which are characters that stand in no message.
What lies between marks, or across an end of a message, is said; a stretch with something said is read without control tokens. Stretches begin and end at control
tokens of the template, where tokenizers cut a text anyway. A chat in which nobody writes a control token is read as it always was.

Roles are the template's: Phi's and others' control tokens are made of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from openvet.engines._chat import Chat
from openvet.engines._engine import CannotError

__all__ = ["Encode", "Speech"]

#: The tokens of a text; where the second argument is false, what is written as control tokens is text.
Encode = Callable[[str, bool], list[int]]
#: Private use (plane 15): no script has characters there.
_MARKS: Final = (0xF0000, 0xFFFFE)


class Speech:
    """A template and the control tokens that it writes.

    Args:
        controls: the number of each, by its text; -1 for one whose number also stands for text that has no token.
    """

    def __init__(self, chat: Chat, controls: Mapping[str, int]) -> None:
        self._chat = chat
        self._texts = frozenset(each for each in controls if each)
        self._sizes = sorted({len(each) for each in self._texts}, reverse=True)
        self._first = frozenset(each[0] for each in self._texts)
        self._numbers = frozenset(number for number in controls.values() if number >= 0)

    def tokens(self, messages: Sequence[Mapping[str, str]], encode: Encode) -> list[int]:
        """The tokens of a chat, up to where the answer begins.

        Raises:
            CannotError: the template refuses these messages, or what is said in them cannot be kept apart from what it writes.
        """
        text = self._chat.fill(messages)
        found = [*self._places(text)]
        said = self._said(text, found, messages) if found else frozenset[tuple[int, int]]()
        out: list[int] = []
        for begin, end, control in _stretches(len(text), found, said):
            out += encode(text[begin:end], control)
        written = len(found) - len(said)
        if sum(each in self._numbers for each in out) > written:
            raise CannotError("a message holds the text of a control token, which this tokenizer does not read as text")
        return out

    def _said(
        self, text: str, found: Sequence[tuple[int, int]], messages: Sequence[Mapping[str, str]]
    ) -> frozenset[tuple[int, int]]:
        """Which control tokens of a filled template stand there because somebody said them."""
        opens, closes = _two_marks(messages)
        filled = self._chat.fill(
            [{**each, "content": self._marked(each["content"], opens, closes)} for each in messages]
        )
        marks: dict[str, set[int]] = {opens: set(), closes: set()}
        at = 0
        for each in filled:
            if each in marks:
                marks[each].add(at)
            else:
                at += 1
        if filled.replace(opens, "").replace(closes, "") != text:
            if any(next(self._places(each["content"]), None) for each in messages):
                raise CannotError(
                    "a message holds the text of a control token, and the model's template takes messages apart, so that it cannot be kept as text"
                )
            return frozenset()
        return frozenset(
            (begin, end)
            for begin, end in found
            if (begin in marks[opens] and end in marks[closes])
            or any(place in marks[closes] for place in range(begin + 1, end))
        )

    def _marked(self, content: str, opens: str, closes: str) -> str:
        """A message with marks; at its ends they stand within white space, which templates strip."""
        if not content.strip():
            return content
        out, at = [], 0
        for begin, end in self._places(content):
            out += [content[at:begin], opens, content[begin:end], closes]
            at = end
        body = "".join([*out, content[at:]])
        inner = body.strip()
        before = len(body) - len(body.lstrip())
        return f"{body[:before]}{closes}{inner}{closes}{body[before + len(inner) :]}"

    def _places(self, text: str) -> Iterator[tuple[int, int]]:
        """Where control tokens are written: of several at one place the longest, as tokenizers take it."""
        at = 0
        while at < len(text):
            size = self._size_at(text, at) if text[at] in self._first else 0
            if size:
                yield at, at + size
            at += size or 1

    def _size_at(self, text: str, at: int) -> int:
        return next((size for size in self._sizes if text[at : at + size] in self._texts), 0)


def _stretches(
    size: int, found: Sequence[tuple[int, int]], said: frozenset[tuple[int, int]]
) -> Iterator[tuple[int, int, bool]]:
    """A text in stretches: from where to where, and whether control tokens are read in it."""
    begin = at = 0
    mine = False
    for one in (*found, (size, size)):
        if one in said:
            mine = True
            continue
        if mine:  # all between two control tokens of the template
            if begin < at:
                yield begin, at, True
            yield at, one[0], False
            begin, mine = one[0], False
        at = one[1]
    if begin < size or not size:
        yield begin, size, True


def _two_marks(messages: Sequence[Mapping[str, str]]) -> tuple[str, str]:
    used = {each for message in messages for each in message["content"]}
    free = [*islice((chr(each) for each in range(*_MARKS) if chr(each) not in used), 2)]
    if len(free) < 2:
        raise CannotError("the messages hold every character of the private use area")
    return free[0], free[1]
