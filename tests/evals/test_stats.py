"""The statistics of evaluations against published figures, other ways to compute the same, and simulation."""

from __future__ import annotations

import itertools
import math
import random
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvet.evals.backends._backend import Usage
from openvet.evals.log import Scored
from openvet.evals.metrics import MetricError, pair_up
from openvet.evals.stats.correction import benjamini_hochberg, holm
from openvet.evals.stats.correlation import correlation, pearson, ranks
from openvet.evals.stats.estimate import ratio, wilson
from openvet.evals.stats.paired import mcnemar, paired, tango
from openvet.evals.stats.power import Spread, detectable, needed, power_of
from openvet.evals.stats.sequence import ConfidenceSequence
from openvet.evals.stats.tails import binomial_half_tail, hypergeometric_at_most, student_quantile
from openvet.evals.stats.verdict import judge


def near(found: float, wanted: float, digits: int) -> bool:
    return abs(found - wanted) <= 0.5 * 10.0**-digits


# --- quantiles and tails ---


@pytest.mark.parametrize(
    ("df", "quantile"),
    # NIST/SEMATECH e-Handbook of Statistical Methods, table 1.3.6.7.2, column 0.975
    [(1, 12.706), (2, 4.303), (5, 2.571), (9, 2.262), (29, 2.045), (49, 2.010), (100, 1.984)],
)
def test_quantiles_of_students_t(df: int, quantile: float) -> None:
    assert near(student_quantile(0.975, df), quantile, 3)
    assert student_quantile(0.025, df) == -student_quantile(0.975, df)


def test_large_tails_are_those_of_whole_numbers() -> None:
    for most, trials in [(0, 2001), (990, 2100), (1000, 2001), (1300, 2500)]:
        exact = Fraction(sum(math.comb(trials, each) for each in range(most + 1)), 2**trials)
        found = binomial_half_tail(most, trials)
        assert found == 0.0 if exact < Fraction(1, 10**300) else abs(found / float(exact) - 1) < 1e-9


@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 12))
def test_hypergeometric_tails_are_counted(found: int, drawn: int, marked: int) -> None:
    size = 12
    drawn, marked = min(drawn, size), min(marked, size)
    ways = sum(math.comb(marked, k) * math.comb(size - marked, drawn - k) for k in range(min(found, drawn) + 1))
    assert abs(hypergeometric_at_most(found, drawn, marked, size) - ways / math.comb(size, drawn)) < 1e-12


# --- one model ---


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    # R. G. Newcombe, Statistics in Medicine 17 (1998) 857, table I, method 3
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_as_newcombe_publishes_it(successes: int, n: int, low: float, high: float) -> None:
    found = wilson(successes, n)
    assert near(found[0], low, 4)
    assert near(found[1], high, 4)


@pytest.mark.parametrize(
    ("share", "n", "se"),
    # E. Miller, arXiv 2411.00640, table 1: MATH, HumanEval and MGSM of two models, in per cent
    [(65.5, 5000, 0.7), (63.0, 5000, 0.7), (83.6, 164, 2.9), (75.3, 2500, 0.9), (78.0, 2500, 0.8)],
)
def test_standard_errors_of_shares(share: float, n: int, se: float) -> None:
    right = round(share / 100 * n)
    found = ratio([1.0] * right + [0.0] * (n - right))
    assert found.se is not None
    assert near(100 * found.se, se, 1)


def test_clusters_of_one_are_no_clusters() -> None:
    scores = [0.1, 0.9, 0.4, 0.4, 0.75]
    plain, single = ratio(scores), ratio(scores, None, list("abcde"))
    assert (plain.low, plain.high, plain.se) == (single.low, single.high, single.se)
    mean = sum(scores) / 5
    usual = math.sqrt(sum((each - mean) ** 2 for each in scores) / 4 / 5)
    assert plain.se is not None
    assert abs(plain.se - usual) < 1e-15
    assert near(plain.high - mean, 2.776 * usual, 3)  # t of four degrees of freedom


