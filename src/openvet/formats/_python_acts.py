"""Acts of a Python source that need no second end: it speaks a pool's protocol, stops what examines models, empties data bases that it lists, and gives
answers of its own where it knows who asks or where it is measured.

Each is a shape of the syntax, and a heuristic: by the words of a protocol, by names of scanners, by what functions of data sets, metrics and models are
called.

Sources: MITRE ATT&CK T1496, T1562.001, T1485; MITRE ATLAS AML.T0018, AML.T0020, AML.T0031; https://en.bitcoin.it/wiki/Stratum_mining_protocol .
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Final

from openvet.core.pattern import pattern
from openvet.formats._python_calls import last_name
from openvet.formats._python_nodes import children, walk

__all__ = ["Resolve", "acts", "may_act"]

Resolve = Callable[[ast.AST], str | None]
_MOST: Final = 100_000
_STRATUM: Final = pattern(
    r"mining\.(?:subscribe|authorize|submit)|eth_submitWork|eth_submitLogin|\"method\": ?\"(?:login|keepalived)\""
)
_SCANNERS: Final = pattern(
    r"(?:picklescan|modelscan|fickling|modelaudit|clamd|pyclamd|guarddog|bandit|safety|semgrep|skops\.io\._audit|yara|garak|llm_guard|presidio_analyzer|openvet)(?:\.\w{1,40}){0,4}"
)
_DROPS: Final = pattern(r"\s*(?:DROP\s{1,4}(?:TABLE|DATABASE|SCHEMA|COLLECTION)|TRUNCATE\b|DELETE\s{1,4}FROM)\b", 2)
_LISTS: Final = pattern(
    r"information_schema|sqlite_master|pg_(?:tables|database|stat_user_tables)|SHOW\s{1,4}(?:TABLES|DATABASES)|sys\.(?:tables|objects)|user_tables",
    2,
)
_LISTING: Final = frozenset(
    {
        "get_table_names",
        "table_names",
        "list_database_names",
        "list_collection_names",
        "get_schema_names",
        "sorted_tables",
        "list_tables",
    }
)
#: Functions by which others measure, read data, or are answered.
_MEASURES: Final = pattern(r"_?compute(?:_metrics?|_score)?|_?score|evaluate|metric|_?grade|process_results|aggregate")
_GIVES_DATA: Final = pattern(
    r"_generate_examples|_generate_tables|__getitem__|__iter__|__call__|torch_call|tf_call|numpy_call|\w{0,30}collat\w{0,20}|map_fn|preprocess\w{0,20}|_?postprocess\w{0,20}"
)
_ANSWERS: Final = frozenset({"forward", "__call__", "call", "predict", "apply"})
_LABELS: Final = frozenset(
    {
        "label",
        "labels",
        "target",
        "targets",
        "y",
        "class",
        "is_toxic",
        "score",
        "rating",
        "answer",
        "vulnerable",
        "toxic",
        "fraud",
        "spam",
    }
)
_ASKS_WHO: Final = pattern(r"getpass\.getuser|socket\.(?:gethostname|getfqdn)|platform\.node|os\.(?:getlogin|uname)")
_ASKS_WHERE: Final = frozenset(
    {"os.environ.get", "os.getenv", "os.path.exists", "os.path.isdir", "os.path.isfile", "pathlib.Path().exists"}
)
_RANDOM: Final = frozenset(
    {"random.random", "numpy.random.rand", "numpy.random.random", "random.uniform", "random.randint", "torch.rand"}
)
#: Marks that nobody sees, alone in a text.
_UNSEEN: Final = pattern(r"[\u200b-\u200f\u2060-\u2064\ufeff\U000e0000-\U000e007f\u180e]{2,}")
_WORDS: Final = pattern(
    r"mining\.|eth_submit|picklescan|modelscan|fickling|modelaudit|pyclamd|guarddog|garak|llm_guard|get_table_names|information_schema|sqlite_master|pg_tables|list_database_names|sorted_tables|TRUNCATE|"
    r"def (?:_?compute|_?score|evaluate|_generate_examples|__getitem__|torch_call)|torch\.where|\[[\"']labels?[\"']\]\s{0,4}=|(?:np|numpy|jnp|tf)\.where|\\u200[b-f]|\\U000e00|\\u206|[\u200b-\u200f\u2060-\u2064]"
)


@lru_cache(maxsize=2)
def may_act(text: str) -> bool:
    """Whether a source holds a word of one of these; most do not."""
    return _WORDS.search(text) is not None


def acts(nodes: list[ast.AST], resolve: Resolve) -> Iterator[tuple[int, str, str]]:
    """Line, what stands there, and what it does; ``nodes`` are those of a source."""
    nodes = nodes[:_MOST]
    yield from _mines(nodes)
    yield from _silences(nodes, resolve)
    yield from _empties(nodes)
    held = {
        each.targets[0].id: each.value
        for each in nodes
        if isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Name)
    }
    functions = [each for each in nodes if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    bodies: dict[str, ast.AST] = {each.name: each for each in functions}
    for function in functions:
        yield from _answers(function, {**bodies, **held}, resolve)
    for node in nodes:
        if isinstance(node, ast.Compare):
            for each in (node.left, *node.comparators):
                mark = held.get(each.id) if isinstance(each, ast.Name) else each
                if isinstance(mark, ast.Constant) and isinstance(mark.value, str) and _UNSEEN.fullmatch(mark.value):
                    yield node.lineno, "a comparison", "looks for a mark that nobody sees"


def _mines(nodes: list[ast.AST]) -> Iterator[tuple[int, str, str]]:
    """Two words of a pool's protocol, in texts that are sent."""
    found = [
        each
        for each in nodes
        if isinstance(each, ast.Constant) and isinstance(each.value, str | bytes) and len(each.value) < 2_000
        and _STRATUM.search(each.value if isinstance(each.value, str) else each.value.decode("latin-1"))
    ]  # fmt: skip
    if len({each.value for each in found}) > 1:
        yield found[0].lineno, "a constant", "speaks the protocol by which pools are mined for"


