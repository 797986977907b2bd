"""Runs where aics-tlog is installed: reads logs that we wrote, and writes one for us to read. One JSON object in, one out.

usage: ``python tlog_driver.py`` with a line ``{"folder": ..., "vkey": ..., "earlier": [sizes]}`` on standard input.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

import aics_tlog as their  # type: ignore[import-not-found]
from aics_tlog.verified import audit_tiles  # type: ignore[import-not-found]


def look(folder: str, vkey: str, earlier: list[int]) -> dict[str, Any]:
    """What it makes of a log: the checkpoint, an audit, proofs for each entry, and consistency with earlier sizes."""
    key = their.parse_vkey(vkey)
    note = their.parse_note(Path(folder, "checkpoint").read_bytes())
    checked = their.verify_checkpoint(note, key, expected_origin=key.name)
    lines = note.text.split("\n")
    size, root = int(lines[1]), base64.b64decode(lines[2])
    reader = their.FileSystemTileReader(folder)
    if size:
        audit_tiles(reader, size, root)
    step = max(1, size // 40)
    proofs = {}
    for index in range(0, size, step):
        proof = their.inclusion_proof_from_tiles(reader, index, size)
        leaf = their.leaf_hash(their.read_entry(reader, index, size))
        if not their.verify_inclusion(leaf, index, size, proof, root):
            raise SystemExit(f"entry {index} is not proven")
        proofs[index] = [each.hex() for each in proof]
    consistency = {}
    for old in earlier:
        if old:
            proof = their.consistency_proof_from_tiles(reader, old, size)
            consistency[old] = [each.hex() for each in proof]
    return {"ok": checked.ok, "size": size, "root": root.hex(), "proofs": proofs, "consistency": consistency}


def hold(given: dict[str, Any]) -> bool:
    """Whether it takes one of our proofs."""
    if given["kind"] == "inclusion":
        return bool(their.verify_inclusion(
            their.leaf_hash(bytes.fromhex(given["entry"])), given["index"], given["size"],
            [bytes.fromhex(each) for each in given["proof"]], bytes.fromhex(given["root"]),
        ))  # fmt: skip
    return bool(their.verify_consistency(
        given["old"], given["size"], bytes.fromhex(given["old_root"]), bytes.fromhex(given["root"]),
        [bytes.fromhex(each) for each in given["proof"]],
    ))  # fmt: skip


def write(folder: str, count: int) -> list[str]:
    """A log of its own making; gives its files."""
    return [
        str(each)
        for each in their.TileWriter([f"theirs {number}".encode() for number in range(count)]).write_to(folder)
    ]


for line in sys.stdin:
    asked = json.loads(line)
    what = asked.pop("do")
    answer = look(**asked) if what == "look" else write(**asked) if what == "write" else hold(asked)
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
