"""Settings of spaCy (``config.cfg``): functions that it looks up in its registry by name and calls when a pipeline is loaded.

Names of spaCy's own packages begin with them (``spacy.Tagger.v2``), those of thinc have no such beginning (``Adam.v1``). Any other function
comes from a package that registers it when it is imported, which spaCy does for what is installed.

Reference: https://spacy.io/usage/training#config-custom , https://thinc.ai/docs/usage-config
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.formats._format import Facts

__all__ = ["tell_registered"]

_REGISTERED: Final = pattern(r"^[ \t]{0,40}@(\w{1,60})[ \t]{0,40}=[ \t]{0,40}[\"']([^\"'\n]{1,200})[\"']", re.MULTILINE)
_OWN: Final = frozenset({
    "spacy", "spacy-transformers", "spacy-legacy", "spacy-curated-transformers", "spacy-experimental", "spacy-loggers", "spacy-huggingface-hub",
    "spacy-ray", "spacy-llm", "thinc", "prodigy", "spacy-lookups-data", "spacy-stanza", "spacy-udpipe",
})  # fmt: skip
#: A name of thinc: a word and a version.
_PLAIN: Final = pattern(r"\w{1,80}(?:\.v\d{1,3})?")
_MOST: Final = 200


def tell_registered(text: str, facts: Facts) -> None:
    """Record the first function of a package that is none of spaCy's."""
    if "[nlp" not in text:
        return
    for found in islice(_REGISTERED.finditer(text), _MOST):
        name = found[2].strip()
        if _PLAIN.fullmatch(name) or name.partition(".")[0] in _OWN:
            continue
        facts.anomaly(
            "hub/config-callable",
            f"makes spaCy call the function {shorten(printable(name), 120)} of its registry of {found[1]}: code that spaCy does not have",
            line=text.count("\n", 0, found.start()) + 1,
            name=shorten(printable(name), 120),
        )
        return
