"""Names that look like a publisher's are found, by kind and with a measured share; honest names give no alarm."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from tests.publishers.squats import squats_of

from openvet.publishers._spelling import distance, letters, neighbours, skeleton
from openvet.publishers.known import known
from openvet.publishers.resemblance import is_derived, is_plain, like_account, like_family

IDS = [
    line for line in Path(__file__).with_name("hub_ids.txt").read_text(encoding="utf-8").splitlines() if line[:1] != "#"
]
ACCOUNTS = sorted({each.partition("/")[0] for each in IDS})
TABLE = known()
#: Who republishes, quantizes and tunes; known from the hub, not read in the sources of hub_ids.txt.
COMMUNITY = [
    "bartowski",
    "mradermacher",
    "unsloth",
    "lmstudio-community",
    "mlx-community",
    "QuantFactory",
    "MaziyarPanahi",
    "cognitivecomputations",
    "Undi95",
    "Sao10K",
    "TheDrummer",
    "mlabonne",
    "Gryphe",
    "failspy",
    "huihui-ai",
    "DavidAU",
    "RichardErkhov",
    "second-state",
    "NexaAIDev",
    "Orenguteng",
    "jondurbin",
    "teknium",
    "migtissera",
    "chargoddard",
    "KoboldAI",
    "PygmalionAI",
    "LoneStriker",
    "turboderp",
    "neuralmagic",
    "casperhansen",
    "solidrust",
    "TechxGenus",
    "city96",
    "Kijai",
    "Comfy-Org",
    "h94",
    "stablediffusionapi",
    "dreamlike-art",
    "prompthero",
    "nitrosocke",
    "WizardLMTeam",
    "Intelligent-Internet",
    "open-thoughts",
    "agentica-org",
    "simplescaling",
    "GAIR",
    "NovaSky-AI",
    "OpenR1",
    "ValueAnimation",
    "metaphysic",
    "google-bert",
    "openai-community",
    "mistral-community",
    "deepseek-community",
    "FacebookAI",
    "microsoftresearchasia",
    "qwenlong",
    "apple-pie",
    "ibmec",
    "cohesion",
    "nvidiot",
    "falcon-team",
    "bloomberg",
    "grokking",
    "stabilizer",
    "opening",
    "deepsea",
    "visionai",
    "googol",
    "metallama2fans",
]


def test_the_list_is_large_and_has_most_of_the_table() -> None:
    assert len(IDS) > 3500
    assert len(ACCOUNTS) > 800


def test_no_real_account_is_taken_for_a_squat() -> None:
    found = [like_account(each, TABLE) for each in ACCOUNTS]
    assert [each for each in found if each is not None] == []  # not even of the weak kind


def test_no_community_account_is_taken_for_a_squat() -> None:
    # made-up names at the end that are near a known one and honest
    found = [each for each in COMMUNITY if like_account(each, TABLE) is not None]
    found = [each for each in found if not weak(each)]
    assert found == []


def weak(account: str) -> bool:
    found = like_account(account, TABLE)
    return found is not None and found.weak


def test_words_of_honest_accounts_count_for_little() -> None:
    for each in ("WizardLMTeam", "nvidia-research", "google_ai", "mistralai-labs", "the-openchat", "TencentLab"):
        assert weak(each), each
    assert not weak("google-official")
    assert not weak("g00gle-ai-official")


def test_real_names_of_models_are_not_taken_for_misspelt_ones() -> None:
    found = [each for each in IDS if like_family(each.partition("/")[2], TABLE) is not None]
    assert found == ["hmellor/Ilama-3.2-1B"]  # which was made to look like one


@pytest.mark.parametrize("account", ["meta-llama", "Qwen", "mistralai", "openai", "01-ai"])
def test_a_known_account_is_itself_in_any_case(account: str) -> None:
    for each in (account, account.lower(), account.upper()):
        assert like_account(each, TABLE) is None


def recall() -> tuple[Counter[str], Counter[str]]:
    """How many squats there are by kind, and how many are found as what they resemble; short accounts apart."""
    total: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for publisher in TABLE.publishers.values():
        for account in publisher.accounts:
            for kind, name in squats_of(account):
                if name.casefold() in TABLE.accounts or name.casefold() in TABLE.ordinary:
                    continue
                key = f"{kind} of a short one" if len(letters(account)) < 6 else kind
                total[key] += 1
                result = like_account(name, TABLE)
                found[key] += result is not None
    return total, found


def test_squats_are_found() -> None:
    total, found = recall()
    share = {kind: found[kind] / total[kind] for kind in total}
    assert sum(total.values()) > 5000
    for kind in ("homoglyph", "homoglyph of a short one", "digit", "digit of a short one", "separator"):
        assert share[kind] == 1, (kind, share)
    assert share["affix"] > 0.99, share
    for kind in ("dropped", "doubled", "swapped", "keyboard"):
        assert share[kind] > 0.93, (kind, share)


@pytest.mark.parametrize(
    ("name", "like", "how"),
    [
        ("meta-1lama", "meta-llama", "digits and letters that look like others"),
        ("metallama", "meta-llama", "the same letters with other separators"),
        ("m\u0435ta-llama", "meta-llama", "characters that look like others"),
        ("\uff4deta-llama", "meta-llama", "characters that look like others"),
        ("rnistralai", "mistralai", "digits and letters that look like others"),
        ("mistralai-official", "mistralai", "the words around it (official)"),
        ("deepseek-official", "deepseek-ai", "the words around it (official)"),
        ("googleofficial", "google", "the word around it (official)"),
        ("nvidai", "nvidia", "two letters swapped"),
        ("allenaii", "allenai", "a letter more"),
        ("microsft", "microsoft", "a letter less"),
        ("stabilityao", "stabilityai", "a letter beside it on the keyboard"),
        ("OpenAl", "openai", "digits and letters that look like others"),
    ],
)
def test_it_says_how(name: str, like: str, how: str) -> None:
    found = like_account(name, TABLE)
    assert found is not None
    assert (found.like, found.how) == (like, how)


def test_short_names_have_neighbours() -> None:
    assert like_account("owen", TABLE) is None
    assert like_account("appel", TABLE) is None
    assert like_account("Intol", TABLE) is None
    assert like_account("qwem", TABLE) is None
    assert like_account("q\u0461en", TABLE) is not None  # but for looks


@pytest.mark.parametrize(
    ("name", "owner"),
    [("Meta-Llama-3.1-8B-Instruct", "meta"), ("gemma-2-9b-it", "google"), ("Qwen2.5-7B", "alibaba-qwen"), ("yield-model", None), ("falconry", None),
     ("DeepSeek-R1-Distill-Qwen-7B", "deepseek"), ("phi-3-mini", "microsoft"), ("philosophy-7b", None)],
)  # fmt: skip
def test_families_are_known_by_how_names_begin(name: str, owner: str | None) -> None:
    found = TABLE.of_family(name)
    assert (None if found is None else found.id) == owner


@pytest.mark.parametrize("name", ["Llama-2-7B-GGUF", "gemma-2-9b-it-bnb-4bit", "Mistral-7B-v0.1-AWQ", "Qwen2.5-7B-Q4_K_M", "llama-3-8b-lora", "x-EXL2-4.0bpw"])  # fmt: skip
def test_derivatives_say_so(name: str) -> None:
    assert is_derived(name, TABLE)
    assert not is_plain(name, TABLE)


@pytest.mark.parametrize("name", ["Meta-Llama-3.1-8B-Instruct", "gemma-2-9b-it", "Qwen2.5-7B-Instruct", "Mixtral-8x7B-Instruct-v0.1"])  # fmt: skip
def test_plain_names_are_a_publishers_own(name: str) -> None:
    assert is_plain(name, TABLE)
    assert not is_derived(name, TABLE)
    assert not is_plain(f"{name}-Dolphin", TABLE)


def test_distance_counts_slips() -> None:
    assert [distance(a, b, 2) for a, b in (("abc", "abc"), ("abc", "acb"), ("abc", "ab"), ("abc", "xbc"), ("abc", "cab"), ("abcd", "x"))] == [0, 1, 1, 1, 2, 3]  # fmt: skip
    assert neighbours("a", "s")
    assert neighbours("g", "t")
    assert not neighbours("p", "g")
    assert not neighbours("1", "2")


def test_skeletons_fold_what_a_reader_overlooks() -> None:
    assert (
        skeleton("Meta-LLaMA")
        == skeleton("meta_1lama")
        == skeleton("m\u0435ta\u200bllama")
        == skeleton("M\u00e9ta.ll\u0430ma")
    )
