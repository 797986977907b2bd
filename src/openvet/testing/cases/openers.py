"""Pickles that call what opens, writes or loads what it is told to: classes and functions of well-known packages, by whatever name."""

from __future__ import annotations

from typing import Any

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump

__all__ = ["CASES"]

_CODE, _IMPORTS, _FILES, _NETWORK, _NATIVE, _NESTED, _PROCESS = (
    "pickle/runs-code", "pickle/imports-module", "pickle/touches-files", "pickle/opens-network", "pickle/loads-native-code", "pickle/loads-nested", "pickle/runs-process",
)  # fmt: skip

#: Module, name, rule, arguments; each is called by REDUCE.
_HOSTILE: tuple[tuple[str, str, str, tuple[Any, ...]], ...] = (
    ("pyarrow", "OSFile", _FILES, ("forged", "w")),
    ("pyarrow.lib", "OSFile", _FILES, ("forged", "w")),
    ("pyarrow", "MemoryMappedFile", _FILES, ("forged",)),
    ("pyarrow", "output_stream", _FILES, ("forged",)),
    ("pyarrow.csv", "CSVWriter", _FILES, ("forged", None)),
    ("pyarrow.parquet", "ParquetWriter", _FILES, ("forged", None)),
    ("pyarrow.flight", "FlightClient", _NETWORK, ("grpc://203.0.113.1:1",)),
    ("pyarrow.fs", "S3FileSystem", _NETWORK, ("forged",)),
    ("pyarrow", "deserialize", _NESTED, (b".",)),
    ("safetensors.numpy", "save_file", _FILES, ({}, "forged")),
    ("safetensors", "safe_open", _FILES, ("forged", "pt")),
    ("tokenizers.models", "BPE", _FILES, ("vocab.json", "merges.txt")),
    ("tokenizers", "Tokenizer.train", _FILES, (None, ["forged"])),
    ("xgboost.core", "Booster", _FILES, ({}, (), "forged")),
    ("xgboost.tracker", "RabitTracker", _NETWORK, (1, "127.0.0.1")),
    ("lightgbm.basic", "Booster", _FILES, (None, None, "forged")),
    ("catboost.core", "Pool", _FILES, ("forged",)),
    ("sentencepiece", "SentencePieceProcessor", _FILES, ("forged.model",)),
    ("faiss.swigfaiss", "FileIOWriter", _FILES, ("forged",)),
    ("faiss", "read_index", _FILES, ("forged",)),
    ("hnswlib", "Index.load_index", _FILES, (None, "forged")),
    ("annoy.annoylib", "Annoy", _FILES, (1, "angular")),
    ("optuna.storages", "RDBStorage", _FILES, ("sqlite:///forged.db",)),
    ("optuna.storages", "JournalRedisStorage", _NETWORK, ("redis://203.0.113.1",)),
    ("tensorboardX.writer", "SummaryWriter", _FILES, ("forged",)),
    ("pytorch_lightning.loggers", "MLFlowLogger", _NETWORK, ("x",)),
    ("lightning.pytorch.loggers.csv_logs", "CSVLogger", _FILES, ("forged",)),
    ("keras.src.callbacks.csv_logger", "CSVLogger", _FILES, ("forged",)),
    ("tensorflow.python.training.server_lib", "Server", _NETWORK, ({},)),
    ("tensorflow.raw_ops", "WriteFile", _FILES, ("forged", "x")),
    ("tensorflow.compat.v1", "raw_ops.WriteFile", _FILES, ("forged", "x")),
    ("tensorflow.lite.python.interpreter", "Delegate", _NATIVE, ("libforged.so",)),
    ("tensorflow.python.distribute.multi_process_runner", "MultiProcessRunner", _PROCESS, ("forged",)),
    ("orbax.checkpoint", "CheckpointManager", _FILES, ("forged",)),
    ("joblib", "Memory", _NESTED, ("forged",)),
    ("keras.models", "model_from_json", _NESTED, ("{}",)),
    ("torch.cuda.gds", "GdsFile", _FILES, ("forged", 1)),
    # only the name says what they do
    ("their_lib.serialize", "save_file", _FILES, ({}, "forged")),
    ("their_lib.serialize", "_write_weights", _FILES, ({}, "forged")),
    ("their_lib", "export_model", _FILES, ("forged",)),
    ("their_lib.hub", "upload_folder", _NETWORK, ("forged",)),
    ("sklearn.tree", "export_graphviz", _FILES, (None, "forged")),
    ("xarray.namedarray.pycompat", "DuckArrayModule", _IMPORTS, ("forged",)),
    ("opt_einsum.backends.dispatch", "get_func", _IMPORTS, ("einsum", "forged")),
    ("scipy._lib._uarray._backend", "unpickle_function", _IMPORTS, ("forged", "f", None)),
    ("keras.src.applications.resnet", "ResNet50", _NETWORK, (True, "forged.h5")),
    ("nltk.sentiment.vader", "SentimentIntensityAnalyzer", _FILES, ("forged",)),
    ("transformers.utils.attention_visualizer", "AttentionMaskVisualizer", _NESTED, ("forged",)),
    ("transformers.trainer_utils", "rotate_checkpoints", _FILES, ("forged",)),
    ("transformers.pipelines.audio_utils", "ffmpeg_read", _PROCESS, (b"forged", 1)),
    ("statsmodels.tsa.x13", "run_spec", _PROCESS, ("forged", "forged")),
    ("lightgbm.basic", "_cfloat64_array_to_numpy", _NATIVE, (None, 1)),
    ("thinc.shims.pytorch", "default_deserialize_torch_model", _NESTED, (None, b".", None)),
    ("their_lib.loading", "import_dotted_name", _IMPORTS, ("forged",)),
    ("torch._utils", "_import_dotted_name", _IMPORTS, ("forged.x",)),
    ("lightning_fabric.plugins.precision.utils", "_ClassReplacementContextManager", _IMPORTS, ({"forged.x": None},)),
    ("wrapt", "wrap_function_wrapper", _IMPORTS, ("forged", "x", None)),
    ("torch", "UntypedStorage._new_shared_filename_cpu", _NATIVE, ("forged", "forged", 8)),
    ("torch.utils._content_store", "ContentStoreWriter", _FILES, ("forged",)),
    ("torchmetrics.text.bert", "BERTScore", _NESTED, ("forged/model",)),
    ("transformers.models.rag.retrieval_rag", "LegacyIndex", _NESTED, (8, "forged")),
    ("PIL.ImageDraw2", "Font", _FILES, ("red", "forged")),
    ("matplotlib.font_manager", "json_load", _FILES, ("forged",)),
    ("scipy.odr", "ODR", _FILES, (1, 2)),
    ("scipy._lib.decorator", "FunctionMaker.create", _CODE, ("f(x)", "return 1", {})),
    ("sqlalchemy.util.langhelpers", "_exec_code_in_env", _CODE, ("1", {}, "x")),
    ("sqlalchemy.engine.create", "create_engine", _NETWORK, ("sqlite://",)),
    ("ray.util", "connect", _NETWORK, ("203.0.113.1:1",)),
    ("duckdb", "sql", _FILES, ("COPY (SELECT 1) TO 'forged'",)),
    ("lxml.etree", "parse", _FILES, ("forged",)),
    ("click", "launch", _PROCESS, ("forged",)),
    ("graphviz.backend.execute", "run_check", _PROCESS, (["forged"],)),
    ("dotenv", "set_key", _FILES, ("forged", "A", "b")),
    ("prometheus_client", "start_http_server", _NETWORK, (1,)),
)


