"""Whether the address that is asked is the one that whoever calls gives: a picture or a sound by its place, as processors, towers and servers take it.

Everything that may flow into the address is looked at, with what the calls of the same file hand over. It has to come from parameters of functions that
somebody calls to use the model, as it is: a text that is put together, a word of the configuration, what another machine or a file says, and
what a constructor or a loader is given are nobody's wish.
"""

from __future__ import annotations

import ast
from itertools import islice
from typing import TYPE_CHECKING, Final

from openvet.core.pattern import pattern
from openvet.formats._python_calls import last_name, parameters
from openvet.formats._python_flows import Scopes

if TYPE_CHECKING:
    from openvet.formats._python_record import Record

__all__ = ["is_callers", "is_of_its_own"]

_MOST: Final = 200
#: Functions that loaders call, with what a configuration or a repository says.
_OF_LOADERS: Final = pattern(
    r"__(?:init|new|init_subclass|set_name|del|getattr|setattr|post_init|enter|class_getitem)__|_?from_(?:pretrained|config|dict|json|args)|_?(?:load|init|build|setup|initiali[sz]e|download|ensure|register|reload|prepare)_?(?:model|weights?|checkpoint|config\w{0,20}|code|modules?|plugins?|pretrained|pipeline|tokenizer)?|"
    r"model_fn|load_context|save_pretrained|get_config|set_config|update_config"
)
#: Parameters that hold what the repository says of itself.
_OF_CONFIGURATIONS: Final = pattern(
    r"\w{0,40}(?:config|cfg|conf|settings|hparams|metadata|options)\w{0,10}|self|cls|state_dict|kwargs"
)
#: Calls that give what they are given, or a part of it; and the kinds of expressions that do.
_TAKES: Final = frozenset({"get", "pop", "strip", "lstrip", "rstrip", "str", "list", "tuple", "enumerate", "zip", "items", "values", "reversed", "sorted", "tqdm", "tolist", "iter", "next", "cast", "flatten", "Path", "model_dump", "dict", "ensure_list", "make_list"})  # fmt: skip
_HOLDS: Final = (
    ast.Name, ast.Subscript, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.IfExp, ast.BoolOp, ast.Starred, ast.Await, ast.NamedExpr, ast.ListComp, ast.GeneratorExp,
    ast.Slice, ast.Compare, ast.UnaryOp, ast.comprehension,
)  # fmt: skip
_OF_PICTURES: Final = frozenset({"convert", "resize", "crop", "thumbnail", "rotate", "BytesIO"})
_KEY: Final = pattern(r"[\w -]{0,40}|https?://|file://|data:[\w/;,]{0,30}")


def is_callers(uses: Record, node: ast.Call) -> bool:
    """Whether whoever calls the function that is being read gives the address that a call asks, as it is."""
    places = node.args[:1] or [each.value for each in node.keywords if each.arg == "url"]
    receivers: set[int] = set()

    def is_picture(part: ast.expr) -> bool:
        """What is a picture by now, which a name of an address may stand for as well: it is nobody's address."""
        if not isinstance(part, ast.Call) or uses.flows.functions(last_name(part.func)):
            return False
        return last_name(part.func) in _OF_PICTURES or (uses.resolve(part.func) or "").startswith("PIL.")

    given = False
    for count, (part, scopes) in enumerate(islice(uses.flows.into(places, uses.scopes, is_picture), _MOST + 1)):
        if count == _MOST or not (is_picture(part) or _may_give(uses, part, scopes, receivers)):
            return False
        given = given or (
            isinstance(part, ast.Name) and id(part) not in receivers and _owner(part.id, scopes) is not None
        )
    return given


def _may_give(uses: Record, part: ast.expr, scopes: Scopes, receivers: set[int]) -> bool:
    """Whether one expression among what flows in may be a part of what a caller gives; ``receivers`` are the objects of own methods so far."""
    if isinstance(part, ast.Name):
        owner = _owner(part.id, scopes)
        if id(part) in receivers or owner is None:
            return True
        return _OF_CONFIGURATIONS.fullmatch(part.id) is None and _is_asked(owner, part.id)
    if isinstance(part, ast.Call):
        if uses.known.of((uses.resolve(part.func) or "").split("()", 1)[0]) is not None:
            return False  # what another machine or a file says
        own = bool(uses.flows.functions(last_name(part.func)))
        if own and isinstance(part.func, ast.Attribute):
            receivers.add(id(part.func.value))
        return own or last_name(part.func) in _TAKES
    if isinstance(part, ast.Attribute):
        return _is_of_parameter(part, scopes)
    if isinstance(part, ast.Constant):
        return not isinstance(part.value, bytes) and (
            not isinstance(part.value, str) or _KEY.fullmatch(part.value) is not None
        )
    return isinstance(part, _HOLDS)


def _owner(name: str, scopes: Scopes) -> ast.AST | None:
    """The function that has a parameter of this name, innermost first."""
    return next((each for each in scopes if name in parameters(each, starred=True) or name in ("self", "cls")), None)


def _is_asked(function: ast.AST, name: str) -> bool:
    """Whether a function is one that is called to use the model, and not to load it."""
    called = getattr(function, "name", "")
    if called == "setup" and name == "weights":
        return True  # of Cog, whose server hands over what somebody asks it to start with
    return bool(called) and _OF_LOADERS.fullmatch(called) is None


def _is_of_parameter(node: ast.Attribute, scopes: Scopes) -> bool:
    """``request.image.url``: what is taken of a parameter, which is no configuration."""
    part: ast.expr = node
    while isinstance(part, ast.Attribute | ast.Subscript):
        if isinstance(part, ast.Attribute) and _OF_CONFIGURATIONS.fullmatch(part.attr):
            return False
        part = part.value
    return (
        isinstance(part, ast.Name) and _owner(part.id, scopes) is not None and not _OF_CONFIGURATIONS.fullmatch(part.id)
    )


def is_of_its_own(node: ast.Call) -> bool:
    """Whether a call hands over an address, or a word of a configuration, by the choice of whoever wrote it."""
    for argument in (*node.args, *(each.value for each in node.keywords)):
        for part in islice(ast.walk(argument), _MOST):
            if isinstance(part, ast.Constant) and isinstance(part.value, str) and "://" in part.value:
                return True
            if (
                isinstance(part, ast.Name | ast.Attribute)
                and last_name(part) not in ("self", "cls", "kwargs")
                and _OF_CONFIGURATIONS.fullmatch(last_name(part))
            ):
                return True
    return False
