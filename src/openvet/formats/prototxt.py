"""Caffe networks as text: ``.prototxt``.

Protocol buffers in their text form::

    name: "net"
    layer { name: "roi" type: "Python" python_param { module: "rpn.proposal" layer: "ProposalLayer" } }

A layer of the type ``Python`` names a module and a class, which Caffe imports and makes when it builds the network.

Specification: https://protobuf.dev/reference/protobuf/textformat-spec/ ; ``src/caffe/proto/caffe.proto``
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from openvet.core.text import printable, shorten
from openvet.errors import LimitError, MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="prototxt",
    title="Caffe network as text",
    extensions=(".prototxt", ".pbtxt"),
    media_types=(),
    can_tell=("every layer with its type", "classes of Python that layers name"),
    cannot_tell=("what a class of Python does", "where the data of training come from"),
    refines=("text",),
)

_TOKEN = re.compile(
    r"""[\s,;]+|\#[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[A-Za-z_][A-Za-z0-9_.]*|\[[A-Za-z0-9_./]+\](?=\s*[:{<])|[-+]?[0-9.][A-Za-z0-9.+_-]*|[{}<>\[\]:-]"""
)
_LAYER = re.compile(rb"^\s*layers?\s*:?\s*\{", re.MULTILINE)
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)", re.DOTALL)


def probe(head: Head) -> Likeness:
    """Text with a line that opens a layer."""
    from openvet.formats._decode import is_text

    named = head.suffix in FORMAT.extensions
    return Likeness.WEAK if named and _LAYER.search(head.data) and is_text(head) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk every token; keep the types of the layers and what they call.

    Raises:
        MalformedError: is no text of a protocol buffer.
        LimitError: longer or deeper than is read.
    """
    from openvet.formats._decode import read_text
    from openvet.formats._secrets import scan_text

    text = read_text(source, facts)
    scan_text(text, facts)
    layers: Counter[str] = Counter()
    python: list[dict[str, Any]] = []
    path: list[str] = []
    frames: list[dict[str, str]] = [{}]
    name = ""
    valued = False
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise MalformedError("is no text of a protocol buffer", offset=len(text[:at].encode("utf-8", "replace")))
        token, begin, at = match[0], at, match.end()
        if token[0].isspace() or token[0] in "#,;":
            continue
        if token in {"{", "<"}:
            path.append(name)
            frames.append({})
            if len(path) > facts.limits.nesting:
                raise LimitError("nesting", facts.limits.nesting, "messages are nested too deeply")
            valued = False
        elif token in {"}", ">"}:
            if not path:
                raise MalformedError("closes a message that was not opened", offset=begin)
            _close(
                path.pop(),
                frames.pop(),
                layers,
                python,
                text.count("\n", 0, begin) + 1 if "python_param" in name else 0,
                facts,
            )
            valued = False
        elif token == ":":
            valued = True
        elif valued or token[0] in "\"'":
            value = _string(token) if token[0] in "\"'" else token
            frames[-1][name] = frames[-1].get(name, "") + value if token[0] in "\"'" and not valued else value
            valued = token == "["
        else:
            name = token
    if path:
        raise MalformedError("ends inside a message", offset=source.size)
    facts.note("layers", {printable(shorten(key, 200)): count for key, count in sorted(layers.items())[:5000]})
    if python:
        facts.note("python_layers", python)


def _close(
    kind: str, frame: dict[str, str], layers: Counter[str], python: list[dict[str, Any]], line: int, facts: Facts
) -> None:
    """A message ends: a layer, or what a layer calls."""
    if kind in {"layer", "layers"} and "type" in frame:
        layers[frame["type"]] += 1
    if kind == "python_param" and len(python) < facts.limits.records:
        texts = {key: printable(shorten(frame.get(key, ""), 200)) for key in ("module", "layer")}
        python.append({**texts, "line": line or None})


def _string(token: str) -> str:
    def plain(match: re.Match[str]) -> str:
        escape = match[1]
        if escape[0] == "x":
            return chr(int(escape[1:], 16))
        if escape[0] in "01234567":
            return chr(int(escape, 8) & 255)
        return {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}.get(escape, escape)

    return _ESCAPE.sub(plain, token[1:-1])
