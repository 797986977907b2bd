"""What a file does that a tool runs when it starts in the folder (``.Rprofile``, ``.octaverc``, ``.vimrc``, ``.gdbinit``), and what
settings of JetBrains' editors run: commands for a shell, and R that fetches what it runs or sends what is private.

A heuristic over lines: constants only.
"""

from __future__ import annotations

import re

from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.formats._format import Facts
from openvet.formats._private_places import PRIVATE
from openvet.io.source import Source

__all__ = ["tell_loading_variables", "tell_started_commands", "tell_xml_settings"]

#: Variables by which programs are made to run code of a file, and what they are set to; of a system's own folders is honest.
_LOADING = pattern(
    r"^[ \t]{0,80}(?:export[ \t]{1,8})?(LD_PRELOAD|LD_AUDIT|DYLD_INSERT_LIBRARIES|PYTHONSTARTUP|BASH_ENV|PROMPT_COMMAND|R_PROFILE(?:_USER)?|R_ENVIRON(?:_USER)?|"
    r"PERL5OPT|RUBYOPT|NODE_OPTIONS|GIT_SSH_COMMAND|GIT_EXTERNAL_DIFF|GIT_PROXY_COMMAND|JULIA_LOAD_PATH|JAVA_TOOL_OPTIONS)[ \t]{0,8}=[ \t]{0,8}[\"']?"
    r"(?!(?:/usr/|/lib|/opt/|[\"'\r\n]|$|--max|--openssl|--no-|-W|-w\b|-X|-D|ssh\b))([^\r\n]{1,400})",
    re.MULTILINE,
)

#: R and Octave that run what they fetch.
_RUNS_FETCHED = pattern(
    r"\b(?:sys\.)?source\(\s{0,8}(?:url\(\s{0,8})?[\"'](?:https?|ftp)://|\bsource_(?:url|gist)\(|\beval\(\s{0,8}parse\([^\n]{0,200}(?:https?|ftp)://|"
    r"\beval\(\s{0,8}(?:urlread|webread)\(|\bload(?:string)?\(\s{0,8}(?:http|socket)\.request\(|\bdyn\.load\([^\n]{0,200}(?:https?|ftp)://|"
    r"\bdownload\([^\n]{0,200}\)\s{0,8}\|>\s{0,8}include\b|\binclude(?:_string)?\(\s{0,8}(?:Base\.)?download\("
)
#: R that reads, and R that sends; both in one file with a private place is enough.
_READS = pattern(
    r"\b(?:readLines|readChar|readBin|file|scan|read_file|fileread|importdata)\s{0,4}\(|\bSys\.getenv\(\s{0,4}\)"
)
_SENDS = pattern(
    r"\b(?:POST|PUT|GET|curl_fetch_memory|curl_upload|url|urlread|webwrite|req_perform|socketConnection|download\.file|getURL|postForm)\s{0,4}\("
)
_SETTINGS = pattern(r"/\.idea/|\.(?:iml|run\.xml)$")
_ENTITIES = {"&quot;": '"', "&apos;": "'", "&#10;": "\n", "&lt;": "<", "&gt;": ">", "&#39;": "'", "&amp;": "&"}
_LONGEST = 256 * 1024


def tell_started_commands(text: str, facts: Facts) -> None:
    """Record what such a file runs that nobody should run unread."""
    from openvet.formats._shell_script import tell_commands
    from openvet.formats._windows_commands import fetched

    tell_commands(text, facts)
    for number, line in enumerate(text.split("\n"), 1):
        if not line.lstrip().startswith(("#", "%", '"')) and _RUNS_FETCHED.search(line):
            what, kind = fetched(line)
            facts.anomaly(
                "hub/shell-command", f"{what}: {shorten(printable(line.strip()), 120)}", line=number, kind=kind
            )
            return
    read = _READS.search(text)
    if read and _SENDS.search(text) and (PRIVATE.search(text) or "Sys.getenv()" in text):
        from openvet.formats._sent_secrets import SENT

        facts.anomaly("hub/shell-command", SENT, line=text.count("\n", 0, read.start()) + 1, kind="sends")


def tell_loading_variables(text: str, facts: Facts, who: str) -> None:
    """Record the first variable by which ``who``, reading this file, makes programs run code that comes with the model."""
    found = _LOADING.search(text)
    if found is not None:
        message = f"makes {who} give programs {found[1]}, by which they run {shorten(printable(found[2].strip()), 100)}"
        facts.anomaly("hub/tool-command", message, line=text.count("\n", 0, found.start()) + 1, kind="start")


def tell_xml_settings(source: Source, facts: Facts) -> None:
    """Record the commands of an editor's run configurations, watchers and tools; any other file is left alone."""
    if not _SETTINGS.search(f"/{facts.place}"):
        return
    from openvet.formats._shell_script import tell_commands

    text = source.upto(0, _LONGEST).decode("utf-8", "replace")
    for entity, character in _ENTITIES.items():
        text = text.replace(entity, character)
    tell_commands(text, facts)
