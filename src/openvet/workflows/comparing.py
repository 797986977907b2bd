"""Two models that are held open, compared: files by digest, what is in them by kind, tensors in threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import field
from itertools import islice
from typing import Any, Final, TypeVar

from openvet.core.dataclass import dataclass
from openvet.core.progress import Progress
from openvet.core.text import printable
from openvet.errors import ReadError, UnsupportedError
from openvet.evidence.predicates.diff_v1 import DiffV1, ModelChange, NotCompared, TextChange, ValueChange, WordsChange
from openvet.evidence.statement import ResourceDescriptor
from openvet.formats._gguf_words import gguf_words
from openvet.inventory.compare.documents import compare_documents, compare_keys
from openvet.inventory.compare.files import compare_files, paired, unknown
from openvet.inventory.compare.numbers import load_numpy
from openvet.inventory.compare.swept import Sweep
from openvet.inventory.compare.tensors import Heads, Matched, compare_models, heads_of, match
from openvet.inventory.compare.texts import behaviour, difference, lines_between
from openvet.inventory.compare.words import MOST, MOST_BYTES, Words, compare_words, json_words
from openvet.inventory.component import Component
from openvet.profile._parts import Found, find_parts
from openvet.workflows.knowledge import tool
from openvet.workflows.opened import Opened

__all__ = ["Comparing", "words_of"]

_T = TypeVar("_T")
_R = TypeVar("_R")
#: Entries of each list that are kept.
_LISTED: Final = 5_000
_WAITING: Final = 256
#: Pairs of tensors that a thread takes at once, of so many or more.
_TOGETHER: Final = 64
_MANY: Final = 2_000
_TEXTS: Final = {"python": "code", "script": "code", "shell": "code", "jinja": "chat-template", "markdown": "card", "text": "text",
                 "requirements": "text", "yaml": "text", "toml": "text"}  # fmt: skip
_LICENSES: Final = ("license", "licence", "copying", "notice", "use_policy", "acceptable_use")
#: Of a tokenizer.json, what is compared word by word.
_WORDS: Final = frozenset({"/model/vocab", "/model/merges"})
#: Keys of a GGUF file that stand for the tokenizer's words, or for what the file is and not the model.
_NOT_KEYS: Final = frozenset({"tokenizer.ggml.tokens", "tokenizer.ggml.merges"})


@dataclass(slots=True)
class Comparing:
    """Two models under way."""

    a: Opened
    b: Opened
    jobs: int
    progress: Progress
    #: what is known of pairs of tensors since they were hashed, by their keys
    known: Mapping[tuple[str, str], Sweep] = field(default_factory=dict)
    values: list[ValueChange] = field(default_factory=list)
    texts: list[TextChange] = field(default_factory=list)
    words: list[WordsChange] = field(default_factory=list)
    unread: list[NotCompared] = field(default_factory=list)
    left_off: dict[str, int] = field(default_factory=dict)

    def all(self, a: ResourceDescriptor) -> DiffV1:
        """Everything that differs; ``a`` is what A is."""
        leaves_a, leaves_b = self.a.leaves(), self.b.leaves()
        same, files = compare_files(leaves_a, leaves_b)
        for side, opened in (("a", self.a), ("b", self.b)):
            if opened.taken.snapshot.cut:
                self._unread(side, opened.taken.snapshot.name, opened.taken.snapshot.cut)
        for name in unknown(leaves_a, leaves_b):
            self._unread("", leaves_b[name].component.place, "its bytes were not read, so that it may differ")
        for one, other in paired(leaves_a, leaves_b, files):
            self._contents(None if one is None else one.component, None if other is None else other.component)
        models = self._models()
        kept = files[:_LISTED]
        if len(files) > _LISTED:
            self.left_off["files"] = len(files) - _LISTED

        return DiffV1(
            tool(), a.name, a.digest, same, tuple(kept), tuple(self._cut("values", self.values)),
            tuple(self._cut("texts", self.texts)), tuple(self.words), tuple(models),
            tuple(self._cut("notCompared", self.unread)), self.left_off,
        )  # fmt: skip

    def _cut(self, name: str, items: Sequence[_T]) -> Sequence[_T]:
        if len(items) > _LISTED:
            self.left_off[name] = len(items) - _LISTED
        return items[:_LISTED]

    def _unread(self, side: str, place: str, reason: str) -> None:
        self.unread.append(NotCompared(side, place, printable(reason)))

    # --- files by what is in them ---

    def _contents(self, a: Component | None, b: Component | None) -> None:
        self.progress.doing = (b or a).place  # type: ignore[union-attr] # one of them is there
        if a is not None and b is not None:
            self._documents(a, b)
        self._programs(a, b)

    def _documents(self, a: Component, b: Component) -> None:
        words = a.basename in {"tokenizer.json", "vocab.json"} and b.basename in {"tokenizer.json", "vocab.json"}
        if words:
            self._tokenizers(a, b)
        if a.format == b.format == "gguf":
            return  # with the tensors, where files of other names belong together too
        if a.format == b.format == "safetensors":
            self.values.extend(compare_documents(b.place, _noted(a), _noted(b)))
        if a.document is not None and b.document is not None:
            leave_out = _WORDS if words else frozenset()
            if not (words and a.basename == "vocab.json"):
                self.values.extend(compare_documents(b.place, a.document, b.document, leave_out))
        elif "json" in {a.format, b.format} and not words:
            self._unread("", b.place, "its values were not kept, so that only the file as a whole is compared")

    def _programs(self, a: Component | None, b: Component | None) -> None:
        """Code, templates, cards and pickles: what they do, and line by line where they are texts."""
        kind = _kind(b or a)  # type: ignore[arg-type] # one of them is there
        programs = [[] if side is None else [each for part in side.walk() for each in part.programs] for side in (a, b)]
        pairs: list[tuple[str, Sequence[Any], Sequence[Any]]] = []
        templates = [
            [each for each in side if each.kind == "jinja" or type(each).__name__ == "Template"] for side in programs
        ]
        others = [[each for each in side if each not in held] for side, held in zip(programs, templates, strict=True)]
        if kind == "chat-template" or (not kind and any(templates)):
            pairs.append(("chat-template", templates[0], templates[1]))
        if any(others):
            pairs.append((kind if kind == "code" else "program", others[0], others[1]))
        elif kind and kind != "chat-template":
            pairs.append((kind, (), ()))
        for what, one, other in pairs:
            if what in {"chat-template", "program"} and kind != "chat-template" and _same(one, other):
                continue
            self._text(what, a, b, one, other, lined=bool(kind))

    def _text(
        self,
        kind: str,
        a: Component | None,
        b: Component | None,
        one: Sequence[Any],
        other: Sequence[Any],
        *,
        lined: bool,
    ) -> None:
        does_a, whole_a = behaviour(one)
        does_b, whole_b = behaviour(other)
        gained, lost, cut = difference(does_a, does_b)
        lines: tuple[str, ...] = ()
        if lined and a is not None and b is not None:
            try:
                lines, more = lines_between(self.a.text(a), self.b.text(b))
                cut = cut or more
            except ReadError as error:
                self._unread("", b.place, f"its lines were not compared: {error.message}")
        judged = kind in {"chat-template", "code", "program"} and whole_a and whole_b
        if (a is None or b is None) and not (gained or lost):
            return  # the list of files says it
        places = (None if a is None else a.place, None if b is None else b.place)
        self.texts.append(TextChange(kind, *places, gained, lost, judged, lines, cut))

    # --- tokenizers ---

    def _tokenizers(self, a: Component, b: Component) -> None:
        try:
            one, other = (words_of(opened, each) for opened, each in ((self.a, a), (self.b, b)))
        except ReadError as error:
            self._unread("", b.place, f"its words were not compared: {error.message}")
            return
        if one is not None and other is not None:
            self.words.extend(compare_words(one, other))

    # --- tensors ---

    def _models(self) -> list[ModelChange]:
        parts_a, parts_b = (
            [each for each in find_parts(opened.taken.inventory) if each.weights] for opened in (self.a, self.b)
        )
        pairs, alone = _pair_parts(parts_a, parts_b)
        for side, parts in (("a", alone[0]), ("b", alone[1])):
            for part in parts:
                self._unread(
                    side, part.name, "there is no model on the other side that its tensors could be compared with"
                )
        return [self._model(one, other) for one, other in pairs]

    def _model(self, one: Found, other: Found) -> ModelChange:
        if {one.weights[0].format, other.weights[0].format} == {"gguf"}:
            self.values.extend(
                compare_keys(other.weights[0].place, one.weights[0].metadata, other.weights[0].metadata, _NOT_KEYS)
            )
        self._mixed_words(one, other)
        stored = [
            [each for component in part.weights for each in opened.tensors(component)]
            for opened, part in ((self.a, one), (self.b, other))
        ]
        gguf = next((part.weights[0] for part in (one, other) if part.weights[0].format == "gguf"), None)
        heads = Heads() if gguf is None else heads_of(gguf.metadata)
        matched = match(stored[0], stored[1])
        self.progress.bytes_total += sum(each.elements for each in stored[1])

        def done(each: Matched) -> None:
            self.progress.doing = each.name
            self.progress.bytes_done += 0 if each.b is None else each.b.elements

        with ThreadPoolExecutor(self.jobs, "compare") as pool:
            try:
                spread = _spreader(pool)
                change, unread = compare_models(
                    one.name, other.name, matched, heads, load_numpy, spread=spread, done=done, known=self.known
                )
            except BaseException:  # Ctrl-C: threads end after the block that they are at
                self.a.stop.set()
                self.b.stop.set()
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        self.unread.extend(unread)
        return change

    def _mixed_words(self, one: Found, other: Found) -> None:
        """The words of a GGUF file beside those of another one, or of a tokenizer.json."""
        sides: list[Component | None] = []
        for part in (one, other):
            if part.weights[0].format == "gguf":
                sides.append(part.weights[0])
            else:
                sides.append(part.beside.get("tokenizer.json") or part.beside.get("vocab.json"))
        if sides[0] is None or sides[1] is None or "gguf" not in {sides[0].format, sides[1].format}:
            return
        if sides[0].digests.get("sha256") and sides[0].digests.get("sha256") == sides[1].digests.get("sha256"):
            return
        self._tokenizers(sides[0], sides[1])


def words_of(opened: Opened, component: Component) -> Words | None:
    source = opened.source(component)
    budget = opened.budget()
    if component.format == "gguf":
        found = gguf_words(source, budget, MOST, MOST_BYTES)
        if "tokens" not in found:
            return None
        return Words(
            component.place, {word: number for number, word in enumerate(found["tokens"])}, found.get("merges", ())
        )
    if source.size > 2 * MOST_BYTES:
        raise UnsupportedError("its words are too long to be compared")
    return json_words(source, component.place, opened.limits, budget.check_time)


def _kind(component: Component) -> str:
    """Which kind of text a file is; '' for what is no text, or has values of its own."""
    stem = component.basename.lower().partition(".")[0]
    if component.format in {"text", "markdown"} and any(stem.startswith(each) for each in _LICENSES):
        return "license"
    if component.format in {"yaml", "toml"} and component.document is not None:
        return ""
    return _TEXTS.get(component.format or "", "")


def _noted(component: Component) -> Any:
    """What a safetensors file says about itself, and nothing of its layout."""
    return component.metadata.get("metadata", {})


def _same(one: Sequence[Any], other: Sequence[Any]) -> bool:
    """Whether programs are the same but for where they are."""
    left, right = (sorted(_identity(each) for each in side) for side in (one, other))
    return left == right


def _identity(program: Any) -> str:
    said = program.to_json()
    for name in ("location", "start", "end"):
        said.pop(name, None)
    return repr(said)


def _pair_parts(
    a: Sequence[Found], b: Sequence[Found]
) -> tuple[list[tuple[Found, Found]], tuple[list[Found], list[Found]]]:
    """Models that belong together: those of one name, then what is left in its order."""
    by_name = {each.name: each for each in a}
    pairs = [(by_name[each.name], each) for each in b if each.name in by_name]
    used_a, used_b = {id(one) for one, _ in pairs}, {id(other) for _, other in pairs}
    left_a = [each for each in a if id(each) not in used_a]
    left_b = [each for each in b if id(each) not in used_b]
    pairs += list(zip(left_a, left_b, strict=False))
    count = min(len(left_a), len(left_b))
    return pairs, (left_a[count:], left_b[count:])


def _spreader(pool: ThreadPoolExecutor) -> Callable[[Callable[[_T], _R], Sequence[_T]], Iterable[_R]]:
    def spread(function: Callable[[_T], _R], items: Sequence[_T]) -> Iterator[_R]:
        """Results in order, with few of them waiting; of very many items some go together."""
        together = max(1, min(_TOGETHER, len(items) // _MANY))
        parts = (items[at : at + together] for at in range(0, len(items), together))

        def some(part: Sequence[_T]) -> list[_R]:
            return [function(each) for each in part]

        waiting: deque[Future[list[_R]]] = deque(pool.submit(some, each) for each in islice(parts, _WAITING))
        while waiting:
            yield from waiting.popleft().result()
            following = next(parts, None)
            if following is not None:
                waiting.append(pool.submit(some, following))

    return spread
