"""Texts that cost more to parse than to write: JSON, YAML, XML, tables, lists, and what scans for patterns."""

from __future__ import annotations

import json
from collections.abc import Callable

__all__ = ["INPUTS"]

_MIB = 1 << 20


def _yaml_doubling() -> str:
    return "a0: &a0 [x]\n" + "".join(f"a{n + 1}: &a{n + 1} [*a{n}, *a{n}]\n" for n in range(100_000))


def _yaml_merges() -> str:
    first = "".join(f"k{n}: 1\n  " for n in range(1_000))
    return f"a0: &a0\n  {first}\n" + "".join(f"a{n + 1}: &a{n + 1}\n  <<: *a{n}\n  j{n}: 1\n" for n in range(20_000))


def _notebook() -> str:
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": 1, "source": ["import os\n", "!ls"]}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell] * 100_000})


def _template_list() -> str:
    return json.dumps({"chat_template": [{"name": f"t{n}", "template": "{{ ''.__class__ }}"} for n in range(50_000)]})


def _entities() -> str:
    lines = ['<!ENTITY e0 "aaaaaaaaaa">'] + [f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(10_000)]
    return '<?xml version="1.0"?><!DOCTYPE PMML [' + "\n".join(lines) + "]><PMML>&e10000;</PMML>"


def _long_key(inner: str, count: int) -> str:
    """A key of a megabyte above many values: each of them has a place."""
    return '{"' + "k" * 1_000_000 + '":[' + ",".join([inner] * count) + "]}"


def _lines(line: str, count: int) -> str:
    return "#!/bin/sh\n" + (line + "\n") * count


