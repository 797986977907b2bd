"""Folders of Hugging Face Transformers, by Transformers on PyTorch: language models, sentence encoders, CLIP and its like, Whisper and its like.

Weights are read from safetensors alone, and code of the model's own is run only, where ``trust_remote_code`` asks for both: pickles run what they like.
"""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from openvet.engines._chat import Chat
from openvet.engines._engine import CannotError, Engine, Opened, Piece
from openvet.engines._folder import Folder
from openvet.engines._kept import Keeps
from openvet.engines._speech import Speech
from openvet.engines._spelling import Spelling
from openvet.engines._vectors import pooled

if TYPE_CHECKING:
    import numpy as np

    Row = np.ndarray[Any, Any]

__all__ = ["ENGINE"]

#: Tokens whose logits are held at a time: of a vocabulary of 256 k, 128 MiB.
_CHUNK: Final = 128
_BRANCHES: Final = 16
_CONTEXT: Final = 4096
_RATE: Final = 16000
_MOST_PIXELS: Final = 64 * 1024 * 1024


class _Base(Opened):
    """A model and the folder that it came from."""

    def __init__(self, model: Any, folder: Folder) -> None:
        self.model = model
        self.folder = folder

    def facts(self) -> dict[str, Any]:
        import torch

        return {
            "class": type(self.model).__name__,
            "type": str(self.folder.config.get("model_type", "")),
            "parameters": sum(each.numel() for each in self.model.parameters()),
            "dtype": str(next(self.model.parameters()).dtype).removeprefix("torch."),
            "processor": torch.backends.cpu.get_cpu_capability(),
        }


class _Writes(Keeps):
    """A model that writes."""

    def __init__(self, model: Any, folder: Folder, options: Mapping[str, Any]) -> None:
        self._base = _Base(model, folder)
        self._model, self._folder = model, folder
        self._tokenizer = _tokenizer(folder, options)
        trained = folder.context(_CONTEXT)
        self.context = int(options.get("context") or min(trained, _CONTEXT))
        self.vocabulary = int(model.get_output_embeddings().weight.shape[0])
        around = list(self._tokenizer("", add_special_tokens=True)["input_ids"])
        begin = self._tokenizer.bos_token_id
        self.begin = around[0] if len(around) == 1 and around[0] == begin else -1
        end = self._tokenizer.eos_token_id
        self.before = next((each for each in (begin, end) if each is not None), -1)
        self._over = {*folder.ids("eos_token_id"), *([] if end is None else [end])}
        self._spelling = Spelling(self._tokenizer.backend_tokenizer) if self._tokenizer.is_fast else None
        self._known_tokens: list[int] = []
        self._known: Any = None
        self._work: list[int] = []
        self._cache: Any = None

    def facts(self) -> dict[str, Any]:
        return {
            **self._base.facts(), "context": self.context, "context_trained": self._folder.context(0), "vocabulary": self.vocabulary,
            "template": self._folder.template != "",
        }  # fmt: skip

    def encode(self, text: str, control: bool = True) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False, split_special_tokens=not control)["input_ids"])

    def length(self, text: str) -> int:
        return len(text)

    def ends(self, text: str, tokens: Sequence[int]) -> list[int] | None:
        if not self._tokenizer.is_fast:
            return None
        found = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        return [end for _, end in found["offset_mapping"]] if list(found["input_ids"]) == list(tokens) else None

    def speech(self) -> Speech:
        unknown = self._tokenizer.unk_token
        added = self._tokenizer.added_tokens_decoder.items()
        controls = {each.content: -1 if each.content == unknown else number for number, each in added if each.special}
        return Speech(Chat(self._folder.template, self._folder.special()), controls)

    def spelled(self, token: int) -> bytes:
        if self._spelling is not None:
            return self._spelling.spelled(token)
        return str(self._tokenizer.decode([token], skip_special_tokens=True)).encode("utf-8", "replace")

    def over(self, token: int) -> bool:
        return token in self._over

    def branches(
        self, base: Sequence[int], kept: int, behind: Sequence[Sequence[int]]
    ) -> Iterator[tuple[int, int, Row]]:
        import copy

        import torch

        self._anew(base[:kept])
        yield -1, 0, self._put(base[kept:])
        known = self._cache
        self._work = []  # what is behind it is not kept
        for at in range(0, len(behind), _BRANCHES):
            part = behind[at : at + _BRANCHES]
            longest = max(map(len, part))
            if not longest:
                continue
            cache = copy.deepcopy(known)
            if len(part) > 1:
                cache.batch_repeat_interleave(len(part))
            ids = torch.tensor([[*each, *[0] * (longest - len(each))] for each in part])
            mask = torch.ones(len(part), len(base) + longest, dtype=torch.long)
            for row, each in enumerate(part):
                mask[row, len(base) + len(each) :] = 0
            found = self._forward(ids, cache, mask)
            for row, each in enumerate(part):
                for place in range(len(each)):
                    yield at + row, place, found[row, place]

    def rows(self, tokens: Sequence[int]) -> Iterator[Row]:
        cache = self._nothing()
        for at in range(0, len(tokens), _CHUNK):
            yield from self._run(tokens[at : at + _CHUNK], cache)

    def _back_to(self, size: int) -> bool:
        if size < len(self._work):
            self._cache = self._cut(size)
        return self._cache is not None

    def _from_nothing(self) -> None:
        self._work, self._cache = [], self._nothing()

    def _anew(self, kept: Sequence[int]) -> None:
        import copy

        if self._known_tokens != list(kept) or self._known is None:
            self._known, known = None, self._nothing()  # whole or not at all: a request may fail in between
            for at in range(0, len(kept), _CHUNK):
                self._run(kept[at : at + _CHUNK], known)
            self._known, self._known_tokens = known, list(kept)
        self._cache, self._work = copy.deepcopy(self._known), list(kept)

    def _put(self, tokens: Sequence[int]) -> Row:
        row: Any = None
        try:
            for at in range(0, len(tokens), _CHUNK):
                row = self._run(tokens[at : at + _CHUNK], self._cache)[-1]
        except BaseException:
            self._work, self._cache = [], None  # nobody knows how much of it the cache holds now
            raise
        self._work += tokens
        return _row(row)

    def _nothing(self) -> Any:
        from transformers import DynamicCache

        return DynamicCache(config=self._model.config)

    def _cut(self, size: int) -> Any:
        """What is kept of the last text, without what differs; ``None`` where the model's state cannot be cut."""
        try:
            self._cache.crop(size - len(self._work))  # how many go: versions differ in whether a size to keep is taken
            return self._cache if self._cache.get_seq_length() == size else None
        except Exception:  # noqa: BLE001 - kinds of state differ in what they refuse
            return None

    def _run(self, tokens: Sequence[int], cache: Any) -> Row:
        import torch

        return _row(self._forward(torch.tensor([list(tokens)]), cache, None)[0])

    def _forward(self, ids: Any, cache: Any, mask: Any) -> Row:
        import torch

        with torch.inference_mode():
            found = self._model(input_ids=ids, attention_mask=mask, past_key_values=cache, use_cache=True)
        return _numbers(found.logits)


