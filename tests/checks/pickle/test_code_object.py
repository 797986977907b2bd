"""pickle/code-object: what the names in a carried code object make of it."""

import pytest

from openvet.checks.pickle.code_object import dangers_of
from openvet.formats.pickle.program import CodeObject


@pytest.mark.parametrize(
    ("names", "texts", "loaded", "found"),
    [
        (("os", "system"), (), (), ["os.system"]),
        (("getattr", "os"), ("popen",), (), ["os.popen"]),
        (("eval",), (), ("eval",), ["eval"]),
        (("model", "eval"), (), (), []),
        (("os", "path", "join"), ("a text with system in it",), ("os",), []),
        (("np", "mean", "len"), ("system",), ("len",), []),
    ],
)
def test_names(names: tuple[str, ...], texts: tuple[str, ...], loaded: tuple[str, ...], found: list[str]) -> None:
    assert dangers_of(CodeObject(0, texts, names, loaded, whole=True)) == found


def test_a_module_is_dangerous_as_a_whole() -> None:
    assert "subprocess" in dangers_of(CodeObject(0, (), ("subprocess", "x"), (), whole=True))
