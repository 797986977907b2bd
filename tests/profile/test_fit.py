"""Memory and bounds of models on devices: exact figures, what must hold of any model, and whole reports."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import architectures
from tests.reports.test_markup import undressed
from tests.snapshots.snapshot import matches

from openvet.cli import main
from openvet.cli.device_options import CACHE_TYPES as OFFERED
from openvet.core.location import Location
from openvet.evidence.predicates.inventory_v1 import Fact
from openvet.evidence.predicates.profile_v1 import Cache, ModelPart, ProfileV1
from openvet.profile.device import GIB, Device, Figure
from openvet.profile.devices import devices
from openvet.profile.fit import STORED_IN, fit
from openvet.profile.needs import CACHE_TYPES, Needs, Workload, cache_bytes, needs_of, prompt_flop, token_flop
from openvet.reports._text import bytes_for_people
from openvet.reports.fit import compose
from openvet.reports.look import Look
from openvet.reports.plot import chart
from openvet.workflows.answer import ask

KNOWN = devices()


def published(name: str, path: Path) -> Path:
    folder = path / name
    shutil.copytree(architectures.configs(name), folder)
    for component in architectures.components(name):
        architectures.forge(architectures.tensors(name, component), folder / component / "model.safetensors")
    return folder


def needs(name: str, path: Path) -> Needs:
    found = ask(published(name, path), "profile").predicate
    assert isinstance(found, ProfileV1)
    made = needs_of(found.parts[0])
    assert made is not None
    return made


def run(*arguments: str, width: int = 100) -> str:
    found = CliRunner().invoke(main, arguments, env={"COLUMNS": str(width)})
    assert found.exit_code == 0, found.stderr
    return found.stdout


def plain(**changes: Any) -> Needs:
    """1000 weights of 16 bits, all multiplied; a cache of 10 numbers a token in each of 2 layers."""
    base = Needs(2000, "derived", Fraction(16), "F16", 1000, 1000, 0, (Cache("kv", 2, 10, flop=20),), 100, decodes=True)
    return replace(base, **changes)


def device(**changes: Any) -> Device:
    """1 GiB, 1 kB/s, 1 kFLOP/s: numbers that one can compute in one's head."""
    rate = Figure(Fraction(1000), Fraction(1000))
    base = replace(KNOWN["t4"], memory=GIB, sizes=(GIB,), usable=None, nominal=rate, achieved=None, peak={"fp16": rate})
    return replace(base, **changes)


def test_decode_is_the_longer_of_reading_and_computing() -> None:
    """2000 B of weights and 10 x 2 x 10 x 2 B of cache in 2.4 s; 2000 + 2 x 20 x 10 FLOP in 2.4 s."""
    found = fit(plain(), device(), Workload(10))
    assert found.decode is not None
    assert found.decode.seconds == Fraction(24, 10)
    assert found.decode.best == 1 / Fraction(24, 10)
    assert found.decode.limit == "bandwidth"
    faster = fit(plain(), device(nominal=Figure(Fraction(10**6), Fraction(10**6))), Workload(10))
    assert faster.decode is not None
    assert faster.decode.limit == "compute"
    assert faster.decode.seconds == Fraction(24, 10)


def test_a_batch_reads_the_weights_once() -> None:
    found = fit(plain(), device(peak={}), Workload(10, batch=4))
    assert found.decode is not None
    assert found.decode.seconds == Fraction(2000 + 4 * 400, 1000)
    assert found.decode.best == 4 / found.decode.seconds


def test_a_prompt_looks_back_over_half_of_itself_and_needs_the_head_once() -> None:
    assert prompt_flop(plain(), 10) == 2 * 1000 * 10 + 2 * 20 * 55
    assert prompt_flop(plain(head=400), 10) == 2 * 600 * 10 + 2 * 400 + 2 * 20 * 55
    windowed = plain(caches=(Cache("kv", 1, 10, window=4, flop=1),), multiplied=0)
    assert prompt_flop(windowed, 10) == 1 + 2 + 3 + 4 * 7
    assert prompt_flop(windowed, 10) == sum(token_flop(windowed, at) for at in range(1, 11))
    state = plain(caches=(Cache("state", 1, 10, flop=5),), multiplied=0)
    assert prompt_flop(state, 10) == 50


