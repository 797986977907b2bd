"""The model comes with Python code.

What it finds:
    Python sources beside the model's files, or inside its archives. Stub files are left out, and so are the sources
    inside a TorchScript archive, which the TorchScript interpreter runs and Python does not.

Why it matters:
    Code next to a model is there to be run with it: by ``trust_remote_code``, by an inference server that looks for
    ``handler.py``, or by somebody who follows the README. A file of weights can be proven to be data; code cannot.

Example:
    ``modeling_falcon.py`` beside ``config.json``.

Remedy:
    Read it, or have it read, before you run it; pin the revision that was read. Where the library has the architecture
    itself, leave the code out of your copy.

What it cannot see:
    What the code does when it runs. Rules of the family ``python`` name dangerous calls that run on import or
    construction.

References:
    https://huggingface.co/docs/transformers/main/en/custom_models ; CWE-829.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.hub._targets import shown
from openvet.checks.python._uses import is_script
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity
from openvet.inventory.component import Component

RULE = Rule(
    id="hub/python-code",
    severity=Severity.LOW,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(829,),
    needs=("python",),
)

#: Sources named one by one; more than that is a code base and gets one finding for the rest.
_MOST = 10
_REMEDY = "Read the code before you run it, and pin the revision that was read."


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each of the first sources, one for all the others."""
    sources = list(_sources(ctx))
    for component in sources[:_MOST]:
        packages = _packages(component)
        yield ctx.finding(
            Location(component.place),
            "is Python code that comes with the model"
            + (f"; it imports {', '.join(packages[:8])}" if packages else ""),
            _REMEDY,
            evidence={"imports": packages[:100]},
        )
    rest = sources[_MOST:]
    if rest:
        yield ctx.finding(
            Location(""),
            f"has {len(rest)} more files of Python code",
            _REMEDY,
            evidence={"files": [component.place for component in rest[:100]], "count": len(rest)},
        )


def _sources(ctx: Context) -> Iterator[Component]:
    for file in ctx.inventory.files:
        stack = [(file, False)]
        while stack:
            component, torchscript = stack.pop()
            if "python" in component.formats and not torchscript and not component.basename.endswith(".pyi"):
                yield component
            archive = "torch-zip" in component.formats
            stack.extend(
                (child, torchscript or (archive and is_script(child.name))) for child in reversed(component.children)
            )


def _packages(component: Component) -> list[str]:
    for program in component.programs:
        if program.kind == "python":
            return [shown(name) for name in program.to_json().get("imports", [])]
    return []
