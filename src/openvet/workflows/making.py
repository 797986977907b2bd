"""One step of a model to another: found by what the parent is, made in a confined child, read again by our own readers, and only then put in its place.

What the child wrote is a stranger's: it is listed, hashed, parsed and checked like any model before anything is said about it.
"""

from __future__ import annotations

import math
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import ModuleType
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.progress import Progress
from openvet.core.text import printable
from openvet.errors import OpenVetError, UsageError
from openvet.inventory.component import Inventory
from openvet.inventory.weights import NOT_PARAMETERS, WEIGHTS, counts, weights
from openvet.io.new_file import WriteError
from openvet.sandbox.canary import Proof
from openvet.sandbox.interpreter import Interpreter, interpreter_at, our_interpreter
from openvet.sandbox.supervisor import Bounds, MiB, run
from openvet.transforms._transform import Setting, Target, Transform, transforms
from openvet.workflows.check import Options, take
from openvet.workflows.held_model import model_digest
from openvet.workflows.opening import address_space, links_out

__all__ = ["Begun", "Made", "RefusedError", "Side", "Step", "begin", "find_step", "read_side", "settings_of"]

_SPARE: Final = 64 * MiB
_GREATEST_FILE: Final = 1 << 42
_SAID: Final = 64
_LISTED: Final = 1_000_000
_YES: Final = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


class RefusedError(OpenVetError):
    """The step cannot be made, or what came of it is not put in its place. Nothing was left behind."""


