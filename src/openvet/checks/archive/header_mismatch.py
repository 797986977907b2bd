"""An archive says two different things about itself, so that two readers see two different files.

What it finds:
    In a zip: a member whose local header has another name, method, size, checksum or encryption flag than the
    directory; a descriptor or a content that contradicts both; a name that ends at a NUL for some readers or is
    another one in its Unicode field; end records that lead to different directories. In a tar: sizes that differ
    between a pax header and the header proper, two long names, folders and links that carry data.

Why it matters:
    Python's ``zipfile`` believes the directory, streaming readers believe the local headers, torch's reader ignores
    flags and checksums. A scanner that refuses the file, or that looks at the other view, misses what the loader
    runs. A differing name is high, since no honest tool writes one; other fields are medium.

Example:
    The directory lists ``archive/data.pkl``, the local header at its offset says ``archive/notes.txt``.

Remedy:
    Do not load the file. Ask its publisher for one that an ordinary tool wrote. Both views were read, so the other
    findings say what each of them holds. ``torch.load`` follows the directory in every version, streaming tools follow
    the headers.

What it cannot see:
    A difference in fields that no reader of models uses (times, versions, comments).

References:
    CWE-436. GHSA-7q5r-7gvp-wc82 (names differ), GHSA-w8jq-xcqf-f792 (flag bits), CVE-2025-8291 (ZIP64 locator),
    CVE-2025-62518 (tar sizes differ).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="archive/header-mismatch",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(436,),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each contradiction."""
    for finding in ctx.anomalies("Do not load the file; ask its publisher for one that an ordinary tool wrote."):
        yield replace(finding, severity=Severity.HIGH) if finding.evidence.get("kind") == "name" else finding
