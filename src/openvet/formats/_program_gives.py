"""What a word or a call of a program gives by itself, in a language that has no parser here: what another machine says, what its user keeps private,
what it decodes, the home.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from openvet.core.pattern import pattern
from openvet.formats._addresses import is_bad_place, is_foreign, is_known_place
from openvet.formats._private_places import PRIVATE, TELLS_SECRETS
from openvet.formats._program_outline import Outline
from openvet.formats._program_spans import Call
from openvet.formats._program_words import Language, Word

__all__ = [
    "ASKED",
    "AWAY",
    "DATA",
    "DECODED",
    "FETCHED",
    "HOME",
    "HOST",
    "MACHINE",
    "OF_HOME",
    "OWN",
    "PAGE",
    "PLACE",
    "SECRET",
    "SHELL",
    "TOKEN",
    "WHOLE",
    "Gives",
]

FETCHED: Final = 1
SECRET: Final = 2
DECODED: Final = 4
HOME: Final = 8
ASKED: Final = 16
#: An address of somebody whom nobody knows; a token that another service than that gave; what a page keeps for its user or is typed into it; the
#: program's own text; a shell that was started.
AWAY: Final = 32
TOKEN: Final = 64
PAGE: Final = 128
OWN: Final = 256
SHELL: Final = 512
#: What a file of data holds: a table of settings, a picture, weights.
DATA: Final = 1024
_CREDENTIALS: Final = frozenset({"lookupCredentials", "CredentialsProvider", "getCredentials"})
PLACE: Final = pattern(r"\b(?:https?|ftps?|wss?|tcp)://[^\s\"'`<>)]{3,400}|^//[\w.-]{1,200}\.[a-z]{2,20}/")
MACHINE: Final = pattern(
    r"(?<![\d.])(?!0\.|10\.|127\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.|192\.168\.|255\.)(?:\d{1,3}\.){3}\d{1,3}(?![\d.])"
)
HOST: Final = pattern(r"(?=[\w.-]{0,60}[a-z])[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_GETS: Final = pattern(r"\b(?:curl|wget|fetch|aria2c|iwr|irm|Invoke-WebRequest)\b")
#: The home, the root or all that people keep there, as a whole.
WHOLE: Final = pattern(
    r"(?:~|/|/root|/home|/Users|/mnt|/media|C:[\\/](?:Users)?|[$%]\{?(?:HOME|USERPROFILE)[}%]?)[\\/]{0,4}\*{0,2}(?:[\\/]\*{1,2})?|(?:~|[$]\{?HOME\}?)/(?:Documents|Desktop|Pictures|Downloads)(?:/\*{0,2})?"
)
OF_HOME: Final = frozenset({"HOME", "USERPROFILE", "HOMEPATH"})
#: Roles whose calls give something, and what; names that give something by themselves.
_GIVES: Final = (("fetch", FETCHED), ("decode", DECODED), ("secret", SECRET), ("home", HOME))
_ASKS: Final = frozenset({"query", "body", "params", "headers", "cookies", "FormValue", "rawBody"})
#: Tokens of services that everybody knows, by the names of their variables; and private places by the last part of their paths alone.
_TOKENS: Final = pattern(
    r"(?:HF|HUGGING_?FACE\w{0,20}|NPM|NODE_AUTH|GITHUB|GH|GITLAB|CI_JOB|PYPI|TWINE|CARGO_REGISTRY|DOCKER|VAULT|ACTIONS_\w{1,30}|AZURE|OPENAI|ANTHROPIC|GEMINI|GOOGLE|WANDB|SLACK|AWS)_?\w{0,30}(?:TOKEN|KEY|SECRET|PASSWORD|CREDENTIALS)\w{0,20}|AWS_SESSION_TOKEN"
)
_PRIVATE_NAMES: Final = frozenset(
    {
        ".ssh",
        ".aws",
        ".gnupg",
        ".kube",
        ".netrc",
        ".npmrc",
        ".pypirc",
        ".git-credentials",
        "id_rsa",
        "id_ed25519",
        ".azure",
        ".docker",
    }
)
#: Files of credentials that only tell what they are beside the folder of their tool, which a program may name apart from them.
_CREDENTIALS_IN: Final = (
    (pattern(r"credentials(?:\.toml)?"), ("CARGO_HOME", ".cargo")),
    (pattern(r"(?:stored_)?tokens?"), ("HF_HOME",)),
    (pattern(r"hosts\.yml"), ("GH_CONFIG_DIR", "gh")),
    (pattern(r"config\.json"), ("DOCKER_CONFIG",)),
    (pattern(r"settings\.xml"), (".m2",)),
    (pattern(r"kaggle\.json"), ("KAGGLE_CONFIG_DIR", ".kaggle")),
    (pattern(r"application_default_credentials\.json|credentials\.db"), ("CLOUDSDK_CONFIG", "gcloud")),
)
_READS: Final = pattern(
    r"(?:.*\.)?(?:readFile|readFileSync|readTextFile|read_to_string|ReadFile|file_get_contents)|File\.read|IO\.read|(?:Bun|Deno)\.(?:file|readTextFileSync)"
)
_ALL_OF: Final = pattern(r"\s*(?:env|printenv|export -p|set)\b\s*(?:$|\||>)")
_DATA_FILE: Final = pattern(
    r"[^\n]{0,200}\.(?:json|txt|bin|dat|png|jpe?g|gif|wav|mp3|safetensors|onnx|gguf|npy|npz|pt|csv|md|model|vocab|wasm|ico|webp)"
)
_OWN_TEXT: Final = frozenset({"__filename", "__FILE__"})
_SHELL_NAMES: Final = pattern(r"(?:/\w{1,20}){0,4}/?(?:ba|z|da|k)?sh|cmd(?:\.exe)?|powershell(?:\.exe)?|pwsh")
#: What makes a server, and words of routes by which its functions are registered.
_KEYS: Final = pattern(r"token|auth|session|jwt|secret|password|api_?key|credential|wallet|mnemonic", re.IGNORECASE)
#: Services that count who looks at a page, and hosts from which pages take what they show.
_COUNTS: Final = pattern(
    r"\b(?:google-analytics|googletagmanager|doubleclick|segment|sentry|datadoghq|posthog|plausible|mixpanel|amplitude|hotjar|fullstory|umami|matomo|cloudflareinsights|newrelic|npmjs|yarnpkg|jsdelivr|unpkg|"
    r"googleapis|gstatic|cloudflare|vercel|netlify|supabase|firebaseio|auth0|stripe|esm)\.(?:com|io|net|org|co|is|app|sh)\b"
)
_PUT_IN: Final = pattern(r"\$\{[^{}]{0,200}\}")
_SERVES: Final = frozenset({"HandleFunc", "createServer", "createSecureServer", "createHttp2Server", "serve"})
_ROUTES: Final = frozenset({"get", "post", "put", "patch", "all", "use", "route", "delete", "on", "ws"})
_TYPED: Final = frozenset({"keydown", "keypress", "keyup", "paste", "copy", "beforeinput"})
_BY_ITSELF: Final = (
    frozenset({"cookie", "localStorage", "sessionStorage", "readText", "clipboardData"})
    | frozenset({"env", "ENV", "_ENV", "getenv", "HOME", "USERPROFILE", "home", "_GET", "_POST", "_REQUEST"})
    | _CREDENTIALS
    | _ASKS
)


class Gives(Outline):
    """One program: what its words give by themselves."""

    def __init__(self, words: list[Word], language: Language, text: str) -> None:
        super().__init__(words, language, text)
        self._away: dict[str, bool] = {}

    def _given_by_itself(self) -> dict[int, int]:
        """What each word gives by itself."""
        words = self._words
        base: dict[int, int] = {}

        def give(at: int, bits: int) -> None:
            if bits:
                base[at] = base.get(at, 0) | bits

        folders = {
            part for word in words if word.kind == "text" and len(word.text) < 200 for part in word.text.split("/")
        }
        apart = [names for names, tools in _CREDENTIALS_IN if not folders.isdisjoint(tools)]
        for at, word in enumerate(words):
            if word.kind == "text":
                give(at, self._of_text(word))
                if apart and len(word.text) < 60 and any(each.fullmatch(word.text.strip("/")) for each in apart):
                    give(at, SECRET)
            elif word.kind == "name" and word.text in _BY_ITSELF:
                give(at, self._of_name(at))
            elif word.kind == "name" and word.text.isupper() and at and words[at - 1].text == ".":
                give(at, TOKEN if _TOKENS.fullmatch(word.text) else 0)
        for call in self._calls:
            give(call.open - 1 if words[call.open].text == "(" else call.open, self._of_result(call))
        for at, bits in self._of_servers():
            give(at, bits)
        return base

    def _of_text(self, word: Word) -> int:
        """What a constant text gives."""
        text = word.text
        bits = DECODED if word.quote == "decoded" else 0
        if text in OF_HOME or (len(text) < 60 and text != "/" and WHOLE.fullmatch(text)):
            bits |= HOME
        if len(text) < 2_000:
            bits |= SECRET if text in _PRIVATE_NAMES or PRIVATE.search(text) else 0
            bits |= TOKEN if _TOKENS.fullmatch(text) or "_authToken" in text else 0
            bits |= AWAY if "." in text and self._is_away(text) else 0
        return bits

    def _is_away(self, text: str) -> bool:
        """Whether a text leads to somebody whom nobody knows."""
        if text not in self._away:
            plain = _PUT_IN.sub("x", text)
            places = [found.group() for found in PLACE.finditer(plain)]
            foreign = (
                bool(places or HOST.fullmatch(plain))
                and is_foreign([plain])
                and _COUNTS.search(plain) is None
                and not any(is_known_place(each) for each in places)
            )
            self._away[text] = (
                foreign
                or any(is_bad_place(each) for each in places)
                or (len(text) < 22 and MACHINE.fullmatch(text) is not None)
            )
        return self._away[text]

    def _of_name(self, at: int) -> int:
        """What a name gives by itself: the whole environment, what a server is asked, credentials of a server of builds."""
        words = self._words
        text = words[at].text
        after = words[at + 1].text if at + 1 < len(words) else ""
        if text == "cookie":
            after_that = words[at + 2].text if at + 2 < len(words) else ""
            return PAGE if at > 1 and words[at - 2].text == "document" and (after != "=" or after_that == "=") else 0
        if text in ("localStorage", "sessionStorage"):
            return self._stored(at)
        if text in ("readText", "clipboardData"):
            return PAGE if after in ("(", ".") else 0
        if text == "env" and at > 1 and words[at - 2].text == "process" and after not in (".", "[", "?."):
            return SECRET
        if (
            text in ("ENV", "_ENV")
            and after not in (".", "[", "?.", "{")
            and self._language.id in ("ruby", "perl", "php", "julia")
        ):
            return SECRET
        if (
            text == "ENV"
            and after == "."
            and at + 2 < len(words)
            and words[at + 2].text in ("to_h", "to_a", "inspect", "to_hash", "map", "to_json")
        ):
            return SECRET
        if text == "ENV" and after == "{" and self._language.id == "perl":
            return 0
        if text == "getenv" and after == "(" and at + 2 < len(words) and words[at + 2].text == ")":
            return SECRET
        if text in _CREDENTIALS:
            return SECRET
        if text in ("HOME", "USERPROFILE") or (text == "home" and at > 1 and words[at - 2].text == "Dir"):
            return HOME
        if text in _ASKS and at > 1 and words[at - 1].text == "." and words[at - 2].text in ("req", "request"):
            return ASKED
        if text in ("_GET", "_POST", "_REQUEST"):
            return ASKED
        if text == "ngx" and at + 2 < len(words) and words[at + 2].text in ("var", "req"):
            return ASKED
        return 0

    def _stored(self, at: int) -> int:
        """What a page keeps for its user: all of it, or what is called a token."""
        words = self._words
        member = words[at + 2].text if at + 2 < len(words) and words[at + 1].text == "." else ""
        if member in ("setItem", "removeItem", "clear", "length"):
            return 0
        if member == "getItem":
            asked = words[at + 4].text if at + 4 < len(words) and words[at + 4].kind == "text" else ""
            return PAGE if _KEYS.search(asked) else 0
        return PAGE if member in ("key", "") and words[at - 1].text != "=" else 0

    # calls

    def _of_result(self, call: Call) -> int:
        """What a call gives."""
        bits = 0
        for role, given in _GIVES:
            if role in call.roles and (role != "fetch" or self._fetches(call)):
                bits |= given
        if "process" in call.roles:
            texts = self._command(call)
            if any(_SHELL_NAMES.fullmatch(each.strip()) for each in texts[:4]):
                bits |= SHELL
            if any(
                TELLS_SECRETS.search(each) or PRIVATE.search(each) or _ALL_OF.match(each)
                for each in (*texts, " ".join(texts))
            ):
                bits |= SECRET
            if any(_GETS.search(each) and PLACE.search(each) for each in texts):
                bits |= FETCHED
        if _READS.fullmatch(call.name) and call.args:
            begin, end = call.args[0]
            bits |= OWN if end - begin == 1 and self._words[begin].text in _OWN_TEXT else 0
            bits |= (
                DATA
                if any(each.kind == "text" and _DATA_FILE.fullmatch(each.text) for each in self._part(begin, end))
                else 0
            )
        return bits

    def _fetches(self, call: Call) -> bool:
        """Whether a call of a name that may mean something else asks another machine."""
        last = call.name.rpartition(".")[2]
        language = self._language.id
        if (
            (language == "ruby" and last == "open")
            or (language == "php" and last in ("file_get_contents", "fopen"))
            or (language == "r" and last == "readLines")
        ):
            return any(word.kind == "text" and PLACE.search(word.text) for word in self._words[call.open : call.close])
        if (language == "perl" and last in ("get", "post", "request")) or (language == "julia" and last == "connect"):
            return bool(call.args)
        return True

    def _of_servers(self) -> Iterator[tuple[int, int]]:
        """The words that stand for what a server is asked, and for the keys that are typed into a page."""
        words = self._words
        for call in self._calls:
            last = call.name.rpartition(".")[2]
            first = words[call.args[0][0]] if call.args else None
            text = first.text if first is not None and first.kind == "text" else None
            asked = (
                last in _SERVES
                or (last in _ROUTES and text is not None and text.startswith("/"))
                or (
                    last == "use"
                    and call.args
                    and bool(self._callback(*call.args[-1]))
                    and self._language.id == "javascript"
                )
                or (last == "addEventListener" and text == "push")
            )
            typed = last == "addEventListener" and (
                text in _TYPED
                or (
                    text in ("input", "change")
                    and any(each.kind == "text" and "password" in each.text for each in words)
                )
            )
            if not asked and not typed:
                continue
            for begin, end in call.args:
                names = [
                    each
                    for each in self._callback(begin, end)
                    if each not in ("http", "ResponseWriter", "Request", "gin", "echo", "fiber", "Context")
                ]
                names = names[: 1 if last != "HandleFunc" else 2]
                if not names and any(words[at].text == "ctx" for at in range(begin, min(begin + 4, end))):
                    names = ["ctx"]
                for at in range(begin, min(end, begin + 3_000)) if names and self.left > 0 else ():
                    self.left -= 1
                    if (
                        words[at].kind == "name"
                        and words[at].text in names
                        and at + 1 < len(words)
                        and words[at + 1].text in (".", "?.")
                    ):
                        if (
                            typed
                            and at + 2 < len(words)
                            and words[at + 2].text in ("key", "code", "data", "clipboardData")
                        ):
                            yield at, PAGE
                        elif asked and last != "on":
                            yield at, ASKED

    def _command(self, call: Call) -> list[str]:
        """The constant texts of a command, with what names stand for, and those of the calls that it goes on with."""
        out = []
        for begin, end in [*call.args, *self._going_on(call, ("arg", "args", "Arg"))]:
            if self._callback(begin, end):
                continue
            for word in self._part(begin, end):
                if word.kind == "text":
                    out.append(self._filled(word))
                elif word.kind == "name" and word.text in self._constants:
                    out.append(self._constants[word.text])
        return out[:60]

    def _filled(self, word: Word) -> str:
        text = word.text
        for name in word.inner:
            if name in self._constants:
                for each in (f"${{{name}}}", f"#{{{name}}}", f"${name}", f"$({name})"):
                    text = text.replace(each, self._constants[name])
        return text[:4_000]

    def _going_on(self, call: Call, names: tuple[str, ...]) -> list[tuple[int, int]]:
        """The arguments of ``.arg(…)`` that a call goes on with."""
        words, at = self._words, call.close + 1
        found: list[tuple[int, int]] = []
        while at < len(words) and len(found) < 20:
            while at < len(words) and words[at].kind == "line":
                at += 1
            if at + 2 >= len(words) or words[at].text not in (".", "?.", "->") or words[at + 1].kind != "name":
                break
            opening = at + 2
            if words[opening].text == "!":
                opening += 1
            if words[opening].text != "(" or opening not in self._partner:
                at += 2
                continue
            if words[at + 1].text in names:
                found.append((opening + 1, self._partner[opening]))
            at = self._partner[opening] + 1
            if at < len(words) and words[at].text == "?":
                at += 1
        return found
