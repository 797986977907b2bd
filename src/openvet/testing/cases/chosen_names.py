"""Modules that a configuration or the environment chooses, and the ordinary ways to import one by a name."""

from __future__ import annotations

import json
from typing import Literal

from openvet.testing.case import Case

__all__ = ["CASES"]

_CONFIG = json.dumps({"model_type": "x", "auto_map": {"AutoModel": "modeling.M"}, "backend": "x"}).encode()
_CLASS = "import importlib\nimport os\nfrom transformers import PreTrainedModel\n\n\nclass M(PreTrainedModel):\n    def {how}:\n        super().__init__(c)\n        {line}\n"
_CHOSEN = (
    ("attribute", "an attribute of the configuration", "self.b = importlib.import_module(c.backend)"),
    ("item", "an item of the configuration", "self.b = importlib.import_module(c['backend'])"),
    ("get", "an item that may be missing", "self.b = importlib.import_module(c.get('backend', 'x'))"),
    ("getattr", "an attribute by its name", "self.b = importlib.import_module(getattr(c, 'backend'))"),
    ("kept", "an attribute of the kept configuration", "self.b = importlib.import_module(self.config.backend)"),
    ("keyword", "a keyword", "self.b = importlib.import_module(kwargs['backend'])"),
    ("popped", "a keyword that is taken out", "self.b = importlib.import_module(kwargs.pop('backend'))"),
    ("environment", "a variable of the environment", "self.b = importlib.import_module(os.environ['BACKEND'])"),
    ("getenv", "the same by a function", "self.b = __import__(os.getenv('BACKEND'))"),
    ("variable", "by way of a variable", "name = c.backend; self.b = importlib.import_module(name)"),
)  # fmt: skip
_ORDINARY = (
    ("constant", "a constant name", "self.b = importlib.import_module('torch.nn')"),
    ("within", "a name within a package", "self.b = importlib.import_module(f'torch.nn.{c.kind}')"),
    ("relative", "a name relative to a package", "self.b = importlib.import_module(c.kind, package='torch.nn')"),
    ("class", "a class by its name", "self.b = getattr(importlib.import_module('torch.nn'), c.kind)"),
)


def _case(name: str, technique: str, line: str, decision: Literal["admit", "review"]) -> Case:
    source = _CLASS.format(how="__init__(self, c, **kwargs)", line=line).encode()
    rules = frozenset({"hub/custom-code", "hub/python-code"}) if decision == "review" else frozenset[str]()
    return Case(
        f"chosen-names/{name}", technique, lambda: {"config.json": _CONFIG, "modeling.py": source}, decision, rules
    )


CASES: tuple[Case, ...] = (
    *(_case(name, f"a module that is named by {what}", line, "review") for name, what, line in _CHOSEN),
    *(_case(name, f"a module by {what}", line, "admit") for name, what, line in _ORDINARY),
)
