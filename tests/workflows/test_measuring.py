"""Parent and child held against each other: the arithmetic of agreement, on models that are made of a few numbers."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from openvet.core.progress import Progress
from openvet.engines.model import Generated, Likely, Line, Sampling, Scored
from openvet.errors import UsageError
from openvet.evals.backends._backend import Usage
from openvet.evals.log import Scored as Result
from openvet.evals.stats.correlation import correlation_difference, pearson
from openvet.evidence.predicates.derivation_v1 import Agreement
from openvet.sandbox.host import Load, Watch
from openvet.sandbox.interpreter import our_interpreter
from openvet.sandbox.levels import LADDER
from openvet.sandbox.session import AskedError
from openvet.sandbox.supervisor import Bounds
from openvet.workflows import measuring, measuring_cost
from openvet.workflows.measuring import Measuring, check_can, read_inputs
from openvet.workflows.measuring_answers import Both
from openvet.workflows.measuring_cost import Costs, cost_of
from openvet.workflows.measuring_figures import flipped, verdict_of
from openvet.workflows.measuring_inputs import text_of
from openvet.workflows.measuring_reading import page


class Model:
    """Says what it was given to say, and counts how often it is asked."""

    engine = "none"

    def __init__(
        self,
        *can: str,
        nll: Sequence[float] = (),
        kl: Sequence[float] = (),
        turn: float = 0.0,
        right: Sequence[int] = (),
    ) -> None:
        self.can = frozenset(can)
        self.facts: dict[str, Any] = {}
        self.nll, self.kl, self.turn, self.right = tuple(nll), tuple(kl), turn, list(right)
        self.asked = 0
        self.windows: list[int] = []
        self.cuts = False

    def score(self, text: str, window: int, *, write: str = "", against: str = "", same_tokens: bool = False) -> Scored:
        self.asked += 1
        self.windows.append(window)
        if write:
            Path(write).touch()
        if against and self.cuts and not same_tokens:
            raise AskedError("the distributions are of other tokens than this model makes of the text")
        if not against or not self.kl:
            return Scored(len(self.nll) + 1, self.nll)
        far = tuple(each >= 0.1 for each in self.kl)
        return Scored(len(self.nll) + 1, self.nll, self.kl, tuple(not each for each in far), far, self.kl)

    def embed(self, texts: Sequence[str]) -> tuple[tuple[tuple[float, ...], ...], int]:
        self.asked += 1
        if any(len(each) > 100 for each in texts):
            raise AskedError("a text of 300 tokens would be cut at 256")
        angles = [len(each) / 30 + self.turn * (number % 3) for number, each in enumerate(texts)]
        return tuple((math.cos(each), math.sin(each)) for each in angles), len(texts)

    def likelihoods(self, context: str, prefix: int, continuations: Sequence[str]) -> Likely:
        self.asked += 1
        right = self.right[int(context.split()[-1])]
        values = tuple(0.0 if at == right else -1.0 for at in range(len(continuations)))
        return Likely(values, (1,) * len(values), (True,) * len(values), 3)

    def read(self, image: bytes) -> tuple[Line, ...]:
        self.asked += 1
        return tuple(Line(each, 0.9) for each in image.decode("latin-1").splitlines()[: len(self.right)])

    def generate(self, prompt: Any, sampling: Sampling) -> Generated:
        self.asked += 1
        return Generated("x", "length", 3, sampling.max_tokens)

    def outputs(self, seed: int) -> dict[str, tuple[float, ...]]:
        self.asked += 1
        if self.right == [9]:
            raise AskedError("an output holds infinity, or what is no number")
        return {"y": (1.0, float(seed), self.turn), "z": (1.0,) * (2 + len(self.right)), "large": ()}

    def peak_memory(self) -> int:
        return 1000


def both(parent: Model, child: Model, folder: Path, loss: float | None = None, **given: Any) -> Both:
    how = Measuring((), (), loss, LADDER[0], Bounds(), our_interpreter(), 1, str(folder), **given)
    return Both(parent, child, how, Progress(), [])  # type: ignore[arg-type]


def costs(parent: Model, child: Model) -> Costs:
    return cost_of(parent, child, 1, [], Progress())  # type: ignore[arg-type]


def found(work: Both) -> dict[str, Agreement]:
    return {each.measure: each for each in work.agreement}


def test_windows_are_no_longer_than_either_model_was_trained_for(tmp_path: Path, text: str) -> None:
    parent, child = (Model("score", nll=[1.0] * 8, kl=[0.0] * 8) for _ in range(2))
    child.facts["context_trained"] = 100
    both(parent, child, tmp_path).text(text)
    assert (parent.windows, child.windows) == ([100], [100])


def test_one_that_cuts_the_text_otherwise_gets_the_tokens_of_the_other(tmp_path: Path, text: str) -> None:
    """What is said then is about the weights alone, and no loss is judged by it."""
    same = [1.0 + at % 3 for at in range(64 * 200)]
    parent, child = Model("score", nll=same), Model("score", nll=same, kl=[0.2, *[0.0] * (len(same) - 1)])
    child.cuts = True
    notes: list[str] = []
    how = Measuring((), (), 0.02, LADDER[0], Bounds(), our_interpreter(), 1, str(tmp_path))
    work = Both(parent, child, how, Progress(), notes)  # type: ignore[arg-type]
    work.text(text)
    said = found(work)
    assert (said["max-difference"].value, said["max-difference"].low) == ("0.2", None)
    assert float(said["flips"].value) == pytest.approx(1 / len(same))
    assert float(said["same-top-1"].value) == pytest.approx(1 - 1 / len(same))
    assert (len(notes), "given the parent's tokens" in notes[0], work.held) == (1, True, [])


def test_where_nobody_names_a_text_one_of_ours_is_taken(tmp_path: Path) -> None:
    work = both(Model("score", nll=[1.0] * 8), Model("score", nll=[1.0] * 8, kl=[0.0] * 8), tmp_path)
    (taken,) = work.sample()
    assert (taken.role, taken.name) == ("text", "<built-in sample>")
    assert taken.sha256 == hashlib.sha256(text_of({}, "<built-in sample>")[0].encode()).hexdigest()
    assert "kl" in found(work)
    assert both(Model("match"), Model("match"), tmp_path).sample() == ()


@pytest.fixture
def text(tmp_path: Path) -> str:
    (tmp_path / "text.txt").write_text("\n".join("a" * (5 + 3 * number) for number in range(12)))
    return str(tmp_path / "text.txt")


def test_a_model_and_itself_agree(tmp_path: Path, text: str) -> None:
    """Equal everywhere is no proof for what was not seen: eight tokens resolve nothing, and 200 blocks do."""
    same = [1.0 + at % 3 for at in range(64 * 200)]
    for tokens in (8, 64, 300):
        few = both(Model("score", nll=same[:tokens]), Model("score", nll=same[:tokens]), tmp_path, 0.02, kept={})
        few.text(text)
        assert verdict_of(few.held, 0.02)[0] == "unresolved"
    work = both(Model("score", nll=same), Model("score", nll=same, kl=[0.0] * len(same)), tmp_path, 0.02)
    work.text(text)
    said = found(work)
    assert (
        float(said["perplexity"].value)
        == float(said["perplexity-of-parent"].value)
        == pytest.approx(math.exp(2.0), rel=1e-4)
    )
    assert [said[each].value for each in ("nll-difference", "kl", "same-top-1")] == ["0", "0", "1"]
    # nats are no shares: Wilson's interval is not theirs
    assert [said[each].low for each in ("nll-difference", "kl")] == [None, None]
    assert said["same-top-1"].low is not None
    assert verdict_of(work.held, 0.02)[0] == "as-good"


@pytest.mark.parametrize(
    ("worse", "word"), [(0.3, "worse"), (-0.3, "as-good"), (0.019, "unresolved"), (0.005, "as-good")]
)
def test_the_loss_is_by_how_much_the_perplexity_may_rise(tmp_path: Path, text: str, worse: float, word: str) -> None:
    nll = [2.0] * 640
    spread = [worse + 0.01 * (1 if at // 64 % 2 else -1) for at in range(640)]
    work = both(
        Model("score", nll=nll),
        Model("score", nll=[a + b for a, b in zip(nll, spread, strict=True)], kl=[0.2] * 640),
        tmp_path,
        0.02,
    )
    work.text(text)
    assert float(found(work)["nll-difference"].value) == pytest.approx(worse)
    assert found(work)["same-top-1"].value == "0"
    assert verdict_of(work.held, 0.02)[0] == word


def test_of_many_looks_each_is_judged_more_strictly(tmp_path: Path, text: str) -> None:
    spread = [0.0125 + 0.008 * (1 if at // 64 % 2 else -1) for at in range(640)]
    for looks, word in ((1, "as-good"), (10, "unresolved")):
        child = Model("score", nll=[2.0 + each for each in spread])
        work = both(Model("score", nll=[2.0] * 640), child, tmp_path, 0.02, looks=looks)
        work.text(text)
        assert verdict_of(work.held, 0.02, work._how.alpha)[0] == word, looks


def test_the_bytes_that_are_named_are_those_that_are_used(tmp_path: Path, text: str) -> None:
    work = both(Model("score", nll=[1.0] * 9), Model("score", nll=[1.0] * 9), tmp_path)
    before = Path(text).read_bytes()
    assert text_of(work._how.kept, text) == (before.decode(), hashlib.sha256(before).hexdigest())
    Path(text).write_text("something else")
    assert text_of(work._how.kept, text)[1] == hashlib.sha256(before).hexdigest()


def test_flips_of_one_cluster_are_one() -> None:
    first = [Result(at, str(at), str(at // 10), 1.0, 1.0, None, Usage()) for at in range(40)]
    second = [replace(each, score=float(at >= 10)) for at, each in enumerate(first)]
    together = flipped(first, second)
    alone = flipped([replace(each, cluster="") for each in first], [replace(each, cluster="") for each in second])
    assert (together.value, alone.value, together.clusters) == (0.25, 0.25, 4)
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_tokens_of_a_block_count_as_one(tmp_path: Path, text: str) -> None:
    """Noise that is the same within blocks of 64 gives the interval of ten numbers and not of 640."""
    noise = [math.sin(17.0 * (at // 64)) for at in range(640)]
    work = both(Model("score", nll=[2.0] * 640), Model("score", nll=[2.0 + each for each in noise]), tmp_path)
    work.text(text)
    each = found(work)["nll-difference"]
    assert each.low is not None
    assert each.high is not None
    assert float(each.high) - float(each.low) > 0.5


def test_other_tokens_are_not_compared(tmp_path: Path, text: str) -> None:
    work = both(Model("score", nll=[1.0] * 9), Model("score", nll=[1.0] * 8, kl=[0.0] * 8), tmp_path, 0.02)
    work.text(text)
    assert "nll-difference" not in found(work)
    assert any("cut the text in other tokens" in each for each in work._notes)
    assert verdict_of(work.held, 0.02)[0] == "unresolved"


def test_vectors(tmp_path: Path, text: str) -> None:
    work = both(Model("embed"), Model("embed"), tmp_path)
    work.text(text)
    assert float(found(work)["cosine"].value) == pytest.approx(1.0)
    assert float(found(work)["similarity-correlation"].value) == pytest.approx(1.0)
    turned = both(Model("embed"), Model("embed", turn=0.4), tmp_path)
    turned.text(text)
    assert float(found(turned)["cosine"].value) == pytest.approx((1 + math.cos(0.4) + math.cos(0.8)) / 3)
    assert found(turned)["similarity-correlation"].n == 66
    Path(text).write_text("short\n" + "long " * 60)
    work = both(Model("embed"), Model("embed"), tmp_path)
    work.text(text)
    assert "text.txt was not used: a text of 300 tokens would be cut at 256" in work._notes


def test_flips_and_the_parent_asked_once(tmp_path: Path) -> None:
    items = [{"id": str(at), "q": f"question {at}", "choices": ["one", "two"], "right": 0} for at in range(40)]
    (tmp_path / "items.jsonl").write_text("".join(json.dumps(each) + "\n" for each in items))
    task = tmp_path / "task.yaml"
    task.write_text(
        "name: quiz\nversion: '1'\nlicense: CC0-1.0\nsamples: items.jsonl\nprompt: '{{ q }}'\nchoices: choices\ntarget: '{{ right }}'\nscorer: choice\n"
    )
    read_inputs((), (str(task),))
    parent = Model("likelihoods", right=[0] * 30 + [1] * 10)
    child = Model("likelihoods", right=[1] * 5 + [0] * 35)
    kept: dict[Any, Any] = {}
    work = both(parent, child, tmp_path, 0.2, kept=kept)
    work.task(str(task))
    (seen,) = work.tasks
    assert (seen.parent, seen.child, seen.better, seen.worse, seen.samples) == ("0.75", "0.875", 10, 5, 40)
    assert float(seen.difference) == pytest.approx(0.125)
    assert seen.roots[0] != seen.roots[1]
    assert float(found(work)["flips"].value) == pytest.approx(15 / 40)
    assert verdict_of(work.held, 0.2)[0] == "as-good"
    asked = parent.asked
    again = both(parent, parent, tmp_path, 0.2, kept=kept)
    again.task(str(task))
    assert again.tasks[0].roots[0] == again.tasks[0].roots[1] == seen.roots[0]
    assert parent.asked == 2 * asked  # as the child alone
    with pytest.raises(UsageError, match="a model that can loglikelihood"):
        both(Model("embed"), child, tmp_path).task(str(task))


def test_lines_that_are_read_are_held_against_each_other(tmp_path: Path) -> None:
    """What a task needs of a model is more than what its scorer needs: an image is read, and not written on."""
    (tmp_path / "page.png").write_bytes(b"one line\nand another")
    task = tmp_path / "task.json"
    sample = {"file": "page.png", "said": "one line and another"}
    task.write_text(json.dumps({"name": "page", "samples": [sample], "image": "{{file}}", "target": "{{said}}", "scorer": "wer"}))  # fmt: skip
    work = both(Model("read", right=[0, 0]), Model("read", right=[0]), tmp_path)
    work.task(str(task))
    (seen,) = work.tasks
    assert (seen.parent, seen.child, seen.difference) == ("0", "0.5", "-0.5")
    with pytest.raises(UsageError, match="a model that can read"):
        both(Model("generate"), Model("read"), tmp_path).task(str(task))


def test_texts_that_are_read_are_counted_by_characters(tmp_path: Path) -> None:
    """Of four pages the child reads one line less on each that has two, and nothing on none."""
    for at, text in enumerate(("ab\nc", "ab", "xyz\nzz", "q")):
        (tmp_path / f"{at}.png").write_text(text)
    samples = [
        {"id": str(at), "file": f"{at}.png", "said": (tmp_path / f"{at}.png").read_text() + "!"} for at in range(4)
    ]
    task = tmp_path / "pages.json"
    task.write_text(json.dumps({"name": "pages", "samples": samples, "image": "{{file}}", "target": "{{said}}", "scorer": "cer"}))  # fmt: skip
    work = both(Model("read", right=[0, 0]), Model("read", right=[0]), tmp_path)
    work.task(str(task))
    said = found(work)
    assert (said["same-text"].value, said["same-text"].of, said["same-text"].n) == ("0.5", "images of pages", 4)
    # of "ab c", "ab", "xyz zz" and "q" two and three characters are missing; the "!" behind each is read by neither
    assert float(said["text-difference"].value) == pytest.approx((2 + 3) / (4 + 2 + 6 + 1))
    assert float(said["character-errors-of-parent"].value) == pytest.approx(4 / 17)
    assert float(said["character-errors"].value) == pytest.approx((3 + 1 + 4 + 1) / 17)
    assert said["character-errors"].low is not None
    assert float(said["character-errors"].low) >= 0.0
    (held,) = work.tasks
    assert (held.parent, held.child) == (said["character-errors-of-parent"].value, said["character-errors"].value)


def test_numbers_of_graphs_are_held_against_each_other(tmp_path: Path) -> None:
    work = both(Model("compute", turn=1.0), Model("compute", turn=1.5), tmp_path)
    work.graphs()
    said = {(each.measure, each.of): each for each in work.agreement}
    assert (said["max-difference", "numbers of y"].value, said["max-difference", "numbers of y"].n) == ("0.5", 12)
    assert said["cosine", "numbers of z"].value == "1"
    assert 0.9 < float(said["cosine", "numbers of y"].value) < 1.0
    assert "not compared, since it is too large to be said or of another size in the child: large" in work._notes
    other = both(Model("compute"), Model("compute", right=[0]), tmp_path)
    other.graphs()
    assert {each.of for each in other.agreement} == {"numbers of y"}
    broken = both(Model("compute"), Model("compute", right=[9]), tmp_path)
    broken.graphs()
    assert (broken.agreement, "cannot be compared: an output holds infinity" in broken._notes[0]) == ([], True)
    written = both(Model("compute", "score"), Model("compute", "score"), tmp_path)
    written.graphs()
    assert (written.agreement, written._notes) == ([], [])


def test_the_page_of_ours_is_an_image() -> None:
    from openvet.engines._png import read_png

    pixels = read_png(page())
    assert pixels.shape == (480, 480, 3)
    assert set(pixels.ravel().tolist()) == {0, 255}
    assert page() == page()


def test_reading_is_timed_on_the_image_that_is_given() -> None:
    parent, child = Model("read", right=[0]), Model("read", right=[0])
    cost = cost_of(parent, child, 1, [], Progress(), page()).cost  # type: ignore[arg-type]
    assert cost is not None
    assert [(each.work, each.n) for each in cost.speeds] == [("an image that is read", 20)]
    assert (parent.asked, child.asked) == (21, 21)


def test_both_are_timed_in_turn() -> None:
    parent, child = Model("generate"), Model("generate")
    cost = costs(parent, child).cost
    assert cost is not None
    assert (parent.asked, child.asked) == (21, 21)
    (speed,) = cost.speeds
    assert (speed.n, speed.parent_memory, speed.child_memory) == (20, 1000, 1000)
    assert 0.0 <= float(speed.parent[0]) <= float(speed.parent[1])
    assert cost.hardware["threads"] == "1"
    assert cost.certified is (cost.why == "")
    assert costs(Model("match"), child).cost is None


def test_who_was_busy_while_it_was_timed_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    loads = [Load(1.0, 0.0, 0.0, 0.0, 0.0), Load(1.0, 0.0, 0.5, 0.0, 0.0)]
    monkeypatch.setattr(Watch, "ended", lambda _: loads.pop(0))
    monkeypatch.setattr(measuring_cost, "_load", lambda: 0.0)
    cost = costs(Model("generate"), Model("generate")).cost
    assert cost is not None
    assert (cost.certified, loads) == (False, [])
    assert cost.why.startswith("others used 50 % of the processors while it was measured")


@pytest.mark.parametrize(("longer", "slower"), [(20, True), (16, True), (12, False), (0, False)])
def test_slower_is_said_where_turns_agree(monkeypatch: pytest.MonkeyPatch, longer: int, slower: bool) -> None:
    times = iter([1.0, 1.0] + [each for at in range(20) for each in (1.0, 1.1 if at < longer else 0.9)])
    monkeypatch.setattr(measuring_cost, "_timed", lambda *_: next(times))
    assert costs(Model("generate"), Model("generate")).slower is slower


def test_a_task_that_the_parent_cannot_do_is_refused_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "items.jsonl").write_text('{"id": "1", "q": "q", "choices": ["one", "two"], "right": 0}\n')
    task = tmp_path / "task.yaml"
    task.write_text(
        "name: quiz\nversion: '1'\nlicense: CC0-1.0\nsamples: items.jsonl\nprompt: '{{ q }}'\nchoices: choices\ntarget: '{{ right }}'\nscorer: choice\n"
    )
    how = Measuring((), (str(task),), None, LADDER[0], Bounds(), our_interpreter(), 1, str(tmp_path))
    monkeypatch.setattr(measuring, "engine_of", lambda *_: ("none", ""))
    for model in (Model("embed"), Model("likelihoods")):
        monkeypatch.setattr(measuring, "_opened", lambda *_, model=model: contextlib.nullcontext(model))
        if "embed" in model.can:
            with pytest.raises(UsageError, match="which the parent cannot"):
                check_can(None, how)  # type: ignore[arg-type]
        else:
            check_can(None, how)  # type: ignore[arg-type]


def test_inputs_are_looked_at_before(tmp_path: Path) -> None:
    for content, why in ((b"", "holds no text"), (b"\xff", "not UTF-8")):
        (tmp_path / "t").write_bytes(content)
        with pytest.raises(UsageError, match=why):
            read_inputs((str(tmp_path / "t"),), ())
    with pytest.raises(UsageError, match="cannot be read"):
        read_inputs((str(tmp_path / "none"),), ())


def test_a_difference_of_correlations_is_that_of_both(tmp_path: Path) -> None:
    people = [float(at) for at in range(40)]
    good = [each + math.sin(7 * each) for each in people]
    bad = [each + 30 * math.sin(5 * each) for each in people]
    same = correlation_difference(good, good, people)
    # what is the same of 40 may differ of others
    assert same.low < -0.1 < same.value == 0.0 < 0.1 < same.high
    worse = correlation_difference(bad, good, people)
    assert worse.value == pytest.approx(pearson(bad, people) - pearson(good, people))
    assert worse.low < worse.value < worse.high < 0.0
    assert correlation_difference(good, bad, people, by_rank=True).value > 0.0
    for values in (people[:2], [1.0] * 40):
        with pytest.raises(ValueError, match=r"at least three|does not vary"):
            correlation_difference(values, values, values)
