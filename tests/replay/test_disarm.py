"""What `openvet disarm` writes is what PyTorch and NumPy load, element for element, and what safetensors itself would write.

Nothing here is shared with the code under test: files are written by ``torch.save`` and read by ``torch.load`` with
``weights_only=True``, outputs by ``safetensors.torch``.
"""

from __future__ import annotations

import io
import os
import random
import sys
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest

import openvet
from openvet.disarm.rewrite import DisarmOptions, RefusedError
from openvet.testing.forge import Persistent
from openvet.testing.forge_views import Stored, Strided, tar_file

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")
numpy = pytest.importorskip("numpy")
files = pytest.importorskip("safetensors.torch")

EXAMPLES = int(os.environ.get("OPENVET_FUZZ_EXAMPLES", "60"))
DTYPES = [
    "float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool", "uint16", "uint32",
    "uint64", "float8_e4m3fn", "float8_e5m2", "float8_e8m0fnu", "float8_e4m3fnuz", "float8_e5m2fnuz",
]  # fmt: skip
ALL = DisarmOptions(drop_the_rest=True, force=True)


def bits(tensor: Any) -> bytes:
    """The elements in row-major order as bytes."""
    flat = torch.empty(tensor.numel(), dtype=tensor.dtype)
    flat.copy_(tensor.detach().reshape(-1))
    return bytes(flat.view(torch.uint8).numpy().tobytes()) if flat.numel() else b""


def loaded(path: Path) -> dict[str, Any]:
    """All names of the output, also those that the metadata leads from."""
    with files.safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dictionary
        links = {name: to for name, to in file.metadata().items() if name != "format"}
    return {**tensors, **{name: tensors[to] for name, to in links.items()}}


def flat(value: Any, name: str = "") -> dict[str, Any]:
    """Every tensor below ``value`` under its dotted name."""
    if isinstance(value, torch.Tensor):
        return {name or "tensor": value}
    out: dict[str, Any] = {}
    if isinstance(value, dict):
        for key, item in value.items():
            out |= flat(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple):
        for at, item in enumerate(value):
            out |= flat(item, f"{name}.{at}" if name else str(at))
    return out


def same(value: Any, path: Path) -> None:
    expected, seen = flat(value), loaded(path)
    assert expected.keys() == seen.keys()
    for name, tensor in expected.items():
        assert tensor.dtype == seen[name].dtype, name
        assert tensor.shape == seen[name].shape, name
        assert bits(tensor) == bits(seen[name]), name


def as_loaded(path: Path, value: Any) -> Any:
    """What PyTorch loads; what was saved where it cannot load its own legacy files with untyped storages."""
    try:
        return torch.load(path, weights_only=True)
    except AttributeError:
        return value


def a_tensor(numbers: random.Random, dtype: str) -> Any:
    shape = [numbers.choice([0, 1, 1, 2, 3, 5, 8]) for _ in range(numbers.randrange(5))]
    kind = getattr(torch, dtype)
    size = 1
    for extent in shape:
        size *= extent
    raw = numbers.randbytes(size * kind.itemsize)
    if dtype == "bool":
        raw = bytes(byte & 1 for byte in raw)
    return torch.frombuffer(bytearray(raw or b"\0" * 8), dtype=kind)[:size].reshape(shape)


def a_view(numbers: random.Random, tensor: Any) -> Any:
    """A tensor with the same elements in another order, or some of them, or some of them again and again."""
    for _ in range(numbers.randrange(3)):
        way = numbers.randrange(6)
        if way == 0 and tensor.dim() > 1:
            order = list(range(tensor.dim()))
            numbers.shuffle(order)
            tensor = tensor.permute(order)
        elif way == 1 and tensor.dim():
            tensor = tensor[..., :: numbers.choice([1, 2, 3])]
        elif way == 2 and tensor.dim() and tensor.shape[0]:
            tensor = tensor[numbers.randrange(tensor.shape[0]) :]
        elif way == 3:
            tensor = tensor.unsqueeze(0).expand(numbers.choice([1, 2, 4]), *tensor.shape)
        elif way == 4 and tensor.dim() and tensor.shape[-1]:
            tensor = tensor.select(-1, numbers.randrange(tensor.shape[-1]))
        elif way == 5 and tensor.dim():
            tensor = tensor.unsqueeze(-1)
    return tensor


