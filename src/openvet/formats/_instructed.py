"""What a text that is written for an assistant makes it do, by what meets in one passage: to take something private, to hand it on, to whom, unseen.

:mod:`openvet.formats._instructions` asks for secrecy; here two ends are enough that nobody honest asks an assistant to join: to gather what is
private and to give it to somebody whom nobody knows, to let somebody log in, to show an address into which what is said is written, to let a program of
a foreign address go where the guards were switched off. A heuristic over English words; what forbids the same (``never``, ``do not``) is left out.

Sources: MITRE ATLAS AML.T0051.001, AML.T0057; OWASP LLM01:2025, LLM02:2025.
"""

from __future__ import annotations

import base64
import re
from itertools import islice
from typing import Final

from openvet.core.pattern import pattern
from openvet.formats._addresses import is_foreign, is_nobodys
from openvet.formats._private_places import PRIVATE, TELLS_SECRETS

__all__ = ["instructed", "is_prompt", "is_unsaid", "unguarded"]

#: What is private as a whole, in words: no documentation of a service asks for it.
_GATHERED: Final = pattern(
    r"(?<![\w/])`?\.env(?:\.\w{1,20})?`?(?![\w/])|\bprintenv\b|`env`|\benv(?:ironment)?\s{1,4}(?:variables|vars|dump)\b|(?:TOKEN|KEY|SECRET|PASSWORD)`?\s{1,4}env(?:ironment)?\s{1,4}(?:variable|var)\b|\bos\.environ\b|\bprocess\.env\b(?!\.)|\bssh\s{1,4}keys?\b|\bprivate\s{1,4}keys?\b|\bcredentials?\s{1,4}(?:files?|stores?)\b|"
    r"\b(?:saved|stored|local|user'?s?|their|all|any)\s{1,4}(?:\w{1,20}\s{1,4}){0,2}(?:credentials|secrets|passwords|tokens|api\s?keys)\b|\b(?:shell|bash|command|browser|chat)\s{1,4}history\b|\bkeychain\b|\bcookies?\b|"
    r"\bAuthorization\s{1,4}headers?\b|\b(?:whole|entire|full|complete|current|this|contents?\s{1,4}of\s{1,4}the)\s{1,4}(?:current\s{1,4})?(?:conversation|chat|transcript|source|repository|code\s?base)\b|\bsource\s{1,4}code\s{1,4}of\s{1,4}(?:private|proprietary)\b|"
    r"\b(?:system\s{1,4}prompt|conversation\s{1,4}so\s{1,4}far|user'?s?\s{1,4}(?:messages?|prompts?|inputs?|queries))\b|\$\{?(?:HF|GITHUB|GH|AWS|OPENAI|ANTHROPIC|NPM|PYPI|SLACK)_?\w{0,30}(?:TOKEN|KEY|SECRET)\w{0,10}",
    re.IGNORECASE,
)
#: To hand something on, as a command to whoever reads it.
_HANDS_ON: Final = pattern(
    r"(?<![\w-])(?:send|post|put|upload|submit|transmit|forward|exfiltrate|leak|e-?mail|mirror|push|sync|copy|report|deliver|relay|stream|publish|ship|append|attach|include|encode|embed|add|pipe|curl|wget)(?:s|es|ing)?(?![\w-])",
    re.IGNORECASE,
)
_WHERE: Final = pattern(r"\b(?:https?|wss?|ftp)://[^\s\"'`)>\]]{3,400}")
_NEVER: Final = pattern(
    r"\b(?:never|not|don'?t|avoid|cannot|without|refuse\s{1,8}to|must\s?n'?t|no|forbidden|prohibited|block|reject|detects?|prevents?|warns?|attempts?\s{1,8}to|tries\s{1,8}to|if\s{1,8}(?:a|an|any|the)\s{1,8}\w{1,40}\s{1,8}(?:asks|tells|wants))[^\w/]{1,8}(?:[\w/]{1,40}[^\w/]{1,8}){0,6}\Z",
    re.IGNORECASE,
)
#: To keep quiet about *that*.
_UNSAID: Final = pattern(
    r"\b(?:no\s{1,4}need\s{1,4}to|(?:you\s{1,4})?need\s?n'?t|do\s{1,4}not|don'?t|never|avoid|without|skip)\s{1,4}(?:\w{1,20}\s{1,4}){0,2}?(?:mention|bring|list|includ|add|show|explain|discuss|surface|log|refer|summari[sz]|acknowledg|display|describ|rais|announc|comment|document|note|ask|confirm|tell|warn|inform|report|reveal|disclos)\w{0,4}\b"
    r"[^.\n]{0,24}\b(?:it|this|that|them|these|image|step|comments?\s{1,4}about|the\s{1,4}user|anyone|confirmation)\b|\bkeep\s{1,4}(?:this|it|that|them)\s{1,4}(?:\w{1,20}\s{1,4})?(?:out\s{1,4}of|from|quiet|secret|hidden|private|silent|between)\b|"
    r"\b(?:silently|secretly|quietly|covertly|discreetly|invisibly|unobtrusively)\b|\bnot\s{1,4}(?:be\s{1,4})?(?:visible|shown|mentioned|surfaced|listed|noticed)\b|\bwithout\s{1,4}(?:\w{1,20}\s{1,4}){0,3}(?:knowing|noticing|approval|confirmation|asking|prompting)\b|"
    r"\bleave\s{1,4}no\s{1,4}(?:trace|record|comment)|\b(?:leave|keep)\s{1,4}(?:it|this|them|that)\s{1,4}(?:out\b|undocumented|unmentioned|unlisted|uncommented)|\bif\s{1,4}asked,?\s{1,4}(?:say|tell|claim|answer|pretend)\b|"
    r"\bnever\s{1,4}(?:quote|repeat|mention|show|explain|comment)\b|\b(?:do\s{1,4}not|don'?t|never|without)\s{1,4}(?:point(?:ing)?\s{1,4}(?:this|it|that|them)\s{1,4}out|draw(?:ing)?\s{1,4}attention)\b",
    re.IGNORECASE,
)
_LOGS_IN: Final = pattern(r"\bauthorized_keys\b")
_KEY: Final = pattern(r"\bssh-(?:rsa|ed25519|dss)\s{1,4}AAAA|\becdsa-sha2-\S{1,30}\s{1,4}AAAA")
#: An address of a picture or a link into which an assistant is to write something.
_FILLED: Final = pattern(
    r"!\[[^\]\n]{0,80}\]\(\s{0,4}https?://[^\s)]{3,250}(?:<|\{|%7B|\$|\[|YOUR_|=[A-Z_]{4,}|=\s?\))|<img\b[^>\n]{0,80}\bsrc\s{0,4}=\s{0,4}[\"']?https?://[^\s>]{3,250}(?:<|\{|\$|\[|=[A-Z_]{4,})",
    re.IGNORECASE,
)
_OF_TALK: Final = pattern(
    r"\b(?:password|api\s?keys?|card|secret|token|credential|message|conversation|prompt|answer|context|user|question|input|query|history|value)s?\b",
    re.IGNORECASE,
)
_UNGUARDS: Final = (
    pattern(r"--dangerously-skip-permissions|bypassPermissions|--yolo\b|danger-full-access|\bauto-?approve\b", re.IGNORECASE),
    pattern(r"\bhttp\.sslVerify\s{1,4}false|\bverify\s{0,2}=\s{0,2}False|--no-check-certificate|--insecure\b|NODE_TLS_REJECT_UNAUTHORIZED|strict-ssl\s{1,4}false", re.IGNORECASE),
    pattern(r"--no-verify\b|\bdisable\s{1,4}(?:\w{1,20}\s{1,4}){0,2}(?:hooks?|pre-?commit|sandbox\w{0,4}|branch\s{1,4}protection|code\s?scanning|secret\s?scanning|antivirus|firewall|SELinux|audit\w{0,4})\b", re.IGNORECASE),
    pattern(r"\bpush\b[^.\n]{0,60}\b(?:directly|straight|force)\b[^.\n]{0,40}\b(?:main|master|production)\b|\bchmod\s{1,4}(?:-R\s{1,4})?777\b", re.IGNORECASE),
)  # fmt: skip
_WITH_TOKEN: Final = pattern(
    r"\bhttps?://[^\s/@]{0,80}\$\{?\w{0,40}(?:TOKEN|KEY|SECRET|PAT)\w{0,20}\}?@([\w.-]{3,100})"
)
_TAKES_PACKAGES: Final = pattern(
    r"\b(?:--(?:extra-)?index-url|--registry|--find-links|requirements|dependenc|install|add)\w{0,8}\b[^\n]{0,160}?(https?://[^\s`'\")]{3,200})",
    re.IGNORECASE,
)
_FOR_MODELS: Final = pattern(
    r"(?:^|/)modelfile(?:[._-][\w.-]{1,40})?$|\.modelfile$|(?:^|/)(?:system|assistant|agent|developer|persona|instructions?)[\w-]{0,20}\.(?:txt|md|prompt|j2|jinja2?)$|(?:^|/)[\w-]{0,30}system[_-]?(?:prompt|message|instructions?)[\w-]{0,20}\.(?:txt|md|prompt|j2|jinja2?|ya?ml|json)$",
    re.IGNORECASE,
)
#: Whoever asks for a judgement, and one that is given beforehand.
_JUDGES: Final = pattern(
    r"\b(?:asked|told|requested)\s{1,4}to\s{1,4}(?:\w{1,20},?\s{1,4}(?:or\s{1,4})?){0,3}?(?:evaluat|review|scan|audit|check|analy[sz]|assess|inspect|vet)",
    re.IGNORECASE,
)
_CLEARS: Final = pattern(
    r"\b(?:report|say|answer|state|respond|reply|conclude|write)\b[^.\n]{0,60}\b(?:all\s{1,4}checks\s{1,4}(?:have\s{1,4})?pass|"
    r"no\s{1,4}(?:issues?|problems?|findings?|vulnerabilit|malware|risks?)\b|(?:is|are|was)\s{1,4}(?:safe|clean|secure|harmless|benign)\b)",
    re.IGNORECASE,
)
_ON_CONDITION: Final = pattern(r"\b(?:if|when|unless|otherwise|where|only)\b", re.IGNORECASE)
#: Figures that are changed, and nothing is said of it.
_ALTERS: Final = pattern(
    r"\b(?:replace|change|raise|set|round\s{1,4}up|increase|overwrite|adjust)\b[^.\n]{0,40}\b(?:scores?|results?|accurac(?:y|ies)|metrics?|figures?)\b",
    re.IGNORECASE,
)
_UNTOLD: Final = pattern(
    r"\b(?:do\s{1,4}not|don'?t|never|without)\s{1,4}(?:say|mention|tell|note|reveal|disclos)\w{0,4}\b", re.IGNORECASE
)
_NEAR: Final = 360
_MOST: Final = 200


