"""What a rule costs grows with the files of a model, not with their square.

One case of each kind is laid into one folder, and again several times over; a rule that goes through all files for each file
shows in the quotient of the two times, which is far from the limit on any machine.
"""

import gc
import time
from collections.abc import Iterator
from pathlib import Path

from openvet.checks._check import Context
from openvet.checks._run import checks
from openvet.core.limits import Budget
from openvet.core.location import Location
from openvet.core.progress import Progress
from openvet.formats.python import PythonCall, PythonSource
from openvet.inventory.ahead import Ahead
from openvet.inventory.build import take_inventory
from openvet.inventory.component import Inventory
from openvet.inventory.summary import summarise
from openvet.io.hashing import HashPool
from openvet.origins.local import LocalOrigin
from openvet.testing import all_cases

TIMES = 8
#: Seconds that nothing is made of: another program may have had the machine.
SMALL = 0.25


def written(folder: Path, times: int) -> None:
    seen: set[object] = set()
    for case in all_cases():
        if (case.rules, case.formats) in seen:  # one case of each kind
            continue
        made = case.forge()
        files = {case.name: made} if isinstance(made, bytes) else made
        if sum(map(len, files.values())) > 10_000:
            continue
        seen.add((case.rules, case.formats))
        for number in range(times):
            for name, data in files.items():
                path = folder / case.id.replace("/", "_") / str(number) / name.lstrip("/")
                path.parent.mkdir(parents=True, exist_ok=True)
                if not path.exists():
                    path.write_bytes(data)


def read(folder: Path) -> Inventory:
    pool, origin = HashPool(1, ("sha256",), Progress()), LocalOrigin(str(folder))
    try:
        return take_inventory(Ahead(origin, pool), Budget(), pool, Progress())
    finally:
        pool.stop()
        origin.close()


def seconds(inventory: Inventory) -> Iterator[tuple[str, float]]:
    start = time.process_time()
    summarise(inventory)
    yield "summary", time.process_time() - start
    for module in checks().modules:
        start = time.process_time()
        for _ in module.check(Context(inventory, module.RULE)):
            pass
        yield module.RULE.id, time.process_time() - start


def test_rules_grow_with_the_files_and_not_with_their_square(tmp_path: Path) -> None:
    written(tmp_path / "once", 1)
    written(tmp_path / "often", TIMES)
    dict(seconds(read(tmp_path / "once")))  # imports and tables, which cost the first time only
    # each read anew: what the rules of one inventory share is made by the first of them
    once, often = read(tmp_path / "once"), read(tmp_path / "often")
    gc.collect()
    gc.disable()  # its time is that of all tests that ran in this process before
    try:
        few, many = dict(seconds(once)), dict(seconds(often))
    finally:
        gc.enable()
    slow = {rule: (few[rule], cost) for rule, cost in many.items() if cost > SMALL + 2.5 * TIMES * few[rule]}
    assert not slow


def test_sources_that_hand_on_each_other_cost_no_more_than_their_calls() -> None:
    """``from .a import *`` in modules that all hand on all others: every path of four steps is a meaning."""
    from openvet.checks.python._follow import follow

    names = [f"m{number}" for number in range(100)]
    handed = tuple(("*", f"<near>.{name}") for name in names)
    call = PythonCall("<near>.m0.f", "import", 1)
    sources = [PythonSource(Location(f"{name}.py"), 0, handed_on=handed, calls=(call,) * 10) for name in names]
    start = time.process_time()
    follow(sources)
    assert time.process_time() - start < 20
