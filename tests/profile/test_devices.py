"""Devices: the table that ships, files of a user's own, and every mistake in one told with its place."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from openvet.cli import main
from openvet.core.tables import read_table
from openvet.errors import ConfigError, UsageError
from openvet.profile.claims.chips import chips
from openvet.profile.device import GIB, Figure
from openvet.profile.devices import BASES, devices, efficiencies, take_devices
from openvet.workflows.devices import find_devices, read_devices


def figures(device: Any) -> list[Figure]:
    found = [device.memory_basis, device.usable, device.nominal, device.achieved, device.idle, device.load]
    found += [*device.peak.values(), *device.usable_by_size.values()]
    return [each for each in found if each is not None]


def test_every_value_that_ships_has_a_source_a_date_and_a_basis() -> None:
    for device in devices().values():
        for each in figures(device):
            assert each.source, device.id
            assert each.date[:2] == "20", device.id
            assert each.basis in BASES
            assert each.basis != "derived" or each.note, device.id
    for share in efficiencies().values():
        for each in (share.of_achieved, share.of_nominal, share.prefill):
            assert each.source
            assert 0 < each.low <= each.high <= 1


def test_numbers_of_chips_stand_in_one_table_only() -> None:
    rows, known = read_table("devices")["device"], chips()
    for name, row in rows.items():
        if "chip" in row:
            assert "peak" not in row
            assert "watts_load" not in row
            assert devices()[name].peak["fp16"].low == known[row["chip"]].peak["fp16"]
        else:  # what chips.toml has is referred to
            assert not any(row["name"].startswith(chip.name) for chip in known.values()), name


def test_the_table_has_the_devices_that_people_name() -> None:
    asked = {"rpi4", "rpi5", "jetson-orin-nano", "jetson-orin-nx", "jetson-agx-orin", "m1", "m4-max", "pc-ddr4-3200", "pc-ddr5-5600", "t4", "l4", "a10",
             "l40s", "a100-40", "a100-80", "h100", "h200", "mi300x", "rtx3060", "rtx3090", "rtx4090", "rtx5090", "phone-flagship"}  # fmt: skip
    assert asked <= set(devices())


def test_what_nobody_says_is_not_there() -> None:
    assert devices()["rpi4"].peak == {}
    assert devices()["rpi5"].load is None
    assert devices()["rpi4"].usable is None


def test_a_size_of_memory_is_asked_for() -> None:
    (usual,), (large,) = find_devices(["rpi5"]), find_devices(["rpi5:16"])
    assert (usual.memory, large.memory) == (8 * GIB, 16 * GIB)
    assert large.usable is not None
    assert large.usable.low == 16215 * 2**20
    assert large.label == "rpi5:16"
    assert find_devices(["t4"])[0].label == "t4"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("rpi6", "no device 'rpi6'; did you mean rpi5? `openvet profile --devices` lists them"),
        ("zzzzzzzz", "no device 'zzzzzzzz'; `openvet profile --devices` lists them"),
        ("", "no device ''"),
        ("rpi5:3", "not sold with '3' GiB of memory, but with 2, 4, 8, 16 GiB"),
        ("rpi5:", "not sold with ''"),
        ("rpi5:\x1b[31m", "\\x1b[31m"),
        ("x" * 5000, "no device"),
    ],
)
def test_a_device_that_there_is_not(name: str, said: str) -> None:
    with pytest.raises(UsageError) as found:
        find_devices([name])
    assert said in str(found.value)
    assert len(str(found.value)) < 400


MINE = """\
[device.mine]
name = "my board"
source = "its manual"
date = "2026-01"
basis = "declared"
memory_gib = [4, 8]
usable_mib = { "4" = 3800 }
bandwidth_nominal = { low = 20e9, high = 25.6e9, basis = "claim" }
bandwidth_achieved = 11e9
peak = { fp16 = 1e12 }
watts_idle = 2
watts_load = { low = 5, high = 9 }
"""


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(MINE)
    (device,) = read_devices(str(tmp_path / "mine.toml"))
    assert (device.id, device.name, device.sizes) == ("mine", "my board", (4 * GIB, 8 * GIB))
    assert device.nominal == Figure(Fraction(20 * 10**9), Fraction(25_600_000_000), "claim", "its manual", "2026-01")
    assert device.usable is not None
    assert device.usable.basis == "declared"
    assert device.sized(8 * GIB).usable is None
    assert device.peak["fp16"].source == "its manual"


def test_the_same_in_yaml_and_json(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "device:\n  mine:\n    memory_gib: 4\n    bandwidth_nominal: {low: 2e9, high: 3e9}\n"
    )
    (tmp_path / "a.json").write_text(
        '{"device": {"mine": {"memory_gib": 4, "bandwidth_nominal": {"low": 2e9, "high": 3e9}}}}'
    )
    assert read_devices(str(tmp_path / "a.yaml")) == read_devices(str(tmp_path / "a.json"))
    assert read_devices(str(tmp_path / "a.json"))[0].nominal == Figure(Fraction(2 * 10**9), Fraction(3 * 10**9))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("memory_gib = 0", "must be in GiB, such as 16, not 0"),
        ("memory_gib = []", "a number of GiB, or a list"),
        ("memory_gib = [4, 4]", "has a size twice"),
        ('memory_gib = "8 GB"', "must be in GiB, such as 16, not '8 GB'"),
        ("memory_gib = true", "not true"),
        ("memory_gib = nan", "must be in GiB"),
        ("memory_gib = inf", "must be in GiB"),
        (f"memory_gib = {10**400}", "a number beyond all limits"),
        ("bandwidth_nominal = 51.2", "in byte/s, such as 51.2e9, not 51.2"),
        ("bandwidth_nominal = -1e9", "in byte/s"),
        ("bandwidth_nominal = { low = 3e9, high = 2e9 }", "low <= high"),
        ("bandwidth_nominal = { low = 3e9 }", "needs a value, or low and high"),
        ("bandwidth_nominal = { value = 3e9, low = 2e9 }", "either a value, or low and high"),
        ("bandwidth_nominal = { value = 3e9, basis = 'rumour' }", "it may be declared, derived, measured, claim"),
        ("bandwidth_nominal = { value = 3e9, year = 2 }", "has the unknown key 'year'"),
        ("bandwidth_achieved = 9e9\nbandwidth_nominal = 8e9", "no more can be achieved"),
        ("bandwith_nominal = 8e9", "did you mean bandwidth_nominal?"),
        ("peak = 1e12", "must be a table by dtype"),
        ("peak = { fp16 = 121 }", "in FLOP/s, such as 121e12"),
        ("peak = { fp17 = 1e12 }", "is no dtype of"),
        ("chip = 'h101'", "is not known"),
        ("chip = 3", "is not known"),
        ("usable_mib = { '5' = 3 }", "is no size of memory_gib"),
        ("usable_mib = 9000", "are more than 8 GiB"),
        ("efficiency = 'magic'", "it may be processor, gpu"),
        ("watts_load = 0", "in W"),
        ("name = 3", "must be a text"),
        ("source = ['a']", "must be a text"),
    ],
)
def test_what_makes_no_sense_is_told_with_its_line(line: str, said: str, tmp_path: Path) -> None:
    more = "" if line.startswith("memory_gib") else "memory_gib = 8\n"
    (tmp_path / "bad.toml").write_text(f"[device.bad]\n{more}{line}\n")
    with pytest.raises(ConfigError) as found:
        read_devices(str(tmp_path / "bad.toml"))
    assert said in str(found.value)
    assert f"bad.toml:{2 + bool(more) if chr(10) not in line else 3}:" in str(found.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no [device.NAME]"),
        ("device = 3", "must be tables"),
        ("[device]\nx = 3", "must be a table"),
        ("[device.x]", "needs memory_gib"),
        ("[devices.x]\nmemory_gib = 1", "unknown key 'devices'"),
        ("[device.x]\nmemory_gib = 1\n[efficiency.y]\nprefill = 0.5", "needs of_achieved, of_nominal, prefill"),
        ("[device.x]\nmemory_gib = 1\n[efficiency.y]\nprefill = 2\nof_achieved = 1\nof_nominal = 1", "a share above 0 and at most 1"),
        ("[device.x\n", "is not TOML"),
        ("\x00", "is not TOML"),
    ],
)  # fmt: skip
def test_a_file_that_is_none(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text(text)
    with pytest.raises(ConfigError) as found:
        read_devices(str(tmp_path / "bad.toml"))
    assert said in str(found.value)


def test_anything_at_all_is_a_problem_and_no_crash() -> None:
    values: list[Any] = [
        None,
        True,
        3,
        -1,
        1e400,
        float("nan"),
        "x",
        [],
        [[]],
        {},
        {"value": {}},
        {"low": [], "high": {}},
        [None],
        10**5000,
    ]
    keys = (
        "memory_gib",
        "usable_mib",
        "bandwidth_nominal",
        "peak",
        "chip",
        "efficiency",
        "name",
        "basis",
        "watts_idle",
    )
    for key in keys:
        for value in values:
            problems: list[str] = []
            document = {"device": {"d": {"memory_gib": 1, key: value}}}
            take_devices(document, lambda _, text: problems.append(text), efficiencies())  # noqa: B023 - called in this turn
            assert all(isinstance(each, str) and len(each) < 1000 for each in problems)


def test_the_list_names_every_device_and_source() -> None:
    found = CliRunner().invoke(main, ["profile", "--devices"])
    assert found.exit_code == 0
    for each in devices().values():
        assert f"{each.id}: {each.name}" in found.stdout
    assert "measured, sbc-bench" in found.stdout
