"""Everything that can be done to a dossier is refused for a reason, by OpenVet and by the single-file verifier, which agree."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from tests.evidence.dossier.making import ORIGIN, OTHER, OWNER, copy, make, statement

from openvet.errors import VerifyError
from openvet.evidence.dossier.index import sign_index
from openvet.evidence.dossier.reading import verify_dossier
from openvet.evidence.dossier.writing import add_to_dossier
from openvet.evidence.keys import PublicKey, generate
from openvet.evidence.log.writing import create_log, open_writer
from openvet.evidence.signing import sign_payload, to_line

TOOL = Path(__file__).resolve().parents[3] / "tools" / "openvet_verify.py"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("openvet_verify", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SINGLE = _load()


def verdict(folder: Path, key: PublicKey = OWNER.public, kept: bytes | None = None) -> str:
    """The reason, or 'verified' with the digests of the lines; the two verifiers have to say the same."""
    try:
        found = verify_dossier(str(folder), key, kept)
        ours = "verified " + " ".join(each.sha256[:8] for each in found.claims)
    except VerifyError as error:
        ours = error.reason
    try:
        told = SINGLE.verify(str(folder), SINGLE.load_key(key.pem, "the key"), kept)
        theirs = "verified " + " ".join(each["sha256"][:8] for each in told["claims"])
    except SINGLE.Refused as error:
        theirs = error.reason
    assert theirs == ours
    return ours


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("dossiers") / "whole")


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "dossier"))


def test_a_good_one(whole: Path) -> None:
    assert verdict(whole).startswith("verified ")


def test_the_single_file_verifier_imports_nothing_of_ours() -> None:
    text = TOOL.read_text()
    assert "import openvet" not in text
    assert "from openvet" not in text
    assert len(text.splitlines()) < 640


def lines_of(folder: Path) -> list[bytes]:
    return (folder / "claims.jsonl").read_bytes().splitlines(keepends=True)


def test_every_line_removed(whole: Path, tmp_path: Path) -> None:
    for number in range(3):
        folder = Path(shutil.copytree(whole, tmp_path / str(number)))
        lines = lines_of(folder)
        del lines[number]
        (folder / "claims.jsonl").write_bytes(b"".join(lines))
        assert verdict(folder) == "missing"


def test_every_pair_of_lines_swapped(folder: Path) -> None:
    lines = lines_of(folder)
    for first, second in ((0, 1), (0, 2), (1, 2)):
        order = list(lines)
        order[first], order[second] = order[second], order[first]
        (folder / "claims.jsonl").write_bytes(b"".join(order))
        assert verdict(folder) == "tampered"


def test_lines_added_doubled_and_edited(folder: Path) -> None:
    lines = lines_of(folder)
    new = to_line(statement(9)) + b"\n"
    edited = to_line(statement(2, digest="cd" * 32)) + b"\n"
    for changed in (
        [*lines, new],
        [new, *lines],
        [*lines, lines[0]],
        [*lines[:2], edited],
        [*lines, b"\n"],
        [b"".join(lines)[:-1]],
    ):
        (folder / "claims.jsonl").write_bytes(b"".join(changed))
        assert verdict(folder) == "tampered"
    (folder / "claims.jsonl").write_bytes(b"")
    assert verdict(folder) == "missing"


@pytest.mark.parametrize("flip", [0x01, 0x80], ids=["low", "high"])
def test_every_byte_of_the_index_flipped(folder: Path, flip: int) -> None:
    good = (folder / "index.json").read_bytes()
    seen = set()
    for at in range(len(good)):
        (folder / "index.json").write_bytes(good[:at] + bytes([good[at] ^ flip]) + good[at + 1 :])
        seen.add(verdict(folder))
    assert seen <= {"malformed", "tampered", "wrong-key"}
    assert "malformed" in seen


def test_every_seventh_byte_of_every_other_file_flipped(folder: Path) -> None:
    for path in sorted(each for each in folder.rglob("*") if each.is_file() and each.name != "index.json"):
        good = path.read_bytes()
        for at in range(0, len(good), 7):
            path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
            assert verdict(folder) == "tampered", (path, at)
        path.write_bytes(good)
    assert verdict(folder).startswith("verified")


def test_every_file_removed(whole: Path, tmp_path: Path) -> None:
    names = sorted(str(each.relative_to(whole)) for each in whole.rglob("*") if each.is_file())
    assert len(names) == 8
    for number, name in enumerate(names):
        folder = Path(shutil.copytree(whole, tmp_path / str(number)))
        (folder / name).unlink()
        assert verdict(folder) == "missing", name


@pytest.mark.parametrize(
    "name",
    [
        "notes.txt", f"trust/{'a' * 64}.pem", f"blobs/sha256/{'a' * 64}", "blobs/readme", "log/tile/0/001", "log/tile/1/000",
        "log/tile/0/000", "log/tile/0/000.p/4", "log/tile/0/000.p/2", "log/tile/entries/000.p/2", "log/tile/0/x000/000", "log/checkpoint.pending", "log/extra",
    ],
)  # fmt: skip
def test_a_file_added(folder: Path, name: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"more")
    assert verdict(folder) == "tampered"


def test_a_link_in_place_of_a_file(folder: Path) -> None:
    path = folder / "claims.jsonl"
    path.rename(folder.parent / "elsewhere")
    path.symlink_to(folder.parent / "elsewhere")
    assert verdict(folder) == "tampered"


def test_what_an_interrupted_change_leaves_does_not_count(folder: Path) -> None:
    for name in (".staging", ".old"):
        (folder / name).mkdir()
        (folder / name / "claims.jsonl").write_bytes(b"half")
    assert verdict(folder).startswith("verified")
    (folder / ".next").mkdir()
    (folder / ".next" / "claims.jsonl").write_bytes(b"")
    assert verdict(folder) == "missing"


def test_another_key(folder: Path) -> None:
    assert verdict(folder, generate("ed25519").public) == "wrong-key"
    assert verdict(folder, OTHER.public) == "wrong-key"


def test_an_index_of_another_key(folder: Path, tmp_path: Path) -> None:
    """The attacker signs the whole index with a key of their own, also under the owner's name."""
    thief = generate("ed25519")
    found = verify_dossier(str(folder), OWNER.public)
    claims = (folder / "claims.jsonl").read_bytes()
    checkpoint = found.index.checkpoint.encode()
    made = sign_index(
        claims, [each.line for each in found.claims], checkpoint, set(found.index.keys), set(found.index.blobs), thief
    )
    (folder / "index.json").write_bytes(made)
    assert verdict(folder) == "wrong-key"
    (folder / "index.json").write_bytes(made.replace(thief.public.hint.encode(), OWNER.public.hint.encode()))
    assert verdict(folder) == "tampered"


