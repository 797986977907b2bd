"""Train a small CLIP on scikit-learn's digits, and save it as Transformers saves one: real weights that can do something, in under a minute.

usage: python tools/tiny_clip.py OUT [--steps 300] [--seed 0]

The data are the 1,797 images of 8 by 8 pixels of the Optical Recognition of Handwritten Digits set (E. Alpaydin and C. Kaynak, UCI Machine Learning Repository,
CC BY 4.0), of which every fifth is held out. Several images share a caption, and each of them is a positive of it. OUT gets the model, its tokenizer
and settings; beside it, ``OUT-held-out/`` gets a PNG for each image that it never saw, with the digit in its name.

It needs torch, transformers, scikit-learn and Pillow; it is a tool of the tests, and no part of the package.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
CAPTIONS = ("a photo of the digit {}", "a handwritten {}", "the number {}", "a small image of a {}")
START, END = "<|startoftext|>", "<|endoftext|>"
LENGTH = 10
MEAN, DEVIATION = 0.305, 0.376


def make_tokenizer(out: Path) -> Any:
    """A tokenizer of whole words."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    words = sorted({word for caption in CAPTIONS for each in WORDS for word in caption.format(each).split()})
    known = {name: number for number, name in enumerate((END, START, "<|unknown|>", *words))}
    whole = Tokenizer(models.WordLevel(known, unk_token="<|unknown|>"))
    whole.pre_tokenizer = pre_tokenizers.Whitespace()
    whole.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}", special_tokens=[(START, known[START]), (END, known[END])]
    )
    made = PreTrainedTokenizerFast(
        tokenizer_object=whole,
        bos_token=START,
        eos_token=END,
        pad_token=END,
        unk_token="<|unknown|>",
        model_max_length=LENGTH,
    )
    made.save_pretrained(out)
    return made


def make_model(tokenizer: Any) -> Any:
    """CLIP's two towers with random weights."""
    from transformers import CLIPConfig, CLIPModel

    small = {
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "projection_dim": 32,
    }
    text = {
        "vocab_size": len(tokenizer), "max_position_embeddings": LENGTH, "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id,
    }  # fmt: skip
    vision = {"image_size": 8, "patch_size": 2, "num_channels": 3}
    return CLIPModel(CLIPConfig(text_config={**small, **text}, vision_config={**small, **vision}, projection_dim=32))


def features(found: Any) -> Any:
    """The projected vectors, in whichever form this version of Transformers gives them, with length 1."""
    vectors = found.pooler_output if hasattr(found, "pooler_output") else found
    return vectors / vectors.norm(dim=-1, keepdim=True)


def accuracy(model: Any, tokenizer: Any, images: Any, labels: Any) -> float:
    """How many images are nearest to the first caption of their digit."""
    import torch

    model.eval()
    texts = tokenizer(
        [CAPTIONS[0].format(each) for each in WORDS], return_tensors="pt", padding="max_length", max_length=LENGTH
    )
    with torch.no_grad():
        one = features(model.get_image_features(pixel_values=images))
        two = features(model.get_text_features(**{name: texts[name] for name in ("input_ids", "attention_mask")}))
    return float(((one @ two.T).argmax(-1) == labels).float().mean())


def train(model: Any, tokenizer: Any, images: Any, labels: Any, steps: int) -> None:
    """Draw images to the captions of their digits, and captions to their images."""
    import torch

    model.train()
    made = [
        tokenizer(
            [caption.format(each) for each in WORDS], return_tensors="pt", padding="max_length", max_length=LENGTH
        )
        for caption in CAPTIONS
    ]
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    for step in range(steps):
        chosen = torch.randint(0, len(images), (128,))
        texts = made[step % len(made)]
        one = features(model.get_image_features(pixel_values=images[chosen]))
        two = features(model.get_text_features(**{name: texts[name] for name in ("input_ids", "attention_mask")}))
        logits = model.logit_scale.exp().clamp(max=100) * one @ two.T
        positive = torch.nn.functional.one_hot(labels[chosen], len(WORDS)).T.float()
        to_images = -(positive * logits.T.log_softmax(-1)).sum(-1) / positive.sum(-1).clamp(min=1)
        loss = (torch.nn.functional.cross_entropy(logits, labels[chosen]) + to_images.mean()) / 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


def main() -> None:
    """Train, save, and print what came of it as JSON."""
    import numpy
    import torch
    from PIL import Image
    from sklearn.datasets import load_digits

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=300, help="of training")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    torch.manual_seed(asked.seed)
    torch.set_num_threads(1)
    asked.out.mkdir(parents=True, exist_ok=True)

    digits = load_digits()
    pixels = numpy.rint(digits.images * (255 / 16)).astype(numpy.uint8)
    held = numpy.arange(len(pixels)) % 5 == 0
    grey = torch.tensor((pixels / 255.0 - MEAN) / DEVIATION, dtype=torch.float32)
    images, labels = grey[:, None].repeat(1, 3, 1, 1), torch.tensor(digits.target)

    tokenizer = make_tokenizer(asked.out)
    model = make_model(tokenizer)
    began = time.monotonic()
    train(model, tokenizer, images[~held], labels[~held], asked.steps)
    took = time.monotonic() - began
    right = accuracy(model, tokenizer, images[held], labels[held])
    model.save_pretrained(asked.out)
    processor = {
        "image_processor_type": "CLIPImageProcessor", "crop_size": {"height": 8, "width": 8}, "do_center_crop": True, "do_convert_rgb": True,
        "do_normalize": True, "do_rescale": True, "do_resize": True, "image_mean": [MEAN] * 3, "image_std": [DEVIATION] * 3, "resample": 3,
        "rescale_factor": 1 / 255, "size": {"shortest_edge": 8},
    }  # fmt: skip
    (asked.out / "preprocessor_config.json").write_text(json.dumps(processor, indent=2) + "\n", encoding="utf-8")
    folder = asked.out.with_name(f"{asked.out.name}-held-out")
    folder.mkdir(exist_ok=True)
    for at in numpy.flatnonzero(held):
        Image.fromarray(pixels[at]).convert("RGB").save(folder / f"{at:04d}-{digits.target[at]}.png")
    parameters = sum(each.numel() for each in model.parameters())
    print(
        json.dumps(
            {
                "parameters": parameters,
                "steps": asked.steps,
                "seconds": round(took, 1),
                "held_out": int(held.sum()),
                "accuracy": round(right, 4),
            }
        )
    )


if __name__ == "__main__":
    main()
