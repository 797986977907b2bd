"""Where packs are: those that ship, those of installed plug-ins, and a team's own by path; read, compiled, and verified where they are signed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from difflib import get_close_matches
from functools import cache

from openvet.conditions.names import looked_for
from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.errors import SubjectError, UsageError
from openvet.policy.cases import Case, read_cases
from openvet.policy.compiled import CompiledPack, compile_pack
from openvet.policy.document import Document
from openvet.policy.pack import Pack
from openvet.policy.read_document import Head, read_document, read_head
from openvet.policy.read_pack import Catalogue, expired, read_catalogue, read_pack
from openvet.policy.vocabulary import KINDS
from openvet.policy.yaml_reader import LARGEST, PackError
from openvet.workflows.model_files import read_small
from openvet.workflows.signed_packs import Verify
from openvet.workflows.toml_reader import near_word

__all__ = [
    "FoundPack",
    "catalogue",
    "document_files",
    "document_head",
    "find_pack",
    "lint_pack",
    "list_packs",
    "load_document",
    "load_held",
    "load_pack",
    "pack_cases",
    "read_only",
]

_FILE = "pack.yaml"
_GROUP = "openvet.packs"


@dataclass(frozen=True, slots=True)
class FoundPack:
    """A pack's place.

    Attributes:
        name: what it is called by: its id of a pack that ships or is installed, its path of another.
        path: of its ``pack.yaml``; cases lie beside it.
        shown: how messages name that file.
        ships: it comes with the tool or with a plug-in, and is trusted as these are.
    """

    name: str
    path: str
    shown: str
    ships: bool


@cache
def list_packs() -> Mapping[str, FoundPack]:
    """Packs that ship, and those of plug-ins, by their ids."""
    return {each.name: each for each in (*_shipping(), *_plugged_in())}


def _shipping() -> Iterator[FoundPack]:
    import openvet.packs

    base = os.path.dirname(openvet.packs.__file__)
    for folder in sorted(os.listdir(base)):
        if os.path.isfile(os.path.join(base, folder, _FILE)):
            name = folder.replace("_", "-")
            yield FoundPack(name, os.path.join(base, folder, _FILE), f"{name}/{_FILE}", ships=True)


def _plugged_in() -> Iterator[FoundPack]:
    """Entry points of the group ``openvet.packs``: a name, and the package in which ``pack.yaml`` lies. It is not imported."""
    from importlib.metadata import entry_points
    from importlib.util import find_spec

    for point in sorted(entry_points(group=_GROUP), key=lambda each: each.name):
        try:
            spec = find_spec(point.value)
        except (ImportError, ValueError):
            spec = None
        folders = [] if spec is None else list(spec.submodule_search_locations or ())
        if folders and os.path.isfile(os.path.join(folders[0], _FILE)):
            yield FoundPack(point.name, os.path.join(folders[0], _FILE), f"{point.name}/{_FILE}", ships=True)


@cache
def catalogue() -> Catalogue:
    """The questions that packs share."""
    import openvet.packs

    path = os.path.join(os.path.dirname(openvet.packs.__file__), "questions.yaml")
    return read_catalogue(_bytes(path, "questions.yaml"), "questions.yaml")


def find_pack(name: str, beside: str = "") -> FoundPack:
    """A pack by its id, or by the path of its file or folder.

    Args:
        beside: the folder that relative paths start from; '' is the working directory.

    Raises:
        UsageError: there is none.
    """
    known = list_packs()
    if name in known:
        return known[name]
    path, shown = os.path.join(beside, name), name
    if os.path.isdir(path):
        path, shown = os.path.join(path, _FILE), os.path.join(name, _FILE)
    if os.path.isfile(path):
        return FoundPack(name, path, printable(shown), ships=False)
    if os.path.isdir(os.path.join(beside, name)):
        raise UsageError(
            f"{printable(name)}: has no {_FILE} that is a file; a pack is a folder with one (the guide Writing a policy pack says what stands in it)"
        )
    if os.path.lexists(path):
        raise UsageError(f"{printable(name)}: is no file, and a pack is one, or a folder with a {_FILE}")
    near = get_close_matches(name.replace("_", "-"), known, 1) or [each for each in known if name in each.split("-")]
    hint = f"; did you mean {near[0]!r}?" if near else ":"
    raise UsageError(
        f"there is no pack {printable(name)!r}{hint} {', '.join(known)} ship with openvet; of your own give the path of pack.yaml"
    )


def load_pack(name: str, beside: str = "", verify: Verify | None = None) -> CompiledPack:
    """A pack, compiled, with everything that it extends.

    Args:
        beside: the folder that relative paths start from; '' is the working directory.
        verify: verifies the signature of each file of a pack that does not ship; ``None`` takes them unsigned.

    Raises:
        PackError: it makes no sense; with file and line; or its signature is not good.
        UsageError: there is none, or the extra for CEL is missing.
    """
    return compile_pack(_read(find_pack(name, beside), 0, verify), catalogue())


def read_only(name: str) -> Pack:
    """A pack as its file says it, with everything that it extends: its conditions are not compiled, so that the extra for CEL is not needed.

    Raises:
        PackError: a field of it makes no sense; with file and line.
        UsageError: there is none.
    """
    return _read(find_pack(name), 0, None)


def _read(found: FoundPack, depth: int, verify: Verify | None) -> Pack:
    beside = os.path.dirname(found.path)
    data = _bytes(found.path, found.shown)

    def parent(name: str) -> Pack:
        return _read(find_pack(name, beside), depth + 1, verify)

    pack = read_pack(data, found.shown, parent, depth)
    if verify is not None and not found.ships:
        verify(beside or os.curdir, found.path, found.shown, pack.id, data)
    return pack


def load_held(name: str, day: date, beside: str = "", verify: Verify | None = None) -> CompiledPack:
    """A pack whose waivers hold on ``day``, or had not ended today where ``day`` is later.

    Args:
        beside, verify: as of :func:`load_pack`.

    Raises:
        PackError: it makes no sense, is not signed as it has to be, or a waiver is over.
    """
    found = load_pack(name, beside, verify)
    problems = expired(found.pack, min(day, datetime.now(UTC).date()))
    if problems:
        raise PackError(*problems)
    return found


def pack_cases(name: str, pack: CompiledPack) -> tuple[Case, ...]:
    """The cases beside a pack, in the order of their files."""
    found = find_pack(name)
    folder, shown = (os.path.join(os.path.dirname(each), "cases") for each in (found.path, found.shown))
    names = sorted(each for each in (os.listdir(folder) if os.path.isdir(folder) else ()) if each.endswith(".yaml"))
    cases: list[Case] = []
    for each in names:
        file = os.path.join(shown, printable(each))
        cases += read_cases(_bytes(os.path.join(folder, each), file), file, pack)
    return tuple(cases)


def document_files(found: FoundPack) -> tuple[tuple[str, str], ...]:
    """Names and paths of the documents beside a pack, in the order of their names."""
    folder = os.path.join(os.path.dirname(found.path), "documents")
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return tuple((each.removesuffix(".yaml"), os.path.join(folder, each)) for each in names if each.endswith(".yaml"))


def load_document(path: str, pack: CompiledPack, verify: Verify | None = None) -> Document:
    """A document of ``pack``.

    Args:
        verify: verifies its signature, where the pack does not ship; ``None`` takes it unsigned.

    Raises:
        PackError: it makes no sense; with file and line; or its signature is not good.
    """
    shown = f"documents/{printable(os.path.basename(path))}"
    data = _bytes(path, shown)
    if verify is not None:
        verify(os.path.dirname(os.path.dirname(path)) or os.curdir, path, shown, pack.pack.id, data)
    return read_document(data, shown, pack)


def document_head(path: str) -> Head:
    """What a list says of a document. Names in it are not looked up, so that the extra for CEL is not needed.

    Raises:
        PackError: a field that is needed is not there; with file and line.
    """
    shown = f"documents/{printable(os.path.basename(path))}"
    return read_head(_bytes(path, shown), shown)


def _bytes(path: str, shown: str) -> bytes:
    try:
        return read_small(path, LARGEST)
    except OSError as error:
        raise UsageError(f"{shown}: {error.strerror or error}") from error
    except SubjectError as error:
        raise UsageError(str(error)) from error


def lint_pack(name: str, day: date) -> tuple[CompiledPack, tuple[str, ...]]:
    """A pack that makes sense on ``day``, its waivers, cases and documents included, and what may be meant otherwise.

    Raises:
        PackError: it makes no sense; with every problem that was found.
    """
    found = load_pack(name)
    problems = expired(found.pack, day)
    if problems:
        raise PackError(*problems)
    pack_cases(name, found)
    written = [load_document(path, found) for _, path in document_files(find_pack(name))]
    named = {each.requirement.source for each in found.requirements} | {each.source.key for each in written}
    notes = [
        f"{find_pack(name).shown}: nothing cites the source {key!r}" for key in found.pack.sources if key not in named
    ]
    asked = {each.id for each in found.questions} | {each for one in written for each in one.answers}
    notes += [
        f"{each.where}: nothing uses the answer to {each.id!r}" for each in found.pack.questions if each.id not in asked
    ]
    return found, (*notes, *_unknown_kinds(found))


def _unknown_kinds(found: CompiledPack) -> Iterator[str]:
    """Words that ``needs`` asks for, or a condition looks for in ``evidence.kinds``, and that no kind of statement has: they are never there."""
    asked = [
        (each.requirement.where, (each.passes, each.applies, each.undecided, each.offenders, *(when for _, when in each.phases)), each.requirement.needs)
        for each in found.requirements
    ]  # fmt: skip
    asked += [(each.step.where, (*each.values, each.undecided), ()) for each in found.steps]
    for where, conditions, needs in asked:
        words = [word for each in conditions if each is not None for word in looked_for(each.text, "evidence.kinds")]
        for word in dict.fromkeys((*needs, *words)):
            if word not in KINDS and not (word == "bom" and word in needs):
                yield f"{where}: there is no kind of statement {printable(word)[:60]!r}, but {', '.join(sorted(KINDS))}{near_word(word, KINDS)}"
