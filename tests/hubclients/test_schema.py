"""The whole API against its own schema, by Schemathesis: what fits and what does not, by an admin, by tokens that are none, and by nobody.

No answer is a fault; every one has a status, a type and a body that the schema names; what does not fit is refused; methods that a path does not
have are answered as such; without a token nothing is told. Not asked is that everything that fits the schema is taken: a day may have passed, and a
name be nobody's. ``make clients`` makes the environment.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.gate.samples import HOSTILE, model
from tests.hubclients.clients import PLACE, is_made
from tests.hubproxy.test_joined import House

from openvet.gate import credentials
from openvet.gate.opening import Place, open_gate
from openvet.gate.roles import Right, Role
from openvet.gate.settings import Settings
from openvet.store import people as rows

pytestmark = pytest.mark.skipif(
    not is_made("schema"), reason="the environment schema is not there; make clients makes it"
)
#: Operations that end what the run itself goes by: they are asked with a token that nothing else needs.
ENDING = ("DELETE /tokens/{number}", "POST /people/{name}/disabled", "POST /roles/taken")


class Site:
    """A server in front of a good model and a bad one that was asked for; ``root`` may do everything."""

    def __init__(self, folder: Path, house: House) -> None:
        self.folder, self.house = folder, house
        for each in ("root", "second"):
            made, _ = house.people.add(each, each)
            with house.gate.database.writing() as connection:
                for role in Role:
                    rows.give_role(connection, made.id, "/", role, "test", 1)
            house.tokens[each] = house.people.add_token(made, "t", "/", list(Right), 9)[0].text
        assert house.pull("org/good", "config.json", "root")[0] == 200
        assert house.pull("org/bad", "config.json", "root")[0] == 403

    def run(self, *arguments: str, token: str | None) -> str:
        """One run; its output, which names what was found."""
        base = f"{self.house.server.url}/openvet/v1"
        command = [
            str(PLACE / "schema" / "bin" / "schemathesis"), "run", f"{base}/openapi.json", "--url", base, "--checks", "all", "--exclude-checks",
            "positive_data_acceptance", "--seed", "1", "--no-shrink", "--continue-on-failure", "--warnings", "off", *arguments,
        ]  # fmt: skip
        if token is not None:
            command += ["--header", f"Authorization: Bearer {token}"]
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        own = {
            "HOME": str(self.folder), "NO_PROXY": "*", "PYTHONPATH": str(Path(__file__).parent), "SCHEMATHESIS_HOOKS": "schema_hooks",
            "OPENVET_FOLDER": str(self.folder / "data"), "COLUMNS": "200",
        }  # fmt: skip
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, cwd=self.folder, env={**kept, **own}, timeout=900
        )
        assert done.returncode == 0, f"{done.stdout[-20_000:]}\n{done.stderr[-2000:]}"
        faults = [each for each in self.house.server.notes if each.status >= 500]
        assert not faults
        return done.stdout


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(credentials, "_MEMORY", 64)
    for name, files in {"good": model(), "bad": {**model(), "state.pkl": HOSTILE}}.items():
        folder = tmp_path / "models" / "org" / name
        folder.mkdir(parents=True)
        for path, data in files.items():
            (folder / path).write_bytes(data)
    gate = open_gate(str(tmp_path / "data"), [Place(folder=str(tmp_path / "models"))], Settings())
    house = House(tmp_path, gate, anonymous=False)
    with house.server:
        yield Site(tmp_path, house)
    gate.close()


def counted(text: str) -> int:
    """Cases that were generated."""
    found = re.search(r"([\d,]+) generated", text)
    assert found, text[-2000:]
    return int(found[1].replace(",", ""))


def test_an_admin_finds_no_fault(site: Site) -> None:
    apart = [argument for each in ENDING for argument in ("--exclude-name", each)]
    found = site.run("--phases", "coverage,fuzzing", "--max-examples", "6", *apart, token=site.house.tokens["root"])
    assert counted(found) > 1500
    only = [argument for each in ENDING for argument in ("--include-name", each)]
    found = site.run("--phases", "coverage,fuzzing", "--max-examples", "6", *only, token=site.house.tokens["second"])
    assert counted(found) > 100
    assert {each.status for each in site.house.server.notes} >= {200, 201, 202, 204, 401, 403, 404, 405, 409, 422}


def test_nobody_is_told_anything(site: Site) -> None:
    """Without somebody behind it every route says so, and nothing is done. The run of the admin tries tokens that are none."""
    before = len(site.house.server.notes)
    found = site.run("--phases", "coverage", "--mode", "positive", token=None)
    assert counted(found) > 100
    asked = [
        each
        for each in site.house.server.notes[before:]
        if each.path not in {"/openvet/v1/openapi.json", "/openvet/v1"}
    ]
    assert {each.status for each in asked} <= {401, 404, 405}
    assert sum(each.status == 401 for each in asked) > 100
