"""Language models as graphs of ONNX: what Optimum and others export, with the state of the attention (``past_key_values``) as inputs and outputs, or without."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from openvet.engines._chat import Chat
from openvet.engines._engine import CannotError
from openvet.engines._folder import Folder
from openvet.engines._kept import Keeps
from openvet.engines._speech import Speech
from openvet.engines._tokens import Tokens

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

__all__ = ["Writes"]

_CONTEXT: Final = 4096
#: Tokens that are evaluated at a time, for all of which such a graph gives logits: of a vocabulary of 256 k, 128 MiB.
_CHUNK: Final = 128
_TYPES: Final = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(bool)": "bool",
}
_PAST: Final = "past_key_values."


class Writes(Keeps):
    """A graph that writes. A state is never changed, only replaced, so that it can be gone back to at no cost.

    Raises:
        CannotError: the graph wants an input that is not known here.
    """

    def __init__(self, graph: Any, folder: Folder, tokens: Tokens, options: Mapping[str, Any]) -> None:
        self._graph, self._folder, self._tokens = graph, folder, tokens
        self._past = {name: each for name, each in graph.inputs.items() if name.startswith(_PAST)}
        known = {"input_ids", "attention_mask", "position_ids", "use_cache_branch", *self._past}
        unknown = sorted(set(graph.inputs) - known)
        if unknown:
            raise CannotError(f"the graph wants an input that is not known here: {unknown[0][:60]!r}")
        lacks = [name for name in self._past if name.replace(_PAST, "present.") not in graph.outputs]
        if lacks:
            raise CannotError(f"the graph takes a state ({lacks[0][:60]}) that it does not give")
        width = next(each.shape[-1] for each in graph.session.get_outputs() if each.name == "logits")
        trained = folder.context(_CONTEXT)
        self.context = int(options.get("context") or 0) or min(trained, _CONTEXT)
        self.vocabulary = width if isinstance(width, int) else tokens.size()
        self.begin = tokens.begin
        named = folder.special()
        ends = [each for each in (*folder.ids("eos_token_id"), tokens.id(named.get("eos_token", ""))) if each >= 0]
        begins = [each for each in (*folder.ids("bos_token_id"), tokens.id(named.get("bos_token", ""))) if each >= 0]
        self.before = next(iter([*begins, *ends]), -1)
        self._over = frozenset(ends)
        self._known: tuple[list[int], Any] = ([], None)
        self._work: list[int] = []
        self._state: Any = None

    def facts(self) -> dict[str, Any]:
        return {
            **self._graph.facts(), "context": self.context, "context_trained": self._folder.context(0), "vocabulary": self.vocabulary,
            "template": self._folder.template != "", "state": "kept" if self._past else "none: every token evaluates all before it",
        }  # fmt: skip

    def encode(self, text: str, control: bool = True) -> list[int]:
        return self._tokens.encode(text, control)

    def length(self, text: str) -> int:
        return len(text)

    def ends(self, text: str, tokens: Sequence[int]) -> list[int] | None:  # noqa: ARG002 - as every model
        return self._tokens.ends(text)

    def speech(self) -> Speech:
        return Speech(Chat(self._folder.template, self._folder.special()), self._tokens.controls())

    def spelled(self, token: int) -> bytes:
        return self._tokens.spelled(token)

    def over(self, token: int) -> bool:
        return token in self._over

    def branches(
        self, base: Sequence[int], kept: int, behind: Sequence[Sequence[int]]
    ) -> Iterator[tuple[int, int, Array]]:
        self._anew(base[:kept])
        yield -1, 0, self._put(base[kept:])
        state = self._state
        for branch, tokens in enumerate(behind):
            if tokens:
                rows, _ = self._run(tokens, len(base), state, base)
                for place, row in enumerate(rows):
                    yield branch, place, row

    def rows(self, tokens: Sequence[int]) -> Iterator[Array]:
        if not self._past:
            yield from self._run(tokens, 0, None, ())[0]
            return
        state = None
        for at in range(0, len(tokens), _CHUNK):
            found, state = self._run(tokens[at : at + _CHUNK], at, state, tokens[:at])
            yield from found

    def _back_to(self, size: int) -> bool:
        self._state = self._cut(self._state, size)
        return True

    def _from_nothing(self) -> None:
        self._work, self._state = [], None

    def _anew(self, kept: Sequence[int]) -> None:
        known, state = self._known
        if known != list(kept):
            state = None
            for at in range(0, len(kept), _CHUNK):
                _, state = self._run(kept[at : at + _CHUNK], at, state, kept[:at])
            self._known = list(kept), state
        self._work, self._state = list(kept), state

    def _put(self, tokens: Sequence[int]) -> Array:
        row: Any = None
        for at in range(0, len(tokens), _CHUNK):
            part = tokens[at : at + _CHUNK]
            rows, self._state = self._run(part, len(self._work), self._state, self._work)
            self._work += part
            row = rows[-1]
        found: Array = row
        return found

    def _run(self, tokens: Sequence[int], begin: int, state: Any, before: Sequence[int]) -> tuple[Array, Any]:
        """The rows behind ``tokens``, which follow ``begin`` others, and the state then; without states all of them are evaluated again."""
        import numpy as np

        if not self._past:
            tokens, first, begin = [*before, *tokens], len(before), 0
        else:
            first = 0
        count = len(tokens)
        values: dict[str, Any] = {
            "input_ids": [list(tokens)], "attention_mask": [[1] * (begin + count)], "position_ids": [list(range(begin, begin + count))],
            "use_cache_branch": [begin > 0],
        }  # fmt: skip
        given = {
            name: np.array(value, _TYPES[self._graph.inputs[name].type])
            for name, value in values.items()
            if name in self._graph.inputs
        }
        past = state if state is not None else self._nothing()
        found = self._graph.run(
            {**given, **past}, ["logits", *(each.replace(_PAST, "present.") for each in self._past)]
        )
        rows: Array = found[0][0].astype(np.float32, copy=False)[first:]
        return rows, dict(zip(self._past, found[1:], strict=True))

    def _nothing(self) -> dict[str, Array]:
        """The state of no token: the one size behind the heads that the graph leaves open is 0."""
        import numpy as np

        out = {}
        for name, each in self._past.items():
            shape = [size if isinstance(size, int) else 0 if at else 1 for at, size in enumerate(each.shape)]
            out[name] = np.zeros(shape, _TYPES[each.type])
        return out

    def _cut(self, state: Any, size: int) -> Any:
        if not size or state is None or not self._past:
            return None
        axes = {
            name: next(at for at, each in enumerate(self._past[name].shape) if at and not isinstance(each, int))
            for name in state
        }
        return {name: values.take(range(size), axis=axes[name]) for name, values in state.items()}
