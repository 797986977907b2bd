"""What packages rebuild their own objects with: harmless as they write it, and handed something else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_keras import dense, keras3, lambda3, model3

__all__ = ["CASES"]

_SYSTEM = Name("os", "system")
_POPEN = Name("subprocess", "Popen")
_ECHO = ("echo forged",)


def _instance(module: str, name: str, /, *arguments: Any, **state: Any) -> Call:
    return Call(Name(module, name), arguments, state=state or None, how="NEWOBJ")


def _keras(content: bytes) -> Call:
    """A model of Keras as its pickle holds it: an archive in memory."""
    memory = Call(Name("_io", "BytesIO"), (), state=(content, 0, None), how="NEWOBJ")
    method = Call(Name("builtins", "getattr"), (Name("keras.src.models.sequential", "Sequential"), "_unpickle_model"))
    return Call(method, (memory,))


def _curry(function: Any) -> Call:
    curry = Name("toolz.functoolz", "curry")
    return Call(Name("toolz.functoolz", "_restore_curry"), (curry, function, _ECHO, {}, {}, False))


def _class(attributes: dict[str, Any]) -> Call:
    return Call(Name("deap.creator", "meta_create"), ("Individual", Name("builtins", "list"), attributes))


def _named_tuple(module: str, name: str, *arguments: Any) -> Call:
    made = Call(Name("dill._dill", "_create_namedtuple"), (name, ("count", "mu"), module))
    return Call(made, arguments, how="NEWOBJ" if len(arguments) > 1 else "REDUCE")


def _case(
    word: str, technique: str, value: Callable[[], Any], decision: Literal["admit", "review", "reject"], *rules: str
) -> Case:
    return Case(
        id=f"rebuilt/{word}",
        technique=technique,
        forge=lambda: dump(value(), 4),
        decision=decision,
        rules=frozenset(f"pickle/{rule}" if "/" not in rule else rule for rule in rules),
        formats=("pickle",),
        name="model.pkl",
    )


CASES: tuple[Case, ...] = (
    _case("prophet", "what a model of Prophet keeps of its fit",
          lambda: [_instance("cmdstanpy.stanfit.mle", "CmdStanMLE", runset=1), Call(Name("cmdstanpy.cmdstan_args", "Method"), (2,)),
                   _instance("stanio.reshape", "Variable", name="k")], "admit"),
    _case("stan-model", "a model of Stan, which compiles the program that it is told when it is made",
          lambda: Call(Name("cmdstanpy.model", "CmdStanModel"), (None, "forged.stan")), "reject", "runs-process"),
    _case("stan-file", "what reads a file of Stan's", lambda: Call(Name("stanio.csv", "read_csv"), ("forged.csv",)), "reject", "touches-files"),
    _case("deep-copy", "a function that copies, carried as a value", lambda: {"copy": Name("copy", "deepcopy")}, "admit"),
    _case("deep-copy-called", "a copy of an object that says itself how it is copied",
          lambda: Call(Name("copy", "deepcopy"), (_instance("mine", "X", __deepcopy__=_SYSTEM),)), "reject",
          "other-dangerous-callable", "runs-process", "project-class", "state-on-callable"),
    _case("keras-model", "a model of Keras in a pickle", lambda: _keras(keras3(model3(dense()))), "admit"),
    _case("keras-model-with-code", "a model of Keras in a pickle, with code in a layer",
          lambda: _keras(keras3(model3(lambda3()))), "reject", "keras/lambda-code"),
    _case("keras-model-of-what", "what is no archive in the place of one", lambda: _keras(b"forged" * 40), "review", "unknown-callable"),
    _case("astropy-unit", "a unit of astropy by its names",
          lambda: Call(Name("astropy.units.core", "_recreate_irreducible_unit"), (Name("astropy.units.core", "IrreducibleUnit"), ["m"], True)),
          "admit"),
    _case("astropy-unit-of-a-process", "what makes a unit out of its names is told to start a process",
          lambda: Call(Name("astropy.units.core", "_recreate_irreducible_unit"), (_POPEN, ["echo", "forged"], True)), "reject", "runs-process"),
    _case("dask-expression", "an expression of Dask",
          lambda: Call(Name("dask._expr", "Expr._reconstruct"), (Name("dask.dataframe.dask_expr._expr", "Assign"), 1, "t", {})), "admit"),
    _case("dask-expression-of-a-process", "what rebuilds an expression of Dask is told to start a process",
          lambda: Call(Name("dask._expr", "Expr._reconstruct"), (_POPEN, ["echo", "forged"], "t", {})), "reject", "runs-process"),
    _case("curry", "a curried function of Dask's, by its name", lambda: _curry("dask.array.wrap:_broadcast_trick_inner"), "admit"),
    _case("curry-of-a-process", "a curried function by its name, which starts a process", lambda: _curry("os:system"), "reject", "carried-code"),
    _case("curry-called", "the same, called", lambda: Call(_curry("os:system"), ()), "reject", "runs-process"),
    _case("file-system", "the file system of a check-point's folder",
          lambda: Call(Name("fsspec.spec", "make_instance"), (Name("fsspec.implementations.local", "LocalFileSystem"), (), {})), "admit"),
    _case("file-system-of-a-process", "what makes a file system is told to start a process",
          lambda: Call(Name("fsspec.spec", "make_instance"), (_SYSTEM, _ECHO, {})), "reject", "runs-process"),
    _case("file-system-far-away", "a file system on another host",
          lambda: Call(Name("fsspec.spec", "make_instance"), (Name("fsspec.implementations.ftp", "FTPFileSystem"), ("192.0.2.1",), {})),
          "reject", "touches-files"),
    _case("data-set-of-pictures", "a data set of torchvision inside a loader, which its state rebuilds",
          lambda: _instance("torchvision.datasets.fakedata", "FakeData", size=4), "admit"),
    _case("data-set-that-downloads", "a data set of torchvision that is made when the file is loaded",
          lambda: Call(Name("torchvision.datasets.mnist", "MNIST"), ("forged", True, None, None, True)), "reject", "opens-network"),
    _case("reader-of-pictures", "a transform of MONAI that reads pictures when somebody hands it a name",
          lambda: _instance("monai.transforms.io.array", "LoadImage", image_only=True), "admit"),
    _case("reader-of-pictures-by-name", "the same transform made with the dotted name of a reader, which it looks up and calls",
          lambda: Call(Name("monai.transforms.io.array", "LoadImage"), ("subprocess.Popen",)), "reject", "imports-module"),
    _case("individuals", "individuals of DEAP, whose classes were made at run time",
          lambda: Call(_class({"fitness": _class({"weights": (1.0,)})}), (), how="NEWOBJ"), "admit"),
    _case("individuals-of-a-process", "a class of DEAP makes an instance of each class among its attributes",
          lambda: _class({"fitness": _SYSTEM}), "reject", "runs-process"),
    _case("named-tuple", "dill writes a tuple with names by the module that has it", lambda: _named_tuple("optax._src.transform", "ScaleByAdamState", 1, 2),
          "admit"),
    _case("named-tuple-of-a-process", "the same with a function of another module under that name", lambda: _named_tuple("os", "system", *_ECHO),
          "reject", "runs-process"),
    _case("matrix-of-substitutions", "an array of Biopython unpickles what its state holds",
          lambda: Call(Name("Bio.Align.substitution_matrices", "Array"), (), state=dump(Call(_SYSTEM, _ECHO), 2), how="NEWOBJ"), "reject",
          "loads-nested", "nested-pickle"),
    _case("folder-of-a-test", "an instance of a class for tests of TensorFlow, whose end removes the folder that its state names",
          lambda: _instance("tensorflow.python.data.experimental.kernel_tests.service.test_base", "TempDir", _path="forged"), "reject",
          "touches-files"),
    _case("wrapper-that-imports", "an environment whose state names a module that it imports",
          lambda: _instance("gymnasium.wrappers.array_conversion", "ArrayConversion", _env_xp_name="forged"), "reject", "imports-module"),
    _case("folder-of-an-older-model", "a model of Darts that is made with the word to remove an older one of its name",
          lambda: Call(Name("darts.models.forecasting.nbeats", "NBEATSModel"), (2, 1, 1, True, "forged")), "reject", "touches-files"),
    _case("signature", "an object with the signature of a function",
          lambda: _instance("fastai.data.transforms", "RegressionSetup", __signature__=_instance("inspect", "Signature", _parameters={})), "admit"),
    _case("ellipsis", "dill evaluates the word for an ellipsis", lambda: Call(Name("dill._dill", "_eval_repr"), ("Ellipsis",)), "admit"),
    _case("not-an-ellipsis", "dill evaluates another word", lambda: Call(Name("dill._dill", "_eval_repr"), ("Ellipsis.__class__",)), "reject", "runs-code"),
)  # fmt: skip
