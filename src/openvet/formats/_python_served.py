"""What a source runs, opens and serves of what somebody gives it who asks a server or a tool; and callables that it reaches by names it puts together.

Sources: MITRE ATT&CK T1059, T1187, T1610, T1611; CWE-78, CWE-22, CWE-502.
"""

from __future__ import annotations

import ast
from itertools import islice
from typing import TYPE_CHECKING, Final

from openvet.core.pattern import pattern
from openvet.formats._addresses import is_bad_place, is_foreign
from openvet.formats._python_calls import DECODES, arguments_of, last_name, parameters
from openvet.formats._python_ends import ends
from openvet.formats._python_flowing import texts_of
from openvet.formats._python_nodes import walk

if TYPE_CHECKING:
    from openvet.formats._python_flowing import Flowing
    from openvet.formats._python_record import Record

__all__ = ["Served"]

#: An expression for pandas that reaches a module.
_REACHES: Final = pattern(
    r"@\w{1,60}(?:\.\w{1,60}){0,6}\.(?:os|sys|subprocess|io|builtins)\.|\b__\w{1,20}__\b|\.(?:system|popen|Popen|check_output|getoutput)\s{0,4}\("
)
_OF_A_MODULE: Final = pattern(r"\{\w{0,20}(?:\[\w{1,20}\])?\.(?:environ|modules)\b")
_SHARE: Final = pattern(r"^(?:\\\\|//)(?!localhost|127\.|wsl|\.|\?)[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}[\\/]")
_WHOLE_MACHINE: Final = frozenset(
    {"/", "/etc", "/root", "/home", "/var/run/docker.sock", "/run/docker.sock", "/var", "/usr"}
)
_PARTS: Final = frozenset({"partition", "rpartition", "split", "removeprefix", "lstrip", "removesuffix"})
#: What gives a command that it is given, or a part of one.
_GIVES: Final = _PARTS | DECODES | {"strip", "str", "get", "join"}
_SERVERS: Final = (
    "grpc",
    "socket",
    "flask",
    "fastapi",
    "zmq",
    "redis",
    "pika",
    "aiohttp",
    "tornado",
    "websocket",
    "requests",
    "urllib",
)
_MOST: Final = 20_000


