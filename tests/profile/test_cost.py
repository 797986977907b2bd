"""Running a model beside paying for an API: the published day, formulas, verdicts, and inputs that make no sense."""

from __future__ import annotations

import json
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import architectures
from tests.snapshots.snapshot import matches

from openvet.cli import main
from openvet.cli.cost import OPTIONS
from openvet.profile.claims.span import Span, point
from openvet.profile.cost import VERDICTS, Cost, compute_cost
from openvet.profile.cost_inputs import KEYS, take_cost_inputs
from openvet.profile.devices import devices
from openvet.profile.fit import fit
from openvet.profile.needs import Needs, Workload

#: One request stands for the day: all tokens that were served. Source: DeepSeek, V3/R1 Inference System Overview (open-infra-index,
#: day 6, February 2025); 226.75 nodes of 8 chips.
DAY: dict[str, Any] = {
    "price_per_hour": 2, "count": Fraction("226.75") * 8, "hours": 24, "requests": 1, "tokens_cached": 342e9, "tokens_in": 266e9,
    "tokens_out": 168e9, "api_price_cached": 0.14, "api_price_in": 0.55, "api_price_out": 2.19,
}  # fmt: skip
PLAIN = ("--price-per-hour", "2", "--tokens-out", "1000", "--api-price-out", "1")


def cost(**document: Any) -> Cost:
    return compute_cost(taken(document), None, None, 1, "f16")


def taken(document: dict[str, Any]) -> dict[str, Span]:
    problems: list[str] = []
    found = take_cost_inputs(document, lambda _, text: problems.append(text))
    assert problems == []
    return found


def value(found: Cost, name: str) -> Fraction | None:
    return next(each.span.value for each in found.results if each.name == name)


def run(*arguments: str) -> str:
    found = CliRunner().invoke(main, ["cost", *arguments], env={"COLUMNS": "100"})
    assert found.exit_code == 0, found.stderr
    return found.stdout


def refused(*arguments: str) -> str:
    found = CliRunner().invoke(main, ["cost", *arguments])
    assert found.exit_code == 2, found.stdout
    assert found.stdout == ""
    return found.stderr


def test_deepseek_s_day_of_serving() -> None:
    found = cost(**DAY)
    assert value(found, "hardware") == 87_072
    assert value(found, "api") == 562_100
    assert found.verdict == "run-it"
    assert value(found, "break_even_requests") == Fraction(87_072, 562_100)
    tokens = value(found, "break_even_tokens")
    assert tokens is not None
    assert round(tokens / 10**9) == 120


def test_deepseek_s_day_as_a_command(tmp_path: Path) -> None:
    (tmp_path / "day.toml").write_text("".join(f"{key} = {float(each)}\n" for key, each in DAY.items()))
    matches("cost/deepseek-day.txt", run("--inputs", str(tmp_path / "day.toml")))


def test_formulas_in_one_s_head() -> None:
    """10 USD for 10 hours; 1 USD a request; a request in 10 s, so 3600 in 10 hours at all times and 360 at a tenth of them."""
    found = cost(
        price_per_hour=1, hours=10, tokens_out=1000, api_price_out=1000, tokens_per_second=100, utilisation=0.1
    )
    expected = {"hardware": 10, "api_request": 1, "break_even_requests": 10, "break_even_tokens": 10_000, "copy_requests_per_second": Fraction(1, 10),
                "capacity_requests": 3600, "break_even_utilisation": Fraction(1, 360), "own_request": Fraction(1, 36),
                "own_million_out": Fraction(1000, 36)}  # fmt: skip
    assert {each.name: each.span.value for each in found.results} == expected
    assert found.verdict == "run-it"
    assert value(cost(price_per_hour=1, count=8, devices_per_copy=4, tokens_out=1, api_price_out=1, tokens_per_second=1), "capacity_requests") == 730 * 3600 * 2  # fmt: skip


@pytest.mark.parametrize(
    ("more", "verdict"),
    [
        ({}, "cannot-tell"),
        ({"requests": 9}, "pay-for-it"),
        ({"requests": 11}, "run-it"),
        ({"requests": 10}, "cannot-tell"),
        ({"requests": {"low": 9, "high": 11}}, "cannot-tell"),
        ({"requests": 4000, "tokens_per_second": 100}, "too-much-traffic"),
        ({"requests": 3000, "tokens_per_second": 100}, "run-it"),
        ({"requests": 3000, "tokens_per_second": {"low": 50, "high": 100}}, "cannot-tell"),
        ({"tokens_per_second": 0.1}, "pay-for-it"),
        ({"tokens_per_second": 100, "utilisation": 0.1}, "run-it"),
        ({"tokens_per_second": 100, "utilisation": 0.001}, "pay-for-it"),
        ({"tokens_per_second": 100, "utilisation": {"low": 0.001, "high": 0.1}}, "cannot-tell"),
        ({"price_per_hour": {"low": 0.5, "high": 2}, "requests": 10}, "cannot-tell"),
    ],
)
def test_verdicts(more: dict[str, Any], verdict: str) -> None:
    found = cost(**{"price_per_hour": 1, "hours": 10, "tokens_out": 1000, "api_price_out": 1000, **more})
    assert found.verdict == verdict, found.reason
    assert verdict in VERDICTS


