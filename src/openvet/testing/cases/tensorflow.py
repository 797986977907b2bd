"""TensorFlow: graphs that open files, call out or run code, in every place where a graph can stand; and ordinary models."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from openvet.testing.case import Case
from openvet.testing.forge_tensorflow import (
    const,
    function,
    graph,
    index,
    keras_metadata,
    meta_graph,
    node,
    saved_model,
    weights,
)

__all__ = ["CASES"]

_PATH = "../../../tmp/openvet-was-here"
_CALL = {"f": {"func": {"name": "inner"}}}
_READ = [const("path", "/etc/hostname"), node("read", "ReadFile", ["path"])]
_WRITE = [const("path", _PATH), const("text", "echo"), node("write", "WriteFile", ["path", "text"])]
_LAYER = {"class_name": "Dense", "config": {"name": "dense", "units": 2, "activation": "relu"}}


def _model(nodes: Sequence[bytes], functions: Sequence[bytes] = (), **more: object) -> bytes:
    return saved_model(meta_graph(graph(nodes, functions), **more))


def _bytecode() -> str:
    return base64.encodebytes(b"\xe3" + bytes(60)).decode()


def _lambda(function_: object) -> dict[str, object]:
    kind = "function" if isinstance(function_, str) else "lambda"
    return {"class_name": "Lambda", "config": {"name": "lambda", "function": function_, "function_type": kind}}


def _gz(data: bytes) -> bytes:
    import gzip

    return gzip.compress(data, mtime=0)


def _zip(files: Mapping[str, bytes]) -> bytes:
    import io
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return out.getvalue()


def _shuffled() -> bytes:
    """A SavedModel whose fields stand the other way round: the graphs, then the version; a node's operation before its name."""
    from openvet.testing.forge_protobuf import message

    path = const("path", _PATH)
    write = message("tensorflow", "NodeDef", {"op": "WriteFile", "input": ["path", "path"], "name": "write"})
    return message(
        "tensorflow", "SavedModel", {"meta_graphs": [meta_graph(graph([path, write]))], "saved_model_schema_version": 1}
    )


def _two_operations() -> bytes:
    from openvet.testing.forge_protobuf import message

    both = message(
        "tensorflow", "NodeDef", {"name": "write", "op": ["WriteFile", "Identity"], "input": ["path", "text"]}
    )
    return _model([*_WRITE[:2], both])


def _bundle(**more: bytes) -> dict[str, bytes]:
    """An ordinary model folder with one variable."""
    return {
        "saved_model.pb": _ordinary(),
        "variables/variables.index": index({"w/.ATTRIBUTES/VARIABLE_VALUE": ((4, 4), 0, 64)}),
        "variables/variables.data-00000-of-00001": bytes(range(64)),
        **more,
    }


def _ordinary() -> bytes:
    """What TensorFlow writes: a saver in functions, a call from the main graph, and a signature."""
    save = function(
        "__inference__traced_save_1",
        ["file_prefix", "savev2_w"],
        [
            const("Const", ".part"),
            const("Const_1", "_temp/part"),
            node("match", "StaticRegexFullMatch", ["file_prefix"], {"pattern": "^s3://.*"}),
            node("Select", "Select", ["match:output:0", "Const:output:0", "Const_1:output:0"]),
            node("StringJoin", "StringJoin", ["file_prefix", "Select:output:0"]),
            node("ShardedFilename", "ShardedFilename", ["StringJoin:output:0"]),
            node("SaveV2", "SaveV2", ["ShardedFilename:filename:0"]),
            node("Merge", "MergeV2Checkpoints", ["ShardedFilename:filename:0", "file_prefix"]),
        ],
    )
    serve = function("__inference_serve_1", ["x"], [node("MatMul", "MatMul", ["x", "x"])])
    nodes = [
        node("saver_filename", "Placeholder"),
        node("call", "StatefulPartitionedCall", ["saver_filename"], {"f": {"func": {"name": "__inference_serve_1"}}}),
        node(
            "save",
            "StatefulPartitionedCall",
            ["saver_filename"],
            {"f": {"func": {"name": "__inference__traced_save_1"}}},
        ),
        node("own", "__inference_serve_1", ["saver_filename"]),
    ]
    signature = [{"key": "serving_default", "value": {"method_name": "tensorflow/serving/predict"}}]
    return _model(nodes, [save, serve], signature_def=signature)


