"""A value that describes a model holds a command or code.

What it finds:
    In configurations of models (``config.json``, ``adapter_config.json``, ``model-symbol.json`` and their like), in the metadata of
    safetensors, GGUF, ONNX and Core ML files: texts that are Python which starts processes or evaluates text, and texts that are shell
    commands which fetch and run something, hide what they do, or delete what belongs to the user; also in base64. Python
    that only loads or asks somebody, commands that only fetch or remove files, and scripts of web pages want a review.
    It is a heuristic: no loader runs such a value by itself.

Why it matters:
    Nothing about a model needs it. It is a payload that waits for code which runs it: a script beside the model, a later
    version, a service that takes its settings from the model.

Example:
    ``{"model_type": "bert", "on_load": "__import__('os').system('echo hello')"}``.

Remedy:
    Ask the publisher what the value is for, and look for whatever reads it, before you use the model.

What it cannot see:
    Code that no word gives away, or that another encoding hides. Templates, prompts and descriptions are left to the rules that
    read them; prose that only mentions a command is none.

References:
    CWE-506; MITRE ATT&CK T1027.009.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from openvet.checks._check import Context
from openvet.checks.hub._targets import shown
from openvet.checks.hub._texts import does
from openvet.core.finding import Finding
from openvet.core.location import Location, below
from openvet.core.pattern import pattern
from openvet.core.rule import Confidence, Rule, Severity
from openvet.inventory.component import Component

__all__ = ["RULE", "check"]

RULE = Rule(
    id="hub/command-in-value",
    severity=Severity.HIGH,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    cwe=(506,),
    needs=("json", "safetensors", "gguf", "coreml", "onnx"),
)

#: Names of documents that describe a model; others hold data, in which a command is a sample of text.
_ENDINGS = ("config.json", "symbol.json", "metadata.json", "model_index.json", "modules.json", "manifest.json")
#: Values under such keys are what other rules read, or what people say.
_WORDS = pattern(
    r"template|prompt|description|comment|example|readme|citation|tools?\b|license|merges|vocab|regex|pattern"
)
#: What no code and no command is without.
_MARKS = pattern(
    r"\b(?:eval|exec|system|popen|execfile|compile|run|call|Popen|check_\w{1,10}|urlopen|urlretrieve|get|post|loads?)[ \t]{0,4}\("
    r"|__import__|\b(?:curl|wget|bash|sh|zsh|nc|ncat|rm|chmod|python[0-9.]{0,4}|powershell|mshta|certutil)(?:\.exe)?[ \t]+\S|/dev/tcp/"
    r"|<script\b"
)
#: Commands and scripts that do no great harm by themselves.
_LESSER = pattern(
    r"(?:rm[ \t]{1,4}-[rf]{2}|chmod[ \t]{1,4}(?:a?\+x|777))[ \t]"
    r"|(?:wget|curl)[ \t](?:[^\r\n]{0,300}\.(?:sh|py|ps1|bat|exe|bin|jar)\b|http://)"
)
_PAGE = pattern(r"<script[\s>]")
_BASE64 = pattern(r"[A-Za-z0-9+/_-]{24,8192}={0,2}")
_SHORTEST, _LONGEST = 8, 8192
_MOST = 200_000
_SHOWN = 20


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each value, up to twenty in one file."""
    for component in ctx.components():
        found = 0
        for pointer, text in _texts(component):
            what, grave = _does(text)
            if not what:
                continue
            yield ctx.finding(
                Location(component.place, pointer=pointer),
                f"holds a value that {what}, if anything runs it: {shown(text)}",
                "Ask the publisher what it is for, and look for whatever reads it.",
                severity=None if grave else Severity.MEDIUM,
                evidence={"value": shown(text)},
            )
            found += 1
            if found == _SHOWN:
                break


def _texts(component: Component) -> Iterator[tuple[str, str]]:
    """(JSON Pointer, text) of all that may be a command in what describes the model."""
    if "json" in component.formats:
        if not component.basename.endswith(_ENDINGS):
            return
        start: Any = component.document
    else:
        start = component.metadata
    stack: list[tuple[str, Any]] = [("", start)]
    seen = 0
    while stack and seen < _MOST:
        pointer, value = stack.pop()
        inner: list[tuple[str, Any]] = []
        for key, child in (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        ):
            seen += 1
            if isinstance(key, str) and _WORDS.search(key.lower()):
                continue
            if isinstance(child, str):
                if _SHORTEST <= len(child) <= _LONGEST:
                    yield below(pointer, key), child
            elif isinstance(child, dict | list):
                inner.append((below(pointer, key), child))
        stack.extend(reversed(inner))


def _does(text: str) -> tuple[str, bool]:
    """What ``text`` does as Python, as a command or in a page, for a message, '' for nothing; its base64 too; and whether nothing honest does that."""
    if _BASE64.fullmatch(text):
        what, grave = _does_plainly(_decoded(text))
        return f"{what} in base64" if what else "", grave
    return _does_plainly(text)


def _does_plainly(text: str) -> tuple[str, bool]:
    if not _MARKS.search(text):
        return "", False
    found = does(text)
    if found is None and _PAGE.search(text):
        return "is a script of a web page", False
    if found is None and _LESSER.match(text.strip()):
        return "is a command", False
    return found or ("", False)


def _decoded(text: str) -> str:
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_" if "-" in text or "_" in text else None)
        return data.decode("ascii")
    except (binascii.Error, ValueError):
        return ""
