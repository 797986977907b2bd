"""Set the smallest weights of safetensors to zero: a share of each matrix, or two of every four in a row.

The numbers stay where they are: neither the file nor the time becomes smaller, which every certificate says.
"""

from __future__ import annotations

from typing import Any, Final

from openvet.transforms._safetensors import as_f32, rewrite
from openvet.transforms._transform import CannotError, Making, Setting, Target, Transform

__all__ = ["TRANSFORM", "make", "smallest", "two_of_four"]

TRANSFORM: Final = Transform(
    id="safetensors-prune",
    command="prune",
    inputs=("safetensors",),
    output="safetensors",
    folder=True,
    changes="weights of matrices become zero where their magnitude is among the smallest; embeddings, norms and biases stay",
    targets=(
        Target("magnitude", {"pattern": "magnitude"}, "a share of each matrix, wherever they lie"),
        Target(
            "2:4",
            {"pattern": "2:4"},
            "two of every four along the last axis, as sparse kernels of GPUs take them",
        ),
    ),
    settings=(
        Setting("pattern", "text", "magnitude", "which weights"),
        Setting("amount", "float", 0.5, "the share of each matrix that becomes zero; of 2:4 it is a half", 0.0, 1.0),
        Setting("embeddings", "flag", False, "prune embeddings and heads as well"),
    ),
    packages=("numpy",),
    install="'openvet[numbers]'",
    notes=(
        (
            "Pruning set weights to zero and left them in place: the file is as large as before, and dense kernels take as long. It saves bytes or time only "
            "where a sparse format or kernel is used, and nothing here was measured with one."
        ),
    ),
)
#: Matrices of attention and of what follows that are larger in outputs than in inputs: in a Conv1D the outputs are the last axis.
_OF_CONV1D: Final = ("c_attn.weight", "c_fc.weight")
_NOT_PRUNED: Final = ("embed", "lm_head", "wte", "wpe", "shared.weight")


def smallest(values: Any, amount: float) -> Any:
    """Where the ``amount`` of smallest magnitude lie; of equal ones the first."""
    import numpy as np

    size = np.abs(values).reshape(-1)
    count = round(amount * size.size)
    if not count:
        return np.zeros(values.shape, bool)
    edge = np.partition(size, count - 1)[count - 1]
    where = size < edge
    left = count - int(np.count_nonzero(where))
    where[np.flatnonzero(size == edge)[:left]] = True
    return where.reshape(values.shape)


def two_of_four(values: Any) -> Any:
    """Where the two smallest of every four in a row lie."""
    import numpy as np

    size = np.abs(values).reshape(-1, 4)
    order = np.argsort(size, axis=1, kind="stable")
    where = np.zeros(size.shape, bool)
    np.put_along_axis(where, order[:, :2], values=True, axis=1)
    return where.reshape(values.shape)


def make(task: Making) -> dict[str, Any]:
    """Prune every matrix of floats whose name is not that of an embedding or a head."""
    import numpy as np

    pattern, amount = task.settings["pattern"], task.settings["amount"]
    counts = {"pruned": 0, "set-to-zero": 0, "not-by-four": 0}

    def change(name: str, dtype: str, shape: tuple[int, ...], values: Any) -> tuple[str, Any] | None:
        kept = not task.settings["embeddings"] and any(each in name.lower() for each in _NOT_PRUNED)
        if len(shape) != 2 or kept or not values.size:
            return None
        if pattern == "2:4" and name.endswith(_OF_CONV1D) and shape[1] > shape[0]:
            raise CannotError(
                f"{name} has its inputs along the rows, as GPT-2's Conv1D has: kernels take two of every four along the inputs, "
                "and here they are cut along the last axis, as torch.nn.Linear has them; --to magnitude prunes it"
            )
        if pattern == "2:4" and shape[1] % 4:
            counts["not-by-four"] += 1
            return None
        numbers = values if dtype == "F64" else as_f32(values, dtype)
        if not np.all(np.isfinite(numbers)):
            raise CannotError(f"{name} holds infinity or NaN, so that no order of magnitudes can be said")
        where = two_of_four(numbers) if pattern == "2:4" else smallest(numbers, amount)
        counts["pruned"] += 1
        counts["set-to-zero"] += int(np.count_nonzero(where))
        # a zero has all bits zero in each of these types
        return dtype, np.where(where, values.dtype.type(0), values)

    rewrite(task.source, task.target, lambda _name, dtype, _shape: dtype, change)
    if not counts["pruned"]:
        raise CannotError("no matrix was pruned: there is none, or none whose rows can be cut in fours")
    return counts
