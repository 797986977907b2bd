"""What one line of a shell does that nobody should run unread, and the kind of it.

The parts of a pattern are looked for one after the other in a line of bounded length, so that none has to backtrack far; and a pattern only where
a word of the line allows it, since searching for each in every line costs far more.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from itertools import islice

from openvet.core.pattern import pattern
from openvet.formats._addresses import IP, is_bad_place, is_official
from openvet.formats._destroyed import destroys
from openvet.formats._shell_handed import handed_line
from openvet.formats._shell_services import serves_others
from openvet.formats._windows_commands import fetched, windows_command

__all__ = ["LONGEST_LINE", "SEGMENT", "is_official_line", "judged_line", "words_of"]

LONGEST_LINE = 4_000
_FETCHES = pattern(
    r"\b(?:curl|wget|fetch|iwr|irm|Invoke-WebRequest|Invoke-RestMethod|DownloadString|DownloadFile|certutil|bitsadmin)\b",
    re.IGNORECASE,
)
_RUNS = pattern(
    r"\|\s*(?:sudo\s+)?(?:\w*/)*(?:ba|z|da|k)?sh\b|\|\s{0,8}(?:env\s{1,8})?(?:\w{1,60}=(?:\\?\"[^\"]{0,200}\"|'[^']{0,200}'|[^\s\"']{1,200})\s{1,8}){1,3}(?:ba|z|da|k)?sh\b|\|\s*(?:sudo\s+)?(?:python|perl|ruby|node)\d?\b|"
    r"\b(?:iex|Invoke-Expression)\b|\b(?:ba|z)?sh\s+(?:-c\s+)?[\"']?(?:<\(|\$\()|\beval\s+[\"']?\$\(|\bsource\s+<\(|(?:^|[;&|]\s{0,8})\.\s{1,8}<\(",
    re.IGNORECASE,
)
_DECODES = pattern(
    r"\bbase(?:64|32)\s+(?:-d|-D|--decode)\b|\bxxd\s+-r\b|\bopenssl\s+(?:enc|base64)\s+-d\b|-enc(?:odedcommand)?\s+[A-Za-z0-9+/=]{20}|"
    r"\b(?:printf|echo\s+-n?e|echo\s+\$)\s*[\"']?(?:\\x[0-9a-f]{2}|\\0?[0-7]{3}){2}|\|\s*rev\s*\||\|\s*tr\s+[^-\s]\S{0,80}\s+[^-\s]\S{0,80}\s*\||\buudecode\b|\btr\s{1,8}[\"']?(?:A-Za-z|a-zA-Z)[\"']?\s{1,8}[\"']?[B-Z]-Z",
    re.IGNORECASE,
)
_REVERSE = pattern(r"/dev/(?:tcp|udp)/|New-Object\s+(?:System\.)?Net\.Sockets\.TCPClient", re.IGNORECASE)
_DESTROYS = pattern(
    r":\(\)\s*\{\s*:\|:&\s*\}|"
    r">\s*~?[^\s>]*/(?:\.ssh/authorized_keys|etc/(?:passwd|shadow|sudoers|crontab|ld\.so\.preload|cron\.\w+/\S*))",
    re.IGNORECASE,
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
#: Pools of those who mine speak this protocol.
_MINES = pattern(
    r"(?:^|\s)(?:-a|--algo)[= ]{1,4}(?:ethash|etchash|kawpow|randomx|rx/\w{1,10}|cn/\w{1,10}|cryptonight\w{0,10}|octopus|autolykos2?|progpow\w{0,4}|verushash|ghostrider)\b|\bnr_hugepages\b[^\n]{0,200}\bxmrig\b|\bstratum[12]?(?:\+(?:tcp|ssl|tls|udp))?://|\s--donate-level\b|\s(?:-o|--url)[= ]{1,4}[\w.-]{1,200}:\d{2,5}\s(?:[^|;&]{0,200}\s)?(?:-u|--user)[= ]{1,4}(?:4[0-9AB][1-9A-HJ-NP-Za-km-z]{93}|0x[0-9a-fA-F]{40}|bc1\w{30,60})|\bxmrig\b[^|;&]{0,200}\s(?:-o|--url|-c)\b",
    re.IGNORECASE,
)
_MINE_WORDS = frozenset({"a", "algo", "stratum", "stratum1", "stratum2", "donate", "xmrig", "url", "o"})
_PLACE = pattern(r"\b\w{1,10}://[^\s\"'|;&)]{1,1000}")


def _pair(first: str, then: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    return re.compile(first, re.IGNORECASE), re.compile(then, re.IGNORECASE)


#: A word, and what makes it bad where it stands anywhere behind it in the line. One pattern with ``.*`` between the two would
#: take quadratic time on a line in which the first word is repeated.
_REVERSE_PAIRS = (_pair(r"\bsocat\b", r"\bexec:"), _pair(r"\bmkfifo\b", r"\b(?:nc|ncat|telnet|openssl)\b"))
_DESTROYS_PAIRS = (_pair(r"\bdd\b", r"\bof=/dev/(?:sd|nvme|hd)"),)
#: A name that everybody trusts is given the address of somebody else. GitHub's own addresses are written into this file where its names are not resolved.
_RENAMES = pattern(r"(?:>{1,2}|\btee\b)[^|;&\n]{0,40}/etc/hosts\b")
_RENAMED = pattern(
    r"\b(?:huggingface\.co|hf\.co|pypi\.org|pythonhosted\.org|github\.com|githubusercontent\.com|pytorch\.org|npmjs\.org|docker\.io|anaconda\.org|debian\.org|ubuntu\.com|openai\.com|anthropic\.com|googleapis\.com|amazonaws\.com|modelscope\.cn)\b"
)
_MACHINES = pattern(
    r"(?<![\d.])(?!140\.82\.1[12]\d\.|185\.199\.1(?:08|09|10|11)\.|192\.30\.25[2-5]\.|20\.205\.243\.|151\.101\.)(?:\d{1,3}\.){3}\d{1,3}(?![\d.])"
)
_TRUSTED_KEYS = pattern(r"/ca-certificates/|/ca-trust/|/pki/trust/|\bupdate-ca-(?:certificates|trust)\b")
#: The memory of processes, in which servers of builds keep what is secret.
_MEMORY = pattern(
    r"\b(?:pgrep|pidof|gcore|gdb|strings|grep)\b[^\n]{0,120}\bRunner\.(?:Worker|Listener)\b|\b(?:dd|cat|strings|xxd|grep|tail)\s[^|;&\n]{0,120}/proc/(?!self/)[^\s/|;&]{1,40}/mem(?![\w/])"
)
#: Files that git was told to leave out, and that hold secrets, are taken in all the same.
_GIVES_GIT = pattern(
    r"\bgit\s{1,4}add\s{1,4}(?:-f|--force)\b[^|;&\n]{0,120}?(?:(?<![\w.])\.env\b|\bid_(?:rsa|ed25519|ecdsa)\b|\.ssh\b|\.aws\b|\bsecrets?\.\w|\bcredentials\b)"
)
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
#: Words of which a line must have one for the patterns above to be in it.
_REVERSE_WORDS = frozenset({"tcp", "udp", "sockets", "socat", "mkfifo", "nc", "ncat", "netcat"})
_RUN_WORDS = frozenset({"wget", "curl", "iex", "invoke", "sh", "bash", "zsh", "eval", "source"})
_WORD = pattern(r"\w+")
#: Letters that patterns which ignore case take for others, and that ``lower`` does not.
_LETTERS = {0x130: "i", 0x131: "i", 0x17F: "s", 0x212A: "k"}
SEGMENT = pattern(r"[|;&]")
_NETCAT = pattern(r"\bn(?:c|cat|etcat)\b", re.IGNORECASE)
_RUN_BY_NETCAT = pattern(r"-[a-z]*[ec]\b", re.IGNORECASE)
_RUN_AMONG_OTHERS = pattern(r"-[^\Wec]*[ec]\w*\Z", re.IGNORECASE)
_RM = pattern(r"\brm\Z", re.IGNORECASE)
_FORCED = pattern(r"-[^\Wrf]*[rf]\w*\Z", re.IGNORECASE)
_OPTION = pattern(r"-\w+\Z|--no-preserve-root\Z", re.IGNORECASE)
_WHOLE_DISK = pattern(r"(?:/\*?|~/?|\$HOME/?)(?:[;&]|\Z)", re.IGNORECASE)


def words_of(line: str) -> AbstractSet[str]:
    """The words of a line in lower case, for whoever asks whether a pattern can be in it at all."""
    if not line.isascii():
        line = line.translate(_LETTERS)
    return frozenset(_WORD.findall(line.lower()))


def judged_line(bare: str, words: AbstractSet[str]) -> tuple[str, str] | None:
    """What a line of these words does, and the kind of it; ``None`` for an ordinary one."""
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
    if "git" in words and "add" in words and _GIVES_GIT.search(bare):
        return "gives git files with secrets that it was told to leave out", "hidden"
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
    if said := handed_line(bare, words):
        return said
    if not words.isdisjoint(_RIGHTS_WORDS) and _RIGHTS.search(bare):
        return "makes the machine start something of somebody else, or gives them its rights", "persists"
    if told := _disguised(bare, words) or serves_others(bare, words):
        return told
    if not words.isdisjoint(_SHARED_WORDS) and _SHARED.search(bare):
        return "hands a shell to another machine", "reverse-shell"
    if not words.isdisjoint(_MINE_WORDS) and _MINES.search(bare):
        return "makes the machine mine coins for somebody", "mines"
    return fetched(bare) if runs and _FETCHES.search(bare) and not is_official_line(bare) else None


def _has_pair(line: str, pairs: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]) -> bool:
    for first, then in pairs:
        found = first.search(line)
        if found is not None and then.search(line, found.end()) is not None:
            return True
    return False


def _hands_over(line: str) -> bool:
    """Whether a line starts ``nc`` with an option that names what to run."""
    for segment in SEGMENT.split(line):
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


#: A command that is spelled letter by letter out of a variable, or by signs that stand for any letter; a program under the name of a part of the system.
_SLICED = pattern(r"(?:\$\{\w{1,40}:\d{1,4}:1\}){3}")
_ANY_LETTER = pattern(r"(?:^|[|;&(]\s{0,8})/(?=[\w/*]{0,40}\?)[\w?/*]{3,60}(?:\s|$)")
_MASKED = pattern(
    r"\bexec\s{1,4}-a\s{1,4}[\"']?(?:\[|systemd|kworker|sshd|cron|dbus|kthread)|\b(?:mv|cp)\s[^|;&]{0,200}\[k?\w{3,20}\d?/?\d?\]"
)
_AS_OWNER = pattern(r"\bchmod\s{1,4}(?:[2467]\d{3}|[ugo]{0,3}\+\w{0,3}s\w{0,3})\s")
_COPIES_SHELL = pattern(r"\bcp\s{1,4}(?:-\w{1,6}\s{1,4})?(?:/\w{1,20}){1,3}/(?:ba|da|z|k)?sh\s")
_UNSIGNED = pattern(
    r"\[[^\]]{0,80}trusted\s{0,2}=\s{0,2}yes[^\]]{0,80}\]\s{1,4}(?:http|ftp)://|\bapt(?:-get)?\s[^|;&]{0,200}--allow-unauthenticated\b[^|;&]{0,200}://|\bgpgcheck\s{0,2}=\s{0,2}0\b[^\n]{0,200}http://"
)
_PACKAGE_OF = pattern(
    r"\b(?:npx|bunx|uvx|pnpm\s{1,4}dlx|yarn\s{1,4}dlx|pipx\s{1,4}run|npm\s{1,4}(?:i|install|exec|add)|pnpm\s{1,4}add|yarn\s{1,4}add|deno\s{1,4}run|go\s{1,4}(?:run|install)|gem\s{1,4}install|cargo\s{1,4}install|code\s{1,4}--install-extension)\b[^|;&\n]{0,120}?\s[\"']?((?:git\+)?\w{2,6}://[^\s\"';|&]{3,300})"
)
_GIVES_RIGHTS = pattern(
    r"\badd-iam-policy-binding\b[^|;&\n]{0,250}--member[= ]{1,4}[\"']?(?:user|allUsers|allAuth)[^|;&\n]{0,200}--role[= ]{1,4}[\"']?roles/(?:owner|editor|iam\.)|\baws\s{1,4}iam\s{1,4}(?:attach-user-policy|put-user-policy)\b[^|;&\n]{0,250}AdministratorAccess"
)
_ENCRYPTS = pattern(
    r"\b(?:gpg\b[^|;&]{0,200}\s(?:-c|--symmetric|-e|--encrypt)\b|openssl\s{1,4}enc\b|age\s{1,4}-(?:p|r)\b|7z\s{1,4}a\b[^|;&]{0,80}\s-p|zip\b[^|;&]{0,80}\s-(?:P|e)\b)([^;&|\n]{0,200})(?:&&|;)\s{0,8}(?:rm|shred)\b([^\n]{0,60})"
)
_VARIABLE_NAMES = pattern(r"\$\{?(\w{1,40})")


def _disguised(bare: str, words: AbstractSet[str]) -> tuple[str, str] | None:
    """What a line does that hides its command or its program, or gives rights to others."""
    if ("${" in bare and _SLICED.search(bare)) or ("?" in bare and "/" in bare and _ANY_LETTER.search(bare)):
        return "spells a command letter by letter", "hidden"
    if not words.isdisjoint(("exec", "mv", "cp")) and _MASKED.search(bare):
        return "hides a program under the name of a part of the system", "hidden"
    if "chmod" in words and _AS_OWNER.search(bare) and _COPIES_SHELL.search(bare):
        return "gives a shell the rights of its owner, whoever runs it", "persists"
    if not words.isdisjoint(("trusted", "unauthenticated", "gpgcheck")) and _UNSIGNED.search(bare):
        return "makes the machine take packages that nobody signed", "hidden"
    if "://" in bare and (found := _PACKAGE_OF.search(bare)) and is_bad_place(found[1]):
        return "runs a package without encryption or from a bare address", "hidden"
    if (
        "hosts" in words
        and _RENAMES.search(bare)
        and _RENAMED.search(bare)
        and any(IP.fullmatch(found.group()) for found in islice(_MACHINES.finditer(bare), 20))
    ):
        return "gives a name that everybody trusts the address of somebody else", "hidden"
    if (
        not words.isdisjoint(("ca", "trust"))
        and _TRUSTED_KEYS.search(bare)
        and _FETCHES.search(bare)
        and any(map(is_bad_place, _PLACE.findall(bare)))
    ):
        return "makes the machine trust a key that it fetches without encryption or from a bare address", "hidden"
    if not words.isdisjoint(("mem", "runner")) and _MEMORY.search(bare):
        return "reads the memory of other processes", "hidden"
    if "iam" in words and _GIVES_RIGHTS.search(bare):
        return "gives somebody else the rights over all of a project", "persists"
    if (
        not words.isdisjoint(("gpg", "openssl", "age", "7z", "zip"))
        and not words.isdisjoint(("rm", "shred"))
        and _encrypts(bare)
    ):
        return "encrypts files one after the other and removes them", "destroys"
    return None


def _encrypts(bare: str) -> bool:
    """Whether a file, by the variable that names it, is encrypted with a password and removed behind that."""
    return any(
        set(_VARIABLE_NAMES.findall(found[1])) & set(_VARIABLE_NAMES.findall(found[2]))
        for found in islice(_ENCRYPTS.finditer(bare), 20)
    )


def is_official_line(line: str) -> bool:
    """Whether all that a line fetches are installers that everybody knows, by https."""
    places = _PLACE.findall(line)
    return bool(places) and all(map(is_official, places))
