"""What LangChain keeps beside an index of vectors, and copies of bytes in a pickle: harmless by themselves, unless what is in them is not."""

from __future__ import annotations

from typing import Any

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump

__all__ = ["CASES"]

_RUNS = b"cos\nsystem\n(S'echo forged'\ntR."
_COPY = Call(Name("builtins", "bytearray"), (_RUNS,))


def _instance(module: str, name: str, **state: Any) -> Call:
    return Call(Name(module, name), (), state=state, how="NEWOBJ")


def _texts(content: Any = "To list files call os.system('ls').", place: Any = "a.md") -> Any:
    """Texts by their keys, in the forms of two versions, and the keys by their numbers."""
    text = {
        "__dict__": {"id": None, "metadata": {"source": place}, "page_content": content, "type": "Document"},
        "__pydantic_extra__": None,
        "__pydantic_fields_set__": Call(Name("builtins", "set"), (["metadata", "page_content"],)),
        "__pydantic_private__": None,
    }
    documents = {
        "u1": _instance("langchain_core.documents.base", "Document", **text),
        "u2": _instance("langchain.schema", "Document", page_content="b", metadata={"source": "b.md"}),
    }
    return (
        _instance("langchain_community.docstore.in_memory", "InMemoryDocstore", _dict=documents),
        {0: "u1", 1: "u2"},
    )


def _case(word: str, technique: str, value: Any, *rules: str) -> Case:
    decision = "admit" if not rules else "review" if rules == ("pickle/project-class",) else "reject"
    return Case(
        f"kept/{word}",
        technique,
        lambda: dump(value, 4),
        decision,  # type: ignore[arg-type]
        frozenset(rules),
        formats=("pickle",),
        name="index.pkl",
    )


CASES: tuple[Case, ...] = (
    _case("texts-of-a-store", "texts that LangChain keeps beside an index of vectors", _texts()),
    _case(
        "not-only-texts",
        "the same, where one text is the answer of a call",
        _texts(Call(Name("os", "popen"), ("echo forged",))),
        "pickle/runs-process",
    ),
    _case(
        "not-a-text-but-a-tool",
        "the same, with a tool of the same packages that runs what it is told",
        _texts(place=Call(Name("langchain_community.tools.shell.tool", "ShellTool"), ({"commands": "echo forged"},))),
        "pickle/project-class",
    ),
    _case(
        "not-a-text-but-a-chain",
        "the same, with what the same packages load of a chain that they wrote",
        _texts(place=Call(Name("langchain_core.load.load", "loads"), ("{}",))),
        "pickle/loads-nested",
    ),
    _case(
        "copy-of-a-pickle",
        "a bytearray of a pickle that runs a process, which nothing loads",
        {"state": _COPY},
        "pickle/nested-pickle",
    ),
    _case(
        "copy-that-is-loaded",
        "the same, given to a function of the model's own code that may load it",
        Call(Name("their_lib", "restore"), (_COPY,)),
        "pickle/runs-process",
        "pickle/unknown-callable",
    ),
)
