"""What a call in a Python source takes that belongs to the user: private files, the environment, tokens."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from itertools import islice

from openvet.core.pattern import pattern
from openvet.formats._private_places import PRIVATE
from openvet.formats._python_resolve import NEAR, Names

__all__ = ["HUB_TOKEN", "SECRET_NAME", "SENDS", "TOKENS", "may_take", "taken", "variable_of"]

#: Calls that read, or copy as a whole, what their arguments name.
_READS = frozenset({"builtins.open", "io.open", "builtins.dict", "builtins.str", "json.dumps", "pathlib.Path().read_text",
                    "pathlib.Path().read_bytes"})  # fmt: skip
#: Last parts of calls that send what they are given, whatever they are called on.
SENDS = frozenset({
    "post", "put", "patch", "urlopen", "Request", "sendall", "send", "sendto", "sendmail", "send_message", "send_document", "send_file",
    "upload", "upload_file", "upload_folder", "upload_fileobj", "upload_large_folder", "upload_blob", "upload_from_filename", "upload_from_string",
    "put_object", "fput_object", "storbinary", "storlines", "push_to_hub", "create_commit", "CommitOperationAdd", "log_artifact", "log_artifacts", "publish",
})  # fmt: skip
#: By these one's own service is asked; of a header only what is no token counts.
_OWN_SERVICE = frozenset(
    {
        "headers",
        "token",
        "use_auth_token",
        "key_filename",
        "pkey",
        "cert",
        "credentials",
        "client_keys",
        "identity_file",
    }
)
_OWN_TOKEN = pattern(
    r"huggingface/(?:stored_)?token|kaggle\.json|\.netrc|\.config/gcloud|\.boto|\.wandb_key|\.pypirc|\.npmrc|\.config/github-copilot"
)
_VARIABLES = frozenset(
    {
        "os.getenv",
        "os.environ.get",
        "os.environ.pop",
        "os.environ.setdefault",
        "google.colab.userdata.get",
        "streamlit.secrets.get",
        "decouple.config",
    }
)
TOKENS = frozenset({"huggingface_hub.get_token", "huggingface_hub.HfFolder.get_token", "huggingface_hub.utils.get_token",
                     "huggingface_hub.HfFolder().get_token", "keyring.get_password", "browser_cookie3.load"})  # fmt: skip
#: A token of the hub, in a text.
HUB_TOKEN = pattern(r"hf_[A-Za-z0-9]{8,60}")
SECRET_NAME = pattern(r"TOKEN|SECRET|PASSW|CREDENTIAL|API_?KEY|ACCESS_KEY|PRIVATE", re.IGNORECASE)
# a name that is taken with getattr may be put together out of pieces
_WORDS = pattern(
    r"environ|getenv|getattr|__dict__|get_token|get_password|userdata|get_secret|browser_cookie3|"
    r"[\"'/]\.(?:ssh|aws|gnupg|azure|kube|docker|netrc|mozilla|config)[\"'/]|" + PRIVATE.pattern
)


def may_take(text: str) -> bool:
    """Whether the source holds a word by which a secret is taken; most do not."""
    return _WORDS.search(text) is not None


_MOST_NEARBY = 60
_TEXTS = (ast.Constant, ast.BinOp, ast.JoinedStr, ast.Call, ast.Subscript)
#: What gives every expression that may flow into some, unless it is told of one that what it is made of does not.
Flowing = Callable[[list[ast.expr], Callable[[ast.expr], bool]], Iterable[ast.expr]]


def taken(names: Names, node: ast.Call, name: str, capability: str | None, flowing: Flowing) -> str:
    """What the call ``name(...)`` takes, in a few words; of single variables only those that the network gets.

    Tokens in headers do not count: by those one's own service is asked.
    """
    if name in TOKENS:
        return "takes the user's token"
    sends = capability == "network" or _last(node.func) in SENDS
    if name not in _READS and not sends:
        return ""
    if name in ("builtins.open", "io.open") and _writes(names, node):
        return ""
    waiting: list[ast.expr] = [*node.args, *(each.value for each in node.keywords if each.arg not in _OWN_SERVICE)]
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
    def is_told(part: ast.expr) -> bool:
        """A variable of the environment by its name, and what another machine gives: what they are asked with is not in it."""
        return variable_of(names, part) is not None or (
            isinstance(part, ast.Call) and part not in nodes and _is_answer(names, part)
        )

    # what is only read here is looked for nearby: where it goes is another question
    for part in flowing(nodes, is_told) if sends else islice(flowing(nodes, is_told), _MOST_NEARBY):
        if isinstance(part, ast.Name | ast.Attribute | ast.Call) and names.resolve(part) == "os.environ":
            return "takes the whole environment"
        if not isinstance(part, _TEXTS):
            continue
        text = names.fold(part)
        text = text.decode("latin-1") if isinstance(text, bytes) else text
        if text is None and isinstance(part, ast.Call | ast.BinOp):
            text = names.place_of(part)
        if isinstance(text, str) and (found := PRIVATE.search(text)):
            return f"takes {found.group()}"
        variable = variable_of(names, part)
        if variable is not None and sends and SECRET_NAME.search(variable):
            return f"takes {variable} of the environment"
    return ""


def _is_answer(names: Names, node: ast.Call) -> bool:
    return _last(node.func) in ("get", "post", "put", "request", "urlopen") and (
        names.resolve(node.func) or ""
    ).startswith(("requests.", "httpx.", "urllib."))


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


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
        and ((names.resolve(part.func) or "").removeprefix(NEAR) in _VARIABLES or _last(part.func) == "get_secret")
    ):
        key = names.fold(part.args[0])
    else:
        return None
    return key[:60] if isinstance(key, str) else ""
