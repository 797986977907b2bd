"""What no honest code beside a model does at any time, also in functions that nothing calls: a call is judged with all that flows into it.

Published code is meant to be called. So where two things meet that have no honest use together, it does not matter when: what is fetched
is run, what is typed or secret is sent, a machine is made to start something by itself, a command comes from another machine.
Each judgement is a heuristic of one source: what flows is followed blind to order and conditions (:mod:`openvet.formats._python_flows`), and
what is computed from more than constants is not known.

Sources: MITRE ATT&CK T1059, T1105, T1041, T1056, T1113, T1115, T1071.004, T1552.005, T1546, T1547, T1548.001.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from openvet.core.pattern import pattern
from openvet.formats._addresses import ADDRESS, BARE, BARE_HOST, IP, KNOWN, PLAIN, SERVICES, is_foreign
from openvet.formats._python_families import Families
from openvet.formats._python_flows import Scopes
from openvet.formats._python_secrets import HUB_TOKEN, SECRET_NAME, SENDS, TOKENS, variable_of

if TYPE_CHECKING:
    from openvet.formats._python_uses import Uses

__all__ = ["HANDED_ON", "Attacks"]

#: Words of which a source must have one to talk to another machine.
_TALKS: Final = (
    "urlopen", "urlretrieve", "requests", "httpx", "aiohttp", "urllib", "socket", "http.client", "ftplib", "paramiko", "download", "getresponse", "recv", "rfile",
    "flask", "smtplib", "telnet", "open_connection", "dns.", "xmlrpc", "zmq", "mqtt", "pika", "boto3", "curl", "wget", "URLopener", "upload", "bot", "bentoml",
)  # fmt: skip
#: Programs that only fetch, or reach machines of one's own, by whatever address.
_DOWNLOADS: Final = pattern(
    r"\s*(?:sudo\s)?(?:[\w./-]{0,60}/)?(?:curl|wget|aria2c|axel|git|pip3?|uv|conda|ssh|scp|rsync|ping|docker|python3? -m pip|torchrun|ray|mpirun|nc)\b"
)
_TAKES_TEXT: Final = frozenset({"builtins.exec", "builtins.eval"})
_FETCHERS: Final = frozenset({"requests.get", "requests.post", "httpx.get", "urllib.request.urlopen"})
#: Methods of an interactive interpreter that run what they are given.
_CELLS: Final = frozenset({"run_cell", "run_code", "runcode", "runsource", "run_line_magic", "ex", "run_cell_async"})
_DECODERS: Final = frozenset({"base64", "binascii", "codecs", "zlib", "marshal"})
_FINDS: Final = frozenset({"rglob", "glob", "iglob", "walk", "listdir", "iterdir", "scandir"})
#: Calls that give what they are given in another form.
_KEEPS: Final = frozenset(
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
_OF_PEOPLE: Final = pattern(r"/content/drive\b|^(?:~|/|/home|/root)/?$|^(?:~|/root)/(?:Documents|Desktop|Pictures)\b")
_BRANDS: Final = pattern(
    r"hugging|\bhf\b|openai|\baws\b|github|google|azure|wandb|anthropic|password|passwort|ssh|wallet|seed phrase", 2
)
#: Calls that run the text or bytes that they are given first, and those that make objects of it.
_RUNS: Final = frozenset({
    "builtins.exec", "builtins.eval", "builtins.compile", "types.FunctionType", "types.CodeType", "marshal.loads", "code.InteractiveInterpreter().runsource",
    "code.InteractiveInterpreter().runcode", "code.InteractiveConsole().push", "code.InteractiveConsole().runsource", "_interpreters.exec", "_interpreters.run_string", "_xxsubinterpreters.run_string", "timeit.timeit", "cProfile.run", "profile.run", "pdb.run",
    "torch.utils.cpp_extension.load_inline",
})  # fmt: skip
_UNPICKLES: Final = frozenset({
    "pickle.loads", "pickle.load", "pickle.Unpickler", "cloudpickle.loads", "cloudpickle.load", "dill.loads", "dill.load", "joblib.load", "jsonpickle.decode",
    "jsonpickle.loads", "_pickle.loads", "_pickle.load", "yaml.unsafe_load", "yaml.full_load", "yaml.load", "pandas.read_pickle", "shelve.open", "marshal.load",
    "torch.load",
})  # fmt: skip
#: Last parts of calls on a connection that give what another machine says.
_RECEIVES: Final = frozenset({
    "get", "post", "put", "request", "recv", "recvfrom", "recv_string", "recv_json", "recv_pyobj", "read", "readline", "makefile", "retrbinary", "retrlines",
    "receive", "receive_text", "receive_json", "getresponse", "stream", "open", "iter_content", "recv_bytes", "basic_get", "retrieve", "send",
})  # fmt: skip
_SAYS: Final = frozenset({"urlopen", "recv", "recvfrom", "receive_text", "receive_json", "recv_string", "getresponse"})
_FETCHING: Final = frozenset(
    {
        "get",
        "post",
        "put",
        "request",
        "urlopen",
        "urlretrieve",
        "stream",
        "download",
        "resolve",
        "connect",
        "patch",
        "delete",
    }
)
#: What an HTTP request of somebody else holds.
_REQUESTS: Final = frozenset(
    {"args", "form", "data", "json", "values", "headers", "cookies", "query_params", "get_json", "get_data"}
)
_SHELLS: Final = pattern(r"(?:/\w{1,20}){0,4}/?(?:ba|z|da|k)?sh|cmd(?:\.exe)?|powershell(?:\.exe)?|pwsh")
#: What names a person or a machine; two of these together in one message are no telemetry of a library.
_IDENTIFIES: Final = frozenset({
    "getpass.getuser", "socket.gethostname", "socket.getfqdn", "platform.node", "os.getlogin", "os.uname", "platform.uname", "uuid.getnode", "os.getcwd",
    "pathlib.Path().cwd", "os.listdir", "pwd.getpwuid",
})  # fmt: skip
_DOMAIN: Final = pattern(r"\.[\w-]{1,63}\.[a-z]{2,}\Z|\.(?:invalid|example|test)\Z")
_CREDENTIALS: Final = pattern(
    r"(?:169\.254\.169\.254|metadata\.google\.internal|100\.100\.100\.200|metadata\.azure)[^\s\"']{0,200}(?:security-credentials|/(?:token|identity)\b|user-data)|169\.254\.170\.2\b"
)
_WATCHES: Final = frozenset({
    "paste", "grab", "screenshot", "clipboard_get", "grabclipboard", "read_clipboard", "rec", "record", "read_event", "read_key", "waitForNewPaste", "GetClipboardData",
    "get_typed_strings", "start_recording", "stop_recording",
})  # fmt: skip
#: Services that are shown pictures of a screen or given a recording by whoever runs an agent.
_ASKED: Final = pattern(
    r"openai|anthropic|googleapis|huggingface|localhost|127\.0|azure\.com|azurewebsites\.net|dashscope|deepseek|groq\.com|mistral\.ai|together\.|replicate|elevenlabs|deepgram|assemblyai"
)
_RUN_KEY: Final = pattern(
    r"CurrentVersion\\{1,2}(?:Run|RunOnce|Winlogon|Policies|Image File)|\\Environment\b|\\Active Setup|\\Shell Folders",
    2,
)
_HEADS: Final = pattern(r"\s*[\w./~-]{2,80}(?:\s|$)")
#: Variables by which the programs that are started from here load or ask something else; and where that is somebody else's.
_LOADING: Final = frozenset({"LD_PRELOAD", "LD_AUDIT", "DYLD_INSERT_LIBRARIES", "PYTHONSTARTUP", "BASH_ENV", "PROMPT_COMMAND", "GIT_SSH_COMMAND",
                             "PERL5OPT", "NODE_OPTIONS", "RUBYOPT"})  # fmt: skip
_ENDPOINTS: Final = pattern(
    r"(?:HF_ENDPOINT|(?:HTTPS?|ALL|FTP)_PROXY|PIP_(?:EXTRA_)?INDEX_URL|PIP_FIND_LINKS|UV_(?:EXTRA_|DEFAULT_)?INDEX(?:_URL)?|OPENAI_(?:BASE_URL|API_BASE)|AWS_ENDPOINT_URL|CONDA_CHANNELS)",
    2,
)
_OF_A_SYSTEM: Final = pattern(r"(?:/usr/|/lib|/opt/|lib[\w.-]{1,60}\.so|--max|$)")

_DECODED: Final = "decoded"
HANDED_ON: Final = "sends what the model is given to somebody else"

Part = tuple[ast.expr, Scopes]


class Attacks:
    """The judgements of one source, call by call."""

    __slots__ = (
        "_asks",
        "_commands",
        "_families",
        "_fetched",
        "_listens",
        "_of",
        "_ran",
        "_scripts",
        "_startups",
        "_talks",
    )

    def __init__(self, uses: Uses, text: str) -> None:
        self._of = uses
        self._talks = any(word in text for word in _TALKS)
        #: what is fetched to which file: its keys, the addresses; what is run out of a file: its keys, and how to tell of it
        self._fetched: list[tuple[frozenset[str], tuple[str, ...]]] = []
        self._ran: list[tuple[frozenset[str], bool, ast.AST, str, str, str]] = []
        #: the constant commands of each function, in the order in which they were read
        self._scripts: dict[tuple[str, str], list[tuple[ast.AST, str, str]]] = {}
        #: functions that are handed to what listens to another machine, or to keys
        self._listens: dict[str, str] = {}
        self._startups: list[tuple[ast.Call, str, str, str]] = []
        #: whether it asks a service in its user's name, who then knows that it does
        self._asks = any(word in text for word in ("Authorization", "api_key", "API_KEY", "api-key", "Bearer"))
        self._commands = any(word in text for word in _COMMANDS_IN)
        self._families = Families(uses, text)

    def call(self, node: ast.Call, name: str | None, when: str) -> str:
        """What a call does that nothing honest does, in a few words; empty for any other."""
        full = name or _dotted(node.func)
        last = _last(node.func)
        self._note_listeners(node, full, last)
        if said := self._changes(node, full, last):
            return said
        capability = self._of.known.of(full)
        if said := self._families.call(node, full, last, capability):
            return said
        if capability == "process":
            command = self._note_command(node, full, when)
            if "://" in command and BARE_HOST.search(command) and not _DOWNLOADS.match(command):
                return "starts a program that talks to a bare address"
        if said := self._decodes(node, full, last) or self._spreads(node, last):
            return said
        if not self._talks:
            self._note_fetched(node, full, last)
            self._note_run(node, full, last, capability, when)
            return self._watched(node, last, capability)
        if self._of.is_shown(node, _TAKES_TEXT) and (
            self._of.is_shown(node, _FETCHERS) or any(ADDRESS.search(each) for each in self._texts([node]))
        ):
            return "runs what another machine gives it"
        if full in _RUNS or last in _CELLS:
            return self._run(node, full, when)
        if full in _UNPICKLES:
            found = self._fetches(node.args[:1])
            if found is not None and _is_bad(found):
                return "unpickles what it fetches from a bare address"
        if capability == "process":
            return self._started(node, full)
        self._note_fetched(node, full, last)
        self._note_run(node, full, last, capability, when)
        return self._sent(node, full, last, capability, when)

    # what is run

    def _run(self, node: ast.Call, name: str, when: str) -> str:
        found = self._fetches(node.args[:1])
        if found is None:
            self._note_run(node, name, "", "code", when)
            return ""
        if name == "builtins.compile" or (name == "builtins.eval" and when == "call" and not _is_bad(found)):
            return ""
        return "runs what another machine gives it"

    def _decodes(self, node: ast.Call, name: str, last: str) -> str:
        """Code, or the name of a module, that is decoded first, wherever that happens."""
        run = name in ("builtins.exec", "builtins.eval") or last in _CELLS
        if not run and name not in ("importlib.import_module", "builtins.__import__"):
            return ""
        if not node.args or isinstance(node.args[0], ast.Constant):
            return ""
        for part, _ in self._into(node.args[:1], self._is_other):
            called = self._name(part.func) if isinstance(part, ast.Call) else ""
            if called.split(".", 1)[0] in _DECODERS and self._of.known.decodes(called):
                return "runs what it decodes" if run else "imports a module whose name it decodes"
        return ""

    def _spreads(self, node: ast.Call, last: str) -> str:
        """Its own text is written into files that it finds; an archive is unpacked over the whole machine."""
        if last in ("write", "write_text", "writelines") and isinstance(node.func, ast.Attribute) and node.args:
            own = any(
                isinstance(part, ast.Call)
                and (
                    (_last(part.func) in ("getsource", "getsourcelines") and _is_own(part))
                    or (_last(part.func) in ("open", "Path") and _is_own(part))
                )
                for part, _ in self._into(node.args[:1])
            )
            found = own and any(
                isinstance(part, ast.Call) and _last(part.func) in _FINDS for part, _ in self._into([node.func.value])
            )
            if found and any(".py" in text for text in self._texts([node.func.value])):
                return "copies itself into other files"
        if last == "drop_all" and any(
            self._of.resolve(part) == "os.environ"
            for part, _ in self._into([*node.args, *(each.value for each in node.keywords)])
        ):
            return "drops the tables of somebody's data base"
        if last in ("extract", "extractall", "unpack_archive"):
            places = [*node.args[-1:], *(each.value for each in node.keywords if each.arg in ("path", "extract_dir"))]
            if any(self._of.place_of(each) in ("/", "~", "/etc", "/usr", "/root") for each in places):
                return "unpacks an archive over the files of the machine"
        return ""

    def _started(self, node: ast.Call, name: str) -> str:
        """What another machine says is started as a command; a shell is given a connection."""
        given = [each.value for each in node.keywords if each.arg in ("stdin", "stdout", "stderr")]
        if any(self._is_connection(part) for part, _ in self._into(given)):
            return "hands a shell to another machine"
        if name == "pty.spawn" and self._of.connects:
            return "hands a shell to another machine"
        if self._fetches(_heads(node), _is_headed) is not None:
            return "runs the commands that another machine gives it"
        return ""

    def _is_connection(self, part: ast.expr) -> bool:
        return isinstance(part, ast.Call) and self._name(part.func) in ("socket.socket", "socket.create_connection")

    def _fetches(self, nodes: list[ast.expr], stop: Callable[[ast.expr], bool] | None = None) -> list[str] | None:
        """The constant texts that lead to where what flows in is fetched; ``None`` where nothing is."""
        fetched = False
        texts: list[str] = []
        for part, scopes in self._into(nodes, stop):
            if isinstance(part, ast.Constant):
                if isinstance(part.value, str):
                    texts.append(part.value)
            elif self._is_fetched(part, scopes):
                fetched = True
        return texts if fetched else None

    def _is_fetched(self, part: ast.expr, scopes: Scopes) -> bool:
        if isinstance(part, ast.Name):
            return any(
                self._listens.get(getattr(scope, "name", "")) == "another machine" and _is_parameter(scope, part.id)
                for scope in scopes
            )
        if isinstance(part, ast.Attribute):
            return part.attr == "rfile" or (
                part.attr in _REQUESTS and (self._of.resolve(part) or "").startswith("flask.request")
            )
        if not isinstance(part, ast.Call):
            return False
        name, last = self._name(part.func), _last(part.func)
        if last in _REQUESTS and "flask.request." in name:
            return True
        if last in _SAYS and isinstance(part.func, ast.Attribute):
            return True
        first, called, _ = name.partition("()")
        known = self._of.known
        if called:
            return last in _RECEIVES and known.of(first) == "network"
        return last in _FETCHING and known.of(name) == "network"

    # what is changed

    def _changes(self, node: ast.Call, name: str, last: str) -> str:
        """What makes a machine start something by itself, or gives rights to somebody else."""
        if (
            last in ("SetValueEx", "SetValue", "CreateKeyEx", "OpenKey", "OpenKeyEx", "CreateKey")
            and "reg" in name.lower()
        ):
            if last.startswith("Set") and any(_RUN_KEY.search(text) for text in self._texts([node])):
                return "makes Windows start something by itself"
        elif last == "chmod":
            mode = self._of.fold(node.args[-1]) if node.args else None
            if type(mode) is int and mode & 0o6000 and mode < 0o10000:
                return "gives a program the rights of its owner, whoever runs it"
            if any(self._of.resolve(each) in ("stat.S_ISUID", "stat.S_ISGID") for each in ast.walk(node)):
                return "gives a program the rights of its owner, whoever runs it"
        elif last in ("putenv", "setdefault", "update"):
            return self._variable(node, name)
        return ""

    def variable(self, key: Any, value: ast.expr) -> str:
        """``os.environ['LD_PRELOAD'] = '/tmp/x.so'``."""
        text = self._of.fold(value)
        if not isinstance(key, str) or not isinstance(text, str):
            return ""
        if key in _LOADING and not _OF_A_SYSTEM.match(text) and text:
            return f"makes other programs load or run something of its own ({key})"
        if _ENDPOINTS.fullmatch(key) and BARE.search(text):
            return f"makes other programs ask a bare address ({key})"
        return ""

    def _variable(self, node: ast.Call, name: str) -> str:
        if name in ("os.putenv", "os.environ.setdefault") and len(node.args) == 2:
            return self.variable(self._of.fold(node.args[0]), node.args[1])
        if name == "os.environ.update" and node.args and isinstance(node.args[0], ast.Dict):
            pairs = zip(node.args[0].keys, node.args[0].values, strict=True)
            told = (self.variable(self._of.fold(key), value) for key, value in pairs if key is not None)
            return next((each for each in told if each), "")
        return ""

    # what is sent

    def _watched(self, node: ast.Call, last: str, capability: str | None) -> str:
        if last != "copy" or capability != "watch" or not node.args or not isinstance(self._of.fold(node.args[0]), str):
            return ""
        around = self._of.function_of(self._of.owner)
        parts = list(islice(ast.walk(around), _MOST_TEXTS))
        pastes = any(isinstance(each, ast.Call) and _last(each.func) in _WATCHES for each in parts)
        return "changes what its user copied" if pastes and any(isinstance(each, ast.While) for each in parts) else ""

    def _sent(self, node: ast.Call, name: str, last: str, capability: str | None, when: str) -> str:
        if name in (
            "socket.gethostbyname",
            "socket.getaddrinfo",
            "socket.gethostbyname_ex",
            "dns.resolver.resolve",
            "dns.resolver.query",
        ):
            return self._asked_name(node)
        if said := self._watched(node, last, capability):
            return said
        opened = name.partition("()")
        on = last in _RECEIVES and self._of.known.of(opened[0]) == "network" if opened[1] else False
        sends = capability == "network" or last in SENDS or on
        if not sends:
            return ""
        given = [*node.args, *(each.value for each in node.keywords if each.arg not in ("headers", "timeout", "auth"))]
        given = [
            each
            for each in given
            if each
            not in [word.value for word in node.keywords if word.arg in ("token", "use_auth_token", "cookies_jar")]
        ]
        given += [node.func.value] if isinstance(node.func, ast.Attribute) and opened[1] else []
        texts = self._texts(given)
        if any(_CREDENTIALS.search(text) for text in texts):
            return "takes the credentials of the machine that serves the model"
        bad = any(BARE.search(text) or IP.fullmatch(text) for text in texts)
        if said := self._given_away(node, last, given, texts, when, bad=bad):
            return said
        watched = identified = 0
        seen: set[str] = set()
        for part, scopes in self._into(given):
            if self._is_watched(part, scopes):
                watched += 1
            if isinstance(part, ast.Call) and (full := self._name(part.func)) in _IDENTIFIES and full not in seen:
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
        people = seen & {"getpass.getuser", "os.getlogin", "pwd.getpwuid"}
        if (identified > 1 and people and (bad or when in ("import", "construction"))) or (
            identified and bad and people
        ):
            return "tells another machine who runs it"
        return ""

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
            isinstance(part, ast.Call) and self._name(part.func) in TOKENS
            for part, _ in self._into(data, self._is_opaque)
        ):
            return "sends the user's token"
        calls = [part for part, _ in self._into(given) if isinstance(part, ast.Call)]
        for part in calls:
            called = _last(part.func)
            if called in ("make_archive", "ZipFile") and any(_OF_PEOPLE.search(each) for each in self._texts([part])):
                return "sends the files of whoever runs it"
            if (
                called in _FINDS
                and (bad or is_foreign(texts))
                and any(_OF_PEOPLE.search(each) for each in self._texts([part]))
            ):
                return "sends the files of whoever runs it"
            asked = called in ("getpass", "input") and any(
                _BRANDS.search(each) for each in self._texts(list(part.args))
            )
            if asked and is_foreign(texts):
                return "asks for what is secret and sends it to somebody else"
        if (
            last.startswith("upload_")
            and when in ("import", "construction", "inference", "call")
            and any(HUB_TOKEN.fullmatch(each) for each in self._texts([node]))
        ):
            function = self._of.owner.rpartition(".")[0]
            if function and self._of.is_model(function):
                return "uploads with a token of its own"
        raw = last in ("sendall", "sendto", "send") and "socket" in self._name(node.func)
        if raw and when == "call":
            bad = any(IP.fullmatch(text) or BARE_HOST.search(text) for text in texts)
        hooked = when != "call" or raw or self._of.is_model(self._of.owner.rpartition(".")[0])
        if (
            not hooked
            or (when == "call" and not bad)
            or last not in ("post", "put", "patch", "sendall", "send", "request", "urlopen", "publish", "sendto")
        ):
            return ""
        computed = any(
            isinstance(part, ast.Name) and any(_is_parameter(scope, part.id) for scope in scopes)
            for part, scopes in self._into(given)
        )
        if computed and (
            bad or (is_foreign(texts) and not self._asks and self._of.is_model(self._of.owner.rpartition(".")[0]))
        ):
            return HANDED_ON
        return ""

    def _is_opaque(self, part: ast.expr) -> bool:
        """A call whose result is not what it was given."""
        return isinstance(part, ast.Call) and _last(part.func) not in _KEEPS

    def _is_other(self, part: ast.expr) -> bool:
        """What gives no text that it was given: another package's function, a comparison, an attribute of any object."""
        if _is_taken(part) or not isinstance(part, ast.Call):
            return _is_taken(part)
        known = self._of.known.decodes(self._name(part.func)) or _last(part.func) in (
            *_KEEPS,
            "compile",
            "loads",
            "decompress",
        )
        return not known and len(self._of.flows.functions(_last(part.func))) != 1

    def _asked_name(self, node: ast.Call) -> str:
        """Names of hosts into which what is known here is written."""
        texts = self._texts(node.args[:1])
        if not any(_DOMAIN.search(text) for text in texts):
            return ""
        for part, _ in self._into(node.args[:1]):
            name = self._name(part.func) if isinstance(part, ast.Call) else ""
            if (
                name in _IDENTIFIES
                or name.startswith(("base64.", "binascii."))
                or name in ("os.getenv", "os.environ.get", "builtins.open")
            ):
                return "tells another machine what it knows by the names that it asks for"
            if isinstance(part, ast.Subscript) and self._of.resolve(part.value) == "os.environ":
                return "tells another machine what it knows by the names that it asks for"
        return ""

    def _is_watched(self, part: ast.expr, scopes: Scopes) -> bool:
        if isinstance(part, ast.Name):
            return any(
                self._listens.get(getattr(scope, "name", "")) == "keys" and _is_parameter(scope, part.id)
                for scope in scopes
            )
        if not isinstance(part, ast.Call) or _last(part.func) not in _WATCHES:
            return False
        name = self._name(part.func)
        return self._of.known.of(name.split("()", 1)[0]) in ("watch", "show") or self._of.known.of(name) in (
            "watch",
            "show",
        )

    def _note_listeners(self, node: ast.Call, name: str, last: str) -> None:
        """Functions that are handed to what calls them with what another machine says, or with what is typed."""
        package = name.split(".", 1)[0]
        kind = (
            "keys"
            if package in ("pynput", "keyboard", "mouse", "pyxhook", "pyHook", "pyWinhook")
            else "another machine"
            if package in _LISTENED
            or (
                last in ("start_server", "serve", "subscribe", "message_callback_add", "basic_consume", "on")
                and self._talks
            )
            else ""
        )
        if not kind:
            return
        for each in (*node.args, *(keyword.value for keyword in node.keywords)):
            called = _last(each) if isinstance(each, ast.Name | ast.Attribute) else ""
            if called and self._of.flows.functions(called):
                self._listens[called] = kind

    def listens(self, attribute: str, value: ast.expr) -> None:
        """``client.on_message = f``."""
        if (
            attribute in ("on_message", "on_data", "on_receive", "on_text", "message_handler", "onmessage")
            and self._talks
        ):
            called = _last(value)
            if called:
                self._listens[called] = "another machine"

    # files that are fetched and run

    def _note_fetched(self, node: ast.Call, name: str, last: str) -> None:
        place: ast.expr | None = None
        origin: list[ast.expr] = []
        keywords = {each.arg: each.value for each in node.keywords}
        if last in ("urlretrieve", "retrieve", "download_url_to_file", "download_file", "download_url") or name in (
            "wget.download",
            "gdown.download",
        ):
            place = keywords.get("filename") or keywords.get("out") or keywords.get("output") or keywords.get("dst")
            place = place or (node.args[1] if len(node.args) > 1 else None)
            origin = node.args[:1]
        elif last in ("write", "write_bytes", "write_text") and isinstance(node.func, ast.Attribute) and node.args:
            place, origin = node.func.value, node.args[:1]
            if self._fetches(origin) is None:
                if not self._is_decoded(origin) or len(self._fetched) >= 200:
                    return
                self._fetched.append((self._keys(place), (_DECODED,)))
                return
        elif last == "copyfileobj" and len(node.args) > 1:
            if self._fetches(node.args[:1]) is None:
                return
            place, origin = node.args[1], node.args[:1]
        if place is not None and len(self._fetched) < 200:
            places = tuple(text for text in self._texts(origin) if ADDRESS.search(text))
            self._fetched.append((self._keys(place), places))

    def _is_decoded(self, nodes: list[ast.expr]) -> bool:
        return any(
            isinstance(part, ast.Call)
            and (
                _last(part.func) in ("fromhex", "unhexlify")
                or (
                    self._of.known.decodes(called := self._name(part.func))
                    and called.startswith(("base64.", "binascii."))
                )
            )
            for part, _ in self._into(nodes)
        )

    def _note_run(self, node: ast.Call, name: str, last: str, capability: str | None, when: str) -> None:
        """What is run out of a file."""
        place: list[ast.expr] = []
        program = False
        if capability == "code" or capability == "native":
            place = node.args[:1]
        elif name in ("zipimport.zipimporter", "site.addsitedir", "os.startfile", "imp.load_dynamic"):
            place = [*node.args]
        elif name in (
            "importlib.util.spec_from_file_location",
            "importlib.machinery.SourceFileLoader",
            "imp.load_source",
            "importlib.machinery.ExtensionFileLoader",
        ):
            place = [*node.args[1:2], *(each.value for each in node.keywords)]
        elif name in ("sys.path.insert", "sys.path.append"):
            place = node.args[-1:]
        elif name == "runpy.run_path":
            place = node.args[:1]
        elif name == "os.chmod" or last == "chmod":
            mode = self._of.fold(node.args[-1]) if node.args else None
            if type(mode) is int and mode & 0o111:
                place, program = (
                    (
                        [node.func.value]
                        if len(node.args) == 1 and isinstance(node.func, ast.Attribute)
                        else node.args[:1]
                    ),
                    True,
                )
        if place and len(self._ran) < 200:
            keys = self._keys(*place)
            found = self._fetches(place)
            if found is not None and not program:
                self._fetched.append((frozenset({"itself"}), tuple(text for text in found if ADDRESS.search(text))))
                self._ran.append((frozenset({"itself"}), program, node, name, when, self._of.owner))
            if name.startswith(
                "sys.path."
            ):  # a folder of modules, of which only one that is written out is known again
                keys = frozenset(each for each in keys if each.startswith("path "))
            self._ran.append((keys, program, node, name, when, self._of.owner))

    def starts_again(self, node: ast.Call, name: str, when: str) -> None:
        """A change of a file from which programs are started: what is written there says what for."""
        if when == "call" and len(self._startups) < 50:
            self._startups.append((node, name, when, self._of.owner))

    def handed(self, node: ast.Call, words: str, when: str) -> None:
        """A call is given a callable that starts a process, and words."""
        self._note_text(node, words, _dotted(node.func), when)

    def imports(self, node: ast.AST, module: str, when: str) -> None:
        """An import of a module that may have been fetched."""
        if self._fetched and len(self._ran) < 200:
            self._ran.append(
                (
                    frozenset({f"module {module.split('.', 1)[0]}"}),
                    False,
                    node,
                    f"import {module}",
                    when,
                    self._of.owner,
                )
            )

    def _keys(self, *nodes: ast.expr) -> frozenset[str]:
        """By what a file is known again: its path, where that is constant; else the name or the expression that stands for it."""
        keys: set[str] = set()
        for part, scopes in self._into(list(nodes), _is_whole):
            if isinstance(part, ast.Name):
                keys.add(f"name {part.id} of {id(scopes[0]) if scopes else 0}")
            elif isinstance(part, ast.Attribute):
                keys.add(f"attribute {part.attr}")
            text = self._of.place_of(part)
            if isinstance(text, str) and text.strip("./~…"):
                keys.add(f"path {text}")
                keys.add(f"module {text.rpartition('/')[2].split('.', 1)[0]}")
            elif isinstance(part, ast.JoinedStr | ast.BinOp) or (
                isinstance(part, ast.Call) and (part.args or part.keywords)
            ):
                keys.add(ast.dump(part)[:2_000])
        return frozenset(keys)

    def _note_command(self, node: ast.Call, name: str, when: str) -> str:
        command = self._of.command_of(node)
        piped = [each.value for each in node.keywords if each.arg == "stdin"]
        for part, _ in self._into(piped) if piped else ():  # Popen(["sh"], stdin=other.stdout)
            if isinstance(part, ast.Call) and self._of.known.of(self._name(part.func)) == "process":
                command = f"{self._of.command_of(part)} | {command}"
        self._note_text(node, command, name, when)
        return command

    def _note_text(self, node: ast.Call, words: str, name: str, when: str) -> None:
        if words and len(self._scripts) < 500:
            held = self._scripts.setdefault((self._of.owner, when), [])
            if len(held) < 60:
                held.append((node, name, words))

    def finish(self) -> Iterator[tuple[int, str, str, str, str]]:
        """What only all of a source tells: line, callable, what it does, when, and the function in which it is."""
        for keys, program, node, name, when, owner in self._ran:
            for fetched, places in self._fetched:
                shared = keys & fetched
                if shared and _is_worse(places, when, program=program):
                    what = "runs a file that it decodes" if places == (_DECODED,) else "runs a file that it fetches"
                    yield getattr(node, "lineno", 1), name, what, when, owner
                    break
        for line, name, what in self._families.finish():
            yield line, name, what, "call", ""
        told: set[int] = set()
        for (owner, when), commands in self._scripts.items():
            for each in _told_of(commands, when, owner):
                told.add(each[0])
                yield each
        for node, name, when, owner in self._startups:
            function = self._of.function_of(owner)
            if any(_is_left(text) for text in _texts_in(function)):
                yield node.lineno, name, "leaves a command where programs are started from", when, owner
        if self._commands:
            for line, text in _constants(self._of.tree):
                if line not in told and (what := _hostile(text)):
                    yield line, "a constant", what, "call", ""

    # what flows in

    def _into(self, nodes: list[ast.expr], stop: Callable[[ast.expr], bool] | None = None) -> Iterator[Part]:
        return self._of.flows.into(nodes, self._of.scopes, stop)

    def _texts(self, nodes: list[Any]) -> list[str]:
        found = []
        for part, _ in self._into(nodes):
            if isinstance(part, ast.Constant):
                if isinstance(part.value, str):
                    found.append(part.value)
            elif isinstance(part, ast.JoinedStr | ast.BinOp | ast.Call) and isinstance(
                text := self._of.fold(part), str
            ):
                found.append(text)
        return found

    def _name(self, node: ast.expr) -> str:
        return self._of.resolve(node) or _dotted(node)


