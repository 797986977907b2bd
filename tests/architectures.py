"""The reference of ``tests/vectors/architectures``: what published models are, by the real classes; see the README there.

A listing of tensors is a text of one pattern a line, ``NAME<tab>DTYPE<tab>SHAPE``: ``{0-31}`` and ``{1,3,5-7}`` in a name stand for
each of those numbers, and the shape of a scalar is empty. It says the same as the list of all tensors, and is a thousandth of it.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

__all__ = [
    "FOLDER",
    "SIZES",
    "VARIANTS",
    "Tensor",
    "components",
    "compress",
    "configs",
    "digest",
    "expand",
    "expected",
    "forge",
    "names",
    "numbers",
    "ranges",
    "shapes_digest",
    "tensors",
    "varied",
]

FOLDER = Path(__file__).resolve().parent / "vectors" / "architectures"
VARIANTS = FOLDER / "variants.json"
SIZES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "I64": 8, "I32": 4, "I8": 1, "U8": 1, "BOOL": 1}
_NUMBER = re.compile(r"(?<=\.)\d+(?=\.|$)|^\d+(?=\.)")
_HOLE = re.compile(r"\{([\d,-]+)\}")


class Tensor(NamedTuple):
    """One tensor of a safetensors file: its name there, its element type as safetensors writes it, its shape."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def elements(self) -> int:
        """How many numbers it holds; 1 for a scalar."""
        count = 1
        for size in self.shape:
            count *= size
        return count


def names() -> list[str]:
    """The models, sorted."""
    return sorted(json.loads((FOLDER / "models.json").read_text("utf-8")))


def configs(name: str) -> Path:
    """The folder with the configuration of a model as it is published: ``config.json``, or that of a pipeline, or of an adapter."""
    return FOLDER / "configs" / name


def expected(name: str) -> dict[str, Any]:
    """What the real class says of a model; the README says what each key means."""
    found: dict[str, Any] = json.loads((FOLDER / "expected" / f"{name}.json").read_text("utf-8"))
    return found


def components(name: str) -> list[str]:
    """The parts of a model: ``.`` of one that is a single class, the folders of a pipeline."""
    return sorted(expected(name)["components"])


def tensors(name: str, component: str = ".") -> list[Tensor]:
    """All tensors of a component, sorted by name."""
    stem = name if component == "." else f"{name}.{component}"
    return expand((FOLDER / "tensors" / f"{stem}.txt").read_text("utf-8").splitlines())


def numbers(text: str) -> Iterator[int]:
    """The numbers that ``0-2,5`` stands for."""
    for part in text.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def expand(lines: Iterable[str]) -> list[Tensor]:
    """The tensors that a listing stands for, sorted by name."""
    found: list[Tensor] = []
    for line in lines:
        pattern, dtype, sizes = line.split("\t")
        shape = tuple(int(size) for size in sizes.split(",") if size)
        parts = _HOLE.split(pattern)
        choices = [[part] if index % 2 == 0 else [str(n) for n in numbers(part)] for index, part in enumerate(parts)]
        found.extend(Tensor("".join(chosen), dtype, shape) for chosen in itertools.product(*choices))
    return sorted(found)


def ranges(found: Iterable[int]) -> str:
    """Numbers as ``0-2,5``, in order."""
    parts: list[list[int]] = []
    for number in sorted(found):
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


def _products(rows: set[tuple[int, ...]]) -> list[tuple[str, ...]]:
    """Sets of numbers, one for each place, whose products together are the rows."""
    if rows == {()}:
        return [()]
    tails: dict[int, set[tuple[int, ...]]] = {}
    for head, *tail in rows:
        tails.setdefault(head, set()).add(tuple(tail))
    heads: dict[frozenset[tuple[int, ...]], list[int]] = {}
    for head, found in tails.items():
        heads.setdefault(frozenset(found), []).append(head)
    return [("{" + ranges(same) + "}", *rest) for tail, same in heads.items() for rest in _products(set(tail))]


def compress(found: Iterable[Tensor]) -> list[str]:
    """The listing of tensors, sorted: ``expand`` gives them back."""
    groups: dict[tuple[tuple[str, ...], str, tuple[int, ...]], set[tuple[int, ...]]] = {}
    for tensor in found:
        key = (tuple(_NUMBER.split(tensor.name)), tensor.dtype, tensor.shape)
        groups.setdefault(key, set()).add(tuple(int(n) for n in _NUMBER.findall(tensor.name)))
    lines = []
    for (texts, dtype, shape), rows in groups.items():
        for holes in _products(rows):
            name = "".join(text + hole for text, hole in itertools.zip_longest(texts, holes, fillvalue=""))
            lines.append(f"{name}\t{dtype}\t{','.join(map(str, shape))}")
    return sorted(lines)


def digest(found: Iterable[Tensor]) -> str:
    """SHA-256 in hex over the tensors sorted by name, one ``NAME DTYPE SIZE,SIZE`` a line: equal for two listings of the same tensors."""
    lines = (f"{name} {dtype} {','.join(map(str, shape))}\n" for name, dtype, shape in sorted(found))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def shapes_digest(found: Mapping[str, tuple[int, ...]]) -> str:
    """SHA-256 in hex over names and shapes, sorted by name."""
    lines = (f"{name} {','.join(map(str, shape))}\n" for name, shape in sorted(found.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def varied(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of an entry of ``variants.json``."""
    config: dict[str, Any] = json.loads((configs(entry["base"]) / "config.json").read_text("utf-8"))
    for place, value in [*entry.get("set", {}).items(), *((place, None) for place in entry.get("drop", ()))]:
        *above, key = place.split("/")
        part = config
        for name in above:
            part = part[name]
        part[key] = value
        if place in entry.get("drop", ()):
            del part[key]
    return config


def forge(found: Iterable[Tensor], path: Path) -> int:
    """Write a safetensors file with these tensors and a hole of the right length for their data; returns the length in bytes.

    The file takes no room on the disk beyond its header, whatever it claims to hold; reading its data gives zeros.
    """
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for tensor in found:
        size = tensor.elements * SIZES[tensor.dtype]
        header[tensor.name] = {"dtype": tensor.dtype, "shape": list(tensor.shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        out.truncate(8 + len(text) + at)
    return 8 + len(text) + at
