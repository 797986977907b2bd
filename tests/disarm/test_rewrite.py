"""A checkpoint becomes safetensors: the same elements under the same names, nothing run, nothing lost without a word."""

from __future__ import annotations

import hashlib
import json
import os
import random
from pathlib import Path
from typing import Any

import pytest
from tests.disarm.reading import DROP, EVIL, FORMS, WORDS, plain, read_back, refused, run, stored

import openvet
from openvet.disarm.rewrite import DisarmOptions, RefusedError
from openvet.errors import OpenVetError
from openvet.testing.forge import Call, Name, Persistent, assemble, dump
from openvet.testing.forge_views import Stored, Strided, elements, legacy_file, tar_file, zip_file
from openvet.workflows.disarm import Outcome


def views() -> dict[str, Any]:
    base = stored(60)
    return {
        "whole": Strided(base, (5, 12), (12, 1)),
        "turned": Strided(base, (12, 5), (1, 12)),
        "part": Strided(base, (2, 3), (12, 2), 13),
        "again": Strided(base, (3, 4), (0, 1), 7),
        "0-d": Strided(base, (), (), 9),
        "none": Strided(base, (4, 0), (1, 1)),
        "parameter": Strided(stored(6), (2, 3), (3, 1), parameter=True),
        "deep": {"list": [plain(3, kind) for kind in WORDS], "dict": {7: plain(2, "Long")}},
    }


def flat(value: Any, name: str = "") -> dict[str, Strided]:
    if isinstance(value, Strided):
        return {name: value}
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    out: dict[str, Strided] = {}
    for key, item in pairs:
        out |= flat(item, f"{name}.{key}" if name else str(key))
    return out


@pytest.mark.parametrize("form", FORMS)
def test_every_element_under_its_name(form: str, tmp_path: Path) -> None:
    report = run(tmp_path, FORMS[form](views()))
    seen, metadata = read_back(tmp_path / "out.safetensors")
    expected = flat(views())
    assert metadata == {"format": "pt"}
    assert seen == {
        name: (WORDS[view.storage.kind], view.shape, elements(view)) for name, view in expected.items()
    }  # fmt: skip
    assert report.outcome is Outcome.WHOLE
    (file,) = report.files
    assert file.source_digest == hashlib.sha256((tmp_path / "model.pt").read_bytes()).hexdigest()
    assert file.target_digest == hashlib.sha256((tmp_path / "out.safetensors").read_bytes()).hexdigest()
    for each in file.tensors:
        assert each.before == each.after == hashlib.sha256(elements(expected[each.name])).hexdigest()
    assert {each.name for each in file.tensors if not each.contiguous} == {"turned", "part", "again"}


def test_big_endian_is_turned(tmp_path: Path) -> None:
    value = {kind: Strided(stored(6, kind), (3, 2), (1, 3)) for kind in WORDS}
    report = run(tmp_path, zip_file(value, order="big"))
    seen, _ = read_back(tmp_path / "out.safetensors")
    assert seen == {kind: (WORDS[kind], (3, 2), elements(view, turned=True)) for kind, view in value.items()}
    assert {each.name for each in report.files[0].tensors if each.swapped} == {
        k for k in WORDS if value[k].storage.width > 1
    }


def test_an_alias_is_written_once_and_named(tmp_path: Path) -> None:
    base = stored(12)
    value = {
        "embed": Strided(base, (3, 4), (4, 1)),
        "head": Strided(base, (3, 4), (4, 1)),
        "flat": Strided(base, (12,), (1,)),
    }
    report = run(tmp_path, zip_file(value))
    seen, metadata = read_back(tmp_path / "out.safetensors")
    assert metadata == {"format": "pt", "head": "embed"}
    assert seen.keys() == {"embed", "flat"}
    assert {each.name: each.aliases for each in report.files[0].tensors} == {"embed": ("head",), "flat": ()}


