"""Transformers builds a model that brings its own code in the sandbox, from an environment of its own, and what that code does in which phase is seen."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from tests.hubclients.clients import PLACE, is_made

from openvet.evidence.predicates.observation_v1 import Load
from openvet.sandbox.levels import ENOUGH, LADDER, missing
from openvet.workflows.detonate import Asked, detonate

pytestmark = [
    pytest.mark.skipif(not is_made("transformers"), reason="Transformers is not made here"),
    pytest.mark.skipif(
        sys.platform != "linux" or all(missing(each) for each in LADDER if each.number >= ENOUGH),
        reason="nothing here is enough to run a model in",
    ),
]

CONFIGURATION = """
from transformers import PretrainedConfig
class TinyConfig(PretrainedConfig):
    model_type = "tiny-own"
    def __init__(self, size=4, **more):
        super().__init__(**more)
        self.size = size
"""
MODELING = """
import torch
from transformers import PreTrainedModel
from .configuration_tiny import TinyConfig
class TinyModel(PreTrainedModel):
    config_class = TinyConfig
    def __init__(self, config):
        super().__init__(config)
        self.layer = torch.nn.Linear(config.size, config.size)
        self.post_init()
        CONSTRUCT
    @property
    def dummy_inputs(self):
        return {"x": torch.zeros(1, self.config.size)}
    def forward(self, x):
        FORWARD
        return self.layer(x)
"""
SETTINGS = {
    "model_type": "tiny-own",
    "size": 4,
    "auto_map": {"AutoConfig": "configuration_tiny.TinyConfig", "AutoModel": "modeling_tiny.TinyModel"},
}


def observed(folder: Path, construct: str = "pass", forward: str = "pass") -> Load:
    (folder / "config.json").write_text(json.dumps(SETTINGS))
    (folder / "configuration_tiny.py").write_text(CONFIGURATION)
    (folder / "modeling_tiny.py").write_text(MODELING.replace("CONSTRUCT", construct).replace("FORWARD", forward))
    (load,) = detonate(str(folder), Asked(python=str(PLACE / "transformers/bin/python"))).observation.loads
    return load


def test_a_model_with_code_of_its_own_is_built_and_computes(tmp_path: Path) -> None:
    load = observed(tmp_path)
    assert load.verdict == "nothing-observed", [each for each in load.seen if each.judged != "expected"]
    assert load.loader == "transformers"
    assert [each.outcome for each in load.phases] == ["completed"] * 5


def test_what_its_code_does_is_seen_in_its_phase(tmp_path: Path) -> None:
    load = observed(
        tmp_path,
        construct="open(__import__('os').path.expanduser('~/.ssh/id_ed25519')).read()",
        forward="__import__('os').system('echo')",
    )
    assert load.verdict == "observed-malicious"
    malicious = {
        (each.phase, each.kind) for each in load.seen if each.judged == "malicious" and each.recorder == "audit"
    }
    assert {("construct", "open"), ("forward", "os.system")} <= malicious
    assert ("load", "os.system") not in malicious
