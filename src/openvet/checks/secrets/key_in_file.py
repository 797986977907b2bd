"""A credential was left in a file.

What it finds:
    Keys and tokens of known issuers (cloud providers, code and model hubs, API vendors), private keys and JSON web
    tokens, by the form that their issuers gave them; and what stands in files that tools keep passwords in (``.netrc``, ``kubeconfig``,
    ``.pgpass``, states of Terraform), whatever its form. Placeholders and texts of little entropy are left out. The
    message shows the first four and last two characters. A key of Google's in a web page is a note: pages give such keys to every browser.

Why it matters:
    Whoever has the file has the key. Models are copied and mirrored widely, so that a key stays public after it was
    deleted; some keys let others replace the model.

Example:
    ``hf_`` and 34 letters and digits in ``train.py``.

Remedy:
    Tell the publisher, who must revoke the key at its issuer; deleting it from the file is not enough.

What it cannot see:
    Whether the key still works: OpenVet asks nobody. Passwords and keys without a form of their own, and keys inside
    files that are no text.

References:
    CWE-312, CWE-798.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="secrets/key-in-file",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(312, 798),
    recorded=True,
)

_PAGES = (".html", ".htm", ".xhtml", ".mhtml")


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each credential, as surely as its form tells."""
    for anomaly in ctx.inventory.anomalies(RULE.id):
        public = anomaly.evidence.get("kind") == "google-api-key" and anomaly.location.place.lower().endswith(_PAGES)
        yield ctx.finding(
            anomaly.location,
            anomaly.message,
            "Have the publisher revoke the key at its issuer.",
            severity=Severity.NOTE if public else None,
            confidence=Confidence[str(anomaly.evidence.get("confidence", "high")).upper()],
            evidence=anomaly.evidence,
        )
