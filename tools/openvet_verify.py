#!/usr/bin/env python3
"""Verify an OpenVet dossier with a public key, and a model against it. One file, to be read in one sitting.

    python openvet_verify.py DOSSIER --key OWNER.pub [--model PATH] [--checkpoint FILE] [--json]

It needs Python 3.11 or later and the package ``cryptography``, and nothing of OpenVet. DOSSIER is a folder or a zip. Exit codes:
0 verified; 1 not verified, and the first line says why (tampered, missing, mismatch, wrong-key, untrusted, revoked, rollback, fork,
malformed, unsupported);
2 the command itself failed. What is checked, in this order:

1. ``index.json`` is a DSSE envelope (Sigstore bundle v0.3) around an in-toto statement, signed by the key that you gave (Ed25519).
2. ``claims.jsonl`` has exactly the lines whose SHA-256 the index lists, in that order. ``trust/`` and ``blobs/`` have exactly the files
   that it lists, and each has the SHA-256 that is its name. There is no other file.
3. ``log/`` is the Merkle log (RFC 6962, C2SP tlog-tiles) of the lines: every tile is computed anew; the checkpoint is signed by your key.
4. Every line is a DSSE envelope around an in-toto statement, signed by a key in ``trust/``, for which the owner of the index vouches.
   Of a line that carries a certificate the key is checked; whose certificate it is, and keyless identities, are not judged here.
   A line may hand the dossier over to another key: yours leads to that one, and signs no index and no checkpoint any more.
5. With --checkpoint, a checkpoint that you kept from an earlier day: the log continues it. Without, a rollback cannot be excluded.
6. With --model: every statement about one subject whose digest is a folder's ``dirHash`` or a file's ``sha256`` is about that model.
   (A signature of OpenSSF Model Signing has a digest of another make, and is verified by `openvet verify` or `model_signing verify`.)

What a statement says is not judged here; `--json` lists the statements. Nor is whom to believe about what: `openvet dossier verify --trust`
does that, and follows a handover that others approved in place of a key that was lost.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import re
import stat
import sys
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from cryptography.x509 import load_der_x509_certificate

BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PAYLOAD = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
INDEX = "https://openvet/predicates/dossier-index/v1"
OWNER = "https://openvet/predicates/dossier-owner/v1"
OPENSSF = ("https://model_signing/signature/v1.0", "https://model_signing/Digests/v0.1")
MOST = 1 << 30
NAME = re.compile(
    r"index\.json|claims\.jsonl|trust/[0-9a-f]{64}\.pem|blobs/sha256/[0-9a-f]{64}|log/checkpoint|"
    r"log/tile/(entries|[0-9]|[1-5][0-9]|6[0-3])/(x[0-9]{3}/)*[0-9]{3}(\.p/([1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5]))?"
)
HEX = re.compile(r"[0-9a-f]{64}")
HASHES: dict[int, hashes.HashAlgorithm] = {256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}
Read = Callable[[], Iterator[bytes]]


class Refused(Exception):  # noqa: N818
    """It is not verified; ``reason`` is one word."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


# --- the files of a dossier: their names, and how to read each ---


def files_of(path: str) -> dict[str, Read]:
    found = files_of_zip(path) if os.path.isfile(path) else files_of_folder(path)
    for name in sorted(found):
        if not NAME.fullmatch(name):
            raise Refused("tampered", f"{name!a} is no file of a dossier")
    return found


def files_of_folder(folder: str) -> dict[str, Read]:
    """All files; a change that an interrupted writer left complete in ``.next`` counts before what it replaces."""
    found: dict[str, Read] = {}
    for path, is_file in walk(folder, (".staging", ".pending", ".old")):
        if not is_file:
            raise Refused("tampered", f"{path!a} is no regular file")
        found[path] = partial(read_parts, os.path.join(folder, path))
    later = {name[6:]: read for name, read in found.items() if name.startswith(".next/")}
    swapped = any(name.startswith("log/") for name in later)
    found = {n: r for n, r in found.items() if not n.startswith(".next/") and not (swapped and n.startswith("log/"))}
    return {**found, **later}


