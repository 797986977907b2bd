"""What every transform is: a module of this room with a ``TRANSFORM`` and a ``make``.

``make(task)`` runs in a child, with the standard library and what ``packages`` name alone. It reads the parent at ``task.source`` and writes the child, a file
or a folder, at ``task.target``; nothing that it says about what it wrote is believed: the parent's side reads that again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.errors import UsageError

__all__ = ["COMMANDS", "CannotError", "Making", "Setting", "Target", "Transform", "transforms"]

#: Kinds of steps, which are the commands.
COMMANDS: Final = ("quantize", "prune", "distill", "convert", "finetune")


class CannotError(Exception):
    """What was asked cannot be done, and why, in words for whoever asked."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One parameter that may be set: its ``kind`` (``int``, ``float``, ``flag``, ``text``), what it is without, and bounds of numbers.

    Attributes:
        about: one line for people.
    """

    name: str
    kind: str
    default: Any
    about: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that can be asked for with ``--to``: its ``name``, and the settings that it stands for.

    Attributes:
        bits: that a weight takes in it at most, for the space that has to be free; 0 where it takes no more than in the parent.
    """

    name: str
    settings: Mapping[str, Any]
    about: str
    bits: int = 0


@dataclass(frozen=True, slots=True)
class Transform:
    """One kind of step.

    Attributes:
        id: such as ``gguf-quantize``.
        command: of :data:`COMMANDS`.
        inputs: ids of formats that it takes, by the parent's weights.
        output: the format that it writes.
        folder: whether the child is a folder, like the parent; else one file.
        changes: what it does to weights, one sentence.
        targets: what it can be asked for, and those of a ladder in the order of their usual size, the smallest first.
        settings: what may be set beside.
        packages: what the child's interpreter needs, the first of which is named with its version.
        install: what installs them, behind ``pip install``, as a shell takes it.
        data: roles of files that it needs, such as ``train``.
        packed: whether the child's tensors hold several parameters in one element, so that they are counted in the parent.
        notes: what every certificate of it has to say.
        ladder: whether ``--budget`` may search its targets.
        keeps: whether files that hold no weights come along byte for byte, which is verified.
    """

    id: str
    command: str
    inputs: tuple[str, ...]
    output: str
    folder: bool
    changes: str
    targets: tuple[Target, ...]
    settings: tuple[Setting, ...]
    packages: tuple[str, ...]
    install: str
    data: tuple[str, ...] = ()
    packed: bool = False
    notes: tuple[str, ...] = ()
    ladder: bool = False
    keeps: bool = False

    def target(self, name: str) -> Target | None:
        """The target of that name."""
        return next((each for each in self.targets if each.name == name), None)


@dataclass(frozen=True, slots=True)
class Making:
    """One step, as the child gets it.

    Attributes:
        source: the parent's file or folder.
        target: where the child goes, in a folder that may be written to.
        settings: every setting of the transform and its target, by name.
        data: files by role.
        threads: that compute.
        said: tells people how far it is.
    """

    source: str
    target: str
    settings: Mapping[str, Any]
    data: Mapping[str, str]
    threads: int
    said: Callable[[str], None]


def transforms() -> dict[str, ModuleType]:
    """Every transform by its id, plug-ins (``openvet.transforms``) too.

    Raises:
        UsageError: a plug-in cannot be used: what it would have made is not made by something else instead.
    """
    from openvet.core.registry import load_kind

    found = load_kind("openvet.transforms", ("TRANSFORM", "make"))
    if found.broken:
        raise UsageError("; ".join(f"the plug-in {each.name} cannot be used: {each.error}" for each in found.broken))
    return {module.TRANSFORM.id: module for module in found.modules}
