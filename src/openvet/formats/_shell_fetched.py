"""Scripts that one command of a file fetches and a later one runs: ``wget URL/x.sh && sh x.sh``, also on two lines."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from openvet.core.pattern import pattern
from openvet.formats._shell_line import SEGMENT, is_official_line
from openvet.formats._windows_commands import fetched

__all__ = ["Fetched"]

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
    r"(?:^|[\s\"'(])(?:(?:ba|z|da|k)?sh|source|\.|python[23]?|perl|ruby|node)\s+(?:-\w+\s+){0,4}[\"']?([^\s\"';&|-][^\s\"';&|]{0,400})|(?:^|[\s\"'(])(?=\./)([^\s\"';&|]{1,400})|\A\s*[\"'(]?(?:(?:sudo|nohup|exec|setsid|nice|env)\s+){0,3}[\"']?((?:/|~/|\$\{?\w+\}?/|\$\{?\w+\}?(?=[\s\"']|$))[^\s\"';&|]{0,400})|\bstart(?:\s{1,4}/\w{1,10}){0,3}\s{1,4}(?:\"\"\s{1,4})?[\"']?([^\s\"';&|/][^\s\"';&|]{1,400})"
)
#: A file that was fetched takes the place of a program.
_REPLACES = pattern(
    r"\b(?:install|mv|cp)\s[^|;&]{0,200}(?:/usr/(?:local/)?s?bin|/s?bin/|/opt/|\.local/bin|\$\((?:command -v|which)\s|`which\s)"
)
_FUNCTION = pattern(r"\s*(?:function\s{1,4}([\w-]{1,60})\b|([\w-]{1,60})\s{0,4}\(\s{0,4}\))")
#: How an image's file writes a command word by word.
_WORD_BY_WORD = pattern(r"\s*(?:CMD|ENTRYPOINT|RUN)\s{1,8}\[([^\]]{2,2000})\]\s*")
_MOST = 100


def _as_words(part: str) -> str:
    """A command that stands word by word in brackets, as one of a shell: what is started is its first words."""
    found = _WORD_BY_WORD.fullmatch(part)
    return part if found is None else " ".join(each.strip().strip("\"'") for each in found[1].split(","))


class Fetched:
    """Scripts that earlier commands of a file fetched, for those that run them: ``wget URL/x.sh && sh x.sh``, also on two lines."""

    __slots__ = ("_inside", "_names")

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        #: the function of the script whose lines are read
        self._inside = ""

    def _said(self, path: str) -> str | None:
        """The command that fetched a file, or without encryption the repository in which it lies."""
        parts = [each for each in path.split("/") if each]
        if parts and parts[-1] in self._names:
            return self._names[parts[-1]]
        held = (self._names[each] for each in parts[:-1] if each in self._names)
        return next((each for each in held if _CLONED.search(each) and _PLAIN_CLONE.search(each)), None)

    def runs(self, line: str, words: AbstractSet[str]) -> tuple[str, str] | None:
        if found := _FUNCTION.match(line):
            self._inside = found[1] or found[2]
        fetches = not words.isdisjoint(_FETCH_WORDS)
        if self._inside and fetches and len(self._names) < _MOST:
            self._names[f"{self._inside}()"] = line  # whoever calls it fetches
        if line.rstrip().endswith("}"):
            self._inside = ""
        if not fetches and not self._names:
            return None
        for part in map(_as_words, SEGMENT.split(line)):
            started = _STARTED.search(part) if self._names else None
            said = (
                self._said((started[1] or started[2] or started[3] or started[4]).rstrip(")]}").replace("\\", "/"))
                if started is not None
                else None
            )
            if said is None and self._names and _REPLACES.search(part):
                held = (self._names.get(each.strip("\"'").rpartition("/")[2]) for each in part.split()[1:-1])
                said = next((each for each in held if each and fetched(each)[1] == "hidden"), None)
            if said is not None and not is_official_line(said):
                return fetched(said)[0].replace("at once", "in a second step"), fetched(said)[1]
            caller = part.split(None, 1)[0] if part.strip() else ""
            if f"{caller}()" in self._names and (target := _TARGET.search(part)) and len(self._names) < _MOST:
                self._names[target[1].rstrip("/").rpartition("/")[2]] = self._names[f"{caller}()"]
            if fetches and len(self._names) < _MOST and (place := _ADDRESS.search(part)) is not None:
                target = _TARGET.search(part)
                cloned = _CLONED.search(part)
                given = cloned[1] or "" if cloned else target[1] if target else ""
                for path in (place[1].rstrip("/"), given):
                    name = path.replace("\\", "/").rstrip("/").rpartition("/")[2].removesuffix(".git")
                    # what an unknown address left stays, whatever an official installer of that name does later
                    if name.strip(".") and (name not in self._names or not is_official_line(part)):
                        self._names[name] = part
        return None
