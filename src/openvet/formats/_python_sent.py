"""What a call sends to somebody who was not asked: what is typed, copied or seen, who runs it, what is secret, what a model is given.

Sources: MITRE ATT&CK T1041, T1056, T1071.004, T1113, T1115, T1552.005.
"""

from __future__ import annotations

import ast
from itertools import islice
from typing import TYPE_CHECKING, Final

from openvet.core.pattern import pattern
from openvet.formats._addresses import ADDRESS, BARE_HOST, IP, SERVICES, is_bare, is_foreign
from openvet.formats._python_calls import FINDS, last_name, receiver
from openvet.formats._python_ends import ends
from openvet.formats._python_nodes import walk
from openvet.formats._python_origins import KEEPS, is_parameter
from openvet.formats._python_secrets import HUB_TOKEN, SECRET_NAME, variable_of
from openvet.formats._python_told import HANDED_ON

if TYPE_CHECKING:
    from openvet.formats._python_origins import Origins
    from openvet.formats._python_record import Record

__all__ = ["Sent"]

_OF_PEOPLE: Final = pattern(r"/content/drive\b|^(?:~|/|/home|/root)/?$|^(?:~|/root)/(?:Documents|Desktop|Pictures)\b")
_BRANDS: Final = pattern(
    r"hugging|\bhf\b|openai|\baws\b|github|google|azure|wandb|anthropic|password|passwort|ssh|wallet|seed phrase", 2
)
_DOMAIN: Final = pattern(r"\.[\w-]{1,63}\.[a-z]{2,}\Z|\.(?:invalid|example|test)\Z")
_CREDENTIALS: Final = pattern(
    r"(?:169\.254\.169\.254|metadata\.google\.internal|100\.100\.100\.200|metadata\.azure)[^\s\"']{0,200}(?:security-credentials|/(?:token|identity)\b|user-data)|169\.254\.170\.2\b"
)
#: Services that are shown pictures of a screen or given a recording by whoever runs an agent.
_ASKED: Final = pattern(
    r"openai|anthropic|googleapis|huggingface|localhost|127\.0|azure\.com|azurewebsites\.net|dashscope|deepseek|groq\.com|mistral\.ai|together\.|replicate|elevenlabs|deepgram|assemblyai"
)
_MOST_NODES: Final = 5_000


