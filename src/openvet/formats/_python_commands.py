"""Constant commands in Python sources that install packages, fetch weights or compile a library: what many a demo does when it starts.

Such a command is told apart only where all of it can be read: what is computed may be any command.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import TYPE_CHECKING

from openvet.core.pattern import pattern
from openvet.core.tables import read_table
from openvet.formats._python_calls import parameters
from openvet.formats._python_nodes import walk

if TYPE_CHECKING:
    from openvet.formats._python_record import Record

__all__ = ["kind_of_command"]

_SHELL = frozenset(";|&$`<>\n(){}\\*?!~")
_PIP = frozenset({"pip", "pip3"})
_PYTHON = frozenset({"python", "python3"})
#: Options of ``pip install`` that change nothing about where a package comes from.
_OPTIONS = frozenset({
    "-q", "-qq", "-U", "-v", "--quiet", "--upgrade", "--no-build-isolation", "--no-deps", "--no-cache-dir", "--user", "--pre",
    "--force-reinstall", "--prefer-binary", "--disable-pip-version-check", "--no-warn-script-location", "--ignore-installed",
    "--break-system-packages", "--no-input", "--only-binary=:all:", "--progress-bar=off", "-I", "--verbose", "--no-color",
})  # fmt: skip
#: Where PyTorch and its makers keep their wheels.
_PLACES = pattern(
    r"https://(?:download\.pytorch\.org/(?:whl|libtorch)(?:/[\w./-]{0,60})?|pypi\.org/simple/?|pypi\.nvidia\.com/?|data\.pyg\.org/whl/[\w.+-]{1,60})",
    re.ASCII,
)
_REQUIREMENT = pattern(
    r"([A-Za-z0-9][\w-]{0,60}(?:\.[A-Za-z0-9][\w-]{0,60}){0,3})(?:\[[\w,-]{1,80}\])?((?:(?:==|>=|<=|~=|!=|<|>)[\w.*+!]{1,40},?){0,4})",
    re.ASCII,
)
#: A file that lists packages, and is read as one where it lies in the folder.
_LISTED = pattern(r"(?:[^:\s]{0,200}/)?[\w-]{0,40}requirements?[\w.-]{0,40}\.(?:txt|in)")
_LISTS = frozenset({"-r", "--requirement", "--requirements"})
#: Compilers, and options by which they start nothing else.
_COMPILERS = frozenset({"gcc", "g++", "cc", "c++", "clang", "clang++", "nvcc", "hipcc"})
_OF_A_COMPILER = pattern(
    r"-(?:O[0-3sgz]|Ofast|f(?:PIC|pic|openmp|no-[\w-]{1,40}|fast-math|visibility=hidden)|std=[\w+]{1,12}|m(?:arch|tune|avx\w{0,8}|fma|f16c)(?:=[\w-]{1,20})?|"
    r"W[a-z-]{1,40}|w|g|shared|o|c|pthread|l[\w-]{1,30}|[ILD][\w./=-]{0,100})"
)
#: Data of a language by their names, which the libraries' own commands take from their makers' places.
_LANGUAGE_DATA = pattern(
    r"spacy download [a-z]{2,3}_(?:core|dep|ent|sent)_(?:web|news|wiki|sci|udv\d)_(?:sm|md|lg|trf)|nltk\.downloader(?: -q)?(?: (?!-)[\w.-]{2,40}){1,12}|"
    r"unidic download"
)
_VARIABLE = pattern(r"(?:PIP|UV|LD|DYLD|PYTHON|BASH|GIT)(?:_\w*)?|PATH|ENV|SHELL|IFS|\w*PROXY|PYTHON\w*", re.IGNORECASE)


def kind_of_command(names: Record, node: ast.Call, name: str) -> str:
    """``install`` for packages of which OpenVet knows all, ``fetch`` for others and for a fetcher of weights, ``native`` for a compiler of a library.

    Empty for any other command, and where a keyword or a sign of a shell may make something else of it.
    """
    if not node.args or not all(_is_plain(names, each) for each in node.keywords):
        return ""
    first = node.args[0]
    if isinstance(first, ast.Name):
        first = names.held(first.id) or first
    if _fetches_by_aws(names, first):
        return "fetch"
    first = node.args[0]
    in_list = isinstance(first, ast.List | ast.Tuple)
    if in_list and name.startswith("os."):
        return ""
    words = _words(names, first)
    if name.startswith("pip."):
        return _installed(words) if words and all(words) else ""
    if len(node.args) > 1:
        return ""
    if in_list and words and words[0] == "pget":
        return (
            "fetch"
            if all(not word.startswith("-") or word in ("-x", "-xf", "--extract", "-f") for word in words)
            else ""
        )
    if in_list and not any(each.arg == "shell" for each in node.keywords) and _compiles(words):
        return "native"
    if not words or not all(words):
        return ""
    shell = any(each.arg == "shell" for each in node.keywords)
    if (not in_list or shell) and any(not _SHELL.isdisjoint(word) for word in words):
        return ""
    if words[0] == "uv":
        words = words[1:]
    elif words[0] in _PYTHON and words[1:2] == ["-m"]:
        words = words[2:]
    if _LANGUAGE_DATA.fullmatch(" ".join(words)):
        return "install"
    return _installed(words[1:]) if words and words[0] in _PIP else ""


#: A client of buckets that copies, with places that a function is given; two names stand for one that is from here to there, or back.
_COPIES = pattern(
    r"aws s3 (?:cp|sync|ls)(?: (?:\0|s3://[\w./-]{1,120}|-|--(?:recursive|quiet|no-progress|only-show-errors|no-sign-request|exclude|include)|\*[\w.*-]{1,40})){1,10}"
)


def _fetches_by_aws(names: Record, node: ast.expr) -> bool:
    """Whether ``aws s3 cp`` copies what a function is given the places of, which are not known here: neither is constant."""
    parts = (
        node.elts if isinstance(node, ast.List | ast.Tuple) else node.values if isinstance(node, ast.JoinedStr) else []
    )
    words: list[str] = []
    for each in parts[:40]:
        inner = each.value if isinstance(each, ast.FormattedValue) else each
        text = names.fold(inner)
        if isinstance(text, str):
            words.append(text)
        elif isinstance(inner, ast.Name) and any(inner.id in parameters(scope) for scope in names.scopes):
            words.append("\0")
        else:
            return False
    return _COPIES.fullmatch(("" if isinstance(node, ast.JoinedStr) else " ").join(words).strip()) is not None


def _compiles(words: list[str]) -> bool:
    """Whether a compiler makes a library: ``["gcc", "-O3", "-fPIC", source, "-shared", "-o", out]``, whose source and place may be computed."""
    if not words or words[0] not in _COMPILERS or "-shared" not in words:
        return False
    return all(_OF_A_COMPILER.fullmatch(word) for word in words[1:] if word.startswith("-"))


def _words(names: Record, node: ast.expr) -> list[str]:
    """The words of a command; an empty one for each that cannot be read."""
    if isinstance(node, ast.List | ast.Tuple):
        return [_word(names, each) for each in node.elts[:60]] if len(node.elts) <= 60 else []
    text = _word(names, node)
    return [word.strip("\"'") for word in text.split()] if text else []


def _word(names: Record, node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        parts = [_word(names, each.value if isinstance(each, ast.FormattedValue) else each) for each in node.values]
        return "".join(parts) if all(parts) else ""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.Name | ast.Attribute | ast.Call) and names.resolve(node) == "sys.executable":
        return "python"
    text = names.fold(node)
    if isinstance(text, str):
        return text
    place = names.place_of(node) or ""  # os.path.join(here, "requirements.txt")
    return place if _LISTED.fullmatch(place) else ""


def _is_plain(names: Record, keyword: ast.keyword) -> bool:
    """Whether a keyword of the call leaves the command what it is."""
    if keyword.arg in ("executable", "preexec_fn", "startupinfo", None):
        return False
    return keyword.arg != "env" or _is_plain_environment(names, keyword.value)


def _is_plain_environment(names: Record, node: ast.expr) -> bool:
    """``{**os.environ, 'X': '1'}`` or ``dict(os.environ, X='1')``, where no variable says where packages come from."""
    given: list[str | None] = []
    for part in walk(node):
        if isinstance(part, ast.Dict):
            given += [key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None
                      for key in part.keys if key is not None]  # fmt: skip
        elif isinstance(part, ast.keyword):
            given += [part.arg] if part.arg else []
        elif isinstance(part, ast.Call):
            if names.resolve(part.func) not in ("builtins.dict", "os.environ.copy") and not _is_dict(part.func):
                return False
        elif isinstance(part, ast.Name):
            if part.id not in ("os", "dict"):
                return False
        elif not isinstance(part, ast.Attribute | ast.Constant | ast.Load):
            return False
    return all(each is not None and not _VARIABLE.fullmatch(each) for each in given)


def _is_dict(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "dict"


def _installed(words: list[str]) -> str:
    """What ``pip`` does with these words."""
    if not words or words[0] != "install":
        return ""
    kind, packages = "install", 0
    rest = iter(words[1:])
    for word in rest:
        option, mark, value = word.partition("=")
        if word in _OPTIONS:
            continue
        if word in _naming() or (mark and option in _naming()):
            if not _PLACES.fullmatch(value if mark and option in _naming() else next(rest, "")):
                return ""
            continue
        if word in _LISTS or (mark and option in _LISTS):
            if not _LISTED.fullmatch(value if mark else next(rest, "")):
                return ""
            kind, packages = "fetch", packages + 1
            continue
        requirement = _REQUIREMENT.fullmatch(word)
        if requirement is None or requirement[1].lower().endswith((".whl", ".zip", ".gz", ".txt", ".py")):
            return ""
        packages += 1
        if requirement[1].lower().replace("-", "_").replace(".", "_") not in _known():
            kind = "fetch"
    return kind if packages else ""


@cache
def _naming() -> frozenset[str]:
    """Options that name a place of packages."""
    return frozenset(read_table("python_packages")["places"])


@cache
def _known() -> frozenset[str]:
    return frozenset(read_table("python_packages")["projects"])
