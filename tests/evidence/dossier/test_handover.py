"""A dossier that is handed over to another key: who is led where, and what the old key can do no more. Both verifiers agree."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.evidence.dossier.making import ORIGIN, OTHER, OWNER, DiedError, DyingDisk, make, statement
from tests.evidence.dossier.test_tampering import verdict

from openvet.errors import UsageError, VerifyError
from openvet.evidence.bundle import Bundle
from openvet.evidence.dossier.handover import Handover
from openvet.evidence.dossier.index import sign_index
from openvet.evidence.dossier.layout import PENDING
from openvet.evidence.dossier.reading import verify_dossier
from openvet.evidence.dossier.writing import add_to_dossier, create_dossier, hand_over_dossier
from openvet.evidence.keys import PrivateKey, generate
from openvet.evidence.log.writing import create_log, open_writer
from openvet.evidence.signing import sign_payload, to_line

NEW, LATER, THIEF = generate("ed25519"), generate("ed25519"), generate("ed25519")


def handover(old: PrivateKey, new: PrivateKey, by: PrivateKey | None = None, origin: str = ORIGIN) -> Bundle:
    return sign_payload(Handover.to(new.public, origin, old.public.hint).payload, by or old)


def rotate(folder: Path, old: PrivateKey, new: PrivateKey) -> tuple[int, ...]:
    return hand_over_dossier(str(folder), old.public, new, [handover(old, new)])


def resigned(folder: Path, lines: Sequence[bytes], key: PrivateKey, origin: str = ORIGIN) -> None:
    """A dossier of these lines, whatever they are, that ``key`` signs altogether, with every key in it that there is."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "trust").mkdir()
    keys = {each.public.hint: each.public.pem for each in (OWNER, OTHER, NEW, LATER, THIEF)}
    for hint, pem in keys.items():
        (folder / "trust" / f"{hint}.pem").write_bytes(pem)
    create_log(str(folder / "log"), origin, key)
    with open_writer(str(folder / "log"), key) as log:
        log.append([b"sha256:" + hashlib.sha256(each).hexdigest().encode() for each in lines])
    (folder / "log" / ".staging").rmdir()
    claims = b"".join(each + b"\n" for each in lines)
    (folder / "claims.jsonl").write_bytes(claims)
    checkpoint = (folder / "log" / "checkpoint").read_bytes()
    (folder / "index.json").write_bytes(sign_index(claims, list(lines), checkpoint, set(keys), set(), key))


def lines_of(folder: Path) -> list[bytes]:
    return (folder / "claims.jsonl").read_bytes().splitlines()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three lines of the old owner's, and a fourth that hands over."""
    made = make(tmp_path / "dossier")
    assert rotate(made, OWNER, NEW) == (4,)
    return made


def test_both_keys_lead_to_it(folder: Path) -> None:
    assert verdict(folder, NEW.public) == verdict(folder, OWNER.public)
    assert verdict(folder, NEW.public).startswith("verified")
    assert verdict(folder, LATER.public) == "wrong-key"
    found = verify_dossier(str(folder), OWNER.public)
    assert (found.trusted, found.owner) == (OWNER.public.hint, NEW.public.hint)
    assert [each.line for each in found.steps] == [4]
    add_to_dossier(str(folder), NEW, [statement(7, NEW)])
    assert rotate(folder, NEW, LATER) == (6,)
    add_to_dossier(str(folder), LATER, [statement(8, LATER)])
    for key in (OWNER, NEW, LATER):
        assert verdict(folder, key.public).startswith("verified")


def test_the_old_key_adds_no_more(folder: Path) -> None:
    with pytest.raises(VerifyError, match="handed the dossier over") as caught:
        add_to_dossier(str(folder), OWNER, [statement(9)])
    assert caught.value.reason == "revoked"
    with pytest.raises(VerifyError) as caught:
        rotate(folder, OWNER, LATER)
    assert caught.value.reason == "untrusted"
    assert verdict(folder, NEW.public).startswith("verified")


def test_an_index_that_the_old_key_signs_after_it(folder: Path) -> None:
    lines = [*lines_of(folder), to_line(statement(9))]
    resigned(folder, lines, OWNER)
    assert verdict(folder, OWNER.public) == "revoked"
    assert verdict(folder, NEW.public) == "wrong-key"


def test_the_old_key_takes_the_handover_back(folder: Path) -> None:
    """Without the line, it is a good dossier of the old key, for whoever trusts that and kept nothing."""
    kept = (folder / "log" / "checkpoint").read_bytes()
    lines = [each for each in lines_of(folder) if b"publicKey" in each][:3]
    resigned(folder, [*lines, to_line(statement(9))], OWNER)
    assert verdict(folder, NEW.public) == "wrong-key"
    assert verdict(folder, OWNER.public).startswith("verified")
    assert verdict(folder, OWNER.public, kept) == "wrong-key"


def test_the_old_key_hands_over_to_somebody_else_after_it(folder: Path) -> None:
    resigned(folder, [*lines_of(folder), to_line(handover(OWNER, THIEF))], THIEF)
    assert verdict(folder, OWNER.public) == "wrong-key"
    assert verdict(folder, NEW.public) == "wrong-key"


def test_the_new_owner_gives_it_back_and_nobody_plays_the_handover_again(folder: Path) -> None:
    assert rotate(folder, NEW, OWNER) == (5,)
    assert verdict(folder, OWNER.public).startswith("verified")
    assert verdict(folder, NEW.public).startswith("verified")
    with pytest.raises(VerifyError, match="nobody who may"):
        rotate(folder, OWNER, NEW)
    resigned(folder, [*lines_of(folder), lines_of(folder)[3]], NEW)
    assert verdict(folder, OWNER.public) == "wrong-key"
    assert verdict(folder, NEW.public) == "revoked"


