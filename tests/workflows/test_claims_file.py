"""Files that state inputs: three notations that say the same, and everything that makes no sense, with its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvet.errors import ConfigError, OpenVetError, UsageError
from openvet.workflows.claims import Source, examine_claims, read_inputs

TOML = """\
name = "a run"
source = "a paper"

[model]
parameters = 1e9

[training]
tokens = { value = 20e9, or = 30e9, source = "another" }
pue = { low = 1.1, high = 1.2 }
chip = "a100-sxm"
chip_hours = 1000

[[serving.traffic]]
kind = "input"
tokens = 1e9
usd_per_million = 0.5

[published]
training_flop = 1.2e20
"""
YAML = """\
name: a run
source: a paper
model:
  parameters: 1e9
training:
  tokens: {value: 20e9, or: 30e9, source: another}
  pue:
    low: 1.1
    high: 1.2
  chip: "a100-sxm"
  chip_hours: 1000
serving:
  traffic:
    - {kind: input, tokens: 1e9, usd_per_million: 0.5}
published:
  training_flop: 1.2e20
"""
JSON = json.dumps(
    {
        "name": "a run",
        "source": "a paper",
        "model": {"parameters": 1e9},
        "training": {
            "tokens": {"value": 20e9, "or": 30e9, "source": "another"},
            "pue": {"low": 1.1, "high": 1.2},
            "chip": "a100-sxm",
            "chip_hours": 1000,
        },
        "serving": {"traffic": [{"kind": "input", "tokens": 1e9, "usd_per_million": 0.5}]},
        "published": {"training_flop": 1.2e20},
    },
    indent="\t",
)


def written(folder: Path, text: str, name: str = "run.toml") -> Source:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return Source(str(path))


def refused(folder: Path, text: str, name: str = "run.toml") -> list[str]:
    """The problems, without the folder."""
    with pytest.raises(ConfigError) as caught:
        read_inputs(written(folder, text, name))
    return [each.replace(f"{folder}/", "") for each in caught.value.problems]


@pytest.mark.parametrize(("text", "name"), [(YAML, "run.yaml"), (YAML, "run.yml"), (JSON, "run.json")])
def test_three_notations_say_the_same(text: str, name: str, tmp_path: Path) -> None:
    wanted = examine_claims(written(tmp_path, TOML)).claims
    assert examine_claims(written(tmp_path, text, name)).claims == wanted
    assert len(wanted.inputs) == 10  # with the two that the table of chips gave
    assert wanted.verdict == "cannot-tell"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("tokens = -1", "run.toml:3: tokens must be a number above zero (token), not -1"),
        ("tokens = 0", "run.toml:3: tokens must be a number above zero (token), not 0"),
        ("tokens = nan", "run.toml:3: tokens must be a number above zero (token), not 'nan'"),
        ("tokens = inf", "run.toml:3: tokens must be a number above zero (token), not 'inf'"),
        ("tokens = 1e99", "run.toml:3: tokens must be a number above zero (token), not '1e+99'"),
        ("tokens = 1e-40", "run.toml:3: tokens must be a number above zero (token), not '1e-40'"),
        (f"tokens = {'9' * 200}", "run.toml:3: tokens must be a number above zero (token), not a number beyond all limits"),
        ('tokens = "20e9"', "run.toml:3: tokens must be a number above zero (token), not '20e9'"),
        ("tokens = true", "run.toml:3: tokens must be a number above zero (token), not true"),
        ("tokens = [1]", "run.toml:3: tokens must be a number above zero (token), not a list"),
        ("tokens = 1979-05-27", "run.toml:3: tokens must be a number above zero (token), not '1979-05-27'"),
        ("tokens = {}", "run.toml:3: tokens needs a value, or low and high"),
        ("tokens = { low = 1 }", "run.toml:3: tokens needs low and high together"),
        ("tokens = { low = 2, high = 1 }", "run.toml:3: tokens must have low <= value <= high"),
        ("tokens = { low = 1, high = 2, value = 3 }", "run.toml:3: tokens must have low <= value <= high"),
        ("tokens = { low = 1, high = 2, or = 3 }", "run.toml:3: tokens: or belongs to a single value that is no published figure"),
        ("tokens = { value = 1, or = [] }", "run.toml:3: or must be one number, or up to 7 of them"),
        ("tokens = { value = 1, or = [1,2,3,4,5,6,7,8] }", "run.toml:3: or must be one number, or up to 7 of them"),
        ("tokens = { value = 1, or = -2 }", "run.toml:3: tokens must be a number above zero (token), not -2"),
        ("tokens = { value = 1, sauce = 'x' }", "run.toml:3: tokens has the unknown key 'sauce'; it may have value, low, high, or, source"),
        ("tokens = { value = 1, source = 3 }", "run.toml:3: source must be a text that says something, of at most 1000 characters"),
        ("token = 1", "run.toml:3: unknown key 'token' in training; did you mean tokens?"),
        ("pue = 0.9", "run.toml:3: pue must be a factor of at least 1 and at most 100, not 0.9"),
        ("load = 60", "run.toml:3: load must be a share above 0 and at most 1, such as 0.46 for 46 %, not 60"),
        ("chip = 7", "run.toml:3: chip must be a word, not 7"),
        ("passes = 'some'", "run.toml:3: passes is 'some'; it may be all, frozen-base"),
        ("chip = 'a100-sxn'", "run.toml:3: chip 'a100-sxn' is not known; did you mean a100-sxm?"),
        ("chip = 'tpu-v4'\ndtype = 'fp8'", "run.toml:4: of tpu-v4 the peaks of bf16, int8 are known, not of 'fp8'"),
        ("chip_hours = 5\nall_chip_hours = 4", "run.toml:4: all_chip_hours are fewer than chip_hours"),
        ("tokens = {value=1,or=2}\nepochs = {value=1,or=2}\nchip_hours = {value=1,or=2}\nload = {value=1,or=0.5}",
         "run.toml:1: with so many numbers that can be read in two ways there are more than 8 readings"),
        ("tokens = 1 = 2", "run.toml:3: is not TOML"),
    ],
)  # fmt: skip
def test_problems_have_a_place(text: str, problem: str, tmp_path: Path) -> None:
    assert refused(tmp_path, f"name = 'x'\n[training]\n{text}\n")[0].startswith(problem)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("nam = 'x'", "run.toml:1: unknown key 'nam'; did you mean name?"),
        ("name = 3", "run.toml:1: name must be a text"),
        ("notes = [1]", "run.toml:1: notes must be a text that says something"),
        ("notes = 1", "run.toml:1: notes must be a text, or a list"),
        ("training = 3", "run.toml:1: training must be a table of keys such as tokens"),
        ("[model]\nlayers = 1.5", "run.toml:2: layers must be a whole number above zero (layer), not 1.5"),
        ("[model]\nkv_rank = 1", "run.toml:2: kv_rank and rope_size belong together"),
        ("[model]\nkv_rank = 1\nrope_size = 1\nkv_heads = 1", "run.toml:2: a cache has either"),
        ("[model]\nparameters = 2\ntotal_parameters = 1", "run.toml:2: parameters that work on a token are more than"),
        ("[model]\nembedding_parameters = 5\ntotal_parameters = {value=9,or=4}", "run.toml:2: embedding_parameters are not fewer than"),
        ("[model]\nembedding_parameters = 2\ntotal_parameters = 2", "run.toml:2: embedding_parameters are not fewer than"),
        ("[published]\nmfu = 46", "run.toml:2: mfu must be a share above 0 and at most 1, such as 0.46 for 46 %, not 46"),
        ("[published]\nmfu = {value=0.4,or=0.5}", "run.toml:2: mfu: or belongs to a single value that is no published figure"),
        ("[serving]\ntraffic = 3", "run.toml:2: traffic must be a list"),
        ("[[serving.traffic]]\nkind = 'x'", "run.toml:1: traffic needs kind, tokens and usd_per_million"),
        ("[[serving.traffic]]\nkind = 'x'\ntokens = 0\nusd_per_million = 1", "run.toml:3: tokens must be a number above zero (token)"),
    ],
)  # fmt: skip
def test_problems_elsewhere(text: str, problem: str, tmp_path: Path) -> None:
    assert refused(tmp_path, text)[0].startswith(problem)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    found = refused(tmp_path, "[training]\ntokens = 0\npue = 0\nchips = 1\n")
    assert [each.split(":")[1] for each in found] == ["2", "3", "4"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("training: &a\n  tokens: 1\n", "run.yaml:1: has an anchor or an alias"),
        ("training:\n  tokens: *a\n", "run.yaml:2: has an anchor or an alias"),
        ("a: &a [x]\nb: [*a, *a]\n", "run.yaml:1: has an anchor or an alias"),
        ("training: !!python/object/apply:os.system ['echo']\n", "run.yaml:1: has a tag"),
        ("training:\n  tokens: !!float 1\n", "run.yaml:2: has a tag"),
        ("training:\n  tokens: 1\n  tokens: 2\n", "run.yaml:3: has the key 'tokens' twice"),
        ("name: x\n---\nname: y\n", "run.yaml:2: has a second document"),
        ("? [a]\n: b\n", "run.yaml:1: has a key that is no word"),
        ("training:\n  tokens: .nan\n", "run.yaml:2: tokens must be a number above zero (token), not 'nan'"),
        ("training:\n  tokens:\n", "run.yaml:2: tokens must be a number above zero (token), not nothing"),
        ("training:\n  tokens: yes\n", "run.yaml:2: tokens must be a number above zero (token), not 'yes'"),
        ('training:\n  tokens: "5"\n', "run.yaml:2: tokens must be a number above zero (token), not '5'"),
        ("- 1\n", "run.yaml:1: must be a table"),
        ("", "run.yaml:1: must be a table"),
        ("a: ]", "run.yaml:1: is not YAML"),
        ("a: " + "[" * 30 + "]" * 30, "run.yaml:1: has too many values, or too deep ones"),
        ("name: x\n\tb: 1", "run.yaml:2: is not YAML"),
        ("name: \x07", "run.yaml:1: is not YAML"),
    ],
)
def test_yaml_abuse_has_a_place(text: str, problem: str, tmp_path: Path) -> None:
    assert refused(tmp_path, text, "run.yaml")[0].startswith(problem)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{\n"training": {\n\t"tokens": -1}}', "run.json:3: tokens must be a number above zero"),
        (
            '{"training": {"tokens": 1, "tokens": 2}}',
            "run.json:1: is not JSON that can be read: the key 'tokens' is there twice",
        ),
        ('{\n"training": NaN,}', "run.json:2: is not JSON"),
        ('{"training": {"tokens": NaN}}', "run.json:1: tokens must be a number above zero (token), not 'nan'"),
        ('{"training": {"tokens": 1e999}}', "run.json:1: tokens must be a number above zero (token), not 'inf'"),
        ("[" * 100_000, "run.json:1: is nested too deeply"),
        ('{"training": {"tokens": ' + "9" * 10_000 + "}}", "run.json:1: is not JSON that can be read"),
        ("[]", "run.json:1: must be a table"),
    ],
)
def test_json_problems_have_a_place(text: str, problem: str, tmp_path: Path) -> None:
    assert refused(tmp_path, text, "run.json")[0].startswith(problem)


@pytest.mark.parametrize("name", ["run.toml", "run.yaml", "run.json"])
def test_no_text_and_too_much_of_it(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"a: 1\n\xff\xfe")
    with pytest.raises(ConfigError, match=f"{name}:2: is not UTF-8 text"):
        read_inputs(Source(str(tmp_path / name)))
    (tmp_path / name).write_bytes(b"#" * (5 * 1024 * 1024))
    with pytest.raises(OpenVetError, match="more than"):
        read_inputs(Source(str(tmp_path / name)))


def test_settings_count_above_the_file_and_are_named(tmp_path: Path) -> None:
    source = written(tmp_path, TOML)
    settings = {
        "training.tokens": ("--tokens", "1e9..2e9"),
        "training.chip_hours": ("--set", "1,000|2_000"),
        "training.chip": ("--chip", "h100-sxm"),
    }
    inputs, subject = read_inputs(Source(source.path, settings=settings))
    assert subject is None
    stated = inputs.stated
    assert stated["training.tokens"].low == 10**9
    assert stated["training.tokens"].high == 2 * 10**9
    assert stated["training.chip_hours"].value == 1000
    assert list(map(int, stated["training.chip_hours"].others)) == [2000]
    assert inputs.chip is not None
    assert inputs.chip.id == "h100-sxm"


@pytest.mark.parametrize(
    ("key", "text", "problem"),
    [
        ("training.tokens", "many", "--x: tokens must be a number above zero (token), not 'many'"),
        ("training.tokens", "1..", "--x: tokens must be a number above zero (token), not ''"),
        ("training.tokens", "1e999", "--x: tokens must be"),
        ("training.tokens", "-3", "--x: tokens must be a number above zero (token), not '-3'"),
        ("training.chip", "abacus", "--x: chip 'abacus' is not known"),
        ("training.token", "1", "--x: there is no key 'training.token'; did you mean training.tokens?"),
    ],
)
def test_settings_that_make_no_sense(key: str, text: str, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_inputs(Source(settings={key: ("--x", text)}))
    assert str(caught.value).startswith(problem)


def test_nothing_at_all_and_no_such_row() -> None:
    with pytest.raises(UsageError, match="nothing is stated"):
        read_inputs(Source())
    with pytest.raises(UsageError, match="did you mean bloom-176b"):
        read_inputs(Source(published="bloom-175b"))
    with pytest.raises(UsageError, match="no published row"):
        read_inputs(Source(published="../chips"))


LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.sampled_from(["a100-sxm", "causal"])
)
KEYS = st.sampled_from(["name", "model", "training", "serving", "published", "traffic", "tokens", "parameters", "chip", "value", "low",
                        "high", "or", "source", "kind", "usd_per_million", "kv_rank", "rope_size", "chip_hours", "mfu", "notes"])  # fmt: skip
ANYTHING = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=5), inner, max_size=6), max_leaves=30)  # fmt: skip


@given(st.dictionaries(KEYS, ANYTHING, max_size=6))
def test_whatever_a_file_says_there_is_an_answer_or_a_place(
    tmp_path_factory: pytest.TempPathFactory, document: dict[str, Any]
) -> None:
    """JSON, which is YAML too."""
    folder = tmp_path_factory.mktemp("any")
    for name in ("run.json", "run.yaml"):
        problems: tuple[str, ...] = ()
        try:
            examine_claims(written(folder, json.dumps(document), name))
        except ConfigError as error:
            problems = error.problems
        assert [each for each in problems if not each.startswith(f"{folder}/{name}:")] == []


@given(
    st.binary(max_size=200)
    | st.text(st.sampled_from("{}[]:=,\"'&*!|>-#\n\t e1.9tokensriang"), max_size=120).map(str.encode)
)
def test_whatever_the_bytes_are(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    for name in ("run.toml", "run.json", "run.yaml"):
        (folder / name).write_bytes(data)
        try:
            examine_claims(Source(str(folder / name)))
        except ConfigError:
            pass
