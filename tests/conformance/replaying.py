"""Replaying one stream with CPython's unpicklers and comparing it with what the abstract machine says: for tests and for `make soak`."""

from __future__ import annotations

import _compat_pickle
import json
from typing import Any

from openvet.core.coverage import Coverage
from openvet.core.limits import Budget
from openvet.formats import pickle as pickle_format
from openvet.formats._format import Facts
from openvet.formats.pickle.linkers import LINKERS
from openvet.formats.pickle.program import PickleProgram
from openvet.io.source import BytesSource
from openvet.sandbox.recorder import REGISTERED
from openvet.sandbox.worker import ChildDiedError, Worker

__all__ = ["Replayer", "check", "misses", "programs", "read", "today"]

RECORDER = "openvet.sandbox.recorder"

Name = tuple[str, str]


class Replayer:
    """A child that is started again when a stream kills it."""

    def __init__(self) -> None:
        self._worker = Worker(RECORDER)

    def loads(self, unpickler: bytes, stream: bytes) -> list[dict[str, Any]]:
        try:
            found: list[dict[str, Any]] = json.loads(self._worker.ask(unpickler + stream))["loads"]
            return found
        except ChildDiedError:  # out of memory or out of its C stack: nothing is known of this stream
            self._worker = Worker(RECORDER)
            return []

    def close(self) -> None:
        self._worker.close()


def read(stream: bytes) -> Facts:
    facts = Facts("x", "x", Budget())
    pickle_format.read(BytesSource(stream), facts)
    return facts


def programs(facts: Facts) -> list[PickleProgram]:
    return [
        each
        for each in facts.programs
        if isinstance(each, PickleProgram) and each.container in ("", "reread", "shifted", "raw")
    ]


def today(name: Name) -> Name:
    """A name of Python 2 as the unpicklers translate it for protocols below 3."""
    module, attribute = name
    if name in _compat_pickle.NAME_MAPPING:
        return _compat_pickle.NAME_MAPPING[name]
    return _compat_pickle.IMPORT_MAPPING.get(module, module), attribute


def misses(facts: Facts, loads: list[dict[str, Any]]) -> list[tuple[str, Name]]:
    """What was resolved or called and is not in the facts."""
    found = programs(facts)
    references = [reference for program in found for reference in program.references]
    resolved = {(each.module, each.name) for each in references}
    called = {(each.module, each.name) for each in references if each.calls}
    # the state of a callable, or the class of an object, was changed: the rule about that reviews or rejects the file,
    # and which of the names in it are called later cannot be told apart any more
    changed = any(program.mutations for program in found)
    # an object that holds nothing callable may be hidden where an unpickler calls it: what made it is judged
    hidden = {(each.module, each.name) for each in references if each.calls and not (each.passes or each.passes_more)}
    hidden = hidden if any(each.builds for each in references) else set()
    # what an extension code stands for is not in the file; that the file has one is a reason to reject it
    codes = any(each.kind == "extension" for program in found for each in program.computed)
    coded = set(REGISTERED.values())
    starts = {program.start for program in found}
    out: list[tuple[str, Name]] = []
    at = 0
    for load in loads:
        if at not in starts:  # nobody loads on in what is left over, unless it begins like a pickle
            if facts.coverage is Coverage.READ:  # the rest is not said to be unread
                out += [("read on", tuple(name)) for name in load["resolved"]]
            break
        at = load["end"]
        names = [name for name in map(tuple, load["resolved"]) if not (name in coded and codes)]
        out += [("resolved", name) for name in names if not {name, today(name)} & resolved]
        for name in map(tuple, load["called"]):
            root = (name[0], name[1].partition("(")[0])
            if root in coded and codes and _calls_unknown(found):
                continue
            if root != name and {root, today(root)} & LINKERS.keys():
                continue  # the machine follows where a linker leads, which an inert one does not
            if root != name and {root, today(root)} & hidden:
                continue
            if not {name, today(name)} & called and not changed and not (name[0] == "" and _calls_unknown(found)):
                out.append(("called", name))
    return out


def _calls_unknown(found: list[PickleProgram]) -> bool:
    return any(each.calls and each.name.startswith("<unknown>") for program in found for each in program.references)


def check(stream: bytes, replayer: Replayer) -> int:
    """Compare one stream; how many calls there were."""
    facts = read(stream)
    calls = 0
    for unpickler in (b"c", b"p"):
        loads = replayer.loads(unpickler, stream)
        assert misses(facts, loads) == [], (unpickler, stream)
        calls += sum(len(load["called"]) for load in loads)
    return calls