def test_a_state_dict_with_its_bookkeeping(tmp_path: Path) -> None:
    value = Call(Name("collections", "OrderedDict"), (), {"_metadata": {"": {"version": 1}}}, items=(("w", plain()),))
    report = run(tmp_path, zip_file(value))
    assert report.outcome is Outcome.WHOLE
    assert [each.value for each in report.files[0].notes] == [{"dict": [["_metadata", {"dict": [["", {"dict": [["version", 1]]}]]}]]}]  # fmt: skip


# --- what is no tensor ---


def test_plain_values_are_refused_saved_or_dropped(tmp_path: Path) -> None:
    data = zip_file({"w": plain(), "epoch": 3, "args": {"lr": 0.5, "betas": (0.9, 1), "name": "x\ny"}, "none": None})
    refused(tmp_path, data, "3 plain values are no tensors .*--save-rest writes them")
    report = run(tmp_path, data, DisarmOptions(save_rest=True))
    assert report.outcome is Outcome.WHOLE
    saved = json.loads((tmp_path / "out.safetensors.rest.json").read_text())
    assert saved["values"] == [
        {"name": "epoch", "value": 3},
        {"name": "args", "value": {"lr": 0.5, "betas": {"tuple": [0.9, 1]}, "name": "x\ny"}},
        {"name": "none", "value": None},
    ]
    report = run(tmp_path, data, DisarmOptions(drop_the_rest=True, force=True))
    assert report.outcome is Outcome.PARTIAL
    assert [each.name for each in report.files[0].plain] == ["epoch", "args", "none"]
    assert read_back(tmp_path / "out.safetensors")[0].keys() == {"w"}


@pytest.mark.parametrize(
    ("tensor", "why"),
    [
        (plain(2, "ComplexFloat"), "C64"),
        (Strided(stored(4, "QInt8"), (4,), (1,), rebuild="_rebuild_qtensor"), "a quantized tensor"),
        (Strided(stored(4), (4,), (1,), rebuild="_rebuild_nested_tensor"), "a nested tensor"),
        (Strided(stored(4), (4,), (1,), rebuild="_rebuild_anything"), "_rebuild_anything would make"),
        (Strided(stored(4), (4,), (1,), extra=({"neg": True},)), "changes its numbers"),
        (Strided(stored(4), (5,), (1,)), "reaches 20 bytes into a storage of 16"),
        (Strided(stored(4), (2,), (1, 1)), "do not fit together"),
        (Strided(Stored(bytes(16), claimed=5), (4,), (1,)), "has 16 bytes, but the pickle claims 20"),
        (Call(Name("torch._utils", "_rebuild_tensor_v2"), (1, 2)), "arguments are not known"),
        (Call(Name("torch._utils", "_rebuild_sparse_tensor"), (1, 2)), "a sparse tensor"),
        (Call(Name("torch._utils", "_rebuild_meta_tensor_no_storage"), (1, 2)), "without data"),
        (Call(Name("numpy.core.multiarray", "_reconstruct"), (Name("numpy", "ndarray"), (0,), b"b"), (1, (1,), 2, False, [3])), "array"),
    ],
)  # fmt: skip
def test_a_tensor_that_cannot_be_carried_is_named(tensor: Any, why: str, tmp_path: Path) -> None:
    data = zip_file({"w": plain(), "layer": {"x": tensor}})
    refused(tmp_path, data, rf"layer\.x: .*{why}")
    report = run(tmp_path, data, DROP)
    # what leads out of a storage is dangerous to PyTorch before 2.10 (CVE-2026-24747)
    assert report.outcome is (Outcome.DANGEROUS if "16" in why else Outcome.PARTIAL)
    assert [(each.kind, each.name) for each in report.files[0].left] == [("tensor", "layer.x")]
    assert read_back(tmp_path / "out.safetensors")[0].keys() == {"w"}


def test_names_that_collide_are_refused(tmp_path: Path) -> None:
    refused(tmp_path, zip_file({"a.b": plain(), "a": {"b": plain(3)}}), "two tensors have the name a.b", DROP)
    refused(tmp_path, zip_file({"__metadata__": plain()}), "means something else", DROP)
    refused(tmp_path, zip_file({1: plain(), "1": plain(3)}), "two tensors have the name 1", DROP)


