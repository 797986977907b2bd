"""What a log of another tool comes to, and how its values are taken: each with its place, and nothing guessed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.errors import UsageError
from openvet.evals.backends._backend import Usage
from openvet.evals.log import record_line
from openvet.evals.scorers import Output, Score
from openvet.evals.task import Ask, Prompt

__all__ = ["Foreign", "ForeignError", "ForeignSample", "as_object", "parse", "text_from"]


class ForeignError(UsageError):
    """A file is no log of that tool, or lacks what is needed; with its place."""


@dataclass(frozen=True, slots=True)
class ForeignSample:
    """One sample as the other tool logged it; ``score`` is ``None`` where it has none, and ``error`` then says why."""

    id: str
    cluster: str
    prompt: str
    targets: tuple[str, ...]
    output: Output
    score: float | None
    error: str = ""
    usage: Usage = Usage()

    def line(self, index: int) -> bytes:
        """The line of our log."""
        ask = Ask(index, self.id, self.cluster, Prompt("", "", self.prompt), (), self.targets)
        if self.score is None:
            return record_line(ask, None, None, self.usage, error=self.error or "the log has no score")
        return record_line(ask, self.output, Score(self.score), self.usage)


@dataclass(frozen=True, slots=True)
class Foreign:
    """One task of one model.

    Attributes:
        metric: its name there; ``others`` are those that the log has as well.
        reported: what the tool itself says of it; ``None`` where it does not.
    """

    tool: str
    version: str
    task: str
    task_version: str
    model: str
    metric: str
    others: tuple[str, ...]
    higher: bool
    samples: tuple[ForeignSample, ...]
    reported: float | None


def parse(data: bytes, shown: str) -> Any:
    """JSON of a stranger (raises :class:`ForeignError`). Python's ``NaN`` is taken, which these tools write."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ForeignError(f"{shown}: is not JSON: {printable(str(error))[:200]}") from None


def as_object(value: Any, shown: str) -> Mapping[str, Any]:
    """An object (raises :class:`ForeignError`)."""
    if not isinstance(value, dict):
        raise ForeignError(f"{shown}: is no object, as that tool's log has one there")
    return value


def text_from(value: Any) -> str:
    """What a person would read: a text as it is, messages of a chat one below the other, anything else as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(each, dict) and "content" in each for each in value):
        return "\n\n".join(f"{each.get('role', '')}: {''.join(_contents(each['content']))}" for each in value)
    return json.dumps(value, ensure_ascii=False, default=str)[:1_000_000]


def _contents(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield each.get("text", f"[{each.get('type', 'part')}]") if isinstance(each, dict) else str(each)
