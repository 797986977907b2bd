"""The parent's side: a model in a confined child, asked by methods. Every reply is a stranger's word and is checked before anybody uses it."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.engines._engine import KINDS
from openvet.errors import SandboxError
from openvet.sandbox.interpreter import Interpreter
from openvet.sandbox.levels import Level
from openvet.sandbox.session import AskedError, Session
from openvet.sandbox.supervisor import Bounds, Run

__all__ = [
    "ENGINES",
    "Generated",
    "Likely",
    "Line",
    "Message",
    "Model",
    "ReplyError",
    "Sampling",
    "Scored",
    "Token",
    "open_model",
]

#: Modules of this room that are runtimes, each with an ``ENGINE``.
ENGINES: Final = ("gguf", "onnx", "static", "transformers", "whisper")
_MOST_FACTS: Final = 64


class ReplyError(SandboxError):
    """The child's reply is not what was asked for."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """How text is written: ``temperature`` 0 takes the most likely token each time."""

    max_tokens: int = 256
    stop: tuple[str, ...] = ()
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Generated:
    """What was written, and why it ended: ``stop`` or ``length``."""

    text: str
    ended: str
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Likely:
    """Of each continuation: the natural logarithm of its probability, its tokens, and whether each of them is the most likely one."""

    logprobs: tuple[float, ...]
    tokens: tuple[int, ...]
    greedy: tuple[bool, ...]
    prompt_tokens: int


@dataclass(frozen=True, slots=True)
class Token:
    """One token as text, where it stands.

    Attributes:
        logprob: natural logarithm of its probability; ``None`` where no token is before it.
        top: the most likely ones in its place with theirs, as far as they were asked for.
    """

    text: str
    logprob: float | None
    top: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Scored:
    """How well a text is foretold.

    Attributes:
        tokens: of the text.
        nll: negative natural logarithm of the probability of each token that has one before it, in order.
        kl: from the distributions it was held against to its own, in nats, token by token; empty where it was held against none.
        same: whether the most likely token is the same, token by token.
        flipped: whether one of both alone has the token that follows as its likeliest.
        apart: the greatest difference of any token's logarithm of probability.
    """

    tokens: int
    nll: tuple[float, ...]
    kl: tuple[float, ...] = ()
    same: tuple[bool, ...] = ()
    flipped: tuple[bool, ...] = ()
    apart: tuple[float, ...] = ()

    @property
    def perplexity(self) -> float:
        return math.exp(math.fsum(self.nll) / len(self.nll))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text that was read in an image, with the reader's own confidence from 0 to 1."""

    text: str
    confidence: float


def open_model(
    engine: str,
    path: str,
    level: Level,
    bounds: Bounds,
    *,
    python: Interpreter | None = None,
    threads: int = 1,
    options: Mapping[str, Any] | None = None,
    readable: Sequence[str] = (),
    writable: Sequence[str] = (),
    started: Callable[[int], None] | None = None,
) -> Model:
    """Open the model at ``path`` with a runtime, in a child of its own.

    Args:
        engine: of :data:`ENGINES`.
        bounds: ``seconds`` until it is loaded, and for each request.
        threads: that compute.
        options: of the engine, such as ``context``.
        readable: beside the model.
        writable: folders that :meth:`Model.score` may write distributions to.

    Raises:
        SandboxError: it cannot be opened, and why.
    """
    work = {
        "work": "openvet.engines.serving",
        "engine": engine,
        "path": path,
        "options": {"threads": threads, **(options or {})},
    }
    count = str(threads)
    environment = dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), count
    )
    session = Session(
        work,
        level,
        bounds,
        readable=[path, *readable],
        writable=writable,
        environment=environment,
        python=python,
        started=started,
    )
    try:
        return Model(session, engine)
    except BaseException:
        session.kill()
        raise