class _Embeds(_Base):
    """A model that makes vectors of texts."""

    def __init__(self, model: Any, folder: Folder, options: Mapping[str, Any]) -> None:
        super().__init__(model, folder)
        self._tokenizer = _tokenizer(folder, options)
        self._pooling = folder.pooling()

    def facts(self) -> dict[str, Any]:
        said = {} if self._pooling.stated else {"pooling_said": "nothing in the folder says how; mean is usual"}
        return {**super().facts(), "pooling": self._pooling.mode, "longest": self._pooling.longest, **said}

    def count(self, request: dict[str, Any], piece: Piece) -> dict[str, Any]:  # noqa: ARG002 - as every kind
        """How many tokens a text has, before it is cut."""
        given = self._tokenizer(self._pooling.prompt + str(request.get("prompt")), verbose=False)
        return {"tokens": len(given["input_ids"])}

    def embed(self, request: dict[str, Any], piece: Piece) -> dict[str, Any]:  # noqa: ARG002 - as every kind
        """A vector for each text, one after another: what stands beside a text changes nothing then."""
        import torch

        vectors, count = [], 0
        for text in request["texts"]:
            cut = {"truncation": True, "max_length": self._pooling.longest} if self._pooling.longest else {}
            given = self._tokenizer(self._pooling.prompt + str(text), return_tensors="pt", **cut)
            if not given["input_ids"].shape[1]:
                raise CannotError("a text has no token, so that there is no vector of it")
            with torch.inference_mode():
                found = self.model(**given).last_hidden_state[0]
            vectors.append(pooled(_numbers(found), self._pooling))
            count += int(given["input_ids"].shape[1])
        return {"vectors": vectors, "tokens": count}