MODEL = Needs(10**9, "derived", Fraction(16), "BF16", 5 * 10**8, 5 * 10**8, 0, (), None, decodes=True)


def test_capacity_follows_from_the_bounds_of_the_device() -> None:
    stated = taken({"price_per_hour": 1, "tokens_in": 1000, "tokens_out": 100, "api_price_in": 1, "api_price_out": 1})
    found = compute_cost(stated, MODEL, devices()["l4"], 4, "f16")
    held = fit(MODEL, devices()["l4"], Workload(1100, 4))
    assert held.decode is not None
    assert held.prefill is not None
    span = next(each.span for each in found.results if each.name == "copy_requests_per_second")
    assert span.low == 1 / (100 / held.decode.low + 1000 / held.prefill.low)
    assert span.high == 1 / (100 / held.decode.high + 1000 / held.prefill.high)
    assert span.most > span.high
    assert span.value is None
    two = compute_cost({**stated, "count": point(2), "devices_per_copy": point(2)}, MODEL, devices()["l4"], 4, "f16")
    faster = next(each.span for each in two.results if each.name == "copy_requests_per_second")
    assert faster.low > span.low
    assert two.fit is not None
    assert two.fit.available_bytes == 2 * devices()["l4"].memory
    assert two.fit.device.name == "2 x NVIDIA L4"


def test_what_is_possible_keeps_from_a_verdict() -> None:
    """At the price that programs are seen to reach the API is cheaper, and at the bound it is not."""
    stated = taken({"price_per_hour": 1, "tokens_out": 100, "api_price_out": 1, "utilisation": 1})
    own = next(
        each.span
        for each in compute_cost(stated, MODEL, devices()["l4"], 1, "f16").results
        if each.name == "own_request"
    )
    assert own.least < own.low
    for price, verdict in (
        (own.least / 2, "pay-for-it"),
        ((own.least + own.low) / 2, "cannot-tell"),
        (own.high * 2, "run-it"),
    ):
        each = {**stated, "api_price_out": point(price * 10_000)}
        assert compute_cost(each, MODEL, devices()["l4"], 1, "f16").verdict == verdict


def test_a_model_without_room_is_said() -> None:
    large = Needs(10**12, "derived", Fraction(16), "BF16", 5 * 10**11, 5 * 10**11, 0, (), None, decodes=True)
    stated = taken({"price_per_hour": 1, "tokens_out": 100, "api_price_out": 1})
    found = compute_cost(stated, large, devices()["l4"], 1, "f16")
    assert found.verdict == "no-room"
    assert "974.2 GB" in found.reason


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(KEYS)), st.fractions(Fraction(1, 10**6), 1)))
def test_more_expensive_hardware_needs_more_traffic(more: dict[str, Fraction]) -> None:
    document = {
        name: each
        for name, each in more.items()
        if KEYS[name].kind != "count" and name not in {"bits", "tokens_cached", "tokens_in"}
    }
    document |= {"price_per_hour": Fraction(1), "tokens_out": Fraction(10), "api_price_out": Fraction(1)}
    cheap, dear = cost(**document), cost(**{**document, "price_per_hour": Fraction(2)})
    first, second = value(cheap, "break_even_requests"), value(dear, "break_even_requests")
    assert first is not None
    assert second == 2 * first
    for found in (cheap, dear):
        for each in found.results:
            assert 0 < each.span.least <= each.span.low <= each.span.high <= each.span.most


def test_every_key_has_an_option_and_the_other_way() -> None:
    assert {name: each.text for name, each in KEYS.items()} == OPTIONS


def test_a_model_on_a_device(tmp_path: Path) -> None:
    shutil.copytree(architectures.configs("llama-3-8b"), tmp_path / "llama-3-8b")
    name = str(tmp_path / "llama-3-8b")
    arguments = (name, "--device", "l4", "--price-per-hour", "0.7..0.9", "--batch", "16", "--utilisation", "0.2..0.5", "--tokens-in", "1000",
                 "--tokens-out", "300", "--api-price-in", "0.2", "--api-price-out", "0.6")  # fmt: skip
    matches("cost/llama-3-8b-l4.txt", run(*arguments).replace(name, "llama-3-8b"))
    found = json.loads(run(*arguments, "-f", "json"))
    assert found["device"] == "l4"
    assert found["fit"]["workload"] == {"context": 1300, "batch": 16, "cache_type": "f16"}
    run(*arguments, "-o", str(tmp_path / "report.txt"))
    assert (tmp_path / "report.txt").read_text().startswith("pay for it: ")


