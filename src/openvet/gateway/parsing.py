"""What clients of OpenAI's interface send, taken apart: every field is taken, refused by name, or one that changes no answer.

Source: OpenAI API reference, chat completions, completions and embeddings; requests as ``openai`` 2.x and lm-eval's ``local-completions`` send them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.engines.model import Message
from openvet.gateway.asked import Chat, Complete, Embed, Rate, Writing
from openvet.gateway.refusal import RefusalError, unsupported

__all__ = ["ChatRequest", "CompletionRequest", "EmbeddingRequest", "chat_request", "completion_request", "embedding_request", "model_of"]  # fmt: skip

_MESSAGES: Final = 2048
_TEXTS: Final = 2048
_STOPS: Final = 16
_LONGEST_STOP: Final = 1000
_MOST_TOKENS: Final = 2**31 - 1
#: Tokens of a completion for which nobody says how many, as OpenAI has it.
_USUAL: Final = 16
_ROLES: Final = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
#: Say who asks, or how he is to be billed, and change no answer.
_NO_MATTER: Final = {"user", "safety_identifier", "metadata", "prompt_cache_key"}
#: Values that ask for nothing, of fields that are not supported otherwise.
_NOTHING: Final[Mapping[str, tuple[Any, ...]]] = {
    "n": (1,), "best_of": (1,), "frequency_penalty": (0,), "presence_penalty": (0,), "logit_bias": ({},), "tools": ([],), "functions": ([],),
    "tool_choice": ("none",), "function_call": ("none",), "response_format": ({"type": "text"},), "modalities": (["text"],), "store": (False,),
    "service_tier": ("auto", "default"), "suffix": ("",), "top_logprobs": (0,),
    "audio": (), "prediction": (), "reasoning_effort": (), "verbosity": (), "web_search_options": (), "parallel_tool_calls": (),
}  # fmt: skip
_WHY: Final[Mapping[str, str]] = {
    "n": "one answer is given to a request; send it more than once", "best_of": "one answer is written, and it is the best",
    "tools": "tools are not supported here: the model answers in text alone", "functions": "functions are not supported here",
    "response_format": "answers are text; no grammar holds the model to another format",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A chat, and how its answer is sent."""

    asked: Chat
    stream: bool
    usage: bool


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """Text to go on with, or whose likelihoods are wanted (``logprobs`` many in each place), one for each prompt; and how that is sent."""

    asked: tuple[Complete | Rate, ...]
    stream: bool
    usage: bool
    logprobs: int | None


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    """Texts whose vectors are wanted, as ``float`` or ``base64``; ``dimensions`` that they have to have, or ``None``."""

    asked: Embed
    form: str
    dimensions: int | None


def chat_request(data: bytes) -> ChatRequest:
    """A request for a chat completion.

    Raises:
        RefusalError: it is none, or asks for what is not supported.
    """
    fields = _Fields(data)
    listed = fields.take("messages", _listed, None)
    if not listed:
        raise _wrong("messages", "a list of at least one message is needed")
    if len(listed) > _MESSAGES:
        raise _wrong("messages", f"more than {_MESSAGES} messages are not taken")
    messages = tuple(_message(each, f"messages[{at}]") for at, each in enumerate(listed))
    most = fields.take("max_completion_tokens", _tokens, None)
    older = fields.take("max_tokens", _tokens, None)
    if fields.take("logprobs", _truth, False):
        raise unsupported(
            "logprobs", "a chat gives no logarithms; /v1/completions with echo has those of a text that you send"
        )
    asked = Chat(messages, _writing(fields, older if most is None else most))
    return ChatRequest(asked, *_sending(fields))


