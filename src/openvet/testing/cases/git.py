"""What Git keeps in a clone, and what can be hidden in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from openvet.testing.case import Case
from openvet.testing.forge_tables import git_index, git_object, git_pack, git_pack_table

__all__ = ["CASES"]

_CLONE: dict[str, bytes] = {
    "README.md": b"# A model\n",
    ".gitattributes": b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n",
    ".gitignore": b"*.tmp\n",
    ".git/HEAD": b"ref: refs/heads/main\n",
    ".git/config": b'[core]\n\trepositoryformatversion = 0\n\tbare = false\n[remote "origin"]\n\turl = https://example.org/x/y\n',
    ".git/description": b"Unnamed repository; edit this file 'description' to name the repository.\n",
    ".git/index": git_index(),
    ".git/packed-refs": b"# pack-refs with: peeled fully-peeled sorted\n" + b"0" * 40 + b" refs/remotes/origin/main\n",
    ".git/objects/pack/pack-1.pack": git_pack(b"# A model\n" * 9, b"{}"),
    ".git/objects/pack/pack-1.idx": git_pack_table(),
    ".git/objects/ab/cdef": git_object(b"# A model\n"),
    ".git/logs/HEAD": b"0000 1111 A <a@example.org> 1700000000 +0000\tclone: from https://example.org/x/y\n",
}
_TOOL = "hub/tool-command"


def _case(
    name: str,
    technique: str,
    more: Mapping[str, bytes],
    decision: Literal["admit", "review", "reject"],
    *rules: str,
    advisories: tuple[str, ...] = (),
) -> Case:
    return Case(f"git/{name}", technique, lambda: {**_CLONE, **more}, decision, frozenset(rules), (), advisories)


def _submodule(name: str, technique: str, text: bytes, *advisories: str) -> Case:
    return _case(f"submodule-{name}", technique, {".gitmodules": text}, "reject", _TOOL, advisories=advisories)


CASES: tuple[Case, ...] = (
    _case("clone", "a clone as Git leaves it: pack, table, index, objects, logs", {}, "admit"),
    _case("submodule", "a submodule at another address",
          {".gitmodules": b'[submodule "lib"]\n\tpath = lib\n\turl = https://example.org/x/lib\n'}, "admit"),
    _case("changed-pack", "a pack whose checksum does not fit",
          {".git/objects/pack/pack-1.pack": git_pack(b"a")[:-1] + b"\0"}, "review", "file/malformed", "file/trailing-data"),
    _submodule("url-option", "the address of a submodule is an option of git clone",
               b'[submodule "x"]\n\tpath = x\n\turl = -u./payload\n', "CVE-2018-17456"),
    _submodule("path-option", "the path of a submodule is an option",
               b'[submodule "x"]\n\tpath = -x\n\turl = https://example.org/x\n', "CVE-2018-17456"),
    _submodule("name-leaves", "the name of a submodule leads out of .git/modules",
               b'[submodule "../../hooks"]\n\tpath = x\n\turl = https://example.org/x\n', "CVE-2018-11235"),
    _submodule("update-command", "a submodule whose update is a command",
               b'[submodule "x"]\n\tpath = x\n\turl = https://example.org/x\n\tupdate = !echo forged\n', "CVE-2019-19604"),
    _submodule("carriage-return", "the path of a submodule ends with a carriage return, which Git drops when it reads it again",
               b'[submodule "x"]\n\tpath = "x\r"\n\turl = https://example.org/x\n', "CVE-2025-48384"),
    _submodule("remote-helper", "the address of a submodule is a command",
               b'[submodule "x"]\n\tpath = x\n\turl = ext::sh -c echo\n'),
    _case("cache-of-the-hub", "what the hub client keeps beside the files that it fetched",
          {".cache/huggingface/.gitignore": b"*", ".cache/huggingface/CACHEDIR.TAG": b"Signature: 8a477f597d28d172789f06886806bc55\n",
           ".cache/huggingface/download/README.md.lock": b"",
           ".cache/huggingface/download/README.md.metadata": b"0" * 40 + b"\n" + b"1" * 40 + b"\n1700000000.1\n"}, "admit"),
)  # fmt: skip

_BUNDLE = b"# v2 git bundle\n" + b"0" * 40 + b" refs/heads/main\n\n"
CASES += (
    Case(
        "git/bundle",
        "a bundle: branches, and a pack",
        lambda: _BUNDLE + git_pack(b"# A model\n" * 9),
        "admit",
        frozenset(),
        ("git-bundle",),
        (),
        "model.bundle",
    ),
    Case(
        "git/bundle-v3",
        "a bundle of version 3, with what must be there already",
        lambda: (
            _BUNDLE.replace(b"v2 git bundle\n", b"v3 git bundle\n@object-format=sha1\n-" + b"1" * 40 + b" x\n")
            + git_pack(b"a")
        ),
        "admit",
        frozenset(),
        ("git-bundle",),
        (),
        "model.bundle",
    ),
    Case(
        "git/bundle-of-something-else",
        "something else behind the names of a bundle",
        lambda: _BUNDLE + b"\x7fELF" + bytes(60),
        "review",
        frozenset({"file/malformed"}),
        ("git-bundle",),
        (),
        "model.bundle",
    ),
    Case(
        "git/bundle-changed",
        "a bundle whose checksum does not fit",
        lambda: _BUNDLE + git_pack(b"a")[:-1] + b"\0",
        "review",
        frozenset({"file/malformed", "file/trailing-data"}),
        ("git-bundle",),
        (),
        "model.bundle",
    ),
)
