"""What one call, or one mention of a callable, in a Python source does: the judging half of the walk.

:mod:`openvet.formats._python_tree` goes through the statements and says when they run; this says what matters in them.
"""

from __future__ import annotations

import ast
import sys
from typing import Any

from openvet.core.pattern import pattern
from openvet.formats._chosen_names import CHOSEN, is_chosen
from openvet.formats._python_attacks import Attacks
from openvet.formats._python_callers import is_callers
from openvet.formats._python_calls import arguments_of, last_name
from openvet.formats._python_deferred import deferred
from openvet.formats._python_ends import ends
from openvet.formats._python_given_code import GivenCode
from openvet.formats._python_hiding import hides, unpickles
from openvet.formats._python_processes import LONGEST_COMMAND
from openvet.formats._python_queue import Waiting
from openvet.formats._python_record import UNCERTAIN, shown
from openvet.formats._python_resolve import LOCAL, NAMES, NEAR, UNKNOWN
from openvet.formats._python_secrets import taken
from openvet.formats._python_startup import starts_again
from openvet.formats._python_told import CALLERS

__all__ = ["Uses"]

#: These call a function that they are given, now or soon.
_RUNNING_METHODS = frozenset({"submit", "map", "apply", "apply_async", "call_soon", "run_in_executor", "callback", "sort",
                              "call_later", "call_at", "add_done_callback", "imap", "imap_unordered", "starmap",
                              "set_debug", "register"})  # fmt: skip
_RUNNING_PACKAGES = frozenset({"numpy", "joblib", "tqdm", "toolz", "more_itertools"})
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
#: They take the code that lies beside the model, which is judged by itself.
_FROM_BESIDE = (".from_config", "._from_config")
#: Objects that ask nobody by themselves, and their methods that do.
_UNSENT = frozenset(
    {
        "requests.Session",
        "requests.session",
        "httpx.Client",
        "httpx.AsyncClient",
        "aiohttp.ClientSession",
        "urllib3.PoolManager",
        "urllib.request.Request",
        "requests.Request",
    }
)
#: By these a project lets its own settings compute something: ``OmegaConf.register_new_resolver("eval", eval)``, as users of Hydra write.
_RESOLVERS = ("omegaconf.OmegaConf.register_new_resolver", "omegaconf.OmegaConf.register_resolver")
#: Functions by which libraries of models fetch weights.
_WEIGHTS_FROM = frozenset({
    "torch.hub.download_url_to_file", "torchvision.datasets.utils.download_url", "torchvision.datasets.utils.download_and_extract_archive",
    "keras.utils.get_file", "tensorflow.keras.utils.get_file", "tf_keras.utils.get_file", "pooch.retrieve", "gdown.download", "gdown.download_folder",
})  # fmt: skip
#: A key of what is given, and the methods by which it is taken out.
_KEY = pattern(r"\w{1,40}")
_TAKES = frozenset({"get", "pop", "strip"})
#: What is called with what somebody asks: what a loader calls may be given what a configuration says.
_ASKED = frozenset(
    {"__call__", "handler", "handle", "forward", "predict", "inference", "preprocess", "input_fn", "predict_fn"}
)
#: Keywords under which a loader is told of a repository.
_REPOSITORY = frozenset(
    {
        "pretrained_model_name_or_path",
        "model",
        "model_name",
        "model_id",
        "model_path",
        "path",
        "repo_id",
        "repo_or_dir",
        "name",
    }
)
#: What is got from an answer asks nobody: ``requests.get(x).headers.get(y)``.
_ANSWER = pattern(r"\.(?:get|post|put|patch|delete|head|request|urlopen)\(\)\.")


def _takes_itself(node: ast.Call) -> bool:
    """``from_pretrained(self.config._name_or_path, ...)``: the repository that the model was loaded from, which is trusted already."""
    first = node.args[0] if node.args else None
    return isinstance(first, ast.Attribute) and first.attr in ("_name_or_path", "name_or_path")


