"""Python code that comes with the model changes files as soon as it is imported.

What it finds:
    Functions that remove, move, copy or open files for writing, at module level, in class bodies, or in functions
    that those call.
    What deletes a home folder, the root or the system's files is worse, also in constructors and in use.

Why it matters:
    Importing code should change nothing on the disk. Writing to a start-up file or a package is how a payload
    stays.

Example:
    ``shutil.copy('x.py', '/usr/lib/python3/sitecustomize.py')`` at the top of ``modeling_x.py``.

Remedy:
    Find out which files are changed and why before you run the code.

What it cannot see:
    A source that does nothing of note but change files by a common name (``open``, ``os.rename``) may not be
    parsed at all. What modules from elsewhere, or other files of the repository, do when this file calls them;
    names that only come about while the code runs. What a script changes in its own folder that only a person starts by its name
    (``hub/python-code`` says which those are).

References:
    CWE-506, CWE-552.
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

RULE = Rule(
    id="python/file-at-load",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(506, 552),
    needs=("python", "notebook", "python-bytecode"),
)

_GRADES = {"import": (Severity.MEDIUM, Confidence.HIGH)}
_REMOVING = ("rmtree", "remove", "unlink", "rmdir", "removedirs")
#: What is not the model's to delete: the root, a home, the system, all models that were fetched, by the constant that is given.
_NOT_ITS_OWN = pattern(
    r"""^['"](?:/|~|\$HOME|[A-Za-z]:[\\/]{0,4}|(?:/(?:home|root|etc|usr|bin|boot|var|opt|Users)|~)(?:/[^/]*)?|~/\.cache/(?:huggingface|torch|modelscope)(?:/(?:hub|datasets|checkpoints))?)/?\*?['"]""",
    re.ASCII,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each such call."""
    for each in found(
        ctx, "file", "changes files", "Find out which files are changed before you run this code.",
        {**_GRADES, "construction": _GRADES["import"], "inference": _GRADES["import"]},
    ):  # fmt: skip
        evidence = each.evidence
        destroys = str(evidence["callable"]).endswith(_REMOVING) and _NOT_ITS_OWN.match(str(evidence["detail"]))
        if destroys:
            yield replace(
                each, severity=Severity.HIGH, remedy="Do not run this code: it deletes what is not the model's."
            )
        elif evidence["when"] == "import":
            yield each
