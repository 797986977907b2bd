"""What all language models are asked, made of the few things that their runtimes differ in.

A sample's figures must not depend on what was asked before it, down to the last digit, or an audit that asks it alone would find another one; and runtimes
round otherwise where they evaluate another number of tokens together. So what is kept between samples is the part that is the same in all of
them, always the same tokens, and what follows is always evaluated from there.
"""

from __future__ import annotations

import codecs
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from openvet.engines._distributions import LEAST, Reader, Writer, text_in
from openvet.engines._engine import CannotError, Opened, Piece
from openvet.engines._speech import Speech
from openvet.engines._writing import Chooser, Written, highest

if TYPE_CHECKING:
    import numpy as np

    Row = np.ndarray[Any, Any]

__all__ = ["LanguageModel", "log_probabilities", "shared"]

_LONGEST: Final = 4 * 1024 * 1024
_MOST: Final = 4096
_MOST_TOP: Final = 20


class LanguageModel(Opened):
    """A causal language model. What its subclasses give is abstract here; a row is the logits of all tokens.

    Attributes:
        context: tokens that it can hold.
        vocabulary: how many tokens there are, which is a row's length.
        begin: what a text begins with where the model wants that, as its own settings say; -1 for nothing.
        before: what stands before a continuation of nothing: the begin of a text, or its end where there is none; -1 for nothing.
    """

    context: int
    vocabulary: int
    begin: int
    before: int
    _speech: Speech | None = None

    @abstractmethod
    def encode(self, text: str, control: bool = True) -> list[int]:
        """The tokens of a text, without what the model wants at its beginning; ``control``: what is written as a control token is one."""

    @abstractmethod
    def ends(self, text: str, tokens: Sequence[int]) -> list[int] | None:
        """Where in the text each of its tokens ends, in the unit of :meth:`length`; ``None`` where that cannot be known."""

    @abstractmethod
    def length(self, text: str) -> int:
        """Of a text, in characters or bytes."""

    @abstractmethod
    def speech(self) -> Speech:
        """The model's template and its control tokens (raises :class:`CannotError` where it has no template); asked once."""

    @abstractmethod
    def spelled(self, token: int) -> bytes:
        """The bytes of a token; none for one that is no text."""

    @abstractmethod
    def over(self, token: int) -> bool:
        """Whether a token ends what is written."""

    @abstractmethod
    def start(self, tokens: Sequence[int], kept: int | None) -> Row:
        """Evaluate a text and give the row behind its last token.

        Args:
            kept: so many tokens, fewer than all, are evaluated by themselves and kept for the next text that begins with them; ``None``: whatever is
                the same as before is not evaluated again.
        """

    @abstractmethod
    def step(self, token: int) -> Row:
        """Put one token behind what :meth:`start` evaluated, and give the row behind it."""

    @abstractmethod
    def branches(
        self, base: Sequence[int], kept: int, behind: Sequence[Sequence[int]]
    ) -> Iterator[tuple[int, int, Row]]:
        """Evaluate ``base`` and each of ``behind`` after it: of the base the last row (as branch -1, place 0), of branches all, in any order."""

    @abstractmethod
    def rows(self, tokens: Sequence[int]) -> Iterator[Row]:
        """The row behind each token of a text that is evaluated from nothing."""

    # --- what is asked ---

    def generate(self, request: dict[str, Any], piece: Piece) -> dict[str, Any]:
        """Write on, or answer."""
        messages = request.get("messages")
        prefix = request.get("prefix")
        if messages is not None:
            tokens = self.chat(messages)
            kept = None if prefix is None else self._same(tokens, self._begun(messages, int(prefix)))
        else:
            text = _text(request.get("prompt"))
            tokens = self._whole(self.encode(text))
            kept = None if prefix is None else self._kept(text, int(prefix), tokens)
        if not tokens:
            raise CannotError("there is nothing to write on: the prompt has no token")
        self._fits(len(tokens), "the prompt")
        chooser = Chooser(float(request["temperature"]), float(request["top_p"]), int(request["seed"]))
        written = Written([_text(each) for each in request["stop"]])
        count, ended = 0, "length"
        row = self.start(tokens, kept)
        for _ in range(min(int(request["max_tokens"]), self.context - len(tokens))):
            token = chooser.choose(row)
            if self.over(token):
                ended = "stop"
                break
            count += 1
            said = written.add(self.spelled(token))
            # also where nothing is said: whoever waits may be gone, and a model may write tokens without text for ever
            if ((said or not written.stopped) and not piece(said)) or written.stopped:
                return {"ended": "stop", "prompt_tokens": len(tokens), "completion_tokens": count}
            if count < int(request["max_tokens"]) and len(tokens) + count < self.context:
                row = self.step(token)
        if said := written.end():
            piece(said)
        return {
            "ended": "stop" if written.stopped else ended,
            "prompt_tokens": len(tokens),
            "completion_tokens": count,
        }

    def likelihoods(self, request: dict[str, Any], piece: Piece) -> dict[str, Any]:  # noqa: ARG002 - as every kind
        """How likely continuations are. The last token of each is only foretold and never evaluated."""
        context = _text(request["context"])
        asked = [_text(each) for each in request["continuations"]]
        if not 1 <= len(asked) <= _MOST:
            raise CannotError(f"there have to be 1 to {_MOST} continuations of a context, and here are {len(asked)}")
        parts = self._parts(context, asked)
        wholes = [tokens for tokens, _ in parts]
        self._fits(max(map(len, wholes)) - 1, "a context with its continuation")
        size = min(shared(wholes), *(inside for _, inside in parts))
        behind = [each[size:-1] for each in wholes]
        found: list[list[float]] = [[] for _ in asked]
        greedy = [True] * len(asked)

        def take(branch: int, place: int, values: Row) -> None:
            tokens, inside = parts[branch]
            if inside <= place < len(tokens):
                found[branch].append(float(values[tokens[place]]))
                greedy[branch] = greedy[branch] and int(values.argmax()) == tokens[place]

        kept = self._kept(context, int(request["prefix"]), wholes[0][:size])
        for branch, place, row in self.branches(wholes[0][:size], kept, behind):
            values = log_probabilities(row)
            if branch >= 0:
                take(branch, size + place + 1, values)
            else:
                for each in range(len(asked)):
                    take(each, size, values)
        return {
            "logprobs": [float(sum(each)) for each in found],
            "tokens": [len(each) for each in found],
            "greedy": greedy,
            "prompt_tokens": max(inside for _, inside in parts),
        }

    def count(self, request: dict[str, Any], piece: Piece) -> dict[str, Any]:  # noqa: ARG002 - as every kind
        """How many tokens a prompt or a chat has."""
        messages = request.get("messages")
        if messages is not None:
            return {"tokens": len(self.chat(messages))}
        return {"tokens": len(self._whole(self.encode(_text(request.get("prompt")))))}

    def tokens(self, request: dict[str, Any], piece: Piece) -> dict[str, Any]:  # noqa: ARG002 - as every kind
        """The tokens of a text and how likely each is; what the model wants at the beginning is a token without text."""
        ids = request.get("ids")
        if ids is None:
            text = _text(request.get("text"))
            inside = self.encode(text)
            whole = self._whole(inside)
            texts = [""] * (len(whole) - len(inside)) + self._texts(text, inside)
        else:
            whole = [_id(each, self.vocabulary) for each in ids]
            texts = _decoded([self.spelled(each) for each in whole])
        if not whole:
            raise CannotError("the text has no token")
        self._fits(len(whole), "the text")
        most = min(max(int(request.get("top") or 0), 0), _MOST_TOP)
        logprobs: list[float | None] = [None]
        tops: list[dict[str, float] | None] = [None]
        targets: list[int | None] = [*whole[1:], *([None] if request.get("next") else [])]
        for place, row in enumerate(self.rows(whole[: len(targets)]) if targets else ()):
            values, target = log_probabilities(row), targets[place]
            if target is None:
                target = int(values.argmax())
                texts += _decoded([self.spelled(target)])
            logprobs.append(float(values[target]))
            likeliest = values.argsort()[::-1][:most].tolist() if most else []
            named = [texts[place + 1] if each == target else _decoded([self.spelled(each)])[0] for each in likeliest]
            tops.append({name: float(values[each]) for each, name in reversed([*zip(likeliest, named, strict=True)])})
        return {"texts": texts, "logprobs": logprobs, "tops": tops}

    def score(self, request: dict[str, Any], piece: Piece) -> dict[str, Any]:  # noqa: ARG002 - as every kind
        """How well a text is foretold, window by window; each begins as the model wants a text to begin."""
        import numpy as np

        against, vocabulary = str(request.get("against") or ""), self.vocabulary
        if request.get("same_tokens"):
            tokens, begin = text_in(against, vocabulary)
        else:
            tokens, begin = self.encode(_text(request["text"])), self.begin
        window = int(request["window"])
        head = 1 if begin >= 0 else 0
        if not 2 <= window <= self.context:
            raise CannotError(f"a window has from 2 tokens to as many as the context, which are {self.context}")
        step = window - head
        if len(tokens) + head < 2:
            raise CannotError("the text is too short: no token of it has one before it")
        parts = [tokens[at : at + step] for at in range(0, len(tokens), step)]
        foretold = [at * step + each for at, part in enumerate(parts) for each in range(1 - head, len(part))]
        writer = Writer(request["write"], vocabulary, tokens, begin, foretold) if request.get("write") else None
        reader = Reader(against, vocabulary, tokens, foretold) if against else None
        found: dict[str, list[Any]] = {name: [] for name in ("nll", "kl", "same", "flipped", "apart")}
        try:
            for part in parts:
                whole = [begin, *part] if head else part
                if len(whole) < 2:
                    continue
                for target, row in zip(whole[1:], self.rows(whole[:-1]), strict=True):
                    values = log_probabilities(row)
                    found["nll"].append(-float(values[target]))
                    if writer is not None:
                        writer.add(values)
                    if reader is not None:
                        base, top = reader.next()
                        own = int(values.argmax())
                        found["kl"].append(float(np.dot(np.exp(base), base - values)))
                        found["same"].append(own == top)
                        found["flipped"].append((own == target) != (top == target))
                        found["apart"].append(float(np.abs(base - np.maximum(values, LEAST)).max()))
        finally:
            for each in (writer, reader):
                if each is not None:
                    each.close()
        return {"tokens": len(tokens), **found}

    # --- tokens ---

    def chat(self, messages: list[dict[str, str]]) -> list[int]:
        """The tokens of a chat, up to where the answer begins, in which what messages say is text (raises :class:`CannotError`)."""
        if self._speech is None:
            self._speech = self.speech()
        return self._speech.tokens(messages, self.encode)

    def _texts(self, text: str, tokens: Sequence[int]) -> list[str]:
        """What each token of a text stands for, so that all of them together are the text where that can be known."""
        ends = self.ends(text, tokens)
        if ends is None:
            return _decoded([self.spelled(each) for each in tokens])
        begins = [0, *ends[:-1]]
        if self.length("\u00e9") == 1:
            return [text[begin:end] for begin, end in zip(begins, ends, strict=True)]
        data = text.encode("utf-8", "replace")
        return _decoded([data[begin:end] for begin, end in zip(begins, ends, strict=True)])

    def _whole(self, tokens: Sequence[int]) -> list[int]:
        return [self.begin, *tokens] if self.begin >= 0 else list(tokens)

    def _parts(self, context: str, continuations: Sequence[str]) -> list[tuple[list[int], int]]:
        """Each with its context, as :meth:`_split` gives it. Where one has no token before it, all begin with the same one, or they would not compare."""
        parts = [self._split(context, each) for each in continuations]
        if all(inside for _, inside in parts):
            return parts
        if self.before < 0:
            raise CannotError("there is no context, and the model has no token that a text begins or ends with")
        return [([self.before, *whole], inside + 1) for whole, inside in parts]

    def _split(self, context: str, continuation: str) -> tuple[list[int], int]:
        """The tokens of both together, and how many of them lie in the context: one that ends behind it belongs to the continuation."""
        text = context + continuation
        tokens = self.encode(text)
        ends = self.ends(text, tokens)
        if ends is None:  # as lm-eval counts them
            inside = min(len(self.encode(context)), max(len(tokens) - 1, 0))
        else:
            border = self.length(context)
            inside = next((at for at, end in enumerate(ends) if end > border), len(tokens))
        whole = self._whole(tokens)
        inside += len(whole) - len(tokens)
        if not continuation or inside >= len(whole):
            raise CannotError("a continuation has no token of its own, so that nothing can be said of how likely it is")
        return whole, inside

    def _kept(self, text: str, prefix: int, tokens: Sequence[int]) -> int:
        return self._same(tokens, self._whole(_tokens_of(self, text[: max(prefix, 0)])))

    @staticmethod
    def _same(tokens: Sequence[int], begin: Sequence[int]) -> int:
        """How many first tokens are those of the part that is the same in every request, but for the last, which what follows may change."""
        return max(0, min(shared([tokens, begin]) if begin else 0, len(tokens)) - 1)

    def _begun(self, messages: list[dict[str, str]], prefix: int) -> Sequence[int]:
        """A chat of which only the first ``prefix`` characters of the last message are there."""
        last = {**messages[-1], "content": str(messages[-1]["content"])[: max(prefix, 0)]}
        return self.chat([*messages[:-1], last])

    def _fits(self, count: int, what: str) -> None:
        if count > self.context:
            raise CannotError(
                f"{what} has {count} tokens, and the model is open with a context of {self.context}; open it with a larger one (--context)"
            )