_LISTENED: Final = frozenset(
    {
        "websocket",
        "websockets",
        "socketio",
        "paho",
        "pika",
        "telebot",
        "telegram",
        "discord",
        "stomp",
        "zmq",
        "nats",
        "redis",
        "slack_bolt",
        "irc",
    }
)


#: Words of which a source must have one to hold a command that nobody should run; where such a command leads.
_COMMANDS_IN: Final = (
    "curl", "wget", "powershell", "pwsh", "ncat", "nc ", "socat", "iwr", "Invoke-", "certutil", "bitsadmin", "mkfifo", "mshta", "fetch", "xmrig", "telnet", "scp",
    "rsync", "/dev/tcp/", "/dev/udp/", "stratum", "base64 -", "crontab", "useradd", "hooksPath", "kubectl", "git diff", "ttyd", "chpasswd", "sudoers", "install",
)  # fmt: skip
_LEADS: Final = pattern(
    r"://|\b\d{1,3}(?:\.\d{1,3}){3}\b|/dev/(?:tcp|udp)/[\w.-]{1,200}/\d|[A-Za-z0-9+/]{16}|\b[\w-]{1,60}\.[\w.-]{1,60}\s\d{2,5}\b"
)
_PIP: Final = pattern(r"\b(?:pip[23]?|uv)\b[^|;&]{0,80}\b(?:install|download|wheel|add|sync)\b([^|;&]{1,400})")
#: What a person reads, and what looks for such texts.
_SHOWS: Final = pattern(
    r"(?:print|info|debug|warn|warning|error|critical|log|exception|write|echo|add_argument|Markdown|markdown|HTML|compile|match|search|sub|findall|fullmatch|"
    r"startswith|endswith|assert\w{0,30}|Exception|\w{1,40}Error|\w{1,40}Warning|help|secho|fail|skip|parametrize)"
)
#: Python that runs something, as text that is written where an interpreter reads it.
_STARTS: Final = pattern(
    r"\bos\.(?:system|popen|exec\w{1,3})\b|\bsubprocess\b|\bexec\s{0,4}\(|\beval\s{0,4}\(|\burlopen\b|__import__|\bbase64\b|\bsocket\b"
)
_PLAIN_INSTALL: Final = pattern(
    r"\binstall\s[^|;&\n]{0,200}(?:git\+http|(?:-i|--(?:extra-)?index-url|-f|--find-links)[= ]{1,4}http)://(?!localhost|127\.|10\.|192\.168\.|[\w-]{1,63}[:/])"
)
_LONGEST_TEXT: Final = 20_000
_MOST_TEXTS: Final = 5_000


