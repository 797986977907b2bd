"""Signed notes and checkpoints: the examples of C2SP, unknown signatures, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvet.errors import UsageError, VerifyError
from openvet.evidence.checkpoint import Checkpoint, parse_decimal, read_checkpoint, sign_checkpoint
from openvet.evidence.keys import generate
from openvet.evidence.merkle import EMPTY_ROOT
from openvet.evidence.note import Note, NoteSignature, Verifier, sign_note

KEY, OTHER = generate("ed25519"), generate("ed25519")
#: The example of ``signed-note.md``.
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SIGNED = """This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
"""


def reason(what: Any, *arguments: Any) -> str:
    with pytest.raises(VerifyError) as caught:
        what(*arguments)
    return caught.value.reason


def test_the_example_of_the_specification() -> None:
    verifier = Verifier.parse(VKEY)
    assert (str(verifier), verifier.key_id.hex()) == (VKEY, "530d903a")
    note = Note.parse(SIGNED.encode())
    note.verify(verifier)
    assert note.to_bytes() == SIGNED.encode()
    assert reason(Note.parse(SIGNED.replace("example m", "exemple m").encode()).verify, verifier) == "tampered"
    assert reason(note.verify, Verifier("example.com/foo", KEY.public)) == "wrong-key"
    assert reason(note.verify, Verifier("example.com/bar", verifier.key)) == "wrong-key"


def test_signatures_of_others_are_passed_over_and_kept() -> None:
    mine = sign_note("one\n\nzwei ä\n".encode(), "me.example/log", KEY)
    other = sign_note(mine.text, "me.example/log", OTHER).signatures[0]
    post_quantum = NoteSignature("witness.example", b"abcd", bytes(2420))
    whole = Note(mine.text, (other, post_quantum, *mine.signatures))
    again = Note.parse(whole.to_bytes())
    assert again == whole
    again.verify(Verifier("me.example/log", KEY.public))
    again.verify(Verifier("me.example/log", OTHER.public))
    assert reason(again.verify, Verifier("witness.example", KEY.public)) == "wrong-key"
    # one line that is said to be of a known key and is not spoils the note, even beside a good one
    forged = NoteSignature("me.example/log", mine.signatures[0].key_id, bytes(64))
    assert (
        reason(Note(mine.text, (*mine.signatures, forged)).verify, Verifier("me.example/log", KEY.public)) == "tampered"
    )
    Note.parse(Note(mine.text, mine.signatures * 16).to_bytes()).verify(Verifier("me.example/log", KEY.public))


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", "a\n", "a\n\n", "\n\n", "a\n\n— b", "a\n\n— b\n", "a\n\n— b c\n", "a\n\n- b MTIzNDU2Nzg=\n", "a\n\n—  b MTIzNDU2Nzg=\n",
        "a\n\n— b MTIzNDU2Nzg= \n", "a\n\n— b MTIzNDU2Nzg=\nx\n", "a\n\n— b+ MTIzNDU2Nzg=\n", "a\n\n— b\u00a0c MTIzNDU2Nzg=\n", "a\n\n— b MTIzNDU2Nzg\n",
        "a\n\n— b MTIz\n", "a\r\n\n— b MTIzNDU2Nzg=\n", "a\t\n\n— b MTIzNDU2Nzg=\n", "a\n\n— b MTIzNDU2Nzg=\r\n", "a\0\n\n— b MTIzNDU2Nzg=\n",
        "a\n\n" + "— b MTIzNDU2Nzg=\n" * 65, "a" * 2**20 + "\n\n— b MTIzNDU2Nzg=\n",
    ],
)  # fmt: skip
def test_what_is_no_note(text: str) -> None:
    assert Note.parse("a\n\n— b MTIzNDU2Nzg=\n".encode()).signatures[0].key_id == b"1234"
    assert reason(Note.parse, text.encode()) == "malformed"
    assert reason(Note.parse, text.encode() + b"\xff\n") == "malformed"


def test_keys_that_are_no_verifiers() -> None:
    for text in (
        "",
        "a+b",
        "a+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        VKEY.replace("+Ae", "+Be"),
        VKEY[:-4],
    ):
        with pytest.raises(UsageError):
            Verifier.parse(text)
    for name in ("", "a b", "a+b", "a\u2003b", "a\nb", "a\x00", "\ud800"):
        with pytest.raises(UsageError, match="names no log"):
            Verifier(name, KEY.public)
    with pytest.raises(UsageError, match="p256"):
        Verifier("a", generate("p256").public)


@given(st.integers(1, 2**63 - 1), st.binary(min_size=32, max_size=32), st.sampled_from([(), ("more",), ("a b", "ü")]))
def test_a_checkpoint_is_read_as_it_was_signed(size: int, root: bytes, extensions: tuple[str, ...]) -> None:
    checkpoint = Checkpoint("example.com/log", size, root, extensions)
    assert read_checkpoint(sign_checkpoint(checkpoint, KEY), KEY.public, "example.com/log") == checkpoint


def test_a_checkpoint_of_another_log_or_key() -> None:
    data = sign_checkpoint(Checkpoint("example.com/log", 0, EMPTY_ROOT), KEY)
    assert read_checkpoint(data, KEY.public).size == 0
    assert reason(read_checkpoint, data, OTHER.public) == "wrong-key"
    assert reason(read_checkpoint, data, KEY.public, "example.com/other") == "mismatch"
    assert reason(read_checkpoint, data.replace(b"\n0\n", b"\n1\n"), KEY.public) == "tampered"
    with pytest.raises(UsageError, match="p384"):
        read_checkpoint(data, generate("p384").public)


@pytest.mark.parametrize(
    "text",
    [
        b"", b"a\n", b"a\n1\n", b"a\n1\nx\n", b"a\n01\n" + b"A" * 43 + b"=\n", b"a\n-1\n" + b"A" * 43 + b"=\n", b"a\n\xd9\xa1\n" + b"A" * 43 + b"=\n",
        b"a\n1\n" + b"A" * 43 + b"=", b"a\n1\n" + b"A" * 42 + b"B=\n", b"a\n0\n" + b"A" * 43 + b"=\n", b"a\n1\nAAAA\n", b"a\n1\n" + b"A" * 43 + b"=\n\n",
        b"a\n1\n" + b"A" * 43 + b"=\n\nx\n", b"\n1\n" + b"A" * 43 + b"=\n", b"a\n9223372036854775808\n" + b"A" * 43 + b"=\n",
    ],
)  # fmt: skip
def test_what_is_no_checkpoint(text: bytes) -> None:
    assert Checkpoint.parse(b"a\n1\n" + b"A" * 43 + b"=\n").root == bytes(32)
    assert reason(Checkpoint.parse, text) == "malformed"


@given(st.data())
def test_every_flipped_bit_is_refused(data: st.DataObject) -> None:
    good = sign_checkpoint(Checkpoint("example.com/log", 7, bytes(32)), KEY)
    at = data.draw(st.integers(0, len(good) * 8 - 1))
    bent = bytearray(good)
    bent[at // 8] ^= 1 << at % 8
    assert reason(read_checkpoint, bytes(bent), KEY.public) in {"malformed", "tampered", "wrong-key"}


def test_numbers_have_one_spelling() -> None:
    assert parse_decimal("0", "it") == 0
    for text in ("", "00", "+1", "1_0", " 1", "1\n", "٣"):
        assert reason(parse_decimal, text, "it") == "malformed"
