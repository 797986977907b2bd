"""detonate: a model is led through its life in a sandbox that was proven in the same run, and what it did is judged and said.

What can be loaded is known by its bytes. Each file gets a child of its own, so that one cannot say anything about another; a folder that names
code of its own is built as a whole as well.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Sequence
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.progress import Progress
from openvet.core.snapshot import Entry, EntryKind
from openvet.core.text import printable
from openvet.errors import ReadError, SubjectError, UsageError
from openvet.evidence.predicates import NAMES
from openvet.evidence.predicates.observation_v1 import (
    MALICIOUS,
    NOT_LOADED,
    NOTHING,
    UNUSUAL,
    LifePhase,
    Load,
    NotLoaded,
    ObservationV1,
    Recorder,
    Seen,
    Walls,
)
from openvet.evidence.statement import ResourceDescriptor, Statement
from openvet.formats._format import Head
from openvet.inventory.identify import identify
from openvet.origins.local import LocalOrigin
from openvet.sandbox.canary import Proof, prove
from openvet.sandbox.decoys import Decoys, make_decoys
from openvet.sandbox.interpreter import Interpreter, interpreter_at, our_interpreter
from openvet.sandbox.levels import ENOUGH, LADDER, NO_ISOLATION, Level, NoIsolationError
from openvet.sandbox.lifecycle import PHASES
from openvet.sandbox.loaders import NAMED_IN_PICKLES, installed
from openvet.sandbox.supervisor import AFTER, Bounds, Run, run
from openvet.workflows.held_model import identities, model_digest
from openvet.workflows.knowledge import tool
from openvet.workflows.observed import Places, judge

__all__ = ["DETONATION_TYPE", "Asked", "Detonation", "detonate", "level_of", "proven_level"]

DETONATION_TYPE: Final = f"{NAMES}/detonation-report/v1"
#: Format -> the loader that its users load it with.
_LOADED_BY: Final = {
    "pickle": "pickle", "joblib-zfile": "joblib", "npy": "numpy", "torch-zip": "torch", "torch-legacy": "torch", "torch-tar": "torch",
    "safetensors": "safetensors", "onnx": "onnxruntime", "gguf": "llama-cpp",
}  # fmt: skip
#: Formats of models that none of the loaders here takes.
_NO_LOADER: Final = frozenset(
    {
        "hdf5", "keras-metadata", "tf-saved-model", "tf-graph", "tf-meta-graph", "tf-checkpoint-index", "tflite", "coreml", "skops", "mxnet", "ncnn",
        "paddle-program", "paddle-params", "catboost", "lightgbm", "xgboost-binary", "ggml", "caffe", "darknet", "executorch", "ort", "torch-export",
        "torch-package", "torch-distcp", "torch7", "fasttext", "word2vec", "ctranslate2", "faiss", "crfsuite", "msgpack", "java-serialized",
        "dotnet-objects", "rds", "python-bytecode", "polars-plan", "matlab",
    }
)  # fmt: skip
_NAMED: Final = {".keras": "Keras", ".nemo": "NeMo", ".mlmodel": "Core ML", ".mar": "TorchServe"}
_COMPRESSED: Final = {"gzip", "zlib", "bzip2", "xz", "lz4"}
_EXPECTED_LISTED: Final = 100
_WORSE_LISTED: Final = 500
_OUTPUT: Final = 2000
_FILES: Final = 32
_SETTINGS: Final = (
    "config.json",
    "tokenizer_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "adapter_config.json",
)
_SMALL: Final = 1 << 20
_RECORDERS: Final = {
    "audit": Recorder(
        "audit",
        "every event of Python's audit hooks, with the code that caused it",
        "native code; and code of the model runs in the same process, can silence it, and can say something in its name",
    ),
    "kernel": Recorder(
        "kernel",
        "every file that is opened or changed, every socket, process and signal that is asked for, as the kernel was asked",
        "what needs no system call, or only those that compute; files of the interpreter are counted and not listed",
    ),
    "network": Recorder(
        "network",
        "every name that is looked up and every address that is talked to, with the first bytes that are sent; nobody answers in earnest",
        "what would have been said after an answer",
    ),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """How to detonate.

    Attributes:
        level: of the ladder, by its id; '' takes the first from level 3 downwards that is proven.
        accepted: whether less than what is enough is taken.
        bounds: of each child.
        python: the interpreter that loads, which has the frameworks; ours where it is ''.
    """

    level: str = ""
    accepted: bool = False
    bounds: Bounds | None = None
    python: str = ""


@dataclass(frozen=True, slots=True)
class Detonation:
    """What came of it: the model that it is about, and what was observed."""

    subject: ResourceDescriptor
    observation: ObservationV1

    @property
    def statement(self) -> Statement:
        return Statement(self.subject, self.observation)

    def to_json(self) -> dict[str, Any]:
        return {
            "type": DETONATION_TYPE,
            "subject": self.subject.to_json(),
            "verdict": self.observation.verdict,
            "observation": self.observation.to_json(),
        }


@dataclass(frozen=True, slots=True)
class _Task:
    """One load: ``path`` in the model ('' for the folder), where it ``lies``, the ``loader``, and what it names that is imported first."""

    path: str
    lies: str
    loader: str
    imports: tuple[str, ...] = ()
    own_code: bool = False


def level_of(name: str) -> Level:
    """The level with this id.

    Raises:
        UsageError: there is none.
    """
    found = next((each for each in LADDER if each.id == name), None)
    if found is None:
        raise UsageError(
            f"there is no level {printable(name)[:20]!r}; the levels are {', '.join(each.id for each in LADDER)}"
        )
    return found


def proven_level(asked: Asked, prover: Callable[[Level], Proof] = prove) -> Proof:
    """The level to run at, proven now.

    Raises:
        NoIsolationError: none that is enough is proven here, or the one that was asked for is not, and nobody accepted less.
    """
    if asked.level:
        level = level_of(asked.level)
        proof = prover(level)
        if not proof.outcomes:
            raise NoIsolationError(
                f"level {level.id} ({level.name}) cannot be had here: {proof.missing}; `openvet doctor` shows what can"
            )
        if not asked.accepted and (level.number < ENOUGH or not proof.proven):
            why = "is too weak" if level.number < ENOUGH else "does not keep what it promises here"
            raise NoIsolationError(
                f"level {level.id} ({level.name}) {why}, so that nothing of the model was run; `openvet doctor` shows what is "
                "better, --i-accept-no-isolation runs it all the same, and is written into the evidence"
            )
        return proof
    weaker: list[Proof] = []
    for level in LADDER:
        if level.number > 3 or (level.number < ENOUGH and not asked.accepted):
            continue
        proof = prover(level)
        if proof.proven:
            return proof
        if proof.outcomes:
            weaker.append(proof)
    if asked.accepted and weaker:
        # the fewest attempts that reached something
        return min(weaker, key=lambda each: sum(outcome == "reached" for outcome in each.outcomes.values()))
    raise NoIsolationError(NO_ISOLATION)


def detonate(path: str, asked: Asked | None = None, progress: Progress | None = None) -> Detonation:
    """Load what can be loaded of the model at ``path``, each in a child of its own, and judge what it did.

    Raises:
        NoIsolationError: nothing here is enough to run a stranger's model in.
        UsageError: no such level.
        SubjectError: the model cannot be read, or changed meanwhile.
        VerifyError: ``mismatch``: a file of it cannot be hashed, so that nothing could be said about this model.
        SandboxError: a child could not be started.
    """
    asked = asked or Asked()
    progress = progress or Progress()
    python = interpreter_at(asked.python) if asked.python else our_interpreter()
    tasks, missed, before = _tasks(path, python)
    algorithm, digest, _ = model_digest(path, progress)
    proof = proven_level(asked)
    loads = [_loaded(each, path, proof.level, asked.bounds, python) for each in tasks]
    if identities(path) != before:
        raise SubjectError(
            f"{printable(path)}: changed while it was loaded, so that nothing can be said about it; run it again"
        )
    made = ObservationV1(
        tool(),
        Walls(
            proof.level.id, proof.level.walls, proof.level.claim, proof.outcomes, asked.accepted and not (proof.proven and proof.level.number >= ENOUGH)
        ),
        tuple(_RECORDERS[each] for each in proof.recorders),
        {"python": python.version, "kernel": platform.release(), "machine": platform.machine()},
        tuple(loads),
        tuple(missed),
    )  # fmt: skip
    name = printable(os.path.basename(os.path.normpath(os.path.abspath(path))))
    return Detonation(ResourceDescriptor(name, {algorithm: digest}), made)


# --- what to load ---


def _tasks(path: str, python: Interpreter) -> tuple[list[_Task], list[NotLoaded], tuple[Any, ...]]:
    """What to load, what is not loaded and why, and by what to see that the model changed."""
    origin = LocalOrigin(path)
    try:
        snapshot = origin.snapshot
        if snapshot.cut:
            raise SubjectError(f"{snapshot.name}: {snapshot.cut}")
        root = os.path.realpath(path)
        tasks: list[_Task] = []
        missed: list[NotLoaded] = []
        own_code = not snapshot.single and _names_code(root)
        if own_code:
            loader = "transformers" if not installed("transformers", python) else "sources"
            tasks.append(_Task("", root, loader, own_code=True))
        for entry in snapshot.entries:
            if entry.kind is not EntryKind.FILE:
                continue
            lies = root if snapshot.single else os.path.realpath(os.path.join(root, entry.name))
            loader, why, imports = _loader(origin, entry, python)
            if loader and len(tasks) < _FILES:
                tasks.append(_Task("" if snapshot.single else entry.place, lies, loader, imports))
            elif loader:
                missed.append(NotLoaded(entry.place, f"more than {_FILES} files: detonate it on its own"))
            elif why:
                missed.append(NotLoaded(entry.place, why))
    finally:
        origin.close()
    if not tasks and not missed:
        missed.append(NotLoaded("", "no file here is of a kind that a loader here takes"))
    return tasks, missed, identities(path)


def _loader(origin: LocalOrigin, entry: Entry, python: Interpreter) -> tuple[str, str, tuple[str, ...]]:
    """The loader of a file and the packages that it names, or why it has none; neither for what is no model."""
    suffix = os.path.splitext(entry.name)[1].lower()
    source = origin.open(entry)
    try:
        head = Head(entry.name, source)
        found = identify(head)
        named = tuple(each for each in NAMED_IN_PICKLES if each.encode() in head.data)
    except ReadError as error:
        return "", f"cannot be read: {error}", ()
    finally:
        source.close()
    ids = [each.FORMAT.id for each in found.readers]
    if found.recognised is not None:
        ids.append(found.recognised.id)
    if suffix == ".joblib" and (set(ids) & (_COMPRESSED | {"pickle"})):
        ids.insert(0, "joblib-zfile")
    if suffix == ".npz" and "zip" in ids:
        ids.insert(0, "npy")
    name = next((_LOADED_BY[each] for each in ids if each in _LOADED_BY), "")
    if name:
        lacks = installed(name, python)
        if lacks:
            return "", f"its loader, {name}, cannot be used: {lacks}", ()
        return name, "", named if name in ("pickle", "joblib") else ()
    if suffix in _NAMED:
        return "", f"no loader here for {_NAMED[suffix]}: nothing is concluded about it", ()
    known = next((each for each in ids if each in _NO_LOADER), "")
    return "", f"no loader here for {known}: nothing is concluded about it" if known else "", ()


def _names_code(root: str) -> bool:
    """Whether the folder's settings name classes in files of its own, as ``trust_remote_code`` takes them."""
    for name in _SETTINGS:
        try:
            with open(os.path.join(root, name), "rb") as file:
                value = json.loads(file.read(_SMALL))
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(value, dict) and value.get("auto_map"):
            return True
    return False