def test_kept_checkpoints_of_both_keys(folder: Path, tmp_path: Path) -> None:
    old = make(tmp_path / "old")
    before = (old / "log" / "checkpoint").read_bytes()
    resigned(folder, [*lines_of(old), to_line(handover(OWNER, NEW)), to_line(statement(5, NEW))], NEW)
    after = (folder / "log" / "checkpoint").read_bytes()
    for key in (OWNER, NEW):
        assert verdict(folder, key.public, before).startswith("verified")
        assert verdict(folder, key.public, after).startswith("verified")
    assert (
        verdict(old, OWNER.public, after) == "wrong-key"
    )  # the dossier of the day before, for who has seen the handover
    # a checkpoint that the old key signed when it had no right to any more
    late = tmp_path / "late"
    resigned(late, lines_of(folder), OWNER)
    assert verdict(folder, NEW.public, (late / "log" / "checkpoint").read_bytes()) == "revoked"
    # others lines than before the handover
    other = tmp_path / "other"
    resigned(other, [to_line(statement(each)) for each in (7, 8, 9)], OWNER)
    assert verdict(folder, NEW.public, (other / "log" / "checkpoint").read_bytes()) == "fork"
    stranger = tmp_path / "stranger"
    resigned(stranger, lines_of(old), THIEF)
    assert verdict(folder, NEW.public, (stranger / "log" / "checkpoint").read_bytes()) == "wrong-key"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (lambda: handover(OWNER, NEW), "verified"),
        (lambda: handover(OWNER, NEW, by=OTHER), "wrong-key"),  # by another, whom the owner had vouched for
        (lambda: handover(OWNER, NEW, by=NEW), "wrong-key"),  # by whom it is for
        (lambda: handover(OWNER, NEW, origin="example.com/another"), "wrong-key"),  # of another dossier
        (lambda: handover(LATER, NEW), "wrong-key"),  # of a key that nothing leads to
        (lambda: sign_payload(handover(OWNER, NEW).envelope.payload.replace(b'"predicate":{', b'"predicate":{ '), OWNER), "wrong-key"),
        (lambda: sign_payload(handover(OWNER, NEW).envelope.payload.replace(NEW.public.hint.encode(), THIEF.public.hint.encode()), OWNER), "wrong-key"),
        (lambda: statement(1), "wrong-key"),
    ],
)  # fmt: skip
def test_what_hands_over_and_what_does_not(tmp_path: Path, line: object, reason: str) -> None:
    assert callable(line)
    resigned(tmp_path / "d", [to_line(statement(0)), to_line(line())], NEW)
    assert verdict(tmp_path / "d", OWNER.public).split(" ")[0] == reason
    assert verdict(tmp_path / "d", NEW.public).startswith("verified")


@pytest.mark.parametrize("flip", [0x01, 0x80])
def test_bytes_of_the_handover_flipped(folder: Path, flip: int) -> None:
    """Also where the new owner signs the index over the flipped line: who trusts the old key is not led there."""
    lines = lines_of(folder)
    good = lines[3]
    for at in range(0, len(good), 13 if flip == 1 else 101):
        bad = good[:at] + bytes([good[at] ^ flip]) + good[at + 1 :]
        if b"\n" in bad:
            continue
        resigned(folder, [*lines[:3], bad], NEW)
        assert verdict(folder, OWNER.public) in {"wrong-key", "malformed"}


def test_what_is_refused(tmp_path: Path) -> None:
    folder = make(tmp_path / "d")
    with pytest.raises(UsageError, match="is a p256 one"):
        Handover.to(OTHER.public, ORIGIN, OWNER.public.hint)
    with pytest.raises(UsageError, match="nothing to hand over"):
        Handover.to(OWNER.public, ORIGIN, OWNER.public.hint)
    for bundles in ([], [statement(1)], [handover(OWNER, LATER)], [handover(OWNER, NEW, by=OTHER)]):
        with pytest.raises(VerifyError, match="nobody who may"):
            hand_over_dossier(str(folder), OWNER.public, NEW, bundles)
    assert verdict(folder) == verdict(folder)


def test_a_handover_that_dies_at_any_step_is_made_or_not(tmp_path: Path) -> None:
    for step in range(1, 400, 3):
        folder = tmp_path / str(step)
        create_dossier(str(folder), ORIGIN, OWNER)
        disk = DyingDisk(str(folder), step)
        try:
            hand_over_dossier(str(folder), OWNER.public, NEW, [handover(OWNER, NEW)], disk=disk)
        except DiedError:
            assert verdict(folder).startswith("verified")
            owner = verify_dossier(str(folder), OWNER.public).owner
            assert owner in {OWNER.public.hint, NEW.public.hint}
            if (folder / PENDING).exists():  # the next writer finishes it
                with pytest.raises(VerifyError, match="already"):
                    rotate(folder, OWNER, NEW)
            elif owner == OWNER.public.hint:
                rotate(folder, OWNER, NEW)
            add_to_dossier(str(folder), NEW, [statement(1, NEW)])
            assert verdict(folder, NEW.public).startswith("verified")
        else:
            assert step > 20
            return
        finally:
            shutil.rmtree(folder)
    raise AssertionError("it never ended")
