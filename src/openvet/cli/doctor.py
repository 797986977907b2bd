"""``openvet doctor``: is this installation sound, and what does it work with."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import click

from openvet.cli.options import form_option
from openvet.cli.terminal import is_terminal, look_of, may_colour
from openvet.version import VERSION

if TYPE_CHECKING:
    from openvet.reports.look import Look
    from openvet.sandbox.canary import Proof

__all__ = ["doctor"]

#: sha256 of nothing (FIPS 180-4)
_SHA256_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@click.command(short_help="Look whether this installation works.")
@form_option("How to print it.")
@click.pass_context
def doctor(ctx: click.Context, form: str) -> None:
    """Look whether this installation of OpenVet works, and show what it works with.

    It shows in which sandboxes this machine can run models: ten things that a hostile model would do are tried in each, here and now, by
    a harmless program of ours. A level counts where none of them reached anything.

    \b
    Examples:
      openvet doctor
      openvet doctor --format json

    \b
    Exit codes:
      0    everything works
      1    something does not; the line that starts with FAIL says what
    """  # noqa: D301
    from openvet.cli.output import StandardOutput, write_text

    facts, proofs = _facts(), _proofs()
    checks = [*_checks(), _try("isolation", lambda: _isolation(proofs))]
    if form == "json":
        import json

        from openvet.reports._wording import clean

        value = {
            "facts": facts,
            "limits": _limits(),
            "isolation": [each.to_json() for each in proofs],
            "checks": [{"name": name, "ok": ok, "detail": text} for name, ok, text in checks],
        }
        StandardOutput(utf8=True).write(json.dumps(clean(value), indent=2, ensure_ascii=False) + "\n")
    else:
        write_text(_as_text(facts, proofs, checks))
    ctx.exit(0 if all(ok for _, ok, _ in checks) else 1)


def _as_text(facts: dict[str, Any], proofs: tuple[Proof, ...], checks: list[tuple[str, bool, str]]) -> str:
    from openvet.reports._wording import visible

    look = look_of(sys.stdout)
    lines = [f"{name:<12} {visible(str(value))}" for name, value in facts.items()]
    lines += ["", look.paint("Limits", "bold"), *(f"  {name:<15} {value:,}" for name, value in _limits().items())]
    if proofs:
        lines += [
            "",
            look.paint("Isolation: ten things that a hostile model would do, tried here at every level", "bold"),
        ]
        lines += _ladder(proofs, look)
    lines += ["", look.paint("Checks", "bold")]
    for name, ok, text in checks:
        sign = look.paint("ok  ", "green") if ok else look.paint("FAIL", "bold", "red")
        lines.append(f"  {sign}  {name}: {visible(text)}")
    return look.finish("\n".join(lines) + "\n")


#: What each outcome of an attempt is called in the table.
_OUTCOMES: Final = {"refused": "no", "hidden": "feigned", "reached": "YES", "": "-"}


def _ladder(proofs: tuple[Proof, ...], look: Look) -> list[str]:
    """The attempts, a column for each level that can be had here; and what each level is, or why it cannot be had."""
    from openvet.reports._wording import visible
    from openvet.reports.text import table
    from openvet.sandbox.canary import ATTEMPTS

    here = [each for each in proofs if each.outcomes]
    rows = [["", *(f"level {each.level.id}" for each in here), ""]]
    for name, text in ATTEMPTS.items():
        rows.append([f"  {text}", *(_OUTCOMES[each.outcomes.get(name, "")] for each in here), ""])
    lines = table(rows, look.width) if here else []
    lines.append(
        "  no: refused. feigned: done in a view that is thrown away, nothing of this machine was reached. YES: reached"
    )
    rows = []
    for each in proofs:
        said = "proven" if each.proven else "not here" if each.missing else "not enough"
        rows.append(
            [f"  level {each.level.id}", said, f"{each.level.name}: {visible(each.missing) or each.level.claim}"]
        )
    return [*lines, *table(rows, look.width, wrap=True)]


def _proofs() -> tuple[Proof, ...]:
    """What each level keeps away on this machine; nothing where models are not run at all."""
    if sys.platform != "linux":
        return ()
    from openvet.sandbox.canary import prove_all

    return prove_all()


def _isolation(proofs: tuple[Proof, ...]) -> str:
    """Levels that are there must keep what they promise; and one that is enough must be there."""
    from openvet.sandbox.levels import ENOUGH

    if not proofs:
        return "models are run on Linux alone; everything that reads models works here"
    broken = [each for each in proofs if each.level.number >= ENOUGH and each.outcomes and not each.proven]
    if broken:
        reached = sorted(name for name, outcome in broken[0].outcomes.items() if outcome == "reached")
        raise RuntimeError(
            f"level {broken[0].level.id} does not keep what it promises: {', '.join(reached) or 'not all was tried'}"
        )
    best = next((each for each in proofs if each.proven), None)
    if best is None:
        raise RuntimeError(
            "none that is enough: install bubblewrap, or use a kernel with Landlock; `openvet detonate` runs nothing here, all else works"
        )
    return f"level {best.level.id} is proven: {best.level.claim}"


def _facts() -> dict[str, Any]:
    import importlib.util
    import platform

    return {
        "openvet": VERSION,
        "python": f"{platform.python_implementation()} {platform.python_version()} on {sys.platform} {platform.machine()}",
        "libraries": ", ".join(f"{name} {_version(name)}" for name in ("click", "jinja2", "pyyaml")),
        "extras": f"blake3 {_version('blake3')}" if importlib.util.find_spec("blake3") else "blake3 is not installed",
        "opcode walk": _opcode_walk(),
        "loops over numbers": _loops(),
        "cores": len(os.sched_getaffinity(0)),
        "stdout": f"{'a terminal' if is_terminal(sys.stdout) else 'no terminal'}, "
        f"{'colours' if may_colour(sys.stdout) else 'no colours'}, {getattr(sys.stdout, 'encoding', None) or 'unknown encoding'}",
    }


def _opcode_walk() -> str:
    from openvet.formats.pickle.tape import COMPILED

    if COMPILED:
        return "compiled"
    return "not compiled: big pickles take some fifty times as long (install again with a C compiler and Python.h)"


def _loops() -> str:
    from openvet.inventory.compare.sweep import COMPILED

    if COMPILED:
        return "compiled"
    return "not compiled: diff reads what differs twice, and needs NumPy (install again with a C compiler and Python.h)"


def _version(name: str) -> str:
    import importlib.metadata

    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "(not found)"


def _limits() -> dict[str, float]:
    from dataclasses import fields

    from openvet.core.limits import DEFAULT_LIMITS

    return {field.name: getattr(DEFAULT_LIMITS, field.name) for field in fields(DEFAULT_LIMITS)}


# --- checks: each gives what it saw, or raises ---


def _checks() -> list[tuple[str, bool, str]]:
    return [
        _try(name, each)
        for name, each in (
            ("version", _installed_version),
            ("libraries", _libraries),
            ("rules", _rules),
            ("formats", _formats),
            ("plug-ins", _plugins),
            ("hashing", _hashing),
            ("temporary files", _temporary),
            ("open files", _descriptors),
            ("known answers", _known_answers),
        )
    ]


def _try(name: str, check: Callable[[], str]) -> tuple[str, bool, str]:
    try:
        return name, True, check()
    except Exception as error:  # noqa: BLE001 - finding out what fails is what this command is for
        return name, False, str(error) if isinstance(error, RuntimeError) else f"{type(error).__name__}: {error}"


def _installed_version() -> str:
    found = _version("openvet")
    if found != VERSION:
        raise RuntimeError(f"the installed package says {found}, its code {VERSION}; install it again")
    return VERSION


def _libraries() -> str:
    import jinja2
    import yaml

    return f"jinja2 and yaml ({'with' if yaml.__with_libyaml__ else 'without'} libyaml) work" if jinja2 else ""


def _rules() -> str:
    from openvet.workflows.knowledge import rule_texts

    rules = rule_texts()
    if not rules:
        raise RuntimeError("no rule is there; install openvet again")
    return f"{len(rules)} load"


def _formats() -> str:
    from openvet.workflows.knowledge import all_formats

    found = all_formats()
    readers = sum(1 for each in found if each.reader)
    if not readers:
        raise RuntimeError("no reader is there; install openvet again")
    return f"{readers} readers load, {len(found) - readers} more formats are recognised"


def _plugins() -> str:
    import importlib.metadata

    from openvet.checks._run import checks
    from openvet.inventory.identify import formats

    broken = [*checks().broken, *formats().broken]
    if broken:
        raise RuntimeError(
            "; ".join(f"{each.name}: {each.error}" for each in broken) + "; repair or uninstall the package"
        )
    points = [
        point
        for group in ("openvet.checks", "openvet.formats")
        for point in importlib.metadata.entry_points(group=group)
    ]
    return f"{len(points)} work" if points else "none is installed"


def _hashing() -> str:
    from openvet.io.hashing import digest_chunks

    if digest_chunks([], ("sha256",))["sha256"] != _SHA256_OF_NOTHING:
        raise RuntimeError("sha256 gives a wrong answer; repair this Python")
    return "sha256 gives the known answer"


def _temporary() -> str:
    import tempfile

    with tempfile.TemporaryFile() as file:
        file.write(b"openvet")
    return f"can be made in {tempfile.gettempdir()}"


def _descriptors() -> str:
    import resource

    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed != resource.RLIM_INFINITY and allowed < 128:
        raise RuntimeError(f"only {allowed} files may be open at once; raise it with `ulimit -n 256`")
    return f"{allowed} at once" if allowed != resource.RLIM_INFINITY else "any number at once"


def _known_answers() -> str:
    """A harmless model must be admitted, one that runs a program on load rejected; both are made here, as bytes."""
    import tempfile

    from openvet.policy.decision import Verdict
    from openvet.workflows.check import check

    header = b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'
    cases = {
        "harmless.safetensors": (len(header).to_bytes(8, "little") + header + b"\0", Verdict.ADMIT),
        "hostile.pickle": (b"cposix\nsystem\n(S'echo'\ntR.", Verdict.REJECT),
    }
    with tempfile.TemporaryDirectory(prefix="openvet-doctor-") as folder:
        for name, (data, wanted) in cases.items():
            path = os.path.join(folder, name)
            with open(path, "wb") as file:
                file.write(data)
            found = check([path]).models[0].decision
            if found.verdict is not wanted:
                raise RuntimeError(f"{name} is {found.verdict} and should be {wanted}; install openvet again")
    return f"{len(cases)} models get the verdict that they must get"
