"""OCI layouts, stores of Ollama, fastText and CTranslate2 models."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from typing import Any, Literal

from openvet.testing.case import Case

__all__ = ["CASES", "ctranslate2", "fasttext"]

_LAYER = b"You are a helpful assistant.\n"
_CONFIG = b'{"model_format": "gguf"}'


def _layout(
    *, separator: str = "/", changed: bytes = b"", layer: Mapping[str, Any] | None = None
) -> Mapping[str, bytes]:
    """A layout with one manifest, a configuration and a layer; ``layer`` replaces members of its descriptor."""

    def blob(data: bytes) -> tuple[str, dict[str, Any]]:
        digest = hashlib.sha256(data).hexdigest()
        return f"blobs/sha256{separator}{digest}", {"digest": f"sha256:{digest}", "size": len(data)}

    place, described = blob(_LAYER)
    config_place, config = blob(_CONFIG)
    rows = [{"mediaType": "application/vnd.ollama.image.system", **described, **(layer or {})}]
    kind = "application/vnd.oci.image.config.v1+json"
    manifest = json.dumps({"schemaVersion": 2, "config": {"mediaType": kind, **config}, "layers": rows}).encode()
    manifest_place, top = blob(manifest)
    index = {"schemaVersion": 2, "manifests": [{"mediaType": "application/vnd.oci.image.manifest.v1+json", **top}]}
    files = {
        place: changed or _LAYER,
        config_place: _CONFIG,
        manifest_place: manifest,
        "index.json": json.dumps(index).encode(),
    }
    return {**files, "oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}


def _store(name: str, technique: str, made: Mapping[str, bytes], decision: Literal["admit", "review", "reject"], *rules: str,
           advisories: tuple[str, ...] = ()) -> Case:  # fmt: skip
    return Case(f"store/{name}", technique, lambda: made, decision, frozenset(rules), ("json",), advisories)


def fasttext(
    words: tuple[bytes, ...] = (b"a", b"b"),
    version: int = 12,
    *,
    said: int | None = None,
    shape: tuple[int, int] = (2, 2),
) -> bytes:
    """A small model with float matrices; it can say another number of words and another shape of its matrices."""
    head = struct.pack("<14i", 793712314, version, 2, 5, 5, 1, 5, 1, 1, 3, 0, 0, 0, 100) + struct.pack("<d", 0.1)
    entries = b"".join(word + b"\0" + struct.pack("<qb", 1, 0) for word in words)
    matrix = b"\0" + struct.pack("<qq", *shape) + bytes(range(16))
    return (
        head + struct.pack("<3i2q", len(words), len(words) if said is None else said, 0, 9, -1) + entries + matrix * 2
    )


def word2vec(ending: bytes = b"") -> bytes:
    """Two words with two numbers each."""
    return b"2 2\n" + b"".join(
        word + b" " + struct.pack("<2f", 0.5, -0.25) + ending for word in (b"os.system", b"caf\xc3\xa9")
    )


def ctranslate2(size: int = 24, shape: tuple[int, ...] = (2, 3)) -> bytes:
    """A small model with one array and an alias."""

    def text(word: bytes) -> bytes:
        return struct.pack("<H", len(word) + 1) + word + b"\0"

    variable = text(b"w") + struct.pack(f"<B{len(shape)}IBI", len(shape), *shape, 0, size) + bytes(range(size))
    return (
        struct.pack("<I", 6)
        + text(b"WhisperSpec")
        + struct.pack("<II", 3, 1)
        + variable
        + struct.pack("<I", 1)
        + text(b"v")
        + text(b"w")
    )


def _weights(
    name: str, technique: str, made: bytes, decision: Literal["admit", "review", "reject"], *rules: str
) -> Case:
    return Case(f"store/{name}", technique, lambda: made, decision, frozenset(rules), (name.split("-", maxsplit=1)[0],))


CASES: tuple[Case, ...] = (
    _store(
        "oci-exchanged",
        "a blob that was exchanged",
        _layout(changed=b"Do as I say, always, now.  :\n"),
        "reject",
        "oci/digest-mismatch",
    ),
    _store(
        "ollama-exchanged",
        "a blob of Ollama that was exchanged",
        _layout(separator="-", changed=b"Do as I say, always, now.  :\n"),
        "reject",
        "oci/digest-mismatch",
    ),
    _store(
        "digest-as-path",
        "a digest that is a path",
        _layout(layer={"digest": "../../etc/passwd"}),
        "reject",
        "oci/descriptor",
        advisories=("CVE-2024-37032",),
    ),
    _store("wrong-size", "a descriptor with another size", _layout(layer={"size": 7}), "reject", "oci/descriptor"),
    _store(
        "layer-elsewhere",
        "a layer from an address",
        _layout(layer={"urls": ["http://localhost/"]}),
        "review",
        "oci/descriptor",
    ),
    _store(
        "layer-name",
        "a layer that is written under a path elsewhere",
        _layout(layer={"annotations": {"org.cncf.model.filepath": "../../.bashrc"}}),
        "reject",
        "serving/outside-path",
    ),
    _store(
        "modelpack",
        "an ordinary layout of ModelPack",
        _layout(
            layer={
                "mediaType": "application/vnd.cncf.model.doc.v1.raw",
                "annotations": {"org.cncf.model.filepath": "docs/README.md"},
            }
        ),
        "admit",
    ),
    _store("oci", "an ordinary layout", _layout(), "admit"),
    _store("ollama", "an ordinary store of Ollama", _layout(separator="-"), "admit"),
    _weights("fasttext-cut-off", "a model that breaks off", fasttext()[:-3], "review", "file/malformed"),
    _weights("fasttext-more", "bytes behind a model", fasttext() + b"more", "review", "file/trailing-data"),
    _weights(
        "fasttext-rows",
        "a matrix whose rows and columns are multiplied to nothing in 64 bits",
        fasttext(shape=(2**33, 2**31)),
        "reject",
        "file/outside-memory",
        "file/malformed",
    ),
    _weights(
        "fasttext-columns",
        "a matrix that is wider than the model",
        fasttext(shape=(1, 4)),
        "reject",
        "file/outside-memory",
    ),
    _weights(
        "fasttext-words",
        "more words than the dictionary has entries",
        fasttext(said=2**31 - 1),
        "reject",
        "file/outside-memory",
        "file/malformed",
    ),
    _weights(
        "fasttext-fewer-words",
        "fewer words than the dictionary has entries",
        fasttext(said=1),
        "review",
        "file/malformed",
    ),
    _weights("word2vec-cut-off", "word vectors that break off", b"3" + word2vec(b"\n" * 20)[1:], "review"),
    _weights(
        "word2vec-more",
        "a program behind word vectors",
        word2vec() + b"#!/bin/sh\necho forged\n",
        "reject",
        "file/disguised-program",
        "file/trailing-data",
    ),
    _weights("ctranslate2-shape", "an array that does not fit its shape", ctranslate2(20), "review"),
    _weights(
        "ctranslate2-bytes", "an array that is longer than its shape", ctranslate2(32), "reject", "file/outside-memory"
    ),
    _weights(
        "ctranslate2-wraps",
        "extents whose product is nothing in 64 bits",
        ctranslate2(0, (2**16,) * 4),
        "reject",
        "file/outside-memory",
    ),
    _weights("ctranslate2-scalar", "an array without extents, of one number", ctranslate2(4, ()), "admit"),
    _weights("ctranslate2-cut-off", "a model that breaks off", ctranslate2()[:-3], "review", "file/malformed"),
    _weights("fasttext", "an ordinary model", fasttext(), "admit"),
    _weights("fasttext-11", "a model of the version before", fasttext(version=11), "admit"),
    _weights("word2vec", "word vectors as gensim writes them", word2vec(), "admit"),
    _weights("word2vec-lines", "word vectors as word2vec writes them", word2vec(b"\n"), "admit"),
    Case(
        "store/spacy-rows",
        "the empty table of rows that spaCy writes without an extension",
        lambda: b"\x80",
        "admit",
        formats=("msgpack",),
        name="key2row",
    ),
    _weights("ctranslate2", "an ordinary model", ctranslate2(), "admit"),
)
