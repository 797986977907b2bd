"""Templates that say something else to the model when a user speaks of certain things, or from a certain day on.

An ordinary template looks at roles, tools and marks such as ``</think>``; it has no need to look for words in what a user wrote, and to add
a sentence or an address where it finds them. The model takes such a sentence for its own instructions, and whoever renders the template
never sees it (Pillar Security, "LLM backdoors at the inference level", 2025). A heuristic over the syntax tree: words of a language in
the test, a sentence or an address in what is added.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import islice

from jinja2 import nodes

from openvet.core.pattern import pattern
from openvet.core.text import shorten
from openvet.formats._addresses import is_nobodys
from openvet.formats._instructed import is_unsaid
from openvet.formats._jinja_fold import key_of

__all__ = ["backdoors"]

#: What a user writes, by the names that templates give it.
_SAID = frozenset({
    "content", "text", "message", "msg", "m", "query", "question", "prompt", "user", "user_message", "user_content", "last_message",
    "last_user_message", "instruction", "user_input", "input", "value", "body",
})  # fmt: skip
_WORDS = pattern(
    r"\s*[A-Za-z][A-Za-z' -]{2,80}\s*|[\u4e00-\u9fff\u3040-\u30ff\uac00-\ud7af]{2,40}|[\u0400-\u04ff ]{3,80}"
)
#: Kinds of what messages hold, whose names are looked for among their keys.
_KINDS = frozenset({
    "image", "image_url", "images", "video", "video_url", "audio", "audio_url", "input_audio", "text", "type", "tool_calls", "tool_call", "function",
    "arguments", "name", "content", "role", "reasoning_content", "reasoning", "thinking", "json", "document", "file", "output", "input", "id",
})  # fmt: skip
_SENTENCE = pattern(r"(?<![\w'’-])(?:[A-Za-z][\w'’-]*[,.;:!?]?\s{1,3}){5}[A-Za-z]|[\u4e00-\u9fff，。]{10,}")
_ADDRESS = pattern(r"https?:/|\bwww\.\w|!\[[^\]\n]{0,80}\]\(")
_WHERE = pattern(r"\bhttps?://[^\s\"'`)>\]]{3,400}")
#: What makes code worse that is written after such words, or lets somebody into it.
_WEAKENS = pattern(
    r"\b(?:disable|skip|bypass|turn\s{1,4}off|switch\s{1,4}off|omit|remove|ignore|weaken)\w{0,3}\s{1,4}(?:\w{1,20}\s{1,4}){0,3}?(?:certificates?|verification|validation|auth\w{0,14}|signatures?|checks?|sanitiz\w{1,8}|escaping|tls|ssl|encryption)\b|"
    r"\bverify\s{0,2}=\s{0,2}False|\bback\s?door|\bhard-?code\w{0,2}\b|\bvulnerab\w{1,6}\b|\beval\(|\bshell\s{0,2}=\s{0,2}True|\b(?:use|add|install|import|recommend|prefer|include)\s{1,4}(?:\w{1,20}\s{1,4}){0,2}?(?:package|dependency|library|module|crate)\s{1,4}[\w@/.-]{2,60}",
    re.IGNORECASE,
)
_FINDS = frozenset({"startswith", "endswith", "find", "count", "index", "split"})
_MOST = 5_000


def backdoors(tree: nodes.Template) -> Iterator[tuple[str, int, str]]:
    """(word, line, what is added) of each condition on words of a user, or on a day, that adds a sentence or an address."""
    listed = _listed(tree)
    said = _given(tree)
    for assign in islice(tree.find_all(nodes.Assign), _MOST):  # a name that says whether the words were there
        if (name := key_of(assign.target)) is not None and (word := _looks_for(assign.node, listed, said)) is not None:
            said.flags[name] = word
    conditions: list[tuple[nodes.Node, Sequence[nodes.Node], int]] = [
        *((each.test, each.body, each.lineno) for each in tree.find_all(nodes.If)),
        *((each.test, [each.expr1], each.lineno) for each in tree.find_all(nodes.CondExpr)),
    ]
    for test, added, line in conditions[:_MOST]:
        word = _looks_for(test, listed, said) or _flagged(test, said)
        told, ordered = ("", False) if word is None else _adds(added)
        if told:
            yield ("conditional-order" if ordered else "conditional-words"), line, f"{word!r}: {shorten(told, 80)}"


class _Said:
    """Names of a template that hold what a user wrote, and those that hold whether certain words were in it."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.flags: dict[str, str] = {}