# --- one load ---


def _loaded(task: _Task, path: str, level: Level, bounds: Bounds | None, python: Interpreter) -> Load:
    decoys = make_decoys()
    root = os.path.realpath(path)
    work = {
        "work": "openvet.sandbox.lifecycle",
        "loader": task.loader,
        "path": task.lies,
        "decoys": dict(decoys.files),
        "imports": task.imports,
    }
    # a link of a hub's cache leads out of the folder, to what has its name there
    found = run(work, level, bounds, readable=[root, task.lies], environment=decoys.variables, python=python)
    places = _places(found, decoys, root, task, python)
    seen = [judge(each, places) for each in found.events]
    phases = tuple(
        LifePhase(each.name, each.outcome, places.named(each.detail)[:500], f"{each.seconds:.2f}")
        for each in found.phases
    )
    listed, left_off = _listed(seen)
    answer = found.answer if isinstance(found.answer, dict) else {}
    return Load(
        task.path,
        task.loader,
        printable(str(answer.get("version", "")))[:50],
        _verdict(seen, phases, found),
        places.named(found.ended),
        phases,
        listed,
        left_off,
        found.lost,
        found.library_reads,
        places.named(found.output.decode("utf-8", "backslashreplace"))[:_OUTPUT],
    )


def _places(found: Run, decoys: Decoys, root: str, task: _Task, python: Interpreter) -> Places:
    ours = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    libraries = (*python.roots, f"{os.path.dirname(ours)}/")
    return Places(root, found.home, found.scratch, libraries, f"{ours}/", decoys.tokens, task.own_code)


def _listed(seen: Sequence[Seen]) -> tuple[tuple[Seen, ...], int]:
    """What was worse, and of what was expected the first, in the order in which it was seen; and how many are left off."""
    kept, expected, worse = [], 0, 0
    for each in seen:
        if each.judged == "expected":
            expected += 1
            if expected <= _EXPECTED_LISTED:
                kept.append(each)
        else:
            worse += 1
            if worse <= _WORSE_LISTED:
                kept.append(each)
    return tuple(kept), len(seen) - len(kept)


def _verdict(seen: Sequence[Seen], phases: Sequence[LifePhase], found: Run) -> str:
    """The worst that was seen. A child that did not come to its end, or said more than is kept, is unusual at least."""
    judged = {each.judged for each in seen}
    if "malicious" in judged:
        return MALICIOUS
    late = any(each.phase == AFTER for each in seen)
    if (
        "unusual" in judged
        or late
        or not found.answered
        or found.lost
        or [each.name for each in phases[1:]] != list(PHASES)
    ):
        return UNUSUAL
    loaded = next((each for each in phases if each.name == "load"), None)
    return NOTHING if loaded is not None and loaded.outcome == "completed" else NOT_LOADED
