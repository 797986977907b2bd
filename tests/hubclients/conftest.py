"""One server for all tests here, one process of each client, and a repository that every one of them can use."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.hubclients.clients import HUBS, Client, is_made
from tests.hubproxy.running import Running
from tests.hubproxy.shelf import Shelf

MADE = [*HUBS, "transformers"]


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(tmp_path_factory.mktemp("shelf"))


@pytest.fixture(scope="session")
def server(shelf: Shelf) -> Iterator[Running]:
    with Running(shelf, hold=0.3) as running:
        yield running


@pytest.fixture(scope="session", params=MADE)
def client(
    request: pytest.FixtureRequest, server: Running, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Client]:
    name = request.param
    if not is_made(name):
        pytest.skip(f"the environment {name} is not there; make clients makes it (PyTorch is not on every index)")
    home = tmp_path_factory.mktemp(name)
    with Client(name, server.url, home, DRIVER_NEVER_SLEEPS="1") as made:
        yield made


@pytest.fixture(scope="session")
def files(shelf: Shelf) -> dict[str, bytes]:
    """A model as ``org/model``."""
    made = {
        "config.json": b"{}",
        "empty.txt": b"",
        "model.safetensors": os.urandom(3_000_000),
        "sub/dir/a b.txt": b"hello",
        "sub/\u00e9#?.txt": b"an unusual name",
    }
    shelf.put("org/model", made)
    return made


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def bytes_in(folder: Path) -> dict[str, bytes]:
    return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}
