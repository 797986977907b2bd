"""Settings of Ray that take the code of an application from another machine: ``runtime_env`` of Serve, of jobs and of clusters.

Ray fetches ``working_dir`` and each of ``py_modules``, puts them on the path of every worker and runs what ``import_path`` names in them;
``pip`` and ``conda`` install packages with the options that stand between them, and ``env_vars`` are given to every process. A repository of a
forge that everybody uses is worth a look, as any code that may change; an address of somebody whom nobody knows, or one without encryption,
is where nobody should take code from. Folders, variables and archives in one's own bucket are what it is for.

Source: https://docs.ray.io/en/latest/ray-core/handling-dependencies.html#remote-uris ; CWE-494, CWE-829.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from openvet.core.location import below
from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.formats._addresses import is_nobodys
from openvet.formats._format import Facts

__all__ = ["tell_runtime"]

_MOST: Final = 10_000
_ADDRESS: Final = pattern(r"\s*(?:https?|ftp)://\S{3,2000}\s*")
#: Variables by which every program that starts loads code.
_LOADS: Final = pattern(
    r"LD_(?:PRELOAD|AUDIT|LIBRARY_PATH)|DYLD_INSERT_LIBRARIES|PYTHONSTARTUP|BASH_ENV|PROMPT_COMMAND"
)
_SHARED: Final = pattern(r"/(?:var/)?tmp/|/dev/shm/|\S*://")


def tell_runtime(document: Any, facts: Facts) -> None:
    """Record what the environments of Ray in ``document`` take from elsewhere."""
    for pointer, runtime in _runtimes(document):
        for key in ("working_dir", "py_modules"):
            value = runtime.get(key)
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, str) and _ADDRESS.fullmatch(each) and is_nobodys(each.strip()):
                    said = f"makes Ray fetch code and run it on every machine: {_shown(each)}"
                    facts.anomaly("hub/shell-command", said, pointer=below(pointer, key), kind="foreign")
        for key in ("pip", "uv", "conda"):
            for line in _packages(runtime.get(key)):
                _tell_packages(line, facts, below(pointer, key))
        variables = runtime.get("env_vars")
        for name, given in variables.items() if isinstance(variables, dict) else ():
            if (
                isinstance(name, str)
                and isinstance(given, str)
                and _LOADS.fullmatch(name)
                and (name != "LD_LIBRARY_PATH" or _SHARED.match(given))
            ):
                said = f"makes Ray give every program {name}, by which it runs {_shown(given)}"
                kind = "hidden" if _SHARED.match(given) else "shown"
                where = below(below(pointer, "env_vars"), name)
                facts.anomaly("hub/shell-command", said, pointer=where, kind=kind)


def _runtimes(document: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every table under a key ``runtime_env``, and a file that is one by its keys."""
    if (
        isinstance(document, dict)
        and {"working_dir", "py_modules"} & document.keys()
        and {"pip", "env_vars", "conda", "uv", "excludes"} & document.keys()
    ):
        yield "", document
    waiting = [("", document)]
    seen = 0
    while waiting and seen < _MOST:
        pointer, value = waiting.pop()
        seen += 1
        if not isinstance(value, dict | list):
            continue
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            if key == "runtime_env" and isinstance(each, dict):
                yield below(pointer, key), each
            elif isinstance(each, dict | list):
                waiting.append((below(pointer, key), each))


def _packages(value: Any) -> Iterator[str]:
    """What a list of packages says, line by line: also under ``packages``, and in an environment of conda."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each[:2_000]
        elif isinstance(each, list):
            waiting.extend(each[:1_000])
        elif isinstance(each, dict):
            waiting.extend(
                each.get(key)
                for key in ("packages", "pip", "dependencies", "pip_install_options", "uv_pip_install_options")
            )


def _tell_packages(line: str, facts: Facts, pointer: str) -> None:
    from openvet.formats import requirements

    for install in requirements.installs_of(line):
        if install.kind != "place" or requirements.is_foreign(install.text):
            message = f"makes Ray take packages from elsewhere: {install.text.strip()}"
            facts.anomaly("hub/requirement-source", message, pointer=pointer, kind=install.kind, text=install.text)


def _shown(text: str) -> str:
    return shorten(printable(text.strip()), 120)