def _told_of(
    commands: list[tuple[ast.AST, str, str]], when: str, owner: str
) -> Iterator[tuple[int, str, str, str, str]]:
    """What the commands of one function do one after the other."""
    from openvet.formats.shell import judged_script

    for node, name, text in commands:
        if (found := _PIP.search(text)) and (BARE.search(found[1]) or PLAIN.search(found[1])):
            yield (
                getattr(node, "lineno", 1),
                name,
                f"installs packages from a bare address or without encryption: {text[:120]}",
                when,
                owner,
            )
    told = judged_script("\n".join(text.replace("\n", " ; ") for _, _, text in commands))
    if told is not None and told[1] != "fetch-run":
        node, name, text = commands[min(told[2], len(commands)) - 1]
        yield getattr(node, "lineno", 1), name, f"starts a command that {told[0]}: {text[:120]}", when, owner


def _hostile(text: str) -> str:
    """What a constant text is, where it is a command that leads somewhere and that nobody should run."""
    from openvet.formats.shell import judged_script

    if "install" in text and len(text) < _LONGEST_TEXT and _PLAIN_INSTALL.search(text):
        return "installs packages without encryption or from a bare address"

    if len(text) > _LONGEST_TEXT or not any(word in text for word in _COMMANDS_IN) or not _LEADS.search(text):
        return ""
    told = judged_script(text)
    return (
        f"holds a command that {told[0]}"
        if told is not None and told[1] in ("reverse-shell", "hidden", "sends", "mines")
        else ""
    )


