"""What a program names: references by module and name, by ``getattr`` of what was resolved or made, and by the codes of extensions."""

from __future__ import annotations

from abc import abstractmethod
from typing import Final

from openvet.core.text import printable, shorten
from openvet.formats.pickle import literals
from openvet.formats.pickle.evaluated import is_evaluator
from openvet.formats.pickle.state import State
from openvet.formats.pickle.values import (
    DICT,
    ENCODED,
    FROZENSET,
    LIST,
    LIT,
    PERSISTENT,
    REF,
    RESULT,
    SET,
    TUPLE,
    UNKNOWN,
    a_of,
    make,
    tag_of,
)

__all__ = ["Naming"]

#: Modules with names for the class of text that are written as classes are: ``typing.Text``, ``types.StringType``.
_NAMES_OF_TEXT: Final = frozenset({"builtins", "__builtin__", "six", "types", "typing"})
#: Classes of NumPy and SciPy whose names are written like those of functions.
_LOWER_CLASSES: Final = frozenset({
    *(f"{kind}_{what}" for kind in ("bsr", "coo", "csc", "csr", "dia", "dok", "lil") for what in ("matrix", "array")),
    "cKDTree", "gaussian_kde", "interp1d", "matrix", "ndarray", "recarray",
})  # fmt: skip
#: What a name may have of characters and of dots; more is no name that anybody gave to anything.
_NAME_CHARS: Final = 500
_NAME_DOTS: Final = 16
_PYTHON2: Final = 3  # protocols below this one have Python 2 names


class Naming(State):
    """One program and what it names."""

    @abstractmethod
    def evaluator_named(self) -> None:
        """Something was named that evaluates its arguments: every call of it, and every item set on what it gives, is looked at."""

    def reference(
        self,
        module: str,
        name: str,
        offset: int,
        opcode: str,
        *,
        kind: str = "global",
        via: str = "",
        variant: str = "",
    ) -> int:
        """The value that stands for ``module.name``: a reference, or something unknown where that can be no name."""
        if len(module) + len(name) > _NAME_CHARS or name.count(".") > _NAME_DOTS:
            shown = shorten(printable(f"{module} {name}"), 80)
            self.compute("name", f"a name of {len(module) + len(name)} characters: {shown}", offset, opcode)
            return make(UNKNOWN, 0, offset)
        index = self.references.intern(module, name, kind, variant, offset, opcode)
        ref = self.refs[index]
        if is_evaluator(module):
            self.evaluator_named()
        if via and via not in ref.via and len(ref.via) < 4:
            ref.via = (*ref.via, via)
        return make(REF, index, offset)

    def resolve(self, module: str, name: str, offset: int, opcode: str) -> int:
        """GLOBAL and its kin: maps Python 2 names as ``fix_imports`` does."""
        written = f"{module}.{name}"
        if self.protocol < _PYTHON2:
            from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING

            if (module, name) in NAME_MAPPING:
                module, name = NAME_MAPPING[module, name]
            elif module in IMPORT_MAPPING:
                module = IMPORT_MAPPING[module]
        value = self.reference(module, name, offset, opcode)
        if tag_of(value) != REF:
            return value
        ref = self.refs[a_of(value)]
        if ref.count == 1 and ref.qualified != written:
            ref.written = written
        return value

    def _no_text(self, value: int) -> bool:
        """Whether a value cannot be text, of which alone a name is taken: a container, a class, an instance of one."""
        if tag_of(value) not in (REF, RESULT):
            return tag_of(value) in (DICT, LIST, TUPLE, SET, FROZENSET)
        ref = self.refs[a_of(value)]
        last = ref.name.lstrip("_")
        written = (last[:1].isupper() and last.isidentifier() and not last.isupper()) or last in _LOWER_CLASSES
        return written and ref.kind == "global" and ref.module.partition(".")[0] not in _NAMES_OF_TEXT

    def stack_global(self, offset: int) -> None:
        name = self.pop(offset)
        module = self.pop(offset)
        index = self._names.get((module, name))
        if index is not None:
            self.refs[index].count += 1
            self.push(make(REF, index, offset))
            return
        module_text, name_text = self.text(module), self.text(name)
        if module_text is None or name_text is None:
            if self.strict and (self._no_text(module) or self._no_text(name)):
                self.soft("resolves a name that is no text", offset)
            self.compute("name", f"{self.show(module)} . {self.show(name)}", offset, "STACK_GLOBAL")
            if not all(tag_of(word) != LIT or literals.is_text(a_of(word)) for word in (module, name)):
                self.soft("resolves a name that is no text", offset)
            self.push(make(RESULT, 0, offset))
            return
        value = self.resolve(module_text, name_text, offset, "STACK_GLOBAL")
        if len(self._names) < 65_536 and tag_of(value) == REF:
            self._names[module, name] = a_of(value)
        self.push(value)

    def forget_names(self) -> None:
        self._names.clear()

    def extension(self, code: int, offset: int, opcode: str) -> None:
        index = self.extensions.get(code)
        self.compute("extension", f"copyreg extension code {code}", offset, opcode)
        self.push(make(RESULT, 0, offset) if index is None else make(REF, index, offset))

    def attribute(self, value: int, name: str, offset: int, via: str) -> int:
        """``getattr(value, name)``; ``name`` may be dotted as ``attrgetter`` allows."""
        tag = tag_of(value)
        opcode = via.rpartition(".")[2]
        if tag == REF:
            ref = self.refs[a_of(value)]
            if ref.kind in ("partial", "attrgetter", "itemgetter", "methodcaller"):
                if name == "func" and ref.target and ref.kind == "partial":
                    return ref.target
                if name == "__call__":
                    return value
                return self.reference("functools", f"{ref.kind}().{name}", offset, opcode, kind="method", via=via)
            if ref.kind == "method" and name == "__call__":
                return value
            joined = f"{ref.name}.{name}" if ref.name else name
            found = self.reference(ref.module, joined, offset, opcode, kind=ref.kind, via=via)
            return self._bound(found, value) if ref.kind == "method" else found
        if tag == RESULT:
            if name == "__call__":
                return value
            ref = self.refs[a_of(value)]
            method = self.reference(ref.module, f"{ref.name}().{name}", offset, opcode, kind="method", via=via)
            return self._bound(method, value)
        if tag in (PERSISTENT, UNKNOWN):
            return self.reference("", f"<object>.{name}", offset, opcode, kind="method", via=via)
        kind = (
            ("bytes" if a_of(value) & ENCODED else literals.type_name(a_of(value)))
            if tag == LIT
            else {TUPLE: "tuple", LIST: "list", DICT: "dict", SET: "set", FROZENSET: "frozenset"}[tag]
        )
        if name in ("format", "format_map"):
            from openvet.formats.pickle.resources import walked

            walked(self, [value], offset, opcode)
        return self._bound(self.reference("builtins", f"{kind}.{name}", offset, opcode, kind="global", via=via), value)

    def _bound(self, method: int, value: int) -> int:
        """An attribute of an object may be, or give, anything that the object holds."""
        if tag_of(method) == REF:
            ref = self.refs[a_of(method)]
            ref.bag = self.bags.join(ref.bag, self.bag(value))
        return method
