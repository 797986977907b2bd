"""Packages that a line of a shell takes from elsewhere: options of pip and uv, and variables that they read."""

from __future__ import annotations

import re
from itertools import islice

from openvet.core.pattern import pattern
from openvet.formats._format import Facts
from openvet.formats._shell_line import LONGEST_LINE

__all__ = ["INSTALL_WORDS", "asks_own_index", "tell_indexes", "tell_install", "with_index"]

INSTALL_WORDS = frozenset(
    {"pip", "pip2", "pip3", "uv", "pip_index_url", "pip_extra_index_url", "pip_find_links", "uv_index", "uv_index_url", "uv_extra_index_url",
     "uv_default_index", "uv_find_links"}
)  # fmt: skip
_INSTALLS = pattern(
    r"\bpip[23]?\s+(?:install|download|wheel|sync)\b|\buv\s+(?:add|sync|tool\s+install)\b", re.IGNORECASE
)
#: Settings of pip and uv by a command or a variable.
_INDEX_SET = pattern(
    r"\bpip[23]?\s+config\s+set\s+(?:--\w+\s+)?[\w.-]{0,40}(?:index-url|find-links)\s+[\"']?([^\s\"';|&]{1,400})|"
    r"\b(?:PIP_(?:EXTRA_)?INDEX_URL|PIP_FIND_LINKS|UV_(?:EXTRA_|DEFAULT_)?INDEX(?:_URL)?|UV_FIND_LINKS)[= ]\s*[\"']?([^\s\"';|&]{1,400})"
)
_MOST = 100
#: Each line that takes an index by a variable looks through the whole script.
_LONGEST = 16 * 1024


def tell_indexes(text: str, facts: Facts) -> None:
    """Record the lines of a list of variables by which pip or uv take packages from elsewhere."""
    for number, line in enumerate(islice(text.splitlines(), _MOST), 1):
        if not line.lstrip().startswith("#"):
            tell_install(line[:LONGEST_LINE], facts, number, None)


#: What the builder of an image alone may give: the name and password, or the settings, by which an index lets somebody in.
_OWN_INDEX = pattern(
    r"--mount=type=secret,(?:[\w=/.-]{1,80},){0,4}?(?:id=[\w.-]{0,40}(?:netrc|pip|pypi|index|artifactory|nexus|codeartifact)|(?:target|dst|destination)=[\w/.-]{0,60}(?:netrc|pip\.conf))"
)


def asks_own_index(text: str) -> bool:
    """Whether an image's file asks an index with what only its builder has."""
    return _OWN_INDEX.search(text) is not None


#: An index by a variable, what a variable is given, and addresses in that.
_BY_VARIABLE = pattern(
    r"(?<=\s)(--(?:extra-)?index-url|-i|--find-links|-f)[= ]{1,4}[\"']?\$\{?(\w{1,40})\}?[\"']?(?=\s|$)"
)
_GIVEN = pattern(r"(?<![\w$])\$?(\w{1,40})[ \t]{0,4}=[ \t]{0,4}([^\n]{1,250})")
_ADDRESS = pattern(r"https?://[^\s\"';)}]{1,200}")


def with_index(line: str, text: str) -> str:
    """A line with the address that its index is by a variable; the worst of several, and as it stands where one is not known."""
    from openvet.formats.requirements import installs_of

    if "$" not in line or len(text) > _LONGEST or (found := _BY_VARIABLE.search(line)) is None:
        return line
    given = [_ADDRESS.findall(each[2]) for each in _GIVEN.finditer(text) if each[1] == found[2]]
    if not given or not all(given):
        return line
    lines = [f"{line[: found.start()]}{found[1]} {each}{line[found.end() :]}" for some in given for each in some]
    return next((each for each in lines if installs_of(each)), lines[0])


def tell_install(line: str, facts: Facts, number: int | None, pointer: str | None, *, own: bool = False) -> None:
    """Record it where a line makes pip take packages from another index, without encryption, or from a place that nobody knows.

    ``own``: the index is asked with what only the builder of the image has, and so is one of the builder's own.
    """
    from openvet.formats.requirements import installs_of, is_foreign

    given: list[str] = []
    if ("pip" in line or "uv" in line) and (found := _INSTALLS.search(line)) is not None:
        given.append(line[found.end() :])
    if found := _INDEX_SET.search(line):
        given.append(f"--index-url {found[1] or found[2]}")
    for each in given:
        for install in installs_of(each):
            if install.kind != "place" or is_foreign(install.text):
                message = f"makes pip take packages from elsewhere: {install.text.strip()}"
                facts.anomaly(
                    "hub/requirement-source",
                    message,
                    line=number,
                    pointer=pointer,
                    kind="own" if own and install.kind == "index" and install.text.count("https://") else install.kind,
                    text=install.text,
                )
