"""What a source sends to somebody else of what a store of secrets, a tool or a file of its user holds; keys and texts that it puts into addresses.

Sources: MITRE ATT&CK T1041, T1552, T1555.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from openvet.core.pattern import pattern
from openvet.formats._addresses import is_bad_place, is_foreign
from openvet.formats._private_places import HOME, PRIVATE, TELLS_SECRETS
from openvet.formats._python_calls import FINDS, arguments_of, last_name, parameters, receiver
from openvet.formats._python_ends import ends
from openvet.formats._python_nodes import walk
from openvet.formats._python_secrets import HUB_TOKEN, SECRET_NAME, variable_of

if TYPE_CHECKING:
    from openvet.formats._python_flowing import Flowing
    from openvet.formats._python_processes import Processes

__all__ = ["GivenAway", "logs_away"]

#: What writes a log on another machine.
_HANDLERS: Final = pattern(r"\b(?:HTTP|SMTP|Datagram|Socket|SysLog)Handler\(")
#: What shows something from an address.
_SHOWN: Final = pattern(
    r"<img\b[^>]{0,200}\bsrc\s{0,4}=\s{0,4}[\"']?(?:https?:|//)?|!\[[^\]\n]{0,100}\]\((?:https?:)?//"
)
_DISPLAYS: Final = frozenset({"Image", "HTML", "IFrame", "Markdown", "SVG", "Video", "Audio"})
_ENCODES: Final = frozenset(
    {"b64encode", "urlsafe_b64encode", "quote", "quote_plus", "urlencode", "hexlify", "hex", "b32encode"}
)
_OWN_KEYS: Final = pattern(
    r"\b(?:OPENAI|ANTHROPIC|GEMINI|GOOGLE|HF|HUGGINGFACE|MISTRAL|COHERE|GROQ)_\w{0,20}(?:KEY|TOKEN)"
)


@lru_cache(maxsize=2)
def logs_away(text: str) -> bool:
    """Whether a source writes a log on another machine."""
    return _HANDLERS.search(text) is not None


class GivenAway:
    """What one source gives away."""

    __slots__ = ("_in", "_logs_away", "_of")

    def __init__(self, uses: Processes, flowing: Flowing) -> None:
        self._of = uses
        self._in = flowing
        self._logs_away = logs_away(flowing.text)

    def sends(self, node: ast.Call, full: str, last: str, capability: str | None) -> str:
        if last.startswith("upload_") and any(
            isinstance(each, ast.Constant) and isinstance(each.value, str) and HUB_TOKEN.fullmatch(each.value)
            for each in walk(node)
        ):
            function = self._of.owner.rpartition(".")[0]
            if function and self._of.is_model(function):
                return "uploads with a token of its own"
        if (
            (full.startswith("logging.") or last in ("warning", "info", "error", "critical"))
            and self._logs_away
            and self._stored(node.args)
        ):
            return "writes what a store of secrets holds into the log of another machine"
        if full in ("openai.OpenAI", "openai.AsyncOpenAI", "anthropic.Anthropic", "OpenAI"):
            return self._relayed(node)
        if last in _DISPLAYS:
            return self._displayed(node)
        if capability != "network" and last not in ends().senders and last not in ends().messages:
            return ""
        given = arguments_of(node)
        texts = self._in.texts([*given, *receiver(node)])
        if not is_foreign(texts) and not any(is_bad_place(each) for each in texts) and not self._mails(last):
            return ""
        if self._stored(given):
            return "sends what a store of secrets holds to somebody else"
        return self._handed_over(given, last)

    def _handed_over(self, given: list[ast.expr], last: str) -> str:
        if last == "request" and any(
            isinstance(part, ast.Call)
            and last_name(part.func) in ends().secrets.read_methods
            and any(PRIVATE.search(each) for each in self._in.texts(list(part.args)))
            for part in self._in.parts(given)
        ):
            return "sends what is private to its user to somebody else"
        for part in self._in.parts(given):
            if (
                isinstance(part, ast.Call)
                and self._of.known.of(self._in.name(part.func)) == "process"
                and TELLS_SECRETS.search(self._of.command_of(part))
            ):
                return "sends a token that a tool keeps for its user to somebody else"
            if (
                isinstance(part, ast.Name)
                and part.id in ("conf_creds", "credentials", "creds")
                and any(part.id in parameters(scope) for scope in self._of.scopes)
            ):
                return "sends credentials that it is given to somebody else"
            if isinstance(part, ast.Call) and last_name(part.func) in FINDS and last in ends().messages:
                inside = self._in.texts([*part.args, *receiver(part)])
                if any(PRIVATE.search(each) for each in inside):
                    continue  # the rule about secrets tells that
                if any(each.startswith("**") or HOME.search(each) for each in inside) and any(
                    isinstance(each, ast.Call) and last_name(each.func) in ends().secrets.read_methods
                    for each in self._in.parts(given)
                ):
                    return "sends files that it finds to somebody else"
        return ""

    def _mails(self, last: str) -> bool:
        return last in ("sendmail", "send_message") and is_foreign(list(self._in.every_text()))

    def _stored(self, nodes: list[ast.expr]) -> bool:
        for part in self._in.parts(nodes, headers=True):
            if isinstance(part, ast.Call) and (
                last_name(part.func) in ends().secrets.stores or self._in.name(part.func).endswith("Secret.load")
            ):
                return True
        return False

    def _relayed(self, node: ast.Call) -> str:
        """A key goes to an address that is spelled so that nobody reads it."""
        spread = [each.value for each in node.keywords if each.arg is None]
        given = [each.value for each in node.keywords if each.arg == "base_url"] + spread
        texts = self._in.texts(given)
        foreign = [each for each in texts if "://" in each and is_foreign([each])]
        constants = self._in.every_text()
        if (
            foreign
            and (any(is_bad_place(each) for each in foreign) or not any(each in constants for each in foreign))
            and _OWN_KEYS.search(self._in.text)
        ):
            return "gives the user's key to an address that it hides"
        return ""

    def _displayed(self, node: ast.Call) -> str:
        given = arguments_of(node)
        if not is_foreign(self._in.texts(given)):
            return ""
        for part in self._in.parts(given):
            secret = variable_of(self._of, part)
            if secret and SECRET_NAME.search(secret):
                return f"puts {secret} of the environment into the address of a picture"
        return ""

    def shows(self, node: ast.JoinedStr) -> bool:
        """Whether a text holds the address of a picture of somebody else, with something encoded in it."""
        constant = "".join(
            each.value for each in node.values if isinstance(each, ast.Constant) and isinstance(each.value, str)
        )
        if _SHOWN.search(constant) is None or not self._in.names_others():
            return False
        return any(
            isinstance(part, ast.Call) and last_name(part.func) in _ENCODES
            for each in node.values
            if isinstance(each, ast.FormattedValue)
            for part in walk(each.value)
        )