def _resigned(folder: Path, lines: list[bytes]) -> None:
    """A dossier that the owner's own key signs, with lines that `add` would refuse."""
    found = verify_dossier(str(folder), OWNER.public)
    shutil.rmtree(folder / "log")
    create_log(str(folder / "log"), ORIGIN, OWNER)
    with open_writer(str(folder / "log"), OWNER) as log:
        log.append([b"sha256:" + hashlib.sha256(each).hexdigest().encode() for each in lines])
    (folder / "log" / ".staging").rmdir()
    claims = b"".join(each + b"\n" for each in lines)
    (folder / "claims.jsonl").write_bytes(claims)
    checkpoint = (folder / "log" / "checkpoint").read_bytes()
    (folder / "index.json").write_bytes(sign_index(claims, lines, checkpoint, set(found.index.keys), set(found.index.blobs), OWNER))  # fmt: skip


STATEMENT = (
    b'{"_type":"https://in-toto.io/Statement/v1","predicate":{},"predicateType":"t","subject":[{"digest":{"a":"b"}}]}'
)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (lambda: to_line(statement(1, generate("p256"))), "untrusted"),
        (lambda: to_line(statement(1, generate("p256"))).replace(b"}", b" }", 1), "malformed"),
        (lambda: to_line(statement(1)).replace(b'"tlogEntries":[]', b'"tlogEntries":[1]'), "malformed"),
        (lambda: b"{}", "malformed"),
        (lambda: b"[" * 100_000, "malformed"),
        (lambda: to_line(sign_payload(b"no statement", OWNER)), "malformed"),
        (lambda: to_line(sign_payload(STATEMENT.replace(b'{"a":"b"}', b"{}"), OWNER)), "malformed"),
        (lambda: to_line(sign_payload(STATEMENT.replace(b'"predicate":{}', b'"predicate":{"a":1,"a":2}'), OWNER)), "malformed"),
        (lambda: to_line(sign_payload(STATEMENT.replace(b'"predicate":{}', b'"predicate":{"a":1.5}'), OWNER)), "malformed"),
        (lambda: to_line(sign_payload(STATEMENT.replace(b'"subject":', b'"more":1,"subject":'), OWNER)), "malformed"),
        (lambda: to_line(sign_payload(STATEMENT, OTHER)).replace(OTHER.public.hint.encode(), OWNER.public.hint.encode()), "tampered"),
        (lambda: to_line(sign_payload(STATEMENT, OWNER)), "verified"),
    ],
)  # fmt: skip
def test_lines_that_the_owner_signed_into_the_index(folder: Path, line: Callable[[], bytes], reason: str) -> None:
    _resigned(folder, [line()])
    assert verdict(folder).split(" ")[0] == reason


