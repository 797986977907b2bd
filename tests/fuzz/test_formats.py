"""Every registered reader, given changed files of its own and of any other format, raises only our errors, and soon.

Formats come from the registry and files from the cases, so that a new one of either is covered without a list.
"""

from __future__ import annotations

import os
import random
import time
from typing import Any

import pytest
from tests.fuzz.test_cases import change

from openvet.core.limits import Budget, Limits
from openvet.core.registry import load_kind
from openvet.errors import ReadError
from openvet.formats._format import Facts, Head, Likeness
from openvet.io.source import BytesSource
from openvet.testing.case import all_cases

EXAMPLES = int(os.environ.get("OPENVET_FUZZ_EXAMPLES", "0"))
FORMATS = {module.FORMAT.id: module for module in load_kind("openvet.formats", ("FORMAT",)).modules}
LIMITS = Limits(opcodes=20_000, records=200)


def files() -> list[tuple[str, bytes]]:
    out = []
    for case in all_cases():
        made = case.forge()
        each = {case.name: made} if isinstance(made, bytes) else made
        out += [(name, data) for name, data in each.items() if 0 < len(data) <= 100_000]
    return out


FILES = files()


def takes(module: Any, name: str, data: bytes) -> bool:
    try:
        return module.probe(Head(name, BytesSource(data))) is not Likeness.NO
    except ReadError:
        return False


@pytest.mark.parametrize("module", FORMATS.values(), ids=FORMATS)
def test_a_reader_raises_only_read_errors(module: Any) -> None:
    chance = random.Random(module.FORMAT.id)
    own = [(name, data) for name, data in FILES if takes(module, name, data)]
    for _ in range(max(EXAMPLES // 100, 12)):
        name, data = chance.choice(own if own and chance.random() < 0.7 else FILES)
        data = change(chance, data)
        facts = Facts("place", name, Budget(LIMITS))
        begun = time.monotonic()
        try:
            module.probe(Head(name, BytesSource(data)))
            module.read(BytesSource(data), facts)
        except ReadError:
            pass
        except Exception as error:
            raise AssertionError(f"{module.FORMAT.id}: {data[:2_000].hex()}") from error
        assert time.monotonic() - begun < 20
