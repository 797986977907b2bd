"""Dossiers for tests, made once and copied, and disks that die."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from openvet.evidence.bundle import Bundle
from openvet.evidence.dossier.writing import add_to_dossier, create_dossier
from openvet.evidence.keys import PrivateKey, generate
from openvet.evidence.log.disk import Disk
from openvet.evidence.signing import sign_payload

OWNER: Final = generate("ed25519")
OTHER: Final = generate("p256")
ORIGIN: Final = "example.com/dossier"


class DiedError(Exception):
    """The process ended here."""


class DyingDisk(Disk):
    """Stops before its ``last``-th step; a write that it stops at is done by half."""

    def __init__(self, folder: str, last: int, *, torn: bool = False) -> None:
        super().__init__(folder)
        self.last = last
        self.torn = torn
        self.steps = 0

    def before(self, step: str, name: str) -> None:
        self.steps += 1
        if self.steps == self.last and not (self.torn and step == "write"):
            raise DiedError

    def write(self, descriptor: int, data: memoryview) -> int:
        if self.torn and self.steps == self.last:
            super().write(descriptor, data[: len(data) // 2])
            raise DiedError
        return super().write(descriptor, data)


def statement(number: int, key: PrivateKey = OWNER, digest: str = "ab" * 32) -> Bundle:
    """A signed statement of a kind that nobody knows."""
    payload = (
        '{"_type":"https://in-toto.io/Statement/v1","predicate":{"n":%d},"predicateType":"https://example.com/n/v1",'
        '"subject":[{"digest":{"sha256":"%s"},"name":"model"}]}'
    )
    return sign_payload((payload % (number, digest)).encode(), key)


def make(folder: Path, count: int = 3) -> Path:
    """A dossier with ``count`` lines, the second by another key, and one document."""
    create_dossier(str(folder), ORIGIN, OWNER)
    blob = folder.parent / f"{folder.name}.blob"
    blob.write_bytes(b"a document")
    lines = [statement(number, OTHER if number == 1 else OWNER) for number in range(count)]
    add_to_dossier(str(folder), OWNER, lines, [OTHER.public], [str(blob)])
    return folder


def copy(folder: Path, name: str) -> Path:
    """A copy beside it."""
    return Path(shutil.copytree(folder, folder.parent / name))