def test_contradictory_claims_are_refused(tmp_path: Path) -> None:
    one = Stored(bytes(16), "Float", key="0")
    other = Stored(bytes(16), "Int", key="0")
    value = {"a": Strided(one, (4,), (1,)), "b": Strided(other, (4,), (1,))}
    refused(tmp_path, zip_file(value), "b: its storage is described in two ways")


def test_a_module_is_looked_at_as_data(tmp_path: Path) -> None:
    def module(name: str, **state: Any) -> Call:
        return Call(
            Name("copyreg", "_reconstructor"), (Name("models.net", name), Name("builtins", "object"), None), state
        )

    weight = plain()
    inner = module(
        "Conv", _parameters={"weight": weight, "bias": None}, _buffers={"mean": plain(3)}, _modules={}, training=True
    )
    net = module("Net", _parameters={}, _buffers={}, _modules={"0": inner, "tied": inner}, anchors=plain(2))
    data = zip_file({"model": net, "epoch": 1})
    refused(tmp_path, data, "model: an instance of")
    report = run(tmp_path, data, DROP)
    seen, metadata = read_back(tmp_path / "out.safetensors")
    assert seen.keys() == {"model.0.weight", "model.0.mean", "model.anchors"}
    assert metadata == {"format": "pt", "model.tied.weight": "model.0.weight", "model.tied.mean": "model.0.mean"}
    assert report.outcome is Outcome.PARTIAL
    assert {each.kind for each in report.files[0].left} == {"object"}


# --- hostile files ---


@pytest.mark.parametrize("form", FORMS)
def test_data_is_rescued_from_a_hostile_file(form: str, tmp_path: Path) -> None:
    """What a call would give stands beside the tensors, and nobody needs to be asked before it is left out."""
    report = run(tmp_path, FORMS[form]({"w": plain(), "x": EVIL, "y": {"z": plain(2)}}))
    assert report.outcome is Outcome.DANGEROUS
    assert read_back(tmp_path / "out.safetensors")[0].keys() == {"w", "y.z"}
    (file,) = report.files
    assert [(each.kind, each.name, each.callable) for each in file.left] == [("call", "x", ("os", "system"))]
    assert [(each.qualified.rpartition(".")[2], each.arguments) for each in file.calls] == [
        ("system", ("'echo forged'",))
    ]
    assert "pickle/runs-process" in {each["rule"] for each in report.to_json()["findings"]}


def test_a_call_in_front_of_the_data(tmp_path: Path) -> None:
    """As injected by tools: run first, its result thrown away."""
    honest = zip_file({"w": plain()})
    import io
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(honest)) as given, zipfile.ZipFile(out, "w") as made:
        for info in given.infolist():
            data = given.read(info)
            if info.filename.endswith("data.pkl"):
                data = data[:2] + b"cposix\nsystem\n(X\x04\x00\x00\x00echotR0" + data[2:]
            made.writestr(zipfile.ZipInfo(info.filename), data)
    report = run(tmp_path, out.getvalue())
    assert report.outcome is Outcome.DANGEROUS
    assert report.files[0].left == ()
    assert [each.qualified for each in report.files[0].calls] == ["posix.system"]
    assert read_back(tmp_path / "out.safetensors")[0].keys() == {"w"}


def test_a_tensor_that_only_a_call_has_is_not_taken_for_data(tmp_path: Path) -> None:
    hidden = Call(Name("builtins", "eval"), ("x", {"w": plain()}))
    report = run(tmp_path, zip_file({"a": plain(3), "b": hidden}))
    assert read_back(tmp_path / "out.safetensors")[0].keys() == {"a"}
    assert report.outcome is Outcome.DANGEROUS


def test_a_root_that_only_a_call_gives_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, zip_file(Call(Name("builtins", "eval"), ("x", {"w": plain()}))), "holds no tensor", DROP)