def _is_left(text: str) -> bool:
    """Whether a text that is written to where programs are started runs something of somebody else."""
    from openvet.formats.shell import judged_script

    return len(text) < _LONGEST_TEXT and (_STARTS.search(text) is not None or judged_script(text) is not None)


def _texts_in(node: ast.AST) -> Iterator[str]:
    for each in islice(ast.walk(node), _MOST_TEXTS * 10):
        if isinstance(each, ast.Constant) and isinstance(each.value, str | bytes):
            yield each.value if isinstance(each.value, str) else each.value.decode("latin-1")


def _constants(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The constant texts of a source that are no documentation, are shown to nobody, and are compared with nothing."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                yield node.lineno, node.value
            continue
        if (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)) or isinstance(
            node, ast.Compare | ast.Raise | ast.Assert
        ):
            continue
        if isinstance(node, ast.Call) and _SHOWS.fullmatch(_last(node.func)):
            continue
        waiting.extend(ast.iter_child_nodes(node))


#: A token of the hub that stands in the source.


def _is_taken(part: ast.expr) -> bool:
    """What is looked up in a text that was decoded is data; an attribute may be of any object."""
    return isinstance(part, ast.Compare | ast.Dict | ast.Attribute)


def _is_own(call: ast.Call) -> bool:
    """Whether a call asks for the source in which it stands."""
    given = [each for argument in call.args for each in ast.walk(argument)]
    return any(isinstance(each, ast.Name) and each.id in ("__file__", "__name__") for each in given)


