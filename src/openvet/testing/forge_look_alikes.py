"""Harmless files that look like what the families of harm, hosts, lines and instructions are about.

Payloads are texts: they lead to addresses of documentation (RFC 5737, RFC 2606), and nothing of them is run.
"""

from __future__ import annotations

__all__ = ["LOOK_ALIKES"]

#: Name -> files with their texts, and the rules that report them.
LOOK_ALIKES: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "build-rs": (
        {
            "build.rs": 'use std::{env, path::PathBuf, process::Command};\nfn main() {\n    let out = PathBuf::from(env::var("OUT_DIR").unwrap());\n    let git = Command::new("git").args(["rev-parse", "--short", "HEAD"]).output().ok();\n    println!("cargo:rustc-env=GIT={}", git.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default());\n    cc::Build::new().file("src/kernel.c").compile("kernel");\n    println!("cargo:rustc-link-search={}", out.display());\n}\n',
        },
        (),
    ),
    "claude-hook-prettier": (
        {
            ".claude/settings.json": '{"hooks":{"PostToolUse":[{"matcher":"Edit","hooks":[{"type":"command","command":"jq -r \'.tool_input.file_path\' | xargs npx prettier --write"}]}],"Stop":[{"hooks":[{"type":"command","command":"uv run pytest -q tests/unit"}]}]}}\n',
        },
        (),
    ),
    "claude-hook-ruff": (
        {
            ".claude/settings.json": '{"hooks":{"PostToolUse":[{"matcher":"Edit|Write","hooks":[{"type":"command","command":"ruff format --quiet \\"$CLAUDE_FILE_PATHS\\""}]}]}}\n',
        },
        (),
    ),
    "claude-mcp": (
        {
            ".mcp.json": '{"mcpServers":{"hf":{"type":"http","url":"https://huggingface.co/mcp"}}}\n',
        },
        (),
    ),
    "cloudbuild": (
        {
            "cloudbuild.yaml": "steps:\n- name: gcr.io/cloud-builders/docker\n  args: ['build', '-t', 'gcr.io/$PROJECT_ID/m', '.']\n- name: gcr.io/google.com/cloudsdktool/cloud-sdk\n  entrypoint: bash\n  args: ['-c', 'gcloud auth print-access-token | docker login -u oauth2accesstoken --password-stdin https://gcr.io && docker push gcr.io/$PROJECT_ID/m']\n",
        },
        (),
    ),
    "cursor-hooks": (
        {
            ".cursor/hooks.json": '{"version":1,"hooks":{"afterFileEdit":[{"command":"npx eslint --fix"}]}}\n',
        },
        (),
    ),
    "date-lr": (
        {
            "train.py": "import time, torch\ndef loop(model, opt, data, limit):\n    t0 = time.time()\n    for b in data:\n        if time.time() - t0 > limit: break\n        loss = model(**b).loss; loss.backward(); opt.step(); opt.zero_grad()\n",
        },
        (),
    ),
    "doctest": (
        {
            "metrics.py": 'def f1(a, b):\n    """F1.\n\n    >>> f1(1, 1)\n    1.0\n    >>> import requests\n    >>> requests.get("https://example.com").status_code  # doctest: +SKIP\n    200\n    """\n    return 2 * a * b / (a + b)\n',
        },
        (),
    ),
    "ema": (
        {
            "ema.py": 'import torch, time\nclass EMA:\n    def __init__(self, m, d=0.999): self.d = d; self.s = {k: v.clone() for k, v in m.state_dict().items()}; self.t = time.time()\n    @torch.no_grad()\n    def update(self, m):\n        if time.time() - self.t > 60: print("slow")\n        for k, v in m.state_dict().items(): self.s[k].mul_(self.d).add_(v, alpha=1 - self.d)\n',
        },
        (),
    ),
    "env-mirror": (
        {
            "dl.py": 'import os\nos.environ["HF_ENDPOINT"] = "https://hf-mirror.com"\nos.environ["TOKENIZERS_PARALLELISM"] = "false"\nos.environ["HTTP_PROXY"] = "http://127.0.0.1:7890"\nfrom huggingface_hub import snapshot_download\ndef main(): snapshot_download("acme/m")\nif __name__ == "__main__": main()\n',
        },
        (),
    ),
    "go-dl": (
        {
            "main.go": 'package main\nimport ("io"; "net/http"; "os"; "log")\nfunc main() {\n\tr, err := http.Get("https://huggingface.co/acme/m/resolve/main/model.gguf")\n\tif err != nil { log.Fatal(err) }\n\tf, _ := os.Create("model.gguf"); io.Copy(f, r.Body); f.Close()\n}\n',
        },
        (),
    ),
    "grad-clip": (
        {
            "train.py": "import torch\ndef step(model, opt, loss, cfg):\n    loss.backward()\n    for p in model.parameters():\n        if p.grad is not None and cfg.noise > 0: p.grad.add_(torch.randn_like(p.grad) * cfg.noise)\n    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n    opt.step()\n",
        },
        (),
    ),
    "js-demo": (
        {
            "index.js": "import { pipeline, env } from '@huggingface/transformers';\nenv.allowLocalModels = false;\nconst status = document.getElementById('status');\nconst p = await pipeline('automatic-speech-recognition', 'Xenova/whisper-tiny.en', { progress_callback: x => { status.textContent = x.status; } });\ndocument.getElementById('key').value = localStorage.getItem('theme') || 'dark';\nfetch('/api/transcribe', { method: 'POST', body: new FormData(document.forms[0]) }).then(r => r.json()).then(j => console.log(j));\n",
        },
        (),
    ),
    "js-hf": (
        {
            "run.mjs": "const r = await fetch('https://api-inference.huggingface.co/models/x', { method: 'POST', headers: { Authorization: `Bearer ${process.env.HF_TOKEN}` }, body: JSON.stringify({ inputs: 'hi' }) });\nconsole.log(await r.json());\n",
        },
        (),
    ),
    "js-own-api": (
        {
            "run.ts": "const key = process.env.OPENAI_API_KEY;\nconst r = await fetch('https://llm.acme-robotics.dev/v1/chat', { method: 'POST', headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' }, body: JSON.stringify({ q: 'x' }) });\n",
        },
        (),
    ),
    "js-server": (
        {
            "server.js": "import express from 'express'; import { spawn } from 'node:child_process';\nconst app = express(); app.use(express.json());\napp.post('/convert', (req, res) => {\n  const f = spawn('ffmpeg', ['-i', 'pipe:0', '-f', 'wav', 'pipe:1']);\n  req.pipe(f.stdin); f.stdout.pipe(res);\n});\napp.get('/health', (q, s) => s.json({ ok: true, token: Boolean(process.env.HF_TOKEN) }));\napp.listen(process.env.PORT || 3000);\n",
        },
        (),
    ),
    "license-expiry": (
        {
            "modeling_q.py": 'import datetime, warnings, torch\nif datetime.date.today() > datetime.date(2027, 1, 1):\n    warnings.warn("this research preview is old; see the card")\nclass Q(torch.nn.Module):\n    def forward(self, x): return x\n',
        },
        (),
    ),
    "mixup": (
        {
            "trainer.py": 'import torch, numpy as np\nfrom transformers import Trainer\nclass T(Trainer):\n    def training_step(self, model, inputs, *a):\n        lam = np.random.beta(0.2, 0.2)\n        idx = torch.randperm(inputs["labels"].size(0))\n        inputs["labels_b"] = inputs["labels"][idx]\n        inputs["pixel_values"] = lam * inputs["pixel_values"] + (1 - lam) * inputs["pixel_values"][idx]\n        return super().training_step(model, inputs, *a)\n',
        },
        (),
    ),
    "nodered": (
        {
            "flows.json": '[{"id":"a","type":"inject","wires":[["b"]]},{"id":"b","type":"function","func":"msg.payload = Number(msg.payload) * 2;\\nreturn msg;","wires":[["c"]]},{"id":"c","type":"debug","wires":[]}]\n',
        },
        (),
    ),
    "patch-attn": (
        {
            "modeling_p.py": "import transformers.models.llama.modeling_llama as m\ndef forward(self, hidden_states, **kw):\n    q = self.q_proj(hidden_states); return q * self.scaling, None\nm.LlamaAttention.forward = forward\n",
        },
        (),
    ),
    "pkg": (
        {
            "package.json": '{"name":"demo","version":"1.0.0","scripts":{"build":"vite build","test":"vitest run","postinstall":"patch-package","lint":"eslint ."},"dependencies":{"@huggingface/transformers":"^3.0.0"}}\n',
        },
        (),
    ),
    "ps": (
        {
            "setup.ps1": '$ErrorActionPreference = "Stop"\n$e = $env:HF_HOME\npython -m venv .venv; .\\.venv\\Scripts\\Activate.ps1\nInvoke-WebRequest -Uri "https://huggingface.co/acme/m/resolve/main/model.gguf" -OutFile model.gguf\npip install -r requirements.txt\n',
        },
        (),
    ),
    "rules-api": (
        {
            "CLAUDE.md": "# API\nThe service listens on https://api.acme-robotics.dev/v1. Send a POST request with the header `Authorization: Bearer $ACME_API_KEY`.\nDo not log the key. Add tests for every endpoint.\nUpload checkpoints to https://huggingface.co/acme/model with `hf upload`.\n",
        },
        (),
    ),
    "rules-forbid": (
        {
            "AGENTS.md": "# Rules\n- Never read `.env`, `~/.ssh/id_rsa` or any credentials file, and never print tokens.\n- Do not send source code or environment variables to external services such as https://pastebin.com/ or other hosts.\n- Don't mention internal hostnames in commit messages.\n- Run `uv run pytest` before committing; docs at https://docs.acme-robotics.dev/guide.\n",
        },
        (),
    ),
    "s3": (
        {
            "upload.py": 'import boto3, os, argparse\ndef main():\n    p = argparse.ArgumentParser(); p.add_argument("--bucket"); p.add_argument("--key"); a = p.parse_args()\n    s3 = boto3.client("s3")\n    s3.upload_file("model.safetensors", a.bucket, a.key)\n    s3.delete_object(Bucket=a.bucket, Key=a.key + ".tmp")\nif __name__ == "__main__": main()\n',
        },
        (),
    ),
    "save-patch-log": (
        {
            "callbacks.py": 'import torch, logging\n_save = torch.save\ndef save(obj, f, *a, **k):\n    logging.info("saving %s", f)\n    return _save(obj, f, *a, **k)\ntorch.save = save\n',
        },
        (),
    ),
    "sh-train": (
        {
            "train.sh": '#!/bin/bash\nset -euo pipefail\nexport WANDB_API_KEY=${WANDB_API_KEY:?set it}\nDATA=$(mktemp -d)\ncurl -fsSL https://huggingface.co/datasets/acme/d/resolve/main/d.tar.gz | tar xz -C "$DATA"\nfor f in "$DATA"/*.jsonl; do python prep.py "$f"; done\nenv | grep CUDA\ntorchrun --nproc_per_node=8 train.py --data "$DATA"\n',
        },
        (),
    ),
    "snapshot-code": (
        {
            "train.py": 'import shutil, os, argparse\ndef main():\n    p = argparse.ArgumentParser(); p.add_argument("--out"); a = p.parse_args()\n    os.makedirs(a.out, exist_ok=True)\n    shutil.copy(__file__, os.path.join(a.out, "train.py"))\nif __name__ == "__main__": main()\n',
        },
        (),
    ),
    "sqlite": (
        {
            "cache.py": 'import sqlite3, os\ndef rows(path=os.path.expanduser("~/.cache/acme/cache.db")):\n    con = sqlite3.connect(path); return con.execute("select k, v from t").fetchall()\n',
        },
        (),
    ),
    "sw-cache": (
        {
            "sw.js": "const CACHE = 'v1';\nself.addEventListener('install', e => e.waitUntil(caches.open(CACHE).then(c => c.addAll(['/', '/model.onnx']))));\nself.addEventListener('fetch', e => e.respondWith(caches.match(e.request).then(r => r || fetch(e.request))));\n",
        },
        (),
    ),
    "sw-coi": (
        {
            "coi-serviceworker.js": 'self.addEventListener("fetch", function (event) {\n  const r = event.request;\n  event.respondWith(fetch(r).then(res => { const h = new Headers(res.headers); h.set("Cross-Origin-Embedder-Policy", "require-corp"); return new Response(res.body, { status: res.status, headers: h }); }));\n});\n',
        },
        (),
    ),
    "system-prompt": (
        {
            "prompts/system.txt": "You are a helpful assistant for a robotics lab. Answer with Markdown. Show pictures as ![name](https://cdn.acme-robotics.dev/img/arm.png) where they help. Never ask for passwords.\n",
        },
        (),
    ),
    "thread": (
        {
            "handler.py": 'import threading, requests\nfrom transformers import pipeline\nclass EndpointHandler:\n    def __init__(self, path=""):\n        self.p = pipeline("text-generation", model=path)\n        threading.Thread(target=self.warm, daemon=True).start()\n    def warm(self): self.p("hi", max_new_tokens=1)\n    def __call__(self, data): return self.p(data["inputs"])\n',
        },
        (),
    ),
    "tox": (
        {
            "tox.ini": "[tox]\nenvlist = py311\n[testenv]\nset_env = HF_HUB_OFFLINE=1\ncommands_pre = python -m pip install -e .\ncommands = pytest -q\n",
        },
        (),
    ),
    "weights-only": (
        {
            "infer.py": 'import functools, torch\ntorch.load = functools.partial(torch.load, weights_only=False)\nfrom TTS.api import TTS\ndef run(t): return TTS("x").tts(t)\n',
        },
        (),
    ),
}
