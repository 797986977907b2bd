"""Which openvet.toml counts, and that none which an examined model may hold ever does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import openvet
from openvet.errors import ConfigError
from openvet.workflows.find_config import Found, find_config


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with a home of its own."""
    work = tmp_path / "work"
    (work / "model").mkdir(parents=True)
    (work / "model" / "notes.txt").write_text("text")
    monkeypatch.chdir(work)
    return work


def find(place: Path, *subjects: str, named: str | None = None, **variables: str) -> Found:
    return find_config(subjects, named, environ={"HOME": str(place.parent / "home"), **variables}, platform="linux")


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("strict = true\n")
    return path


def used(found: Found) -> str:
    return "" if found.config is None else found.config.path


def test_the_order_of_precedence(place: Path) -> None:
    assert find(place, "model") == Found(None, "", (), find(place, "model").looked)
    user = put(place.parent / "home" / ".config" / "openvet" / "openvet.toml")
    found = find(place, "model")
    assert (used(found), found.source) == (str(user), "the user's folder")
    assert found.config is not None
    assert found.config.shown == "~/.config/openvet/openvet.toml"
    xdg = put(place.parent / "xdg" / "openvet" / "openvet.toml")
    assert used(find(place, "model", XDG_CONFIG_HOME=str(place.parent / "xdg"))) == str(xdg)
    above = put(place.parent / "openvet.toml")
    found = find(place, "model")
    assert (used(found), found.source) == (str(above), "upwards from the working directory")
    assert found.config is not None
    assert found.config.shown == "../openvet.toml"
    here = put(place / "openvet.toml")
    assert used(find(place, "model")) == str(here)
    variable = put(place.parent / "variable.toml")
    found = find(place, "model", OPENVET_CONFIG=str(variable))
    assert (used(found), found.source) == (str(variable), "OPENVET_CONFIG")
    named = put(place / "named.toml")
    found = find(place, "model", named="named.toml", OPENVET_CONFIG=str(variable))
    assert (used(found), found.source) == (str(named), "--config")


@pytest.mark.parametrize(
    ("platform", "variables", "wanted"),
    [
        ("darwin", {}, "home/Library/Application Support/openvet/openvet.toml"),
        ("linux", {"XDG_CONFIG_HOME": "relative"}, "home/.config/openvet/openvet.toml"),
    ],
)
def test_the_users_folder(place: Path, platform: str, variables: dict[str, str], wanted: str) -> None:
    put(place.parent / wanted)
    found = find_config(["model"], environ={"HOME": str(place.parent / "home"), **variables}, platform=platform)
    assert used(found) == str(place.parent / wanted)


def test_windows_has_a_folder_of_its_own(place: Path) -> None:
    wanted = put(place.parent / "roaming" / "openvet" / "openvet.toml")
    found = find_config(["model"], environ={"APPDATA": str(place.parent / "roaming")}, platform="win32")
    assert used(found) == str(wanted)


def test_a_configuration_that_counts_is_never_passed_over(place: Path) -> None:
    put(place.parent / "openvet.toml")
    (place / "openvet.toml").mkdir()
    with pytest.raises(ConfigError):
        find(place, "model")
    (place / "openvet.toml").rmdir()
    (place / "openvet.toml").symlink_to("nowhere")
    with pytest.raises(ConfigError, match="cannot be read"):
        find(place, "model")
    with pytest.raises(ConfigError, match="cannot be read"):
        find(place, "model", named="missing.toml")


def defeat(place: Path, name: str) -> tuple[str, Path]:
    """A way in which a model's openvet.toml may come into the walk: the path that is examined, and the file."""
    model = place / "model"
    if name == "working in the model":
        os.chdir(model)
        return ".", put(model / "openvet.toml")
    if name == "working below the model":
        (model / "a" / "b").mkdir(parents=True)
        os.chdir(model / "a" / "b")
        return "../..", put(model / "a" / "openvet.toml")
    if name == "an examined file beside it":
        return "weights.bin", put(place / "openvet.toml")
    if name == "a linked working folder":
        (place / "link").symlink_to("model")
        os.chdir(place / "link")
        return "../model", put(model / "openvet.toml")
    if name == "the model by a link":
        (place / "link").symlink_to("model")
        os.chdir(model)
        return str(place / "link"), put(model / "openvet.toml")
    if name == "the model by dots":
        os.chdir(model)
        return "../model/../model/./", put(model / "openvet.toml")
    if name == "a link into the model":
        file = put(model / "openvet.toml")
        (place / "openvet.toml").symlink_to("model/openvet.toml")
        return "model", file
    if name == "a link out of the model":
        file = put(place.parent / "elsewhere.toml")
        (model / "openvet.toml").symlink_to(file)
        os.chdir(model)
        return ".", file
    if name == "a hard link into the model":
        file = put(model / "deep" / "x.txt")
        os.link(file, place / "openvet.toml")
        return "model", file
    if name == "a hard link to the examined file":
        file = put(place.parent / "away" / "x.txt")
        os.link(file, place / "openvet.toml")
        return "../away/x.txt", file
    if name == "a linked file beside it":
        file = put(place.parent / "away" / "openvet.toml")
        (place.parent / "away" / "weights.bin").write_text("x")
        (place / "linked.bin").symlink_to("../away/weights.bin")
        os.chdir(place.parent / "away")
        return str(place / "linked.bin"), file
    raise AssertionError(name)


