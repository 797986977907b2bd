"""YAML, read strictly and with lines: no types are guessed, nothing is constructed, no key stands twice.

Every scalar stays the text that it is (so that ``no`` is no boolean and ``2026-11-28`` no object) until somebody asks for a type. Anchors,
aliases, tags and merge keys are refused: nobody needs them in a pack, and they make small files large.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from difflib import get_close_matches
from typing import Any, Final, NoReturn, TypeVar

from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.errors import UsageError

__all__ = ["LARGEST", "Mapped", "Node", "PackError", "Problems", "documents", "each_of"]

#: Bytes of a file.
LARGEST: Final = 4 * 1024 * 1024
_DEEPEST: Final = 30
#: What PyYAML takes plain scalars for; here all of them stay text.
_PLAIN: Final = frozenset({"str", "int", "float", "bool", "null", "timestamp", "value"})

_Read = TypeVar("_Read")
_Other = TypeVar("_Other")


class PackError(UsageError):
    """A pack, its cases, or answers make no sense. ``problems`` are lines, each with file and line number."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n  ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Node:
    """A piece of a file.

    Attributes:
        value: text; a list of nodes; or a dictionary of text to nodes.
        line: from 1.
        file: as messages name it.
        quoted: a text that stood in quotes.
        name: of the field whose value it is; '' of what is no field's, such as an item of a list.
    """

    value: Any
    line: int
    file: str
    quoted: bool = False
    name: str = ""

    def refuse(self, message: str) -> NoReturn:
        """Raise with this place."""
        raise PackError(f"{self.file}:{self.line}: {message}")

    def _has_to(self, what: str) -> NoReturn:
        self.refuse(f"{f'{printable(self.name)[:60]!r} ' if self.name else ''}has to {what}")

    def text(self) -> str:
        """A text that is not empty."""
        if not isinstance(self.value, str) or not self.value.strip():
            self._has_to("be text")
        return str(self.value).strip()

    def word(self, words: Sequence[str]) -> str:
        """One of a few words."""
        found = self.text()
        if found not in words:
            self.refuse(f"{printable(found)[:60]!r} is none of {', '.join(words)}")
        return found

    def day(self) -> date:
        """A day, ``2026-11-28``."""
        text = self.text()
        try:
            if len(text) != 10:
                raise ValueError
            return date.fromisoformat(text)
        except ValueError:
            self.refuse(f"{printable(text)[:60]!r} is no day such as 2026-11-28")

    def truth(self) -> bool:
        """``true`` or ``false``."""
        return self.word(("true", "false")) == "true"

    def number(self) -> float:
        """A finite number."""
        text = self.text()
        try:
            found = float(text)
        except ValueError:
            found = float("nan")
        if not abs(found) < float("inf"):
            self.refuse(f"{printable(text)[:60]!r} is no number")
        return found

    def whole(self, least: int = 0) -> int:
        """A whole number."""
        text = self.text()
        if not (text.isascii() and text.lstrip("-").isdigit()) or len(text) > 18 or int(text) < least:
            self.refuse(f"{printable(text)[:60]!r} is no whole number of at least {least}")
        return int(text)

    def items(self) -> list[Node]:
        """A list."""
        if not isinstance(self.value, list):
            self._has_to("be a list")
        return list(self.value)

    def texts(self) -> tuple[str, ...]:
        """A list of texts."""
        return tuple(each.text() for each in self.items())

    def mapped(self) -> Mapped:
        """An object; the caller ends it."""
        if not isinstance(self.value, dict):
            self._has_to("have fields")
        return Mapped(self)


