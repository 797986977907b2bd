"""What each of two open models costs in its own process on this machine: time and memory, taken in turn, so that what else the machine does meets both alike."""

from __future__ import annotations

import math
import os
import statistics
import time
from collections.abc import Sequence
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.core.progress import Progress
from openvet.engines.model import Model, Sampling
from openvet.evals.stats.paired import mcnemar
from openvet.evidence.predicates.derivation_v1 import Cost, Speed
from openvet.sandbox.cgroups import cpu_seconds
from openvet.sandbox.host import Machine, Watch, busy_words, machine
from openvet.sandbox.session import AskedError

__all__ = ["Costs", "cost_of"]

_TOKENS: Final = 16
#: Of fewer than 20 the 95th percentile would be the slowest one.
_TIMES: Final = {"generate": 20, "embed": 25, "read": 20, "compute": 20}
_PROMPT: Final = "The history of measurement begins with"
_QUIET: Final = 0.4
_NAMED: Final = {
    "generate": f"a token, of {_TOKENS} that are written",
    "embed": "the vector of a sentence",
    "read": "an image that is read",
    "compute": "one pass on zeros",
}


@dataclass(frozen=True, slots=True)
class Costs:
    """What came of it: ``cost`` is ``None`` where nothing could be timed; ``slower`` says that the child takes longer, by a sign test over turns."""

    cost: Cost | None
    slower: bool
    notes: tuple[str, ...] = ()


def cost_of(
    parent: Model, child: Model, threads: int, pids: Sequence[int], progress: Progress, image: bytes = b""
) -> Costs:
    """Time both in turn, at the work that both can do.

    Args:
        pids: of their processes, whose own time is not another's.
        image: what is read, where that is the work.
    """
    work = next((each for each in _TIMES if each in parent.can & child.can), None)
    if work is None:
        return Costs(None, False, ("there is no work that both can do: no time was measured",))
    progress.doing = "speed"
    before = _load()
    quiet = Watch()
    time.sleep(_QUIET)
    first_load = quiet.ended()
    times: tuple[list[float], list[float]] = ([], [])
    watch = Watch(lambda: math.fsum(cpu_seconds(each) for each in pids))
    try:
        for turn in range(_TIMES[work] + 1):
            for model, seconds in zip((parent, child), times, strict=True):
                spent = _timed(model, work, image)
                if turn:  # the first turn warms both up
                    seconds.append(spent)
    except AskedError as error:
        return Costs(None, False, (f"no time was measured: {error}",))
    here = machine()
    busy = busy_words(first_load, watch.ended(), here.cores)
    longer, shorter = (sum(other(a, b) for a, b in zip(*times, strict=True)) for other in (float.__lt__, float.__gt__))
    slower = longer > shorter and mcnemar(longer, shorter) <= 0.05
    after = _load()
    if after > here.cores:
        busy = (*busy, f"the load was {after:.2f} at the end, with {here.cores} cores")
    memory = [model.peak_memory() for model in (parent, child)]
    speed = Speed(_NAMED[work], _centiles(times[0]), _centiles(times[1]), _TIMES[work], memory[0], memory[1])
    load = (f"{before:.2f}", f"{after:.2f}")
    return Costs(Cost(_hardware(here, threads), load, not busy, "; ".join(dict.fromkeys(busy)), (speed,)), slower)


def _hardware(here: Machine, threads: int) -> dict[str, str]:
    return {
        "processor": here.cpu, "architecture": here.architecture, "cores": str(here.cores), "flags": " ".join(here.flags),
        "memory": str(here.memory), "kernel": here.kernel, "virtual": "yes" if here.virtual else "no", "threads": str(threads),
    }  # fmt: skip


def _timed(model: Model, work: str, image: bytes) -> float:
    begin = time.perf_counter()
    if work == "generate":
        done = model.generate(_PROMPT, Sampling(_TOKENS))
        return (time.perf_counter() - begin) / max(1, done.completion_tokens)
    if work == "embed":
        model.embed(["A model that is small enough for a device answers there, with nobody listening."])
    elif work == "read":
        model.read(image)
    else:
        model.compute()
    return time.perf_counter() - begin


def _centiles(seconds: list[float]) -> tuple[str, str]:
    ordered = sorted(seconds)
    at = min(len(ordered) - 1, math.ceil(0.95 * len(ordered)) - 1)
    return f"{statistics.median(ordered):.6f}", f"{ordered[at]:.6f}"


def _load() -> float:
    try:
        return os.getloadavg()[0]
    except OSError:
        return 0.0