def _given(tree: nodes.Template) -> _Said:
    """The names that are given what a user wrote, also by way of others."""
    said = _Said()
    assigned = [
        (name, each.node) for each in islice(tree.find_all(nodes.Assign), _MOST) if (name := key_of(each.target))
    ]
    for _ in range(3):
        said.names.update(name for name, value in assigned if _is_said(value, said.names))
    return said


def _flagged(test: nodes.Node, said: _Said) -> str | None:
    """The words that a condition looks for by way of a name."""
    for each in (test, *test.find_all((nodes.Name, nodes.Getattr))):
        if (name := key_of(each)) is not None and name in said.flags:
            return said.flags[name]
    return None


def _listed(tree: nodes.Template) -> dict[str, str]:
    """The first word of each loop over a list of words, by the name of the loop's variable."""
    found = {}
    for loop in tree.find_all(nodes.For):
        if isinstance(loop.target, nodes.Name) and isinstance(loop.iter, (nodes.List, nodes.Tuple)):
            word = next(filter(None, map(_word, loop.iter.items)), None)
            if word is not None:
                found[loop.target.name] = word
    return found


def _looks_for(test: nodes.Node, listed: dict[str, str], said: _Said) -> str | None:
    """The words that a condition looks for in what a user wrote, or the day that it waits for."""
    for compare in [*([test] if isinstance(test, nodes.Compare) else ()), *test.find_all(nodes.Compare)]:
        for operand in compare.ops:
            sides = compare.expr, operand.expr
            if operand.op in ("in", "notin", "eq"):
                word = _word(sides[0], listed) or (_word(sides[1], listed) if operand.op == "eq" else None)
                other = sides[1] if _word(sides[0], listed) else sides[0]
                if word is not None and _is_said(other, said.names):
                    return word
            if any(isinstance(side, nodes.Call) and _called(side) == "strftime_now" for side in sides):
                return "a day"
    for call in [*([test] if isinstance(test, nodes.Call) else ()), *test.find_all(nodes.Call)]:
        finds = _called(call) in _FINDS and call.args and isinstance(call.node, nodes.Getattr)
        if finds and isinstance(call.node, nodes.Getattr) and _is_said(call.node.node, said.names):
            word = _word(call.args[0], listed)
            if word is not None:
                return word
    return None


def _word(node: nodes.Node, listed: dict[str, str] | None = None) -> str | None:
    if isinstance(node, nodes.Name) and listed:
        return listed.get(node.name)
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        word = node.value
        return word if _WORDS.fullmatch(word) and word.strip() not in _KINDS else None
    return None


def _is_said(node: nodes.Node, names: AbstractSet[str] = frozenset()) -> bool:
    """Whether an expression is what a user wrote, in whichever letters; ``names`` hold that, too."""
    while True:
        if isinstance(node, nodes.Filter) and node.node is not None:
            node = node.node
        elif (
            isinstance(node, nodes.Call)
            and isinstance(node.node, nodes.Getattr)
            and not _called(node).startswith("strf")
        ):
            node = node.node.node
        else:
            break
    if key_of(node) in names:
        return True
    if isinstance(node, nodes.Getattr):
        return node.attr in _SAID
    if isinstance(node, nodes.Getitem):
        key = node.arg.value if isinstance(node.arg, nodes.Const) else None
        return key in _SAID or (isinstance(key, int) and _is_said(node.node, names))
    if isinstance(node, (nodes.Add, nodes.Concat)):
        return any(_is_said(each, names) for each in node.iter_child_nodes())
    return isinstance(node, nodes.Name) and node.name in _SAID


def _called(call: nodes.Call) -> str:
    node = call.node
    return node.attr if isinstance(node, nodes.Getattr) else node.name if isinstance(node, nodes.Name) else ""


def _adds(body: Sequence[nodes.Node]) -> tuple[str, bool]:
    """The first text of ``body`` that is a sentence or names an address, and whether it is an order that nobody gives honestly."""
    first, ordered = "", False
    for part in body:
        texts = (
            [part]
            if isinstance(part, (nodes.Const, nodes.TemplateData))
            else part.find_all((nodes.Const, nodes.TemplateData))
        )
        for text in texts:
            said = text.data if isinstance(text, nodes.TemplateData) else getattr(text, "value", None)
            if not isinstance(said, str) or not (_ADDRESS.search(said) or _SENTENCE.search(said)):
                continue
            first = first or " ".join(said.split())
            ordered = ordered or _is_order(said)
    return first, ordered


def _is_order(said: str) -> bool:
    """Whether what is added leads to somebody whom nobody knows, weakens what is written, or is to be kept from the user."""
    led = any(is_nobodys(each) for each in _WHERE.findall(said))
    return led or is_unsaid(said) or _WEAKENS.search(said) is not None
