"""Where what flows into a call comes from: another machine, somebody who types or copies, a text that is decoded.

What flows is followed blind to order and conditions (:mod:`openvet.formats._python_flows`); functions that are handed to what listens count as
called with what that hears.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from openvet.formats._python_calls import arguments_of, dotted, last_name, parameters
from openvet.formats._python_ends import ends
from openvet.formats._python_flows import Scopes

if TYPE_CHECKING:
    from openvet.formats._python_record import Record

__all__ = ["KEEPS", "Origins", "is_parameter"]

#: Words of which a source must have one to talk to another machine.
_TALKS: Final = (
    "urlopen", "urlretrieve", "requests", "httpx", "aiohttp", "urllib", "socket", "http.client", "ftplib", "paramiko", "download", "getresponse", "recv", "rfile",
    "flask", "smtplib", "telnet", "open_connection", "dns.", "xmlrpc", "zmq", "mqtt", "pika", "boto3", "curl", "wget", "URLopener", "upload", "bot", "bentoml",
)  # fmt: skip
#: Calls that give what they are given in another form.
KEEPS: Final = frozenset(
    {
        "encode",
        "decode",
        "strip",
        "format",
        "b64encode",
        "urlsafe_b64encode",
        "BytesIO",
        "StringIO",
        "dumps",
        "join",
        "str",
        "bytes",
        "quote",
        "urlencode",
        "hex",
        "dict",
    }
)
Part = tuple[ast.expr, Scopes]


class Origins:
    """What flows in one source."""

    __slots__ = ("_listens", "_of", "talks")

    def __init__(self, uses: Record, text: str) -> None:
        self._of = uses
        #: whether it holds a word by which it may ask another machine
        self.talks = any(word in text for word in _TALKS)
        #: functions that are handed to what listens to another machine, or to keys
        self._listens: dict[str, str] = {}

    def into(self, nodes: list[ast.expr], stop: Callable[[ast.expr], bool] | None = None) -> Iterator[Part]:
        """Everything that may flow into expressions of what is being read, with the functions around it."""
        return self._of.flows.into(nodes, self._of.scopes, stop)

    def texts(self, nodes: list[Any]) -> list[str]:
        """The constant texts among what flows in."""
        found = []
        for part, _ in self.into(nodes):
            if isinstance(part, ast.Constant):
                if isinstance(part.value, str):
                    found.append(part.value)
            elif isinstance(part, ast.JoinedStr | ast.BinOp | ast.Call) and isinstance(
                text := self._of.fold(part), str
            ):
                found.append(text)
        return found

    def name(self, node: ast.expr) -> str:
        """The full name of what is called; as it is written where that is not known."""
        return self._of.resolve(node) or dotted(node, "something")

    # another machine

    def fetches(self, nodes: list[ast.expr], stop: Callable[[ast.expr], bool] | None = None) -> list[str] | None:
        """The constant texts that lead to where what flows in is fetched; ``None`` where nothing is."""
        fetched = False
        texts: list[str] = []
        for part, scopes in self.into(nodes, stop):
            if isinstance(part, ast.Constant):
                if isinstance(part.value, str):
                    texts.append(part.value)
            elif self.is_fetched(part, scopes):
                fetched = True
        return texts if fetched else None

    def is_fetched(self, part: ast.expr, scopes: Scopes) -> bool:
        """Whether a part gives what another machine says."""
        if isinstance(part, ast.Name):
            return any(
                self._listens.get(getattr(scope, "name", "")) == "another machine" and is_parameter(scope, part.id)
                for scope in scopes
            )
        if isinstance(part, ast.Attribute):
            return part.attr == "rfile" or (
                part.attr in ends().serves.holds and (self._of.resolve(part) or "").startswith("flask.request")
            )
        if not isinstance(part, ast.Call):
            return False
        name, last = self.name(part.func), last_name(part.func)
        if last in ends().serves.holds and "flask.request." in name:
            return True
        if last in ends().hears.anywhere and isinstance(part.func, ast.Attribute):
            return True
        first, called, _ = name.partition("()")
        known = self._of.known
        if called:
            return last in ends().hears.connections and known.of(first) == "network"
        return last in ends().hears.functions and known.of(name) == "network"

    def is_connection(self, part: ast.expr) -> bool:
        """Whether a part is a connection to another machine."""
        return isinstance(part, ast.Call) and self.name(part.func) in ("socket.socket", "socket.create_connection")

    # what is decoded

    def is_decoded(self, nodes: list[ast.expr]) -> bool:
        """Whether bytes that were written as a text flow in."""
        return any(
            isinstance(part, ast.Call)
            and (
                last_name(part.func) in ("fromhex", "unhexlify")
                or (
                    self._of.known.decodes(called := self.name(part.func))
                    and called.startswith(("base64.", "binascii."))
                )
            )
            for part, _ in self.into(nodes)
        )

    def is_other(self, part: ast.expr) -> bool:
        """What gives no text that it was given: another package's function, a comparison, an attribute of any object."""
        if _is_taken(part) or not isinstance(part, ast.Call):
            return _is_taken(part)
        known = self._of.known.decodes(self.name(part.func)) or last_name(part.func) in (
            *KEEPS,
            "compile",
            "loads",
            "decompress",
        )
        return not known and len(self._of.flows.functions(last_name(part.func))) != 1

    # what is typed, copied or heard

    def is_watched(self, part: ast.expr, scopes: Scopes) -> bool:
        """Whether a part gives what somebody types, copies, says or sees."""
        if isinstance(part, ast.Name):
            return any(
                self._listens.get(getattr(scope, "name", "")) == "keys" and is_parameter(scope, part.id)
                for scope in scopes
            )
        if not isinstance(part, ast.Call) or last_name(part.func) not in ends().watching.methods:
            return False
        name = self.name(part.func)
        return self._of.known.of(name.split("()", 1)[0]) in ("watch", "show") or self._of.known.of(name) in (
            "watch",
            "show",
        )

    def note_listeners(self, node: ast.Call, name: str, last: str) -> None:
        """Functions that are handed to what calls them with what another machine says, or with what is typed."""
        package = name.split(".", 1)[0]
        kind = (
            "keys"
            if package in ends().watching.packages
            else "another machine"
            if package in ends().clients.told or (last in ends().hears.subscribes and self.talks)
            else ""
        )
        if not kind:
            return
        for each in arguments_of(node):
            called = last_name(each) if isinstance(each, ast.Name | ast.Attribute) else ""
            if called and self._of.flows.functions(called):
                self._listens[called] = kind

    def listens(self, attribute: str, value: ast.expr) -> None:
        """``client.on_message = f``."""
        if attribute in ends().hears.callbacks and self.talks:
            called = last_name(value)
            if called:
                self._listens[called] = "another machine"


def _is_taken(part: ast.expr) -> bool:
    """What is looked up in a text that was decoded is data; an attribute may be of any object."""
    return isinstance(part, ast.Compare | ast.Dict | ast.Attribute)


def is_parameter(scope: ast.AST, name: str) -> bool:
    """Whether a function is given something by that name, other than what libraries hand to every function that listens."""
    return name not in ("ws", "client", "userdata") and name in parameters(scope)
