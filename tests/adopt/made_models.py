"""Small models with random weights, made by the environment that runs models: usage: python made_models.py KIND OUT. They show that the arithmetic is the same."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

TEXT = (
    "Every capability emits evidence, every verdict is computed from evidence, and every piece of evidence can be checked without trusting us. "
    * 3
)
TEMPLATE = "{% for m in messages %}<s>{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}"


def tokenizer(out: Path) -> None:
    """Bytes and what is frequent in a text."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        [TEXT], trainers.BpeTrainer(vocab_size=320, special_tokens=["<s>", "</s>"], initial_alphabet=alphabet)
    )
    made.save(str(out / "tokenizer.json"))
    settings = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "tokenizer_class": "PreTrainedTokenizerFast",
        "chat_template": TEMPLATE,
    }
    (out / "tokenizer_config.json").write_text(json.dumps(settings))


def llama(out: Path) -> None:
    """The architecture of Llama, in safetensors."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(3)
    tokenizer(out)
    sizes = {
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
    }
    config = LlamaConfig(vocab_size=320, max_position_embeddings=256, bos_token_id=0, eos_token_id=1, **sizes)
    LlamaForCausalLM(config).save_pretrained(out)


def graph(out: Path, *, state: bool) -> None:
    """A graph that foretells from the sum of what it read; with ``state``, of which that is its state."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    tokenizer(out)
    random = np.random.default_rng(5)
    width = 16
    weights: dict[str, Any] = {
        "embedding": random.normal(size=(320, width)).astype(np.float32),
        "head": random.normal(size=(width, 320)).astype(np.float32),
        "axis": np.array(2, np.int64),
        "one": np.array([1], np.int64),
    }
    np.savez(out / "weights.npz", embedding=weights["embedding"], head=weights["head"])
    nodes = [
        helper.make_node("Gather", ["embedding", "input_ids"], ["read"]),
        helper.make_node("Unsqueeze", ["read", "one"], ["heads"]),
        *([helper.make_node("Concat", ["past_key_values.0.key", "heads"], ["present.0.key"], axis=2)] if state else []),
        helper.make_node("CumSum", ["present.0.key" if state else "heads", "axis"], ["sums"]),
        helper.make_node("Squeeze", ["sums", "one"], ["flat"]),
        helper.make_node("MatMul", ["flat", "head"], ["all"]),
        helper.make_node("Shape", ["input_ids"], ["size"], start=1),
        helper.make_node("Neg", ["size"], ["from"]),
        helper.make_node("Slice", ["all", "from", "end", "one"], ["logits"]),
    ]
    weights["end"] = np.array([2**31 - 1], np.int64)
    inputs = [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "sequence"])]
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", "sequence", 320])]
    if state:
        inputs.append(
            helper.make_tensor_value_info("past_key_values.0.key", TensorProto.FLOAT, ["batch", 1, "past", width])
        )
        outputs.append(helper.make_tensor_value_info("present.0.key", TensorProto.FLOAT, ["batch", 1, "whole", width]))
    made = helper.make_graph(
        nodes, "g", inputs, outputs, [numpy_helper.from_array(value, name) for name, value in weights.items()]
    )
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), out / "model.onnx")
    (out / "config.json").write_text(json.dumps({"max_position_embeddings": 256, "eos_token_id": 1, "bos_token_id": 0}))


def encoder(out: Path) -> None:
    """The real sentence encoder whose folder ``out`` is a copy of, as a graph beside its weights."""
    import torch
    from transformers import AutoModel

    model = AutoModel.from_pretrained(out).eval()

    class Whole(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.inner = model

        def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any) -> Any:
            found = self.inner(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)
            return found.last_hidden_state

    ones = torch.ones(1, 8, dtype=torch.long)
    names = ["input_ids", "attention_mask", "token_type_ids"]
    axes = {name: {0: "batch", 1: "sequence"} for name in (*names, "last_hidden_state")}
    torch.onnx.export(
        Whole(), (ones, ones, ones), str(out / "model.onnx"), input_names=names, output_names=["last_hidden_state"], dynamic_axes=axes,
        opset_version=17, dynamo=False,
    )  # fmt: skip


def picture(out: Path) -> None:
    """A page with three lines."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", (800, 400), "white")
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(
        ("Open models must be tested", "before they are used in hospitals.", "Invoice 2026-11-29: 1,234.50")
    ):
        draw.text((40, 40 + 110 * number), line, fill="black", font=ImageFont.load_default(size=36))
    image.save(out / "page.png")
    image.rotate(8, fillcolor="white", expand=True).save(out / "tilted.png")


def pages(out: Path) -> None:
    """Four pages of two lines, and what stands on them."""
    from PIL import Image, ImageDraw, ImageFont

    words = (
        TEXT + " Invoice 2026-11-29: 1,234.50 due to A. Meyer, 17 Harbour Street; weight 0.75 kg, 3 of 12 boxes."
    ).split()
    said = []
    for number in range(4):
        lines = [" ".join(words[at : at + 4]) for at in (number * 11 % 60, len(words) - 4 - number * 2)]
        image = Image.new("RGB", (760, 240), "white")
        draw = ImageDraw.Draw(image)
        for row, line in enumerate(lines):
            draw.text((30, 30 + 100 * row), line, fill="black", font=ImageFont.load_default(size=30))
        image.save(out / f"{number}.png")
        said.append({"id": str(number), "file": f"{number}.png", "said": "\n".join(lines)})
    (out / "said.json").write_text(json.dumps(said))


if __name__ == "__main__":
    kinds = {
        "llama": llama,
        "graph": lambda out: graph(out, state=False),
        "graph-with-state": lambda out: graph(out, state=True),
        "encoder": encoder,
        "picture": picture,
        "pages": pages,
    }
    kinds[sys.argv[1]](Path(sys.argv[2]))
