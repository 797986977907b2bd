"""``openvet detonate``: what it prints, signs and ends with."""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.reports.test_snapshots import schema
from tests.sandbox.forging import runs

from openvet.cli import detonate as door
from openvet.cli import main
from openvet.evidence.keys import generate
from openvet.evidence.predicates import observation_v1
from openvet.evidence.predicates.observation_v1 import LifePhase, Load, NotLoaded, ObservationV1, Seen, Walls
from openvet.reports.detonation import NO_PROOF, compose_detonation
from openvet.reports.gist import gist
from openvet.sandbox import canary
from openvet.sandbox.canary import Proof
from openvet.sandbox.levels import ENOUGH, LADDER, missing
from openvet.workflows.knowledge import tool

HERE = sys.platform == "linux" and any(not missing(each) for each in LADDER if each.number >= ENOUGH)
needs_isolation = pytest.mark.skipif(not HERE, reason="nothing here is enough to run a model in")


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["detonate", *arguments], env={"COLUMNS": "100"})


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("good.pkl").write_bytes(pickle.dumps({"a": 1}))
    Path("evil.pkl").write_bytes(runs("import os\nos.system('echo')"))
    return tmp_path


@needs_isolation
def test_what_is_printed_and_how_it_ends() -> None:
    done = call("good.pkl")
    assert done.exit_code == 0
    assert done.stdout.startswith("good.pkl: nothing-observed: nothing but what its loader does was seen\n")
    assert "10 attempts to get out were tried first, none reached" in done.stdout
    assert " ".join(NO_PROOF.split()) in " ".join(done.stdout.split())
    done = call("evil.pkl")
    assert done.exit_code == 1
    assert "observed-malicious" in done.stdout
    assert "| import os" in done.stdout
    done = call("--format", "json", "evil.pkl")
    value = json.loads(done.stdout)
    assert (done.exit_code, value["verdict"]) == (1, "observed-malicious")
    assert list(schema("detonation-report-v1").iter_errors(value)) == []


@needs_isolation
def test_a_signed_observation_goes_into_a_dossier() -> None:
    made = generate("ed25519")
    Path("k").write_bytes(made.pem())
    Path("k.pub").write_bytes(made.public.pem)
    done = call("--statement", "--sign", "k", "--output", "o.json", "evil.pkl")
    assert done.exit_code == 1, done.stderr
    read = CliRunner().invoke(main, ["statement", "o.json", "--key", "k.pub", "--model", "evil.pkl"])
    assert read.exit_code == 0, read.stdout
    assert "observed-malicious in a sandbox of level" in read.stdout
    assert "which is no proof of safety" in read.stdout
    for arguments in (["create", "d", "--key", "k"], ["add", "d", "o.json", "--signer", "k.pub", "--key", "k"], ["verify", "d", "--key", "k.pub", "--model", "evil.pkl"]):  # fmt: skip
        done = CliRunner().invoke(main, ["dossier", *arguments])
        assert done.exit_code == 0, done.output


def test_without_isolation_nothing_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openvet.workflows.detonate.run", lambda *_, **__: pytest.fail("something was run"))
    monkeypatch.setattr("openvet.sandbox.levels.missing", lambda level: "not here" if level.walls else "")
    monkeypatch.setattr(canary, "prove", lambda level: Proof(level, {}, missing="not here"))
    done = call("good.pkl")
    assert done.exit_code == 3
    assert done.stdout == ""
    assert "no isolation available: user namespaces are off and Landlock is missing" in done.stderr
    assert "Install bubblewrap, or run `openvet doctor`" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("good.pkl", "--sign", "k"), "--sign belongs to --statement"),
        (("good.pkl", "--statement", "--format", "json"), "exclude each other"),
        (("good.pkl", "--memory", "much"), "--memory 'much'"),
        (("no.pkl",), "no.pkl"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: tuple[str, ...], said: str) -> None:
    done = call(*arguments)
    assert done.exit_code == 2
    assert said in done.stderr


