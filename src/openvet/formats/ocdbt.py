"""Manifests of OCDBT (``manifest.ocdbt``): where a data base of TensorStore begins, as Orbax keeps checkpoints of JAX.

A manifest says how the data base is kept and where its trees begin; the layout stands in ``_ocdbt``. The trees lie in the files of
``d/``, which another format reads.

Specification: https://google.github.io/tensorstore/kvstore/ocdbt/index.html#storage-format
"""

from __future__ import annotations

from openvet.core.text import printable
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._ocdbt import MANIFEST, framed, read_manifest, unpacked
from openvet.formats._trailing import account_for_rest
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="ocdbt",
    title="OCDBT manifest (TensorStore, Orbax)",
    extensions=(".ocdbt",),
    media_types=(),
    can_tell=("which files of the data base its versions begin in", "that nothing else stands in it"),
    cannot_tell=("whether its checksum is right",),
)
#: What its bytes begin with.
STARTS = (MANIFEST,)


def probe(head: Head) -> Likeness:
    """The magic, and a length that fits."""
    return Likeness.STRONG if head.data.startswith(MANIFEST) and framed(head.source, 0) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Decode the manifest (raises like :func:`read_manifest` and :func:`unpacked`)."""
    places = read_manifest(unpacked(source, 0, facts), facts)
    facts.note("versions", len(places))
    facts.note("files", [printable(path)[:200] for path in sorted({each.path for each in places})[:1000]])
    account_for_rest(source, facts, framed(source, 0), "the manifest")