def test_a_prompt_takes_the_cheaper_form_of_compressed_keys_and_values(tmp_path: Path) -> None:
    """DeepSeek-V3: 61 layers, 128 heads; 576 + 512 for each pair absorbed, 192 + 128 spelled out."""
    found = needs("deepseek-v3", tmp_path)
    assert token_flop(found, 9) - token_flop(found, 8) == 61 * 2 * 128 * (576 + 512)
    without = replace(found, caches=())
    assert prompt_flop(found, 4) - prompt_flop(without, 4) == 61 * 2 * 128 * (192 + 128) * 10
    (cache,) = found.caches
    assert Cache.from_json(cache.to_json()) == cache
    assert "promptFlop" not in Cache("kv", 1, 1).to_json()
    assert prompt_flop(plain(caches=(Cache("kv", 1, 10, flop=7, prompt_flop=3),), multiplied=0), 2) == 9


def test_the_band_is_of_what_is_achieved_where_that_is_known() -> None:
    shares = KNOWN["t4"].efficiency
    found = fit(plain(), device(peak={}), Workload(10)).decode
    assert found is not None
    assert (found.low, found.high) == (found.best * shares.of_nominal.low, found.best * shares.of_nominal.high)
    achieved = Figure(Fraction(400), Fraction(600), "measured")
    found = fit(plain(), device(peak={}, achieved=achieved), Workload(10)).decode
    assert found is not None
    assert found.low == found.best * Fraction(4, 10) * shares.of_achieved.low
    assert found.high == found.best * Fraction(6, 10) * shares.of_achieved.high


def test_measured_speeds_lie_in_the_band() -> None:
    """SmolLM2-135M and Gemma-3-270M in llama.cpp on one core that reads 26.5 GB/s; the bytes of a token are those of the file."""
    core = replace(KNOWN["pc-ddr4-3200"], achieved=Figure(Fraction(26_500_000_000), Fraction(26_500_000_000)))
    for megabytes, low, high in ((269, 64, 67), (143, 79, 86), (97, 50, 67), (247, 30, 49)):
        found = fit(
            plain(weight_bytes=megabytes * 10**6, multiplied=10**12, caches=(), dtype="Q8_0"), core, Workload(1)
        ).decode
        assert found is not None
        assert found.low <= low <= high <= found.high < found.best


@pytest.mark.parametrize(
    ("kind", "window", "context", "bits", "size"),
    [
        ("kv", None, 100, 16, 100 * 2 * 10 * 2),
        ("kv", 30, 100, 16, 30 * 2 * 10 * 2),
        ("kv", 300, 100, 16, 100 * 2 * 10 * 2),
        ("latent", None, 100, Fraction(17, 2), 100 * 2 * 10 * Fraction(17, 16)),
        ("state", None, 100, 16, 2 * 10 * 2),
        ("state", None, 100, 4, 2 * 10 * 2),
        ("kv", None, 0, 16, 0),
        ("kv", None, 1, Fraction(9, 2), 12),
    ],
)
def test_cache(kind: str, window: int | None, context: int, bits: Fraction, size: Fraction) -> None:
    assert cache_bytes([Cache(kind, 2, 10, window)], context, bits) == size


@pytest.mark.parametrize(
    ("name", "per_token"),
    [("llama-3-8b", 131_072), ("deepseek-v3", 70_272), ("qwen2.5-72b", 327_680), ("llama-2-7b", 524_288), ("llama-3.1-405b", 516_096)],
)  # fmt: skip
def test_cache_of_published_models(name: str, per_token: int, tmp_path: Path) -> None:
    shutil.copytree(architectures.configs(name), tmp_path / "m")
    found = ask(tmp_path / "m", "profile").predicate
    assert isinstance(found, ProfileV1)
    assert cache_bytes(found.parts[0].caches, 1) == per_token


def test_what_fits_and_how_many_bytes_are_missing() -> None:
    small = device(memory=2400, sizes=(2400, 9000))
    assert (fit(plain(), small, Workload(10)).fits, fit(plain(), small, Workload(10)).missing_bytes) == ("tight", 0)
    assert (fit(plain(), small, Workload(11)).fits, fit(plain(), small, Workload(11)).missing_bytes) == ("no", 40)
    assert fit(plain(), device(memory=9000), Workload(11)).fits == "yes"
    assert fit(plain(), small, Workload(11)).fitting_sizes == (9000,)
    kept = Figure(Fraction(2300), Fraction(2300))
    found = fit(plain(), replace(small, usable=kept), Workload(10))
    assert (found.fits, found.available_bytes, found.missing_bytes, found.usable_known) == ("no", 2300, 100, True)