def test_rollback_and_fork_against_a_kept_checkpoint(whole: Path, tmp_path: Path) -> None:
    old = Path(shutil.copytree(whole, tmp_path / "old"))
    before = (old / "log" / "checkpoint").read_bytes()
    assert verdict(old, kept=before).startswith("verified")
    new, other = copy(old, "new"), copy(old, "other")
    add_to_dossier(str(new), OWNER, [statement(5)])
    add_to_dossier(str(other), OWNER, [statement(6), statement(7)])
    kept = (new / "log" / "checkpoint").read_bytes()
    assert verdict(new, kept=before).startswith("verified")
    assert verdict(new, kept=kept).startswith("verified")
    assert verdict(old, kept=kept) == "rollback"
    assert verdict(other, kept=kept) == "fork"
    stranger = make(tmp_path / "stranger", 1)
    assert verdict(stranger, kept=kept) == "rollback"  # of the same key and name, so it has to be the same log
    assert verdict(old, kept=kept[:-9]) == "malformed"
    assert verdict(old, kept=kept.replace(b"example.com/dossier\n", b"example.com/another\n")) == "mismatch"
    assert verdict(old, kept=kept.replace(b"\n4\n", b"\n3\n")) == "tampered"
    assert verdict(old, kept=kept.replace("— example".encode(), "— sample".encode())) == "wrong-key"


def test_parts_of_two_dossiers(whole: Path, tmp_path: Path) -> None:
    new = Path(shutil.copytree(whole, tmp_path / "new"))
    add_to_dossier(str(new), OWNER, [statement(5)])
    for name in ("index.json", "claims.jsonl", "log"):
        mixed = Path(shutil.copytree(new, tmp_path / f"mixed-{name}"))
        (shutil.rmtree if (mixed / name).is_dir() else os.unlink)(mixed / name)
        (shutil.copytree if (whole / name).is_dir() else shutil.copy)(whole / name, mixed / name)
        assert verdict(mixed) in {"tampered", "missing"}


def test_a_long_one(tmp_path: Path) -> None:
    folder = make(tmp_path / "long", 3)
    add_to_dossier(str(folder), OWNER, [statement(number) for number in range(10, 260)])
    add_to_dossier(str(folder), OWNER, [statement(number) for number in range(300, 560)])
    assert verdict(folder).startswith("verified")
    tile = folder / "log" / "tile" / "1" / "000.p" / "2"
    tile.write_bytes(tile.read_bytes()[::-1])
    assert verdict(folder) == "tampered"


def test_its_exit_codes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = folder.parent / "owner.pub"
    key.write_bytes(OWNER.public.pem)
    assert SINGLE.main([str(folder), "--key", str(key), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["verified"] is True
    assert SINGLE.main([str(folder), "--key", str(key), "--checkpoint", str(folder / "log" / "checkpoint")]) == 0
    (folder / "index.json").unlink()
    assert SINGLE.main([str(folder), "--key", str(key)]) == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith("NOT verified: missing: ")
    assert SINGLE.main([str(folder), "--key", str(folder / "no")]) == 2
    assert SINGLE.main([str(folder / "no"), "--key", str(key)]) == 2
