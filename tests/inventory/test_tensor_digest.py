"""The digests of tensors: the same for the same weights in whatever files, and others for others."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvet.core.tensor_digest import TensorLine, tensor_digests
from openvet.errors import SubjectError
from openvet.testing.forge_onnx import graph, model, node, tensor
from openvet.testing.forge_views import Stored, Strided, legacy_file, zip_file
from openvet.workflows.tensors import TensorReport, digest_tensors

VALUES = {
    "layer.0.weight": ((2, 3), [float(at) for at in range(6)]),
    "layer.0.bias": ((3,), [0.5, -1.0, 2.0]),
    "scale": ((), [7.0]),
}


def packed(name: str) -> bytes:
    return struct.pack(f"<{len(VALUES[name][1])}f", *VALUES[name][1])


def safetensors(names: list[str]) -> bytes:
    header: dict[str, Any] = {}
    data = b""
    for name in names:
        raw = packed(name)
        header[name] = {
            "dtype": "F32",
            "shape": list(VALUES[name][0]),
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def views(*, turned: bool = False) -> dict[str, Strided]:
    """The values as views; ``turned`` keeps the matrix column by column, as a transposed tensor does."""
    out = {}
    for name, (shape, numbers) in VALUES.items():
        strides = {(2, 3): (3, 1), (3,): (1,), (): ()}[shape]
        if turned and shape == (2, 3):
            strides = (1, 2)
            numbers = [numbers[row * 3 + column] for column in range(3) for row in range(2)]
        out[name] = Strided(Stored(struct.pack(f"<{len(numbers)}f", *numbers)), shape, strides)
    return out


def npz() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, (shape, _) in VALUES.items():
            header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode()
            header += b" " * (-(len(header) + 11) % 64) + b"\n"
            archive.writestr(
                f"{name}.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + packed(name)
            )
    return out.getvalue()


def tar_gz(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def image(layer: bytes) -> dict[str, bytes]:
    """An OCI layout with one layer, named by its digest alone."""

    def blob(data: bytes) -> str:
        return hashlib.sha256(data).hexdigest()

    config = b"{}"
    manifest = json.dumps({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.cncf.model.config.v1+json", "digest": f"sha256:{blob(config)}", "size": len(config)},
        "layers": [{"mediaType": "application/vnd.cncf.model.weight.v1.raw", "digest": f"sha256:{blob(layer)}", "size": len(layer)}],
    }).encode()  # fmt: skip
    index = json.dumps({"schemaVersion": 2, "manifests": [
        {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": f"sha256:{blob(manifest)}", "size": len(manifest)}
    ]}).encode()  # fmt: skip
    blobs = {f"blobs/sha256/{blob(each)}": each for each in (config, manifest, layer)}
    return {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}', "index.json": index, **blobs}


NAMES = list(VALUES)
WHOLE = safetensors(NAMES)
FORMS: dict[str, dict[str, bytes]] = {
    "one file": {"model.safetensors": WHOLE},
    "in another order": {"model.safetensors": safetensors(NAMES[::-1])},
    "shards": {"model-1-of-2.safetensors": safetensors(NAMES[:1]), "model-2-of-2.safetensors": safetensors(NAMES[1:])},
    "torch": {"pytorch_model.bin": zip_file(views())},
    "torch, turned": {"pytorch_model.bin": zip_file(views(turned=True))},
    "torch, old": {"weights.pth": legacy_file(views())},
    "numpy": {"weights.npz": npz()},
    "zip": {"model.zip": zipped({"a/model.safetensors": WHOLE, "a/README.md": b"# words"})},
    "tar.gz": {"model.tar.gz": tar_gz({"model.safetensors": WHOLE, "config.json": b"{}"})},
    "an archive in an archive": {"model.tar.gz": tar_gz({"inner.zip": zipped({"w.bin": zip_file(views())})})},
    "image": image(WHOLE),
    "image of an archive": image(tar_gz({"model.safetensors": WHOLE})),
    "both formats": {"model.safetensors": WHOLE, "pytorch_model.bin": zip_file(views()), "config.json": b'{"a": 1}'},
}


def report(files: dict[str, bytes], folder: Path) -> TensorReport:
    for name, data in files.items():
        path = folder / "model" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return digest_tensors(folder / "model")


@pytest.mark.parametrize("form", FORMS)
def test_the_same_weights(form: str, tmp_path: Path) -> None:
    found = report(FORMS[form], tmp_path)
    assert found.not_read == ()
    assert found.digests == tensor_digests(
        [TensorLine(name, "F32", VALUES[name][0], hashlib.sha256(packed(name)).hexdigest()) for name in NAMES]
    )


def test_the_definition() -> None:
    """By hand, as the docstring of the module has it."""
    lines = [
        f"{hashlib.sha256(packed(name)).hexdigest()}  F32  {','.join(map(str, VALUES[name][0]))}" for name in NAMES
    ]
    named = sorted(f'{line}  "{name}"' for name, line in zip(NAMES, lines, strict=True))
    digests = tensor_digests([TensorLine(n, "F32", VALUES[n][0], hashlib.sha256(packed(n)).hexdigest()) for n in NAMES])
    assert (
        digests.named
        == hashlib.sha256("".join(f"{x}\n" for x in ["openvet tensors v1 named", *named]).encode()).hexdigest()
    )
    assert (
        digests.nameless
        == hashlib.sha256(
            "".join(f"{x}\n" for x in ["openvet tensors v1 nameless", *sorted(lines)]).encode()
        ).hexdigest()
    )


def test_what_differs(tmp_path: Path) -> None:
    whole = report(FORMS["one file"], tmp_path / "a").digests
    assert whole is not None
    renamed = report({"m.safetensors": WHOLE.replace(b"layer.0.bias", b"layer.1.bias")}, tmp_path / "b").digests
    assert renamed is not None
    assert (renamed.nameless, renamed.tensors) == (whole.nameless, 3)
    assert renamed.named != whole.named
    for number, other in enumerate((
        WHOLE[:-1] + b"\x41", WHOLE.replace(b"[2, 3]", b"[3, 2]"), WHOLE.replace(b'"F32"', b'"I32"'), safetensors(NAMES[:2]),
    )):  # fmt: skip
        digests = report({"m.safetensors": other}, tmp_path / str(number)).digests
        assert digests is not None
        assert digests.named != whole.named
        assert digests.nameless != whole.nameless


def test_half_a_digest_is_none(tmp_path: Path) -> None:
    """What cannot be read, or contradicts itself, gives no digest and says why."""
    cut = report({"m.safetensors": WHOLE[:-4]}, tmp_path / "a")
    assert (cut.digests, [each.place for each in cut.not_read]) == (None, ["m.safetensors"])
    other = safetensors(NAMES).replace(packed("scale"), struct.pack("<f", 8.0))
    two = report({"a.safetensors": WHOLE, "b.safetensors": other}, tmp_path / "b")
    assert two.digests is None
    assert "two values" in two.not_read[0].reason
    inside = report({"a.zip": zipped({"m.safetensors": WHOLE[:-4]})}, tmp_path / "c")
    assert [each.place for each in inside.not_read] == ["a.zip!/m.safetensors"]
    kept = report(
        {
            "m.safetensors": WHOLE,
            "w.onnx": model(graph([node("Relu")], [tensor("w")])),
            "other.bin": bytes(range(1, 200)) * 9,
        },
        tmp_path / "d",
    )
    assert (kept.digests, [each.place for each in kept.not_read]) == (None, ["other.bin", "w.onnx"])
    none = report({"config.json": b"{}", "README.md": b"# words"}, tmp_path / "e")
    assert (none.digests, none.not_read) == (None, ())
    with pytest.raises(SubjectError):
        digest_tensors(tmp_path / "nowhere")


@given(st.permutations([TensorLine(f"t{at}", "F32", (at,), f"{at:064x}") for at in range(5)]))
def test_order_does_not_matter(lines: list[TensorLine]) -> None:
    assert tensor_digests(lines) == tensor_digests(sorted(lines, key=lambda each: each.name))
