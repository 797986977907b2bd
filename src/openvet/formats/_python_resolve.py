"""What names stand for in one Python source: imports, assignments, attributes, items and results of calls.

Qualified names are text: ``os.system``; ``socket.socket()`` for what a call gives; ``<local>.f`` for a function of the
file itself; ``<near>.x.f`` for one of the file ``x.py`` beside it; ``os.?`` for some attribute of ``os``.
"""

from __future__ import annotations

import ast
from collections import ChainMap
from collections.abc import Iterable, MutableMapping
from typing import Any

from openvet.formats._python_fold import Folder
from openvet.formats._python_names import BUILTINS, capabilities

__all__ = ["LOCAL", "MOST_DEPTH", "NAMES", "NEAR", "UNKNOWN", "Function", "Names"]

LOCAL = "<local>."
#: What a relative import gives: code of a neighbouring file.
NEAR = "<near>."
UNKNOWN = "?"
MOST_DEPTH = 40
#: These give what a text names.
_BY_TEXT = frozenset({
    "pkgutil.resolve_name", "pydoc.locate", "hydra.utils.get_method", "hydra.utils.get_class", "hydra.utils.get_object", "hydra.utils.get_static_method",
    "django.utils.module_loading.import_string", "werkzeug.utils.import_string", "pydantic.ImportString",
})  # fmt: skip
_LONGEST_NAME = 200
Function = ast.FunctionDef | ast.AsyncFunctionDef
#: Steps that following names may take in all of one source.
_ALL_STEPS = 3_000_000
# a name out of one of these by a computed word has no honest use in a model
_CLOSED = frozenset({"os", "posix", "nt", "subprocess", "builtins", "pty", "runpy", "_posixsubprocess"})
#: The names of the module, as ``globals()`` gives them.
NAMES = "<names>"
#: Attributes of a function, a module or a frame that are the names of one, by which everything else is reached.
_SCOPES = {
    "__globals__": NAMES,
    "f_globals": NAMES,
    "f_locals": NAMES,
    "__builtins__": "builtins",
    "f_builtins": "builtins",
}
# what only the operating system's module has by these names: asked of something unknown, that is what it is
_OF_OS = frozenset(
    {
        "system",
        "popen",
        "execv",
        "execve",
        "execvp",
        "execvpe",
        "spawnv",
        "spawnvp",
        "spawnlp",
        "posix_spawn",
        "posix_spawnp",
        "startfile",
    }
)
# these give back what they are given, or items of it
_THROUGH = frozenset({"builtins.list", "builtins.tuple", "builtins.iter", "builtins.reversed", "builtins.sorted",
                      "builtins.next", "builtins.max", "builtins.min", "builtins.filter", "builtins.set",
                      "copy.copy", "copy.deepcopy", "builtins.staticmethod", "builtins.classmethod"})  # fmt: skip
_LISTINGS = frozenset({"items", "values"})
# what is asked of a path and gives a path again
_STILL_PATHS = frozenset({"home", "cwd", "joinpath", "resolve", "absolute", "expanduser", "parent", "with_name",
                          "with_suffix"})  # fmt: skip


