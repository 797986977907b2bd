"""Code that a source gives as text, and callables that it reaches by names that it puts together.

What ``exec`` and ``eval`` get is read as a source of its own where it is constant, and told where it is decoded, put together character by
character, or computed in any other way.
"""

from __future__ import annotations

import ast
import re
from itertools import islice

from openvet.core.pattern import pattern
from openvet.formats._python_calls import last_name
from openvet.formats._python_deferred import spelled
from openvet.formats._python_ends import ends
from openvet.formats._python_nodes import FUNCTIONS, children, walk
from openvet.formats._python_queue import Queue
from openvet.formats._python_record import MOST_LOOKED_AT, NOTHING, shown
from openvet.formats._python_resolve import LOCAL, NEAR, UNKNOWN
from openvet.formats._python_told import BESIDE, DESCRIBED

__all__ = ["GivenCode"]

#: What reads a file of which only the place is computed; and a place that is not the package's own.
_READING = frozenset(
    {"open", "read", "read_text", "compile", "join", "dirname", "abspath", "realpath", "Path", "resolve", "joinpath"}
)
_LEAVES = pattern(r"^[/~\\]|^[A-Za-z]:|\.\.|://|^(?:tmp|temp)\b")
#: The command line is changed, or has another name by which it may be.
_ARGV_CHANGED = pattern(
    r"\bargv\b(?:\[[^\]\n]{0,60}\])?[ \t]{0,4}\+?=(?!=)|\bargv\.(?:append|extend|insert|__\w{1,20}__)|=[ \t]{0,4}(?:sys\.)?argv[ \t]{0,4}(?:$|[;#])|\bsys,|\bargv as\b",
    re.MULTILINE,
)
#: The keys of a model's description under which its words stand, which are examined there.
_DESCRIBES = frozenset({"backbone", "head", "activation"})
#: A name for something that is put together out of single characters.
_PUT_TOGETHER = pattern(
    r"\b(\w{1,80})(?:[ \t]{0,20}\+=|\.append\(|[ \t]{0,20}=(?!=))[^\n]{0,80}?(?:\bchr\(|\w[ \t]{0,9}\^[ \t]{0,9}\w)"
)
_MOST_NESTED = 3
_MOST_ASKED = 10
_MOST_GROWN = 1_000
_LONGEST_LOOKED_AT = 1 << 20