def test_levels_of_the_command_are_those_of_the_ladder() -> None:
    assert tuple(each.id for each in LADDER) == door._LEVELS


def test_a_report_of_everything_that_can_be_said() -> None:
    phases = (
        LifePhase("prepare", "completed", "", "0.70"),
        LifePhase("load", "failed", "ValueError: \x1b[31m", "0.10"),
    )
    source = "\n".join(f"line {number}" for number in range(30))
    seen = (
        Seen("load", "audit", "compile", "<string>", source, "", "x.py:1", 1, "unusual", "text is run"),
        Seen("load", "kernel", "connect", "192.0.2.1 80", "", "feigned", "", 3, "malicious", "it talks"),
        Seen("load", "audit", "import", "os", "", "", "", 1, "expected", "a module is imported"),
    )
    load = Load(
        "a.pkl",
        "pickle",
        "",
        "observed-malicious",
        "killed: the limit seconds (1) was reached",
        phases,
        seen,
        2,
        1,
        5,
        "hello",
    )
    found = ObservationV1(
        tool(),
        Walls("1", (), "no isolation", {"write": "reached"}, accepted=True),
        (),
        {},
        (load,),
        (NotLoaded("b.h5", "no loader"),),
    )
    text = compose_detonation("m", found)
    assert "ACCEPTED" in text
    assert "\x1b" not in text
    assert "| and 18 lines more" in text
    assert "connect 192.0.2.1 80 (feigned) 3 times" in text
    assert text.index("malicious  load") < text.index("unusual  load")
    assert "1 event beyond what is kept" in text
    assert "expected of this loader: 3 events, and 5 reads" in text
    assert "b.h5" in text
    everything = compose_detonation("m", found, everything=True)
    assert "line 29" in everything
    assert "it printed:\n    hello" in everything
    assert (gist(found) or [""])[0].startswith("observed-malicious in a sandbox of level 1, no isolation accepted")


def test_verdicts_are_the_worst_of_the_loads() -> None:
    def verdict(*loads: str, missed: int = 0) -> str:
        made = tuple(Load("", "pickle", "", each, "answered", (), ()) for each in loads)
        walls = Walls("3", (), "", {}, accepted=False)
        return ObservationV1(tool(), walls, (), {}, made, (NotLoaded("x", "y"),) * missed).verdict

    assert verdict() == verdict("nothing-observed", missed=1) == observation_v1.NOT_LOADED
    assert verdict("nothing-observed") == observation_v1.NOTHING
    assert verdict("nothing-observed", "observed-unusual", missed=1) == observation_v1.UNUSUAL
    assert verdict("observed-malicious", "observed-unusual") == observation_v1.MALICIOUS


def test_packs_see_the_verdict_and_whether_the_walls_held() -> None:
    from openvet.policy.evidence_facts import FACTS_OF

    went = (LifePhase("prepare", "completed", "", "1.00"), LifePhase("load", "completed", "", "1.00"))
    load = Load(
        "", "pickle", "", "nothing-observed", "answered", (*went, LifePhase("forward", "left out", "", "0.00")), ()
    )

    def facts(level: str = "3", reached: str = "refused", *, accepted: bool = False) -> dict[str, object]:
        walls = Walls(level, (), "", {"write": reached}, accepted)
        return FACTS_OF["observation"](ObservationV1(tool(), walls, (), {}, (load,), ()))

    assert facts() == {
        "observation.verdict": "nothing-observed",
        "observation.level": 3,
        "observation.proven": True,
        "observation.phases": ["load"],
    }
    assert facts("2n")["observation.level"] == 2
    for weak in (facts("1"), facts("3", "reached"), facts("3", accepted=True), facts("x")):
        assert weak["observation.proven"] is False


@pytest.mark.parametrize("seconds", ["nan", "inf"])
def test_seconds_are_finite(seconds: str, tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(b"N.")
    found = CliRunner().invoke(main, ["detonate", str(tmp_path / "a.pkl"), "--seconds", seconds])
    assert found.exit_code == 2
    assert "--seconds" in found.stderr
    assert "fault" not in found.stderr
