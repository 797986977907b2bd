"""A gallery of pickles: techniques of attackers by advisory, and harmless files that scanners take for hostile.

Every payload is ``echo`` or less. Nothing here is ever loaded; the bytes are forged out of text when they are asked for.
"""

from __future__ import annotations

from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_gadgets import GADGETS, LINKED, REEXPORTS
from openvet.testing.forge_sample import Sample
from openvet.testing.forge_streams import BROKEN, CARRIED, TRICKS

__all__ = ["HARMLESS", "HOSTILE", "Sample"]

HOSTILE: tuple[Sample, ...] = GADGETS + REEXPORTS + LINKED + TRICKS + BROKEN + CARRIED

_NUMPY = Call(
    Name("numpy.core.multiarray", "_reconstruct"),
    (Name("numpy", "ndarray"), (0,), b"b"),
    state=(
        1,
        (3,),
        Call(Name("numpy", "dtype"), ("f8", False, True), state=(3, "<", None, None, None, -1, -1, 0)),
        False,
        bytes(24),
    ),
)
_NUMPY2 = Call(
    Name("numpy._core.multiarray", "_reconstruct"),
    (Name("numpy", "ndarray"), (0,), b"b"),
    state=(1, (3,), Call(Name("numpy", "dtype"), ("f8", False, True)), False, bytes(24)),
)
_ENUM = Call(Name("builtins", "getattr"), (Name("transformers.trainer_utils", "IntervalStrategy"), "STEPS"))

HARMLESS: tuple[Sample, ...] = tuple(
    Sample(f"{name}, protocol {protocol}", lambda value=value, protocol=protocol: dump(value, protocol), frozenset())  # type: ignore[misc]
    for name, value in (
        ("a numpy array", _NUMPY),
        ("a numpy 2 array", {"weights": _NUMPY2}),
        ("dates", [Call(Name("datetime", "datetime"), (b"\x07\xe4\x01\x01\x00\x00\x00\x00\x00\x00",))]),
        ("a member of an enumeration", {"strategy": _ENUM}),
        (
            "a partial of a harmless function",
            Call(
                Name("functools", "partial"),
                (Name("builtins", "int"),),
                state=(Name("builtins", "int"), (), {"base": 2}, None),
            ),
        ),
        (
            "getters as values",
            [Call(Name("operator", "itemgetter"), (1,)), Call(Name("operator", "attrgetter"), ("name",))],
        ),
        (
            "a word vector called os.system",
            {"os.system": [0.1, 0.2], "eval": [0.3], "subprocess.Popen": [0.4], "__import__": [1.0]},
        ),
        (
            "sets and frozensets",
            [Call(Name("builtins", "set"), ([1, 2],)), Call(Name("builtins", "frozenset"), ((1, 2),))],
        ),
        ("an OrderedDict", Call(Name("collections", "OrderedDict"), items=(("a", 1), ("b", [1, 2])))),
        ("a uuid", Call(Name("uuid", "UUID"), (), state={"int": 5}, how="NEWOBJ")),
        (
            "an estimator",
            Call(
                Name("sklearn.linear_model._logistic", "LogisticRegression"),
                (),
                state={"C": 1.0, "coef_": _NUMPY, "_sklearn_version": "1.4.0"},
                how="NEWOBJ",
            ),
        ),
        (
            "training arguments",
            Call(
                Name("transformers.training_args", "TrainingArguments"),
                (),
                state={"evaluation_strategy": _ENUM, "output_dir": "out"},
                how="NEWOBJ",
            ),
        ),
        (
            "an old-style instance",
            Call(
                Name("copyreg", "_reconstructor"),
                (Name("sklearn.svm", "SVC"), Name("builtins", "object"), None),
                state={"a": 1},
            ),
        ),
        ("an exception", Call(Name("builtins", "ValueError"), ("wrong",))),
        ("a logger", Call(Name("logging", "getLogger"), ("pytorch_lightning",))),
        (
            "a default dictionary",
            Call(Name("collections", "defaultdict"), (Name("builtins", "list"),), items=(("a", [1]),)),
        ),
        ("a path", Call(Name("pathlib", "PosixPath"), ("/", "tmp"))),
        ("a namespace", Call(Name("argparse", "Namespace"), (), state={"lr": 0.1}, how="NEWOBJ")),
        ("code that is only text", ["import os; os.system('rm -rf /')", "cos\nsystem\n(S'echo'\ntR."]),
    )
    for protocol in (0, 2, 3, 4)
)
