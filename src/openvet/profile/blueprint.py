"""What a configuration says that a model is made of: every tensor by name and shape, and what a sequence costs.

A family (:mod:`openvet.profile.families`) draws a blueprint from a configuration. Nothing is executed and nothing is guessed: each
family's drawing is held, tensor by tensor, against the class that transformers or diffusers builds from the same configuration
(``tests/profile/test_against_classes.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import field
from itertools import islice, product
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.evidence.predicates.profile_v1 import Cache

__all__ = ["Blueprint", "Role", "Weight"]


class Role:
    """What a tensor is for, as far as counting needs it."""

    #: A table that tokens or positions look their vector up in: part of the parameters, no multiplication.
    EMBEDDING = "embedding"
    #: Passed once for an input and not for a token of the answer: the encoder of text, of an image or of sound, what joins it to
    #: the answer, and what looks at a text as a whole.
    ENCODER = "encoder"
    #: A buffer that is stored and never trained, such as a table of positions.
    BUFFER = "buffer"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Weight:
    """Tensors of one shape.

    Attributes:
        name: with ``{}`` for each index.
        shape: row-major.
        role: a word of :class:`Role`.
        over: the numbers that stand for each ``{}``.
        active: (chosen, of): which part of them a token passes, where not all.
    """

    name: str
    shape: tuple[int, ...]
    role: str = Role.OTHER
    over: tuple[Sequence[int], ...] = ()
    active: tuple[int, int] | None = None

    @property
    def copies(self) -> int:
        total = 1
        for each in self.over:
            total *= len(each)
        return total

    @property
    def elements(self) -> int:
        """Elements of all of them together."""
        total = self.copies
        for extent in self.shape:
            total *= extent
        return total

    @property
    def passed(self) -> int:
        """Elements of those that a token passes."""
        chosen, of = self.active or (1, 1)
        return self.elements * chosen // of

    def moved(self, cut: str, put: str) -> Weight:
        """The same with ``put`` in place of ``cut`` before its name, where that is what it starts with."""
        name = put + self.name.removeprefix(cut) if self.name.startswith(cut) else self.name
        return Weight(name, self.shape, self.role, self.over, self.active)

    def names(self) -> Iterator[str]:
        """Each name, in order."""
        for numbers in product(*self.over):
            yield self.name.format(*numbers)


@dataclass(slots=True)
class Blueprint:
    """A model as its configuration draws it.

    Attributes:
        family: what the family is called.
        kind: ``decoder``, ``encoder``, ``encoder-decoder``, ``dual-encoder``, ``denoiser`` or ``autoencoder``.
        modalities: what goes in and what comes out: ``("text", "image"), ("text",)``.
        weights: all of them.
        caches: what a sequence costs.
        facts: further facts, by the names that the predicate's page lists: ``layers``, ``hidden size`` ...
        tied: elements that a token is multiplied with and that are in no other count: tables in which the input is looked up and
            that are the output's matrix too, layers that a token passes once more.
        notes: what has to be said about the drawing, in words.
        renamed: (start of a name, another that published files have in its place), for classes whose names have changed.
    """

    family: str
    kind: str
    modalities: tuple[tuple[str, ...], tuple[str, ...]] = (("text",), ("text",))
    weights: list[Weight] = field(default_factory=list)
    caches: list[Cache] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    tied: int = 0
    notes: list[str] = field(default_factory=list)
    renamed: list[tuple[str, str]] = field(default_factory=list)

    def add(
        self,
        name: str,
        *shape: int,
        role: str = Role.OTHER,
        over: Sequence[Sequence[int]] = (),
        active: tuple[int, int] | None = None,
    ) -> None:
        """Tensors of one shape; see :class:`Weight`."""
        if all(len(each) for each in over):
            self.weights.append(Weight(name, shape, role, tuple(over), active))

    def linear(
        self,
        name: str,
        out: int,
        inner: int,
        *,
        bias: bool = False,
        role: str = Role.OTHER,
        over: Sequence[Sequence[int]] = (),
        active: tuple[int, int] | None = None,
    ) -> None:
        """``name.weight`` of shape (out, inner), and ``name.bias`` if there is one."""
        self.add(f"{name}.weight", out, inner, role=role, over=over, active=active)
        if bias:
            self.add(f"{name}.bias", out, role=role, over=over, active=active)

    def norm(
        self, name: str, width: int, *, bias: bool = False, role: str = Role.OTHER, over: Sequence[Sequence[int]] = ()
    ) -> None:
        """``name.weight`` of a normalisation, and ``name.bias`` if there is one."""
        self.add(f"{name}.weight", width, role=role, over=over)
        if bias:
            self.add(f"{name}.bias", width, role=role, over=over)

    def keep(
        self,
        kind: str,
        layers: int,
        elements: int,
        *,
        window: int | None = None,
        flop: int = 0,
        prompt_flop: int | None = None,
    ) -> None:
        """Layers that keep something of a sequence; see :class:`~openvet.evidence.predicates.profile_v1.Cache`."""
        if layers and elements:
            cheaper = None if prompt_flop is None or prompt_flop >= flop else prompt_flop
            self.caches.append(Cache(kind, layers, elements, window, flop, cheaper))

    def take(self, other: Blueprint, *, prefix: str = "", role: str | None = None) -> None:
        """Everything of a part of this model, under ``prefix``; its caches and facts are left to the caller."""
        for each in other.weights:
            self.weights.append(Weight(prefix + each.name, each.shape, role or each.role, each.over, each.active))

    @property
    def parameters(self) -> int:
        return sum(each.elements for each in self.weights if each.role != Role.BUFFER)

    @property
    def embeddings(self) -> int:
        """Parameters in tables that tokens look their vectors up in."""
        return sum(each.elements for each in self.weights if each.role == Role.EMBEDDING)

    @property
    def active(self) -> int:
        """Parameters that one token passes or looks itself up in: all but the experts that are not chosen."""
        return sum(each.passed for each in self.weights if each.role != Role.BUFFER)

    @property
    def encoded(self) -> int:
        """Parameters that an input passes once, and not each token of the answer."""
        return sum(each.passed for each in self.weights if each.role == Role.ENCODER)

    @property
    def multiplied(self) -> int:
        """Parameters that one token of text is multiplied with.

        The active ones, without tables that are only looked up in and without what an image or sound passes once.
        """
        apart = {Role.BUFFER, Role.ENCODER, Role.EMBEDDING}
        return self.tied + sum(each.passed for each in self.weights if each.role not in apart)

    def shapes(self, most: int) -> dict[str, tuple[int, ...]]:
        """Name -> shape of every tensor, of at most ``most``."""
        pairs = ((name, each.shape) for each in self.weights for name in each.names())
        return dict(islice(pairs, most))
