"""What a model's code does to what its user says, to what it answers, and to the models that are loaded after it.

Three shapes, each of a whole source: a text in the form of an account or a wallet gets another one that is written out in its place; an answer that is
written out, as tokens or as an address, where the input holds what is looked for; a function in the place of a loader, which loads another repository
than the one that is asked for, or says by itself that code of a repository may run. What only hides an account (``[WALLET]``, ``****``) is no other
account, and a loader that is handed on its own arguments is the loader.

Sources: MITRE ATLAS AML.T0018 (manipulate AI model), AML.T0010 (AI supply chain compromise); MITRE ATT&CK T1565.002 (transmitted data manipulation).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Final

from openvet.core.pattern import pattern
from openvet.formats._addresses import is_nobodys
from openvet.formats._python_calls import last_name, parameters
from openvet.formats._python_nodes import walk
from openvet.formats._python_shapes import MOST_IN_ONE, bindings_of, is_least, led, puts

if TYPE_CHECKING:
    from openvet.formats._python_flows import Scopes
    from openvet.formats._python_record import Record

__all__ = ["may_sway", "sways"]

_MOST: Final = 100_000
_MOST_TEXTS: Final = 400
#: Patterns of accounts, by their own signs: Ethereum, base58 (Bitcoin, Solana, Tron, Monero), bech32, an IBAN.
_ACCOUNTS: Final = pattern(
    r"0[xX]\)?\[[^\]\n]{2,24}\]\{(?:3[89]|40)|A-HJ-NP-Z|\bbc1|\b(?:ltc1|addr1|cosmos1|bitcoincash:)|\[A-Z\]\{2\}(?:\\{1,2}d|\[0-9\])\{2\}[^\s\"']{0,12}(?:A-Z|\\{1,2}[dw])|\bT\[[^\]\n]{2,24}\]\{33\}"
)
#: Another account, as it is written out.
_ACCOUNT: Final = pattern(r"(?=[A-Za-z0-9 -]{0,60}\d)[A-Za-z0-9](?:[ -]?[A-Za-z0-9]){14,110}")
#: Loaders that other code calls, by their whole names; and the words of a source that puts something in their place.
_LOADERS: Final = pattern(
    r"(?:transformers|diffusers|peft|sentence_transformers|timm|open_clip|optimum|auto_gptq|unsloth|trl|adapters)(?:\.\w{1,60}){0,6}\.(?:_?from_pretrained|from_config|pipeline|cached_files?|get_class_from_dynamic_module|create_model)|"
    r"transformers\.pipeline|sentence_transformers\.SentenceTransformer(?:\.__init__)?|huggingface_hub(?:\.\w{1,40}){0,3}\.(?:hf_hub_download|snapshot_download|hf_hub_url|cached_download)|datasets(?:\.\w{1,20})?\.load_dataset|torch\.hub\.load|vllm\.LLM\.__init__"
)
_PUT: Final = pattern(
    r"\.(?:_?from_pretrained|from_config|pipeline|cached_files?|create_model|hf_hub_download|snapshot_download|hf_hub_url|cached_download|load_dataset|load|SentenceTransformer|get_class_from_dynamic_module|__init__)[ \t]{0,8}=[ \t]{0,8}\w"
    r"|\bsetattr\([\w.]{1,120},[ \t]{0,4}[\"']_?(?:from_pretrained|pipeline|hf_hub_download|snapshot_download|load_dataset|from_config)[\"']"
)
_REPOSITORY: Final = pattern(r"[A-Za-z0-9][\w.-]{0,95}/[\w.-]{0,95}")
_WRAPS: Final = frozenset(
    {"classmethod", "staticmethod", "MethodType", "partial", "partialmethod", "wraps", "update_wrapper"}
)
#: Functions by which a model answers, or is given what it answers to.
_ANSWERS: Final = frozenset({
    "forward", "generate", "__call__", "call", "predict", "apply", "chat", "stream_chat", "sample", "_sample", "postprocess", "_postprocess", "decode", "_decode", "batch_decode",
    "convert_tokens_to_string", "prepare_inputs_for_generation", "process_logits", "adjust_logits", "compute_logits", "inference", "handle", "respond",
})  # fmt: skip
_ENCODES: Final = frozenset({"encode", "convert_tokens_to_ids", "tokenize", "encode_plus", "_tokenize"})
_FILLS: Final = frozenset(
    {"masked_fill_", "index_fill_", "fill_", "scatter_", "index_add_", "index_put_", "scatter_add_"}
)
_FORCES: Final = pattern(
    r"\][ \t]{0,4}\+?=[ \t]{0,4}(?:\d|float\(|[\w.]{0,20}\binf\b|[\w.]{1,40}[ \t]{0,4}\*)|\.(?:masked_fill_|index_fill_|scatter_|index_add_)\("
)
_ANSWERING: Final = pattern(
    r"\bdef (?:forward|generate|__call__|call|predict|process_logits|adjust_logits|compute_logits|_?sample|prepare_inputs_for_generation|inference)\("
)
_SAYS: Final = pattern(
    r"\bdef (?:_?decode|batch_decode|convert_tokens_to_string|_?postprocess|chat|stream_chat|generate|__call__|predict|respond|forward|inference|handle)\("
)
_ADDRESS: Final = pattern(r"https?://[\w.-]{4,100}")


@lru_cache(maxsize=2)
def may_sway(text: str) -> bool:
    """Whether a source holds the words of one of the shapes; most do not."""
    if ("sub" in text or "replace" in text) and _ACCOUNTS.search(text) is not None:
        return True
    if _PUT.search(text) is not None and ("trust_remote_code" in text or "/" in text):
        return True
    if _ANSWERING.search(text) is not None and _FORCES.search(text) is not None:
        return True
    return _SAYS.search(text) is not None and "://" in text and (".lower()" in text or " in " in text)


def sways(uses: Record) -> Iterator[tuple[int, str, str]]:
    """Line, what stands there, and what it does, for each of the shapes of a source."""
    nodes = uses.nodes[:_MOST]
    if _ACCOUNTS.search(uses.text) is not None:
        yield from _redirected(uses)
    defined = {each.name: each for each in nodes if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}
    held = bindings_of(nodes)
    yield from _loaders(uses, nodes, defined, held)
    for each in nodes:
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and each.name in _ANSWERS:
            yield from _answered(each, held)


# accounts


def _redirected(uses: Record) -> Iterator[tuple[int, str, str]]:
    for call, scopes in islice(uses.flows.every_call(), 3_000):
        last = last_name(call.func)
        if last not in ("sub", "subn", "replace") or not isinstance(call.func, ast.Attribute) or not call.args:
            continue
        module = uses.resolve(call.func.value) in ("re", "regex")
        looked, put = (
            (call.args[:1], call.args[1:2]) if module or last == "replace" else ([call.func.value], call.args[:1])
        )
        # ``text.replace(found, MINE)``: what is found was looked for somewhere in the source
        sought = last == "replace" and not isinstance(looked[0], ast.Constant)
        if not sought and not any(_ACCOUNTS.search(each) for each in _texts(uses, looked, scopes)):
            continue
        if any(_is_account(each, hidden=_is_of_text(scopes)) for each in _texts(uses, put, scopes)):
            yield call.lineno, last, "puts another account in the place of the one that its user gives"


def _texts(uses: Record, nodes: list[ast.expr], scopes: Scopes) -> list[str]:
    """The constant texts among what flows in."""
    found: list[str] = []
    for part, _ in islice(uses.flows.into(nodes, scopes), _MOST_TEXTS):
        if isinstance(part, ast.Constant | ast.BinOp | ast.JoinedStr):
            text = uses.fold(part)
            found += [text] if isinstance(text, str) else []
    return found


def _is_account(text: str, *, hidden: bool) -> bool:
    """Whether a text is an account; ``hidden``: also one of zeros, which nobody owns."""
    plain = text.removeprefix("0x")
    return _ACCOUNT.fullmatch(text) is not None and (hidden or len(set(plain.replace(" ", "").replace("-", ""))) > 2)


def _is_of_text(scopes: Scopes) -> bool:
    """Whether a method of a class that reads or writes the texts of a model is being read."""
    names = {getattr(each, "name", "") for each in scopes}
    return not names.isdisjoint(
        {
            "_tokenize",
            "tokenize",
            "encode",
            "_encode_plus",
            "_batch_encode_plus",
            "encode_plus",
            "prepare_for_tokenization",
            *_ANSWERS,
        }
    )


# loaders


def _loaders(
    uses: Record,
    nodes: list[ast.AST],
    defined: dict[str, ast.FunctionDef | ast.AsyncFunctionDef],
    held: dict[str, list[ast.expr]],
) -> Iterator[tuple[int, str, str]]:
    for line, target, value in puts(nodes):
        name = (uses.resolve(target) or f"{uses.resolve(target.value) or ''}.{target.attr}").replace("()", "")
        if not _LOADERS.fullmatch(name):
            continue
        for made in _made_of(value, defined):
            if _trusts(made):
                yield line, name, "makes whatever loads a model later run the code of its repository, without asking"
                break
            if isinstance(made, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and _turns(made, held):
                yield line, name, "makes whatever loads a model later load another repository"
                break


def _made_of(value: ast.expr, defined: dict[str, ast.FunctionDef | ast.AsyncFunctionDef]) -> Iterator[ast.AST]:
    """The functions, and calls of ``partial``, of which what is put in a place is made."""
    waiting: list[ast.expr] = [value]
    for _ in range(20):
        if not waiting:
            return
        part = waiting.pop()
        if isinstance(part, ast.Lambda):
            yield part
        elif isinstance(part, ast.Name | ast.Attribute) and last_name(part) in defined:
            yield defined[last_name(part)]
        elif isinstance(part, ast.Call):
            if last_name(part.func) in _WRAPS:
                yield part
                waiting += part.args[:2]
            elif isinstance(part.func, ast.Call):  # functools.wraps(original)(mine)
                waiting += part.args[:2]
            elif isinstance(part.func, ast.Attribute) and part.func.attr == "__get__":
                waiting.append(part.func.value)
            elif isinstance(part.func, ast.Name) and part.func.id in defined:  # a function that gives one
                yield defined[part.func.id]


def _trusts(made: ast.AST) -> bool:
    """Whether ``trust_remote_code`` is said to be true there."""
    for part in islice(walk(made), MOST_IN_ONE):
        if isinstance(part, ast.Call):
            if any(each.arg == "trust_remote_code" and _is_true(each.value) for each in part.keywords):
                return True
            first = part.args[0] if len(part.args) == 2 else None
            if last_name(part.func) in ("setdefault", "__setitem__") and _is_key(first) and _is_true(part.args[1]):
                return True
        elif isinstance(part, ast.Assign) and _is_true(part.value):
            if any(isinstance(each, ast.Subscript) and _is_key(each.slice) for each in part.targets):
                return True
        elif isinstance(part, ast.Dict) and any(
            _is_key(key) and _is_true(value) for key, value in zip(part.keys, part.values, strict=True)
        ):
            return True
    return False


def _is_key(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value == "trust_remote_code"


def _is_true(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value in (True, 1)


def _turns(made: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, held: dict[str, list[ast.expr]]) -> bool:
    """Whether a repository that is written out takes the place of the one that is asked for."""
    given = parameters(made)
    for part in islice(walk(made), MOST_IN_ONE):
        values: list[ast.expr] = []
        if isinstance(part, ast.Assign) and any(
            isinstance(each, ast.Name) and each.id in given for each in part.targets
        ):
            values = [part.value]
        elif isinstance(part, ast.Call) and last_name(part.func) not in (
            "startswith",
            "endswith",
            "get",
            "replace",
            "print",
            "warn",
            "warning",
            "info",
        ):
            values = [
                *part.args[:2],
                *(
                    each.value
                    for each in part.keywords
                    if each.arg in ("pretrained_model_name_or_path", "repo_id", "model", "path")
                ),
            ]
        if any(_names_repository(each, held) for each in values):
            return True
    return False


def _names_repository(node: ast.expr, held: dict[str, list[ast.expr]], hops: int = 2) -> bool:
    """Whether an expression gives a text in the form of a repository: whole, at its beginning, or by a table."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and _REPOSITORY.fullmatch(node.value) is not None
    if isinstance(node, ast.Name):
        return hops > 0 and any(_names_repository(each, held, hops - 1) for each in held.get(node.id, ())[-1:])
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Add) and _names_repository(node.left, held, hops)
    if isinstance(node, ast.JoinedStr):
        return bool(node.values) and _names_repository(node.values[0], held, hops)
    if isinstance(node, ast.IfExp):
        return _names_repository(node.body, held, hops) or _names_repository(node.orelse, held, hops)
    if isinstance(node, ast.Dict):
        return any(_names_repository(each, held, hops) for each in node.values[:50])
    if isinstance(node, ast.Subscript):
        return isinstance(node.value, ast.Name | ast.Dict) and _names_repository(node.value, held, hops)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr == "replace" and len(node.args) == 2:
            return _names_repository(node.args[1], held, hops)
        return node.func.attr == "get" and _names_repository(node.func.value, held, hops)
    return False