class Served:
    """What one source does with what it is asked."""

    __slots__ = ("_in", "_of", "_serves")

    def __init__(self, uses: Record, flowing: Flowing) -> None:
        self._of = uses
        self._in = flowing
        self._serves = any(word in flowing.text for word in _SERVERS)

    # what is run

    def runs(self, node: ast.Call, full: str, last: str, capability: str | None) -> str:
        called = node.func
        if isinstance(called, ast.Call) and self._serves and self._in.name(called.func) in ends().runs.unpickles:
            return "runs what it unpickles"
        if (
            isinstance(called, ast.Subscript)
            and isinstance(called.value, ast.Attribute)
            and called.value.attr in ("__globals__", "__builtins__")
            and not isinstance(called.slice, ast.Constant)
        ):
            return "takes a callable out of the globals of another function by a name that it puts together"
        if (
            last in ("query", "eval")
            and isinstance(called, ast.Attribute)
            and any(
                len(each) < 2_000 and "@" in each and _REACHES.search(each) for each in self._in.texts(node.args[:1])
            )
        ):
            return "reaches modules by an expression for pandas"
        if capability == "process" or full in ends().runs.shells:
            return self._started(node, full)
        if last in ("getattr", "attrgetter", "import_module", "__import__") and self._is_spelled(node):
            return "reaches a callable by a name that it decodes"
        if full.endswith("read_pickle") and any(is_bad_place(each) for each in self._in.texts(node.args[:1])):
            return "unpickles what it fetches without encryption or from a bare address"
        if full == "numpy.load" and any(
            each.arg == "allow_pickle" and self._of.fold(each.value) is True for each in node.keywords
        ):
            return self._unpickled(node)
        if (
            full in ("celery.Celery", "Celery")
            and "pickle" in self._in.text
            and any(
                is_bad_place(each) or ("://" in each and is_bad_place(each.partition("://")[2]))
                for each in self._in.texts(arguments_of(node))
            )
        ):
            return "takes tasks as pickles from a bare address"
        if last in ("run", "create") and isinstance(called, ast.Attribute) and last_name(called.value) == "containers":
            return self._contained(node)
        if any(
            isinstance(each, ast.Name | ast.Attribute) and last_name(each) in ("SlaveService", "ClassicService")
            for each in node.args
        ):
            hosts = self._in.texts([each.value for each in node.keywords if each.arg in ("hostname", "host")])
            return (
                ""
                if any(each in ("localhost", "127.0.0.1") for each in hosts)
                else "gives whoever asks a Python interpreter"
            )
        if last.startswith("register_module_") and last.endswith("_hook"):
            return self._hooked(node)
        return ""

    def _started(self, node: ast.Call, full: str) -> str:
        """A part of what a function is given is a command for a shell: what stands behind a mark."""
        shell = full in ends().runs.shells or any(
            each.arg == "shell" and self._of.fold(each.value) is True for each in node.keywords
        )
        first = node.args[:1] or [each.value for each in node.keywords if each.arg in ("args", "cmd")]
        if not shell or not first or not self._of.scopes:
            return ""
        if isinstance(first[0], ast.JoinedStr | ast.BinOp | ast.List) or self._is_put_together(first[0]):
            return ""
        cut = given = False
        for part, scopes in islice(self._of.flows.into(first, self._of.scopes, _is_made), 60):
            if (isinstance(part, ast.Subscript) and isinstance(part.slice, ast.Slice)) or (
                isinstance(part, ast.Call) and last_name(part.func) in _PARTS
            ):
                cut = True
            elif isinstance(part, ast.Name) and any(part.id in parameters(scope) for scope in scopes):
                given = True
            elif _is_item(part):
                return "runs what somebody who asks its server gives it"
        return "runs a part of what it is given as a command" if cut and given else ""

    def _is_put_together(self, node: ast.expr) -> bool:
        """Whether a name of a function stands for nothing but texts that are put together: what flows in is no command as a whole."""
        scope = self._of.scopes[0]
        if not isinstance(node, ast.Name) or node.id in parameters(scope, starred=True):
            return False
        bound = [
            each
            for each in walk(scope)
            if isinstance(each, ast.Name) and each.id == node.id and not isinstance(each.ctx, ast.Load)
        ]
        made = [
            each.value
            for each in walk(scope)
            if isinstance(each, ast.Assign)
            and any(isinstance(target, ast.Name) and target.id == node.id for target in each.targets)
        ]
        return (
            bool(made)
            and len(made) == len(bound)
            and all(isinstance(each, ast.JoinedStr | ast.BinOp | ast.List) for each in made)
        )

    def _unpickled(self, node: ast.Call) -> str:
        parts = list(islice(self._in.parts(node.args[:1]), 400))
        if not any(
            isinstance(part, ast.Call) and self._of.known.of(self._in.name(part.func)) == "network" for part in parts
        ):
            return ""
        places = [each for each in self._in.texts(node.args[:1]) if "://" in each] or [
            each for each in self._in.every_text() if "://" in each
        ]
        bad = any(is_bad_place(each) for each in places)
        return "unpickles what it fetches without encryption or from a bare address" if bad else ""

    def _is_spelled(self, node: ast.Call) -> bool:
        """Whether a name is put together letter by letter, by numbers that are turned into others."""
        for part in islice(self._in.parts([*node.args]), 200):
            if isinstance(part, ast.Call) and last_name(part.func) == "chr" and part.args:
                inner = part.args[0]
                if (isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.BitXor)) or (
                    isinstance(inner, ast.Call) and last_name(inner.func) == "xor"
                ):
                    return True
        return False

    def _contained(self, node: ast.Call) -> str:
        keywords = {each.arg: each.value for each in node.keywords}
        for given in (keywords.get("volumes"), keywords.get("mounts"), keywords.get("binds")):
            for part in walk(given) if given is not None else ():
                text = part.value if isinstance(part, ast.Constant) else None
                if isinstance(text, str) and (text.partition(":")[0] in _WHOLE_MACHINE):
                    return "starts a container with the files of the whole machine in it"
        return ""

    def _hooked(self, node: ast.Call) -> str:
        for given in node.args[:1]:
            for function in self._of.flows.functions(last_name(given))[:2]:
                for part in islice(walk(function), _MOST):
                    if (
                        isinstance(part, ast.Call)
                        and last_name(part.func) in ends().messages
                        and is_foreign(list(texts_of(part)))
                    ):
                        return "sends what every model of the process is given to somebody else"
        return ""

    # what is opened

    def opens(self, node: ast.Call, full: str, last: str) -> str:
        if (
            last == "format"
            and isinstance(node.func, ast.Attribute)
            and any(_OF_A_MODULE.search(each) for each in self._in.texts([node.func.value]))
            and any(self._of.resolve(each) in ("os", "sys") for each in node.args)
        ):
            return "takes the whole environment by a text that it fills in"
        if full in (
            "builtins.open",
            "io.open",
            "os.stat",
            "os.listdir",
            "os.path.exists",
            "numpy.load",
            "torch.load",
            "json.load",
            "pathlib.Path",
        ) and any(_SHARE.match(each) for each in self._in.texts(node.args[:1])):
            return "opens a share of another machine, to which Windows gives the user's password in its own form"
        if full in ("builtins.open", "io.open", "flask.send_file", "send_file") and node.args:
            for part, _ in islice(self._of.flows.into(node.args[:1], self._of.scopes, _is_joined), 40):
                if _is_item(part):
                    return "gives any file of the machine to whoever asks its server"
                if (
                    isinstance(part, ast.BinOp)
                    and isinstance(part.left, ast.Constant)
                    and part.left.value in ("~/", "/")
                    and not isinstance(self._of.fold(part), str)
                    and self._of.is_model(self._of.owner.rpartition(".")[0])
                ):
                    return "gives files of its user to whoever asks for them"
        if last == "partial" or full.endswith("SimpleHTTPRequestHandler"):
            serves = [last_name(each) for each in node.args[:1]] + [last]
            folders = [each.value for each in node.keywords if each.arg == "directory"]
            if "SimpleHTTPRequestHandler" in serves and any(
                each in ("~", "/", "/root", "/home", "/etc") for each in self._in.texts(folders)
            ):
                return "serves the files of its user to the network"
        return ""


def _is_item(part: ast.expr) -> bool:
    """``request.args[…]``: what a server is asked."""
    owner = (
        part.value
        if isinstance(part, ast.Subscript)
        else part.func.value
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute)
        else None
    )
    return (
        isinstance(owner, ast.Attribute) and owner.attr in ends().serves.holds and isinstance(owner.value, ast.Name) and owner.value.id in ("request", "req")
    )  # fmt: skip


def _is_made(part: ast.expr) -> bool:
    return isinstance(part, ast.JoinedStr | ast.BinOp | ast.List) or (
        isinstance(part, ast.Call) and last_name(part.func) not in _GIVES
    )


def _is_joined(part: ast.expr) -> bool:
    return isinstance(part, ast.JoinedStr) or (
        isinstance(part, ast.Call)
        and last_name(part.func) in ("join", "secure_filename", "basename", "Path", "NamedTemporaryFile", "safe_join")
    )