def test_clustered_errors_are_millers_but_for_the_small_sample_factor() -> None:
    """Equation 4: the usual variance, and the products of residuals within clusters."""
    scores = [1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0]
    clusters = list("aabbbccd")
    n, mean = len(scores), sum(scores) / len(scores)
    within = sum(
        (scores[i] - mean) * (scores[j] - mean)
        for i, j in itertools.permutations(range(n), 2)
        if clusters[i] == clusters[j]
    )
    biased = sum((each - mean) ** 2 for each in scores) / n**2 + within / n**2
    found = ratio(scores, None, clusters)
    assert found.se is not None
    assert abs(found.se - math.sqrt(4 / 3 * biased)) < 1e-15
    assert (found.method, found.clusters) == ("t-clustered", 4)


def test_copies_of_a_sample_in_its_cluster_add_nothing() -> None:
    rng = random.Random(5)
    scores = [float(rng.random() < 0.6) for _ in range(50)]
    once = ratio(scores, None, range(50))
    five = ratio([each for each in scores for _ in range(5)], None, [at for at in range(50) for _ in range(5)])
    assert once.se is not None
    assert five.se is not None
    assert abs(once.se - five.se) < 1e-12
    blind = ratio([each for each in scores for _ in range(5)])
    assert blind.se is not None
    assert blind.se < 0.5 * five.se  # what the copies would pretend


def test_a_word_error_rate_is_a_ratio_of_sums() -> None:
    # W. G. Cochran, Sampling Techniques, section 6.3, by hand: R = 12 / 60, residuals -1 0 1 0
    found = ratio([1.0, 4.0, 4.0, 3.0], [10.0, 20.0, 15.0, 15.0])
    assert found.value == 0.2
    assert found.se is not None
    assert abs(found.se - math.sqrt(4 / 3 * 2) / 60) < 1e-15


def test_what_never_varies_is_not_certain() -> None:
    assert ratio([1.0] * 10).low < 0.75
    clustered = ratio([1.0] * 40, None, [at // 10 for at in range(40)])
    assert clustered.low < 0.52  # four passages, and not forty samples
    assert ratio([1.0, 1.0], None, "aa").method == "none"
    assert ratio([0.5]).low == -math.inf


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng = random.Random(11)
    hit = {"clustered": 0, "blind": 0, "wilson": 0}
    rounds = 400
    for _ in range(rounds):
        scores, clusters = [], []
        for passage in range(25):
            ease = rng.betavariate(2, 2)  # passages are easy or hard; the mean over all is 0.5
            scores += [float(rng.random() < ease) for _ in range(8)]
            clusters += [passage] * 8
        for name, found in [("clustered", ratio(scores, None, clusters)), ("blind", ratio(scores))]:
            hit[name] += found.low <= 0.5 <= found.high
        independent = ratio([float(rng.random() < 0.9) for _ in range(60)])
        hit["wilson"] += independent.low <= 0.9 <= independent.high
    assert 0.925 <= hit["clustered"] / rounds <= 0.98
    assert hit["blind"] / rounds < 0.88
    assert 0.92 <= hit["wilson"] / rounds <= 0.98


# --- two models ---


def test_mcnemar_as_published_and_measured() -> None:
    assert near(mcnemar(1, 5), 0.22, 2)
    assert mcnemar(7, 8) == 1.0
    # A. Agresti, Categorical Data Analysis, 3rd ed., section 11.1: 150 and 86 of 1,600; z = 4.17
    assert near(math.log10(mcnemar(86, 150)), math.log10(3.7e-5), 1)
    assert mcnemar(0, 0) == 1.0


@given(st.integers(0, 30), st.integers(0, 30))
def test_mcnemar_counts_every_way_the_flips_can_fall(first: int, second: int) -> None:
    n = first + second
    extreme = sum(math.comb(n, k) for k in range(n + 1) if abs(2 * k - n) >= abs(first - second))
    assert abs(mcnemar(first, second) - extreme / 2**n) < 1e-12


def test_tangos_interval_where_it_is_published() -> None:
    # A. Agresti, Categorical Data Analysis, section 11.1.1: 1,600 people; there with the usual standard error, which is close at that size
    low, high = tango(86, 150, 1600)
    assert near(low, -0.059, 3)
    assert near(high, -0.021, 3)
    # without a flip: z^2 / (n + z^2) to both sides
    z2 = 1.959963984540054**2
    assert all(abs(abs(each) - z2 / (40 + z2)) < 1e-9 for each in tango(0, 0, 40))
    assert tango(3, 0, 3)[1] == 1.0


@settings(max_examples=60)
@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 60))
def test_tangos_edges_are_where_the_score_test_rejects(first: int, second: int, rest: int) -> None:
    n = first + second + rest
    if not n:
        return
    low, high = tango(first, second, n)
    assert -1.0 <= low <= (first - second) / n <= high <= 1.0
    mirrored = tango(second, first, n)
    assert abs(low + mirrored[1]) < 1e-9
    assert abs(high + mirrored[0]) < 1e-9
    for edge in (low, high):
        if -1.0 < edge < 1.0:
            assert abs(abs(_score(first, second, n, edge)) - 1.959964) < 1e-3


