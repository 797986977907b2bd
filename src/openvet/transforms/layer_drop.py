"""Leave out layers of a model of Transformers, and teach what is left to answer as the whole did.

An encoder of sentences learns the teacher's vectors (mean of the last states, squared distance and angle); what writes text learns the teacher's distribution
of the next token (KL). Without steps nothing is learned.
"""

from __future__ import annotations

from typing import Any, Final

from openvet.transforms._safetensors import copy_rest
from openvet.transforms._torch import is_causal, open_model, open_tokenizer, pooled, read_texts, seeded
from openvet.transforms._transform import CannotError, Making, Setting, Target, Transform

__all__ = ["TRANSFORM", "make"]

TRANSFORM: Final = Transform(
    id="layer-drop",
    command="distill",
    inputs=("safetensors",),
    output="safetensors",
    folder=True,
    changes="layers are left out, and the rest is trained to answer as the parent",
    targets=(Target("layers", {}, "a model with some of the parent's layers", 32),),
    settings=(
        Setting("layers", "text", "", "which layers stay, from 0, such as 0,2,5; none named: every second one"),
        Setting("steps", "int", 300, "of training; 0 trains nothing", 0, 1_000_000),
        Setting("batch", "int", 32, "texts of one step", 1, 4096),
        Setting("length", "int", 64, "tokens of one text at most", 4, 8192),
        Setting("rate", "float", 1e-4, "learning rate", 1e-8, 1.0),
        Setting("seed", "int", 0, "draws the texts of each step", 0, 2**31),
    ),
    packages=("torch", "transformers"),
    install="'openvet[transformers]'",
    data=("train",),
    notes=(
        (
            "It is another model: it was made to answer as its parent on texts like those that it was taught with, and agreement says how far it does. A task alone "
            "can look better than the parent by chance."
        ),
    ),
)


def make(task: Making) -> dict[str, Any]:
    """Drop, teach, save."""
    import torch

    settings = task.settings
    seeded(settings["seed"], task.threads)
    teacher, student = open_model(task.source), open_model(task.source)
    chosen = _drop(student, str(settings["layers"]))
    losses: list[float] = []
    if settings["steps"]:
        texts = read_texts(task.data["train"])
        causal = is_causal(task.source)
        tokenizer = open_tokenizer(task.source)
        student.train()
        optimizer = torch.optim.AdamW(student.parameters(), lr=settings["rate"])
        schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, settings["steps"])
        draw = torch.Generator().manual_seed(settings["seed"])
        order: list[int] = []
        for step in range(settings["steps"]):
            if len(order) < settings["batch"]:
                order += torch.randperm(len(texts), generator=draw).tolist()
            picked, order = order[: settings["batch"]], order[settings["batch"] :]
            batch = tokenizer(
                [texts[each] for each in picked],
                padding=True,
                truncation=True,
                max_length=settings["length"],
                return_tensors="pt",
            )
            loss = _next_token(teacher, student, batch) if causal else _vectors(teacher, student, batch)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
            if step % 50 == 49:
                task.said(f"step {step + 1} of {settings['steps']}: loss {loss.item():.4f}")
    student.eval().save_pretrained(task.target)
    copy_rest(task.source, task.target)
    return {"layers": ",".join(map(str, chosen)), "losses": losses}


def _drop(model: Any, wanted: str) -> list[int]:
    """Leave out layers; gives those that stay."""
    import torch

    count = model.config.num_hidden_layers
    found = [
        (parent, name, child)
        for parent in model.modules()
        for name, child in parent.named_children()
        if isinstance(child, torch.nn.ModuleList) and len(child) == count
    ]
    if len(found) != 1:
        raise CannotError(f"its {count} layers could not be found: {len(found)} lists of modules have that length")
    try:
        chosen = [int(each) for each in wanted.split(",")] if wanted else list(range(0, count, 2))
    except ValueError:
        raise CannotError(f"layers are numbers with commas, such as 0,2,5, and not {wanted!r}") from None
    if not chosen or sorted(set(chosen)) != chosen or chosen[0] < 0 or chosen[-1] >= count or len(chosen) == count:
        raise CannotError(f"layers are some of 0 to {count - 1}, in order, and not {wanted!r}")
    parent, name, child = found[0]
    setattr(parent, name, torch.nn.ModuleList([child[each] for each in chosen]))
    for number, layer in enumerate(getattr(parent, name)):
        for part in layer.modules():
            if hasattr(part, "layer_idx"):  # where its keys and values are kept
                part.layer_idx = number
    model.config.num_hidden_layers = len(chosen)
    for key in ("layer_types", "mlp_layer_types", "no_rope_layers"):
        listed = getattr(model.config, key, None)
        if isinstance(listed, list) and len(listed) == count:
            setattr(model.config, key, [listed[each] for each in chosen])
    return chosen


def _vectors(teacher: Any, student: Any, batch: Any) -> Any:
    import torch

    with torch.no_grad():
        wanted = pooled(teacher, batch)
    found = pooled(student, batch)
    angle = 1.0 - torch.nn.functional.cosine_similarity(found, wanted, dim=-1).mean()
    return angle + torch.nn.functional.mse_loss(found, wanted)


def _next_token(teacher: Any, student: Any, batch: Any) -> Any:
    import torch

    mask = batch["attention_mask"].bool()
    with torch.no_grad():
        wanted = teacher(**batch, use_cache=False).logits[mask].log_softmax(-1)
    found = student(**batch, use_cache=False).logits[mask].log_softmax(-1)
    return torch.nn.functional.kl_div(found, wanted, reduction="batchmean", log_target=True)
