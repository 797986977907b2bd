"""A YAML text asks its loader to construct Python objects or to call functions.

What it finds:
    Tags of PyYAML's unsafe loaders (``!!python/object/apply:os.system``) and of HyperPyYAML (``!new:``, ``!name:``,
    ``!apply:``, ``!module:``). The named callable is classified: one with a dangerous capability is critical, a class
    of a known package a note, anything else wants a review. Tags that only name a plain type (``!!python/tuple``) are
    left alone.

Why it matters:
    ``yaml.load`` with an unsafe loader, and HyperPyYAML by design, call what the tag names while they parse.

Example:
    ``!!python/object/apply:os.system ["echo hello"]``.

Remedy:
    Load the file with ``yaml.safe_load``, which refuses such tags. Where the callable is dangerous, do not load it.
    ``yaml.full_load`` and ``FullLoader`` are hit before PyYAML 5.4 (CVE-2020-14343), ``yaml.unsafe_load`` in every
    version.

What it cannot see:
    Tags that the loading program registered itself; they are left alone where they name no callable.

References:
    CVE-2020-14343 (PyYAML); https://github.com/speechbrain/HyperPyYAML ; CWE-502.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.hub._targets import judge
from openvet.core.finding import Finding
from openvet.core.pattern import pattern
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="yaml/object-tag",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(502,),
    needs=("yaml", "markdown", "citation"),
    recorded=True,
)

_PYTHON = pattern(r"!!python/(?:object/apply|object/new|object|name|module):(.+)\Z", re.DOTALL)
_HYPER = pattern(r"!(?:new|name|apply|module):(.+)\Z", re.DOTALL)
#: Classes of other languages that are known from attacks on their loaders of YAML, SnakeYAML and Psych first of all.
_GADGET = pattern(
    r"!!(?:javax\.script\.|javax\.naming\.|javax\.management\.|java\.net\.URLClassLoader|java\.lang\.(?:Runtime|ProcessBuilder)|com\.sun\.|org\.springframework\.|"
    r"org\.apache\.(?:xbean|commons)\.|com\.mchange\.|org\.eclipse\.jetty\.|ch\.qos\.logback\.)|"
    r"!ruby/(?:object|hash|array|struct|class|module)[\w-]{0,20}:(?:Gem|Net|ERB|Kernel|Process|IO|ActiveSupport|ActiveModel|Rails|Rack|Action\w{1,40})\b|"
    r"!(?:!)?(?:System\.(?:Windows|Diagnostics|Management|Configuration\.Install)|Microsoft\.VisualStudio)\."
)
#: What the documentation of MkDocs' themes and extensions asks people to write: names of functions, in its own file only.
_DOCUMENTED = pattern(
    r"!!python/name:(?:material|materialx|zensical)\.(?:extensions\.)?emoji\.(?:twemoji|to_svg)|"
    r"!!python/name:(?:pymdownx\.(?:superfences\.fence_\w{1,30}|arithmatex\.\w{1,40}|emoji\.\w{1,30}|slugs\.\w{1,30})|mermaid2(?:\.fences)?\.fence_mermaid\w{0,10})|"
    r"!!python/object/apply:pymdownx\.slugs\.slugify",
    re.ASCII,
)
_SITES = ("mkdocs.yml", "mkdocs.yaml", "zensical.yml", "properdocs.yml")
_REMEDY = "Load the file with yaml.safe_load, or not at all."


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each tag that names a callable."""
    for anomaly in ctx.inventory.anomalies(RULE.id):
        tag = str(anomaly.evidence.get("tag", ""))
        match = _PYTHON.match(tag) or _HYPER.match(tag)
        if match is None:
            if _GADGET.match(tag):
                yield ctx.finding(
                    anomaly.location,
                    f"{anomaly.message}, by which a loader of Java, Ruby or .NET runs code",
                    _REMEDY,
                    severity=Severity.CRITICAL,
                    evidence=anomaly.evidence,
                )
            continue
        name = match.group(1)
        judged = judge(f"{name}.Module" if "module:" in tag else name)
        severity = judged.severity
        if severity is Severity.NOTE and tag.startswith("!!python"):
            severity = Severity.LOW  # an unsafe loader is needed even for a harmless class
        why = judged.why
        if _DOCUMENTED.fullmatch(tag.strip()) and anomaly.location.place.rpartition("/")[2] in _SITES:
            severity, why = Severity.NOTE, "an extension of MkDocs, as its documentation says"
        yield ctx.finding(
            anomaly.location,
            f"{anomaly.message}: {why}",
            _REMEDY,
            severity=severity,
            confidence=judged.confidence,
            evidence=anomaly.evidence,
        )
