"""A ``tokenizer.json`` beside weights, by the library of its makers."""

from __future__ import annotations

import os
from typing import Any

from openvet.engines._engine import CannotError
from openvet.engines._folder import Folder
from openvet.engines._spelling import Spelling

__all__ = ["Tokens"]


class Tokens:
    """A tokenizer.

    Raises:
        CannotError: there is none, or it cannot be read.
    """

    def __init__(self, folder: Folder) -> None:
        try:
            from tokenizers import Tokenizer
        except ImportError as error:
            raise CannotError("text needs the package tokenizers in the interpreter that runs the model") from error
        if not folder.has("tokenizer.json"):
            raise CannotError("there is no tokenizer.json beside the model, so that no text can be given to it")
        try:
            self._inner: Any = Tokenizer.from_file(os.path.join(folder.path, "tokenizer.json"))
        except Exception as error:  # the library raises plain exceptions
            raise CannotError(f"tokenizer.json cannot be read: {error}"[:500]) from error
        self._inner.no_padding()
        self._inner.no_truncation()
        around = self._inner.encode("", add_special_tokens=True).ids
        #: What a text begins with where the model wants nothing else around it; -1 for nothing.
        self.begin: int = around[0] if len(around) == 1 else -1
        self._spelling = Spelling(self._inner)

    def encode(self, text: str, control: bool = True) -> list[int]:
        """Tokens of a text alone; ``control``: what is written as a control token is one."""
        self._inner.encode_special_tokens = not control
        try:
            return list(self._inner.encode(text, add_special_tokens=False).ids)
        finally:
            self._inner.encode_special_tokens = False

    def controls(self) -> dict[str, int]:
        """Control tokens by their text; -1 for the one that stands for what has no token."""
        unknown = getattr(self._inner.model, "unk_token", None)
        return {text: -1 if text == unknown else number for text, number in self._spelling.controls.items()}

    def whole(self, text: str, longest: int) -> tuple[list[int], list[int]]:
        """Tokens of a text with what belongs around it, and the number of the part of each; cut so that all of it has ``longest`` tokens, where that is not 0."""
        if longest:
            self._inner.enable_truncation(longest)
        found = self._inner.encode(text, add_special_tokens=True)
        self._inner.no_truncation()
        return list(found.ids), list(found.type_ids)

    def ends(self, text: str) -> list[int]:
        """Where each token of a text ends, in characters."""
        return [end for _, end in self._inner.encode(text, add_special_tokens=False).offsets]

    def id(self, token: str) -> int:
        """The number of a token; -1 where there is none."""
        found = self._inner.token_to_id(token)
        return -1 if found is None else int(found)

    def text(self, tokens: list[int]) -> str:
        """The text of tokens."""
        return str(self._inner.decode(tokens, skip_special_tokens=True))

    def spelled(self, token: int) -> bytes:
        """The bytes of a token."""
        return self._spelling.spelled(token)

    def size(self) -> int:
        """How many tokens there are."""
        return int(self._inner.get_vocab_size())
