"""What is said of a model's licences: declarations in every kind of file beside the texts that lie with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import openvet
from openvet.cli import main
from openvet.evidence.predicates.licenses_v1 import LicensesV1
from openvet.licenses.works import works_of
from openvet.testing.forge_tensors import GgufTensor, gguf, safetensors
from tests.reports.test_snapshots import schema

TEXTS = Path(__file__).parents[2] / "src/openvet/data/licenses/texts"
MIT = f"MIT License\n\nCopyright (c) 2024 Example\n\n{(TEXTS / 'mit.txt').read_text()}"
LLAMA = (TEXTS / "llama-3.1-license-2024.txt").read_text()
APACHE = (TEXTS / "apache-2.0.txt").read_text()
L31 = "LicenseRef-scancode-llama-3.1-license-2024"


def _card(metadata: str, prose: str = "# Model\n\nIt does things.\n") -> str:
    return f"---\n{metadata}\n---\n{prose}"


def look(folder: Path, **files: str | bytes) -> LicensesV1:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    found = openvet.check(folder).models[0].answers["licenses"]
    assert isinstance(found, LicensesV1)
    assert list(schema("licenses-v1").iter_errors(found.to_json())) == []
    assert LicensesV1.from_json(found.to_json()) == found
    return found


@pytest.mark.parametrize(
    ("files", "state"),
    [
        ({"README.md": _card("license: mit"), "LICENSE": MIT}, "agree"),
        ({"README.md": _card("license: MIT License"), "LICENSE.md": MIT}, "agree"),
        ({"README.md": _card("license: apache-2.0"), "LICENSE": LLAMA}, "differ"),
        ({"README.md": _card("license: mit")}, "declared-only"),
        ({"README.md": "# Model\n", "LICENSE": APACHE}, "found-only"),
        ({"README.md": "# Model\n"}, "nothing"),
        ({"README.md": _card("license: other\nlicense_name: llama3.1\nlicense_link: TERMS"), "TERMS": LLAMA}, "agree"),
        ({"README.md": _card("license: gpl"), "LICENSE": (TEXTS / "gpl-3.0.txt").read_text()}, "agree"),
        ({"README.md": _card("license: mit"), "LICENSE": MIT.replace("without restriction", "for research only")}, "unclear"),
        ({"README.md": _card("license: mit"), "LICENSE": MIT + "\nProducts with more than one million users must not use the Software without a written agreement and a fee, and must show its name to all of them.\n"}, "unclear"),
        ({"README.md": _card("license: mit\nextra_gated_prompt: |\n  " + LLAMA.replace("\n", "\n  "))}, "differ"),
        ({"README.md": _card("license: apache-2.0"), "sub/LICENSE": MIT}, "declared-only"),
        ({"README.md": _card("license: apache-2.0"), "NOTICE": MIT}, "declared-only"),
        ({"README.md": _card("license: apache-2.0"), "THIRD_PARTY_NOTICES.txt": MIT}, "declared-only"),
        ({"README.md": _card("license: apache-2.0"), "NOTICE": APACHE}, "agree"),
        ({"README.md": _card("license: apache-2.0"), "COPYRIGHT": MIT}, "differ"),
        ({"README.md": _card("license: [mit, apache-2.0]"), "LICENSE": MIT, "LICENSE-APACHE": APACHE}, "agree"),
        ({"README.md": _card("license: MIT OR Apache-2.0"), "LICENSE": MIT}, "agree"),
        ({"README.md": _card("license: MIT AND Apache-2.0"), "LICENSE": MIT}, "differ"),
        ({"README.md": _card("license: other\nlicense_name: our-own"), "LICENSE": "You may use this model for research only, and must not distribute it to users without our written consent and a fee to be agreed on.\n"}, "unclear"),
    ],
)  # fmt: skip
def test_states(tmp_path: Path, files: dict[str, str], state: str) -> None:
    assert look(tmp_path, **files).model.state == state


def test_every_kind_of_declaration(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
            "README.md": _card("license: other\nlicense_name: qwen-research\nlicense_link: https://huggingface.co/Qwen/Qwen2.5-3B/blob/main/LICENSE"),
            "model.gguf": gguf([("general.license", "string", "llama3.1")], [GgufTensor("a", (1,))]),
            "model.safetensors": safetensors({"w": ("F32", (1,))}, metadata={"license": "apache-2.0"}),
            "config.json": json.dumps({"model_type": "llama", "license": "gemma"}),
            "code.py": "# SPDX-License-Identifier: MIT OR Apache-2.0\nx = 1\n",
            "other.py": "# Licensed under the Apache License,\n# Version 2.0 (the \"License\"); you may not use this file\nx = 1\n",
            "either.py": "# Licensed under either of\n#  * Apache License, Version 2.0 (LICENSE-APACHE)\n#  * MIT license (LICENSE-MIT)\n# at your option.\nx = 1\n",
            "pkg/METADATA": "Metadata-Version: 2.4\nName: x\nLicense-Expression: BSD-3-Clause\n\nLicense: no\n",
            "bom.json": json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {"component": {"licenses": [{"license": {"id": "MIT"}}]}}}),
            "NOTICE": "Llama 3.1 is licensed under the Llama 3.1 Community License, Copyright © Meta Platforms, Inc.\n",
    }  # fmt: skip
    found = look(tmp_path, **files)
    said = {(each.source.place, each.form, each.keys, each.scope) for each in found.declared}
    assert said == {
        ("README.md", "id", (), "model"),
        ("README.md", "name", ("LicenseRef-openvet-qwen-research",), "model"),
        ("README.md", "link", ("LicenseRef-openvet-qwen-research",), "model"),
        ("model.gguf", "id", (L31,), "model"),
        ("model.safetensors", "id", ("Apache-2.0",), "model"),
        ("config.json", "id", ("LicenseRef-openvet-gemma-tou-2024-02-21", "LicenseRef-scancode-gemma-tou-2024-04-01", "LicenseRef-scancode-gemma-tou-2025-03-24"), "model"),
        ("code.py", "expression", ("MIT", "Apache-2.0"), "part"),
        ("other.py", "notice", ("Apache-2.0",), "part"),
        ("either.py", "notice", ("Apache-2.0", "MIT"), "part"),
        ("pkg/METADATA", "id", ("BSD-3-Clause",), "part"),
        ("bom.json", "id", ("MIT",), "model"),
        ("NOTICE", "notice", (L31,), "part"),
    }  # fmt: skip
    lines = {(each.source.place, each.source.line) for each in found.declared if each.source.line is not None}
    assert {("README.md", 2), ("README.md", 3), ("code.py", 1), ("other.py", 1), ("pkg/METADATA", 3)} <= lines


@pytest.mark.parametrize(
    ("files", "known"),
    [
        ({"NOTICE": "This product includes software licensed under the MIT License.\n"}, "unknown"),
        ({"NOTICE.txt": MIT}, "unknown"),
        ({"third-party-licenses.txt": APACHE}, "unknown"),
        ({"pkg/LICENSE": MIT}, "found"),
        ({"code.py": "# SPDX-License-Identifier: MIT\nx = 1\n"}, "declared"),
        ({"COPYRIGHT": MIT}, "found"),
    ],
)
def test_a_notice_is_never_the_licence_of_the_whole(tmp_path: Path, files: dict[str, str], known: str) -> None:
    (work,) = works_of(look(tmp_path, **files), None)
    assert work.known == known


def test_a_sentence_inside_the_text_of_a_licence_declares_nothing(tmp_path: Path) -> None:
    assert look(tmp_path, **{"LICENSE": APACHE, "README.md": "# x\n"}).declared == ()


@pytest.mark.parametrize(
    ("files", "notes"),
    [
        ({"README.md": _card("license: mit"), "LICENSE": MIT}, set()),
        ({"README.md": _card("license: apache-2.0"), "LICENSE": LLAMA}, {"license/differs"}),
        ({"README.md": _card("license: mit"), "LICENSE": MIT.replace("sell", "sell only")}, {"license/changed-text"}),
        ({"LICENSE": LLAMA.replace("LLAMA 3.1 COMMUNITY", "FOO 1 COMMUNITY").replace("Llama 3.1 Version", "Foo 1 Version")}, {"license/unknown-text"}),
        ({"LICENSE": MIT + "\nProducts with more than one million users must not use the Software without a written agreement and a fee, and must show its name to all of them.\n"}, {"license/unknown-text"}),
        ({"LICENSE": MIT + "\nThis product includes software developed by many people over many years in many places, whom we thank a great deal for all of it.\n"}, set()),
        ({"NOTICE": "This product includes data from A, which may only be used with permission, and must not be sold without a licence of A and a fee.\n"}, set()),
    ],
)  # fmt: skip
def test_rules(tmp_path: Path, files: dict[str, str], notes: set[str]) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    model = openvet.check(tmp_path).models[0]
    found = {each.rule for file in model.scan.files for each in file.findings if each.rule.startswith("license/")}
    assert found == notes
    assert model.decision.verdict.value != "reject"


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    look(
        tmp_path / "model",
        **{"README.md": _card("license: apache-2.0"), "LICENSE": LLAMA.replace("700 million", "7 million")},
    )
    shown = CliRunner().invoke(main, ["licenses", "model"], env={"COLUMNS": "120"})
    assert shown.exit_code == 0
    for each in (
        "what is declared is not what was found",
        "Apache-2.0",
        L31,
        "1 word added, 1 word removed",
        "7 million",
        "700 million",
    ):
        assert each in shown.stdout
    printed = CliRunner().invoke(main, ["licenses", "-f", "json", "model"])
    value: dict[str, Any] = json.loads(printed.stdout)
    assert list(schema("licenses-report-v1").iter_errors(value)) == []
    made = CliRunner().invoke(main, ["check", "model", "--statement", "licenses"])
    assert json.loads(made.stdout)["predicate"]["model"]["state"] == "differ"
    assert CliRunner().invoke(main, ["scan", "model", "--statement", "licenses"]).exit_code == 2
    assert CliRunner().invoke(main, ["licenses", "nowhere"]).exit_code == 2
