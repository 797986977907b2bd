"""A regular expression of a configuration can take a loader or a server endlessly long.

What it finds:
    Expressions of ``tokenizer.json`` (``Regex`` of splits, normalizers and decoders) and of other configurations (``pattern``,
    ``pat_str``, ``x-regex`` and the like) whose repetitions can be divided between each other in more than one way: ``(a+)+b``,
    ``(a|aa)*b``, ``([a-z]+.)+!``, and four or more repetitions of the same characters one behind the other.

Why it matters:
    Tokenizers run such an expression over every text that a user sends. A short text on which it fails keeps a core busy for
    years, so that one request stops a server.

Example:
    ``{"type": "Split", "pattern": {"Regex": "(a+)+$"}}`` in ``tokenizer.json``.

Remedy:
    Take the tokenizer from the model that this one was made of; the expressions of well-known tokenizers are not told.

What it cannot see:
    A heuristic: it parses the expression and does not run it. Expressions with references back and conditions are not judged, and some
    engines find a way around some of these expressions.

References:
    CWE-1333 ; https://owasp.org/www-community/attacks/Regular_expression_Denial_of_Service_-_ReDoS
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.hub._targets import shown
from openvet.checks.hub._walk import documents, entries
from openvet.core.finding import Finding
from openvet.core.regex_cost import slow_part
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="hub/slow-pattern",
    severity=Severity.MEDIUM,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    cwe=(1333,),
    needs=("json", "yaml", "toml"),
)

_REMEDY = "Take the tokenizer or the setting from the model that this one was made of."
_KEYS = frozenset(
    {"Regex", "regex", "regexp", "pattern", "patterns", "pat_str", "pat", "split_pattern", "split_regex", "word_pattern", "pretokenizer_regex",
     "pre_tokenizer_regex", "pretokenize_regex", "x-regex", "x-regex-iterator", "x-regex-key-value", "x-regex-substitutions", "token_pattern",
     "stop_regex", "guided_regex", "structural_pattern", "include_regex", "exclude_regex", "target_modules"}
)  # fmt: skip
_MOST = 1_000


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each expression."""
    for component in documents(ctx):
        seen: set[str] = set()
        for entry in entries(component, _KEYS):
            for value in entry.value if isinstance(entry.value, list) else (entry.value,):
                if not isinstance(value, str) or value in seen or len(seen) >= _MOST:
                    continue
                seen.add(value)
                if (why := slow_part(value)) is not None:
                    message = f"an expression can take endlessly long, since {why}: {shown(value)}"
                    yield ctx.finding(entry.location, message, _REMEDY)
