"""Before the run: which difference a number of samples can resolve, and how many samples a difference needs.

``n = (z_alpha + z_beta)^2 (omega^2 + sigma_A^2 / K_A + sigma_B^2 / K_B) / delta^2`` (Miller, arXiv 2411.00640, section 5): omega^2 is
the variance of the difference of two models' expected scores from sample to sample, sigma^2 the variance of one model's score of the same
sample when it is asked again, K how often it is asked. Clusters of m samples with the intraclass correlation rho are worth as many fewer as
the design effect 1 + (m - 1) rho says (L. Kish, Survey Sampling, 1965, section 5.4).
"""

from __future__ import annotations

import math

from openvet.core.dataclass import dataclass
from openvet.evals.stats.tails import normal_cdf, normal_quantile

__all__ = ["Spread", "detectable", "needed", "power_of"]


@dataclass(frozen=True, slots=True)
class Spread:
    """What makes differences vary.

    Attributes:
        omega2: variance of the difference of expected scores between samples. Of two models that are right on every sample or wrong, and
            disagree on the share d of samples, it is at most d, and about that where the difference is small.
        sigma2_a, sigma2_b: variance of each model's score of one sample when it is asked again; 0 where answers are deterministic.
        k_a, k_b: how often each is asked.
        cluster_size, rho: samples to a cluster, and the intraclass correlation of their differences.
    """

    omega2: float
    sigma2_a: float = 0.0
    sigma2_b: float = 0.0
    k_a: int = 1
    k_b: int = 1
    cluster_size: float = 1.0
    rho: float = 0.0

    @property
    def variance(self) -> float:
        """Of the mean of differences, times the number of samples."""
        effect = 1.0 + (self.cluster_size - 1.0) * self.rho
        return (self.omega2 + self.sigma2_a / self.k_a + self.sigma2_b / self.k_b) * effect


def _factor(alpha: float, power: float, sides: int) -> float:
    return normal_quantile(1.0 - alpha / sides) + normal_quantile(power)


def needed(delta: float, spread: Spread, alpha: float = 0.05, power: float = 0.8, sides: int = 2) -> int:
    """Samples that resolve a true difference of ``delta`` with ``power`` in a test at ``alpha``.

    Args:
        sides: 2 for a difference either way, 1 where only one way is tested, as for non-inferiority by a margin.

    Raises:
        ValueError: ``delta`` is zero.
    """
    if not delta:
        raise ValueError("no number of samples shows a difference of zero; name the smallest that matters")
    return max(2, math.ceil(_factor(alpha, power, sides) ** 2 * spread.variance / (delta * delta) - 1e-9))


def detectable(n: int, spread: Spread, alpha: float = 0.05, power: float = 0.8, sides: int = 2) -> float:
    """The smallest true difference that ``n`` samples resolve with ``power``: the minimum detectable effect.

    Raises:
        ValueError: there is no sample.
    """
    if n < 1:
        raise ValueError("without a sample no difference is resolved")
    return _factor(alpha, power, sides) * math.sqrt(spread.variance / n)


def power_of(delta: float, n: int, spread: Spread, alpha: float = 0.05, sides: int = 2) -> float:
    """The probability that ``n`` samples show a true difference of ``delta``."""
    se = math.sqrt(spread.variance / n)
    if not se:
        return 1.0 if delta else 0.0
    return normal_cdf(abs(delta) / se - normal_quantile(1.0 - alpha / sides))