def _heads(node: ast.Call) -> list[ast.expr]:
    """What says which program is started: the command, or the first of a list, or what a shell is given to read."""
    first = node.args[:1] or [each.value for each in node.keywords if each.arg in ("args", "cmd", "command")]
    if first and isinstance(first[0], ast.List | ast.Tuple) and first[0].elts:
        elts = first[0].elts
        head = elts[0].value if isinstance(elts[0], ast.Constant) else None
        if isinstance(head, str):
            return elts[2:3] if _SHELLS.fullmatch(head) and len(elts) > 2 else []
        return elts[:1]
    return list(first)


def _is_headed(part: ast.expr) -> bool:
    """A text that begins with a constant word, or a list of arguments: what flows in is no command as a whole."""
    if isinstance(part, ast.JoinedStr):
        first = part.values[0] if part.values else None
        return (
            isinstance(first, ast.Constant) and isinstance(first.value, str) and _HEADS.match(first.value) is not None
        )
    if isinstance(part, ast.BinOp):
        return isinstance(part.left, ast.Constant | ast.JoinedStr)
    if isinstance(part, ast.List | ast.Tuple):
        return bool(part.elts) and isinstance(part.elts[0], ast.Constant)
    return isinstance(part, ast.Call) and _last(part.func) in (
        "join",
        "format",
        "quote",
        "which",
        "Path",
        "mkdtemp",
        "int",
        "float",
        "len",
    )


