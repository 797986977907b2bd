"""What a TensorFlow graph would run, as facts; and what is known of its operations (``data/tensorflow_ops.toml``)."""

from __future__ import annotations

from functools import cache
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.core.location import Location
from openvet.core.tables import read_table

__all__ = ["OpKnowledge", "TfGraph", "TfUse", "is_outside", "op_knowledge", "text_operations"]


@dataclass(frozen=True, slots=True)
class OpKnowledge:
    """What one operation is known for: its group, and the inputs and attributes that say which file or address."""

    group: str
    inputs: tuple[int, ...] = ()
    attributes: tuple[str, ...] = ()


_ORDINARY = OpKnowledge("ordinary")


@cache
def _tables() -> dict[str, dict[str, str]]:
    return read_table("tensorflow_ops")


@cache
def text_operations() -> tuple[frozenset[str], frozenset[str]]:
    """Operations that hand a text on as it is, and those that make another text of one."""
    table = _tables()["_texts"]
    return frozenset(table["same"].split()), frozenset(table["made"].split())


@cache
def op_knowledge() -> dict[str, OpKnowledge]:
    """Every operation of ``data/tensorflow_ops.toml``."""
    known: dict[str, OpKnowledge] = {}
    for group, table in _tables().items():
        if group.startswith("_"):
            continue
        for word in table["ops"].split():
            name, _, marks = word.partition("=")
            parts = [part for part in marks.split(",") if part]
            known.setdefault(
                name,
                OpKnowledge(
                    group,
                    tuple(int(part) for part in parts if part.isdigit()),
                    tuple(part[1:] for part in parts if part.startswith("@")),
                )
                if group != "ordinary"
                else _ORDINARY,
            )
    return known


def is_outside(path: str) -> bool:
    """Whether a file name of a graph leads out of the model's own folder, on any operating system."""
    text = path.replace("\\", "/").strip()
    if text.startswith(("/", "~")) or ".." in text.split("/") or "://" in text or "\0" in text:
        return True
    return len(text) > 1 and text[1] == ":" and text[0].isalpha()


@dataclass(frozen=True, slots=True)
class TfUse:
    """One operation that is more than arithmetic.

    Attributes:
        op: its type. node: its name. function: the function of the library that it stands in, or ''.
        offset: of its node in the file; ``None`` in a text.
        arguments: what is known of the files, addresses or tokens that it is given: constants of the graph.
        computed: whether an argument is put together by other operations out of constants.
        asset: whether an argument is the name of an asset, which the loader replaces by its place in the folder.
    """

    op: str
    node: str
    function: str
    offset: int | None
    arguments: tuple[str, ...] = ()
    computed: bool = False
    asset: bool = False

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {"op": self.op, "node": self.node}
        if self.function:
            out["function"] = self.function
        if self.offset is not None:
            out["offset"] = self.offset
        if self.arguments:
            out["arguments"] = list(self.arguments)
        if self.computed:
            out["computed"] = True
        return out


@dataclass(frozen=True, slots=True)
class TfGraph:
    """All graphs and functions of one file (a :class:`~openvet.formats._format.Program`).

    Attributes:
        location: where it is.
        ops: how often each type of operation stands there, calls of its own functions apart.
        functions: how many functions its library has.
        uses: the operations that are not ordinary, each with what it is told, in order.
    """

    location: Location
    ops: dict[str, int]
    functions: int
    uses: tuple[TfUse, ...]

    @property
    def kind(self) -> str:
        return "tensorflow-graph"

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "location": self.location.to_json(),
            "functions": self.functions,
            "ops": dict(sorted(self.ops.items())),
            "uses": [use.to_json() for use in self.uses[:200]],
        }
