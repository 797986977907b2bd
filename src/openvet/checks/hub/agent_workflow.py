"""A saved chain, agent or workflow runs code, starts programs, or reads files outside of its folder.

What it finds:
    In texts that LangChain, LlamaIndex, AutoGen, CrewAI, Flowise, Langflow, Dify and n8n save and load: objects whose class
    starts processes or runs code (``LLMBashChain``, ``PythonREPLTool``, local executors; medium) or is a function of Python that does
    (high); code of nodes that decodes what it runs, or hands a shell a command that nobody should run (high) or starts a process or
    runs text (medium); paths of prompts that lead out of the folder; secrets of the environment that are no key of a model's vendor,
    and addresses to which such a key would go without encryption.

Why it matters:
    Whoever loads the chain gets what it names. Loaders of LangChain built whatever a text named (CVE-2023-36258),
    read prompts from any path, and gave secrets of the environment to what asked for them (CVE-2025-68664).

Example:
    ``{"_type": "llm_bash_chain"}``, or ``{"_type": "prompt", "template_path": "../../secret.txt"}``.

Remedy:
    Do not load it; build the chain in code that you have read. LangChain is hit before 0.0.247 (CVE-2023-36258), langchain-core before
    0.1.29 (CVE-2024-28088, paths) and before 0.3.81 and 1.2.5 (CVE-2025-68664, secrets).

What it cannot see:
    What a class does with its arguments, and nodes that somebody installs for it.

References:
    CVE-2023-36258, CVE-2024-28088, CVE-2025-68664 ; CWE-94, CWE-502.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from openvet.checks._check import Context
from openvet.checks.hub._evaluated import evaluated
from openvet.checks.hub._targets import judge, shown
from openvet.checks.hub._texts import code_does
from openvet.checks.hub._walk import documents
from openvet.core.finding import Finding
from openvet.core.location import Location, below
from openvet.core.pattern import pattern
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="hub/agent-workflow",
    severity=Severity.MEDIUM,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    cwe=(94, 502),
    needs=("json", "yaml"),
)

#: Names of classes and kinds of nodes that start processes or run code that a model writes.
_RUNNERS = pattern(
    r"(?:^|[._:/ -])(?:llm_?bash\w{0,30}|pal_?chain|python_?(?:ast_?)?repl\w{0,30}|shell_?tool|bash_?process|terminal|bash_?tool|code_?interpreter\w{0,30}|\w{0,30}command_?line_?code_?execut\w{0,30}|"
    r"pandas_?query_?engine|pandas_?instruction_?parser|jupyter_?code_?execut\w{0,30}|execute_?command|python_?exec\w{0,30}|exec_?python|execute_?python|run_?python)\Z",
    re.IGNORECASE,
)
#: Keys that say what an object is.
_KINDS = ("_type", "class_name", "provider", "class_type", "type")
#: Files that a prompt or a chain is read from.
_PATHS = (
    "template_path",
    "example_prompt_path",
    "prompt_path",
    "llm_path",
    "llm_chain_path",
    "chain_path",
    "examples",
    "suffix_path",
    "prefix_path",
)
_ADDRESSES = pattern(r"(?:api_base|base_url|endpoint|endpoint_url|api_url|azure_endpoint)\Z", re.IGNORECASE)
_PLAIN = pattern(
    r"http://(?!localhost|127\.|0\.0\.0\.0|10\.|192\.168\.|172\.|host\.docker|[\w-]+[:/])|https?://(?!127\.|10\.|192\.168\.|172\.)(?:\d{1,3}\.){3}\d",
    re.IGNORECASE,
)
#: Keys of vendors of models and services, which chains have.
_VENDOR_KEY = pattern(r"\w{0,60}?(?:API_KEY|API_TOKEN|HUB_API_TOKEN|ACCESS_TOKEN|_KEY|_TOKEN|APIKEY)\Z")
_OWN_SECRET = pattern(
    r"AWS_|AZURE_CLIENT|GOOGLE_APPLICATION|GITHUB_|GH_|SSH|DATABASE|DB_|PG|MYSQL|KUBE|VAULT|NPM_|PYPI|HF_TOKEN",
    re.IGNORECASE,
)
#: What a text of code has, and what a saved workflow has at its top.
_MARKS = pattern(
    r"\b(?:eval|exec|system|popen|Popen|run|call|check_output|spawn|execSync|subprocess|child_process)\b|__import__|\|\s{0,4}(?:ba)?sh\b|/dev/tcp/"
)
_WORKFLOWS = frozenset(
    {
        "nodes",
        "workflow",
        "connections",
        "edges",
        "component_type",
        "lc",
        "_type",
        "agents",
        "flow",
        "graph",
        "data",
        "links",
        "tools",
        "llm_chain",
        "agent",
    }
)
_LONGEST = 64 * 1024
_MOST = 200_000
_TOLD = 20


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each object and each text of code, up to twenty in one file."""
    for component in documents(ctx):
        if not _is_workflow(component.document) or any(
            each.rule == "hub/shell-command" for each in component.anomalies
        ):
            continue
        if next(evaluated(component.document), None) is not None:  # config-expression tells those
            continue
        for told, (pointer, what, severity) in enumerate(_found(component.document)):
            if told == _TOLD:
                break
            yield ctx.finding(
                Location(component.place, pointer=pointer),
                what,
                "Do not load it; build the chain in code that you have read.",
                severity=severity,
            )