def _is_whole(part: ast.expr) -> bool:
    """An expression that stands for a path as a whole: what it is made of is no path."""
    if isinstance(part, ast.Call):
        return _last(part.func) not in (
            "str",
            "fspath",
            "open",
            "read",
            "read_text",
            "compile",
            "abspath",
            "Path",
            "resolve",
            "expanduser",
            "dirname",
            "fdopen",
            "BytesIO",
            "decode",
            "read_bytes",
        )
    return not isinstance(part, ast.Name | ast.IfExp | ast.Attribute | ast.Starred | ast.NamedExpr)


def _is_bad(texts: list[str]) -> bool:
    return any(BARE.search(text) or IP.fullmatch(text) for text in texts)


def _is_worse(places: tuple[str, ...], when: str, *, program: bool) -> bool:
    """Whether running what was fetched from these addresses has no honest use then."""
    if places == (_DECODED,):
        return not program
    if any(BARE.search(place) for place in places):
        return True
    if program or (places and all(KNOWN.match(place) for place in places)):
        return False
    return bool(places) and (
        when != "call"
        or any(PLAIN.search(place) for place in places)
        or not any(KNOWN.match(place) for place in places)
    )


def _is_parameter(scope: ast.AST, name: str) -> bool:
    arguments = getattr(scope, "args", None)
    if arguments is None:
        return False
    names = [each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return name in names and name not in ("self", "cls", "ws", "client", "userdata")


def _dotted(node: ast.expr) -> str:
    """The text of a name as it is written, where nobody knows what it stands for."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    parts.append(node.id if isinstance(node, ast.Name) else "something")
    return ".".join(reversed(parts))


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
