"""A configuration names a file outside of the model's folder, which a loader opens.

What it finds:
    File names in ``genai_config.json`` of ONNX Runtime GenAI (``filename`` of each part of the model, its adapters, processors and
    pipelines) that are absolute, climb out of the folder, name a drive or a share of another machine, or are addresses; and the same
    in ``FROM`` and ``ADAPTER`` of Ollama's Modelfile, in the file ``checkpoint`` of TensorFlow and for ``EXECUTION_ENV_PATH`` of Triton (medium; a note where it is only absolute, as these
    tools are used). ``data_files`` and ``data_dir`` in the card of a data set that lead out of it, or to a program at another address
    (medium; high where they lead to a well-known place of keys or passwords). A base model (``base_model_name_or_path`` of adapters), a tokenizer or a
    vocabulary on a share of a machine with a public name or number. Names in settings that only record where something once was, such as ``_name_or_path``, are left alone.

Why it matters:
    The loader opens what the path leads to: a file of yours as if it were part of the model, another model than the one that was
    examined, or, with a share, another machine that then learns the name and password hash of whoever loads it.

Example:
    ``{"model": {"decoder": {"filename": "../../other/model.onnx"}}}``.

Remedy:
    Do not load it; ask the publisher for a model whose files lie inside its folder.

What it cannot see:
    Paths that are put together when the model is used, and links; those have rules of their own.

References:
    https://onnxruntime.ai/docs/genai/reference/config.html ; CWE-22, CWE-73.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from posixpath import normpath
from typing import Any

from openvet.checks._check import Context
from openvet.checks.hub._targets import shown
from openvet.checks.hub._walk import documents, entries
from openvet.core.finding import Finding
from openvet.core.location import below
from openvet.core.pattern import pattern
from openvet.core.rule import Confidence, Rule, Severity
from openvet.inventory.component import Component

__all__ = ["RULE", "check"]

RULE = Rule(
    id="hub/outside-path",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(22, 73),
    needs=("json", "text", "markdown"),
)

#: Files whose loaders open what these keys name, and the keys.
_FOLLOWED = {
    "genai_config.json": frozenset({
        "adapter_filename", "config_filename", "embedding_filename", "filename", "model_file", "model_path", "path", "vocab_file",
        "external_data", "external_data_file", "weights", "tokenizer_file",
    }),
}  # fmt: skip


#: Keys that every library follows, of which only a share leads anywhere: trainers leave paths of their own disks in them.
_SHARED = frozenset(
    {
        "base_model_name_or_path",
        "base_model",
        "tokenizer_name_or_path",
        "tokenizer_file",
        "vocab_file",
        "merges_file",
        "custom_pipeline",
    }
)
_SHARE = pattern(
    r"(?:\\\\|//|file://)(?:[\w-]{1,63}(?:\.[\w-]{1,63}){0,6}\.[a-z]{2,24}|\d{1,3}(?:\.\d{1,3}){3})(?:@\w{1,10})?[\\/]\S"
)
_OWN_NETWORK = pattern(
    r"[\\/:a-z]{2,7}(?:127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|\S{1,200}\.(?:local|lan|internal|corp|home|intra)[\\/])"
)
#: Files of data that are programs, or run what they hold.
_PROGRAMS = (
    ".exe",
    ".dll",
    ".so",
    ".dylib",
    ".sh",
    ".bat",
    ".cmd",
    ".ps1",
    ".py",
    ".pkl",
    ".pickle",
    ".msi",
    ".scr",
    ".jar",
    ".vbs",
    ".hta",
    ".js",
)
_MOST = 1_000
#: A place of keys, one that leads out, or one that is only absolute.
_SEVERITIES = {"private": Severity.HIGH, "climbs": Severity.MEDIUM}


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each path."""
    for component in ctx.components("markdown"):
        yield from _data_files(ctx, component)
    from openvet.formats._tf_program import is_outside

    for finding in ctx.anomalies("Make sure that what it names is what you examined."):
        severity = _SEVERITIES.get(str(finding.evidence.get("kind")), Severity.NOTE)
        yield replace(finding, severity=severity)
    for component in documents(ctx):
        for entry in entries(component, _SHARED):
            value = entry.value
            if isinstance(value, str) and _SHARE.match(value) and not _OWN_NETWORK.match(value):
                message = (
                    f"makes a loader open {shown(value)}, to which Windows gives the user's password in its own form"
                )
                yield ctx.finding(entry.location, message, "Do not load it.", evidence={"path": shown(value)})
        keys = _FOLLOWED.get(component.basename.lower())
        if keys is None:
            continue
        for entry in entries(component, keys):
            values = entry.value if isinstance(entry.value, list) else [entry.value]
            for at, path in enumerate(values):
                if isinstance(path, str) and (is_outside(path) or path.lower().startswith("file:")):
                    where = entry.location
                    if isinstance(entry.value, list) and where.pointer is not None:
                        where = type(where)(where.place, pointer=below(where.pointer, at))
                    yield ctx.finding(
                        where,
                        f"makes a loader open {shown(path)}, which is not in the model's own folder",
                        "Do not load it: it makes a loader open files outside of the model.",
                        evidence={"path": shown(path)},
                    )


def _data_files(ctx: Context, component: Component) -> Iterator[Finding]:
    """Paths of data in the card of a data set, which ``datasets.load_dataset`` opens and makes rows of."""
    from openvet.formats._private_places import PRIVATE
    from openvet.formats._tf_program import is_outside

    if not isinstance(component.document, dict) or "configs" not in component.document:
        return
    for entry in islice(entries(component, ("data_files", "data_dir")), _MOST):
        for path in islice(_texts(entry.value), _MOST):
            address, bare = "://" in path, path.partition("?")[0].lower()
            if address and not bare.startswith("file:"):
                what = "is a program at another place" if bare.endswith(_PROGRAMS) else ""
            else:
                what = (
                    "is not in the data set's own folder"
                    if is_outside(normpath(path)) or bare.startswith("file:")
                    else ""
                )
            if what:
                yield ctx.finding(
                    entry.location,
                    f"makes a loader of data open {shown(path)}, which {what}",
                    "Do not load it: it makes a loader open files outside of the data set.",
                    severity=Severity.HIGH if PRIVATE.search(path) and not address else Severity.MEDIUM,
                    evidence={"path": shown(path)},
                )


def _texts(value: Any) -> Iterator[str]:
    """Every path in ``data_files``: a text, a list, one for each split, or splits with paths."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, list):
            waiting.extend(reversed(each))
        elif isinstance(each, dict):
            waiting.extend(child for key, child in each.items() if key != "split")
