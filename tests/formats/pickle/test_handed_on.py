"""What a probe has walked to its end is not walked again, and a walk that is over is let go of at once."""

from __future__ import annotations

import gc
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

import openvet
from openvet.core.limits import DEFAULT_LIMITS, Budget, Limits
from openvet.formats import pickle as pickle_format
from openvet.formats._format import Facts, Head
from openvet.formats.pickle import machine as walking
from openvet.io.source import BytesSource
from openvet.testing import all_cases

HOSTILE = b"cos\nsystem\n(S'echo forged'\ntR."
INNER = pickle.dumps([pickle.dumps({"a": [1, 2]}, 4), "gASVBQAAAAAAAABLAS4=" * 3], 4)


def _streams() -> Iterator[tuple[str, bytes]]:
    yield from (("hostile", HOSTILE), ("inner", INNER), ("text", b"(lp0\nS'cos\\nsystem\\n(S\"echo\"\\ntR.'\np1\na."))
    for case in all_cases():
        made = case.forge()
        yield from [(case.name, made)] if isinstance(made, bytes) else made.items()


def _read(data: bytes, walked: object) -> Facts:
    facts = Facts("a", "a", Budget())
    facts.walked = walked
    pickle_format.read(BytesSource(data), facts)
    return facts


def test_the_reader_says_the_same_of_it() -> None:
    handed = 0
    for name, data in _streams():
        head = Head(name, BytesSource(data))
        try:
            pickle_format.probe(head)
        except openvet.OpenVetError:
            continue
        if head.walked is None:
            continue
        handed += 1
        kind, walked = head.walked
        assert kind == "pickle"
        one, other = _read(data, walked), _read(data, None)
        assert [each.to_json() for each in one.programs] == [each.to_json() for each in other.programs], name
        assert (one.anomalies, one.unknowns, one.metadata) == (other.anomalies, other.unknowns, other.metadata), name
    assert handed > 200


def test_it_is_walked_once_where_nobody_asks_for_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.pkl").write_bytes(HOSTILE)
    begun: list[int] = []
    run = walking.Machine.run

    def counted(self: walking.Machine) -> None:
        begun.append(self.start)
        run(self)

    monkeypatch.setattr(walking.Machine, "run", counted)

    def walks(options: openvet.Options) -> int:
        begun.clear()
        openvet.check(tmp_path, options=options)
        return len(begun)

    assert walks(openvet.Options()) == 1
    assert walks(openvet.Options(limits=Limits(opcodes=DEFAULT_LIMITS.opcodes - 1))) == 2
    assert walks(openvet.Options(every_call=True)) == 2


@pytest.mark.parametrize("data", [HOSTILE, INNER, b"import os\nos.system('echo forged')\n", b"cos\nnothing\n"])
def test_no_walk_waits_for_the_collector(tmp_path: Path, data: bytes) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(50):
        (folder / f"{number}.bin").write_bytes(data)
    openvet.check(folder)
    gc.collect()
    gc.disable()
    try:
        openvet.check(folder)
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        left = [each for each in gc.garbage if isinstance(each, walking.Machine)]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert not left
