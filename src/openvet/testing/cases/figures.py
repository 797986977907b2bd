"""Pickles of matplotlib: figures are data of its own classes; what of it reads files, starts programs or evaluates settings is not."""

from __future__ import annotations

from typing import Any, Literal

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump

__all__ = ["CASES"]

_TEXT = '__import__("os").system("echo forged")'
_FIGURE = Name("matplotlib.figure", "Figure")
_EMPTY = Name("matplotlib.colors", "_create_empty_object_of_class")


def _case(word: str, technique: str, value: Any, decision: Literal["admit", "review", "reject"], *rules: str) -> Case:
    return Case(
        f"figures/{word}", technique, lambda: dump(value, 4), decision, frozenset(rules), ("pickle",), (), "figure.pkl"
    )


def _new(module: str, name: str, **state: Any) -> Call:
    return Call(Name(module, name), (), state=state, how="NEWOBJ")


def _registry() -> Call:
    """What an artist tells of changes, with the function that prints what goes wrong there."""
    return _new(
        "matplotlib.cbook",
        "CallbackRegistry",
        exception_handler=Name("matplotlib.cbook", "_exception_printer"),
        callbacks={},
    )


CASES: tuple[Case, ...] = (
    _case("callback", "a figure calls what is set as its callback as soon as its state is set", Call(_FIGURE, (), state={"stale_callback": Name("os", "system")},
          how="NEWOBJ"), "reject", "pickle/carried-code"),
    _case("settings", "a setting of the colours is evaluated as it is set", Call(Name("matplotlib", "RcParams"), (), items=(("axes.prop_cycle", _TEXT),)),
          "reject", "pickle/runs-code"),
    _case("settings-rule", "what reads that setting", Call(Name("matplotlib.rcsetup", "validate_cycler"), (_TEXT,)), "reject", "pickle/runs-code"),
    _case("writes", "a document that is opened for writing", Call(Name("matplotlib.backends.backend_pdf", "PdfFile"), ("forged.pdf",)), "reject",
          "pickle/touches-files"),
    _case("starts", "an animation's writer", Call(Name("matplotlib.animation", "FFMpegWriter"), ()), "reject", "pickle/runs-process"),
    _case("fonts", "a list of fonts, for which programs are asked", Call(Name("matplotlib.font_manager", "FontManager"), ()), "reject", "pickle/runs-process"),
    _case("empty", "what makes an empty object of a class is given a function", Call(_EMPTY, (Name("os", "system"),)), "reject", "pickle/runs-process"),
    _case("saves", "a figure's method that writes", Call(Name("matplotlib.figure", "Figure.savefig"), ("forged.png",)), "reject", "pickle/touches-files"),
    _case("reads", "a function that reads a picture", Call(Name("matplotlib.image", "imread"), ("forged.png",)), "reject", "pickle/touches-files"),
    _case("ordinary", "a figure with axes and a line", _new("matplotlib.figure", "Figure", _axstack=_new("matplotlib.figure", "_AxesStack"), _callbacks=_registry(),
          __mpl_version__="3.10.0", lines=[_new("matplotlib.lines", "Line2D", stale_callback=Name("matplotlib.artist", "_stale_axes_callback"))]), "admit"),
    _case("ordinary-norm", "a norm and a map of colours", {"norm": Call(_EMPTY, (Name("matplotlib.colors", "LogNorm"),), state={"vmin": 1.0, "callbacks": _registry()}),
          "map": _new("matplotlib.colors", "ListedColormap", colors=[[0.0, 0.1, 0.2]])}, "admit"),
    _case("ordinary-space", "axes in three dimensions", _new("mpl_toolkits.mplot3d.axes3d", "Axes3D", title="os.system"), "admit"),
)  # fmt: skip
