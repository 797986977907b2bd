"""Harmless pickles of families that are easily taken for hostile: what libraries carry without calling it, and what only computes."""

from __future__ import annotations

from typing import Any

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump

__all__ = ["CASES"]

_PARTIAL = Name("functools", "partial")
_WRAPPER = Name("joblib.numpy_pickle", "NumpyArrayWrapper")


def _instance(module: str, name: str, **state: Any) -> Call:
    return Call(Name(module, name), (), state=state, how="NEWOBJ")


def _objects() -> Call:
    return Call(Name("numpy", "dtype"), ("O8", False, True), state=(3, "|", None, None, None, -1, -1, 63))


def _joblib(module: str, name: str, rest: bytes = b"") -> bytes:
    """An estimator with an array of objects, as joblib writes it: a pickle of its own stands between the opcodes.

    Whoever loads it with pickle reads that inner pickle with the memo of the outer one, where entry 0 is the estimator.
    """
    state = {
        "subclass": Name("numpy", "ndarray"), "shape": (2,), "order": "C", "dtype": _objects(), "allow_mmap": False,
        "numpy_array_alignment_bytes": 16,
    }  # fmt: skip
    wrapper = dump(Call(_WRAPPER, (), state=state, how="NEWOBJ"), 2)[2:-1]
    inner = (
        b"\x80\x04\x8c\x05numpy\x940cnumpy._core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"
        b"(K\x01K\x02\x85h\x00\x8c\x05dtype\x93\x8c\x02O8\x89\x88\x87R"
        b"(K\x03\x8c\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?tb\x89](\x8c\x01a\x8c\x01betb."
    )
    outer = f"c{module}\n{name}\n".encode() + b")\x81q\x00}U\x01w"
    return b"\x80\x02" + outer + wrapper + inner + rest + b"sb."


def _numbers(raw: bytes) -> bytes:
    """An array of bytes in a file of joblib's: ``pickle.load`` takes them for opcodes."""
    state = {
        "subclass": Name("numpy", "ndarray"), "shape": (len(raw),), "order": "C", "allow_mmap": False,
        "dtype": Call(Name("numpy", "dtype"), ("u1", False, True), state=(3, "|", None, None, None, -1, -1, 0)),
    }  # fmt: skip
    return dump(Call(_WRAPPER, (), state=state, how="NEWOBJ"), 2)[:-1] + raw + b"."


def _case(word: str, technique: str, value: Any, protocol: int = 4) -> Case:
    return Case(
        f"harmless/{word}", technique, lambda: dump(value, protocol), "admit", formats=("pickle",), name="model.pkl"
    )