_FILES: dict[str, tuple[str, Callable[[], str]]] = {
    "JSON: 20 MB of brackets": ("a.json", lambda: "[" * (20 * _MIB)),
    "JSON: brackets in rows": ("a.json", lambda: "[" + ",".join(["[" * 190 + "]" * 190] * 70_000) + "]"),
    "JSON: 3 000 000 lists": ("a.json", lambda: "[" + ",".join(["[]"] * 8_000_000) + "]"),
    "JSON: 3 000 000 keys": ("a.json", lambda: "{" + ",".join(f'"{n}":{n}' for n in range(1_500_000)) + "}"),
    "JSON: one key": ("a.json", lambda: "{" + ",".join(['"a":1'] * 4_000_000) + "}"),
    "JSON: one text of 30 MB": ("a.json", lambda: '"' + "a" * (30 * _MIB) + '"'),
    "JSON: escapes": ("a.json", lambda: '["' + "\\u0041" * (5 * _MIB) + '"]'),
    "JSON: backslashes": ("a.json", lambda: '["' + "\\\\" * (14 * _MIB) + '"]'),
    "JSON: one number of 8 MB": ("a.json", lambda: "[" + "9" * (8 * _MIB) + "]"),
    "JSON: numbers of 4 000": ("a.json", lambda: "[" + ",".join(["9" * 4_000] * 7_000) + "]"),
    "JSON: blanks": ("a.json", lambda: "[" + " " * (30 * _MIB) + "1]"),
    "JSON: a word of 30 MB": ("a.json", lambda: '{"a": n' + "a" * (30 * _MIB)),
    "JSON: 100 000 callables": ("config.json", lambda: json.dumps([{"_target_": "os.system"}] * 300_000)),
    "JSON: 50 000 templates": ("tokenizer_config.json", _template_list),
    "JSON: tokenizer of 1 000 000": ("tokenizer.json", lambda: json.dumps(
        {"version": "1.0", "model": {"type": "BPE", "vocab": {f"t{n}": n for n in range(1_000_000)}, "merges": []}})),
    "JSON: a long key above objects": ("config.json", lambda: _long_key('{"a":{"_target_":"b.c"}}', 100_000)),
    "JSON: a long key above templates": ("tokenizer_config.json", lambda: _long_key('{"chat_template":"{{ a }}"}', 50_000)),
    "JSON: a long key above doubles": ("config.json", lambda: _long_key('{"a":1,"a":2}', 100_000)),
    "JSON: a long key above layers": ("config.json", lambda: '{"class_name":"Functional","config":{"layers":[{"module":"a",'
        '"class_name":"Lambda","config":' + _long_key('{"class_name":"Lambda","config":{"function":"a"}}', 50_000) + "}]}}"),
    "JSON lines": ("a.jsonl", lambda: '{"text": "a", "n": 1}\n' * 1_000_000),
    "safetensors index of 300 000": ("model.safetensors.index.json", lambda: json.dumps(
        {"metadata": {}, "weight_map": {f"t{n}": f"model-{n}.safetensors" for n in range(300_000)}})),
    "YAML: doubled anchors": ("a.yaml", _yaml_doubling),
    "YAML: merged keys": ("a.yaml", _yaml_merges),
    "YAML: a long key above objects": ("a.yaml", lambda: "? " + "k" * 1_000_000 + "\n: [" + "{_target_: os.system}," * 100_000 + "]"),
    "YAML: a long key above tags": ("a.yaml", lambda: "? " + "k" * 1_000_000 + "\n: [" + "!a x," * 100_000 + "]"),
    "YAML: brackets": ("a.yaml", lambda: "a: " + "[" * (8 * _MIB)),
    "YAML: brackets in rows": ("a.yaml", lambda: "".join("- " + "[" * 90 + "]" * 90 + "\n" for _ in range(30_000))),
    "YAML: list of 2 000 000": ("a.yaml", lambda: "- a\n" * 2_000_000),
    "YAML: list in one line": ("a.yaml", lambda: "a: [" + "a, " * 5_000_000 + "a]"),
    "YAML: dashes": ("a.yaml", lambda: "a:\n" + "- " * 5_000_000 + "a"),
    "YAML: keys in one line": ("a.yaml", lambda: "a: " * 3_000_000),
    "YAML: question marks": ("a.yaml", lambda: "a: b\n" + "? " * 3_000_000 + "a"),
    "YAML: deeper and deeper": ("a.yaml", lambda: "".join(" " * n + "a:\n" for n in range(5_000))),
    "YAML: one text of 20 MB": ("a.yaml", lambda: "a: " + "b c " * (5 * _MIB)),
    "YAML: quoted with escapes": ("a.yaml", lambda: 'a: "' + "\\x41" * (4 * _MIB) + '"'),
    "YAML: documents": ("a.yaml", lambda: "a: b\n" + "---\n" * 1_000_000),
    "YAML: tags": ("a.yaml", lambda: "".join(f"- !!python/object/apply:os.system{n} []\n" for n in range(100_000))),
    "YAML: comments": ("a.yaml", lambda: "a: b\n" + "#\n" * (8 * _MIB)),
    "YAML: blank lines": ("a.yaml", lambda: "a: b\n" + "\n" * (20 * _MIB) + "c: d\n"),
    "YAML: blanks behind a text": ("a.yaml", lambda: "a: b\n" + ("c: d" + " " * 100_000 + "\n") * 200),
    "Markdown: card of 20 MB": ("README.md", lambda: "---\nlicense: mit\n---\n" + "# a\n[b](c) `d`\n" * 1_000_000),
    "Markdown: card that never ends": ("README.md", lambda: "---\n" + "a: b\n" * 1_000_000),
    "XML: entities": ("a.pmml", _entities),
    "XML: attributes by default": ("a.pmml", lambda: "<!DOCTYPE PMML [<!ATTLIST PMML " + " ".join(
        f'a{n} CDATA "b"' for n in range(60_000)) + ">]><PMML>" + "<PMML/>" * 100_000 + "</PMML>"),
    "XML: deep": ("a.pmml", lambda: '<PMML version="4.4">' + "<Extension>" * 2_000_000),
    "XML: wide": ("a.pmml", lambda: '<PMML version="4.4">' + "<Extension/>" * 2_000_000 + "</PMML>"),
    "XML: attributes": ("a.pmml", lambda: "<PMML " + " ".join(f'a{n}="b"' for n in range(1_000_000)) + "/>"),
    "XML: one attribute of 20 MB": ("a.pmml", lambda: '<PMML a="' + "b" * (20 * _MIB) + '"/>'),
    "XML: a mark that never ends": ("a.pmml", lambda: "<PMML><" + "a" * (20 * _MIB)),
    "XML: a comment that never ends": ("a.pmml", lambda: "<PMML><!--" + "- " * (10 * _MIB)),
    "XML: references": ("a.pmml", lambda: '<!DOCTYPE PMML [<!ENTITY a "b">]><PMML>' + "&a;" * 5_000_000 + "</PMML>"),
    "SVG: handlers": ("a.svg", lambda: "<svg>" + '<a onload="x" href="javascript:x"/>' * 300_000 + "</svg>"),
    "notebook of 100 000 cells": ("a.ipynb", _notebook),
    "requirements: 1 000 000 lines": ("requirements.txt", lambda: "".join(f"p{n}==1.0\n" for n in range(1_000_000))),
    "requirements: one line of 20 MB": ("requirements.txt", lambda: "torch" + " ; a" * (5 * _MIB)),
    "requirements: lines that go on": ("requirements.txt", lambda: "torch \\\n" * (2 * _MIB)),
    "requirements: extras": ("requirements.txt", lambda: ("torch[" + "a," * 20_000 + "\n") * 400),
    "requirements: at": ("requirements.txt", lambda: "torch==1\n" + "@a" * 120_000 + "\n"),
    "requirements: dashes": ("requirements.txt", lambda: ("-a" * 10_000 + "\n") * 12),
    "requirements: blanks": ("requirements.txt", lambda: ("torch" + " " * 50_000 + "a\n") * 200),
    "CSV of 1 000 000 lines": ("a.csv", lambda: "a,1,2,3\n" * 1_000_000),
    "one line of 30 MB": ("a.txt", lambda: "a" * (30 * _MIB)),
    "30 MB of blanks": ("a.txt", lambda: "a" + " " * (30 * _MIB)),
    "30 MB of line ends": ("a.txt", lambda: "a" + "\n" * (30 * _MIB)),
    "30 MB of starts of secrets": ("a.txt", lambda: "hf_ sk- AKIA ghp_ xoxb- -----BEGIN " * 800_000),
    "30 MB of a key's start": ("a.txt", lambda: "eyJ" * (10 * _MIB)),
    "30 MB of addresses": ("a.txt", lambda: "https://user:" + "a" * (30 * _MIB)),
    "100 000 secrets": ("a.txt", lambda: "".join(f"hf_{n:034d}a\n" for n in range(200_000))),
    "shell: blanks": ("a.sh", lambda: "#!/bin/sh\n" + ("curl" + " " * 50_000 + "\n") * 200),
    "shell: pipes": ("a.sh", lambda: "#!/bin/sh\n" + "curl a | " * 2_000_000),
    "shell: one word of 20 MB": ("a.sh", lambda: "#!/bin/sh\ncurl " + "a" * (20 * _MIB)),
    "shell: rm": ("a.sh", lambda: "#!/bin/sh\n" + ("rm " + "-a " * 10_000 + "\n") * 500),
    "shell: powershell": ("a.sh", lambda: _lines("powershell a " * 300, 5_000)),
    "shell: nc": ("a.sh", lambda: _lines("nc -a" * 800, 5_000)),
    "shell: nc and words": ("a.sh", lambda: _lines("nc -eeeeeee_" * 300, 5_000)),
    "shell: rm of rm": ("a.sh", lambda: _lines("rm -rm " * 500, 5_000)),
    "shell: dd": ("a.sh", lambda: _lines("dd " * 1_300, 5_000)),
    "shell: redirections": ("a.sh", lambda: _lines(">" * 4_000, 5_000)),
    "shell: 10 000 000 lines": ("a.sh", lambda: "#!/bin/sh\n" + "ab\n" * 10_000_000),
    "shell: lines that go on": ("a.sh", lambda: "#!/bin/sh\n" + "a \\\n" * 4_000_000),
    "git config": (".git/config", lambda: "[core]\n" + "a = b\n" * 2_000_000),
    "git config: blanks": (".git/config", lambda: "[core]\n" + ("a" + " " * 50_000 + "b\n") * 200),
    "git config: sections": (".git/config", lambda: ("[" + " " * 50_000 + "\n") * 200),
    "prototxt": ("a.prototxt", lambda: 'layer { name: "a" type: "Python" }\n' * 300_000),
    "prototxt: line ends": ("a.prototxt", lambda: "\n" * (10 * _MIB) + 'layer { name: "a" }\n'),
    "prototxt: deep": ("a.prototxt", lambda: 'name: "a"\nlayer {' + "a {" * 2_000_000),
    "prototxt: a text": ("a.prototxt", lambda: 'layer { name: "' + "\\" * (10 * _MIB)),
    "LightGBM": ("model.txt", lambda: "tree\nversion=v4\n" + "Tree=0\nnum_leaves=2\n" * 500_000),
    "CoreML program": ("model.mil", lambda: 'program(1.0)\n[buildInfo = ""]\n{' + "a = b(c = d);\n" * 1_000_000),
    "CoreML program: quotes": ("model.mil", lambda: 'program(1.0)\n{"' + "\\" * (10 * _MIB)),
    "CoreML program: blanks": ("model.mil", lambda: "program(1.0)\n{" + ('BLOBFILE(path = "a"' + " " * 50_000) * 200),
    "CoreML program: BLOBFILE": ("model.mil", lambda: "program(1.0)\n{" + "BLOBFILE(path = " * 1_000_000),
    "darknet": ("a.cfg", lambda: "[net]\nbatch=1\n" + "[convolutional]\nfilters=1\n" * 500_000),
    "PDF: objects": ("a.pdf", lambda: "%PDF-1.4\n" + "1 0 obj\n<< >>\nendobj\n" * 1_000_000 + "%%EOF"),
    "PDF: object streams of nothing": ("a.pdf", lambda: "%PDF-1.5\n" + "obj/ObjStm/FlateDecode\nstream\n" * 700_000 + "%%EOF"),
    "PDF: streams": ("a.pdf", lambda: "%PDF-1.4\n" + "<< >> stream\n" * 1_500_000),
    "PDF: dictionaries": ("a.pdf", lambda: "%PDF-1.4\n" + "<<" * (10 * _MIB) + "\nstream\n"),
    "PDF: names": ("a.pdf", lambda: "%PDF-1.4\n" + "/J#61#76" * (3 * _MIB)),
}  # fmt: skip

INPUTS: dict[str, Callable[[], bytes | dict[str, bytes]]] = {
    name: lambda file=file, make=make: {file: make().encode()}  # type: ignore[misc]
    for name, (file, make) in _FILES.items()
}
