"""What a request is about: a path as it came over the wire, taken apart.

Clients write a revision as one segment (``refs%2Fpr%2F1``), and the path of a file either as segments or as one (``tree``). So the
path is split before anything in it is decoded, and each part is decoded exactly once. Names have one segment or two.

Source: ``huggingface_hub`` 0.36.2, 1.33.0 and 2.4.0 (``hf_hub_url``, ``HfApi``), ``@huggingface/hub`` 2.17.5.
"""

from __future__ import annotations

from typing import Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.errors import UsageError
from openvet.gate.answers import Repository

__all__ = ["MAIN", "BadTargetError", "Target", "read_target"]

MAIN: Final = "main"
_KINDS: Final = {b"models": "model", b"datasets": "dataset"}
#: What may follow a name in ``/api/models/NAME/...``. A repository with such a second segment cannot be asked for by the API.
_API: Final = {b"revision", b"tree", b"paths-info", b"refs", b"commits", b"auth-check", b"resolve", b"xet-read-token"}
_ESCAPE: Final = pattern(rb"%(?![0-9A-Fa-f]{2})")
_HEX: Final = pattern(rb"%([0-9A-Fa-f]{2})")
_HIDDEN: Final = pattern("[\\x00-\\x1f\\x7f\\\\]")
_LONGEST_PATH: Final = 4096


class BadTargetError(UsageError):
    """No client of a hub asks for such a path."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked about.

    Attributes:
        what: ``info``, ``tree``, ``paths-info``, ``refs``, ``commits``, ``auth-check`` or ``file``; ``list`` for repositories of a kind;
            '' for what a hub may have and we have not.
        kind: ``model`` or ``dataset``; '' where ``what`` is ''.
        name: of the repository, as the client wrote it.
        revision: branch, tag or commit.
        path: of a file or a folder; '' for the whole.
    """

    what: str
    kind: str = ""
    name: str = ""
    revision: str = MAIN
    path: str = ""

    @property
    def repository(self) -> Repository:
        """The repository.

        Raises:
            UsageError: the name can be none.
        """
        return Repository.parse(self.kind, self.name)


def read_target(raw: bytes) -> Target:
    """What the path of a request is about.

    Args:
        raw: the path as it came, without the query.

    Raises:
        BadTargetError: it is no path that a client of a hub sends, or one that tries to leave the repository.
    """
    if len(raw) > _LONGEST_PATH:
        raise BadTargetError(f"the path is longer than {_LONGEST_PATH} bytes")
    parts = raw.split(b"/")[1:]
    if parts[:1] == [b"api"]:
        return _api(parts[1:])
    kind = "model"
    if parts[:1] == [b"datasets"]:
        kind, parts = "dataset", parts[1:]
    for size in (1, 2):
        if len(parts) > size and parts[size] == b"resolve":
            if len(parts) < size + 3:
                raise BadTargetError("a file is asked for as NAME/resolve/REVISION/PATH")
            return Target("file", kind, _name(parts[:size]), _revision(parts[size + 1]), _path(parts[size + 2 :]))
    return Target("")


def _api(parts: list[bytes]) -> Target:
    kind = _KINDS.get(parts[0]) if parts else None
    if kind is None:
        return Target("")
    parts = parts[1:]
    if not parts or parts == [b""]:
        return Target("list", kind)
    size = 1 if len(parts) == 1 or parts[1] in _API else 2
    name, verb, rest = _name(parts[:size]), parts[size : size + 1], parts[size + 1 :]
    if not verb:
        return Target("info", kind, name)
    what = verb[0].decode("ascii", "replace")
    if what in {"refs", "auth-check"} and not rest:
        return Target(what, kind, name)
    if verb[0] not in _API or not rest:
        return Target("")
    revision = _revision(rest[0])
    if what == "revision" and len(rest) == 1:
        return Target("info", kind, name, revision)
    if what in {"paths-info", "commits"} and len(rest) == 1:
        return Target(what, kind, name, revision)
    if what == "tree":
        return Target("tree", kind, name, revision, _path(rest[1:]) if rest[1:] not in ([], [b""]) else "")
    if what == "resolve" and len(rest) > 1:
        return Target("file", kind, name, revision, _path(rest[1:]))
    return Target("")


def _name(parts: list[bytes]) -> str:
    return "/".join(_decoded(each) for each in parts)


def _revision(part: bytes) -> str:
    text = _decoded(part)
    if len(text) > 255 or not all(_is_plain(each) for each in text.split("/")):
        raise BadTargetError("a revision is a branch, a tag or a commit")
    return text


def _path(parts: list[bytes]) -> str:
    text = "/".join(_decoded(each) for each in parts)
    if not all(_is_plain(each) for each in text.split("/")):
        raise BadTargetError("a path of a file has no empty part, and none that is . or ..")
    return text


def _is_plain(part: str) -> bool:
    return part not in {"", ".", ".."}


def _decoded(part: bytes) -> str:
    if _ESCAPE.search(part):
        raise BadTargetError("a % in the path is not followed by two hexadecimal digits")
    data = _HEX.sub(lambda found: bytes([int(found[1], 16)]), part) if b"%" in part else part
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise BadTargetError("the path is not UTF-8") from None
    if _HIDDEN.search(text):
        raise BadTargetError("the path holds a control character or a backslash")
    return text
