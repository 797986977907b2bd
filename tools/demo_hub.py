"""The demo of the gate: a real client pulls a real model through it, is refused a hostile copy with the reason, and an admin lets that one in.

usage: tools/demo_hub.py FOLDER MODELS PYTHON BROWSER, where MODELS is the folder of `make demo`, PYTHON an environment with huggingface_hub, and
BROWSER the folder of what drives a Chromium (`make demo-hub` sees to all of them)

The admin does it in a real browser, and a picture of each page lies in FOLDER; where there is no Chromium, the same forms are sent without one. Then
the gate's log and the dossier of the copy are verified with the gate's public key alone. The copy is pulled and never loaded. It exits with 0 only if
all of that came out as it should.
"""

from __future__ import annotations

import http.cookiejar
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.parse
import urllib.request
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OPENVET = Path(sys.executable).parent / "openvet"
GOOD, BAD = "org/all-MiniLM-L6-v2", "org/all-MiniLM-L6-v2-hostile"
WORDS = "a sentence is a good password"


class Forms(HTMLParser):
    """The forms of a page: where each leads, and what stands in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append((values.get("action", ""), {}))
        elif tag in {"input", "textarea"} and self.found and "name" in values:
            self.found[-1][1].setdefault(values["name"], values.get("value", ""))


class NoBrowser:
    """Keeps cookies, and sends forms as they stand on a page."""

    def __init__(self, base: str) -> None:
        self._base = base
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(jar)

    def open(self, path: str, fields: dict[str, str] | None = None) -> str:
        data = None if fields is None else urllib.parse.urlencode(fields).encode()
        request = urllib.request.Request(urllib.parse.urljoin(self._base, path), data, {"Origin": self._base})
        with self._opener.open(request, timeout=60) as answer:
            return str(answer.read().decode())

    def send(self, page: str, having: str, **fields: str) -> str:
        """Send the form that has a field of this name, with these values in place of what stands there."""
        action, standing = next(each for each in Forms(page).found if having in each[1] and set(fields) <= set(each[1]))
        return self.open(action, {**standing, **fields})


class Client:
    """``hf`` of huggingface_hub, with a cache of its own."""

    def __init__(self, python: Path, folder: Path, base: str) -> None:
        self._hf = python.parent / "hf"
        self._environment = {
            "PATH": os.environ.get("PATH", ""), "HOME": str(folder), "HF_HOME": str(folder / "cache"), "HF_ENDPOINT": base,
            "HF_HUB_DISABLE_PROGRESS_BARS": "1", "NO_COLOR": "1", "HF_HUB_DISABLE_TELEMETRY": "1",
        }  # fmt: skip

    def download(self, name: str, to: Path) -> tuple[int, str]:
        print(f"$ hf download {name}")
        command = [str(self._hf), "download", name, "--local-dir", str(to)]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=300, check=False)
        shown = (done.stdout + done.stderr).strip()
        for line in shown.splitlines():
            if line.strip() and not line.startswith(("Hint", "Fetching", "Still waiting")):
                print(f"  {line.strip()[:400]}")
        print(f"  exit code {done.returncode}\n")
        return done.returncode, shown


def shelf(models: Path, folder: Path) -> None:
    """The two models as an upstream: a folder of ORG/NAME folders."""
    for name in (GOOD, BAD):
        target = folder / name
        shutil.copytree(models / name.rpartition("/")[2], target)


def same(one: Path, other: Path) -> bool:
    names = {each.relative_to(one) for each in one.rglob("*") if each.is_file()}
    return bool(names) and all(
        (other / each).is_file() and (one / each).read_bytes() == (other / each).read_bytes() for each in names
    )


def run(*arguments: str) -> int:
    print(f"$ openvet {' '.join(arguments)}")
    done = subprocess.run([str(OPENVET), *arguments], capture_output=True, text=True, check=False)
    for line in (done.stdout + done.stderr).strip().splitlines()[:4]:
        print(f"  {line}")
    print()
    return done.returncode


def let_in(folder: Path, base: str, link: str, request: str, browser: Path) -> bool:
    """The first admin chooses a password and approves a request, on the pages; whether the page says so then."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    day = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    reason, conditions = "To study it", "nowhere but in a sandbox"
    if not chromium or not (browser / ".made").exists():
        print("(no Chromium here: the forms of the pages are sent without one)\n")
        without = NoBrowser(base)
        without.send(without.open(link), "again", password=WORDS, again=WORDS)
        page = without.send(without.open(request), "conditions", reason=reason, conditions=conditions, until=day)
        return reason in page
    steps = [
        {"do": "open", "path": link.removeprefix(base)},
        {"do": "fill", "label": "Password", "text": WORDS},
        {"do": "fill", "label": "The same once more", "text": WORDS},
        {"do": "press", "name": "Choose it and log in"},
        {"do": "open", "path": request},
        {"do": "look", "name": "request"},
        {"do": "fill", "form": "Approve", "label": "Reason", "text": reason},
        {"do": "fill", "form": "Approve", "label": "Conditions, where there are any", "text": conditions},
        {"do": "fill", "form": "Approve", "label": "It holds until", "text": day},
        {"do": "press", "name": "Approve"},
        {"do": "look", "name": "approved"},
        {"do": "read", "name": "approved"},
    ]
    plan = folder / "browser.json"
    plan.write_text(json.dumps({"base": base, "steps": steps}))
    command = ["node", str(ROOT / "tests/browser/web.mjs"), chromium, str(browser), str(folder), str(plan)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    told = json.loads(done.stdout or "{}")
    if "failed" in told or done.returncode:
        print(told.get("failed", {}).get("error") or done.stderr)
        return False
    print(f"(in {Path(chromium).name}; what it showed lies in {folder}/web-*.png)\n")
    return reason in told["texts"]["approved"]["text"]


def story(folder: Path, python: Path, base: str, link: str, browser: Path) -> bool:
    """What happens; whether all of it came out as it should."""
    client = Client(python, folder, base)
    right = client.download(GOOD, folder / "good")[0] == 0
    right &= same(folder / "models" / GOOD, folder / "good")
    code, shown = client.download(BAD, folder / "bad")
    found = re.search(r"/openvet/requests/(\d+)", shown)
    right &= code != 0 and "pickle/runs-process" in shown and found is not None
    if found is None:
        return False
    print(
        "The first admin chooses a password by the link, and lets the copy in for a day, to study it where nothing can be lost.\n"
    )
    right &= let_in(folder, base, link, found[0], browser)
    right &= client.download(BAD, folder / "bad")[0] == 0
    right &= same(folder / "models" / BAD, folder / "bad")
    return right


def main() -> int:
    folder, models, python, browser = (Path(each).absolute() for each in sys.argv[1:5])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shelf(models, folder / "models")
    config = folder / "serve.toml"
    config.write_text(
        '[server]\nport = 0\n[data]\nfolder = "data"\n[[upstream]]\nfolder = "models"\n[approvals]\nexception-approvers = 1\n'
    )
    print(f"$ openvet serve --config {config}")
    with (folder / "serve.log").open("w") as log:
        command = [str(OPENVET), "serve", "--config", str(config)]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    right = False
    try:
        greeting = ""
        for line in server.stdout or ():
            greeting += line
            print(f"  {line.rstrip()}")
            if "Ctrl-C" in line:
                break
        print()
        base, link = re.search(r"HF_ENDPOINT=(\S+)", greeting), re.search(r"\S+/openvet/welcome\?\S+", greeting)
        if base is None or link is None:
            print((folder / "serve.log").read_text())
            return 1
        right = story(folder, python, base[1], link[0], browser)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)
    key = str(folder / "data" / "key.pem.pub")
    right &= run("log", "audit", str(folder / "data" / "log"), "--key", key) == 0
    for dossier in sorted({each.parent for each in (folder / "data" / "dossiers").rglob("index.json")}):
        right &= run("dossier", "verify", str(dossier), "--key", key) == 0
    print("The real model came through, the copy did not until somebody let it in, and every decision is signed and logged." if right else "Something came out otherwise than it should.")  # fmt: skip
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
