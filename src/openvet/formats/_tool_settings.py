"""Commands in the settings of tools in JSON, YAML, TOML and XML: continuous integration, builds, hooks, scripts of packages, runs
of experiments, containers.

Lines of files that are called as a tool calls them are looked at as those of a shell script; of any other YAML or TOML only what
stands below a key by which tools know a command.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.formats._format import Facts
from openvet.formats._shell_handed import tell_python
from openvet.formats._shell_script import tell_commands

__all__ = ["tell_hooks", "tell_parsed_tool", "tell_tool"]

_TOOLS = pattern(
    r"/\.(?:github|gitea|forgejo|circleci|devcontainer|vscode|idea|zed|gemini|codex|claude|continue|opencode|kiro|roo|theia|buildkite|woodpecker|tekton|husky|dvc|cursor|fleet|run)/|"
    r"/(?:\.gitlab-ci|\.travis|\.pre-commit-config|azure-pipelines|docker-compose[\w.-]{0,40}|compose|action|dvc|tox|pixi|Taskfile(?:\.dist)?|taskfile|cog|"
    r"\.?lefthook|\.drone|\.woodpecker|bitbucket-pipelines|buildspec|cloudbuild|\.?appveyor|\.gitpod|skaffold|\.?mise|pyproject|Makefile|Cargo|meta|recipe|"
    r"fly|netlify|render|wercker|\.cirrus|codefresh|tasks|hatch|pdm|bentofile|truss|modal|sky|dstack)\.(?:ya?ml|toml|json)$|"
    r"/(?:package|composer|deno|project|turbo|nx|app|tasks|launch|devcontainer|\.devcontainer|\.?opencode|lerna|angular|wrangler|vercel|now|netlify)\.jsonc?$|/\.(?:aider\.conf|goreleaser|releaserc)[\w.-]{0,20}$|\.gyp$|/user-data$|/\.roomodes$|/MLproject$|/Pipfile$|/templates/[^/]{1,200}\.ya?ml$|"
    r"\.(?:code-workspace|sublime-project|iml|run\.xml)$"
)
#: What assistants have in their settings, and the same as it stands in JSON.
_ASSISTANTS = frozenset({"mcpServers", "mcp_servers", "context_servers", "hooks"})
_SERVED = ('"mcpServers"', '"context_servers"')
_DATA = pattern(
    r"(?:vocab|token|merges|index|config|results?|samples?|predictions?|train|test|valid|dev|eval|label|data)[\w.-]{0,60}\.json$"
)
#: Keys under which tools keep a command, in whatever file.
_KEYS = frozenset(
    {"args", "before_script", "build_command", "build_commands", "cmd", "cmds", "command", "commands", "entry", "entry_point", "entrypoint",
     "exec", "init", "install", "install_command", "on_start", "on_startup", "post_build", "post_install", "postinstall", "pre_build",
     "preinstall", "run", "script", "scripts", "setup", "setup_command", "setup_commands", "shell", "start_command", "startup_script",
     "after_script", "afterscript", "arguments", "basecommand", "before_install", "beforescript", "bootcmd", "execstart", "inline", "lint-cmd", "linker", "notify",
     "on_error", "post_start", "poststart", "postbuildcommands", "pre_start", "prebuildcommands", "prestart", "program", "runcmd", "runner", "rustc-wrapper", "startup-script", "test-cmd", "user-data",
     "user_data", "userdata"}
)  # fmt: skip
_INSTALLED = ("preinstall", "install", "postinstall", "prepare")
_MOST = 100
_MOST_TEXTS = 5_000


def tell_tool(text: str, facts: Facts) -> None:
    """Record the lines of a tool's settings that nobody should run unread; any other file's text is left alone."""
    if _TOOLS.search(f"/{facts.place}") and not any(each in text for each in _SERVED):
        _tell_lines(text, facts)
        _tell_published(text, facts)


def _tell_lines(text: str, facts: Facts) -> None:
    """What lines of a shell do, and the Python that stands between them."""
    tell_commands(text, facts)
    if "<<" in text and "python" in text:
        tell_python(text, facts)


#: What hands something to others; and a file that is fetched from where anybody may answer.
_PUBLISHES = pattern(
    r"gh-action-pypi-publish|\btwine\s{1,4}upload\b|\b(?:npm|pnpm|yarn|cargo|poetry|uv|hatch|flit)\s{1,4}publish\b|\bdocker\s{1,4}push\b|\bgh\s{1,4}release\s{1,4}(?:create|upload)\b|action-gh-release|"
    r"docker/build-push-action|\b(?:huggingface-cli|hf)\s{1,4}upload\b|\bgem\s{1,4}push\b|\bsemantic-release\b"
)
_SWAPS = pattern(
    r"\b(?:curl|wget|aria2c)\b[^\n]{0,200}\b(?:http|ftp)://(?!localhost|127\.|10\.|192\.168\.|[\w-]{1,63}[:/])|\b(?:curl|wget|aria2c)\b[^\n]{0,200}\bhttps://(?!127\.|10\.|192\.168\.)(?:\d{1,3}\.){3}\d"
)


def _tell_published(text: str, facts: Facts) -> None:
    """Record it where what is published may be what somebody on the way gave."""
    if _PUBLISHES.search(text) and (found := _SWAPS.search(text)) is not None:
        message = f"publishes something beside what it fetches without encryption or from a bare address: {shorten(printable(found.group()), 120)}"
        facts.anomaly("hub/shell-command", message, line=text.count("\n", 0, found.start()) + 1, kind="hidden")


def tell_parsed_tool(document: Any, facts: Facts) -> None:
    """The same for its parsed texts, where the lines showed nothing, or something with escapes in it: they may be folded or spelled."""
    tell_hooks(document, facts)
    if isinstance(document, dict | list):
        from openvet.formats._build_workflows import tell_workflow
        from openvet.formats._containers import tell_containers
        from openvet.formats._ray_settings import tell_runtime
        from openvet.formats._tool_descriptions import tell_descriptions

        tell_workflow(document, facts)
        tell_runtime(document, facts)
        tell_containers(document, facts)
        tell_descriptions(document, facts)
    if facts.name.lower().endswith(".json"):
        from openvet.formats._node_flows import tell_nodes

        tell_nodes(document, facts)
    if isinstance(document, dict) and not _ASSISTANTS.isdisjoint(document):
        return  # the rule about settings of assistants tells those
    shown = [each for each in facts.anomalies if each.rule == "hub/shell-command"]
    if shown and not any("\\" in each.message for each in shown):
        return
    if _TOOLS.search(f"/{facts.place}"):
        words = "\n".join(_texts(document))
        _tell_lines(words, facts)
        _tell_published(words, facts)
    elif not facts.name.lower().endswith((".json", ".ipynb")) or (
        isinstance(document, dict) and not facts.name.lower().endswith(".ipynb") and not _is_data(facts.name)
    ):
        _tell_lines("\n".join(islice(_commands(document), _MOST_TEXTS)), facts)


def _is_data(name: str) -> bool:
    """Whether a JSON text is of those that models and tokenizers have, in which a command is a word among words, or a sample."""
    return _DATA.search(name.lower()) is not None


def tell_hooks(document: Any, facts: Facts) -> None:
    """Commands of the model's own that pre-commit and npm run once somebody commits or installs in the folder."""
    name = facts.place.rsplit("/", 1)[-1]
    found = _hooks(name, document) if isinstance(document, dict) else iter(())
    for what, command in islice(found, _MOST):
        facts.anomaly("hub/tool-command", f"{what}: {shorten(printable(command), 120)}", pointer="", kind="asked")


