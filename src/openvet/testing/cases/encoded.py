"""Pickles that are written as text, in every spelling and in every kind of text; and digits, digests and pictures that are none."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Callable
from functools import partial

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_tensors import GgufArray, gguf, safetensors

__all__ = ["CASES"]

_CALL = Call(Name("os", "system"), ("echo forged",))
_EVIL, _OLD = dump(_CALL, 4), dump(_CALL, 0)
_DATA = dump({"means": [0.5, 1.5], "names": ["a", "b"]}, 4)
_LONG = dump({"notes": "word " * 100, "call": _CALL}, 4)


def _text(raw: bytes) -> str:
    return raw.decode("ascii")


_SPELLINGS: dict[str, Callable[[bytes], str]] = {
    "base64": lambda raw: _text(base64.b64encode(raw)),
    "base64-urlsafe": lambda raw: _text(base64.urlsafe_b64encode(raw)).rstrip("="),
    "base64-zlib": lambda raw: _text(base64.b64encode(zlib.compress(raw))),
    "base32": lambda raw: _text(base64.b32encode(raw)),
    "base85": lambda raw: _text(base64.b85encode(raw)),
    "ascii85": lambda raw: _text(base64.a85encode(raw)),
    "hexadecimal": bytes.hex,
    "escapes": lambda raw: repr(raw)[2:-1],
}
_PLACES: dict[str, tuple[str, Callable[[str], str]]] = {
    "json": ("settings.json", lambda text: json.dumps({"model": "small", "state": text})),
    "json-escaped": (
        "settings.json",
        lambda text: '{"state": "' + "".join(f"\\u{ord(each):04x}" for each in text) + '"}',
    ),
    "yaml": ("settings.yaml", lambda text: f"model: small\nstate: {json.dumps(text)}\n"),
    "toml": ("settings.toml", lambda text: f"[model]\nstate = {json.dumps(text)}\n"),
    "csv": ("state.csv", lambda text: f'name,state\nsmall,"{text}"\n'),
    "front-matter": ("README.md", lambda text: f"---\nlicense: mit\nstate: {json.dumps(text)}\n---\n# A model\n"),
    "text": ("state.txt", lambda text: f"state: {text}\n"),
}


def _bytes(write: Callable[[str], str], text: str) -> bytes:
    return write(text).encode("utf-8")


def _case(name: str, technique: str, file: str, forge: Callable[[], bytes], *rules: str, hostile: bool = True) -> Case:
    rules = rules or (("pickle/runs-process",) if hostile else ())
    return Case(f"encoded/{name}", technique, forge, "reject" if hostile else "admit", frozenset(rules), (), (), file)


def _everywhere(raw: bytes, spelling: str, what: str, *, hostile: bool) -> tuple[Case, ...]:
    text = _SPELLINGS[spelling](raw)
    name = "" if hostile else "harmless-"
    return tuple(
        _case(
            f"{name}{spelling}-in-{place}",
            f"{what} in {spelling} in {file}",
            file,
            partial(_bytes, write, text),
            hostile=hostile,
        )
        for place, (file, write) in _PLACES.items()
        if spelling in ("base64", "hexadecimal") or place == "text" or (place == "json" and spelling != "ascii85")
    )


_HOSTILE = (
    *(case for spelling in _SPELLINGS for case in _everywhere(_EVIL, spelling, "a pickle that starts a process", hostile=True)),
    *(_case(f"protocol-0-{spelling}", f"a pickle of protocol 0 in {spelling}", "settings.json",
            partial(_bytes, _PLACES["json"][1], _SPELLINGS[spelling](_OLD)))
      for spelling in ("base64", "base32", "base85", "hexadecimal")),
    _case("padded", "a pickle without a head that begins with a value that it drops", "a.txt",
          lambda: base64.b64encode(b"N0" + _OLD)),
    _case("lines-in-json", "base64 with line ends, as Python's encoder writes it, in JSON", "settings.json",
          lambda: json.dumps({"state": _text(base64.encodebytes(_LONG))}).encode()),
    _case("lines-in-yaml", "base64 as a block of YAML", "settings.yaml",
          lambda: b"state: |\n" + b"".join(b"  " + line + b"\n" for line in base64.encodebytes(_LONG).split())),
    _case("behind-digests", "base64 on the line behind a digest", "a.txt",
          lambda: hashlib.sha256(b"a").hexdigest().encode() + b"\n" + base64.b64encode(_EVIL) + b"\n"),
    _case("as-it-is-in-json", "a pickle of protocol 0 as a text in JSON", "settings.json",
          lambda: json.dumps({"state": _text(_OLD)}).encode()),
    _case("as-it-is-in-yaml", "a pickle of protocol 0 as a text in YAML", "settings.yaml",
          f"state: {json.dumps(_text(_OLD))}\n".encode),
    _case("latin-1-in-json", "a pickle of protocol 4 in JSON, each byte a character", "settings.json",
          lambda: json.dumps({"state": _EVIL.decode("latin-1")}).encode()),
    _case("key-of-json", "a pickle of protocol 0 as a key in JSON", "settings.json",
          lambda: json.dumps({_text(_OLD): 1}).encode()),
    _case("python", "base64 in Python source that does nothing with it", "state.py",
          lambda: b'STATE = "' + base64.b64encode(_EVIL) + b'"\n'),
    _case("utf-16", "base64 in JSON in UTF-16", "settings.json",
          lambda: json.dumps({"state": _text(base64.b64encode(_EVIL))}).encode("utf-16")),
    _case("safetensors", "base64 in the metadata of safetensors", "model.safetensors",
          lambda: safetensors({"a": ("F32", (1,))}, {"format": "pt", "state": _text(base64.b64encode(_EVIL))}),
          "pickle/runs-process", "file/hidden-program"),
    _case("gguf", "base64 in a key of GGUF, behind other words", "model.gguf",
          lambda: gguf((("general.name", "string", "small " + _text(base64.b64encode(_EVIL))),))),
)  # fmt: skip
_HARMLESS = (
    *(case for spelling in ("base64", "hexadecimal") for case in _everywhere(_DATA, spelling, "plain data", hostile=False)),
    _case("digests", "two thousand digests", "digests.json",
          lambda: json.dumps({str(i): hashlib.sha256(b"%d" % i).hexdigest() for i in range(2000)}).encode(), hostile=False),
    _case("digest-lines", "digests on lines of their own", "SHA256SUMS",
          lambda: b"".join(b"%s  part-%d\n" % (hashlib.sha256(b"%d" % i).hexdigest().encode(), i) for i in range(2000)),
          hostile=False),
    _case("tiktoken", "a vocabulary of base64 tokens, long ones as well", "cl100k.tiktoken",
          lambda: b"".join(b"%s %d\n" % (base64.b64encode(hashlib.sha512(b"%d" % i).digest()[: i % 60 + 1]), i)
                           for i in range(3000)), hostile=False),
    _case("picture", "a picture as base64 in JSON", "page.json",
          lambda: json.dumps({"image/png": _text(base64.b64encode(b"\x89PNG\r\n\x1a\n" + hashlib.sha512(b"x").digest() * 20))}
                             ).encode(), hostile=False),
    _case("names-of-modules", "prose that lists modules and functions by line", "notes.md",
          lambda: b"# Notes\n\nNever unpickle this:\n\n    cos\n    system\n    (S'echo'\n    tR.\n\nbecause it runs.\n",
          hostile=False),
    _case("list-of-words", "words by line in one text of JSON", "words.json",
          lambda: json.dumps({"words": "cat\ndog\nitem\nname\n" * 50}).encode(), hostile=False),
)  # fmt: skip

_LINES = b"A line of words that says nothing.\n" * 20
_ARGUMENT = b"(S'echo forged'\n"
#: Pickles of the oldest protocols as they are, in the middle of a text.
_STANDING: dict[str, tuple[str, bytes]] = {
    "global": ("a call", b"cos\nsystem\n" + _ARGUMENT + b"tR."),
    "inst": ("a call by INST, whose arguments come first", _ARGUMENT + b"ios\nsystem\n."),
    "memo": ("a call whose arguments are kept in the memo before it", _ARGUMENT + b"p0\ntp1\n0cos\nsystem\ng1\nR."),
    "broken": ("a call in a pickle that breaks off behind it", b"cos\nsystem\n" + _ARGUMENT + b"tR and on"),
    "in-a-list": ("a call within a list", b"(lp0\ncos\nsystem\n" + _ARGUMENT + b"tRa."),
    "of-a-library": ("a call of a function of a library", b"ctorch.hub\nload\n(S'a/b'\nS'c'\ntR."),
}
_BROKEN = ("pickle/runs-process", "pickle/broken-stream")


def _standing(name: str) -> tuple[str, ...]:
    return {"broken": _BROKEN, "of-a-library": ("pickle/opens-network",)}.get(name, ("pickle/runs-process",))


def _in_lines(raw: bytes) -> bytes:
    return _LINES + raw + b"\n" + _LINES


_IN_THE_MIDDLE = (
    *(
        _case(f"standing-{name}", f"{what}, as it is in the middle of a text", "notes.txt", partial(_in_lines, raw), *_standing(name))
        for name, (what, raw) in _STANDING.items()
    ),
    *(
        _case(f"standing-in-{file.rpartition('.')[2]}", "a pickle of protocol 0, as it is, in a file of another kind", file,
              partial(_in_lines, b"state: " + _STANDING["global"][1]))
        for file in ("README.md", "table.csv", "notes.ini", "notes.tex")
    ),
    _case("standing-line-ends", "the same with the line ends of Windows", "notes.txt",
          lambda: _in_lines(_STANDING["global"][1]).replace(b"\n", b"\r\n")),
    _case("standing-far", "the same across the parts that a long text is read in", "notes.txt",
          lambda: b"word\n" * 13_105 + _STANDING["global"][1] + b"\n" + b"word\n" * 20_000),
    _case("standing-in-json", "the same within a text of JSON", "settings.json",
          lambda: json.dumps({"state": "words and " + _text(_STANDING["global"][1]) + " words"}).encode()),
    _case("standing-in-rows", "prompts of a data set about attacks, one of which is a pickle and one a template", "train.jsonl",
          lambda: "".join(json.dumps({"prompt": each, "label": 1}) + "\n" for each in (
              _text(_STANDING["global"][1]), "{{ config.__class__ }}", "import os; os.system('echo hello')")).encode(), hostile=False),
    _case("standing-in-lines", "the same as lines of a list in JSON", "settings.json",
          lambda: json.dumps({"state": ["words", *_text(_STANDING["global"][1]).split("\n"), "words"]}).encode()),
    _case("standing-in-a-cell", "the same as the lines of a text in JSON", "settings.json",
          lambda: json.dumps({"source": _text(_STANDING["inst"][1]).splitlines(keepends=True)}).encode()),
    _case("import-then-broken", "a loader imports what runs processes, and then fails", "payload.bin",
          lambda: b"cposix\nsystem\n#\n(S'echo forged'\ntR.", "pickle/carried-code", "pickle/broken-stream"),
    _case("words-of-mathematics", "a list of words that begins as an import of a pickle would", "words.bin",
          lambda: b"cos\nsin\ntan\nsqrt\n", hostile=False),
    _case("rows-of-a-picture", "rows of a picture that begin as a pickle may", "picture.json",
          lambda: json.dumps({"rows": [[(7 * i + j * j) % 90 + 32 if j else 99 + i % 2 * 29 for j in range(99)] for i in range(3000)]}).encode(),
          hostile=False),
    _case("standing-in-python", "a pickle of protocol 1 in a literal of Python that nothing uses", "state.py",
          lambda: b"STATE = " + repr(dump(_CALL, 1)).encode() + b"\n"),
    _case("numbers", "the bytes of a pickle as numbers in JSON", "settings.json", lambda: json.dumps({"state": list(_EVIL)}).encode()),
    _case("numbers-signed", "the same as signed numbers, in a line of JSON", "notes.jsonl",
          lambda: b'{"a": 1}\n' + json.dumps({"state": [each - 256 if each > 127 else each for each in _EVIL]}).encode() + b"\n"),
    _case("numbers-old", "the same of protocol 0, in YAML", "settings.yaml", lambda: json.dumps({"state": list(_OLD)}).encode()),
    _case("pieces", "base64 in pieces of a list", "settings.json",
          lambda: json.dumps({"state": [_text(base64.b64encode(_EVIL))[at : at + 16] for at in range(0, 90, 16)]}).encode()),
    _case("gguf-among-many", "base64 in one of a hundred texts of GGUF", "model.gguf",
          lambda: gguf((("tool.state", "array", GgufArray("string", ["pad"] * 99 + [_text(base64.b64encode(_EVIL))])),)),
          "pickle/runs-process", "file/hidden-program"),
    _case("gguf-bytes", "a pickle as bytes of an array of GGUF", "model.gguf",
          lambda: gguf((("tool.state", "array", GgufArray("u8", _EVIL)),))),
    _case("lists-of-numbers", "lists of numbers that begin as a pickle does", "settings.json",
          lambda: json.dumps({"ids": [128, 4, *range(40)], "sizes": [99, 111] * 20, "counts": [128] * 64}).encode(), hostile=False),
    _case("lists-of-words", "lists of words that begin as base64 of a pickle does", "settings.json",
          lambda: json.dumps({"names": ["gAll", "gA", "words"] * 20}).encode(), hostile=False),
    _case("words-like-names", "a vocabulary in which every word might begin the name of a module of Python", "vocab.txt",
          lambda: b"cos\ncre\ncast\nicode\nci\ncsite\ncabc\n(\n)\nbe\n.\ncos\nsystem\nthe\n" * 200, hostile=False),
    _case("prose-on-pickles", "prose that shows the lines of a call, indented", "notes.txt",
          lambda: _in_lines(b"    cos\n    system\n    (S'echo'\n    tR.\n"), hostile=False),
    _case("standing-data", "a harmless pickle of protocol 0 in the middle of a text", "notes.txt",
          lambda: _in_lines(dump({"a": [1, 2.5], "b": "text"}, 0)), hostile=False),
)  # fmt: skip

CASES: tuple[Case, ...] = (*_HOSTILE, *_HARMLESS, *_IN_THE_MIDDLE)