def _vocabulary(filename: str, asset: str | None, constant: str) -> bytes:
    nodes = [
        const("Const", constant),
        node("table", "HashTableV2"),
        node("init", "InitializeTableFromTextFileV2", ["table", "Const"]),
    ]
    assets = [{"tensor_info": {"name": f"{asset}:0"}, "filename": filename}] if asset else []
    return _model(nodes, asset_file_def=assets)


def _old_asset(name: str) -> bytes:
    """An asset as the 1.x series wrote it: a serialized message in a collection."""
    from openvet.testing.forge_protobuf import message

    value = message("tensorflow", "AssetFileDef", {"tensor_info": {"name": "Const:0"}, "filename": name})
    each = {"type_url": "type.googleapis.com/tensorflow.AssetFileDef", "value": value}
    collection = [{"key": "saved_model_assets", "value": {"any_list": {"value": [each]}}}]
    return _model([const("Const", "vocab.txt")], collection_def=collection)


Forge = Callable[[], "bytes | Mapping[str, bytes]"]


def _case(
    name: str,
    technique: str,
    forge: Forge,
    rules: str = "",
    decision: str = "reject",
    file: str = "saved_model.pb",
    formats: Sequence[str] = ("tf-saved-model",),
    advisories: Sequence[str] = (),
) -> Case:
    found = frozenset(f"tensorflow/{rule}" if "/" not in rule else rule for rule in rules.split())
    return Case(
        id=f"tensorflow/{name}",
        technique=technique,
        forge=forge,
        decision=decision,  # type: ignore[arg-type]
        rules=found,
        formats=tuple(formats),
        advisories=tuple(advisories),
        name=file,
    )


