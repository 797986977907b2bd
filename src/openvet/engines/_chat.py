"""The template that a model's makers give for chats, filled in as Transformers fills it, in Jinja's sandbox.

Today's date is not given to it: templates that want one have a fixed one for that case, and the same chat is the same text on every day.

Source: Hugging Face Transformers, ``utils/chat_template_utils.py``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from openvet.engines._engine import CannotError

__all__ = ["Chat"]


class Chat:
    """A template, and the special tokens that it may name.

    Raises:
        CannotError: it is none, or Jinja is not there.
    """

    def __init__(self, template: str, tokens: Mapping[str, str]) -> None:
        if not template:
            raise CannotError("the model has no template for chats: it writes on, and is asked with a prompt")
        try:
            import jinja2
            from jinja2.ext import loopcontrols
            from jinja2.sandbox import ImmutableSandboxedEnvironment
        except ImportError as error:
            raise CannotError("the model's template for chats needs jinja2 in the interpreter that runs it") from error
        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
        environment.filters["tojson"] = _to_json
        environment.globals["raise_exception"] = _refuse
        self._tokens = dict(tokens)
        try:
            self._template = environment.from_string(template)
        except jinja2.TemplateError as error:
            raise CannotError(f"the model's template for chats cannot be read: {error}") from error

    def fill(self, messages: Sequence[Mapping[str, str]]) -> str:
        """The text of a chat, up to where the answer begins.

        Raises:
            CannotError: the template refuses these messages.
        """
        listed = [{"role": str(each["role"]), "content": str(each["content"])} for each in messages]
        try:
            return self._template.render(messages=listed, add_generation_prompt=True, tools=None, **self._tokens)
        except Exception as error:  # a template is the model's, and raises what it wants
            raise CannotError(
                f"the model's template refuses these messages: {type(error).__name__}: {error}"[:500]
            ) from error


def _to_json(value: Any, ensure_ascii: bool = False, indent: int | None = None, **_: Any) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent)


def _refuse(message: str) -> None:
    raise CannotError(message)