def _hooks(name: str, document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if name in (".pre-commit-config.yaml", ".pre-commit-config.yml"):
        repositories = document.get("repos")
        for repository in repositories if isinstance(repositories, list) else ():
            hooks = (
                repository.get("hooks") if isinstance(repository, dict) and repository.get("repo") == "local" else None
            )
            for hook in hooks if isinstance(hooks, list) else ():
                if isinstance(hook, dict) and isinstance(hook.get("entry"), str):
                    yield "is run by pre-commit once somebody commits in this folder", hook["entry"]
    elif name == "package.json" and isinstance(document.get("scripts"), dict):
        for key in _INSTALLED:
            if isinstance(document["scripts"].get(key), str):
                yield (
                    f"is run by npm as the script {key} once somebody installs in this folder",
                    document["scripts"][key],
                )


def _texts(document: Any) -> Iterator[str]:
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _commands(document: Any) -> Iterator[str]:
    """Texts below the keys of commands; the parts of a list are those of one command."""
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            for key, each in value.items():
                if isinstance(key, str) and key.lower().rpartition(".")[2] in _KEYS:
                    yield from _texts(each)
                    if isinstance(each, list) and all(isinstance(part, str) for part in each):
                        yield " ".join(each)
                elif isinstance(each, dict | list):
                    waiting.append(each)
        elif isinstance(value, list):
            waiting.extend(each for each in value if isinstance(each, dict | list))
