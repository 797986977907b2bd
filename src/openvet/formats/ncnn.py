"""Networks of ncnn (``.param``) as text, and the weights beside them (``.bin``).

::

    7767517
    layers blobs
    type name inputs outputs the names of both, then key=value ...      one line for each layer

The weights have no mark and no structure: the layers take them one after the other. They lie in the file of the same name that ends in
``.bin``, which is claimed as tensors.

Reference: https://github.com/Tencent/ncnn/wiki/param-and-model-file-structure
"""

from __future__ import annotations

from openvet.core.coverage import Coverage
from openvet.core.pattern import pattern
from openvet.core.text import printable
from openvet.formats import text
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="ncnn",
    title="ncnn network",
    extensions=(".param",),
    media_types=(),
    can_tell=("how many layers it has, and of which types", "everything that a reader of text tells"),
    cannot_tell=("whether the weights beside it are as long as the layers need", "types of layers that a program adds"),
    refines=("text",),
)
_BEGIN = pattern(rb"7767517\r?\n(\d{1,7}) (\d{1,7})[ \t]*\r?\n")
_LAYER = pattern(rb"^([A-Za-z]\w{0,60})[ \t]+\S{1,300}[ \t]+\d{1,5}[ \t]+\d{1,5}(?:[ \t]|$)")
_LOOKED = 16 * 1024 * 1024
_WHOLE = 1 << 62
#: What its bytes begin with.
STARTS = (b"7767517",)


def probe(head: Head) -> Likeness:
    """The number, and how many layers and blobs."""
    fits = _BEGIN.match(head.data) is not None and text.probe(head) is not Likeness.NO
    return Likeness.STRONG if fits else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Read it as text, count the layers, and claim the weights where every line is a layer."""
    text.read(source, facts)
    begin = _BEGIN.match(source.upto(0, 64))
    if facts.coverage is not Coverage.INERT or begin is None or source.size > _LOOKED:
        return
    lines = [line for line in source.read(begin.end(), source.size - begin.end()).splitlines() if line.strip()]
    layers = [found for line in lines if (found := _LAYER.match(line))]
    facts.note("layers", len(layers))
    facts.note("types", sorted({printable(found[1].decode("ascii")) for found in layers})[:1000])
    if len(layers) == len(lines) == int(begin[1]):
        base = facts.name.rsplit("/", 1)[-1]
        facts.claims[f"{base.removesuffix('.param')}.bin"] = [(0, _WHOLE)]
