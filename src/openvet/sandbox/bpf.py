"""Filters of system calls as programs of classic BPF, from lists of rules.

Each rule names calls by their numbers, may ask for values of arguments, and says what is done. The first that fits counts; what none fits is
refused with ``EPERM``. A call of another architecture ends the process.

Source: ``Documentation/userspace-api/seccomp_filter.rst`` and ``include/uapi/linux/{seccomp,filter}.h`` of Linux.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Final

from openvet.core.dataclass import dataclass

__all__ = ["ALLOW", "REFUSE", "TELL", "UNKNOWN_CALL", "Rule", "Where", "assemble"]

#: What is done: the call is made; it fails with EPERM; it fails with ENOSYS; it waits for what the parent answers.
ALLOW: Final = 0x7FFF0000
REFUSE: Final = 0x00050001
UNKNOWN_CALL: Final = 0x00050026
TELL: Final = 0x7FC00000

# struct sock_filter: code, jump if true, jump if false, k
_LOAD_WORD: Final = 0x20
_AND: Final = 0x54
_JUMP: Final = 0x05
_JUMP_IF_EQUAL: Final = 0x15
_JUMP_IF_GREATER_OR_EQUAL: Final = 0x35
_RETURN: Final = 0x06
_KILL_PROCESS: Final = 0x80000000
#: Where struct seccomp_data has the number of the call, the architecture and the arguments, of which only the low words are looked at here.
_NUMBER_AT: Final = 0
_ARCH_AT: Final = 4
_ARGUMENTS_AT: Final = 16
#: x86-64 accepts the calls of its 32-bit-pointer ABI with this bit set; they are other doors to the same rooms.
_X32: Final = 0x40000000
_NUMBERS_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class Where:
    """The low (or with ``high`` the high) word of an argument, after ``mask``, is one of ``values``."""

    argument: int
    values: tuple[int, ...]
    mask: int = 0xFFFFFFFF
    high: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """What is done about some calls, where all of ``where`` holds."""

    numbers: tuple[int, ...]
    action: int
    where: tuple[Where, ...] = ()


_Line = tuple[int, int, int, int]


def assemble(arch: int, rules: Iterable[Rule], otherwise: int = REFUSE) -> bytes:
    """The program.

    Args:
        arch: AUDIT_ARCH_* of the machine.
        otherwise: what is done about a call that no rule fits.
    """
    lines: list[_Line] = [
        (_LOAD_WORD, 0, 0, _ARCH_AT),
        (_JUMP_IF_EQUAL, 1, 0, arch),
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_LOAD_WORD, 0, 0, _NUMBER_AT),
        (_JUMP_IF_GREATER_OR_EQUAL, 0, 1, _X32),
        (_RETURN, 0, 0, REFUSE),
    ]
    for rule in rules:
        numbers = sorted(each for each in rule.numbers if each >= 0)
        for at in range(0, len(numbers), _NUMBERS_AT_ONCE):
            lines += _of_rule(numbers[at : at + _NUMBERS_AT_ONCE], rule)
    lines.append((_RETURN, 0, 0, otherwise))
    return b"".join(struct.pack("=HBBI", *line) for line in lines)


def _of_rule(numbers: Sequence[int], rule: Rule) -> list[_Line]:
    body: list[_Line] = []
    for test in rule.where:
        body.append((_LOAD_WORD, 0, 0, _ARGUMENTS_AT + 8 * test.argument + (4 if test.high else 0)))
        if test.mask != 0xFFFFFFFF:
            body.append((_AND, 0, 0, test.mask))
        count = len(test.values)
        body += [(_JUMP_IF_EQUAL, count - at, 0, value) for at, value in enumerate(test.values)]
        body.append((_JUMP, 0, 0, -1))  # to the end of the rule: filled in below
    body.append((_RETURN, 0, 0, rule.action))
    body = [(code, jt, jf, len(body) - at - 1) if code == _JUMP else (code, jt, jf, k) for at, (code, jt, jf, k) in enumerate(body)]  # fmt: skip
    match = [(_JUMP_IF_EQUAL, len(numbers) - at, 0, number) for at, number in enumerate(numbers)]
    return [(_LOAD_WORD, 0, 0, _NUMBER_AT), *match, (_JUMP, 0, 0, len(body)), *body]
