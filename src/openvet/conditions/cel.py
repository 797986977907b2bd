"""CEL by ``cel-expr-python``, the C++ runtime of the language's authors (extra ``policy``).

Conditions are compiled against typed names. A name without a value, an error and an exhausted budget give :class:`Unknown` and never a
truth value; what the rest of a condition settles (``true || x``, ``false && x``) is settled, whatever ``x`` is.

Source: CEL language definition (https://github.com/cel-expr/cel-spec), "Logical Operators" for how errors are absorbed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

from openvet.conditions.names import used_names
from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.core.text import printable
from openvet.errors import OpenVetError, UsageError

__all__ = ["LONGEST", "TYPES", "Condition", "ConditionError", "Environment", "Unknown", "Value"]

#: Types of names and of what conditions give.
TYPES: Final = (
    "bool",
    "int",
    "double",
    "string",
    "timestamp",
    "list(string)",
    "list(map)",
    "map(string, string)",
    "map(string, double)",
)
#: Characters of a condition.
LONGEST: Final = 8_000

Value = Any  # bool, int, float, str, datetime with a zone, list or dict of these

_PLACE: Final = pattern(r"ERROR: <input>:(-?\d+):(-?\d+): ([^\n]*)")


class ConditionError(OpenVetError):
    """A condition that makes no sense. ``column`` counts from 1; 0 where it is about the whole."""

    def __init__(self, message: str, column: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.column = column


@dataclass(frozen=True, slots=True)
class Unknown:
    """No value, and why.

    Attributes:
        missing: names that the condition uses and that have no value, in order.
        error: what went wrong in computing it; empty where names are missing.
    """

    missing: tuple[str, ...] = ()
    error: str = ""


class Environment:
    """Names with their types; what is compiled in it can use no others.

    Args:
        names: name, perhaps with dots, -> one of :data:`TYPES`.

    Raises:
        UsageError: the extra is missing.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = dict(names)

    @property
    def names(self) -> Mapping[str, str]:
        """The names and their types."""
        return self._names

    def declare(self, name: str, type_: str) -> None:
        """One more name for what is compiled from now on."""
        self._names[name] = type_
        self.__dict__.pop("_env", None)

    @cached_property
    def _env(self) -> Any:
        cel = _engine()
        kinds = {
            "bool": cel.Type.BOOL,
            "int": cel.Type.INT,
            "double": cel.Type.DOUBLE,
            "string": cel.Type.STRING,
            "timestamp": cel.Type.TIMESTAMP,
            "list(string)": cel.Type.List(cel.Type.STRING),
            "list(map)": cel.Type.List(cel.Type.Map(cel.Type.STRING, cel.Type.DYN)),
            "map(string, string)": cel.Type.Map(cel.Type.STRING, cel.Type.STRING),
            "map(string, double)": cel.Type.Map(cel.Type.STRING, cel.Type.DOUBLE),
        }
        return cel.NewEnv(variables={name: kinds[each] for name, each in self._names.items()})

    def compile(self, text: str, *wanted: str) -> Condition:
        """Compile a condition.

        Args:
            text: CEL.
            wanted: the types that it may have; none given allows all of :data:`TYPES` but lists of maps.

        Raises:
            ConditionError: it is no CEL, uses a name that is not declared, mixes types, or has another type than is wanted.
            UsageError: the extra is missing.
        """
        if len(text) > LONGEST:
            raise ConditionError(f"a condition has at most {LONGEST} characters")
        if not text.strip():
            raise ConditionError("a condition is empty")
        try:
            compiled = self._env.compile(text)
        except (RuntimeError, ValueError) as error:
            raise _refusal(str(error)) from None
        kind = _TYPE_WORDS.get(str(compiled.return_type()), str(compiled.return_type()))
        if kind not in (wanted or _RESULTS):
            raise ConditionError(f"it gives {kind}, and has to give {' or '.join(wanted or _RESULTS)}")
        return Condition(text, kind, used_names(text, self._names), compiled)


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled condition.

    Attributes:
        text: as it was written.
        type: of what it gives, one of :data:`TYPES`.
        names: the declared names that it uses, in order.
    """

    text: str
    type: str
    names: tuple[str, ...]
    compiled: Any

    def evaluate(self, values: Mapping[str, Value]) -> Value | Unknown:
        """What it gives with these values; names that are not there have none."""
        try:
            result = self.compiled.eval(data={name: values[name] for name in self.names if name in values})
            found = result.plain_value() if _kind(result) != "ERROR" else None
        except (RuntimeError, ValueError, OverflowError) as error:  # an exhausted budget comes this way
            return Unknown(error=_sentence(str(error)))
        if found is None:
            missing = tuple(name for name in self.names if name not in values)
            return Unknown(missing) if missing else Unknown(error=_sentence(str(result.value())))
        # what a list is made of may be the keys of a map, and the runtime's maps have another order in every process
        return sorted(found) if self.type == "list(string)" else found


_TYPE_WORDS: Final = {
    "BOOL": "bool", "INT": "int", "DOUBLE": "double", "STRING": "string", "google.protobuf.Timestamp": "timestamp", "TIMESTAMP": "timestamp",
    "LIST<STRING>": "list(string)", "MAP<STRING, STRING>": "map(string, string)", "MAP<STRING, DOUBLE>": "map(string, double)",
}  # fmt: skip
_RESULTS: Final = ("bool", "int", "double", "string", "timestamp", "list(string)")


def _kind(result: Any) -> str:
    return str(result.type())


def _sentence(text: str) -> str:
    """An engine's message, without its own words for kinds of errors."""
    return printable(_bare(text.partition("\n")[0]).replace("Key not found in map : ", "there is no value for "))[:200]


def _bare(text: str) -> str:
    """``INVALID_ARGUMENT: divide by zero [INVALID_ARGUMENT]`` without these words."""
    start, colon, rest = text.partition(": ")
    if colon and start.isupper() and start.replace("_", "").isalpha():
        text = rest
    end = text.rstrip()
    return end[: end.rfind("[")].rstrip() if end.endswith("]") and end[end.rfind("[") + 1 : -1].isupper() else text


def _refusal(text: str) -> ConditionError:
    found = _PLACE.search(text)
    if found is None:
        return ConditionError(_sentence(text))
    message = _bare(found[3]).replace(" (in container '')", "")
    if message.startswith("undeclared reference to "):
        name = message.removeprefix("undeclared reference to ").strip("'")
        message = f"there is no name {name!r} (openvet policy facts lists them)"
    return ConditionError(printable(message)[:400], max(int(found[2]), 0))


def _engine() -> Any:
    try:
        from cel_expr_python import cel
    except ImportError:
        raise UsageError(
            'policy packs need CEL, which is an extra: pip install "openvet[policy]"; the built-in decision works without'
        ) from None
    return cel
