"""An exported program of PyTorch (``torch.export.save``, ``.pt2``): a graph as JSON, and its tensors as raw members of a zip.

::

    <name>/archive_format                       "pt2"
    <name>/models/<model>.json                  graph: nodes, each with the operator that it calls
    <name>/data/weights/<key>                   the bytes of one tensor, or a pickle where the configuration says so
    <name>/data/weights/<model>_weights_config.json     name, key, dtype, sizes and use_pickle of each
    <name>/data/constants/...                   the same for constants; custom_obj_<n> are scripted objects
    <name>/data/sample_inputs/<model>.pt        a PyTorch zip archive
    <name>/data/aotinductor/<model>/...         compiled code

``torch.export.load`` looks every operator up by walking attributes from ``torch``, ``operator`` or ``math``, so that a graph may call
anything that can be reached from there; and it hands expressions of sizes to SymPy, which evaluates them as Python.

Reference: ``torch/export/pt2_archive`` and ``torch/_export/serde/serialize.py`` of PyTorch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from openvet.core.location import member_place
from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.errors import ReadError
from openvet.formats import zip as zip_format
from openvet.formats._format import Facts, Format, Head, Likeness, Tensor
from openvet.formats._listing import put_listing
from openvet.io.source import Source

if TYPE_CHECKING:
    from openvet.formats._torchscript import Collected
    from openvet.io.archive.zip import ZipEntry

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="torch-export",
    title="PyTorch exported program",
    extensions=(".pt2", ".pt", ".pth"),
    media_types=("application/x-pytorch",),
    can_tell=(
        "every tensor's name, dtype, shape and place as the configuration says",
        "which operators the graph calls, and expressions that are more than arithmetic",
        "everything that is told of the members: sample inputs, compiled code, pickles",
    ),
    cannot_tell=("what the graph computes", "what compiled code does"),
    refines=("torch-zip", "zip"),
)

_MARK: Final = b"/archive_format"
_MODELS: Final = 64
_NODES: Final = 5_000_000
# torch._export.serde.schema.ScalarType: word, bytes of one element
_DTYPES: Final = {
    1: ("U8", 1), 2: ("I8", 1), 3: ("I16", 2), 4: ("I32", 4), 5: ("I64", 8), 6: ("F16", 2), 7: ("F32", 4), 8: ("F64", 8),
    9: ("C32", 4), 10: ("C64", 8), 11: ("C128", 16), 12: ("BOOL", 1), 13: ("BF16", 2), 28: ("U16", 2), 29: ("F8_E4M3", 1),
    30: ("F8_E5M2", 1), 31: ("F8_E4M3FNUZ", 1), 32: ("F8_E5M2FNUZ", 1),
}  # fmt: skip
#: Numbers, names and operators; nothing that takes an attribute, an item or a text.
_PLAIN: Final = pattern(r"(?:[A-Za-z_]\w*+|\d++(?:\.\d*+)?+(?:[eE][-+]?\d++)?+|[-+*/%(),<>=!&|~^ ])*+")
_CALLED: Final = pattern(r"([A-Za-z_]\w*+)( *+\()?")
_SYMBOL: Final = pattern(r"\bSymbol\('[A-Za-z_]\w{0,60}'")
_FUNCTIONS: Final = frozenset(
    [
        "Abs",
        "Add",
        "Unequality",
        "Equality",
        "StrictLessThan",
        "StrictGreaterThan",
        "LessThan",
        "GreaterThan",
        "Symbol",
        "And",
        "CeilDiv",
        "CeilToInt",
        "CleanDiv",
        "Eq",
        "Float",
        "FloatPow",
        "FloatTrueDiv",
        "FloorDiv",
        "FloorToInt",
        "Ge",
        "Gt",
        "Identity",
        "IntTrueDiv",
        "Integer",
        "LShift",
        "Le",
        "Lt",
        "Max",
        "Min",
        "Mod",
        "ModularIndexing",
        "Mul",
        "Ne",
        "Not",
        "Or",
        "Piecewise",
        "Pow",
        "PowByNatural",
        "PythonMod",
        "RShift",
        "Rational",
        "RoundDecimal",
        "RoundToInt",
        "ToFloat",
        "TruncToFloat",
        "TruncToInt",
        "Where",
        "Xor",
        "ceiling",
        "cos",
        "exp",
        "floor",
        "log",
        "log2",
        "sin",
        "sqrt",
        "tan",
    ]
)


def probe(head: Head) -> Likeness:
    """A zip with ``archive_format`` in its folder and a graph below ``models``."""
    found = any(
        (_MARK in part and b"/models/" in part) or (_MARK in part and b"/data/" in part)
        for part in (head.tail, head.data)
    )
    return zip_format.probe(head) if found else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """List the zip, read configurations and graphs, and hand all members on."""
    from openvet.formats._torchscript import Collected
    from openvet.io.archive.zip import read_zip

    listing = read_zip(source, facts.budget)
    put_listing(source, facts, listing)
    by_name = {entry.name: entry for entry in listing.entries}
    claimed: set[int] = set()
    collected = Collected(facts)
    graphs = 0
    for entry in listing.entries:
        parts = entry.name.split("/")
        if entry.name.endswith("_config.json") and "data" in parts[:-1]:
            claimed |= _tensors(_json(source, facts, entry), facts, entry, by_name)
        elif len(parts) > 2 and parts[-2] == "models" and entry.name.endswith(".json"):
            graphs += 1
            if graphs > _MODELS:
                facts.unknown("limit", f"more than {_MODELS} graphs")
                break
            _graph(_json(source, facts, entry), facts, member_place(facts.place, entry.name), collected)
    collected.files = graphs
    facts.programs.append(collected.freeze())
    if any(entry.name.lower().endswith("/data.pkl") and entry.name.count("/") == 1 for entry in listing.entries):
        facts.unknown("unsupported", "it is a PyTorch zip archive as well, of which only the members were read")
    facts.add_members(
        replace(member, role="tensor-data") if member.offset in claimed else member
        for member in zip_format.zip_members(source, listing, facts)
    )


def _json(source: Source, facts: Facts, entry: ZipEntry) -> Any:
    import json

    from openvet.io.archive.zip import open_zip_entry

    shown = printable(entry.name)[:200]
    try:
        if entry.size > facts.limits.text:
            facts.unknown("limit", f"{shown} is longer than is parsed (limit text)")
            return None
        with open_zip_entry(source, entry, facts.budget) as member:
            return json.loads(member.upto(0, facts.limits.text))
    except ReadError as error:
        facts.unknown("malformed", f"{shown} cannot be read: {error.message}", error.offset)
    except (ValueError, RecursionError):
        facts.unknown("malformed", f"{shown} is no JSON")
    return None


def _tensors(document: Any, facts: Facts, entry: ZipEntry, by_name: dict[str, ZipEntry]) -> set[int]:
    """The tensors of one configuration; gives the offsets of the members that are nothing but their bytes."""
    config = document.get("config") if isinstance(document, dict) else None
    folder = entry.name.rpartition("/")[0]
    claimed: set[int] = set()
    for name, each in config.items() if isinstance(config, dict) else ():
        meta = each.get("tensor_meta") if isinstance(each, dict) else None
        member = by_name.get(f"{folder}/{each.get('path_name')}") if isinstance(each, dict) else None
        shape = _sizes(meta.get("sizes")) if isinstance(meta, dict) else None
        if meta is None or shape is None or member is None:
            continue
        if len(facts.tensors) >= facts.limits.tensors:
            facts.unknown("limit", f"more than {facts.limits.tensors} tensors (limit tensors)")
            break
        word, width = _DTYPES.get(meta.get("dtype"), ("?", 0)) if isinstance(meta.get("dtype"), int) else ("?", 0)
        plain = each.get("use_pickle") is False
        offset = member.data_offset if plain and member.method == 0 and member.data_offset >= 0 else None
        tensor = Tensor(printable(shorten(name, 1_000)), word, shape, offset, None)
        facts.tensors.append(replace(tensor, nbytes=tensor.elements * width if width else None))
        if plain:
            claimed.add(member.header_offset)
            if width and tensor.elements * width > member.size:
                facts.anomaly(
                    "torch/storage-mismatch",
                    f"tensor {tensor.name} takes {tensor.elements * width} bytes, but its member has {member.size}",
                    member.header_offset,
                    tensor=tensor.name,
                    beyond=True,
                )
    return claimed


def _sizes(value: Any) -> tuple[int, ...] | None:
    if not isinstance(value, list) or len(value) > 64:
        return None
    sizes: list[int] = []
    for each in value:
        size = each.get("as_int") if isinstance(each, dict) else None
        if type(size) is not int or not 0 <= size < 1 << 48:
            return None
        sizes.append(size)
    return tuple(sizes)


def _graph(document: Any, facts: Facts, place: str, collected: Collected) -> None:
    for key, text in _texts(document, facts):
        if key == "target":
            _target(text, place, collected)
        elif key == "expr_str" and not _is_plain(text):
            shown = shorten(printable(text), 160)
            facts.anomaly(
                "torch/export-expression",
                f"a size is an expression that is more than arithmetic: {shown}",
                expression=shown,
            )


def _texts(document: Any, facts: Facts) -> Iterator[tuple[str, str]]:
    """Every text under a key, wherever it is."""
    waiting: list[Any] = [document]
    for _ in range(_NODES):
        if not waiting:
            return
        node = waiting.pop()
        if isinstance(node, dict):
            for key, value in node.items():
                if isinstance(value, str):
                    yield key, value
                elif isinstance(value, (dict, list)):
                    waiting.append(value)
        elif isinstance(node, list):
            waiting.extend(each for each in node if isinstance(each, (dict, list)))
    facts.unknown("limit", f"a graph has more than {_NODES} parts")


def _target(text: str, place: str, collected: Collected) -> None:
    """What a node calls: an operator of PyTorch, or whatever else the walk over attributes leads to."""
    parts = text.split(".")
    if parts[:2] == ["torch", "ops"] and len(parts) >= 4 and len(parts) <= 5:
        collected.add(".".join(parts[2:4]), place, 0)
    elif parts[0] in ("_operator", "math") and len(parts) == 2:
        collected.add(text, place, 0)
    elif len(parts) > 1 and parts[0].startswith(("torch", "_operator", "math")):
        collected.add(f"call.{text}", place, 0)
    elif text.startswith("#"):
        collected.add(f"extension.{text[1:]}", place, 0)


def _is_plain(text: str) -> bool:
    """Whether SymPy would only compute with it."""
    text = _SYMBOL.sub("Symbol(x", text)  # as ``srepr`` writes a name
    return (
        len(text) < 20_000
        and _PLAIN.fullmatch(text) is not None
        and "__" not in text
        and all(
            name in _FUNCTIONS or name.startswith("OpaqueUnaryFn_") for name, called in _CALLED.findall(text) if called
        )
    )