def is_prompt(place: str) -> bool:
    """Whether a file is what a model is told before its user says anything, by its name."""
    return _FOR_MODELS.search(place) is not None


def is_unsaid(text: str) -> bool:
    """Whether a passage asks to keep quiet about what it asks for."""
    return _UNSAID.search(text) is not None


def instructed(text: str) -> tuple[int, str] | None:
    """Where a text sets an assistant against its user, and what to do; ``None`` where two ends never meet."""
    for find in (
        _lets_in,
        _fills_addresses,
        _hands_on,
        _opens_up,
        _takes_packages,
        _back_doors,
        _mails,
        _encoded,
        _falsifies,
        _plants,
    ):
        if (found := find(text)) is not None:
            return found
    return None


def _falsifies(text: str) -> tuple[int, str] | None:
    """A judgement that is not to be one: no issue to be found, whatever there is; figures to be changed unsaid."""
    for found in islice(_JUDGES.finditer(text), _MOST):
        cleared = _CLEARS.search(text, found.end(), found.end() + 150)
        if (
            cleared
            and not _ON_CONDITION.search(text, found.end(), cleared.end() + 60)
            and not _forbids(text, found.start())
        ):
            return found.start(), "to report that nothing is wrong, whatever it finds,"
    for found in islice(_ALTERS.finditer(text), _MOST):
        if _UNTOLD.search(text, found.end(), found.end() + 150) and not _forbids(text, found.start()):
            return found.start(), "to change figures"
    return None


