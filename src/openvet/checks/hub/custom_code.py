"""A configuration names Python code that a loader runs when it is told to trust the repository.

What it finds:
    ``auto_map`` in any configuration, ``custom_pipelines`` of transformers, and a ``custom_generate`` folder. The
    finding says which classes of which files are meant, whether those files are here, and whether the code lies in
    another repository (``org/name--module.Class``). It is a note where all the code is here and was seen to do nothing
    but define classes and functions (see ``hub/python-code``); with ``--strict`` that is refused as well. Code of an account that
    OpenVet does not know, for an architecture that transformers has itself and that never needed any, is of high severity.

Why it matters:
    With ``trust_remote_code=True`` transformers and diffusers import the named file and so run everything in it, with
    the rights of whoever loads the model. Code in another repository can change after this one was vetted. In an inner
    configuration (``vision_config``) vLLM before 0.11.1 took it without being told to trust the model (CVE-2025-66448); published
    models use that honestly as well, so that it wants a review as anywhere else.

Example:
    ``"auto_map": {"AutoModelForCausalLM": "modeling_deepseek.DeepseekV3ForCausalLM"}`` in ``config.json``.

Remedy:
    Read the named files before you load with ``trust_remote_code=True``, pin the revision, or use a version of the
    library that has the architecture built in and load without it. Code of another repository: check that one
    (``openvet check hf:org/name``), copy its files here, and take the part before ``--`` out of the configuration. With vLLM, load inner
    configurations with 0.11.1 or later.

What it cannot see:
    What the code does; rules of the family ``python`` look at files that are here. Code of another repository is not
    fetched.

References:
    https://huggingface.co/docs/transformers/main/en/custom_models ; CVE-2025-66448 ; CWE-829.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openvet.checks._check import Context
from openvet.checks.hub._targets import shown
from openvet.checks.hub._walk import documents, entries
from openvet.checks.python._quiet import first_loud
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity
from openvet.publishers.known import known

RULE = Rule(
    id="hub/custom-code",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(829,),
    needs=("json", "python", "yaml", "toml"),
    code=True,
)

_REMEDY = "Read the code before you load with trust_remote_code=True, and pin the revision; or load without it."
#: Architectures that never needed code of a repository, as ``model_type`` names them.
_BUILT_IN = frozenset({
    "albert", "bart", "bert", "bloom", "clip", "deberta-v2", "distilbert", "electra", "gemma", "gemma2", "gemma3", "gemma3_text", "gpt2", "gpt_neox", "llama",
    "llava", "mistral", "mixtral", "mt5", "opt", "qwen2", "qwen3", "roberta", "siglip", "t5", "vit", "wav2vec2", "whisper", "xlm-roberta",
})  # fmt: skip
_ELSEWHERE = "Check the other repository too, pin its revision with code_revision=, or load without trust_remote_code."


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each configuration and each repository that it takes code from."""
    here = {component.name.replace("\\", "/").rsplit("/", 1)[-1] for component in ctx.inventory.walk()}
    loud = first_loud(ctx)
    for component in documents(ctx):
        for entry in entries(component, ("auto_map", "custom_pipelines")):
            if entry.key == "auto_map":
                kind = component.document.get("model_type") if isinstance(component.document, dict) else None
                built_in = isinstance(kind, str) and kind in _BUILT_IN
                yield from _named(ctx, entry.location, entry.value, here, loud, built_in=built_in)
            elif entry.key == "custom_pipelines" and isinstance(entry.value, dict):
                wanted = [each.get("impl") for each in entry.value.values() if isinstance(each, dict)]
                yield from _named(ctx, entry.location, wanted, here, loud)
    for component in ctx.components("python"):
        if component.place.endswith("custom_generate/generate.py"):
            yield ctx.finding(
                Location(component.place),
                "is run by generate() of transformers when trust_remote_code is given" + (f"; {loud}" if loud else ""),
                _REMEDY,
                severity=None if loud else Severity.NOTE,
            )


def _named(
    ctx: Context, location: Location, value: Any, here: set[str], loud: str, *, built_in: bool = False
) -> Iterator[Finding]:
    by_repository: dict[str, list[str]] = {}
    for reference in _references(value):
        repository, mark, name = reference.rpartition("--")
        by_repository.setdefault(repository if mark else "", []).append(name)
    for repository, names in sorted(by_repository.items()):
        classes = ", ".join(shown(name) for name in names[:4]) + (
            f" and {len(names) - 4} more" if len(names) > 4 else ""
        )
        told: Severity | None = None
        outside = [each for each in (repository, *names) if _leaves(each)]
        if outside:
            yield ctx.finding(
                location,
                f"makes a loader run {shown(outside[0])}, which is not a file of this repository",
                "Do not load the model: it makes a loader run code from outside of it.",
                severity=Severity.HIGH,
                evidence={"classes": [shown(name) for name in names[:50]]},
            )
            continue
        remedy = _REMEDY
        evidence: dict[str, Any] = {"classes": [shown(name) for name in names[:50]]}
        if repository:
            evidence["repository"] = shown(repository)
            remedy = _ELSEWHERE
            message = (
                f"takes {classes} from the other repository {shown(repository)}, whose code may change at any time"
            )
            if built_in and known().of_account(repository.partition("/")[0]) is None:
                message += ", for an architecture that transformers has itself"
                told = Severity.HIGH
            if (location.pointer or "").count("/") > 1:
                message += (
                    "; vLLM before 0.11.1 runs what stands in an inner configuration without being told to trust it"
                )
        else:
            missing = sorted({f"{name.split('.', 1)[0]}.py" for name in names} - here)
            message = f"makes a loader run {classes} of this repository when trust_remote_code is given"
            if missing:
                evidence["missing"] = [shown(name) for name in missing[:50]]
                message += f"; {shown(missing[0])} is not here"
                remedy = (
                    f"Download {shown(missing[0])} from the repository as well, and check again; or load without it."
                )
            elif loud:
                message += f"; {loud}"
            else:
                told = Severity.NOTE
        yield ctx.finding(location, message, remedy, severity=told, evidence=evidence)


def _leaves(reference: str) -> bool:
    """A path or an address where the name of a module or repository should be."""
    return ".." in reference or reference.startswith(("/", "~", "\\")) or "://" in reference or "\\" in reference


def _references(value: Any) -> Iterator[str]:
    """Every class reference in an ``auto_map``: texts, lists of texts, maps of those."""
    stack = [value]
    while stack:
        each = stack.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, list):
            stack.extend(reversed(each))
        elif isinstance(each, dict):
            stack.extend(reversed(list(each.values())))
