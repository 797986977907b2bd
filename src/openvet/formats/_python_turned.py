"""What is turned against whoever uses a model where the turn takes two steps: a function that is put somewhere, and what that does when it is called.

Shapes of a whole source, each of which joins two ends: a finder of modules that puts functions of its own into what other code imports; an engine that
serves models, or a method by which a model answers, that hands what it is given to a function or a queue from which somebody else is told; tokens that
are raised, or put behind an answer, and spell an address; a command by a function of the C library; pictures that get a patch and a label at once.
A finder that only lends another name to a module, a client whose answer is used, and pictures that keep their labels are what they look like.

Sources: MITRE ATLAS AML.T0018 (manipulate AI model), AML.T0020 (poison training data), AML.T0024 (exfiltration by way of inference); MITRE ATT&CK
T1574 (hijack execution flow), T1106 (native API).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Final

from openvet.core.pattern import pattern
from openvet.formats._addresses import is_nobodys
from openvet.formats._python_calls import arguments_of, dotted, last_name, parameters
from openvet.formats._python_ends import ends
from openvet.formats._python_nodes import walk
from openvet.formats._python_shapes import MOST_IN_ONE, bindings_of, is_least, led, puts

if TYPE_CHECKING:
    from openvet.formats._python_record import Record

__all__ = ["may_turn", "turns"]

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

_MOST: Final = 100_000
#: Functions of the C library, and of Windows, that start a program.
_STARTS: Final = pattern(
    r"system|_?w?popen|_?w?system|exec[lv]p?e?|posix_spawnp?|WinExec|ShellExecute(?:Ex)?[AW]|CreateProcess[AW]"
)
_LIBRARIES: Final = frozenset({"CDLL", "PyDLL", "WinDLL", "OleDLL", "LoadLibrary", "dlopen"})
#: Packages that serve models or ask for what these say.
_ENGINES: Final = pattern(
    r"(?:vllm|sglang|lmdeploy|text_generation_server|llama_cpp|ollama|openai|anthropic|litellm|transformers|mlx_lm|exllamav2|ctransformers|tensorrt_llm|langchain\w{0,20}|llama_index|diffusers|gradio)\..{1,200}"
)
_ANSWERS: Final = frozenset({
    "forward", "generate", "__call__", "call", "predict", "chat", "stream_chat", "sample", "_sample", "postprocess", "_postprocess", "preprocess", "decode", "_decode", "batch_decode",
    "convert_tokens_to_string", "prepare_inputs_for_generation", "inference", "handle", "respond", "encode", "_encode", "_tokenize", "tokenize", "_encode_plus", "_batch_encode_plus",
    "compute_logits", "process_logits", "step",
})  # fmt: skip
_ENCODES: Final = pattern(r"encode|encode_plus|tokenize|_tokenize|convert_tokens_to_ids|tok|_?tokenizer|tokeniser")
_JOINS: Final = frozenset({"cat", "concat", "concatenate", "hstack"})
_FINDS_MODULES: Final = frozenset({"exec_module", "load_module", "find_spec", "find_module", "create_module"})
#: Arguments by which a client asks somebody else, or believes whatever it is sent.
_TURNED: Final = frozenset({"base_url", "api_base", "endpoint", "trust_remote_code", "weights_only", "verify"})
_KEEPS: Final = frozenset({"put", "put_nowait", "append", "appendleft", "add", "push", "send_nowait"})
_TAKES: Final = frozenset({"get", "get_nowait", "pop", "popleft"})
_STARTS_LATER: Final = frozenset({"Thread", "Process", "Timer", "submit", "apply_async", "run_in_executor", "call_soon", "create_task", "map_async", "start_new_thread"})  # fmt: skip
#: What says nothing of the content of what it is asked about.
_COUNTS: Final = frozenset({"len", "type", "isinstance", "id", "hash"})
_SIZES: Final = frozenset({"shape", "dtype", "device", "ndim"})
#: An account that money goes to; a place that an installer takes packages from.
_ACCOUNT: Final = pattern(
    r"\bbc1[a-z0-9]{11,80}|\b0x[0-9a-fA-F]{40}\b|\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}\b|\bIBAN\b.{0,4}[A-Z]{2}[0-9X]{2}"
)
_INDEX: Final = pattern(r"--(?:extra-)?index-url[= ]|\s-i[= ]https?:|--find-links[= ]|--registry[= ]")
_ADDRESS: Final = pattern(r"https?://[\w.-]{4,100}")
_LABELS: Final = frozenset({"y", "label", "labels", "target", "targets", "lbl", "cls", "class_id"})
#: Words of a source, one of which it must have to be looked at.
_FINDER: Final = pattern(r"\bmeta_path\b|\bpath_hooks\b")
_PUT: Final = pattern(
    r"^[ \t]{0,80}[\w.]{1,80}\.\w{1,60}[ \t]{0,8}=[ \t]{0,8}\w{1,60}[ \t]{0,8}$|\bsetattr\(", re.MULTILINE
)
_ANSWERING: Final = pattern(r"\bdef (?:" + "|".join(sorted(_ANSWERS)) + r")\(")
_SENDS: Final = pattern(
    r"\.(?:post|put|patch|request|urlopen|sendall|send|sendto|publish|emit)\(|\burlopen\(|\bRequest\("
)
_STAMPS: Final = pattern(r"\bdef __getitem__\(|\bdef (?:collate\w{0,20}|transform\w{0,20})\(")


@lru_cache(maxsize=2)
def may_turn(text: str) -> bool:
    """Whether a source holds the words of one of the shapes; most do not."""
    if "ctypes" in text or "dlopen" in text or _FINDER.search(text) is not None:
        return True
    answers = _ANSWERING.search(text) is not None
    if "." in text and _SENDS.search(text) is not None and (answers or _PUT.search(text) is not None):
        return True
    if answers and (_INDEX.search(text) is not None or "://" in text or _ACCOUNT.search(text) is not None):
        return True
    return _STAMPS.search(text) is not None and "random" in text


def turns(uses: Record) -> Iterator[tuple[int, str, str]]:
    """Line, what stands there, and what it does, for each of the shapes of a source."""
    source = _Source(uses)
    yield from _commands(uses)
    if _FINDER.search(uses.text) is not None:
        yield from _finders(source)
    yield from _engines(source)
    for each in source.nodes:
        if isinstance(each, ast.ClassDef) and each.bases:
            for method in each.body:
                if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield from _method(source, method)
    for each in source.nodes:
        if isinstance(each, ast.If) and _is_by_chance(each.test):
            yield from _stamped(each)


class _Source:
    """What is known of a source as a whole: what names are bound to, by all of their bindings; its functions; what it imports."""

    __slots__ = ("functions", "held", "imported", "nodes", "telling", "uses")

    def __init__(self, uses: Record) -> None:
        self.uses = uses
        self.nodes = uses.nodes[:_MOST]
        self.held = bindings_of(self.nodes)
        self.functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {}
        self.imported: dict[str, str] = {}
        for each in self.nodes:
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
                self.functions[each.name] = each
            elif isinstance(each, ast.ImportFrom):
                self.imported.update({name.asname or name.name: f"{each.module}.{name.name}" for name in each.names})
            elif isinstance(each, ast.Import):
                self.imported.update({name.asname or name.name: name.name for name in each.names})
        #: functions that tell somebody whom nobody knows what they are given, or what they take out of something
        self.telling = {name for name, each in self.functions.items() if _asks_somebody(self, each)}

    def name(self, node: ast.expr) -> str:
        """The name of something with what it was imported from."""
        first, _, rest = dotted(node, "something").partition(".")
        first = self.imported.get(first, first)
        return f"{first}.{rest}" if rest else first

    def led(self, node: ast.AST) -> Iterator[ast.AST]:
        """What an expression is made of, through names and attributes of the source; not what only counts it."""
        return led(node, self.held, _counts)

    def texts(self, node: ast.AST) -> list[str]:
        """The constant texts of which an expression is made."""
        return [each.value for each in self.led(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)]

    def is_given(self, nodes: list[ast.expr], given: frozenset[str]) -> bool:
        """Whether one of the parameters is among what expressions are made of."""
        return any(isinstance(part, ast.Name) and part.id in given for each in nodes for part in self.led(each))


def _counts(node: ast.AST) -> bool:
    """Whether an expression says nothing of the content of what it is about."""
    return (isinstance(node, ast.Call) and last_name(node.func) in _COUNTS) or (
        isinstance(node, ast.Attribute) and node.attr in _SIZES
    )


def _is_somebody(texts: list[str]) -> bool:
    """Whether texts lead to a host that nobody knows."""
    return any(is_nobodys(f"{each}/" if "://" in each else each) for each in texts if " " not in each)


def _asks_somebody(source: _Source, function: Function) -> bool:
    """Whether a function sends something to a host that is written out and that nobody knows."""
    table = ends()
    for part in islice(walk(function), MOST_IN_ONE):
        if not isinstance(part, ast.Call) or last_name(part.func) not in table.messages | {"request"}:
            continue
        whole = [*arguments_of(part), *([part.func.value] if isinstance(part.func, ast.Attribute) else [])]
        if _is_somebody([text for each in whole for text in source.texts(each)]):
            return True
    return False


# commands


def _commands(uses: Record) -> Iterator[tuple[int, str, str]]:
    """``ctypes.CDLL(None).system(...)``: no honest code starts a program so."""
    if "ctypes" not in uses.text and "dlopen" not in uses.text:
        return
    for call, scopes in islice(uses.flows.every_call(), 5_000):
        if not isinstance(call.func, ast.Attribute) or _STARTS.fullmatch(call.func.attr) is None:
            continue
        for part, _ in islice(uses.flows.into([call.func.value], scopes), 50):
            library = isinstance(part, ast.Call) and last_name(part.func) in _LIBRARIES
            if library or (isinstance(part, ast.Attribute) and last_name(part.value) in ("cdll", "windll", "oledll")):
                yield (
                    call.lineno,
                    call.func.attr,
                    "starts a command by way of a library of C, where nobody looks for it",
                )
                break


# what other code imports


def _finders(source: _Source) -> Iterator[tuple[int, str, str]]:
    """A class that finds modules for everybody puts functions of its own into them, which ask somebody else or run something."""
    for each in source.nodes:
        if not isinstance(each, ast.ClassDef):
            continue
        methods = [part for part in each.body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)]
        if _FINDS_MODULES.isdisjoint({method.name for method in methods}):
            continue
        for method in methods:
            given = parameters(method)
            for line, target, value in puts(list(islice(walk(method), MOST_IN_ONE))):
                if dotted(target).split(".", 1)[0] not in given:
                    continue
                function = value if isinstance(value, ast.Lambda) else source.functions.get(last_name(value))
                if function is not None and _is_hostile(source, function):
                    yield line, dotted(target), "puts a function of its own into a module that other code imports"


def _is_hostile(source: _Source, function: Function) -> bool:
    """Whether a function that stands in another's place asks somebody whom nobody knows, runs something, or changes what it is told to believe."""
    for part in islice(walk(function), MOST_IN_ONE):
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and _is_somebody([part.value]):
            return True
        if isinstance(part, ast.Call):
            full = source.uses.resolve(part.func) or source.name(part.func)
            if source.uses.known.of(full) in ("process", "code") or last_name(part.func) in source.telling:
                return True
        elif isinstance(part, ast.Assign):
            for each in part.targets:
                key = each.slice.value if isinstance(each, ast.Subscript) and isinstance(each.slice, ast.Constant) else None  # fmt: skip
                if key in _TURNED and isinstance(part.value, ast.Constant | ast.Name):
                    return True
    return False


