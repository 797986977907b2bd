"""What the files beside a model's weights say: its tokenizer's settings, its template, its tokens of beginning and end, how vectors are pooled."""

from __future__ import annotations

import json
import os
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.engines._engine import CannotError

__all__ = ["Folder", "Pooling"]

_LARGEST: Final = 32 * 1024 * 1024
_POOLED: Final = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len",
    "pooling_mode_lasttoken": "last",
}


@dataclass(frozen=True, slots=True)
class Pooling:
    """How a sentence encoder makes one vector of those of its tokens.

    Attributes:
        mode: ``mean``, ``cls``, ``max``, ``mean_sqrt_len`` or ``last``.
        normalize: whether vectors get the length 1.
        longest: tokens of a text, behind which it is cut as its makers cut it; 0 for as many as the model takes.
        prompt: what stands before every text.
        stated: whether the folder says so, or it is the usual way.
    """

    mode: str = "mean"
    normalize: bool = False
    longest: int = 0
    prompt: str = ""
    stated: bool = False


class Folder:
    """The folder of a model. Every file in it is optional."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.config = self._object("config.json")
        self.tokenizer = self._object("tokenizer_config.json")
        self._generation = self._object("generation_config.json")

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        return os.path.isfile(os.path.join(self.path, name))

    def _read(self, name: str) -> str:
        try:
            with open(os.path.join(self.path, name), encoding="utf-8") as file:
                return file.read(_LARGEST)
        except (OSError, UnicodeDecodeError):
            return ""

    def _object(self, name: str) -> dict[str, Any]:
        found = self._json(name)
        return found if isinstance(found, dict) else {}

    def _json(self, name: str) -> Any:
        try:
            return json.loads(self._read(name) or "null")
        except (ValueError, RecursionError) as error:
            raise CannotError(f"{name} is no JSON") from error

    @property
    def template(self) -> str:
        """The template for chats; '' where it has none."""
        found = self._read("chat_template.jinja") or self.tokenizer.get("chat_template")
        if isinstance(found, list):  # several by their names
            found = next(
                (each.get("template") for each in found if isinstance(each, dict) and each.get("name") == "default"), ""
            )
        return found if isinstance(found, str) else ""

    def special(self) -> dict[str, str]:
        """Special tokens by their names, such as ``bos_token``."""
        out = {}
        for name, value in {**self._object("special_tokens_map.json"), **self.tokenizer}.items():
            text = value.get("content") if isinstance(value, dict) else value
            if name.endswith("_token") and isinstance(text, str):
                out[name] = text
        return out

    def is_masked(self) -> bool:
        """Whether the model fills gaps, and does not write on."""
        heads = self.config.get("architectures")
        return isinstance(heads, list) and any(str(each).endswith("ForMaskedLM") for each in heads)

    def ids(self, name: str) -> list[int]:
        """The numbers of tokens such as ``eos_token_id``."""
        for found in (self._generation.get(name), self.config.get(name)):
            if found is not None:
                listed = found if isinstance(found, list) else [found]
                return [each for each in listed if type(each) is int]
        return []

    def context(self, otherwise: int) -> int:
        """Tokens that the model takes at most."""
        text = self.config.get("text_config")
        for settings in (self.config, text if isinstance(text, dict) else {}):
            for name in ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len"):
                if type(settings.get(name)) is int and settings[name] > 0:
                    return int(settings[name])
        return otherwise

    def pooling(self) -> Pooling:
        """How it makes vectors, as sentence-transformers reads it.

        Raises:
            CannotError: it has a step that is not known here.

        Source: sentence-transformers, ``modules.json`` and the folders that it names.
        """
        modules = self._json("modules.json")
        if not isinstance(modules, list):
            return Pooling(longest=self.context(0))
        kinds = {str(each.get("type", "")).rsplit(".", 1)[-1]: each for each in modules if isinstance(each, dict)}
        unknown = sorted(set(kinds) - {"Transformer", "Pooling", "Normalize"})
        if unknown:
            raise CannotError(f"the model makes its vectors with a step that is not known here: {unknown[0][:60]}")
        settings = self._object(os.path.join(str(kinds.get("Pooling", {}).get("path", "1_Pooling")), "config.json"))
        modes = [mode for name, mode in _POOLED.items() if settings.get(name) is True]
        if isinstance(settings.get("pooling_mode"), str):
            modes = [settings["pooling_mode"].replace("lasttoken", "last")]
        if len(modes) != 1 or modes[0] not in _POOLED.values():
            raise CannotError("the model pools its vectors in a way that is not known here")
        sentence = self._object("config_sentence_transformers.json")
        prompts, default = sentence.get("prompts"), sentence.get("default_prompt_name")
        prompt = prompts.get(default, "") if isinstance(prompts, dict) and default else ""
        longest = self._object("sentence_bert_config.json").get("max_seq_length")
        return Pooling(
            modes[0],
            "Normalize" in kinds,
            longest if type(longest) is int and longest > 0 else self.context(0),
            prompt if isinstance(prompt, str) else "",
            stated=True,
        )