def test_a_model_on_nothing_is_refused(tmp_path: Path) -> None:
    shutil.copytree(architectures.configs("gpt2"), tmp_path / "m")
    said = refused(str(tmp_path / "m"), *PLAIN)
    assert "MODEL: what it runs on is not stated" in said
    assert "--tokens-per-second" in said
    run(str(tmp_path / "m"), *PLAIN, "--tokens-per-second", "9")


def test_parameters_in_place_of_a_model() -> None:
    text = run(*PLAIN, "--parameters", "8e9", "--bits", "4.5", "--device", "l4")
    assert "4.5 GB of 25.8 GB" in text
    assert "only parameters are stated: no cache is counted" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "price_per_hour is not stated"),
        (("--price-per-hour", "2"), "tokens_out is not stated"),
        (
            (*PLAIN, "--price-per-hour", "0"),
            "--price-per-hour: price_per_hour must be a number above zero (USD), not 0",
        ),
        ((*PLAIN, "--price-per-hour", "-1"), "--price-per-hour"),
        ((*PLAIN, "--price-per-hour", "nan"), "not 'nan'"),
        ((*PLAIN, "--price-per-hour", "1e999"), "price_per_hour must be a number above zero"),
        ((*PLAIN, "--price-per-hour", "9" * 500), "--price-per-hour"),
        ((*PLAIN, "--price-per-hour", "3..2"), "--price-per-hour: price_per_hour must have low <= high"),
        ((*PLAIN, "--price-per-hour", "2.."), "not ''"),
        ((*PLAIN, "--price-per-hour", "\x1b[31m"), "\\x1b[31m"),
        ((*PLAIN, "--utilisation", "30"), "such as 0.3 for 30 %, not 30"),
        ((*PLAIN, "--utilisation", "300"), "a share above 0 and at most 1, not 300"),
        ((*PLAIN, "--devices-per-copy", "1.5"), "must be a whole number above zero, not 1.5"),
        ((*PLAIN, "--count", "2", "--devices-per-copy", "4"), "devices_per_copy are more than count"),
        ((*PLAIN, "--tokens-in", "5"), "--tokens-in: tokens_in has no api_price_in"),
        ((*PLAIN, "--tokens-cached", "5"), "tokens_cached has neither"),
        ((*PLAIN, "--bits", "4"), "bits belong to parameters"),
        ((*PLAIN, "--device", "l4"), "what runs on it is not known"),
        ((*PLAIN, "--parameters", "8e9"), "--parameters: what it runs on is not stated"),
        ((*PLAIN, "--parameters", "7B", "--device", "l4"), "not '7B'; write 7e9"),
        ((*PLAIN, "--requests", "1.5 m"), "not '1.5 m'; write 1.5e6"),
        ((*PLAIN, "--requests", "x7B"), "not 'x7B'\n"),
        ((*PLAIN, "--device", "l5"), "no device 'l5'"),
        ((*PLAIN, "--inputs", "none.toml"), "none.toml"),
        (("none", *PLAIN), "none"),
    ],
)
def test_what_makes_no_sense_is_told_with_its_place(arguments: tuple[str, ...], said: str) -> None:
    assert said in refused(*arguments)


def test_as_many_devices_as_one_copy_needs() -> None:
    assert value(cost(price_per_hour=1, devices_per_copy=4, tokens_out=1, api_price_out=1), "hardware") == 4 * 730


def test_places_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(
        "price_per_hour = 2\nutilisation = 30\ntokens_out = 'x'\napi_price_out = {low = 1}\nprice = 3\n"
    )
    told = refused("--inputs", str(tmp_path / "a.toml"))
    for line, said in (
        (2, "utilisation must be"),
        (3, "tokens_out must be"),
        (4, "must be a number, or have low and high"),
        (5, "unknown key 'price'"),
    ):
        assert any(
            f"a.toml:{line}: {said}" in each or (f"a.toml:{line}:" in each and said in each)
            for each in told.splitlines()
        ), told
    assert "price_per_hour must be" in refused("--inputs", str(tmp_path / "a.toml"), "--price-per-hour", "x")


def test_a_folder_without_one_model_is_refused(tmp_path: Path) -> None:
    assert "no model in it is known to make tokens" in refused(str(tmp_path), *PLAIN)
    for name in ("gpt2", "llama-3-8b"):
        shutil.copytree(architectures.configs(name), tmp_path / name)
    assert "has several models that make tokens (gpt2, llama-3-8b)" in refused(str(tmp_path), *PLAIN)
    assert "name one of the two" in refused(str(tmp_path / "gpt2"), *PLAIN, "--parameters", "3")
    (tmp_path / "two.toml").write_text("[device.a]\nmemory_gib = 1\n[device.b]\nmemory_gib = 1\n")
    assert "describes several devices (a, b)" in refused(
        str(tmp_path / "gpt2"), *PLAIN, "--device", str(tmp_path / "two.toml")
    )