@dataclass(frozen=True, slots=True)
class Side:
    """One model of a step, as our own readers see it.

    Attributes:
        format: of its weights.
        size: bytes of all files.
        parameters: numbers that were learned, as its tensors have them.
    """

    path: str
    name: str
    digest: tuple[str, str]
    format: str
    size: int
    parameters: int
    inventory: Inventory


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be made: by which transform, with every setting and every file of data."""

    transform: Transform
    module: ModuleType
    to: str
    settings: Mapping[str, Any]
    data: Mapping[str, str]
    bits: int = 0


@dataclass(frozen=True, slots=True)
class Made:
    """What came of it: where it lies, as our own readers see it; what the child said, checked for its form alone; what the check of it says.

    Attributes:
        reviewed: reasons of a check that would have a person look; a rejected one is not put in its place at all.
    """

    side: Side
    version: str
    record: Mapping[str, Any]
    reviewed: tuple[str, ...]


def read_side(path: str, progress: Progress) -> Side:
    """Read a model.

    Raises:
        SubjectError, VerifyError: it cannot be read, or not hashed.
        UsageError: there are no weights in it that can be read.
    """
    algorithm, digest, _ = model_digest(path, progress)
    inventory = take(path, Options(), progress).inventory
    held = inventory.once(weights)
    # an ONNX graph that carries tables of positions is none the less the model where it is alone
    form = next((each for each in WEIGHTS if held.get(each)), "")
    if not form:
        raise UsageError(f"{printable(path)}: there are no weights in it that our readers know")
    counted = inventory.once(counts)
    parameters = sum(
        count.elements
        for component in held[form]
        for kind, count in counted[component.place].items()
        if kind not in NOT_PARAMETERS
    )
    name = printable(os.path.basename(os.path.normpath(os.path.abspath(path))))
    size = sum(each.size for each in inventory.files)
    return Side(path, name, (algorithm, digest), form, size, parameters, inventory)


def find_step(command: str, parent: Side, to: str, given: Sequence[str], data: Mapping[str, str]) -> Step:
    """The transform of a command that takes the parent and gives ``to``.

    Args:
        to: a target; '' takes the only one that there is.
        given: settings, as ``NAME=VALUE``.
        data: files by role.

    Raises:
        UsageError: there is none, or a setting or a file makes no sense.
    """
    modules = [each for each in transforms().values() if each.TRANSFORM.command == command]
    fitting = [each for each in modules if parent.format in each.TRANSFORM.inputs]
    if not fitting:
        taken = sorted({name for each in modules for name in each.TRANSFORM.inputs})
        raise UsageError(
            f"{printable(parent.path)}: its weights are {parent.format}, and {command} takes {' or '.join(taken)}"
        )
    found = [(each, target) for each in fitting for target in each.TRANSFORM.targets if target.name == to]
    if not to:
        found = [(each, target) for each in fitting for target in each.TRANSFORM.targets]
    if len(found) != 1:
        names = ", ".join(target.name for each in fitting for target in each.TRANSFORM.targets)
        what = f"there is no {printable(to)[:40]!r}" if to else "--to is missing"
        raise UsageError(f"{what}: of {parent.format} {command} makes {names}")
    module, target = found[0]
    if not module.TRANSFORM.folder and os.path.isdir(parent.path):
        raise UsageError(f"{printable(parent.path)} is a folder: name the file of {parent.format} in it")
    transform: Transform = module.TRANSFORM
    for role in transform.data:
        if role not in data and not (transform.id == "layer-drop" and "steps=0" in given):
            raise UsageError(f"{command} --to {target.name} learns from texts: --{role} FILE names them")
    for role in data:
        if role not in transform.data:
            raise UsageError(f"--{role} belongs to steps that learn, and {command} --to {target.name} does not")
    return Step(transform, module, target.name, settings_of(transform, target, given), dict(data), target.bits)


def settings_of(transform: Transform, target: Target, given: Sequence[str]) -> dict[str, Any]:
    """Every setting of a transform, as its target and ``NAME=VALUE`` have it.

    Raises:
        UsageError: there is no such setting, or its value makes no sense.
    """
    known = {each.name: each for each in transform.settings}
    out = {each.name: each.default for each in transform.settings} | dict(target.settings)
    for each in given:
        name, equals, text = each.partition("=")
        if name not in known or not equals:
            rest = [name for name in known if name not in target.settings]
            raise UsageError(
                f"--set {printable(each)[:60]!r}: {transform.id} has {', '.join(rest) or 'no settings'}; a setting is NAME=VALUE"
            )
        if name in target.settings:
            raise UsageError(f"--set {name}: that is what --to {target.name} stands for")
        out[name] = _value(known[name], text)
    return out


def _value(setting: Setting, text: str) -> Any:
    try:
        if setting.kind == "flag":
            return _YES[text.lower()]
        if setting.kind == "text":
            return text
        value = int(text) if setting.kind == "int" else float(text)
        if not math.isfinite(value):
            raise ValueError
    except (KeyError, ValueError):
        kinds = {"flag": "yes or no", "int": "a whole number", "float": "a number"}
        raise UsageError(f"--set {setting.name}={printable(text)[:40]}: it has to be {kinds[setting.kind]}") from None
    if (setting.low is not None and value < setting.low) or (setting.high is not None and value > setting.high):
        raise UsageError(
            f"--set {setting.name}={printable(text)[:40]}: it has to be from {setting.low:g} to {setting.high:g}"
        )
    return value


@dataclass(frozen=True, slots=True)
class _Child:
    """How children run here: which interpreter, at which level, and what they may spend."""

    python: Interpreter
    proof: Proof
    threads: int
    seconds: float
    memory: int


class Begun:
    """A place beside the target in which steps are made: it goes away with everything in it that was not put in its place.

    Args:
        target: where the child will be.
        force: replace what is there.

    Raises:
        UsageError: the target is there already, or lies in the parent.
        WriteError: nothing can be written beside it.
    """

    def __init__(self, source: str, target: str, child: _Child, *, force: bool) -> None:
        self.target = os.path.abspath(target)
        self._source = os.path.realpath(source)
        self._child = child
        self._force = force
        shown = printable(target)
        real = os.path.realpath(target)
        if os.path.commonpath([real, self._source]) in (real, self._source):
            raise UsageError(f"{shown} is the parent itself, lies in it or holds it: choose another place")
        if os.path.lexists(target) and not force:
            raise UsageError(f"{shown} is there already; --force replaces it")
        folder, name = os.path.split(self.target)
        try:
            self.folder = tempfile.mkdtemp(prefix=f".{name[:80]}.", suffix=".part", dir=folder)
        except OSError as error:
            raise WriteError(f"cannot write {shown}: {error.strerror or error}; nothing was left there") from error
        self._count = 0
        self._old = os.path.join(self.folder, "old")
        self._new = ""

    def __enter__(self) -> Begun:
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()
        # what could not go back is the only copy of it: it stays where it is
        if not os.path.lexists(self._old) or self._is_put():
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def child(self) -> _Child:
        return self._child

    def space_for(self, parent: Side, bits: int) -> int:
        """Bytes that a child of this kind takes at most."""
        beside = 0 if bits else parent.size
        return int(parent.parameters * bits / 8 * 1.05) + int(beside * 1.05) + _SPARE

    def make(self, parent: Side, step: Step, progress: Progress) -> Made:
        """Make one step, and read what came of it.

        Raises:
            RefusedError: it cannot be made, or is nothing that would be put in its place.
            UsageError: the interpreter lacks what it needs.
            SandboxError: no child could be started.
        """
        transform = step.transform
        self._needs(transform)
        need = self.space_for(parent, step.bits)
        free = shutil.disk_usage(self.folder).free
        if need > free:
            raise RefusedError(
                f"{printable(self.target)}: up to {need:,} bytes are needed there, and {free:,} are free; nothing was written"
            )
        self._count += 1
        room = os.path.join(self.folder, str(self._count))
        scratch = os.path.join(self.folder, f"{self._count}-scratch")
        for each in (room, scratch):
            os.mkdir(each)
        whole = os.path.join(room, os.path.basename(self.target))
        progress.doing = f"{transform.id} {step.to}"
        answer = self._run(parent, step, whole, scratch, need)
        shutil.rmtree(scratch, ignore_errors=True)
        _only_files(room)
        if not os.path.lexists(whole):
            raise RefusedError(f"{transform.id} ended well and wrote nothing")
        side, reviewed = _vetted(whole, progress)
        return Made(side, _text(answer.get("version"))[:300], _record(answer.get("record")), reviewed)

    def drop(self, made: Made) -> None:
        """Remove a child that will not be put in its place."""
        shutil.rmtree(os.path.dirname(made.side.path), ignore_errors=True)

    def _needs(self, transform: Transform) -> None:
        python = self._child.python
        lacks = sorted(set(transform.packages) - set(python.has(transform.packages)))
        if lacks:
            raise UsageError(
                f"{transform.id} needs {', '.join(lacks)}, which {python.executable} has not; pip install {transform.install} there, "
                "or --python FILE names another interpreter"
            )

    def _run(self, parent: Side, step: Step, whole: str, scratch: str, need: int) -> Mapping[str, Any]:
        child = self._child
        bounds = Bounds(
            seconds=child.seconds,
            cpu_seconds=math.ceil(child.seconds * (child.threads + 1)),
            memory=child.memory or address_space(parent.size),
            file_size=min(2 * need, _GREATEST_FILE),
        )
        data = {role: os.path.realpath(path) for role, path in step.data.items()}
        work = {
            "work": "openvet.transforms._making", "module": step.module.__name__, "source": os.path.realpath(parent.path), "target": whole,
            "settings": dict(step.settings), "data": data, "threads": child.threads,
        }  # fmt: skip
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
        found = run(
            work,
            child.proof.level,
            bounds,
            readable=[parent.path, *links_out(parent.path), *data.values()],
            writable=[os.path.dirname(whole), scratch],
            environment={**dict.fromkeys(names, str(child.threads)), "TMPDIR": scratch},
            python=child.python,
        )
        if not found.answered:
            last = found.output.decode("utf-8", "replace").strip().splitlines()
            said = f"; it said last: {printable(last[-1])[:300]}" if last else ""
            raise RefusedError(f"{step.transform.id}: the child did not come to its end: {found.ended}{said}")
        answer = found.answer if isinstance(found.answer, dict) else {}
        if "failed" in answer:
            raise RefusedError(f"{step.transform.id}: {printable(_text(answer['failed']))[:2000]}")
        return answer

    def put(self, made: Made) -> None:
        """Put a child in its place, whole.

        Raises:
            WriteError: something came up there meanwhile, or it cannot be renamed.
        """
        self._new = made.side.path
        try:
            if os.path.lexists(self.target):
                if not self._force:
                    raise WriteError(f"{printable(self.target)} came up meanwhile; --force replaces it")
                os.rename(self.target, self._old)
            os.rename(self._new, self.target)
        except OSError as error:
            self._restore()
            kept = f"; what was there is in {printable(self._old)}" if os.path.lexists(self._old) else ""
            raise WriteError(f"cannot write {printable(self.target)}: {error.strerror or error}{kept}") from error

    def _is_put(self) -> bool:
        """Whether the child is in its place: asked of the disk, since an interruption comes between any two lines."""
        return bool(self._new) and not os.path.lexists(self._new) and os.path.lexists(self.target)

    def _restore(self) -> None:
        """Put back what was replaced, where nothing came into its place."""
        if os.path.lexists(self._old) and not os.path.lexists(self.target):
            with suppress(OSError):
                os.rename(self._old, self.target)


def begin(
    source: str, target: str, proof: Proof, *, python: str, threads: int, seconds: float, memory: int, force: bool
) -> Begun:
    """A place to make steps in (raises like :class:`Begun`)."""
    interpreter = interpreter_at(python) if python else our_interpreter()
    return Begun(source, target, _Child(interpreter, proof, threads, seconds, memory), force=force)


def _only_files(folder: str) -> None:
    """Whether a child wrote only files and folders: a link would lead our readers elsewhere."""
    for root, folders, names in os.walk(folder):
        for each in (*folders, *names):
            path = os.path.join(root, each)
            if os.path.islink(path) or not (os.path.isdir(path) or os.path.isfile(path)):
                raise RefusedError(
                    f"the child wrote {printable(os.path.relpath(path, folder))}, which is neither file nor folder: it is not read"
                )


def _vetted(path: str, progress: Progress) -> tuple[Side, tuple[str, ...]]:
    """What was made, read and checked."""
    from openvet.workflows.check import check_each

    side = read_side(path, progress)
    decision = next(iter(check_each([path], Options(), progress))).decision
    reasons = tuple(printable(each.message)[:300] for each in decision.reasons)
    if decision.verdict == "reject":
        raise RefusedError(f"the check of what was made rejects it: {'; '.join(reasons[:3])}")
    return side, reasons if decision.verdict != "admit" else ()


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise RefusedError("the child said something else than text")
    return value


def _record(value: Any) -> dict[str, Any]:
    """What a child says of its work: a few numbers, texts, and lists of numbers.

    Raises:
        RefusedError: it is something else.
    """
    if not isinstance(value, dict) or len(value) > _SAID:
        raise RefusedError("the child's record is no object of a few entries")
    out: dict[str, Any] = {}
    for name, each in value.items():
        listed = each if isinstance(each, list) else [each]
        fits = all(_is_number(number) for number in listed) and len(listed) <= _LISTED
        if not fits and not isinstance(each, str):
            raise RefusedError(
                f"the child's record has something else than numbers and text: {printable(str(name))[:40]}"
            )
        out[printable(str(name))[:60]] = printable(each)[:500] if isinstance(each, str) else each
    return out


def _is_number(value: Any) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and abs(value) < 2**63
    )