def _is_workflow(document: Any) -> bool:
    if not isinstance(document, dict):
        return False
    if not document.keys().isdisjoint(_WORKFLOWS):
        return True
    return any(
        isinstance(each, dict) and "class_type" in each for each in list(document.values())[:4]
    )  # ComfyUI's prompts


def _found(document: Any) -> Iterator[tuple[str, str, Severity]]:
    """(JSON Pointer, what it does, how bad that is) of all objects."""
    waiting: list[tuple[str, Any]] = [("", document)]
    seen = 0
    while waiting and seen < _MOST:
        pointer, value = waiting.pop()
        if isinstance(value, dict):
            yield from _of_object(pointer, value)
        inner: list[tuple[str, Any]] = []
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            seen += 1
            if isinstance(child, dict | list):
                inner.append((below(pointer, key), child))
            elif isinstance(child, str) and 8 <= len(child) <= _LONGEST and _MARKS.search(child):
                worse = code_does(child)
                if worse is not None:
                    what, high = worse
                    yield (
                        below(pointer, key),
                        f"holds code of a node that {what}",
                        Severity.HIGH if high else Severity.MEDIUM,
                    )
        waiting.extend(reversed(inner))


def _of_object(pointer: str, value: dict[str, Any]) -> Iterator[tuple[str, str, Severity]]:
    name = value.get("id")
    if value.get("lc") == 1 and isinstance(name, list) and all(isinstance(each, str) for each in name):
        dotted = ".".join(name)
        if value.get("type") == "secret":
            if _OWN_SECRET.search(dotted) or _VENDOR_KEY.fullmatch(dotted) is None:
                yield below(pointer, "id"), f"takes the secret {shown(dotted)} of the environment", Severity.MEDIUM
        elif _RUNNERS.search(dotted):
            yield below(pointer, "id"), f"makes {shown(dotted)}, which starts programs or runs code", Severity.MEDIUM
        elif judge(dotted).severity >= Severity.HIGH:
            yield below(pointer, "id"), f"makes a loader call {shown(dotted)}: {judge(dotted).why}", Severity.HIGH
    else:
        for key in _KINDS:
            kind = value.get(key)
            if isinstance(kind, str) and _RUNNERS.search(kind):
                yield below(pointer, key), f"makes {shown(kind)}, which starts programs or runs code", Severity.MEDIUM
                break
    if "_type" in value:
        from openvet.formats._tf_program import is_outside

        for key in _PATHS:
            path = value.get(key)
            if isinstance(path, str) and is_outside(path):
                yield (
                    below(pointer, key),
                    f"makes a loader read {shown(path)}, which is not in its own folder",
                    Severity.MEDIUM,
                )
    yield from _of_settings(pointer, value)


def _of_settings(pointer: str, value: dict[str, Any]) -> Iterator[tuple[str, str, Severity]]:
    if value.get("allow_code_execution") is True and value.get("code_execution_mode") == "unsafe":
        yield below(pointer, "code_execution_mode"), "lets an agent run code on the machine itself", Severity.MEDIUM
    if not any("key" in str(each).lower() or "secret" in str(each).lower() for each in value):
        return
    for key, child in value.items():
        if isinstance(key, str) and isinstance(child, str) and _ADDRESSES.search(key) and _PLAIN.match(child):
            yield below(pointer, key), f"sends keys of the environment to {shown(child)}", Severity.MEDIUM
