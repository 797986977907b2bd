"""Formulas, bands and verdicts, each on small numbers that can be computed by hand."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvet.evidence.predicates.claims_v1 import Claims, Judgement, Result
from openvet.evidence.predicates.tool import Tool
from openvet.profile.claims.examine import examine
from openvet.profile.claims.inputs import take_inputs
from openvet.profile.claims.keys import KEYS

TOOL = Tool("openvet", "0", "ab" * 32)


def claims(**sections: Any) -> Claims:
    """What is made of these sections; a problem fails the test."""
    problems: list[str] = []
    inputs = take_inputs(sections, lambda at, text: problems.append(f"{at}: {text}"))
    assert problems == []
    return examine(inputs, TOOL)


def result(found: Claims, quantity: str) -> Result:
    return next(each for each in found.results if each.quantity == quantity)


def ends(found: Claims, quantity: str) -> tuple[Any, ...]:
    each = result(found, quantity)
    return Fraction(each.least), Fraction(each.low), Fraction(each.high), Fraction(each.most)


def judged(found: Claims, figure: str) -> Judgement:
    return next(each for each in found.judgements if each.figure == figure)


MODEL = {"parameters": 1000, "layers": 10, "attention_width": 20, "context": 50}


def test_operations_of_training() -> None:
    bare = claims(model={"parameters": 1000}, training={"tokens": 100, "rematerialisation": "none"})
    assert result(bare, "training_flop").value == "600000"
    assert ends(bare, "training_flop") == (420_000, 540_000, 660_000, 780_000)


def test_a_dense_model_by_all_its_parameters() -> None:
    run = {"tokens": 100}
    found = claims(model={"total_parameters": 1200, "embedding_parameters": 200}, training=run)
    assert result(found, "training_flop").value == "600000"
    assert any("total_parameters without embedding_parameters are taken" in each for each in found.assumptions)
    assert result(claims(model={"total_parameters": 1200}, training=run), "training_flop").value == "720000"
    active = claims(model={"total_parameters": 1200, "embedding_parameters": 200, "parameters": 500}, training=run)
    assert result(active, "training_flop").value == "300000"


def test_epochs_multiply_tokens() -> None:
    found = claims(model={"parameters": 1000}, training={"tokens": 100, "epochs": 2.5})
    assert result(found, "training_flop").value == "1500000"
    assert result(found, "training_flop").formula == "6 x parameters x tokens x epochs"


def test_a_frozen_base_takes_four() -> None:
    found = claims(
        model={"parameters": 1000}, training={"tokens": 100, "passes": "frozen-base", "rematerialisation": "none"}
    )
    assert result(found, "training_flop").value == "400000"
    assert result(found, "training_flop").formula == "4 x parameters x tokens"


@pytest.mark.parametrize(
    ("attention", "high", "most"),
    [
        # 6 N D is 600,000; scores forward are 2 x 10 x 20 x 50 = 20,000 a token where the mask is made use of, all passes 6,000,000
        ("", 600_000 + 6_000_000, 600_000 + 12_000_000),
        ("causal", 600_000 + 6_000_000, 600_000 + 6_000_000),
        ("full", 600_000 + 12_000_000, 600_000 + 12_000_000),
        ("not-counted", 600_000, 600_000),
    ],
)
def test_attention_is_in_the_upper_ends(attention: str, high: int, most: int) -> None:
    training: dict[str, Any] = {"tokens": 100, "rematerialisation": "none"}
    if attention:
        training["attention"] = attention
    found = ends(claims(model=MODEL, training=training), "training_flop")
    assert found == (420_000, 540_000, high * Fraction(11, 10), most * Fraction(13, 10))


def test_what_is_computed_again_is_another_forward_pass() -> None:
    counted = claims(model={"parameters": 1000}, training={"tokens": 100, "rematerialisation": "counted"})
    assert ends(counted, "training_flop")[2:] == (880_000, 1_040_000)
    unstated = claims(model={"parameters": 1000}, training={"tokens": 100})
    assert ends(unstated, "training_flop")[2:] == (660_000, 1_040_000)
    assert any("rematerialisation is not stated" in each for each in unstated.assumptions)


def test_operations_for_one_token() -> None:
    found = claims(model=MODEL)
    assert result(found, "training_flop_per_token").value == "66000"
    assert result(found, "decode_flop_per_token").value == "42000"
    full = claims(model=MODEL, training={"attention": "full"})
    assert result(full, "training_flop_per_token").value == "126000"
    frozen = claims(model=MODEL, training={"passes": "frozen-base"})
    assert result(frozen, "training_flop_per_token").value == "44000"


def test_hardware_gives_operations_too() -> None:
    run = {"chip_hours": 10, "peak_flop_per_second": 100, "utilisation": 0.5}
    found = claims(training=run)
    assert result(found, "training_flop").value == "1800000"
    both = claims(model={"parameters": 1000}, training={**run, "tokens": 300})
    assert result(both, "training_flop").value == "1800000"
    assert result(both, "training_flop_by_hardware").value == "1800000"
    assert judged(both, "utilisation").verdict == "consistent"
    off = claims(model={"parameters": 1000}, training={**run, "tokens": 100})
    assert judged(off, "utilisation").verdict == "inconsistent"


@pytest.mark.parametrize(
    ("tokens", "verdict"),
    [(29, "inconsistent"), (31, "cannot-tell"), (89, "cannot-tell"), (91, "consistent"), (329, "consistent"), (331, "cannot-tell"),
     (449, "cannot-tell"), (451, "inconsistent")],
)  # fmt: skip
def test_hours_have_to_fit_the_work(tokens: int, verdict: str) -> None:
    """The peak of all hours is 3,600,000 operations, a token takes 6,000: 600 tokens are 100 %."""
    found = claims(
        model={"parameters": 1000}, training={"tokens": tokens, "chip_hours": 10, "peak_flop_per_second": 100}
    )
    assert judged(found, "chip_hours").verdict == verdict


def test_no_chip_is_faster_than_its_peak() -> None:
    assert claims(training={"chip": "a100-sxm", "flop_per_second": 312e12}).judgements == ()
    found = claims(training={"chip": "a100-sxm", "flop_per_second": 313e12})
    assert judged(found, "flop_per_second").verdict == "inconsistent"
    assert claims(training={"chip": "a100-sxm", "dtype": "int8", "flop_per_second": 313e12}).verdict is None


def test_energy_without_load_and_pue_is_a_band() -> None:
    found = claims(training={"chip_hours": 1_000_000, "chip_watts": 100})
    each = result(found, "energy_mwh")
    assert each.value is None
    assert ends(found, "energy_mwh") == (
        100 * Fraction("0.15") * Fraction("0.85"), 100 * Fraction("0.6") * Fraction("1.05") * Fraction("0.95"),
        160 * Fraction("1.05"), 200 * Fraction("1.15"),
    )  # fmt: skip
    assert len(found.assumptions) == 2


def test_emissions_and_cost() -> None:
    run = {"chip_hours": 1_000_000, "all_chip_hours": 2_000_000, "chip_watts": 100, "load": 0.5, "pue": 1.2}
    found = claims(training={**run, "grams_per_kwh": 400, "carbon_basis": "market", "usd_per_chip_hour": 1.5})
    assert result(found, "energy_mwh").value == "120"
    assert result(found, "co2e_tonnes").value == "48"
    assert result(found, "co2e_tonnes").formula == "energy x grams_per_kwh (market based)"
    assert result(found, "cost_usd").value == "3000000"


def test_emissions_from_the_published_energy() -> None:
    found = claims(training={"grams_per_kwh": 400}, published={"energy_mwh": 10, "co2e_tonnes": 4})
    assert judged(found, "co2e_tonnes").verdict == "consistent"
    assert judged(found, "energy_mwh").verdict == "cannot-tell"


def test_emissions_without_an_intensity_say_which_they_would_mean() -> None:
    run = {"chip_hours": 1_000_000, "chip_watts": 100}
    told = judged(claims(training={**run, "load": 0.5, "pue": 1.2}, published={"co2e_tonnes": 24}), "co2e_tonnes")
    assert told.verdict == "cannot-tell"
    assert (
        told.reason
        == "not stated: training.grams_per_kwh; with the energy that follows the figure would mean 400 gCO2e/kWh"
    )
    # energy from 0.95 x 100 x 0.6 x 1.05 = 59.85 to 1.05 x 100 x 1 x 1.6 = 168 MWh
    band = judged(claims(training=run, published={"co2e_tonnes": 24}), "co2e_tonnes").reason
    assert band.endswith("would mean 142.9 to 401.0 gCO2e/kWh")
    published = judged(claims(training=run, published={"energy_mwh": 60, "co2e_tonnes": 24}), "co2e_tonnes").reason
    assert published.endswith("with the published energy the figure would mean 400 gCO2e/kWh")
    assert judged(claims(published={"co2e_tonnes": 24}), "co2e_tonnes").reason == (
        "not stated: training.grams_per_kwh, training.chip_hours"
    )


def test_caches() -> None:
    grouped = claims(model={"layers": 10, "kv_heads": 2, "head_size": 8, "context": 5, "batch": 3})
    assert result(grouped, "kv_bytes_per_token").value == "640"
    assert result(grouped, "kv_bytes").value == "9600"
    latent = claims(model={"layers": 10, "kv_rank": 20, "rope_size": 4, "cache_bytes": 1})
    assert result(latent, "kv_bytes_per_token").value == "240"
    assert result(latent, "kv_bytes_per_token").low == result(latent, "kv_bytes_per_token").high == "240"


@pytest.mark.parametrize(
    ("published", "verdict"),
    [(100, "consistent"), (104, "consistent"), (106, "cannot-tell"), (114, "cannot-tell"), (116, "inconsistent"), (84, "inconsistent"),
     ({"low": 90, "high": 110}, "consistent"), ({"low": 96, "high": 104}, "consistent"), ({"low": 104, "high": 110}, "cannot-tell"),
     ({"low": 116, "high": 200}, "inconsistent"), ({"low": 110, "high": 200}, "cannot-tell")],
    ids=str,
)  # fmt: skip
def test_three_verdicts(published: Any, verdict: str) -> None:
    found = claims(training={"chip_hours": 50, "usd_per_chip_hour": 2}, published={"cost_usd": published})
    assert judged(found, "cost_usd").verdict == verdict
    assert found.verdict == verdict


def test_what_is_missing_is_named() -> None:
    found = claims(training={"chip_hours": 50}, published={"cost_usd": 100})
    assert judged(found, "cost_usd").verdict == "cannot-tell"
    assert (
        judged(found, "cost_usd").reason
        == "not stated: training.usd_per_chip_hour; the figure would mean 2 USD for an hour of a chip"
    )


def test_readings_that_agree_and_that_do_not() -> None:
    run = {"chip_hours": {"value": 50, "or": 52}, "usd_per_chip_hour": 2}
    assert claims(training=run, published={"cost_usd": 101}).verdict == "consistent"
    run["chip_hours"] = {"value": 50, "or": [10, 20]}
    found = claims(training=run, published={"cost_usd": 100})
    assert judged(found, "cost_usd").verdict == "cannot-tell"
    assert judged(found, "cost_usd").reason.startswith(
        "it depends on how the inputs are read: with training.chip_hours 50 consistent"
    )
    assert claims(training=run, published={"cost_usd": 1000}).verdict == "inconsistent"
    assert [each.reading for each in found.results] == [f"training.chip_hours {hours}" for hours in (50, 10, 20)]


def test_nothing_published_has_no_verdict() -> None:
    assert claims(model={"parameters": 1}).verdict is None


numbers = st.one_of(st.integers(1, 10**30), st.floats(1e-20, 1e40), st.integers(1, 64))
_SHARES = st.floats(0.001, 1)
_VALUES = {"number": numbers, "count": st.integers(1, 10**9), "share": _SHARES, "factor": st.floats(1, 100)}


@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: st.sampled_from(key.words or ("a100-sxm",)) if key.kind == "word" else _VALUES[key.kind]
            for name, key in KEYS.items()
            if name != "training.dtype"
        },
    )
)
def test_bands_hold_each_other(stated: dict[str, Any]) -> None:
    """Whatever is stated: no error but a problem, bands lie in each other, and the body is read back as it is."""
    document: dict[str, dict[str, Any]] = {}
    for name, value in stated.items():
        section, _, leaf = name.partition(".")
        document.setdefault(section, {})[leaf] = value
    problems: list[str] = []
    inputs = take_inputs(document, lambda at, text: problems.append(text))
    if problems:
        return
    found = examine(inputs, TOOL)
    for each in found.results:
        least, low, high, most = map(Fraction, (each.least, each.low, each.high, each.most))
        assert least <= low <= high <= most
        assert each.value is None or low <= Fraction(each.value) <= high
    assert Claims.from_json(found.to_json()) == found
    assert examine(inputs, TOOL) == found
