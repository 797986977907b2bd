"""A file's name says another format than its bytes do.

What it finds:
    A file whose ending belongs to formats that its content is not: a zip named ``.safetensors``, a picture named
    ``.pt``. Where the content is of a kind whose loading runs a pickle and the name promises one that runs nothing, the
    severity is high; one kind of picture or sound under the name of another is a note. Endings that say nothing
    (``.bin``, ``.dat``) never mismatch, and any kind of text may stand under any ending of text.

Why it matters:
    People and tools decide by the name: a filter admits ``*.safetensors``, and a loader that looks at the bytes still runs
    the pickle inside. There is no honest reason to give a pickle the name of a format that was made to replace it.

Example:
    ``adapter_model.safetensors`` that is a PyTorch archive.

Remedy:
    Do not load a pickle under a safe name. Rename a file whose name is a mere mistake, and check again. ``torch.load``
    and ``pickle.load`` look at no name, in every version; picklescan trusted endings before 0.0.31.

What it cannot see:
    Files without an ending, and content that no reader recognises.

References:
    CWE-646; CVE-2025-10155 (a scanner that trusted endings).
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from openvet.checks._check import Context
from openvet.checks.file._kinds import carried_by_pickle, claims, ending_of, family, name_rules
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity
from openvet.inventory.component import Component

RULE = Rule(id="file/name-mismatch", severity=Severity.LOW, confidence=Confidence.HIGH, since="0.1.0", cwe=(646,))

#: These say nothing about what the name promises.
_NO_CONTENT = {"apple-double", "empty", "lfs-pointer", "link"}
_AGAIN = "Download it again: a page that says what went wrong is often saved under the name of the weights."


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each name that lies."""
    for component in ctx.components():
        if component.role is not None or not component.formats or _NO_CONTENT & set(component.formats):
            continue
        ending = ending_of(component.basename)
        if not ending:
            continue
        content = " and ".join(component.formats)
        evidence = {"ending": ending, "formats": list(component.formats)}
        unpickled = name_rules()["unpickled"]
        if ending in unpickled["endings"] or any(fnmatchcase(component.basename, each) for each in unpickled["names"]):
            yield from _under_pickle_name(ctx, component, ending)
        elif ending not in name_rules()["generic"]["endings"] and ending in claims():
            told = family(component.formats)
            if not told.isdisjoint(claims()[ending]) or all(each.startswith("named-") for each in component.formats):
                continue
            if _is_named_as_its_archive(component):
                continue
            yield _mismatch(ctx, component, ending, content, evidence)


def _is_named_as_its_archive(component: Component) -> bool:
    """A table in an archive of the same name (``rows.csv.zip!/rows.csv.zip``), as pandas writes them: it is the archive that is meant."""
    told = family(component.formats)
    outer = {each.rpartition("/")[2] for each in component.place.split("!/")[:-1]}
    return ("text" in told or "pickle" in told) and component.basename in outer


def _mismatch(ctx: Context, component: Component, ending: str, content: str, evidence: dict[str, Any]) -> Finding:
    where = Location(component.place)
    safe = ending in name_rules()["safe"]["endings"] or ending in name_rules()["text"]["endings"]
    if safe and carried_by_pickle(component.formats):
        return ctx.finding(
            where,
            f"is named {ending} and is {content}, whose loading runs a pickle",
            "Do not load it: a pickle under the name of a format without code is meant to be overlooked.",
            severity=Severity.HIGH,
            confidence=Confidence.MEDIUM,
            evidence=evidence,
        )
    media = set(name_rules()["media"]["formats"])
    return ctx.finding(
        where,
        f"is named {ending} and is {content}",
        _AGAIN
        if safe and "text" in family(component.formats)
        else "Find out which of the two is meant; rename the file if only its name is wrong.",
        # one picture format under the name of another is a habit of the web, and harms nobody
        severity=Severity.NOTE if media.issuperset(component.formats) and claims()[ending] & media else None,
        evidence=evidence,
    )


def _under_pickle_name(ctx: Context, component: Component, ending: str) -> Iterator[Finding]:
    """Pictures, sounds, documents and text under an ending whose files are unpickled: no loader takes them for weights."""
    if set(name_rules()["media"]["formats"]) & set(component.formats):
        yield ctx.finding(
            Location(component.place),
            f"is named {ending}, which loaders unpickle, and is {' and '.join(component.formats)}",
            "Do not load it; a file may be a picture to one reader and a pickle to another.",
            severity=Severity.MEDIUM,
            evidence={"ending": ending, "formats": list(component.formats)},
        )
    elif "text" in family(component.formats):
        yield ctx.finding(
            Location(component.place),
            f"is named {ending}, which loaders unpickle, and is {' and '.join(component.formats)}",
            _AGAIN,
            evidence={"ending": ending, "formats": list(component.formats)},
        )