class _Matches(_Base):
    """A model that says how well texts and images fit, such as CLIP."""

    def __init__(self, model: Any, folder: Folder, options: Mapping[str, Any]) -> None:
        super().__init__(model, folder)
        from transformers import AutoImageProcessor

        self._tokenizer = _tokenizer(folder, options)
        self._images = AutoImageProcessor.from_pretrained(folder.path, use_fast=False, **_safe(options))

    def match(self, request: dict[str, Any], piece: Piece) -> dict[str, Any]:  # noqa: ARG002 - as every kind
        """The logits of each text for each image."""
        import torch

        images = [_picture(each) for each in request["images"]]
        longest = int(self.model.config.text_config.max_position_embeddings)
        texts = self._tokenizer(
            list(request["texts"]), return_tensors="pt", padding=True, truncation=True, max_length=longest
        )
        pixels = self._images(images=images, return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            found = self.model(
                input_ids=texts["input_ids"], attention_mask=texts.get("attention_mask"), pixel_values=pixels
            )
        return {"scores": _numbers(found.logits_per_image).tolist()}


class _Hears(_Base):
    """A model that writes down what is said."""

    def __init__(self, model: Any, folder: Folder, options: Mapping[str, Any]) -> None:
        super().__init__(model, folder)
        from transformers import AutoProcessor

        self._processor = AutoProcessor.from_pretrained(folder.path, **_safe(options))

    def transcribe(self, request: dict[str, Any], piece: Piece) -> dict[str, Any]:
        """What is said, in windows of thirty seconds."""
        import numpy as np
        import torch

        audio = np.frombuffer(base64.b64decode(request["audio"]), "<i2").astype(np.float32) / 32768.0
        window = 30 * _RATE
        parts = []
        named = {"language": request["language"]} if request.get("language") else {}
        for at in range(0, max(len(audio), 1), window):
            given = self._processor(audio[at : at + window], sampling_rate=_RATE, return_tensors="pt")
            with torch.inference_mode():
                ids = self.model.generate(**given, **named, do_sample=False)
            parts.append(self._processor.batch_decode(ids, skip_special_tokens=True)[0].strip())
            if not piece(parts[-1]):
                break
        return {"text": " ".join(filter(None, parts)), "seconds": len(audio) / _RATE}


def _row(values: Any) -> Row:
    found: Row = values
    return found


def _numbers(values: Any) -> Row:
    found: Row = values.float().numpy()
    return found


def _picture(data: str) -> Any:
    """An image from its bytes."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = _MOST_PIXELS
    try:
        return Image.open(io.BytesIO(base64.b64decode(data)), formats=("PNG",)).convert("RGB")
    except Exception as error:  # of many classes
        raise CannotError(f"an image cannot be read: {error}"[:300]) from error


def _safe(options: Mapping[str, Any]) -> dict[str, Any]:
    return {"local_files_only": True, "trust_remote_code": bool(options.get("trust_remote_code"))}


def _tokenizer(folder: Folder, options: Mapping[str, Any]) -> Any:
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(folder.path, **_safe(options))
    except Exception as error:  # of many classes
        raise CannotError(f"its tokenizer cannot be loaded: {type(error).__name__}: {error}"[:500]) from error


def _open(path: str, options: Mapping[str, Any]) -> Opened:
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(int(options["threads"]))
    torch.set_grad_enabled(False)
    folder = Folder(path if os.path.isdir(path) else os.path.dirname(path))
    kind, opened = _class_of(folder)
    named = options.get("dtype", "auto")
    if named not in ("auto", "float32", "float16", "bfloat16"):
        raise CannotError("dtype is one of auto, float32, float16 and bfloat16")
    model = getattr(transformers, kind).from_pretrained(
        folder.path, dtype=named, use_safetensors=None if options.get("trust_remote_code") else True, **_safe(options)
    )
    made: Opened = opened(model.eval(), folder, options)
    return made


def _class_of(folder: Folder) -> tuple[str, Any]:
    """The class that loads a folder, and what is asked of it: by the heads that its settings name."""
    heads = folder.config.get("architectures")
    head = str(heads[0]) if isinstance(heads, list) and heads else ""
    if not folder.config:
        raise CannotError("there is no config.json, by which Transformers knows a model")
    if head.endswith(("ForSpeechSeq2Seq",)) or head == "WhisperForConditionalGeneration":
        return "AutoModelForSpeechSeq2Seq", _Hears
    if folder.config.get("model_type") in ("clip", "siglip", "siglip2", "align", "chinese_clip"):
        return "AutoModel", _Matches
    if head.endswith(("ForCausalLM", "LMHeadModel")):
        return "AutoModelForCausalLM", _Writes
    if folder.has("modules.json") or not head or head.endswith(("Model", "ForMaskedLM")):
        return "AutoModel", _Embeds
    raise CannotError(f"a model with the head {head[:60]} is not run here")


ENGINE = Engine("transformers", ("transformers", "torch"), "transformers torch", _open)
