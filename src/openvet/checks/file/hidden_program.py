"""A program or a pickle stands where words belong: in a comment of a picture or in metadata.

What it finds:
    Comments, text chunks and tags of pictures and sounds, and texts in the metadata of safetensors and GGUF files, that begin like
    a program, a script, a zip archive or a pickle, as they are or in base64.

Why it matters:
    Nothing runs it where it stands. It is a payload that waits for a line of code elsewhere to take it out and start it, and
    the file that carries it looks like any other.

Example:
    ``__metadata__`` of a safetensors file with a base64 text that decodes to a pickle.

Remedy:
    Ask the publisher what it is for. Writing the file again without its metadata drops it.

What it cannot see:
    What is encrypted, compressed, spread over several values, or hidden in pixels and weights. No library of pictures or
    tensors, in any version, runs what stands there.

References:
    CWE-506; MITRE ATT&CK T1027.003 (steganography), T1027.009 (embedded payloads).
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="file/hidden-program",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(506,),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each place."""
    yield from ctx.anomalies("Ask the publisher what it is for, or write the file again without its metadata.")
