"""The stored output of a notebook holds scripts, which a browser may run when somebody only looks at it.

What it finds:
    Scripts, frames, handlers and links that are scripts, in stored outputs (HTML, SVG, JavaScript) and Markdown of a notebook. A
    literal command for the kernel is high; a short script that decodes itself, takes cookies, talks to the server of the notebook or
    to an unusual host, a handler on a picture, and a link that is a script are medium; all others, such as charts and tables have
    them, are only noted. A script that sends cookies or stored credentials away is high, in HTML pages and SVG pictures too where it
    sends them to a bare address or without encryption, or puts them into what it asks of a host.

Why it matters:
    In a browser that shows the notebook as trusted, a script does what its user can do there: run code in the kernel, open a
    terminal, read files. Jupyter cleans the outputs of a notebook until its user trusts it or runs it, and so do GitHub and Colab in
    their ways; several times that was got round.

Example:
    ``<script>IPython.notebook.kernel.execute("...")</script>`` in an output of type ``text/html``.

Remedy:
    Clear all outputs before you open it (``jupyter nbconvert --clear-output``), and do not trust it. Python's loaders do not run
    them; the cleaning of outputs
    holds against what is known from Jupyter Notebook 6.4.1 (CVE-2021-32798) and JupyterLab 3.1.4 (CVE-2021-32797) on.

What it cannot see:
    What long scripts do, which are taken for libraries. This is a heuristic.

References:
    CWE-79. CVE-2021-32798, CVE-2021-32797.
    https://jupyter-notebook.readthedocs.io/en/stable/security.html
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="hub/active-output",
    severity=Severity.MEDIUM,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    cwe=(79,),
    needs=("notebook", "script", "xml", "markdown"),
    recorded=True,
)

_SEVERITIES = {"kernel": Severity.HIGH, "takes": Severity.HIGH, "script": Severity.NOTE}


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each output of note, or one for all that are only noted."""
    for anomaly in ctx.inventory.anomalies(RULE.id):
        yield ctx.finding(
            anomaly.location,
            anomaly.message,
            "Clear all outputs before you open it, and do not trust it.",
            severity=_SEVERITIES.get(str(anomaly.evidence.get("kind"))),
            evidence=anomaly.evidence,
        )
