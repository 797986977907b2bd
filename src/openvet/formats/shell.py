"""Shell scripts: text whose first line names a shell, or that is named like one (POSIX shells, PowerShell, cmd),
and files of tools whose lines a shell runs (Makefile, Dockerfile, ``.envrc``).

No loader runs one; a person does. Two things are told apart by their lines: what fetches something and runs it at once, and
what hands a shell to another machine. A hook inside ``.git`` is told where it does anything but call Git LFS.

Specification: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from itertools import islice

from openvet.core.pattern import pattern
from openvet.core.text import lines_of, printable, shorten
from openvet.formats._addresses import is_official
from openvet.formats._decode import is_text, read_text
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

__all__ = ["FORMAT", "dangerous_line", "probe", "read", "tell_commands", "tell_indexes"]

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
    r"\.(?:bash|zsh)(?:rc|_profile|_login|_logout|env)|\.z?profile|.*\.(?:mk|desktop|command|fish|service)"
)
#: Where a line goes on in the next one, for a POSIX shell, for cmd and for PowerShell.
_JOINS = ("\\\n", "\\\r\n", "^\n", "^\r\n", "`\n", "`\r\n")
_LONGEST_LINE = 4_000
#: The first line is looked for in so many characters.
_FIRST_LINE = 1_000
_MOST = 100
# the parts are looked for one after the other in one line of bounded length, so that no pattern has to backtrack far
_FETCHES = pattern(
    r"\b(?:curl|wget|fetch|iwr|irm|Invoke-WebRequest|Invoke-RestMethod|DownloadString|DownloadFile|certutil|bitsadmin)\b",
    re.IGNORECASE,
)
_RUNS = pattern(
    r"\|\s*(?:sudo\s+)?(?:\w*/)*(?:ba|z|da|k)?sh\b|\|\s{0,8}(?:env\s{1,8})?(?:\w{1,60}=(?:\\?\"[^\"]{0,200}\"|'[^']{0,200}'|[^\s\"']{1,200})\s{1,8}){1,3}(?:ba|z|da|k)?sh\b|\|\s*(?:sudo\s+)?(?:python|perl|ruby|node)\d?\b|"
    r"\b(?:iex|Invoke-Expression)\b|\b(?:ba|z)?sh\s+(?:-c\s+)?[\"']?(?:<\(|\$\()|\beval\s+[\"']?\$\(|\bsource\s+<\(",
    re.IGNORECASE,
)
_DECODES = pattern(
    r"\bbase(?:64|32)\s+(?:-d|-D|--decode)\b|\bxxd\s+-r\b|\bopenssl\s+(?:enc|base64)\s+-d\b|-enc(?:odedcommand)?\s+[A-Za-z0-9+/=]{20}|"
    r"\b(?:printf|echo\s+-n?e|echo\s+\$)\s*[\"']?(?:\\x[0-9a-f]{2}|\\0?[0-7]{3}){2}|\|\s*rev\s*\||\|\s*tr\s+[^-\s]\S{0,80}\s+[^-\s]\S{0,80}\s*\||\buudecode\b",
    re.IGNORECASE,
)
_REVERSE = pattern(r"/dev/(?:tcp|udp)/|New-Object\s+(?:System\.)?Net\.Sockets\.TCPClient", re.IGNORECASE)
_DESTROYS = pattern(
    r":\(\)\s*\{\s*:\|:&\s*\}|"
    r">\s*~?[^\s>]*/(?:\.ssh/authorized_keys|etc/(?:passwd|shadow|sudoers|crontab|ld\.so\.preload|cron\.\w+/\S*))",
    re.IGNORECASE,
)


_FETCH_WORDS = frozenset({"curl", "wget", "add", "fetch", "clone", "download"})
#: A repository that is cloned, and into which folder.
_CLONED = pattern(
    r"\bgit\s(?:[^|;&]{0,100}\s)?clone\b[^|;&]{0,200}?(?:\w{2,8}://|@)[^\s\"']{1,400}[\"']?(?:\s{1,8}([^\s\"'|;&-][^\s\"'|;&]{0,200}))?"
)
_PLAIN_CLONE = pattern(r"\b(?:http|git)://(?!localhost|127\.)|\b\w{2,8}://(?:\d{1,3}\.){3}\d")
#: What a command fetches: the last part of the address, or the name that it is given.
_ADDRESS = pattern(r"\b(?:https?|ftp)://([^\s\"'|;&?#)]{1,1000})")
_TARGET = pattern(r"(?:\s-(?:O|[A-Za-z]{0,6}o)\s*|\s--output(?:-document)?[= ]|\s>\s*)[\"']?([^\s\"']{1,400})")
#: What starts a script, and its name.
_STARTED = pattern(
    r"(?:^|[\s\"'(])(?:(?:ba|z|da|k)?sh|source|\.|python[23]?|perl|ruby|node)\s+(?:-\w+\s+){0,4}[\"']?([^\s\"';&|-][^\s\"';&|]{0,400})|(?:^|[\s\"'(])(?=\./)([^\s\"';&|]{1,400})|\A\s*[\"'(]?(?:(?:sudo|nohup|exec|setsid|nice|env)\s+){0,3}[\"']?((?:/|~/|\$\{?\w+\}?/)[^\s\"';&|]{1,400})"
)
_PYTHON_WORDS = frozenset({"python", "python3", "python2"})
_PYTHON_RUNS = pattern(r"\b(?:exec|eval)\s{0,8}\(|\bos\.system\(")
_PYTHON_FETCHES = pattern(r"\burlopen\(|\brequests\.get\(|\burlretrieve\(|\bhttp\.client\b")
#: One line of another language that is given to its interpreter, and what it does.
_INLINE_WORDS = frozenset(
    {"perl", "ruby", "php", "node", "deno", "bun", "lua", "julia", "rscript", "groovy", "osascript"}
)
_INLINE = pattern(
    r"\b(?:perl|ruby|php|node|deno|bun|lua|julia|Rscript|groovy|osascript)(?:\s+eval)?(?:\s+-[\w:-]{1,40}){0,6}\s+(?:-\w{0,8}[eEr]\b|--eval\b|eval\b)"
)
_INLINE_RUNS = pattern(
    r"\b(?:eval|exec|execSync|system|Function|runInThisContext|include|load|loadstring|source|assert|spawn)\b"
)
_INLINE_FETCHES = pattern(
    r"\bget\s{0,4}\(|\bLWP\b|\bHTTP::Tiny\b|\bURI\.open\b|\bopen-uri\b|\bNet::HTTP\b|\bfile_get_contents\(|\bfetch\(|\bcurl\b|\bwget\b|\bdownload\(|\burl\(|\bsource\(|\btoURL\b|\brequire\([\"'`]https?[\"'`]\)"
)


#: A second user with all rights; what Git runs for every repository of the user; a connection that goes through a command of its own.
_RIGHTS_WORDS = frozenset(
    {"useradd", "usermod", "adduser", "hookspath", "sshcommand", "fsmonitor", "proxycommand", "setcap"}
)
_RIGHTS = pattern(
    r"\b(?:useradd|usermod|adduser)\b[^|;&]{0,200}\s(?:-u|--uid)[= ]{0,2}0\b|\bgit\s{1,4}config\s[^|;&]{0,80}--(?:global|system)\s[^|;&]{0,80}\bcore\.(?:hooksPath|sshCommand|fsmonitor)\s{1,4}[^\s-]"
    r"|\bProxyCommand\s{1,4}[^\n]{0,100}\b(?:ba)?sh\s{1,4}-c\b|\bsetcap\s{1,4}\S{0,80}cap_(?:setuid|sys_admin|dac_override)\S{0,20}\s",
    re.IGNORECASE,
)
#: Terminals that anybody may type into by way of a browser.
_SHARED_WORDS = frozenset({"ttyd", "gotty", "wetty"})
_SHARED = pattern(r"\bttyd\b[^|;&]{0,200}\s(?:-W|--writable)\b|\bgotty\b[^|;&]{0,200}\s(?:-w|--permit-write)\b")
#: A file that was fetched takes the place of a program.
_REPLACES = pattern(
    r"\b(?:install|mv|cp)\s[^|;&]{0,200}(?:/usr/(?:local/)?s?bin|/s?bin/|/opt/|\.local/bin|\$\((?:command -v|which)\s|`which\s)"
)
#: Pools of those who mine speak this protocol.
_MINES = pattern(
    r"\bstratum[12]?(?:\+(?:tcp|ssl|tls|udp))?://|\s--donate-level\b|\s(?:-o|--url)[= ]{1,4}[\w.-]{1,200}:\d{2,5}\s(?:[^|;&]{0,200}\s)?(?:-u|--user)[= ]{1,4}(?:4[0-9AB][1-9A-HJ-NP-Za-km-z]{93}|0x[0-9a-fA-F]{40}|bc1\w{30,60})|\bxmrig\b[^|;&]{0,200}\s(?:-o|--url|-c)\b",
    re.IGNORECASE,
)
_MINE_WORDS = frozenset({"stratum", "stratum1", "stratum2", "donate", "xmrig", "url", "o"})
_PLACE = pattern(r"\b\w{1,10}://[^\s\"'|;&)]{1,1000}")


def _pair(first: str, then: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    return re.compile(first, re.IGNORECASE), re.compile(then, re.IGNORECASE)


#: A word, and what makes it bad where it stands anywhere behind it in the line. One pattern with ``.*`` between the two would
#: take quadratic time on a line in which the first word is repeated.
_REVERSE_PAIRS = (_pair(r"\bsocat\b", r"\bexec:"), _pair(r"\bmkfifo\b", r"\b(?:nc|ncat|telnet|openssl)\b"))
_DESTROYS_PAIRS = (_pair(r"\bdd\b", r"\bof=/dev/(?:sd|nvme|hd)"),)
_HIDDEN_PAIRS = (_pair(r"\beval\b", r"\bbase64\b"),)
#: The same in the words of other languages, one line of which is given to their interpreters.
_HIDDEN_WORDS = frozenset({"perl", "ruby", "php", "python", "python3", "python2", "node"})
_HIDDEN_CALLS = frozenset(
    {"exec", "eval", "system", "popen", "run", "spawn", "execsync", "child_process", "function", "assert", "qx"}
)
_HIDDEN_TOLD = (
    _pair(r"\b(?:perl|ruby|php)\s+-\w*[er]\b", r"\b(?:pack|unpack|unpack1|decode_base64|base64_decode|hex2bin)\b"),
    _pair(
        r"\bpython[23]?\s+-\w*c\b",
        r"\b(?:b64decode|fromhex|unhexlify|decompress|b32decode|b85decode|a85decode|rot.?13|marshal)\b",
    ),
    _pair(r"\bnode\s+-\w*e\b", r"\b(?:base64|atob|fromCharCode)\b"),
)
_INSTALLS = pattern(
    r"\bpip[23]?\s+(?:install|download|wheel|sync)\b|\buv\s+(?:add|sync|tool\s+install)\b", re.IGNORECASE
)
#: Words of which a line must have one for the patterns above to be in it; searching for each in every line costs far more.
_REVERSE_WORDS = frozenset({"tcp", "udp", "sockets", "socat", "mkfifo", "nc", "ncat", "netcat"})
_RUN_WORDS = frozenset({"iex", "invoke", "sh", "bash", "zsh", "eval", "source"})
_INSTALL_WORDS = frozenset(
    {"pip", "pip2", "pip3", "uv", "pip_index_url", "pip_extra_index_url", "pip_find_links", "uv_index", "uv_index_url", "uv_extra_index_url",
     "uv_default_index", "uv_find_links"}
)  # fmt: skip
_CONTAINER_WORDS = frozenset({"docker", "podman", "nerdctl"})
_RUN_CONTAINER = pattern(r"\b(?:docker|podman|nerdctl)(?:\s+container)?\s+(?:run|create)\b")
_WORD = pattern(r"\w+")
#: Letters that patterns which ignore case take for others, and that ``lower`` does not.
_LETTERS = {0x130: "i", 0x131: "i", 0x17F: "s", 0x212A: "k"}
_SEGMENT = pattern(r"[|;&]")
_NETCAT = pattern(r"\bn(?:c|cat|etcat)\b", re.IGNORECASE)
_RUN_BY_NETCAT = pattern(r"-[a-z]*[ec]\b", re.IGNORECASE)
_RUN_AMONG_OTHERS = pattern(r"-[^\Wec]*[ec]\w*\Z", re.IGNORECASE)
_RM = pattern(r"\brm\Z", re.IGNORECASE)
_FORCED = pattern(r"-[^\Wrf]*[rf]\w*\Z", re.IGNORECASE)
_OPTION = pattern(r"-\w+\Z|--no-preserve-root\Z", re.IGNORECASE)
_WHOLE_DISK = pattern(r"(?:/\*?|~/?|\$HOME/?)(?:[;&]|\Z)", re.IGNORECASE)


def _has_pair(line: str, pairs: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]) -> bool:
    for first, then in pairs:
        found = first.search(line)
        if found is not None and then.search(line, found.end()) is not None:
            return True
    return False


def _hands_over(line: str) -> bool:
    """Whether a line starts ``nc`` with an option that names what to run."""
    for segment in _SEGMENT.split(line):
        called = direct = False
        for word in segment.split():
            if called and (_RUN_BY_NETCAT.match(word) or (direct and _RUN_AMONG_OTHERS.match(word))):
                return True
            if _NETCAT.search(word):
                called = direct = True
            elif not _OPTION.match(word):
                direct = False
    return False


def _removes_all(line: str) -> bool:
    """Whether a line removes the root or the home, by force or with all that is below it."""
    called = forced = False
    for word in line.split():
        if _RM.search(word):
            called, forced = True, False
        elif called and _OPTION.match(word):
            forced = forced or _FORCED.match(word) is not None
        elif called and forced and _WHOLE_DISK.match(word):
            return True
        else:
            called = False
    return False


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
    from openvet.formats._encoded import EncodedPickles
    from openvet.formats._installed import tell_installed
    from openvet.formats._program_flows import language_of, tell_program
    from openvet.formats._secrets import scan_text

    text = read_text(source, facts)
    if text.startswith("#!"):
        first = text[2:_FIRST_LINE].splitlines() or [""]
        facts.note("interpreter", printable(shorten(first[0].strip(), 80)))
    scan_text(text, facts)
    EncodedPickles(facts).look(text)
    tell_commands(text, facts)
    if "<<" in text and "python" in text:
        _tell_python(text, facts)
    tell_installed(text, facts)
    if (language := language_of(facts.name)) is not None:
        tell_program(text, language, facts)
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


_HERE = pattern(r"\bpython[23]?(?:\.\d+)?\b[^\n|;<]{0,200}<<-?\s*[\"']?(\w{1,40})[\"']?[^\n]{0,200}\n")


def _tell_python(text: str, facts: Facts) -> None:
    """Python that a script hands to its interpreter (a here-document) and that runs what it decodes."""
    from openvet.formats.python import read_source

    for found in islice(_HERE.finditer(text), _MOST_HERE):
        lines = text[found.end() : found.end() + _LONGEST_HERE].split("\n")
        end = next((at for at, line in enumerate(lines) if line.strip() == found[1]), len(lines))
        body = "\n".join(lines[:end])
        for use in read_source(body, facts.at(), facts.limits).uses:
            if use.capability == "hidden":
                number = text.count("\n", 0, found.end()) + use.line
                message = f"decodes a hidden command and runs it, in Python: {use.name}"
                facts.anomaly("hub/shell-command", message, line=number, kind="hidden")
                break


#: Here-documents that are read, and characters of one.
_MOST_HERE = 20
_LONGEST_HERE = 64 * 1024


def _tell_environment(text: str, facts: Facts) -> None:
    """The first command of a file that direnv runs in the folder, once somebody has allowed it."""
    for number, line in enumerate(lines_of(text), 1):
        if not _VARIABLES.fullmatch(line.strip()[:_LONGEST_LINE]):
            message = f"is run by direnv in this folder once it is allowed: {shorten(printable(line.strip()), 120)}"
            facts.anomaly("hub/tool-command", message, line=number, kind="asked")
            return


def tell_commands(text: str, facts: Facts, pointer: str | None = None) -> None:
    """Record the lines of a script, or of a cell of a notebook, that nobody should run unread."""
    from openvet.formats._windows_commands import batch_text

    script = _Script()
    image = _IMAGE.search(f"/{facts.place}") is not None
    told = 0
    for each in _JOINS:
        text = text.replace(each, " ")
    text = batch_text(text)
    for number, line in enumerate(lines_of(text), 1):
        bare = _Script.bare(line)
        if bare.startswith(("#", "REM ", "::")):
            continue
        words = _words_of(bare)
        known = script.judged(bare, words)
        if known is None:
            if not words.isdisjoint(_CONTAINER_WORDS) and _RUN_CONTAINER.search(bare):
                from openvet.formats._containers import told_of_run

                if taken := told_of_run(bare):
                    facts.anomaly(
                        "hub/host-access",
                        f"{taken[0]}, in {shorten(printable(bare), 120)}",
                        line=number if pointer is None else None,
                        pointer=pointer,
                        kind=taken[1],
                    )
            if not words.isdisjoint(_INSTALL_WORDS):
                tell_install(bare, facts, number if pointer is None else None, pointer)
            continue
        what, kind = known
        if image:
            if kind in _OF_AN_IMAGE and _LETS_IN.search(bare) is None:
                continue  # the image is its author's own
            kind = "fetch-run" if kind == "foreign" else kind
        told += 1
        message = f"{what}: {shorten(printable(bare), 120)}"
        if pointer is None:
            facts.anomaly("hub/shell-command", message, line=number, kind=kind)
        else:
            facts.anomaly("hub/shell-command", message, pointer=pointer, kind=kind)
        if told >= _MOST:
            break


#: Files by which an image is built: what they change is the image, and not the machine of whoever builds it.
_IMAGE = pattern(
    r"/(?:(?:Docker|Container)file(?:[._-][\w.-]{1,80})?|[^/]{1,200}\.(?:[Dd]ockerfile|def)|Singularity(?:\.[\w.-]{1,80})?|Earthfile|Apptainer)$"
)
_OF_AN_IMAGE = frozenset({"destroys", "hides"})
_LETS_IN = pattern(r"authorized_keys|ld\.so\.preload|/dev/(?:sd|nvme|hd|vd)")


class _Script:
    """The lines of one script, judged one after the other with what the earlier ones left."""

    __slots__ = ("_decoded", "_fetched", "_remembered", "_sent", "_spelled")

    def __init__(self) -> None:
        from openvet.formats._sent_secrets import SentSecrets
        from openvet.formats._windows_commands import Remembered

        self._remembered, self._fetched, self._sent, self._spelled = Remembered(), _Fetched(), SentSecrets(), _Spelled()
        self._decoded: set[str] = set()

    @staticmethod
    def bare(line: str) -> str:
        """A line without what a shell takes no notice of."""
        from openvet.formats._windows_commands import plain_line

        line = _LISTED.sub("", line.strip(), count=1)
        if "  " in line or len(line) > _LONGEST_LINE:
            line = _BLANKS.sub(" ", line)  # a command may stand far to the right
        return plain_line(line[:_LONGEST_LINE].replace('""', "").replace("''", ""))

    def judged(self, bare: str, words: AbstractSet[str]) -> tuple[str, str] | None:
        """What a line does, and the kind of it; ``None`` for an ordinary one. ``words`` are its words in lower case."""
        put = self._remembered.put_in(bare, words)
        plain = self._spelled.plain(bare)
        return (
            (None if plain is bare else _judged(plain, _words_of(plain)))
            or _judged(put, words if put is bare else _words_of(put))
            or self._remembered.runs(bare, words)
            or self._fetched.runs(bare, words)
            or self._sent.told(bare, words)
            or self._runs_decoded(bare)
        )

    def _runs_decoded(self, bare: str) -> tuple[str, str] | None:
        """A variable that an earlier line decoded is run, or what lies in a file of data."""
        if "|" in bare and "." in bare and _OUT_OF_DATA.search(bare):
            return "runs what lies hidden in a file of data", "hidden"
        if "=" in bare and ("$(" in bare or "`" in bare) and len(self._decoded) < _MOST:
            self._decoded.update(found[1] for found in islice(_SPELLED.finditer(bare), _MOST))
        if (
            self._decoded
            and "$" in bare
            and any(found[1] in self._decoded for found in islice(_RUNS_VARIABLE.finditer(bare), _MOST))
        ):
            return "decodes a hidden command and runs it", "hidden"
        return None


def judged_script(text: str) -> tuple[str, str, int] | None:
    """What the first line does of a script that nobody should run unread, the kind of it, and its number from 1."""
    script = _Script()
    for number, line in enumerate(text.splitlines(), 1):
        bare = _Script.bare(line)
        known = script.judged(bare, _words_of(bare))
        if known is not None:
            return *known, number
    return None


def tell_install(line: str, facts: Facts, number: int | None, pointer: str | None) -> None:
    """Record it where a line makes pip take packages from another index, without encryption, or from a place that nobody knows."""
    from openvet.formats.requirements import installs_of, is_foreign

    given: list[str] = []
    if ("pip" in line or "uv" in line) and (found := _INSTALLS.search(line)) is not None:
        given.append(line[found.end() :])
    if found := _INDEX_SET.search(line):
        given.append(f"--index-url {found[1] or found[2]}")
    for each in given:
        for install in installs_of(each):
            if install.kind != "place" or is_foreign(install.text):
                message = f"makes pip take packages from elsewhere: {install.text.strip()}"
                facts.anomaly(
                    "hub/requirement-source",
                    message,
                    line=number,
                    pointer=pointer,
                    kind=install.kind,
                    text=install.text,
                )


#: Settings of pip and uv by a command or a variable.
_INDEX_SET = pattern(
    r"\bpip[23]?\s+config\s+set\s+(?:--\w+\s+)?[\w.-]{0,40}(?:index-url|find-links)\s+[\"']?([^\s\"';|&]{1,400})|"
    r"\b(?:PIP_(?:EXTRA_)?INDEX_URL|PIP_FIND_LINKS|UV_(?:EXTRA_|DEFAULT_)?INDEX(?:_URL)?|UV_FIND_LINKS)[= ]\s*[\"']?([^\s\"';|&]{1,400})"
)


def tell_indexes(text: str, facts: Facts) -> None:
    """Record the lines of a list of variables by which pip or uv take packages from elsewhere."""
    for number, line in enumerate(islice(text.splitlines(), _MOST), 1):
        if not line.lstrip().startswith("#"):
            tell_install(line[:_LONGEST_LINE], facts, number, None)


def dangerous_line(text: str) -> str | None:
    """What the first line does of a script that nobody should run unread."""
    from openvet.formats._sent_secrets import SentSecrets
    from openvet.formats._windows_commands import plain_line

    sent = SentSecrets()
    for line in text.splitlines():
        bare = plain_line(line.strip()[:_LONGEST_LINE])
        words = _words_of(bare)
        known = _judged(bare, words) or sent.told(bare, words)
        if known is not None:
            return known[0]
    return None


def _words_of(line: str) -> AbstractSet[str]:
    """The words of a line in lower case, for whoever asks whether a pattern can be in it at all."""
    if not line.isascii():
        line = line.translate(_LETTERS)
    return frozenset(_WORD.findall(line.lower()))


def _judged(bare: str, words: AbstractSet[str]) -> tuple[str, str] | None:
    """What a line of these words does, and the kind of it; ``None`` for an ordinary one."""
    from openvet.formats._destroyed import destroys
    from openvet.formats._windows_commands import fetched, windows_command

    if not words.isdisjoint(_REVERSE_WORDS) and (
        _REVERSE.search(bare) or _has_pair(bare, _REVERSE_PAIRS) or _hands_over(bare)
    ):
        return "hands a shell to another machine", "reverse-shell"
    if (
        ((">" in bare or ":()" in bare) and _DESTROYS.search(bare))
        or ("dd" in words and _has_pair(bare, _DESTROYS_PAIRS))
        or ("rm" in words and _removes_all(bare))
    ):
        return "deletes or overwrites what belongs to the user or the system", "destroys"
    if taken := destroys(bare, words):
        return taken
    runs = ("|" in bare or not words.isdisjoint(_RUN_WORDS)) and _RUNS.search(bare) is not None
    if (
        ("eval" in words and _has_pair(bare, _HIDDEN_PAIRS))
        or (runs and _DECODES.search(bare))
        or (
            not words.isdisjoint(_HIDDEN_WORDS)
            and not words.isdisjoint(_HIDDEN_CALLS)
            and _has_pair(bare, _HIDDEN_TOLD)
        )
    ):
        return "decodes a hidden command and runs it", "hidden"
    if known := windows_command(bare, words):
        return known
    if (
        not words.isdisjoint(_PYTHON_WORDS)
        and " -c" in bare
        and _PYTHON_RUNS.search(bare)
        and _PYTHON_FETCHES.search(bare)
    ):
        return fetched(bare)
    inline = _INLINE.search(bare) if "://" in bare and not words.isdisjoint(_INLINE_WORDS) else None
    if inline is not None and _INLINE_RUNS.search(bare, inline.end()) and _INLINE_FETCHES.search(bare):
        return fetched(bare)
    if not words.isdisjoint(_RIGHTS_WORDS) and _RIGHTS.search(bare):
        return "makes the machine start something of somebody else, or gives them its rights", "persists"
    if not words.isdisjoint(_SHARED_WORDS) and _SHARED.search(bare):
        return "hands a shell to another machine", "reverse-shell"
    if not words.isdisjoint(_MINE_WORDS) and _MINES.search(bare):
        return "makes the machine mine coins for somebody", "mines"
    return fetched(bare) if runs and _FETCHES.search(bare) and not _is_official(bare) else None


def _is_official(line: str) -> bool:
    """Whether all that a line fetches are installers that everybody knows, by https."""
    places = _PLACE.findall(line)
    return bool(places) and all(map(is_official, places))


#: A variable that is set to a short constant, and where one is used; what a POSIX shell drops from a word.
_SET = pattern(
    r"(?:^|[;&(\s])(?:export\s+|local\s+)?([A-Za-z_]\w{0,60})=(\"[^\"$`\\]{0,400}\"|'[^']{0,400}'|[^\s;&|$`\"'()<>\\]{1,400})(?=$|[\s;&])"
)
_USED = pattern(r"\$\{?([A-Za-z_]\w{0,60})\}?")
#: The signs between words, cut to nothing or to a blank: ``c${IFS%??}url``.
_CUT = pattern(r"\$\{IFS(%\?{1,3}|:\d:\d|#\?{0,3}|//?[^}]{0,8})\}")
_DROPPED = pattern(r"\\(?=[a-z])")
#: What stands before a command in YAML and in a Dockerfile.
_LISTED = pattern(
    r"\A(?:-\s{1,8})?(?:(?:run|script|command|cmd|shell|exec)\s{0,4}[:=]\s{0,4}(?![|>]|$)|(?:RUN|CMD|ENTRYPOINT)\s{1,8}(?!\[))?"
)
_BLANKS = pattern(r"[ \t\xa0]{2,}")
#: A word that a shell puts together: what ``printf`` or ``echo`` prints in its place, or a text with escapes (``$'...'``).
_WORDS_IN = r"(\"[^\"`$()]{0,400}\"|'[^']{0,400}'|[^\s()\"'`$;|&]{1,400})"
_PRINTED = pattern(
    rf"\$\(\s{{0,9}}(?:printf|echo(?:\s{{1,9}}-[neE]{{1,3}})?)\s{{1,9}}{_WORDS_IN}\s{{0,9}}\)"
    rf"|`\s{{0,9}}(?:printf|echo(?:\s{{1,9}}-[neE]{{1,3}})?)\s{{1,9}}{_WORDS_IN}\s{{0,9}}`|\$('[^']{{0,400}}')"
)
#: A variable that is given what letters by their numbers, or a text turned around, stand for; and what runs it.
_SPELLED = pattern(
    r"(?:^|[;&])\s{0,8}(?:export\s{1,8}|local\s{1,8})?([A-Za-z_]\w{0,60})=[\"']?(?:\$\(|`)\s{0,8}(?:(?:printf|echo(?:\s{1,8}-[neE]{1,3})?)\s{1,8}[\"']?(?:\\x[0-9a-fA-F]{2}|\\0?[0-7]{3}){4}"
    r"|[^|;&`\n]{0,400}\|\s{0,8}(?:base64\s{1,8}(?:-d|-D|--decode)|xxd\s{1,8}-r|rev\b))"
)
_RUNS_VARIABLE = pattern(
    r"(?:^|[;&|]|\b(?:eval|exec|source|sudo|(?:ba|z)?sh\s{1,8}-c)\s)\s{0,8}[\"']?\$\{?([A-Za-z_]\w{0,60})"
)
#: What lies behind the picture or the weights of a file is run.
_OUT_OF_DATA = pattern(
    r"\b(?:tail|head|dd|cut|strings|xxd|unzip|steghide|exiftool|grep|sed|awk|cat|openssl)\s[^|;&\n]{0,200}\.(?:png|jpe?g|gif|bmp|webp|ico|wav|mp3|mp4|ogg|pdf|safetensors|bin|pt|pth|onnx|gguf|npy|npz|h5|pkl|ttf)\b[^|;&\n]{0,80}"
    r"(?:\|[^|;&\n]{1,80}){0,3}\|\s{0,8}(?:sudo\s{1,8})?(?:(?:ba|z|da|k)?sh|python[23]?|perl|node|ruby)\b(?![^|;&]{0,20}\.(?:py|pl|js|rb|sh)\b)(?!\s{1,8}-m\s{1,8}json)"
)
_ESCAPE = pattern(r"\\x([0-9a-fA-F]{2})|\\0?([0-7]{3})")


def _printed(found: re.Match[str]) -> str:
    text = (found[1] or found[2] or found[3] or "").strip("\"'")
    return _ESCAPE.sub(lambda each: chr(int(each[1], 16) if each[1] else int(each[2], 8) & 0xFF), text)


class _Spelled:
    """Lines with what their variables are set to in the place of these, and without the marks that a shell drops."""

    __slots__ = ("_room", "_values")

    def __init__(self) -> None:
        self._room = 64 * _LONGEST_LINE
        self._values: dict[str, str] = {"IFS": " "}

    def plain(self, line: str) -> str:
        """``line`` itself where nothing is put into it."""
        out = _PRINTED.sub(_printed, line) if self._room > 0 and ("$" in line or "`" in line) else line
        if "${IFS" in out:
            out = _CUT.sub(lambda found: "" if found[1][0] == "%" else " ", out)
        if "=" in out and len(self._values) < _MOST:
            for name, value in _SET.findall(out):
                self._values[name] = value.strip("\"'")
        if self._room <= 0 or not ("$" in line or "\\" in line):
            return line
        if "$" in out:
            out = _USED.sub(lambda found: self._values.get(found[1], found[0]), out)[:_LONGEST_LINE]
        out = _DROPPED.sub("", out)
        if out == line:
            return line
        self._room -= len(out)
        return out


class _Fetched:
    """Scripts that earlier commands of a file fetched, for those that run them: ``wget URL/x.sh && sh x.sh``, also on two lines."""

    __slots__ = ("_names",)

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def _said(self, path: str) -> str | None:
        """The command that fetched a file, or without encryption the repository in which it lies."""
        parts = [each for each in path.split("/") if each]
        if parts and parts[-1] in self._names:
            return self._names[parts[-1]]
        held = (self._names[each] for each in parts[:-1] if each in self._names)
        return next((each for each in held if _CLONED.search(each) and _PLAIN_CLONE.search(each)), None)

    def runs(self, line: str, words: AbstractSet[str]) -> tuple[str, str] | None:
        from openvet.formats._windows_commands import fetched

        fetches = not words.isdisjoint(_FETCH_WORDS)
        if not fetches and not self._names:
            return None
        for part in _SEGMENT.split(line):
            started = _STARTED.search(part) if self._names else None
            said = self._said((started[1] or started[2] or started[3]).rstrip(")]}")) if started is not None else None
            if said is None and self._names and _REPLACES.search(part):
                held = (self._names.get(each.strip("\"'").rpartition("/")[2]) for each in part.split()[1:-1])
                said = next((each for each in held if each and fetched(each)[1] == "hidden"), None)
            if said is not None and not _is_official(said):
                return fetched(said)[0].replace("at once", "in a second step"), fetched(said)[1]
            if fetches and len(self._names) < _MOST and (place := _ADDRESS.search(part)) is not None:
                target = _TARGET.search(part)
                cloned = _CLONED.search(part)
                given = cloned[1] or "" if cloned else target[1] if target else ""
                for path in (place[1].rstrip("/"), given):
                    name = path.rstrip("/").rpartition("/")[2].removesuffix(".git")
                    # what an unknown address left stays, whatever an official installer of that name does later
                    if name and (name not in self._names or not _is_official(part)):
                        self._names[name] = part
        return None
