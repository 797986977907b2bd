import importlib
import tomllib
from pathlib import Path
from typing import Any

import pytest

from openvet.checks.pickle._callables import Kind, _harmless, _tables, by_its_name, classify
from openvet.formats.pickle.linkers import LINKERS

DATA = Path(__file__).parents[3] / "src" / "openvet" / "data" / "callables"


def table(name: str) -> dict[str, Any]:
    return tomllib.loads((DATA / name).read_text("utf-8"))


def test_nothing_that_makes_data_is_said_to_do_more() -> None:
    """Such names are looked up first, and the tables of what is dangerous are not read for them."""
    tables = _tables()
    for key, known in _harmless().items():
        assert tables.exact[key] is known, key
        if known.kind is Kind.DATA:
            assert key not in tables.uncalled, key
            assert key not in tables.when_called, key


@pytest.mark.parametrize(
    ("module", "name", "capability"),
    [
        ("os", "system", "process"),
        ("posix", "system", "process"),
        ("nt", "system", "process"),
        ("subprocess", "Popen", "process"),
        ("_posixsubprocess", "fork_exec", "process"),  # GHSA-m6fh-58r7-x697
        ("idlelib.pyshell", "ModifiedInterpreter.runcode", "code"),
        ("builtins", "eval", "code"),
        ("__builtin__", "eval", "code"),
        ("timeit", "timeit", "code"),  # GHSA-v7x6-rv5q-mhwc
        ("_interpreters", "run_string", "code"),  # GHSA-6ggj-6f2q-f7mx
        ("ensurepip._bundled", "x", "import"),  # GHSA-xp4f-hrf8-rxw7
        ("lib2to3.pgen2.grammar", "Grammar.loads", "code"),  # GHSA-f4x7-rfwp-v3xw
        ("uuid", "_get_command_stdout", "process"),  # GHSA-g38g-8gr9-h9xp
        ("_osx_support", "_read_output", "process"),
        ("imaplib", "IMAP4_stream", "process"),
        ("imaplib", "IMAP4", "network"),
        ("pkgutil", "resolve_name", "import"),  # GHSA-vvpj-8cmc-gx39
        ("importlib", "import_module", "import"),
        ("importlib.util", "module_from_spec", "import"),
        ("builtins", "open", "file"),
        ("numpy", "fromfile", "file"),
        ("pathlib", "PosixPath().unlink", "file"),
        ("socket", "create_connection", "network"),
        ("torch.hub", "load", "network"),
        ("ctypes", "CDLL", "native"),
        ("marshal", "loads", "nested"),
        ("pickle", "loads", "nested"),
        ("torch", "load", "nested"),
        ("joblib", "load", "nested"),
        ("builtins", "vars", "other"),
        ("sys", "modules.pop", "other"),
        ("torch.serialization", "os.system", "process"),  # a re-export
        ("random", "_os.system", "process"),
        ("random", "_os.system.__call__", "process"),
        ("torch", "hub.load", "network"),  # a module in the middle of the name
        ("numpy.f2py.crackfortran", "getlincoef", "code"),
        ("torch._dynamo.guards", "GuardBuilder.get", "code"),
        ("torch.nn", "Module.__init__.__globals__", "other"),
        ("collections", "OrderedDict.__init__", "other"),
        ("transformers.utils.generic", "check_output", "process"),  # what it imported keeps its meaning
        ("setuptools.__main__", "x", "code"),
        ("this", "s", "code"),
    ],
)
def test_known_gadgets(module: str, name: str, capability: str) -> None:
    known = classify(module, name)
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
        ("datetime", "datetime.fromtimestamp", Kind.DATA),
        ("builtins", "str.join", Kind.DATA),
        ("argparse", "Namespace", Kind.DATA),
        ("functools", "partial", Kind.LINKER),
        ("builtins", "getattr", Kind.LINKER),
        ("sklearn.linear_model._logistic", "LogisticRegression", Kind.FRAMEWORK),
        ("sklearn.tree._tree", "Tree", Kind.FRAMEWORK),
        ("sklearn._loss._loss", "__pyx_unpickle_CyHalfBinomialLoss", Kind.FRAMEWORK),
        ("scipy.sparse._csr", "csr_matrix", Kind.FRAMEWORK),
        ("torch.nn.modules.conv", "Conv2d", Kind.FRAMEWORK),
        ("ultralytics.nn.tasks", "DetectionModel", Kind.FRAMEWORK),
        ("pandas.core.frame", "DataFrame", Kind.FRAMEWORK),
        ("__torch__.silero.vad", "vad_model", Kind.FRAMEWORK),
        ("__main__", "Net", Kind.PROJECT),
        ("training.config", "Config", Kind.PROJECT),
        ("test", "Net", Kind.PROJECT),
        ("mypackage", "build", Kind.UNKNOWN),
        ("mypackage", "system", Kind.UNKNOWN),
        ("torch.nn.modules.conv", "helper", Kind.UNKNOWN),
        ("sklearn.tools.x", "Thing", Kind.UNKNOWN),
    ],
)
def test_the_other_kinds(module: str, name: str, kind: Kind) -> None:
    assert classify(module, name).kind is kind


