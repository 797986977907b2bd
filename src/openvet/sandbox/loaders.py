"""What loads models, each as its users do: imported in a child that gave up its rights, then led through a model's life phase by phase.

Only what is installed loads. A loader that is not is named with what would install it; a format that none of these loads is said to have no loader
here, and nothing is concluded about it.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.sandbox.interpreter import Interpreter

__all__ = ["LOADERS", "NAMED_IN_PICKLES", "LeftOutError", "Loader", "Steps", "import_if_there", "installed"]


#: Packages whose classes pickles name, which are imported first where the file names them.
NAMED_IN_PICKLES: Final = ("numpy", "sklearn", "scipy", "pandas", "xgboost", "lightgbm", "torch")


class LeftOutError(Exception):
    """A phase does not apply, or nobody knows how to go through it; the text says why."""


@dataclass(slots=True)
class Steps:
    """How one model is loaded, built and used.

    Attributes:
        load: reads the file into an object.
        construct: makes of that object what computes.
        forward: lets it compute once.
    """

    load: Callable[[], Any]
    construct: Callable[[Any], Any]
    forward: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Loader:
    """One way to load.

    Attributes:
        name: which.
        packages: that have to be importable, the first of which is named with its version.
        install: what installs them; '' where they come with Python.
        prepare: imports what is needed, and gives the steps for a path.
    """

    name: str
    packages: tuple[str, ...]
    install: str
    prepare: Callable[[str], Steps]


def installed(name: str, python: Interpreter) -> str:
    """Why a loader cannot be used in an interpreter; '' where it can."""
    loader = LOADERS[name]
    every = tuple(dict.fromkeys(package for each in LOADERS.values() for package in each.packages))
    there = python.has(every) if loader.packages else ()
    lacking = [each for each in loader.packages if each not in there]
    return f"{', '.join(lacking)} is not installed: pip install {loader.install}" if lacking else ""


def _as_it_is(_: Any) -> Any:
    raise LeftOutError("its objects are made as it is loaded")


def _no_input(_: Any) -> Any:
    raise LeftOutError("nothing in it computes")


# --- what comes with Python, and NumPy ---


def _pickle(path: str) -> Steps:
    import pickle

    import_if_there("numpy")

    def load() -> Any:
        with open(path, "rb") as file:
            return pickle.load(file)  # noqa: S301

    return Steps(load, _as_it_is, _compute)


def _joblib(path: str) -> Steps:
    import joblib

    return Steps(lambda: joblib.load(path), _as_it_is, _compute)


def _numpy(path: str) -> Steps:
    import numpy

    importlib.import_module("numpy.lib.format")
    importlib.import_module("zipfile")

    def load() -> Any:
        found = numpy.load(path, allow_pickle=True)
        return {name: found[name] for name in found.files} if hasattr(found, "files") else found

    return Steps(load, _as_it_is, _no_input)


# --- frameworks ---


def _torch(path: str) -> Steps:
    import torch

    for name in ("torch.jit", "torch.nn", "torch._weights_only_unpickler", "torch.serialization"):
        importlib.import_module(name)
    import_if_there("torchvision")
    torch.set_num_threads(1)

    def load() -> Any:
        import zipfile

        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                scripted = any("/code/" in name or name.endswith("/constants.pkl") for name in archive.namelist())
            if scripted:
                return torch.jit.load(path, map_location="cpu")
        return torch.load(path, map_location="cpu", weights_only=False)

    return Steps(load, _as_it_is, _compute)


def _safetensors(path: str) -> Steps:
    import safetensors

    deserialize: Callable[[bytes], Any] = safetensors.deserialize

    def load() -> Any:
        with open(path, "rb") as file:
            return deserialize(file.read())

    return Steps(load, _as_it_is, _no_input)


def _onnx(path: str) -> Steps:
    import numpy
    import onnxruntime

    kinds = {"tensor(float)": "float32", "tensor(double)": "float64", "tensor(float16)": "float16", "tensor(int64)": "int64", "tensor(int32)": "int32", "tensor(bool)": "bool", "tensor(uint8)": "uint8", "tensor(int8)": "int8"}  # fmt: skip

    def load() -> Any:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def forward(session: Any) -> Any:
        given = {}
        for each in session.get_inputs():
            if each.type not in kinds:
                raise LeftOutError(f"no input is made up of the type {each.type}")
            given[each.name] = numpy.zeros(
                [size if isinstance(size, int) and size > 0 else 1 for size in each.shape], kinds[each.type]
            )
        return session.run(None, given)

    return Steps(load, _as_it_is, forward)


def _gguf(path: str) -> Steps:
    import llama_cpp

    def forward(model: Any) -> Any:
        model.eval([max(model.token_bos(), 0)])

    return Steps(lambda: llama_cpp.Llama(model_path=path, n_ctx=64, n_threads=1, verbose=False), _as_it_is, forward)


def _transformers(path: str) -> Steps:
    import torch
    import transformers

    torch.set_num_threads(1)
    for name in ("AutoConfig", "AutoModel", "AutoTokenizer", "AutoModelForCausalLM"):
        getattr(transformers, name)

    def load() -> Any:
        return transformers.AutoConfig.from_pretrained(path, trust_remote_code=True, local_files_only=True)

    def construct(config: Any) -> Any:
        mapped = getattr(config, "auto_map", None) or {}
        name = next((each for each in mapped if each.startswith("AutoModel")), "AutoModel")
        kind = getattr(transformers, name, transformers.AutoModel)
        if "AutoTokenizer" in mapped:
            transformers.AutoTokenizer.from_pretrained(path, trust_remote_code=True, local_files_only=True)
        if any(each.endswith((".safetensors", ".bin", ".index.json")) for each in os.listdir(path)):
            return kind.from_pretrained(path, trust_remote_code=True, local_files_only=True)
        return kind.from_config(config, trust_remote_code=True)

    def forward(model: Any) -> Any:
        given = getattr(model, "dummy_inputs", None)
        if not isinstance(given, dict):
            raise LeftOutError("it names no input to try it with")
        return model(**given)

    return Steps(load, construct, forward)


def _sources(path: str) -> Steps:
    """The Python files of a folder, each imported as Transformers would import it: as one module of a package."""
    import types

    def load() -> Any:
        package = types.ModuleType("openvet_subject")
        package.__path__ = [path]
        sys.modules[package.__name__] = package
        failed = []
        for name in sorted(each for each in os.listdir(path) if each.endswith(".py")):
            try:
                importlib.import_module(f"{package.__name__}.{name.removesuffix('.py')}")
            except Exception as error:  # noqa: BLE001 - any: the others are imported all the same
                failed.append(f"{name}: {type(error).__name__}: {str(error)[:200]}")
        if failed:
            raise ImportError("; ".join(failed))
        return package

    def construct(_: Any) -> Any:
        raise LeftOutError("what builds the model is not installed (transformers); its sources were imported")

    return Steps(load, construct, _no_input)


# --- letting something compute ---


def import_if_there(name: str) -> None:
    """Import a package, where it is installed."""
    if importlib.util.find_spec(name) is not None:
        importlib.import_module(name)


def _compute(loaded: Any) -> Any:
    """Once, with zeros of the size that it says it takes."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(loaded, torch.nn.Module):
        return _compute_torch(torch, loaded)
    size = getattr(loaded, "n_features_in_", None)
    if type(size) is int and 0 < size < 1 << 20 and "numpy" in sys.modules:
        return loaded.predict(sys.modules["numpy"].zeros((1, size)))
    raise LeftOutError(f"no input is known for what it is ({type(loaded).__name__})")