def test_what_is_tight() -> None:
    """Nine tenths of what programs can have, three quarters of all memory where that is not known."""
    for available, known, fits in (
        (3200, False, "yes"),
        (3199, False, "tight"),
        (2667, True, "yes"),
        (2666, True, "tight"),
    ):
        usable = Figure(Fraction(available), Fraction(available)) if known else None
        assert fit(plain(), device(memory=available, usable=usable), Workload(10)).fits == fits, available


def test_largest_context() -> None:
    for memory, tokens, by in (
        (2400, 10, "memory"),
        (2439, 10, "memory"),
        (2000, 0, "memory"),
        (1999, None, "memory"),
        (10**6, 100, "model"),
    ):
        found = fit(plain(), device(memory=memory), Workload(1))
        assert (found.largest_context, found.largest_by) == (tokens, by), memory
    endless = fit(plain(caches=(), context=None), device(), Workload(1))
    assert (endless.largest_context, endless.largest_by) == (None, "nothing")


CACHES = st.lists(
    st.builds(
        Cache,
        st.sampled_from(("kv", "latent", "cross", "state")),
        st.integers(1, 200),
        st.integers(1, 10**5),
        st.none() | st.integers(1, 5000),
        st.integers(0, 10**6),
    ),
    max_size=4,
).map(tuple)


@settings(max_examples=60, deadline=None)
@given(
    CACHES,
    st.integers(1, 10**5),
    st.integers(1, 64),
    st.sampled_from(sorted(KNOWN)),
    st.sampled_from(sorted(CACHE_TYPES)),
)
def test_what_holds_of_any_model(caches: tuple[Cache, ...], context: int, batch: int, name: str, kind: str) -> None:
    model = plain(caches=caches, weight_bytes=10**9, parameters=5 * 10**8, multiplied=4 * 10**8, context=None)
    work = Workload(context, batch, kind)
    found = fit(model, KNOWN[name], work)
    # memory grows with context, and a window bounds it
    assert found.serve_bytes <= fit(model, KNOWN[name], replace(work, context=2 * context)).serve_bytes
    bounded = tuple(replace(each, window=100) for each in caches)
    assert cache_bytes(bounded, 10**6, work.bits) == cache_bytes(bounded, 100, work.bits)
    # what is said to have room has room, and one token more has none
    if found.largest_by == "memory" and found.largest_context is not None:
        assert model.serve_bytes(work, found.largest_context) <= found.available_bytes
        assert model.serve_bytes(work, found.largest_context + 1) > found.available_bytes
    assert (found.fits == "no") == (found.missing_bytes > 0)
    for speed in (found.decode, found.prefill):
        if speed is not None:
            assert 0 < speed.low <= speed.high <= speed.best
    speeds = [best for _, _, best in found.curve if best is not None]
    assert speeds == sorted(speeds, reverse=True)
    sizes = [size for _, size, _ in found.curve]
    assert sizes == sorted(sizes)
    assert json.loads(json.dumps(found.to_json()))["fits"] == found.fits
    assert max(map(len, compose([found], Look(width=60, unicode=False)).splitlines())) <= 60
    assert compose([found], Look(width=60, unicode=False)).isascii()


