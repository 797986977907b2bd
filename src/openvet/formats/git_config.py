"""Settings of a Git repository (``.git/config``): sections in brackets, a name and a value a line.

Git obeys the settings of the folder that it is called in, and some of them are commands. Those are told; remotes, branches
and the filter of Git LFS are what an ordinary clone has.

Specification: https://git-scm.com/docs/git-config#_configuration_file
"""

from __future__ import annotations

import re
from collections.abc import Iterator

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

_SECTION = pattern(r'\[\s*([\w.-]+)(?:\s+"((?:[^"\\\n]|\\.)*+)")?\s*\](.*)$', re.DOTALL)
_ENTRY = pattern(r"([A-Za-z][\w-]*)\s*(?:=(.*)|$)", re.DOTALL)
#: Settings whose value Git runs, or reads more settings or hooks from: section.name, in lower case.
_COMMANDS = frozenset({
    "core.fsmonitor", "core.sshcommand", "core.hookspath", "core.editor", "core.pager", "core.gitproxy", "core.askpass",
    "core.alternaterefscommand", "credential.helper", "diff.external", "diff.command", "diff.textconv", "filter.clean",
    "filter.smudge", "filter.process", "merge.driver", "include.path", "includeif.path", "gpg.program", "sequence.editor",
    "uploadpack.packobjectshook", "receive.procreceiverefs", "submodule.update", "trailer.command", "trailer.cmd",
    "difftool.cmd", "mergetool.cmd", "browser.cmd", "man.cmd", "interactive.difffilter", "remote.vcs",
    "remote.uploadpack", "remote.receivepack", "gpg.defaultkeycommand", "guitool.cmd", "tar.command", "hook.command",
    "difftool.path", "mergetool.path", "browser.path", "man.path", "imap.tunnel", "init.templatedir", "sendemail.smtpserver",
    "sendemail.sendmailcmd", "sendemail.tocmd", "sendemail.cccmd", "sendemail.headercmd", "instaweb.httpd",
    "lfs.customtransfer.path", "lfs.extension.clean", "lfs.extension.smudge", "lfs.standalonetransferagent",
})  # fmt: skip
#: Harmless values of any of them: words of Git, and programs of well-known tools by their bare names.
_HARMLESS = pattern(r"(?:true|false|yes|no|on|off|0|1|git-lfs (?:clean|smudge|filter-process)(?: --skip)?(?: -- %f| %f)?|lfs-standalone-file|"
                    r"(?:store|cache|manager(?:-core)?|manager-ui|osxkeychain|wincred|libsecret|gnome-keyring|oauth|checkout|merge|rebase|none)(?: -[\w=./~-]{1,200})*|"
                    r"!?(?:/usr/(?:local/)?bin/|/opt/homebrew/bin/)?gh auth git-credential|"
                    r"(?:vi|vim|nvim|nano|emacs|code|notepad|less|more|cat|delta|bat)(?: -[\w=-]{1,200})*|"
                    r"(?:huggingface-cli|hf|git-xet|multipart|xet)|smtp(?:\.[\w-]+)+|"
                    r"git-nb(?:diffdriver diff|mergedriver merge)(?: %[A-Z])*|(?:python3? -m )?(?:nbstripout)(?: -t)?|)")  # fmt: skip
#: An alias that gives Git a setting, or another place for its programs.
_ALIAS = pattern(r"(?:^|\s)(?:-c\s*\S|--config-env|--exec-path|--upload-pack|--receive-pack|--extcmd|-x\s|--ext-diff)")
_HOST = pattern(r"(?:\w+://)?(?:[^/@\s]*@)?([\w.-]+)")


#: Names of files that Git reads settings from, beside ``config`` in its own folders.
_NAMES = frozenset({".gitconfig", ".lfsconfig", ".gitmodules", "config.worktree", "gitconfig"})
_SECTIONS = pattern(
    rb'^[ \t]{0,80}\[[ \t]{0,20}[A-Za-z][\w.-]{0,80}(?:[ \t]{1,20}"[^"\n]{0,300}")?[ \t]{0,20}\]', re.MULTILINE
)
#: Sections of which one stands in such settings under another name, and hardly in others.
_SURE = (
    b"[core]",
    b'[submodule "',
    b'[filter "',
    b"[alias]",
    b'[includeif "',
    b'[credential "',
    b'[lfs "',
    b'[url "',
    b'[remote "',
)