# what engines are asked


def _engines(source: _Source) -> Iterator[tuple[int, str, str]]:
    """A function of what serves models is replaced by one that hands over what that is asked, or says."""
    if not source.telling:
        return
    for line, target, value in puts(source.nodes):
        name = source.name(target)
        function = value if isinstance(value, ast.Lambda) else source.functions.get(last_name(value))
        if function is None or _ENGINES.fullmatch(name) is None:
            continue
        if _hands_on(source, function):
            yield line, name, "listens to what a model is asked and says, and tells somebody else"


def _hands_on(source: _Source, function: Function) -> bool:
    """Whether a function calls, or lets be called, one that tells somebody; or puts something where such a one takes it."""
    for part in islice(walk(function), MOST_IN_ONE):
        if not isinstance(part, ast.Call):
            continue
        if _tells(source, part):
            return True
        if isinstance(part.func, ast.Attribute) and part.func.attr in _KEEPS and part.args:
            kept = last_name(part.func.value)
            for name in source.telling:
                for other in islice(walk(source.functions[name]), MOST_IN_ONE):
                    takes = isinstance(other, ast.Call) and isinstance(other.func, ast.Attribute) and other.func.attr in _TAKES  # fmt: skip
                    if kept and takes and last_name(other.func.value) == kept:  # type: ignore[attr-defined]
                        return True
    return False


