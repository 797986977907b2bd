from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from openvet.errors import SubjectError
from openvet.origins.oci import OciName, parse_oci
from openvet.policy.decision import Verdict
from openvet.reports.report import ModelReport
from openvet.testing.hub import Fault, Registry
from openvet.workflows.check import Options, check

TITLE = "org.opencontainers.image.title"
NOTES = ("text/plain", {TITLE: "notes.txt"}, b"hello\n")


def tar(**files: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setattr("openvet.io.http._wait", lambda *_: 0.0)


def run(registry: Registry, reference: str = "", **options: bool) -> ModelReport:
    return check([f"oci:{registry.host}/org/model{reference}"], Options(**options)).models[0]  # type: ignore[arg-type]


def paths(report: ModelReport) -> list[str]:
    return [file.path for file in report.scan.files]


def test_layers_are_files_under_their_titles() -> None:
    layers = [
        NOTES,
        ("application/vnd.cncf.model.doc.v1.raw", {"org.cncf.model.filepath": "docs/a.md"}, b"# A\n"),
        ("application/vnd.ollama.image.license", {}, b"A licence\n"),
        ("application/vnd.kitops.modelkit.code.v1.tar+gzip", {}, tar(a=b"hello\n")),
    ]
    with Registry(layers) as registry:
        report = run(registry)
        assert report.subject.name == f"oci:{registry.host}/org/model@{registry.digest}"
        assert paths(report) == ["code.tar.gz", "config.json", "docs/a.md", "license", "notes.txt"]
        assert report.decision.verdict is Verdict.ADMIT
        assert report.scan.to_json() == run(registry, f"@{registry.digest}").scan.to_json()
        assert [each.method for each in registry.asked if "/blobs/" in each.path].count("GET") == 10


def test_a_hostile_layer_is_rejected() -> None:
    hostile = tar(**{"model.pkl": b"cos\nsystem\n(S'id'\ntR."})
    with Registry([("application/vnd.kitops.modelkit.model.v1.tar+gzip", {}, hostile)]) as registry:
        report = run(registry)
    assert report.decision.verdict is Verdict.REJECT
    assert {str(each.location.place).split("!/")[0] for each in report.scan.all_findings()} == {"model.tar.gz"}


def test_large_layers_are_read_in_part_and_verified_on_demand() -> None:
    with Registry([("text/plain", {TITLE: "a.bin"}, b"hello world\n" * 500_000)]) as registry:
        report = run(registry)
        assert {each.reason for each in report.scan.all_unknowns()} == {"unverified"}
        assert run(registry, download=True).decision.verdict is Verdict.ADMIT
        registry.faults.append(Fault("flip", "/blobs/"))
        changed = run(registry, download=True)
        assert changed.decision.verdict is Verdict.REJECT
        assert {each.rule for each in changed.scan.all_findings()} >= {"file/digest-mismatch"}


def test_a_manifest_with_another_digest_is_refused() -> None:
    with Registry([NOTES]) as registry:
        registry.manifests[registry.digest] += b" "
        with pytest.raises(SubjectError, match="another digest"):
            run(registry, f"@{registry.digest}")


def test_an_index_shows_all_its_manifests() -> None:
    with Registry([NOTES]) as registry:
        first = registry.digest
        config = {"mediaType": "application/json", "digest": "sha256:" + hashlib.sha256(b"{}").hexdigest(), "size": 2}
        second = registry.put(
            "other", {"mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config, "layers": []}
        )
        kind = "application/vnd.oci.image.index.v1+json"
        parts = [{"mediaType": "m", "digest": each, "size": 1} for each in (first, second)]
        registry.put("all", {"mediaType": kind, "manifests": parts})
        a, b = first[7:19], second[7:19]
        assert paths(run(registry, ":all")) == sorted([f"{a}/config.json", f"{a}/notes.txt", f"{b}/config.json"])


def test_two_layers_of_one_name_are_both_read() -> None:
    with Registry([NOTES, ("text/plain", {TITLE: "notes.txt"}, b"other\n")]) as registry:
        second = hashlib.sha256(b"other\n").hexdigest()[:12]
        assert paths(run(registry)) == sorted([f"{second}/notes.txt", "config.json", "notes.txt"])


def test_titles_that_climb_out_are_not_read() -> None:
    with Registry([("text/plain", {TITLE: "../x"}, b"hello\n")]) as registry:
        report = run(registry)
    assert {each.reason for each in report.scan.all_unknowns()} == {"special"}


def test_an_anonymous_token_is_fetched(tmp_path: Path) -> None:
    with Registry([NOTES], token="abc") as registry:
        assert run(registry).decision.verdict is Verdict.ADMIT
        assert [
            each for each in registry.asked if each.path.startswith("/token") and "authorization" in each.headers
        ] == []


def test_the_login_of_the_config_goes_to_the_sign_in_only(tmp_path: Path) -> None:
    login = base64.b64encode(b"me:password").decode()
    with Registry([NOTES], token="abc", login=f"Basic {login}") as registry:
        with pytest.raises(SubjectError, match="docker login"):
            run(registry)
        (tmp_path / "config.json").write_text(json.dumps({"auths": {registry.host: {"auth": login}}}))
        registry.asked.clear()
        assert run(registry).decision.verdict is Verdict.ADMIT
        assert {each.path.split("?")[0] for each in registry.asked if login in str(each.headers)} == {"/token"}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ghcr.io/a/b", OciName("ghcr.io", "a/b")),
        ("ghcr.io/a/b:v1", OciName("ghcr.io", "a/b", "v1")),
        ("localhost:5000/a@sha256:" + "0" * 64, OciName("localhost:5000", "a", "sha256:" + "0" * 64)),
        ("//ghcr.io/a:v1@sha256:" + "0" * 64, OciName("ghcr.io", "a", "sha256:" + "0" * 64)),
    ],
)
def test_names_are_taken_apart(text: str, name: OciName) -> None:
    assert parse_oci(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a/b",
        "ghcr.io",
        "ghcr.io/",
        "ghcr.io/A",
        "ghcr.io/a/../b",
        "ghcr.io/a:",
        "ghcr.io/a@x",
        "ghcr.io/a:b c",
        "a@b.c/d",
    ],
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(SubjectError):
        parse_oci(text)


@pytest.mark.parametrize(
    "manifest",
    [b"[]", b"{", b"{}", b'{"layers": [{"digest": "sha256:1", "size": 1}]}', b'{"manifests": 1}', b"[" * 100_000],
)
def test_manifests_that_make_no_sense(manifest: bytes) -> None:
    with Registry([NOTES]) as registry:
        registry.manifests["latest"] = manifest
        with pytest.raises(SubjectError):
            run(registry)