class Model:
    """A model that is open. May be asked by several threads, one at a time.

    Every method raises :class:`openvet.sandbox.session.AskedError` where the model cannot do that, :class:`openvet.sandbox.session.EndedError` where its
    process is gone, and :class:`ReplyError` where the reply is none.

    Attributes:
        engine: the module that runs it.
        can: kinds of requests that it answers.
        version: of the runtime, such as ``llama_cpp_python 0.3.36``.
        facts: what else is known of it, as text or numbers, such as ``context`` and ``vocabulary``.
    """

    def __init__(self, session: Session, engine: str) -> None:
        self._session = session
        self.engine = engine
        found = dict(_object(session.facts))
        # what is said here stands on terminals and in evidence
        self.can = frozenset(_texts(found.pop("can", None))) & frozenset(KINDS)
        self.version = _shown(_text(found.pop("version", None)), 100)
        self.facts: dict[str, str | int | float | bool] = {
            _shown(str(name), 40): _shown(value, 200) if isinstance(value, str) else _finite(value)
            for name, value in list(found.items())[:_MOST_FACTS]
            if isinstance(value, str | int | float)
        }

    def generate(
        self,
        prompt: str | Sequence[Message],
        sampling: Sampling | None = None,
        piece: Callable[[str], bool] | None = None,
        seconds: float | None = None,
        prefix: int | None = None,
    ) -> Generated:
        """Write on, or answer a chat; ``piece`` gets the text as it comes, and gives ``False`` to stop; '' where a token has none yet.

        Args:
            prefix: so many first characters of the prompt, or of the last message, are the same in every request, and what is made of them is kept;
                the answer depends on no other request then, to the last digit. ``None`` keeps whatever is the same as in the last request.
        """
        sampling = sampling or Sampling()
        asked: dict[str, Any] = {
            "kind": "generate", "max_tokens": sampling.max_tokens, "stop": list(sampling.stop), "temperature": sampling.temperature,
            "top_p": sampling.top_p, "seed": sampling.seed, **_prompt(prompt),
        }  # fmt: skip
        if prefix is not None:
            asked["prefix"] = prefix
        parts: list[str] = []

        def take(value: Any) -> bool:
            parts.append(_text(value))
            return piece is None or piece(parts[-1])

        reply = _object(self._session.ask(asked, take, seconds))
        return Generated(
            "".join(parts),
            _text(reply.get("ended"))[:40],
            _count(reply.get("prompt_tokens")),
            _count(reply.get("completion_tokens")),
        )

    def likelihoods(
        self, context: str, prefix: int, continuations: Sequence[str], seconds: float | None = None
    ) -> Likely:
        """How likely each continuation of one context is; ``prefix`` characters of it are the same in every request of a task."""
        asked = {"kind": "likelihoods", "context": context, "prefix": prefix, "continuations": list(continuations)}
        reply = _object(self._session.ask(asked, None, seconds))
        values, tokens, greedy = (
            _listed(reply.get(name), len(continuations)) for name in ("logprobs", "tokens", "greedy")
        )
        return Likely(
            tuple(map(_number, values)),
            tuple(map(_count, tokens)),
            tuple(map(bool, greedy)),
            _count(reply.get("prompt_tokens")),
        )

    def tokens(
        self, prompt: str | Sequence[int], *, top: int = 0, following: bool = False, seconds: float | None = None
    ) -> tuple[Token, ...]:
        """The tokens of a text, or those with these numbers, and how likely each is; ``following`` adds the likeliest one behind them."""
        what: dict[str, Any] = {"text": prompt} if isinstance(prompt, str) else {"ids": list(prompt)}
        reply = _object(self._session.ask({"kind": "tokens", **what, "top": top, "next": following}, None, seconds))
        texts = tuple(_texts(reply.get("texts")))
        values = _listed(reply.get("logprobs"), len(texts))
        tops = [_object(each or {}) for each in _listed(reply.get("tops"), len(texts))] if top else [{} for _ in texts]
        return tuple(
            Token(
                text,
                None if value is None else _number(value),
                tuple((_text(name), _number(of)) for name, of in likeliest.items()),
            )
            for text, value, likeliest in zip(texts, values, tops, strict=True)
        )

    def count(self, prompt: str | Sequence[Message], seconds: float | None = None) -> int:
        """Tokens that :meth:`generate` would read of it."""
        return _count(_object(self._session.ask({"kind": "count", **_prompt(prompt)}, None, seconds)).get("tokens"))

    def score(
        self,
        text: str,
        window: int,
        *,
        write: str = "",
        against: str = "",
        same_tokens: bool = False,
        seconds: float | None = None,
    ) -> Scored:
        """How well each token of a text is foretold by those before it in its window.

        Args:
            window: tokens that are evaluated together, each window from nothing.
            write: a file, in a folder that the child may write to, that gets the distributions.
            against: such a file of another model with the same vocabulary.
            same_tokens: whether the tokens are those of that file, and not this model's own of the text.
        """
        asked: dict[str, Any] = {"kind": "score", "text": text, "window": window, "write": write, "against": against}
        if same_tokens:
            asked["same_tokens"] = True
        reply = _object(self._session.ask(asked, None, seconds))
        nll = tuple(map(_number, _list(reply.get("nll"))))
        if not nll:
            raise ReplyError("no token of the text was scored")
        if not against:
            return Scored(_count(reply.get("tokens")), nll)
        kl, apart = (tuple(map(_number, _listed(reply.get(name), len(nll)))) for name in ("kl", "apart"))
        same, flipped = (tuple(map(bool, _listed(reply.get(name), len(nll)))) for name in ("same", "flipped"))
        return Scored(_count(reply.get("tokens")), nll, kl, same, flipped, apart)

    def embed(self, texts: Sequence[str], seconds: float | None = None) -> tuple[tuple[tuple[float, ...], ...], int]:
        """A vector for each text, and the tokens that were read."""
        reply = _object(self._session.ask({"kind": "embed", "texts": list(texts)}, None, seconds))
        vectors = tuple(tuple(map(_number, _list(each))) for each in _listed(reply.get("vectors"), len(texts)))
        return vectors, _count(reply.get("tokens"))

    def transcribe(
        self, audio: bytes, language: str = "", piece: Callable[[str], bool] | None = None, seconds: float | None = None
    ) -> tuple[str, float]:
        """What is said, and for how many seconds; ``audio`` is 16 kHz, mono, signed 16 bits, little-endian."""
        asked = {"kind": "transcribe", "audio": base64.b64encode(audio).decode(), "language": language}
        reply = _object(self._session.ask(asked, lambda value: piece is None or piece(_text(value)), seconds))
        return _text(reply.get("text")), _number(reply.get("seconds"))

    def match(
        self, images: Sequence[bytes], texts: Sequence[str], seconds: float | None = None
    ) -> tuple[tuple[float, ...], ...]:
        """How well each text fits each image (PNG): image by image."""
        asked = {"kind": "match", "images": [base64.b64encode(each).decode() for each in images], "texts": list(texts)}
        reply = _object(self._session.ask(asked, None, seconds))
        rows = _listed(reply.get("scores"), len(images))
        return tuple(tuple(map(_number, _listed(each, len(texts)))) for each in rows)

    def read(self, image: bytes, seconds: float | None = None) -> tuple[Line, ...]:
        """The lines of text in an image (PNG)."""
        reply = _object(self._session.ask({"kind": "read", "image": base64.b64encode(image).decode()}, None, seconds))
        return tuple(
            Line(_text(each.get("text")), _number(each.get("confidence")))
            for each in map(_object, _list(reply.get("lines")))
        )

    def compute(self, inputs: Mapping[str, Any] | None = None, seconds: float | None = None) -> dict[str, Any]:
        """Let it compute once, on zeros where no inputs are named; the reply as the child says it."""
        return _object(self._session.ask({"kind": "compute", "inputs": dict(inputs or {})}, None, seconds))

    def outputs(self, seed: int, seconds: float | None = None) -> dict[str, tuple[float, ...]]:
        """What graphs give for inputs that are drawn from a seed, the same for all graphs of the same shapes; nothing of what is too large to be said."""
        reply = _object(self._session.ask({"kind": "compute", "seed": seed}, None, seconds))
        found = {name: _object(each).get("data") for name, each in _object(reply.get("outputs")).items()}
        return {
            _shown(name, 200): () if each is None else tuple(map(_number, _list(each))) for name, each in found.items()
        }

    def peak_memory(self) -> int:
        """Bytes that were resident in the child at most."""
        return _count(_object(self._session.ask({"kind": "memory"}, None, 10.0)).get("peak"))

    @property
    def alive(self) -> bool:
        """Whether its process is there."""
        return self._session.alive

    def close(self) -> Run | None:
        """Let go of it; gives what its process did."""
        return self._session.close()

    def kill(self) -> None:
        """End its process at once."""
        self._session.kill()

    def __enter__(self) -> Model:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: TracebackType | BaseException | None) -> None:
        if kind is None or issubclass(kind, AskedError):
            self.close()
        else:
            self.kill()


