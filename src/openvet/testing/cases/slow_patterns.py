r"""Regular expressions of tokenizers that take endlessly long on some texts, and those of well-known tokenizers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial

from openvet.testing.case import Case
from openvet.testing.forge_tensors import safetensors

__all__ = ["CASES"]

_SLOW = {
    "nested": r"(a+)+$",
    "nested-any": r"(.*)*x",
    "nested-class": r"(?:[a-z]+)*\d",
    "nested-property": r"(?:\p{L}+)+!",
    "nested-blank": r"(\w+\s?)*$",
    "nested-bounds": r"(a{1,}){1,}b",
    "nested-optional": r"((a+)?)+b",
    "nested-deep": r"(?:(?:a+)b?)+c",
    "nested-shared": r"^(([a-z])+.)+[A-Z]([a-z])+$",
    "nested-two": r"(x+x+)+y",
    "counted": r"(.*?,){20}x",
    "branches-same": r"(a|a)*b",
    "branches-twice": r"(a|aa)+$",
    "branches-joined": r"(a|b|ab)*c",
    "branches-folded": r"(?i:(a|A)+)+$",
    "adjacent": r".*.*.*.*=.*",
}
_CASED = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"
_ORDINARY = {
    "gpt2": r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    "llama3": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "cl100k": r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+",
    "o200k": (
        rf"[^\r\n\p{{L}}\p{{N}}]?{_CASED}*[\p{{Ll}}\p{{Lm}}\p{{Lo}}\p{{M}}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{{N}}{{1,3}}|"
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
    "deepseek": (
        r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
    "bloom": r" ?[^(\s|[.,!?…。，、।۔،])]+",
    "clip": r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+",
    "digits": r"\d{1,3}(?=(?:\d{3})*\b)",
    "address": r"\b(?:https?://)?(?:[\w-]+\.)+[a-z]{2,}\b",
    "molecule": r"(\[[^\]]+]|Br?|Cl?|N|O|S|P|F|I|b|c|n|o|s|p|\(|\)|\.|=|#|-|\+|\\|\/|:|~|@|\?|>>?|\*|\$|\%[0-9]{2}|[0-9])",
    "lines": r"(?:\r?\n)+|[\s\S]+",
}


def _tokenizer(expression: str) -> Mapping[str, bytes]:
    split = {"type": "Split", "pattern": {"Regex": expression}, "behavior": "Isolated", "invert": False}
    tokenizer = {"version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, {"type": "ByteLevel"}]},
                 "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}  # fmt: skip
    return {"model.safetensors": safetensors({"a": ("F32", (2,))}), "tokenizer.json": json.dumps(tokenizer).encode()}


CASES: tuple[Case, ...] = (
    *(Case(f"slow-patterns/{name}", f"a tokenizer whose expression takes endlessly long: {expression}".replace("|", "/"), partial(_tokenizer, expression),
           "review", frozenset({"hub/slow-pattern"}), ("json",), ("CWE-1333",)) for name, expression in _SLOW.items()),
    *(Case(f"slow-patterns/ordinary-{name}", f"the expression of a tokenizer: {name}", partial(_tokenizer, expression), "admit", frozenset(), ("json",))
      for name, expression in _ORDINARY.items()),
)  # fmt: skip
