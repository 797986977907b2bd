"""Every case of the test kit with changed bytes: an examination always ends in a report, and soon."""

import os
import random
import time
from pathlib import Path

import openvet
from openvet.testing.case import all_cases

EXAMPLES = int(os.environ.get("OPENVET_FUZZ_EXAMPLES", "0"))
MOST_BYTES = 200_000
INTERESTING = (0, 1, 0x7F, 0x80, 0xFF)
NUMBERS = (0, 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1)


def change(chance: random.Random, data: bytes) -> bytes:
    out = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        if not out:
            break
        at = chance.randrange(len(out))
        what = chance.randrange(6)
        if what == 0:
            out[at] = chance.choice(INTERESTING)
        elif what == 1:
            out[at] = chance.randrange(256)
        elif what == 2:
            width = chance.choice((2, 4, 8))
            out[at : at + width] = (chance.choice(NUMBERS) & (1 << 8 * width) - 1).to_bytes(width, "little")
        elif what == 3:
            del out[at:]
        elif what == 4:
            out[at:at] = out[at : at + chance.randint(1, 64)]
        else:
            del out[at : at + chance.randint(1, 16)]
    return bytes(out)


def test_changed_bytes_end_in_a_report(tmp_path: Path) -> None:
    chance = random.Random(7)
    families: dict[tuple[str, tuple[str, ...]], list[tuple[str, bytes]]] = {}
    for case in all_cases():
        made = case.forge()
        files = {case.name: made} if isinstance(made, bytes) else made
        for name, data in files.items():
            if 0 < len(data) <= MOST_BYTES:
                key = (case.id.split("/")[0], case.formats or (name.rsplit("/", 1)[-1],))
                families.setdefault(key, []).append((name.rsplit("/", 1)[-1], data))
    for seeds in families.values():
        for _ in range(max(3, EXAMPLES // len(families))):
            name, data = chance.choice(seeds)
            path = tmp_path / name
            path.write_bytes(change(chance, data))
            started = time.process_time()
            assert openvet.check(path).models
            assert time.process_time() - started < 20
            path.unlink()