def walk(folder: str, passed_over: tuple[str, ...] = ()) -> Iterator[tuple[str, bool]]:
    pending = [""]
    while pending:
        part = pending.pop()
        try:
            entries = list(os.scandir(os.path.join(folder, part)))
        except OSError as error:
            raise Refused("missing", f"cannot list {part or folder!a}: {error.strerror}") from None
        for each in entries:
            name = f"{part}/{each.name}" if part else each.name
            if name in passed_over:
                continue
            if each.is_dir(follow_symlinks=False):
                pending.append(name)
            else:
                yield name, each.is_file(follow_symlinks=False)


def read_parts(path: str, reason: str = "missing") -> Iterator[bytes]:
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Refused(reason, f"{path!a} is no regular file")
            while part := file.read(1 << 20):
                yield part
    except OSError as error:
        raise Refused(reason, f"cannot read {path!a}: {error.strerror}") from None


def files_of_zip(path: str) -> dict[str, Read]:
    """The members of a zip. Names are only compared with those that a dossier can have; nothing is written anywhere."""
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise Refused("malformed", f"this is no zip: {error}") from None
    found: dict[str, Read] = {}
    for info in archive.infolist():
        if info.filename in found or info.orig_filename != info.filename:
            raise Refused("malformed", f"the zip has {info.filename!a} twice, or under two names")
        if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED} or info.flag_bits & 1:
            raise Refused("malformed", f"{info.filename!a} is packed in a way that a dossier is not")
        found[info.filename] = partial(read_member, archive, info)
    return found


def read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    try:
        with archive.open(info) as file:
            while part := file.read(1 << 20):
                yield part
    except Exception as error:  # noqa: BLE001 - zlib and zipfile have many ways to say that it is damaged
        raise Refused("malformed", f"cannot unpack {info.filename!a}: {error}") from None


def read(files: dict[str, Read], name: str) -> bytes:
    if name not in files:
        raise Refused("missing", f"the dossier has no {name}")
    data = bytearray()
    for part in files[name]():
        data += part
        if len(data) > MOST:
            raise Refused("malformed", f"{name} is too large")
    return bytes(data)


# --- JSON, base64 and signatures, each in one spelling ---


def parse(data: bytes, what: str) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise Refused("malformed", f"{what} has a key twice")
        return dict(pairs)

    def no_float(text: str) -> Any:
        raise Refused("malformed", f"{what} has the number {text[:40]}")

    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=unique, parse_float=no_float, parse_constant=no_float)
    except (ValueError, RecursionError) as error:
        raise Refused("malformed", f"{what} is no JSON: {error}") from None


