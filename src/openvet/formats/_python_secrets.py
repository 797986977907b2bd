"""What a call in a Python source takes that belongs to the user: private files, the environment, tokens."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from itertools import islice

from openvet.core.pattern import pattern
from openvet.formats._private_places import PRIVATE
from openvet.formats._python_calls import last_name
from openvet.formats._python_ends import ends
from openvet.formats._python_resolve import NEAR, Names

__all__ = [
    "HUB_TOKEN",
    "ONE_VARIABLE",
    "SECRET_NAME",
    "is_answer",
    "may_take",
    "secret_of",
    "taken",
    "variable_of",
]

#: Of a header only what is no token counts.
_OWN_TOKEN = pattern(
    r"huggingface/(?:stored_)?token|kaggle\.json|\.netrc|\.config/gcloud|\.boto|\.wandb_key|\.pypirc|\.npmrc|\.config/github-copilot"
)
#: A token of the hub, in a text.
HUB_TOKEN = pattern(r"hf_[A-Za-z0-9]{8,60}")
#: What is said of a call that takes a token, or one variable of the environment: no private file, and not all of it.
ONE_VARIABLE = pattern(r"takes \w* ?of the environment|takes the user's token")
SECRET_NAME = pattern(r"TOKEN|SECRET|PASSW|CREDENTIAL|API_?KEY|ACCESS_KEY|PRIVATE", re.IGNORECASE)
# a name that is taken with getattr may be put together out of pieces
_WORDS = (
    "environ", "getenv", "getattr", "__dict__", "get_token", "get_password", "userdata", "get_secret", "browser_cookie3",
)  # fmt: skip
_PLACES = pattern(r"[\"'/]\.(?:ssh|aws|gnupg|azure|kube|docker|netrc|mozilla|config)[\"'/]|" + PRIVATE.pattern)


def may_take(text: str) -> bool:
    """Whether the source holds a word by which a secret is taken; most do not."""
    return any(word in text for word in _WORDS) or _PLACES.search(text) is not None


_MOST_NEARBY = 60
_TEXTS = (ast.Constant, ast.BinOp, ast.JoinedStr, ast.Call, ast.Subscript)
#: What gives every expression that may flow into some, unless it is told of one that what it is made of does not.
Flowing = Callable[[list[ast.expr], Callable[[ast.expr], bool]], Iterable[ast.expr]]


def taken(names: Names, node: ast.Call, name: str, capability: str | None, flowing: Flowing) -> str:
    """What the call ``name(...)`` takes, in a few words; of single variables only those that the network gets.

    Tokens in headers do not count: by those one's own service is asked.
    """
    table = ends()
    if name in table.secrets.tokens:
        return "takes the user's token"
    sends = capability == "network" or last_name(node.func) in table.senders
    if name not in table.secrets.reads and not sends:
        return ""
    if name in ("builtins.open", "io.open") and _writes(names, node):
        return ""
    own = table.own.headers | table.own.tokens | table.own.files  # by these one's own service is asked
    waiting: list[ast.expr] = [*node.args, *(each.value for each in node.keywords if each.arg not in own)]
    if name.startswith("pathlib."):
        waiting.append(node.func)
    if found := _found(names, waiting, flowing, sends=sends):
        return found
    headers = [each.value for each in node.keywords if each.arg == "headers"] if sends else []
    found = _found(names, list(headers), flowing, sends=False)
    return (
        found
        if found.startswith("takes ") and not found.startswith("takes the") and not _OWN_TOKEN.search(found)
        else ""
    )


def _found(names: Names, nodes: list[ast.expr], flowing: Flowing, *, sends: bool) -> str:
    def stops(part: ast.expr) -> bool:
        return variable_of(names, part) is not None or (part not in nodes and is_answer(names, part))

    # what is only read here is looked for nearby: where it goes is another question
    parts = flowing(nodes, stops) if sends else islice(flowing(nodes, stops), _MOST_NEARBY)
    return next((found for part in parts if (found := secret_of(names, part, variables=sends))), "")


def secret_of(names: Names, part: ast.expr, *, variables: bool) -> str:
    """What one expression by itself takes that belongs to the user; ``variables``: also single ones of the environment."""
    if isinstance(part, ast.Name | ast.Attribute | ast.Call) and names.resolve(part) == "os.environ":
        return "takes the whole environment"
    if not isinstance(part, _TEXTS):
        return ""
    text = names.fold(part)
    text = text.decode("latin-1") if isinstance(text, bytes) else text
    if text is None and isinstance(part, ast.Call | ast.BinOp):
        text = names.place_of(part)
    if isinstance(text, str) and (found := PRIVATE.search(text)):
        return f"takes {found.group()}"
    variable = variable_of(names, part) if variables else None
    return f"takes {variable} of the environment" if variable is not None and SECRET_NAME.search(variable) else ""


def is_answer(names: Names, part: ast.expr) -> bool:
    """Whether it is what another machine gives: what that is asked with is not in it."""
    return (
        isinstance(part, ast.Call)
        and last_name(part.func) in ends().hears.functions
        and (names.resolve(part.func) or "").startswith(("requests.", "httpx.", "urllib."))
    )


def _writes(names: Names, node: ast.Call) -> bool:
    """Whether a file is opened to be written anew, which takes nothing from it."""
    mode = (
        node.args[1] if len(node.args) > 1 else next((each.value for each in node.keywords if each.arg == "mode"), None)
    )
    text = names.fold(mode) if mode is not None else None
    return isinstance(text, str) and text[:1] in ("w", "a", "x") and "+" not in text


def variable_of(names: Names, part: ast.AST) -> str | None:
    """The name of the variable that ``os.environ['HF_TOKEN']`` or ``os.getenv(...)`` takes; empty where it is computed."""
    if isinstance(part, ast.Subscript) and names.resolve(part.value) == "os.environ":
        key = names.fold(part.slice)
    elif (
        isinstance(part, ast.Call)
        and part.args
        and (
            (names.resolve(part.func) or "").removeprefix(NEAR) in ends().secrets.variables
            or last_name(part.func) in ends().secrets.variable_methods
        )
    ):
        key = names.fold(part.args[0])
    else:
        return None
    return key[:60] if isinstance(key, str) else ""