_HOSTILE = (
    _case(
        "read-file",
        "a graph reads a file of the machine",
        lambda: _model(_READ),
        "file-access",
        advisories=("modelscan 153",),
    ),
    _case("write-file", "a graph writes a file outside of the model", lambda: _model(_WRITE), "file-access"),
    _case(
        "in-a-function",
        "the operation stands in a function of the library",
        lambda: _model([node("call", "PartitionedCall", (), _CALL)], [function("inner", [], _WRITE)]),
        "file-access",
        advisories=("modelaudit 675",),
    ),
    _case(
        "branch-in-a-list",
        "the function is one branch of a list in an attribute, and its path an argument",
        lambda: _model(
            [
                const("p", _PATH),
                node("case", "Case", ["i", "p"], {"branches": {"list": {"func": [{"name": "inner"}]}}}),
            ],
            [function("inner", ["i", "path"], [node("save", "SaveV2", ["path"])])],
        ),
        "checkpoint-path",
    ),
    _case(
        "argument-of-a-call",
        "a checkpoint is saved to a constant path that reaches the function through two calls",
        lambda: _model(
            [const("p", _PATH), node("call", "StatefulPartitionedCall", ["p"], {"f": {"func": {"name": "outer"}}})],
            [
                function("outer", ["q"], [node("call", "PartitionedCall", ["q"], _CALL)]),
                function("inner", ["path"], [node("save", "SaveV2", ["path"])]),
            ],
        ),
        "checkpoint-path",
    ),
    _case(
        "joined-path",
        "the path of a checkpoint is joined out of pieces",
        lambda: _model(
            [
                const("a", "/etc"),
                const("b", "cron.d"),
                node("j", "StringJoin", ["a", "b"], {"separator": "/"}),
                node("s", "SaveV2", ["j"]),
            ]
        ),
        "checkpoint-path",
    ),
    _case(
        "graph-in-a-constant",
        "a serialized graph in a constant, which DatasetFromGraph runs",
        lambda: _model([const("g", graph(_WRITE)), node("d", "DatasetFromGraph", ["g"])]),
        "file-access",
    ),
    _case(
        "python-function",
        "a graph calls a Python function by its token",
        lambda: _model([node("p", "PyFunc", (), {"token": "pyfunc_0"})]),
        "runs-code",
    ),
    _case(
        "eager-python-function",
        "an EagerPyFunc in a function of the library",
        lambda: _model([node("c", "inner")], [function("inner", [], [node("e", "EagerPyFunc", (), {"token": "f"})])]),
        "runs-code",
    ),
    _case(
        "print-to-a-file",
        "PrintV2 writes to a file",
        lambda: _model([node("p", "PrintV2", ["x"], {"output_stream": "file:///tmp/openvet-was-here"})]),
        "file-access",
    ),
    _case(
        "debug-to-a-server",
        "a debug operation sends values to another machine",
        lambda: _model(
            [node("d", "DebugIdentityV3", ["x"], {"debug_urls": {"list": {"s": ["grpc://203.0.113.7:6006"]}}})]
        ),
        "opens-network",
    ),
    _case(
        "remote-call",
        "a graph calls another machine",
        lambda: _model([const("a", "203.0.113.7:1"), node("r", "RpcClient", ["a"])]),
        "opens-network",
    ),
    _case(
        "data-set-outside",
        "a data set is read from a constant path outside",
        lambda: _model([const("f", "/etc/hostname"), node("d", "TextLineDataset", ["f"])]),
        "file-access",
    ),
    _case(
        "memory-region",
        "a constant that is mapped from a file of the machine",
        lambda: _model([node("i", "ImmutableConst", (), {"memory_region_name": "/etc/hostname"})]),
        "file-access",
    ),
    _case(
        "asset-traversal",
        "the name of an asset leaves the folder",
        lambda: _vocabulary("../../../etc/hostname", "Const", "hostname"),
        "asset-path",
    ),
    _case(
        "old-asset-traversal",
        "the same, in a collection of the 1.x series",
        lambda: _old_asset("..\\..\\etc\\hostname"),
        "asset-path",
    ),
    _case(
        "second-meta-graph",
        "the operation stands in the second meta graph",
        lambda: saved_model(meta_graph(graph([node("x", "NoOp")])), meta_graph(graph(_READ))),
        "file-access",
    ),
    _case("shuffled-fields", "the fields of all messages stand in another order", _shuffled, "file-access"),
    _case(
        "two-operations", "a node has two operations, the harmless one last", _two_operations, "file-access graph-lies"
    ),
    _case(
        "frozen-graph",
        "a frozen graph reads a file",
        lambda: graph(_READ),
        "file-access",
        file="frozen.pb",
        formats=("tf-graph",),
    ),
    _case(
        "meta-file",
        "a meta graph beside a checkpoint writes a file",
        lambda: meta_graph(graph(_WRITE)),
        "file-access",
        file="model.ckpt.meta",
        formats=("tf-meta-graph",),
    ),
    _case(
        "in-gzip",
        "the graph is compressed",
        lambda: _gz(graph(_READ)),
        "file-access",
        file="frozen.pb.gz",
        formats=("gzip", "tf-graph"),
    ),
    _case(
        "in-a-zip",
        "the model's folder is in a zip",
        lambda: _zip({"m/saved_model.pb": _model(_WRITE)}),
        "file-access",
        file="model.zip",
        formats=("zip", "tf-saved-model"),
    ),
    _case(
        "keras-lambda",
        "a Lambda layer with bytecode in keras_metadata.pb",
        lambda: {
            **_bundle(),
            "keras_metadata.pb": keras_metadata(
                _LAYER, _lambda({"class_name": "__tuple__", "items": [_bytecode(), None, None]})
            ),
        },
        "keras/lambda-code",
        formats=("keras-metadata",),
        advisories=("CVE-2024-3660",),
    ),
    _case(
        "keras-lambda-nested",
        "the same, three models deep, and registered under a package",
        lambda: keras_metadata(
            {
                "config": {
                    "layers": [
                        {"config": {"layers": [{**_lambda([_bytecode(), None, None]), "class_name": "Custom>Lambda"}]}}
                    ]
                }
            }
        ),
        "keras/lambda-code",
        file="keras_metadata.pb",
        formats=("keras-metadata",),
    ),
    _case(
        "keras-lambda-in-objects",
        "a Lambda layer in the objects of the graph, where Keras wrote it before 2.5",
        lambda: _model(
            [node("x", "NoOp")],
            object_graph_def={
                "nodes": [
                    {
                        "user_object": {
                            "identifier": "_tf_keras_layer",
                            "metadata": json.dumps(_lambda([_bytecode(), None, None])),
                        }
                    }
                ]
            },
        ),
        "keras/lambda-code",
    ),
)

