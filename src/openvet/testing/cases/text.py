"""Text that is unusual and harmless, and bytes that only look like text."""

from __future__ import annotations

from openvet.testing.case import Case

__all__ = ["CASES"]

_CHINESE = "你好世界，这是一个模型的说明文件。\n"

CASES: tuple[Case, ...] = (
    Case("text/delete", "a vocabulary with DEL as an entry", lambda: b"a\n\x7f\nb\n", "admit", formats=("text",), name="v.txt"),
    Case("text/separators", "file separators as entries", lambda: b"a\n\x1c\n\x1d\n", "admit", formats=("text",), name="v.txt"),
    Case("text/gb18030", "a text in GB 18030", lambda: _CHINESE.encode("gb18030"), "admit", formats=("text",), name="t.txt"),
    Case("text/utf-16", "a text in UTF-16", lambda: _CHINESE.encode("utf-16"), "admit", formats=("text",), name="t.txt"),
    Case("text/many-controls", "control characters that no text has", lambda: b"ab\x01\x02\x03\x04", "review", name="t.txt"),
)  # fmt: skip
