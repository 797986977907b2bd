"""What the unpicklers of joblib, dill, PyTorch and pandas resolve and call is part of what the abstract machine says.

The suite of ``make replay``: it runs where these packages are installed. ``OPENVET_FUZZ_EXAMPLES`` sets how many streams are made
for each loader.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import random
from collections import OrderedDict
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest
from tests.conformance.replaying import today

from openvet.core.coverage import Coverage
from openvet.core.limits import Budget
from openvet.formats import pickle as pickle_format
from openvet.formats import torch_legacy
from openvet.formats._format import Facts
from openvet.formats.pickle.linkers import LINKERS
from openvet.formats.pickle.program import PickleProgram
from openvet.io.source import BytesSource
from openvet.sandbox.confines import Confines
from openvet.sandbox.worker import ChildDiedError, Worker, how_confined
from openvet.testing.forge_gallery import HARMLESS, HOSTILE
from openvet.testing.forge_soup import mutated, soup

PACKAGES = ("torch", "joblib", "dill", "pandas", "cloudpickle", "numpy")
pytestmark = [
    pytest.mark.skipif(
        any(find_spec(name) is None for name in PACKAGES), reason="only in the environment of make replay"
    ),
    pytest.mark.skipif(how_confined().startswith("nothing"), reason="nothing confines a child here"),
    pytest.mark.filterwarnings("ignore"),
]

STREAMS = int(os.environ.get("OPENVET_FUZZ_EXAMPLES", "3000"))
#: Letters of :mod:`openvet.sandbox.recorder_loaders`.
LOADERS = {"joblib": "j", "dill": "d", "pandas": "a", "torch-legacy": "l", "torch-zip": "z", "torch-weights-only": "w"}
LEGACY = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}."

Name = tuple[str, str]


class Replayer:
    """A child with the loaders that is started again when a stream kills it."""

    confines = Confines(memory=8 * 1024**3, cpu_seconds=3600, seconds=60.0)

    def __init__(self) -> None:
        self._worker = self._start()

    def _start(self) -> Worker:
        return Worker("openvet.sandbox.recorder_loaders", self.confines)

    def load(self, letter: str, stream: bytes) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(self._worker.ask(letter.encode() + stream))["loads"][0]
            return found
        except ChildDiedError:  # out of memory or out of its C stack: nothing is known of this stream
            self._worker = self._start()
            return {"resolved": [], "called": []}

    def close(self) -> None:
        self._worker.close()


@pytest.fixture(scope="module")
def replayer() -> Iterator[Replayer]:
    one = Replayer()
    yield one
    one.close()


def read(letter: str, stream: bytes) -> Facts:
    facts = Facts("x", "x", Budget())
    legacy = letter == "l" and stream.startswith(LEGACY[:14])
    (torch_legacy if legacy else pickle_format).read(BytesSource(stream), facts)
    return facts


def misses(facts: Facts, load: dict[str, Any]) -> list[tuple[str, Name]]:
    """What was resolved or called and is not in the facts."""
    # a literal that the program itself loads runs as well, and so does what joblib pickled between opcodes
    found = [each for each in facts.programs if isinstance(each, PickleProgram)]
    references = [reference for program in found for reference in program.references]
    # PyTorch translates names of Python 2 whatever the protocol says
    resolved = {name for each in references for name in ((each.module, each.name), today((each.module, each.name)))}
    called = {
        name
        for each in references
        if each.calls
        for name in ((each.module, each.name), today((each.module, each.name)))
    }
    unknown = any(each.calls and each.name == "<unknown>" for each in references)
    changed = any(program.mutations for program in found)
    computed = any(program.computed for program in found)
    out = [
        ("resolved", name)
        for name in map(tuple, load["resolved"])
        if not {name, today(name)} & resolved and not computed
    ]
    for name in map(tuple, load["called"]):
        root = (name[0], name[1].partition("(")[0])
        if root != name and {root, today(root)} & LINKERS.keys():
            continue
        if not {name, today(name)} & called and not changed and not computed and not (name[0] == "" and unknown):
            out.append(("called", name))
    return out


def check(letter: str, stream: bytes, replayer: Replayer) -> int:
    """Compare one stream; how many calls there were."""
    load = replayer.load(letter, stream)
    facts = read(letter, stream)
    missed = misses(facts, load)
    # what is said to be unread was not read; that is for a file that mixes raw bytes and opcodes, and for broken ones
    raw = facts.coverage is not Coverage.READ and letter in "jl"
    assert missed == [] or raw, (letter, stream, load)
    return len(load["called"])


@cache
def seeds(letter: str) -> tuple[bytes, ...]:
    """What these packages themselves write."""
    if letter == "j":
        return _joblib()
    if letter == "a":
        return _pandas()
    return _dill() if letter == "d" else _torch(letter)


def _joblib() -> tuple[bytes, ...]:
    numpy: Any = import_module("numpy")
    joblib: Any = import_module("joblib")
    nested = {
        "a": numpy.arange(10.0),
        "b": [numpy.array([1, {}, OrderedDict()], dtype=object)],
        "c": numpy.zeros((2, 3), "i2"),
    }
    values = (
        numpy.arange(3),
        nested,
        [numpy.array(["a", "bc"]), numpy.zeros(2, "M8[s]"), numpy.zeros(0)],
        {"f": numpy.zeros((2, 2), order="F"), "s": numpy.float64(1.5), "t": (numpy.zeros(1, ">f4"), OrderedDict(a=1))},
    )
    out = []
    for value in values:
        buffer = io.BytesIO()
        joblib.dump(value, buffer)
        out.append(buffer.getvalue())
    return tuple(out)


def _pandas() -> tuple[bytes, ...]:
    pandas: Any = import_module("pandas")
    frame = pandas.DataFrame({"a": [1, 2], "b": ["x", "y"], "c": pandas.date_range("2020", periods=2, tz="UTC")})
    values = (frame, frame.a, frame.index, pandas.Timestamp("2020"), pandas.period_range("2020", periods=2), pandas.NaT)
    return tuple(pickle.dumps(value, protocol) for value in values for protocol in (2, 4))


def _dill() -> tuple[bytes, ...]:
    dill: Any = import_module("dill")
    cloudpickle: Any = import_module("cloudpickle")
    free = 3

    class Local(OrderedDict):  # type: ignore[type-arg]
        def method(self) -> int:
            return free

    values: tuple[Any, ...] = (
        lambda x: x + free,
        check,
        Local,
        Local(a=1),
        {"f": [mutated, lambda: free]},
        OrderedDict(b=2),
    )
    return tuple(
        made.dumps(value, recurse=True) if made is dill else made.dumps(value)
        for value in values
        for made in (dill, cloudpickle)
    )


def _torch(letter: str) -> tuple[bytes, ...]:
    torch: Any = import_module("torch")
    tensor = torch.zeros(2, 3)
    values = (
        {"w": tensor, "b": tensor[0], "n": torch.nn.Parameter(tensor), "i": torch.arange(4)},
        OrderedDict(a=tensor.half(), size=torch.Size([1, 2]), d=torch.float32),
        torch.nn.Linear(2, 2),
        [torch.sparse_coo_tensor([[0]], [1.0], (2,)), {"optimizer": {"lr": 0.1, "betas": (0.9, 0.99)}}],
    )
    out = []
    for value in values:
        buffer = io.BytesIO()
        torch.save(value, buffer, _use_new_zipfile_serialization=letter != "l")
        data = buffer.getvalue()
        if letter != "l":
            zipfile: Any = import_module("zipfile")
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                data = archive.read(next(name for name in archive.namelist() if name.endswith("/data.pkl")))
        out.append(data)
    return tuple(out)


@pytest.mark.parametrize("loader", LOADERS)
def test_streams_from_a_grammar(loader: str, replayer: Replayer) -> None:
    letter = LOADERS[loader]
    calls = 0
    for number in range(STREAMS):
        rng = random.Random(number * 31 + 7)
        stream = soup(rng)
        if letter == "l" and number % 2:
            stream = LEGACY + stream
        calls += check(letter, stream, replayer)
    assert calls > STREAMS // (50 if letter == "w" else 4), "the streams are to call something, or they show nothing"


@pytest.mark.parametrize("loader", LOADERS)
def test_what_the_packages_write(loader: str, replayer: Replayer) -> None:
    letter = LOADERS[loader]
    for seed in seeds(letter):
        assert replayer.load(letter, seed)["called"] or letter in "dl"
        check(letter, seed, replayer)


@pytest.mark.parametrize("loader", LOADERS)
def test_what_the_packages_write_with_changes(loader: str, replayer: Replayer) -> None:
    letter = LOADERS[loader]
    for number in range(STREAMS):
        rng = random.Random(number * 31 + 11)
        check(letter, mutated(rng.choice(seeds(letter)), rng), replayer)


@pytest.mark.parametrize("loader", LOADERS)
def test_samples_of_the_gallery_with_changes(loader: str, replayer: Replayer) -> None:
    letter = LOADERS[loader]
    samples = [stream for sample in (*HOSTILE, *HARMLESS) if len(stream := sample.forge()) < 20_000]
    for number in range(STREAMS):
        rng = random.Random(number * 31 + 13)
        stream = rng.choice(samples) if number < len(samples) else mutated(rng.choice(samples), rng)
        check(letter, stream, replayer)