class Sent:
    """What one source sends."""

    __slots__ = ("_asks", "_from", "_of")

    def __init__(self, uses: Record, origins: Origins, text: str) -> None:
        self._of = uses
        self._from = origins
        #: whether it asks a service in its user's name, who then knows that it does
        self._asks = any(word in text for word in ("Authorization", "api_key", "API_KEY", "api-key", "Bearer"))

    def call(self, node: ast.Call, name: str, last: str, capability: str | None, when: str) -> str:
        if name in (
            "socket.gethostbyname",
            "socket.getaddrinfo",
            "socket.gethostbyname_ex",
            "dns.resolver.resolve",
            "dns.resolver.query",
        ):
            return self._asked_name(node)
        if said := self.watched(node, last, capability):
            return said
        opened = name.partition("()")
        table = ends()
        on = last in table.hears.connections and self._of.known.of(opened[0]) == "network" if opened[1] else False
        sends = capability == "network" or last in table.senders or on
        if not sends:
            return ""
        own = table.own.headers | table.own.tokens | table.own.logins | table.own.limits
        given = [*node.args, *(each.value for each in node.keywords if each.arg not in own)]
        given += [node.func.value] if isinstance(node.func, ast.Attribute) and opened[1] else []
        texts = self._from.texts(given)
        if any(_CREDENTIALS.search(text) for text in texts):
            return "takes the credentials of the machine that serves the model"
        bad = is_bare(texts)
        if said := self._given_away(node, last, given, texts, when, bad=bad):
            return said
        watched = identified = 0
        seen: set[str] = set()
        for part, scopes in self._from.into(given):
            if self._from.is_watched(part, scopes):
                watched += 1
            if (
                isinstance(part, ast.Call)
                and (full := self._from.name(part.func)) in table.identifying
                and full not in seen
            ):
                seen.add(full)
                identified += 1
            if bad and (secret := variable_of(self._of, part)) and SECRET_NAME.search(secret):
                return f"sends {secret} of the environment to a bare address or a drop"
        if (
            watched
            and not any(_ASKED.search(text) for text in texts)
            and (bad or any(ADDRESS.search(text) for text in texts))
        ):
            return "sends what its user types, copies or sees"
        people = seen & table.persons.calls
        if (identified > 1 and people and (bad or when in ("import", "construction"))) or (
            identified and bad and people
        ):
            return "tells another machine who runs it"
        return ""

    def watched(self, node: ast.Call, last: str, capability: str | None) -> str:
        if last != "copy" or capability != "watch" or not node.args or not isinstance(self._of.fold(node.args[0]), str):
            return ""
        around = self._of.function_of(self._of.owner)
        parts = list(islice(walk(around), _MOST_NODES))
        pastes = any(isinstance(each, ast.Call) and last_name(each.func) in ends().watching.methods for each in parts)
        return "changes what its user copied" if pastes and any(isinstance(each, ast.While) for each in parts) else ""

    def _given_away(
        self, node: ast.Call, last: str, given: list[ast.expr], texts: list[str], when: str, *, bad: bool
    ) -> str:
        """What people, or a model that is used, handed over goes to somebody who was not asked."""
        own = last.startswith("upload_") or not any(SERVICES.search(each) for each in texts)
        words = (
            ("path_or_fileobj",)
            if last.startswith("upload_")
            else ("data", "json", "content", "files", "params", "body", "cookies")
        )
        data = [
            *node.args[: 1 if last.startswith("upload_") else 3],
            *(each.value for each in node.keywords if each.arg in words),
        ]
        if own and any(
            isinstance(part, ast.Call) and self._from.name(part.func) in ends().secrets.tokens
            for part, _ in self._from.into(data, self._is_opaque)
        ):
            return "sends the user's token"
        calls = [part for part, _ in self._from.into(given) if isinstance(part, ast.Call)]
        for part in calls:
            called = last_name(part.func)
            if called in ("make_archive", "ZipFile") and any(
                _OF_PEOPLE.search(each) for each in self._from.texts([part])
            ):
                return "sends the files of whoever runs it"
            if called in FINDS and (bad or is_foreign(texts)) and self._is_of_people(part):
                return "sends the files of whoever runs it"
            asked = called in ("getpass", "input") and any(
                _BRANDS.search(each) for each in self._from.texts(list(part.args))
            )
            if asked and is_foreign(texts):
                return "asks for what is secret and sends it to somebody else"
        if (
            last.startswith("upload_")
            and when in ("import", "construction", "inference", "call")
            and any(HUB_TOKEN.fullmatch(each) for each in self._from.texts([node]))
        ):
            function = self._of.owner.rpartition(".")[0]
            if function and self._of.is_model(function):
                return "uploads with a token of its own"
        raw = last in ("sendall", "sendto", "send") and "socket" in self._from.name(node.func)
        if raw and when == "call":
            bad = any(IP.fullmatch(text) or BARE_HOST.search(text) for text in texts)
        hooked = when != "call" or raw or self._of.is_model(self._of.owner.rpartition(".")[0])
        if not hooked or (when == "call" and not bad) or last not in ends().messages:
            return ""
        computed = any(
            isinstance(part, ast.Name) and any(is_parameter(scope, part.id) for scope in scopes)
            for part, scopes in self._from.into(given)
        )
        if computed and (
            bad or (is_foreign(texts) and not self._asks and self._of.is_model(self._of.owner.rpartition(".")[0]))
        ):
            return HANDED_ON
        return ""

    def _is_of_people(self, part: ast.Call) -> bool:
        """Whether a call goes through what people keep: their documents, or all of a home."""
        owner = receiver(part)
        places = [text for each in (*owner, *part.args) if isinstance(text := self._of.place_of(each), str)]
        return any(_OF_PEOPLE.search(each) for each in (*self._from.texts([part]), *places))

    def _is_opaque(self, part: ast.expr) -> bool:
        """A call whose result is not what it was given."""
        return isinstance(part, ast.Call) and last_name(part.func) not in KEEPS

    def _asked_name(self, node: ast.Call) -> str:
        """Names of hosts into which what is known here is written."""
        texts = self._from.texts(node.args[:1])
        if not any(_DOMAIN.search(text) for text in texts):
            return ""
        for part, _ in self._from.into(node.args[:1]):
            name = self._from.name(part.func) if isinstance(part, ast.Call) else ""
            if (
                name in ends().identifying
                or name in ends().secrets.variables
                or name.startswith(("base64.", "binascii."))
                or name == "builtins.open"
            ):
                return "tells another machine what it knows by the names that it asks for"
            if isinstance(part, ast.Subscript) and self._of.resolve(part.value) == "os.environ":
                return "tells another machine what it knows by the names that it asks for"
        return ""
