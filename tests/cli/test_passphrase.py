"""A passphrase that a person types: at a real terminal, where nothing of it is shown."""

from __future__ import annotations

import os
import pty
import select
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

SECRET = "correct horse"


def typed(arguments: Sequence[str], answers: Sequence[tuple[str, str]], folder: Path) -> tuple[int, str]:
    """Run a command at a terminal of its own, and type each answer where its prompt has come; the exit code and all that was shown."""
    environment = {name: each for name, each in os.environ.items() if name != "OPENVET_KEY_PASSPHRASE"}
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.execve(sys.executable, [sys.executable, "-m", "openvet", *arguments], environment)
    shown, seen, waiting, end = "", 0, list(answers), time.monotonic() + 60
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                part = os.read(terminal, 4096)
            except OSError:  # the terminal is gone with its last process
                break
            if not part:
                break
            shown += part.decode()
        if waiting and waiting[0][0] in shown[seen:]:
            seen = len(shown)
            time.sleep(0.1)  # the prompt comes before the echo is turned off
            os.write(terminal, waiting.pop(0)[1].encode() + b"\n")
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    assert not waiting, shown
    return os.waitstatus_to_exitcode(status), shown


@pytest.mark.skipif(not hasattr(pty, "fork"), reason="there are no terminals here")
def test_a_passphrase_is_asked_for_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m/a").write_bytes(b"1")
    code, shown = typed(["keys", "new", "k"], [("Passphrase", SECRET), ("epeat", SECRET)], tmp_path)
    assert (code, SECRET in shown) == (0, False)
    assert b"ENCRYPTED" in (tmp_path / "k").read_bytes()
    code, shown = typed(["sign", "--key", "k", "m"], [("Passphrase of k", SECRET)], tmp_path)
    assert (code, SECRET in shown) == (0, False)
    assert "signed m" in shown
    code, shown = typed(["sign", "--key", "k", "--force", "m"], [("Passphrase of k", "wrong")], tmp_path)
    assert code == 2
    assert "the passphrase is wrong" in shown
    code, shown = typed(["verify", "--key", "k.pub", "m"], [], tmp_path)
    assert code == 0