def test_a_member_of_an_enumeration_is_what_its_class_is() -> None:
    assert classify("transformers.trainer_utils", "IntervalStrategy.steps", called=False).kind is Kind.FRAMEWORK
    assert classify("transformers.trainer_utils", "IntervalStrategy.steps", called=True).kind is Kind.UNKNOWN
    assert classify("os", "system.x", called=False).kind is Kind.DANGEROUS


def test_the_standard_library_is_dangerous_unless_listed() -> None:
    tops = table("stdlib.toml")["names"].split()
    assert len(tops) > 350
    for top in tops:
        assert classify(top, "surely_not_listed").kind is Kind.DANGEROUS, top


def test_no_callable_is_in_two_lists() -> None:
    dangerous = table("dangerous.toml")
    exact = [
        {(module, name) for module, names in modules.items() for name in names}
        for modules in (
            table("data.toml")["modules"],
            table("linkers.toml")["modules"],
            table("framework.toml")["internals"],
            *(dangerous[key] for key in ("process", "code", "import", "file", "network", "native", "nested", "other")),
        )
    ]
    seen: set[tuple[str, str]] = set()
    for each in exact:
        assert not {pair for pair in seen & each if pair[1] != "*"}
        seen |= each


def test_a_walk_that_never_ends_is_unknown_and_costs_little() -> None:
    assert classify("a", ".".join(["os"] * 20_000)).kind is Kind.UNKNOWN
    assert classify("a", ".".join(["b"] * 18 + ["os", "system"])).capability == "process"


def test_every_linker_is_known_as_one_or_as_dangerous() -> None:
    listed = {(module, name) for module, names in table("linkers.toml")["modules"].items() for name in names}
    assert listed <= set(LINKERS)
    for module, name in LINKERS:
        kind = classify(module, name).kind
        expected = (Kind.LINKER,) if (module, name) in listed else (Kind.DANGEROUS, Kind.DATA)
        assert kind in expected, (module, name, kind)


#: Names that only some versions of Python have, or had.
_OF_SOME_VERSIONS = {
    "builtins.NotImplementedType", "builtins.apply", "builtins.ellipsis", "builtins.long", "builtins.unicode",
    "http.HTTPMethod", "typing._UnionGenericAlias", "calendar.Day", "calendar.Month", "re.PatternError", "_bisect.bisect",
    "builtins.PythonFinalizationError", "xmlrpc.client.Boolean",
    "_ast.AugLoad", "_ast.AugStore", "_ast.ExtSlice", "_ast.Index", "_ast.Param", "_ast.ParamSpec", "_ast.Suite", "_ast.TypeAlias", "_ast.TypeVar", "_ast.TypeVarTuple", "_ast.type_param", "ast.ParamSpec", "ast.TypeAlias", "ast.TypeVar", "ast.TypeVarTuple", "ast.type_param",
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_no_name_of_the_standard_library_is_misspelt() -> None:
    missing = set()
    for module, names in [*table("data.toml")["modules"].items(), *table("linkers.toml")["modules"].items()]:
        if module.partition(".")[0] not in table("stdlib.toml")["names"].split():
            continue
        try:
            loaded = importlib.import_module(module)
        except ImportError:
            continue  # another version's name
        for name in names:
            value: Any = loaded
            for part in name.replace("()", "").split("."):
                value = getattr(value, part, None)
            if value is None and name != "None":
                missing.add(f"{module}.{name}")
    assert missing - _OF_SOME_VERSIONS == set()


@pytest.mark.parametrize(
    ("module", "name", "capability"),
    [
        ("their_lib.serialize", "pickle_loads", "nested"),
        ("mypackage", "system", "process"),
        ("transformers", "AutoModel.from_pretrained", "nested"),
        ("mypackage", "rebuild", ""),
        ("mypackage", "Model.load", ""),  # the model's own class
    ],
)
def test_a_callable_that_is_not_known_says_by_its_name_what_it_does(module: str, name: str, capability: str) -> None:
    assert by_its_name(module, name).capability == capability
