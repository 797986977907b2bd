"""The rules skops/dangerous-node and skops/unknown-type."""

import pytest

from openvet.checks.skops._nodes import judged
from openvet.formats.skops import SkopsNode


@pytest.mark.parametrize(
    ("loader", "module", "name", "attribute", "owner", "kind"),
    [
        ("ObjectNode", "sklearn.svm._classes", "SVC", "", "", ""),
        ("ObjectNode", "os", "system", "", "", "dangerous"),
        ("ObjectNode", "mine", "Thing", "", "", "unknown"),
        ("FunctionNode", "numpy", "log1p", "", "", ""),
        ("FunctionNode", "numpy", "fromfile", "", "", "dangerous"),
        ("OperatorFuncNode", "operator", "itemgetter", "", "", ""),
        ("OperatorFuncNode", "operator", "call", "", "", "dangerous"),
        ("OperatorFuncNode", "sklearn.svm", "itemgetter", "", "", "lying"),
        ("MethodNode", "sklearn.svm._classes", "SVC", "predict", "sklearn.svm._classes.SVC", ""),
        ("MethodNode", "sklearn.svm._classes", "SVC", "predict", "builtins.type", "lying"),
        ("MethodNode", "sklearn.svm._classes", "SVC", "__globals__", "sklearn.svm._classes.SVC", "dangerous"),
        ("EvalNode", "builtins", "dict", "", "", "unknown"),
    ],
)
def test_kind(loader: str, module: str, name: str, attribute: str, owner: str, kind: str) -> None:
    assert judged(SkopsNode(loader, module, name, attribute, owner, "", 1))[0] == kind
