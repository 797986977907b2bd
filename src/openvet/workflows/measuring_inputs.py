"""What parent and child are measured by: texts and tasks, each read once, with the SHA-256 of just the bytes that were read, and what the parent said of them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import field
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.errors import UsageError
from openvet.evals.task import Task
from openvet.sandbox.interpreter import Interpreter
from openvet.sandbox.levels import Level
from openvet.sandbox.supervisor import Bounds
from openvet.workflows.bench_work import TEXT
from openvet.workflows.eval_files import load_task
from openvet.workflows.log import digest_of

__all__ = ["SAMPLE", "Kept", "Measuring", "base_name", "read_inputs", "task_of", "text_of"]

_MOST_TEXT: Final = 4 << 20
#: What stands for a file where none was named: a text of ours, a sentence on each line.
SAMPLE: Final = "<built-in sample>"
#: What was read and asked already, by its kind and the file.
Kept = dict[tuple[str, str], Any]


@dataclass(frozen=True, slots=True)
class Measuring:
    """What to measure by, and how.

    Attributes:
        texts: files: what writes text is scored on all of one, what makes vectors gets it line by line.
        tasks: files of tasks.
        loss: how much worse is still as good: a share, of a task's points or of the perplexity; ``None`` where nobody says.
        scratch: a folder for distributions, which stay there for the next child.
        speed: whether time and memory are measured as well.
        kept: what the parent said, by what it was asked: of a ladder it is asked once; and files that were read.
        sample: whether a text of ours is taken where no text and no task was named.
        looks: children among which one is chosen by these verdicts: each is judged at so small a part of 5 %.
    """

    texts: tuple[str, ...]
    tasks: tuple[str, ...]
    loss: float | None
    level: Level
    bounds: Bounds
    python: Interpreter
    threads: int
    scratch: str
    speed: bool = True
    kept: dict[tuple[str, str], Any] = field(default_factory=dict)
    looks: int = 1
    sample: bool = True

    @property
    def alpha(self) -> float:
        return 0.05 / self.looks


def read_inputs(texts: Sequence[str], tasks: Sequence[str]) -> Kept:
    """Read texts and tasks, for :class:`Measuring` to keep (raises :class:`UsageError`, or what a task's reader raises)."""
    kept: Kept = {}
    for path in texts:
        text_of(kept, path)
    for path in tasks:
        task_of(kept, path)
    return kept


def text_of(kept: Kept, path: str) -> tuple[str, str]:
    """A text, read once, and the SHA-256 of just these bytes."""
    if ("text", path) not in kept:
        kept["text", path] = _sample() if path == SAMPLE else _read_text(path)
    found: tuple[str, str] = kept["text", path]
    return found


def task_of(kept: Kept, path: str) -> tuple[Task, str]:
    """A task, read once, and the SHA-256 of its file."""
    if ("file", path) not in kept:
        digest, task = digest_of(path), load_task(path)
        if digest_of(path) != digest:
            raise UsageError(f"{printable(path)} changed while it was read; run it again")
        kept["file", path] = task, digest
    found: tuple[Task, str] = kept["file", path]
    return found


def _sample() -> tuple[str, str]:
    text = TEXT.replace(". ", ".\n") + "\n"
    return text, hashlib.sha256(text.encode()).hexdigest()


def _read_text(path: str) -> tuple[str, str]:
    """A text and the SHA-256 of the bytes that it was read from (raises :class:`UsageError`)."""
    try:
        with open(path, "rb") as file:
            data = file.read(_MOST_TEXT + 1)
        if len(data) > _MOST_TEXT:
            raise UsageError(f"{printable(path)} is larger than {_MOST_TEXT} bytes: take a part of it")
        text = data.decode()
    except OSError as error:
        raise UsageError(f"{printable(path)} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{printable(path)} is not UTF-8: {error}") from error
    if not text.strip():
        raise UsageError(f"{printable(path)} holds no text")
    return text, hashlib.sha256(data).hexdigest()


def base_name(path: str) -> str:
    return printable(os.path.basename(path))
