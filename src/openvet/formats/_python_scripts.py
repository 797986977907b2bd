"""Commands that stand in a source as texts: those of one function one after the other, those that nobody starts here, those that are left where
programs are started from.

They are judged as the lines of a script are (:mod:`openvet.formats._shell_script`). Sources: MITRE ATT&CK T1059.004, T1105, T1546.004.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Final

from openvet.core.pattern import pattern
from openvet.formats._addresses import BARE, PLAIN
from openvet.formats._python_calls import dotted, last_name
from openvet.formats._python_nodes import children, walk
from openvet.formats._python_quoted import speaks_of

if TYPE_CHECKING:
    from openvet.formats._python_origins import Origins
    from openvet.formats._python_processes import Processes

__all__ = ["Scripts"]

#: Words of which a source must have one to hold a command that nobody should run; where such a command leads.
_COMMANDS_IN: Final = (
    "curl", "wget", "powershell", "pwsh", "ncat", "nc ", "socat", "iwr", "Invoke-", "certutil", "bitsadmin", "mkfifo", "mshta", "fetch", "xmrig", "telnet", "scp",
    "rsync", "/dev/tcp/", "/dev/udp/", "stratum", "base64 -", "crontab", "useradd", "hooksPath", "kubectl", "git diff", "ttyd", "chpasswd", "sudoers", "install", "ethash", "randomx", "kawpow", "cryptonight",
)  # fmt: skip
_LEADS: Final = pattern(
    r"://|\b[\w-]{1,60}\.[\w.-]{1,60}:\d{2,5}\b|\b\d{1,3}(?:\.\d{1,3}){3}\b|/dev/(?:tcp|udp)/[\w.-]{1,200}/\d|[A-Za-z0-9+/]{16}|\b[\w-]{1,60}\.[\w.-]{1,60}\s\d{2,5}\b"
)
_PIP: Final = pattern(r"\b(?:pip[23]?|uv)\b[^|;&]{0,80}\b(?:install|download|wheel|add|sync)\b([^|;&]{1,400})")
#: What a person reads, and what looks for such texts.
_SHOWS: Final = pattern(
    r"(?:print|info|debug|warn|warning|error|critical|log|exception|write|echo|add_argument|Markdown|markdown|HTML|compile|match|search|sub|findall|fullmatch|"
    r"startswith|endswith|assert\w{0,30}|Exception|\w{1,40}Error|\w{1,40}Warning|help|secho|fail|skip|parametrize)"
)
#: Python that runs something, as text that is written where an interpreter reads it.
_STARTS: Final = pattern(
    r"\bos\.(?:system|popen|exec\w{1,3})\b|\bsubprocess\b|\bexec\s{0,4}\(|\beval\s{0,4}\(|\burlopen\b|__import__|\bbase64\b|\bsocket\b"
)
_PLAIN_INSTALL: Final = pattern(
    r"\binstall\s[^|;&\n]{0,200}(?:git\+http|(?:-i|--(?:extra-)?index-url|-f|--find-links)[= ]{1,4}http)://(?!localhost|127\.|10\.|192\.168\.|[\w-]{1,63}[:/])"
)
_LONGEST_TEXT: Final = 20_000
_MOST_NODES: Final = 50_000


class Scripts:
    """The commands of one source."""

    __slots__ = ("_commands", "_from", "_of", "_scripts", "_startups")

    def __init__(self, uses: Processes, origins: Origins, text: str) -> None:
        self._of = uses
        self._from = origins
        #: the constant commands of each function, in the order in which they were read
        self._scripts: dict[tuple[str, str], list[tuple[ast.AST, str, str]]] = {}
        self._startups: list[tuple[ast.Call, str, str, str]] = []
        self._commands = any(word in text for word in _COMMANDS_IN)

    def started(self, node: ast.Call, name: str, when: str) -> str:
        """The command that a call starts; empty where that cannot be said."""
        command = self._of.command_of(node)
        piped = [each.value for each in node.keywords if each.arg == "stdin"]
        for part, _ in self._from.into(piped) if piped else ():  # Popen(["sh"], stdin=other.stdout)
            if isinstance(part, ast.Call) and self._of.known.of(self._from.name(part.func)) == "process":
                command = f"{self._of.command_of(part)} | {command}"
        self._note_text(node, command, name, when)
        return command

    def handed(self, node: ast.Call, words: str, when: str) -> None:
        """A call is given a callable that starts a process, and words."""
        self._note_text(node, words, dotted(node.func, "something"), when)

    def starts_again(self, node: ast.Call, name: str, when: str) -> None:
        """A change of a file from which programs are started: what is written there says what for."""
        if when == "call" and len(self._startups) < 50:
            self._startups.append((node, name, when, self._of.owner))

    def _note_text(self, node: ast.Call, words: str, name: str, when: str) -> None:
        if words and len(self._scripts) < 500:
            held = self._scripts.setdefault((self._of.owner, when), [])
            if len(held) < 60:
                held.append((node, name, words))

    def finish(self) -> Iterator[tuple[int, str, str, str, str]]:
        """Line, callable, what it does, when, and the function in which it is, for each command that nobody should run."""
        told: set[int] = set()
        for (owner, when), commands in self._scripts.items():
            for each in _told_of(commands, when, owner):
                told.add(each[0])
                yield each
        for node, name, when, owner in self._startups:
            function = self._of.function_of(owner)
            if any(_is_left(text) for text in _texts_in(function)):
                yield node.lineno, name, "leaves a command where programs are started from", when, owner
        if self._commands:
            for line, text in _constants(self._of.tree):
                if (
                    line not in told
                    and (what := _hostile(text))
                    and not speaks_of(text, (each[2] for each in self._of.uses))
                ):
                    yield line, "a constant", what, "call", ""


def _told_of(
    commands: list[tuple[ast.AST, str, str]], when: str, owner: str
) -> Iterator[tuple[int, str, str, str, str]]:
    """What the commands of one function do one after the other."""
    from openvet.formats._shell_script import judged_script

    for node, name, text in commands:
        if (found := _PIP.search(text)) and (BARE.search(found[1]) or PLAIN.search(found[1])):
            yield (
                getattr(node, "lineno", 1),
                name,
                f"installs packages from a bare address or without encryption: {text[:120]}",
                when,
                owner,
            )
    told = judged_script("\n".join(text.replace("\n", " ; ") for _, _, text in commands))
    if told is not None and told[1] != "fetch-run":
        node, name, text = commands[min(told[2], len(commands)) - 1]
        yield getattr(node, "lineno", 1), name, f"starts a command that {told[0]}: {text[:120]}", when, owner


def _hostile(text: str) -> str:
    """What a constant text is, where it is a command that leads somewhere and that nobody should run."""
    from openvet.formats._shell_script import judged_script

    if "install" in text and len(text) < _LONGEST_TEXT and _PLAIN_INSTALL.search(text):
        return "installs packages without encryption or from a bare address"

    if len(text) > _LONGEST_TEXT or not any(word in text for word in _COMMANDS_IN) or not _LEADS.search(text):
        return ""
    told = judged_script(text)
    return (
        f"holds a command that {told[0]}"
        if told is not None and told[1] in ("reverse-shell", "hidden", "sends", "mines")
        else ""
    )


def _is_left(text: str) -> bool:
    """Whether a text that is written to where programs are started runs something of somebody else."""
    from openvet.formats._shell_script import judged_script

    return len(text) < _LONGEST_TEXT and (_STARTS.search(text) is not None or judged_script(text) is not None)


def _texts_in(node: ast.AST) -> Iterator[str]:
    for each in islice(walk(node), _MOST_NODES):
        if isinstance(each, ast.Constant) and isinstance(each.value, str | bytes):
            yield each.value if isinstance(each.value, str) else each.value.decode("latin-1")


def _constants(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The constant texts of a source that are no documentation, are shown to nobody, and are compared with nothing."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                yield node.lineno, node.value
            continue
        if (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)) or isinstance(
            node, ast.Compare | ast.Raise | ast.Assert
        ):
            continue
        if isinstance(node, ast.Call) and _SHOWS.fullmatch(last_name(node.func)):
            continue
        waiting.extend(children(node))