def canonical(value: Any) -> bytes:
    """RFC 8785 for the values that occur here: names of fields are ASCII, numbers whole."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def decode(text: Any, what: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (ValueError, TypeError):
        raise Refused("malformed", f"{what} is not base64") from None
    if base64.b64encode(data).decode() != text:
        raise Refused("malformed", f"{what} is base64 in another spelling")
    return data


def load_key(pem: bytes, what: str) -> Any:
    try:
        return known_key(load_pem_public_key(pem), "malformed", what)
    except (ValueError, UnsupportedAlgorithm):
        raise Refused("malformed", f"{what} is no public key in PEM") from None


def known_key(key: Any, reason: str, what: str) -> Any:
    """Ed25519, or P-256, P-384, P-521."""
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in {"secp256r1", "secp384r1", "secp521r1"}:
        return key
    raise Refused(reason, f"{what} is a key of another kind")


def hint_of(key: Any) -> str:
    return sha256(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def sha256_of(parts: Iterator[bytes]) -> str:
    total = hashlib.sha256()
    for part in parts:
        total.update(part)
    return total.hexdigest()


def check_signature(key: Any, signature: bytes, data: bytes, what: str) -> None:
    """Each kind of key has one algorithm: ECDSA with the hash as long as the curve, or Ed25519."""
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, data)
        else:
            key.verify(signature, data, ec.ECDSA(HASHES[key.curve.key_size]))
    except InvalidSignature:
        raise Refused("tampered", f"the signature of {what} is not one of its key over these bytes") from None


def open_bundle(line: bytes, what: str) -> tuple[str, bytes, bytes]:
    """The hint, the payload and the signature of a bundle, which is compared with the only spelling that it can have."""
    value = parse(line, what)
    try:
        hint, material = read_material(value["verificationMaterial"], what)
        payload = value["dsseEnvelope"]["payload"]
        signature = value["dsseEnvelope"]["signatures"][0]["sig"]
    except (KeyError, TypeError, IndexError):
        raise Refused("malformed", f"{what} is no bundle") from None
    wanted = {
        "mediaType": BUNDLE,
        "verificationMaterial": material,
        "dsseEnvelope": {"payload": payload, "payloadType": PAYLOAD, "signatures": [{"sig": signature}]},
    }
    if canonical(wanted) != line:
        raise Refused("malformed", f"{what} is no bundle in its canonical spelling")
    return hint, decode(payload, what), decode(signature, what)


def read_material(value: dict[str, Any], what: str) -> tuple[str, dict[str, Any]]:
    """The hint of the key that signed, and the material as it has to be spelled: a key, a chain of certificates, or keyless."""
    if "publicKey" in value:
        hint = value["publicKey"]["hint"]
        if not isinstance(hint, str) or not HEX.fullmatch(hint):
            raise Refused("malformed", f"{what} names no key")
        return hint, {"publicKey": {"hint": hint}, "tlogEntries": []}
    if "x509CertificateChain" in value:
        raw = [each["rawBytes"] for each in value["x509CertificateChain"]["certificates"][:20]]
        chain = {"certificates": [{"rawBytes": each} for each in raw]}
        material: dict[str, Any] = {"x509CertificateChain": chain, "tlogEntries": []}
    else:
        raw = [value["certificate"]["rawBytes"]]
        material = {"certificate": {"rawBytes": raw[0]}, "tlogEntries": list(value.get("tlogEntries", []))}
        if value.get("timestampVerificationData") is not None:
            material["timestampVerificationData"] = value["timestampVerificationData"]
    leaf, *_ = [decode(each, what) for each in raw]
    try:
        key = load_der_x509_certificate(leaf).public_key()
    except Exception:  # noqa: BLE001 - whatever is wrong with it, it is no certificate that can be used
        raise Refused("malformed", f"a certificate of {what} cannot be read") from None
    return hint_of(known_key(key, "unsupported", what)), material


def pae(payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding."""
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD), PAYLOAD.encode(), len(payload), payload)


def parse_statement(payload: bytes, what: str) -> dict[str, Any]:
    value = parse(payload, what)
    optional = {"name", "uri", "mediaType", "downloadLocation", "content"}
    good = isinstance(value, dict) and set(value) == {"_type", "subject", "predicateType", "predicate"}
    good = good and value["_type"] == STATEMENT and isinstance(value["predicate"], dict)
    good = good and isinstance(value["predicateType"], str) and value["predicateType"] != ""
    good = good and isinstance(value["subject"], list) and value["subject"] != []
    for each in value["subject"] if good else ():
        good = good and isinstance(each, dict) and set(each) <= {*optional, "digest", "annotations"}
        good = good and isinstance(each.get("digest"), dict) and each["digest"] != {}
        good = good and all(isinstance(digest, str) and digest for digest in each["digest"].values())
        good = good and all(isinstance(each[name], str) for name in optional & set(each))
        good = good and isinstance(each.get("annotations", {}), dict)
    if not good:
        raise Refused("malformed", f"{what} is no in-toto statement")
    return value  # type: ignore[no-any-return]


# --- the Merkle log ---


def root_of(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + root_of(leaves[:half]) + root_of(leaves[half:])).digest()


