"""A model's fingerprint: made of a model that is held open, or read from a file of a statement."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, TypeVar

from openvet.core.canonical import canonical_json
from openvet.core.dataclass import dataclass
from openvet.core.progress import Progress
from openvet.core.text import printable
from openvet.errors import ReadError, SubjectError, UsageError, VerifyError
from openvet.evidence.predicates.fingerprint_v1 import FingerprintV1, NotSketched
from openvet.evidence.statement import ResourceDescriptor, Statement
from openvet.workflows.check import Options, make_pool
from openvet.workflows.knowledge import tool
from openvet.workflows.opened import Opened

if TYPE_CHECKING:
    from openvet.evidence.keys import PublicKey
    from openvet.inventory.compare.numbers import Stored
    from openvet.inventory.compare.tensors import Heads
    from openvet.profile._parts import Found

__all__ = ["Fingerprinted", "Held", "fingerprint", "hold", "numpy_or_usage", "read_fingerprint", "spreader"]

_T = TypeVar("_T")
_R = TypeVar("_R")
_LARGEST: Final = 64 * 1024 * 1024
#: A statement begins with this; a model in JSON that does is none that has weights.
_OBJECT: Final = b"{"


@dataclass(frozen=True, slots=True)
class Fingerprinted:
    """A fingerprint and what it is of.

    Attributes:
        subject: its name and its digest.
        signed: whether it was taken from a statement that a key signed, which was verified; ``None`` where it was made here.
    """

    subject: ResourceDescriptor
    predicate: FingerprintV1
    signed: bool | None = None

    @property
    def statement(self) -> Statement:
        return Statement(self.subject, self.predicate)


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """A model's tensors, which can be read as long as it is open.

    Attributes:
        tensors: of all of its parts; those of several have the part's name in front.
        heads: what a GGUF file's converter did.
        digests: of files beside the weights.
        not_read: what holds weights and is not read.
    """

    tensors: Sequence[Stored]
    heads: Heads | None
    digests: Mapping[str, str]
    not_read: tuple[NotSketched, ...]


def numpy_or_usage() -> Any:
    """NumPy.

    Raises:
        UsageError: it is not installed.
    """
    from openvet.inventory.compare.numbers import load_numpy

    np = load_numpy()
    if np is None:
        raise UsageError("NumPy is needed for it: pip install 'openvet[numbers]'")
    return np


def spreader(pool: ThreadPoolExecutor) -> Callable[[Callable[[_T], _R], Sequence[_T]], Iterable[_R]]:
    """What gives the results of a function for all items, in order, out of the threads of ``pool``."""

    def spread(function: Callable[[_T], _R], items: Sequence[_T]) -> Iterable[_R]:
        return pool.map(function, items)

    return spread


def fingerprint(
    path: str | os.PathLike[str], options: Options | None = None, progress: Progress | None = None
) -> Fingerprinted:
    """Read a model, hash it, and sketch its weights.

    Raises:
        SubjectError: it cannot be read, or holds nothing that could be sketched.
        UsageError: NumPy is missing, or an option makes no sense.
    """
    np = numpy_or_usage()
    settled = (options or Options()).settled()
    progress = progress or Progress()
    with Opened(os.fspath(path), settled) as opened:
        opened.begin(make_pool(settled, progress))
        opened.read(progress)
        held = hold(np, opened)
        if not held.tensors:
            raise SubjectError(f"{printable(os.fspath(path))}: holds no weights that could be sketched")
        made = sketched(np, opened, held, settled)
        if not made.predicate.tensors and made.predicate.not_sketched:
            why = made.predicate.not_sketched[0].reason
            raise SubjectError(f"{printable(os.fspath(path))}: none of its weights could be sketched: {why}")
        return made


def sketched(np: Any, opened: Opened, held: Held, options: Options) -> Fingerprinted:
    """The fingerprint of a model that is open."""
    from openvet.lineage.fingerprint import fingerprint as sketch
    from openvet.workflows.assemble import subject_of

    with ThreadPoolExecutor(options.jobs or len(os.sched_getaffinity(0)), "sketch") as pool:
        try:
            made = sketch(np, held.tensors, tool(), held.heads, held.digests, held.not_read, spreader(pool))
        except BaseException:  # Ctrl-C: threads end after the block that they are at
            opened.stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return Fingerprinted(subject_of(opened.taken.snapshot, opened.taken.inventory), made)


def hold(np: Any, opened: Opened) -> Held:
    """The tensors of every model in a subject, one packaging of each; what is packed in words is taken apart as it is read."""
    from dataclasses import replace

    from openvet.inventory.compare.packed import unpacked
    from openvet.inventory.compare.tensors import heads_of
    from openvet.profile._parts import find_parts

    parts = [each for each in find_parts(opened.taken.inventory) if each.weights]
    tensors: list[Stored] = []
    missing: list[NotSketched] = []
    heads = None
    if len(parts) > 1 and all(each.weights[0].format == "gguf" for each in parts):
        # one model with more and with fewer bits; the one with the most bytes has lost the least
        size = lambda part: sum(each.size for each in part.weights)  # noqa: E731 - for this one line
        best = max(parts, key=size)
        missing += [
            NotSketched(each.weights[0].place, "is taken for another packaging of the same weights")
            for each in parts
            if each is not best
        ]
        parts = [best]
    for part in parts:
        for component in part.weights:
            if component.format == "gguf" and heads is None:
                heads = heads_of(component.metadata)
            tensors.extend(
                replace(each, name=f"{part.name}/{each.name}") if len(parts) > 1 else each
                for each in unpacked(np, list(opened.tensors(component)), component.format or "")
            )
        missing += [NotSketched(place, "is taken for another packaging of the same weights") for place in part.others]
    digests = _digests(opened, parts[0]) if parts else {}
    return Held(tensors, heads, digests, tuple(missing))


def _digests(opened: Opened, part: Found) -> dict[str, str]:
    """SHA-256 of what lies beside the weights, and of the words of the tokenizer however they are stored."""
    from openvet.workflows.comparing import words_of

    out: dict[str, str] = {}
    for word, names in (
        ("config", ("config.json",)),
        ("tokenizer", ("tokenizer.json", "tokenizer.model", "spiece.model")),
    ):
        for name in names:
            component = part.beside.get(name)
            if component is not None and "sha256" in component.digests:
                out.setdefault(word, component.digests["sha256"])
    template: Any = part.weights[0].metadata.get("tokenizer.chat_template")
    settings = part.beside.get("tokenizer_config.json")
    if template is None and settings is not None and isinstance(settings.document, dict):
        template = settings.document.get("chat_template")
    if isinstance(template, str):
        out["chat-template"] = hashlib.sha256(template.encode("utf-8", "surrogatepass")).hexdigest()
    elif "chat_template.jinja" in part.beside and "sha256" in part.beside["chat_template.jinja"].digests:
        out["chat-template"] = part.beside["chat_template.jinja"].digests["sha256"]
    holder = (
        part.weights[0]
        if part.weights[0].format == "gguf"
        else part.beside.get("tokenizer.json") or part.beside.get("vocab.json")
    )
    if holder is not None:
        try:
            words = words_of(opened, holder)
        except ReadError:
            words = None
        if words is not None:
            listed = sorted(words.vocabulary.items(), key=lambda item: (item[1], item[0]))
            out["vocabulary"] = hashlib.sha256(canonical_json([[number, word] for word, number in listed])).hexdigest()
    return out


def is_statement(path: str) -> bool:
    """Whether a path names a file that may hold a statement: one JSON object."""
    try:
        if not os.path.isfile(path):
            return False
        with open(path, "rb") as file:
            return file.read(64).lstrip().startswith(_OBJECT) and os.path.getsize(path) <= _LARGEST
    except OSError:
        return False


def read_fingerprint(path: str, key: PublicKey | None) -> Fingerprinted | None:
    """The fingerprint in a file; ``None`` where the file is no statement at all.

    Args:
        key: who has to have signed it; ``None`` takes it unsigned, or signed by anybody.

    Raises:
        VerifyError: it is not signed by that key, or its body is not of its form.
        UsageError: it is a statement of another kind, or cannot be read.
    """
    import json

    from openvet.evidence.bundle import Bundle
    from openvet.evidence.signing import parse_statement
    from openvet.evidence.verifier import verify_with_key
    from openvet.workflows.model_files import read_small

    shown = printable(path)
    try:
        data = read_small(path, _LARGEST)
        value = json.loads(data)
    except (OSError, SubjectError, ValueError, RecursionError) as error:
        if isinstance(error, OSError | SubjectError):
            raise UsageError(f"{shown}: {error}") from error
        return None
    if not isinstance(value, dict) or not {"dsseEnvelope", "predicateType"} & value.keys():
        return None
    if "dsseEnvelope" in value:
        bundle = Bundle.parse(data)
        payload = verify_with_key(bundle, key).payload if key is not None else bundle.envelope.payload
    elif key is not None:
        raise VerifyError("malformed", f"{shown} is not signed, and --key says who has to have signed it")
    else:
        payload = data
    found = parse_statement(payload)
    if not isinstance(found.predicate, FingerprintV1):
        raise UsageError(f"{shown}: is a statement, and no fingerprint ({printable(found.predicate_type)[:100]})")
    return Fingerprinted(found.subjects[0], found.predicate, key is not None)