class GivenCode(Queue):
    """What the calls of one source give as text to be run."""

    def __init__(self, text: str, most: int, depth: int = 0) -> None:
        super().__init__(text, most, depth)
        self._grown: set[str] | None = None

    def _given_code(self, node: ast.Call, name: str, when: str) -> None:
        """What ``exec`` or ``eval`` gets: decoded; or constant, and so as readable as the rest; or computed."""
        if node.args and name in ("builtins.exec", "builtins.eval", "types.FunctionType", "types.CodeType"):
            self._decoded_code(node, name, when)
        if node.args and name in ends().runs.code:
            code = self.fold(node.args[0])
            if isinstance(code, bytes):
                code = code.decode("utf-8", "replace")
            if isinstance(code, str) and self._depth < _MOST_NESTED and self._nested(code.strip(), when, node.lineno):
                return
        if name == "builtins.exec" and node.args and self._is_beside(node.args[0]):
            self._use(node, name, "import", when, f"{BESIDE}{self._named_beside(node.args[0])}")
            return
        if name == "builtins.exec" and node.args and self._is_of_command_line(node.args[0]):
            self._use(node, name, "import", when, "runs a source that its user names when starting it")
            return
        detail = DESCRIBED if name == "builtins.eval" and self._is_of_description(node) else self._arguments(node)
        self._use(node, name, "code", when, detail)

    def _is_beside(self, code: ast.expr) -> bool:
        """Whether ``exec`` gets the text of a source of this package, as ``setup.py`` reads its version: that source is examined itself."""
        parts = self.all_of(code)
        texts = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
        calls = {
            last_name(part.func) for part in parts if isinstance(part, ast.Call) and self.resolve(part) != "os.path"
        }
        if ("open" not in calls and "read_text" not in calls) or not calls <= _READING or len(parts) > MOST_LOOKED_AT:
            return False
        if not any(text.endswith(".py") for text in texts) or any(_LEAVES.search(text) for text in texts):
            return False
        if any(isinstance(part, ast.Attribute) and part.attr in ("environ", "argv", "stdin") for part in parts):
            return False
        names = {part.id for part in parts if isinstance(part, ast.Name)} - {"__file__", "compile", "getattr", "open"}
        modules = ("os", "io", "codecs", "pathlib")
        return all((self._names.get(each) or "").split(".", 1)[0] in modules or self._is_known(each) for each in names)

    def _named_beside(self, code: ast.expr) -> str:
        """The name of the source that lies beside this one, without its folder and ending."""
        texts = [
            each.value for each in self.all_of(code) if isinstance(each, ast.Constant) and isinstance(each.value, str)
        ]
        return next((each for each in texts if each.endswith(".py")), "").rpartition("/")[2].removesuffix(".py")

    def _is_of_command_line(self, code: ast.expr) -> bool:
        """Whether ``exec`` gets the text of a file that the command line names, as it is: ``exec(open(sys.argv[1]).read())``."""
        named = False
        if _ARGV_CHANGED.search(self._text) is not None or "getattr" in self._text or "__dict__" in self._text:
            return False
        for part, scopes in islice(self.flows.into([code], self.scopes), MOST_LOOKED_AT):
            if isinstance(part, ast.Attribute):
                if self.resolve(part) != "sys.argv":
                    return False
                named = True
            elif isinstance(part, ast.Call):
                own = self.resolve(part.func) in ("builtins.open", "io.open", "builtins.compile", "pathlib.Path")
                if not own and last_name(part.func) not in ("read", "read_text"):
                    return False
            elif isinstance(part, ast.Name):
                # a name that nothing binds here may be anything
                if self.resolve(part) in ("sys", "builtins.open", "builtins.compile"):
                    continue
                if not self.led_from(part.id) or any(part.id in self._parameters_of(each) for each in scopes):
                    return False
            elif isinstance(part, ast.Constant):
                if part.value not in ("r", "rb", "exec", "utf-8", 0, 1, 2, None, ""):
                    return False
            elif not isinstance(part, ast.Subscript | ast.Slice):
                return False
        return named

    def _is_known(self, name: str) -> bool:
        """Whether a name is bound in this source, and comes from no parameter."""
        return any(
            each is not NOTHING and not (isinstance(each, ast.Constant) and each.value is None)
            for each in self.led_from(name)
        ) and not any(name in self._parameters_of(scope) for scope in self._scopes_around())

    @staticmethod
    def _parameters_of(scope: ast.AST) -> set[str]:
        """The parameters of a function."""
        return (
            {each.arg for each in walk(scope.args) if isinstance(each, ast.arg)}
            if isinstance(scope, FUNCTIONS)
            else set()
        )

    def _is_of_description(self, node: ast.Call) -> bool:
        """Whether ``eval`` gets a word of a YOLO model's description, as ``parse_model`` of YOLOv5 and Ultralytics looks it up."""
        function = self._functions.get(self._owner)
        text = node.args[0] if len(node.args) == 1 else None
        if function is None or not isinstance(text, ast.Name):
            return False
        tables, passed = self.bindings.origins(text.id, function)
        keys: set[str] = set()
        for part in (each for expression in passed for each in walk(expression)):
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
                for each in walk(expression.generators[0].iter) if isinstance(each, ast.Constant)]  # fmt: skip

    def _decoded_code(self, node: ast.Call, name: str, when: str) -> None:
        waiting: list[ast.AST] = [node.args[0]]
        followed: set[str] = set()
        asked: set[str] = set()
        for _ in range(MOST_LOOKED_AT):
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
            waiting.extend(children(part))

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
        for part in walk(tree):  # functions of this file that the text calls
            if isinstance(part, ast.Name) and (self._names.get(part.id) or "").startswith((LOCAL, NEAR)):
                self._queue(self._names[part.id], when, line)
        for _, name, capability, moment, detail, _owner in inner.uses:
            self._record(line, name, capability, moment, detail)
        return True

    # names that are put together

    def _hidden_name(self, node: ast.Call, when: str) -> None:
        """A call of something dangerous by a name that is put together: ``getattr(os, x)()``."""
        called = node.func
        if (word := spelled(self, called)) is not None:
            self._use(node, f"{UNKNOWN}.{word}", "hidden", when, "calls what a name gives that it puts together")
            return
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
