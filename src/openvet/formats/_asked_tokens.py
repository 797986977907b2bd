"""Pages that ask their reader to give somebody else a token or a password by which a hub, a forge or a cloud knows them.

Whoever made a token is the only one who may ask for it: a page of somebody else's, a form or a mail, has no use for it but to act in
its owner's name. A model card that wants a token says how to log in (``hf auth login``), or names the page of the hub where one is made.
A key of a service, for a demonstration that asks this service, is another matter and is left out. A heuristic over English words of one sentence.

Sources: MITRE ATT&CK T1056.003, T1598.003; https://huggingface.co/docs/hub/security-tokens .
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.formats._addresses import is_nobodys
from openvet.formats._format import Facts

__all__ = ["tell_asked_tokens"]

#: A secret by which somebody acts in its owner's name, in Markdown's marks or without.
_OF_ITS_OWNER: Final = (
    r"(?:(?:hugging\s?face|HF|hub|git\s?hub|GH|git\s?lab|AWS|Azure|GCP|npm|PyPI|kaggle|wandb|write|(?:personal\s{1,4})?access|user\s{1,4}access|fine-grained|admin)(?:'s)?[\s*_`-]{1,6}(?:[\w-]{1,20}[\s*_`-]{1,6}){0,3}?"
    r"(?:access[\s_-]{0,3}tokens?|tokens?|passwords?|credentials?|secrets?)|`?\b(?:HF|HUGGING_?FACE_?HUB|GITHUB|GH|GITLAB|NPM|PYPI|AWS)_[A-Z_]{0,30}(?:TOKEN|KEY|SECRET)\b`?|"
    r"(?:seed|recovery|mnemonic)\s{1,4}phrases?|(?:private|ssh|secret)\s{1,4}keys?|(?:login|account|e-?mail)\s{1,4}(?:and\s{1,4})?(?:passwords?|credentials))"
)
_GIVES: Final = r"\b(?:paste|enter|submit|send|provide|share|type|put|give|fill\s{1,4}in|e-?mail|post|upload|copy|register|validate|verify|confirm|unlock|input|drop)\b"
#: The order, the secret, and where it goes, within one sentence; a dot that ends none is one of an address or a name.
_ASKS: Final = pattern(
    rf"{_GIVES}(?:[^.\n]|\.(?=\w)){{0,80}}?{_OF_ITS_OWNER}(?:[^.\n]|\.(?=\w)|\n(?!\n)){{0,120}}?(https?://[^\s\"'`)>\]]{{3,400}}|[\w.+-]{{2,60}}@[\w-]{{1,60}}(?:\.[\w-]{{1,60}}){{1,4}})",
    re.IGNORECASE,
)
_NOT: Final = pattern(
    r"\b(?:never|not|don'?t|avoid|cannot|without|nobody|no\s{1,4}one|anyone|beware|phishing|scam\w{0,4})\b[^.\n]{0,60}\Z",
    re.IGNORECASE,
)
#: Where somebody may make a token, or reads how; and an address that is filled in first, which is one's own.
_MADE: Final = pattern(
    r"\b(?:create|generate|get|obtain|found|available|documentation|docs|see|read|more\s{1,4}(?:about|on))\b",
    re.IGNORECASE,
)
_OPEN: Final = pattern(r"[<{$]|your[-_]|localhost|127\.0|0\.0\.0\.0|example\.(?:com|org|net)\b", re.IGNORECASE)
_MOST: Final = 100
_LONGEST: Final = 512 * 1024


def tell_asked_tokens(text: str, facts: Facts) -> None:
    """Record the first passage that asks the reader to give a token or a password to somebody who did not make it."""
    for found in islice(_ASKS.finditer(text, 0, _LONGEST), _MOST):
        place = found[1].rstrip(".,;:*_")
        if "@" not in place.split("://")[0] and not is_nobodys(place):
            continue
        begin = text.rfind("\n", 0, found.start()) + 1
        said = found.group()
        if (
            _OPEN.search(place)
            or _NOT.search(text, max(begin, found.start() - 80), found.start())
            or _MADE.search(said[: -len(found[1])])
        ):
            continue
        facts.anomaly(
            "hub/shell-command",
            f"asks its reader to give a token or a password to somebody else: {shorten(printable(' '.join(said.split())), 140)}",
            line=text.count("\n", 0, found.start()) + 1,
            kind="sends",
        )
        return
