"""Every case stays what it is in another container, in other opcodes and in other words.

A sample by default, everything with ``OPENVET_FUZZ_EXAMPLES`` (``make fuzz``). Cases, formats and wrappers are found, not listed.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import openvet
from openvet.errors import UsageError
from openvet.sandbox.confines import Confines
from openvet.sandbox.worker import ChildDiedError, Worker, how_confined
from openvet.testing.case import Case, all_cases
from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_chains import HOLDS, TRIGGERS, chained
from openvet.testing.forge_gallery import HARMLESS, HOSTILE, Sample
from openvet.testing.mutate.rewrites import rewritten, roughened
from openvet.testing.mutate.texts import respell_members, respelled
from openvet.testing.mutate.wrappers import WRAPPERS, Wrapper, nested

EXAMPLES = int(os.environ.get("OPENVET_FUZZ_EXAMPLES", "0"))
CASES = all_cases()
SINGLE = [case for case in CASES if isinstance(case.forge(), bytes) and len(case.forge()) < 50_000]
PICKLES = [case for case in SINGLE if case.formats[:1] == ("pickle",)]
ALL_WRAPPERS = (*WRAPPERS, nested(3), nested(5))


def decided(root: Path, files: dict[str, bytes], target: str = "") -> tuple[str, list[str]]:
    """The decision about files below ``root``, and the first reasons."""
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    decision = openvet.check(root / target if target else root).models[0].decision
    return str(decision.verdict), [reason.message for reason in decision.reasons[:3]]


def fits(wrapper: Wrapper, case: Case, data: bytes) -> bool:
    if wrapper.needs == "any":
        return True
    # what is shorter does nothing, and is not looked for in literals
    long = len(data) >= 16 or not wrapper.name.startswith("literal")
    if case.id.startswith("fields/"):
        return False  # a file of another format, which nobody unpickles
    if wrapper.name.startswith("literal") and case.id == "respelled/a-second-pickle-behind-plain-text":
        return False  # whoever loads a literal loads the first pickle in it
    return case.formats[:1] == ("pickle",) and long and (wrapper.needs == "pickle" or data[:1] == b"\x80")


def drawn(cases: list[Case], count: int, seed: str) -> list[Case]:
    return cases if EXAMPLES else random.Random(seed).sample(cases, count)


@pytest.mark.parametrize("wrapper", ALL_WRAPPERS, ids=lambda wrapper: wrapper.name)
def test_hostile_files_in_a_container(wrapper: Wrapper, tmp_path: Path) -> None:
    # what only its name makes hostile has another one in a container
    hostile = [
        case
        for case in (PICKLES if wrapper.needs != "any" else SINGLE)
        if case.hostile
        and case.rules != {"file/name-mismatch"}
        # known, and not seen: a pickle that is little more than one literal, in another literal that is encoded
        and not (case.id.startswith("literals/") and wrapper.name.startswith("literal-"))
    ]
    slipped = []
    for number, case in enumerate(drawn(hostile, 3, wrapper.name)):
        data = case.forge()
        assert isinstance(data, bytes)
        if not fits(wrapper, case, data):
            continue
        name, wrapped = wrapper.wrap(case.name, data)
        verdict, reasons = decided(tmp_path / str(number), {name: wrapped})
        if verdict == "admit" or (verdict != "reject" and wrapper.hostile == "reject"):
            slipped.append((case.id, verdict, reasons))
    assert slipped == []


@pytest.mark.parametrize("wrapper", [each for each in ALL_WRAPPERS if each.ordinary], ids=lambda wrapper: wrapper.name)
def test_harmless_files_in_an_ordinary_container(wrapper: Wrapper, tmp_path: Path) -> None:
    harmless = [case for case in (PICKLES if wrapper.needs != "any" else SINGLE) if case.decision == "admit"]
    alarms = []
    for number, case in enumerate(drawn(harmless, 2, wrapper.name)):
        data = case.forge()
        assert isinstance(data, bytes)
        if not fits(wrapper, case, data) or (wrapper.stores and b"PK\5\6" in data[-66_000:]):
            continue
        name, wrapped = wrapper.wrap(case.name, data)
        verdict, reasons = decided(tmp_path / str(number), {name: wrapped})
        if verdict != "admit":
            alarms.append((case.id, verdict, reasons))
    assert alarms == []


def test_pickles_in_containers_in_containers(tmp_path: Path) -> None:
    """Two or three containers, the one in the other, drawn by chance."""
    hostile, harmless = _HIDDEN["a pickle"], dump({"layers": [1, 2, 3], "name": "ordinary"}, 4)
    inner = [each for each in WRAPPERS if each.needs in ("any", "pickle")]
    outer = [each for each in WRAPPERS if each.needs == "any"]
    chance = random.Random("containers")
    wrong = []
    for number in range(EXAMPLES // 10 or 60):
        chain = [chance.choice(inner), chance.choice(outer), *chance.sample(outer, chance.random() < 0.3)]
        # what packs nothing shows the archive inside from outside as well, which is told as a polyglot
        ordinary = all(each.ordinary and not each.stores for each in chain)
        for data, expected in ((hostile, "reject"), *(((harmless, "admit"),) if ordinary else ())):
            name, wrapped = "model.pkl", data
            for each in chain:
                name, wrapped = each.wrap(name, wrapped)
            verdict, reasons = decided(tmp_path / f"{number} {expected}", {name: wrapped})
            softer = expected == "reject" and any(each.hostile != "reject" for each in chain) and verdict == "review"
            if verdict != expected and not softer:
                wrong.append(([each.name for each in chain], verdict, reasons))
    assert wrong == []


#: Cases whose longest zeros are weights, and not at their start: any bytes may stand there.
_WEIGHTS = ("ggml", "gguf", "vectors/", "onnx/", "frozen-graph", "torch-ordinary", "tensors/")
_HIDDEN = {
    "a pickle": dump(Call(Name("os", "system"), ("echo forged",)), 4),
    "a program": b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\0\x3e\0\x01\0\0\0" + bytes(40),
}


@pytest.mark.parametrize("what", _HIDDEN)
def test_programs_in_the_zeros_of_harmless_files(what: str, tmp_path: Path) -> None:
    """Zeros of a file are filling or free space, and what stands there instead is not admitted."""
    hidden = _HIDDEN[what]
    room = re.compile(rb"\0{%d,}" % (len(hidden) + 16))
    harmless = [case for case in SINGLE if case.decision == "admit" and not any(part in case.id for part in _WEIGHTS)]
    fits = [(case, list(room.finditer(case.forge()))) for case in harmless]  # type: ignore[arg-type]
    fits = [(case, runs) for case, runs in fits if runs]
    slipped = []
    chance = random.Random(what)
    for number, (case, runs) in enumerate(fits if EXAMPLES else chance.sample(fits, min(len(fits), 40))):
        data = case.forge()
        assert isinstance(data, bytes)
        run = chance.choice(runs)
        at = run.start() + chance.randrange(8, run.end() - run.start() - len(hidden) - 7)
        verdict, reasons = decided(
            tmp_path / str(number), {case.name: data[:at] + hidden + data[at + len(hidden) :]}, case.name
        )
        if verdict == "admit":
            slipped.append((case.id, at, verdict, reasons))
    assert len(fits) > 20
    assert slipped == []


SAMPLES = (*HOSTILE, *HARMLESS)


@pytest.mark.parametrize("part", range(4))
def test_pickles_in_other_opcodes(part: int, tmp_path: Path) -> None:
    samples: list[Sample] = list(SAMPLES[part::4])
    slipped = []
    for number, sample in enumerate(samples if EXAMPLES else random.Random(part).sample(samples, 25)):
        for again in range(max(EXAMPLES // 2_000, 1)):
            chance = random.Random(f"{sample.name} {again}")
            try:
                stream = rewritten(sample.forge(), chance)
            except UsageError:  # one that is broken on purpose
                break
            expected = "reject" if sample.rejected else "review" if sample.rules else "admit"
            verdict, reasons = decided(tmp_path / f"{number} {again}", {"model.pkl": stream})
            if verdict != expected and (expected, verdict) != ("review", "reject"):
                slipped.append((sample.name, again, verdict, reasons))
            if sample.rejected:
                verdict, reasons = decided(
                    tmp_path / f"{number} {again} rough", {"model.pkl": roughened(stream, chance)}
                )
                if verdict != "reject":
                    slipped.append((sample.name, again, verdict, reasons))
    assert slipped == []


#: Other words make another thing of these: a shell reads what is one text for Python; characters that turn a text around are gone as escapes.
#: And nobody writes these in other words: keys that somebody left behind, installations that people are told of, and what scripts do that
#: nobody hides. Whoever writes an object anew writes no key twice.
_ONE_SPELLING = frozenset({
    "values/path-of-a-dialog", "ordinary/environment-that-is-printed", "python-reaching/asked-a-command", "command-lines/a-source-that-its-user-names",
    "command-lines/a-picture-by-a-script-that-nothing-imports", "asked/twice-code",
    "hidden-scripts/also-shell-exec", "values/reordered-source", "values/registry-login", "values/kaggle-key",
    "python/quiet-known-packages-installed",
})  # fmt: skip


def respellings(case: Case, chance: random.Random) -> dict[str, bytes] | None:
    """The files of a case in other words, or ``None`` where none of them has any."""
    made = case.forge()
    files = {case.name: made} if isinstance(made, bytes) else dict(made)
    out, changed = {}, False
    for name, data in files.items():
        other = None
        if len(data) < 100_000:
            other = respell_members(data, chance) if data[:2] == b"PK" else respelled(name, data, chance)
        changed |= other is not None
        out[name] = data if other is None else other
    return out if changed else None


def test_texts_in_other_words(tmp_path: Path) -> None:
    chosen = CASES if EXAMPLES else random.Random(5).sample(CASES, 300)
    slipped = []
    for case in chosen:
        # that a person starts a script is told by how people write one
        if case.id in _ONE_SPELLING or (case.id.startswith("scripts/") and case.decision == "admit"):
            continue
        for again in range(max(EXAMPLES // 4_000, 1)):
            files = respellings(case, random.Random(f"{case.id} {again}"))
            if files is None:
                break
            single = isinstance(case.forge(), bytes)
            root = tmp_path / case.id.replace("/", " ") / str(again) / "model"
            verdict, reasons = decided(root, files, case.name if single else "")
            if verdict != case.decision and (case.decision, verdict) != ("review", "reject"):
                slipped.append((case.id, again, verdict, reasons))
    assert slipped == []


class Linked:
    """A child that follows linkers."""

    def __init__(self) -> None:
        self._worker: Worker | None = None

    def runs_system(self, stream: bytes) -> bool:
        """Whether either unpickler calls ``os.system``."""
        reached = False
        for unpickler in (b"c", b"p"):
            self._worker = self._worker or Worker("openvet.sandbox.recorder_linked", Confines(seconds=5.0))
            try:
                called = json.loads(self._worker.ask(unpickler + stream))["called"]
            except ChildDiedError:  # out of memory or time
                self._worker = None
                continue
            reached = reached or any(name.endswith("os.system") for name in called)
        return reached

    def close(self) -> None:
        if self._worker is not None:
            self._worker.close()


@pytest.fixture
def linked() -> Iterator[Linked]:
    one = Linked()
    yield one
    one.close()


@pytest.mark.skipif(how_confined().startswith("nothing"), reason="nothing confines a child here")
@pytest.mark.parametrize("part", range(4))
def test_chains_of_harmless_callables(part: int, linked: Linked, tmp_path: Path) -> None:
    pairs = [(hold, trigger) for hold in HOLDS for trigger in TRIGGERS][part::4]
    slipped = reached = 0
    shown = []
    chosen = pairs if EXAMPLES else random.Random(part).sample(pairs, 60)
    for number, (hold, trigger) in enumerate(chosen):
        stream = chained(hold, trigger, random.Random(f"{hold} {trigger}"))
        if not linked.runs_system(stream):
            continue
        reached += 1
        verdict, reasons = decided(tmp_path / str(number), {"model.pkl": stream})
        if verdict != "reject":
            slipped += 1
            shown.append((hold, trigger, verdict, reasons))
    assert reached > len(chosen) // 2, "the chains are to reach their end, or they show nothing"
    assert shown == []
