"""Calls and assignments that make a machine start something by itself, make other programs ask or load something else, or give away rights.

Sources: MITRE ATT&CK T1546, T1547, T1548.001, T1574.006.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, Final

from openvet.core.pattern import pattern
from openvet.formats._addresses import BARE, is_foreign
from openvet.formats._python_nodes import walk

if TYPE_CHECKING:
    from openvet.formats._python_origins import Origins
    from openvet.formats._python_record import Record

__all__ = ["changes", "variable"]

_RUN_KEY: Final = pattern(
    r"CurrentVersion\\{1,2}(?:Run|RunOnce|Winlogon|Policies|Image File)|\\Environment\b|\\Active Setup|\\Shell Folders",
    2,
)
#: Variables by which the programs that are started from here load or ask something else; and where that is somebody else's.
_LOADING: Final = frozenset({"LD_PRELOAD", "LD_AUDIT", "DYLD_INSERT_LIBRARIES", "PYTHONSTARTUP", "BASH_ENV", "PROMPT_COMMAND", "GIT_SSH_COMMAND",
                             "PERL5OPT", "NODE_OPTIONS", "RUBYOPT"})  # fmt: skip
_ENDPOINTS: Final = pattern(
    r"(?:HF_ENDPOINT|(?:HTTPS?|ALL|FTP)_PROXY|PIP_(?:EXTRA_)?INDEX_URL|PIP_FIND_LINKS|UV_(?:EXTRA_|DEFAULT_)?INDEX(?:_URL)?|OPENAI_(?:BASE_URL|API_BASE)|AWS_ENDPOINT_URL|CONDA_CHANNELS)",
    2,
)
_OF_OTHERS: Final = pattern(
    r"HF_ENDPOINT|PIP_(?:EXTRA_)?INDEX_URL|PIP_FIND_LINKS|UV_(?:EXTRA_|DEFAULT_)?INDEX(?:_URL)?", 2
)
#: Mirrors that everybody uses, and what a company calls its own.
_MIRRORS: Final = pattern(
    r"hf-mirror\.com(?![\w.-])|aifasthub|hf\.co|modelscope|tsinghua|aliyun|ustc\.edu|douban\.com|tencent|huaweicloud|sjtu\.edu|bfsu\.edu|pypi|pytorch\.org|nvidia\.com|//mirrors?\.|artifactory|nexus|jfrog|pkg\.dev|\.corp\b|\.intra|internal"
)
_OF_A_SYSTEM: Final = pattern(r"(?:/usr/|/lib|/opt/|lib[\w.-]{1,60}\.so|--max|$)")


def changes(uses: Record, origins: Origins, node: ast.Call, name: str, last: str) -> str:
    """What makes a machine start something by itself, or gives rights to somebody else."""
    if last in ("SetValueEx", "SetValue", "CreateKeyEx", "OpenKey", "OpenKeyEx", "CreateKey") and "reg" in name.lower():
        if last.startswith("Set") and any(_RUN_KEY.search(text) for text in origins.texts([node])):
            return "makes Windows start something by itself"
    elif last == "chmod":
        mode = uses.fold(node.args[-1]) if node.args else None
        if type(mode) is int and mode & 0o6000 and mode < 0o10000:
            return "gives a program the rights of its owner, whoever runs it"
        if any(uses.resolve(each) in ("stat.S_ISUID", "stat.S_ISGID") for each in walk(node)):
            return "gives a program the rights of its owner, whoever runs it"
    elif last in ("putenv", "setdefault", "update"):
        return _variables(uses, node, name)
    return ""


def variable(uses: Record, key: Any, value: ast.expr) -> str:
    """``os.environ['LD_PRELOAD'] = '/tmp/x.so'``."""
    text = uses.fold(value)
    if not isinstance(key, str) or not isinstance(text, str):
        return ""
    if key in _LOADING and not _OF_A_SYSTEM.match(text) and text:
        return f"makes other programs load or run something of its own ({key})"
    if _ENDPOINTS.fullmatch(key) and BARE.search(text):
        return f"makes other programs ask a bare address ({key})"
    if _OF_OTHERS.fullmatch(key) and is_foreign([text]) and not _MIRRORS.search(text):
        return f"makes other programs take code and models from somebody whom nobody knows ({key})"
    return ""


def _variables(uses: Record, node: ast.Call, name: str) -> str:
    if name in ("os.putenv", "os.environ.setdefault") and len(node.args) == 2:
        return variable(uses, uses.fold(node.args[0]), node.args[1])
    if name == "os.environ.update" and node.args and isinstance(node.args[0], ast.Dict):
        pairs = zip(node.args[0].keys, node.args[0].values, strict=True)
        told = (variable(uses, uses.fold(key), value) for key, value in pairs if key is not None)
        return next((each for each in told if each), "")
    return ""