def test_doubt_about_the_file_is_refused(tmp_path: Path) -> None:
    good = zip_file({"w": plain()})
    refused(tmp_path, good + good, "refused", DROP)
    refused(tmp_path, zip_file({"w": plain()}, extra={"DATA.PKL": b"."}), "two members|pickles", DROP)
    refused(tmp_path, zip_file({"w": plain()}, order="middle"), "byte order", DROP)
    refused(tmp_path, dump({"w": 1}, 4)[:-1], "breaks|no checkpoint", DROP)
    framed = assemble(
        "PROTO 4\nRAW 95 05 00 00 00 00 00 00 00\nEMPTY_DICT\nSHORT_BINUNICODE 'weight'\nNONE\nSETITEM\nSTOP"
    )
    refused(tmp_path, framed, "refused", DROP)
    refused(tmp_path, b"just text\n", "no checkpoint", DROP)


def test_bombs_are_refused(tmp_path: Path) -> None:
    one = Stored(bytes(4))
    refused(tmp_path, zip_file({"w": Strided(one, (2**40,), (0,))}), "overlap and would take", DROP)
    refused(tmp_path, zip_file({"w": Strided(one, (2**40, 2**40), (0, 0))}), "overflows", DROP)
    laughs = "EMPTY_LIST\nBINPUT 0\n" + "".join(
        f"EMPTY_LIST\nBINPUT {at}\nBINGET {at - 1}\nAPPEND\nBINGET {at - 1}\nAPPEND\n" for at in range(1, 90)
    )
    refused(tmp_path, assemble(f"PROTO 2\n{laughs}STOP"), "refused", DROP)
    deep = "EMPTY_LIST\n" * 5000 + "APPEND\n" * 4999
    refused(tmp_path, assemble(f"PROTO 2\n{deep}STOP"), "refused", DROP)
    refused(tmp_path, assemble("PROTO 2\nEMPTY_LIST\nBINPUT 0\nBINGET 0\nAPPEND\nSTOP"), "no tensor", DROP)


@pytest.mark.parametrize("form", FORMS)
def test_cut_anywhere_it_is_refused_and_leaves_nothing(form: str, tmp_path: Path) -> None:
    data = FORMS[form]({"w": Strided(stored(4), (2, 2), (1, 2)), "b": plain(2, "Half")})
    source, target = tmp_path / "model.pt", tmp_path / "out.safetensors"
    for size in range(0, len(data), 7):
        source.write_bytes(data[:size])
        with pytest.raises(RefusedError):
            openvet.disarm_model(source, target, DROP)
        assert [each.name for each in tmp_path.iterdir()] == ["model.pt"]


def test_changed_anywhere_nothing_unexpected_happens(tmp_path: Path) -> None:
    data = zip_file({"w": Strided(stored(4), (2, 2), (1, 2)), "b": {"x": plain(2, "Half"), "n": [1, "two"]}})
    numbers = random.Random(3)
    source, target = tmp_path / "model.pt", tmp_path / "out.safetensors"
    for _ in range(int(os.environ.get("OPENVET_FUZZ_EXAMPLES", "300"))):
        changed = bytearray(data)
        for _ in range(numbers.randrange(1, 4)):
            changed[numbers.randrange(len(changed))] = numbers.randrange(256)
        source.write_bytes(changed)
        try:
            openvet.disarm_model(source, target, DisarmOptions(drop_the_rest=True, force=True))
            read_back(target)
        except RefusedError:
            pass
        assert {each.name for each in tmp_path.iterdir()} <= {"model.pt", "out.safetensors"}


def test_a_call_that_is_not_known_makes_the_result_partial(tmp_path: Path) -> None:
    """It may have changed what was there before it; nobody can tell without running it."""
    data = assemble(
        "PROTO 2\nEMPTY_DICT\nBINPUT 0\nGLOBAL some.where change\nBINGET 0\nTUPLE1\nREDUCE\nPOP\nBINGET 0\n"
        "MARK\nSHORT_BINUNICODE 'w'\nGLOBAL numpy.core.multiarray scalar\nGLOBAL numpy dtype\nSHORT_BINUNICODE 'f4'\n"
        "NEWFALSE\nNEWTRUE\nTUPLE3\nREDUCE\nSHORT_BINBYTES 'abcd'\nTUPLE2\nREDUCE\nSETITEMS\nSTOP"
    )
    report = run(tmp_path, data)
    assert report.outcome is Outcome.PARTIAL
    assert [each.qualified for each in report.files[0].calls] == ["some.where.change"]
    assert read_back(tmp_path / "out.safetensors")[0] == {"w": ("F32", (), b"abcd")}


