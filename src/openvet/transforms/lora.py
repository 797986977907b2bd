"""Fine-tune what writes text with low-rank adapters: beside each chosen linear layer a product of two thin matrices learns, and nothing else.

``merged`` adds what was learned to the weights; ``adapter`` writes it alone, in the form of PEFT.

Source: E. Hu et al., LoRA, arXiv 2106.09685: W + (alpha / rank) B A, with A drawn and B zero at the start.
"""

from __future__ import annotations

import json
import math
import os
from typing import Any, Final

from openvet.transforms._safetensors import copy_rest
from openvet.transforms._torch import is_causal, open_model, open_tokenizer, read_texts, seeded
from openvet.transforms._transform import CannotError, Making, Setting, Target, Transform

__all__ = ["TRANSFORM", "make"]

TRANSFORM: Final = Transform(
    id="lora",
    command="finetune",
    inputs=("safetensors",),
    output="safetensors",
    folder=True,
    changes="chosen linear layers learn a correction of low rank from the texts that were given",
    targets=(
        Target("merged", {"merge": True}, "a whole model, with what was learned added to its weights", 32),
        Target("adapter", {"merge": False}, "what was learned alone, in the form of PEFT"),
    ),
    settings=(
        Setting("merge", "flag", True, "add what was learned to the weights"),
        Setting("rank", "int", 8, "of the correction", 1, 1024),
        Setting("alpha", "float", 16.0, "its scale, times the rank", 0.001, 100_000.0),
        Setting("layers", "text", "q_proj,v_proj", "endings of the names of layers that learn"),
        Setting("steps", "int", 100, "of training", 1, 1_000_000),
        Setting("batch", "int", 4, "pieces of text of one step", 1, 4096),
        Setting("length", "int", 128, "tokens of one piece", 8, 8192),
        Setting("rate", "float", 2e-4, "learning rate", 1e-8, 1.0),
        Setting("seed", "int", 0, "draws the start and the order", 0, 2**31),
    ),
    packages=("torch", "transformers", "safetensors"),
    install="'openvet[transformers]'",
    data=("train",),
)


def make(task: Making) -> dict[str, Any]:
    """Train, and write the model or the adapter."""
    import torch

    settings = task.settings
    if not is_causal(task.source):
        raise CannotError("only what writes text (an architecture that ends in ForCausalLM) is fine-tuned here")
    seeded(settings["seed"], task.threads)
    model, tokenizer = open_model(task.source), open_tokenizer(task.source)
    cached = model.config.use_cache
    model.config.use_cache = False
    pieces = _pieces(tokenizer, read_texts(task.data["train"]), settings["length"])
    learned = _adapt(model, settings)
    draw = torch.Generator().manual_seed(settings["seed"])
    optimizer = torch.optim.AdamW(
        [each for pair in learned.values() for each in pair.parameters() if each.requires_grad], lr=settings["rate"]
    )
    losses: list[float] = []
    order: list[int] = []
    model.train()
    for step in range(settings["steps"]):
        while len(order) < settings["batch"]:
            order += torch.randperm(len(pieces), generator=draw).tolist()
        picked, order = order[: settings["batch"]], order[settings["batch"] :]
        batch = pieces[picked]
        loss = model(input_ids=batch, labels=batch).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if not math.isfinite(losses[-1]):
            raise CannotError(f"the loss is no number any more at step {step + 1}: a smaller rate may help")
        if step % 20 == 19:
            task.said(f"step {step + 1} of {settings['steps']}: loss {loss.item():.4f}")
    model.eval()
    if settings["merge"]:
        _merge(model, learned)
        model.config.use_cache = cached
        model.save_pretrained(task.target)
        copy_rest(task.source, task.target)
    else:
        _write_adapter(task, learned)
    trained = sum(each.numel() for pair in learned.values() for each in (pair.a, pair.b))
    return {"losses": losses, "pieces": len(pieces), "trained-parameters": trained, "layers": len(learned)}


