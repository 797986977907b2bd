"""Frameworks beside the large ones: PaddlePaddle, MXNet, Caffe, Torch7, Darknet, old joblib; hostile and ordinary."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Literal

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_protobuf import field, message

__all__ = ["CASES", "caffe", "lua", "mxnet_params", "paddle_params", "paddle_program", "zfile"]

_EVIL = dump(Call(Name("os", "system"), ("echo forged",)), 2)


def _attribute(key: str, value: str) -> dict[str, Any]:
    return {"name": key, "type": 2, "s": value}


def paddle_program(operator: str = "softmax", **attributes: str) -> bytes:
    """A program with one variable and two operators."""
    tensor = {"tensor": {"data_type": 5, "dims": [-1, 4]}}
    variable = {"name": "x", "type": {"type": 7, "dense_tensor": tensor}}
    operators = [
        {"inputs": [{"parameter": "X", "arguments": ["x"]}], "type": "matmul_v2"},
        {"type": operator, "attrs": [_attribute(key, value) for key, value in attributes.items()]},
    ]
    block = {"idx": 0, "parent_idx": -1, "vars": [variable], "ops": operators}
    return message("paddle", "ProgramDesc", {"blocks": [block], "version": {"version": 3_000_000}})


def _newer(operator: str = "1.softmax", *texts: str, inner: bool = False) -> bytes:
    """The same as JSON."""
    given = [{"AT": {"#": "0.a_str", "D": text}, "N": "file_path"} for text in texts]
    made: dict[str, Any] = {"#": operator, "A": given, "I": [{"%": 1}], "O": [{"%": 2}]}
    if inner:
        made = {
            "#": "1.if",
            "A": [],
            "I": [],
            "O": [],
            "regions": [{"#": "region_1", "blocks": [{"#": "block_1", "args": [], "ops": [made]}]}],
        }
    ops = [
        {"#": "p", "A": [0, 1, 1, "linear_0.w_0"], "O": {"%": 1}},
        {"#": "1.matmul", "A": [], "I": [], "O": []},
        made,
    ]
    program = {"regions": [{"#": "region_0", "blocks": [{"#": "block_0", "args": [], "ops": ops}]}]}
    return json.dumps({"base_code": {"magic": "pir", "trainable": True, "version": 4}, "program": program}).encode()


def paddle_params(count: int = 2, kind: int = 5) -> bytes:
    """Tensors, one after the other."""
    described = b"\x08" + bytes([kind]) + b"\x10\x04"
    return (struct.pack("<IQIi", 0, 0, 0, len(described)) + described + struct.pack("<4f", 1, 2, 3, 4)) * count


def mxnet_params(names: tuple[bytes, ...] = (b"arg:w",), kind: int = 0) -> bytes:
    """A list of arrays with their names."""
    array = struct.pack("<IiiqqiiI", 0xF993FAC9, 0, 2, 2, 2, 1, 0, kind) + struct.pack("<4f", 1, 2, 3, 4)
    return (struct.pack("<QQQ", 0x112, 0, len(names)) + array * len(names) + struct.pack("<Q", len(names))
            + b"".join(struct.pack("<Q", len(name)) + name for name in names))  # fmt: skip


def _symbol(op: str = "FullyConnected", key: str = "attrs", **attributes: str) -> bytes:
    nodes = [
        {"op": "null", "name": "data", "inputs": []},
        {"op": op, "name": "n", key: attributes, "inputs": [[0, 0, 0]]},
    ]
    return json.dumps(
        {"nodes": nodes, "arg_nodes": [0], "heads": [[1, 0, 0]], "attrs": {"mxnet_version": ["int", 10900]}}
    ).encode()


def caffe(kind: str = "InnerProduct", **more: Any) -> bytes:
    """A network with weights."""
    weights = message("caffe", "BlobProto", {"shape": {"dim": [2, 2]}}) + field(5, 2, struct.pack("<4f", 1, 2, 3, 4))
    first = {"name": "ip", "type": "InnerProduct", "bottom": ["data"], "top": ["ip"], "blobs": [weights]}
    return message("caffe", "NetParameter", {"name": "net", "layer": [first, {"name": "last", "type": kind, **more}]})


def _prototxt(module: str = "", layer: str = "") -> bytes:
    python = (
        f'layer {{\n  name: "roi"\n  type: "Python"\n  python_param {{ module: {module} layer: {layer} }}\n}}\n'
        if module
        else ""
    )
    return f"""name: "net"  # a network
