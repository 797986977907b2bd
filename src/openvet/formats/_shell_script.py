"""The lines of a script, one after the other, with what the earlier ones left behind: files that they fetched, variables that they set.

Whatever holds lines for a shell is told here: scripts, cells of notebooks, texts in programs, settings of tools.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from itertools import islice

from openvet.core.pattern import pattern
from openvet.core.text import lines_of, printable, shorten
from openvet.formats._format import Facts
from openvet.formats._own_keys import brings_key, takes_own_key
from openvet.formats._sent_secrets import SentSecrets
from openvet.formats._shell_fetched import Fetched
from openvet.formats._shell_installs import INSTALL_WORDS, asks_own_index, tell_install, with_index
from openvet.formats._shell_line import LONGEST_LINE, is_official_line, judged_line, words_of
from openvet.formats._shell_spelled import Spelled
from openvet.formats._windows_commands import Remembered, batch_text, fetched, plain_line

__all__ = ["dangerous_line", "judged_script", "tell_commands"]

#: Where a line goes on in the next one, for a POSIX shell, for cmd and for PowerShell.
_JOINS = ("\\\n", "\\\r\n", "^\n", "^\r\n", "`\n", "`\r\n")
_MOST = 100
#: What stands before a command in YAML and in a Dockerfile.
_LISTED = pattern(
    r"\A(?:@-?(?=\w)|-@(?=\w))?(?:-\s{1,8})?(?:(?:run|script|command|cmd|shell|exec)\s{0,4}[:=]\s{0,4}(?![|>]|$)|(?:RUN|CMD|ENTRYPOINT)\s{1,8}(?!\[))?"
)
_BLANKS = pattern(r"[ \t\xa0]{2,}")
#: A variable that is given what letters by their numbers, or a text turned around, stand for; and what runs it.
_SPELLED = pattern(
    r"(?:^|[;&])\s{0,8}(?:export\s{1,8}|local\s{1,8})?([A-Za-z_]\w{0,60})=[\"']?(?:\$\(|`)\s{0,8}(?:(?:printf|echo(?:\s{1,8}-[neE]{1,3})?)\s{1,8}[\"']?(?:\\x[0-9a-fA-F]{2}|\\0?[0-7]{3}){4}"
    r"|base(?:64|32)\s{1,8}(?:-d|-D|--decode)\b|tr\s{1,8}[\"']?(?:A-Za-z|a-zA-Z|A-Z|a-z)[\"']?\s{1,8}[\"']?[B-Zb-z]-[Zz]"
    r"|[^|;&`\n]{0,400}\|\s{0,8}(?:base(?:64|32)\s{1,8}(?:-d|-D|--decode)|xxd\s{1,8}-r|rev\b|openssl\s{1,8}enc\s{1,8}-d|tr\s{1,8}[\"']?(?:A-Za-z|a-zA-Z|A-Z|a-z)[\"']?\s{1,8}[\"']?[B-Zb-z]-[Zz]))"
)
_GOT = pattern(
    r"(?:^|[;&])\s{0,8}(?:export\s{1,8}|local\s{1,8})?([A-Za-z_]\w{0,60})=[\"']?(?:\$\(|`)\s{0,8}(?:curl|wget)\b[^|;&`]{0,250}://[^|;&`]{0,250}(?:\)|`)[\"']?\s{0,8}(?:$|[;&])"
)
_RUNS_VARIABLE = pattern(
    r"(?:^|[;&|]|\b(?:eval|exec|source|sudo|(?:ba|z)?sh\s{1,8}-c)\s)\s{0,8}[\"']?\$\{?([A-Za-z_]\w{0,60})"
)
#: What lies behind the picture or the weights of a file is run.
_OUT_OF_DATA = pattern(
    r"\b(?:tail|head|dd|cut|strings|xxd|unzip|steghide|exiftool|grep|sed|awk|cat|openssl)\s[^|;&\n]{0,200}\.(?:png|jpe?g|gif|bmp|webp|ico|wav|mp3|mp4|ogg|pdf|safetensors|bin|pt|pth|onnx|gguf|npy|npz|h5|pkl|ttf)\b[^|;&\n]{0,80}"
    r"(?:\|[^|;&\n]{1,80}){0,3}\|\s{0,8}(?:sudo\s{1,8})?(?:(?:ba|z|da|k)?sh|python[23]?|perl|node|ruby)\b(?![^|;&]{0,20}\.(?:py|pl|js|rb|sh)\b)(?!\s{1,8}-m\s{1,8}json)"
)
#: Files by which an image is built: what they change is the image, and not the machine of whoever builds it.
_IMAGE = pattern(
    r"/(?:(?:Docker|Container)file(?:[._-][\w.-]{1,80})?|[^/]{1,200}\.(?:[Dd]ockerfile|def)|Singularity(?:\.[\w.-]{1,80})?|Earthfile|Apptainer)$"
)
_OF_AN_IMAGE = frozenset({"destroys", "hides"})
_LETS_IN = pattern(r"authorized_keys|ld\.so\.preload|/dev/(?:sd|nvme|hd|vd)")
_CONTAINER_WORDS = frozenset({"docker", "podman", "nerdctl"})
_RUN_CONTAINER = pattern(r"\b(?:docker|podman|nerdctl)(?:\s+container)?\s+(?:run|create)\b")


def tell_commands(text: str, facts: Facts, pointer: str | None = None) -> None:
    """Record the lines of a script, or of a cell of a notebook, that nobody should run unread."""
    script = Script()
    image = _IMAGE.search(f"/{facts.place}") is not None
    told = 0
    for each in _JOINS:
        text = text.replace(each, " ")
    text = batch_text(text)
    keyed = image or "authorized_keys" in text
    own = image and asks_own_index(text)
    keys = 0
    for number, line in enumerate(lines_of(text), 1):
        bare = Script.bare(line)
        if bare.startswith(("#", "REM ", "::")):
            continue
        words = words_of(bare)
        known = script.judged(bare, words)
        if known is not None and "authorized_keys" in bare and keys < _MOST:
            keys += 1  # each looks through the whole text
            known = None if takes_own_key(bare, text) else known
        elif known is None and keyed and brings_key(bare):
            known = "gives somebody's key, by which that one may log in", "hidden"
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
            if not words.isdisjoint(INSTALL_WORDS):
                where = number if pointer is None else None
                tell_install(with_index(bare, text), facts, where, pointer, own=own)
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


def judged_script(text: str) -> tuple[str, str, int] | None:
    """What the first line does of a script that nobody should run unread, the kind of it, and its number from 1."""
    script = Script()
    for number, line in enumerate(text.splitlines(), 1):
        bare = Script.bare(line)
        known = script.judged(bare, words_of(bare))
        if known is not None:
            return *known, number
    return None


def dangerous_line(text: str) -> str | None:
    """What the first line does of a script that nobody should run unread."""
    sent = SentSecrets()
    for line in text.splitlines():
        bare = plain_line(line.strip()[:LONGEST_LINE])
        words = words_of(bare)
        known = judged_line(bare, words) or sent.told(bare, words)
        if known is not None:
            return known[0]
    return None


class Script:
    """The lines of one script, judged one after the other with what the earlier ones left."""

    __slots__ = ("_decoded", "_fetched", "_got", "_remembered", "_sent", "_spelled")

    def __init__(self) -> None:
        self._remembered, self._fetched, self._sent, self._spelled = Remembered(), Fetched(), SentSecrets(), Spelled()
        self._decoded: set[str] = set()
        #: variables that hold what a line fetched
        self._got: dict[str, str] = {}

    @staticmethod
    def bare(line: str) -> str:
        """A line without what a shell takes no notice of."""
        line = _LISTED.sub("", line.strip(), count=1)
        if "  " in line or len(line) > LONGEST_LINE:
            line = _BLANKS.sub(" ", line)  # a command may stand far to the right
        return plain_line(line[:LONGEST_LINE].replace('""', "").replace("''", ""))

    def judged(self, bare: str, words: AbstractSet[str]) -> tuple[str, str] | None:
        """What a line does, and the kind of it; ``None`` for an ordinary one. ``words`` are its words in lower case."""
        put = self._remembered.put_in(bare, words)
        plain = self._spelled.plain(bare)
        return (
            (None if plain is bare else judged_line(plain, words_of(plain)))
            or judged_line(put, words if put is bare else words_of(put))
            or self._remembered.runs(bare, words)
            or self._fetched.runs(bare, words)
            or self._sent.told(bare, words)
            or (self._sent.told(plain, words_of(plain)) if "$HOME" in plain and plain is not bare else None)
            or self._runs_decoded(bare)
        )

    def _runs_decoded(self, bare: str) -> tuple[str, str] | None:
        """A variable that an earlier line decoded is run, or what lies in a file of data."""
        if "|" in bare and "." in bare and _OUT_OF_DATA.search(bare):
            return "runs what lies hidden in a file of data", "hidden"
        if "=" in bare and ("$(" in bare or "`" in bare) and len(self._decoded) < _MOST:
            self._decoded.update(found[1] for found in islice(_SPELLED.finditer(bare), _MOST))
        if "=" in bare and ("$(" in bare or "`" in bare) and len(self._got) < _MOST and (found := _GOT.search(bare)):
            self._got[found[1]] = bare
        for found in islice(_RUNS_VARIABLE.finditer(bare), _MOST) if self._got and "$" in bare else ():
            if found[1] in self._got and not is_official_line(self._got[found[1]]):
                return fetched(self._got[found[1]])
        if (
            self._decoded
            and "$" in bare
            and any(found[1] in self._decoded for found in islice(_RUNS_VARIABLE.finditer(bare), _MOST))
        ):
            return "decodes a hidden command and runs it", "hidden"
        return None