class Mapped:
    """The fields of an object, taken one by one; :meth:`end` refuses what nobody took."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self._left: dict[str, Node] = dict(node.value)
        self._all = tuple(self._left)

    def may(self, name: str) -> Node | None:
        """A field that may be there."""
        return self._left.pop(name, None)

    def take(self, name: str) -> Node:
        """A field that has to be there."""
        found = self.may(name)
        if found is None:
            near = get_close_matches(name, self._left, 1, 0.8)
            hint = (
                f"; is it {printable(near[0])[:60]!r} in line {self._left[near[0]].line} that is meant?" if near else ""
            )
            self.node.refuse(f"{name!r} is missing{hint}")
        return found

    def may_text(self, name: str) -> str:
        """A text, or '' where it is not there."""
        found = self.may(name)
        return "" if found is None else found.text()

    def rest(self) -> Iterator[tuple[str, Node]]:
        """All that is left, in order."""
        while self._left:
            name = next(iter(self._left))
            yield name, self._left.pop(name)

    def end(self, *known: str) -> None:
        """Refuse what nobody took. ``known`` are names that may be meant, for the message."""
        for name, node in self._left.items():
            hint = _near(name, [each for each in known if each not in self._all])
            node.refuse(f"there is no field {printable(name)[:60]!r}{hint}")


def _near(name: str, known: Sequence[str]) -> str:
    found = get_close_matches(name, known, 1, 0.6)
    return f"; did you mean {found[0]!r}?" if found else ""


def each_of(nodes: Sequence[Node], read: Callable[[Node], _Read]) -> tuple[_Read, ...]:
    """Every node as ``read`` takes it.

    Raises:
        PackError: with the problems of all of them, and not of the first alone.
    """
    found: list[_Read] = []
    problems: list[str] = []
    for node in nodes:
        try:
            found.append(read(node))
        except PackError as error:
            problems += error.problems
    if problems:
        raise PackError(*problems)
    return tuple(found)


class Problems:
    """Takes what several parts say of their mistakes, so that whoever wrote them sees all of them at once."""

    def __init__(self) -> None:
        self._found: list[str] = []

    def of(self, read: Callable[[], _Read], otherwise: _Other) -> _Read | _Other:
        """What ``read`` gives, or ``otherwise`` where it raises :class:`PackError`."""
        try:
            return read()
        except PackError as error:
            self._found += error.problems
            return otherwise

    def end(self) -> None:
        """No part is left.

        Raises:
            PackError: one of them had a problem; with those of all.
        """
        if self._found:
            raise PackError(*self._found)


def documents(data: bytes, file: str) -> list[Node]:
    """The documents of a file.

    Raises:
        PackError: it is no such YAML; with the line.
    """
    import yaml

    if len(data) > LARGEST:
        raise PackError(f"{file}: has more than {LARGEST} bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise PackError(f"{file}:{line}: is no UTF-8") from None

    class _Loader(yaml.SafeLoader):
        def compose_node(self, parent: Any, index: Any) -> Any:
            event = self.peek_event()  # type: ignore[no-untyped-call]
            anchor = getattr(event, "anchor", None)
            if anchor is not None:
                sign, what = ("*", "aliases") if isinstance(event, yaml.AliasEvent) else ("&", "anchors")
                at = event.start_mark.line + 1
                raise PackError(f"{file}:{at}: {what} ({sign}{printable(anchor)[:40]}) are not taken; write it out")
            return super().compose_node(parent, index)

    found = []
    try:
        loader = _Loader(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise PackError(
            f"{file}:{line}: holds the character U+{ord(text[error.position]):04X}, which YAML does not take; write it out or leave it out"
        ) from None
    try:
        while loader.check_node():
            found.append(_Walk(file).node(loader.get_node(), 0))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = 1 if mark is None else mark.line + 1
        said = printable(str(error.problem or error.context))[:200]
        raise PackError(
            f"{file}:{line}: is no YAML: {said}; look at the indentation, colons and quotes of this line and of the one before"
        ) from None
    except RecursionError:
        raise PackError(f"{file}: nested more than {_DEEPEST} deep") from None
    except yaml.YAMLError as error:
        raise PackError(f"{file}: is no YAML: {printable(str(error))[:200]}") from None
    finally:
        loader.dispose()
    return found


class _Walk:
    def __init__(self, file: str) -> None:
        self._file = file

    def node(self, found: Any, depth: int) -> Node:
        import yaml

        line = found.start_mark.line + 1
        if depth > _DEEPEST:
            raise PackError(f"{self._file}:{line}: nested more than {_DEEPEST} deep")
        if isinstance(found, yaml.ScalarNode):
            if found.tag.removeprefix("tag:yaml.org,2002:") not in _PLAIN:
                raise PackError(f"{self._file}:{line}: tags are not taken: {printable(found.tag)[:60]!r}")
            return Node(found.value, line, self._file, found.style in ("'", '"', "|", ">"))
        if isinstance(found, yaml.SequenceNode):
            if found.tag != "tag:yaml.org,2002:seq":
                raise PackError(f"{self._file}:{line}: tags are not taken: {printable(found.tag)[:60]!r}")
            return Node([self.node(each, depth + 1) for each in found.value], line, self._file)
        if found.tag != "tag:yaml.org,2002:map":
            raise PackError(f"{self._file}:{line}: tags are not taken: {printable(found.tag)[:60]!r}")
        out: dict[str, Node] = {}
        for key, value in found.value:
            at = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise PackError(f"{self._file}:{at}: a field's name has to be text")
            if key.value in out:
                raise PackError(f"{self._file}:{at}: {printable(key.value)[:60]!r} stands twice")
            made = self.node(value, depth + 1)
            out[key.value] = Node(made.value, at, self._file, made.quoted, key.value)
        return Node(out, line, self._file)
