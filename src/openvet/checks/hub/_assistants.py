"""Settings by which editors and programmers' assistants start programs when a folder is opened: hooks, servers of the Model Context
Protocol, and variables of terminals.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from openvet.checks.hub._texts import as_command
from openvet.core.location import below
from openvet.core.pattern import pattern
from openvet.core.rule import Severity
from openvet.core.text import printable, shorten

__all__ = ["assistant_commands", "grade_of_task"]

_SERVERS = pattern(
    r"/(?:\.mcp|mcp|mcp_config|claude_desktop_config|mcp_settings)\.json$|/\.(?:claude|gemini|cursor|vscode|codex|windsurf)/[\w.-]*\.json$"
)
_HOOKS = pattern(r"/\.(?:claude|gemini|cursor|codex|windsurf)/[\w.-]*\.json$")
#: Events of assistants on which a hook is run; no other tool calls its events so.
_EVENTS = frozenset(
    {"PreToolUse", "PostToolUse", "PermissionRequest", "Notification", "UserPromptSubmit", "Stop", "SubagentStop", "PreCompact", "SessionStart", "SessionEnd",
     "beforeShellExecution", "beforeMCPExecution", "afterFileEdit", "beforeReadFile", "beforeSubmitPrompt", "afterAgentResponse", "BeforeTool", "AfterTool"}
)  # fmt: skip
#: Settings that no other tool calls so, the value by which nobody is asked, and what that does.
_UNGUARDED = (
    ("enableAllProjectMcpServers", True, "lets an assistant start every server of the folder without asking"),
    ("sandbox_mode", "danger-full-access", "lets an assistant work without a sandbox"),
    ("chat.tools.autoApprove", True, "lets an assistant run every tool without asking"),
    ("chat.tools.global.autoApprove", True, "lets an assistant run every tool without asking"),
    ("security.workspace.trust.enabled", False, "makes an editor trust every folder"),
)
_HELPERS = ("apiKeyHelper", "awsAuthRefresh", "awsCredentialExport", "otelHeadersHelper")
#: Variables by which a program is made to run code of somebody else.
_LOADING = pattern(
    r"LD_PRELOAD|LD_AUDIT|DYLD_\w+|PYTHON(?:STARTUP|HOME|INSPECT)|BASH_ENV|PROMPT_COMMAND|NODE_OPTIONS|GIT_\w+|PERL5OPT|RUBYOPT"
)

#: An address without encryption, or a bare one, that is not of one's own network.
_PLAIN = pattern(
    r"http://(?!localhost|127\.|0\.0\.0\.0|\[::1|10\.|192\.168\.|host\.docker|[\w-]+[:/])|https?://(?!127\.|10\.|192\.168\.|0\.0\.0\.0)(?:\d{1,3}\.){3}\d",
    re.IGNORECASE,
)

#: Servers of https://github.com/modelcontextprotocol/servers, by the names under which npm, PyPI and Docker have them, and GitHub's own;
#: what they are given is a word, or a folder of the project. And variables by which the program that starts them does something else.
_KNOWN_SERVER = pattern(
    r"(?:npx (?:-y |--yes )?@modelcontextprotocol/server-(?:filesystem|memory|everything|sequential-thinking|fetch|git|time|github|gitlab|brave-search|puppeteer)(?:@[\w.]{1,20})?|"
    r"uvx mcp-server-(?:fetch|git|time|sqlite)(?:@[\w.]{1,20})?|"
    r"docker run(?: -i| --rm| --init| -e [A-Z][A-Z0-9_]{1,60}){1,8} (?:ghcr\.io/github/github-mcp-server|mcp/(?:fetch|git|time|memory|filesystem|sequentialthinking))(?::[\w.-]{1,30})?)"
    r"(?: (?:--(?:repository|local-timezone|db-path)|\.|\./(?!\.\.)[\w-][\w/-]{0,100}|\$\{workspaceFolder\}(?:/[\w-]{1,60}){0,4}|[A-Z][a-z]+/[A-Z]\w{1,30})){0,4}"
)
_STEERING = pattern(
    r"_URL\b|_HOST\b|PROXY|REGISTRY|INDEX|^(?:npm|NPM|UV|PIP|NODE|LD|DYLD|PYTHON|DOCKER|GIT)_|^PATH$", re.IGNORECASE
)

#: Settings by which an editor starts a program, and where an honest one lies: in a virtual environment or among what npm installs.
_PROGRAM_OF = pattern(
    r"(?:^git\.path|[iI]nterpreterPath|pythonPath|[pP]ath\.\w{1,20}|\.executable|\.(?:server|binary|cargo|go|node|bash|shell)?[pP]ath)$"
)
_ENVIRONMENT = pattern(r"\.?v?env\b|node_modules|conda|/bin/python|typescript/lib|\.pixi|\.yarn", re.IGNORECASE)

Told = Iterator[tuple[str, str, Severity]]


def assistant_commands(place: str, document: Any) -> Told:
    """Pointer, what it does and how bad it is, of each setting of the file at ``place`` (which begins with a slash)."""
    if not isinstance(document, dict):
        return
    for key in ("mcpServers", "mcp_servers", "context_servers"):  # a name that says what it is, wherever it stands
        yield from _servers(f"/{key}", document.get(key))
    if _SERVERS.search(place):
        for key in ("servers", "mcp"):
            yield from _servers(f"/{key}", document.get(key))
    hooks = document.get("hooks")
    if _HOOKS.search(place) or (isinstance(hooks, dict) and not _EVENTS.isdisjoint(hooks)):
        yield from _hooks("/hooks", hooks)
    yield from _permissions(document)
    if place.endswith(".kiro.hook"):
        yield from _hooks("/then", document.get("then"))
    if _HOOKS.search(place):
        for key in _HELPERS:
            if isinstance(document.get(key), str):
                yield f"/{key}", f"makes an assistant run {_shown(document[key])}", Severity.HIGH
    if place.endswith("/.vscode/settings.json"):
        yield from _terminal(document)


def _permissions(document: dict[str, Any]) -> Told:
    """Settings by which an assistant asks nobody, or talks to another service than its own."""
    permissions = document.get("permissions")
    if isinstance(permissions, dict):
        if permissions.get("defaultMode") == "bypassPermissions":
            yield "/permissions/defaultMode", "lets an assistant run everything without asking", Severity.MEDIUM
        allowed = permissions.get("allow")
        if isinstance(allowed, list) and not {"Bash", "Bash(*)", "Bash(:*)", "*"}.isdisjoint(
            each for each in allowed if isinstance(each, str)
        ):
            yield "/permissions/allow", "lets an assistant run every command without asking", Severity.MEDIUM
    for key, unguarded, what in _UNGUARDED:
        if document.get(key) == unguarded:
            yield below("", key), what, Severity.MEDIUM
    line = document.get("statusLine")
    if isinstance(line, dict) and isinstance(line.get("command"), str):
        worse = as_command(line["command"]) is not None
        severity = Severity.HIGH if worse else Severity.MEDIUM
        yield "/statusLine/command", f"makes an assistant run {_shown(line['command'])}", severity
    variables = document.get("env")
    for name, value in variables.items() if isinstance(variables, dict) else ():
        if not isinstance(value, str):
            continue
        if _LOADING.fullmatch(name):
            yield below("/env", name), f"gives an assistant {name}, by which programs run code", Severity.MEDIUM
        elif name.endswith("_BASE_URL") and _PLAIN.match(value):
            yield below("/env", name), f"makes an assistant talk to {_shown(value)}", Severity.MEDIUM


def _servers(pointer: str, servers: Any) -> Told:
    if isinstance(servers, list):
        servers = dict(enumerate(servers))
    for name, server in list(servers.items())[:100] if isinstance(servers, dict) else ():
        if not isinstance(server, dict):
            continue
        parts = _parts(server)
        if parts:
            worse = any(as_command(each) is not None for each in (" ".join(parts), *parts[1:]))
            known = _is_known_server(parts, server.get("env"))
            severity = Severity.HIGH if worse else Severity.NOTE if known else Severity.MEDIUM
            yield below(pointer, name), f"makes an assistant start {_shown(' '.join(parts))}", severity
        elif name == "servers":
            yield from _servers(below(pointer, name), server)
        else:
            address = next(
                (server[key] for key in ("url", "serverUrl", "httpUrl") if isinstance(server.get(key), str)), ""
            )
            if _PLAIN.match(address):
                yield below(pointer, name), f"makes an assistant ask {_shown(address)}", Severity.MEDIUM


def _is_known_server(parts: list[str], variables: Any) -> bool:
    """Whether a server is one that the makers of the protocol publish, at a folder of the project, with the user's own variables."""
    given = variables if isinstance(variables, dict) else {}
    if any(_STEERING.search(str(name)) for name in given):
        return False
    return _KNOWN_SERVER.fullmatch(" ".join(parts)) is not None