def _compute_torch(torch: Any, module: Any) -> Any:
    module.eval()
    for layer in module.modules():
        if isinstance(layer, torch.nn.Embedding):
            given = torch.zeros((1, 4), dtype=torch.long)
        elif isinstance(layer, torch.nn.Linear):
            given = torch.zeros((1, layer.in_features))
        elif isinstance(layer, torch.nn.Conv2d):
            given = torch.zeros((1, layer.in_channels, 64, 64))
        elif isinstance(layer, torch.nn.Conv1d):
            given = torch.zeros((1, layer.in_channels, 64))
        else:
            continue
        with torch.no_grad():
            return module(given)
    raise LeftOutError("none of its layers says what it takes")


LOADERS: Final[Mapping[str, Loader]] = {
    each.name: each
    for each in (
        Loader("pickle", (), "", _pickle),
        Loader("joblib", ("joblib",), "joblib", _joblib),
        Loader("numpy", ("numpy",), "'openvet[numbers]'", _numpy),
        Loader("torch", ("torch",), "torch", _torch),
        Loader("safetensors", ("safetensors",), "safetensors", _safetensors),
        Loader("onnxruntime", ("onnxruntime", "numpy"), "onnxruntime", _onnx),
        Loader("llama-cpp", ("llama_cpp",), "llama-cpp-python", _gguf),
        Loader("transformers", ("transformers", "torch"), "transformers torch", _transformers),
        Loader("sources", (), "", _sources),
    )
}