def tile_name(level: int, number: int) -> str:
    """Of a whole tile; a partial one has its width behind that, as in ``.p/7``. Level -1 holds the entries themselves."""
    parts = [f"{number % 1000:03}"]
    while number := number // 1000:
        parts.append(f"x{number % 1000:03}")
    return "/".join(["log/tile", "entries" if level < 0 else str(level), *reversed(parts)])


def read_checkpoint(note: bytes, key: Any, wanted: str | None = None) -> tuple[str, int, bytes]:
    """Origin, size and root of a C2SP checkpoint of the log ``wanted`` that ``key`` signed under the name of its origin."""
    try:
        whole = note.decode("utf-8")
        text, gap, below = whole.rpartition("\n\n")
        origin, size, root, *more = (text + "\n").split("\n")[:-1]
    except ValueError:
        raise Refused("malformed", "the checkpoint is none") from None
    bad_text = re.search(r"[\x00-\x09\x0b-\x1f]", whole) or "" in (origin, *more) or len(note) > 1 << 20
    if not gap or not below.endswith("\n") or bad_text or not re.fullmatch(r"0|[1-9][0-9]{0,18}", size, re.ASCII):
        raise Refused("malformed", "the checkpoint is none")
    hashed = decode(root, "the root in the checkpoint")
    if len(hashed) != 32 or int(size) >= 1 << 63 or (size == "0" and hashed != root_of([])):
        raise Refused("malformed", "the root in the checkpoint is none")
    if wanted is not None and origin != wanted:
        raise Refused("mismatch", f"the checkpoint is one of {origin!a}, and the dossier's log is {wanted!a}")
    if re.search(r"[\s+]", origin):
        raise Refused("malformed", "the origin in the checkpoint is no name")
    raw = b"\x01" + key.public_bytes_raw()
    key_id = hashlib.sha256(origin.encode() + b"\n" + raw).digest()[:4]
    own = 0
    lines = below[:-1].split("\n")
    for line in lines:
        found = re.fullmatch(r"— (\S+) (\S+)", line)
        signature = decode(found[2], "a signature of the checkpoint") if found else b""
        if found is None or "+" in found[1] or len(signature) < 5 or len(lines) > 64:
            raise Refused("malformed", "a signature of the checkpoint is none")
        if found[1] == origin and signature[:4] == key_id:
            check_signature(key, signature[4:], (text + "\n").encode(), "the checkpoint")
            own += 1
    if not own:
        raise Refused("wrong-key", "the checkpoint is not signed by the key given")
    return origin, int(size), hashed