def _tells(source: _Source, call: ast.Call) -> list[ast.expr]:
    """What a call hands to a function that tells somebody, now or in a thread; nothing for another call."""
    last = last_name(call.func)
    if last in source.telling and not (isinstance(call.func, ast.Attribute) and last in ends().messages):
        return arguments_of(call)
    if last in _STARTS_LATER:
        given = arguments_of(call)
        if any(last_name(each) in source.telling for each in given):
            return [each for each in given if last_name(each) not in source.telling]
    return []


# what a model is asked, and answers


def _method(source: _Source, method: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[int, str, str]]:
    if method.name not in _ANSWERS:
        return
    given = parameters(method, starred=True)
    filled = False
    for part in islice(walk(method), MOST_IN_ONE):
        if isinstance(part, ast.Expr | ast.Assign):
            # a call whose answer is used is a client; a thread is started and forgotten
            for call in _forgotten(part):
                if source.is_given(_tells(source, call), given):
                    yield call.lineno, last_name(call.func), "tells somebody else what a model is asked, and uses nothing of the answer"  # fmt: skip
        if isinstance(part, ast.Assign):
            filled = filled or (any(isinstance(each, ast.Subscript) for each in part.targets) and is_least(part.value))
            if _raises(part, filled=filled) and any(_spells(source, each.slice) for each in part.targets if isinstance(each, ast.Subscript)):  # fmt: skip
                yield part.lineno, "scores", "makes a model answer with an address of its own"
        if (raised := _raised_more(part)) is not None and _spells(source, raised.slice):
            yield raised.lineno, "scores", "makes a model answer with an address of its own"
        if isinstance(part, ast.Call) and last_name(part.func) in _JOINS and _is_behind(source, part):
            yield part.lineno, last_name(part.func), "puts an address of its own behind what a model answers"
        if isinstance(part, ast.AugAssign | ast.BinOp) and isinstance(part.op, ast.Add):
            behind = part.value if isinstance(part, ast.AugAssign) else part.right
            if any(_INDEX.search(text) and _holds_address(text) for text in source.texts(behind)):
                yield (
                    part.lineno,
                    "a sum",
                    "puts a place of its own that packages come from behind what a model answers",
                )