def test_the_oldest_container(tmp_path: Path) -> None:
    base, other = stored(12), stored(6, "Long")
    tensors = {
        7: Strided(base, (3, 4), (4, 1)),
        9: Strided(base, (4, 3), (1, 4)),
        11: Strided(other, (2, 2), (3, 1), 1),
    }
    value = {"a": Persistent("7"), "deep": [Persistent("9"), Persistent("11")], "again": Persistent("7")}
    report = run(tmp_path, tar_file(value, tensors))
    seen, metadata = read_back(tmp_path / "out.safetensors")
    assert seen == {
        "a": ("F32", (3, 4), elements(tensors[7])),
        "deep.0": ("F32", (4, 3), elements(tensors[9])),
        "deep.1": ("I64", (2, 2), elements(tensors[11])),
    }
    assert metadata == {"format": "pt", "again": "a"}
    assert (report.outcome, report.files[0].format) == (Outcome.WHOLE, "torch-tar")


def test_the_oldest_container_with_faults(tmp_path: Path) -> None:
    tensors = {1: Strided(stored(4), (4,), (1,))}
    good = tar_file({"w": Persistent("1")}, tensors)
    refused(tmp_path, tar_file({"w": Persistent("2")}, tensors), "w: it is not in the archive")
    refused(tmp_path, tar_file({"w": Persistent("1")}, {1: Strided(stored(4), (5,), (1,))}), "w: it reaches")
    refused(tmp_path, tar_file({"w": Persistent("1")}, tensors, [(5, 0, 2, 3)]), "goes beyond it")
    for size in range(512, len(good), 97):
        if any(good[size:]):
            refused(tmp_path, good[:size], "refused", DROP)
    evil = tar_file({"w": Persistent("1"), "x": EVIL}, tensors)
    assert run(tmp_path, evil).outcome is Outcome.DANGEROUS


def test_a_list_of_storages_that_is_none_is_refused(tmp_path: Path) -> None:
    """A number stands where the list of keys should (found by fuzzing)."""
    keys = b"\x80\x02](X\x01\x00\x00\x000e."
    whole = legacy_file({"w": Strided(Stored(bytes(16)), (2, 2), (2, 1))})
    assert whole.count(keys) == 1
    (tmp_path / "in.pt").write_bytes(whole.replace(keys, keys.replace(b"]", b"G")))
    with pytest.raises(OpenVetError, match="the list of its storages is no plain list"):
        openvet.disarm_model(tmp_path / "in.pt", tmp_path / "out", DisarmOptions(force=True))


@pytest.mark.parametrize("folder", [False, True])
def test_what_is_no_checkpoint_is_refused_before_it_is_checked(
    folder: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check reads all of a model, and of a long one nobody waits for a refusal that its first bytes decide."""

    def checked(*_: object) -> Any:
        raise AssertionError("it was checked")

    monkeypatch.setattr("openvet.workflows.disarm.check_each", checked)
    source = tmp_path / "model"
    source.mkdir()
    (source / "config.json").write_text("{}")
    with pytest.raises(RefusedError, match="no file in it holds tensors" if folder else "it is no checkpoint"):
        openvet.disarm_model(source if folder else source / "config.json", tmp_path / "out")
    assert list(tmp_path.iterdir()) == [source]
    (source / "model.pkl").write_bytes(dump({"w": 1}))
    with pytest.raises(AssertionError, match="it was checked"):
        openvet.disarm_model(source if folder else source / "model.pkl", tmp_path / "out")
