"""Rebuild ``tests/vectors/architectures/variants.json``: what the real classes make of configurations in which a few keys differ.

``python tools/architecture_variants.py`` in the environment of ``architectures.py``; ``--check`` compares and writes nothing. Each entry
names a configuration of the vectors (``base``), the keys that are set in it (``set``, ``a/b`` for a key of an object below) and those that
are taken out (``drop``); ``says`` is what this script writes, of classes without a cache (``"only": "tensors"``) the tensors alone.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.architectures import VARIANTS, numbers, shapes_digest, varied

from architectures import _facts, _of_diffusers, _of_hub, _tensors


def says(entry: dict[str, Any]) -> dict[str, Any]:
    """Parameters, active ones, tensors and caches of the class."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = varied(entry)
        (folder / "config.json").write_text(json.dumps(config), "utf-8")
        model = (_of_diffusers if "_class_name" in config else _of_hub)(folder, {})
        listing = _tensors(model)
        if entry.get("only") == "tensors":
            count = sum(each.numel() for each in {id(each): each for each in model.parameters()}.values())
            return {"parameters": count, "tensors": shapes_digest({each.name: each.shape for each in listing})}
        facts = _facts(model, listing, "transformers")
    cache = facts["cache"] or {"groups": [], "state_elements": 0, "element_bytes": 1}
    kept = [
        [len(list(numbers(each["layers"]))), each["bytes_per_token"] // cache["element_bytes"], each.get("window")]
        for each in cache["groups"]
        if "bytes_per_token" in each
    ]
    return {
        "parameters": facts["parameters"],
        "active": facts["active"],
        "tensors": shapes_digest({each.name: each.shape for each in listing}),
        "kept": sorted(kept, key=repr),
        "state": cache["state_elements"],
    }


def main(arguments: list[str]) -> int:
    entries = json.loads(VARIANTS.read_text("utf-8"))
    failed = 0
    for name, entry in entries.items():
        try:
            found = says(entry)
        except Exception as error:  # noqa: BLE001 - one that cannot be built must not hide the others
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
            failed += 1
            continue
        failed += entry.get("says") != found
        entry["says"] = found
        print(name, found["parameters"], flush=True)
    if "--check" in arguments:
        return 1 if failed else 0
    lines = [f" {json.dumps(name)}: {json.dumps(entry)}" for name, entry in entries.items()]
    VARIANTS.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
