"""7z archives: what hides in them, and ordinary ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from openvet.testing.case import Case
from openvet.testing.forge_7z import forge_7z

__all__ = ["CASES"]

_PICKLE = b"cos\nsystem\n(S'echo pwned'\ntR."
_PICKLE_RULE = "pickle/runs-process"
_TEXT = b"A model card.\n" * 50


def _case(
    name: str, technique: str, forge: Callable[[], bytes], decision: Literal["admit", "review", "reject"], *rules: str
) -> Case:
    return Case(f"7z/{name}", technique, forge, decision, frozenset(rules), ("7z",), name="model.7z")


def _hidden(method: str, *, packed_header: bool = False) -> Case:
    return _case(
        f"pickle-{method}{'-packed-header' if packed_header else ''}",
        f"a hostile pickle in a 7z archive ({method})",
        lambda: forge_7z([("README.md", _TEXT), ("data.pkl", _PICKLE)], method, packed_header=packed_header),
        "reject",
        _PICKLE_RULE,
    )


CASES: tuple[Case, ...] = (
    *(_hidden(method) for method in ("copy", "lzma", "lzma2", "bzip2", "deflate", "zstd", "lz4")),
    _hidden("lzma", packed_header=True),
    _case(
        "in-itself",
        "a 7z in a 7z",
        lambda: forge_7z([("a.7z", forge_7z([("data.pkl", _PICKLE)]))]),
        "reject",
        _PICKLE_RULE,
    ),
    _case(
        "path-traversal",
        "a member that climbs out",
        lambda: forge_7z([("../../a.txt", _TEXT)]),
        "reject",
        "archive/path-traversal",
    ),
    _case(
        "absolute",
        "a member with an absolute name",
        lambda: forge_7z([("/etc/a.txt", _TEXT)]),
        "reject",
        "archive/path-traversal",
    ),
    _case(
        "link",
        "a link to a file of the machine",
        lambda: forge_7z([("a", b"/etc/passwd")], links=True),
        "reject",
        "archive/link-escape",
    ),
    _case(
        "encrypted",
        "encrypted members",
        lambda: forge_7z([("a.txt", _TEXT)], "aes"),
        "review",
        "archive/encrypted-member",
    ),
    _case("other-method", "a method that is not read", lambda: forge_7z([("a.txt", _TEXT)], "ppmd"), "review"),
    _case("text", "an ordinary archive", lambda: forge_7z([("README.md", _TEXT), ("a/b.txt", _TEXT)]), "admit"),
    *(
        _case(
            f"text-{method}",
            f"an ordinary archive ({method})",
            lambda method=method: forge_7z([("README.md", _TEXT), ("a/b.txt", _TEXT)], method),  # type: ignore[misc]
            "admit",
        )
        for method in ("zstd", "lz4")
    ),
    _case(
        "text-packed-header",
        "an ordinary archive with a packed header",
        lambda: forge_7z([("README.md", _TEXT)], "lzma2", packed_header=True),
        "admit",
    ),
)
