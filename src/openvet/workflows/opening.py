"""Opening a model to run it: which runtime takes its bytes, is it there, at which level of the sandbox, and what the result may say of all that.

The model is hashed before it is loaded, and its files are looked at again once it is closed: what a result says of a model, it says of those bytes.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field
from functools import lru_cache
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.progress import Progress
from openvet.core.snapshot import EntryKind
from openvet.core.text import printable
from openvet.engines._engine import Engine
from openvet.engines.model import ENGINES, Model
from openvet.engines.model import open_model as open_in_child
from openvet.errors import ReadError, SubjectError, UsageError
from openvet.evidence.statement import ResourceDescriptor
from openvet.formats._format import Head
from openvet.inventory.identify import identify
from openvet.origins.local import LocalOrigin
from openvet.sandbox.canary import Proof
from openvet.sandbox.interpreter import Interpreter, interpreter_at, our_interpreter
from openvet.sandbox.levels import ENOUGH
from openvet.sandbox.supervisor import Bounds, MiB
from openvet.workflows import detonate
from openvet.workflows.held_model import identities, model_digest

__all__ = ["CPU_SECONDS", "Asked", "Opening", "Running", "address_space", "links_out", "look", "open_model", "opened"]

#: The format that a runtime takes, in the order in which they are looked for where a folder has several.
_RUNS: Final = {
    "static": (),
    "gguf": ("gguf",),
    "whisper": ("ctranslate2",),
    "transformers": ("safetensors",),
    "onnx": ("onnx",),
}
#: What is installed for each, as the extras of this package are called.
_NAMES: Final = {"gguf": "GGUF", "whisper": "CTranslate2", "transformers": "safetensors", "onnx": "ONNX"}
_PICKLES: Final = frozenset({"torch-zip", "torch-legacy", "torch-tar", "pickle"})
_FILES: Final = 20_000
_SETTINGS: Final = 1 << 20
#: Processor time of a child that stays never runs out: each request has its own wall time.
CPU_SECONDS: Final = 30 * 24 * 3600
_LEAST_MEMORY: Final = 8192 * MiB


@dataclass(frozen=True, slots=True)
class Asked:
    """How to run a model.

    Attributes:
        python: the interpreter that has the runtime; ours where it is ''.
        engine: of :data:`openvet.engines.model.ENGINES`; '' for the one that takes its bytes.
        file: of a folder, the one to open; '' for the only one.
        threads: that compute.
        context: tokens that it can hold; 0 for what the runtime takes by itself.
        level: of the sandbox, by its id; '' for the strongest that is proven, from 3 downwards.
        accepted: whether less than what is enough is taken.
        memory: bytes of address space; 0 for three times the model and 8 GiB.
        seconds: until it is loaded, and for each request.
        trust_remote_code: whether code of the model's own is run, and pickles of it are loaded.
        file_size: bytes of one file that the child may write.
        options: of the engine, beside these.
    """

    python: str = ""
    engine: str = ""
    file: str = ""
    threads: int = 1
    context: int = 0
    level: str = ""
    accepted: bool = False
    memory: int = 0
    seconds: float = 600.0
    trust_remote_code: bool = False
    file_size: int = 16 * MiB
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def engine_options(self) -> dict[str, Any]:
        """What the engine is told, beside the threads."""
        named = {"context": self.context, "file": self.file, "trust_remote_code": self.trust_remote_code}
        return {**named, **self.options}


@dataclass(frozen=True, slots=True)
class Opening:
    """What would be opened: the engine, the file ('' for the whole folder), the interpreter, and the bytes of the model."""

    engine: str
    file: str
    python: Interpreter
    size: int


class Running:
    """A model that is open, and what a result may say of how it runs.

    Attributes:
        model: to be asked.
        subject: its name and digest.
        proof: of the level at which it runs.
        opening: what was opened, by which interpreter.
        accepted: whether somebody accepted a level that is not enough.
    """

    def __init__(
        self,
        path: str,
        asked: Asked,
        opening: Opening,
        proof: Proof,
        subject: ResourceDescriptor,
        before: Any,
        model: Model,
    ) -> None:
        self._path, self._before, self._asked = path, before, asked
        self.opening, self.proof, self.subject, self.model = opening, proof, subject, model
        self.accepted = asked.accepted and not (proof.proven and proof.level.number >= ENOUGH)

    def settings(self) -> dict[str, str]:
        """What decides its answers and who kept it in, as text by text: nothing in it is secret."""
        model, level = self.model, self.proof.level
        found = {
            "engine": model.engine,
            "version": model.version,
            "threads": str(self._asked.threads),
            "level": level.id,
            "walls": level.name,
            "python": self.opening.python.version,
            "machine": platform.machine(),
        }
        if self.opening.file:
            found["file"] = printable(self.opening.file)
        if self.accepted:
            found["isolation"] = "none that is enough, which was accepted"
        if self._asked.trust_remote_code:
            found["own code"] = "was run"
        named = ("context", "dtype", "pooling", "pooling_said", "description", "processor")
        return {**found, **{name: str(model.facts[name]) for name in named if name in model.facts}}

    def still(self) -> None:
        """See that the model's files are what they were.

        Raises:
            SubjectError: they are not.
        """
        if identities(self._path) != self._before:
            raise SubjectError(
                f"{printable(self._path)}: changed while it was run, so that nothing can be said about it; run it again"
            )

    def close(self) -> None:
        """Let go of it (raises as :meth:`still`)."""
        self.model.close()
        self.still()


def address_space(size: int) -> int:
    """Bytes of address space for a model of so many: more than it uses, for what frameworks map, and a model twice while it is loaded."""
    return _LEAST_MEMORY + 3 * size


def look(path: str, asked: Asked) -> Opening:
    """Which runtime takes the model, by its bytes and by what is installed.

    Raises:
        UsageError: none does, or it is not installed, and what to do.
        SubjectError: the model cannot be listed.
    """
    if asked.engine and asked.engine not in ENGINES:
        raise UsageError(f"there is no engine {printable(asked.engine)[:20]!r}; the engines are {', '.join(ENGINES)}")
    python = interpreter_at(asked.python) if asked.python else our_interpreter()
    found, size, pickles = _formats(path)
    if asked.file and not any(asked.file == each for names in found.values() for each in names):
        if not os.path.isfile(os.path.join(path, asked.file)):
            raise UsageError(f"{printable(path)} has no file {printable(asked.file)[:100]!r}")
        found = {}
    if asked.engine:
        _needs(asked.engine, python, path)
        return Opening(asked.engine, asked.file, python, size)
    if asked.file:
        found = {engine: names for engine, names in found.items() if asked.file in names}
    if not found:
        raise UsageError(_nothing(path, asked.file, pickles=pickles))
    engine = next((each for each in found if not _lacks(each, python)), next(iter(found)))
    _needs(engine, python, path)
    return Opening(engine, asked.file, python, size)


def _formats(path: str) -> tuple[dict[str, list[str]], int, bool]:
    """The files that each engine takes, in the order of engines; the bytes of all files; and whether there are pickles of weights."""
    takes = {each: engine for engine, formats in _RUNS.items() for each in formats}
    found: dict[str, list[str]] = {engine: [] for engine in _RUNS}
    size, pickles = 0, False
    origin = LocalOrigin(path)
    try:
        if origin.snapshot.cut:
            raise SubjectError(f"{origin.snapshot.name}: {origin.snapshot.cut}")
        linked = next((each.place for each in origin.snapshot.entries if each.kind is EntryKind.FOLDER_LINK), None)
        if linked is not None:
            raise SubjectError(
                f"{origin.snapshot.name}: {linked} is a link to a folder, whose files are no part of its digest; put the folder itself there"
            )
        files = [each for each in origin.snapshot.entries if each.kind is EntryKind.FILE]
        names = {each.name for each in files}
        for entry in files[:_FILES]:
            size += entry.size or 0
            try:
                source = origin.open(entry)
            except ReadError:
                continue
            try:
                ids = [each.FORMAT.id for each in identify(Head(entry.name, source)).readers]
            except ReadError:
                continue
            finally:
                source.close()
            pickles = pickles or bool(_PICKLES & set(ids))
            engine = next((takes[each] for each in ids if each in takes), None)
            if engine:
                found[engine].append(entry.name)
    finally:
        origin.close()
    if "config.json" not in names:
        found["transformers"] = []  # a file of tensors without settings is no model yet
    elif found["transformers"] and _is_table(path):
        found["static"], found["transformers"] = found["transformers"], []
    return {engine: listed for engine, listed in found.items() if listed}, size, pickles


def _is_table(path: str) -> bool:
    """Whether a folder's settings say that it is a table of vectors, in model2vec's form, and no network."""
    try:
        with open(os.path.join(path, "config.json"), "rb") as file:
            settings = json.loads(file.read(_SETTINGS))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(settings, dict) and settings.get("model_type") == "model2vec"


def _engine(name: str) -> Engine:
    found: Engine = importlib.import_module(f"openvet.engines.{name}").ENGINE
    return found


def _lacks(engine: str, python: Interpreter) -> list[str]:
    packages = _engine(engine).packages
    there = python.has(packages)
    return [each for each in packages if each not in there]


def _needs(engine: str, python: Interpreter, path: str) -> None:
    lacks = _lacks(engine, python)
    if lacks:
        where = python.executable
        raise UsageError(
            f"{printable(path)} would be run by {_engine(engine).id}, and {printable(where)} has no {', '.join(lacks)}: install it there "
            f"(pip install 'openvet[{engine}]'), or name the interpreter of an environment that has it with --python"
        )


def _nothing(path: str, file: str, *, pickles: bool) -> str:
    known = ", ".join(_NAMES.values())
    what = f"{printable(path)}{f' ({printable(file)})' if file else ''}"
    if pickles:
        return (
            f"{what} has its weights in pickles, which run what they like once they are loaded; `openvet disarm` makes safetensors of them, "
            f"and --engine transformers --trust-remote-code loads them as they are"
        )
    return f"{what} has no model that is run here, which are those of {known}; a folder of safetensors needs its config.json"


@lru_cache(maxsize=4)
def _proven(level: str, accepted: bool) -> Proof:
    """The level to run at, proven once in a process."""
    return detonate.proven_level(detonate.Asked(level, accepted))


def open_model(
    path: str,
    asked: Asked | None = None,
    progress: Progress | None = None,
    *,
    readable: Sequence[str] = (),
    writable: Sequence[str] = (),
    started: Callable[[int], None] | None = None,
    held: ResourceDescriptor | None = None,
) -> Running:
    """Open the model at ``path`` in a confined child.

    Args:
        held: its digest, where whoever calls has read it a moment ago and sees that its files did not change since; it is not hashed again.
        readable, writable: files and folders beside the model's own, which are ours.
        started: is called with the number of the child's process before that loads anything.

    Raises:
        UsageError: no runtime takes it, or it is not installed.
        NoIsolationError: nothing here is enough to run a stranger's model in.
        SubjectError, VerifyError: it cannot be hashed.
        SandboxError: it cannot be loaded, and why.
    """
    asked = asked or Asked()
    opening = look(path, asked)
    before = identities(path)
    if held is None:
        algorithm, digest, _ = model_digest(path, progress or Progress())
        held = ResourceDescriptor(
            printable(os.path.basename(os.path.normpath(os.path.abspath(path)))), {algorithm: digest}
        )
    proof = _proven(asked.level, asked.accepted)
    bounds = Bounds(
        seconds=asked.seconds,
        cpu_seconds=CPU_SECONDS,
        memory=asked.memory or address_space(opening.size),
        file_size=asked.file_size,
    )
    options = asked.engine_options
    model = open_in_child(
        opening.engine, os.path.realpath(path), proof.level, bounds, python=opening.python, threads=asked.threads, options=options,
        readable=[*links_out(path), *readable], writable=writable, started=started,
    )  # fmt: skip
    return Running(path, asked, opening, proof, held, before, model)


@contextmanager
def opened(path: str, asked: Asked | None = None, progress: Progress | None = None, **named: Any) -> Iterator[Running]:
    """The same, closed behind it (raises as :func:`open_model`, and as :meth:`Running.close`)."""
    running = open_model(path, asked, progress, **named)
    try:
        yield running
    except BaseException:
        running.model.kill()
        raise
    running.close()


def links_out(path: str) -> list[str]:
    """Where links of a hub's cache lead to, out of the folder."""
    root = os.path.realpath(path)
    found = set()
    for folder, _, files in os.walk(path):
        for each in files:
            lies = os.path.realpath(os.path.join(folder, each))
            if not lies.startswith(os.path.join(root, "")) and lies != root:
                found.add(lies)
    return sorted(found)
