"""Packages that a subject's files name: lists of requirements, settings of projects, locks, environments, container files.

Nothing is read again: the readers have the lines and the documents. A package of conda counts as the one of the same name in the
index of Python, which it is built from; the few that are called otherwise stand here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Protocol

from openvet.advisories.osv import package_name
from openvet.core.location import Location, below
from openvet.core.pattern import pattern
from openvet.core.text import printable
from openvet.evidence.predicates.advisories_v1 import NamedPackage
from openvet.formats.requirements import packages_of
from openvet.inventory.component import Component, Inventory

__all__ = ["MOST_PACKAGES", "MOST_PLACES", "named_in_items", "named_packages"]

#: Packages of one subject that are kept.
MOST_PACKAGES: Final = 5_000
#: Places of one package that are kept: each is held against all that is known of it.
MOST_PLACES: Final = 100
_TEXT: Final = 200
_CONDA_NAMES: Final = {
    "pytorch": "torch",
    "pytorch-gpu": "torch",
    "pytorch-cpu": "torch",
    "py-xgboost": "xgboost",
    "py-opencv": "opencv-python",
}
#: Words in the names of files that describe an environment: ``environment.yml``, ``conda-gpu.yaml``, ``python_env.yaml``.
_ENVIRONMENT: Final = frozenset({"conda", "environment", "env"})
_CONDA: Final = pattern(r"[A-Za-z0-9][\w.-]*")
_CARET: Final = pattern(r"([\^~]?)\s*(\d+(?:\.\d+)*)((?:\.\*)?)")


class _Item(Protocol):
    """What an inventory, live or from a statement, has of a file or member."""

    @property
    def place(self) -> str: ...
    @property
    def formats(self) -> tuple[str, ...]: ...
    @property
    def metadata(self) -> Mapping[str, Any]: ...


def named_packages(inventory: Inventory) -> tuple[tuple[NamedPackage, ...], int]:
    """Every package that ``inventory`` names, and how many places are left out; to be asked for with :meth:`Inventory.once`."""
    return _in_order([*_listed(inventory.walk()), *_documented(inventory)])


def named_in_items(items: Iterable[_Item]) -> tuple[tuple[NamedPackage, ...], int]:
    """The same of an inventory statement, which has no documents: packages in settings, locks and environments are not there."""
    return _in_order(_listed(items))


def _in_order(found: Iterable[NamedPackage]) -> tuple[tuple[NamedPackage, ...], int]:
    unique = dict.fromkeys(found)
    order = sorted(
        unique, key=lambda each: (each.location.place, each.location.line or 0, each.location.pointer or "", each.name)
    )
    times: dict[str, int] = {}
    kept: list[NamedPackage] = []
    for each in order:
        times[each.name] = times.get(each.name, 0) + 1
        if times[each.name] <= MOST_PLACES and len(kept) < MOST_PACKAGES:
            kept.append(each)
    return tuple(kept), len(order) - len(kept)


def _listed(items: Iterable[_Item]) -> Iterator[NamedPackage]:
    for item in items:
        found = item.metadata.get("requirements") if item.metadata else None
        via = "requirements" if "requirements" in item.formats else "script"
        for each in found if isinstance(found, list | tuple) else ():
            if isinstance(each, Mapping) and isinstance(each.get("name"), str) and not each.get("place"):
                line = each.get("line")
                where = Location(item.place, line=line if isinstance(line, int) and line > 0 else None)
                yield _package(each["name"], each.get("versions"), where, via)


def _package(name: str, versions: Any, where: Location, via: str) -> NamedPackage:
    written = re.sub(r"\s+", "", versions)[:_TEXT] if isinstance(versions, str) else ""
    return NamedPackage("PyPI", package_name("PyPI", printable(name)[:_TEXT]), printable(written), where, via)


def _documented(inventory: Inventory) -> Iterator[NamedPackage]:
    for component in inventory.of(("toml", "yaml", "json")):
        name, document = component.basename.lower(), component.document
        if not isinstance(document, dict):
            continue
        if name == "pyproject.toml":
            yield from _project(component, document)
        elif name in {"poetry.lock", "uv.lock", "pdm.lock", "pylock.toml"}:
            yield from _locked(component, document)
        elif name == "pipfile":
            for key in ("packages", "dev-packages"):
                yield from _poetry(component, document.get(key), f"/{key}")
        elif "yaml" in component.formats and not _ENVIRONMENT.isdisjoint(re.split(r"[-_.]", name)[:-1]):
            for key in ("dependencies", "build_dependencies"):
                yield from _environment(component, document.get(key), f"/{key}")


def _lines(component: Component, texts: Any, pointer: str, via: str) -> Iterator[NamedPackage]:
    for number, text in enumerate(texts if isinstance(texts, list) else ()):
        if isinstance(text, str) and len(text) < 2_000:
            for each in packages_of(text.strip()):
                if "place" not in each:
                    yield _package(
                        each["name"],
                        each.get("versions"),
                        Location(component.place, pointer=f"{pointer}/{number}"),
                        via,
                    )


def _project(component: Component, document: Mapping[str, Any]) -> Iterator[NamedPackage]:
    """PEP 518, 621 and 735, and the settings of poetry."""
    project, build = document.get("project"), document.get("build-system")
    if isinstance(project, dict):
        yield from _lines(component, project.get("dependencies"), "/project/dependencies", "pyproject")
        extras = project.get("optional-dependencies")
        for key, texts in extras.items() if isinstance(extras, dict) else ():
            yield from _lines(component, texts, below("/project/optional-dependencies", key), "pyproject")
    if isinstance(build, dict):
        yield from _lines(component, build.get("requires"), "/build-system/requires", "pyproject")
    groups = document.get("dependency-groups")
    for key, texts in groups.items() if isinstance(groups, dict) else ():
        yield from _lines(component, texts, below("/dependency-groups", key), "pyproject")
    tool = document.get("tool")
    poetry = tool.get("poetry") if isinstance(tool, dict) else None
    if isinstance(poetry, dict):
        yield from _poetry(component, poetry.get("dependencies"), "/tool/poetry/dependencies")
        more = poetry.get("group")
        for key, group in more.items() if isinstance(more, dict) else ():
            if isinstance(group, dict):
                yield from _poetry(
                    component, group.get("dependencies"), f"{below('/tool/poetry/group', key)}/dependencies"
                )


def _poetry(component: Component, found: Any, pointer: str) -> Iterator[NamedPackage]:
    """``name = "^1.2"``, or a table with ``version``; ``python`` is no package."""
    for name, value in found.items() if isinstance(found, dict) else ():
        text = value.get("version") if isinstance(value, dict) else value
        if name == "python" or (
            isinstance(value, dict) and text is None and {"git", "path", "url", "file"} & set(value)
        ):
            continue
        written = _caret(text) if isinstance(text, str) else ""
        yield _package(name, written, Location(component.place, pointer=below(pointer, name)), "pyproject")


def _caret(text: str) -> str:
    """A requirement of poetry in the words of PEP 440; what is no such requirement stays as it is."""
    parts = []
    for part in text.split(","):
        found = _CARET.fullmatch(part.strip())
        if part.strip() == "*":
            continue
        if found is None:
            parts.append(part.strip())
            continue
        numbers = [int(each[:18]) for each in found[2].split(".")]
        if not found[1]:
            parts.append(f"=={found[2]}{found[3]}")
            continue
        first = next((at for at, each in enumerate(numbers) if each), len(numbers) - 1)
        at = first if found[1] == "^" else min(1, len(numbers) - 1)
        upper = [*numbers[:at], numbers[at] + 1]
        parts.append(f">={found[2]},<{'.'.join(map(str, upper))}")
    return ",".join(parts)


def _locked(component: Component, document: Mapping[str, Any]) -> Iterator[NamedPackage]:
    key = "packages" if isinstance(document.get("packages"), list) else "package"
    found = document.get(key)
    for number, each in enumerate(found if isinstance(found, list) else ()):
        if isinstance(each, dict) and isinstance(each.get("name"), str) and isinstance(each.get("version"), str):
            yield _package(
                each["name"], f"=={each['version']}", Location(component.place, pointer=f"/{key}/{number}"), "lock"
            )


def _environment(component: Component, found: Any, pointer: str) -> Iterator[NamedPackage]:
    """An environment of conda, with what pip adds to it, or one of MLflow."""
    for number, each in enumerate(found if isinstance(found, list) else ()):
        where = f"{pointer}/{number}"
        if isinstance(each, dict):
            yield from _lines(component, each.get("pip"), f"{where}/pip", "conda")
        elif isinstance(each, str) and len(each) < 500:
            text = each.rpartition("::")[2].strip()
            match = _CONDA.match(text)
            name = match[0].lower() if match else ""
            if match and name not in {"python", "pip"}:
                found_at = Location(component.place, pointer=where)
                yield _package(_CONDA_NAMES.get(name, name), _conda(text[match.end() :]), found_at, "conda")


def _conda(text: str) -> str:
    """``=1.26`` is every 1.26, ``=1.26.4=build`` and ``==1.26.4`` one version; ranges are as in PEP 440."""
    text = text.strip().replace(" ", "")
    single = re.fullmatch(r"(==?)([^=<>!,|*]+)(=[^=]*)?", text)
    if single is None:
        return re.sub(r"(?<![=<>!~])=(?!=)", "==", text) if "|" not in text else ""
    return f"=={single[2]}" if single[3] or single[1] == "==" else f"=={single[2]}.*"