def _score(first: int, second: int, n: int, delta: float) -> float:
    """The score statistic, its nuisance parameter found by searching for the highest likelihood."""

    def likelihood(q: float) -> float:
        parts = [(first, q + delta), (second, q), (n - first - second, 1 - 2 * q - delta)]
        if any(share < -1e-15 for _, share in parts):
            return -math.inf
        return sum(count * math.log(max(share, 1e-300)) for count, share in parts if count)

    low, high = max(0.0, -delta), (1 - delta) / 2
    for _ in range(300):
        left, right = low + (high - low) / 3, high - (high - low) / 3
        low, high = (left, high) if likelihood(left) < likelihood(right) else (low, right)
    q = (low + high) / 2
    return (first - second - n * delta) / math.sqrt(n * (2 * q + delta - delta * delta))


def test_pairs_resolve_what_two_means_do_not() -> None:
    """100 samples, 5 and 1 flips: half-width 0.048 where unpaired it is 0.137, as was measured on real models."""
    first = [1.0] * 57 + [1.0] * 5 + [0.0] + [0.0] * 37
    second = [1.0] * 57 + [0.0] * 5 + [1.0] + [0.0] * 37
    found = paired(first, second)
    assert found.flips is not None
    assert (found.flips.both, found.flips.first, found.flips.second, found.flips.neither) == (57, 5, 1, 37)
    assert found.difference.se is not None
    assert found.unpaired_se is not None
    assert near(1.96 * found.difference.se, 0.048, 3)
    assert near(1.96 * found.unpaired_se, 0.137, 2)
    assert near(found.p, 0.22, 2)
    assert judge(found, None).word == "unresolved"
    # Miller: the paired variance is that of both less twice the covariance
    n = 100
    ma, mb = sum(first) / n, sum(second) / n
    covariance = sum((a - ma) * (b - mb) for a, b in zip(first, second, strict=True)) / (n - 1) / n
    assert abs(found.difference.se**2 - (found.unpaired_se**2 - 2 * covariance)) < 1e-12


@pytest.mark.parametrize(
    ("flips", "n", "margin", "word"),
    [
        ((30, 5), 200, None, "better"),
        ((5, 30), 200, None, "worse"),
        ((5, 30), 200, 0.02, "inferior"),
        ((40, 90), 5000, 0.02, "not-inferior"),  # worse, and by less than the margin
        ((7, 8), 100, None, "unresolved"),
        ((7, 8), 100, 0.02, "unresolved"),
        ((20, 21), 2000, 0.02, "not-inferior"),
        ((0, 0), 3, 0.05, "unresolved"),  # three equal answers show nothing
        ((0, 0), 400, 0.02, "not-inferior"),
    ],
)
def test_verdicts(flips: tuple[int, int], n: int, margin: float | None, word: str) -> None:
    first = [1.0] * flips[0] + [0.0] * flips[1] + [1.0] * (n - sum(flips))
    second = [0.0] * flips[0] + [1.0] * flips[1] + [1.0] * (n - sum(flips))
    verdict = judge(paired(first, second), margin)
    assert verdict.word == word
    if word == "unresolved":
        assert f"{n} samples" in verdict.why


def test_an_adjusted_p_takes_a_verdict_back() -> None:
    found = paired([1.0] * 20 + [0.0] * 7 + [1.0] * 73, [0.0] * 20 + [1.0] * 7 + [1.0] * 73)
    assert judge(found, None).word == "better"
    assert judge(found, None, p=found.p * 5).word == "unresolved"
    worse = paired([0.0] * 20 + [1.0] * 80, [1.0] * 100)
    assert judge(worse, 0.02).word == "inferior"
    assert judge(worse, 0.02, p=0.2).word == "unresolved"


