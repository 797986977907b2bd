"""What each kind of step does to a sentence encoder: size, three sets of human judgements, and agreement with the parent. `make adopt` makes the environment.

    python benchmarks/minilm_table.py MODEL_FOLDER --python .cache/adopt/bin/python --lee FOLDER [--only int8,int4]

FOLDER is `gensim/test/test_data` of the wheel gensim==4.4.0: Lee's 50 documents with 1,225 similarities that people gave (Pearson's r), WordSim-353 and SimLex-999
(Spearman's rho). The last figure is the correlation of the variant's own similarities of all pairs of documents with the parent's. Intervals leave out one document at a time.

The figures beside ours are of all-MiniLM-L6-v2 on another machine, with PyTorch and without this program: a trend, and no equality, is expected.
"""

from __future__ import annotations

import argparse
import math
import os
import tempfile
import time
from pathlib import Path

from openvet.evals.stats.correlation import correlation_difference, pearson, ranks
from openvet.workflows.deriving import derive
from openvet.workflows.deriving_asked import Asked
from openvet.workflows.opening import Asked as Opening
from openvet.workflows.opening import opened

#: variant -> MB, Lee, WordSim, SimLex, agreement, as measured elsewhere.
ELSEWHERE = {
    "parent": (90.9, 0.656, 0.729, 0.446, 1.0), "onnx": (90.4, 0.656, 0.729, 0.446, 1.0), "int8": (22.8, 0.645, 0.707, 0.448, 0.969),
    "int8-per-channel": (23.0, 0.658, 0.727, 0.447, 0.995), "uint8-reduce-range": (22.8, 0.685, 0.701, 0.441, 0.959),
    "int8-matmul": (58.6, 0.648, 0.700, 0.453, 0.969), "int4": (54.5, 0.655, 0.719, 0.454, 0.981), "torchao-int8": (58.7, 0.657, 0.731, 0.447, 0.9997),
    "torchao-int8-dynamic": (58.7, 0.658, 0.731, 0.447, 0.998), "magnitude-30": (90.9, 0.672, 0.743, 0.483, 0.956),
    "magnitude-50": (90.9, 0.626, 0.724, 0.528, 0.796), "magnitude-70": (90.9, 0.523, 0.634, 0.481, 0.632), "2:4": (90.9, 0.575, 0.696, 0.447, 0.732),
    "layers-0,2,5": (69.6, 0.606, 0.740, 0.476, 0.753), "layers-0,2,5-taught": (69.6, 0.673, 0.755, 0.517, 0.897), "static-256": (15.6, 0.450, 0.684, 0.455, 0.510),
}  # fmt: skip
#: variant -> command, target, settings; those of ONNX are made of the export.
STEPS = {
    "onnx": ("convert", "onnx", ()), "int8": ("quantize", "int8", ()), "int8-per-channel": ("quantize", "int8-per-channel", ()),
    "uint8-reduce-range": ("quantize", "uint8-reduce-range", ()), "int8-matmul": ("quantize", "int8-matmul", ()), "int4": ("quantize", "int4", ()),
    "torchao-int8": ("quantize", "int8", ()), "torchao-int8-dynamic": ("quantize", "int8-dynamic", ()), "magnitude-30": ("prune", "magnitude", ("amount=0.3",)),
    "magnitude-50": ("prune", "magnitude", ("amount=0.5",)), "magnitude-70": ("prune", "magnitude", ("amount=0.7",)), "2:4": ("prune", "2:4", ()),
    "layers-0,2,5": ("distill", "layers", ("layers=0,2,5", "steps=0")), "layers-0,2,5-taught": ("distill", "layers", ("layers=0,2,5", "steps=300")),
    "static-256": ("distill", "static", ("dimensions=256",)),
}  # fmt: skip
OF_ONNX = ("int8", "int8-per-channel", "uint8-reduce-range", "int8-matmul", "int4")
Vector = tuple[float, ...]


def cosine(a: Vector, b: Vector) -> float:
    return math.fsum(map(float.__mul__, a, b)) / math.sqrt(
        math.fsum(x * x for x in a) * math.fsum(x * x for x in b) or 1.0
    )


