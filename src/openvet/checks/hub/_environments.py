"""What descriptions of Python environments and packages install: ``pyproject.toml`` (PEP 621, PEP 735, Poetry, uv, PDM, Hatch,
Pixi), ``Pipfile``, lock files, ``environment.yml`` and ``.condarc`` of conda.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openvet.core.location import below

__all__ = ["environment_lines"]

#: Keys of a table that says where one package comes from, and what pip would be given for it.
_PLACES = {"git": "git+", "hg": "hg+", "svn": "svn+", "url": "", "file": ""}
#: Keys whose value is the address of an index, and keys whose values are.
_INDEX = frozenset(
    {"index-url", "index_url", "extra-index-url", "extra_index_url", "find-links", "find_links", "default-index"}
)
_SOURCES = frozenset({"source", "sources", "index"})
_DEPENDENCIES = frozenset(
    {"dependencies", "optional-dependencies", "dev-dependencies", "dependency-groups", "packages", "dev-packages", "requires",
     "build_dependencies", "pypi-dependencies", "pypi-options", "extras", "constraints", "override-dependencies",
     "constraint-dependencies", "features", "groups", "group", "pip", "python_packages", "requirements"}
)  # fmt: skip

Lines = Iterator[tuple[str, str]]


def environment_lines(basename: str, document: Any) -> Lines:
    """Pointer and line, as pip would be given it, of everything that is not simply a name."""
    if not isinstance(document, dict):
        return
    lower = basename.lower()
    if lower in (".condarc", "condarc"):
        for key in ("channels", "channel_alias", "default_channels", "custom_channels"):
            value = document.get(key)
            places = value.values() if isinstance(value, dict) else value if isinstance(value, list) else (value,)
            yield from (
                (f"/{key}", f"--index-url {each}") for each in places if isinstance(each, str) and "://" in each
            )
        if document.get("ssl_verify") is False:
            yield "/ssl_verify", "--trusted-host *"
    elif lower == "package.json":
        yield from _node(document)
    elif lower.endswith((".yaml", ".yml")):
        if isinstance(document.get("dependencies"), list):
            yield from _conda(document)
        elif lower in ("bentofile.yaml", "cog.yaml", "truss.yaml"):
            yield from _tables(document)
    elif lower in (
        "pyproject.toml",
        "uv.toml",
        "pixi.toml",
        "pipfile",
        "pdm.toml",
        "poetry.lock",
        "uv.lock",
        "pdm.lock",
    ):
        yield from _tables(document)
    elif lower == "pipfile.lock":
        yield from _tables(
            {**document, **document.get("_meta", {})} if isinstance(document.get("_meta"), dict) else document
        )


def _node(document: dict[str, Any]) -> Lines:
    """Packages of Node that are taken from an address of their own."""
    for key in (
        "dependencies",
        "devDependencies",
        "optionalDependencies",
        "peerDependencies",
        "overrides",
        "resolutions",
    ):
        table = document.get(key)
        for name, value in table.items() if isinstance(table, dict) else ():
            if isinstance(value, str) and "://" in value and isinstance(name, str):
                yield below(f"/{key}", name), f"{name.rpartition('/')[2]} @ {value}"


def _conda(document: dict[str, Any]) -> Lines:
    """``channels`` are indexes of conda; below ``dependencies`` stand packages of conda and lists for pip."""
    channels = document.get("channels")
    for at, value in enumerate(channels if isinstance(channels, list) else ()):
        if isinstance(value, str) and "://" in value:
            yield f"/channels/{at}", f"--index-url {value}"
    for at, value in enumerate(document["dependencies"]):
        if isinstance(value, str):
            place = value.partition("::")[0]
            if "::" in value and "://" in place:
                yield f"/dependencies/{at}", f"--index-url {place}"
            elif "://" in value:
                yield f"/dependencies/{at}", value
        elif isinstance(value, dict) and isinstance(value.get("pip"), list):
            for number, line in enumerate(value["pip"]):
                if isinstance(line, str):
                    yield f"/dependencies/{at}/pip/{number}", line


def _tables(document: dict[str, Any]) -> Lines:
    """Every table of TOML that names packages or sources, whichever tool reads it."""
    stack: list[tuple[str, str, Any, bool]] = [("", "", document, False)]
    while stack:
        pointer, key, value, packages = stack.pop()
        if isinstance(value, dict):
            yield from _table(pointer, key, value, packages=packages)
            inner = packages or key in _DEPENDENCIES or key == "sources"  # uv's are of packages, by name
            stack += [(below(pointer, each), each, child, inner) for each, child in value.items()]
        elif isinstance(value, list):
            if key in _INDEX:
                yield from (
                    (below(pointer, at), f"--index-url {each}")
                    for at, each in enumerate(value)
                    if isinstance(each, str)
                )
            inner = packages or (key in _DEPENDENCIES and key not in _SOURCES)
            for at, each in enumerate(value):
                where = below(pointer, at)
                if isinstance(each, str):
                    if inner:
                        yield where, each
                elif isinstance(each, dict | list):
                    stack.append((where, key, each, packages))
        elif isinstance(value, str) and key in _INDEX:
            yield pointer, f"--index-url {value}"
        elif packages and isinstance(value, str) and "://" in value and key not in _PLACES:
            yield pointer, value


def _table(pointer: str, key: str, table: dict[str, Any], *, packages: bool) -> Lines:
    address = table.get("url")
    if key in _SOURCES and isinstance(address, str) and not packages and "type" not in table:
        yield below(pointer, "url"), f"--index-url {address}"
        if table.get("verify_ssl") is False:
            yield below(pointer, "verify_ssl"), f"--trusted-host {address}"
        return
    registry = table.get("registry")
    if isinstance(registry, str) and "://" in registry:
        yield below(pointer, "registry"), f"--index-url {registry}"
    if packages or key == "source":
        for word, prefix in _PLACES.items():
            place = table.get(word)
            if isinstance(place, str) and ("://" in place or place.startswith("git@")):
                yield (
                    below(pointer, word),
                    prefix + (f"ssh://{place.replace(':', '/', 1)}" if place.startswith("git@") else place),
                )
