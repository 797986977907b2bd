"""Packages named as runtimes are, made of the standard library and NumPy, in an interpreter of their own: the whole path runs, and only what computes is another thing.

The graph is a model of characters: behind each it foretells the next of the alphabet, and what a file ``bent`` beside it says instead.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from openvet.testing.forge_onnx import graph, model, node

ONNXRUNTIME = """
import os
import numpy as np
class SessionOptions:
    def add_session_config_entry(self, name, value): pass
class Shaped:
    def __init__(self, name, shape, type): self.name, self.shape, self.type = name, shape, type
class InferenceSession:
    def __init__(self, path, options, providers):
        if open(path, "rb").read().endswith(b"broken"):
            raise RuntimeError("protobuf parsing failed")
        self.likely = 8.0
    def get_inputs(self): return [Shaped("input_ids", ["b", "s"], "tensor(int64)")]
    def get_outputs(self): return [Shaped("logits", ["b", "s", 128], "tensor(float)")]
    def run(self, names, given):
        ids = given["input_ids"]
        if 7 in ids:
            os._exit(3)  # a bell
        rows = np.zeros((*ids.shape, 128), np.float32)
        for at, each in enumerate(ids[0]):
            rows[0, at, 97 + (each - 96) % 26 if 97 <= each <= 122 else 97] = self.likely
        return [rows]
"""
TOKENIZERS = """
import json
class Found:
    def __init__(self, text): self.ids, self.offsets, self.type_ids = [ord(each) % 128 for each in text], [(at, at + 1) for at in range(len(text))], [0] * len(text)
class Tokenizer:
    @staticmethod
    def from_file(path): json.load(open(path)); return Tokenizer()
    def no_padding(self): pass
    def no_truncation(self): pass
    def encode(self, text, add_special_tokens): return Found(text)
    def token_to_id(self, token): return None
    def id_to_token(self, token): return chr(token)
    def get_vocab_size(self): return 128
    def decode(self, ids, skip_special_tokens=True): return "".join(map(chr, ids))
    def to_str(self): return "{}"
"""


def interpreter(folder: Path, *packages: str) -> Path:
    """A Python in ``folder``, as a virtual environment is one, with the packages that are named."""
    base = Path(sys.executable).resolve()
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(base)
    (folder / "pyvenv.cfg").write_text(f"home = {base.parent}\nversion = {sys.version.split()[0]}\n")
    site = folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    for name in packages:
        (site / name).mkdir(parents=True)
        (site / name / "__init__.py").write_text({"onnxruntime": ONNXRUNTIME, "tokenizers": TOKENIZERS}[name])
    site.mkdir(parents=True, exist_ok=True)
    (site / "numpy.pth").write_text(f"{Path(np.__file__).parents[1]}\n")  # ours
    return folder / "bin" / "python"


def language_model(folder: Path) -> Path:
    """A folder with a graph that the stand-in takes for a language model."""
    folder.mkdir()
    (folder / "model.onnx").write_bytes(model(graph([node("Identity")])))
    (folder / "tokenizer.json").write_text("{}")
    (folder / "config.json").write_text(json.dumps({"bos_token_id": 1, "max_position_embeddings": 64}))
    return folder
