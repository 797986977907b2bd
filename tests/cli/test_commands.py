"""The commands as a shell sees them: exit codes, what goes to which stream, what is left on disk."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import stat
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.reports.test_snapshots import schema

from openvet.cli import main

OPENVET = [sys.executable, "-m", "openvet"]


def safetensors(size: int = 16) -> bytes:
    header = json.dumps({"w": {"dtype": "F32", "shape": [size // 4], "data_offsets": [0, size]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(size)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    folder = tmp_path / "good"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(safetensors())
    return folder


@pytest.fixture
def doubtful(tmp_path: Path) -> Path:
    folder = tmp_path / "doubtful"
    folder.mkdir()
    (folder / "noise.bin").write_bytes(b"\x93\x01\xfe" * 700)
    return folder


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    folder = tmp_path / "bad"
    folder.mkdir()
    (folder / "pytorch_model.bin").write_bytes(b"cposix\nsystem\n(S'echo hello'\ntR.")
    return folder


def run(*arguments: object, **more: Any) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "100", **more.pop("env", {})}
    return subprocess.run(
        [*OPENVET, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        **more,
        check=False,
    )


def call(*arguments: object, **more: Any) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)), **more)


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


# --- exit codes ---


def test_exit_codes(good: Path, doubtful: Path, bad: Path) -> None:
    assert call("check", good).exit_code == 0
    assert call("check", bad).exit_code == 1
    assert call("check", doubtful).exit_code == 3
    assert call("check", "--fail-on", "reject", doubtful).exit_code == 0
    assert call("check", "--fail-on", "reject", bad).exit_code == 1
    assert call("scan", doubtful).exit_code == 3


def test_with_several_models_the_worst_counts(good: Path, doubtful: Path, bad: Path) -> None:
    gone = good / "gone"
    assert call("check", good, doubtful).exit_code == 3
    assert call("check", good, doubtful, gone).exit_code == 2
    assert call("check", good, doubtful, gone, bad).exit_code == 1
    assert call("check", "--fail-on", "reject", doubtful, gone).exit_code == 2


@pytest.mark.parametrize("path", ["org/name", "https://huggingface.co/org/name"])
def test_a_name_on_a_hub_is_answered_with_how_to_write_it(path: str, tmp_path: Path) -> None:
    found = run("check", path, cwd=tmp_path)
    assert found.returncode == 2
    assert found.stderr.endswith("; check the path, or write hf:org/name for a model of the hub\n")


def test_what_a_server_lacks_is_no_matter_of_the_path(tmp_path: Path) -> None:
    found = run("check", "hf:a/-b", cwd=tmp_path)
    assert found.returncode == 2
    assert "hf:ORG/NAME" in found.stderr
    assert "check the path" not in found.stderr


def test_a_missing_path_does_not_stop_the_others(good: Path) -> None:
    found = run("check", "--format", "json", "nowhere", good, cwd=good.parent)
    assert found.returncode == 2
    assert found.stderr == (
        "openvet: cannot read nowhere: No such file or directory; check the path and that you may read it\n"
    )
    value = json.loads(found.stdout)
    assert [each["path"] for each in value["models"]] == [str(good)]
    assert value["errors"] == [{"path": "nowhere", "message": "No such file or directory"}]
    assert list(schema("report-v1").iter_errors(value)) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["inspct"], "openvet: No such command 'inspct'. Did you mean 'inspect'?; see `openvet --help`"),
        (["check"], "openvet check: Missing argument 'PATH...'; see `openvet check --help`"),
        (["check", "--jobs", "0", "x"], "0 is not in the range"),
        (["check", "--format", "xml", "x"], "'xml' is not one of"),
        (["check", "--rule", "pickle/no-such-rule", "x"], "there is no rule pickle/no-such-rule"),
        (["check", "--limit", "patience=1", "x"], "write NAME=VALUE with one of the names depth, members"),
        (["check", "--limit", "depth=-1", "x"], "a whole number above zero"),
        (["check", "--limit", "depth=1e3", "x"], "a whole number above zero"),
        (["check", "--limit", "seconds=nan", "x"], "a number above zero"),
        (["check", "--exclude", "", "x"], "--exclude '' matches nothing"),
        (["explain", "house/broken-plugins"], "did you mean house/broken-plugin?"),
        (["explain", "unknown:weather"], "known are unknown:no-reader"),
        (["formats", "safetensor"], "did you mean safetensors"),
        (["explain", "x\x1b[31m"], r"there is no rule x\x1b[31m"),
    ],
)
def test_wrong_arguments_are_one_clear_line(arguments: list[str], said: str) -> None:
    found = call(*arguments)
    assert (found.exit_code, found.stdout) == (2, "")
    assert said in found.stderr
    assert found.stderr.count("\n") == 1


def test_an_unexpected_exception_is_a_message(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("by \x1b zero")

    monkeypatch.setattr("openvet.workflows.check._check_one", broken)
    found = call("check", good)
    assert found.exit_code == 2
    assert found.stderr.startswith(
        r"openvet: a fault in OpenVet 0.1.0 itself: ZeroDivisionError: by \x1b zero (at test_commands.py:"
    )
    assert "Traceback" not in found.stderr
    assert "Traceback" in call("check", good, env={"OPENVET_DEBUG": "1"}).stderr
    monkeypatch.setattr("openvet.workflows.knowledge.rule_texts", broken)
    assert "a fault in OpenVet" in call("rules").stderr


def test_memory_that_runs_out_is_a_message(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hungry(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("openvet.workflows.check._check_one", hungry)
    found = call("check", good)
    assert (found.exit_code, "MemoryError" in found.stderr) == (2, True)


# --- interruption and closed pipes ---


def sparse(path: Path, size: int = 40 * 1024**3) -> Path:
    header = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.truncate(8 + len(header) + size)
    return path


def test_ctrl_c_stops_at_once_and_leaves_nothing(tmp_path: Path) -> None:
    model = sparse(tmp_path / "large.safetensors")
    report = tmp_path / "report.json"
    report.write_text("old")
    process = subprocess.Popen(
        [*OPENVET, "check", "--format", "json", "--output", report, model], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    time.sleep(2)
    assert process.poll() is None, "it ended before it could be interrupted"
    process.send_signal(signal.SIGINT)
    start = time.monotonic()
    try:
        out, error = process.communicate(timeout=20)
    finally:
        process.kill()
    assert time.monotonic() - start < 10
    assert process.returncode == 130
    assert (out, error) == (b"", b"openvet: interrupted; what was not reported is not decided\n")
    assert report.read_text() == "old"
    assert names(tmp_path) == ["large.safetensors", "report.json"]


def test_ctrl_c_at_any_moment_of_the_start_is_no_traceback(good: Path) -> None:
    for wait in (0.02, 0.05, 0.08, 0.12, 0.2):
        process = subprocess.Popen([*OPENVET, "check", good], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(wait)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=20)
        # before the interpreter reaches our first line it is its own to say what happened
        if b"openvet/cli" in error:
            assert b"Traceback" not in error


def test_a_closed_pipe_ends_quietly(good: Path) -> None:
    for form in ("text", "json", "jsonl", "sarif", "markdown"):
        command = f"{sys.executable} -m openvet check --format {form} {good} {good} | true; echo ${{PIPESTATUS[0]}}"
        found = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
        assert found.stderr == "", form
        assert found.stdout in {"141\n", "0\n"}, form  # 0 when it was written before the reader went


def test_help_into_a_closed_pipe_ends_quietly() -> None:
    command = f"{sys.executable} -m openvet --help | true; {sys.executable} -m openvet rules | head -n 1 >/dev/null"
    found = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert found.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_said(good: Path) -> None:
    for target in ([], ["--format", "json"]):
        with open("/dev/full", "wb") as full:
            found = subprocess.run(
                [*OPENVET, "check", *target, good], stdout=full, stderr=subprocess.PIPE, text=True, check=False
            )
        assert found.returncode == 2
        assert found.stderr == "openvet: cannot write to standard output: No space left on device\n"
    found = run("check", "--output", "/dev/full", good)
    assert found.returncode == 2
    assert found.stderr.startswith("openvet: cannot write /dev/full: No space left on device")
    with open("/dev/full", "wb") as full:
        found_help = subprocess.run([*OPENVET, "--help"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (found_help.returncode, found_help.stderr) == (2, "openvet: No space left on device\n")


def test_closed_streams(good: Path) -> None:
    def shell(command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)

    start = f"{sys.executable} -m openvet check {good}"
    found = shell(f"{start} >&-")
    assert (found.returncode, found.stderr) == (2, "openvet: standard output is closed; use --output FILE\n")
    found = shell(f"{start} 2>&-")
    assert (found.returncode, found.stdout.startswith("ADMIT")) == (0, True)
    found = shell(f"{sys.executable} -m openvet check - <&-")
    assert (found.returncode, "it is closed" in found.stderr) == (2, True)


# --- output ---


def test_output_is_written_whole(good: Path, tmp_path: Path) -> None:
    report = tmp_path / "deep" / "report.json"
    report.parent.mkdir()
    found = run("check", "--format", "json", "--output", report, good)
    assert found.returncode == 0
    assert found.stdout == ""
    assert found.stderr == f"ADMIT  {good} — 1 file read to the last byte, nothing found\nthe report is in {report}\n"
    first = report.read_bytes()
    assert json.loads(first)["models"][0]["decision"]["verdict"] == "admit"
    assert stat.S_IMODE(report.stat().st_mode) == 0o666 & ~umask()
    report.chmod(0o600)
    assert run("check", "--quiet", "--format", "json", "--output", report, good).stderr == ""
    assert report.read_bytes() == first
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    assert names(report.parent) == ["report.json"]


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_output_through_a_link_keeps_the_link(good: Path, tmp_path: Path) -> None:
    (tmp_path / "there.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("there.txt")
    assert call("check", "--output", tmp_path / "link.txt", good).exit_code == 0
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "there.txt").read_text().startswith("ADMIT")


@pytest.mark.parametrize(
    ("target", "said"), [("no/such/report", "its folder does not exist"), (".", "it is a folder; name a file in it")]
)
def test_output_that_cannot_be_is_said_before_the_work(good: Path, tmp_path: Path, target: str, said: str) -> None:
    found = call("check", "--output", tmp_path / target, sparse(good / "large.safetensors"))
    assert found.exit_code == 2
    assert said in found.stderr


def test_a_failure_in_the_middle_keeps_the_old_report(
    good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = tmp_path / "report.jsonl"
    report.write_text("old")

    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("openvet.cli.output.os.fsync", broken)
    found = call("check", "--format", "jsonl", "--output", report, good)
    assert found.exit_code == 2
    assert "No space left on device; nothing was left there" in found.stderr
    assert report.read_text() == "old"
    assert names(tmp_path) == ["good", "report.jsonl"]


def test_the_same_bytes_whatever_the_number_of_threads(good: Path, doubtful: Path, bad: Path) -> None:
    for at in range(6):
        (good / f"part-{at}.safetensors").write_bytes(safetensors(3_000_000 + 4 * at))
    for form in ("json", "jsonl", "sarif", "markdown", "text"):
        outputs = {call("check", "-f", form, "-j", jobs, good, doubtful, bad).stdout for jobs in (1, 4, 4)}
        assert len(outputs) == 1, form


@pytest.mark.parametrize("command", ["check", "scan"])
def test_json_of_real_runs_obeys_the_schema(command: str, good: Path, doubtful: Path, bad: Path) -> None:
    value = json.loads(call(command, "-f", "json", good, doubtful, bad).stdout)
    assert list(schema("report-v1").iter_errors(value)) == []
    statements = [len(each["statements"]) for each in value["models"]]
    assert statements == ([7, 7, 7] if command == "check" else [1, 1, 1])
    lines = call(command, "-f", "jsonl", good, good / "gone").stdout.splitlines()
    for line in lines:
        assert list(schema("report-v1", "#/$defs/line").iter_errors(json.loads(line))) == []
    assert len(lines) == 2


def test_inspect(good: Path) -> None:
    value = json.loads(call("inspect", "-f", "json", good).stdout)
    assert list(schema("inspection-v1").iter_errors(value)) == []
    shown = call("inspect", "--tensors", good)
    assert shown.exit_code == 0
    assert "w  F32  4  16 bytes" in shown.stdout
    assert call("inspect", good, good / "gone").exit_code == 2


def test_inspect_lists_few_tensors_unless_asked(tmp_path: Path) -> None:
    header = {f"t{at:03d}": {"dtype": "U8", "shape": [1], "data_offsets": [at, at + 1]} for at in range(100)}
    text = json.dumps(header).encode()
    (tmp_path / "many.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + bytes(100))
    short = call("inspect", tmp_path).stdout
    assert "t011" in short
    assert "t012" not in short
    assert "and 88 more; --tensors lists all" in short
    assert "t099" in call("inspect", "--tensors", tmp_path).stdout


def test_exclude_is_said_as_not_read(good: Path) -> None:
    found = call("check", "--exclude", "*.safetensors", good)
    assert found.exit_code == 3
    assert "excluded by the command's own options" in found.stdout


def test_a_limit_can_be_set(good: Path) -> None:
    value = json.loads(call("check", "-f", "json", "--limit", "header=2M", "--limit", "seconds=1.5", good).stdout)
    limits = value["models"][0]["statements"][0]["predicate"]["limits"]
    assert (limits["header"], limits["seconds"]) == (2 * 1024**2, 1.5)


def test_one_rule_alone(good: Path) -> None:
    value = json.loads(call("check", "-f", "json", "--rule", "house/broken-plugin", good).stdout)
    assert value["models"][0]["statements"][0]["predicate"]["rules"] == {"house/broken-plugin": "pass"}


# --- paths from standard input ---


@pytest.mark.parametrize("separator", [b"\n", b"\0"])
def test_paths_from_standard_input(good: Path, tmp_path: Path, separator: bytes) -> None:
    odd = b"with blank \xff\xe2\x80\xae'\"" + (b"\n" if separator == b"\0" else b"")
    names = [os.fsencode(good), os.fsencode(tmp_path) + b"/" + odd]
    Path(os.fsdecode(names[1])).mkdir()
    (Path(os.fsdecode(names[1])) / "a.safetensors").write_bytes(safetensors())
    data = separator + separator.join(names) + separator + (b"" if separator == b"\0" else b"  \n\n")
    found = subprocess.run(
        [*OPENVET, "check", "--format", "json", "-"], input=data, capture_output=True, timeout=60, check=False
    )
    assert (found.returncode, found.stderr) == (0, b"")
    value = json.loads(found.stdout)
    paths = [each["path"] for each in value["models"]]
    assert paths[0] == str(good)
    assert paths[1].endswith("with blank \\xff\\u202e'\"" + ("\\x0a" if separator == b"\0" else ""))


def test_no_paths_on_standard_input_are_no_success() -> None:
    found = call("check", "-", input="\n\n")
    assert (found.exit_code, "no path came in" in found.stderr) == (2, True)


# --- the terminal ---


def in_terminal(
    arguments: list[str], columns: int = 90, seconds: float = 30, interrupts: int = 1, **environment: str
) -> tuple[int, str]:
    """Run openvet on a pseudo-terminal; the exit code and everything that it showed.

    Ctrl-C comes once the progress is drawn, as many times as ``interrupts`` says.
    """
    import fcntl
    import termios

    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
    settings = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR", "COLUMNS"}}
    process = subprocess.Popen(
        [*OPENVET, *arguments], stdin=follower, stdout=follower, stderr=follower,
        env={**settings, "TERM": "xterm", **environment},
    )  # fmt: skip
    os.close(follower)
    shown, end = b"", time.monotonic() + seconds
    while time.monotonic() < end:
        if select.select([leader], [], [], 0.1)[0]:
            try:
                data = os.read(leader, 65536)
            except OSError:
                break
            if not data:
                break
            shown += data
        elif process.poll() is not None:
            break
        if interrupts and b"% " in shown and shown.count(b"\r") > 6 and process.poll() is None:
            interrupts -= 1
            process.send_signal(signal.SIGINT)
    os.close(leader)
    try:
        return process.wait(timeout=20), shown.decode()
    finally:
        process.kill()  # where it did not end, it would read forty gigabytes beside the tests that follow


def test_colours_on_a_terminal_unless_forbidden(good: Path) -> None:
    assert "\x1b[1;32mADMIT" in in_terminal(["check", str(good)], interrupts=0)[1]
    # on a busy machine the progress is drawn, whose line is erased by an escape that is no colour
    assert not re.search(r"\x1b\[[\d;]*m", in_terminal(["check", str(good)], interrupts=0, NO_COLOR="1")[1])
    assert "\x1b" not in in_terminal(["check", str(good)], interrupts=0, TERM="dumb")[1]
    assert "\x1b" in in_terminal(["check", str(good)], interrupts=0, TERM="dumb", FORCE_COLOR="1")[1]


def test_no_colours_without_a_terminal_unless_demanded(good: Path) -> None:
    assert "\x1b" not in run("check", good).stdout
    assert "\x1b[1;32mADMIT" in run("check", good, env={"FORCE_COLOR": "1"}).stdout
    assert "\x1b" not in run("check", good, env={"FORCE_COLOR": "1", "NO_COLOR": "1"}).stdout
    assert "\x1b" not in run("check", "-f", "json", good, env={"FORCE_COLOR": "1"}).stdout


def test_an_ascii_terminal_gets_ascii(good: Path, tmp_path: Path) -> None:
    odd = tmp_path / "mödel"
    good.rename(odd)
    found = run("check", odd, tmp_path / "gőne", env={"PYTHONIOENCODING": "ascii"})
    assert found.returncode == 2
    assert found.stdout.isascii()
    assert "ADMIT  m\\xf6del - 1 file read" in found.stdout
    assert "g\\u0151ne" in found.stderr
    assert json.loads(run("check", "-f", "json", odd, env={"PYTHONIOENCODING": "ascii"}, encoding="utf-8").stdout)


def test_progress_is_drawn_and_taken_away(tmp_path: Path) -> None:
    code, shown = in_terminal(["check", str(sparse(tmp_path / "a-large-model.safetensors"))], columns=110)
    assert code == 130, shown
    lines = [each for each in shown.split("\r\x1b[K") if "%" in each]
    assert len(lines) >= 3
    assert all(len(each) <= 109 and "\n" not in each for each in lines)
    assert re.match(r"[█░]{20} +\d+%  .* of 42\.9 GB  .*/s  .* left  ", lines[-1])
    assert re.search(r"  a-\S*tensors$", lines[-1]), lines[-1]
    assert shown.endswith("\r\x1b[Kopenvet: interrupted; what was not reported is not decided\r\n")


def test_an_impatient_person_sees_no_traceback(tmp_path: Path) -> None:
    code, shown = in_terminal(["check", str(sparse(tmp_path / "large.safetensors"))], columns=110, interrupts=50)
    assert (code, "Traceback" in shown) == (130, False)


@pytest.mark.parametrize("option", ["--quiet", "--no-progress"])
def test_progress_can_be_left_out(tmp_path: Path, option: str) -> None:
    model = sparse(tmp_path / "large.safetensors", 500_000_000)
    code, shown = in_terminal(["check", option, str(model)], NO_COLOR="1")
    assert (code, "\r\x1b[K" in shown) == (0, False)


def test_no_progress_without_a_terminal(tmp_path: Path) -> None:
    found = run("check", sparse(tmp_path / "large.safetensors", 500_000_000))
    assert (found.returncode, found.stderr) == (0, "")