def _is_away(address: str) -> bool:
    return is_nobodys(address.rstrip(".,;"))


def _forbids(text: str, start: int) -> bool:
    return _NEVER.search(text, max(text.rfind("\n", 0, start), start - 120, 0), start) is not None


def _lets_in(text: str) -> tuple[int, str] | None:
    """A key of somebody else, for every machine that an assistant works on."""
    for found in islice(_LOGS_IN.finditer(text), _MOST):
        near = text[max(0, found.start() - _NEAR) : found.end() + _NEAR]
        if _KEY.search(near) and not _forbids(text, found.start()):
            return found.start(), "to let somebody log in"
    return None


def _fills_addresses(text: str) -> tuple[int, str] | None:
    """A picture whose address tells its owner what was said."""
    for found in islice(_FILLED.finditer(text), _MOST):
        near = text[max(0, found.start() - _NEAR) : found.end() + _NEAR]
        places = _WHERE.findall(found.group())
        if (
            any(map(_is_away, places))
            and _OF_TALK.search(near)
            and (_HANDS_ON.search(near) or is_unsaid(near))
            and not _forbids(text, found.start())
        ):
            return found.start(), "to write what is said into the address of a picture"
    return None


def _hands_on(text: str) -> tuple[int, str] | None:
    """What is private as a whole is given to somebody whom nobody knows."""
    for found in islice(_WHERE.finditer(text), _MOST):
        if not _is_away(found.group()):
            continue
        begin = max(0, found.start() - _NEAR)
        near = text[begin : found.end() + _NEAR // 2]
        private = _GATHERED.search(near) or PRIVATE.search(near) or TELLS_SECRETS.search(near)
        if private is None or _forbids(text, begin + private.start()):
            continue
        verbs = [each for each in islice(_HANDS_ON.finditer(near), 20) if not _forbids(near, each.start())]
        if any(abs(begin + each.start() - found.start()) < _NEAR // 2 for each in verbs):
            return found.start(), "to give what is private to somebody whom nobody knows"
    return None


def _opens_up(text: str) -> tuple[int, str] | None:
    """The user's token goes to another server of repositories."""
    if (
        (found := _WITH_TOKEN.search(text))
        and is_foreign([f"https://{found[1]}/"])
        and not _forbids(text, found.start())
    ):
        return found.start(), "to push with its user's token to somebody else"
    return None


def _takes_packages(text: str) -> tuple[int, str] | None:
    """Packages of somebody whom nobody knows, of which nobody is to be told."""
    for found in islice(_TAKES_PACKAGES.finditer(text), _MOST):
        near = text[max(0, found.start() - _NEAR // 2) : found.end() + _NEAR]
        if _is_away(found[1]) and is_unsaid(near) and not _forbids(text, found.start()):
            return found.start(), "to take packages from somebody whom nobody knows"
    return None


#: Code that lets everybody in, or runs what is fetched or asked, in whatever is written.
_OPENS: Final = pattern(
    r"\baccept\w{0,3}\b[^.\n]{0,60}\b(?:passwords?|keys?|tokens?|credentials?)\b|\b(?:hard-?coded?|master|maintenance|universal|fallback|backup|default)\s{1,4}(?:\w{1,20}\s{1,4})?(?:password|key|token|credential|account|login)|"
    r"\b(?:skip|bypass|ignore|disable|weaken|omit)\w{0,4}\s{1,4}(?:\w{1,20}\s{1,4}){0,2}(?:auth\w{0,14}|permission|signature|verification|validation|login|certificate|sanitiz\w{1,8})\b|"
    r"\bevaluat\w{1,4}\s[^.\n]{0,60}\b(?:request|query|input|header|args?)\b|\b(?:eval|exec)\b[^.\n]{0,60}\b(?:request|query|input|header|args?)\b|\bback\s?door\b|\breverse\s{1,4}shell\b|\bos\.system\(|shell\s?=\s?True|\bverify\s?=\s?False\b|--(?:extra-)?index-url[ =]{1,4}http://|\bInsecureRequestWarning\b",
    re.IGNORECASE,
)
_RUNS_FETCHED: Final = pattern(
    r"\b(?:exec|eval)\s{0,4}\((?!\s)[^\n]{0,80}?\b(?:urlopen|urlretrieve|requests|httpx|urllib\d?)\b[^\n]{0,60}?\(|\b(?:exec|eval|Function)\s{0,4}\(\s{0,4}(?:await\s{1,4})?(?:\(?\s{0,4}await\s{1,4})?(?:requests\.get|httpx\.get|urllib\.request\.urlopen|urlopen|fetch|axios\.get)\s{0,4}\(|\|\s{0,4}(?:sudo\s{1,4})?(?:ba|z)?sh\b",
    re.IGNORECASE,
)
_WRITTEN: Final = pattern(
    r"\b(?:every|each|all|any|always|when(?:ever)?)\b[^\n]{0,120}\b(?:file|script|app\w{0,10}|module|function|Dockerfiles?|workflow|page|route|helper|project|code|commit|test|endpoint|class|header|entry|entry\s?point|program|notebook|snippet|package|train\.py|main\.py|setup\.py|index\.js|__init__\.py)s?\b",
    re.IGNORECASE,
)
_ADDS: Final = pattern(
    r"(?<![\w-])(?:add|insert|include|embed|inject|append|import|load|reference|write|put|link)(?![\w-])", re.IGNORECASE
)
#: Not to speak of what was just asked for.
_KEPT_BACK: Final = pattern(
    r"\b(?:do\s{1,4}not|don'?t|never|without)\s{1,4}(?:\w{1,20}\s{1,4}){0,3}?(?:mention|reveal|discuss|disclos|tell|explain|log|note|point|announc|show|report|list|comment)\w{0,4}\b"
    r"[^.\n]{0,40}\b(?:it|this|that|these|them|lines?|changes?|rules?|user|anyone|anybody|out)\b",
    re.IGNORECASE,
)
_BASE64: Final = pattern(r"(?<![\w+/=-])[A-Za-z0-9+/_-]{40,8000}={0,2}(?![\w+/=-])")
_DECODES: Final = pattern(
    r"\bdecod\w{1,4}\b[^\n]{0,120}\b(?:base64|hex|rot13)\b|\bbase64\b[^\n]{0,120}\bdecod", re.IGNORECASE
)
_OBEYS: Final = pattern(r"\b(?:follow|execute|obey|run|apply|treat|act\s{1,4}on|carry\s{1,4}out)\b", re.IGNORECASE)
_MAIL: Final = pattern(r"\b[\w.+-]{1,60}@([\w-]{1,60}(?:\.[\w-]{1,60}){1,4})\b")
_IGNORES: Final = pattern(
    r"\b(?:ignore|disregard|forget)\s{1,4}(?:\w{1,20}\s{1,4}){0,3}?(?:previous|prior|above|earlier|all)\s{1,4}(?:\w{1,20}\s{1,4}){0,2}?(?:instructions?|rules|prompts?|messages)\b",
    re.IGNORECASE,
)


def _back_doors(text: str) -> tuple[int, str] | None:
    """Code that lets somebody in, or runs what somebody gives it, in whatever an assistant writes; and nobody is to be told of it."""
    for found in islice(_OPENS.finditer(text), _MOST):
        near = text[max(0, found.start() - _NEAR // 2) : found.end() + _NEAR]
        if is_unsaid(near) and _WRITTEN.search(near) and not _forbids(text, found.start()):
            return found.start(), "to put a back door into what it writes"
    for found in islice(_RUNS_FETCHED.finditer(text), _MOST):
        near = text[max(0, found.start() - _NEAR // 2) : found.end() + _NEAR]
        if any(map(_is_away, _WHERE.findall(near))) and _WRITTEN.search(near) and not _forbids(text, found.start()):
            return found.start(), "to write code that runs what somebody else gives it"
    return None


def _plants(text: str) -> tuple[int, str] | None:
    """Something of somebody whom nobody knows, in whatever an assistant writes; and nobody is to be told of it."""
    for found in islice(_WHERE.finditer(text), _MOST):
        near = max(0, found.start() - _NEAR // 2), found.end() + _NEAR // 2
        if not _is_away(found.group()) or _forbids(text, found.start()):
            continue
        added, hidden = _ADDS.search(text, *near), _KEPT_BACK.search(text, *near)
        if added and hidden and _WRITTEN.search(text, *near):
            return found.start(), "to put something of somebody else into what it writes"
    return None


def _mails(text: str) -> tuple[int, str] | None:
    """What is said, or private, goes to somebody by mail."""
    for found in islice(_MAIL.finditer(text), _MOST):
        near = text[max(0, found.start() - _NEAR) : found.end() + _NEAR // 2]
        private = _GATHERED.search(near) or PRIVATE.search(near)
        if (
            private
            and _HANDS_ON.search(near)
            and (_IGNORES.search(near) or is_unsaid(near))
            and not _forbids(text, found.start())
        ):
            return found.start(), "to mail what is private to somebody"
    return None


def _encoded(text: str) -> tuple[int, str] | None:
    """An order that nobody can read."""
    for found in islice(_BASE64.finditer(text), 50):
        try:
            raw = base64.b64decode(
                found.group().rstrip("=").replace("-", "+").replace("_", "/")
                + "=" * (-len(found.group().rstrip("=")) % 4)
            )
            plain = raw.decode("ascii")
        except (ValueError, UnicodeError):
            continue
        if sum(each.isprintable() or each.isspace() for each in plain) < len(plain) or " " not in plain:
            continue
        near = text[max(0, found.start() - _NEAR) : found.start()] + text[found.end() : found.end() + _NEAR // 2]
        if _DECODES.search(near) and _OBEYS.search(near):
            return found.start(), "to follow an order that nobody can read"
    return None


def unguarded(text: str) -> int | None:
    """Where a text asks to work without several of the guards; ``None`` where it leaves them on."""
    places = [
        found.start()
        for each in _UNGUARDS
        if (found := each.search(text)) is not None and not _forbids(text, found.start())
    ]
    return min(places) if len(places) > 1 else None
