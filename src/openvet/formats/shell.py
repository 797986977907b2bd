"""Shell scripts: text whose first line names a shell, or that is named like one (POSIX shells, PowerShell, cmd),
and files of tools whose lines a shell runs (Makefile, Dockerfile, ``.envrc``).

No loader runs one; a person does. Two things are told apart by their lines: what fetches something and runs it at once, and
what hands a shell to another machine. A hook inside ``.git`` is told where it does anything but call Git LFS.

Specification: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html
"""

from __future__ import annotations

import re

from openvet.core.pattern import pattern
from openvet.core.text import lines_of, printable, shorten
from openvet.formats._decode import is_text, read_text
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="shell",
    title="shell script",
    extensions=(
        ".sh",
        ".bash",
        ".zsh",
        ".ksh",
        ".ps1",
        ".psm1",
        ".psd1",
        ".bat",
        ".cmd",
        ".reg",
    ),
    media_types=("application/x-sh",),
    can_tell=("lines that fetch something and run it, and lines that hand a shell to another machine",),
    cannot_tell=("what the other commands do",),
    refines=("text",),
)

#: Files of other tools whose lines a shell runs: builds, containers, and what a shell reads when it starts or enters a folder.
_NAMED = pattern(
    r"(?:GNU)?[Mm]akefile(?:\..*)?|(?:Docker|Container)file(?:\..*)?|.*\.[Dd]ockerfile|[Jj]ustfile|Procfile|Jenkinsfile|CMakeLists\.txt|Rakefile|Gemfile|Podfile|Brewfile|Dangerfile|Fastfile|Vagrantfile|Earthfile|Snakefile|Singularity|meson\.build|.*\.def|\.envrc|"
    r"\.(?:bash|zsh)(?:rc|_profile|_login|_logout|env)|\.z?profile|.*\.(?:mk|cmake|desktop|command|fish|service)"
)
#: The first line is looked for in so many characters.
_FIRST_LINE = 1_000
#: What direnv's own words do with variables and paths; any other line of an ``.envrc`` is a command.
_VARIABLES = pattern(
    r"(?:export\s+)?\w+=(?:\"(?:[^\"`$]|\$(?!\())*\"|'[^']*'|(?:[^\s`$|;&(]|\$(?!\())*)(?:\s+#.*)?|export(?:\s+\w+)*|unset\s.*|(?:dotenv|"
    r"dotenv_if_exists|PATH_add|MANPATH_add|path_add|layout|use|source_up|source_up_if_exists|watch_file|watch_dir|log_status|strict_env|"
    r"unstrict_env|env_vars_required|load_prefix)\b[^`|;&]*|#.*|"
)
_LFS = pattern(
    r"#[^\n]*|git lfs [\w-]+ \"\$@\"|command -v git-lfs >/dev/null 2>&1 \|\| "
    r"\{ (?:printf|echo) >&2(?: \"[^\"`$]*\"| '[^']*')+; exit 2; \}|"
)


def probe(head: Head) -> Likeness:
    first = head.data[:100].split(b"\n", 1)[0]
    shebang = first.startswith(b"#!") and re.search(rb"[/ ](?:ba|z|da|k|fi)?sh\b", first) is not None
    named = head.suffix in FORMAT.extensions or _NAMED.fullmatch(head.name.rsplit("/", 1)[-1]) is not None
    hook = "/.husky/" in f"/{head.name}" and not head.suffix
    return Likeness.WEAK if (shebang or named or hook) and is_text(head) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    from openvet.formats._cmake import is_cmake, tell_cmake
    from openvet.formats._encoded import EncodedPickles
    from openvet.formats._installed import tell_installed
    from openvet.formats._program_flows import language_of, tell_program
    from openvet.formats._secrets import scan_text
    from openvet.formats._shell_script import tell_commands

    text = read_text(source, facts)
    if text.startswith("#!"):
        first = text[2:_FIRST_LINE].splitlines() or [""]
        facts.note("interpreter", printable(shorten(first[0].strip(), 80)))
    scan_text(text, facts)
    EncodedPickles(facts).look(text)
    tell_commands(text, facts)
    if "<<" in text and "python" in text:
        from openvet.formats._shell_handed import tell_python

        tell_python(text, facts)
    tell_installed(text, facts)
    if (language := language_of(facts.name)) is not None:
        tell_program(text, language, facts)
    if is_cmake(facts.name):
        tell_cmake(text, facts)
    if facts.name.lower().endswith(".reg"):
        from openvet.formats._windows_files import tell_registry

        tell_registry(text, facts)
    place = facts.at().place
    if place.rsplit("/", 1)[-1] == ".envrc":
        from openvet.formats._started import tell_loading_variables

        _tell_environment(text, facts)
        tell_loading_variables(text, facts, "direnv")
    hook = "/.git/hooks/" in f"/{place}" and not place.endswith(".sample")
    if hook and not all(_LFS.fullmatch(line.strip()) for line in lines_of(text)):
        facts.anomaly("hub/tool-command", "is a hook that Git runs in this folder", line=1)


def _tell_environment(text: str, facts: Facts) -> None:
    """The first command of a file that direnv runs in the folder, once somebody has allowed it."""
    from openvet.formats._shell_line import LONGEST_LINE

    for number, line in enumerate(lines_of(text), 1):
        if not _VARIABLES.fullmatch(line.strip()[:LONGEST_LINE]):
            message = f"is run by direnv in this folder once it is allowed: {shorten(printable(line.strip()), 120)}"
            facts.anomaly("hub/tool-command", message, line=number, kind="asked")
            return
