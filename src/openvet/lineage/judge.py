"""Whether one model's weights come from another's, as far as their sketches say: consistent, not consistent, or nobody can tell."""

from __future__ import annotations

from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.evidence.predicates.lineage_v1 import WeightTest
from openvet.inventory.compare.names import kind_of
from openvet.lineage.chance import Agreement, agree
from openvet.lineage.matching import Aligned, Searched, align, norms_agree, search
from openvet.lineage.sides import Matrix, Side

__all__ = ["MEAN", "SEARCHED_MEAN", "Judged", "Z", "judge", "number"]

#: From here on two models agree: standard deviations above chance (at most 1 in 1025 by chance), and the mean correlation.
Z: Final = 32.0
MEAN: Final = 0.2
SEARCHED_MEAN: Final = 0.5
#: Below these nothing of one is seen in the other.
_NOTHING_Z: Final = 6.0
_NOTHING_MEAN: Final = 0.05
#: How far beyond Z equal weights have to lie for a difference to say something: the search has half of the features.
_ABLE: Final = 1.5
#: A tensor is found where so many of its vectors are, in one tensor of the other side.
_FOUND_SHARE: Final = 0.1
_FOUND_FEWEST: Final = 2
#: Norms that go together this well are a hint, and no more: whoever wants to can make them so.
_NORMS_MEAN: Final = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A verdict and what it was drawn from.

    Attributes:
        test: the statement's entry.
        aligned: tensors of one name.
        searched: what was found elsewhere; ``None`` where nothing had to be looked for.
        found: names in A of the tensors that agree or were found.
        own: the matrices of A.
    """

    test: WeightTest
    aligned: Aligned
    searched: Searched | None
    found: tuple[str, ...]
    own: tuple[Matrix, ...] = ()


def number(value: float) -> str:
    """A number as statements write it, with four digits."""
    text = f"{value:.4g}"
    return "0" if text in {"-0", "nan"} else text


def judge(np: Any, a: Side, b: Side, derivative: str, origin: str) -> Judged:
    """Test whether ``a`` may come from ``b``."""
    return _Judging(np, a, b, derivative, origin).all()


class _Judging:
    """One pair under way."""

    def __init__(self, np: Any, a: Side, b: Side, derivative: str, origin: str) -> None:
        self.np, self.a, self.b = np, a, b
        self.names = (derivative, origin)
        self.aligned = align(np, a, b)

    def all(self) -> Judged:
        whole, agreeing = self.aligned.whole, self.aligned.agreeing()
        compared = len(self.aligned.tensors)
        if (
            whole.z >= Z
            and whole.mean >= MEAN
            and 2 * len(agreeing) >= compared
            and 2 * compared >= len(self.a.matrices)
        ):
            rest = [each.name for each in self.a.matrices if each.name not in set(agreeing)]
            searched = search(self.np, self.a, self.b, rest) if rest else None
            more = [] if searched is None else _found(searched)
            text = f"{len(agreeing)} of {compared} matrices have the rows and columns of the other's"
            return self._judged("consistent", "vector-correlation", text, whole, MEAN, searched, (*agreeing, *more))
        searched = search(self.np, self.a, self.b)
        found = _found(searched)
        strong = searched.found.z >= Z and searched.found.mean >= SEARCHED_MEAN
        if strong and 2 * len(found) >= len(self.a.matrices):
            text = f"rows and columns of {len(found)} of {len(self.a.matrices)} matrices are found in the other one"
            return self._judged("consistent", "matched-vectors", text, searched.found, SEARCHED_MEAN, searched, found)
        if strong and found:
            return self._in_part(searched, found)
        return self._nothing(searched)

    def _in_part(self, searched: Searched, found: tuple[str, ...]) -> Judged:
        """Some matrices are there. Tables that are looked up in are handed on without the rest of a model; layers are not."""
        layers = [name for name in found if kind_of(name) != "embedding"]
        enough = len(layers) >= max(2, len(self.a.matrices) // 10)
        total = len(self.a.matrices)
        if enough:
            text = f"rows and columns of {len(found)} of {total} matrices are found in the other one, and of the others none"
        else:
            text = f"only {len(found)} of {total} matrices ({', '.join(found[:3])}) are found in the other one: parts were taken, or the start"
        verdict = "consistent" if enough else "cannot-tell"
        return self._judged(verdict, "matched-vectors", text, searched.found, SEARCHED_MEAN, searched, found)

    def _nothing(self, searched: Searched) -> Judged:
        whole, np = self.aligned.whole, self.np
        shapes = {each.extents for each in self.b.matrices}
        alike = [each for each in self.a.matrices if each.extents in shapes]
        own = ([(each.sets[name].units,) * 2 for each in alike if name in each.sets] for name in ("rows", "columns"))
        able = agree(np, *own)
        verdict = "cannot-tell"
        seen, threshold = (whole, MEAN) if whole.vectors else (searched.found, SEARCHED_MEAN)
        if not self.a.matrices or not self.b.matrices:
            text = "there are no matrices that a sketch is made of"
        elif 2 * len(alike) < len(self.a.matrices):
            text = f"{len(alike)} of {len(self.a.matrices)} matrices have a shape that the other one has too; other extents are not compared"
        elif not able.z >= _ABLE * Z:
            text = "too small: even of equal weights chance could not be excluded"
        elif self._norms(whole):
            text = "no rows or columns agree, and the norms of rows do: weights that were turned by a rotation look so, and weights that were scaled to look so"
        elif whole.z >= _NOTHING_Z or whole.mean >= _NOTHING_MEAN or searched.found.z >= _NOTHING_Z:
            text = "something agrees, and too little to say more: trained on for long, or a common start"
        else:
            verdict = "not-consistent"
            text = "nothing agrees: no row or column of one is found in the other"
        test = "vector-correlation" if whole.vectors else "matched-vectors"
        return self._judged(verdict, test, text, seen, threshold, searched, ())

    def _norms(self, whole: Agreement) -> bool:
        norms = norms_agree(self.np, self.aligned)
        return whole.vectors > 0 and norms.mean >= _NORMS_MEAN and norms.z >= _NOTHING_Z

    def _judged(
        self,
        verdict: str,
        test: str,
        text: str,
        seen: Agreement,
        threshold: float,
        searched: Searched | None,
        found: tuple[str, ...],
    ) -> Judged:
        figures = {
            "z": number(seen.z),
            "z threshold": number(Z),
            "matrices": str(len(self.a.matrices)),
            "matrices that agree": str(len(set(found))),
        }
        made = WeightTest(
            *self.names, "derived", verdict, test, text, seen.vectors, number(seen.mean) if seen.vectors else None,
            number(threshold), number(seen.p), figures,
        )  # fmt: skip
        return Judged(made, self.aligned, searched, tuple(dict.fromkeys(found)), self.a.matrices)


def _found(searched: Searched) -> tuple[str, ...]:
    return tuple(
        name
        for name, (_, count, looked) in searched.tensors.items()
        if count >= max(_FOUND_FEWEST, _FOUND_SHARE * looked)
    )


def pairs_of(judged: Judged) -> list[tuple[Matrix, Matrix]]:
    """The tensors that agree at one place, in order of A's names."""
    return [judged.aligned.tensors[name][:2] for name in judged.aligned.agreeing()]
