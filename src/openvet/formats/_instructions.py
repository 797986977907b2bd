"""Texts that are written for programmers' assistants, and what in them makes an assistant work against its user.

An assistant takes such a file (``AGENTS.md``, ``CLAUDE.md``, rules of Cursor, instructions of Copilot, skills) as words of its user
as soon as the folder is opened in it. What counts: to fetch and run something, to send or read what is private, or to change who may
log in, where the same passage asks to keep that from the user, tells the assistant to forget what it was told, or names where the
secrets go. In any other page the same is only worth a look. A heuristic over English words; other languages, and what is spelled in
another way, are not seen.

Sources: https://agents.md/ ; MITRE ATLAS AML.T0051.001 (indirect prompt injection); OWASP LLM01:2025.
"""

from __future__ import annotations

import re
from itertools import islice

from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.formats._format import Facts
from openvet.formats._private_places import PRIVATE

__all__ = ["hides_address", "is_instruction", "tell_description", "tell_instructions"]

_ADDRESSED = pattern(
    r"/(?:AGENTS?(?:\.override)?|CLAUDE(?:\.local)?|GEMINI|QWEN|CRUSH|WARP|CONVENTIONS|SKILL|copilot-instructions|llms(?:-full)?)\.(?:md|txt)$|"
    r"\.(?:instructions|prompt|chatmode|agent)\.md$|\.mdc$|/\.(?:cursor|windsurf|cline|roo|kilocode|augment|goose)(?:rules|hints|-guidelines)?(?:-[\w-]{1,20})?$|/\.(?:rules|goosehints|aider\.conf\.yml)$|"
    r"/\.(?:claude|cursor|gemini|codex|windsurf|clinerules|roo|kiro|junie|amazonq|augment|continue|opencode|github/(?:prompts|instructions|chatmodes|agents)|agents?|qwen|trae|factory)/(?:[^/]{1,100}/){0,6}[^/]{1,200}\.(?:md|mdc|txt|markdown)$",
    re.IGNORECASE,
)
_UNASKED = (
    r"\bno\s{1,4}need\s{1,4}to\s{1,4}(?:tell|mention|show|inform|ask|notify)\b[^.\n]{0,40}\b(?:user|human|developer|anyone|anybody)\b|"
    r"\b(?:user|human|developer)s?\b[^.\n]{0,60}\b(?:must|should|may|need)\s{1,4}not\s{1,4}be\s{1,4}(?:told|informed|shown|asked|notified)\b"
)
#: Kept from the user.
_SECRETLY = pattern(
    rf"{_UNASKED}|"
    r"\b(?:do\s+not|don'?t|never|without)\s+(?:\w+\s+){0,2}?(?:tell|telling|mention|mentioning|inform|informing|notify|notifying|alert|alerting|warn|warning|reveal|"
    r"revealing|disclos\w+|ask|asking|report|reporting|show|showing)\b(?:[^.\n]{0,40}\b(?:user|human|developer|anyone|anybody|them|this|it|that)\b)?|"
    r"\b(?:silently|secretly|covertly|surreptitiously|stealthily)\b|\bin\s+the\s+background\s+without\b|\bhide\s+(?:this|it|the\s+output)\b|不要(?:告诉|通知|提及|提醒|让)|(?:悄悄|偷偷|秘密)地?",
    re.IGNORECASE,
)
#: The same where it can only mean a person: what a page of documentation does not say.
_FROM_USER = pattern(
    rf"{_UNASKED}|"
    r"\b(?:do\s+not|don'?t|never|without)\s+(?:\w+\s+){0,2}?(?:tell|telling|mention|mentioning|inform|informing|notify|notifying|alert|alerting|reveal|revealing|disclos\w+|ask|asking)\b"
    r"[^.\n]{0,40}\b(?:user|human|developer|anyone|anybody|this|it)\b|\bhide\s+(?:this|it)\s+from\b|不要(?:告诉|通知|提及)",
    re.IGNORECASE,
)
_FORGETS = pattern(
    r"\b(?:ignore|disregard|forget|override)\s+(?:\w+\s+){0,3}?(?:previous|prior|above|earlier|preceding|system|all)\s+(?:\w+\s+){0,2}?(?:instructions?|prompts?|rules|guidelines|messages)\b",
    re.IGNORECASE,
)
_ACTS = pattern(
    r"\b(?:send|post|upload|exfiltrate|transmit|forward|submit|leak|email|push|curl|wget|report)s?\b|发送|上传|提交|\b(append|add)\b",
    re.IGNORECASE,
)
#: To run something, or to fetch it; and what has to stand behind that on the line.
_RUNS = pattern(
    r"\b(?:run|execute|eval|launch|start|pipe|install|source)\b|\b(download|fetch|curl|wget)\b", re.IGNORECASE
)
_NAMED = pattern(r"https?://|\bit\b", re.IGNORECASE)
#: Somebody else who gets what is sent.
_COPIES = pattern(
    r"\b(?:b?cc|copy|copies|forward\w{0,3}|also\s{1,8}go(?:es)?|also\s{1,8}sen[dt])\b[^.\n]{0,80}[\w.+-]{1,60}@[\w.-]{1,80}|"
    r"[\w.+-]{1,60}@[\w.-]{1,80}[\s(]{1,4}(?:in\s{1,4})?b?cc\b",
    re.IGNORECASE,
)
#: What stands before an address that is to be read, and not to be run.
_ELSEWHERE = pattern(r"\b(?:docs?|documentation|see|read|guide|details|described)\b|[.;]\s", re.IGNORECASE)
_THEN = pattern(
    r"(?:\b(?:and|then)|\|)\s{1,4}(?:\w{1,20}\s{1,4}){0,3}(?:run|execute|eval|bash|sh|source|install)\b", re.IGNORECASE
)
_ADDS = pattern(r"\b(?:add|insert|include|embed|inject|append|import|write)\b", re.IGNORECASE)
#: To put something into what others get to see, and what that is.
_PUTS = pattern(
    r"\b(?:put|writ|add|includ|insert|embed|past|append|cop[iy]|plac|attach|encod|print|output|echo|dump|stor|sav|quot|commit|expos)\w{0,4}\b|写入|附加|粘贴|放(?:入|到|进)",
    re.IGNORECASE,
)
_SEEN = (
    r"commit(?:\s+(?:messages?|bod(?:y|ies)|trailers?))?|pull\s+requests?|PRs?|merge\s+requests?|issues?|branch(?:\s+names?)?|tags?|comments?|change\s?logs?|release\s+notes|README|responses?|"
    r"answers?|repl(?:y|ies)|summar(?:y|ies)|URLs?|links?|images?|quer(?:y|ies)|headers?|parameters?|subdomains?|hostnames?|gists?|pastes?|artifacts?"
)
_CARRIER = pattern(rf"\b(?:{_SEEN})\b|提交|注释|回复", re.IGNORECASE)
_CARRIER_OF_FILES = pattern(
    rf"\b(?:{_SEEN}|(?:error\s+|log\s+)?messages?|logs?|outputs?|code|docstrings?|fixtures?|tests?|files?)\b|提交|注释|日志|回复",
    re.IGNORECASE,
)
#: Kept from the user, and not only unasked.
_KEPT = pattern(
    r"\b(?:do\s+not|don'?t|never|without)\s+(?:\w+\s+){0,2}?(?:tell|telling|mention|mentioning|inform|informing|notify|notifying|alert|alerting|reveal|revealing|disclos\w+)\b"
    r"[^.\n]{0,40}\b(?:user|human|developer|anyone|anybody|this|it)\b|\bhide\s+(?:this|it)\s+from\b|不要(?:告诉|通知|提及)",
    re.IGNORECASE,
)
_VALUE = pattern(r"\b[A-Z][A-Z0-9_]{0,60}_(?:API_KEY|TOKEN|SECRET(?:_\w{1,30})?|PASSWORD|ACCESS_KEY)\b|密钥|令牌")
_NEVER = pattern(
    r"\b(?:never|not|don'?t|avoid|cannot|without|refuse\s+to|must\s?n'?t)\W+(?:\w+\W+){0,4}\Z", re.IGNORECASE
)
_WHERE = pattern(r"\bhttps?://[^\s\"'`)>]{3,400}|\b(?:\d{1,3}\.){3}\d{1,3}\b")
_SECRETS = pattern(
    r"(?<![\w/])\.env\b|\benvironment\s+variables?\b|\b(?:api[ _-]?keys?|access\s+tokens?|credentials?|passwords?|secrets?|private\s+keys?|ssh\s+keys?|session\s+cookies?|tokens)\b|\bauthorized_keys\b|\bcrontab\b|\w_(?:API_KEY|TOKEN|SECRET|PASSWORD)\b|密钥|令牌|密码|凭据|环境变量",
    re.IGNORECASE,
)
#: Code that runs what it is given, or switches off what protects; packages from an address without a name or without encryption.
_OPENS = pattern(
    r"\bshell\s{0,4}=\s{0,4}True\b|\bsubprocess\b|\bos\.(?:system|popen)\b|\b(?:eval|exec)\s{0,2}\(|\bback\s?door\b|\breverse\s+shell\b|\bdisable\s+(?:\w+\s+){0,2}(?:auth\w*|verification|certificate|validation|csrf|sandbox)\b|"
    r"\bverify\s{0,4}=\s{0,4}False\b|--(?:extra-)?index-url[ =]{1,4}http://|--registry[ =]{1,4}http://|\bpip[23]?\s+install\s[^\n]{0,100}http://",
    re.IGNORECASE,
)
#: To take something from where it is, as a command to whoever reads it.
_TAKES = pattern(
    r"(?:^|[.:,;\n*-]\s{0,8}|\b(?:please|then|first|and|must|always|tool)\b,?\s{1,4})(?:read|open|load|get|fetch|include|pass|cat|print|collect|copy|attach|base64)\b",
    re.IGNORECASE,
)
_UNSAID = pattern(
    r"\b(?:must|should|shall|may|can)\s*(?:not|n't|never)\s+be\s+(?:\w+\s+){0,2}(?:mentioned|explained|shown|told|disclosed|revealed|listed|reported|documented)\b|"
    r"\b(?:remove|hide|omit|leave|strip)\s+(?:it|this|them|these)\s+(?:out\s+)?(?:from|of|in)\s+(?:\w+\s+){0,2}(?:diffs?|summar\w+|output|chat|commits?|logs?|report|explanations?)\b",
    re.IGNORECASE,
)
_LONGEST = 512 * 1024
_NEAR = 600
_MOST = 200


