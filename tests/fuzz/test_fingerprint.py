"""Fingerprints that anybody may have written, at length: bytes and values changed, and files of them; only our own errors come out."""

from __future__ import annotations

import json
import os
import random
import time
from pathlib import Path
from typing import Any

import pytest

np = pytest.importorskip("numpy")

from tests.lineage import packing, pairs  # noqa: E402
from tests.lineage.pairs import Model, sketch, stored  # noqa: E402
from tests.workflows.test_diff import weights  # noqa: E402

from openvet.errors import OpenVetError, ReadError  # noqa: E402
from openvet.evidence.predicates.fields import FieldError  # noqa: E402
from openvet.evidence.predicates.fingerprint_v1 import FingerprintV1, pack, unpack  # noqa: E402
from openvet.evidence.signing import statement_bytes  # noqa: E402
from openvet.evidence.statement import ResourceDescriptor, Statement  # noqa: E402
from openvet.inventory.compare.packed import unpacked  # noqa: E402
from openvet.lineage.fingerprint import fingerprint  # noqa: E402
from openvet.lineage.judge import judge  # noqa: E402
from openvet.lineage.manner import manner, mixture  # noqa: E402
from openvet.lineage.mixing import Origin, combination, stacked, value_by_value  # noqa: E402
from openvet.lineage.sides import open_side  # noqa: E402
from openvet.workflows.fingerprints import read_fingerprint  # noqa: E402

EXAMPLES = int(os.environ.get("OPENVET_FUZZ_EXAMPLES", "150"))
#: One comparison may take so many seconds, whatever its numbers are.
SLOWEST = 5.0