def completion_request(data: bytes) -> CompletionRequest:
    """A request for a completion.

    Raises:
        RefusalError: it is none, or asks for what is not supported.
    """
    fields = _Fields(data)
    prompts = fields.take("prompt", _prompts, None)
    if prompts is None:
        raise _wrong("prompt", "a text is needed")
    echo = fields.take("echo", _truth, False)
    logprobs = fields.take("logprobs", _count_up_to(5), None)
    most = fields.take("max_tokens", _tokens_or_none, None)
    writing = _writing(fields, most, _USUAL)
    stream, usage = _sending(fields)
    if stream and len(prompts) > 1:
        raise unsupported("stream", "several prompts at once are not streamed; send one by one")
    if logprobs is None:
        if any(not isinstance(each, str) for each in prompts):
            raise unsupported("prompt", "token numbers are only taken with echo and logprobs; send text")
        asked: tuple[Complete | Rate, ...] = tuple(Complete(str(each), writing, echo) for each in prompts)
        return CompletionRequest(asked, stream, usage, None)
    if not echo or most not in (0, 1) or stream:
        raise unsupported("logprobs", "is supported with echo: true, max_tokens 0 or 1 and without stream: the logarithms of a text that you send")  # fmt: skip
    if most == 1 and writing.temperature != 0:
        raise unsupported("temperature", "has to be 0 where logprobs are asked for: the token behind the text is the most likely one")  # fmt: skip
    return CompletionRequest(
        tuple(Rate(each, max(1, logprobs), most == 1) for each in prompts), stream, usage, logprobs
    )


def embedding_request(data: bytes) -> EmbeddingRequest:
    """A request for embeddings.

    Raises:
        RefusalError: it is none, or asks for what is not supported.
    """
    fields = _Fields(data)
    texts = fields.take("input", _inputs, None)
    if texts is None:
        raise _wrong("input", "a text, or a list of texts, is needed")
    form = fields.take("encoding_format", _one_of("float", "base64"), "float")
    dimensions = fields.take("dimensions", _tokens, None)
    fields.done()
    return EmbeddingRequest(Embed(texts), form, dimensions)


def model_of(data: bytes) -> str:
    """Which model is meant.

    Raises:
        RefusalError: it does not say.
    """
    name = _Fields(data).values.get("model")
    if not isinstance(name, str) or not name:
        raise _wrong("model", "the name of the model is needed; /v1/models says it")
    return name


