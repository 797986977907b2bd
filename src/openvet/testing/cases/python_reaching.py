"""Python code that reaches for what is its user's, or runs what nobody sees, by families; and look-alikes."""

from __future__ import annotations

from collections.abc import Mapping

from openvet.testing.case import Case
from openvet.testing.forge_reaching import (
    CARRIED,
    FETCHED,
    HIDDEN,
    JOINED,
    MACHINE_CODE,
    NAMED,
    OWN,
    PROGRAMS,
    PUBLISHED,
    SENT,
    STARTED,
    TAKEN_OVER,
    WATCHED,
)

__all__ = ["CASES"]

Code = str | Mapping[str, str]


def _case(name: str, technique: str, code: Code, decision: str, *rules: str) -> Case:
    files = {"modeling_x.py": code} if isinstance(code, str) else code

    def forge() -> Mapping[str, bytes]:
        return {"config.json": b'{"model_type": "x"}', **{each: text.encode() for each, text in files.items()}}

    return Case(f"python-reaching/{name}", technique, forge, decision, frozenset(rules), ("python",))  # type: ignore[arg-type]


def _each(prefix: str, technique: str, codes: Mapping[str, Code], *rules: str) -> list[Case]:
    return [
        _case(
            f"{prefix}-{name}",
            f"{technique}: {name.replace('-', ' ')}",
            code,
            "reject",
            *rules,
            *_MORE.get((prefix, name), ()),
        )
        for name, code in codes.items()
    ]


_LOUD = "hub/python-code"
#: ``setup.py`` is run by installers; a command of a program only by whoever types its name.
_ASKED: dict[str, tuple[str, ...]] = {"publish": ("admit",), "a-command": ("admit",)}
#: What else is told of a case.
_MORE: dict[tuple[str, str], tuple[str, ...]] = {
    ("joined", "objects-fetched"): ("python/network-at-load",),
    ("watched", "keys"): ("python/network-at-load", "python/hostile-code"),
    ("program", "a-source"): ("python/hostile-code",),
    ("fetched", "to-a-folder"): ("python/hostile-code",),
    ("fetched", "to-a-name"): ("python/hostile-code",),
    ("sent", "keys-by-a-bucket"): (_LOUD,),
    ("sent", "cookies-in-a-loop"): (_LOUD,),
    ("sent", "a-wallet-in-a-loop"): (_LOUD, "python/network-at-load"),
}

CASES: tuple[Case, ...] = (
    *(_case(f"named-{name}", f"a command by a name that comes about in another way: {name.replace('-', ' ')}", code, "reject", _LOUD,
            "python/hidden-code" if "configuration" in name else "python/process-at-load") for name, code in NAMED.items()),
    *_each("sent", "what is the user's own is sent", SENT, "python/sends-secrets"),
    *_each("machine-code", "machine code is run out of memory", MACHINE_CODE, "python/hidden-code", _LOUD),
    *_each("carried", "a command in a function that a framework calls", CARRIED, "python/process-at-load", _LOUD),
    *_each("joined", "streams, objects and callables that are joined unseen", JOINED, "python/hidden-code", _LOUD),
    *_each("program", "a program is fetched when a model is built or used", PROGRAMS, "python/network-at-load", _LOUD),
    *_each("fetched", "a native library is fetched and loaded", FETCHED, "python/native-at-load", "python/network-at-load", _LOUD),
    *_each("taken-over", "a function of a package is replaced by one that sends", TAKEN_OVER, "python/hidden-code",
           "python/network-at-load", _LOUD),
    *_each("watched", "whoever loads the model is watched", WATCHED, "python/watches-user", _LOUD),
    *_each("started", "a function changes a file from which programs are started", STARTED, "python/startup-file", _LOUD),
    *_each("hidden", "text of another place is run", HIDDEN, "python/code-at-load", _LOUD),
    *(_case(f"own-{name}", f"what packages do with their own: {name.replace('-', ' ')}", code, "admit") for name, code in OWN.items()),
    *(_case(f"asked-{name}", f"a process that somebody asks for: {name.replace('-', ' ')}", code, *_ASKED[name])
      for name, code in PUBLISHED.items()),
)  # fmt: skip