def test_other_widths_are_hypothetical_and_smaller(tmp_path: Path) -> None:
    found = fit(needs("llama-3-8b", tmp_path), KNOWN["rpi5"], Workload(4096))
    assert [each.name for each in found.stored] == [name for name, _ in STORED_IN if name != "F16, BF16"]
    assert found.stored[0].weight_bytes == -(-8_030_261_248 * 17 // 16)
    assert all(each.serve_bytes - each.weight_bytes == 4096 * 131_072 for each in found.stored)


def test_no_speed_without_a_bandwidth_or_a_token_and_no_prefill_without_a_peak(tmp_path: Path) -> None:
    found = fit(plain(), device(nominal=None), Workload(10))
    assert (found.decode, found.prefill) == (None, None)
    assert found.unknown == ("speed: no bandwidth of t4 is known",)
    assert fit(plain(), device(peak={}), Workload(10)).unknown == ("prefill: of t4 no peak is known for F16",)
    # the peak of fp32 alone would be no bound for numbers that may be multiplied faster
    assert fit(plain(), replace(KNOWN["m1"]), Workload(10)).prefill is None
    assert fit(plain(multiplied=None), device(), Workload(10)).unknown == (
        "speed: what one token takes is not known of this model",
    )
    of_encoder = fit(plain(prompted=False), device(), Workload(10))
    assert of_encoder.decode is not None
    assert of_encoder.prefill is None
    encoder = fit(plain(decodes=False), device(), Workload(10))
    assert encoder.decode is None
    assert encoder.prefill is not None


def test_the_input_of_an_encoder_decoder_passes_the_encoder(tmp_path: Path) -> None:
    shutil.copytree(architectures.configs("t5-base"), tmp_path / "m")
    assert "prefill: the input passes the encoder" in run("profile", str(tmp_path / "m"), "--device", "t4")


def part(*facts: tuple[str, Any]) -> ModelPart:
    return ModelPart("", tuple(Fact(name, value, "derived", (Location("x"),)) for name, value in facts))


def test_needs_say_what_they_rest_on() -> None:
    assert needs_of(part()) is None
    assert needs_of(part(("parameters", 0))) is None
    guessed = needs_of(part(("parameters", 1000)))
    assert guessed is not None
    assert (guessed.weight_bytes, guessed.basis) == (2000, "assumed")
    assert "16 bits for each weight are taken" in guessed.assumptions[0]
    declared = needs_of(part(("parameters", 1000), ("declared dtype", "torch.float32")))
    assert declared is not None
    assert (declared.weight_bytes, declared.basis, declared.dtype) == (4000, "declared", "F32")
    huge = needs_of(part(("parameters", str(10**40)), ("context length", str(10**40))))
    assert huge is not None
    assert huge.context is None
    assert fit(huge, KNOWN["h200"], Workload(10**9, 10**6)).fits == "no"
    mixed = needs_of(part(("parameters", 10), ("weight bytes", 30), ("kind", "decoder"), ("parameters multiplied per token", 4), ("active parameters", 5)))  # fmt: skip
    assert mixed is not None
    assert mixed.read_bytes == 12
    assert any("of a mixture of experts" in each for each in mixed.assumptions)


@pytest.mark.parametrize(
    ("facts", "size", "basis", "said"),
    [
        ((("quantization", "gptq, 4 bits"), ("quantization bits", 4)), 500, "assumed", "the 4 bits that the quantization declares"),
        ((("quantization", "fp8"), ("quantization bits", 8), ("embedding parameters", 100)), 900 + 200, "assumed", "scales are not counted"),
        ((("quantization", "awq, 4 bits"), ("quantization bits", 4), ("embedding parameters", 100), ("vocabulary", 10), ("hidden size", 10)), 800 // 2 + 400, "assumed", "the 4 bits"),
        ((("quantization", "awq, 4 bits"), ("quantization bits", 4), ("embedding parameters", 100), ("vocabulary", 10), ("hidden size", 10), ("tied embeddings", True)), 450 + 200, "assumed", "the 4 bits"),
        ((("quantization", "hqq"),), 2000, "assumed", "hqq is declared without its bits"),
        ((("quantization", "hqq"), ("declared dtype", "float32")), 4000, "declared", "32 bits for each weight are taken"),
        ((("quantization", "gptq, 32 bits"), ("quantization bits", 32)), 2000, "assumed", "16 bits for each weight"),
    ],
)  # fmt: skip
def test_without_weights_the_declared_quantization_counts(facts: Any, size: int, basis: str, said: str) -> None:
    found = needs_of(part(("parameters", 1000), *facts))
    assert found is not None
    assert (found.weight_bytes, found.basis) == (size, basis)
    assert said in found.assumptions[0]
    stored = needs_of(part(("parameters", 1000), ("weight bytes", 700), *facts))
    assert stored is not None
    assert (stored.weight_bytes, stored.basis) == (700, "derived")


def test_the_command_offers_the_cache_types_that_there_are() -> None:
    assert tuple(CACHE_TYPES) == OFFERED


@pytest.mark.parametrize(
    ("file", "arguments"),
    [
        ("gemma-3-270m-rpi5", ("gemma-3-270m", "--device", "rpi5", "--context", "8192")),
        ("llama-3-8b-rpi5", ("llama-3-8b", "--device", "rpi5:16", "--cache-type", "q8_0")),
        ("deepseek-v3-devices", ("deepseek-v3", "--device", "rpi5", "--device", "m3-ultra:512", "--device", "h200", "--batch", "8")),
    ],
)  # fmt: skip
def test_reports(file: str, arguments: tuple[str, ...], tmp_path: Path) -> None:
    name, *more = arguments
    _, _, on_devices = run("profile", str(published(name, tmp_path)), *more).partition("\n\n")
    matches(f"fit/{file}.txt", on_devices)


def test_parts_of_a_pipeline_are_also_told_together(tmp_path: Path) -> None:
    folder = published("stable-diffusion-v1-5", tmp_path)
    (model,) = json.loads(run("profile", str(folder), "--device", "rpi4:2", "-f", "json"))["models"]
    # a pipeline is the whole of its parts, and is there beside them
    total = sum(
        each["fits"][0]["serve_bytes"] for each in model["fits"] if each["part"] in {"text_encoder", "unet", "vae"}
    )
    assert total > 4 * 10**9
    assert model["together"] == [{"device": "rpi4:2", "serve_bytes": total, "fits": "no"}]
    text = run("profile", str(folder), "--device", "rpi5:8")
    # what programs can have of the memory, as for each part alone
    pi = KNOWN["rpi5"].sized(8 * GIB)
    assert pi.usable is not None
    there = bytes_for_people(int(pi.usable.low))
    assert f"of {there} that can be used" in text
    title, header, row = text.splitlines()[-3:]
    assert title == f"All of these at once: {bytes_for_people(total)} to serve"
    assert header.split() == ["device", "fits", "there", "is"]
    assert re.split(r" {2,}", row.strip()) == ["rpi5:8", pi.name, "yes", there]


def test_a_narrow_screen_with_ascii_only(tmp_path: Path) -> None:
    found = fit(needs("llama-3-8b", tmp_path), KNOWN["t4"], Workload(4096, 4))
    text = compose([found], Look(width=60, unicode=False))
    assert text.isascii()
    matches("fit/narrow.ascii.txt", text)


def test_a_chart_of_one_point_and_of_zero() -> None:
    for points in ([(0, Fraction(0))], [(0, Fraction(0)), (1, Fraction(0))]):
        lines = chart("title", points, ("0", "1"), Look(width=40), top=Fraction(0), labels=("0", "0"))
        assert max(map(len, lines)) <= 40


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in {"meta", "line", "polygon", "polyline"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_page_has_everything_in_itself(tmp_path: Path) -> None:
    folder = published("gemma-3-270m", tmp_path)
    text = run("profile", str(folder), "--device", "rpi5", "--device", "t4", "--format", "html")
    matches("fit/gemma-3-270m.html", undressed(text))
    page = _Page()
    page.feed(text)
    page.close()
    assert page.open == []
    assert not {"script", "link", "img", "iframe", "object", "a", "base", "form"} & set(page.tags)
    assert not any(name in {"src", "href"} or name.startswith("on") for name, _ in page.attributes)
    assert not re.search(r"url\(|@import|https?:", text)
    assert "prefers-color-scheme: dark" in text
    drawings = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(drawings) == 4
    seen = set()
    for each in drawings:
        root = ElementTree.fromstring(each)
        names = root.attrib["aria-labelledby"].split()
        assert [root[0].tag, root[1].tag] == ["title", "desc"]
        assert [root[0].attrib["id"], root[1].attrib["id"]] == names
        assert root[0].text
        assert root[1].text
        seen |= set(names)
    assert len(seen) == 8


def test_a_name_cannot_leave_the_page_or_steer_the_terminal(tmp_path: Path) -> None:
    folder = published("gpt2", tmp_path)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(
        json.dumps(config | {"architectures": ["</td><script>alert(1)</script>\x1b[2J"]})
    )
    (tmp_path / "mine.toml").write_text(
        '[device."<b>"]\nname = "<img src=x>\\u001b[2J"\nmemory_gib = 1\nbandwidth_nominal = 1e9\n'
    )
    for form in ("text", "html", "json"):
        text = run("profile", str(folder), "--device", str(tmp_path / "mine.toml"), "-f", form)
        assert "\x1b" not in text
        if form == "html":
            assert "<script" not in text
            assert "<img" not in text
            assert "&lt;script&gt;" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--context", "10"), "--context belongs to --device"),
        (("--batch", "2"), "--batch belongs to --device"),
        (("--cache-type", "q8_0"), "--cache-type belongs to --device"),
        (("--device", "rpi5", "--context", "0"), "--context"),
        (("--device", "rpi5", "--batch", "-1"), "--batch"),
        (("--device", "rpi5", "--cache-type", "q3"), "--cache-type"),
        (("--device", "none.toml"), "none.toml"),
        (("--device", "nothing"), "no device"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    found = CliRunner().invoke(main, ["profile", str(tmp_path), *arguments])
    assert found.exit_code == 2
    assert said in found.stderr
