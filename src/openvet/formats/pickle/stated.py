"""Classes that evaluate text of the state that they are given: distributions of SciPy, and data of statsmodels.

``rv_generic.__setstate__`` runs ``exec`` on ``_parse_arg_template``, which SciPy itself writes from the names of the shapes: three
functions that hand their arguments on. What has the form of these runs nothing; any other text is told as what ``exec`` is given.

``ModelData.__setstate__`` of statsmodels makes the design of a model again from its formula, and patsy and formulaic evaluate the terms
of one as Python. Formulas call functions (``np.log(x)``), so only one that names what runs, opens or reaches around is told: a heuristic.

References: ``scipy/stats/_distn_infrastructure.py`` (1.9 to 1.17), ``statsmodels/base/data.py`` (0.14, 0.15), ``patsy/eval.py`` (1.0).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from openvet.core.pattern import pattern
from openvet.formats.pickle.values import DICT, LIST, LIT, REF, TUPLE, offset_of, tag_of

if TYPE_CHECKING:
    from openvet.formats.pickle.references import Ref
    from openvet.formats.pickle.semantics import Semantics

__all__ = ["evaluates_state", "look_at_state"]

#: What SciPy writes: nothing in it but names, numbers and the two letters of the moments.
_TEMPLATE = pattern(
    r"\s*(?:def _parse_args(?:_rvs|_stats)?\(self,[\w=, ']*\):\n"
    r"    return (?:\([\w, ]*\)[\w, ]*|self\._argcheck_rvs\([\w=, ]*\))\n\s*){1,3}"
)
_FORMULA = pattern(
    r"__|\b(?:os|sys|subprocess|shutil|importlib|builtins|pickle|socket|ctypes|pty|posix)\b\s*\.|"
    r"\b(?:eval|exec|open|compile|getattr|setattr|globals|locals|vars|system|popen|Popen|load|loads|fromfile|read_\w+|breakpoint|input)\s*\("
)
_DISTRIBUTIONS: Final = ("_gen", "rv_continuous", "rv_discrete", "rv_generic", "rv_histogram", "rv_sample")
_DATA: Final = "statsmodels.base.data"
#: Keys that make statsmodels evaluate the formula.
_RESTORES: Final = frozenset({"restore_design_info", "restore_model_spec"})


def evaluates_state(ref: Ref) -> bool:
    """Whether an instance that ``ref`` gives may evaluate text of its state."""
    return ref.module == _DATA or ref.name.endswith(_DISTRIBUTIONS)


def look_at_state(m: Semantics, ref: Ref, state: int, offset: int) -> None:
    """Tell what the instance that ``ref`` gave evaluates of ``state``."""
    entries = _entries(m, state)
    if entries is None:
        if tag_of(state) != LIT or ref.module != _DATA:
            m.compute(
                "argument",
                f"{ref.qualified}.__setstate__ with a state that is not known, of which it evaluates text",
                offset,
                "BUILD",
            )
        return
    if ref.module != _DATA:
        given = entries.get("_parse_arg_template")
        text = None if given is None else m.text(given)
        if given is not None and (text is None or not _TEMPLATE.fullmatch(text)):
            _tell(m, ref, ("builtins", "exec"), given, offset)
    elif not _RESTORES.isdisjoint(entries):
        given = entries.get("formula")
        text = None if given is None else m.text(given)
        if text is not None and given is not None and _FORMULA.search(text):
            _tell(m, ref, ("patsy.highlevel", "dmatrices"), given, offset)
        elif given is not None and text is None and tag_of(given) != REF:
            m.compute(
                "argument",
                f"{ref.qualified}.__setstate__ with a formula that is not known, which is evaluated",
                offset,
                "BUILD",
            )


def _tell(m: Semantics, ref: Ref, reader: tuple[str, str], text: int, offset: int) -> None:
    callee = m.reference(*reader, offset, "BUILD", via=f"{ref.qualified}.__setstate__"[:80])
    m.call_items(callee, [text], 0, offset, "BUILD")


def _entries(m: Semantics, state: int) -> dict[str, int] | None:
    """What a dictionary is updated with: entries of another, or pairs; ``None`` where not all of it is known."""
    held = m.held.get(offset_of(state))
    items = m.items(state)
    if items is None or held is None or held[0] != len(items):
        return None
    if tag_of(state) == DICT:
        pairs = [(items[at], items[at + 1]) for at in range(0, len(items) - 1, 2)]
    elif tag_of(state) in (LIST, TUPLE):
        found = [m.items(item) or [] for item in items]
        if any(len(pair) != 2 for pair in found):
            return None
        pairs = [(pair[0], pair[1]) for pair in found]
    else:
        return None
    out: dict[str, int] = {}
    for key, value in pairs:
        text = m.text(key)
        if text is None and not (tag_of(key) == LIT and m.integer(key) is not None):
            return None
        if text is not None:
            out[text] = value
    return out
