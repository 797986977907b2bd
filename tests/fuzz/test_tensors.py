"""Readers of tensor files and inert kinds meet changed bytes: only errors of our own, bounded results, no waiting."""

from __future__ import annotations

import importlib
import os
import random
import struct
import time

import pytest

from openvet.core.limits import Budget, Limits
from openvet.errors import ReadError
from openvet.formats import known
from openvet.formats._format import Facts, Head
from openvet.io.source import BytesSource
from openvet.testing import forge_media as media
from openvet.testing.forge_tensors import GgufArray, GgufTensor, gguf, npy, safetensors, sentencepiece

EXAMPLES = int(os.environ.get("OPENVET_FUZZ_EXAMPLES", "150"))

GGUF_KEYS = [
    ("general.architecture", "string", "llama"),
    ("general.alignment", "u32", 32),
    ("tokenizer.chat_template", "string", "{{ messages }}"),
    ("tokenizer.ggml.tokens", "array", GgufArray("string", [f"t{n}" for n in range(80)])),
    ("a.nested", "array", GgufArray("array", [GgufArray("u8", [1]), GgufArray("f32", [1.0])])),
]
GGUF_TENSORS = [GgufTensor("a", (32, 3), 2, size=54), GgufTensor("b", (5,), 0, size=20)]
STRUCTURED = "{'descr': [('a', '<f4', (2,)), ('b', '|O')], 'fortran_order': False, 'shape': (2,)}"

SEEDS: list[tuple[str, bytes]] = [
    ("safetensors", safetensors({"a": ("F32", [2, 3]), "é": ("BF16", [])}, {"format": "pt"})),
    ("safetensors", b"\x30\0\0\0\0\0\0\0" + b'{ "a" : {"shape":[1], "dtype":"U8","data_offsets":[0,1]}}x'),
    ("gguf", gguf(GGUF_KEYS, GGUF_TENSORS)),
    ("gguf", gguf(GGUF_KEYS, GGUF_TENSORS, version=1)),
    ("gguf", gguf(GGUF_KEYS, GGUF_TENSORS, order=">")),
    ("npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", bytes(24))),
    ("npy", npy(STRUCTURED, b"\x80\x02N.", version=3)),
    ("sentencepiece", sentencepiece(["<unk>", "<s>", "</s>", "▁a"], b"abc")),
    ("png", media.png()),
    ("gif", media.gif()),
    ("jpeg", media.jpeg()),
    ("webp", media.webp()),
    ("wav", media.wav()),
    ("ogg", media.ogg()),
    ("mp3", media.mp3(2)),
    ("pdf", media.pdf(b"/J#53", hidden=b"<< /S /GoTo >>")),
    ("text", "plain text, grüße\n".encode() * 20),
    ("text", "plain text".encode("utf-16")),
    ("lfs", b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"ab" * 32 + b"\nsize 12\n"),
]
INTERESTING = [0, 1, 0x7F, 0x80, 0xFF]
NUMBERS = [0, 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1]


def change(chance: random.Random, data: bytes) -> bytes:
    """``data`` with one to four changes: a byte, a number, a cut, a repetition, an insertion."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(out) + 1)
        kind = chance.randrange(6)
        if kind == 0 and at < len(out):
            out[at] = chance.choice(INTERESTING)
        elif kind == 1 and at < len(out):
            out[at] ^= 1 << chance.randrange(8)
        elif kind == 2:
            code = chance.choice(["<I", "<Q", ">I", ">Q"])
            number = chance.choice(NUMBERS) & (2**32 - 1 if code[1] == "I" else 2**64 - 1)
            out[at : at + struct.calcsize(code)] = struct.pack(code, number)
        elif kind == 3:
            del out[at:]
        elif kind == 4:
            end = min(at + chance.randrange(64), len(out))
            out[at:at] = out[at:end]
        else:
            out[at:at] = bytes(chance.choice(b"{}[]()\",:'\\0\n") for _ in range(chance.randrange(8)))
    return bytes(out)


@pytest.mark.parametrize("index", range(len(SEEDS)), ids=[f"{name}-{n}" for n, (name, _) in enumerate(SEEDS)])
def test_changed_bytes(index: int) -> None:
    name, seed = SEEDS[index]
    module = importlib.import_module(f"openvet.formats.{name}")
    chance = random.Random(index)
    limits = Limits(records=50, tensors=500, seconds=60)
    for _ in range(EXAMPLES):
        data = change(chance, seed)
        facts = Facts("x", "x", Budget(limits))
        source = BytesSource(data)
        started = time.process_time()
        try:
            module.probe(Head("x", source))
            module.read(source, facts)
        except ReadError:
            pass
        known.recognise(Head("x", source))
        assert time.process_time() - started < 5, data
        assert len(facts.anomalies) <= 50
        assert all(isinstance(each.message, str) and each.message.isprintable() for each in facts.anomalies), data
        assert all(each.message.isprintable() for each in facts.unknowns), data
        for tensor in facts.tensors:
            assert tensor.name.isprintable()
            assert all(extent >= 0 for extent in tensor.shape)
