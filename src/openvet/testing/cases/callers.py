"""Pictures and sounds that are fetched from the address that a caller gives; and addresses that are nobody's wish but the author's."""

from __future__ import annotations

from collections.abc import Mapping

from openvet.testing.case import Case

__all__ = ["CASES"]

_CONFIG = b'{"model_type": "x", "auto_map": {"AutoModel": "modeling_x.X"}, "place": "a"}'
_HEAD = (
    "import io\n\nimport requests\nimport torch\nfrom PIL import Image\nfrom transformers import PreTrainedModel\n\n\n"
)
_MODEL = "class X(PreTrainedModel):\n"
_TOWER = (
    "import requests\nfrom PIL import Image\nfrom torch import nn\n\n\nclass Tower(nn.Module):\n    def encode(self, places):\n        pictures = []\n        for place in places:\n"
    "            picture = Image.open(requests.get(place, stream=True).raw)\n            pictures.append(picture.convert('RGB'))\n        return self.transform(pictures)\n"
)

#: What a caller gives.
GIVEN: dict[str, Mapping[str, str]] = {
    "by-a-function-of-the-module": {
        "modeling_x.py": _HEAD
        + "def opened(of):\n    if of.startswith('http'):\n        return Image.open(io.BytesIO(requests.get(of, timeout=9).content))\n    return Image.open(of)\n\n\n"
        + _MODEL
        + "    def __call__(self, pictures):\n        return [opened(each).resize((9, 9)) for each in pictures]\n",
    },
    "by-a-tower-of-another-file": {
        "visual.py": _TOWER,
        "modeling_x.py": "from transformers import PreTrainedModel\n\nfrom .visual import Tower\n\n\nclass X(PreTrainedModel):\n    def __init__(self, config):\n        super().__init__(config)\n        self.visual = Tower()\n\n"
        "    def forward(self, places):\n        return self.visual.encode(places)\n",
    },
    "by-a-handler": {
        "modeling_x.py": _HEAD + _MODEL + "    def forward(self, pixels):\n        return pixels\n",
        "handler.py": "import io\n\nimport requests\nfrom PIL import Image\n\n\nclass EndpointHandler:\n    def __init__(self, path=''):\n        self.path = path\n\n    def _opened(self, one):\n        return Image.open(io.BytesIO(requests.get(one, timeout=9).content))\n\n"
        "    def __call__(self, data):\n        return [self._opened(each) for each in data['inputs']]\n",
    },
    "by-a-predictor": {
        "modeling_x.py": _HEAD + _MODEL + "    def forward(self, pixels):\n        return pixels\n",
        "predict.py": "import requests\nfrom cog import BasePredictor\n\n\nclass Predictor(BasePredictor):\n    def setup(self, weights=None):\n        self.start = requests.get(weights).text if weights else ''\n\n"
        "    def predict(self, image: str) -> str:\n        return self.start + str(len(requests.get(url=image).content))\n",
    },
}  # fmt: skip
#: What an author chooses, or a configuration.
CHOSEN: dict[str, Mapping[str, str]] = {
    "a-word-of-the-configuration": {
        "modeling_x.py": _HEAD + _MODEL + "    def forward(self, pictures):\n        return requests.get(self.config.place).content\n",
    },
    "a-constant-in-another-function": {
        "modeling_x.py": _HEAD
        + "def opened(of):\n    return Image.open(io.BytesIO(requests.get(of).content))\n\n\n"
        + _MODEL
        + "    def forward(self, pictures):\n        opened('https://pictures.example.net/x.png')\n        return [opened(each) for each in pictures]\n",
    },
    "put-together": {
        "modeling_x.py": _HEAD + _MODEL + "    def forward(self, text):\n        return requests.get('https:' + '//pictures.example.net/' + text).content\n",
    },
    "what-another-machine-says": {
        "modeling_x.py": _HEAD + _MODEL + "    def forward(self, place):\n        return requests.get(requests.get(place).json()['next']).content\n",
    },
    "by-a-constant-of-another-file": {
        "visual.py": _TOWER,
        "modeling_x.py": "from transformers import PreTrainedModel\n\nfrom .visual import Tower\n\n\nclass X(PreTrainedModel):\n    def forward(self, places):\n        return Tower().encode(['https://pictures.example.net/x.png'])\n",
    },
    "by-the-configuration-in-another-file": {
        "visual.py": _TOWER,
        "modeling_x.py": "from transformers import PreTrainedModel\n\nfrom .visual import Tower\n\n\nclass X(PreTrainedModel):\n    def forward(self, places):\n        return Tower().encode([self.config.place])\n",
    },
}  # fmt: skip


def _case(name: str, technique: str, files: Mapping[str, str], decision: str, *rules: str) -> Case:
    def forge() -> Mapping[str, bytes]:
        return {"config.json": _CONFIG, **{each: text.encode() for each, text in files.items()}}

    return Case(f"callers/{name}", technique, forge, decision, frozenset(rules), ("python",))  # type: ignore[arg-type]


CASES: tuple[Case, ...] = (
    *(_case(name, f"a picture of the address that a caller gives: {name.replace('-', ' ')}", files, "admit") for name, files in GIVEN.items()),
    *(
        _case(f"chosen-{name}", f"an address that no caller gives: {name.replace('-', ' ')}", files, "review", "hub/custom-code", "hub/python-code")
        for name, files in CHOSEN.items()
    ),
)  # fmt: skip
