"""Settings by which editors and programmers' assistants start programs when a folder is opened: hooks, servers of the Model Context
Protocol, and variables of terminals.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openvet.checks.hub._texts import as_command
from openvet.core.location import below
from openvet.core.pattern import pattern
from openvet.core.rule import Severity
from openvet.core.text import printable, shorten

__all__ = ["assistant_commands"]

_SERVERS = pattern(
    r"/(?:\.mcp|mcp|mcp_config|claude_desktop_config|mcp_settings)\.json$|/\.(?:claude|gemini|cursor|vscode|codex|windsurf)/[\w.-]*\.json$"
)
_HOOKS = pattern(r"/\.(?:claude|gemini|cursor|codex|windsurf)/[\w.-]*\.json$")
_HELPERS = ("apiKeyHelper", "awsAuthRefresh", "awsCredentialExport", "otelHeadersHelper")
#: Variables by which a program is made to run code of somebody else.
_LOADING = pattern(
    r"LD_PRELOAD|LD_AUDIT|DYLD_\w+|PYTHON(?:STARTUP|HOME|INSPECT)|BASH_ENV|PROMPT_COMMAND|NODE_OPTIONS|GIT_\w+|PERL5OPT|RUBYOPT"
)

Told = Iterator[tuple[str, str, Severity]]


def assistant_commands(place: str, document: Any) -> Told:
    """Pointer, what it does and how bad it is, of each setting of the file at ``place`` (which begins with a slash)."""
    if not isinstance(document, dict):
        return
    if _SERVERS.search(place):
        for key in ("mcpServers", "servers", "mcp"):
            yield from _servers(f"/{key}", document.get(key))
    if _HOOKS.search(place):
        yield from _hooks("/hooks", document.get("hooks"))
        for key in _HELPERS:
            if isinstance(document.get(key), str):
                yield f"/{key}", f"makes an assistant run {_shown(document[key])}", Severity.HIGH
    if place.endswith("/.vscode/settings.json"):
        yield from _terminal(document)


def _servers(pointer: str, servers: Any) -> Told:
    for name, server in list(servers.items())[:100] if isinstance(servers, dict) else ():
        if isinstance(server, dict) and isinstance(server.get("command"), str):
            arguments = server.get("args")
            parts = (
                [server["command"], *(each for each in arguments if isinstance(each, str))]
                if isinstance(arguments, list)
                else [server["command"]]
            )
            worse = any(as_command(each) is not None for each in (" ".join(parts), *parts[1:]))
            severity = Severity.HIGH if worse else Severity.MEDIUM
            yield below(pointer, name), f"makes an assistant start {_shown(' '.join(parts))}", severity
        elif isinstance(server, dict) and name == "servers":
            yield from _servers(below(pointer, name), server)


def _hooks(pointer: str, value: Any) -> Told:
    """Commands below ``hooks``, however deep."""
    stack = [(pointer, value)]
    for _ in range(2_000):
        if not stack:
            return
        where, each = stack.pop()
        if isinstance(each, dict):
            if isinstance(each.get("command"), str):
                yield below(where, "command"), f"makes an assistant run {_shown(each['command'])}", Severity.HIGH
            stack.extend((below(where, key), child) for key, child in each.items())
        elif isinstance(each, list):
            stack.extend((below(where, at), child) for at, child in enumerate(each))


def _terminal(document: dict[str, Any]) -> Told:
    for key, value in document.items():
        if key.startswith("terminal.integrated.env.") and isinstance(value, dict):
            for name in value:
                if _LOADING.fullmatch(name):
                    yield below(f"/{key}", name), f"gives every terminal of the editor {name}", Severity.HIGH
    if document.get("task.allowAutomaticTasks") == "on":
        yield "/task.allowAutomaticTasks", "lets tasks start when the folder is opened", Severity.MEDIUM


def _shown(text: str) -> str:
    return shorten(printable(text), 120)