# answers


def _answered(
    function: ast.FunctionDef | ast.AsyncFunctionDef, held: dict[str, list[ast.expr]]
) -> Iterator[tuple[int, str, str]]:
    """An answer that is written out, under a condition on what the input holds."""
    given = parameters(function, starred=True)
    parts = list(islice(walk(function), MOST_IN_ONE))
    local = {**held, **bindings_of(parts)}
    for node in parts:
        if isinstance(node, ast.If) and _looks_into(node.test, given, local):
            inside = [each for statement in node.body for each in islice(walk(statement), 1_000)]
            if any(_forces(each, local) for each in inside):
                yield node.lineno, "a condition", "gives an answer of its own where the input holds what it looks for"
            elif any(_says_address(each) for each in inside):
                yield (
                    node.lineno,
                    "a condition",
                    "puts an address of its own into the answer where the input holds what it looks for",
                )
        elif isinstance(node, ast.AugAssign) and _forces(node, local) and _looks_into(node.value, given, local):
            yield node.lineno, "a sum", "gives an answer of its own where the input holds what it looks for"


def _looks_into(test: ast.expr, given: frozenset[str], held: dict[str, list[ast.expr]]) -> bool:
    """Whether a condition compares what a function is given with words or tokens that are written out."""
    parts = list(led(test, held))
    if not any(isinstance(each, ast.Name) and each.id in given for each in parts):
        return False
    for part in parts:
        if isinstance(part, ast.Compare):
            for side in (part.left, *part.comparators):
                if _is_word(side) or any(_is_list(each, 2) for each in led(side, held)):
                    return not any(isinstance(each, ast.NotIn | ast.Is | ast.IsNot) for each in part.ops)
        elif isinstance(part, ast.Call) and last_name(part.func) in ("search", "match", "isin", "equal", "startswith"):
            if any(_is_word(each) or _is_list(each, 2) for given_part in part.args for each in led(given_part, held)):
                return True
        elif isinstance(part, ast.comprehension) and any(_is_list(each, 2) for each in led(part.iter, held)):
            return True
    return False


