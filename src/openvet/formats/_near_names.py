"""Names of packages that are like a well-known one but for a letter: whoever registers such a name waits for those who mistype it.

A heuristic: one letter left out, doubled, changed or two exchanged, of names with six letters or more that everybody uses. A real package
may be called so as well, so that one such name is only worth a look, and two in one list are none of somebody's mistakes.

Sources: https://snyk.io/blog/typosquatting-attacks/ ; MITRE ATT&CK T1195.002; arXiv 2003.03471.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from openvet.core.tables import read_table

__all__ = ["meant_by"]

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789-"
_SHORTEST: Final = 6
_LONGEST: Final = 40
#: Names that many use and that are no module's name, and real packages that are called nearly as another.
_MORE: Final = [
    "python-dateutil",
    "scikit-learn",
    "huggingface-hub",
    "sentence-transformers",
    "beautifulsoup4",
    "opencv-python",
    "tensorflow-gpu",
    "python-dotenv",
    "pytorch-lightning",
    "typing-extensions",
    "importlib-metadata",
    "charset-normalizer",
    "cryptography",
    "prometheus-client",
    "google-auth",
    "requests-oauthlib",
    "setuptools",
    "msgpack-python",
    "flash-attn",
    "safetensors",
    "bitsandbytes",
]
_OTHERS: Final = frozenset({
    "dataset", "openapi", "transformer", "pypandoc", "request", "pyaml", "ruamel-yml", "sktime", "timm3d", "optimus", "gradient", "plotnine", "seqeval", "pytesseract", "lightning", "pylance",
    "mistral", "cohere", "datumaro", "deepspeech", "diffuser", "evaluation", "tokenize", "torchvista", "xformer", "accelerator", "scipy-stack", "jsonlines", "jsonline", "colored", "coloredlogs",
})  # fmt: skip


@cache
def _known() -> frozenset[str]:
    table = read_table("python_packages")
    return frozenset(
        each.lower().replace("_", "-")
        for each in (*table["projects"], *table["names"], *_MORE)
        if len(each) >= _SHORTEST
    )


def meant_by(name: str) -> str:
    """The well-known name that a name is like but for a letter; empty where there is none, or it is one itself."""
    name = name.lower().replace("_", "-").replace(".", "-")
    if (
        not _SHORTEST <= len(name) <= _LONGEST
        or name in _known()
        or name in _OTHERS
        or name.rstrip("0123456789") in _known()
    ):
        return ""
    for at in range(len(name) + 1):
        head, tail = name[:at], name[at:]
        made = [head + tail[1:]] if tail else []
        made += [head + tail[1] + tail[0] + tail[2:]] if len(tail) > 1 else []
        made += [head + letter + tail for letter in _LETTERS]
        made += [head + letter + tail[1:] for letter in _LETTERS] if tail else []
        for each in made:
            if each in _known() and each != name:
                return each
    return ""