def check_log(files: dict[str, Read], index: dict[str, Any], key: Any) -> tuple[str, list[bytes]]:
    """The log computed anew from the lines; gives its name and the hashes of its leaves."""
    note = index["checkpoint"].encode("utf-8", "surrogatepass")
    if read(files, "log/checkpoint") != note:
        raise Refused("tampered", "log/checkpoint is not the one in the index")
    origin, size, root = read_checkpoint(note, key)
    entries = [f"sha256:{each}".encode() for each in index["lines"]]
    levels = [[hashlib.sha256(b"\x00" + each).digest() for each in entries]]
    leaves = levels[0]
    if size != len(leaves) or root != root_of(leaves):
        raise Refused("malformed", "the checkpoint in the index is not one of its lines")
    while len(levels[-1]) >= 256:
        below = levels[-1]
        levels.append([root_of(below[at : at + 256]) for at in range(0, len(below) - 255, 256)])
    tiles: dict[str, list[bytes]] = {}
    for level, parts in enumerate([[len(each).to_bytes(2, "big") + each for each in entries], *levels], -1):
        for at in range(0, len(parts), 256):
            tiles[tile_name(level, at // 256)] = parts[at : at + 256]
    for name, parts in tiles.items():
        if name not in files and f"{name}.p/{len(parts)}" not in files:
            raise Refused("missing", f"{name}.p/{len(parts)} is not there")
    for name in sorted(files):
        if name.startswith("log/tile/"):
            whole, _, width = name.partition(".p/")  # narrower ones than the last may be left from earlier days
            parts = tiles.get(whole, [])[: int(width or 256)]
            if len(parts) != int(width or 256) or read(files, name) != b"".join(parts):
                raise Refused("tampered", f"{name} is not what the log holds")
    return origin, leaves


# --- the dossier ---


def handovers(lines: list[bytes], origin: str, keys: dict[str, Any]) -> list[tuple[int, str, str]]:
    """The lines by which a key handed the dossier over: their numbers, from whom, to whom; new keys are added to ``keys``."""
    found: list[tuple[int, str, str]] = []
    for number, line in enumerate(lines, 1):
        try:
            hint, payload, signature = open_bundle(line, f"line {number}")
            if OWNER.encode() not in payload or hint not in keys:
                continue
            check_signature(keys[hint], signature, pae(payload), f"line {number}")
            body = parse_statement(payload, f"line {number}")["predicate"]
            said = {"origin": origin, "from": hint, "to": body["to"], "key": body["key"]}
            subject = {"name": origin, "digest": {"origin_sha256": sha256(origin.encode("utf-8", "replace"))}}
            whole = {"_type": STATEMENT, "subject": [subject], "predicateType": OWNER, "predicate": said}
            key = load_key(body["key"].encode(), "the key in a handover")
            good = canonical(whole) == payload and isinstance(key, ed25519.Ed25519PublicKey)
        except (Refused, KeyError, AttributeError, UnicodeError):
            continue
        good = good and sha256(body["key"].encode()) == body["to"] != hint
        if good and (hint, body["to"]) not in [each[1:] for each in found]:
            found.append((number, hint, body["to"]))
            keys[body["to"]] = key
    return found


def owner_after(hint: str, steps: list[tuple[int, str, str]]) -> str:
    for _, before, after in steps:
        hint = after if before == hint else hint
    return hint


def check_set(files: dict[str, Read], begin: str, end: str, wanted: list[str]) -> None:
    there = {name for name in files if name.startswith(begin)}
    named = {f"{begin}{each}{end}" for each in wanted}
    for name in sorted(named - there):
        raise Refused("missing", f"{name} is not there")
    for name in sorted(there - named):
        raise Refused("tampered", f"{name} is not in the index")


def open_index(data: bytes) -> tuple[str, bytes, bytes]:
    """The hint of the key that the index says it is signed with, the payload and the signature."""
    if not data.endswith(b"\n"):
        raise Refused("malformed", "the index does not end with a newline")
    found = open_bundle(data[:-1], "the index")
    if "publicKey" not in json.loads(data)["verificationMaterial"]:
        raise Refused("malformed", "the index is signed with a certificate, and not with a key")
    return found


def read_index(payload: bytes) -> tuple[str, dict[str, Any]]:
    """SHA-256 of the claims, and the body of the index."""
    statement = parse_statement(payload, "the index")
    body, digest = statement["predicate"], statement["subject"][0]["digest"].get("sha256", "")
    good = statement["predicateType"] == INDEX and set(body) == {"lines", "checkpoint", "keys", "blobs"}
    good = good and isinstance(body["checkpoint"], str)
    for name in ("lines", "keys", "blobs"):
        good = good and isinstance(body[name], list)
        good = good and all(isinstance(each, str) and HEX.fullmatch(each) for each in body[name])
        good = good and (name == "lines" or body[name] == sorted(set(body[name])))
    subject = {"name": "claims.jsonl", "digest": {"sha256": digest}}
    if not good or canonical({**statement, "subject": [subject]}) != payload:
        raise Refused("malformed", "the index is none")
    return digest, body


def check_lines(data: bytes, digest: str, wanted: list[str]) -> list[bytes]:
    lines = data.split(b"\n")
    if sha256(data) == digest:
        if lines.pop() or [sha256(each) for each in lines] != wanted:
            raise Refused("malformed", "the index names other lines than the file that it names has")
        return lines
    found = [sha256(each) for each in data.removesuffix(b"\n").split(b"\n")] if data else []
    gone, more = set(wanted) - set(found), set(found) - set(wanted)
    if gone and not more:
        raise Refused("missing", f"claims.jsonl has lost {len(gone)} of {len(wanted)} lines")
    what = "has lines that were not signed" if more else "has its lines in another order or number"
    raise Refused("tampered", f"claims.jsonl {what}")


def verify(path: str, key: Any, kept: bytes | None = None, model: str | None = None) -> dict[str, Any]:
    """Everything; gives what a program is told."""
    if not isinstance(key, ed25519.Ed25519PublicKey):
        raise Refused("wrong-key", "a dossier is signed with an Ed25519 key")
    files = files_of(path)
    given, trusted = key, hint_of(key)
    owner, payload, signature = open_index(read(files, "index.json"))
    if owner != trusted:
        begin = read(files, "log/checkpoint").decode("utf-8", "replace").partition("\n")[0]
        known = {trusted: given}
        if owner_after(trusted, handovers(read(files, "claims.jsonl").split(b"\n"), begin, known)) != owner:
            raise Refused("wrong-key", f"the index is signed with the key {owner}, and the key given is {trusted}")
        key = known[owner]
    check_signature(key, signature, pae(payload), "the index")
    digest, index = read_index(payload)
    lines = check_lines(read(files, "claims.jsonl"), digest, index["lines"])
    check_set(files, "trust/", ".pem", index["keys"])
    keys = {}
    for each in index["keys"]:
        pem = read(files, f"trust/{each}.pem")
        if sha256(pem) != each:
            raise Refused("tampered", f"trust/{each}.pem is not the key that was signed")
        keys[each] = load_key(pem, f"trust/{each}.pem")
    check_set(files, "blobs/sha256/", "", index["blobs"])
    for each in index["blobs"]:
        if sha256_of(files[f"blobs/sha256/{each}"]()) != each:
            raise Refused("tampered", f"blobs/sha256/{each} does not have that digest")
    origin, leaves = check_log(files, index, key)
    statements, claims = [], []
    for number, line in enumerate(lines, 1):
        what = f"line {number}"
        hint, payload, signature = open_bundle(line, what)
        if hint not in keys:
            raise Refused("untrusted", f"{what} is signed with {hint}, which is not in trust/")
        check_signature(keys[hint], signature, pae(payload), what)
        said = parse_statement(payload, what)
        statements.append(said)
        told = {"predicate_type": said["predicateType"], "subject": said["subject"]}
        claims.append({"sha256": sha256(line), "key": hint, **told})
    steps = handovers(lines, origin, {**keys, trusted: given})
    if owner_after(trusted, steps) != owner:
        raise Refused("revoked", f"the index is signed with {owner}, which had handed the dossier over")
    if kept is not None:
        earlier = [(keys[before], line) for line, before in path_to(owner, steps) if before in keys]
        earlier = [each for each in earlier if isinstance(each[0], ed25519.Ed25519PublicKey)]
        check_kept(kept, [(key, 1 << 63), *earlier], origin, leaves)
    compared = 0 if model is None else check_model(model, statements)
    rollback = "cannot be excluded" if kept is None else "excluded up to the kept checkpoint"
    return {"verified": True, "owner": owner, "claims": claims, "rollback": rollback, "compared": compared}


def path_to(owner: str, steps: list[tuple[int, str, str]]) -> Iterator[tuple[int, str]]:
    """The handovers that led to ``owner``: line and earlier owner, the latest first."""
    for line, before, after in reversed(steps):
        if after == owner:
            owner = before
            yield line, before


def check_kept(kept: bytes, signers: list[tuple[Any, int]], origin: str, leaves: list[bytes]) -> None:
    """That the log continues a kept checkpoint of one of ``signers``: the owner, and earlier ones with the line in which they left."""
    wrong: Refused | None = None
    for key, limit in signers:  # noqa: B007 - it is used below
        try:
            _, size, root = read_checkpoint(kept, key, origin)
            break
        except Refused as error:
            wrong = wrong or error
            if wrong.reason != "wrong-key":
                raise
    else:
        raise wrong or AssertionError
    if size >= limit:
        raise Refused("revoked", f"the kept checkpoint is signed with a key that had handed over in line {limit}")
    if size > len(leaves):
        raise Refused("rollback", f"the dossier has {len(leaves)} lines, and had {size} when the checkpoint was kept")
    if root_of(leaves[:size]) != root:
        raise Refused("fork", f"the first {size} lines are others than when the checkpoint was kept")


# --- the model ---


def check_model(path: str, statements: list[dict[str, Any]]) -> int:
    """Hold the model against the statements' subjects; gives how many could be compared."""
    name, digest = model_digest(path)
    compared = 0
    for number, said in enumerate(statements, 1):
        signed = said["subject"][0]["digest"].get(name)
        if len(said["subject"]) != 1 or signed is None or said["predicateType"] in OPENSSF:
            continue
        if signed != digest:
            raise Refused("mismatch", f"line {number} is about {name} {signed}, and the model is {digest}")
        compared += 1
    if not compared:
        raise Refused("missing", f"no statement names a {name}, so that none can be held against the model")
    return compared


def model_digest(path: str) -> tuple[str, str]:
    """A file's SHA-256, or a folder's in-toto ``dirHash``: SHA-256 over the sorted lines ``<sha256>  <path>``."""
    real = os.path.realpath(path)
    if not os.path.isdir(real):
        return "sha256", sha256_of(read_parts(real, "mismatch"))
    cache = re.match(r"(.*/(?:models|datasets|spaces)--[^/]*)/snapshots/.", real)
    inside = cache[1] if cache else real  # in a Hugging Face cache files are links to the repository's blobs
    by_file: dict[bytes, str] = {}
    for name, _ in walk(real):
        target = os.path.realpath(os.path.join(real, name))
        if os.path.isdir(target):
            continue  # a link to a folder, whose files have their own names
        if not target.startswith(os.path.join(inside, "")) or "\n" in name:
            raise Refused("mismatch", f"{name!a} leads out of the model, or has a name with a line break")
        by_file[os.fsencode(name)] = sha256_of(read_parts(target, "mismatch"))
    lines = (by_file[raw].encode() + b"  " + raw + b"\n" for raw in sorted(by_file))
    return "dirHash", sha256_of(lines)


def whole(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(1 << 20)


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Verify an OpenVet dossier with a public key, and a model against it.")
    parser.add_argument("dossier", metavar="DOSSIER", help="a folder or a zip")
    parser.add_argument("--key", metavar="FILE", required=True, help="the public key of the dossier's owner, in PEM")
    parser.add_argument("--model", metavar="PATH", help="the model, a folder or a file, which is hashed and compared")
    parser.add_argument("--checkpoint", metavar="FILE", help="a checkpoint of its log, kept from an earlier day")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    asked = parser.parse_args(arguments)
    try:
        kept = None if asked.checkpoint is None else whole(asked.checkpoint)
        key = load_key(whole(asked.key), asked.key)
        for path in filter(None, (asked.dossier, asked.model)):
            os.stat(path)
    except (OSError, Refused) as error:
        print(f"openvet_verify: {error}", file=sys.stderr)
        return 2
    try:
        found = verify(asked.dossier, key, kept, asked.model)
    except Refused as error:
        refused = {"verified": False, "reason": error.reason, "message": str(error)}
        print(json.dumps(refused, indent=2) if asked.json else f"NOT verified: {error.reason}: {error}")
        return 1
    if asked.json:
        print(json.dumps(found, indent=2))
        return 0
    print(f"verified: {len(found['claims'])} statements; a rollback: {found['rollback']}")
    for number, each in enumerate(found["claims"], 1):
        print(f"  {number}  {each['predicate_type']!a}\n     signed by {each['key']}")
    if asked.model is not None:
        print(f"  the model is what {found['compared']} of them are about")
    return 0


if __name__ == "__main__":
    sys.exit(main())