class _Fields:
    """The fields of a request, of which each is taken once; what is left is refused."""

    def __init__(self, data: bytes) -> None:
        try:
            found = json.loads(data, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise RefusalError(400, "invalid_json", f"the body is no JSON: {error}") from None
        if not isinstance(found, dict):
            raise RefusalError(400, "invalid_json", "the body has to be a JSON object")
        self.values = found
        self._left = set(found) - {"model"} - _NO_MATTER

    def take(self, name: str, kind: Callable[[Any, str], Any], default: Any) -> Any:
        """A field, checked; ``null`` is as if it was not there."""
        self._left.discard(name)
        value = self.values.get(name)
        return default if value is None else kind(value, name)

    def done(self) -> None:
        """Refuse what nobody took."""
        for name in sorted(self._left):
            value = self.values[name]
            if value is None:
                continue
            if name not in _NOTHING:
                raise RefusalError(400, "unknown_parameter", f"{name!r} is not known here", param=printable(name)[:100])
            if not any(type(value) is not bool or type(each) is bool for each in _NOTHING[name] if value == each):
                raise unsupported(name, _WHY.get(name, "is not supported here; leave it out"))


def _writing(fields: _Fields, most: int | None, usual: int | None = None) -> Writing:
    stop = fields.take("stop", _stops, ())
    temperature = fields.take("temperature", _between(0, 2), 1.0)
    top_p = fields.take("top_p", _between(0, 1), 1.0)
    if top_p == 0:
        raise _wrong("top_p", "has to be greater than 0")
    seed = fields.take("seed", _whole, None)
    return Writing(most, usual, stop, temperature, top_p, None if seed is None else seed % 2**31)


def _sending(fields: _Fields) -> tuple[bool, bool]:
    stream = fields.take("stream", _truth, False)
    options = fields.take("stream_options", _mapping, None)
    fields.done()
    if options is None:
        return stream, False
    if not stream:
        raise _wrong("stream_options", "belongs to stream: true")
    for name, value in options.items():
        if name not in ("include_usage", "include_obfuscation"):
            raise unsupported(f"stream_options.{name}", "is not known here")
        _truth(value, f"stream_options.{name}")
    if options.get("include_obfuscation"):
        raise unsupported("stream_options.include_obfuscation", "is not supported here")
    return stream, bool(options.get("include_usage"))


def _message(value: Any, at: str) -> Message:
    if not isinstance(value, dict):
        raise _wrong(at, "a message is an object with role and content")
    role = value.get("role")
    if role in ("tool", "function"):
        raise unsupported(f"{at}.role", "tools are not supported here")
    if not isinstance(role, str) or role not in _ROLES:
        raise _wrong(f"{at}.role", f"is one of {', '.join(_ROLES)}")
    for name, each in value.items():
        if name not in ("role", "content") and each is not None and each != []:
            raise unsupported(f"{at}.{name}", "is not supported here; a message has role and content")
    content = value.get("content")
    if isinstance(content, list):
        content = "".join(_part(each, f"{at}.content[{number}]") for number, each in enumerate(content))
    return Message(_ROLES[role], _text(content, f"{at}.content"))


def _part(value: Any, at: str) -> str:
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise _wrong(at, "a part is an object with a type")
    if value["type"] != "text":
        raise unsupported(f"{at}.type", f"{value['type']!r} is not supported here: the model takes text alone")
    return _text(value.get("text"), f"{at}.text")


def _wrong(param: str, message: str) -> RefusalError:
    param = printable(param)[:100]
    return RefusalError(400, "invalid_value", f"{param}: {message}", param=param)


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise _wrong(name, "a text is needed")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _wrong(name, "holds half of a character (a surrogate that is alone)") from None
    return value


def _truth(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong(name, "true or false is needed")
    return value


def _whole(value: Any, name: str) -> int:
    if type(value) is not int:
        raise _wrong(name, "a whole number is needed")
    return value


def _tokens(value: Any, name: str) -> int:
    if not 1 <= _whole(value, name) <= _MOST_TOKENS:
        raise _wrong(name, "a whole number greater than 0 is needed")
    return int(value)


def _tokens_or_none(value: Any, name: str) -> int:
    return 0 if type(value) is int and value == 0 else _tokens(value, name)


def _count_up_to(most: int) -> Callable[[Any, str], int]:
    def kind(value: Any, name: str) -> int:
        if not 0 <= _whole(value, name) <= most:
            raise _wrong(name, f"a whole number from 0 to {most} is needed")
        return int(value)

    return kind


def _between(least: float, most: float) -> Callable[[Any, str], float]:
    def kind(value: Any, name: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise _wrong(name, f"a number from {least:g} to {most:g} is needed")
        return float(value) if math.isfinite(value) else least

    return kind


def _one_of(*words: str) -> Callable[[Any, str], str]:
    def kind(value: Any, name: str) -> str:
        if value not in words:
            raise _wrong(name, f"is one of {', '.join(words)}")
        return str(value)

    return kind


def _listed(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise _wrong(name, "a list is needed")
    return value


def _mapping(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(name, "an object is needed")
    return value


def _stops(value: Any, name: str) -> tuple[str, ...]:
    found = [value] if isinstance(value, str) else _listed(value, name)
    if len(found) > _STOPS:
        raise _wrong(name, f"more than {_STOPS} texts to stop at are not taken")
    stops = tuple(_text(each, name) for each in found)
    if any(not each or len(each) > _LONGEST_STOP for each in stops):
        raise _wrong(name, f"a text to stop at has 1 to {_LONGEST_STOP} characters")
    return stops


def _ids(value: list[Any], name: str) -> tuple[int, ...]:
    if any(type(each) is not int or not 0 <= each < 2**31 for each in value):
        raise _wrong(name, "token numbers are whole and not negative")
    return tuple(value)


def _prompts(value: Any, name: str) -> tuple[str | tuple[int, ...], ...]:
    if isinstance(value, str):
        return (_text(value, name),)
    listed = _listed(value, name)
    if not listed or (len(listed) > _TEXTS and type(listed[0]) is not int):
        raise _wrong(name, f"a list of 1 to {_TEXTS} prompts is needed")
    if type(listed[0]) is int:
        return (_ids(listed, name),)
    if all(isinstance(each, list) and each for each in listed):
        return tuple(_ids(each, name) for each in listed)
    return tuple(_text(each, name) for each in listed)


def _inputs(value: Any, name: str) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [value]
    listed = _listed(value, name)
    if not listed or len(listed) > _TEXTS:
        raise _wrong(name, f"a list of 1 to {_TEXTS} texts is needed")
    if any(isinstance(each, int | list) for each in listed):
        raise unsupported(name, "token numbers are not taken here; send text")
    texts = tuple(_text(each, name) for each in listed)
    if not all(texts):
        raise _wrong(name, "an empty text has no vector")
    return texts
