"""A line of a script is judged by the patterns that its words allow, and by no fewer than all patterns would find in it."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Any

import pytest

from openvet.core.limits import Budget
from openvet.formats import shell
from openvet.formats._format import Facts
from openvet.formats._shell_line import judged_line, words_of
from openvet.formats._shell_script import tell_commands
from openvet.formats._windows_commands import Remembered, plain_line
from openvet.io.source import BytesSource
from openvet.testing import all_cases


class Everything(AbstractSet[str]):
    """Words among which each one is, so that every pattern is asked."""

    def __contains__(self, word: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 1

    def isdisjoint(self, other: Any) -> bool:
        return False


EVERYTHING = Everything()
WORDS = [
    "socat",
    "exec:sh",
    "mkfifo",
    "nc",
    "-e",
    "ncat",
    "/dev/tcp/a",
    "netcat",
    "openssl",
    "telnet",
    "dd",
    "of=/dev/sda",
    "rm",
    "-rf",
    "/",
    "~",
    "$HOME",
    ":(){",
    ":|:&",
    "}",
    ">",
    "~/.ssh/authorized_keys",
    "/etc/passwd",
    "eval",
    "base64",
    "-d",
    "|",
    "||",
    ";",
    "&",
    "sudo",
    "sh",
    "bash",
    "python3",
    "perl",
    "curl",
    "wget",
    "iwr",
    "irm",
    "iex",
    "Invoke-Expression",
    "Invoke-WebRequest",
    "DownloadString(",
    "DownloadFile",
    "certutil",
    "-urlcache",
    "bitsadmin",
    "powershell",
    "pwsh.exe",
    "-enc",
    "SQBFAFgAIAAoAE4AZQB3AC0A",
    "$x",
    "%a:~0,1%",
    "mshta.exe",
    "regsvr32",
    "/i:http://a",
    "rundll32",
    "javascript:",
    "wmic",
    "/format:http:",
    "cmstp",
    "/s",
    "installutil",
    "/u",
    "msbuild",
    "http://a/b.exe",
    "https://1.2.3.4/x.ps1",
    "vssadmin",
    "delete",
    "reg",
    "add",
    "\\Run",
    "bcdedit",
    "recoveryenabled",
    "netsh",
    "advfirewall",
    "off",
    "Set-MpPreference",
    "-DisableX",
    "1",
    "Add-MpPreference",
    "-ExclusionPath",
    "msiexec",
    "/i",
    "https://a/b.msi",
    "[Assembly]::Load(",
    "byte[]",
    "FromBase64String",
    "[scriptblock]::Create(",
    ".InvokeCommand.InvokeScript(",
    "Execute",
    "x.responseText",
    "b.exe",
    "start",
    "Start-BitsTransfer",
    "$(curl",
    "<(curl",
    "source",
    "-w",
    "hidden",
    "New-Object",
    "Net.Sockets.TCPClient",
    "a_b",
    "İex",
    "ſocat",
    "Koala",
]


def lines() -> Iterator[str]:
    for case in all_cases():
        made = case.forge()
        for data in [made] if isinstance(made, bytes) else made.values():
            if len(data) < 20_000:
                yield from (plain_line(line.strip()) for line in data.decode("latin-1").splitlines())
    chance = random.Random(7)
    for _ in range(20_000):
        line = chance.choice((" ", " ", "", "/", "\t")).join(chance.choices(WORDS, k=chance.randint(1, 8)))
        yield chance.choice((line, line, line.upper(), line.swapcase()))


def test_the_words_of_a_line_hide_nothing_from_the_patterns() -> None:
    found = 0
    for line in dict.fromkeys(lines()):
        judged = judged_line(line, EVERYTHING)
        assert judged_line(line, words_of(line)) == judged, line
        found += judged is not None
    assert found > 3_000


def test_nor_from_what_is_remembered() -> None:
    one, other = Remembered(), Remembered()
    for number, line in enumerate(lines()):
        if number % 50 == 0:
            one, other = Remembered(), Remembered()
        words = words_of(line)
        assert one.put_in(line, words) == other.put_in(line, EVERYTHING)
        assert one.runs(line, words) == other.runs(line, EVERYTHING), line


@pytest.mark.parametrize(
    "line", ["echo done && make install", "iex $x{}", "$x{} = 'a'", "a", "curl " + "a" * 3_000 + "{}. http://b", "a-b." * 900]
)  # fmt: skip
def test_four_times_the_lines_cost_four_times_the_time(line: str) -> None:
    def took(size: int) -> float:
        text = "".join(line.format(number) + "\n" for number in range(size // len(line)))
        start = time.process_time()
        tell_commands(text, Facts("a.ps1", "a.ps1", Budget()))
        return time.process_time() - start

    took(10_000)  # patterns are compiled
    # a machine may be slow, and not more so in the middle; what is quadratic costs sixteen times
    assert any(took(800_000) < 9 * took(200_000) + 0.05 for _ in range(3))


@pytest.mark.parametrize(
    ("text", "interpreter"),
    [
        ("#!", ""),
        ("#!\n", ""),
        ("#! /bin/sh -e \necho a\n", "/bin/sh -e"),
        ("#!/bin/bash", "/bin/bash"),
        ("#!\n\n/bin/sh", ""),
    ],
)
def test_the_first_line_names_the_interpreter_or_nothing(text: str, interpreter: str) -> None:
    facts = Facts("a.sh", "a.sh", Budget())
    shell.read(BytesSource(text.encode()), facts)
    assert facts.metadata["interpreter"] == interpreter
    assert not facts.unknowns
