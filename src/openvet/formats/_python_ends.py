"""Both ends of what flows in Python: the one table of what belongs to whoever runs a program, what sends, what listens and what runs (``data/python_reach.toml``).

Each class is a table of the file, and each of its fields a list in it. Lists of ``calls`` and the like hold qualified names; lists of methods hold last
parts of names, whatever they are called on; lists of packages their first parts.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any, Final, TypeVar

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.core.tables import read_table

__all__ = ["Ends", "ends", "may_reach"]

_Names = frozenset[str]


@dataclass(frozen=True, slots=True)
class Clients:
    """Packages whose objects talk to another machine.

    Attributes:
        names: these packages.
        kept: methods that hand over nothing of the user's.
        told: those by which people, or programs, say something.
    """

    names: _Names
    kept: _Names
    told: _Names


@dataclass(frozen=True, slots=True)
class Sends:
    """Methods that send what they are given.

    Attributes:
        messages: a request, a mail, a message.
        requests: a request, by a name that functions are often handed things under.
        files: a file, to a store.
        repositories: something, into a repository or a bucket.
        contents: the same, by names that anything may have.
        asks: what asks another machine, called on a session or a connection.
        verbs: what sends where the network is known to be asked.
    """

    messages: _Names
    requests: _Names
    files: _Names
    repositories: _Names
    contents: _Names
    asks: _Names
    verbs: _Names


@dataclass(frozen=True, slots=True)
class Hears:
    """What gives what another machine says.

    Attributes:
        calls: some that do, by their whole names.
        anywhere: methods that do, whatever they are called on.
        connections: methods of what a call of the network gave.
        functions: functions of packages of the network.
        clients: methods of objects of clients.
        happenings: packages that call what they are given when something happens.
        subscribes: methods that make a function listen.
        callbacks: attributes that a function which listens is put into.
    """

    calls: _Names
    anywhere: _Names
    connections: _Names
    functions: _Names
    clients: _Names
    happenings: _Names
    subscribes: _Names
    callbacks: _Names


@dataclass(frozen=True, slots=True)
class Serves:
    """What a server is asked: ``routes`` mark a function that it calls, a request holds ``holds``."""

    routes: _Names
    holds: _Names


@dataclass(frozen=True, slots=True)
class Secrets:
    """What gives something that is secret to whoever runs the program.

    Attributes:
        tokens: a token, wherever it goes.
        calls: what counts where it is sent.
        stores: methods that give what a store of secrets holds.
        variables: calls that give one variable of the environment, and ``variable_methods``.
        reads: calls that read, or copy as a whole, what their arguments name, and ``read_methods``.
    """

    tokens: _Names
    calls: _Names
    stores: _Names
    variables: _Names
    variable_methods: _Names
    reads: _Names
    read_methods: _Names


@dataclass(frozen=True, slots=True)
class Own:
    """Keywords by which a service is asked in one's own name, or it is said how; which of these count is for each question to say."""

    headers: _Names
    tokens: _Names
    logins: _Names
    keys: _Names
    files: _Names
    names: _Names
    limits: _Names
    ways: _Names


@dataclass(frozen=True, slots=True)
class Watching:
    """What gives what somebody does before the machine: ``calls``, ``methods``, and ``packages`` that call what they are given with each key."""

    calls: _Names
    methods: _Names
    packages: _Names


@dataclass(frozen=True, slots=True)
class Persons:
    """Calls that say who somebody is, which machine it is, and where on it."""

    calls: _Names
    machines: _Names
    places: _Names


@dataclass(frozen=True, slots=True)
class Runs:
    """What runs what it is given.

    Attributes:
        code: a text, as Python.
        shells: a text, as a shell's.
        sources: texts and bytes that become code, or are run by an interpreter.
        cells: methods of an interactive interpreter.
        unpickles: objects out of bytes, whatever is in them.
        loads: objects out of files that are mostly of data.
    """

    code: _Names
    shells: _Names
    sources: _Names
    cells: _Names
    unpickles: _Names
    loads: _Names


@dataclass(frozen=True, slots=True)
class Ends:
    """Both ends, by what they are; what is put together of several lists comes last.

    Attributes:
        senders: methods that send, whatever they are called on.
        listening: packages that call what they are given: with each key, with what somebody says, or when something happens.
        messages: methods that send a request, a mail or a message, where it is known otherwise that it leaves.
        uploads: methods that put something into a repository or a bucket.
        identifying: calls that say who somebody is, which machine it is, or where on it.
        headed: all of ``own`` that opens a service: what is given there is in no answer and in no file.
        words: an import of a client.
    """

    clients: Clients
    sends: Sends
    hears: Hears
    serves: Serves
    secrets: Secrets
    own: Own
    watching: Watching
    persons: Persons
    runs: Runs
    senders: _Names
    listening: _Names
    messages: _Names
    uploads: _Names
    identifying: _Names
    headed: _Names
    words: re.Pattern[str]


_Kind = TypeVar("_Kind")


def _lists(kind: type[_Kind], lists: dict[str, list[str]]) -> _Kind:
    """A table; a list that is missing or too much is a fault of the installation."""
    return kind(**{name: frozenset(found) for name, found in lists.items()})


@cache
def ends() -> Ends:
    """The table, read once."""
    data: dict[str, Any] = read_table("python_reach")
    clients, sends, hears = _lists(Clients, data["clients"]), _lists(Sends, data["sends"]), _lists(Hears, data["hears"])
    watching, persons, own = (
        _lists(Watching, data["watching"]),
        _lists(Persons, data["persons"]),
        _lists(Own, data["own"]),
    )
    first = sorted({name.split(".", 1)[0] for name in clients.names})
    return Ends(
        clients,
        sends,
        hears,
        _lists(Serves, data["serves"]),
        _lists(Secrets, data["secrets"]),
        own,
        watching,
        persons,
        _lists(Runs, data["runs"]),
        sends.messages | sends.files | sends.repositories,
        clients.told | hears.happenings | watching.packages,
        sends.messages | sends.requests,
        sends.repositories | sends.contents,
        persons.calls | persons.machines | persons.places,
        own.headers | own.tokens | own.logins | own.keys,
        re.compile(rf"^[ \t]*(?:from|import)\b[^\n#]*\b(?:{'|'.join(map(re.escape, first))})\b", re.MULTILINE),
    )


#: What such a source takes, or does with what it is told: one of these words must stand in it beside a client.
_WORDS: Final = pattern(
    r"environ|getenv|getpass|get_token|netrc|keyring|token|cookie|credential|secret|passw|\.ssh|\.aws|home\(\)|expanduser|sounddevice|pyaudio|ImageGrab|\bmss\b|screenshot|pyperclip|clipboard|"
    r"keyboard|\bexec\b|\beval\b|subprocess|os\.(?:system|popen)|pickle|marshal|serviceaccount|getuser|getlogin|win32crypt|/proc/|/etc/",
    re.IGNORECASE,
)


@lru_cache(maxsize=2)
def may_reach(text: str) -> bool:
    """Whether a source has a client of another machine, and a word of what is sent or run; most have not."""
    lines = [line for line in text.split("\n") if line.lstrip(" \t").startswith(("from", "import"))]
    return ends().words.search("\n".join(lines)) is not None and _WORDS.search(text) is not None
