"""GGUF by llama.cpp (llama-cpp-python), by its own functions rather than the class above them, which keeps logits of everything.

Sequence 0 of the KV cache holds what all requests begin with, 1 the text that is worked on, and those behind it continuations, which are evaluated
together in one batch. Logits are asked for only where they are looked at: so many at a time that they need 32 MiB.

Source: llama.h of the version that is installed; the shape of batches and sequences as ``examples/parallel`` and ``tools/perplexity`` of llama.cpp use them.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from openvet.core.pattern import pattern
from openvet.engines._chat import Chat
from openvet.engines._engine import CannotError, Engine, Opened, Piece
from openvet.engines._kept import Keeps
from openvet.engines._speech import Speech

if TYPE_CHECKING:
    import numpy as np

    Row = np.ndarray[Any, Any]
    #: A token, where it stands, in which sequence, and whether the row behind it is wanted.
    Item = tuple[int, int, int, bool]

__all__ = ["ENGINE"]

_KEPT, _WORK, _FIRST = 0, 1, 2
_BRANCHES: Final = 14
_BATCH: Final = 512
_LOGITS: Final = 32 * 1024 * 1024
_CONTEXT: Final = 4096
_POOLING: Final = {"mean": 1, "cls": 2, "last": 3}
_ERROR: Final = 4
_SPLIT: Final = pattern(r"-(\d{5})-of-\d{5}\.gguf\Z")


def _file(path: str, named: str) -> str:
    """The file to open: of a folder the one that is named, the only one, or the first of the parts of one."""
    if not os.path.isdir(path):
        return path
    if named:
        return os.path.join(path, named)
    found = sorted(each for each in os.listdir(path) if each.lower().endswith(".gguf") and "mmproj" not in each.lower())
    first = [each for each in found if not (part := _SPLIT.search(each)) or part[1] == "00001"]
    if len(first) != 1:
        what = "no file" if not first else f"{len(first)} models ({', '.join(first[:5])})"
        raise CannotError(f"the folder holds {what} in GGUF; name one file")
    return os.path.join(path, first[0])


class _Log:
    """What llama.cpp says went wrong, for the message."""

    def __init__(self) -> None:
        import llama_cpp

        self.said: list[str] = []

        def hear(level: int, text: bytes, _: Any) -> None:
            if level == _ERROR:
                self.said = [*self.said[-3:], text.decode("utf-8", "replace").strip()]

        self._hear = llama_cpp.llama_log_callback(hear)  # it has to live as long as the library calls it
        llama_cpp.llama_log_set(self._hear, ctypes.c_void_p(0))

    def last(self, otherwise: str) -> str:
        return ": ".join([otherwise, *self.said[-2:]])


class _Llama:
    """A model and one context of it."""

    def __init__(self, path: str, threads: int, context: int, pooling: str | None) -> None:
        import llama_cpp

        self.api = api = llama_cpp
        self.log = _Log()
        api.llama_backend_init()
        self.model = api.llama_model_load_from_file(os.fsencode(path), self._model_params())
        if not self.model:
            raise CannotError(self.log.last("llama.cpp cannot load it"))
        self.vocab = api.llama_model_get_vocab(self.model)
        self.vocabulary = api.llama_vocab_n_tokens(self.vocab)
        self.trained = api.llama_model_n_ctx_train(self.model)
        self.width = api.llama_model_n_embd(self.model)
        named = self.meta(f"{self.meta('general.architecture')}.pooling_type")
        self.pools = pooling is not None or named not in ("", "0")
        self.size = context or min(self.trained or _CONTEXT, _CONTEXT)
        self.outputs = max(8, min(_BATCH, _LOGITS // (4 * max(self.vocabulary, 1))))
        self.handle = api.llama_init_from_model(self.model, self._context_params(threads, pooling))
        if not self.handle:
            raise CannotError(self.log.last(f"llama.cpp makes no context of {self.size} tokens"))
        self.memory = api.llama_get_memory(self.handle)
        self._batch = api.llama_batch_init(_BATCH if not self.pools else self.size, 0, 1)

    def _model_params(self) -> Any:
        params = self.api.llama_model_default_params()
        params.n_gpu_layers = 0
        # tiles of AMX end the process (SIGILL) where the machine names them and does not let them be set up, as some virtual ones do
        params.use_extra_bufts = b"AMX" not in self.api.llama_print_system_info()
        return params

    def _context_params(self, threads: int, pooling: str | None) -> Any:
        params = self.api.llama_context_default_params()
        params.n_ctx = self.size
        # what is pooled has to be evaluated at once
        params.n_batch = params.n_ubatch = self.size if self.pools else min(_BATCH, self.size)
        params.n_threads = params.n_threads_batch = threads
        if self.pools:
            params.embeddings = True
            if pooling is not None:
                params.pooling_type = _POOLING[pooling]
        else:
            params.n_seq_max = _FIRST + _BRANCHES
            params.n_outputs_max = max(self.outputs, _FIRST + _BRANCHES)
            params.kv_unified = params.swa_full = True
        return params

    def meta(self, key: str) -> str:
        """A field of the file as text; '' where it has none."""
        size = 1024
        while True:
            buffer = ctypes.create_string_buffer(size)
            found = self.api.llama_model_meta_val_str(self.model, key.encode(), buffer, size)
            if found < size:
                return buffer.value.decode("utf-8", "replace") if found >= 0 else ""
            size = found + 1

    def tokens(self, text: str, *, special: bool = False, control: bool = True) -> list[int]:
        """The tokens of a text; ``special`` adds what belongs around it, ``control`` reads control tokens that are written out."""
        data = text.encode("utf-8", "replace")
        room = len(data) + 8
        out = (self.api.llama_token * room)()
        found = self.api.llama_tokenize(self.vocab, data, len(data), out, room, special, control)
        if found < 0:
            raise CannotError("llama.cpp cannot make tokens of the text")
        return list(out[:found])

    def controls(self) -> dict[str, int]:
        """Control tokens by their text; -1 for the one that stands for what has no token, which is as special when it is written out."""
        api, out = self.api, {}
        for token in range(self.vocabulary):
            kind = api.llama_vocab_get_attr(self.vocab, token)
            if kind & (api.LLAMA_TOKEN_ATTR_CONTROL | api.LLAMA_TOKEN_ATTR_UNKNOWN):
                text = api.llama_vocab_get_text(self.vocab, token).decode("utf-8", "replace")
                out[text] = -1 if kind & api.LLAMA_TOKEN_ATTR_UNKNOWN else token
        return out

    def piece(self, token: int, *, special: bool) -> bytes:
        """The bytes of a token; of a control token only where those are asked for."""
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            found = self.api.llama_token_to_piece(self.vocab, token, buffer, size, 0, special)
            if found >= 0:
                return buffer.raw[:found]
            size = -found

    def decode(self, items: Sequence[Item]) -> Iterator[tuple[int, Row]]:
        """Evaluate tokens; gives the rows that are wanted, each with its place in ``items``. A row holds until the next is asked for."""
        at = 0
        while at < len(items):
            end, wanted = at, 0
            while end < len(items) and end - at < _BATCH and wanted + items[end][3] <= self.outputs:
                wanted += items[end][3]
                end += 1
            self._evaluate(items[at:end])
            for each in range(end - at):
                if items[at + each][3]:
                    yield at + each, self._row(each)
            at = end

    def _evaluate(self, items: Sequence[Item]) -> None:
        batch = self._batch
        batch.n_tokens = len(items)
        for each, (token, place, sequence, wanted) in enumerate(items):
            batch.token[each], batch.pos[each], batch.n_seq_id[each] = token, place, 1
            batch.seq_id[each][0], batch.logits[each] = sequence, wanted
        code = self.api.llama_decode(self.handle, batch)
        if code:
            raise CannotError(self.log.last(f"llama.cpp cannot evaluate {len(items)} tokens (it gives {code})"))

    def _row(self, place: int) -> Row:
        import numpy as np

        found = self.api.llama_get_logits_ith(self.handle, place)
        if not found:
            raise CannotError("llama.cpp gives no logits")
        return np.ctypeslib.as_array(found, shape=(self.vocabulary,))

    def embedding(self, tokens: Sequence[int]) -> list[float]:
        """The pooled vector of a text."""
        if self.memory:
            self.api.llama_memory_clear(self.memory, True)
        self._evaluate([(token, at, 0, True) for at, token in enumerate(tokens)])
        found = self.api.llama_get_embeddings_seq(self.handle, 0)
        if not found:
            raise CannotError("llama.cpp gives no vector")
        return list(found[: self.width])


class _Writes(Keeps):
    """A model that writes."""

    def __init__(self, llama: _Llama) -> None:
        self._llama = llama
        self._api = api = llama.api
        self.context, self.vocabulary = llama.size, llama.vocabulary
        begin, end = api.llama_vocab_bos(llama.vocab), api.llama_vocab_eos(llama.vocab)
        self.begin = begin if api.llama_vocab_get_add_bos(llama.vocab) else -1
        self.before = begin if begin >= 0 else end
        self._template = llama.meta("tokenizer.chat_template")
        self._kept_tokens: list[int] = []
        self._work: list[int] = []

    def facts(self) -> dict[str, Any]:
        return _facts(self._llama, template=self._template != "")

    def encode(self, text: str, control: bool = True) -> list[int]:
        return self._llama.tokens(text, control=control)

    def length(self, text: str) -> int:
        return len(text.encode("utf-8", "replace"))

    def ends(self, text: str, tokens: Sequence[int]) -> list[int] | None:
        ends, at = [], 0
        for each in tokens:
            at += len(self._llama.piece(each, special=True))
            ends.append(at)
        more = at - self.length(text)  # a space that some tokenizers put before a text
        return [each - more for each in ends] if more in (0, 1) else None

    def speech(self) -> Speech:
        named = {
            "bos_token": self._api.llama_vocab_bos(self._llama.vocab),
            "eos_token": self._api.llama_vocab_eos(self._llama.vocab),
        }
        spelled = {
            name: self._llama.piece(each, special=True).decode("utf-8", "replace") if each >= 0 else ""
            for name, each in named.items()
        }
        return Speech(Chat(self._template, spelled), self._llama.controls())

    def spelled(self, token: int) -> bytes:
        return self._llama.piece(token, special=False)

    def over(self, token: int) -> bool:
        return bool(self._api.llama_vocab_is_eog(self._llama.vocab, token))

    def start(self, tokens: Sequence[int], kept: int | None) -> Row:
        if kept is None:
            # nobody asked for what is kept: its room belongs to this text
            self._api.llama_memory_seq_rm(self._llama.memory, _KEPT, -1, -1)
            self._kept_tokens = []
        return super().start(tokens, kept)

    def branches(
        self, base: Sequence[int], kept: int, behind: Sequence[Sequence[int]]
    ) -> Iterator[tuple[int, int, Row]]:
        self._anew(base[:kept])
        yield -1, 0, self._put(base[kept:])
        memory, at = self._llama.memory, 0
        while at < len(behind):
            end, size = at, 0
            while (
                end < len(behind)
                and end - at < _BRANCHES
                and (end == at or len(base) + size + len(behind[end]) <= self.context)
            ):
                size += len(behind[end])
                end += 1
            items, places = [], []
            try:
                for branch in range(at, end):
                    sequence = _FIRST + branch - at
                    self._api.llama_memory_seq_cp(memory, _WORK, sequence, -1, -1)
                    items += [(token, len(base) + place, sequence, True) for place, token in enumerate(behind[branch])]
                    places += [(branch, place) for place in range(len(behind[branch]))]
                for index, row in self._llama.decode(items):
                    yield *places[index], row
            finally:  # also where it failed: the next continuations would stand behind these
                for sequence in range(_FIRST, _FIRST + end - at):
                    self._api.llama_memory_seq_rm(memory, sequence, -1, -1)
            at = end

    def rows(self, tokens: Sequence[int]) -> Iterator[Row]:
        self._forget()
        for _, row in self._llama.decode([(token, at, _WORK, True) for at, token in enumerate(tokens)]):
            yield row
        self._forget()

    def _back_to(self, size: int) -> bool:
        return bool(self._api.llama_memory_seq_rm(self._llama.memory, _WORK, size, -1))

    def _from_nothing(self) -> None:
        self._anew(())

    def _forget(self) -> None:
        self._api.llama_memory_clear(self._llama.memory, True)
        self._kept_tokens, self._work = [], []

    def _anew(self, kept: Sequence[int]) -> None:
        memory = self._llama.memory
        self._work = []
        if self._kept_tokens != list(kept):
            self._forget()
            try:
                for _ in self._llama.decode([(token, at, _KEPT, False) for at, token in enumerate(kept)]):
                    pass
            except BaseException:
                self._forget()
                raise
            self._kept_tokens = list(kept)
        self._api.llama_memory_seq_rm(memory, _WORK, -1, -1)
        if kept:
            self._api.llama_memory_seq_cp(memory, _KEPT, _WORK, -1, -1)
        self._work = list(kept)

    def _put(self, tokens: Sequence[int]) -> Row:
        import numpy as np

        begin, last = len(self._work), len(tokens) - 1
        items = [(token, begin + at, _WORK, at == last) for at, token in enumerate(tokens)]
        rows = [np.array(row) for _, row in self._llama.decode(items)]
        self._work += tokens
        return rows[-1]


class _Embeds(Opened):
    """A model that makes vectors of texts."""

    def __init__(self, llama: _Llama) -> None:
        self._llama = llama

    def facts(self) -> dict[str, Any]:
        names = {number: name for name, number in _POOLING.items()}
        pooling = names.get(self._llama.api.llama_pooling_type(self._llama.handle), "none")
        return {**_facts(self._llama, template=False), "pooling": pooling}

    def embed(self, request: dict[str, Any], piece: Piece) -> dict[str, Any]:  # noqa: ARG002 - as every kind
        """A vector for each text, of length 1 as llama.cpp's own tools give it."""
        import numpy as np

        vectors, count = [], 0
        for text in request["texts"]:
            tokens = self._llama.tokens(text, special=True)
            if not 1 <= len(tokens) <= self._llama.size:
                raise CannotError(
                    f"a text has {len(tokens)} tokens, and the model is open with a context of {self._llama.size}"
                )
            vector = np.array(self._llama.embedding(tokens), np.float64)
            size = float(np.linalg.norm(vector))
            vectors.append((vector / size).tolist() if size > 0 else vector.tolist())
            count += len(tokens)
        return {"vectors": vectors, "tokens": count}


def _facts(llama: _Llama, *, template: bool) -> dict[str, Any]:
    buffer = ctypes.create_string_buffer(200)
    llama.api.llama_model_desc(llama.model, buffer, len(buffer))
    return {
        "context": llama.size,
        "context_trained": llama.trained,
        "vocabulary": llama.vocabulary,
        "width": llama.width,
        "template": template,
        "parameters": llama.api.llama_model_n_params(llama.model),
        "bytes": llama.api.llama_model_size(llama.model),
        "description": buffer.value.decode("utf-8", "replace"),
        "processor": llama.api.llama_print_system_info().decode("utf-8", "replace").strip(),
    }


def _open(path: str, options: Mapping[str, Any]) -> Opened:
    pooling = options.get("pooling")
    if pooling is not None and pooling not in _POOLING:
        raise CannotError(f"pooling is one of {', '.join(_POOLING)}")
    llama = _Llama(
        _file(path, str(options.get("file") or "")), int(options["threads"]), int(options.get("context") or 0), pooling
    )
    return _Embeds(llama) if llama.pools else _Writes(llama)


ENGINE = Engine("llama.cpp", ("llama_cpp",), "llama-cpp-python", _open)
