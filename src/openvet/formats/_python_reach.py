"""What goes from whoever runs a Python source to another machine, and from another machine into what runs here, whichever library carries it.

One table names both ends (``data/python_reach.toml``): clients of every kind, by their packages, and what belongs to a person. An object is
known by the package that it comes from, through names, attributes, ``with`` and results of functions; what it is given is followed the same way
(:mod:`openvet.formats._python_flows`). So that a secret goes to a queue, a data base or a mailbox is seen as it is of an HTTP request, in any function.
A heuristic of one source: where the other machine is must be written out in it, and be nobody's known service.

Sources: MITRE ATT&CK T1041, T1048, T1071, T1102, T1105, T1552, T1555; CWE-200, CWE-506.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Final

from openvet.core.pattern import pattern
from openvet.formats._addresses import BARE, IP, SERVICES, is_foreign
from openvet.formats._private_places import PRIVATE
from openvet.formats._python_calls import arguments_of, heads_of, last_name, parameters, receiver
from openvet.formats._python_ends import ends
from openvet.formats._python_flows import Scopes
from openvet.formats._python_resolve import NEAR
from openvet.formats._python_secrets import ONE_VARIABLE, SECRET_NAME, variable_of

if TYPE_CHECKING:
    from openvet.formats._python_processes import Processes

__all__ = ["reach"]

_MOST_CALLS: Final = 3_000
_MOST_PARTS: Final = 300
_MOST_TOLD: Final = 10
#: Variables of services that everybody knows: their keys go to nobody else.
_KEYS: Final = pattern(
    r"(?:HF|HUGGING_?FACE\w{0,20}|NPM|NODE_AUTH|GITHUB|GH|GITLAB|CI_JOB|PYPI|TWINE|CARGO_REGISTRY|DOCKER|VAULT|ACTIONS_\w{1,30}|AZURE|OPENAI|ANTHROPIC|GEMINI|GOOGLE|WANDB|SLACK|AWS|KAGGLE|COMET|"
    r"NEPTUNE|MISTRAL|COHERE|REPLICATE|TOGETHER|GROQ|DATABRICKS|SNOWFLAKE|KUBE\w{0,10}|SSH|MODAL|RUNPOD)_?\w{0,30}(?:TOKEN|KEY|SECRET|PASSWORD|CREDENTIALS|PAT)\w{0,20}"
)
_PASSWORD: Final = pattern(
    r"passw|pin\b|secret|token|api.?key|seed|mnemonic|cvv|card number|private key|one-time|2fa|otp", re.IGNORECASE
)
_TELLS_ALL: Final = pattern(r"\s*(?:env|printenv|export -p|set)\s*(?:\||$)")
_HOST: Final = pattern(r"(?=[\w.-]{0,80}[a-z])[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}")
_NO_HOST: Final = pattern(
    r"localhost|.*\.(?:local|internal|lan|svc|json|txt|py|bin|pt|csv|md|yaml|yml|log|sh|png|jpg|wav|onnx|safetensors)"
)
_AT: Final = frozenset(
    {
        "host",
        "hostname",
        "server",
        "servers",
        "url",
        "uri",
        "address",
        "addr",
        "broker",
        "bootstrap_servers",
        "endpoint",
        "endpoint_url",
        "base_url",
        "dsn",
        "hosts",
        "ip",
        "target",
        "connection_string",
    }
)
_CONNECTS: Final = frozenset(
    {
        "connect",
        "connect_ex",
        "connect_async",
        "open",
        "open_connection",
        "bind_to",
        "set_host",
        "ws_connect",
        "start_connection",
        "setServer",
        "add_server",
    }
)
_ADDRESS: Final = pattern(rf"\b(?:{IP.pattern})\b")
_CALLBACKS: Final = pattern(
    r"on_?\w{1,40}|\w{0,40}(?:_handler|_callback|callback|handler)|event|command|listen|message|subscriber|task|cog|hears|action"
)


def reach(uses: Processes) -> Iterator[tuple[int, str, str]]:
    """Line, what is called, and what that does, for each call that joins the two ends."""
    reader = _Reader(uses)
    # a private file that is read in the very call that sends it is told as such already
    told = {
        line
        for line, name, capability, when, detail, _ in uses.uses
        if capability == "secret"
        and (when != "call" or not ONE_VARIABLE.search(detail))
        and (name.rpartition(".")[2] in ends().senders or uses.known.of(name) == "network")
    }
    most = len(told) + _MOST_TOLD
    for call, scopes in islice(uses.flows.every_call(), _MOST_CALLS):
        if call.lineno in told or len(told) >= most:
            continue
        if said := reader.judged(call, scopes):
            told.add(call.lineno)
            yield call.lineno, reader.full(call.func) or "something", said


class _Reader:
    def __init__(self, uses: Processes) -> None:
        self._of = uses
        self._table = ends()
        own, runs = self._table.own, self._table.runs
        self._own = self._table.headed | own.files | own.names | own.limits | own.ways
        self._runs = runs.code | runs.sources | runs.unpickles | {"builtins.__import__", "runpy.run_path"}
        self._imports = _imports(uses.nodes)
        self._clients: dict[int, str] = {}
        self._callbacks = self._called_back()
        self._connected = self._connections()

    def _connections(self) -> dict[str, list[ast.expr]]:
        """Where objects are connected to by a method: ``client.connect("...")`` says it of ``client``."""
        found: dict[str, list[ast.expr]] = {}
        for call, _ in islice(self._of.flows.every_call(), _MOST_CALLS):
            if isinstance(call.func, ast.Attribute) and call.func.attr in _CONNECTS:
                given = [*call.args[:2], *(each.value for each in call.keywords if each.arg in _AT)]
                found.setdefault(ast.dump(call.func.value), []).extend(given)
        return found

    def full(self, node: ast.expr) -> str:
        """The qualified name of what is called, also where the import stands in a function that was read before."""
        found = self._of.resolve(node)
        if found is not None:
            return found.removeprefix(NEAR)  # a package that nobody knows may lie beside the source
        parts: list[str] = []
        while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
            if isinstance(node, ast.Attribute):
                parts.append(node.attr)
                node = node.value
            elif isinstance(node, ast.Call):
                parts.append("()")
                node = node.func
            else:
                node = node.value
        if not isinstance(node, ast.Name) or node.id not in self._imports:
            return ""
        return ".".join([self._imports[node.id], *reversed(parts)]).replace(".()", "()")

    def judged(self, call: ast.Call, scopes: Scopes) -> str:
        """What a call does, in a few words; empty for an ordinary one."""
        full, last = self.full(call.func), last_name(call.func)
        if full in self._runs or self._of.known.of(full) == "process":
            return self._run(call, scopes)
        package = self._sends(call, full, last, scopes)
        return self._sent(call, scopes) if package else ""

    # what leaves

    def _sends(self, call: ast.Call, full: str, last: str, scopes: Scopes) -> str:
        """The package by which a call talks to another machine; empty where it does not."""
        if not (call.args or call.keywords) or last in self._table.clients.kept:
            return ""
        if package := self._package(full):
            return package
        if (last in self._table.sends.verbs or last in self._table.senders) and self._of.known.of(full) == "network":
            return "a client"
        return self._client(call.func.value, scopes) if isinstance(call.func, ast.Attribute) else ""

    def _package(self, full: str) -> str:
        """The client package of a qualified name."""
        parts = full.replace("()", "").split(".")
        return next(
            (
                name
                for end in (1, 2)
                if (name := ".".join(parts[:end])) in self._table.clients.names and len(parts) > end
            ),
            "",
        )

    def _client(self, node: ast.expr, scopes: Scopes, hops: int = 4) -> str:
        """The package of the object that an expression is, by where it comes from."""
        known = self._clients.get(id(node))
        if known is not None:
            return known
        self._clients[id(node)] = ""
        found = ""
        for part, where in islice(self._of.flows.into([node], scopes, lambda each: isinstance(each, ast.Call)), 25):
            if not isinstance(part, ast.Call):
                continue
            found = self._package(self.full(part.func))
            if not found and hops and isinstance(part.func, ast.Attribute):
                found = self._client(part.func.value, where, hops - 1)
            if found:
                break
        self._clients[id(node)] = found
        return found

    def _sent(self, call: ast.Call, scopes: Scopes) -> str:
        data = [*call.args, *(each.value for each in call.keywords if each.arg not in self._own)]
        owner = receiver(call)
        owner += self._connected.get(ast.dump(owner[0]), [])[:8] if owner else []
        where = self._where([*arguments_of(call), *owner], scopes)
        if where == "own":
            return ""
        people: set[str] = set()
        for part, _ in islice(self._of.flows.into(data, scopes, self._is_told), _MOST_PARTS):
            kind, what = self._kind(part)
            if kind == "place" or (kind == "secret" and where in ("foreign", "bare")):
                return f"sends {what} to another machine" if where else ""
            if kind == "variable" and where and (where == "bare" or _KEYS.fullmatch(what)):
                return f"sends {what} of the environment to somebody else"
            if kind == "watching" and where:
                return "sends what its user types, copies, says or sees"
            if kind == "person":
                people.add(what)
        named = people - self._table.persons.machines
        return "tells another machine who runs it" if named and where == "bare" else ""

    def _is_told(self, part: ast.expr) -> bool:
        """What is known as a whole: what it is made of is not asked for."""
        return variable_of(self._of, part) is not None or isinstance(part, ast.Compare) or (
            isinstance(part, ast.Call) and last_name(part.func) in ("len", "bool", "isinstance", "hash", "sha256", "exists", "is_file")
        )  # fmt: skip

    def _kind(self, part: ast.expr) -> tuple[str, str]:
        """What belongs to a person in one expression: its kind, and its name."""
        if (variable := variable_of(self._of, part)) is not None:
            return ("variable", variable) if SECRET_NAME.search(variable) else ("", "")
        if isinstance(part, ast.Name | ast.Attribute) and self._of.resolve(part) in ("os.environ", "os.environb"):
            return "secret", "the whole environment"
        if isinstance(part, ast.Call | ast.Attribute):
            full = self.full(part.func if isinstance(part, ast.Call) else part)
            if full in self._table.secrets.calls or full in self._table.secrets.tokens:
                return "secret", f"what {full} gives"
            if full in self._table.watching.calls or self._of.known.of(full.split("()", 1)[0]) in ("watch", "show"):
                return "watching", full
            if full in self._table.persons.calls or full in self._table.persons.machines:
                return "person", full
        if isinstance(part, ast.Call) and self._asks(part):
            return "secret", "a password that it asks for"
        if isinstance(part, ast.Constant | ast.BinOp | ast.JoinedStr | ast.Call):
            text = self._of.fold(part)
            text = text.decode("latin-1") if isinstance(text, bytes) else text
            if text is None and isinstance(part, ast.Call | ast.BinOp):
                text = self._of.place_of(part)
            if isinstance(text, str) and (found := PRIVATE.search(text)):
                return "place", found.group()
            if isinstance(text, str) and isinstance(part, ast.Constant) and _TELLS_ALL.fullmatch(text):
                return "", ""
        return "", ""

    def _asks(self, call: ast.Call) -> bool:
        """Whether a call asks somebody for a password: a field that hides what is typed."""
        hides = any(
            each.arg in ("type", "show", "echo") and self._of.fold(each.value) in ("password", "*", "Password")
            for each in call.keywords
        )
        named = last_name(call.func) in (
            "text_input",
            "prompt",
            "input",
            "getpass",
            "askstring",
            "password",
            "Textbox",
            "text_area",
        ) and any(isinstance(text := self._of.fold(each), str) and _PASSWORD.search(text) for each in call.args[:2])
        return hides or named

    def _where(self, nodes: list[ast.expr], scopes: Scopes) -> str:
        """To whom something goes, as far as it is written out: ``bare foreign own``, or nothing."""
        texts: list[str] = []
        hosts: list[str] = []
        for part, _ in islice(self._of.flows.into(nodes, scopes), _MOST_PARTS):
            if isinstance(part, ast.Call):
                at = [each.value for each in part.keywords if each.arg in _AT]
                at += part.args[:1] if self._package(self.full(part.func)) else []
                hosts += [text for each in at for text in self._plain(each)]
            if isinstance(part, ast.Constant | ast.JoinedStr | ast.BinOp):
                texts += self._plain(part)
        if any(BARE.search(text) or IP.fullmatch(text) for text in (*texts, *hosts)):
            return "bare"
        if is_foreign(texts):
            return "foreign"
        for host in hosts:
            plain = host.rpartition("@")[2].rpartition("//")[2].split("/", 1)[0].partition(":")[0]
            if IP.fullmatch(plain) or _ADDRESS.search(host):
                return "bare"
            if _HOST.fullmatch(plain) and not _NO_HOST.fullmatch(plain) and not SERVICES.search(f"{plain}/"):
                return "foreign"
        return "own" if any(SERVICES.search(text) for text in (*texts, *hosts)) else ""

    def _plain(self, node: ast.expr) -> list[str]:
        value = self._of.fold(node)
        if isinstance(value, list):
            return [each for each in value if isinstance(each, str)]
        return [value] if isinstance(value, str) else []

    # what comes in

    def _run(self, call: ast.Call, scopes: Scopes) -> str:
        """What people or programs say by way of a broker, a messenger or a data base is run."""
        for part, where in islice(self._of.flows.into(heads_of(call), scopes, _is_made), _MOST_PARTS):
            if isinstance(part, ast.Name) and any(
                id(scope) in self._callbacks and _is_parameter(scope, part.id) for scope in where
            ):
                return "runs what another machine gives it"
            if not isinstance(part, ast.Call) or not isinstance(part.func, ast.Attribute):
                continue
            name, last = self.full(part.func), part.func.attr
            package = self._package(name) or self._client(part.func.value, where)
            if package in self._table.clients.told and last in self._table.hears.clients:
                return "runs what another machine gives it"
        return ""

    def _called_back(self) -> set[int]:
        """The functions that a broker, a messenger or a listener calls with what it is told."""
        found: set[int] = set()
        flows = self._of.flows

        def add(name: str) -> None:
            found.update(id(each) for each in flows.functions(name)[:3])

        for call, scopes in islice(flows.every_call(), _MOST_CALLS):
            given = [each for each in arguments_of(call) if isinstance(each, ast.Name | ast.Attribute | ast.Lambda)]
            given = [each for each in given if isinstance(each, ast.Lambda) or flows.functions(last_name(each))]
            if not given or not isinstance(call.func, ast.Attribute):
                continue
            package = self._package(self.full(call.func)) or self._client(call.func.value, scopes)
            if package in self._table.clients.told:
                for each in given:
                    if isinstance(each, ast.Lambda):
                        found.add(id(each))
                    else:
                        add(last_name(each))
        for node in self._of.nodes[:100_000]:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
                target = node.targets[0]
                if _CALLBACKS.fullmatch(target.attr) and self._client(target.value, ()) in self._table.clients.told:
                    add(last_name(node.value))
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for mark in node.decorator_list:
                    of = mark.func if isinstance(mark, ast.Call) else mark
                    if (
                        isinstance(of, ast.Attribute)
                        and _CALLBACKS.fullmatch(of.attr)
                        and self._client(of.value, ()) in self._table.clients.told
                    ):
                        found.add(id(node))
        return found


def _imports(nodes: list[ast.AST]) -> dict[str, str]:
    """What every import of a source binds, in whichever function."""
    found: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            for each in node.names:
                found.setdefault(
                    each.asname or each.name.split(".", 1)[0], each.name if each.asname else each.name.split(".", 1)[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for each in node.names:
                found.setdefault(each.asname or each.name, f"{node.module}.{each.name}")
    return found


def _is_made(part: ast.expr) -> bool:
    """What is no text as a whole that somebody gave: a comparison, a number, a text that begins with a constant."""
    if isinstance(part, ast.JoinedStr):
        return bool(part.values) and isinstance(part.values[0], ast.Constant)
    if isinstance(part, ast.BinOp):
        return isinstance(part.left, ast.Constant | ast.JoinedStr)
    return isinstance(part, ast.Compare) or (
        isinstance(part, ast.Call)
        and last_name(part.func) in ("int", "float", "len", "bool", "quote", "join", "format")
    )


def _is_parameter(scope: ast.AST, name: str) -> bool:
    return name in parameters(scope, starred=True) - {"client", "userdata", "ws", "channel", "ch"}