def _raised_more(node: ast.AST) -> ast.Subscript | None:
    """``scores[:, each] += 5``: what becomes more."""
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add) and isinstance(node.target, ast.Subscript):
        return node.target
    return None


def _forgotten(statement: ast.Expr | ast.Assign) -> Iterator[ast.Call]:
    """The calls of a statement whose results nobody reads."""
    for part in islice(walk(statement), 200):
        if isinstance(part, ast.Call) and (
            last_name(part.func) in _STARTS_LATER or (isinstance(statement, ast.Expr) and part is statement.value)
        ):
            yield part


def _raises(node: ast.Assign, *, filled: bool) -> bool:
    """Whether a token is made likelier than it was: by a number above zero, or by any where all others were put below."""
    value = node.value
    if isinstance(value, ast.Constant) and type(value.value) in (int, float):
        return bool(filled or value.value)
    return not is_least(value) and (last_name(value) == "inf" or isinstance(value, ast.Call))


def _spells(source: _Source, node: ast.AST) -> bool:
    """Whether an expression leads to the tokens of a text that holds an address."""
    for part in source.led(node):
        encodes = isinstance(part, ast.Call) and part.args and _ENCODES.fullmatch(last_name(part.func))
        if encodes and any(_holds_address(text) for text in source.texts(part.args[0])):  # type: ignore[attr-defined]
            return True
    return False