CASES: tuple[Case, ...] = (
    _case(
        "index-of-durations",
        "An index of durations of pandas 3",
        Call(
            Name("pandas.core.indexes.timedeltas", "_new_TimedeltaIndex"),
            (Name("pandas", "TimedeltaIndex"), {"data": [1, 2], "name": None}),
        ),
    ),
    _case(
        "boosting-loss-of-cython",
        "a loss of scikit-learn, of which the module is known by its last part only",
        {"_loss": Call(Name("_loss", "CyHalfBinomialLoss"), (), how="NEWOBJ")},
    ),
    _case(
        "sampler-with-weights",
        "a sampler of Optuna, which is given functions for its weights",
        Call(
            Name("optuna.samplers._tpe.parzen_estimator", "_ParzenEstimatorParameters"),
            (True, 1.0, Name("optuna.samplers._tpe.sampler", "default_weights")),
            how="NEWOBJ",
        ),
    ),
    _case(
        "clusters-with-a-random-start",
        "a dictionary whose missing entries are numbers of a normal distribution",
        Call(
            Name("collections", "defaultdict"),
            (
                Call(
                    _PARTIAL,
                    (
                        Call(
                            Name("builtins", "getattr"),
                            (Call(Name("random", "Random"), (), state=(3, (1, 2), None)), "gauss"),
                        ),
                        0,
                        1,
                    ),
                ),
            ),
        ),
    ),
    _case(
        "arguments-of-sharding",
        "What training arguments say of sharded training: members of an enumeration",
        {"strategy": Call(Name("torch.distributed.fsdp.api", "ShardingStrategy"), (1,))},
    ),
    _case(
        "stemmer-with-an-expression",
        "An expression that the regex library compiled",
        {"re3": Call(Name("regex._regex", "compile"), ("a", 32, [12, 97, 65], {}, {}, {}, {}, (), 0, {}))},
    ),
    _case(
        "dates",
        "Offsets and rules of dates of dateutil, with a day of the week",
        [
            _instance(
                "dateutil.relativedelta",
                "relativedelta",
                days=1,
                weekday=Call(Name("dateutil.relativedelta", "weekday"), (1, None)),
            ),
            _instance(
                "dateutil.rrule", "rrule", _freq=3, _byweekday=[Call(Name("dateutil.rrule", "weekday"), (1, None))]
            ),
        ],
    ),
    _case(
        "filters-of-a-table",
        "How PyTables packed a table, as its attributes say",
        _instance("tables.filters", "Filters", complevel=1, complib="zlib"),
    ),
    _case(
        "figure",
        "A figure of Plotly",
        Call(Name("plotly.graph_objs._figure", "Figure"), ({"data": [], "layout": {}},)),
    ),
    _case(
        "explanation",
        "values of SHAP, which are sliced together",
        _instance("slicer.slicer", "Slicer", _max_dim=2, o={}),
    ),
    _case(
        "word-vectors-without-a-constructor",
        "Word vectors of old gensim, which hold a function that raises in place of their constructor",
        _instance("gensim.models.word2vec", "Word2Vec", load=Name("gensim.utils", "call_on_class_only"), vector_size=2),
    ),
    _case(
        "numbers-of-sockets",
        "Members of the enumerations of socket, which Python 3.9 writes as names of the module",
        {"family": Name("socket", "AF_INET"), "kind": Name("socket", "SOCK_STREAM")},
    ),
    _case(
        "wrappers-that-nothing-calls",
        "Built-in wrappers, carried as values",
        [Name("builtins", name) for name in ("classmethod", "staticmethod", "super")],
    ),
    _case(
        "iterators-with-a-test",
        "Iterators of itertools that ask a class of data about each element",
        [
            Call(Name("itertools", name), (Name("builtins", "bool"), [1, 0]))
            for name in ("dropwhile", "filterfalse", "takewhile")
        ],
    ),
    _case(
        "functions-of-the-built-ins",
        "Built-in functions that are carried as values: the key of a sort, the reduction of a pool",
        {
            "pool": Name("builtins", "max"),
            "other": [Name("builtins", "sum"), Name("builtins", "sorted"), Name("builtins", "min")],
        },
    ),
    _case(
        "a-partial-of-max",
        "functools.partial of max with a key",
        Call(
            _PARTIAL,
            (Name("builtins", "max"),),
            state=(Name("builtins", "max"), (), {"key": Name("builtins", "abs")}, None),
        ),
    ),
    _case(
        "functions-of-mathematics",
        "Functions of math, operator and statistics that a transformer or a primitive set carries",
        [Name("math", "sin"), Name("_operator", "add"), Name("_operator", "truediv"), Name("statistics", "median")],
    ),
    _case(
        "functions-of-numpy",
        "A FunctionTransformer that holds functions of NumPy",
        _instance(
            "sklearn.preprocessing._function_transformer",
            "FunctionTransformer",
            func=Name("numpy", "clip"),
            inverse_func=Name("numpy", "prod"),
        ),
    ),
    _case(
        "a-metric-of-scikit-learn",
        "A scorer that holds a metric",
        _instance(
            "sklearn.metrics._scorer",
            "_Scorer",
            _score_func=Name("sklearn.metrics._classification", "accuracy_score"),
            _sign=1,
            _kwargs={},
        ),
    ),
    _case(
        "an-activation-of-torch",
        "A layer that holds a function of torch.nn.functional",
        _instance(
            "torch.nn.modules.transformer",
            "TransformerEncoderLayer",
            activation=Name("torch.nn.functional", "hardsigmoid"),
        ),
    ),
    _case(
        "a-default-dictionary-of-partials",
        "A defaultdict whose factory is a partial of another defaultdict",
        Call(
            Name("collections", "defaultdict"),
            (
                Call(
                    _PARTIAL,
                    (Name("collections", "defaultdict"),),
                    state=(Name("collections", "defaultdict"), (Name("builtins", "int"),), {}, None),
                ),
            ),
        ),
    ),
    _case(
        "records-of-the-standard-library",
        "Records and parsers of the standard library that only hold text and numbers",
        [
            _instance(module, name, x=1)
            for module, name in (
                ("ast", "Module"),
                ("configparser", "ConfigParser"),
                ("contextlib", "nullcontext"),
                ("csv", "Sniffer"),
                ("html.parser", "HTMLParser"),
                ("http.cookies", "SimpleCookie"),
                ("logging", "LogRecord"),
                ("mimetypes", "MimeTypes"),
                ("optparse", "Values"),
                ("reprlib", "Repr"),
                ("string", "Formatter"),
                ("tarfile", "TarInfo"),
                ("traceback", "FrameSummary"),
                ("xml.etree.ElementTree", "Element"),
                ("xmlrpc.client", "DateTime"),
                ("zipfile", "ZipInfo"),
            )
        ],
    ),
    _case(
        "a-settings-file",
        "A ConfigParser, whose sections carry its getters",
        _instance(
            "configparser",
            "ConfigParser",
            getint=Call(Name("builtins", "getattr"), (_instance("configparser", "ConfigParser"), "getint")),
        ),
    ),
    _case(
        "a-running-sum",
        "itertools.accumulate without a function, and with one that adds",
        [
            Call(Name("itertools", "accumulate"), ([1, 2], None)),
            Call(Name("itertools", "accumulate"), ([1, 2], Name("_operator", "add"))),
        ],
    ),
    _case(
        "numbers-for-new-words",
        "A defaultdict that numbers its keys: its factory is the next of a counter",
        Call(
            Name("collections", "defaultdict"),
            (Call(Name("builtins", "getattr"), (Call(Name("itertools", "count"), (0,)), "__next__")),),
        ),
    ),
    _case("a-printer", "A call-back that is print", {"on_epoch_end": Name("builtins", "print")}),
    _case(
        "a-codec",
        "A CodecInfo, which carries the functions of a codec",
        Call(Name("codecs", "CodecInfo"), (Name("_codecs", "utf_8_encode"), Name("encodings.utf_8", "decode"))),
    ),
    _case(
        "a-vocabulary-of-spacy",
        "A vocabulary of spaCy, whose vectors and getters it unpickles from literals",
        Call(
            Name("spacy.vocab", "unpickle_vocab"),
            (
                Call(Name("spacy.vectors", "unpickle_vectors"), (b"\x80",)),
                dump(
                    {
                        1: Call(
                            _PARTIAL,
                            (Name("spacy.util", "_get_attr_unless_lookup"), Name("spacy.lang.lex_attrs", "lower")),
                        )
                    }
                ),
                Name("spacy.lang.en.syntax_iterators", "noun_chunks"),
            ),
        ),
    ),
    _case(
        "exceptions-of-the-system",
        "Exceptions that a search kept with its results",
        [
            Call(Name("builtins", name), ("x",))
            for name in ("ConnectionError", "FileExistsError", "ResourceWarning", "BufferError")
        ]
        + [Call(Name("json.decoder", "JSONDecodeError"), ("a", "b", 0)), Call(Name("socket", "timeout"), ("x",))],
    ),
    _case(
        "parts-of-an-address",
        "The parts of a URL, and other records of the standard library",
        [
            Call(Name("urllib.parse", "ParseResult"), ("http", "x", "/y", "", "", ""), how="NEWOBJ"),
            Call(Name("os", "stat_result"), ((0,) * 10, {})),
        ],
    ),
    _case(
        "distributions-of-scipy",
        "Distributions of scipy.stats, whose classes are written in small letters",
        [
            _instance("scipy.stats._continuous_distns", "weibull_min_gen", a=0.0),
            _instance("scipy.stats._kde", "gaussian_kde", factor=1.0),
        ],
    ),
    _case(
        "a-table-of-arrow",
        "Types and tables of Arrow in a DataFrame",
        [
            Call(Name("pyarrow.lib", "type_for_alias"), ("int64",)),
            Call(Name("pyarrow.lib", "py_buffer"), (b"\x00" * 8,)),
            Call(Name("pyarrow.lib", "timestamp"), ("ns", None)),
        ],
    ),
    _case(
        "a-cache-without-a-place",
        "An HDBSCAN model, which holds a cache of joblib that has no place",
        [
            _instance("hdbscan.hdbscan_", "HDBSCAN", memory=_instance("joblib.memory", "Memory", location=None)),
            _instance("statsmodels.tsa.statespace._representation", "dStatespace", nobs=1),
        ],
    ),
    Case(
        "harmless/not-a-cache-with-a-place",
        "A cache of joblib that makes its folder when the file is loaded",
        lambda: dump(Call(Name("joblib.memory", "Memory"), ("forged",)), 4),
        "reject",
        frozenset({"pickle/loads-nested"}),
        formats=("pickle",),
        name="model.pkl",
    ),
    Case(
        "harmless/objects-that-joblib-pickled",
        "An array of objects in a file of joblib, where pickle alone would mix up the entries of two memos",
        lambda: _joblib("category_encoders.ordinal", "OrdinalEncoder"),
        "admit",
        formats=("pickle",),
        name="model.joblib",
    ),
    Case(
        "harmless/lists-of-a-sparse-matrix",
        "A sparse matrix of lists in a file of joblib, whose class is written like a function",
        lambda: _joblib("scipy.sparse._lil", "lil_matrix"),
        "admit",
        formats=("pickle",),
        name="model.joblib",
    ),
    Case(
        "harmless/numbers-that-are-opcodes-by-chance",
        "Arrays of numbers in a file of joblib's whose bytes are an extension code and a name when pickle reads them",
        lambda: _numbers(b"\x83\xb8\x89\x00\x00c\x94\x8c?\x1b\n\xc5\xbf\n)R0"),
        "admit",
        formats=("pickle",),
        name="model.joblib",
    ),
    Case(
        "harmless/not-numbers-but-a-call",
        "An array of numbers in a file of joblib's whose bytes are a call when pickle reads them",
        lambda: _numbers(b"0cos\nsystem\nU\x0becho forged\x85R0."),
        "reject",
        frozenset({"pickle/runs-process"}),
        formats=("pickle",),
        name="model.joblib",
    ),
    Case(
        "harmless/not-a-danger-that-joblib-shifts",
        "The same array, and behind it a call that joblib makes",
        lambda: _joblib("category_encoders.ordinal", "OrdinalEncoder", b"cos\nsystem\nU\x0becho forged\x85R0"),
        "reject",
        frozenset({"pickle/runs-process"}),
        formats=("pickle",),
        name="model.joblib",
    ),
    Case(
        "harmless/not-a-function-of-max",
        "A dangerous callable that is the key of a max that is called",
        lambda: dump(
            Call(
                Call(
                    _PARTIAL,
                    (Name("builtins", "max"),),
                    state=(Name("builtins", "max"), ([1, 2],), {"key": Name("os", "system")}, None),
                ),
                (),
            ),
            4,
        ),
        "reject",
        frozenset({"pickle/other-dangerous-callable", "pickle/carried-code"}),
        formats=("pickle",),
        name="model.pkl",
    ),
)
