"""The progress line, drawn at moments that the test chooses."""

from __future__ import annotations

import io

import pytest

from openvet.cli.progress import ProgressLine
from openvet.core.progress import Progress


class Terminal(io.StringIO):
    """A terminal that keeps what was written."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class Clock:
    """Time that stands still until it is told otherwise."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def drawn(monkeypatch: pytest.MonkeyPatch, width: int, done: int, total: int, doing: str = "model.safetensors") -> str:
    monkeypatch.setenv("COLUMNS", str(width))
    clock, progress = Clock(), Progress(doing=doing, bytes_total=total)
    line = ProgressLine(progress, Terminal(), clock)
    clock.now, progress.bytes_done = 2.0, done
    return line.line()


def test_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert drawn(monkeypatch, 100, 1_000_000_000, 4_000_000_000) == (
        "█████░░░░░░░░░░░░░░░  25%  1.0 GB of 4.0 GB  500.0 MB/s  6 s left  model.safetensors"
    )
    assert drawn(monkeypatch, 80, 10**9, 10**12).endswith("33 min 18 s left  model.…tensors")
    assert drawn(monkeypatch, 80, 10**6, 10**12).endswith("555 h 33 min left  model.…ensors")
    assert drawn(monkeypatch, 100, 0, 0) == "░░░░░░░░░░░░░░░░░░░░   0%  0 bytes of 0 bytes  model.safetensors"


def test_what_is_only_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    line = ProgressLine(Progress(doing="org/model", files_done=1234), Terminal(), Clock())
    assert line.line() == "1,234 so far  org/model"


def test_more_than_all_is_all(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "100%  5 bytes of 5 bytes" in drawn(monkeypatch, 100, 9, 5)


@pytest.mark.parametrize("width", [40, 57, 80, 120])
@pytest.mark.parametrize("doing", ["short", "x" * 500, "模型" * 100])
def test_it_fits_on_one_line(monkeypatch: pytest.MonkeyPatch, width: int, doing: str) -> None:
    from openvet.reports._wording import columns

    assert columns(drawn(monkeypatch, width, 123_456, 9_876_543_210, doing)) < width


def test_work_that_is_short_shows_nothing() -> None:
    terminal = Terminal()
    with ProgressLine(Progress(), terminal):
        pass
    assert terminal.getvalue() == ""


def test_a_terminal_that_goes_away_does_not_stop_the_work() -> None:
    terminal = Terminal()
    line = ProgressLine(Progress(), terminal)
    line._shown = True
    terminal.close()
    with line:
        line.hide()


def test_what_is_hidden_is_erased_once() -> None:
    terminal = Terminal()
    line = ProgressLine(Progress(), terminal)
    line._shown = True
    line.hide()
    line.hide()
    assert terminal.getvalue() == "\r\x1b[K"