def test_a_verdict_says_what_holds_it_back() -> None:
    found = paired([1.0] * 20, [0.0] * 5 + [1.0] * 15)
    assert (found.difference.low > 0, found.p) == (True, 0.0625)
    assert "the test does not agree with the interval" in judge(found, None).why


@pytest.mark.parametrize("twice", [0, 1])
def test_a_sample_that_is_there_twice_is_not_compared(twice: int) -> None:
    sides = [[Scored(each, str(each), "", 0.0, 1.0, None, Usage()) for each in range(2)] for _ in range(2)]
    sides[twice].append(sides[twice][0])
    with pytest.raises(MetricError, match="twice"):
        pair_up(sides[0], sides[1], "mean")


def test_equal_scores_that_are_no_shares_are_not_certain_either() -> None:
    found = paired([0.5, 0.25, 0.75], [0.5, 0.25, 0.75])
    assert found.difference.low < -0.3
    assert found.p == 1.0


# --- before the run ---


def test_millers_sample_size() -> None:
    """Section 5: with omega^2 = 1/9, 969 questions show a difference of 3 points with 80 % power; HumanEval's 164 do not."""
    spread = Spread(1 / 9)
    assert needed(0.03, spread) == 969
    assert near(detectable(969, spread), 0.03, 4)
    assert near(detectable(164, spread), 0.073, 3)
    assert power_of(0.03, 164, spread) < 0.25
    assert near(power_of(0.03, 969, spread), 0.8, 2)


def test_asking_again_helps_as_far_as_the_samples_allow() -> None:
    once, ten = Spread(1 / 9, 1 / 6, 1 / 6), Spread(1 / 9, 1 / 6, 1 / 6, 10, 10)
    assert needed(0.03, once) == 4 * 969
    assert 969 < needed(0.03, ten) < needed(0.03, once)
    assert needed(0.03, Spread(1 / 9, cluster_size=5, rho=0.5)) == pytest.approx(3 * 969, abs=2)


def test_the_power_that_is_planned_is_the_power_there_is() -> None:
    rng = random.Random(3)
    flips, delta = 0.2, 0.06
    n = needed(delta, Spread(flips - delta**2))
    shown = 0
    for _ in range(300):
        up = down = 0
        for _ in range(n):
            drawn = rng.random()
            up += drawn < (flips + delta) / 2
            down += (flips + delta) / 2 <= drawn < flips
        shown += mcnemar(up, down) <= 0.05 and up > down
    assert 0.72 <= shown / 300 <= 0.86  # the exact test gives a little away


# --- several tests ---


def test_corrections_as_published() -> None:
    # Y. Benjamini, Y. Hochberg (1995), section 4: 15 tests of thrombolysis; 3 stand by Bonferroni's like, 4 by theirs
    p = [
        0.0001,
        0.0004,
        0.0019,
        0.0095,
        0.0201,
        0.0278,
        0.0298,
        0.0344,
        0.0459,
        0.3240,
        0.4262,
        0.5719,
        0.6528,
        0.7590,
        1.0,
    ]
    assert sum(each <= 0.05 for each in holm(p)) == 3
    assert sum(each <= 0.05 for each in benjamini_hochberg(p)) == 4
    # S. Holm's steps by hand
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert benjamini_hochberg([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.04, 0.04])
    assert holm([]) == benjamini_hochberg([]) == []


@given(st.lists(st.floats(0, 1), max_size=12))
def test_corrections_never_lower_and_keep_the_order(p: list[float]) -> None:
    for correct in (holm, benjamini_hochberg):
        found = correct(p)
        assert all(a >= b for a, b in zip(found, p, strict=True))
        for i, j in itertools.combinations(range(len(p)), 2):
            assert p[i] > p[j] or found[i] <= found[j]


# --- looking early ---


