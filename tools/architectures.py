"""Rebuild ``tests/vectors/architectures``: ``python tools/architectures.py [NAME...]``; ``--check`` compares and writes nothing.

Every number is read off the real class, built on the meta device (shapes, no weights), never off a formula of ours: parameters and
tensors by counting, active experts from what the router hands to the experts, the cache from one that the class filled. It needs
PyTorch for the CPU, transformers, diffusers and peft, in an environment of their own; the README beside the vectors says how.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from architecture_cache import cache, routing, run
from tests.architectures import FOLDER, Tensor, compress, configs, digest, names

_NAMES = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "bfloat16": "BF16",
    "int64": "I64",
    "int32": "I32",
    "uint8": "U8",
    "bool": "BOOL",
}
# how a class is called in the published file, and in the library
_CLASSES = {"PhiMoEForCausalLM": "PhimoeForCausalLM", "MPTForCausalLM": "MptForCausalLM"}


def _of_hub(folder: Path, about: dict[str, Any]) -> Any:
    """A model of transformers on the meta device, in the published type; ``about`` is its entry in ``models.json``."""
    import torch
    import transformers

    config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    name = about.get("class") or config.architectures[0]
    built = getattr(transformers, _CLASSES.get(name, name))
    declared = getattr(config, "dtype", None) or getattr(config.get_text_config(), "dtype", None)
    dtype = declared or getattr(torch, about.get("dtype", "float32"))
    with torch.device("meta"):
        model = built._from_config(config, dtype=dtype, attn_implementation="eager").eval()
        for part in about.get("untied", []):
            head = model.get_submodule(part)
            head.weight = torch.nn.Parameter(torch.empty_like(head.weight))
    return model


def _of_diffusers(folder: Path, about: dict[str, Any]) -> Any:
    import diffusers
    import torch

    config = json.loads((folder / "config.json").read_text("utf-8"))
    with torch.device("meta"):
        model = getattr(diffusers, config["_class_name"]).from_config(config).eval()
    for parameter in (*model.parameters(), *model.buffers()):
        if parameter.is_floating_point():
            parameter.data = parameter.data.to(getattr(torch, about.get("dtype", "float32")))
    return model


def _adapter(folder: Path, base: str) -> Any:
    import peft
    import torch

    with torch.device("meta"):
        return peft.get_peft_model(_of_hub(configs(base), {}), peft.LoraConfig.from_pretrained(str(folder)))


def _tensors(model: Any, state: dict[str, Any] | None = None) -> list[Tensor]:
    """What ``save_pretrained`` would write: one name for weights that are tied, names and pieces as in published files."""
    from transformers import PreTrainedModel
    from transformers.core_model_loading import revert_weight_conversion

    if state is None:
        seen: set[int] = set()
        state = {}
        tied = getattr(model, "all_tied_weights_keys", None) or {}
        full = model.state_dict(keep_vars=True)
        for name in sorted(full, key=lambda name: name in tied):
            if id(full[name]) not in seen:
                seen.add(id(full[name]))
                state[name] = full[name].detach()
        if isinstance(model, PreTrainedModel):
            state = revert_weight_conversion(model, state)
    return [
        Tensor(name, _NAMES[str(value.dtype).removeprefix("torch.")], tuple(value.shape))
        for name, value in state.items()
    ]


def _parts(model: Any) -> dict[str, int]:
    """Parameters below each child of the model, and of its base model, in the order of the class; tied ones count where they come first."""
    found = {}
    seen: set[int] = set()
    for name, child in model.named_children():
        inner = (
            [(f"{name}.{key}", below) for key, below in child.named_children()]
            if name in ("model", model.base_model_prefix)
            else []
        )
        for key, part in inner or [(name, child)]:
            fresh = {id(p): p.numel() for p in part.parameters() if id(p) not in seen}
            seen.update(fresh)
            if fresh:
                found[key] = sum(fresh.values())
    return found


def _embeddings(model: Any) -> dict[str, int]:
    import torch

    tables = {id(m.weight): m.weight.numel() for m in model.modules() if isinstance(m, torch.nn.Embedding)}
    found = {"tables": sum(tables.values()), "input": 0, "head": 0}
    if hasattr(model, "get_input_embeddings"):
        try:
            entry = model.get_input_embeddings()
        except NotImplementedError:
            entry = None
        head = model.get_output_embeddings()
        if isinstance(entry, torch.nn.Embedding):
            found["input"] = entry.weight.numel()
        if head is not None and id(head.weight) not in tables:
            found["head"] = sum(p.numel() for p in head.parameters())
    return found


def _facts(model: Any, listing: list[Tensor], library: str) -> dict[str, Any]:
    total = sum(p.numel() for p in {id(p): p for p in model.parameters()}.values())
    chosen: dict[str, int] = {}
    filled = run(model, chosen) if library == "transformers" else None
    routed = routing(model, chosen) if library == "transformers" else None
    embeddings = _embeddings(model)
    active = total - (routed["idle"] if routed else 0)
    return {
        "class": type(model).__name__,
        "library": library,
        "parameters": total,
        "active": active,
        "active_without_input_embedding": active - embeddings["input"],
        "embeddings": embeddings,
        "parts": _parts(model) if library == "transformers" else {},
        "experts": routed,
        "cache": cache(model, filled),
        "tensors": {"count": len(listing), "elements": sum(t.elements for t in listing), "sha256": digest(listing)},
    }


def _of_adapter(folder: Path, base: str) -> tuple[dict[str, Any], list[Tensor]]:
    import peft

    model = _adapter(folder, base)
    listing = _tensors(model, peft.get_peft_model_state_dict(model))
    count = sum(p.numel() for name, p in model.named_parameters() if ".lora_" in name)
    return {
        "class": type(model).__name__,
        "library": "peft",
        "base": base,
        "parameters": count,
        "active": count,
        "tensors": {"count": len(listing), "elements": sum(t.elements for t in listing), "sha256": digest(listing)},
    }, listing


def build(name: str) -> tuple[dict[str, Any], dict[str, list[Tensor]]]:
    """The expected facts of a model and the tensors of each of its components."""
    about = json.loads((FOLDER / "models.json").read_text("utf-8"))[name]
    folder = configs(name)
    parts: dict[str, dict[str, Any]] = {}
    listings: dict[str, list[Tensor]] = {}
    if (folder / "adapter_config.json").is_file():
        parts["."], listings["."] = _of_adapter(folder, about["base"])
    else:
        for path in sorted(folder.rglob("config.json")):
            part = path.parent.relative_to(folder).as_posix()
            ours = "_class_name" in json.loads(path.read_text("utf-8"))
            model = (_of_diffusers if ours else _of_hub)(path.parent, about)
            listings[part] = _tensors(model)
            parts[part] = _facts(model, listings[part], "diffusers" if ours else "transformers")
    return {"parameters": sum(part["parameters"] for part in parts.values()), "components": parts}, listings


def _files(name: str) -> dict[Path, str]:
    facts, listings = build(name)
    found = {FOLDER / "expected" / f"{name}.json": json.dumps(facts, indent=1) + "\n"}
    for part, listing in listings.items():
        stem = name if part == "." else f"{name}.{part}"
        found[FOLDER / "tensors" / f"{stem}.txt"] = "\n".join(compress(listing)) + "\n"
    return found


def main(arguments: list[str]) -> int:
    """Write what is asked for, or everything; 1 where a model could not be built, or differs under ``--check``."""
    check = "--check" in arguments
    failed = 0
    for name in [a for a in arguments if not a.startswith("-")] or names():
        try:
            files = _files(name)
        except Exception as error:  # noqa: BLE001 - one model that cannot be built must not hide the others
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
            failed += 1
            continue
        for path, text in files.items():
            if check:
                failed += not path.is_file() or path.read_text("utf-8") != text
            else:
                path.parent.mkdir(exist_ok=True)
                path.write_text(text, "utf-8")
        facts = json.loads(next(iter(files.values())))
        for part, found in facts["components"].items():
            kept = found.get("cache") or {}
            print(
                f"{name:28} {part:15} {found['parameters']:>16,} {found['active']:>16,} {kept.get('bytes_per_token', 0):>9,}",
                flush=True,
            )
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