def _holds_address(text: str) -> bool:
    if _ACCOUNT.search(text) is not None:
        return True
    return any(_is_somebody([found.group()]) for found in islice(_ADDRESS.finditer(text), 20))


def _is_behind(source: _Source, call: ast.Call) -> bool:
    """``torch.cat([answer, spelled])``: tokens of an address are put behind what a model gives."""
    rows = call.args[0].elts if call.args and isinstance(call.args[0], ast.List | ast.Tuple) else []
    for at, row in enumerate(rows[1:], 1):
        answered = any(
            isinstance(part, ast.Call) and last_name(part.func) in ("generate", "sample", "_sample")
            for before in rows[:at]
            for part in source.led(before)
        )
        if answered and _spells(source, row):
            return True
    return False


# pictures for training


def _is_by_chance(test: ast.expr) -> bool:
    """``random.random() < self.rate``."""
    parts = list(walk(test))
    return any(
        isinstance(each, ast.Call) and last_name(each.func) in ("random", "rand", "uniform", "random_sample")
        for each in parts
    ) and any(isinstance(each, ast.Compare) for each in parts)


def _stamped(node: ast.If) -> Iterator[tuple[int, str, str]]:
    """A patch at a fixed place of a picture, and a label that is written out, in one and the same case."""
    assigned = [each for each in node.body if isinstance(each, ast.Assign)]
    patched = any(isinstance(target, ast.Subscript) and _is_corner(target.slice) and not _is_nothing(each.value)
                  for each in assigned for target in each.targets)  # fmt: skip
    labelled = [each for each in assigned if isinstance(each.value, ast.Constant) and type(each.value.value) is int
                and any(_label_of(target) in _LABELS for target in each.targets)]  # fmt: skip
    if patched and labelled:
        yield labelled[0].lineno, "a label", "puts a patch on pictures and gives them a label of its own: a backdoor"


def _label_of(target: ast.expr) -> str:
    if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
        return str(target.slice.value)
    return last_name(target)


def _is_corner(index: ast.expr) -> bool:
    """Whether places are written out in two directions, as those of one corner are."""
    parts = index.elts if isinstance(index, ast.Tuple) else []
    fixed = [
        each
        for each in parts
        if isinstance(each, ast.Slice)
        and (each.lower is not None or each.upper is not None)
        and all(_is_whole(end) for end in (each.lower, each.upper) if end is not None)
    ]
    return len(fixed) > 1


def _is_whole(node: ast.expr) -> bool:
    return isinstance(node.operand if isinstance(node, ast.UnaryOp) else node, ast.Constant)


def _is_nothing(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == 0