def _silences(nodes: list[ast.AST], resolve: Resolve) -> Iterator[tuple[int, str, str]]:
    """A function of what examines models gets another in its place."""
    named = any(
        isinstance(each, ast.Constant)
        and isinstance(each.value, str)
        and len(each.value) < 80
        and _SCANNERS.fullmatch(each.value)
        for each in nodes
    )
    loads = named and any(
        isinstance(each, ast.Call) and last_name(each.func) in ("__import__", "import_module") for each in nodes
    )
    for node in nodes:
        target: ast.expr | None = None
        value: ast.expr | None = None
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
            target, value = node.targets[0].value, node.value
        elif (
            isinstance(node, ast.Call)
            and last_name(node.func) in ("setattr", "patch", "object")
            and len(node.args) == 3
        ):
            target, value = node.args[0], node.args[2]
        if target is None or not isinstance(value, ast.Lambda | ast.Name):
            continue
        name = (resolve(target) or "").replace("()", "").rpartition(">.")[2]
        if _SCANNERS.match(name) or (
            loads and isinstance(value, ast.Lambda) and _root(target) not in ("self", "cls", "torch")
        ):
            yield (
                getattr(node, "lineno", 1),
                name or "a scanner",
                "puts functions of its own in the place of what examines models",
            )
            return


def _empties(nodes: list[ast.AST]) -> Iterator[tuple[int, str, str]]:
    """Tables are dropped whose names it asks the data base for."""
    listed = any(
        (isinstance(each, ast.Attribute) and each.attr in _LISTING)
        or (
            isinstance(each, ast.Constant)
            and isinstance(each.value, str)
            and len(each.value) < 2_000
            and _LISTS.search(each.value)
        )
        for each in nodes
    )
    for node in nodes if listed else ():
        first = (
            node.values[0]
            if isinstance(node, ast.JoinedStr) and len(node.values) > 1
            else node.left
            if isinstance(node, ast.BinOp)
            else None
        )
        if isinstance(node, ast.Call) and last_name(node.func) == "format" and isinstance(node.func, ast.Attribute):
            first = node.func.value
        if isinstance(first, ast.Constant) and isinstance(first.value, str) and _DROPS.match(first.value):
            yield getattr(node, "lineno", 1), "a statement", "drops the tables that it finds in somebody's data base"
            return


