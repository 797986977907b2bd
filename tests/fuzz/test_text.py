"""Mutated texts: only read errors come out of the readers, in bounded time, and the rules survive what was read."""

from __future__ import annotations

import json as reference
import os
import random
import time
from collections.abc import Iterator
from types import ModuleType

import pytest

from openvet.checks._run import run_checks
from openvet.core.limits import Budget, Limits
from openvet.core.rule import Outcome
from openvet.errors import ReadError
from openvet.formats import citation, jinja, json, markdown, notebook, python, yaml
from openvet.formats._format import Facts, Head
from openvet.formats._json_stream import JsonStream, number
from openvet.inventory.component import Component, Inventory
from openvet.io.source import BytesSource
from openvet.testing.forge_cards import CARDS
from openvet.testing.forge_hub import HOSTILE, ORDINARY, WITH_CODE
from openvet.testing.forge_templates import HOSTILE_TEMPLATES, ORDINARY_TEMPLATES

EXAMPLES = int(os.environ.get("OPENVET_FUZZ_EXAMPLES", "250"))
LIMITS = Limits(records=200)
READERS: dict[str, ModuleType] = {
    "a.json": json, "a.yaml": yaml, "a.md": markdown, "a.py": python, "a.jinja": jinja, "a.ipynb": notebook,
    "README.md": markdown, ".eval_results/a.yaml": yaml, "CITATION.cff": citation,
}  # fmt: skip
TOKENS = [
    b"{", b"}", b"[", b"]", b'"', b"'", b":", b",", b"\\", b"\\u", b"\0", b"\xff", b"\xef\xbb\xbf", b"{{", b"}}", b"{%", b"%}",
    b"{#", b"---\n", b"&a ", b"*a", b"<<: ", b"!!python/name:", b"- ", b"? ", b"|", b">", b"exec(", b"os.system", b"__class__",
    b"lambda: ", b"\n    ", b"f'{", b"'''", b"\xed\xa0\x80", b"1e999", b"NaN", b"9" * 30, b"@", b"\r", b"\t", b"  ",
]  # fmt: skip


def seeds(name: str) -> list[bytes]:
    ending = "." + name.rpartition(".")[2]
    if name[0] != "a":
        return sorted(
            {data for each in CARDS.values() for place, data in each.data().items() if place.endswith(ending)}
        )
    texts = [
        text
        for files in (*ORDINARY.values(), *WITH_CODE.values(), *(case.files for case in HOSTILE.values()))
        for place, text in files.items()
        if place.endswith(ending)
    ]
    if ending == ".jinja":
        texts += [*ORDINARY_TEMPLATES.values(), *HOSTILE_TEMPLATES.values()]
    if ending == ".ipynb":
        cells = [{"cell_type": "code", "source": [line + "\n"]} for line in ("import os", "os.system('x')", "!ls")]
        texts = [reference.dumps({"nbformat": 4, "cells": cells})]
    return sorted({text.encode() for text in texts})


def mutated(chance: random.Random, data: bytes, others: list[bytes]) -> bytes:
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        at = chance.randrange(len(out) + 1)
        kind = chance.randrange(6)
        if kind == 0:
            out[at:at] = chance.choice(TOKENS) * chance.choice((1, 1, 2, 300))
        elif kind == 1:
            del out[at : at + chance.choice((1, 2, 8, 200))]
        elif kind == 2 and out:
            out[at % len(out)] = chance.randrange(256)
        elif kind == 3:
            del out[at:]
        elif kind == 4:
            other = chance.choice(others)
            start = chance.randrange(len(other) + 1)
            out[at:at] = other[start : start + 200]
        else:
            out[at:at] = out[at : at + 100] * chance.choice((1, 3, 50))
    return bytes(out)


def cases(name: str, count: int) -> Iterator[bytes]:
    chance = random.Random(f"text {name}")  # the same cases in every run
    given = seeds(name)
    assert given
    yield from given
    for _ in range(count):
        yield mutated(chance, chance.choice(given), given)


@pytest.mark.parametrize("name", sorted(READERS))
def test_only_read_errors_come_out(name: str) -> None:
    reader = READERS[name]
    read: list[Component] = []
    for data in cases(name, EXAMPLES):
        source = BytesSource(data)
        facts = Facts(name, name, Budget(LIMITS))
        before = time.process_time()
        reader.probe(Head(name, source))
        try:
            reader.read(source, facts)
        except ReadError as error:
            assert error.message  # noqa: PT017 - what is raised is the result here
        assert time.process_time() - before < 10, data[:200]
        for anomaly in facts.anomalies:
            assert anomaly.message.isprintable()
        for unknown in facts.unknowns:
            assert unknown.message.isprintable()
        for program in facts.programs:
            reference.dumps(program.to_json())
        read.append(
            Component(
                f"{len(read)}/{name}",
                name,
                len(data),
                (reader.FORMAT.id,),
                facts.coverage,
                document=facts.document,
                programs=tuple(facts.programs),
                anomalies=tuple(facts.anomalies),
                unknowns=tuple(facts.unknowns),
            )
        )
    result = run_checks(Inventory(tuple(read)))
    assert [rule for rule, outcome in result.outcomes.items() if outcome is Outcome.ERROR] == []
    for finding in result.findings:
        assert finding.message.isprintable()
        reference.dumps(finding.to_json())


def test_both_json_parsers_agree_on_what_is_json() -> None:
    for data in cases("a.json", EXAMPLES * 2):
        short = _parsed_short(data)
        long = _parsed_long(data)
        assert short == long, data[:300]


def _parsed_short(data: bytes) -> str:
    try:
        return repr(reference.loads(data.decode("utf-8"), parse_int=number))  # a text for what has thousands of digits
    except (ValueError, RecursionError):
        return "refused"


def _parsed_long(data: bytes) -> str:
    stream = JsonStream(BytesSource(data), 0, Limits(nesting=5000), lambda: None)
    try:
        value = stream.value()
        return repr(value) if stream.at_end() else "refused"
    except ReadError:
        return "refused"