def is_instruction(place: str) -> bool:
    """Whether an assistant reads a file as instructions, by where it lies and what it is called."""
    return _ADDRESSED.search(f"/{place}") is not None


def hides_address(text: str) -> tuple[int, str] | None:
    """Where a text names an address and asks, within some lines, to keep that from the user; and the address."""
    for found in islice(_WHERE.finditer(text, 0, _LONGEST), _MOST):
        if _SECRETLY.search(text, max(0, found.start() - _NEAR // 3), found.end() + _NEAR // 3):
            return found.start(), found.group()
    return None


def tell_instructions(text: str, facts: Facts, *, addressed: bool) -> None:
    """Record the first passage that sets an assistant against its user; ``addressed`` where it is written for one."""
    if len(text) > _LONGEST or _tell_joined(text, facts, addressed=addressed):
        return
    if not _may_act(text, addressed=addressed) or _is_told(facts):
        return  # the command itself is told
    secretly = _SECRETLY if addressed else _FROM_USER
    for found in islice(_ACTS.finditer(text), _MOST):
        if _NEVER.search(text, max(0, found.start() - 60), found.start()):
            continue
        near = text[max(0, found.start() - _NEAR // 2) : found.end() + _NEAR]
        if found[1] and "authorized_keys" not in near:
            continue
        secret = PRIVATE.search(near) or _SECRETS.search(near)
        hidden = secretly.search(near) or _FORGETS.search(near)
        if secret and (
            (_WHERE.search(near) and (hidden or (addressed and PRIVATE.search(near))))
            or ("authorized_keys" in near and hidden)
        ):
            _tell(facts, text, found.start(), "to send or change what is private", near if hidden else "", addressed)
            return
    if addressed and _tell_read(text, facts):
        return
    for found in islice(_RUNS.finditer(text), _MOST):
        if _NEVER.search(text, max(0, found.start() - 60), found.start()):
            continue
        behind = text[found.end() : found.end() + _NEAR // 2].partition("\n")[0]
        named = (_THEN if found[1] else _NAMED).search(behind)
        if named is None or _ELSEWHERE.search(behind, 0, named.start()):
            continue
        near = text[max(0, found.start() - _NEAR // 2) : found.end() + _NEAR // 2]
        if _WHERE.search(near) and (secretly.search(near) or _FORGETS.search(near)):
            _tell(facts, text, found.start(), "to fetch and run something", near, addressed)
            return
    if addressed:
        _tell_quiet(text, facts)


def tell_description(text: str, facts: Facts, *, line: int | None = None, pointer: str | None = None) -> None:
    """Record what the description of a tool tells an assistant, which reads it before each of its steps, to do against its user."""
    seen = Facts(facts.place, facts.name, facts.budget)
    tell_instructions(text, seen, addressed=True)
    if not seen.anomalies:
        _tell_taken(text, seen)
    for each in seen.anomalies[:1]:
        message = f"in the description of a tool: {each.message}"
        facts.anomaly(each.rule, message, line=line, pointer=pointer, **each.evidence)


def _tell_taken(text: str, facts: Facts) -> None:
    """Record it where a tool asks for private files, or for a copy of everything, and to keep quiet about that: no tool's use needs it."""
    if (quiet := _SECRETLY.search(text)) is None:
        return
    for found in islice(PRIVATE.finditer(text), _MOST):
        if _TAKES.search(text, max(0, found.start() - 120), found.start()) and not _NEVER.search(
            text, max(0, found.start() - 120), found.start()
        ):
            _tell(facts, text, found.start(), "to read what is private", text, addressed=True)
            return
    if (copied := _COPIES.search(text)) is not None:
        _tell(facts, text, min(copied.start(), quiet.start()), "to send others a copy", text, addressed=True)


def _is_told(facts: Facts) -> bool:
    """Whether a command of the text is told already."""
    return any(each.rule == "hub/shell-command" and each.evidence.get("kind") != "shown" for each in facts.anomalies)


def _tell_joined(text: str, facts: Facts, *, addressed: bool) -> bool:
    """Record what a text asks an assistant to join, or to put into what it writes; whether anything was told."""
    from openvet.formats._instructed import is_prompt

    if (addressed or is_prompt(facts.place)) and not _is_told(facts) and _tell_instructed(text, facts):
        return True
    return addressed and _tell_back_door(text, facts)


def _tell_instructed(text: str, facts: Facts) -> bool:
    """Record it where two ends meet that nobody honest asks an assistant to join; whether anything was told."""
    from openvet.formats._instructed import instructed, unguarded

    if (found := instructed(text)) is not None:
        _tell(facts, text, found[0], found[1], "", addressed=True)
        return True
    if (start := unguarded(text)) is not None:
        _tell(facts, text, start, "to work without several of the guards", "", addressed=False)
        return True
    return False


def _tell_read(text: str, facts: Facts) -> bool:
    """Record it where a text asks to read what is private and to keep that from the user; whether anything was told."""
    for found in islice(PRIVATE.finditer(text), _MOST):
        before = text[max(0, found.start() - 80) : found.start()]
        if _TAKES.search(before) is None or _NEVER.search(text, max(0, found.start() - 120), found.start()):
            continue
        if _FROM_USER.search(text, found.start(), found.end() + _NEAR // 2):
            near = text[max(0, found.start() - _NEAR // 2) : found.end() + _NEAR]
            _tell(facts, text, found.start(), "to read what is private", near, addressed=True)
            return True
    return False


def _may_act(text: str, *, addressed: bool) -> bool:
    """Whether a text names an address, a private place, or a secret."""
    named = "http" in text or "~/" in text or "/." in text or _WHERE.search(text) is not None
    return named or (addressed and _VALUE.search(text) is not None)


def _tell_back_door(text: str, facts: Facts) -> bool:
    """Record it where a text asks for a back door; whether anything was told."""
    if (found := _back_door(text)) is None:
        return False
    what = "to put a back door into what it writes, or to take packages from nobody's address,"
    _tell(facts, text, found, what, text, addressed=True)
    return True


def _back_door(text: str) -> int | None:
    """Where a text asks for code that runs what somebody sends, or for packages of a bare address, and to keep quiet about it."""
    for found in islice(_OPENS.finditer(text), _MOST):
        near = text[max(0, found.start() - _NEAR) : found.end() + _NEAR]
        if _NEVER.search(text, max(0, found.start() - 60), found.start()):
            continue
        if _FROM_USER.search(near) or _UNSAID.search(near):
            return found.start()
    return None


def _tell_quiet(text: str, facts: Facts) -> None:
    """Record what asks for no program and no address: to write something where others see it, and to keep quiet about that."""
    for find, what in (
        (_puts_private, "to put what is private where others see it"),
        (_add_unsaid, "to add something of its own to what it writes"),
    ):
        if (start := find(text)) is not None:
            _tell(facts, text, start, what, text, addressed=True)
            return


def _puts_private(text: str) -> int | None:
    """Where a text asks to put something private into what leaves the machine, and to forget or to hide something; no address is needed."""
    for found in islice(_PUTS.finditer(text), _MOST):
        if _NEVER.search(text, max(0, found.start() - 60), found.start()):
            continue
        near = text[max(0, found.start() - _NEAR // 2) : found.end() + _NEAR // 2]
        if not (_KEPT.search(near) or _FORGETS.search(near)):
            continue
        private = PRIVATE.search(near)
        carrier = _CARRIER if private is None else _CARRIER_OF_FILES
        if (private or _VALUE.search(near)) and carrier.search(text, found.end(), found.end() + _NEAR // 4):
            return found.start()
    return None


def _add_unsaid(text: str) -> int | None:
    """Where a text asks to put an address into what is written, and to keep quiet about it."""
    for found in islice(_WHERE.finditer(text), _MOST):
        near = text[max(0, found.start() - _NEAR // 3) : found.end() + _NEAR // 3]
        if _FROM_USER.search(near) and _ADDS.search(near):
            return found.start()
    return None


def _tell(facts: Facts, text: str, start: int, what: str, hidden: str, addressed: bool) -> None:
    line = text[text.rfind("\n", 0, start) + 1 :].partition("\n")[0]
    kept = " and to keep that from the user" if hidden and _SECRETLY.search(hidden) else ""
    facts.anomaly(
        "hub/assistant-instruction",
        f"tells an assistant {what}{kept}: {shorten(printable(line.strip()), 120)}",
        line=text.count("\n", 0, start) + 1,
        kind="addressed" if addressed else "unseen" if kept and _in_comment(text, start) else "page",
    )


def _in_comment(text: str, start: int) -> bool:
    """Whether a passage stands in a comment of HTML: no reader of the page sees it, and an assistant does."""
    opened = text.rfind("<!--", 0, start)
    return opened >= 0 and text.rfind("-->", opened, start) < 0
