"""What files of CMake fetch and run while a build is only being laid out: ``file(DOWNLOAD)`` and ``include``, ``execute_process``, projects of elsewhere.

Whoever calls ``cmake`` in the folder runs all of it, before anything is compiled. What is fetched with a digest is what its author meant.

Specification: https://cmake.org/cmake/help/latest/command/file.html#transfer , https://cmake.org/cmake/help/latest/module/ExternalProject.html
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.formats._addresses import is_bad_place
from openvet.formats._format import Facts
from openvet.formats._windows_commands import fetched

__all__ = ["is_cmake", "tell_cmake"]

_CALL: Final = pattern(
    r"\b(file|include|execute_process|add_subdirectory|ExternalProject_Add|FetchContent_Declare|add_custom_command|add_custom_target)\s{0,8}\(",
)
_WORD: Final = pattern(r'"((?:[^"\\]|\\.){0,4000})"|([^\s()"]{1,1000})')
_PLACE: Final = pattern(r"\b(?:https?|ftp)://[^\s\"')]{3,1000}")
_ENVIRONMENT: Final = pattern(r"\$ENV\{(\w{1,60})\}")
#: Whose digest was written down can only be one thing.
_PROVEN: Final = frozenset({"EXPECTED_HASH", "EXPECTED_MD5", "URL_HASH", "URL_MD5"})
_SHELL: Final = frozenset({"sh", "bash", "zsh", "dash", "/bin/sh", "/bin/bash", "cmd", "powershell", "pwsh"})
_LONGEST: Final = 8_000
_MOST: Final = 1_000


def is_cmake(name: str) -> bool:
    """Whether a file is one of CMake's, by its name."""
    base = name.rpartition("/")[2].lower()
    return base == "cmakelists.txt" or base.endswith(".cmake")


def tell_cmake(text: str, facts: Facts) -> None:
    """Record what is fetched and run, and commands that nobody should run unread, where no line told it already."""
    told = {each.location.line for each in facts.anomalies if each.rule == "hub/shell-command"}
    for what, kind, start in _judged(list(islice(_calls(text), _MOST))):
        line = text.count("\n", 0, start) + 1
        if line not in told:
            told.add(line)
            shown = text[start : start + 400].partition("\n")[0]
            facts.anomaly("hub/shell-command", f"{what}: {shorten(printable(shown), 120)}", line=line, kind=kind)


def _calls(text: str) -> Iterator[tuple[str, list[str], int]]:
    """Name, arguments and place of each call that may matter; comments are no calls."""
    for found in _CALL.finditer(text):
        if "#" in text[text.rfind("\n", 0, found.start()) + 1 : found.start()]:
            continue
        yield found[1].lower(), _arguments(text, found.end()), found.start()


def _arguments(text: str, start: int) -> list[str]:
    out: list[str] = []
    at, end = start, min(len(text), start + _LONGEST)
    while at < end and text[at] != ")" and len(out) < 200:
        found = _WORD.match(text, at, end)
        if found is None:
            at += 1
            continue
        out.append(_ENVIRONMENT.sub(r"$\1", found[1] if found[1] is not None else found[2]))
        at = found.end()
    return out


def _judged(calls: list[tuple[str, list[str], int]]) -> Iterator[tuple[str, str, int]]:
    from openvet.formats._shell_script import judged_script

    #: what fetched files are called -> where each is from
    files: dict[str, str] = {}
    for name, given, start in calls:
        if name == "file":
            if given[:1] == ["DOWNLOAD"] and len(given) > 2 and _PROVEN.isdisjoint(given):
                files[given[2].rpartition("/")[2].removesuffix(".cmake")] = given[1]
            continue
        if name in ("externalproject_add", "fetchcontent_declare"):
            place = next((found for each in given if (found := _PLACE.match(each)) is not None), None)
            if place is not None and _PROVEN.isdisjoint(given) and is_bad_place(place.group()):
                yield "builds what it fetches without encryption or from a bare address", "hidden", start
            continue
        for each in given:
            place_of = files.get(each.rpartition("/")[2].removesuffix(".cmake"))
            if place_of is not None and name in ("include", "execute_process", "add_subdirectory"):
                yield *fetched(f"curl {place_of}"), start
                break
        else:
            command = given[given.index("COMMAND") + 1 :] if "COMMAND" in given else []
            script = command[2] if len(command) > 2 and command[0] in _SHELL else " ".join(command)
            if script and (judged := judged_script(script.replace('\\"', '"'))) is not None:
                yield f"runs a command that {judged[0]}, while the build is laid out", judged[1], start
