"""Replay pickle streams for hours: ``python tools/soak.py [STREAMS] [FIRST_SEED]``; ends with 1 where a difference was found.

Every stream has a number, which is its seed, so that ``python tools/soak.py 1 NUMBER`` shows one difference again. See
``tests/conformance/replaying.py`` for what is compared.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.conformance.replaying import Replayer, misses, read

from openvet.testing.forge_chains import chain
from openvet.testing.forge_gallery import HARMLESS, HOSTILE
from openvet.testing.forge_soup import mutated, opcodes, soup

_SHOWN = 40
_EVERY = 20.0


def _made(kind: str, random: Random, samples: list[bytes]) -> bytes:
    if kind == "gallery":
        return mutated(random.choice(samples), random)
    if kind == "chain":
        return mutated(chain(random), random)
    return soup(random) if kind == "soup" else opcodes(random)


def main(streams: int, first: int) -> int:
    """Replay ``streams`` streams from number ``first`` on."""
    samples = [stream for sample in (*HOSTILE, *HARMLESS) if len(stream := sample.forge()) < 20_000]
    replayer = Replayer()
    found = calls = 0
    kinds: Counter[str] = Counter()
    began = told = time.monotonic()
    for number in range(first, first + streams):
        random = Random(number)
        kind = random.choice(("soup", "soup", "soup", "gallery", "opcodes", "chain"))
        kinds[kind] += 1
        stream = _made(kind, random, samples)
        facts = read(stream)
        for unpickler in (b"c", b"p"):
            loads = replayer.loads(unpickler, stream)
            calls += sum(len(load["called"]) for load in loads)
            missed = misses(facts, loads)
            if missed:
                found += 1
                if found <= _SHOWN:
                    print(f"{number} {kind} {unpickler.decode()}: {missed} {stream!r}", flush=True)
        if time.monotonic() - told > _EVERY:
            told = time.monotonic()
            done = number - first + 1
            print(
                f"{done} of {streams} streams, {done / (told - began):.0f}/s, {calls} calls, {found} differences",
                file=sys.stderr,
                flush=True,
            )
    replayer.close()
    seconds = time.monotonic() - began
    print(f"{streams} streams {dict(kinds)} in {seconds:.0f} s: {calls} calls, {found} differences")
    return 1 if found else 0


if __name__ == "__main__":
    words = [int(word) for word in sys.argv[1:]]
    sys.exit(main(words[0] if words else 1_000_000, words[1] if len(words) > 1 else 0))
