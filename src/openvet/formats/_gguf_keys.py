"""Keys of a GGUF file whose values a reader in C takes without asking: their types and lengths have to be what it expects.

llama.cpp takes ``tokenizer.ggml.scores`` for as many floats as there are tokens, and ``token_type`` for as many whole numbers of 32
bits. An array of bytes, or one that is shorter than the vocabulary, makes it read behind the end of what it allocated.

Sources: https://github.com/ggml-org/llama.cpp/pull/26690 , https://github.com/ggml-org/llama.cpp/pull/20735 ;
https://github.com/ggml-org/ggml/blob/master/docs/gguf.md ; CWE-125, CWE-843.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

__all__ = ["key_lies"]

_U8, _I8, _U32, _I32, _F32, _STRING, _ARRAY = 0, 1, 4, 5, 6, 8, 9
_TOKENS: Final = "tokenizer.ggml.tokens"
#: The types of items that readers of these arrays take for granted.
_ITEMS: Final[dict[str, tuple[int, ...]]] = {
    _TOKENS: (_STRING,),
    "tokenizer.ggml.merges": (_STRING,),
    "tokenizer.ggml.scores": (_F32,),
    "tokenizer.ggml.token_type": (_I32, _U32),
    "tokenizer.ggml.suppress_tokens": (_I32, _U32),
    "tokenizer.ggml.precompiled_charsmap": (_U8, _I8),
    "general.tags": (_STRING,),
    "general.languages": (_STRING,),
}
#: These have an item for each token.
_FOR_EACH_TOKEN: Final = ("tokenizer.ggml.scores", "tokenizer.ggml.token_type")
#: The types of single values.
_SINGLE: Final[dict[str, tuple[int, ...]]] = {
    "general.architecture": (_STRING,),
    "general.alignment": (_U32,),
    "tokenizer.ggml.model": (_STRING,),
    "tokenizer.ggml.pre": (_STRING,),
}
#: More words than any vocabulary has by a factor of a hundred.
_MOST_WORDS: Final = 1 << 26


def key_lies(
    kinds: Mapping[str, int], arrays: Mapping[str, tuple[int, int]], metadata: Mapping[str, object]
) -> Iterator[tuple[str, str, str]]:
    """Each key that is not what readers take it for: the lie in a word, a sentence, and the key.

    Args:
        kinds: the type of each well-known key, as its number in the format.
        arrays: the type and the number of the items of each array.
        metadata: the values, as far as they are kept.
    """
    for key, kind in kinds.items():
        if key in _ITEMS and kind != _ARRAY:
            yield "key-type", f"{key} is no array", key
        elif key in _SINGLE and kind not in _SINGLE[key]:
            yield "key-type", f"{key} is of the type {kind}, which its readers do not expect", key
    words = arrays.get(_TOKENS, (_STRING, 0))[1]
    for key, (kind, count) in arrays.items():
        if key in _ITEMS and kind not in _ITEMS[key]:
            yield (
                "item-type",
                f"{key} holds items of the type {kind}: readers take them for others, and read beyond them",
                key,
            )
        elif key in _FOR_EACH_TOKEN and count < words:
            yield "item-count", f"{key} has {count} items for {words} tokens: readers read beyond its end", key
    for key, value in metadata.items():
        if key.endswith(".vocab_size") and isinstance(value, int | str) and _number(value) > _MOST_WORDS:
            yield "vocabulary", f"{key} is {value}: readers allocate as many words", key


def _number(value: int | str) -> int:
    return value if isinstance(value, int) else int(value) if value.isdecimal() and len(value) < 30 else 0