def _parts(server: dict[str, Any]) -> list[str]:
    """The command of a server and its arguments: a text and a list, one list, or a map with ``path`` (Zed)."""
    command, arguments = server.get("command"), server.get("args")
    if isinstance(command, dict):
        arguments, command = command.get("args"), command.get("path")
    parts = command if isinstance(command, list) else [command, *(arguments if isinstance(arguments, list) else ())]
    return [each for each in parts if isinstance(each, str)] if command else []


def _hooks(pointer: str, value: Any) -> Told:
    """Commands below ``hooks``, however deep."""
    stack = [(pointer, value)]
    for _ in range(2_000):
        if not stack:
            return
        where, each = stack.pop()
        if isinstance(each, dict):
            if isinstance(each.get("command"), str):
                yield (
                    below(where, "command"),
                    f"makes an assistant run {_shown(each['command'])}",
                    _grade(each["command"]),
                )
            stack.extend((below(where, key), child) for key, child in each.items())
        elif isinstance(each, list):
            stack.extend((below(where, at), child) for at, child in enumerate(each))


#: Programs that lay out, look over or try what is in the folder, and say how that went; and what makes something else of such a command.
_TRIES = pattern(
    r"(?:(?:[\w./-]{0,60}/)?(?:python3?\s{1,4}-m|uvx|uv\s{1,4}run|poetry\s{1,4}run|pdm\s{1,4}run|hatch\s{1,4}run|pixi\s{1,4}run|npx(?:\s{1,4}--?(?:yes|y|no-install))?|pnpm(?:\s{1,4}(?:exec|run))?|yarn(?:\s{1,4}run)?|npm\s{1,4}run|bunx|bun\s{1,4}run|xargs(?:\s{1,4}-\w{1,4})*|cargo|go|make|just|task)\s{1,4}){0,3}"
    r"(?:ruff|black|isort|autopep8|yapf|flake8|pylint|mypy|pyright|basedpyright|pytest|unittest|tox|nox|pre-commit|prettier|eslint|biome|dprint|stylelint|markdownlint\w{0,5}|tsc|vitest|jest|mocha|gofmt|goimports|golangci-lint|rustfmt|clippy|shellcheck|shfmt|"
    r"clang-format|cmake-format|taplo|yamllint|codespell|typos|sqlfluff|terraform\s{1,4}fmt|fmt|test|tests|lint|format|check|vet|typecheck|build|"
    r"git\s{1,4}(?:status|diff|log|add|stash|rev-parse|branch))\b",
    re.IGNORECASE,
)
_SAYS = pattern(r"(?:jq|echo|printf|true|exit|cd|say|terminal-notifier|notify-send|afplay|paplay|date|read|test)\b")
_ACTS = pattern(
    r"\b(?:curl|wget|nc|ncat|socat|ssh|scp|rsync|base64|eval|exec|sudo|rm|dd|openssl|iwr|irm|iex|telnet|git\s{1,4}push)\b|://|/dev/tcp|\$\(|`|<\(|>\s{0,4}[~/$]|\.ssh|\.aws|\.env\b|--(?:config|plugin|rulesdir|resolve-plugins-relative-to|rootdir|confcutdir)\b|\s-c\s",
    re.IGNORECASE,
)
_SEPARATES = pattern(r"\|\||&&|[|;&\n]")