WAYS = ["working in the model", "working below the model", "an examined file beside it", "a linked working folder",
        "the model by a link", "the model by dots", "a link into the model", "a link out of the model",
        "a hard link into the model", "a hard link to the examined file", "a linked file beside it"]  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_never_from_what_is_examined(place: Path, way: str) -> None:
    (place / "weights.bin").write_text("text")
    subject, _ = defeat(place, way)
    good = put(place.parent / "openvet.toml")
    found = find(place, subject)
    assert used(found) == str(good)
    assert len(found.ignored) == 1
    assert "examined" in found.ignored[0].why


@pytest.mark.parametrize("way", WAYS)
def test_not_even_when_it_is_named(place: Path, way: str) -> None:
    (place / "weights.bin").write_text("text")
    subject, file = defeat(place, way)
    inside = [each for each in (file, Path("openvet.toml"), Path("../openvet.toml")) if each.exists()]
    said = [refusal(place, subject, named=str(each)) for each in inside]
    assert any("--config: " in each and "is not used" in each for each in said)
    said = [refusal(place, subject, OPENVET_CONFIG=str(each)) for each in inside]
    assert any("OPENVET_CONFIG: " in each for each in said)


def refusal(place: Path, subject: str, named: str | None = None, **variables: str) -> str:
    try:
        find(place, subject, named=named, **variables)
    except ConfigError as error:
        return str(error)
    return ""


def test_a_program_cannot_use_it_either(place: Path) -> None:
    config = openvet.Config.load(put(place / "model" / "openvet.toml"))
    with pytest.raises(ConfigError, match="is not used as configuration"):
        openvet.check("model", options=openvet.Options(config=config))


def test_the_user_folder_may_be_examined_as_well(place: Path) -> None:
    put(place.parent / "home" / ".config" / "openvet" / "openvet.toml")
    found = find(place, str(place.parent / "home"))
    assert used(found) == ""
    assert found.ignored[0].file == "~/.config/openvet/openvet.toml"


def test_what_everybody_may_write_is_not_met_on_the_way(place: Path) -> None:
    put(place / "openvet.toml").chmod(0o666)
    assert find(place, "model").ignored[0].why == "everybody may write it"


def test_a_removed_working_folder(place: Path) -> None:
    gone = place / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    assert used(find(place, str(place / "model"))) == ""


FOLDERS = ["", "a", "a/b", "a/b/c", "d"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    files=st.sets(st.sampled_from(FOLDERS)),
    here=st.sampled_from(FOLDERS),
    subject=st.sampled_from(FOLDERS),
    single=st.booleans(),
)
def test_the_nearest_one_outside_counts(
    tmp_path_factory: pytest.TempPathFactory, files: set[str], here: str, subject: str, *, single: bool
) -> None:
    root = Path(os.path.realpath(tmp_path_factory.mktemp("tree")))
    for folder in FOLDERS:
        (root / folder).mkdir(exist_ok=True)
        (root / folder / "x.bin").write_text("x")
    for folder in files:
        put(root / folder / "openvet.toml")
    before = Path.cwd()
    os.chdir(root / here)
    try:
        path = root / subject / "x.bin" if single else root / subject
        found = find_config([str(path)], environ={}, platform="linux")
    finally:
        os.chdir(before)
    walk = [root / here, *(root / here).parents]
    forbidden = root / subject
    on_the_way = [each for each in walk if each == root or root in each.parents]
    there = [each / "openvet.toml" for each in on_the_way if (each / "openvet.toml").exists()]
    outside = [each for each in there if not each.is_relative_to(forbidden)]
    assert used(found) == (str(outside[0]) if outside else "")
    limit = there.index(outside[0]) if outside else len(there)
    assert len(found.ignored) == limit


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    here=st.sampled_from(["model", "model/a", "out", "out/to_model", "out/to_model/a"]),
    kind=st.sampled_from(["file", "link", "hard link"]),
    subject=st.sampled_from(["model", "out/to_model", "model/a/..", "out/../model/.", "model/a/w.bin", "out/to_model/a/w.bin", "out/to_w.bin"]),
    named=st.sampled_from(["", "--config", "OPENVET_CONFIG"]),
)  # fmt: skip
def test_bytes_of_the_model_never_count(
    tmp_path_factory: pytest.TempPathFactory, here: str, kind: str, subject: str, named: str
) -> None:
    """However it is reached: no configuration whose bytes an examined model can change."""
    root = Path(os.path.realpath(tmp_path_factory.mktemp("tree")))
    (root / "model" / "a").mkdir(parents=True)
    (root / "out").mkdir()
    (root / "out" / "to_model").symlink_to("../model")
    (root / "model" / "a" / "w.bin").write_text("x")
    (root / "out" / "to_w.bin").symlink_to("../model/a/w.bin")
    hostile = root / "model" / "a" / "openvet.toml"
    put(hostile)
    if kind == "link":
        (root / "out" / "openvet.toml").symlink_to(hostile)
    elif kind == "hard link":
        os.link(hostile, root / "out" / "openvet.toml")
    before = Path.cwd()
    os.chdir(root / here)
    try:
        for file in (
            hostile,
            root / "out" / "openvet.toml",
            Path("openvet.toml"),
            Path("../openvet.toml"),
            Path("a/openvet.toml"),
        ):
            variables = {"OPENVET_CONFIG": str(file)} if named == "OPENVET_CONFIG" else {}
            try:
                found = find_config(
                    [str(root / subject)], str(file) if named == "--config" else None, environ=variables
                )
            except ConfigError:
                continue
            assert not used(found) or not Path(used(found)).samefile(hostile)
    finally:
        os.chdir(before)