class Names:
    """The names that are bound so far, and what can be said of an expression with them."""

    def __init__(self) -> None:
        self._known = capabilities()
        self._steps = _ALL_STEPS
        self._names: MutableMapping[str, str | None] = {}
        self._values: MutableMapping[str, ast.expr] = {}
        self._kept = 0
        #: names that the function being read declares global
        self._declared: set[str] = set()
        self._module_names = self._names
        #: what the names in functions stand for, for the functions inside those
        self._scopes: dict[str, tuple[MutableMapping[str, str | None], MutableMapping[str, ast.expr]]] = {}
        #: attributes to which something was assigned that matters, whatever the object
        self._attributes: dict[str, str] = {}
        self._functions: dict[str, Function | ast.Lambda] = {}
        self._folder = Folder(self._functions)
        self._classes: dict[str, ast.ClassDef] = {}
        #: names bound in the body of a class; the classes' methods by their own name; and those that need no call
        self._members: dict[str, dict[str, str | None]] = {}
        self._methods: dict[str, list[str]] = {}
        self._methods_of: dict[str, list[str]] = {}
        self._properties: set[str] = set()
        self._stars: list[str] = []

    @property
    def exhausted(self) -> bool:
        """Whether names or constants were too involved to be followed to their end."""
        return self._folder.exhausted or self._steps <= 0

    def fold(self, node: ast.AST) -> Any:
        """The constant that ``node`` is, or ``None``."""
        return self._folder.fold(node, self._values)

    def place_of(self, node: ast.expr) -> str | None:
        """The text of a path, as far as it can be said."""
        text = self.fold(node)
        return text if isinstance(text, str) else None

    def held(self, name: str) -> ast.expr | None:
        """The expression that was last assigned to ``name``."""
        return self._values.get(name)

    def led_from(self, name: str) -> list[ast.expr]:
        """The expressions from which ``name`` may come."""
        held = self._values.get(name)
        return [] if held is None or isinstance(held, ast.Name) else [held]

    def _set(self, name: str, value: str | None) -> None:
        (self._module_names if name in self._declared else self._names)[name] = value

    def _local_bases(self, name: str) -> list[str]:
        """The classes of this file of which ``name`` is made."""
        made = self._classes.get(name)
        resolved = (self.resolve(base) for base in (made.bases[:10] if made is not None else ()))
        return [base[len(LOCAL) :] for base in resolved if base is not None and base.startswith(LOCAL)]

    def resolve(self, node: ast.AST, depth: int = 0) -> str | None:
        """The qualified name that ``node`` stands for, as far as it can be known."""
        if depth > MOST_DEPTH or self._steps <= 0:
            return None
        self._steps -= 1
        if type(node) is ast.Constant:
            return None
        if isinstance(node, ast.Name):
            return self._of_name(node.id)
        if isinstance(node, ast.Attribute):
            return self._attribute_of(node, depth + 1)
        if isinstance(node, ast.Call):
            return self._result(node, depth + 1)
        if isinstance(node, ast.Subscript):
            return self._item(node, depth + 1)
        if isinstance(node, ast.Lambda):
            made = f"<lambda {node.lineno}:{node.col_offset}>"
            self._functions[made] = node
            return LOCAL + made
        if isinstance(node, ast.NamedExpr | ast.Await | ast.Starred):
            return self.resolve(node.value, depth + 1)
        if isinstance(node, ast.IfExp | ast.BoolOp):
            options: Iterable[ast.expr] = [node.body, node.orelse] if isinstance(node, ast.IfExp) else node.values
            names = [name for each in options if (name := self.resolve(each, depth + 1))]
            return next((name for name in names if self._known.of(name)), names[0] if names else None)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.Add):
            return self._path(self.resolve(node.left, depth + 1))
        if isinstance(node, ast.ListComp | ast.GeneratorExp | ast.SetComp):
            return self.resolve(node.elt, depth + 1)
        return None

    def _of_name(self, name: str) -> str | None:
        names = self._names
        for bound in names.maps if isinstance(names, ChainMap) else (names,):  # which ``in`` would go through twice
            if name in bound:
                return bound[name]
        if name == "__builtins__":
            return "builtins"
        if name in ("__loader__", "__spec__"):
            return name
        return f"builtins.{name}" if name in BUILTINS else None

    @staticmethod
    def _path(name: str | None) -> str | None:
        """A path joined with more of one is a path."""
        return "pathlib.Path()" if name is not None and name.startswith("pathlib.") else None

    def _attribute_of(self, node: ast.Attribute, depth: int) -> str | None:
        base = self.resolve(node.value, depth)
        held = self._attributes.get(node.attr)
        if held is not None and (base is None or base.startswith(LOCAL)):
            return held
        if base is not None:
            return self._member(base, node.attr) or self._attribute(base, node.attr)
        return _SCOPES.get(node.attr)

    def _member(self, base: str, name: str, depth: int = 0) -> str | None:
        """A name that the body of a class of this file bound, where it matters: ``run = os.system``."""
        if not base.startswith(LOCAL) or depth > 5:
            return None
        owner = base[len(LOCAL) :].removesuffix("()")
        held = self._members.get(owner, {}).get(name)
        if held is not None and held != f"{LOCAL}{owner}.{name}":
            return held
        if owner not in self._classes:
            return None
        inherited = (self._member(LOCAL + each, name, depth + 1) for each in self._local_bases(owner))
        return next((each for each in inherited if each), None)

    def _attribute(self, base: str, name: str) -> str:
        if name == "modules" and (base == "sys" or base.endswith(".sys")):
            return "sys.modules"
        if name in _SCOPES or (base == NAMES and name == "copy"):
            return _SCOPES.get(name, NAMES)
        if name == "__dict__" and not base.startswith(LOCAL):
            return f"{base}.__dict__"
        if name == "__call__":
            return base
        if name in ("__builtins__", "builtins"):
            return "builtins"
        if base.startswith("pathlib.") and name in _STILL_PATHS:
            return "pathlib.Path()"
        return self._known.from_carrier(f"{base}.{name}")

    def _result(self, node: ast.Call, depth: int) -> str | None:  # noqa: C901 - one line for each way to a name
        """What a call gives: a module, an attribute, or an object of what is called."""
        first = self.fold(node.args[0]) if node.args else None
        if isinstance(node.func, ast.Attribute) and isinstance(first, str):
            if node.func.attr == "load_module":  # of any loader
                return first
            if node.func.attr in ("__getattribute__", "__getattr__"):
                base = self.resolve(node.func.value, depth)
                return None if base is None else self._attribute(base, first)
        name = self.resolve(node.func, depth)
        if name is None:
            return None
        if (imported := self._imported(node, name, first)) is not None:
            return imported or None
        if name == "builtins.eval":
            return self._evaluated(first, depth) or f"{name}()"
        if name in ("builtins.getattr", "inspect.getattr_static", "object.__getattribute__",
                    "builtins.object.__getattribute__", "builtins.type.__getattribute__") and len(node.args) >= 2:  # fmt: skip
            return self._named(self.resolve(node.args[0], depth), node.args[1])
        if name in ("operator.getitem", "builtins.dict.get", "builtins.dict.__getitem__") and len(node.args) >= 2:
            return self._entry(self.resolve(node.args[0], depth), self.fold(node.args[1]))
        if name in ("builtins.vars", "builtins.globals", "builtins.locals"):
            base = self.resolve(node.args[0], depth) if node.args else None
            return f"{base}.__dict__" if base else NAMES
        if name == "inspect.getmembers" and node.args and (base := self.resolve(node.args[0], depth)):
            return f"{base}.__dict__.items()"
        if name.startswith(LOCAL) and isinstance(maker := self._functions.get(name[len(LOCAL) :]), ast.FunctionDef):
            return self._returned(maker, name[len(LOCAL) :], depth) or f"{name}()"
        if (
            name == "functools.reduce"
            and len(node.args) == 3
            and self.resolve(node.args[0], depth) == "builtins.getattr"
        ):
            base, path = self.resolve(node.args[2], depth), self.fold(node.args[1])
            for each in path if base is not None and isinstance(path, list | str) and len(path) < MOST_DEPTH else ():
                base = self._attribute(base or "", each) if isinstance(each, str) else None
            return base
        if name == "builtins.type" and len(node.args) == 1 and isinstance(node.args[0], ast.Lambda):
            return "types.FunctionType"
        if name == "functools.partial" and node.args:
            return self.resolve(node.args[0], depth)
        if name.startswith("pathlib.") and (
            name in ("pathlib.Path", "pathlib.Path()") or name.rpartition(".")[2] in _STILL_PATHS
        ):
            return "pathlib.Path()"
        if name == "builtins.dict" and node.args:
            base = self.resolve(node.args[0], depth)
            return (
                f"{base.split('.__dict__', 1)[0]}.__dict__" if base is not None and ".__dict__" in base else f"{name}()"
            )
        if name in _THROUGH and node.args:
            return self.resolve(node.args[-1], depth) or f"{name}()"
        if name in ("operator.attrgetter()", "operator.methodcaller()") and node.args:
            return self._got(node, depth)
        return self._looked_up(name, first) or f"{name}()"

    def _evaluated(self, text: Any, depth: int) -> str | None:
        """What ``eval`` gives for a constant text: ``eval('ex' + 'ec')``, ``eval("__import__('os')")``."""
        try:
            tree = ast.parse(text.strip(), mode="eval") if isinstance(text, str) and len(text) < _LONGEST_NAME else None
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        return self.resolve(tree.body, depth + 5) if tree is not None else None

    @staticmethod
    def _imported(node: ast.Call, name: str, first: Any) -> str | None:
        """The module that a call of an importer gives; empty where its name is computed; ``None`` for no importer."""
        if name in ("builtins.__import__", "importlib.__import__", "importlib._bootstrap._gcd_import"):
            listed = len(node.args) > 3 or any(keyword.arg == "fromlist" for keyword in node.keywords)
            if isinstance(first, str):
                return first if listed else first.split(".", 1)[0]
        if name in ("importlib.import_module", "importlib.reload"):
            return first if isinstance(first, str) else ""
        if name in _BY_TEXT and isinstance(first, str):
            return first.replace(":", ".")
        if name == "importlib.metadata.EntryPoint().load":
            made = node.func.value if isinstance(node.func, ast.Attribute) else None
            given = (
                [*made.args[1:2], *(each.value for each in made.keywords if each.arg == "value")]
                if isinstance(made, ast.Call)
                else []
            )
            named = next((each.value for each in given if isinstance(each, ast.Constant)), None)
            return named.replace(":", ".") if isinstance(named, str) else None
        return None

    def _looked_up(self, name: str, first: Any) -> str | None:
        """``sys.modules.get('os')``, ``vars(os).pop('system')``."""
        owner, _, method = name.rpartition(".")
        if method in ("get", "pop", "setdefault", "__getitem__") and isinstance(first, str):
            return self._entry(owner, first)
        if method in _LISTINGS and owner.endswith(".__dict__"):
            return f"{owner}.{method}()"
        return None

    def _returned(self, maker: ast.FunctionDef, owner: str, depth: int) -> str | None:
        """What the first ``return`` of a function that can be known gives."""
        waiting: list[ast.AST] = list(reversed(maker.body[:200]))
        for _ in range(400):
            if not waiting:
                return None
            node = waiting.pop()
            if isinstance(node, ast.Return) and node.value is not None:
                if isinstance(node.value, ast.Name) and f"{owner}.{node.value.id}" in self._functions:
                    return f"{LOCAL}{owner}.{node.value.id}"
                if given := self.resolve(node.value, depth + 10):
                    return given
            elif isinstance(node, ast.If | ast.Try | ast.With | ast.For | ast.While):
                waiting.extend(reversed(node.body[:50]))
        return None

    def _named(self, base: str | None, attribute: ast.expr) -> str | None:
        """``getattr(base, attribute)``."""
        name = self.fold(attribute)
        if isinstance(name, str):
            if base is not None:
                return self._attribute(base, name)
            return _SCOPES.get(name) or (f"os.{name}" if name in _OF_OS else None)
        return f"{base}.{UNKNOWN}" if base in _CLOSED else None

    def _got(self, node: ast.Call, depth: int) -> str | None:
        """``attrgetter('system')(os)``."""
        maker = node.func
        if not isinstance(maker, ast.Call) or not maker.args:
            return None
        attribute = self.fold(maker.args[0])
        base = self.resolve(node.args[0], depth)
        return self._attribute(base, attribute) if base and isinstance(attribute, str) else None

    def _item(self, node: ast.Subscript, depth: int) -> str | None:
        key = self.fold(node.slice)
        held = self._values.get(node.value.id, node.value) if isinstance(node.value, ast.Name) else node.value
        if isinstance(held, ast.List | ast.Tuple) and isinstance(key, int) and -len(held.elts) <= key < len(held.elts):
            return self.resolve(held.elts[key], depth)
        if isinstance(held, ast.Dict):
            self._steps -= len(held.keys)
            for name, value in zip(held.keys, held.values, strict=True):
                if name is not None and key is not None and self.fold(name) == key:
                    return self.resolve(value, depth)
        return self._entry(self.resolve(node.value, depth), key)

    def _entry(self, base: str | None, key: Any) -> str | None:
        """``base[key]``."""
        if base is None:
            return None
        module = base.split(".__dict__", 1)[0]
        if base.endswith((".__dict__.values()", ".__dict__.items()")):
            return f"{module}.{UNKNOWN}" if module in _CLOSED else None
        if not isinstance(key, str):
            return base if base.endswith(f".{UNKNOWN}") else None
        if base == "sys.modules":
            return key
        if base == NAMES:
            return "builtins" if key == "__builtins__" else self._names.get(key)
        if base == "builtins" or base.endswith(".__dict__") or base.startswith("ctypes."):
            return self._attribute(base.removesuffix(".__dict__"), key)
        return None

    def listed(self, node: ast.AST) -> str | None:
        """What the items of ``node`` are, where it lists a module's names: ``os.__dict__.values()`` gives ``os.?``."""
        name = self.resolve(node)
        return self._entry(name, None) if name is not None and ".__dict__." in name else None
