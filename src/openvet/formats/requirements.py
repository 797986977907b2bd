"""A list of packages to install (``requirements.txt`` of pip), as serving frameworks install it before they load a model.

Each line is a requirement (a name with versions), a place (``git+https://...``, a path), or an option (``--index-url ...``).

Reference: https://pip.pypa.io/en/stable/reference/requirements-file-format/ ; PEP 508
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.location import Location
from openvet.core.pattern import pattern
from openvet.core.tables import read_table
from openvet.core.text import printable, shorten
from openvet.formats import text as text_format
from openvet.formats._decode import is_text
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

__all__ = [
    "FORMAT",
    "Install",
    "Requirements",
    "installs_of",
    "is_foreign",
    "is_well_known",
    "packages_of",
    "probe",
    "read",
]

FORMAT = Format(
    id="requirements",
    title="list of Python packages to install",
    extensions=(".txt", ".in"),
    media_types=("text/plain",),
    can_tell=(
        "the packages that it names, with their versions",
        "where packages are taken from that no index names",
        "credentials of known issuers that were left in it",
    ),
    cannot_tell=("what the packages do", "what other lists it names, unless they are in the model"),
    refines=("text",),
)

_LONGEST: Final = 256 * 1024
_KEPT: Final = 1_000
_LISTED: Final = 500
_NAME: Final = r"[A-Za-z0-9][\w.-]*(?:\[[\w,. -]*\])?"
_LINE: Final = pattern(
    rf"(?:-+\w.*|{_NAME}\s*(?:(?:===?|[<>~!]=|[<>;@(]).*)?|(?:git|hg|svn|bzr)\+\S.*|(?:https?|file)://\S.*|\.{{0,2}}/\S.*)"
)
_NAMED: Final = pattern(r"[A-Za-z0-9][\w.-]*", re.ASCII)
_COMPARING: Final = ("==", "<=", ">=", "!=", "~=", "<", ">")
_SURE: Final = pattern(
    r"^(?:-+\w|[^\s#]+\s*(?:===?|[<>~!]=)\s*\d|(?:git|hg|svn|bzr)\+|(?:https?|file)://|\S[^\s@]*\s*@\s*\S[^\s:]*:)"
)
_PLACE: Final = pattern(r"(?:(?:git|hg|svn|bzr)\+)?(?:https?|ssh|git|file|ftp)://\S+|(?:git|hg|svn|bzr)\+\S+")
_OPTION: Final = pattern(
    r"(?:^|\s)(--(?:extra-)?index-url|-i|--find-links|-f|--trusted-host)[=\s]+(\S+)|(?:^|\s)-i(https?://\S+)"
)

#: Settings of setuptools and pip that name packages, or indexes.
_SETTINGS: Final = frozenset({"setup.cfg", "pip.conf", "pip.ini", "pydistutils.cfg", ".pydistutils.cfg"})
_SETTING: Final = pattern(r"([A-Za-z_][\w.-]{0,60})\s*[=:]")
_PACKAGES_SECTION: Final = pattern(r"\[options\.extras_require\]")
_REQUIRING: Final = frozenset(
    {"install-requires", "setup-requires", "tests-require", "requires-dist", "dependency-links"}
)
_INDEXES: Final = {"index-url": "index-url", "extra-index-url": "extra-index-url", "find-links": "find-links",
                   "trusted-host": "trusted-host"}  # fmt: skip


@cache
def _public() -> tuple[str, ...]:
    table: dict[str, list[str]] = read_table("requirements")
    return tuple(f"https://{place}/" for place in table["public"])


@dataclass(frozen=True, slots=True)
class Install:
    """One line that takes something from another place than the index.

    ``kind`` is ``index`` (another index, or one without a certificate), ``plain`` (a place without encryption) or ``place``.
    """

    line: int
    kind: str
    text: str

    def to_json(self) -> dict[str, Any]:
        return {"line": self.line, "kind": self.kind, "text": self.text}


@dataclass(frozen=True, slots=True)
class Requirements:
    """What a list installs (a :class:`~openvet.formats._format.Program`: it runs code of what it installs)."""

    location: Location
    packages: int
    installs: tuple[Install, ...]

    @property
    def kind(self) -> str:
        return "requirements"

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "location": self.location.to_json(), "packages": self.packages,
                "installs": [each.to_json() for each in self.installs[:200]]}  # fmt: skip


def probe(head: Head) -> Likeness:
    """Every line is one, and one of them is nothing else; only text that is called so is asked."""
    if head.name.rsplit("/", 1)[-1].lower() in _SETTINGS and 0 < head.size <= _LONGEST and is_text(head):
        return Likeness.WEAK
    if head.suffix not in FORMAT.extensions or not 0 < head.size <= _LONGEST:
        return Likeness.NO
    data = head.data
    if b"\0" in data:
        return Likeness.NO
    # a list of nothing but names could be any text; under the usual name it is one
    sure = head.name.rsplit("/", 1)[-1].lower().startswith("requirements")
    for line in _lines(data.decode("utf-8", "replace"))[: 2_000 if len(data) == head.size else 500]:
        if line and not _LINE.fullmatch(line):
            return Likeness.NO
        sure = sure or _SURE.match(line) is not None
    return Likeness.WEAK if sure else Likeness.NO


def _lines(text: str) -> list[str]:
    """Lines without comments, with those joined that a backslash continues."""
    return [re.sub(r"(?:^|\s)#.*", "", line).strip() for line in text.replace("\\\n", " ").splitlines()]


def _settings(text: str) -> list[str]:
    """The lines of settings that name packages or indexes, as pip would be given them; all others empty."""
    out, key = [], ""
    for line in text.splitlines():
        bare = re.sub(r"^\s*[#;].*|\s[#;].*", "", line).strip()
        match = _SETTING.match(bare) if line[:1] not in " \t" else None
        if bare.startswith("["):
            key = "packages" if _PACKAGES_SECTION.match(bare) else ""
            bare = ""
        elif match:
            key = "packages" if key == "packages" else match[1].lower().replace("_", "-")
            bare = bare[match.end() :].strip()
        if key in _INDEXES:
            out.append(" ".join(f"--{_INDEXES[key]} {each}" for each in bare.split()))
        else:
            out.append(bare if key in _REQUIRING or key == "packages" else "")
    return out


def read(source: Source, facts: Facts) -> None:
    """Read it as text, and list what is taken from elsewhere."""
    text_format.read(source, facts)
    content = source.upto(0, _LONGEST).decode("utf-8", "replace")
    lines = _settings(content) if facts.name.rsplit("/", 1)[-1].lower() in _SETTINGS else _lines(content)
    installs = [each for number, line in enumerate(lines, 1) for each in installs_of(line, number)]
    packages = sum(bool(line) and not line.startswith("-") for line in lines)
    facts.programs.append(Requirements(facts.at(), packages, tuple(installs[:_KEPT])))
    named = [each for number, line in enumerate(lines, 1) for each in _named(line, number)]
    if named:
        facts.metadata["requirements"] = named[:_LISTED]
    _tell_near(named, facts)
    if len(named) > _LISTED:
        facts.metadata["requirements left out"] = len(named) - _LISTED
    if len(installs) > _KEPT:
        facts.unknown("limit", f"more than {_KEPT} lines take packages from elsewhere")


def _tell_near(named: list[dict[str, Any]], facts: Facts) -> None:
    """Record the names that are like a well-known one but for a letter."""
    from openvet.formats._near_names import meant_by

    near = [
        (each, meant) for each in named[:_LISTED] if not each.get("place") and (meant := meant_by(str(each["name"])))
    ]
    for each, meant in near[:_KEPT]:
        facts.anomaly(
            "hub/requirement-source",
            f"names the package {each['name']}, which is like {meant} but for a letter",
            line=each["line"],
            kind="near" if len(near) == 1 else "nears",
        )


def _named(line: str, number: int) -> list[dict[str, Any]]:
    """The packages that one line names, each with the line, and the versions and the condition as they are written."""
    out = []
    line = " ".join(line.partition(" --")[0].split())
    for each in re.split(r",(?=\s*[A-Za-z0-9][\w.-]*\s*(?:\[|===?|[<>~!]=))", line) if not line.startswith("-") else ():
        found = _requirement(each.strip())
        if found is not None:
            written = {key: shorten(printable(value), 200) for key, value in found.items() if value}
            out.append({"line": number, **written})
    return out


def _requirement(text: str) -> dict[str, str] | None:
    """The parts of one requirement (PEP 508): name, extras, versions or place, condition; ``None`` where it is none."""
    match = _NAMED.match(text)
    if match is None:
        return None
    rest, _, condition = text[match.end() :].partition(";")
    rest, extras = rest.strip(), ""
    if rest.startswith("["):
        extras, bracket, rest = rest.partition("]")
        if not bracket:
            return None
        extras, rest = f"{extras}]", rest.strip()
    versions, place = rest.removeprefix("(").removesuffix(")").strip(), ""
    if rest.startswith("@"):
        versions, place = "", rest[1:].strip()
        if " " in place:
            return None
    elif versions and not versions.startswith(_COMPARING):
        return None
    return {"name": match[0], "extras": extras, "versions": versions, "place": place, "if": condition.strip()}


def packages_of(line: str, number: int = 0) -> list[dict[str, Any]]:
    """The packages that one line of such a list names: ``line name extras versions place if``, each where it is written."""
    return _named(line, number)


def installs_of(line: str, number: int = 0) -> list[Install]:
    """What one line takes from another place than the index."""
    shown = shorten(printable(line), 200)
    out = []
    for match in _OPTION.finditer(line):
        place = match.group(2) or match.group(3) or ""
        if "--no-index" in line and match.group(1) in ("--find-links", "-f") and "://" not in place:
            continue  # out of a folder, and from nowhere else
        if match.group(1) == "--trusted-host" or not f"{place}/".startswith(_public()):
            out.append(Install(number, "index", shown))
    rest = _OPTION.sub(" ", line)
    for match in _PLACE.finditer(rest):
        place = match.group(0)
        if f"{place}/".startswith(_public()):
            continue
        plain = re.match(r"(?:\w+\+)?(?:http|git|ftp)://", place) is not None
        out.append(Install(number, "plain" if plain else "place", shown))
    return out[:1]


_HOST: Final = pattern(r"(?:\w{1,20}\+)?\w{1,20}://(?:[^/@\s\"']*@)?(\[[0-9a-fA-F:.]{2,45}\]|[\w.${}-]+)[^\s\"']*")
#: Hosts of a network of one's own: one word, reserved endings, private addresses.
_INSIDE: Final = pattern(
    r"[\w-]+|.*\.(?:local|localhost|internal|intranet|corp|lan|home|private|test|localdomain|svc)|127\..*|10\..*|192\.168\..*|172\.(?:1[6-9]|2\d|3[01])\..*|"
    r"169\.254\..*|\[(?:::1|f[cde].*)\]|[^${}]*+[${}].*",
    re.IGNORECASE,
)


def is_foreign(text: str) -> bool:
    """Whether a line takes something from a host that is neither one that everybody uses nor one of a network of one's own."""
    for found in _HOST.finditer(text):
        place = re.sub(r"^(?:\w+\+)?(?:https?|ssh|git)://(?:[^/@]*@)?", "https://", found[0])
        if (
            not found[0].startswith("file:")
            and not f"{place}/".startswith(_public())
            and not _INSIDE.fullmatch(found[1])
        ):
            return True
    return False


def is_well_known(install: Install) -> bool:
    """Whether a repository or file is taken, encrypted, from a host that everybody uses; who owns it there is another matter."""
    if install.kind != "place":
        return False
    places = [
        re.sub(r"^(?:\w+\+)?(?:https|ssh)://(?:[^/@]*@)?", "https://", each) for each in _PLACE.findall(install.text)
    ]
    return bool(places) and all(f"{each}/".startswith(_public()) for each in places)