class Judgements:
    """What people say, and how a model's vectors compare."""

    def __init__(self, folder: Path) -> None:
        self.documents = [
            each.strip() for each in (folder / "lee.cor").read_text(encoding="latin-1").splitlines() if each.strip()
        ]
        rows = [
            [float(each) for each in line.split()] for line in (folder / "similarities0-1.txt").read_text().splitlines()
        ]
        self.pairs = [(a, b) for a in range(len(self.documents)) for b in range(a + 1, len(self.documents))]
        self.people = [rows[a][b] for a, b in self.pairs]
        self.words = {}
        for name, file in (("WordSim", "wordsim353.tsv"), ("SimLex", "simlex999.txt")):
            lines = [each.split("\t") for each in (folder / file).read_text().splitlines() if not each.startswith("#")]
            self.words[name] = [(a, b, float(score)) for a, b, score in lines]

    def vectors(self, path: Path, python: str) -> tuple[list[Vector], dict[str, Vector]]:
        """Of the documents, and of the words."""
        listed = sorted({word for each in self.words.values() for a, b, _ in each for word in (a, b)})
        with opened(str(path), Opening(python=python)) as running:
            documents = [
                vector
                for at in range(0, len(self.documents), 10)
                for vector in running.model.embed(self.documents[at : at + 10])[0]
            ]
            words = [
                vector for at in range(0, len(listed), 64) for vector in running.model.embed(listed[at : at + 64])[0]
            ]
        return documents, dict(zip(listed, words, strict=True))

    def figures(
        self, documents: list[Vector], words: dict[str, Vector], base: list[float] | None
    ) -> tuple[list[float], str, list[float]]:
        """Lee, WordSim, SimLex and agreement; Lee's difference with its interval; the similarities."""
        alike = [cosine(documents[a], documents[b]) for a, b in self.pairs]
        rho = [
            pearson(ranks([cosine(words[a], words[b]) for a, b, _ in each]), ranks([score for _, _, score in each]))
            for each in self.words.values()
        ]
        span = ""
        if base is not None:
            # a pair belongs to two documents: it is left out with the first of them, which the interval is the narrower for
            found = correlation_difference(alike, base, self.people, [a for a, _ in self.pairs])
            span = f"{found.low:+.3f}..{found.high:+.3f}"
        return [pearson(alike, self.people), *rho, 1.0 if base is None else pearson(alike, base)], span, alike


def main() -> None:
    """Make each variant and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--python", required=True)
    parser.add_argument("--lee", required=True, type=Path)
    parser.add_argument("--only", default=",".join(each.replace(",", "+") for each in STEPS))
    asked = parser.parse_args()
    people = Judgements(asked.lee)
    wanted = [each.replace("+", ",") for each in asked.only.split(",")]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines = (asked.lee / "lee_background.cor").read_text(encoding="latin-1").replace(". ", ".\n").splitlines()
        (folder / "train.txt").write_text("\n".join(each for each in lines if len(each) > 20))
        print(
            "| variant | MB | bits | Lee | d Lee 95 % | WS353 | SimLex | agreement | make s | elsewhere: MB | Lee | WS353 | SimLex | agreement |\n"
            "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
            flush=True,
        )
        figures, _, base = people.figures(*people.vectors(asked.model, asked.python), None)
        show("parent", "", "", figures, "", 0.0)
        for each in wanted:
            command, to, given = STEPS[each]
            source = folder / "onnx" if each in OF_ONNX else asked.model
            if each in OF_ONNX and not source.exists():
                derive(Asked("convert", str(asked.model), str(source), "onnx", python=asked.python, speed=False))
            target = folder / ("onnx" if each == "onnx" else "made")
            begin = time.monotonic()
            data = {"train": str(folder / "train.txt")} if to == "layers" and "steps=0" not in given else {}
            step = Asked(
                command, str(source), str(target), to, given, data, python=asked.python, speed=False, force=True
            )
            body = derive(step).body
            seconds = time.monotonic() - begin
            figures, span, _ = people.figures(*people.vectors(target, asked.python), base)
            show(each, f"{body.after.weight_bytes / 1e6:.1f}", f"{float(body.after.bits):.1f}", figures, span, seconds)
        print(f"\nload {os.getloadavg()[0]:.1f}")


def show(name: str, size: str, bits: str, figures: list[float], span: str, seconds: float) -> None:
    """One row, with what is known of it from elsewhere."""
    known = ELSEWHERE[name]
    ours = f"{figures[0]:.3f} | {span} | {figures[1]:.3f} | {figures[2]:.3f} | {figures[3]:.4f}"
    print(
        f"| {name} | {size} | {bits} | {ours} | {seconds:.0f} | {known[0]} | {known[1]} | {known[2]} | {known[3]} | {known[4]} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
