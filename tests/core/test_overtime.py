"""What does not look at its clock is ended from outside, and nothing of that is left behind."""

import subprocess
import sys
import threading
import time

import pytest

from openvet.core.limits import Budget, Limits
from openvet.core.overtime import Overtime
from openvet.errors import LimitError


def endless() -> None:
    while True:
        try:
            sum(range(1000))
        except Exception:  # noqa: BLE001 - as a reader that tries again whatever happens
            pass


def test_a_loop_that_never_looks_is_ended() -> None:
    budget = Budget(Limits(seconds=0.2))
    watch = Overtime(budget)
    start = time.monotonic()
    with pytest.raises(LimitError, match=r"limit seconds = 0\.2"):
        watch.within(endless)
    assert 0.2 < time.monotonic() - start < 30
    assert budget.timed_out
    watch.close()


def test_the_whole_subjects_seconds_are_named() -> None:
    watch = Overtime(Budget(Limits(subject_seconds=0.2)))
    with pytest.raises(LimitError, match=r"limit subject_seconds = 0\.2"):
        watch.within(endless)
    watch.close()


def test_nothing_strikes_once_the_work_is_done() -> None:
    budget = Budget(Limits(seconds=0.2))
    watch = Overtime(budget)
    assert watch.within(lambda: "done") == "done"
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        sum(range(1000))
    assert not budget.timed_out
    with pytest.raises(LimitError):
        watch.within(lambda: "too late")
    watch.close()


def test_each_file_has_its_own_seconds() -> None:
    budget = Budget(Limits(seconds=0.3))
    watch = Overtime(budget)
    for _ in range(2):
        budget.start_file()
        with pytest.raises(LimitError):
            watch.within(endless)
    budget.start_file()
    assert watch.within(lambda: 1) == 1
    watch.close()


def test_a_thread_that_is_not_the_first_is_ended_too() -> None:
    said: list[str] = []

    def work() -> None:
        watch = Overtime(Budget(Limits(seconds=0.2)))
        try:
            watch.within(endless)
        except LimitError as error:
            said.append(error.limit)
        watch.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(60)
    assert said == ["seconds"]


TRACED = """
import sys, threading
from openvet.core.limits import Budget, Limits
from openvet.core.overtime import Overtime

watch = Overtime(Budget(Limits(seconds=60)))
watch.within(int)
for _ in range(3):
    watch._struck = watch._inside = True  # it was to strike, and the work ended before
    watch._leave()
sys.settrace(lambda *_: None)

def traced():
    return "came out"

print(traced())
sys.settrace(None)
watch.close()
"""


def test_what_is_traced_afterwards_comes_to_its_end() -> None:
    """A strike that was taken back by setting none left CPython 3.11 in the first function that a debugger, coverage or Hypothesis traced."""
    done = subprocess.run([sys.executable, "-c", TRACED], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "came out\n", done.stderr
