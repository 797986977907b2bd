"""Verifying a dossier: the index first, then that everything is there that it names, and nothing else, and that every line is signed.

Where the index is signed with another key than the trusted one, the lines are looked through for handovers from that key on, each
verified before it is followed (:mod:`openvet.evidence.dossier.handover`).
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.errors import UsageError, VerifyError
from openvet.evidence.checkpoint import Checkpoint, read_checkpoint
from openvet.evidence.dossier.handover import OWNER_TYPE, Approve, Step, handovers, owner_after, owners_before
from openvet.evidence.dossier.index import Index, read_index, signer_of
from openvet.evidence.dossier.layout import BLOBS, CLAIMS, INDEX, LOG, TRUST, names_of
from openvet.evidence.keys import PublicKey, load_public
from openvet.evidence.log.disk import read_file
from openvet.evidence.log.layout import CHECKPOINT, ENTRIES, Place, pack, places
from openvet.evidence.log.proof import entry_for_digest
from openvet.evidence.merkle import Tree, leaf_hash
from openvet.evidence.signing import SignedStatement, parse_line, parse_statement
from openvet.evidence.verifier import named_key, verify_with_key

__all__ = ["Claim", "Dossier", "read_parts", "verify_dossier"]

#: Bytes of a dossier's own files; documents in ``blobs/`` may have any size.
_MOST: Final = 1 << 30
_METHODS: Final = {"publicKey": "key", "x509CertificateChain": "certificate", "certificate": "keyless"}
#: A writer puts a change in place in some milliseconds; two of them at work all the time are outlasted.
_TRIES: Final = 20
_READ: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


@dataclass(frozen=True, slots=True)
class Claim:
    """One line: its bytes, its SHA-256, the SHA-256 of the key that signed it, and the statement.

    ``method`` says how it names that key: ``key``, or ``certificate`` or ``keyless``, where the key is that of a certificate, of which
    nothing else was looked at.
    """

    line: bytes
    sha256: str
    key: str
    statement: SignedStatement
    method: str = "key"


@dataclass(frozen=True, slots=True)
class Dossier:
    """A dossier that was verified.

    Attributes:
        owner: SHA-256 of the key that the index is signed with: the trusted one, or one that it handed over to.
        index: what it names.
        claims: the lines in order.
        checkpoint: of its log.
        kept: the checkpoint that it was held against; without one a rollback cannot be excluded.
        names: its files, with their paths.
        trusted: SHA-256 of the key that the verifier trusts.
        steps: the handovers in it that count.
        keys: those in ``trust/`` by their digests, for which the owner vouches.
    """

    owner: str
    index: Index
    claims: tuple[Claim, ...]
    checkpoint: Checkpoint
    kept: Checkpoint | None
    names: Mapping[str, str]
    trusted: str
    steps: tuple[Step, ...]
    keys: Mapping[str, PublicKey]


def verify_dossier(folder: str, key: PublicKey, kept: bytes | None = None, approve: Approve | None = None) -> Dossier:
    """Verify everything in a dossier. A writer may be at work meanwhile.

    Args:
        folder: the dossier.
        key: the public key of its owner, or of one that it belonged to.
        kept: a checkpoint of its log that was kept from an earlier day.
        approve: whom the verifier trusts to hand over in place of a key that is lost.

    Raises:
        VerifyError: ``missing``, ``tampered``, ``malformed``, ``wrong-key``; ``revoked``: it is signed with a key that had handed over;
            ``untrusted``: a line is signed by a key that the dossier
            does not hold; ``mismatch``, ``rollback``, ``fork``: it is not one that continues ``kept``.
    """
    for tries in range(_TRIES):
        before = _state(folder)
        try:
            return _verify(folder, key, kept, approve)
        except VerifyError:
            # no state is a state that was changing while it was taken
            if tries == _TRIES - 1 or not os.path.isdir(folder) or (before is not None and _state(folder) == before):
                raise
            time.sleep(0.002 * tries)
    raise AssertionError("the last try raises")


def _state(folder: str) -> object:
    """Something that is another thing after a writer has put a change in its place."""
    try:
        names = names_of(folder)
        return sorted(names.items()), read_file(names[INDEX], _MOST)
    except (VerifyError, OSError, KeyError):
        return None


def _verify(folder: str, key: PublicKey, kept: bytes | None, approve: Approve | None) -> Dossier:
    if key.kind != "ed25519":
        raise VerifyError("wrong-key", f"a dossier is signed with an Ed25519 key, and this is a {key.kind} one")
    names = names_of(folder)
    signed = _read(names, INDEX)
    owner = key if signer_of(signed) == key.hint else _successor(names, key, signer_of(signed), approve)
    index = read_index(signed, owner)
    lines = _lines(_read(names, CLAIMS), index)
    keys = _keys(names, index)
    _check_set(names, f"{BLOBS}/", "", index.blobs)
    for each in index.blobs:
        _check_blob(names[f"{BLOBS}/{each}"], each)
    checkpoint, tree = _check_log(names, index, owner)
    claims = tuple(_claim(number, line, digest, keys) for number, (line, digest) in enumerate(zip(lines, index.lines, strict=True), 1))  # fmt: skip
    changes = [
        (number, each.line) for number, each in enumerate(claims, 1) if each.statement.predicate_type == OWNER_TYPE
    ]
    steps = handovers(changes, checkpoint.origin, {**keys, key.hint: key}, approve)
    last, step = owner_after(key, steps)
    if last.hint != owner.hint:
        where = "" if step is None else f", to which line {step.line} hands over"
        raise VerifyError(
            "revoked", f"the index is signed with {owner.hint}, and the dossier belongs to {last.hint}{where}"
        )
    before = _continued(kept, owner, keys, steps, checkpoint, tree)
    return Dossier(owner.hint, index, claims, checkpoint, before, names, key.hint, tuple(steps), keys)


def _successor(names: Mapping[str, str], key: PublicKey, wanted: str, approve: Approve | None) -> PublicKey:
    """The key ``wanted``, where verified handovers lead from the trusted one to it."""
    origin = _read(names, f"{LOG}/{CHECKPOINT}").decode("utf-8", "replace").partition("\n")[0]
    lines = _read(names, CLAIMS).split(b"\n")
    steps = handovers(enumerate(lines, 1), origin, {key.hint: key}, approve)
    last, _ = owner_after(key, steps)
    if last.hint != wanted:
        raise VerifyError("wrong-key", f"it was signed with the key {wanted}, and the key given is {key.hint}")
    return last


def _read(names: Mapping[str, str], name: str) -> bytes:
    if name not in names:
        raise VerifyError("missing", f"the dossier has no {name}")
    try:
        data = read_file(names[name], _MOST)
    except OSError as error:
        raise VerifyError("missing", f"cannot read {name}: {error.strerror or error}") from None
    if len(data) > _MOST:
        raise VerifyError("malformed", f"{name} has more than {_MOST} bytes")
    return data


def _lines(data: bytes, index: Index) -> list[bytes]:
    """The lines, where they are those that were signed; otherwise the nearest word for what was done to them."""
    if hashlib.sha256(data).hexdigest() == index.claims:
        lines = data.split(b"\n")
        if lines.pop() or tuple(hashlib.sha256(each).hexdigest() for each in lines) != index.lines:
            raise VerifyError("malformed", "the index names other lines than the file that it names has")
        return lines
    found = [hashlib.sha256(each).hexdigest() for each in data.removesuffix(b"\n").split(b"\n")] if data else []
    gone = [number for number, each in enumerate(index.lines, 1) if each not in found]
    more = [number for number, each in enumerate(found, 1) if each not in index.lines]
    if gone and not more:
        raise VerifyError("missing", f"{CLAIMS} has lost line {gone[0]} of {len(index.lines)}")
    if gone or more:
        number = min(gone + more)
        raise VerifyError("tampered", f"line {number} of {CLAIMS} is not what was signed")
    raise VerifyError("tampered", f"the lines of {CLAIMS} are not in the order that was signed")


def _check_set(names: Mapping[str, str], begin: str, end: str, wanted: tuple[str, ...]) -> None:
    """Exactly these files have to be there."""
    there = {name for name in names if name.startswith(begin)}
    named = {f"{begin}{each}{end}" for each in wanted}
    for name in sorted(named - there):
        raise VerifyError("missing", f"{name} is not there")
    for name in sorted(there - named):
        raise VerifyError("tampered", f"{name} is not in the index")


def _keys(names: Mapping[str, str], index: Index) -> dict[str, PublicKey]:
    _check_set(names, f"{TRUST}/", ".pem", index.keys)
    found = {}
    for each in index.keys:
        name = f"{TRUST}/{each}.pem"
        data = _read(names, name)
        if hashlib.sha256(data).hexdigest() != each:
            raise VerifyError("tampered", f"{name} is not the key that was signed")
        try:
            found[each] = load_public(data)
        except UsageError as error:
            raise VerifyError("malformed", f"{name}: {error}") from None
    return found


def _check_blob(path: str, digest: str) -> None:
    total = hashlib.sha256()
    try:
        for part in read_parts(path):
            total.update(part)
    except OSError as error:
        raise VerifyError("missing", f"cannot read {BLOBS}/{digest}: {error.strerror or error}") from None
    if total.hexdigest() != digest:
        raise VerifyError("tampered", f"{BLOBS}/{digest} does not have that digest")


def read_parts(path: str) -> Iterator[bytes]:
    """A regular file in parts of 1 MiB.

    Raises:
        OSError: it is none, or cannot be read.
    """
    with os.fdopen(os.open(path, _READ), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise FileNotFoundError(2, "no regular file", path)
        while part := file.read(1 << 20):
            yield part


def _check_log(names: Mapping[str, str], index: Index, key: PublicKey) -> tuple[Checkpoint, Tree]:
    """Everything in the log computed anew from the lines, and compared with what is there."""
    if _read(names, f"{LOG}/{CHECKPOINT}") != index.checkpoint.encode():
        raise VerifyError("tampered", f"{LOG}/{CHECKPOINT} is not the one in the index")
    checkpoint = read_checkpoint(index.checkpoint.encode(), key)
    entries = [entry_for_digest(each) for each in index.lines]
    tree = Tree(map(leaf_hash, entries))
    if checkpoint.size != tree.size or checkpoint.root != tree.root():
        raise VerifyError("malformed", "the checkpoint in the index is not one of its lines")
    for place in places(tree.size):
        if f"{LOG}/{place.path}" not in names and f"{LOG}/{place.full.path}" not in names:
            raise VerifyError("missing", f"{LOG}/{place.path} is not there")
    for name in sorted(names):
        place_of = Place.parse(name[len(LOG) + 1 :]) if name.startswith(f"{LOG}/") else None
        if place_of is None:
            continue
        if place_of.width > place_of.expected(tree.size) or _read(names, name) != _tile(place_of, entries, tree):
            raise VerifyError("tampered", f"{name} is not what the log holds")
    return checkpoint, tree


def _tile(place: Place, entries: list[bytes], tree: Tree) -> bytes:
    begin = place.full.width * place.number
    if place.level == ENTRIES:
        return pack(entries[begin : begin + place.width])
    return b"".join(tree.node(8 * place.level, begin + at) for at in range(place.width))


def _claim(number: int, line: bytes, digest: str, keys: Mapping[str, PublicKey]) -> Claim:
    bundle = parse_line(line, f"line {number}")
    try:
        hint = named_key(bundle)
        key = keys.get(hint)
        if key is None:
            raise VerifyError("untrusted", f"it is signed with {hint}, which is not in {TRUST}/")
        said = parse_statement(verify_with_key(bundle, key).payload, interpret=False)
        return Claim(line, digest, hint, said, _METHODS[bundle.material.kind])
    except VerifyError as error:
        raise VerifyError(error.reason, f"line {number}: {printable(error.message)}") from None


def _continued(
    kept: bytes | None,
    owner: PublicKey,
    keys: Mapping[str, PublicKey],
    steps: Sequence[Step],
    now: Checkpoint,
    tree: Tree,
) -> Checkpoint | None:
    if kept is None:
        return None
    try:
        before = read_checkpoint(kept, owner, now.origin)
    except VerifyError as error:
        earlier = _of_an_earlier_owner(kept, owner, keys, steps, now) if error.reason == "wrong-key" else None
        if earlier is None:
            raise
        before = earlier
    if before.size > now.size:
        raise VerifyError(
            "rollback", f"the dossier has {now.size} lines, and had {before.size} when the checkpoint was kept"
        )
    if tree.root(before.size) != before.root:
        raise VerifyError("fork", f"the first {before.size} lines are others than when the checkpoint was kept")
    return before


def _of_an_earlier_owner(
    kept: bytes, owner: PublicKey, keys: Mapping[str, PublicKey], steps: Sequence[Step], now: Checkpoint
) -> Checkpoint | None:
    """A checkpoint that a key signed before it handed over; ``None`` where no such key did."""
    for step in owners_before(owner.hint, steps):
        key = keys.get(step.handover.before)
        if key is None or key.kind != "ed25519":
            continue
        try:
            found = read_checkpoint(kept, key, now.origin)
        except VerifyError:
            continue
        if found.size >= step.line:
            raise VerifyError("revoked", f"the kept checkpoint of {found.size} lines is signed with {key.hint}, which handed over in line {step.line}")  # fmt: skip
        return found
    return None
