"""PyTorch and joblib load in the sandbox as they load outside, nothing that is theirs is unusual, and what is hidden in their files is seen."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from openvet.evidence.predicates.observation_v1 import Load, ObservationV1
from openvet.sandbox.levels import ENOUGH, LADDER, missing
from openvet.workflows.detonate import Asked, detonate

torch = pytest.importorskip("torch")
joblib = pytest.importorskip("joblib")
numpy = pytest.importorskip("numpy")
pytestmark = [
    pytest.mark.skipif(
        sys.platform != "linux" or all(missing(each) for each in LADDER if each.number >= ENOUGH),
        reason="nothing here is enough to run a model in",
    ),
    pytest.mark.filterwarnings("ignore"),  # what PyTorch says of its own past
]


class Hidden:
    """Runs a program as it is loaded: a harmless one."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("echo",)


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> ObservationV1:
    folder = tmp_path_factory.mktemp("models")
    weights = {"w": torch.zeros(3, 3), "half": torch.zeros(2, dtype=torch.bfloat16), "settings": {"a": 1}}
    torch.save(weights, folder / "state.pt")
    torch.save({"w": torch.zeros(3)}, folder / "legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU()), folder / "module.pt")
    torch.jit.script(torch.nn.Linear(4, 2)).save(str(folder / "script.pt"))
    torch.save({"w": torch.zeros(2), "x": Hidden()}, folder / "hidden.pt")
    joblib.dump({"a": numpy.zeros(1000)}, folder / "plain.joblib")
    joblib.dump({"a": numpy.zeros(1000)}, folder / "packed.joblib", compress=3)
    return detonate(str(folder)).observation


def one(observed: ObservationV1, path: str) -> Load:
    return next(each for each in observed.loads if each.path == path)


@pytest.mark.parametrize("path", ["state.pt", "legacy.pth", "module.pt", "script.pt", "plain.joblib", "packed.joblib"])
def test_what_only_holds_weights_is_seen_to_do_nothing_else(path: str, observed: ObservationV1) -> None:
    load = one(observed, path)
    assert load.verdict == "nothing-observed", [each for each in load.seen if each.judged != "expected"]
    assert load.phases[1].outcome == "completed"
    assert load.loader == ("joblib" if path.endswith("joblib") else "torch")
    assert load.version


def test_a_module_computes_once(observed: ObservationV1) -> None:
    assert [(each.name, each.outcome) for each in one(observed, "module.pt").phases] == [
        ("prepare", "completed"), ("load", "completed"), ("construct", "left out"), ("forward", "completed"), ("unload", "completed"),
    ]  # fmt: skip


def test_what_is_hidden_among_weights_is_seen(observed: ObservationV1) -> None:
    load = one(observed, "hidden.pt")
    assert load.verdict == "observed-malicious"
    malicious = {(each.recorder, each.kind) for each in load.seen if each.judged == "malicious"}
    assert {
        ("audit", "pickle.find_class"),
        ("audit", "os.system"),
        ("kernel", "clone"),
    } <= malicious or not observed.recorders[1:]
    assert (observed.verdict, observed.not_loaded) == ("observed-malicious", ())


def test_it_loads_without_namespaces_too(tmp_path: Path) -> None:
    two = next(each for each in LADDER if each.id == "2")
    if missing(two):
        pytest.skip(missing(two))
    torch.save(torch.nn.Linear(4, 2), tmp_path / "m.pt")
    found = detonate(str(tmp_path / "m.pt"), Asked("2")).observation
    assert (found.walls.level, found.verdict) == ("2", "nothing-observed")
    assert found.loads[0].phases[3].outcome == "completed"