def test_the_sequence_holds_at_all_times_at_once_and_fixed_intervals_do_not() -> None:
    rng = random.Random(17)
    rounds, steps, alpha = 300, 250, 0.05
    for mean in (0.5, 0.9):
        missed = fixed = 0
        for _ in range(rounds):
            sequence = ConfidenceSequence(alpha)
            up = down = 0.0
            peak, right, out = -math.inf, 0, False
            for step in range(1, steps + 1):
                score = float(rng.random() < mean)
                sequence.add(score)
                # the capital against the true mean, one step at a time: what `_won` adds up
                bet = sequence._bets[-1]
                up += math.log1p(min(bet, 0.5 / mean) * (score - mean))
                down += math.log1p(-min(bet, 0.5 / (1 - mean)) * (score - mean))
                peak = max(peak, up, down)
                right += int(score)
                low, high = (right / step - 1.96 * math.sqrt(0.25 / step), right / step + 1.96 * math.sqrt(0.25 / step))
                out = out or not low <= mean <= high
            assert abs(_capital(sequence, mean) - max(up, down)) < 1e-9
            missed += peak >= math.log(2 / alpha)
            fixed += out
        assert missed / rounds <= alpha + 0.01  # Ville's bound; three standard errors are 0.038
        if mean == 0.5:
            assert fixed / rounds > 0.25  # looking after every sample


def _capital(sequence: ConfidenceSequence, mean: float) -> float:
    """The logarithm of what the better of the two halves won against a mean, from a half at the beginning."""
    return max(sequence._won(mean, 1), sequence._won(mean, -1))


def test_the_interval_is_what_the_capital_says() -> None:
    rng = random.Random(2)
    sequence = ConfidenceSequence()
    widths = []
    for step in range(1, 301):
        sequence.add(rng.betavariate(6, 2))
        if step % 50 == 0:
            low, high = sequence.look()
            widths.append(high - low)
    assert widths == sorted(widths, reverse=True)
    assert low < 0.75 < high
    assert high - low < 0.12
    limit = math.log(2 / 0.05)
    ruled_out = [m / 200 for m in range(1, 200) if _capital(sequence, m / 200) >= limit]
    assert all(not low + 1e-6 < each < high - 1e-6 for each in ruled_out)
    inside = [m / 200 for m in range(1, 200) if low + 1e-6 < m / 200 < high - 1e-6]
    assert inside
    assert not set(inside) & set(ruled_out)


def test_bets_are_those_of_the_paper() -> None:
    """Equation 26: of the scores before, with one made-up score of 1/2 and variance 1/4 before all."""
    scores = [1.0, 0.0, 0.25, 1.0, 1.0, 0.5]
    sequence = ConfidenceSequence(0.1)
    for t, score in enumerate(scores, 1):
        means = [(0.5 + sum(scores[:i])) / (i + 1) for i in range(1, t)]
        spread = (0.25 + sum((x - m) ** 2 for x, m in zip(scores[: t - 1], means, strict=True))) / t
        sequence.add(score)
        assert math.isclose(sequence._bets[-1], math.sqrt(2 * math.log(2 / 0.1) / (spread * t * math.log(t + 1))))


def test_a_sequence_takes_no_score_beyond_its_bounds() -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        ConfidenceSequence().add(1.5)


# --- correlation ---


def test_ranks_share_their_mean_where_they_are_equal() -> None:
    assert ranks([10.0, 20.0, 10.0, 30.0]) == [1.5, 3.0, 1.5, 4.0]


def test_correlation_as_anscombe_publishes_it() -> None:
    # F. J. Anscombe, The American Statistician 27 (1973) 17: r = 0.816 in his first set
    x = [10.0, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5]
    y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68]
    found = correlation(x, y)
    assert near(found.value, 0.816, 3)
    assert found.low < 0.6 < 0.9 < found.high
    assert near(correlation(x, y, by_rank=True).value, 0.818, 3)
    with pytest.raises(ValueError, match="does not vary"):
        pearson([1.0, 1.0], [1.0, 2.0])


def test_correlations_interval_holds_the_truth() -> None:
    rng = random.Random(8)
    hit = 0
    for _ in range(150):
        x = [rng.gauss(0, 1) for _ in range(60)]
        y = [0.6 * a + 0.8 * rng.gauss(0, 1) for a in x]
        found = correlation(x, y)
        hit += found.low <= 0.6 <= found.high
    assert 0.9 <= hit / 150 <= 0.99