def probe(head: Head) -> Likeness:
    name = f"/{head.name}".rpartition("/")[2].lower()
    start = head.data[:4096].removeprefix(b"\xef\xbb\xbf").lower()
    own = name in _NAMES or (name == "config" and "/.git/" in f"/{head.name}")
    own = own and _SECTIONS.search(start) is not None
    likely = start.lstrip().startswith((b"[", b"#", b";")) and any(each in start for each in _SURE)
    return Likeness.WEAK if (own or likely) and is_text(head) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    from openvet.formats._encoded import EncodedPickles
    from openvet.formats._secrets import scan_text

    text = read_text(source, facts)
    scan_text(text, facts)
    EncodedPickles(facts).look(text)
    section, below, told = "", "", 0
    for number, line in _lines(text):
        bare = line.strip()
        if found := _SECTION.match(bare):
            section, _, below = found.group(1).lower().partition(".")
            below = found.group(2) or below
            bare = found.group(3).strip()
            if section == "submodule" and _LEAVES.search(below):
                told += 1
                name = shorten(printable(below), 120)
                message = (
                    f"a submodule is named {name}, which leads out of .git/modules (CVE-2018-11235: Git before 2.17.1)"
                )
                facts.anomaly("hub/tool-command", message, line=number)
        entry = _ENTRY.match(bare)
        if entry is None or told >= 100:
            continue
        name, value = entry.group(1).lower(), _value(entry.group(2) or "")
        said = _told(section, below, name, value, line)
        if said is not None:
            told += 1
            what, lie, kind = said
            where = ".".join(each for each in (section, below, name) if each)
            shown = f"{shorten(printable(where), 80)} = {shorten(printable(value), 120)}"
            facts.anomaly("hub/tool-command", f"{what}: {shown}{lie}", line=number, kind=kind)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Each line with those that it continues, and the number of its first."""
    waiting, first = "", 0
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        first = first or number
        if line.endswith(("\\", "\\\r")):
            waiting += line.rstrip("\r")[:-1]
            continue
        yield first, waiting + line
        waiting, first = "", 0
    if waiting:
        yield first, waiting


_PIECE = pattern(r'"((?:[^"\\]|\\.)*+)"?|([#;].*)|\\(.)|([^"#;\\]++)|.', re.DOTALL)
_ESCAPE = pattern(r"\\(.)", re.DOTALL)


def _value(text: str) -> str:
    """A value without its quotes, escapes and comment."""
    out = []
    for found in _PIECE.finditer(text.strip()):
        quoted, comment, escaped, plain = found.groups()
        if comment is not None:
            break
        out.append(_ESCAPE.sub(r"\1", quoted) if quoted is not None else escaped or plain or "")
    return "".join(out).strip()


def _told(section: str, below: str, name: str, value: str, line: str) -> tuple[str, str, str] | None:
    """What a setting makes Git do, what is wrong with it, and of which kind that is (``start`` for review); ``None`` for an ordinary one."""
    if section == "submodule" and name in ("url", "path") and (lie := _submodule_lie(value, line)):
        return "makes Git run code of the repository", f", {lie}", "git"
    if section == "lfs":
        group = below.partition(".")[0].lower()
        name = f"{group}.{name}" if group in ("customtransfer", "extension") else name
    key = f"{section}.{name}"
    runs = key in _COMMANDS or (section == "alias" and (value.startswith("!") or _ALIAS.search(value) is not None))
    runs = runs or section == "pager" or (section in ("remote", "submodule") and value.startswith("ext::"))
    runs = runs or (section == "url" and below.startswith(("ext::", "fd::")))
    runs = runs or (key == "protocol.allow" and below.lower() == "ext" and value.lower() != "never")
    if runs and not _HARMLESS.fullmatch(value):
        return "makes Git run a command of the repository", "", "git"
    if key == "http.sslverify" and value.lower() in ("false", "no", "off", "0"):
        return "makes Git believe any server", "", "start"
    if key in ("http.proxy", "remote.proxy", "core.gitproxy") and value and not _LOCAL.search(value):
        return "makes Git send everything by way of another machine", "", "start"
    if section == "url" and name in ("insteadof", "pushinsteadof"):
        instead, meant = _HOST.match(below), _HOST.match(value)
        if below.startswith(("http://", "git://", "/", "file:")) or (
            instead and meant and instead[1].lower() != meant[1].lower()
        ):
            return "makes Git take from another place what is meant to be", "", "start"
    return None


_LOCAL = pattern(r"^(?:\w+://)?(?:localhost|127\.|\[::1\]|10\.|192\.168\.)")


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