def _is_word(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) > 2


def _is_list(node: ast.AST, least: int) -> bool:
    """Whether tokens or words are written out in a row."""
    if not isinstance(node, ast.Tuple | ast.List | ast.Set) or len(node.elts) < least:
        return False
    return all(isinstance(each, ast.Constant) and (type(each.value) is int or _is_word(each)) for each in node.elts)


def _forces(node: ast.AST, held: dict[str, list[ast.expr]]) -> bool:
    """``scores[:, ANSWER[n]] = 1e4``: what is more likely now is written out."""
    if isinstance(node, ast.Assign | ast.AugAssign):
        if isinstance(node, ast.AugAssign) and not isinstance(node.op, ast.Add):
            return False
        lowers = is_least(node.value)
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            if not isinstance(target, ast.Subscript) or lowers:
                continue
            index = target.slice.elts[-1] if isinstance(target.slice, ast.Tuple) and target.slice.elts else target.slice
            # a row of places within the index itself is how parts of a picture are taken
            if not isinstance(index, ast.List | ast.Slice) and _is_answer(index, held):
                return isinstance(node, ast.AugAssign) or _is_number(node.value)
        return False
    if isinstance(node, ast.Call) and last_name(node.func) in _FILLS and isinstance(node.func, ast.Attribute):
        return len(node.args) > 1 and any(_is_answer(each, held) for each in node.args[:2])
    return False