SMALL: Model = {name: values for name, values in weights().items() if ".0.mlp" in name}
TUNES = [pairs.noised(SMALL, 0.1, seed) for seed in (1, 2)]
GOOD = sketch(SMALL)
SIDES = [open_side(np, sketch(each)) for each in (SMALL, *TUNES)]
BODY = json.dumps(GOOD.to_json())
VALUES: list[Any] = [
    None, True, -1, 0, 1, 7, 2**31, 2**53, 2**64, "", "0", "nan", "F32", "I8", "GPTQ4", "Q4_0", "\0", "A" * 100, "====", [], {}, [0], [2**40, 2],
    [1] * 65, {"index": ""}, 0.5,
]  # fmt: skip
NUMBERS = [
    b"\0\0\xc0\x7f",
    b"\0\0\x80\x7f",
    b"\0\0\x80\xff",
    b"\xff\xff\xff\xff",
    b"\0\0\0\0",
    b"\xff\xff\x7f\x7f",
    b"\1\0\0\0",
]


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every entry of a document, with what holds it."""
    out: list[tuple[Any, Any]] = []
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        out.append((value, key))
        if isinstance(inner, dict | list) and inner:
            out += places(inner)
    return out


def changed(chance: random.Random) -> Any:
    """A fingerprint's body with one to four changes: a value, a packed number, an entry that is gone or there twice."""
    body = json.loads(BODY)
    for _ in range(chance.randint(1, 4)):
        holder, key = chance.choice(places(body))
        old = holder[key]
        kind = chance.randrange(5)
        if kind == 0:
            holder[key] = chance.choice(VALUES)
        elif kind in {1, 2} and isinstance(old, str) and len(old) > 16:
            try:
                raw = bytearray(unpack(old))
            except (ValueError, OpenVetError):
                continue
            for _ in range(chance.randint(1, 8)):
                if raw:
                    at = chance.randrange(len(raw))
                    if kind == 1:
                        raw[at] = chance.randrange(256)
                    else:
                        raw[at // 4 * 4 : at // 4 * 4 + 4] = chance.choice(NUMBERS)
            if chance.randrange(4) == 0:
                del raw[chance.randrange(len(raw) + 1) :]
            holder[key] = pack(bytes(raw))
        elif kind == 3 and isinstance(holder, dict):
            del holder[key]
        elif isinstance(holder, list):
            holder.insert(key, json.loads(json.dumps(old)))
        else:
            holder[str(chance.randrange(10))] = old
    return body


def test_a_changed_body_is_refused_or_judged() -> None:
    chance = random.Random(5)
    verdicts = {"refused": 0}
    for number in range(EXAMPLES):
        body = changed(chance)
        start = time.perf_counter()
        try:
            side = open_side(np, FingerprintV1.from_json(body))
        except (FieldError, ReadError):
            verdicts["refused"] += 1
            continue
        with np.errstate(all="ignore"):
            held = []
            for one, two in [(side, each) for each in SIDES] + [(each, side) for each in SIDES]:
                found = judge(np, one, two, "this", "other")
                for each in (found.test, *manner(np, found, one, two)):
                    assert each.verdict in {"consistent", "not-consistent", "cannot-tell"}
                    each.to_json()
                held.append(Origin(found, two))
                verdicts[found.test.verdict] = verdicts.get(found.test.verdict, 0) + 1
            for merge in (
                mixture(np, held[0].judged, held[1].judged), combination(np, held[:3]), stacked(np, held[:3]),
                value_by_value(np, held[0], held[1:3]),
            ):  # fmt: skip
                assert merge is None or merge.verdict in {"consistent", "not-consistent", "cannot-tell"}
        assert time.perf_counter() - start < SLOWEST, number
    assert verdicts["refused"] > EXAMPLES // 10
    assert len(verdicts) > 1


def test_a_changed_file_is_none_or_refused(tmp_path: Path) -> None:
    """Bytes of the statement itself: a cut, a byte, a number of brackets."""
    chance = random.Random(6)
    subject = ResourceDescriptor("model", {"sha256": "ab" * 32})
    data = statement_bytes(Statement(subject, GOOD))
    path = tmp_path / "print.json"
    read = 0
    for _ in range(EXAMPLES):
        out = bytearray(data)
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(out) + 1)
            kind = chance.randrange(4)
            if kind == 0 and at < len(out):
                out[at] = chance.randrange(256)
            elif kind == 1:
                del out[at:]
            elif kind == 2:
                out[at:at] = chance.choice([b"{", b"[" * 2000, b'"', b"\\u0000", b"\xff", b"1e999", b"NaN"])
            elif at < len(out):
                out[at] ^= 1 << chance.randrange(8)
        path.write_bytes(bytes(out))
        try:
            found = read_fingerprint(str(path), None)
            read += found is not None
            if found is not None:
                open_side(np, found.predicate)
        except OpenVetError:
            pass
    assert read


def test_packed_numbers_that_were_changed() -> None:
    """Shapes and bytes of what GPTQ, AWQ and others keep: a sketch, or nothing of that tensor."""
    chance = random.Random(7)
    made = {
        "gptq": packing.gptq(SMALL), "awq": packing.awq(SMALL), "": packing.compressed(SMALL), "ctranslate2": packing.in_bytes(SMALL),
    }  # fmt: skip
    for _ in range(EXAMPLES):
        kind = chance.choice(list(made))
        model = dict(made[kind])
        for _ in range(chance.randint(1, 3)):
            name = chance.choice(sorted(model))
            values = model[name]
            change = chance.randrange(5)
            if change == 0:
                del model[name]
            elif change == 1 and values.ndim:
                model[name] = values[: chance.randrange(len(values) + 1)]
            elif change == 2:
                model[name] = values.reshape(-1)
            elif change == 3:
                flat = values.copy().reshape(-1)
                if flat.size:
                    flat[chance.randrange(flat.size)] = chance.choice([0, 1, -1, 100])
                model[name] = flat.reshape(values.shape)
            else:
                with np.errstate(all="ignore"):
                    model[name] = values.astype(chance.choice(["float32", "int32", "int64", "int8", "float16"]))
        held = unpacked(np, stored(model), kind)
        with np.errstate(all="ignore"):
            side = open_side(np, fingerprint(np, held, pairs.TOOL))
            assert judge(np, side, SIDES[0], "a", "b").test.verdict in {"consistent", "not-consistent", "cannot-tell"}