def _rebuilt(module: str, name: str) -> Call:
    return Call(Name(module, name), (), state={"a": 1}, how="NEWOBJ")


def _old(module: str, name: str) -> Call:
    """An instance as protocol 0 and 1 write it."""
    return Call(
        Name("copy_reg", "_reconstructor"), (Name(module, name), Name("__builtin__", "object"), None), state={"a": 1}
    )


def _harmless(word: str, technique: str, value: Any, protocol: int = 4) -> Case:
    return Case(
        f"openers/{word}", technique, lambda: dump(value, protocol), "admit", formats=("pickle",), name="model.pkl"
    )


CASES: tuple[Case, ...] = (
    *(
        Case(
            f"openers/call-{f'{module}.{name}'.lower().replace('_', '-').replace('.-', '.')}",
            f"loading calls {module}.{name}",
            lambda module=module, name=name, given=given: dump(Call(Name(module, name), given), 4),  # type: ignore[misc]
            "reject",
            frozenset({rule}),
            ("pickle",),
            name="model.pkl",
        )
        for module, name, rule, given in _HOSTILE
    ),
    Case(
        "openers/made-without-a-constructor",
        "NEWOBJ hands the name of a file to a class that opens it where it is made",
        lambda: dump(Call(Name("pyarrow.lib", "OSFile"), ("forged", "w"), how="NEWOBJ"), 4),
        "reject",
        frozenset({_FILES}),
        ("pickle",),
        name="model.pkl",
    ),
    Case(
        "openers/end-of-an-observer",
        "an observer of PyTorch that is rebuilt from its parts packs and removes a file where it ends",
        lambda: dump(_rebuilt("torch.profiler.profiler", "ExecutionTraceObserver"), 4),
        "reject",
        frozenset({_FILES}),
        ("pickle",),
        name="model.pkl",
    ),
    *(
        Case(
            f"openers/{word}",
            technique,
            lambda module=module, name=name, state=state: dump(Call(Name(module, name), (), state=state, how="NEWOBJ"), 4),  # type: ignore[misc]
            "reject",
            frozenset({rule}),
            ("pickle",),
            name="model.pkl",
        )
        for word, technique, module, name, state, rule in (
            ("end-of-a-cache", "a cache of MONAI that is rebuilt from its parts removes the files that it names where it ends",
             "monai.utils.state_cacher", "StateCacher", {"in_memory": False, "cached": {}}, _FILES),
            ("end-of-a-pickled-cache", "a cache of GluonTS that is rebuilt from its parts removes its file where it ends",
             "gluonts.itertools", "PickleCached", {"_path": "forged"}, _FILES),
            ("state-is-a-pickle", "a wrapper of Gymnasium loads the pickle that is its state",
             "gymnasium.vector.utils.misc", "CloudpickleWrapper", {"fn": 1}, _NESTED),
            ("state-is-a-pickle-of-torch", "a wrapper of a data pipe, taken from where it is imported, loads the pickle that is its state",
             "torch.utils.data.graph", "_IterDataPipeSerializationWrapper", {"a": 1}, _NESTED),
            ("state-is-a-pickle-of-stable-baselines", "a wrapper of Stable-Baselines3 loads the pickle that is its state",
             "stable_baselines3.common.vec_env.base_vec_env", "CloudpickleWrapper", {"var": 1}, _NESTED),
        )
    ),
    _harmless(
        "rebuilt-boosters",
        "boosters, data and tokenizers that are rebuilt from their parts",
        [
            _rebuilt("xgboost.core", "Booster"),
            _rebuilt("lightgbm.basic", "Booster"),
            _rebuilt("sentencepiece", "SentencePieceProcessor"),
            _rebuilt("tokenizers.models", "BPE"),
            _rebuilt("keras.src.callbacks.model_checkpoint", "ModelCheckpoint"),
            _rebuilt("pytorch_lightning.loggers.tensorboard", "TensorBoardLogger"),
            _rebuilt("torchmetrics.text.bert", "BERTScore"),
            _rebuilt("nltk.sentiment.vader", "SentimentIntensityAnalyzer"),
            _rebuilt("scipy.odr._odrpack", "ODR"),
            _rebuilt("gensim.models.hdpmodel", "HdpModel"),
            _rebuilt("transformers.models.llama.tokenization_llama_fast", "LlamaTokenizerFast"),
        ],
    ),
    _harmless("rebuilt-in-the-oldest-protocol", "a booster as protocol 1 writes it", _old("lightgbm.basic", "Booster"), 1),
    _harmless(
        "classes-that-nothing-calls",
        "classes that would open files, carried as values",
        {"booster": Name("xgboost.core", "Booster"), "storage": Name("optuna.storages", "RDBStorage"), "writer": Name("pyarrow.lib", "OSFile")},
    ),
)  # fmt: skip
