"""Files of settings by which Windows starts something later: entries of the registry, and what a disk starts by itself.

Sources: MITRE ATT&CK T1547.001, T1546, T1562.001, T1112, T1091.
"""

from __future__ import annotations

import re
from typing import Final

from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.formats._format import Facts

__all__ = ["tell_registry"]

#: Keys whose values Windows runs, or that switch off what protects it.
_KEYS: Final = pattern(
    r"\\(?:CurrentVersion\\(?:Policies\\Explorer\\)?(?:Run|RunOnce|RunOnceEx|RunServices|RunServicesOnce)|Winlogon(?:\\Notify)?|"
    r"Image File Execution Options\\[^\]]{1,200}|SilentProcessExit\\[^\]]{1,200}|shell\\(?:open|runas|opennewwindow)\\command|Command Processor|"
    r"InprocServer32|LocalServer32|AppCertDlls|Services\\[^\\\]]{1,200}|Active Setup\\Installed Components\\[^\]]{1,200}|Environment|"
    r"Windows NT\\CurrentVersion\\Windows|Windows Defender(?:\\[^\]]{1,200})?|Policies\\System)\]",
    re.IGNORECASE,
)
#: Of the keys that hold much else, the values that matter.
_VALUES: Final = {
    "environment]": ("userinitmprlogonscript", "cor_profiler", "comspec"), "command processor]": ("autorun",), "windows]": ("load", "run", "appinit_dlls"),
    "policies\\system]": ("enablelua", "disabletaskmgr", "localaccounttokenfilterpolicy"),
}  # fmt: skip
_VALUE: Final = pattern(r"(@|\"(?:[^\"\\]|\\.){0,400}\")\s{0,8}=\s{0,8}(.{1,1000})")
_MOST: Final = 20


def tell_registry(text: str, facts: Facts) -> None:
    """Record the values of a ``.reg`` file that make Windows start something, or that switch off what protects it."""
    key, told = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if bare.startswith("["):
            key = bare.lower() if _KEYS.search(bare) and not bare.startswith("[-") else ""
        elif key and (found := _VALUE.match(bare)) and not found[2].startswith("-"):
            named = next((names for end, names in _VALUES.items() if key.endswith(end)), None)
            if named is None or found[1].strip('"').lower() in named:
                message = (
                    f"makes Windows start something, or switches off what protects it: {shorten(printable(bare), 120)}"
                )
                facts.anomaly("hub/shell-command", message, line=number, kind="hidden")
                told += 1
                if told >= _MOST:
                    return