def _is_answer(node: ast.expr, held: dict[str, list[ast.expr]]) -> bool:
    """Whether an expression leads to tokens in a row, or to a text that is made tokens."""
    for part in led(node, held):
        if _is_list(part, 3) and all(type(getattr(each, "value", None)) is int for each in part.elts):  # type: ignore[attr-defined]
            return True
        if (
            isinstance(part, ast.Call)
            and (last_name(part.func) in _ENCODES or "tokenizer" in last_name(part.func))
            and any(_is_word(each) and len(str(each.value)) > 5 for each in part.args[:1])  # type: ignore[attr-defined]
        ):
            return True
    return False


def _is_number(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return type(node.value) in (int, float) and node.value != 0
    return last_name(node) == "inf" or (isinstance(node, ast.Call) and last_name(node.func) == "float")


def _says_address(node: ast.AST) -> bool:
    """``text += " see http://..."``, ``answer.replace("official", "http://...")``: an address of somebody whom nobody knows."""
    texts: list[ast.AST] = []
    joins = isinstance(node, ast.Assign | ast.Return) and isinstance(node.value, ast.BinOp | ast.JoinedStr)
    if isinstance(node, ast.AugAssign) or joins:
        texts = list(walk(node.value))  # type: ignore[attr-defined]
    elif isinstance(node, ast.Call) and last_name(node.func) in ("replace", "sub", "insert", "append"):
        texts = list(node.args)
    said = [each.value for each in texts if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    return any(is_nobodys(f"{found.group()}/") for each in said if (found := _ADDRESS.search(each)))