@lru_cache(maxsize=4)
def _tokens_of(model: LanguageModel, text: str) -> tuple[int, ...]:
    return tuple(model.encode(text)) if text else ()


def shared(lists: Sequence[Sequence[int]]) -> int:
    """How many first elements are the same in all."""
    size = min(map(len, lists))
    first = lists[0]
    return next((at for at in range(size) if any(each[at] != first[at] for each in lists)), size)


def log_probabilities(row: Row) -> Row:
    """Natural logarithms of the probabilities that logits stand for.

    Raises:
        CannotError: there are none: a logit is no number, as in a model that is broken.
    """
    import numpy as np

    values = row.astype(np.float64)
    values -= highest(values)
    values -= np.log(np.exp(values).sum())
    return np.asarray(values)


def _decoded(parts: Sequence[bytes]) -> list[str]:
    """Bytes as text, part by part: a character that is spread over several belongs to the last of them."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    texts = [decoder.decode(each) for each in parts]
    if texts:
        texts[-1] += decoder.decode(b"", True)
    return texts


def _id(value: Any, vocabulary: int) -> int:
    if type(value) is not int or not 0 <= value < vocabulary:
        raise CannotError(f"the number of a token is one from 0 to {vocabulary - 1}")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise CannotError(f"a text is asked for, of {_LONGEST} characters at most")
    return value