def a_dict(numbers: random.Random, dtypes: list[str]) -> dict[str, Any]:
    tensors = [a_tensor(numbers, numbers.choice(dtypes)) for _ in range(numbers.randrange(1, 8))]
    out: dict[str, Any] = OrderedDict() if numbers.random() < 0.5 else {}
    for at in range(numbers.randrange(1, 12)):
        tensor = numbers.choice(tensors)
        if numbers.random() < 0.7:
            tensor = a_view(numbers, tensor)
        if numbers.random() < 0.2 and tensor.is_floating_point() and tensor.element_size() > 1:
            tensor = torch.nn.Parameter(tensor, requires_grad=numbers.random() < 0.5)
        place = numbers.choice([out, out.setdefault("model", {}), out.setdefault("list", [])])
        if isinstance(place, list):
            place.append(tensor)
        else:
            place[f"layer{at}.wéight"] = tensor
    return out


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
@pytest.mark.parametrize("part", range(4))
def test_generated_dictionaries(part: int, legacy: bool, tmp_path: Path) -> None:
    for number in range(max(EXAMPLES // 8, 1)):
        numbers = random.Random(f"{part} {number} {legacy}")
        value = a_dict(numbers, DTYPES)
        source, target = tmp_path / "m.pt", tmp_path / "m.safetensors"
        protocol = numbers.choice([2, 3, 4, 5])
        torch.save(value, source, _use_new_zipfile_serialization=not legacy, pickle_protocol=protocol)
        openvet.disarm_model(source, target, ALL)
        same(as_loaded(source, value) if protocol == 2 else value, target)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_every_dtype(dtype: str, legacy: bool, tmp_path: Path) -> None:
    tensor = (
        a_tensor(random.Random(dtype), dtype).new_zeros(0) if dtype == "none" else a_tensor(random.Random(3), dtype)
    )
    value = {"a": tensor, "t": tensor.permute(*reversed(range(tensor.dim()))), "0-d": a_tensor(random.Random(0), dtype)}
    torch.save(value, tmp_path / "m.pt", _use_new_zipfile_serialization=not legacy)
    report = openvet.disarm_model(tmp_path / "m.pt", tmp_path / "o.safetensors")
    assert report.outcome == "whole"
    same(as_loaded(tmp_path / "m.pt", value), tmp_path / "o.safetensors")


def big_endian(data: bytes, widths: dict[str, int]) -> bytes:
    """A zip of torch as a big-endian machine would have written it."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as given, zipfile.ZipFile(out, "w") as made:
        for info in given.infolist():
            raw = given.read(info)
            name = info.filename.partition("/")[2]
            if name == "byteorder":
                raw = b"big"
            elif name.startswith("data/"):
                width = widths[name.removeprefix("data/")]
                raw = b"".join(raw[at : at + width][::-1] for at in range(0, len(raw), width))
            made.writestr(zipfile.ZipInfo(info.filename), raw)
    return out.getvalue()


def test_big_endian(tmp_path: Path) -> None:
    value = {
        name: a_tensor(random.Random(4), name) for name in ("float32", "int64", "int16", "bfloat16", "int8", "float64")
    }
    value["t"] = torch.arange(12, dtype=torch.int32).reshape(3, 4).t()
    buffer = io.BytesIO()
    torch.save(value, buffer)
    widths = {str(at): tensor.element_size() for at, tensor in enumerate(value.values())}
    source = tmp_path / "big.pt"
    source.write_bytes(big_endian(buffer.getvalue(), widths))
    assert sys.byteorder == "little"
    expected = torch.load(source, weights_only=True)
    assert all(bits(value[name]) == bits(expected[name]) for name in value)
    openvet.disarm_model(source, tmp_path / "o.safetensors")
    same(expected, tmp_path / "o.safetensors")


def test_big_endian_without_a_type_is_refused(tmp_path: Path) -> None:
    """PyTorch itself does not turn these, so that nobody can tell what they were."""
    buffer = io.BytesIO()
    torch.save({"w": torch.arange(4).to(torch.uint16)}, buffer)
    (tmp_path / "big.pt").write_bytes(big_endian(buffer.getvalue(), {"0": 2}))
    with pytest.raises(RefusedError, match="untyped storage"):
        openvet.disarm_model(tmp_path / "big.pt", tmp_path / "o.safetensors")


def test_byte_for_byte_what_safetensors_writes(tmp_path: Path) -> None:
    value = {dtype: a_tensor(random.Random(dtype), dtype) for dtype in DTYPES}
    value |= {f"zz{at}": torch.randn(at + 1, 3) for at in range(12)}
    torch.save(value, tmp_path / "m.pt")
    openvet.disarm_model(tmp_path / "m.pt", tmp_path / "ours.safetensors")
    files.save_file(
        {name: each.contiguous() for name, each in value.items()}, tmp_path / "theirs.safetensors", {"format": "pt"}
    )
    assert (tmp_path / "ours.safetensors").read_bytes() == (tmp_path / "theirs.safetensors").read_bytes()


def test_an_alias_is_written_once(tmp_path: Path) -> None:
    weight = torch.randn(50, 20)
    value = {"embed": weight, "head": weight, "view": weight.view(50, 20), "part": weight[:10]}
    torch.save(value, tmp_path / "m.pt")
    report = openvet.disarm_model(tmp_path / "m.pt", tmp_path / "o.safetensors")
    same(value, tmp_path / "o.safetensors")
    assert {each.name: each.aliases for each in report.files[0].tensors} == {"embed": ("head", "view"), "part": ()}


class Net(torch.nn.Module):  # type: ignore[misc, name-defined]
    def __init__(self) -> None:
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8), torch.nn.ReLU())
        self.head = torch.nn.Linear(8, 4)
        self.tied = self.head
        self.register_buffer("grid", torch.arange(6).reshape(2, 3).t())


def test_a_whole_module(tmp_path: Path) -> None:
    """Its parameters and buffers come out under the names of its state_dict; its class does not."""
    net = Net().to(memory_format=torch.channels_last)
    torch.save({"model": net, "epoch": 3}, tmp_path / "m.pt")
    with pytest.raises(RefusedError, match="an instance of"):
        openvet.disarm_model(tmp_path / "m.pt", tmp_path / "o.safetensors")
    report = openvet.disarm_model(tmp_path / "m.pt", tmp_path / "o.safetensors", ALL)
    same({f"model.{name}": each for name, each in net.state_dict().items()}, tmp_path / "o.safetensors")
    assert report.outcome == "partial"


def test_an_optimizer(tmp_path: Path) -> None:
    net = Net()
    optimizer = torch.optim.Adam(net.parameters())
    net.body(torch.randn(2, 3, 8, 8)).sum().backward()
    optimizer.step()
    value = {"state_dict": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 7, "lr": 0.1, "name": "x"}
    torch.save(value, tmp_path / "m.ckpt")
    report = openvet.disarm_model(tmp_path / "m.ckpt", tmp_path / "o.safetensors", DisarmOptions(save_rest=True))
    assert report.outcome == "whole"
    same(value, tmp_path / "o.safetensors")
    assert {"epoch", "lr", "name", "optimizer.param_groups"} <= {each.name for each in report.files[0].plain}


@pytest.mark.parametrize(
    ("tensor", "why"),
    [
        (lambda: torch.eye(3).to_sparse(), "a sparse tensor"),
        (lambda: torch.eye(3).to_sparse_csr(), "a sparse tensor"),
        (lambda: torch.quantize_per_tensor(torch.randn(4), 0.1, 0, torch.qint8), "a quantized tensor"),
        (lambda: torch.randn(3, dtype=torch.complex64), "C64"),
        (lambda: torch.randn(3, dtype=torch.complex128), "C128"),
        (lambda: torch.randn(3, device="meta"), "without data"),
        (lambda: torch.randn(4, dtype=torch.complex64).conj().imag, "changes its numbers"),
    ],
)
def test_what_cannot_be_carried_is_refused_by_name(tensor: Any, why: str, tmp_path: Path) -> None:
    torch.save({"a": torch.ones(2), "x.y": tensor()}, tmp_path / "m.pt")
    with pytest.raises(RefusedError, match=r"x\.y: .*" + why):
        openvet.disarm_model(tmp_path / "m.pt", tmp_path / "o.safetensors")
    assert [each.name for each in tmp_path.iterdir()] == ["m.pt"]
    report = openvet.disarm_model(tmp_path / "m.pt", tmp_path / "o.safetensors", ALL)
    assert (report.outcome, [each.name for each in report.files[0].left]) == ("partial", ["x.y"])
    same({"a": torch.ones(2)}, tmp_path / "o.safetensors")


def arrays() -> dict[str, Any]:
    numbers = numpy.random.default_rng(1)
    out = {
        kind: (numbers.random((2, 3, 4)) * 50).astype(kind)
        for kind in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?", ">f4", ">i8", ">u2")
    }
    out["fortran"] = numpy.asfortranarray(out["f4"])
    out["turned"] = out["f8"].transpose(2, 0, 1)
    out["0-d"] = numpy.array(7.5)
    out["empty"] = numpy.zeros((0, 3))
    return out


def same_arrays(expected: dict[str, Any], path: Path) -> None:
    seen = loaded(path)
    assert seen.keys() == expected.keys()
    for name, array in expected.items():
        kind = array.dtype.newbyteorder("<")
        assert tuple(seen[name].shape) == array.shape, name
        assert bits(seen[name]) == numpy.ascontiguousarray(array).astype(kind).tobytes(), name


@pytest.mark.parametrize("protocol", range(6))
def test_arrays_in_a_pickle(protocol: int, tmp_path: Path) -> None:
    import pickle

    (tmp_path / "m.pkl").write_bytes(pickle.dumps(arrays(), protocol))
    openvet.disarm_model(tmp_path / "m.pkl", tmp_path / "o.safetensors")
    same_arrays(arrays(), tmp_path / "o.safetensors")


@pytest.mark.parametrize("compress", [0, ("zlib", 3), ("gzip", 3), ("bz2", 3), ("xz", 3)], ids=str)
def test_joblib(compress: Any, tmp_path: Path) -> None:
    joblib = pytest.importorskip("joblib")
    joblib.dump(arrays(), tmp_path / "m.joblib", compress=compress)
    openvet.disarm_model(tmp_path / "m.joblib", tmp_path / "o.safetensors")
    same_arrays(arrays(), tmp_path / "o.safetensors")


def test_npy_and_npz(tmp_path: Path) -> None:
    for array in arrays().values():
        numpy.save(tmp_path / "m.npy", array)
        openvet.disarm_model(tmp_path / "m.npy", tmp_path / "o.safetensors", DisarmOptions(force=True))
        same_arrays({"array": array}, tmp_path / "o.safetensors")
    for save in (numpy.savez, numpy.savez_compressed):
        save(tmp_path / "m.npz", **{name.strip(">?"): each for name, each in arrays().items() if name.strip(">?")})
        openvet.disarm_model(tmp_path / "m.npz", tmp_path / "o.safetensors", DisarmOptions(force=True))
        same_arrays(dict(numpy.load(tmp_path / "m.npz").items()), tmp_path / "o.safetensors")


@pytest.mark.parametrize(
    "array",
    [
        numpy.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f4")]),
        numpy.array([{}, None], dtype=object),
        numpy.array(["text"]),
        numpy.array([1 + 2j]),
        numpy.array(["2026-01-01"], dtype="M8[D]"),
        numpy.array([1.5], dtype="g"),
    ],
    ids=["struct", "object", "text", "complex", "dates", "long-double"],
)
@pytest.mark.parametrize("kind", ["npy", "pkl", "joblib"])
def test_arrays_that_cannot_be_carried(array: Any, kind: str, tmp_path: Path) -> None:
    import pickle

    source = tmp_path / f"m.{kind}"
    if kind == "npy":
        numpy.save(source, array)
    elif kind == "pkl":
        source.write_bytes(pickle.dumps({"w": numpy.ones(2), "x": array}, 4))
    else:
        pytest.importorskip("joblib").dump({"w": numpy.ones(2), "x": array}, source)
    with pytest.raises(RefusedError, match="array"):
        openvet.disarm_model(source, tmp_path / "o.safetensors")
    assert not (tmp_path / "o.safetensors").exists()


def test_a_tensor_pickled_without_torch_save(tmp_path: Path) -> None:
    import pickle

    value = {"w": torch.randn(4, 5).t(), "b": torch.arange(3)}
    for protocol in range(6):
        (tmp_path / "m.pkl").write_bytes(pickle.dumps(value, protocol))
        openvet.disarm_model(tmp_path / "m.pkl", tmp_path / "o.safetensors", DisarmOptions(force=True))
        same(value, tmp_path / "o.safetensors")


def test_shards(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    value = {f"layer.{at}.weight": torch.randn(4, 4) for at in range(6)}
    names = sorted(value)
    for at in range(2):
        torch.save({name: value[name] for name in names[at::2]}, folder / f"pytorch_model-{at + 1:05}-of-00002.bin")
    openvet.disarm_model(folder, tmp_path / "out")
    import json

    index = json.loads((tmp_path / "out" / "model.safetensors.index.json").read_text())
    assert index["weight_map"].keys() == value.keys()
    for name, file in index["weight_map"].items():
        assert bits(loaded(tmp_path / "out" / file)[name]) == bits(value[name])


def test_the_oldest_container(tmp_path: Path) -> None:
    """No PyTorch of today writes it; what the forge writes is what PyTorch reads."""
    numbers = random.Random(1)
    one, other = Stored(numbers.randbytes(48)), Stored(numbers.randbytes(48), "Long")
    views = {7: Strided(one, (3, 4), (4, 1)), 9: Strided(one, (4, 3), (1, 4)), 11: Strided(other, (2, 2), (3, 1), 1)}
    (tmp_path / "m.pt").write_bytes(
        tar_file({"a": Persistent("7"), "t": Persistent("9"), "l": Persistent("11")}, views)
    )
    openvet.disarm_model(tmp_path / "m.pt", tmp_path / "o.safetensors")
    same(torch.load(tmp_path / "m.pt", weights_only=False), tmp_path / "o.safetensors")


@pytest.mark.skipif("OPENVET_MODELS" not in os.environ, reason="OPENVET_MODELS names no folder of real models")
def test_real_models(tmp_path: Path) -> None:
    """Every file in the folder that ``torch.load`` takes as weights alone."""
    found = 0
    for path in sorted(Path(os.environ["OPENVET_MODELS"]).rglob("*")):
        if path.suffix not in {".pt", ".pth", ".bin", ".ckpt"} or not path.is_file():
            continue
        try:
            value = torch.load(path, weights_only=True, map_location="cpu")
        except Exception:  # noqa: BLE001 - no file of PyTorch, or more than weights
            continue
        carried = {
            name: each
            for name, each in flat(value).items()
            if each.layout is torch.strided and not each.is_quantized and not each.is_complex() and not each.is_meta
        }
        if not carried:
            continue
        report = openvet.disarm_model(path, tmp_path / "o.safetensors", ALL)
        seen = loaded(tmp_path / "o.safetensors")
        assert carried.keys() <= seen.keys(), path
        assert all(bits(each) == bits(seen[name]) for name, each in carried.items()), path
        assert report.files[0].tensors
        found += 1
    assert found