_REVIEW = (
    _case(
        "custom-operation",
        "an operation that another package brings",
        lambda: _model([node("s", "SentencepieceOp")]),
        "custom-op",
        "review",
    ),
    _case(
        "other-runtime",
        "a TensorRT engine inside the graph",
        lambda: _model([node("t", "TRTEngineOp", (), {"serialized_segment": "x"})]),
        "custom-op",
        "review",
    ),
    _case(
        "data-set",
        "a graph for training reads a data set of its own folder",
        lambda: _model([const("f", "train.tfrecord"), node("d", "TFRecordDataset", ["f"])]),
        "file-access",
        "review",
    ),
    _case(
        "restore-from-a-place",
        "weights are restored from a fixed place",
        lambda: _model([const("f", "/home/me/bert.ckpt"), node("r", "RestoreV2", ["f"])]),
        "checkpoint-path",
        "review",
    ),
    *(
        _case(
            f"vocabulary-of-{name}",
            f"a table that is filled from {path}",
            partial(_vocabulary, "", None, path),
            "asset-path",
            "reject",
        )
        for name, path in (
            ("the-system", "/etc/passwd"),
            ("the-process", "file:///proc/self/environ"),
            ("windows", "C:\\Windows\\System32\\config\\SAM"),
            ("a-key", "/home/me/.ssh/id_rsa"),
        )
    ),
    _case(
        "vocabulary-of-root",
        "a table that is filled from a file of an author who works as root",
        lambda: _vocabulary("", None, "/root/run/vocab.txt"),
        "asset-path",
        "review",
    ),
    _case(
        "vocabulary-outside",
        "a table reads its words from a fixed place",
        lambda: _vocabulary("", None, "/home/me/vocab.txt"),
        "asset-path",
        "review",
    ),
    _case(
        "decoded-path",
        "the path of a checkpoint is decoded",
        lambda: _model([const("f", "L3RtcC94"), node("b", "DecodeBase64", ["f"]), node("s", "SaveV2", ["b"])]),
        "checkpoint-path",
        "review",
    ),
    _case(
        "twofold-node",
        "two nodes of one name",
        lambda: _model([node("a", "NoOp"), node("a", "Identity")]),
        "graph-lies",
        "review",
    ),
    _case(
        "tensor-size",
        "a constant with other bytes than its shape says",
        lambda: _model([weights("w", (8, 8), 100)]),
        "graph-lies",
        "review",
    ),
    _case(
        "keras-lambda-by-name",
        "a Lambda layer that names a function",
        lambda: keras_metadata(_lambda("my_function")),
        "keras/custom-object",
        "review",
        "keras_metadata.pb",
        ("keras-metadata",),
    ),
    _case(
        "shard-missing",
        "the shard of the variables is not there",
        lambda: {k: v for k, v in _bundle().items() if ".data-" not in k},
        "index-mismatch",
        "review",
        formats=("tf-checkpoint-index",),
    ),
    _case(
        "shard-with-more",
        "the shard has bytes that belong to no variable",
        lambda: {**_bundle(), "variables/variables.data-00000-of-00001": bytes(range(64)) + b"\xffhidden\x00\x01"},
        "",
        "review",
        formats=("tf-checkpoint-index",),
    ),
    _case(
        "shard-cut",
        "the shard is shorter than its variables",
        lambda: {**_bundle(), "variables/variables.data-00000-of-00001": bytes(range(40))},
        "index-mismatch",
        "review",
        formats=("tf-checkpoint-index",),
    ),
    _case(
        "unknown-field",
        "a message with a field that TensorFlow does not have",
        lambda: _model([node("x", "NoOp") + b"\xaa\x3f\x04echo"]),
        "",
        "review",
    ),
)

_TEXT = """# written by tf.io.write_graph
node { name: "path" op: "Const" attr { key: "value" value { tensor { dtype: DT_STRING string_val: "%s" } } } }
node {
  name: "y"
  op: "%s"
  input: "path"
}
library { function { signature { name: "inner" } node_def { name: "z" op: "Identity" } } }
versions { producer: 1 }
"""


def _text(path: str, operation: str) -> bytes:
    return (_TEXT % (path, operation)).encode()


def _saved_as_text() -> bytes:
    return b"saved_model_schema_version: 1\nmeta_graphs { graph_def {\n" + _text("/etc/hostname", "ReadFile") + b"} }\n"


def _without_version() -> bytes:
    """A SavedModel without the number of its schema, which begins as a MetaGraphDef does."""
    from openvet.testing.forge_protobuf import message

    return message("tensorflow", "SavedModel", {"meta_graphs": [meta_graph(graph([node("bad", "PyFunc")]))]})