class Uses(GivenCode):
    """Records what matters in the calls of one source."""

    def __init__(self, text: str, most: int, depth: int = 0) -> None:
        super().__init__(text, most, depth)
        self._quiet: set[int] = set()
        self._attacks = Attacks(self, text)

    # calls

    def _call(self, node: ast.Call, when: str) -> None:
        name = self.resolve(node.func)
        if name == "operator.methodcaller()" and node.args:
            name = self._got(node, 0) or name
        arguments = arguments_of(node)
        if name == "builtins.setattr" and len(node.args) == 3 and isinstance(key := self.fold(node.args[1]), str):
            target = ast.Attribute(node.args[0], key, ast.Store())
            self._replaced(target, node.args[2], when)
            self._named_by_item(target, node.args[2])
        if self._secretive and (secret := taken(self, node, name or "", self._known.of(name or ""), self._flowing)):
            self._use(node, name or f"something.{_written(node.func)}", "secret", when, secret)
        if name is None:
            self._hidden_name(node, when)
            self._unknown_call(node, when)
        else:
            self._named_call(node, name, when)
            self._queue(name, when, node.lineno, self._bound(node, name), node)
        if said := self._attacks.call(node, name, when):
            self._use(node, name or f"something.{_written(node.func)}", "attack", when, said)
        if self._trusts(node) and not (name or "").endswith(_FROM_BESIDE) and not _takes_itself(node):
            self._use(node, shown(name) if name else _written(node.func), "trust", when, self._trusted(node))
        plain = "" if name is None else name.removeprefix("builtins.")
        if plain in _ASKING and not (plain == "type" and len(arguments) > 1):
            self._quiet.update(id(argument) for argument in arguments)
            return
        if name in ("dataclasses.field", "attr.ib", "attrs.field", "pydantic.Field", "collections.defaultdict"):
            for keyword in node.keywords:  # called for each object of the class
                if keyword.arg in ("default_factory", "factory"):
                    self._queue(self.resolve(keyword.value), "construction" if when != "call" else when, node.lineno)
        self._judge_deferred(node, when)
        self._use_arguments(node, name, arguments, when)

    def _judge_deferred(self, node: ast.Call, when: str) -> None:
        """What somebody is made to call later is judged as a call."""
        later = deferred(self, node)
        if later is None:
            return
        inner = self.resolve(later.func) or ""
        shown_as = inner or f"something.{_written(later.func)}"
        if said := self._attacks.call(later, inner or None, when):
            self._use(node, shown_as, "attack", when, said)
        if self._secretive and (secret := taken(self, later, inner, self._known.of(inner), self._flowing)):
            self._use(node, shown_as, "secret", when, secret)

    def _use_arguments(self, node: ast.Call, name: str | None, arguments: list[ast.expr], when: str) -> None:
        """Callables among what a call is given."""
        runs = self._runs_given(node, name)
        if name is not None and name.endswith(_RESOLVERS) and "${" not in self._text:
            return  # the texts that it evaluates stand in settings, where they are examined (hub/config-expression)
        for argument in arguments:
            given = argument.value if isinstance(argument, ast.Starred) else argument
            for each in _items(given):
                if (
                    not isinstance(each, ast.Call | ast.Constant)
                    and self._known.of(self.resolve(each) or "") == "process"
                ):
                    self._attacks.scripts.handed(node, self._handed_words(arguments), when)
                self._use_callable(each, when, f"is handed to {shown(name)}", local=runs)

    def _handed_words(self, arguments: list[ast.expr]) -> str:
        """The constant texts among the arguments of a call that is given a callable to call with them."""
        words: list[str] = []
        for argument in arguments:
            value = self.fold(argument)
            parts = argument.elts if value is None and isinstance(argument, ast.List | ast.Tuple) else []
            for each in value if isinstance(value, list) else [value, *map(self.fold, parts)]:
                words += [each] if isinstance(each, str) else []
        return " ".join(words)[:LONGEST_COMMAND]

    def _runs_given(self, node: ast.Call, name: str | None) -> bool:
        """Whether a function that is handed over here is called."""
        if name is not None and name.split(".", 1)[0] in ends().listening:
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

    def _fetches_what_is_given(self, node: ast.Call, name: str) -> bool:
        """Whether a loader of weights fetches from where its own caller says, as libraries of models do."""
        return name in _WEIGHTS_FROM and not isinstance(self.fold(node.args[0]) if node.args else None, str)

    def _is_callers(self, node: ast.Call) -> bool:
        """Whether the address that is asked is what whoever uses the model gives, as it is: ``requests.get(data["inputs"])``."""
        function = self._functions.get(self._owner)
        if function is None:
            return False
        if not node.args or self._owner.rpartition(".")[2] not in _ASKED:
            return is_callers(self, node)
        parts = self.all_of(node.args[0])
        names = {part.id for part in parts if isinstance(part, ast.Name)} - {"self"}
        plain = all(
            isinstance(part, ast.Name | ast.Subscript | ast.Call | ast.Attribute | ast.Constant | ast.Load)
            for part in parts
        )
        keys = all(
            isinstance(part.value, int) or _KEY.fullmatch(str(part.value))
            for part in parts
            if isinstance(part, ast.Constant)
        )
        calls = {last_name(part.func) for part in parts if isinstance(part, ast.Call)}
        plain = bool(names) and plain and keys and calls <= _TAKES and names <= self._parameters_of(function)
        return plain or is_callers(self, node)

    def _trusted(self, node: ast.Call) -> str:
        """Whose code a call lets run, as far as that can be said: what a variable of the environment stands for where nobody sets it."""
        named = [each.value for each in node.keywords if each.arg in _REPOSITORY]
        at = int(last_name(node.func) == "pipeline")  # what is asked of it stands first
        first = next(iter([*named, *node.args[at : at + 1]]), None)
        place = self.place_of(first) if first is not None else None
        return repr(place) if place and UNCERTAIN not in place else UNCERTAIN

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

    def _named_by_item(self, target: ast.Attribute | ast.Subscript, value: ast.expr) -> None:
        """``builtins.q = eval`` and ``globals()['q'] = eval`` bind a name of the module."""
        owner = (self.resolve(target.value) or "").removesuffix(".__dict__")
        key = target.attr if isinstance(target, ast.Attribute) else self.fold(target.slice)
        if owner in ("builtins", NAMES) and isinstance(key, str):
            self._module_names[key] = self.resolve(value)

    def _named_call(self, node: ast.Call, name: str, when: str) -> None:
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
        elif hidden := hides(self, node, name, capability, when):
            self._use(node, hidden[0], hidden[1], when, hidden[2])
        elif capability == "process":
            self._use(node, name, self._kind(node, name), when, self._arguments(node))
        elif capability == "file" or (
            (name == "builtins.open" or name == "pathlib.Path().open") and _writes(node, name)
        ):
            startup = starts_again(self, node)
            if startup:
                self._attacks.scripts.starts_again(node, name, when)
            detail = shown(startup) if startup else self._arguments(node)
            self._use(node, name, "startup" if startup else "file", when, detail)
        elif capability is not None:
            if name not in _UNSENT and not self._fetches_what_is_given(node, name):
                given = capability == "network" and when != "import" and self._is_callers(node)
                self._use(node, name, capability, when, CALLERS if given else self._arguments(node))
        elif (
            "()" in name
            and self._known.of(name.partition("()")[0]) == "network"
            and name.rpartition(".")[2] in ends().sends.asks
            and not _ANSWER.search(name)
        ):
            given = when != "import" and self._is_callers(node)
            self._use(node, name, "network", when, CALLERS if given else self._arguments(node))
        elif name in self._known.loaders and unpickles(self, node, name):
            self._use(node, name, "load", when, self._arguments(node))

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
        if self._known.of(name) == "process" or name in ends().runs.code:
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


def _items(given: ast.expr) -> list[ast.expr]:
    if isinstance(given, ast.List | ast.Tuple | ast.Set):
        return given.elts
    return given.values if isinstance(given, ast.Dict) else [given]


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


def _written(node: ast.expr) -> str:
    """What a call that cannot be resolved is shown as."""
    return last_name(node) or "something"