def _pieces(tokenizer: Any, texts: list[str], length: int) -> Any:
    """All texts one after the other, with the end of text between them, in pieces of one length; what is left at the end is not used."""
    import torch

    tokens: list[int] = []
    for each in texts:
        tokens += tokenizer(each)["input_ids"]
        if tokenizer.eos_token_id is not None:
            tokens.append(tokenizer.eos_token_id)
    count = len(tokens) // length
    if not count:
        raise CannotError(
            f"the texts have {len(tokens)} tokens, and one piece is {length}: --set length=N takes shorter ones"
        )
    return torch.tensor(tokens[: count * length]).view(count, length)


def _adapt(model: Any, settings: Any) -> dict[str, Any]:
    """Put the correction beside each chosen layer; gives them by the layer's name."""
    import torch

    class Adapted(torch.nn.Module):  # type: ignore[misc]
        def __init__(self, layer: Any) -> None:
            super().__init__()
            self.layer = layer
            self.scale = settings["alpha"] / settings["rank"]
            self.a = torch.nn.Parameter(torch.empty(settings["rank"], layer.in_features))
            self.b = torch.nn.Parameter(torch.zeros(layer.out_features, settings["rank"]))
            torch.nn.init.kaiming_uniform_(self.a, a=math.sqrt(5))

        def forward(self, x: Any) -> Any:
            return self.layer(x) + (x @ self.a.T @ self.b.T) * self.scale

    wanted = tuple(each.strip() for each in str(settings["layers"]).split(",") if each.strip())
    for each in model.parameters():
        each.requires_grad_(False)
    found = {}
    owners: dict[int, list[str]] = {}
    for name, each in model.named_parameters(remove_duplicate=False):
        owners.setdefault(id(each), []).append(name)
    for name, part in list(model.named_modules()):
        if isinstance(part, torch.nn.Linear) and name.split(".")[-1] in wanted:
            shared = owners[id(part.weight)]
            if settings["merge"] and len(shared) > 1:
                raise CannotError(
                    f"{' and '.join(shared)} are one matrix: what {name} learned would change all of them when it is merged; "
                    "--to adapter keeps it apart, or --set layers=NAMES leaves it out"
                )
            made = Adapted(part)
            parent = model.get_submodule(name.rpartition(".")[0])
            setattr(parent, name.rpartition(".")[2], made)
            found[name] = made
    if not found:
        linear = sorted(
            {name.split(".")[-1] for name, part in model.named_modules() if isinstance(part, torch.nn.Linear)}
        )
        raise CannotError(f"no linear layer is called {', '.join(wanted)}; there are {', '.join(linear[:20])}")
    return found


def _merge(model: Any, learned: dict[str, Any]) -> None:
    import torch

    with torch.no_grad():
        for name, pair in learned.items():
            pair.layer.weight += pair.scale * (pair.b @ pair.a)
            setattr(model.get_submodule(name.rpartition(".")[0]), name.rpartition(".")[2], pair.layer)
    for each in model.parameters():
        each.requires_grad_(True)


def _write_adapter(task: Making, learned: dict[str, Any]) -> None:
    from safetensors.torch import save_file

    os.makedirs(task.target, exist_ok=True)
    tensors = {}
    for name, pair in learned.items():
        tensors[f"base_model.model.{name}.lora_A.weight"] = pair.a.detach().contiguous()
        tensors[f"base_model.model.{name}.lora_B.weight"] = pair.b.detach().contiguous()
    save_file(tensors, os.path.join(task.target, "adapter_model.safetensors"), metadata={"format": "pt"})
    config = {
        "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": task.settings["rank"], "lora_alpha": task.settings["alpha"], "lora_dropout": 0.0,
        "bias": "none", "fan_in_fan_out": False, "inference_mode": True,
        "target_modules": sorted({name.split(".")[-1] for name in learned}), "base_model_name_or_path": os.path.basename(task.source),
    }  # fmt: skip
    with open(os.path.join(task.target, "adapter_config.json"), "w", encoding="utf-8") as file:
        json.dump(config, file, indent=2)
        file.write("\n")