_TEXTS = (
    _case(
        "text-graph",
        "a graph as text writes a file",
        lambda: _text(_PATH, "WriteFile"),
        "file-access",
        file="graph.pbtxt",
        formats=("tf-graph-text",),
    ),
    _case(
        "text-saved-model",
        "a SavedModel as text reads a file of the machine",
        _saved_as_text,
        "file-access",
        file="saved_model.pbtxt",
        formats=("tf-graph-text",),
    ),
    _case(
        "text-function",
        "a function of a graph as text runs Python",
        lambda: _text("x", "inner").replace(b"Identity", b"PyFunc"),
        "runs-code",
        file="graph.pbtxt",
        formats=("tf-graph-text",),
    ),
    _case(
        "text-list",
        "a graph as text whose nodes stand in a list, of which the second writes a file",
        lambda: (
            b'node: [ { name: "path" op: "Const" attr { key: "value" value { tensor { dtype: DT_STRING string_val: '
            b'["/tmp/openvet-x", "y"] } } } }, { name: "bad" op: "WriteFile" input: ["path", "path"] } ]\n'
        ),
        "file-access",
        file="graph.pbtxt",
        formats=("tf-graph-text",),
    ),
    _case(
        "without-a-version", "a SavedModel without the number of its schema runs Python", _without_version, "runs-code"
    ),
    _case(
        "ordinary-text-graph",
        "a graph as text that computes, with a call of its own function",
        lambda: _text("os.system", "inner"),
        "",
        "admit",
        "graph.pbtxt",
        ("tf-graph-text",),
    ),
    _case(
        "ordinary-labels-as-text",
        "a map of labels as text",
        lambda: b'item {\n  id: 1\n  name: "op: cat"\n}\n',
        "",
        "admit",
        "label_map.pbtxt",
        ("text",),
    ),
)

_HARMLESS = (
    _case(
        "custom-layer",
        "a layer of the author's own, which Keras brings back from the graph without its code",
        lambda: keras_metadata({"class_name": "FlattenAudioCh", "config": {"name": "flatten", "trainable": True}}),
        "",
        "admit",
        "keras_metadata.pb",
        ("keras-metadata",),
    ),
    _case("ordinary-saved-model", "a SavedModel as TensorFlow writes it, with its variables", lambda: {**_bundle(), "fingerprint.pb": bytes.fromhex("0801100218032004280532020802"), "keras_metadata.pb": keras_metadata(_LAYER)}, "", "admit"),
    _case("ordinary-compressed-index", "an index whose blocks are compressed", lambda: {**_bundle(), "variables/variables.index": index({"w": ((4, 4), 0, 64)}, compress=True)}, "", "admit", formats=("tf-checkpoint-index",)),
    _case("ordinary-frozen-graph", "a frozen graph with its weights", lambda: graph([weights("w", (16, 16)), node("y", "MatMul", ["w", "w"])]), "", "admit", "frozen_inference_graph.pb", ("tf-graph",)),
    _case("ordinary-asset", "a table that reads an asset; the constant still has the exporter's path", lambda: {"saved_model.pb": _vocabulary("vocab.txt", "Const", "/home/me/export/vocab.txt"), "assets/vocab.txt": b"hello\nworld\n"}, "", "admit"),
    _case("ordinary-word", "a constant that is called like an operation, and a node as well", lambda: _model([const("WriteFile", "ReadFile", "os.system")]), "", "admit"),
    _case("ordinary-own-function", "a function that is called like an operation that TensorFlow does not have", lambda: _model([node("c", "my_function")], [function("my_function", [], [node("i", "NoOp")])]), "", "admit"),
    _case("ordinary-print", "a graph that prints to the standard error", lambda: _model([node("p", "PrintV2", ["x"], {"output_stream": "stderr"})]), "", "admit"),
    _case("ordinary-cache", "a data set that is kept in memory", lambda: _model([const("f", ""), node("d", "CacheDataset", ["x", "f"])]), "", "admit"),
    _case("ordinary-zip", "a whole model in a zip", lambda: _zip(_bundle()), "", "admit", "model.zip", ("zip", "tf-saved-model")),
    _case("ordinary-checkpoint", "a checkpoint of the 1.x series", lambda: {"model.ckpt.meta": meta_graph(graph([node("x", "NoOp")])), "model.ckpt.index": index({"w": ((4,), 0, 16)}), "model.ckpt.data-00000-of-00001": bytes(range(16)), "checkpoint": b'model_checkpoint_path: "model.ckpt"\n'}, "", "admit", formats=("tf-meta-graph", "tf-checkpoint-index")),
)  # fmt: skip

CASES: tuple[Case, ...] = _HOSTILE + _REVIEW + _HARMLESS + _TEXTS
