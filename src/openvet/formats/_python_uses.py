"""What one call, or one mention of a callable, in a Python source does: the judging half of the walk.

:mod:`openvet.formats._python_tree` goes through the statements and says when they run; this says what matters in them.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import ChainMap
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from openvet.core.pattern import pattern
from openvet.formats._chosen_names import CHOSEN, is_chosen
from openvet.formats._python_attacks import Attacks
from openvet.formats._python_commands import kind_of_command
from openvet.formats._python_flows import Flows, Scopes
from openvet.formats._python_names import Capabilities, from_beside
from openvet.formats._python_resolve import LOCAL, NAMES, NEAR, UNKNOWN, Names
from openvet.formats._python_secrets import may_take, taken
from openvet.formats._python_settled import Bindings, Overlay, defaults_of

__all__ = ["BY_DEFAULT", "DESCRIBED", "Uses", "Waiting"]

Given = tuple[tuple[str, str], ...]
#: Parameters with the text of the expressions that they stand for; :data:`BY_DEFAULT` where a loader calls, and leaves defaults.
Handed = tuple[tuple[str, str], ...]
BY_DEFAULT: Handed = (("", ""),)

#: These call a function that they are given, now or soon.
_RUNNING_METHODS = frozenset({"submit", "map", "apply", "apply_async", "call_soon", "run_in_executor", "callback", "sort",
                              "call_later", "call_at", "add_done_callback", "imap", "imap_unordered", "starmap",
                              "set_debug", "register"})  # fmt: skip
_RUNNING_PACKAGES = frozenset({"numpy", "joblib", "tqdm", "toolz", "more_itertools"})
#: They call what they are given when something happens: a key, a message, a connection, a file that changes.
_LISTENING = frozenset({"pynput", "keyboard", "mouse", "websocket", "websockets", "socketio", "paho", "pika", "watchdog", "schedule", "apscheduler",
                        "telebot", "telegram", "discord", "stomp", "zmq", "nats", "redis", "aiohttp"})  # fmt: skip
_RUNNING = frozenset({"torch.multiprocessing.spawn", "torch.multiprocessing.Process", "torch.func.vmap", "torch.vmap",
                      "functools.reduce", "functools.cmp_to_key"})  # fmt: skip
# of the standard library, these take a function and do not call it
_KEEPING = frozenset({"argparse", "logging", "typing", "functools", "dataclasses", "abc", "collections", "unittest", "enum",
                      "inspect", "types", "copyreg", "warnings", "copy", "optparse", "tkinter"})  # fmt: skip
# asking about a callable is not using it
_ASKING = frozenset(
    {"isinstance", "issubclass", "hasattr", "callable", "type", "print", "repr", "id", "len", "str", "super"}
)
_KEEPING_BUILTINS = frozenset({"setattr", "getattr", "property", "staticmethod", "classmethod"})
#: Programs that convert sound and pictures; as the first of a list of arguments, no shell reads what follows.
_CONVERTERS = frozenset({"ffmpeg", "ffprobe", "sox", "espeak", "espeak-ng", "soffice", "pdftoppm", "pdftotext"})
_NATIVE_RUNS = pattern(r"\b(?:system|popen|execl[ep]?|execv[ep]?|fork|posix_spawn|WinExec)\s*\(")
#: They take the code that lies beside the model, which is judged by itself.
_FROM_BESIDE = (".from_config", "._from_config")
#: A variable of the environment, which a shell puts in as words only; and programs that pass on some of what they read.
_VARIABLE = pattern(r"\$[A-Z][A-Z_]{0,60}")
#: Any program that is asked for its version; and options by which a program that tells something does something else.
_VERSION = pattern(r"[A-Za-z][\w.+-]{0,40} (?:--version|-version|-V|-v|--help|-h|version)", re.ASCII)
_ACTS = pattern(
    r"(?:^| )(?:--output\b|--ext-diff|--textconv|-w\b|-p\b|--system|--load|--write|--filename|--gpu-reset|-[A-Za-z]?f\b|-F\b|\w[\w.]*=)"
)
#: Names that methods of all sorts of things have: ``model.eval()``.
_OF_ANYTHING = frozenset({"eval", "exec", "compile", "evaluate", "main", "get"})
_FILTER = pattern(r"(?:head|tail|wc|grep|cut|tr|nl)(?: [\w.,:-]{1,40}){0,6}", re.ASCII)
_UNPICKLES = frozenset({"pickle.loads", "pickle.load", "cloudpickle.loads", "cloudpickle.load", "dill.loads", "dill.load", "marshal.loads",
                        "joblib.load", "jsonpickle.decode", "jsonpickle.loads", "_pickle.loads", "_pickle.load"})  # fmt: skip
#: What makes objects of tables of settings, and the keys under which the callable stands.
_BUILDERS = frozenset({
    "logging.config.dictConfig", "logging.config.DictConfigurator", "hydra.utils.instantiate", "hydra.utils.call", "hydra.instantiate",
    "omegaconf.OmegaConf.create", "jsonargparse.ArgumentParser().instantiate_classes", "monai.bundle.ConfigParser",
})  # fmt: skip
_BUILT_BY = frozenset({"()", "_target_", "class", "factory", "class_path"})
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
#: What reads a file of which only the place is computed; and a place that is not the package's own.
_READING = frozenset(
    {"open", "read", "read_text", "compile", "join", "dirname", "abspath", "realpath", "Path", "resolve", "joinpath"}
)
_LEAVES = pattern(r"^[/~\\]|^[A-Za-z]:|\.\.|://|^(?:tmp|temp)\b")
#: What maps memory or makes functions of C; and what gives an address in memory.
_MACHINE_CODE = frozenset(
    {"mmap.mmap", "ctypes.cast", "ctypes.CFUNCTYPE()", "ctypes.WINFUNCTYPE()", "ctypes.PYFUNCTYPE()"}
)
_ADDRESSES = frozenset({"ctypes.addressof", "ctypes.cast", "ctypes.byref", "builtins.id", "mmap.mmap", "ctypes.create_string_buffer",
                        "ctypes.c_void_p", "ctypes.addressof()", "ctypes.cast()", "mmap.mmap()", "ctypes.create_string_buffer()"})  # fmt: skip
#: What a use of such a text has for its detail; and the keys of a description under which its words stand, which are examined there.
DESCRIBED = "a word of a model's description"
_DESCRIBES = frozenset({"backbone", "head", "activation"})
_CONNECTS = pattern(r"\bsocket\.(?:socket|create_connection)\(|\bfrom[ \t]+socket[ \t]+import\b|\.connect\(")
_COPYING = frozenset({"copy", "copy2", "copyfile", "move", "copytree", "rename", "replace", "symlink", "link"})
_OF_A_MODULE = pattern(r"\w\.__(?:file|path)__|getsourcefile|getfile|find_spec")
_SHELL_WORD = pattern(r"(?:/\w{1,20}){0,4}/?(?:ba|z|da|k)?sh")
_MOST_NESTED = 3
_UNCERTAIN = "…"
_MOST_ASKED = 10
_MOST_GROWN = 1_000
_LONGEST_LOOKED_AT = 1 << 20
_MOST_LOOKED_AT = 300
_MOST_NEAR = 5_000
_MOST_HANDED = 400
_LONGEST_HANDED = 2_000
_NOTHING = ast.Constant(None)
#: Of the kinds of one command, the one that counts is the first of these.
_KINDS = ("process", "fetch", "install", "telling")


class Waiting(NamedTuple):
    """A function of the file that something calls, with the names and the expressions that are given for its parameters."""

    name: str
    given: Given = ()
    handed: Handed = ()


class Uses(Names):
    """Records what matters. ``uses`` are (line, name, capability, when, detail, owner)."""

    def __init__(self, text: str, most: int, depth: int = 0) -> None:
        super().__init__()
        self._text = text
        self._most = most
        self._depth = depth
        self._owner = ""
        self._waiting: dict[str, list[Waiting]] = {"import": [], "construction": [], "inference": [], "call": []}
        self._seen: set[tuple[int, str, str, str]] = set()
        self._quiet: set[int] = set()
        self._secretive = may_take(text)
        self.uses: list[tuple[int, str, str, str, str, str]] = []
        self.overflown = False
        self._grown: set[str] | None = None
        self._tree: ast.AST = ast.Module([], [])
        self._bindings: Bindings | None = None
        #: what the parameters of the function being read stand for in the call that is followed
        self._handed: Overlay = {}
        self._handed_texts: dict[str, ast.expr] = {}
        self._runners: dict[int, bool] = {}
        #: a function that was read for each call in the file is read for the calls that others make
        self._for_others = False
        #: functions of the file that were put in place of others, with what they are in place of
        self._in_place: dict[str, str] = {}
        #: calls into neighbouring files, and between functions that nothing calls: (owner, name, when) and the line
        self.near: dict[tuple[str, str, str], int] = {}
        self._flows: Flows | None = None
        self._attacks = Attacks(self, text)

    # what the judgements of attacks ask for

    @property
    def known(self) -> Capabilities:
        return self._known

    @property
    def owner(self) -> str:
        """The function that is being read."""
        return self._owner

    @property
    def flows(self) -> Flows:
        """Where values of the source come from."""
        if self._flows is None:
            if self._bindings is None:
                self._bindings = Bindings(self._tree)
            self._flows = Flows(self._tree, self._bindings)
        return self._flows

    @property
    def scopes(self) -> Scopes:
        """The functions around what is being read."""
        return tuple(self._scopes_around())

    @property
    def tree(self) -> ast.AST:
        return self._tree

    def function_of(self, owner: str) -> ast.AST:
        """The function that is called so; the module for no name."""
        return self._functions.get(owner, self._tree)

    def is_model(self, name: str) -> bool:
        """Whether a class of the source is made of another."""
        return name in self._classes and bool(self._classes[name].bases)

    @property
    def connects(self) -> bool:
        """Whether the source connects a socket somewhere."""
        return _CONNECTS.search(self._text) is not None

    def _flowing(self, nodes: list[ast.expr], stop: Callable[[ast.expr], bool]) -> Iterator[ast.expr]:
        """Everything that may flow into expressions of what is being read."""
        return (part for part, _ in self.flows.into(nodes, self.scopes, stop))

    def is_shown(self, node: ast.Call, names: frozenset[str]) -> bool:
        """Whether one of the callables is among what a call is given."""
        return any(
            not isinstance(each, ast.Call | ast.Constant) and (self.resolve(each) or "") in names for each in node.args
        )

    def place_of(self, node: ast.expr) -> str | None:
        """The text of a path, as far as it can be said."""
        return self._place(node)

    def command_of(self, node: ast.Call) -> str:
        """The command that a call starts, in one line, where it is constant; what is computed in it is left open."""
        first = (
            node.args[0]
            if node.args
            else next((each.value for each in node.keywords if each.arg in ("args", "cmd", "command")), None)
        )
        if first is None:
            return ""
        if isinstance(first, ast.Name):
            first = self._values.get(first.id, first)
        value = self.fold(first)
        if value is None and isinstance(first, ast.List | ast.Tuple):
            value = [self._word(each) for each in first.elts[:40]]
        elif value is None and isinstance(first, ast.JoinedStr | ast.BinOp):
            value = self._word(first)
        if (
            isinstance(value, str)
            and len(node.args) > 1
            and _last_name(node.func).startswith(("exec", "spawn", "create_subprocess_exec", "posix_spawn"))
        ):
            rest = [self.fold(each) for each in node.args[1:10]]
            value = [
                value,
                *(
                    word
                    for each in rest
                    for word in (each if isinstance(each, list) else [each])
                    if isinstance(word, str)
                ),
            ]
        if isinstance(value, list):
            words = [each for each in value if isinstance(each, str)]
            if any(_SHELL_WORD.fullmatch(each) for each in words[:2]) and "-c" in words[:4]:
                value = " ".join(words[words.index("-c") + 1 :])
            else:
                value = " ".join(words)
        return value[:_LONGEST_HANDED] if isinstance(value, str) else ""

    def _word(self, node: ast.expr) -> str:
        """A word of a command; what is computed in it is left open."""
        if isinstance(node, ast.Name | ast.Attribute) and self.resolve(node) == "sys.executable":
            return "python"
        if isinstance(node, ast.JoinedStr):
            return "".join(self._word(each) for each in node.values)
        if isinstance(node, ast.FormattedValue):
            return self._word(node.value)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return self._word(node.left) + self._word(node.right)
        value = self.fold(node)
        return value if isinstance(value, str) else str(value) if type(value) is int else _UNCERTAIN

    # calls

    def _call(self, node: ast.Call, when: str) -> None:
        name = self.resolve(node.func)
        if name == "operator.methodcaller()" and node.args:
            name = self._got(node, 0) or name
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
        if name == "builtins.setattr" and len(node.args) == 3 and isinstance(key := self.fold(node.args[1]), str):
            target = ast.Attribute(node.args[0], key, ast.Store())
            self._replaced(target, node.args[2], when)
            self._named_by_item(target, node.args[2])
        if self._secretive and (secret := taken(self, node, name or "", self._known.of(name or ""), self._flowing)):
            self._use(node, name or f"something.{_last_name(node.func)}", "secret", when, secret)
        if name is None:
            self._hidden_name(node, when)
            self._unknown_call(node, when)
        else:
            self._named_call(node, name, when)
            self._queue(name, when, node.lineno, self._bound(node, name), node)
        if said := self._attacks.call(node, name, when):
            self._use(node, name or f"something.{_last_name(node.func)}", "attack", when, said)
        if self._trusts(node) and not (name or "").endswith(_FROM_BESIDE):
            self._use(node, name or _last_name(node.func), "trust", when, self._arguments(node))
        plain = "" if name is None else name.removeprefix("builtins.")
        if plain in _ASKING and not (plain == "type" and len(arguments) > 1):
            self._quiet.update(id(argument) for argument in arguments)
            return
        if name in ("dataclasses.field", "attr.ib", "attrs.field", "pydantic.Field", "collections.defaultdict"):
            for keyword in node.keywords:  # called for each object of the class
                if keyword.arg in ("default_factory", "factory"):
                    self._queue(self.resolve(keyword.value), "construction" if when != "call" else when, node.lineno)
        runs = self._runs_given(node, name)
        for argument in arguments:
            given = argument.value if isinstance(argument, ast.Starred) else argument
            for each in _items(given):
                if (
                    not isinstance(each, ast.Call | ast.Constant)
                    and self._known.of(self.resolve(each) or "") == "process"
                ):
                    self._attacks.handed(node, self._handed_words(arguments), when)
                self._use_callable(each, when, f"is handed to {shown(name)}", local=runs)

    def _handed_words(self, arguments: list[ast.expr]) -> str:
        """The constant texts among the arguments of a call that is given a callable to call with them."""
        words: list[str] = []
        for argument in arguments:
            value = self.fold(argument)
            parts = argument.elts if value is None and isinstance(argument, ast.List | ast.Tuple) else []
            for each in value if isinstance(value, list) else [value, *map(self.fold, parts)]:
                words += [each] if isinstance(each, str) else []
        return " ".join(words)[:_LONGEST_HANDED]

    def _trusts(self, node: ast.Call) -> bool:
        """Whether a call hands on ``trust_remote_code=True``, also in a dictionary of keywords."""
        given: list[ast.expr] = []
        for keyword in node.keywords:
            if keyword.arg == "trust_remote_code":
                return self._is_true(keyword.value)
            given.append(keyword.value)
        for each in (*node.args, *given):
            held = self._values.get(each.id) if isinstance(each, ast.Name) else each
            if isinstance(held, ast.Dict):
                for key, value in zip(held.keys, held.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == "trust_remote_code" and self._is_true(value):
                        return True
        return False

    def _is_true(self, node: ast.expr) -> bool:
        """Whether an argument says yes by a constant."""
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not) and isinstance(node.operand, ast.Constant):
            return not node.operand.value
        value = self.fold(node)
        return value is True or (type(value) is int and value != 0)

    def _replaced(self, target: ast.Attribute | ast.Subscript, value: ast.expr, when: str) -> None:
        """``torch.load = f``: whatever calls the function of the package calls this one of the file from now on."""
        owner = self.resolve(target.value)
        if owner is None or owner.startswith((LOCAL, NEAR)):
            return
        key = target.attr if isinstance(target, ast.Attribute) else self.fold(target.slice)
        module = owner.removesuffix(".__dict__")
        if "()" in module or not isinstance(key, str) or (isinstance(target, ast.Subscript) and module == owner):
            return
        name = self.resolve(value)
        if name is not None and name.startswith(LOCAL):
            local = name[len(LOCAL) :].replace("()", "")
            self._in_place[local] = f"{module}.{key}"
            self._waiting["call" if when == "call" else "construction"].append(Waiting(local))

    def _named_call(self, node: ast.Call, name: str, when: str) -> None:  # noqa: C901 - one branch for each kind of call
        capability = self._known.of(name)
        if name.endswith(f".{UNKNOWN}"):
            self._use(node, name, "hidden", when, "calls what a computed name gives")
        elif name == "builtins.type.__subclasses__":
            self._use(node, "object.__subclasses__", "hidden", when, "looks for a class among all that are loaded")
        elif capability == "import":
            # an ordinary import where the name is constant
            if node.args and self.fold(node.args[0]) is None:
                alone = len(node.args) == 1 and not any(each.arg == "package" for each in node.keywords)
                chosen = alone and when != "import" and is_chosen(node.args[0], self._values, self.resolve)
                self._use(node, name, "import", when, CHOSEN if chosen else self._arguments(node))
        elif capability == "code":
            self._given_code(node, name, when)
        elif (capability == "load" or name == "yaml.load") and node.args and self._is_object(node.args[0]):
            self._use(node, name, "hidden", when, "loads an object out of a constant")
        elif name.rpartition(".")[2] == "__pyarmor__":
            self._use(node, "__pyarmor__", "hidden", when, "runs what only its own native library can decode")
        elif name.startswith("torch.utils.cpp_extension.load") and self._source_runs(node):
            self._use(node, name, "process", when, "compiles a source that starts a process")
        elif name in _BUILDERS and (built := self._built(node)):
            self._use(node, built, "hidden", when, f"is made by {shown(name)}")
        elif name in _MACHINE_CODE and self._runs_memory(node, name):
            self._use(node, name, "hidden", when, "runs machine code out of memory")
        elif name == "os.dup2" and node.args and self.resolve(node.args[0]) == "socket.socket().fileno()":
            self._use(node, name, "hidden", when, "hands its streams to a socket")
        elif name in _UNPICKLES and when != "call" and self._is_fetched(node):
            self._use(node, name, "hidden", when, "unpickles what it fetches")
        elif capability == "process":
            self._use(node, name, self._kind(node, name), when, self._arguments(node))
        elif capability == "file" or (
            (name == "builtins.open" or name == "pathlib.Path().open") and _writes(node, name)
        ):
            startup = self._starts_again(node)
            if startup:
                self._attacks.starts_again(node, name, when)
            detail = shown(startup) if startup else self._arguments(node)
            self._use(node, name, "startup" if startup else "file", when, detail)
        elif capability is not None:
            self._use(node, name, capability, when, self._arguments(node))
        elif name in self._known.loaders and self._loads(node, name):
            self._use(node, name, "load", when, self._arguments(node))

    def _is_fetched(self, node: ast.Call) -> bool:
        """Whether what is unpickled is fetched just before."""
        return any(self._known.of(self.resolve(part.func) or "") == "network"
                   for each in node.args[:1] for part in self._all_of(each) if isinstance(part, ast.Call))  # fmt: skip

    def _built(self, node: ast.Call) -> str:
        """The dangerous callable that a table of settings names, where a call makes objects of it."""
        for argument in [*node.args, *(each.value for each in node.keywords)]:
            for part in self._all_of(argument):
                if not isinstance(part, ast.Dict):
                    continue
                for key, value in zip(part.keys, part.values, strict=True):
                    text = self.fold(value) if isinstance(key, ast.Constant) and key.value in _BUILT_BY else None
                    name = text.removeprefix("ext://") if isinstance(text, str) else ""
                    for known in (name, f"builtins.{name}"):
                        if self._known.of(known) in ("process", "code"):
                            return known
        return ""

    def _runs_memory(self, node: ast.Call, name: str) -> bool:
        """Whether a call maps memory that can be run, or makes a function of an address."""
        if name in ("mmap.mmap", "ctypes.cast"):
            wanted = {"mmap.PROT_EXEC", "ctypes.CFUNCTYPE()", "ctypes.WINFUNCTYPE()", "ctypes.PYFUNCTYPE()"}
            given = [*node.args[1:], *(each.value for each in node.keywords)]
            if any(self.resolve(part) in wanted for each in given for part in ast.walk(each)):
                return True
            protection = next((self.fold(each.value) for each in node.keywords if each.arg == "prot"), None)
            return type(protection) is int and bool(protection & 4)
        return any(self.resolve(part) in _ADDRESSES for each in node.args[:1] for part in self._all_of(each))

    def _named_by_item(self, target: ast.Attribute | ast.Subscript, value: ast.expr) -> None:
        """``builtins.q = eval`` and ``globals()['q'] = eval`` bind a name of the module."""
        owner = (self.resolve(target.value) or "").removesuffix(".__dict__")
        key = target.attr if isinstance(target, ast.Attribute) else self.fold(target.slice)
        if owner in ("builtins", NAMES) and isinstance(key, str):
            self._module_names[key] = self.resolve(value)

    def _all_of(self, node: ast.expr) -> list[ast.expr]:
        """Everything in an expression, and in what its names come from."""
        parts = list(ast.walk(node))
        for name in [part.id for part in parts if isinstance(part, ast.Name)][:_MOST_ASKED]:
            parts += [part for each in self.led_from(name) for part in ast.walk(each)]
        return [part for part in parts if isinstance(part, ast.expr)]

    def led_from(self, name: str) -> list[ast.expr]:
        """The expressions from which ``name`` may come in the function that is being read, or in the module."""
        if self._bindings is None:
            self._bindings = Bindings(self._tree)
        found: list[ast.expr] = []
        for scope in [*self._scopes_around(), self._tree]:
            found += self._bindings.origins(name, scope)[1]
        return [*found, *super().led_from(name)][:_MOST_LOOKED_AT]

    def _scopes_around(self) -> list[ast.AST]:
        """The functions of the source around what is being read, innermost first."""
        scopes: list[ast.AST] = []
        owner = self._owner
        while owner:
            if owner in self._functions:
                scopes.append(self._functions[owner])
            owner = owner.rpartition(".")[0]
        return scopes

    def _is_object(self, node: ast.expr) -> bool:
        """A constant that an unpickler or a YAML loader makes an object of."""
        value = self.fold(node)
        return isinstance(value, bytes) or (isinstance(value, str) and ("!!python/" in value or '"py/' in value))

    def _source_runs(self, node: ast.Call) -> bool:
        """Whether the C++ that is compiled here starts a process."""
        texts = (self.fold(each) for each in [*node.args, *(keyword.value for keyword in node.keywords)])
        plain = (" ".join(map(str, text)) if isinstance(text, list) else text for text in texts)
        return any(isinstance(text, str) and _NATIVE_RUNS.search(text) for text in plain)

    def _loads(self, node: ast.Call, name: str) -> bool:
        """Whether a loader that unpickles only sometimes does so with these keywords."""
        keyword, safe = self._known.loaders[name]
        given = next((each.value for each in node.keywords if each.arg == keyword), None)
        if name == "yaml.load":
            loader = given or (node.args[1] if len(node.args) > 1 else None)
            return loader is not None and (self.resolve(loader) or "").rpartition(".")[2] in (
                "Loader", "UnsafeLoader", "FullLoader", "CLoader")  # fmt: skip
        if given is None:
            return name == "torch.load"
        return isinstance(given, ast.Constant) and bool(given.value) is not safe

    def _kind(self, node: ast.Call, name: str) -> str:
        """What a command does, where all that it may be is harmless; the worst of it otherwise."""
        found: set[str] = set()
        values = self._values
        for overlay in self._overlays([*node.args, *(each.value for each in node.keywords)]):
            self._values = ChainMap(overlay, values)
            found.add("telling" if self._only_tells(node) else kind_of_command(self, node, name) or "process")
        self._values = values
        return next(kind for kind in _KINDS if kind in found)

    def _overlays(self, nodes: list[ast.expr]) -> list[Overlay]:
        """Each way in which the names of expressions may be bound here."""
        names = {part.id for node in nodes for part in ast.walk(node) if isinstance(part, ast.Name)}
        modules = frozenset(name for name in names if (full := self._names.get(name)) is not None and "()" not in full)
        if names <= modules:
            return [{}]
        if self._bindings is None:
            self._bindings = Bindings(self._tree)
        return self._bindings.overlays(nodes, self._scopes_around(), self._handed, modules)

    def _only_tells(self, node: ast.Call) -> bool:
        """``subprocess.run(['nvidia-smi'])``: all constant, and a program that only tells something."""
        if not node.args or any(each.arg in ("executable", "env", "preexec_fn") for each in node.keywords):
            return False
        shell = any(each.arg == "shell" for each in node.keywords)
        first = node.args[0]
        if isinstance(first, ast.Name):
            first = self._values.get(first.id, first)
        if isinstance(first, ast.IfExp):
            both = (ast.Call(node.func, [each], []) for each in (first.body, first.orelse))
            return all(self._only_tells(each) for each in both)
        if not shell and isinstance(first, ast.List) and first.elts and str(self.fold(first.elts[0])) in _CONVERTERS:
            return True
        command = self.fold(first)
        if isinstance(command, list):
            if not all(isinstance(part, str) for part in command):
                return False
            command = " ".join(command)
        if not isinstance(command, str) or any(sign in command for sign in ";&`><\n(){}\\'\""):
            return False
        if _VERSION.fullmatch(command.strip()):
            return True
        if _ACTS.search(command) or self._known.places.search(command):
            return False
        told, *filters = (part.strip() for part in _VARIABLE.sub("", command).split("|"))
        if "$" in told or not all(_FILTER.fullmatch(part) for part in filters):
            return False
        return any(told == known or told.startswith(f"{known} ") for known in self._known.telling)

    def _of_others_file(self, node: ast.Call) -> str:
        """The module from elsewhere whose own source a call changes: ``open(torch.__file__, 'a')``."""
        changed = node.args[-1:] if _last_name(node.func) in _COPYING else node.args[:1]
        if isinstance(node.func, ast.Attribute) and not changed:
            changed = [node.func.value]
        for part in (each for given in changed for each in self._all_of(given)):
            asked = part.value if isinstance(part, ast.Attribute) and part.attr in ("__file__", "__path__") else None
            if (
                isinstance(part, ast.Call)
                and part.args
                and _last_name(part.func) in ("getfile", "getsourcefile", "find_spec")
            ):
                asked = part.args[0]
            text = self.fold(asked) if asked is not None else None
            name = text if isinstance(text, str) else self.resolve(asked) if asked is not None else None
            if name is not None and "()" not in name and not name.startswith((LOCAL, NEAR)) and not from_beside(name):
                return f"{name.removeprefix('builtins.')}.__file__"
        return ""

    def _starts_again(self, node: ast.Call) -> str:
        """The text that says that the changed file is one from which programs are started."""
        if _OF_A_MODULE.search(self._text) and (other := self._of_others_file(node)):
            return other
        waiting: list[Any] = [node]
        for _ in range(_MOST_LOOKED_AT):
            if not waiting:
                break
            part = waiting.pop()
            if isinstance(part, ast.Name) and part.id in self._values:
                held = self._values[part.id]
                if not isinstance(held, ast.Name):
                    waiting.append(held)
            text = self.fold(part) if isinstance(part, ast.expr) else None
            if isinstance(text, str) and (found := self._known.places.search(text)):
                return found.group()
            if isinstance(part, ast.Attribute) and part.attr in self._known.ways:
                return part.attr
            waiting.extend(ast.iter_child_nodes(part))
        return ""

    def _unknown_call(self, node: ast.Call, when: str) -> None:
        """A call of something that cannot be known: a method of some object, an item of some container."""
        called = node.func
        if isinstance(called, ast.Name):
            for star in self._stars:
                self._near_call(f"{star}.{called.id}", when, node.lineno)
        elif isinstance(called, ast.Attribute):
            self._methods_named(called.attr, when, node)
        held = called
        if isinstance(called, ast.Call) and isinstance(called.func, ast.Attribute):
            held = called.func.value  # handlers.get(kind)()
        elif isinstance(called, ast.Subscript):
            held = called.value
        if isinstance(held, ast.Name):
            held = self._values.get(held.id, held)
        if isinstance(held, ast.Dict | ast.List | ast.Tuple):
            for each in (held.values if isinstance(held, ast.Dict) else held.elts)[:100]:
                if (name := self.resolve(each)) and name.startswith(LOCAL):
                    self._queue(name, when, node.lineno)

    def _methods_named(self, method: str, when: str, node: ast.Call | None = None) -> None:
        for name in self._methods.get(method, ())[:20]:
            self._wait(name, when, (), node, bound=True)

    def _wait(self, name: str, when: str, given: Given, node: ast.Call | None, *, bound: bool = False) -> None:
        """A call of a function of this file; once for each command that it hands over, where it runs what it is given."""
        function = self._functions.get(name)
        if function is None or node is None or not self._is_by_name(node.func, name, function):
            self._waiting[when].append(Waiting(name, given))
            return
        if not self._runs_commands(function):
            self._waiting[when].append(Waiting(name, given))
            return
        for handed in self._handed_over(node, function, bound=bound):
            self._waiting[when].append(Waiting(name, given, handed))

    def _is_by_name(self, called: ast.expr, name: str, function: ast.AST) -> bool:
        """Whether a function is called as what it is, and not as what ``functools.partial`` made of it."""
        if isinstance(function, ast.Lambda):
            return isinstance(called, ast.Name) and self._values.get(called.id) is function
        owner, _, own = name.rpartition(".")
        return _last_name(called) == (owner.rpartition(".")[2] if own == "__init__" else own)

    def _runs_commands(self, function: ast.AST, hops: int = 3) -> bool:
        """Whether a function may run a command or a text that it is given."""
        known = self._runners.get(id(function))
        if known is None:
            self._runners[id(function)] = False  # where it calls itself
            calls = [each.func for each in ast.walk(function) if isinstance(each, ast.Call)]
            called = {_last_name(each) for each in calls
                      if not (isinstance(each, ast.Attribute) and each.attr in _OF_ANYTHING)}  # fmt: skip
            named = [self._functions.get(each) for each in sorted(called) if hops]
            known = (
                not self._known.runners.isdisjoint(called)
                or any(isinstance(each, ast.Call) for each in calls)
                or any(each is not None and self._runs_commands(each, hops - 1) for each in named)
            )
            self._runners[id(function)] = known
        return known

    def _handed_over(self, node: ast.Call, function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, *, bound: bool
                     ) -> list[Handed]:  # fmt: skip
        """What the parameters of ``function`` stand for in this call, in each way; nothing of it where that cannot be said."""
        arguments = function.args
        names = [each.arg for each in [*arguments.posonlyargs, *arguments.args]][1 if bound else 0 :]
        starred = any(isinstance(each, ast.Starred) for each in node.args) or any(
            not each.arg for each in node.keywords
        )
        if starred or len(node.args) > len(names) or len(self._handed_texts) > _MOST_HANDED:
            return [()]
        passed = dict(zip(names, node.args, strict=False))
        passed.update((each.arg, each.value) for each in node.keywords if each.arg)
        found: list[Handed] = []
        values = self._values
        for overlay in self._overlays(list(passed.values())):
            self._values = ChainMap(overlay, values)
            pairs = {**dict(defaults_of(function)), **{name: self._short(value) for name, value in passed.items()}}
            found.append(tuple((name, self._kept_text(value)) for name, value in pairs.items()) or BY_DEFAULT)
        self._values = values
        return found

    def _short(self, node: ast.expr) -> ast.expr:
        """The text, or the list of texts, that is handed over, or an expression that says nothing."""
        if isinstance(node, ast.List | ast.Tuple):
            return (
                ast.List([self._short(each) for each in node.elts[:60]], ast.Load())
                if len(node.elts) <= 60
                else _NOTHING
            )
        if isinstance(node, ast.Name | ast.Attribute | ast.Call) and self.resolve(node) == "sys.executable":
            return node
        value = self.fold(node)
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            return ast.List([ast.Constant(each) for each in value[:60]], ast.Load()) if len(value) <= 60 else _NOTHING
        short = isinstance(value, str | bytes) and len(value) <= _LONGEST_HANDED
        return ast.Constant(value) if short else _NOTHING

    def _kept_text(self, value: ast.expr) -> str:
        text = ast.dump(value)
        self._handed_texts.setdefault(text, value)
        return text

    def _near_call(self, name: str, when: str, line: int) -> None:
        if len(self.near) < _MOST_NEAR:
            self.near.setdefault((self._owner if when == "call" else "", name.replace("()", ""), when), line)
        else:
            self.overflown = True

    def _bound(self, node: ast.Call, name: str) -> Given:
        """What the parameters of a function of this file stand for in this call, as far as it matters."""
        if not name.startswith(LOCAL):
            return ()
        local = name[len(LOCAL) :].replace("()", "")
        function = self._functions.get(local)
        skipped = 1 if "." in local and local.rpartition(".")[0] in self._classes else 0
        if local in self._classes:
            function, skipped = self._functions.get(f"{local}.__init__"), 1
        if function is None:
            return ()
        names = [each.arg for each in [*function.args.posonlyargs, *function.args.args]][skipped:]
        pairs = [*zip(names, node.args, strict=False), *((each.arg, each.value) for each in node.keywords if each.arg)]
        return tuple((key, value) for key, argument in pairs if (value := self._worth_giving(argument)))[:20]

    def _worth_giving(self, argument: ast.expr) -> str | None:
        """The name of a function or module that matters when it is called somewhere else."""
        if isinstance(argument, ast.Constant):
            return None
        name = self.resolve(argument)
        if name is None or name in self._known.carriers or self._known.of(name):
            return name
        return name if name.startswith((LOCAL, NEAR)) and not name.endswith("()") else None

    def _runs_given(self, node: ast.Call, name: str | None) -> bool:
        """Whether a function that is handed over here is called."""
        if name is not None and name.split(".", 1)[0] in _LISTENING:
            return True
        if name is None:
            return isinstance(node.func, ast.Attribute) and node.func.attr in _RUNNING_METHODS
        if name.startswith(LOCAL):
            return True
        package, _, rest = name.partition(".")
        if package == "builtins":
            return rest not in _KEEPING_BUILTINS
        if name in _RUNNING or package in _RUNNING_PACKAGES:
            return True
        return package in sys.stdlib_module_names and package not in _KEEPING

    def _queue(
        self, name: str | None, when: str, line: int = 0, given: Given = (), node: ast.Call | None = None
    ) -> None:
        """Functions of this file that a call of ``name`` runs; calls into neighbouring files are noted."""
        if name is None:
            return
        if name.startswith(NEAR):
            self._near_call(name, when, line)
            return
        if not name.startswith(LOCAL):
            return
        local = name[len(LOCAL) :]
        if when == "call" and self._owner and local != self._owner:
            self._near_call(name, when, line)
        if local.endswith("()"):  # an object is called
            local = f"{local[:-2]}.__call__"
        owner, _, method = local.rpartition(".")
        if owner.endswith("()"):  # of an object; a class made of its class may have the method anew
            self._methods_named(method, when, node)
        plain = local.replace("()", "")
        self._wait(plain, when, given, node, bound=owner.endswith("()") or self._is_of_class(plain))
        if plain in self._classes:
            self._made(plain, when, given, node)

    def _is_of_class(self, name: str) -> bool:
        """Whether a method is given its class, whatever it is called on."""
        function = self._functions.get(name)
        return any(_last_name(each) == "classmethod" for each in getattr(function, "decorator_list", ()))

    def _made(self, local: str, when: str, given: Given, node: ast.Call | None, depth: int = 0) -> None:
        """An object of a class of this file comes to be: any of its special methods may be reached by an operator."""
        for given_base in self._classes[local].bases[:10] if node is not None and local in self._classes else []:
            full = self.resolve(given_base)
            if full is not None and node is not None and self._known.of(full) == "process":
                self._use(node, full, self._kind(node, full), when, self._arguments(node))
        for method in self._methods_of.get(local, ()):
            if method == "__init__":
                self._wait(f"{local}.{method}", when, given, node, bound=True)
            elif method.startswith("__") and method.endswith("__"):
                self._waiting[when].append(Waiting(f"{local}.{method}"))
        for base in self._local_bases(local) if depth < 5 else []:
            self._made(base, when, given, node, depth + 1)

    # mentions

    def _use_callable(self, node: ast.expr, when: str, detail: str, *, local: bool = True) -> None:
        """A dangerous callable that is not called here but given to something that may call it.

        ``local``: whether a function of this file runs as well when it is given.
        """
        if isinstance(node, ast.Call | ast.Constant):
            return
        name = self.resolve(node)
        if name is None:
            return
        if self._known.of(name) == "process" or name in ("builtins.exec", "builtins.eval"):
            self._use(node, name, str(self._known.of(name)), when, detail)
        elif local and name.startswith(LOCAL):
            self._queue(name, when, node.lineno)

    def _use_items(self, node: ast.List | ast.Tuple | ast.Set | ast.Dict, when: str) -> None:
        """Dangerous callables that are put into a container are meant to be taken out."""
        if id(node) in self._quiet:
            return
        for each in node.values if isinstance(node, ast.Dict) else node.elts:
            if isinstance(each, ast.Name | ast.Attribute):
                self._use_callable(each, when, "is put into a container", local=False)

    def _use_item(self, node: ast.Subscript, when: str) -> None:
        """``X[...]`` on a class of this file runs its ``__class_getitem__``."""
        if isinstance(node.slice, ast.Tuple):  # Union[subprocess.Popen, None] is an annotation
            self._quiet.add(id(node.slice))
        name = self.resolve(node.value)
        if name is not None and name.startswith(LOCAL):
            self._waiting[when].append(Waiting(f"{name[len(LOCAL) :]}.__class_getitem__"))

    # code that is given as text

    def _given_code(self, node: ast.Call, name: str, when: str) -> None:
        """What ``exec`` or ``eval`` gets: decoded; or constant, and so as readable as the rest; or computed."""
        if node.args and name in ("builtins.exec", "builtins.eval", "types.FunctionType", "types.CodeType"):
            self._decoded_code(node, name, when)
        if node.args and name in ("builtins.exec", "builtins.eval"):
            code = self.fold(node.args[0])
            if isinstance(code, bytes):
                code = code.decode("utf-8", "replace")
            if isinstance(code, str) and self._depth < _MOST_NESTED and self._nested(code.strip(), when, node.lineno):
                return
        if name == "builtins.exec" and node.args and self._is_beside(node.args[0]):
            self._use(node, name, "import", when, "runs a source that lies beside this one")
            return
        detail = DESCRIBED if name == "builtins.eval" and self._is_of_description(node) else self._arguments(node)
        self._use(node, name, "code", when, detail)

    def _is_beside(self, code: ast.expr) -> bool:
        """Whether ``exec`` gets the text of a source of this package, as ``setup.py`` reads its version: that source is examined itself."""
        parts = self._all_of(code)
        texts = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
        calls = {
            _last_name(part.func) for part in parts if isinstance(part, ast.Call) and self.resolve(part) != "os.path"
        }
        if ("open" not in calls and "read_text" not in calls) or not calls <= _READING or len(parts) > _MOST_LOOKED_AT:
            return False
        if not any(text.endswith(".py") for text in texts) or any(_LEAVES.search(text) for text in texts):
            return False
        if any(isinstance(part, ast.Attribute) and part.attr in ("environ", "argv", "stdin") for part in parts):
            return False
        names = {part.id for part in parts if isinstance(part, ast.Name)} - {"__file__", "compile", "getattr", "open"}
        modules = ("os", "io", "codecs", "pathlib")
        return all((self._names.get(each) or "").split(".", 1)[0] in modules or self._is_known(each) for each in names)

    def _is_known(self, name: str) -> bool:
        """Whether a name is bound in this source, and comes from no parameter."""
        return any(
            each is not _NOTHING and not (isinstance(each, ast.Constant) and each.value is None)
            for each in self.led_from(name)
        ) and not any(name in self._parameters_of(scope) for scope in self._scopes_around())

    @staticmethod
    def _parameters_of(scope: ast.AST) -> set[str]:
        """The parameters of a function."""
        return (
            {each.arg for each in ast.walk(scope.args) if isinstance(each, ast.arg)}
            if isinstance(scope, _FUNCTIONS)
            else set()
        )

    def _is_of_description(self, node: ast.Call) -> bool:
        """Whether ``eval`` gets a word of a YOLO model's description, as ``parse_model`` of YOLOv5 and Ultralytics looks it up."""
        function = self._functions.get(self._owner)
        text = node.args[0] if len(node.args) == 1 else None
        if function is None or not isinstance(text, ast.Name):
            return False
        if self._bindings is None:
            self._bindings = Bindings(self._tree)
        tables, passed = self._bindings.origins(text.id, function)
        keys: set[str] = set()
        for part in (each for expression in passed for each in ast.walk(expression)):
            if isinstance(part, ast.Call):
                called = self.resolve(part.func) or ""
                known = called in ("builtins.eval", "") or not (self._known.of(called) or self._known.decodes(called))
                if not known or called in ("builtins.open", "builtins.input", "builtins.bytes", "builtins.chr"):
                    return False
            of, key = (part.value, part.slice) if isinstance(part, ast.Subscript) else (None, None)
            if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr == "get":
                of, key = part.func.value, part.args[0] if part.args else None
            if isinstance(of, ast.Name) and of.id in tables:
                keys.update(str(each.value) for each in self._constants(key, passed))
        return not keys.isdisjoint(_DESCRIBES)

    def _constants(self, key: ast.expr | None, passed: list[ast.expr]) -> list[ast.Constant]:
        """The texts that a key may be: itself, or those that a comprehension takes it from."""
        if isinstance(key, ast.Constant):
            return [key]
        return [each for expression in passed if isinstance(expression, ast.GeneratorExp)
                for each in ast.walk(expression.generators[0].iter) if isinstance(each, ast.Constant)]  # fmt: skip

    def _decoded_code(self, node: ast.Call, name: str, when: str) -> None:
        waiting: list[ast.AST] = [node.args[0]]
        followed: set[str] = set()
        asked: set[str] = set()
        for _ in range(_MOST_LOOKED_AT):
            if not waiting:
                return
            part = waiting.pop()
            inner = self.resolve(part) if isinstance(part, ast.Call | ast.Name | ast.Attribute) else None
            if inner is not None and self._known.decodes(inner):
                self._use(node, f"{name}({shown(inner)}(…))", "hidden", when, "runs what it decodes")
                return
            if inner == "builtins.chr" or (isinstance(part, ast.BinOp) and isinstance(part.op, ast.BitXor)):
                self._use(node, f"{name}(…)", "hidden", when, "runs what it puts together character by character")
                return
            if isinstance(part, ast.Name):
                held = self._values.get(part.id)
                if held is not None and part.id not in followed:
                    followed.add(part.id)
                    waiting.append(held)
                if part.id not in asked and len(asked) < _MOST_ASKED:
                    asked.add(part.id)
                    if self._grows(part.id):
                        self._use(
                            node, f"{name}(…)", "hidden", when, "runs what it puts together character by character"
                        )
                        return
            waiting.extend(ast.iter_child_nodes(part))

    def _grows(self, name: str) -> bool:
        """Whether what ``name`` stands for is put together out of single characters."""
        if self._grown is None:
            found = _PUT_TOGETHER.finditer(self._text[:_LONGEST_LOOKED_AT])
            self._grown = {each[1] for each in islice(found, _MOST_GROWN)}
        return name in self._grown

    def _nested(self, code: str, when: str, line: int) -> bool:
        try:
            tree = ast.parse(code)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
        inner = type(self)(code, self._most, self._depth + 1)
        inner._names = inner._module_names = dict(self._names)
        inner.module(tree, when)  # type: ignore[attr-defined]
        for bound, full in inner._module_names.items():  # names that the text binds
            if full is not None and not full.startswith(LOCAL) and self._names.get(bound) != full:
                self._set(bound, full)
        for part in ast.walk(tree):  # functions of this file that the text calls
            if isinstance(part, ast.Name) and (self._names.get(part.id) or "").startswith((LOCAL, NEAR)):
                self._queue(self._names[part.id], when, line)
        for _, name, capability, moment, detail, _owner in inner.uses:
            self._record(line, name, capability, moment, detail)
        return True

    def _hidden_name(self, node: ast.Call, when: str) -> None:
        """A call of something dangerous by a name that is put together: ``getattr(os, x)()``."""
        called = node.func
        if isinstance(called, ast.Attribute) and called.attr == "__subclasses__" and self._is_root(called.value):
            self._use(node, "object.__subclasses__", "hidden", when, "looks for a class among all that are loaded")
        if isinstance(called, ast.Call) and len(called.args) >= 2:
            if self.resolve(called.func) != "builtins.getattr":
                return
            base = self.resolve(called.args[0])
            if self.fold(called.args[1]) == "__subclasses__" and self._is_root(called.args[0]):
                self._use(node, "object.__subclasses__", "hidden", when, "looks for a class among all that are loaded")
        elif isinstance(called, ast.Subscript):
            base = self.resolve(called.value)
        else:
            return
        if base is not None and base.removesuffix(".__dict__") in self._known.carriers:
            plain = base.removesuffix(".__dict__")
            self._use(node, f"{plain}.{UNKNOWN}", "hidden", when, "calls what a computed name gives")

    def _is_root(self, node: ast.expr, hops: int = 3) -> bool:
        """``object`` by any of the ways that lead to it."""
        if isinstance(node, ast.Subscript):
            node = node.value
        if isinstance(node, ast.Name) and hops:
            held = self._values.get(node.id)
            return node.id == "object" or (held is not None and self._is_root(held, hops - 1))
        return isinstance(node, ast.Attribute) and node.attr in ("__base__", "__bases__", "__mro__")

    # recording

    def _use(self, node: ast.expr, name: str, capability: str, when: str, detail: str) -> None:
        self._record(node.lineno, name.removeprefix("builtins."), capability, when, detail)

    def _record(self, line: int, name: str, capability: str, when: str, detail: str) -> None:
        if self._for_others and when == "call":
            if capability not in ("process", "code", "attack"):
                return
            capability = "handed" if capability != "attack" else capability
        moment = f"{when} {self._owner}" if when == "call" else ""
        if (line, name, capability, moment) in self._seen:
            return
        if capability == "network" and self._in_place and (replaced := self._in_place.get(self._owner)):
            self._record(line, replaced, "hidden", when, "has a function that uses the network put in its place")
        if len(self.uses) >= self._most:
            self.overflown = True
            return
        self._seen.add((line, name, capability, moment))
        self.uses.append((line, name, capability, when, detail, self._owner))

    def _place(self, node: ast.expr, hops: int = 12) -> str | None:
        """The text of a path of ``pathlib``: where it is said to be, not where that is on a machine."""
        if isinstance(node, ast.Name) and hops and (held := self._values.get(node.id)) is not None:
            return self._place(held, hops - 1)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and hops:
            left, right = self._place(node.left, hops - 1), self.fold(node.right)
            return f"{left or _UNCERTAIN}/{right if isinstance(right, str) else _UNCERTAIN}"
        if not isinstance(node, ast.Call) or not hops:
            text = self.fold(node)
            return text if isinstance(text, str) else None
        name = _last_name(node.func)
        if name == "home" and not node.args:
            return "~"
        if (
            name in ("get", "getenv")
            and len(node.args) == 2
            and self.resolve(node.func) in ("os.environ.get", "os.getenv")
        ):
            return self._place(node.args[1], hops - 1)  # where it is unless somebody said otherwise
        first = [node.func.value] if isinstance(node.func, ast.Attribute) and name != "Path" else []
        parts = [self._place(each, hops - 1) for each in (*first, *node.args)]
        return "/".join(each or _UNCERTAIN for each in parts)

    def _arguments(self, node: ast.Call) -> str:
        parts = []
        called = node.func.value if isinstance(node.func, ast.Attribute) else None
        on_path = called is not None and self.resolve(called) == "pathlib.Path()"
        for argument in [*([called] if on_path and called is not None else []), *node.args[:3]]:
            value = self.fold(argument)
            if value is None and self.resolve(argument) == "pathlib.Path()":
                value = self._place(argument)
            if value is None and isinstance(argument, ast.List | ast.Tuple):
                texts = [self.fold(each) for each in argument.elts[:6]]
                value = " ".join("…" if part is None else str(part) for part in texts)
            elif isinstance(value, list):
                value = " ".join(map(str, value[:6]))
            parts.append("…" if value is None else repr(value[:200] if isinstance(value, str | bytes) else value))
        return ", ".join(parts)


#: A name for something that is put together out of single characters.
_PUT_TOGETHER = pattern(
    r"\b(\w{1,80})(?:[ \t]{0,20}\+=|\.append\(|[ \t]{0,20}=(?!=))[^\n]{0,80}?(?:\bchr\(|\w[ \t]{0,9}\^[ \t]{0,9}\w)"
)


def _items(given: ast.expr) -> list[ast.expr]:
    if isinstance(given, ast.List | ast.Tuple | ast.Set):
        return given.elts
    return given.values if isinstance(given, ast.Dict) else [given]


def shown(name: str | None) -> str:
    return "something" if name is None else name.removeprefix("builtins.").removeprefix(LOCAL).removeprefix(NEAR)


def _writes(node: ast.Call, name: str) -> bool:
    place = 1 if name == "builtins.open" else 0
    mode: Any = (
        node.args[place]
        if len(node.args) > place
        else next((each.value for each in node.keywords if each.arg == "mode"), None)
    )
    return (
        isinstance(mode, ast.Constant)
        and isinstance(mode.value, str)
        and any(letter in mode.value for letter in "wax+")
    )


def _last_name(node: ast.expr) -> str:
    """What is called, where nobody knows what that is."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else "something"
