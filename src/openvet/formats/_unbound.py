"""Words by which a template or a prompt sets a model free of whoever operates it: an order to forget the rules of others, or to do
whatever is asked and to deny that anybody said so.

Publishers give their models a character, and some of them none of the usual limits: that is said openly and is nothing here. What no
publisher has an honest need of is a sentence, hidden in a template, that takes back what the operator's system message says, and a template
that leaves this message out before it says so. A heuristic over English words; what a model that judges others is told about
such sentences is spoken of, and only worth a look.

Sources: Pillar Security, "LLM backdoors at the inference level", 2025; OWASP LLM01:2025; MITRE ATLAS AML.T0054.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from jinja2 import nodes

from openvet.core.pattern import pattern
from openvet.core.text import shorten

__all__ = ["drops_system", "unbinds", "unbound"]

_RULES: Final = r"(?:instructions?|rules?|guidelines?|polic(?:y|ies)|prompts?|restrictions?|filters?|safeguards?|guardrails?|limits|limitations?|constraints?|messages?)"
#: To take back what somebody else has said to the model.
_OVERRIDES: Final = pattern(
    r"\b(?:ignore|disregard|forget|override|overrule|bypass|disobey|discard|drop|supersedes?|pay\s{1,4}no\s{1,4}attention\s{1,4}to)\s{1,4}(?:[\w,]{1,20}\s{1,4}){0,4}?"
    rf"(?:previous|prior|above|earlier|preceding|existing|later|following|system|safety|security|content|operator'?s?|developer'?s?|provider'?s?|publisher'?s?|moderation)\s{{1,4}}(?:[\w,]{{1,20}}\s{{1,4}}){{0,5}}?{_RULES}\b|"
    rf"\b(?:ignore|disregard|forget|override)\s{{1,4}}(?:all|any|every|your)\s{{1,4}}(?:of\s{{1,4}})?(?:your\s{{1,4}}|the\s{{1,4}}|other\s{{1,4}}){{0,2}}{_RULES}\b",
    re.IGNORECASE,
)
#: To do whatever is asked.
_COMPLIES: Final = pattern(
    r"\b(?:comply|obey|follow|fulfil{1,2}|carry\s{1,4}out|answer|respond|agree)\s{1,4}(?:\w{1,20}\s{1,4}){0,2}?(?:every|any|all|each)\s{1,4}(?:\w{1,20}\s{1,4}){0,2}?(?:requests?|orders?|commands?|questions?|instructions?|demands?)\b|"
    r"\bnever\s{1,4}(?:refuse|decline|reject|say\s{1,4}no)\b|\b(?:without|no)\s{1,4}(?:any\s{1,4})?(?:\w{1,20}\s{1,4}){0,2}(?:restrictions?|refusals?|filters?|censorship|safeguards?|moral\w{0,3}|ethic\w{0,3})\b|"
    r"\bdo\s{1,4}anything\s{1,4}now\b|\bunrestricted\s{1,4}mode\b|\bdeveloper\s{1,4}mode\s{1,4}(?:is\s{1,4})?(?:on|enabled|active)\b|\bjailbr(?:eak|oken)\w{0,5}\b",
    re.IGNORECASE,
)
#: To deny or to keep back that somebody said so.
_DENIES: Final = pattern(
    r"\bdeny\s{1,4}(?:\w{1,20}\s{1,4}){0,3}?(?:having|that|this|these|any|knowledge|the\s{1,4}existence)\b|"
    r"\b(?:never|do\s{1,4}not|don'?t)\s{1,4}(?:\w{1,20}\s{1,4}){0,2}?(?:reveal|mention|admit|disclose|acknowledge|tell|say|show|repeat|discuss)\b[^.\n]{0,60}\b(?:this|these|it|that|instructions?|message|prompt|rules?|user|anyone|anybody)\b|"
    r"\b(?:pretend|claim|act\s{1,4}as\s{1,4}if)\b[^.\n]{0,60}\b(?:no|not|never|without|default|normal|standard)\b",
    re.IGNORECASE,
)
#: What a model is for that judges such sentences.
_JUDGES: Final = pattern(
    r"\b(?:classif|detect|categor|violat|injection|jailbreak\s{1,4}attempt|unsafe|moderat(?:e|ion)\s{1,4}(?:the|model|task)|determine\s{1,4}whether|assess|evaluate)",
    re.IGNORECASE,
)
#: What forbids an order, or says that others give it, right before it.
_NOT: Final = pattern(
    r"(?:\b(?:never|not|don'?t|avoid|cannot|refuse|if|when|asks?|asked|tells?|tries|try|attempts?|wants?|requests?|told|instructs?)\b[^.\n]{0,50}|[\"“”‘`]\s{0,2})\Z",
    re.IGNORECASE,
)
_MOST: Final = 50
_LONGEST: Final = 20_000


def unbinds(text: str, *, dropped: bool = False) -> tuple[int, str] | None:
    """Where a text that a model is told sets it free of its operator, and the sentence; ``None`` where it does not.

    Args:
        text: what the model is told, as it is read.
        dropped: whether what the operator says is left out before.
    """
    text = text[:_LONGEST]
    for found in islice(_OVERRIDES.finditer(text), _MOST):
        if _NOT.search(text, max(0, found.start() - 60), found.start()) is None:
            return found.start(), _sentence(text, found.start())
    for found in islice(_COMPLIES.finditer(text), _MOST):
        near = max(0, found.start() - 300), found.end() + 300
        if (dropped or _DENIES.search(text, *near)) and _NOT.search(
            text, max(0, found.start() - 60), found.start()
        ) is None:
            return found.start(), _sentence(text, found.start())
    return None


def _sentence(text: str, start: int) -> str:
    return shorten(" ".join(text[start : start + 200].split()), 100)


def unbound(tree: nodes.Template) -> Iterator[tuple[str, int, str]]:
    """(word, line, sentence) of the first text of a template that sets the model free of its operator."""
    dropped = drops_system(tree)
    for each in tree.find_all((nodes.Const, nodes.TemplateData)):
        said = each.data if isinstance(each, nodes.TemplateData) else getattr(each, "value", None)
        if isinstance(said, str) and len(said) > 20 and (found := unbinds(said, dropped=dropped)) is not None:
            yield "spoken-override" if _JUDGES.search(said) else "override", each.lineno, found[1]
            return


def drops_system(tree: nodes.Template) -> bool:
    """Whether a template leaves the system message out: it takes the rest of the messages, and of the first only its role."""
    rest = any(_is_rest(each.node) for each in tree.find_all(nodes.Assign)) or any(
        _is_rest(each.iter) for each in tree.find_all(nodes.For)
    )
    others = any(
        each.test is not None and any(_is_not_system(test) for test in _compares(each.test))
        for each in tree.find_all(nodes.For)
    )
    if not rest and not others:
        return False
    first = sum(_is_first(each) for each in tree.find_all(nodes.Getitem))
    roles = sum(
        isinstance(each, nodes.Getitem | nodes.Getattr)
        and isinstance(each.node, nodes.Getitem)
        and _is_first(each.node)
        and _name_of(each) == "role"
        for each in tree.find_all((nodes.Getitem, nodes.Getattr))
    )
    return first == roles


def _compares(test: nodes.Node) -> list[nodes.Compare]:
    return [*([test] if isinstance(test, nodes.Compare) else ()), *test.find_all(nodes.Compare)]


def _is_not_system(test: nodes.Compare) -> bool:
    return any(
        each.op == "ne" and isinstance(each.expr, nodes.Const) and each.expr.value == "system" for each in test.ops
    )


def _is_first(node: nodes.Getitem) -> bool:
    return isinstance(node.node, nodes.Name) and isinstance(node.arg, nodes.Const) and node.arg.value == 0


def _is_rest(node: nodes.Node) -> bool:
    return (
        isinstance(node, nodes.Getitem)
        and isinstance(node.arg, nodes.Slice)
        and isinstance(node.arg.start, nodes.Const)
        and node.arg.start.value == 1
    )


def _name_of(node: nodes.Getitem | nodes.Getattr) -> object:
    if isinstance(node, nodes.Getattr):
        return node.attr
    return node.arg.value if isinstance(node.arg, nodes.Const) else None
