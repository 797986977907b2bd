"""openvet inspect --calls: every call that loading makes, in order."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import openvet
from openvet.cli import main
from openvet.testing.forge_gallery import HARMLESS, HOSTILE
from openvet.testing.forge_sample import Sample
from openvet.workflows.check import Options


def calls_of(path: Path) -> list[str]:
    found = CliRunner().invoke(main, ["inspect", "--calls", str(path)], env={"COLUMNS": "200"})
    assert found.exit_code == 0, found.output
    lines = found.stdout.splitlines()
    return lines[next(at for at, line in enumerate(lines) if line.startswith("Calls (")) :]


def test_every_call_in_order_with_what_is_known_of_it(tmp_path: Path) -> None:
    (tmp_path / "b.pkl").write_bytes(b"\x80\x02csklearn.svm\nSVC\n)\x81}X\x01\x00\x00\x00CK\x01sb.")
    assert calls_of(tmp_path / "b.pkl") == [
        "Calls (2)",
        "  b.pkl @0: 10 opcodes",
        "    @20  sklearn.svm.SVC()  # framework scikit-learn",
        "    @31  sklearn.svm.SVC().__setstate__({'C': 1})  # framework scikit-learn",
    ]


def test_linkers_show_what_they_lead_to(tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(b"cbuiltins\ngetattr\n(c__main__\nos\nS'system'\ntR(S'echo x'\ntR.")
    assert calls_of(tmp_path / "a.pkl")[2:] == [
        "    @43  builtins.getattr(__main__.os, 'system')  # linker",
        "    @56  __main__.os.system('echo x')  # dangerous process",
    ]


def test_plain_data_calls_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(b"\x80\x04]K\x01a.")
    assert calls_of(tmp_path / "a.pkl")[1:] == [
        "  a.pkl @0: 5 opcodes",
        "    calls nothing: it builds plain data",
    ]
    (tmp_path / "b.txt").write_text("text")
    assert calls_of(tmp_path / "b.txt") == ["Calls (0)", "  no pickle is in it"]


def test_a_broken_stream_says_where_it_fails(tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(b"cos\nsystem\n(S'echo x'\ntR\xff")
    assert calls_of(tmp_path / "a.pkl")[2:] == [
        "    @23  os.system('echo x')  # dangerous process",
        "    a loader fails at @24: 0xff is no opcode",
    ]


def test_nothing_of_it_is_in_an_ordinary_report(tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(b"\x80\x02ccollections\nOrderedDict\n)R.")
    for asked, expected in ((["--calls"], True), ([], False)):
        found = CliRunner().invoke(main, ["inspect", "--format", "json", *asked, str(tmp_path / "a.pkl")])
        program = json.loads(found.stdout)["models"][0]["statements"][0]["predicate"]["items"][0]["programs"][0]
        assert ("steps" in program) is expected
        if expected:
            assert program["steps"] == [
                {
                    "offset": 28,
                    "opcode": "REDUCE",
                    "callable": "collections.OrderedDict",
                    "module": "collections",
                    "name": "OrderedDict",
                    "arguments": [],
                }
            ]


@pytest.mark.parametrize("sample", [*HOSTILE, *HARMLESS], ids=lambda sample: sample.name)
def test_no_call_is_left_out(sample: Sample, tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(sample.forge())
    report = openvet.check(tmp_path / "a.pkl", options=Options(every_call=True)).models[0]
    assert report.inventory is not None
    for item in report.inventory.items:
        for program in item.programs:
            counted: dict[tuple[str, str], int] = {}
            for step in program["steps"]:
                if step["opcode"] != "BUILD":
                    key = (step["module"], step["name"])
                    counted[key] = counted.get(key, 0) + 1
            for reference in program["references"]:
                key = (reference["module"], reference["name"])
                if reference.get("calls"):
                    assert counted.get(key, 0) >= reference["calls"], (key, program["steps"])
