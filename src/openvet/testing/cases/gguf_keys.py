"""GGUF files whose well-known keys are of other types and lengths than their readers take for granted, and ordinary ones."""

from __future__ import annotations

from typing import Any, Literal

from openvet.testing.case import Case
from openvet.testing.forge_tensors import GgufArray, gguf

__all__ = ["CASES"]

_WORDS = [f"w{index}" for index in range(100)]
_ARCHITECTURE = ("general.architecture", "string", "llama")
_TOKENS = ("tokenizer.ggml.tokens", "array", GgufArray("string", _WORDS))
_LYING: tuple[tuple[str, str, list[tuple[str, str, Any]]], ...] = (
    ("scores-of-bytes", "scores that are bytes", [_TOKENS, ("tokenizer.ggml.scores", "array", GgufArray("u8", [0] * 100))]),
    ("scores-of-halves", "scores of 16 bits", [_TOKENS, ("tokenizer.ggml.scores", "array", GgufArray("i16", [0] * 100))]),
    ("scores-few", "fewer scores than tokens", [_TOKENS, ("tokenizer.ggml.scores", "array", GgufArray("f32", [0.0] * 3))]),
    ("types-of-bytes", "types of tokens that are bytes", [_TOKENS, ("tokenizer.ggml.token_type", "array", GgufArray("u8", [1] * 100))]),
    ("types-few", "fewer types than tokens", [_TOKENS, ("tokenizer.ggml.token_type", "array", GgufArray("i32", [1] * 99))]),
    ("types-before-tokens", "the same with the tokens behind", [("tokenizer.ggml.token_type", "array", GgufArray("i32", [1] * 99)), _TOKENS]),
    ("tokens-of-numbers", "tokens that are numbers", [("tokenizer.ggml.tokens", "array", GgufArray("u32", [1, 2, 3]))]),
    ("merges-of-numbers", "merges that are numbers", [_TOKENS, ("tokenizer.ggml.merges", "array", GgufArray("u32", [1, 2, 3]))]),
    ("tokens-one", "one text in the place of the tokens", [("tokenizer.ggml.tokens", "string", "abc")]),
    ("suppressed-of-bytes", "suppressed tokens that are bytes", [_TOKENS, ("tokenizer.ggml.suppress_tokens", "array", GgufArray("u8", [1]))]),
    ("charsmap-wide", "a table of characters of 32 bits", [("tokenizer.ggml.precompiled_charsmap", "array", GgufArray("u32", [1]))]),
    ("architecture-number", "an architecture that is a number", [("general.architecture", "u32", 1)]),
    ("alignment-wide", "an alignment of 64 bits", [("general.alignment", "u64", 32)]),
    ("alignment-odd", "an alignment that is no power of two", [("general.alignment", "u32", 24)]),
    ("vocabulary-absurd", "a vocabulary of two thousand million words", [("llama.vocab_size", "u32", 2**31)]),
    ("path", "a key that is a path out of a folder", [("../../etc/passwd", "string", "root")]),
)  # fmt: skip
_ORDINARY: tuple[tuple[str, str, list[tuple[str, str, Any]]], ...] = (
    ("ordinary", "a tokenizer as converters write it", [_TOKENS, ("tokenizer.ggml.scores", "array", GgufArray("f32", [0.0] * 100)), ("tokenizer.ggml.token_type", "array", GgufArray("i32", [1] * 100)), ("tokenizer.ggml.merges", "array", GgufArray("string", ["a b"] * 70)), ("general.alignment", "u32", 32), ("llama.vocab_size", "u32", 100), ("general.tags", "array", GgufArray("string", ["x"]))]),
    ("unsigned", "types of tokens without a sign", [_TOKENS, ("tokenizer.ggml.token_type", "array", GgufArray("u32", [1] * 100))]),
    ("charsmap", "a table of characters", [_TOKENS, ("tokenizer.ggml.precompiled_charsmap", "array", GgufArray("u8", [1] * 9))]),
    ("no-tokens", "no tokenizer", [("llama.vocab_size", "u32", 262144), ("llama.block_count", "u32", 4)]),
)  # fmt: skip


def _case(name: str, technique: str, keys: list[tuple[str, str, Any]], decision: Literal["admit", "review"]) -> Case:
    first = [] if any(key == "general.architecture" for key, _, _ in keys) else [_ARCHITECTURE]
    rules = frozenset({"gguf/header-lies"}) if decision == "review" else frozenset[str]()
    return Case(
        f"gguf-keys/{name}", technique, lambda: gguf([*first, *keys]), decision, rules, ("gguf",), name="model.gguf"
    )


CASES: tuple[Case, ...] = (
    *(_case(name, what, keys, "review") for name, what, keys in _LYING),
    *(_case(name, what, keys, "admit") for name, what, keys in _ORDINARY),
)
