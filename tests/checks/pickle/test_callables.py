import importlib
import tomllib
from pathlib import Path

import pytest

from openvet.checks.pickle._callables import Kind, classify

DATA = Path("src/openvet/data/callables")


@pytest.mark.parametrize(
    ("module", "name", "capability"),
    [
        ("os", "system", "process"),
        ("posix", "system", "process"),
        ("nt", "system", "process"),
        ("subprocess", "Popen", "process"),
        ("_posixsubprocess", "fork_exec", "process"),  # GHSA-m6fh-58r7-x697
        ("idlelib.pyshell", "ModifiedInterpreter.runcode", "process"),
        ("builtins", "eval", "code"),
        ("__builtin__", "eval", "code"),
        ("timeit", "timeit", "code"),  # GHSA-v7x6-rv5q-mhwc
        ("_interpreters", "run_string", "code"),  # GHSA-6ggj-6f2q-f7mx
        ("ensurepip._bundled", "x", "process"),  # GHSA-xp4f-hrf8-rxw7
        ("lib2to3.pgen2.grammar", "Grammar.loads", "code"),  # GHSA-f4x7
        ("uuid", "_get_command_stdout", "process"),  # GHSA-g38g-8gr9-h9xp
        ("_osx_support", "_read_output", "process"),
        ("imaplib", "IMAP4_stream", "process"),
        ("pkgutil", "resolve_name", "linker"),  # GHSA-vvpj-8cmc-gx39
        ("importlib", "import_module", "linker"),
        ("importlib.util", "module_from_spec", "import"),
        ("builtins", "open", "file"),
        ("numpy", "fromfile", "file"),
        ("socket", "create_connection", "network"),
        ("torch.hub", "load", "code"),
        ("ctypes", "CDLL", "native"),
        ("marshal", "loads", "code"),
        ("pickle", "loads", "nested"),
        ("torch", "load", "nested"),
        ("joblib", "load", "nested"),
        ("builtins", "print", "other"),
        ("torch.serialization", "os.system", "process"),  # a re-export
        ("random", "_os.system", "process"),
        ("numpy.f2py.crackfortran", "getlincoef", "process"),
        ("torch._dynamo.guards", "GuardBuilder.get", "code"),
    ],
)
def test_known_gadgets(module: str, name: str, capability: str) -> None:
    known = classify(module, name)
    if capability == "linker":
        assert known.kind is Kind.LINKER
    else:
        assert (known.kind, known.capability) == (Kind.DANGEROUS, capability)


@pytest.mark.parametrize(
    ("module", "name", "kind"),
    [
        ("collections", "OrderedDict", Kind.DATA),
        ("numpy.core.multiarray", "_reconstruct", Kind.DATA),
        ("numpy._core.multiarray", "scalar", Kind.DATA),
        ("torch._utils", "_rebuild_tensor_v2", Kind.DATA),
        ("torch", "BFloat16Storage", Kind.DATA),
        ("datetime", "datetime", Kind.DATA),
        ("argparse", "Namespace", Kind.DATA),
        ("sklearn.linear_model._logistic", "LogisticRegression", Kind.FRAMEWORK),
        ("sklearn.tree._tree", "Tree", Kind.FRAMEWORK),
        ("torch.nn.modules.conv", "Conv2d", Kind.FRAMEWORK),
        ("ultralytics.nn.tasks", "DetectionModel", Kind.FRAMEWORK),
        ("pandas.core.frame", "DataFrame", Kind.FRAMEWORK),
        ("__main__", "Net", Kind.PROJECT),
        ("training.config", "Config", Kind.PROJECT),
        ("mypackage", "build", Kind.UNKNOWN),
        ("torch.nn.modules.conv", "helper", Kind.UNKNOWN),
        ("torch.testing._internal.common_utils", "TestCase", Kind.UNKNOWN),
        ("datetime", "datetime.now", Kind.DANGEROUS),
        ("collections", "OrderedDict.__init__", Kind.DANGEROUS),
    ],
)
def test_the_other_kinds(module: str, name: str, kind: Kind) -> None:
    assert classify(module, name).kind is kind


def test_the_standard_library_is_dangerous_unless_listed() -> None:
    for top in tomllib.loads((DATA / "stdlib.toml").read_text())["modules"]:
        if top != "__future__":
            assert classify(top, "surely_not_listed").kind is Kind.DANGEROUS, top


def test_no_data_constructor_of_the_standard_library_is_misspelt() -> None:
    missing = []
    for module, table in tomllib.loads((DATA / "data.toml").read_text()).items():
        try:
            loaded = importlib.import_module(module)
        except ImportError:
            continue  # a package that is not installed here, or another version's name
        for name in table["names"]:
            value = loaded
            for part in name.split("."):
                value = getattr(value, part, None)
            if value is None:
                missing.append(f"{module}.{name}")
    # names of Python 2, and types that only `types` has, are kept for what old streams and other versions write
    assert missing == ["builtins.NotImplementedType", "builtins.ellipsis", "builtins.long", "builtins.unicode"]
