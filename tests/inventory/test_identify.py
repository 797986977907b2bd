"""Identification asks every format that may begin so, and looks at the bytes alone."""

import io
import zipfile

import pytest

from openvet.core.coverage import Coverage
from openvet.formats._format import Head
from openvet.inventory.component import Component, Inventory
from openvet.inventory.identify import identify
from openvet.io.source import BytesSource
from openvet.testing.forge_media import png
from openvet.testing.forge_tensors import gguf, safetensors


def zipped(name: str = "a.txt") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, b"text")
    return out.getvalue()


def found(data: bytes, name: str = "x") -> tuple[tuple[str, ...], str | None, bool]:
    identity = identify(Head(name, BytesSource(data)))
    ids = tuple(module.FORMAT.id for module in identity.readers)
    return ids, identity.recognised.id if identity.recognised else None, identity.polyglot


ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\x3e\x00\x01\x00\x00\x00" + bytes(40)


@pytest.mark.parametrize("name", ["x", "model.safetensors", "a.py", "weights.pt", "photo.png"])
def test_the_name_changes_nothing(name: str) -> None:
    assert found(safetensors({"w": ("F32", [2])}), name) == (("safetensors",), None, False)
    assert found(gguf(), name) == (("gguf",), None, False)
    assert found(zipped(), name) == (("zip",), None, False)
    assert found(ELF, name) == ((), "elf", False)


def test_a_format_replaces_the_one_that_it_refines() -> None:
    assert found(zipped("model/data.pkl")) == (("torch-zip",), None, False)
    assert found(b'{"a": 1}') == (("json",), None, False)


def test_two_formats_at_once_make_a_polyglot() -> None:
    ids, recognised, polyglot = found(png() + zipped())
    assert (set(ids), recognised, polyglot) == ({"png", "zip"}, None, True)


def test_a_program_in_front_of_an_archive_is_told_too() -> None:
    assert found(ELF + zipped()) == (("zip",), "elf", False)


def test_what_nobody_knows_is_nothing() -> None:
    assert found(bytes(range(1, 256)) * 3) == ((), None, False)


def test_components_are_found_by_format_in_order_and_once() -> None:
    kinds = [("a",), ("b",), ("a", "b"), (), ("a", "a"), ("c",)]
    files = tuple(Component(str(at), str(at), 1, kind, Coverage.READ) for at, kind in enumerate(kinds))
    inventory = Inventory(files)
    for wanted in [(), ("a",), ("b",), ("a", "b"), ("b", "a", "d"), ("d",), ("c",)]:
        expected = [each for each in files if not set(wanted).isdisjoint(each.formats)]
        assert list(inventory.of(wanted)) == expected