def _prompt(prompt: str | Sequence[Message]) -> dict[str, Any]:
    if isinstance(prompt, str):
        return {"prompt": prompt}
    return {"messages": [{"role": each.role, "content": each.content} for each in prompt]}


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ReplyError("the model's process gave something else than an object")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ReplyError("the model's process gave something else than a list")
    return value


def _listed(value: Any, count: int) -> list[Any]:
    if len(_list(value)) != count:
        raise ReplyError(f"the model's process gave {len(value)} values where {count} were asked for")
    return list(value)


def _texts(value: Any) -> Iterable[str]:
    return map(_text, _list(value))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ReplyError(f"the model's process gave no text: {printable(repr(value))[:100]}")
    # half a character cannot be written anywhere
    return value.encode("utf-8", "replace").decode()


def _shown(text: str, most: int) -> str:
    return printable(text[:most])[:most]


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ReplyError(f"the model's process gave no number: {printable(repr(value))[:100]}")
    return float(_finite(value))


def _finite(value: int | float) -> int | float:
    if (isinstance(value, int) and abs(value) >= 2**63) or not math.isfinite(value):
        raise ReplyError(
            f"the model's process gave no number that can be reckoned with: {printable(repr(value))[:100]}"
        )
    return value


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**53:
        raise ReplyError(f"the model's process gave no count: {printable(repr(value))[:100]}")
    return value