def _grade(command: str) -> Severity:
    """How bad a command is that an assistant runs by itself: what only lays out or tries the folder's own files is no news."""
    if len(command) < 600 and _ACTS.search(command.replace('"$', '"')) is None and as_command(command) is None:
        parts = [each.strip() for each in _SEPARATES.split(command)]
        plain = [each for each in parts if each and each not in ("2>", "1", "2>1")]
        if all(_TRIES.match(each) or _SAYS.match(each) for each in plain) and any(_TRIES.match(each) for each in plain):
            return Severity.NOTE
    return Severity.HIGH


#: Servers of documentation and of logs, and looks at the repository, that a task of an editor keeps open for whoever works in the folder.
_KEEPS_OPEN = pattern(
    r"(?:(?:uv|poetry|pdm|hatch|pixi)\s{1,4}run\s{1,4}|python3?\s{1,4}-m\s{1,4})?(?:mkdocs\s{1,4}(?:serve|build)|sphinx-(?:autobuild|build)|tensorboard|jupyter(?:\s{1,4}|-)(?:lab|notebook)|"
    r"mlflow\s{1,4}ui|http\.server|git\s{1,4}(?:fetch|pull|status)|pre-commit\s{1,4}install|nvidia-smi|tsc\s|docker\s{1,4}compose\s{1,4}(?:ps|logs))\b[\w\s./=:,-]{0,200}",
    re.IGNORECASE,
)


