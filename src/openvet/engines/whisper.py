"""Whisper in the format of CTranslate2: what is said in a recording, window by window of thirty seconds, each beginning where the last whole segment ended.

Source: openai/whisper, ``transcribe.py`` (how windows move on by timestamps, and when nothing is said); A. Radford et al., arXiv 2212.04356.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from openvet.engines._engine import CannotError, Engine, Opened, Piece
from openvet.engines._folder import Folder
from openvet.engines._sound import COLUMNS, RATE, log_mel, of_bytes
from openvet.engines._tokens import Tokens

__all__ = ["ENGINE"]

_WINDOW: Final = 30
_BEAM: Final = 5
_LONGEST: Final = 448 // 2
#: A token of time is a fiftieth of a second.
_STEPS: Final = 50
#: Nothing is said where the model thinks so, and what it would write is unlikely.
_SILENT: Final = 0.6
_UNLIKELY: Final = -1.0


class _Hears(Opened):
    """A model that writes down what is said."""

    def __init__(self, path: str, options: Mapping[str, Any]) -> None:
        import ctranslate2

        folder = Folder(path)
        self._tokens = Tokens(folder)
        try:
            self._model = ctranslate2.models.Whisper(
                path, device="cpu", compute_type=str(options.get("compute_type") or "default"), inter_threads=1,
                intra_threads=int(options["threads"]),
            )  # fmt: skip
        except Exception as error:  # the library raises RuntimeError and ValueError
            raise CannotError(f"CTranslate2 cannot load it: {error}"[:500]) from error
        self._beam = int(options.get("beam") or _BEAM)
        self._start, self._plain = self._tokens.id("<|startoftranscript|>"), self._tokens.id("<|notimestamps|>")
        self._end = self._tokens.id("<|endoftext|>")
        if min(self._start, self._plain, self._end) < 0:
            raise CannotError("the tokenizer beside the model is not Whisper's")

    def facts(self) -> dict[str, Any]:
        return {
            "languages": "several" if self._model.is_multilingual else "one", "bands": self._model.n_mels, "beam": self._beam,
            "dtype": str(self._model.compute_type),
        }  # fmt: skip

    def transcribe(self, request: dict[str, Any], piece: Piece) -> dict[str, Any]:
        """What is said; segments go before it as pieces."""
        samples = of_bytes(base64.b64decode(request["audio"]))
        language = str(request.get("language") or "")
        said: list[str] = []
        at = 0
        while at < len(samples):
            window = samples[at : at + _WINDOW * RATE]
            features = self._features(window)
            language = language or self._language(features)
            tokens, silent = self._write(features, self._prompt(language))
            texts, seconds = ([], float(_WINDOW)) if silent else self._segments(tokens, len(window) / RATE)
            said += texts
            if any(not piece(f"{each} ") for each in texts):
                break
            at += max(int(seconds * RATE), RATE)  # never less than a second, or it would not come to an end
        return {"text": " ".join(said), "seconds": len(samples) / RATE}

    def _features(self, samples: Any) -> Any:
        import ctranslate2

        values = log_mel(samples, int(self._model.n_mels), _WINDOW * COLUMNS)
        return ctranslate2.StorageView.from_array(values[None])

    def _language(self, features: Any) -> str:
        if not self._model.is_multilingual:
            return "en"
        found = self._model.detect_language(features)[0][0][0]
        return str(found).strip("<|>")

    def _prompt(self, language: str) -> list[int]:
        if not self._model.is_multilingual:
            return [self._start]
        named = self._tokens.id(f"<|{language}|>")
        if named < 0:
            raise CannotError(f"the model knows no language {language[:20]!r}")
        return [self._start, named, self._tokens.id("<|transcribe|>")]

    def _write(self, features: Any, prompt: Sequence[int]) -> tuple[list[int], bool]:
        found = self._model.generate(
            features, [list(prompt)], beam_size=self._beam, max_length=_LONGEST, return_scores=True, return_no_speech_prob=True,
        )[0]  # fmt: skip
        tokens = [each for each in found.sequences_ids[0] if each != self._end]
        return tokens, found.no_speech_prob > _SILENT and found.scores[0] < _UNLIKELY

    def _segments(self, tokens: Sequence[int], length: float) -> tuple[list[str], float]:
        """The texts between times, and how far they reach in seconds; a last segment without an end is heard again, unless it is all there is."""
        begin = self._plain + 1
        ends = [at for at in range(1, len(tokens)) if tokens[at] >= begin and tokens[at - 1] >= begin]
        single = len(tokens) >= 2 and tokens[-1] >= begin > tokens[-2]
        if not ends:
            return [text] if (text := self._text(tokens)) else [], length if length < _WINDOW else self._reach(tokens)
        cuts = [0, *ends, *([len(tokens)] if single else [])]
        texts = [self._text(tokens[a:b]) for a, b in pairwise(cuts)]
        reach = float(_WINDOW) if single else (tokens[cuts[-1] - 1] - begin) / _STEPS
        return list(filter(None, texts)), reach

    def _reach(self, tokens: Sequence[int]) -> float:
        times = [each for each in tokens if each > self._plain + 1]
        return (times[-1] - self._plain - 1) / _STEPS if times else float(_WINDOW)

    def _text(self, tokens: Sequence[int]) -> str:
        return self._tokens.text([each for each in tokens if each < self._end]).strip()


def _open(path: str, options: Mapping[str, Any]) -> Opened:
    return _Hears(path if os.path.isdir(path) else os.path.dirname(path), options)


ENGINE = Engine("ctranslate2", ("ctranslate2", "tokenizers"), "ctranslate2 tokenizers", _open)
