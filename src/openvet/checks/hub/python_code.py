"""The model comes with Python code.

What it finds:
    Python sources beside the model's files, or inside its archives. Stub files are left out, and so are the sources
    inside a TorchScript archive, which the TorchScript interpreter runs and Python does not. A source that was read to
    its end, that does nothing of note when it is imported, constructed or used, and that imports only packages which
    models are known to need, is a note; with ``--strict`` that is refused as well. Any other wants a review, and the
    finding says why. A script that only a person starts by its name (it has a main guard or a parser of arguments, is called
    ``train.py`` or the like, or does its work where it stands and defines no class; nothing in the repository imports it or names it
    to a loader; it has no name and no class that loaders look for) may also do what scripts do, which is told by a note: start
    ordinary programs that a constant names, fetch data, ask its own machine or an address that its user gives, write files in its
    folder, load files of weights. What its functions do that somebody has to call (start processes, run texts, load native code), and
    what packages it needs, is told by a note as well; so it is of all code of a repository from which no loader takes any.

Why it matters:
    Code next to a model is there to be run with it: by ``trust_remote_code``, by an inference server that looks for
    ``handler.py``, or by somebody who follows the README. A file of weights can be proven to be data; code cannot.

Example:
    ``modeling_falcon.py`` beside ``config.json``.

Remedy:
    Read the line that is named, or have it read, before you run the code; pin the revision that was read. Where the
    library has the architecture itself, load without ``trust_remote_code`` or leave the code out of your copy. What your
    team has read can be accepted in ``openvet.toml`` (``openvet check --format acceptances``).

What it cannot see:
    What the code does when it runs. Rules of the family ``python`` name dangerous calls that run on import or
    construction. Whether a person reads a script before starting it; that a program outside of the repository imports it.

References:
    https://huggingface.co/docs/transformers/main/en/custom_models ; CWE-829.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.hub._targets import shown
from openvet.checks.python._quiet import told_of_calls, why_loud
from openvet.checks.python._uses import is_script, started
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
    code=True,
)

#: Sources named one by one; more than that is a code base and gets one finding for the rest.
_MOST = 10
_REMEDY = "Read the code before you run it, and pin the revision that was read."
_DEFINES = ", and loading it only defines classes and functions"
_RUN = ", and does what scripts do, when somebody starts it by its name"
_QUIET = "Nothing to load without it; pin the revision that was read, if you load with trust_remote_code=True."


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each of the first sources, one for all the others; those that are not quiet come first."""
    loud = why_loud(ctx)
    by_name = ctx.inventory.once(started)
    asked = told_of_calls(ctx)
    sources = sorted(_sources(ctx), key=lambda component: not loud.get(component.place, ""))
    for component in sources[:_MOST]:
        packages = _packages(component)
        why = loud.get(component.place, "")
        yield ctx.finding(
            Location(component.place),
            "is Python code that comes with the model"
            + (f"; {why}" if why else _RUN if component.place in by_name else _DEFINES)
            + (f"; {asked[component.place]}" if not why and component.place in asked else "")
            + (f"; it imports {', '.join(packages[:8])}" if packages and "it imports" not in why else ""),
            _REMEDY if why else _QUIET,
            severity=None if why else Severity.NOTE,
            evidence={"imports": packages[:100]},
        )
    rest = sources[_MOST:]
    if rest:
        why = next((loud[each.place] for each in rest if loud.get(each.place)), "")
        yield ctx.finding(
            Location(""),
            f"has {len(rest)} more files of Python code" + (f"; in {rest[0].place}, {why}" if why else ""),
            _REMEDY if why else _QUIET,
            severity=None if why else Severity.NOTE,
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