input: "data"
input_shape {{ dim: 1 dim: 3 dim: 8 dim: 8 }}
layer {{ name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param {{ num_output: 2 weight_filler {{ type: "xavier" }} }} }}
{python}layer {{
  name: 'loss'
  type: "SoftmaxWithLoss"  # ends
  include: {{ phase: TRAIN }}
  loss_weight: [1, -2.5e-3]
}}
""".encode()


def lua(value: Any, counter: list[int] | None = None) -> bytes:
    """An object of a Torch7 file: texts, numbers, truths, dictionaries as tables; bytes stand for a function."""
    counter = [0] if counter is None else counter
    if value is None:
        return struct.pack("<i", 0)
    if isinstance(value, bool):
        return struct.pack("<ii", 5, value)
    if isinstance(value, int | float):
        return struct.pack("<id", 1, value)
    if isinstance(value, str):
        return struct.pack("<ii", 2, len(value)) + value.encode()
    counter[0] += 1
    number = counter[0]
    if isinstance(value, bytes):
        return struct.pack("<iii", 8, counter[0], len(value)) + value + lua({}, counter)
    if isinstance(value, tuple):  # an object of a class
        name, inner = str(value[0]), value[1]
        head = (
            struct.pack("<ii", 4, counter[0])
            + struct.pack("<i", 3)
            + b"V 1"
            + struct.pack("<i", len(name))
            + name.encode()
        )
        return head + (_tensor(counter) if name.endswith("Tensor") else lua(inner, counter))
    parts = [lua(key, counter) + lua(each, counter) for key, each in value.items()]
    return struct.pack("<iii", 3, number, len(parts)) + b"".join(parts)


def _tensor(counter: list[int]) -> bytes:
    counter[0] += 1
    name = "torch.FloatStorage"
    storage = struct.pack("<iii", 4, counter[0], 3) + b"V 1" + struct.pack("<i", len(name)) + name.encode()
    return struct.pack("<iqqqqq", 2, 2, 2, 2, 1, 1) + storage + struct.pack("<q4f", 4, 1, 2, 3, 4)


def zfile(pickle: bytes, filled: int = 19) -> bytes:
    """An old joblib file."""
    return b"ZF" + hex(len(pickle)).encode().ljust(filled) + zlib.compress(pickle)


def darknet() -> bytes:
    return struct.pack("<3iQ", 0, 2, 5, 32013312) + struct.pack("<64f", *(0.01 * each - 0.3 for each in range(64)))


def _case(
    word: str, technique: str, forge: Callable[[], bytes | Mapping[str, bytes]], decision: Literal["admit", "review", "reject"],
    *rules: str, name: str, format_: str,
) -> Case:  # fmt: skip
    return Case(f"frameworks/{word}", technique, forge, decision, frozenset(rules), (format_,), (), name)


def _paddle(
    word: str, technique: str, forge: Callable[[], bytes], decision: Literal["admit", "review", "reject"], *rules: str
) -> Case:
    newer = word.startswith("paddle-json")
    return _case(word, technique, forge, decision, *rules, name="inference.json" if newer else "inference.pdmodel",
                 format_="json" if newer else "paddle-program")  # fmt: skip


_D, _C = "paddle/dangerous-operator", "paddle/custom-operator"
_M, _L = "mxnet/custom-operator", "caffe/python-layer"
_BYTECODE = b"\x1bLJ\x01\x02forged"
_MODULE = ("nn.Sequential", {"train": False, "weight": ("torch.FloatTensor", None), "name": "os.execute"})
_NET = Name("skorch.net", "NeuralNet")


def _skorch(value: Any, owner: Name = _NET) -> Callable[[], bytes]:
    """A net of skorch, which keeps what belongs on a device as bytes of another pickle and loads it with its state."""
    inner = dump(value, 2)
    return lambda: dump(Call(owner, (), state={"lr": 0.1, "__cuda_dependent_attributes__": inner}, how="NEWOBJ"), 4)


_LINEAR = Call(Name("torch.nn.modules.linear", "Linear"), (), state={"training": True}, how="NEWOBJ")
CASES: tuple[Case, ...] = (
    _case("skorch-state", "a net of skorch loads a pickle with a payload out of its state", _skorch(Call(Name("os", "system"), ("echo forged",))), "reject",
          "pickle/runs-process", name="net.pkl", format_="pickle"),
    _case("skorch-ordinary", "a net of skorch with a module in its state", _skorch({"module_": _LINEAR}), "admit", name="net.pkl", format_="pickle"),
    _case("skorch-other", "an estimator that keeps a pickle for nobody knows whom", _skorch({"module_": _LINEAR}, Name("sklearn.svm._classes", "SVC")),
          "review", "pickle/nested-pickle", name="net.pkl", format_="pickle"),
    _paddle("paddle-py-func", "an operator calls a function of the Python process", lambda: paddle_program("py_func", forward_callable_id="0"), "reject", _D),
    _paddle("paddle-unknown-field", "a program with a field that nobody knows writes a file elsewhere",
            lambda: paddle_program("save", file_path="/etc/cron.d/job") + field(77, 2, b"new"), "reject", _D),
    _paddle("paddle-save", "an operator writes a file elsewhere", lambda: paddle_program("save_combine", file_path="/etc/cron.d/job"), "reject", _D),
    _paddle("paddle-save-beside", "an operator writes a file beside the model", lambda: paddle_program("save", file_path="out/x"), "reject", _D),
    _paddle("paddle-load", "an operator reads a file elsewhere", lambda: paddle_program("load", file_path="../../../etc/passwd"), "reject", _D),
    _paddle("paddle-read-file", "an operator reads a file that an attribute names", lambda: paddle_program("read_file", filename="/etc/passwd"), "reject", _D),
    _paddle("paddle-listen", "an operator listens on an address", lambda: paddle_program("listen_and_serv", endpoint="0.0.0.0:8000"), "reject", _D),
    _paddle("paddle-json-save", "an operator of the newer form writes a file elsewhere", lambda: _newer("1.save_combine", "/etc/cron.d/job"), "reject", _D),
    _paddle("paddle-json-nested", "an operator in a branch of the newer form calls Python", lambda: _newer("1.py_func", inner=True), "reject", _D),
    _case("paddle-params-pickle", "a pickle under the name of parameters", lambda: _EVIL, "reject", "file/name-mismatch", "pickle/runs-process", name="m.pdiparams", format_="pickle"),
    _case("mxnet-native", "a node calls what stands at an address", lambda: _symbol("_Native", info="0x41414141"), "reject", _M, name="m-symbol.json", format_="json"),
    _case("mxnet-ndarray", "a node of an early version calls what stands at an address", lambda: _symbol("_NDArray", "param", info="0x7f00"), "reject", _M,
          name="m-symbol.json", format_="json"),
    _case("caffe-text-system", "a layer of a network as text is os.system", lambda: _prototxt('"os"', '"system"'), "reject", _L, name="net.prototxt", format_="prototxt"),
    _case("caffe-text-escaped", "the name of the module is written with escapes and in pieces", lambda: _prototxt("'o' \"\\163\"", '"sy" "\\x73tem"'), "reject", _L,
          name="net.prototxt", format_="prototxt"),
    _case("caffe-system", "a layer of a network is os.system", lambda: caffe("Python", python_param={"module": "os", "layer": "system"}), "reject", _L,
          name="m.caffemodel", format_="caffe"),
    _case("torch7-function", "a module carries bytecode", lambda: lua({"forward": _BYTECODE}), "reject", "torch7/carries-code", name="m.t7", format_="torch7"),
    _case("torch7-function-nested", "a module inside a module carries bytecode", lambda: lua(("nn.Sequential", {"modules": {1.0: ("nn.Lambda", {"f": _BYTECODE})}})),
          "reject", "torch7/carries-code", name="m.t7", format_="torch7"),
    _case("zfile", "a pickle in an old joblib file", lambda: zfile(_EVIL), "reject", "pickle/runs-process", name="m.joblib", format_="joblib-zfile"),
    _case("zfile-space", "a pickle in an old joblib file with a wide head", lambda: zfile(_EVIL, 20), "reject", "pickle/runs-process", name="m.pkl", format_="joblib-zfile"),
    _case("darknet-pickle", "a pickle under the name of Darknet weights", lambda: _EVIL, "reject", "pickle/runs-process", name="yolo.weights", format_="pickle"),
    _paddle("paddle-load-beside", "an operator reads a file beside the model", lambda: paddle_program("load_combine", file_path="params"), "review", _D),
    _paddle("paddle-custom", "an operator that PaddlePaddle does not have", lambda: paddle_program("my_fused_thing"), "review", _C),
    _paddle("paddle-engine", "an operator that carries a compiled engine", lambda: paddle_program("tensorrt_engine", engine_serialized_data="x"), "review", _C),
    _paddle("paddle-json-custom", "an operator of another dialect", lambda: _newer("3.my_op"), "review", _C),
    _case("paddle-params-cut-off", "parameters that break off", lambda: paddle_params()[:-3], "review", "file/malformed", name="m.pdiparams", format_="paddle-params"),
    _case("mxnet-custom", "a node that Python registers", lambda: _symbol("Custom", op_type="softmax_x"), "review", _M, name="m-symbol.json", format_="json"),
    _case("mxnet-params-cut-off", "arrays that break off", lambda: mxnet_params()[:-3], "review", "file/malformed", name="m-0000.params", format_="mxnet"),
    _case("mxnet-params-more", "bytes behind the names", lambda: mxnet_params() + b"more", "review", "file/trailing-data", name="m-0000.params", format_="mxnet"),
    _case("caffe-text-list", "layers of a network as text stand in a list, behind a comment",
          lambda: b'name: "net" layer: # two\n [ < type: "ReLU" >, < type: "Python" python_param < module: "os" layer: "system" > > ]\n', "reject", _L,
          name="net.prototxt", format_="prototxt"),
    _case("caffe-text-python", "a layer that is a class of Python", lambda: _prototxt('"rpn.proposal_layer"', '"ProposalLayer"'), "review", _L,
          name="net.prototxt", format_="prototxt"),
    _case("caffe-two-types", "a layer with two types", lambda: caffe("ReLU") + field(100, 2, message("caffe", "LayerParameter", {"name": "x", "type": ["ReLU", "Python"]})),
          "review", "caffe/structure-lies", name="m.caffemodel", format_="caffe"),
    _case("torch7-cut-off", "a file that breaks off", lambda: lua(_MODULE)[:-3], "review", "file/malformed", name="m.t7", format_="torch7"),
    _paddle("paddle-ordinary", "an ordinary program", paddle_program, "admit"),
    _paddle("paddle-json-ordinary", "an ordinary program of the newer form", lambda: _newer(inner=True), "admit"),
    _case("paddle-params-ordinary", "ordinary parameters", paddle_params, "admit", name="m.pdiparams", format_="paddle-params"),
    _case("mxnet-ordinary", "an ordinary network with its arrays", lambda: {"m-symbol.json": _symbol(), "m-0000.params": mxnet_params()}, "admit", name="", format_="mxnet"),
    _case("caffe-ordinary", "an ordinary network", caffe, "admit", name="m.caffemodel", format_="caffe"),
    _case("caffe-text-ordinary", "an ordinary network as text", _prototxt, "admit", name="net.prototxt", format_="prototxt"),
    _case("torch7-ordinary", "an ordinary module with a tensor", lambda: lua(_MODULE), "admit", name="m.t7", format_="torch7"),
    _case("zfile-ordinary", "an old joblib file with data", lambda: zfile(dump({"C": 1.0, "w": "os.system"}, 2)), "admit", name="m.joblib", format_="joblib-zfile"),
    _case("darknet-ordinary", "ordinary weights of Darknet", darknet, "admit", name="yolo.weights", format_="darknet"),
)  # fmt: skip
