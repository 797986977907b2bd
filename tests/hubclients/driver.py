"""Run by the Python of a client's environment: does what is asked on standard input, one JSON line each, and tells what came of it.

It imports nothing of ours. What a person would read is the traceback of the exception, with its causes, and what was logged.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any

LOGGED = io.StringIO()
SLEPT: list[float] = []


def digests(folder: str) -> dict[str, str]:
    """Path -> SHA-256 of everything in a folder, but for what the client keeps there for itself."""
    found = {}
    for each in Path(folder).rglob("*"):
        name = each.relative_to(folder)
        if each.is_file() and name.parts[0] != ".cache":
            found[str(name)] = hashlib.sha256(each.read_bytes()).hexdigest()
    return found


def snapshot(**asked: Any) -> dict[str, str]:
    from huggingface_hub import snapshot_download

    return digests(snapshot_download(**asked))


def download(**asked: Any) -> str:
    from huggingface_hub import hf_hub_download

    return hashlib.sha256(Path(hf_hub_download(**asked)).read_bytes()).hexdigest()


def file_system(path: str, start: int, stop: int) -> dict[str, Any]:
    from huggingface_hub import HfFileSystem

    system = HfFileSystem(skip_instance_cache=True)
    with system.open(path, "rb", block_size=stop - start) as file:
        file.seek(start)
        data = file.read(stop - start)
    whole = system.cat_file(path)
    parent = path.rpartition("/")[0]
    return {
        "part": data.hex(),
        "whole": hashlib.sha256(whole).hexdigest(),
        "listed": sorted(each["name"] for each in system.ls(parent, detail=True)),
        "found": sorted(system.find(parent)),
    }


def api(repo_id: str, repo_type: str = "model") -> dict[str, Any]:
    from huggingface_hub import HfApi

    hub = HfApi()
    info = hub.repo_info(repo_id, repo_type=repo_type, files_metadata=True)
    paths = hub.get_paths_info(repo_id, ["config.json", "sub"], repo_type=repo_type)
    return {
        "sha": info.sha,
        "siblings": sorted(each.rfilename for each in info.siblings),
        "sizes": {each.rfilename: each.size for each in info.siblings},
        "files": sorted(hub.list_repo_files(repo_id, repo_type=repo_type)),
        "tree": sorted(each.path for each in hub.list_repo_tree(repo_id, recursive=True, repo_type=repo_type)),
        "paths": sorted(type(each).__name__ + " " + each.path for each in paths),
        "branches": [each.target_commit for each in hub.list_repo_refs(repo_id, repo_type=repo_type).branches],
        "there": [
            hub.file_exists(repo_id, "config.json", repo_type=repo_type),
            hub.file_exists(repo_id, "none", repo_type=repo_type),
        ],
        "listed": [each.id for each in hub.list_models(search=repo_id.partition("/")[2])],
    }


def upload(repo_id: str) -> None:
    from huggingface_hub import HfApi

    HfApi(token="hf_none").upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id=repo_id)


def verify(repo_id: str, cache_dir: str) -> dict[str, Any]:
    from huggingface_hub import HfApi

    found = HfApi().verify_repo_checksums(repo_id, cache_dir=cache_dir)
    return {"checked": found.checked_count, "mismatches": [each.path for each in found.mismatches]}


def scan() -> dict[str, Any]:
    from huggingface_hub import scan_cache_dir

    found = scan_cache_dir()
    repos = [
        {"repo": each.repo_id, "revisions": sorted(one.commit_hash for one in each.revisions)} for each in found.repos
    ]
    return {"warnings": [str(each) for each in found.warnings], "repos": repos}


def pretrained(repo_id: str, cache_dir: str) -> str:
    from transformers import AutoModel

    return weights(AutoModel.from_pretrained(repo_id, cache_dir=cache_dir))


def tokenizer(repo_id: str, cache_dir: str) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(repo_id, cache_dir=cache_dir).tokenize("hello world")


def make_model(folder: str) -> str:
    """A model that is as small as one can be, and a tokenizer of a few words."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizer

    torch.manual_seed(7)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "hello", "world"]
    vocabulary = Path(folder) / "vocab.txt"
    vocabulary.write_text("\n".join(words))
    settings = {
        "vocab_size": len(words),
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 37,
    }
    model = BertModel(BertConfig(max_position_embeddings=16, **settings))
    model.save_pretrained(folder)
    BertTokenizer(str(vocabulary)).save_pretrained(folder)
    return weights(model)


def weights(model: Any) -> str:
    import torch

    total = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        total.update(name.encode())
        total.update(value.to(torch.float32).numpy().tobytes())
    return total.hexdigest()


def main() -> None:
    logging.basicConfig(stream=LOGGED, level=logging.WARNING)
    logging.getLogger("huggingface_hub").addHandler(logging.StreamHandler(LOGGED))
    acts = (snapshot, download, file_system, api, upload, verify, scan, pretrained, tokenizer, make_model)
    known: dict[str, Any] = {each.__name__: each for each in acts}
    out, sys.stdout = sys.stdout, sys.stderr
    if os.environ.get("DRIVER_NEVER_SLEEPS"):
        time.sleep = SLEPT.append  # type: ignore[assignment]  # how long a client would wait between its tries is told, and not waited for
    for line in sys.stdin:
        asked = json.loads(line)
        LOGGED.seek(0)
        LOGGED.truncate()
        SLEPT.clear()
        try:
            told = {"value": known[asked.pop("do")](**asked)}
        except Exception as error:  # noqa: BLE001 - whatever a client raises is what is looked at
            told = {
                "error": type(error).__name__,
                "said": str(error),
                "shown": "".join(traceback.format_exception(error)),
            }
        told |= {"logged": LOGGED.getvalue(), "slept": SLEPT}
        out.write(json.dumps(told) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
