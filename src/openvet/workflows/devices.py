"""The devices that a user names: by id, with a size of memory (``rpi5:16``), or in a file of the user's own."""

from __future__ import annotations

import os
from collections.abc import Iterable
from fractions import Fraction
from typing import Final

from openvet.core.quantity import number_text
from openvet.core.text import printable
from openvet.errors import UsageError
from openvet.profile.device import GIB, Device
from openvet.profile.devices import devices, efficiencies, take_devices
from openvet.workflows.model_files import read_small
from openvet.workflows.stated_file import StatedReader
from openvet.workflows.toml_reader import LARGEST, near_word

__all__ = ["device_ids", "find_devices", "read_devices"]

_ENDINGS: Final = (".toml", ".json", ".yaml", ".yml")


def device_ids() -> tuple[str, ...]:
    """Those that ship, in the order of their table."""
    return tuple(devices())


def find_devices(named: Iterable[str]) -> list[Device]:
    """The devices, in the order of naming; of a file all that it has.

    Raises:
        UsageError: there is no such device, or no such size of it.
        ConfigError: a problem in a file, with its line.
        OSError, SubjectError: a file cannot be read.
    """
    known = devices()
    out: dict[str, Device] = {}
    for name in named:
        if name.lower().endswith(_ENDINGS):
            found = read_devices(name)
        else:
            id_, colon, size = name.partition(":")
            device = known.get(id_)
            if device is None:
                shown = printable(id_)[:100]
                near = near_word(id_, known)
                raise UsageError(
                    f"no device {shown!r}{near or ';'} `openvet profile --devices` lists them, and a FILE.toml describes others"
                )
            found = [_sized(device, size) if colon else device]
        out.update((each.label, each) for each in found)
    return list(out.values())


def _sized(device: Device, size: str) -> Device:
    for each in device.sizes:
        if number_text(Fraction(each, GIB)) == size:
            return device.sized(each)
    sizes = ", ".join(number_text(Fraction(each, GIB)) for each in sorted(device.sizes))
    raise UsageError(f"{device.id} is not sold with {printable(size)[:50]!r} GiB of memory, but with {sizes} GiB")


def read_devices(path: str) -> list[Device]:
    """Those of a user's file (raises like :func:`find_devices`)."""
    data = read_small(path, LARGEST)
    reader = StatedReader(data, printable(path), os.path.splitext(path)[1].lower(), "device, and efficiency if need be")
    found = take_devices(reader.document(), reader.problem, efficiencies())
    reader.finish()
    return list(found.values())
