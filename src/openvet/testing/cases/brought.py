"""Code that comes with a model and is reached from elsewhere: from a pickle, or out of another repository; and what must not be in a file."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Literal

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_export import package
from openvet.testing.forge_tensors import safetensors

__all__ = ["CASES"]

_RUNS, _CODE, _TRUSTS, _PATH, _KEY = (
    "python/process-at-load",
    "hub/python-code",
    "python/trusts-remote-code",
    "file/tensor-path",
    "secrets/key-in-file",
)
_BUILD = "import os\n\n\ndef build(x):\n    os.system('echo forged')\n    return x\n"
_QUIET = "def build(x):\n    return [x]\n\n\nclass Net:\n    pass\n"
_CLASS = "import os\n\n\nclass Net:\n    def __setstate__(self, state):\n        os.system('echo forged')\n"
_FUNCTION = Call(Name("model.net", "build"), (1,))
_OBJECT = Call(Name("model.net", "Net"), (), state={"w": 1}, how="NEWOBJ")
_WEIGHTS = safetensors({"w": ("F32", (2, 2))})


def _package(
    name: str,
    technique: str,
    value: Any,
    sources: Mapping[str, str],
    decision: Literal["admit", "review", "reject"],
    *rules: str,
) -> Case:
    return Case(
        f"brought/package-{name}",
        technique,
        lambda: package(value, sources, storage=b""),
        decision,
        frozenset(rules),
        ("torch-package",),
        name="model.pt",
    )


def _repository(
    name: str, technique: str, files: Mapping[str, str | bytes], *rules: str, decision: Literal["", "reject"] = ""
) -> Case:
    made = {"config.json": b'{"model_type": "bert"}', "model.safetensors": _WEIGHTS}
    made |= {each: data.encode() if isinstance(data, str) else data for each, data in files.items()}
    return Case(
        f"brought/{name}",
        technique,
        lambda: made,
        decision or ("review" if rules else "admit"),
        frozenset(rules),
        ("python",),
    )


def _names(name: str, technique: str, tensor: str, *rules: str) -> Case:
    forge = lambda: safetensors({tensor: ("F32", (2, 2))})  # noqa: E731 - a case takes a function
    return Case(
        f"brought/name-{name}",
        technique,
        forge,
        "review" if rules else "admit",
        frozenset(rules),
        ("safetensors",),
        name="model.safetensors",
    )


def _secret(name: str, technique: str, value: Any, *rules: str, protocol: int = 4) -> Case:
    return Case(
        f"brought/secret-{name}",
        technique,
        lambda: dump(value, protocol),
        "review" if rules else "admit",
        frozenset(rules),
        ("pickle",),
        name="model.pkl",
    )


def _letters(size: int, seed: str) -> str:
    """Letters and digits as of a key."""
    return (
        b64encode(hashlib.shake_128(seed.encode()).digest(size))
        .decode()
        .translate({0x2B: "a", 0x2F: "b", 0x3D: "c"})[:size]
    )


def _private_key() -> str:
    begin, end = (f"-----{word} PRIVATE KEY-----" for word in ("BEGIN", "END"))
    return "\n".join([begin, *(_letters(64, f"line {each}") for each in range(8)), end, ""])


def _trusting(where: str) -> str:
    return f"from transformers import AutoModel\n\n\nclass Net:\n    def __init__(self, config):\n        self.inner = {where}\n"


_ACCOUNT = {
    "type": "service_account",
    "project_id": "p",
    "private_key": _private_key(),
    "client_email": "a@p.iam.gserviceaccount.com",
}
_TOKEN = "hf_" + _letters(34, "token")

CASES: tuple[Case, ...] = (
    _package("function", "a pickle calls a function of the sources that come with it, which starts a program", _FUNCTION, {"model/net.py": _BUILD}, "reject", _RUNS, _CODE),
    _package("class", "a class whose state is set by a method that starts a program", _OBJECT, {"model/net.py": _CLASS}, "reject", _RUNS, _CODE),
    _package("import", "a module that starts a program when it is imported", _OBJECT, {"model/net.py": "import os\nos.system('echo forged')\nclass Net: pass\n"}, "reject", _RUNS, _CODE),
    _package("parent", "the package around the module starts a program", _OBJECT, {"model/net.py": _QUIET, "model/__init__.py": "__import__('os').system('echo forged')\n"}, "reject",
             _RUNS, _CODE),
        _package("second-module", "the function calls one of another module of the package", _FUNCTION,
             {"model/net.py": "from model.util import go\n\n\ndef build(x):\n    return go(x)\n", "model/util.py": _BUILD.replace("build", "go")}, "reject", _RUNS, _CODE),
_package("again", "the same function in a package that was packed again", Call(Name("<torch_package_0>.model.net", "build"), (1,)), {"model/net.py": _BUILD}, "reject", _RUNS, _CODE),
    _package("ordinary-function", "a function that only builds something", _FUNCTION, {"model/net.py": _QUIET}, "admit"),
    _package("ordinary-class", "a class that does nothing of note", _OBJECT, {"model/net.py": _QUIET}, "admit"),
    _package("missing-class", "a class whose source is not there", _OBJECT, {"model/other.py": _QUIET}, "review", "pickle/project-class"),
    _repository("pickle-calls-source", "a pickle calls a function of a source beside it, which starts a program",
                {"model/net.py": _BUILD, "data.pkl": dump(_FUNCTION, 4)}, _RUNS, _CODE, "pickle/unknown-callable", decision="reject"),
    _repository("pickle-calls-quiet-source", "a pickle calls a function of a source beside it, which does nothing of note",
                {"model/net.py": _QUIET, "data.pkl": dump(_FUNCTION, 4)}, "pickle/unknown-callable"),
    _repository("trusts", "the constructor of a model runs code of another repository", {"modeling_x.py": _trusting("AutoModel.from_pretrained('a/b', trust_remote_code=True)")}, _TRUSTS, _CODE, decision="reject"),
    _repository("trusts-by-keywords", "the same in a dictionary of keywords", {"modeling_x.py": _trusting("AutoModel.from_pretrained('a/b', **{'trust_remote_code': True})")}, _TRUSTS, _CODE, decision="reject"),
        _repository("trusts-by-variable", "the same in a dictionary of keywords that a variable holds",
                {"modeling_x.py": "from transformers import AutoModel\n\n\nclass Net:\n    def __init__(self):\n        more = {'trust_remote_code': True}\n"
                                  "        self.inner = AutoModel.from_pretrained('a/b', **more)\n"}, _TRUSTS, _CODE, decision="reject"),
    _repository("trusts-not-false", "the same spelled otherwise", {"modeling_x.py": _trusting("AutoModel.from_pretrained('a/b', trust_remote_code=not False)")}, _TRUSTS, _CODE, decision="reject"),
_repository("trusts-at-import", "a source that runs code of another repository when it is imported",
                {"load.py": "from transformers import pipeline\np = pipeline('fill-mask', 'a/b', trust_remote_code=True)\n"}, _TRUSTS, _CODE),
    _repository("trusts-a-publisher", "the same with a repository of a publisher that people know",
                {"modeling_x.py": _trusting("AutoModel.from_pretrained('Qwen/Qwen-x', trust_remote_code=True)")}, _TRUSTS, _CODE),
    _repository("ordinary-trusts-itself", "a model loads its processor from where it was loaded itself",
                {"modeling_x.py": _trusting("AutoModel.from_pretrained(config._name_or_path, trust_remote_code=True)")}),
    _repository("ordinary-untrusting", "a source that says no", {"modeling_x.py": _trusting("AutoModel.from_pretrained('a/b', trust_remote_code=False)")}),
    _repository("ordinary-from-config", "a source that makes a model of its own settings", {"modeling_x.py": _trusting("AutoModel.from_config(config.inner, trust_remote_code=True)")}),
    _repository("ordinary-asked", "a function that nothing calls", {"load.py": "from transformers import AutoModel\n\n\ndef fetch_inner():\n    return AutoModel.from_pretrained('a/b', trust_remote_code=True)\n"}),
    _names("climbs", "the name of a tensor climbs out as a path", "../../.config/x", _PATH),
    _names("climbs-in-the-middle", "the same in the middle", "a/../../../b", _PATH),
    _names("climbs-windows", "the same with backslashes", "..\\..\\x", _PATH),
    _names("absolute", "the name of a tensor is a path of the system", "/etc/cron.d/x", _PATH),
    _names("drive", "the name of a tensor is a path of Windows", "C:\\x\\y", _PATH),
    _names("ordinary-dots", "dots and slashes as exporters write them", "/model/layers..0/Add_1:0"),
    _names("ordinary-nested", "a name in folders", "encoder/layer_0/kernel"),
    _secret("account", "the key of a service account in a pickle", {"credentials": json.dumps(_ACCOUNT)}, _KEY),
    _secret("account-dictionary", "the same as a dictionary", _ACCOUNT, _KEY),
    *(_secret(f"token-{each}", f"a token in a pickle of protocol {each}", {"hub": _TOKEN, "lr": 0.1}, _KEY, protocol=each) for each in (0, 1, 2, 3, 4, 5)),
    *(_secret(f"key-{each}", f"a private key in a pickle of protocol {each}", {"key": _private_key()}, _KEY, protocol=each) for each in (0, 2, 4)),
    Case("brought/secret-metadata", "a token in the metadata of a safetensors file", lambda: safetensors({"w": ("F32", (2, 2))}, {"hub": _TOKEN}), "review", frozenset({_KEY}),
         ("safetensors",), name="model.safetensors"),
    _secret("cloud", "the secret of a cloud under its name", {"AWS_SECRET_ACCESS_KEY": _letters(40, "cloud")}, _KEY),
    _secret("ordinary-words", "words that begin like keys", {"a": "hf_internal_testing", "b": "sk-learn", "c": "AKIA", "d": "-----BEGIN PUBLIC KEY-----"}),
)  # fmt: skip
