"""What this OpenVet knows: its version, a digest of its code and data, its rules and formats."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from functools import cache

from openvet.checks._docs import summary_and_sections
from openvet.checks._run import checks
from openvet.evidence.predicates.tool import Tool
from openvet.formats import known
from openvet.formats._format import Format
from openvet.inventory.identify import formats
from openvet.reports.report import RuleText
from openvet.version import VERSION

__all__ = ["all_formats", "rule_texts", "tool"]

_KNOWLEDGE = (".py", ".toml", ".json", ".yaml")
_BLOCK = 1 << 18


@cache
def tool() -> Tool:
    """Name, version, and the digest over what this OpenVet knows, which is computed when somebody asks for it."""
    return Tool("openvet", VERSION, _digest)


@cache
def _digest() -> str:
    """One digest over every source and data file of the installed package, in order of their paths.

    The test kit is left out: no result depends on it.
    """
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    total = hashlib.sha256()
    block = memoryview(bytearray(_BLOCK))  # one for all: there are more than a thousand files
    for path in _knowledge(root, ""):
        total.update(f"{_digest_of(f'{root}/{path}', block)}  {path}\n".encode())
    return total.hexdigest()


def _digest_of(path: str, block: memoryview) -> str:
    """SHA-256 of a file, which is read into ``block``."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.readv(file, [block])
        digest = hashlib.sha256(block[:size])
        while size == _BLOCK:
            size = os.readv(file, [block])
            digest.update(block[:size])
    finally:
        os.close(file)
    return digest.hexdigest()


def _knowledge(root: str, folder: str) -> Iterator[str]:
    """The paths below ``root`` of what counts, folder by folder: its files, then what is in its folders."""
    folders, names = [], []
    with os.scandir(f"{root}/{folder}") as entries:
        for entry in entries:
            if entry.is_dir():
                folders.append(entry.name)
            elif entry.name.endswith(_KNOWLEDGE):
                names.append(entry.name)
    yield from (folder + name for name in sorted(names))
    for name in sorted(set(folders) - {"__pycache__", "" if folder else "testing"}):
        yield from _knowledge(root, f"{folder}{name}/")


@cache
def rule_texts() -> tuple[RuleText, ...]:
    """The documentation of every rule, in order of their ids."""
    out = []
    for module in checks().modules:
        summary, sections = summary_and_sections(module)
        rule = module.RULE
        out.append(RuleText(rule.id, str(rule.severity), str(rule.confidence), rule.since, rule.cwe, summary, sections))
    return tuple(sorted(out, key=lambda each: each.id))


def all_formats() -> tuple[Format, ...]:
    """Every format that is read or only recognised, in order of their ids."""
    return tuple(sorted((*(module.FORMAT for module in formats().modules), *known.FORMATS), key=lambda each: each.id))