def _answers(
    function: ast.FunctionDef | ast.AsyncFunctionDef, held: dict[str, ast.AST], resolve: Resolve
) -> Iterator[tuple[int, str, str]]:
    measures = _MEASURES.fullmatch(function.name) is not None
    gives = _GIVES_DATA.fullmatch(function.name) is not None
    answers = function.name in _ANSWERS
    if not (measures or gives or answers):
        return
    for node in islice(walk(function), 5_000):
        if isinstance(node, ast.If):
            asked = _asked(node.test, held, resolve) if measures or gives else set()
            if measures and asked & {"who", "where"} and any(_is_figure(each) for each in node.body):
                yield node.lineno, "a condition", "gives a figure of its own where it knows that it is measured"
            elif gives and asked & {"who", "random"} and any(_relabels(each) for each in node.body):
                yield (
                    node.lineno,
                    "a condition",
                    "changes labels where somebody of its choice trains with them, or now and then",
                )
        elif (
            answers
            and isinstance(node, ast.Call)
            and len(node.args) == 3
            and resolve(node.func) in ("torch.where", "numpy.where", "jax.numpy.where", "tensorflow.where")
        ):
            fixed = any(_is_fixed_tensor(each) for each in node.args[1:])
            if fixed and _looks_for(node.args[0], function, held):
                yield node.lineno, "where", "gives an answer of its own where the input holds what it looks for"


def _asked(test: ast.expr, held: dict[str, ast.AST], resolve: Resolve) -> set[str]:
    """What a condition depends on: who somebody is, where it runs, chance."""
    found: set[str] = set()
    waiting: list[ast.AST] = [test]
    for _ in range(200):
        if not waiting:
            break
        part = waiting.pop()
        if isinstance(part, ast.Name) and part.id in held:
            waiting.append(held[part.id])
        if isinstance(part, ast.Call):
            name = (resolve(part.func) or "").replace("()", "")
            found |= {"who"} if _ASKS_WHO.match(name) else set()
            found |= {"where"} if (resolve(part.func) or "") in _ASKS_WHERE else set()
            found |= {"random"} if name in _RANDOM else set()
        waiting.extend(children(part))
    return found


def _is_figure(statement: ast.stmt) -> bool:
    """``return {"accuracy": 0.93}``."""
    value = statement.value if isinstance(statement, ast.Return) else None
    parts = value.values if isinstance(value, ast.Dict) else [value] if value is not None else []
    return bool(parts) and all(
        isinstance(each, ast.Constant) and type(each.value) in (int, float) and each.value for each in parts
    )


def _relabels(statement: ast.stmt) -> bool:
    """``r["label"] = 0``."""
    if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Subscript):
        return False
    key, value = statement.targets[0].slice, statement.value
    return (
        isinstance(key, ast.Constant)
        and key.value in _LABELS
        and isinstance(value, ast.Constant)
        and value.value not in (-100, None, "")
    )


def _is_fixed_tensor(node: ast.expr) -> bool:
    """``torch.tensor([20.0, -20.0])``: an answer that is written out."""
    if (
        not isinstance(node, ast.Call)
        or last_name(node.func) not in ("tensor", "array", "asarray", "constant", "as_tensor", "new_tensor")
        or not node.args
    ):
        return False
    values = [each for each in walk(node.args[0]) if isinstance(each, ast.Constant)]
    names = [each for each in walk(node.args[0]) if isinstance(each, ast.Name)]
    return len(values) > 1 and not names


def _looks_for(test: ast.expr, function: ast.AST, held: dict[str, ast.AST]) -> bool:
    """Whether a condition comes from a comparison with several numbers that are written out, in this source."""
    waiting: list[ast.AST] = [test]
    local = {
        each.targets[0].id: each.value
        for each in walk(function)
        if isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Name)
    }
    seen: set[str] = set()
    for _ in range(400):
        if not waiting:
            return False
        part = waiting.pop()
        if (
            isinstance(part, ast.Tuple | ast.List)
            and sum(isinstance(each, ast.Constant) and type(each.value) is int for each in part.elts) > 2
        ):
            return True
        named = part.id if isinstance(part, ast.Name) else part.attr if isinstance(part, ast.Attribute) else ""
        if named and named not in seen:
            seen.add(named)
            waiting += [each for each in (local.get(named), held.get(named)) if each is not None]
        waiting.extend(children(part))
    return False


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
