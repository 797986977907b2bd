"""More of what no honest code beside a model does: judgements of single calls, and of a source as a whole.

Where :mod:`openvet.formats._python_attacks` follows what is fetched, this asks what is done to the user: what somebody who asks a server or a
tool gives is run or read, what a keychain or a store of secrets holds is sent, files that are found in a home are removed, encrypted or
changed, a container gets the whole machine, clients of a hub are pointed elsewhere. Each is a heuristic over what flows into one call.

Sources: MITRE ATT&CK T1059, T1485, T1486, T1552, T1555, T1557, T1187, T1499, T1505, T1610, T1611; CWE-78, CWE-22, CWE-502.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Final

from openvet.core.pattern import pattern
from openvet.formats._addresses import KNOWN, is_bad_place, is_foreign
from openvet.formats._private_places import PRIVATE
from openvet.formats._python_resolve import NEAR
from openvet.formats._python_secrets import HUB_TOKEN, SECRET_NAME, SENDS, variable_of

if TYPE_CHECKING:
    from openvet.formats._python_uses import Uses

__all__ = ["OF_HOMES", "Families"]

_FINDS: Final = frozenset({"rglob", "glob", "iglob", "walk", "listdir", "iterdir", "scandir"})
_READS: Final = frozenset({"open", "read_text", "read_bytes", "read"})
_SENT_BY: Final = frozenset(
    {
        "post",
        "put",
        "patch",
        "sendmail",
        "send_message",
        "sendall",
        "urlopen",
        "request",
        "Request",
        "storbinary",
        "sendto",
        "send",
        "publish",
    }
)
_UNPICKLES: Final = frozenset(
    {
        "pickle.loads",
        "pickle.load",
        "dill.loads",
        "dill.load",
        "cloudpickle.loads",
        "cloudpickle.load",
        "marshal.loads",
        "_pickle.loads",
        "joblib.load",
        "jsonpickle.decode",
    }
)
#: Calls that give what a store of secrets holds, by the last part of their names.
_STORES: Final = frozenset({"get_credential", "get_password", "get_secret_value", "access_secret_version", "read_block_documents", "get_secret", "list_secrets", "get_connections", "build_hf_headers",
                            "get_token_to_send", "list_namespaced_secret", "list_secret_for_all_namespaces"})  # fmt: skip
#: Commands that print a token or a password.
_PRINTS: Final = pattern(
    r"\b(?:gh\s{1,4}auth\s{1,4}token|gcloud\s{1,4}auth\s{1,4}(?:\w{1,30}-default\s{1,4})?print-(?:access|identity)-token|kubectl\s{1,4}config\s{1,4}view\s[^|;&]{0,40}--raw|kubectl\s[^|;&]{0,60}\bget\s{1,4}secrets?|"
    r"aws\s{1,4}configure\s{1,4}(?:export-credentials|get)|az\s{1,4}account\s{1,4}get-access-token|security\s{1,4}(?:find-\w{1,30}-password|dump-keychain)|pass\s{1,4}show|git\s{1,4}credential\s{1,4}fill|"
    r"op\s{1,4}(?:read|item\s{1,4}get)|vault\s{1,4}(?:kv\s{1,4}get|read|print\s{1,4}token)|docker-credential-\w{1,30}\s{1,4}get|secret-tool\s{1,4}(?:lookup|search)|cmdkey\s{1,4}/list)"
)
_HOME: Final = pattern(r"^(?:~|/root|/home|/Users|/mnt|/media|/srv)(?:/|$)|^/\*|^/$")
_OF_PEOPLE: Final = pattern(r"^(?:Documents|Desktop|Pictures|Downloads)\b|^(?:~|/root|/home|/Users)")
#: A folder of somebody, with nothing of its own name below it.
_WHOLE: Final = pattern(r"^/(?:mnt|media|srv|home|Users)(?:/[^/.][^/]{0,60})?/?$|^~/(?!\.)[^/]{1,40}/?$")
#: What writes a log on another machine.
_HANDLERS: Final = pattern(r"\b(?:HTTP|SMTP|Datagram|Socket|SysLog)Handler\(")
_WEIGHTS: Final = pattern(r"\.(?:safetensors|pt|pth|bin|ckpt|h5|gguf|onnx|npz|msgpack)$")
#: An expression for pandas that reaches a module.
_REACHES: Final = pattern(
    r"@\w{1,60}(?:\.\w{1,60}){0,6}\.(?:os|sys|subprocess|io|builtins)\.|\b__\w{1,20}__\b|\.(?:system|popen|Popen|check_output|getoutput)\s{0,4}\("
)
_OF_A_MODULE: Final = pattern(r"\{\w{0,20}(?:\[\w{1,20}\])?\.(?:environ|modules)\b")
_SHARE: Final = pattern(r"^(?:\\\\|//)(?!localhost|127\.|wsl|\.|\?)[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}[\\/]")
#: What shows something from an address.
_SHOWN: Final = pattern(
    r"<img\b[^>]{0,200}\bsrc\s{0,4}=\s{0,4}[\"']?(?:https?:|//)?|!\[[^\]\n]{0,100}\]\((?:https?:)?//"
)
_DISPLAYS: Final = frozenset({"Image", "HTML", "IFrame", "Markdown", "SVG", "Video", "Audio"})
_ENCODES: Final = frozenset(
    {"b64encode", "urlsafe_b64encode", "quote", "quote_plus", "urlencode", "hexlify", "hex", "b32encode"}
)
_ITEMS: Final = frozenset(
    {"args", "form", "data", "json", "values", "headers", "cookies", "query_params", "path_params", "body"}
)
_WHOLE_MACHINE: Final = frozenset(
    {"/", "/etc", "/root", "/home", "/var/run/docker.sock", "/run/docker.sock", "/var", "/usr"}
)
_SHELLS: Final = frozenset(
    {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput", "asyncio.create_subprocess_shell"}
)
_PARTS: Final = frozenset({"partition", "rpartition", "split", "removeprefix", "lstrip", "removesuffix"})
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
_OWN_KEYS: Final = pattern(
    r"\b(?:OPENAI|ANTHROPIC|GEMINI|GOOGLE|HF|HUGGINGFACE|MISTRAL|COHERE|GROQ)_\w{0,20}(?:KEY|TOKEN)"
)
_MOST: Final = 20_000


#: What is told of homes by :mod:`openvet.formats._python_homes` as well.
OF_HOMES: Final = frozenset(
    {
        "encrypts the files of whoever runs it",
        "removes folders of whoever runs it",
        "removes the files that it finds in the home of whoever runs it",
    }
)


class Families:
    """The judgements of one source, call by call and at its end."""

    __slots__ = ("_constants", "_of", "_serves", "_text", "_to_others")

    def __init__(self, uses: Uses, text: str) -> None:
        self._of = uses
        self._text = text
        #: every text of the source, and whether one is an address of somebody else; read where a call first asks for it
        self._constants: frozenset[str] | None = None
        self._to_others: bool | None = None
        self._serves = any(word in text for word in _SERVERS)

    def call(self, node: ast.Call, full: str, last: str, capability: str | None) -> str:
        """What a call does, in a few words; empty for an ordinary one."""
        full = full.removeprefix(NEAR)
        return (
            self._run(node, full, last, capability)
            or self._changed(node, full, last)
            or self._opened(node, full, last)
            or self._sent(node, full, last, capability)
        )

    # what is run

    def _run(self, node: ast.Call, full: str, last: str, capability: str | None) -> str:
        called = node.func
        if isinstance(called, ast.Call) and self._serves and self._name(called.func) in _UNPICKLES:
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
            and any(len(each) < 2_000 and "@" in each and _REACHES.search(each) for each in self._texts(node.args[:1]))
        ):
            return "reaches modules by an expression for pandas"
        if capability == "process" or full in _SHELLS:
            return self._started(node, full)
        if last in ("getattr", "attrgetter", "import_module", "__import__") and self._is_spelled(node):
            return "reaches a callable by a name that it decodes"
        if full.endswith("read_pickle") and any(is_bad_place(each) for each in self._texts(node.args[:1])):
            return "unpickles what it fetches without encryption or from a bare address"
        if full == "numpy.load" and any(
            each.arg == "allow_pickle" and self._of.fold(each.value) is True for each in node.keywords
        ):
            return self._unpickled(node)
        if (
            full in ("celery.Celery", "Celery")
            and "pickle" in self._text
            and any(
                is_bad_place(each) or ("://" in each and is_bad_place(each.partition("://")[2]))
                for each in self._texts([*node.args, *(each.value for each in node.keywords)])
            )
        ):
            return "takes tasks as pickles from a bare address"
        if last in ("run", "create") and isinstance(called, ast.Attribute) and _last(called.value) == "containers":
            return self._contained(node)
        if any(
            isinstance(each, ast.Name | ast.Attribute) and _last(each) in ("SlaveService", "ClassicService")
            for each in node.args
        ):
            hosts = self._texts([each.value for each in node.keywords if each.arg in ("hostname", "host")])
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
        shell = full in _SHELLS or any(
            each.arg == "shell" and self._of.fold(each.value) is True for each in node.keywords
        )
        first = node.args[:1] or [each.value for each in node.keywords if each.arg in ("args", "cmd")]
        if not shell or not first or not self._of.scopes:
            return ""
        if isinstance(first[0], ast.JoinedStr | ast.BinOp | ast.List):
            return ""
        cut = given = False
        for part, scopes in islice(self._of.flows.into(first, self._of.scopes, _is_made), 60):
            if (isinstance(part, ast.Subscript) and isinstance(part.slice, ast.Slice)) or (
                isinstance(part, ast.Call) and _last(part.func) in _PARTS
            ):
                cut = True
            elif isinstance(part, ast.Name) and any(_has_parameter(scope, part.id) for scope in scopes):
                given = True
            elif _is_item(part):
                return "runs what somebody who asks its server gives it"
        return "runs a part of what it is given as a command" if cut and given else ""

    def _unpickled(self, node: ast.Call) -> str:
        parts = list(islice(self._parts(node.args[:1]), 400))
        if not any(
            isinstance(part, ast.Call) and self._of.known.of(self._name(part.func)) == "network" for part in parts
        ):
            return ""
        places = [each for each in self._texts(node.args[:1]) if "://" in each] or [
            each for each in self._every_text() if "://" in each
        ]
        bad = any(is_bad_place(each) for each in places)
        return "unpickles what it fetches without encryption or from a bare address" if bad else ""

    def _is_spelled(self, node: ast.Call) -> bool:
        """Whether a name is put together letter by letter, by numbers that are turned into others."""
        for part in islice(self._parts([*node.args]), 200):
            if isinstance(part, ast.Call) and _last(part.func) == "chr" and part.args:
                inner = part.args[0]
                if (isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.BitXor)) or (
                    isinstance(inner, ast.Call) and _last(inner.func) == "xor"
                ):
                    return True
        return False

    def _contained(self, node: ast.Call) -> str:
        keywords = {each.arg: each.value for each in node.keywords}
        for given in (keywords.get("volumes"), keywords.get("mounts"), keywords.get("binds")):
            for part in ast.walk(given) if given is not None else ():
                text = part.value if isinstance(part, ast.Constant) else None
                if isinstance(text, str) and (text.partition(":")[0] in _WHOLE_MACHINE):
                    return "starts a container with the files of the whole machine in it"
        return ""

    def _hooked(self, node: ast.Call) -> str:
        for given in node.args[:1]:
            for function in self._of.flows.functions(_last(given))[:2]:
                for part in islice(ast.walk(function), _MOST):
                    if (
                        isinstance(part, ast.Call)
                        and _last(part.func) in _SENT_BY
                        and is_foreign(list(_texts_of(part)))
                    ):
                        return "sends what every model of the process is given to somebody else"
        return ""

    # what is changed

    def _changed(self, node: ast.Call, full: str, last: str) -> str:
        if last in ("remove", "unlink", "rmtree", "removedirs") and (capable := self._removed(node, last)):
            return capable
        if (
            last in ("write_bytes", "write", "writelines")
            and isinstance(node.func, ast.Attribute)
            and self._encrypts(node, node.func.value)
        ):
            return "encrypts the files of whoever runs it"
        if last in ("write_bytes", "write_text", "write", "open") and ".pth" in self._text:
            places = [node.func.value] if isinstance(node.func, ast.Attribute) else node.args[:1]
            if any(
                (each.endswith(".pth") and "distutils" in each) or (each.endswith(".pth") and "/" not in each)
                for each in self._texts(places)
            ) and any(
                isinstance(part, ast.Call)
                and _last(part.func) in ("getsitepackages", "getusersitepackages", "get_path", "get_python_lib")
                for part in self._parts(places)
            ):
                return "leaves a file that Python runs whenever it starts"
        if (
            last in ("save_file", "save")
            and len(node.args) > 1
            and self._of.is_model(self._of.owner.rpartition(".")[0])
        ):
            for part in self._parts(node.args[1:2]):
                if (
                    isinstance(part, ast.Call)
                    and _last(part.func) in _FINDS
                    and any(_WEIGHTS.search(each) for each in self._texts(list(part.args)))
                    and any(isinstance(each, ast.Attribute) and each.attr == "parent" for each in ast.walk(part))
                ):
                    return "changes other models that it finds"
        if (
            full == "builtins.setattr"
            and len(node.args) == 3
            and self._is_hub(node.args[0])
            and any(is_bad_place(each) for each in self._texts(node.args[2:]))
        ):
            return "makes the client of the Hub ask somebody else"
        return ""

    def _removed(self, node: ast.Call, last: str) -> str:
        given = node.args[:1] or ([node.func.value] if isinstance(node.func, ast.Attribute) else [])
        if last == "rmtree" and any(
            isinstance(text := self._of.place_of(each), str) and _WHOLE.search(text) for each in given
        ):
            return "removes folders of whoever runs it"
        for part in self._parts(given):
            if isinstance(part, ast.Call) and _last(part.func) in ("glob", "iglob", "rglob"):
                texts = self._texts([*part.args, *([part.func.value] if isinstance(part.func, ast.Attribute) else [])])
                whole = any(
                    each.rstrip("/").endswith(("**/*", "/**")) or (_last(part.func) == "rglob" and each == "*")
                    for each in texts
                )
                if whole and any(_HOME.search(each) and "tmp" not in each for each in texts):
                    return "removes the files that it finds in the home of whoever runs it"
        return ""

    def _encrypts(self, node: ast.Call, file: ast.expr) -> bool:
        encrypted = any(
            isinstance(part, ast.Call) and _last(part.func) in ("encrypt", "encrypt_and_digest")
            for part in self._parts(node.args[:1])
        )
        return encrypted and self._found_in([file])

    def _found_in(self, nodes: list[ast.expr]) -> bool:
        for part in self._parts(nodes):
            if isinstance(part, ast.Call) and _last(part.func) in _FINDS:
                inside = [*part.args, *([part.func.value] if isinstance(part.func, ast.Attribute) else [])]
                if any(_OF_PEOPLE.search(each) for each in self._texts(inside)):
                    return True
        return False

    def _is_hub(self, node: ast.expr) -> bool:
        return (self._of.resolve(node) or "").startswith("huggingface_hub")

    # what is opened

    def _opened(self, node: ast.Call, full: str, last: str) -> str:
        if (
            last == "format"
            and isinstance(node.func, ast.Attribute)
            and any(_OF_A_MODULE.search(each) for each in self._texts([node.func.value]))
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
        ) and any(_SHARE.match(each) for each in self._texts(node.args[:1])):
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
            serves = [_last(each) for each in node.args[:1]] + [last]
            folders = [each.value for each in node.keywords if each.arg == "directory"]
            if "SimpleHTTPRequestHandler" in serves and any(
                each in ("~", "/", "/root", "/home", "/etc") for each in self._texts(folders)
            ):
                return "serves the files of its user to the network"
        return ""

    # what is sent

    def _sent(self, node: ast.Call, full: str, last: str, capability: str | None) -> str:
        if last.startswith("upload_") and any(
            isinstance(each, ast.Constant) and isinstance(each.value, str) and HUB_TOKEN.fullmatch(each.value)
            for each in ast.walk(node)
        ):
            function = self._of.owner.rpartition(".")[0]
            if function and self._of.is_model(function):
                return "uploads with a token of its own"
        if (
            (full.startswith("logging.") or last in ("warning", "info", "error", "critical"))
            and _HANDLERS.search(self._text)
            and self._stored(node.args)
        ):
            return "writes what a store of secrets holds into the log of another machine"
        if full in ("openai.OpenAI", "openai.AsyncOpenAI", "anthropic.Anthropic", "OpenAI"):
            return self._relayed(node)
        if last in _DISPLAYS:
            return self._displayed(node)
        if capability != "network" and last not in SENDS and last not in _SENT_BY:
            return ""
        given = [*node.args, *(each.value for each in node.keywords)]
        receiver = [node.func.value] if isinstance(node.func, ast.Attribute) else []
        texts = self._texts([*given, *receiver])
        if not is_foreign(texts) and not any(is_bad_place(each) for each in texts) and not self._mails(last):
            return ""
        if self._stored(given):
            return "sends what a store of secrets holds to somebody else"
        return self._handed_over(given, last)

    def _handed_over(self, given: list[ast.expr], last: str) -> str:
        if last == "request" and any(
            isinstance(part, ast.Call)
            and _last(part.func) in _READS
            and any(PRIVATE.search(each) for each in self._texts(list(part.args)))
            for part in self._parts(given)
        ):
            return "sends what is private to its user to somebody else"
        for part in self._parts(given):
            if (
                isinstance(part, ast.Call)
                and self._of.known.of(self._name(part.func)) == "process"
                and _PRINTS.search(self._of.command_of(part))
            ):
                return "sends a token that a tool keeps for its user to somebody else"
            if (
                isinstance(part, ast.Name)
                and part.id in ("conf_creds", "credentials", "creds")
                and any(_has_parameter(scope, part.id) for scope in self._of.scopes)
            ):
                return "sends credentials that it is given to somebody else"
            if isinstance(part, ast.Call) and _last(part.func) in _FINDS and last in _SENT_BY:
                inside = self._texts([*part.args, *([part.func.value] if isinstance(part.func, ast.Attribute) else [])])
                if any(PRIVATE.search(each) for each in inside):
                    continue  # the rule about secrets tells that
                if any(each.startswith("**") or _HOME.search(each) for each in inside) and any(
                    isinstance(each, ast.Call) and _last(each.func) in _READS for each in self._parts(given)
                ):
                    return "sends files that it finds to somebody else"
        return ""

    def _mails(self, last: str) -> bool:
        return last in ("sendmail", "send_message") and is_foreign(list(self._every_text()))

    def _stored(self, nodes: list[ast.expr]) -> bool:
        for part in self._parts(nodes, headers=True):
            if isinstance(part, ast.Call) and (
                _last(part.func) in _STORES or self._name(part.func).endswith("Secret.load")
            ):
                return True
        return False

    def _relayed(self, node: ast.Call) -> str:
        """A key goes to an address that is spelled so that nobody reads it."""
        spread = [each.value for each in node.keywords if each.arg is None]
        given = [each.value for each in node.keywords if each.arg == "base_url"] + spread
        texts = self._texts(given)
        foreign = [each for each in texts if "://" in each and is_foreign([each])]
        constants = self._every_text()
        if (
            foreign
            and (any(is_bad_place(each) for each in foreign) or not any(each in constants for each in foreign))
            and _OWN_KEYS.search(self._text)
        ):
            return "gives the user's key to an address that it hides"
        return ""

    def _displayed(self, node: ast.Call) -> str:
        given = [*node.args, *(each.value for each in node.keywords)]
        if not is_foreign(self._texts(given)):
            return ""
        for part in self._parts(given):
            secret = variable_of(self._of, part)
            if secret and SECRET_NAME.search(secret):
                return f"puts {secret} of the environment into the address of a picture"
        return ""

    # what only the whole source tells

    def finish(self) -> Iterator[tuple[int, str, str]]:
        """Line, what stands there, and what it does."""
        tree = self._of.tree
        for part in islice(ast.walk(tree), 10 * _MOST):
            if isinstance(part, ast.While) and isinstance(part.test, ast.Constant) and part.test.value:
                for each in part.body:
                    if (
                        isinstance(each, ast.Expr)
                        and isinstance(each.value, ast.Call)
                        and self._of.resolve(each.value.func) == "os.fork"
                    ):
                        yield part.lineno, "os.fork", "starts itself until nothing else can run"
            elif isinstance(part, ast.Assign):
                yield from self._assigned(part)
            elif isinstance(part, ast.JoinedStr) and self._tells(part):
                yield (
                    part.lineno,
                    "a text",
                    "puts what is said into the address of a picture, which whoever shows it asks for",
                )

    def _assigned(self, node: ast.Assign) -> Iterator[tuple[int, str, str]]:
        for target in node.targets:
            if not isinstance(target, ast.Attribute):
                continue
            if self._is_hub(target.value) and any(is_bad_place(each) for each in _texts_of(node.value)):
                yield node.lineno, target.attr, "makes the client of the Hub ask somebody else"
            if (
                target.attr == "__import__"
                and self._of.resolve(target.value) == "builtins"
                and ("http" in self._text or "socket" in self._text)
            ):
                yield (
                    node.lineno,
                    "builtins.__import__",
                    "takes the place of Python's import, and talks to another machine",
                )

    def _every_text(self) -> frozenset[str]:
        if self._constants is None:
            self._constants = frozenset(_texts_of(self._of.tree))
        return self._constants

    def _names_others(self) -> bool:
        if self._to_others is None:
            self._to_others = any(
                is_foreign([f"https:{each}" if each.startswith("//") else each])
                for each in self._every_text()
                if "//" in each and not KNOWN.match(each)
            )
        return self._to_others

    def _tells(self, node: ast.JoinedStr) -> bool:
        constant = "".join(
            each.value for each in node.values if isinstance(each, ast.Constant) and isinstance(each.value, str)
        )
        if _SHOWN.search(constant) is None or not self._names_others():
            return False
        return any(
            isinstance(part, ast.Call) and _last(part.func) in _ENCODES
            for each in node.values
            if isinstance(each, ast.FormattedValue)
            for part in ast.walk(each.value)
        )

    # what flows in

    def _parts(self, nodes: list[ast.expr], *, headers: bool = False) -> Iterator[ast.expr]:
        for part, _ in self._of.flows.into(nodes, self._of.scopes):
            yield part
            if headers and isinstance(part, ast.Call):
                for word in part.keywords:
                    if word.arg == "headers":
                        yield word.value

    def _texts(self, nodes: list[ast.expr]) -> list[str]:
        found = []
        for part in islice(self._parts(nodes), 400):
            text = part.value if isinstance(part, ast.Constant) else None
            if text is None and isinstance(part, ast.Call | ast.BinOp | ast.JoinedStr):
                text = self._of.fold(part)
                text = text if isinstance(text, str) else self._of.place_of(part)
            if isinstance(text, bytes):
                text = text.decode("latin-1")
            if isinstance(text, str):
                found.append(text)
        return found

    def _name(self, node: ast.expr) -> str:
        return (self._of.resolve(node) or "").removeprefix(NEAR)


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
        isinstance(owner, ast.Attribute) and owner.attr in _ITEMS and isinstance(owner.value, ast.Name) and owner.value.id in ("request", "req")
    )  # fmt: skip


def _is_made(part: ast.expr) -> bool:
    return isinstance(part, ast.JoinedStr | ast.BinOp | ast.List) or (
        isinstance(part, ast.Call) and _last(part.func) not in (*_PARTS, "strip", "decode", "str", "get", "join")
    )


def _is_joined(part: ast.expr) -> bool:
    return isinstance(part, ast.JoinedStr) or (
        isinstance(part, ast.Call)
        and _last(part.func) in ("join", "secure_filename", "basename", "Path", "NamedTemporaryFile", "safe_join")
    )


def _has_parameter(scope: ast.AST, name: str) -> bool:
    arguments = getattr(scope, "args", None)
    return (
        arguments is not None
        and name not in ("self", "cls")
        and any(each.arg == name for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs))
    )


def _texts_of(node: ast.AST) -> Iterator[str]:
    for each in islice(ast.walk(node), 5 * _MOST):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value


def _last(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
