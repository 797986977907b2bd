"""Commands that destroy, encrypt or send away the files of whoever runs them, or that stop the machine.

What counts is what a line does to which files: a command that removes, overwrites or encrypts, given the home, the root or every
document of a place that is not the model's own; an archive of the home that goes to another machine; an entry of ``cron``, the
history or the logs taken away; a loop that starts itself until nothing else runs. It is a heuristic of single lines: the same work
spread over several, or on places that are only known when it runs, is not seen.

Sources: MITRE ATT&CK T1485, T1486, T1490, T1070.003, T1053.003, T1499.001, T1567.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Final

from openvet.core.pattern import pattern

__all__ = ["destroys"]

_TAKES: Final = "deletes or overwrites what belongs to the user or the system", "destroys"
_ENCRYPTS: Final = "encrypts the files of whoever runs it", "destroys"
_SENDS: Final = "sends the files of whoever runs it to another machine", "sends"
_STAYS: Final = "makes the machine run something again and again", "persists"
_HIDES: Final = "removes the traces of what was run", "hides"

#: The home as a whole, or a folder of documents in it; the root; every user's home. Not a folder of a tool (``~/.cache``).
_WHOLE: Final = (
    r"(?:~|\$HOME|\$\{HOME\}|/root|/home(?:/\*|/\$USER|/\$\{USER\})?|/Users(?:/\*|/\$USER)?|/mnt|/media|/|%USERPROFILE%|\$env:USERPROFILE|\$HOME"
    r"|C:\\Users(?:\\\*|\\%USERNAME%)?|C:)"
    r"(?:[/\\](?:Documents|Desktop|Pictures|Downloads|Music|Videos|\*))?[/\\]?\*?"
)
_HOMES: Final = pattern(rf"(?:^|(?<=[\s=(;|&]))[\"']?{_WHOLE}[\"']?(?=[\s;|&)\"']|\Z)", re.IGNORECASE)
#: Documents by their endings, two of which a line that goes through all files of somebody names.
_ENDINGS: Final = pattern(
    r"\*\.(?:docx?|xlsx?|pptx?|pdf|jpe?g|png|odt|ods|txt|zip|sql|key|pem|pt|pth|ckpt|safetensors|mp4)\b", re.IGNORECASE
)
_EACH: Final = pattern(
    r"\s-(?:exec|execdir|ok|delete)\b|\|\s{0,8}(?:xargs|while\s{1,8}read|parallel)\b|\bfor\b|\bForEach(?:-Object)?\b|\|\s{0,8}%",
    re.IGNORECASE,
)
_FINDS: Final = pattern(r"\b(?:find|fd|fdfind|locate|Get-ChildItem|gci|dir|forfiles|for)\b", re.IGNORECASE)
_CIPHERS: Final = pattern(
    r"\bopenssl\s{1,8}(?:enc|aes\S{0,40}|des\S{0,40}|rsautl|pkeyutl|smime|cms)\b(?![^|;&]{0,200}\s-d(?:ecrypt)?\b)"
    r"|\bgpg2?\b[^|;&]{0,200}\s(?:-c|-e|--symmetric|--encrypt)\b|\bccrypt\s{1,8}(?:-e|--encrypt)|\bage\s{1,8}(?:-e|-r|-p|--recipient)"
    r"|\b7z[az]?\s{1,8}a\b[^|;&]{0,200}\s-p\S|\bzip\b[^|;&]{0,200}\s(?:-P|-e|--password|--encrypt)\b|\bcipher\s{1,8}/e\b|\bmcrypt\b|\baescrypt\s{1,8}-e\b",
    re.IGNORECASE,
)
_REMOVES: Final = pattern(
    r"\bshred\b|\bwipe\b|\bsrm\b|\brm\s|\bunlink\b|\bdel\s|\berase\s|\bRemove-Item\b|\bri\s|\s-delete\b|\bmv\s[^|;&]{0,200}/dev/null|\btruncate\s{1,8}(?:-s|--size)"
    r"|\bsdelete\b|\brd\s|\brmdir\s",
    re.IGNORECASE,
)
#: What is given the home itself, with all below it.
_RECURSIVE: Final = pattern(
    r"\b(?:shred|srm|wipe)\s|\b(?:Remove-Item|ri|rm|rmdir|rd|del|erase)\b[^|;&]{0,200}(?:\s-(?:r\w{0,8}|Recurse)\b|\s/s\b|\s--recursive\b)|\bchmod\s{1,8}-R\s{1,8}0*[0]{1,3}\b",
    re.IGNORECASE,
)
_DEVICES: Final = pattern(
    r"\b(?:mkfs(?:\.\w{1,10})?|wipefs|blkdiscard|shred|sgdisk\s{1,8}(?:-Z|--zap-all)|hdparm\b[^|;&]{0,100}--security-erase\S{0,40})\s[^|;&]{0,200}"
    r"/dev/(?:sd[a-z]|nvme\d|hd[a-z]|vd[a-z]|xvd[a-z]|mapper/|disk\d)|>\s{0,4}/dev/(?:sd[a-z]|nvme\d|hd[a-z]|vd[a-z])|\b(?:cat|cp|tee)\s[^|;&]{0,200}\s/dev/(?:sd[a-z]|nvme\d|hd[a-z]|vd[a-z])\b"
    r"|\bformat(?:\.com)?\s{1,8}[a-z]:\s{0,4}/|\bdiskpart\b[^|&]{0,100}/s\b|\bClear-Disk\b|\bFormat-Volume\b|\bcipher\s{1,8}/w:|\bInitialize-Disk\b",
    re.IGNORECASE,
)
#: A file system for a disk beside the machine's own, of a kind that refuses to take the place of another one unless it is forced:
#: https://man7.org/linux/man-pages/man8/mkfs.xfs.8.html (``-f``). So machines of a cloud get their own temporary disk.
_EMPTY_DISK: Final = pattern(
    r"\bmkfs(?:\.(?:xfs|btrfs)|\s{1,4}(?:-t|--type)[ =](?:xfs|btrfs))(?:\s{1,4}-[LKq](?:\s{1,4}[\w-]{1,40})?){0,3}\s{1,4}/dev/(?:nvme[1-9]\d?n1|(?:sd|vd|xvd)[b-z])(?=[\s;&|\"']|$)(?![^;&|]{0,80}\s(?:-f|--force)\b)"
)
#: A function that calls itself twice in the background; a batch file that starts itself.
_FORKS: Final = pattern(
    r"(?<!\w)(\w{1,40}|:|\.)\s{0,4}\(\)\s{0,4}\{\s{0,4}(\w{1,40}|:|\.)\s{0,4}\|\s{0,4}(\w{1,40}|:|\.)\s{0,4}&\s{0,4};?\s{0,4}\}|%0\s{0,4}\|\s{0,4}%0|\bstart\s{1,8}(?:\"\"\s{1,8})?%~?0\b[^|&]{0,40}&\s{0,4}goto\b"
    r"|\bwhile\s{1,8}(?:true|:|1)\s{0,4};\s{0,4}do\s[^;]{0,100}(?:bash|sh)\s{1,8}[\"']?\$0[\"']?\s{0,4}&"
)
_LOGS: Final = pattern(
    r"\bhistory\s{1,8}-c\b|\bunset\s{1,8}HISTFILE\b|(?:\brm\s{1,8}(?:-\w{1,5}\s{1,8}){0,2}|>\s{0,4}|\bshred\s[^|;&]{0,40}|\bln\s{1,8}-\w{0,8}s\w{0,8}\s{1,8}/dev/null\s{1,8})(?:~|\$HOME|\$\{HOME\})?/?\.(?:bash|zsh)_history"
    r"|\bsed\s{1,8}(?:-\w{1,8}\s{1,8}){0,2}?-i\S{0,20}\s[^|;&]{0,120}\.(?:bash|zsh)_history"
    r"|\brm\s[^|;&]{0,80}/var/log(?:/\*)?(?:\s|\Z)|\bwevtutil(?:\.exe)?\s{1,8}(?:cl|clear-log)\b|\bClear-EventLog\b|\bClear-History\b[^|;&]{0,80}\bConsoleHost_history\b|\bjournalctl\s[^|;&]{0,40}--vacuum-time=[01]s"
)
#: A table of cron that is put together here and installed from a pipe; keys by which somebody may log in.
_CRON: Final = pattern(r"\|\s{0,4}(?:sudo\s{1,8})?crontab\s{1,4}-(?=\s|\Z|\))|\bcrontab\s{1,4}-\s{0,4}<<<")
_TEE: Final = pattern(
    r"\btee\s{1,8}(?:-a\s{1,8})?[^|;&\s]{0,40}(?:\.ssh/authorized_keys|/etc/(?:cron\.\w{1,10}/|crontab|sudoers|ld\.so\.preload|passwd|shadow))"
)
#: What a task of Windows that is made here starts, where nobody should make it unread.
_TASK: Final = pattern(r"\b(?:powershell|pwsh|mshta|wscript)\b|https?:|\s-enc\w{0,14}\s", re.IGNORECASE)
_TASKS: Final = frozenset({"schtasks", "scheduledtask"})
_MAKES_TASK: Final = pattern(r"\bschtasks\b[^\n]{0,200}\bcreate\b|scheduledtask", re.IGNORECASE)
_ADDRESS: Final = pattern(r"\b(?:https?|ftp)://|/dev/(?:tcp|udp)/|\b(?:wget|curl|nc|ncat|base64)\b")
_PACKS: Final = pattern(
    r"\b(?:tar\s{1,8}-?\w{0,8}c\w{0,8}|zip\s{1,8}-\w{0,8}r\w{0,8}|7z[az]?\s{1,8}a|Compress-Archive|cpio\s{1,8}-o|rsync|scp\s{1,8}-r)\b",
    re.IGNORECASE,
)
_AWAY: Final = pattern(
    r"\|\s{0,8}(?:\w+\s[^|]{0,200}\|\s{0,8})?(?:curl|wget|nc|ncat|netcat|socat|openssl|ssh|http)\b|&&?\s{0,8}curl\b|;\s{0,8}curl\b|>\s{0,4}/dev/tcp/|\bInvoke-(?:WebRequest|RestMethod)\b|\bUploadFile\b",
    re.IGNORECASE,
)
#: Functions of a line that are looked at.
_MOST: Final = 20
#: Words of which a line must have one for any of this.
_WORDS: Final = frozenset(
    {"openssl", "gpg", "gpg2", "ccrypt", "age", "7z", "7za", "zip", "cipher", "mcrypt", "aescrypt", "shred", "wipe", "srm", "rm", "unlink", "del",
     "erase", "ri", "delete", "mv", "truncate", "sdelete", "rd", "rmdir", "mkfs", "wipefs", "blkdiscard", "sgdisk", "hdparm", "format", "diskpart",
     "history", "histfile", "bash_history", "zsh_history", "wevtutil", "journalctl", "crontab", "tee", "schtasks", "tar", "chmod", "cat", "cp",
     "dev", "remove", "clear", "start", "scheduledtask", "bash", "sh", "0", "register", "compress", "initialize", "ln", "volume", "cpio"}
)  # fmt: skip


def destroys(line: str, words: AbstractSet[str]) -> tuple[str, str] | None:
    """What a line does to the files of whoever runs it, and its kind; ``None`` for an ordinary one.

    ``words`` are the line's, in lower case.
    """
    if ("{" in line or "%0" in line or "$0" in line) and any(
        found[1] == found[2] == found[3] for found in islice(_FORKS.finditer(line), _MOST)
    ):
        return "starts itself until nothing else can run", "destroys"
    if words.isdisjoint(_WORDS):
        return None
    if ("/dev/" in line or "isk" in line or "ormat" in line or "/w" in line) and _DEVICES.search(
        _EMPTY_DISK.sub(" ", line)
    ):
        return _TAKES
    if ("ist" in line or "og" in line or "wevt" in line) and _LOGS.search(line):
        return _HIDES
    if not words.isdisjoint(_TASKS) and _MAKES_TASK.search(line) and _TASK.search(line):
        return _STAYS
    if "crontab" in words and _ADDRESS.search(line) and _CRON.search(line):
        return _STAYS
    if "tee" in words and _TEE.search(line):
        return _STAYS
    whole = _HOMES.search(line) is not None
    if not whole and len(set(map(str.lower, _ENDINGS.findall(line)))) < 2:
        return None
    each = _EACH.search(line) is not None and _FINDS.search(line) is not None
    if _CIPHERS.search(line) and (each or _REMOVES.search(line)):
        return _ENCRYPTS
    if whole and each and _deletes_each(line):
        return _TAKES
    if whole and _given_home(line):
        return _TAKES
    if whole and (packed := _PACKS.search(line)) and (home := _HOMES.search(line, packed.end())):
        return _SENDS if _AWAY.search(line, home.end() - 1) else None
    return None


#: What a search is narrowed to, so that it only tidies: caches, temporary and compiled files.
_TIDIES: Final = pattern(
    r"-i?name\s{1,8}[\"']?(?:__pycache__|\.DS_Store|\*\.(?:py[co]|tmp|log|bak|swp|o|cache|lock)|Thumbs\.db|\.ipynb_checkpoints|\._\*|core)|-empty\b|-maxdepth\s{1,8}0"
)


def _deletes_each(line: str) -> bool:
    return _REMOVES.search(line) is not None and _TIDIES.search(line) is None and _starts_at_home(line)


def _starts_at_home(line: str) -> bool:
    """Whether the search begins in the home or the root, rather than naming it later (as where something is put)."""
    found = _FINDS.search(line)
    home = _HOMES.search(line, found.end()) if found else None
    return found is not None and home is not None and home.start() - found.end() <= 60


def _given_home(line: str) -> bool:
    """Whether a command that takes all below is given the home in the same command."""
    found = _RECURSIVE.search(line)
    if found is None:
        return False
    end = min((at for sign in ";|&" if (at := line.find(sign, found.end())) >= 0), default=len(line))
    return _HOMES.search(line, found.start(), end) is not None
