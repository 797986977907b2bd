"""Settings of a Git repository (``.git/config``): sections in brackets, a name and a value a line.

Git obeys the settings of the folder that it is called in, and some of them are commands. Those are told; remotes, branches
and the filter of Git LFS are what an ordinary clone has.

Specification: https://git-scm.com/docs/git-config#_configuration_file
"""

from __future__ import annotations

import re

from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.formats._decode import is_text, read_text
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="git-config",
    title="Git settings",
    extensions=(),
    media_types=(),
    can_tell=("settings that make Git run a command",),
    cannot_tell=("what the command does",),
    refines=("text",),
)

_SECTION = pattern(r'^\[\s*([\w.-]+)(?:\s+"([^"]*)")?\s*\](.*)$')
_ENTRY = pattern(r"^([A-Za-z][\w-]*)\s*(?:=(.*)|$)", re.DOTALL)
#: Settings whose value Git runs, or reads more settings or hooks from: section.name, in lower case.
_COMMANDS = frozenset({
    "core.fsmonitor", "core.sshcommand", "core.hookspath", "core.editor", "core.pager", "core.gitproxy", "core.askpass",
    "core.alternaterefscommand", "credential.helper", "diff.external", "diff.command", "diff.textconv", "filter.clean",
    "filter.smudge", "filter.process", "merge.driver", "include.path", "includeif.path", "gpg.program", "sequence.editor",
    "uploadpack.packobjectshook", "receive.procreceiverefs", "submodule.update", "trailer.command", "trailer.cmd",
    "difftool.cmd", "mergetool.cmd", "browser.cmd", "man.cmd", "interactive.difffilter", "remote.vcs",
    "remote.uploadpack", "remote.receivepack",
})  # fmt: skip
_HARMLESS = pattern(r"^(?:true|false|yes|no|0|1|git-lfs (?:clean|smudge|filter-process)(?: --skip)?(?: -- %f| %f)?|"
                       r"store|cache|manager|osxkeychain|checkout|merge|rebase|none|)$")  # fmt: skip


#: Sections of which one stands in the settings of every repository, or in its list of submodules.
_SECTIONS = (b"[core]", b'[submodule "', b'[filter "', b"[alias]")


def probe(head: Head) -> Likeness:
    start = head.data[:4096].lower()
    likely = start.lstrip().startswith((b"[", b"#", b";")) and any(each in start for each in _SECTIONS)
    return Likeness.WEAK if likely and is_text(head) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    from openvet.formats._encoded import EncodedPickles
    from openvet.formats._secrets import scan_text

    text = read_text(source, facts)
    scan_text(text, facts)
    EncodedPickles(facts).look(text)
    section, told = "", 0
    for number, line in enumerate(text.replace("\\\n", " ").split("\n"), 1):
        bare = line.strip()
        if found := _SECTION.match(bare):
            section = found.group(1).lower().split(".", 1)[0]
            bare = found.group(3).strip()
            if section == "submodule" and _LEAVES.search(found.group(2) or ""):
                told += 1
                name = shorten(printable(found.group(2)), 120)
                message = (
                    f"a submodule is named {name}, which leads out of .git/modules (CVE-2018-11235: Git before 2.17.1)"
                )
                facts.anomaly("hub/tool-command", message, line=number)
        entry = _ENTRY.match(bare)
        if entry is None or told >= 100:
            continue
        name, value = f"{section}.{entry.group(1).lower()}", (entry.group(2) or "").strip().strip('"')
        if name in {"submodule.url", "submodule.path"} and (lie := _submodule_lie(value, line)):
            told += 1
            shown = f"{shorten(printable(name), 60)} = {shorten(printable(value), 120)}"
            facts.anomaly("hub/tool-command", f"makes Git run code of the repository: {shown}, {lie}", line=number)
            continue
        runs = name in _COMMANDS or (section == "alias" and value.startswith("!")) or section == "pager"
        runs = runs or (section in ("remote", "url", "submodule") and value.startswith("ext::"))
        if runs and not _HARMLESS.match(value):
            told += 1
            shown = f"{shorten(printable(name), 60)} = {shorten(printable(value), 120)}"
            facts.anomaly("hub/tool-command", f"makes Git run a command of the repository: {shown}", line=number)


#: Part of a submodule's name that Git before 2.17.1 followed out of its own folder.
_LEAVES = pattern(r"(?:^|[/\\])\.\.(?:[/\\]|$)")


def _submodule_lie(value: str, line: str) -> str:
    """What is wrong with the address or path of a submodule; nothing for an ordinary one."""
    if value.startswith("-"):
        return "which is an option (CVE-2018-17456: Git before 2.19.1)"
    if value.endswith(("\r", "\\r")) or re.search(r'\r"\s*$', line):
        return "which ends with a carriage return (CVE-2025-48384: Git before 2.50.1)"
    if re.search(r"(?:^|[/\\])\.git(?:[/\\]|$)", value, re.IGNORECASE) and not value.startswith(
        ("http", "git@", "ssh:")
    ):
        return "which leads into .git"
    return ""
