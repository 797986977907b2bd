"""How the answers of two open models differ, on texts and on tasks; each is asked the same, parent first."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Sequence
from typing import Any, Final

from openvet.core.progress import Progress
from openvet.core.text import printable
from openvet.engines.model import Model, Scored
from openvet.errors import UsageError
from openvet.evals.asking import needs_of
from openvet.evals.backends.local import Local
from openvet.evals.log import Scored as Answered
from openvet.evals.log import number
from openvet.evals.metrics import MetricError, estimate, pair_up
from openvet.evals.runner import run as run_task
from openvet.evals.scorers import SCORERS
from openvet.evals.stats.correlation import pearson
from openvet.evals.stats.estimate import ratio
from openvet.evals.stats.paired import Paired
from openvet.evals.task import Task
from openvet.evidence.merkle import Tree, leaf_hash
from openvet.evidence.predicates.derivation_v1 import Agreement, Input, TaskDifference
from openvet.sandbox.session import AskedError
from openvet.workflows.eval_files import beside
from openvet.workflows.measuring_figures import (
    BLOCK,
    Held,
    agreed,
    bounds_of,
    correlations,
    cosine,
    flipped,
    greatest,
    mean,
    of_difference,
    p_of,
    perplexity,
)
from openvet.workflows.measuring_inputs import SAMPLE, Measuring, base_name, task_of, text_of
from openvet.workflows.measuring_reading import SEEDS, graphs_agree, texts_agree

__all__ = ["WINDOW", "Both", "can_do"]

WINDOW: Final = 512
_MOST_LINES: Final = 512
#: Texts whose similarities, each with each, are held together.
_PAIRS_OF: Final = 200
_BATCH: Final = 16


def can_do(path: str, task: Task, backends: Sequence[Local]) -> None:
    needs = needs_of(task)
    if not all(needs in each.facts.can for each in backends):
        which = "one of both" if len(backends) > 1 else "the parent"
        raise UsageError(
            f"{printable(path)}: its scorer {task.scorer.name} needs a model that can {needs}, which {which} cannot"
        )


class Both:
    """Two open models, parent first, and what was measured of them so far."""

    def __init__(
        self,
        parent: Model,
        child: Model,
        how: Measuring,
        progress: Progress,
        notes: list[str],
    ) -> None:
        self._parent, self._child, self._how, self._progress = parent, child, how, progress
        self._notes = notes
        self.agreement: list[Agreement] = []
        self.tasks: list[TaskDifference] = []
        self.held: list[Held] = []
        self._can = parent.can & child.can
        trained = [each.facts.get("context_trained") for each in (parent, child)]
        self._window = min([WINDOW, *(each for each in trained if isinstance(each, int) and each > 1)])

    def sample(self) -> tuple[Input, ...]:
        """What is measured where nobody named a text or a task, on a text that lies here; gives it."""
        if not {"score", "embed"} & self._can:
            return ()
        self.text(SAMPLE)
        self._notes.append(
            "no text and no task was given: a short text of ours was taken, which shows how far the two agree on it and nothing about your use (--text, --task)"
        )
        return (Input("text", SAMPLE, text_of(self._how.kept, SAMPLE)[1]),)

    def graphs(self) -> None:
        """Let graphs compute, each by itself, where that is what both can."""
        if "compute" not in self._can or {"score", "embed"} & self._can:
            return
        self._progress.doing = "graphs on drawn inputs"
        try:
            found, left = graphs_agree(self._parent, self._child)
        except AskedError as error:
            self._notes.append(f"the numbers of its graphs cannot be compared: {error}")
            return
        self.agreement += found
        if found:
            self._notes.append(
                f"Numbers of graphs are those of {len(SEEDS)} inputs that were drawn, of strokes where a picture is taken: they say how near the graphs are, "
                "and nothing about what they are used for."
            )
        if left:
            names = ", ".join(left[:8])
            self._notes.append(
                f"not compared, since it is too large to be said or of another size in the child: {names}"
            )

    # --- texts ---

    def text(self, path: str) -> None:
        """Score a text with both, or make vectors of its lines."""
        self._progress.doing = f"text {base_name(path)}"
        text, _ = text_of(self._how.kept, path)
        try:
            if "score" in self._can:
                return self._scored(path, text)
            if "embed" in self._can:
                return self._embedded(path, text)
        except AskedError as error:
            self._notes.append(f"{base_name(path)} was not used: {error}")
        else:
            self._notes.append(f"neither scores texts nor makes vectors: {base_name(path)} was not used")

    def _scored(self, path: str, text: str) -> None:
        base = os.path.join(self._how.scratch, f"{hashlib.sha256(path.encode()).hexdigest()[:16]}.base")
        first = self._once("score", path, lambda: self._distributions(text, base))
        second, judged = self._against(text, base)
        for name, found in (("perplexity-of-parent", first), ("perplexity", second)):
            self.agreement.append(agreed(name, perplexity(found.nll), len(found.nll), "tokens"))
        if len(first.nll) != len(second.nll):
            self._notes.append(
                "the two cut the text in other tokens: losses of tokens cannot be held against each other, and no loss is judged by it"
            )
            return
        blocks = [at // BLOCK for at in range(len(first.nll))]
        worse = [b - a for a, b in zip(first.nll, second.nll, strict=True)]
        difference = mean(worse, blocks)
        self.agreement.append(agreed("nll-difference", difference, len(worse), "tokens"))
        if second.kl:
            self.agreement.append(agreed("kl", mean(second.kl, blocks), len(second.kl), "tokens"))
            for name, shares in (("same-top-1", second.same), ("flips", second.flipped)):
                found = ratio([float(each) for each in shares], None, blocks, share=True)
                self.agreement.append(agreed(name, found, len(shares), "tokens"))
            self.agreement.append(greatest(second.apart, "tokens"))
        if judged and self._how.loss is not None and not self._how.tasks:
            closer = of_difference([-each for each in worse], blocks, 1.0 - self._how.alpha)
            self.held.append((f"perplexity on {base_name(path)}", closer, math.log1p(self._how.loss)))

    def _against(self, text: str, base: str) -> tuple[Scored, bool]:
        """The child held against the parent's distributions, and whether it was asked as it would be in use: by its own tokens."""
        if not os.path.exists(base):
            return self._child.score(text, self._window), True
        try:
            return self._child.score(text, self._window, against=base), True
        except AskedError as error:
            why = error
        try:
            found = self._child.score(text, self._window, against=base, same_tokens=True)
        except AskedError:
            self._notes.append(f"their distributions cannot be compared: {why}")
            return self._child.score(text, self._window), True
        self._notes.append(
            "the two cut the text in other tokens, or begin it otherwise: the child was given the parent's tokens, so that figures are about its weights "
            "and not about what it makes of a text; no loss is judged by them"
        )
        return found, False

    def _once(self, kind: str, path: str, ask: Callable[[], Any]) -> Any:
        """What the parent says, which is asked once."""
        kept = self._how.kept
        if (kind, path) not in kept:
            kept[kind, path] = ask()
        return kept[kind, path]

    def _distributions(self, text: str, base: str) -> Any:
        """Score the parent and keep its distributions at ``base``, where they are not too large for a file."""
        try:
            return self._parent.score(text, self._window, write=base)
        except AskedError as error:
            self._notes.append(f"its distributions are not kept, so that no divergence is measured: {error}")
            if os.path.lexists(base):
                os.unlink(base)
            return self._parent.score(text, self._window)

    def _embedded(self, path: str, text: str) -> None:
        lines = [each.strip() for each in text.splitlines() if each.strip()][:_MOST_LINES]

        def vectors(model: Model) -> list[Sequence[float]]:
            return [vector for at in range(0, len(lines), _BATCH) for vector in model.embed(lines[at : at + _BATCH])[0]]

        one, other = self._once("embed", path, lambda: vectors(self._parent)), vectors(self._child)
        if len(one[0]) == len(other[0]):
            near = [cosine(a, b) for a, b in zip(one, other, strict=True)]
            self.agreement.append(agreed("cosine", mean(near), len(near), "texts"))
        else:
            self._notes.append(
                f"their vectors have {len(one[0])} and {len(other[0])} numbers: only similarities are compared"
            )
        if len(lines) >= 4:
            size = min(len(lines), _PAIRS_OF)
            pairs = [(a, b) for a in range(size) for b in range(a)]
            alike = [[cosine(side[a], side[b]) for a, b in pairs] for side in (one, other)]
            try:
                value = pearson(*alike)
            except ValueError:
                return
            self.agreement.append(
                Agreement("similarity-correlation", number(value), None, None, len(pairs), "pairs of texts")
            )

    # --- tasks ---

    def task(self, path: str) -> None:
        """Ask both the same samples."""
        task, _ = task_of(self._how.kept, path)
        scorer = SCORERS[task.scorer.name]
        backends = [Local(model, {}, read=beside(path)) for model in (self._parent, self._child)]
        can_do(path, task, backends)
        first = self._once("task", path, lambda: self._run(task, backends[0], "parent"))
        second = self._run(task, backends[1], "child")
        roots = (first[1], second[1])
        if needs_of(task) in ("read", "transcribe"):
            self.agreement += texts_agree(task, first[2], second[2])
        by_rank = task.scorer.settings.get("by", "spearman") == "spearman"
        try:
            figures = [number(estimate(each[0], scorer.metric, by_rank=by_rank).value) for each in (first, second)]
            if scorer.metric == "correlation":
                found: Paired | None = None
                difference, narrow = (
                    correlations(first[0], second[0], level, by_rank=by_rank) for level in (0.95, 1.0 - self._how.alpha)
                )
                held = Paired(narrow, p_of(narrow), None, None, 0.0, None)
            else:
                found, held = (
                    pair_up(second[0], first[0], scorer.metric, level, higher=scorer.higher).found
                    for level in (0.95, 1.0 - self._how.alpha)
                )
                difference = found.difference
        except (MetricError, ValueError) as error:
            raise UsageError(f"{printable(path)}: {error}") from error
        sign = 1.0 if scorer.higher else -1.0
        flips = None if found is None else found.flips
        low, high = bounds_of(difference)
        self.tasks.append(
            TaskDifference(
                printable(task.name), task.sha256, difference.n, figures[0], figures[1], number(difference.value), low, high, difference.method,
                None if flips is None else flips.first, None if flips is None else flips.second,
                None if found is None else number(found.p), roots,
            )
        )  # fmt: skip
        if flips is not None:
            share = flipped(first[0], second[0])
            self.agreement.append(agreed("flips", share, difference.n, f"samples of {printable(task.name)}"))
        if sign < 0:
            self._notes.append(
                f"{printable(task.name)}: less is better; its difference is turned, so that above zero the child is better"
            )
        if self._how.loss is not None:
            self.held.append((printable(task.name), held, self._how.loss))

    def _run(self, task: Task, backend: Local, side: str) -> tuple[list[Answered], str, list[bytes]]:
        self._progress.doing = f"{printable(task.name)} by the {side}"
        tree = Tree()
        lines: list[bytes] = []
        done, _ = run_task(task, range(len(task.samples)), backend, lines.append, progress=self._progress)
        for each in lines:
            tree.append(leaf_hash(each))
        return done, tree.root().hex(), lines
