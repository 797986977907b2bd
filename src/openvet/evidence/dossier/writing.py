"""Making a dossier, adding to it and handing it over: what has to be true of a change before it is one.

How a change comes to count is in :mod:`openvet.evidence.dossier.change`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from typing import Final

from openvet.core.text import printable
from openvet.errors import UsageError, VerifyError
from openvet.evidence.bundle import Bundle
from openvet.evidence.dossier.change import each_folder, publish, remove_tree, settle, tidy
from openvet.evidence.dossier.handover import Approve, handovers, owner_after
from openvet.evidence.dossier.index import sign_index
from openvet.evidence.dossier.layout import (
    BLOBS,
    CLAIMS,
    IN_THE_WAY,
    INDEX,
    LOG,
    PENDING,
    STAGING,
    TRUST,
)
from openvet.evidence.dossier.reading import Dossier, verify_dossier
from openvet.evidence.keys import PrivateKey, PublicKey, load_public
from openvet.evidence.log.disk import Below, Disk, read_file, told
from openvet.evidence.log.layout import CHECKPOINT
from openvet.evidence.log.layout import STAGING as LOG_STAGING
from openvet.evidence.log.proof import entry_for
from openvet.evidence.log.writing import create_log, open_writer
from openvet.evidence.note import check_name
from openvet.evidence.signing import parse_statement, to_line
from openvet.evidence.verifier import named_key, verify_with_key

__all__ = ["Added", "add_to_dossier", "create_dossier", "hand_over_dossier"]

_WAIT: Final = 60.0
_MOST: Final = 1 << 30

#: Numbers of the lines, from 1, that were added; those that were there before are not among them.
Added = tuple[int, ...]


def create_dossier(folder: str, origin: str, key: PrivateKey, disk: Disk | None = None) -> None:
    """Make an empty dossier in a folder that is new or empty.

    Args:
        folder: where; the folder above has to exist.
        origin: the name of its log, which no other dossier of this key may have.
        key: of Ed25519; its public half is what everybody verifies the dossier with.
        disk: stands between the dossier and its folder.

    Raises:
        UsageError: something is there already, or name or key are none of a log.
        StorageError: it cannot be written.
    """
    check_name(origin)
    _ = key.public.raw
    disk = disk or Disk(folder)
    with told(folder, "the dossier was not made"):
        disk.make_new()
        with disk.locked(_WAIT):
            # what an interrupted attempt left was never a dossier
            if set(disk.names("")) - {PENDING, *IN_THE_WAY}:
                raise UsageError(f"{printable(folder)} is not empty; a dossier begins in a folder of its own")
            remove_tree(disk, PENDING)
            tidy(disk)
            create_log(disk.path(f"{STAGING}/{LOG}"), origin, key, Below(disk, f"{STAGING}/{LOG}"))
            _stage(disk, [], {key.public.hint: key.public.pem}, {key.public.hint}, {}, set(), key)
            publish(disk)


def add_to_dossier(
    folder: str,
    key: PrivateKey,
    bundles: Sequence[Bundle],
    keys: Sequence[PublicKey] = (),
    blobs: Sequence[str] = (),
    disk: Disk | None = None,
) -> Added:
    """Add signed statements, all or none of them. When this returns they are on the disk.

    Args:
        folder: the dossier.
        key: of its owner.
        bundles: each is verified before, with a key in the dossier or with one of ``keys``.
        keys: more keys that the owner vouches for.
        blobs: paths of documents to take in.
        disk: stands between the dossier and its folder.

    Raises:
        VerifyError: the dossier is damaged, or a bundle is not signed by one of those keys; ``revoked``: its owner handed over to
            another key. Nothing was added.
        StorageError: it cannot be written.
    """
    disk = disk or Disk(folder)
    with told(folder, "nothing was acknowledged"), disk.locked(_WAIT):
        settle(disk)
        tidy(disk)
        before = verify_dossier(folder, key.public)
        if before.owner != key.public.hint:
            raise VerifyError("revoked", f"this key handed the dossier over; it belongs to {before.owner}")
        known = {each: read_file(before.names[f"{TRUST}/{each}.pem"], _MOST) for each in before.index.keys}
        new_keys = {each.hint: each.pem for each in keys if each.hint not in known}
        lines = [each.line for each in before.claims]
        added = []
        for bundle in bundles:
            line = _checked(bundle, {**known, **new_keys})
            if line not in lines:
                lines.append(line)
                added.append(len(lines))
        new_blobs = {digest: path for path in blobs if (digest := _digest(path)) not in before.index.blobs}
        if added or new_keys or new_blobs:
            _copy_log(disk, before)
            with open_writer(disk.path(f"{STAGING}/{LOG}"), key, disk=Below(disk, f"{STAGING}/{LOG}")) as log:
                log.append([entry_for(lines[number - 1]) for number in added])
            all_keys, all_blobs = {*known, *new_keys}, {*before.index.blobs, *new_blobs}
            _stage(disk, lines, new_keys, all_keys, new_blobs, all_blobs, key)
            publish(disk)
        else:
            remove_tree(disk, STAGING)
        return tuple(added)


def hand_over_dossier(
    folder: str,
    owner: PublicKey,
    key: PrivateKey,
    bundles: Sequence[Bundle],
    keys: Sequence[PublicKey] = (),
    approve: Approve | None = None,
    disk: Disk | None = None,
) -> Added:
    """Let a new key take over. From then on it alone signs the index and the checkpoints of the log.

    The tiles of the log are made anew from the lines, since the key of its writer is another one.

    Args:
        folder: the dossier.
        owner: the key that it belongs to, as everybody trusts it so far.
        key: the new one, of Ed25519.
        bundles: the handover (:meth:`openvet.evidence.dossier.handover.Handover.to`), signed with ``owner``, or by those whom
            ``approve`` takes in its place.
        keys: more keys that the new owner vouches for: of those who signed it.
        approve: whom those trust who trust ``owner``.
        disk: stands between the dossier and its folder.

    Raises:
        VerifyError: the dossier is damaged or not one of ``owner``; ``untrusted``: the bundles do not hand it over. Nothing changed.
        StorageError: it cannot be written.
    """
    disk = disk or Disk(folder)
    with told(folder, "nothing was handed over"), disk.locked(_WAIT):
        settle(disk)
        tidy(disk)
        before = verify_dossier(folder, owner, approve=approve)
        if before.owner == key.public.hint:
            raise VerifyError("untrusted", f"the dossier belongs to {before.owner} already")
        known = {each: read_file(before.names[f"{TRUST}/{each}.pem"], _MOST) for each in before.index.keys}
        new_keys = {each.hint: each.pem for each in (key.public, *keys) if each.hint not in known}
        lines = [each.line for each in before.claims]
        count = len(lines)
        lines += dict.fromkeys(line for each in bundles if (line := _checked(each, {**known, **new_keys})) not in lines)
        origin = before.checkpoint.origin
        steps = handovers(enumerate(lines, 1), origin, _loaded({**known, owner.hint: owner.pem}), approve)
        if owner_after(owner, steps)[0].hint != key.public.hint:
            raise VerifyError("untrusted", f"nobody who may hands the dossier over to {key.public.hint}")
        create_log(disk.path(f"{STAGING}/{LOG}"), origin, key, Below(disk, f"{STAGING}/{LOG}"))
        with open_writer(disk.path(f"{STAGING}/{LOG}"), key, disk=Below(disk, f"{STAGING}/{LOG}")) as log:
            log.append([entry_for(each) for each in lines])
        _stage(disk, lines, new_keys, {*known, *new_keys}, {}, set(before.index.blobs), key)
        publish(disk)
        return tuple(range(count + 1, len(lines) + 1))


def _loaded(pems: Mapping[str, bytes]) -> dict[str, PublicKey]:
    return {hint: load_public(pem) for hint, pem in pems.items()}


def _checked(bundle: Bundle, keys: Mapping[str, bytes]) -> bytes:
    """The line of a bundle that one of ``keys`` signed."""
    line = to_line(bundle)
    hint = named_key(bundle)
    pem = keys.get(hint)
    if pem is None:
        how = "name that public key to take it in"
        if bundle.material.certificates:
            how = "say with a trust file whose certificate that is"
        raise VerifyError("untrusted", f"a statement is signed with {hint}; {how}")
    parse_statement(verify_with_key(bundle, load_public(pem)).payload)
    return line


def _digest(path: str) -> str:
    from openvet.evidence.dossier.reading import read_parts

    total = hashlib.sha256()
    try:
        for part in read_parts(path):
            total.update(part)
    except OSError as error:
        raise UsageError(f"{printable(path)}: {error.strerror or error}") from error
    return total.hexdigest()


def _copy_log(disk: Disk, before: Dossier) -> None:
    """The log as it is, for the writer to go on with; earlier partial tiles stay behind."""
    for name in sorted(before.names):
        if name.startswith(f"{LOG}/"):
            disk.make_folders(os.path.dirname(f"{STAGING}/{name}"))
            disk.write_new(f"{STAGING}/{name}", read_file(before.names[name], _MOST))


def _stage(
    disk: Disk,
    lines: list[bytes],
    new_keys: Mapping[str, bytes],
    keys: set[str],
    new_blobs: Mapping[str, str],
    blobs: set[str],
    key: PrivateKey,
) -> None:
    """Everything else of the change beside the log that is in ``.staging`` already, and all of it on the disk."""
    disk.remove(f"{STAGING}/{LOG}/{LOG_STAGING}")
    checkpoint = read_file(disk.path(f"{STAGING}/{LOG}/{CHECKPOINT}"), _MOST)
    claims = b"".join(line + b"\n" for line in lines)
    for digest, path in new_blobs.items():
        disk.make_folders(f"{STAGING}/{BLOBS}")
        data = read_file(path, 1 << 34)
        if hashlib.sha256(data).hexdigest() != digest:
            raise UsageError(f"{printable(path)} changed while it was being read")
        disk.write_new(f"{STAGING}/{BLOBS}/{digest}", data)
    for hint, pem in new_keys.items():
        disk.make_folders(f"{STAGING}/{TRUST}")
        disk.write_new(f"{STAGING}/{TRUST}/{hint}.pem", pem)
    disk.write_new(f"{STAGING}/{CLAIMS}", claims)
    disk.write_new(f"{STAGING}/{INDEX}", sign_index(claims, lines, checkpoint, keys, blobs, key))
    each_folder(disk, STAGING, disk.sync_folder)
