"""What finding lines of text in an image needs of geometry, in NumPy: regions, the smallest rectangle around one, and pieces of an image, resized."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

__all__ = ["cut_out", "rectangle", "regions", "resize"]


def resize(image: Array, height: int, width: int) -> Array:
    """Bilinear, centres of pixels on centres of pixels, as OpenCV's INTER_LINEAR."""
    import numpy as np

    rows = np.clip((np.arange(height) + 0.5) * image.shape[0] / height - 0.5, 0, image.shape[0] - 1)
    columns = np.clip((np.arange(width) + 0.5) * image.shape[1] / width - 0.5, 0, image.shape[1] - 1)
    return sample(image, *np.meshgrid(rows, columns, indexing="ij"))


def sample(image: Array, rows: Array, columns: Array) -> Array:
    """The values at places between pixels; at the border that of the nearest."""
    import numpy as np

    rows, columns = np.clip(rows, 0, image.shape[0] - 1), np.clip(columns, 0, image.shape[1] - 1)
    top, left = np.floor(rows).astype(int), np.floor(columns).astype(int)
    bottom, right = np.minimum(top + 1, image.shape[0] - 1), np.minimum(left + 1, image.shape[1] - 1)
    down, across = (rows - top)[..., None], (columns - left)[..., None]
    upper = image[top, left] * (1 - across) + image[top, right] * across
    lower = image[bottom, left] * (1 - across) + image[bottom, right] * across
    found: Array = (upper * (1 - down) + lower * down).astype(np.float32)
    return found


def regions(mask: Array, most: int) -> list[Array]:
    """Places (row, column) of each connected region, diagonals counted, the first ``most`` of them; by runs of each row that touch those above."""
    import numpy as np

    parent: list[int] = []

    def root(of: int) -> int:
        while parent[of] != of:
            parent[of] = parent[parent[of]]
            of = parent[of]
        return of

    runs: list[tuple[int, int, int]] = []
    before: list[tuple[int, int, int]] = []
    padded = np.pad(mask.astype(np.int8), ((0, 0), (1, 1)))
    for row in range(mask.shape[0]):
        edges = np.flatnonzero(np.diff(padded[row]))
        here: list[tuple[int, int, int]] = []
        at = 0
        for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            number = len(parent)
            parent.append(number)
            while at < len(before) and before[at][1] < begin:
                at += 1
            other = at
            while other < len(before) and before[other][0] <= end:
                parent[root(before[other][2])] = root(number)
                other += 1
            here.append((begin, end, number))
            runs.append((row, begin, end))
        before = here
    grouped: dict[int, list[tuple[int, int, int]]] = {}
    for number, run in enumerate(runs):
        grouped.setdefault(root(number), []).append(run)
    found = []
    for listed in list(grouped.values())[:most]:
        rows = np.concatenate([np.full(end - begin, row) for row, begin, end in listed])
        columns = np.concatenate([np.arange(begin, end) for _, begin, end in listed])
        found.append(np.stack([rows, columns], axis=1))
    return found


def rectangle(places: Array) -> tuple[Array, Array, float, float]:
    """The rectangle of the smallest area around places (row, column): its centre, the direction of its longer side, and half of both sides.

    Source: G. Toussaint, 1983 (rotating calipers): a side of it lies on one of the convex hull.
    """
    import numpy as np

    hull = _hull(np.unique(places, axis=0)).astype(np.float64)
    if len(hull) == 1:
        return hull[0], np.array([0.0, 1.0]), 0.5, 0.5
    sides = np.roll(hull, -1, axis=0) - hull
    lengths = np.hypot(sides[:, 0], sides[:, 1])
    along = sides[lengths > 0] / lengths[lengths > 0, None]
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    a, b = along @ hull.T, across @ hull.T
    best = int(np.argmin(np.ptp(a, axis=1) * np.ptp(b, axis=1)))
    middle = (a[best].max() + a[best].min()) / 2 * along[best] + (b[best].max() + b[best].min()) / 2 * across[best]
    first, second = float(np.ptp(a[best])) / 2, float(np.ptp(b[best])) / 2
    direction = along[best] if first >= second else across[best]
    return middle, direction, max(first, second), min(first, second)


def _hull(points: Array) -> Array:
    """The corners of the convex hull of sorted points, in order (A. Andrew, 1979)."""
    import numpy as np

    # of each row only the ends can be corners
    rows, begins = np.unique(points[:, 0], return_index=True)
    ends = np.append(begins[1:], len(points)) - 1
    points = np.unique(np.concatenate([points[begins], points[ends]]), axis=0) if len(rows) else points
    listed = points.tolist()
    if len(listed) < 3:
        return np.array(listed)

    def half(order: list[Any]) -> list[Any]:
        out: list[Any] = []
        for each in order:
            while len(out) > 1 and _turn(out[-2], out[-1], each) <= 0:
                out.pop()
            out.append(each)
        return out[:-1]

    found = half(listed) + half(listed[::-1])
    return np.array(found)


def _turn(a: Any, b: Any, c: Any) -> int:
    return int((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))


def cut_out(image: Array, centre: Array, direction: Array, half_length: float, half_height: float) -> Array:
    """A rectangle of an image, turned upright: along its longer side from left to right, or from the top where it stands on its end."""
    import numpy as np

    if direction[1] < 0 or (direction[1] == 0 and direction[0] < 0):
        direction = -direction
    down = np.array([direction[1], -direction[0]])
    if down[0] < 0:
        down = -down
    steep = abs(direction[0]) > abs(direction[1])
    if steep:  # its longer side goes down: what is read from left to right goes up in it
        direction, down = (-direction if direction[0] > 0 else direction), np.array([0.0, 0.0])
        down = np.array([direction[1], -direction[0]])
    width, height = max(round(2 * half_length), 1), max(round(2 * half_height), 1)
    across = (np.arange(width) + 0.5) / width * 2 * half_length - half_length
    downward = (np.arange(height) + 0.5) / height * 2 * half_height - half_height
    rows = centre[0] + downward[:, None] * down[0] + across[None, :] * direction[0]
    columns = centre[1] + downward[:, None] * down[1] + across[None, :] * direction[1]
    return sample(image, rows, columns)
