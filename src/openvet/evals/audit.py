"""What an auditor can conclude from asking a random sample of a log again.

Who altered k of N answers after the fact escapes an auditor who asks n of them again, drawn by a seed that was stated only after the log was
committed to, with the hypergeometric probability of drawing none of the k. The bound is the largest k that this still leaves a chance of 5 %.

Source: W. G. Cochran, Sampling Techniques, 3rd ed., section 3.6 (exact limits by the hypergeometric distribution).
"""

from __future__ import annotations

from openvet.evals.stats.tails import hypergeometric_at_most

__all__ = ["most_altered"]


def most_altered(size: int, drawn: int, differing: int, level: float = 0.95) -> int:
    """The most answers of ``size`` that can be other than the model gives, when ``differing`` of ``drawn`` are; at ``level``.

    Raises:
        ValueError: more were drawn than there are, or differ than were drawn.
    """
    if not 0 <= differing <= drawn <= size:
        raise ValueError("no more can differ than were drawn, nor be drawn than there are")
    low, high = differing, size - (drawn - differing)
    while low < high:
        middle = (low + high + 1) // 2
        if hypergeometric_at_most(differing, drawn, middle, size) > 1.0 - level:
            low = middle
        else:
            high = middle - 1
    return low
