"""Text that a class evaluates where a pickle sets its state, and functions that compile the text that they are called with."""

from __future__ import annotations

from typing import Any, Literal

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump

__all__ = ["CASES"]

_TEXT = '__import__("os").system("echo forged")'
_RUNS = frozenset({"pickle/runs-code"})


def _template(names: str, scale: str = "scale", default: str = "scale=1") -> str:
    """What SciPy writes for a distribution with shapes of these names."""
    shapes = "".join(f"{name}, " for name in names)
    places = f"loc=0, {default}".rstrip(", ")
    return (
        f"\ndef _parse_args(self, {shapes} {places}):\n    return ({shapes}), loc, {scale}\n\n"
        f"def _parse_args_rvs(self, {shapes} {places}, size=None):\n    return self._argcheck_rvs({shapes} loc, {scale}, size=size)\n\n"
        f"def _parse_args_stats(self, {shapes} {places}, moments='mv'):\n    return ({shapes}), loc, {scale}, moments\n"
    )


def _distribution(template: Any, name: str = "norm_gen", state: Any = None) -> Call:
    entries = {
        "_stats_has_moments": False,
        "badvalue": float("nan"),
        "name": "norm",
        "shapes": None,
        "_parse_arg_template": template,
        "numargs": 0,
    }
    return Call(Name("scipy.stats._continuous_distns", name), (), entries if state is None else state, how="NEWOBJ")


def _data(formula: Any, key: str = "restore_design_info", **more: Any) -> Call:
    return Call(
        Name("statsmodels.base.data", "PandasData"),
        (),
        {"formula": formula, key: True, "frame": None, **more},
        how="NEWOBJ",
    )


def _case(
    word: str,
    technique: str,
    value: Any,
    decision: Literal["admit", "review", "reject"],
    rules: frozenset[str] = frozenset(),
) -> Case:
    return Case(f"state-text/{word}", technique, lambda: dump(value, 4), decision, rules, ("pickle",), (), "model.pkl")


def _function(module: str, name: str, *arguments: Any) -> Case:
    return _case(
        f"{module}-{name}".replace(".", "-").replace("_", "-"),
        f"text that {module}.{name} compiles and runs",
        Call(Name(module, name), arguments),
        "reject",
        _RUNS,
    )


_EVIL = f"def _parse_args(self):\n    pass\n{_TEXT}\n"

CASES: tuple[Case, ...] = (
    _case("distribution", "a distribution of SciPy whose template runs code", _distribution(_EVIL), "reject", _RUNS),
    _case("distribution-default", "a distribution whose template runs code as the default of an argument",
          _distribution(_template("").replace("loc=0", f"loc={_TEXT}", 1)), "reject", _RUNS),
    _case("distribution-pairs", "the state of a distribution as pairs, with which a dictionary is updated as well",
          _distribution(None, state=[("name", "norm"), ("_parse_arg_template", _EVIL)]), "reject", _RUNS),
    _case("distribution-later", "a template that runs code, behind ten that do not",
          [*(_distribution(_template("")) for _ in range(10)), _distribution(_EVIL)], "reject", _RUNS),
    _case("distribution-frozen", "a template that runs code, inside of a frozen distribution",
          Call(Name("scipy.stats._distn_infrastructure", "rv_continuous_frozen"), (), {"args": (), "kwds": {}, "dist": _distribution(_EVIL, "beta_gen")}, how="NEWOBJ"),
          "reject", _RUNS),
    _case("formula", "a formula that is evaluated as the data of a result are restored", _data(f"y ~ {_TEXT}"), "reject", _RUNS),
    _case("formula-new", "the same, as newer versions of statsmodels name it", _data("y ~ I(os.system('echo forged'))", "restore_model_spec"), "reject", _RUNS),
    _function("patsy.highlevel", "dmatrix", _TEXT),
    _function("statsmodels.formula.api", "ols", f"y ~ {_TEXT}", {}),
    _function("pydantic.main", "create_model", "M"),
    _function("attr._make", "make_class", "A", [_TEXT]),
    _function("deap.gp", "compile", _TEXT, None),
    _function("networkx.utils.decorators", "argmap", None),
    _function("scipy.optimize._nonlin", "_nonlin_wrapper", "f", None),
    _case("ordinary-distribution", "distributions as SciPy pickles them",
          [_distribution(_template("")), _distribution(_template("ab"), "beta_gen"), _distribution(_template("np", "1", ""), "binom_gen")], "admit"),
    _case("ordinary-frozen", "ten distributions that a search draws from",
          [Call(Name("scipy.stats._distn_infrastructure", "rv_continuous_frozen"), (), {"args": (0, n), "kwds": {}, "dist": _distribution(_template(""), "uniform_gen")},
                how="NEWOBJ") for n in range(10)], "admit"),
    _case("ordinary-formula", "formulas of results of statsmodels", [_data("y ~ x"), _data("np.log(y) ~ C(g, Treatment('a')) + bs(x, df=4) + I(x ** 2)", "restore_model_spec")],
          "admit"),
    _case("ordinary-words", "a formula over columns named after danger", _data("system ~ eval + Q('os system') + load"), "admit"),
)  # fmt: skip
