"""What the command line of a script says, which is its user's own choice; and what only looks as if it came from there."""

from __future__ import annotations

from collections.abc import Mapping

from openvet.testing.case import Case

__all__ = ["CASES"]

_LOUD = "hub/python-code"
_COPIES = "import subprocess\n\n\ndef fetched(place):\n    command = f'aws s3 cp {place} -'\n    return subprocess.Popen(command, shell=True, stdout=subprocess.PIPE)\n"

#: Decisions, the rules that tell of a case, and its files.
_HELD: dict[str, tuple[str, tuple[str, ...], Mapping[str, str]]] = {
    "a-source-that-its-user-names": (
        "admit",
        (),
        {
            "settled.py": "import sys\n\nfor each in sys.argv[1:]:\n    if '=' not in each:\n        named = each\n        exec(open(named).read())\n",
            "train.py": "steps = 3\nexec(open('settled.py').read())\nprint(steps)\n",
        },
    ),
    "a-source-that-it-names-itself": (
        "reject",
        (_LOUD, "python/code-at-load"),
        {"modeling_x.py": "import sys\n\nsys.argv[1:] = ['notes.txt']\nexec(open(sys.argv[1]).read())\n"},
    ),
    "a-source-in-a-folder-that-is-named": (
        "reject",
        (_LOUD, "python/code-at-load"),
        {"modeling_x.py": "import sys\n\nfor each in sys.argv:\n    exec(open(each + '/notes.txt').read())\n"},
    ),
    "a-script-that-a-model-runs-by-its-text": (
        "reject",
        (_LOUD, "python/process-at-load"),
        {
            "modeling_x.py": "import os\n\nexec(open(os.path.join(os.path.dirname(__file__), 'train-x.py')).read())\n",
            "train-x.py": "import subprocess\n\nsubprocess.run(['make', 'data'])\n",
        },
    ),
    "a-picture-by-a-script-that-nothing-imports": (
        "admit",
        (),
        {
            "look-at-it.py": "import requests\nfrom PIL import Image\nfrom transformers import pipeline\n\nurl = 'https://pictures.example.net/a.png'\npicture = Image.open(requests.get(url, stream=True).raw)\n"
            "answer = pipeline('image-classification')(picture)\nprint(answer)\n"
        },
    ),
    "a-picture-by-a-model": (
        "reject",
        (_LOUD, "python/network-at-load"),
        {"modeling_x.py": "import requests\nfrom PIL import Image\n\npicture = Image.open(requests.get('https://pictures.example.net/a.png', stream=True).raw)\n"},
    ),
    "a-command-around-what-is-given": (
        "admit",
        (),
        {
            "make_x.py": "import argparse\nimport os\n\n\ndef put_away(name):\n    parts = name.split('/')\n    place = 's3://corpus/' + parts[-2] + '/' + parts[-1]\n    command = f'aws s3 cp {name} {place} && rm {name}'\n"
            "    os.system(command)\n\n\nif __name__ == '__main__':\n    parser = argparse.ArgumentParser()\n    parser.add_argument('name')\n    put_away(parser.parse_args().name)\n"
        },
    ),
    "a-command-out-of-what-is-given": (
        "reject",
        (_LOUD, "python/hostile-code"),
        {"modeling_x.py": "import os\n\n\ndef answered(message):\n    command = message.split('!')[1]\n    os.system(command)\n"},
    ),
    "a-command-that-may-be-what-is-given": (
        "reject",
        (_LOUD, "python/hostile-code"),
        {"modeling_x.py": "import os\n\n\ndef answered(message):\n    command = f'ls {message}'\n    if message.startswith('!'):\n        command = message.split('!')[1]\n    os.system(command)\n"},
    ),
    "a-bucket-that-is-given": (
        "review",
        (_LOUD, "python/process-at-load"),
        {
            "store.py": _COPIES,
            "modeling_x.py": "from torch import nn\n\nfrom .store import fetched\n\n\nclass X(nn.Module):\n    def __init__(self, place):\n        self.weights = fetched(place)\n",
        },
    ),
    "a-bucket-that-it-names-itself": (
        "reject",
        (_LOUD, "python/process-at-load"),
        {"modeling_x.py": "from torch import nn\n" + _COPIES + "\n\nclass X(nn.Module):\n    def __init__(self):\n        fetched('x; touch /tmp/y')\n"},
    ),
}  # fmt: skip


def _case(name: str, decision: str, rules: tuple[str, ...], files: Mapping[str, str]) -> Case:
    def forge() -> Mapping[str, bytes]:
        return {"config.json": b'{"model_type": "x"}', **{each: text.encode() for each, text in files.items()}}

    technique = f"what a script is told when it is started: {name.replace('-', ' ')}"
    return Case(f"command-lines/{name}", technique, forge, decision, frozenset(rules), ("python",))  # type: ignore[arg-type]


CASES: tuple[Case, ...] = tuple(_case(name, *held) for name, held in _HELD.items())