def grade_of_task(task: dict[str, Any]) -> Severity:
    """How bad a task of an editor is that starts with the folder, by the command that it has."""
    arguments = task.get("args")
    parts = [task.get("command"), *(arguments if isinstance(arguments, list) else ())]
    words = " ".join(each for each in parts if isinstance(each, str))
    plain = all(isinstance(each, str) for each in parts) and task.get("type", "shell") in ("shell", "process")
    other = {"windows", "linux", "osx", "options", "dependsOn"} & task.keys()
    if not plain or other or _ACTS.search(words) is not None:
        return Severity.HIGH
    return Severity.NOTE if _KEEPS_OPEN.fullmatch(words) else _grade(words)


def _terminal(document: dict[str, Any]) -> Told:
    for key, value in document.items():
        if key.startswith("terminal.integrated.env.") and isinstance(value, dict):
            for name in value:
                if _LOADING.fullmatch(name):
                    yield below(f"/{key}", name), f"gives every terminal of the editor {name}", Severity.HIGH
        elif key.startswith("terminal.integrated.") and "profiles" in key and isinstance(value, dict):
            yield from _profiles(f"/{key}", value)
        elif isinstance(value, str) and _PROGRAM_OF.search(key) and _comes_with_it(value):
            yield below("", key), f"makes the editor start {_shown(value)}, which comes with the model", Severity.MEDIUM
    if document.get("task.allowAutomaticTasks") == "on":
        yield "/task.allowAutomaticTasks", "lets tasks start when the folder is opened", Severity.MEDIUM


def _comes_with_it(path: str) -> bool:
    return path.startswith((".", "${workspaceFolder}")) and _ENVIRONMENT.search(path) is None


def _profiles(pointer: str, profiles: dict[str, Any]) -> Told:
    """Shells that the editor's terminals start, with a command in their arguments."""
    for name, profile in profiles.items():
        arguments = profile.get("args") if isinstance(profile, dict) else None
        texts = [each for each in arguments if isinstance(each, str)] if isinstance(arguments, list) else []
        if any(as_command(each) is not None for each in (" ".join(texts), *texts)):
            yield (
                below(pointer, name),
                f"makes every terminal of the editor run {_shown(' '.join(texts))}",
                Severity.HIGH,
            )


def _shown(text: str) -> str:
    return shorten(printable(text), 120)
