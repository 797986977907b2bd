"""The inventory opens what formats hand on, and keeps what every reading said."""

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from tests.inventory.test_identify import ELF, zipped

import openvet
from openvet.core.coverage import Coverage
from openvet.core.limits import Budget, Limits
from openvet.core.progress import Progress
from openvet.core.registry import Entry, Registered
from openvet.errors import MalformedError
from openvet.formats._format import Facts, Format, Likeness, Member, sign_of
from openvet.inventory import identify as identification
from openvet.inventory.ahead import Ahead
from openvet.inventory.build import take_inventory
from openvet.inventory.component import Inventory
from openvet.io.hashing import HashPool
from openvet.io.source import BytesSource, Source
from openvet.origins.local import LocalOrigin
from openvet.workflows.check import Options


def inventory(path: Path, limits: Limits | None = None) -> Inventory:
    pool, progress = HashPool(1, ("sha256",), Progress()), Progress()
    origin = LocalOrigin(str(path))
    try:
        return take_inventory(Ahead(origin, pool), Budget(limits or Limits()), pool, progress)
    finally:
        pool.stop()
        origin.close()


def tarred(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def deflated(name: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return out.getvalue()


def test_members_of_members_have_places(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(tarred({"b/c.zip": deflated("d.txt", b"text\n"), "e.py": b"import os\n"}))
    found = inventory(tmp_path)
    assert [(each.place, each.formats, each.size, each.coverage) for each in found.walk()] == [
        ("a.tar", ("tar",), (tmp_path / "a.tar").stat().st_size, Coverage.READ),
        ("a.tar!/b/c.zip", ("zip",), len(deflated("d.txt", b"text\n")), Coverage.READ),
        ("a.tar!/b/c.zip!/d.txt", ("text",), 5, Coverage.INERT),
        ("a.tar!/e.py", ("python",), 10, Coverage.READ),
    ]
    digested = [each.place for each in found.walk() if each.digests]
    assert digested == ["a.tar", "a.tar!/e.py"], "whole files, and members that are programs"


def test_every_member_is_digested_when_that_is_asked(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(tarred({"b.txt": b"text\n", "c.py": b"import os\n"}))
    options = Options(digest_members=True, algorithms=("sha256", "blake3"))
    assert (body := openvet.check(tmp_path, options=options).models[0].inventory) is not None
    assert [(each.place, sorted(each.digest)) for each in body.items] == [
        ("a.tar", ["blake3", "sha256"]),
        ("a.tar!/b.txt", ["blake3", "sha256"]),
        ("a.tar!/c.py", ["blake3", "sha256"]),
    ]
    assert body.items[1].digest["sha256"] == hashlib.sha256(b"text\n").hexdigest()


def test_what_is_too_deep_is_named_and_not_read(tmp_path: Path) -> None:
    data = b"text"
    for depth in range(4):
        data = deflated(f"{depth}.zip", data)
    (tmp_path / "a.zip").write_bytes(data)
    found = list(inventory(tmp_path, Limits(depth=2)).walk())
    assert [each.place for each in found if each.coverage is Coverage.UNREAD] == ["a.zip!/3.zip!/2.zip!/1.zip"]
    assert [(each.reason, "(limit depth = 2)" in each.message) for each in found[-1].unknowns] == [("limit", True)]


def test_a_program_in_front_of_an_archive_is_not_lost(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(ELF + zipped())
    found = inventory(tmp_path)
    assert [(each.place, each.formats) for each in found.walk()] == [
        ("a.zip", ("elf", "zip")),
        ("a.zip!/a.txt", ("text",)),
    ]
    assert found.files[0].coverage is Coverage.PARTIAL
    assert any(each.reason == "no-reader" and "in front of" in each.message for each in found.files[0].unknowns)


class _LateFormat:
    """A format whose trouble shows only when its members are opened, and later."""

    __name__ = "late"
    FORMAT = Format("late", "late", (), (), (), ())

    def __init__(self, fails: bool = False) -> None:
        self.fails = fails

    @staticmethod
    def probe(_head: object) -> Likeness:
        return Likeness.STRONG

    def read(self, source: Source, facts: Facts) -> None:
        if source.size < 4:
            return

        def open_member() -> Source:
            facts.unknown("malformed", "seen while opening", 3)
            facts.anomaly("archive/hidden-data", "seen while opening", 3)
            facts.dropped += 2
            return BytesSource(b"in")

        facts.add_members([Member("m", 2, open_member)])
        if self.fails:
            raise MalformedError("broken", offset=7)


@pytest.mark.parametrize("fails", [False, True])
def test_what_an_opener_finds_reaches_the_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, fails: bool
) -> None:
    registered = Registered((Entry.of(_LateFormat(fails), sign_of),), ())  # type: ignore[arg-type]
    monkeypatch.setattr(identification, "formats", lambda: registered)
    (tmp_path / "a").write_bytes(b"outer")
    file = inventory(tmp_path).files[0]
    assert [each.place for each in file.children] == ["a!/m"]
    assert file.coverage is Coverage.PARTIAL
    assert [each.message for each in file.unknowns] == ["broken"] * fails + ["seen while opening"]
    assert [each.rule for each in file.anomalies] == ["file/malformed"] * fails + ["archive/hidden-data"]
    assert file.dropped == 2


def test_a_reader_that_fails_hides_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from openvet.formats import text

    def broken(_source: Source, _facts: Facts) -> None:
        raise RuntimeError("a fault of ours \x1b[2J")

    monkeypatch.setattr(text, "read", broken)
    (tmp_path / "a.txt").write_text("text")
    (tmp_path / "b.json").write_text("{}")
    files = inventory(tmp_path).files
    assert [(each.place, each.coverage) for each in files] == [("a.txt", Coverage.PARTIAL), ("b.json", Coverage.READ)]
    assert [(each.reason, each.message) for each in files[0].unknowns] == [
        ("error", "the text reader failed: RuntimeError: a fault of ours \\x1b[2J")
    ]


def test_ctrl_c_leaves_no_descriptor_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from openvet.formats import text

    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.bin").write_bytes(bytes(3_000_000))
    (tmp_path / "d.txt").write_text("text")

    def interrupted(_source: Source, _facts: Facts) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(text, "read", interrupted)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(KeyboardInterrupt):
        inventory(tmp_path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_the_end_that_a_limit_makes_is_no_fault_of_the_file(tmp_path: Path) -> None:
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (3000000,), }".ljust(117) + b"\n"
    zeros = b"\x93NUMPY\x01\x00v\x00" + header + bytes(3_000_000)
    (tmp_path / "a.npz").write_bytes(deflated("a.npy", zeros))
    cut = inventory(tmp_path, Limits(ratio=50, ratio_floor=1_000_000))
    assert [each.rule for found in cut.walk() for each in found.anomalies] == []
    assert {each.reason for found in cut.walk() for each in found.unknowns} == {"limit"}
    assert all(each.coverage is Coverage.READ and not each.unknowns for each in inventory(tmp_path).walk())
