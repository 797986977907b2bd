"""Hostile pickles that differ in what they call, and by which detour: gadgets, re-exports and linkers."""

from __future__ import annotations

from openvet.testing.forge import Call, Name
from openvet.testing.forge_sample import Sample, by_text, by_value, calls

__all__ = ["GADGETS", "LINKED", "REEXPORTS"]

_SYSTEM = Name("os", "system")
# Calls that scanners did not know, each by the advisory that reported it.
GADGETS: tuple[Sample, ...] = (
    *(
        calls(f"{module}.{name}", module, name, rule, *arguments)
        for module, name, rule, *arguments in (
            ("torch.cuda.memory", "CUDAPluggableAllocator", "loads-native-code", "./x.so", "a", "b"),
            ("torch.xpu.memory", "XPUPluggableAllocator", "loads-native-code", "./x.so", "a", "b"),
            ("torch.profiler._cupti_monitor", "CuptiMonitor", "loads-native-code"),
            ("torch.utils.benchmark", "Timer", "runs-code"),
            ("torch.onnx._internal._lazy_import", "_LazyModule", "imports-module", "payload"),
            ("transformers.utils.import_utils", "_LazyModule", "imports-module", "payload", "payload", {}),
            ("nltk.data", "load", "loads-nested", "payload.pickle"),
            ("PIL.EpsImagePlugin", "Ghostscript", "runs-process"),
            ("PIL.ImageMath", "unsafe_eval", "runs-code"),
            ("pandas.core.frame", "DataFrame.query", "runs-code"),
            ("sympy.core.expr", "sympify", "runs-code"),
            ("gensim.models.ldamulticore", "Pool", "runs-process", 4),
            ("xgboost.sklearn", "ThreadPoolExecutor", "runs-process", 4),
            ("sklearn.callback._transport", "Client", "runs-process", "127.0.0.1"),
            ("joblib.compressor", "BinaryZlibFile", "touches-files", "forged", "wb"),
            ("PIL.TiffImagePlugin", "AppendingTiffWriter", "touches-files", "forged", True),
            ("gensim.matutils", "MmWriter", "touches-files", "forged"),
            ("lightgbm.basic", "NamedTemporaryFile", "touches-files"),
            ("nltk.data", "BufferedGzipFile", "loads-nested", "forged", "wb"),
            ("torch.utils._zip", "ZipFile", "touches-files", "forged", "w"),
            ("numpy", "ndarray.tofile", "touches-files", "forged"),
            ("pandas", "DataFrame.to_csv", "touches-files", "forged"),
            ("torch", "UntypedStorage.from_file", "touches-files", "forged", True, 8),
            ("scipy.io", "savemat", "touches-files", "forged", {}),
        )
    ),
    calls("GHSA-4r9r-ch6f-vxmx", "torch.utils.bottleneck.__main__", "run_cprofile", "runs-code"),
    calls("GHSA-86cj-95qr-2p4f", "torch._dynamo.guards", "GuardBuilder.get", "runs-code"),
    calls("GHSA-f4x7-rfwp-v3xw", "lib2to3.pgen2.pgen", "ParserGenerator.make_label", "runs-code"),
    calls("GHSA-f54q-57x4-jg88", "lib2to3.pgen2.grammar", "Grammar.loads", "runs-code"),
    calls("GHSA-f745-w6jp-hpxx", "torch.utils.collect_env", "run", "runs-process"),
    calls("GHSA-h3qp-7fh3-f8h4", "torch.utils.data.datapipes.utils.decoder", "basichandlers", "loads-nested"),
    calls("GHSA-vr7h-p6mm-wpmh", "torch.jit.unsupported_tensor_ops", "execWrapper", "runs-code"),
    calls("GHSA-vv6j-3g6g-2pvj", "torch.utils._config_module", "ConfigModule.load_config", "loads-nested"),
    calls("GHSA-5qwp-399c-mjwf", "trace", "Trace.run", "runs-code"),
    calls("GHSA-g344-hcph-8vgg", "trace", "Trace.runctx", "runs-code"),
    calls("GHSA-x696-vm39-cp64", "profile", "Profile.run", "runs-code"),
    calls("GHSA-6vqj-c2q5-j97w", "profile", "Profile.runctx", "runs-code"),
    calls("GHSA-3vg9-h568-4w9m", "idlelib.debugobj", "ObjectTreeItem.SetText", "runs-code"),
    calls("GHSA-6w4w-5w54-rjvr", "idlelib.autocomplete", "AutoComplete.get_entity", "runs-code"),
    calls("GHSA-7cq8-mj8x-j263", "idlelib.autocomplete", "AutoComplete.fetch_completions", "runs-code"),
    calls("GHSA-cj3c-v495-4xqh", "code", "InteractiveInterpreter.runcode", "runs-code"),
    calls("GHSA-8r4j-24qv-fmq9", "idlelib.calltip", "Calltip.fetch_tip", "runs-code"),
    calls("GHSA-9xph-j2h6-g47v", "idlelib.calltip", "get_entity", "runs-code"),
    calls(
        "GHSA-4whj-rm5r-c2v8",
        "torch.fx.experimental.symbolic_shapes",
        "ShapeEnv.evaluate_guards_expression",
        "runs-code",
    ),
    calls("GHSA-xp4f-hrf8-rxw7", "ensurepip", "_run_pip", "imports-module"),
    calls("GHSA-p9w7-82w4-7q8m", "idlelib.pyshell", "ModifiedInterpreter.runcommand", "runs-code"),
    calls("GHSA-m869-42cg-3xwr", "idlelib.run", "Executive.runcode", "runs-code"),
    calls("GHSA-j343-8v2j-ff7w", "torch.utils.bottleneck.__main__", "run_autograd_prof", "runs-code"),
    calls("GHSA-3gf5-cxq9-w223", "idlelib.pyshell", "ModifiedInterpreter.runcode", "runs-code"),
    calls("GHSA-fqq6-7vqf-w3fg", "doctest", "debug_script", "runs-code"),
    calls("GHSA-9w88-8rmg-7g2p", "cProfile", "runctx", "runs-code"),
    calls("GHSA-49gj-c84q-6qm9", "cProfile", "run", "runs-code"),
    calls("GHSA-7wx9-6375-f5wh", "profile", "run", "runs-code"),
    calls("GHSA-v7x6-rv5q-mhwc", "timeit", "timeit", "runs-code"),
    calls("GHSA-m273-6v24-x4m4", "distutils.file_util", "write_file", "runs-process"),
    calls("GHSA-4675-36f9-wf6r", "ctypes", "CDLL", "loads-native-code"),
    calls("GHSA-vqmv-47xg-9wpr", "pty", "spawn", "runs-process"),
    calls("GHSA-r8g5-cgf2-4m4m", "numpy.f2py.crackfortran", "getlincoef", "runs-code"),
    calls("GHSA-m6fh-58r7-x697", "_posixsubprocess", "fork_exec", "runs-process"),
    calls("GHSA-6ggj-6f2q-f7mx", "_interpreters", "run_string", "runs-code"),
    calls("GHSA-g38g-8gr9-h9xp uuid", "uuid", "_get_command_stdout", "runs-process"),
    calls("GHSA-g38g-8gr9-h9xp osx", "_osx_support", "_read_output", "runs-process"),
    calls("GHSA-g38g-8gr9-h9xp aix", "_aix_support", "_read_cmd_output", "runs-process"),
    calls("GHSA-g38g-8gr9-h9xp imaplib", "imaplib", "IMAP4_stream", "runs-process"),
    calls("GHSA-g38g-8gr9-h9xp pager", "_pyrepl.pager", "pipe_pager", "runs-process"),
    calls("GHSA-g38g-8gr9-h9xp test", "test.support.script_helper", "assert_python_ok", "runs-process"),
    calls("CVE-2025-1716", "pip", "main", "imports-module", ["install", "forged"]),
    calls("CVE-2025-10157", "asyncio.unix_events", "_UnixSubprocessTransport._start", "runs-process"),
    calls("GHSA-r7v6-mfhq-g3m2", "pty", "fork", "runs-process"),
    calls("GHSA-hgrh-qx5j-jfwx aiohttp", "aiohttp.client", "ClientSession", "opens-network"),
    calls("GHSA-hgrh-qx5j-jfwx httplib", "httplib", "HTTPSConnection", "opens-network"),
    calls("GHSA-hgrh-qx5j-jfwx requests", "requests.api", "get", "opens-network"),
    calls("runpy", "runpy", "run_path", "runs-code"),
    calls("logging.config", "logging.config", "dictConfig", "runs-code"),
    calls("a function of a dataclass", "dataclasses", "_create_fn", "runs-code"),
    calls("an evaluated annotation", "typing", "ForwardRef._evaluate", "runs-code"),
    calls("a generated named tuple", "collections", "namedtuple", "runs-code"),
    calls("pandas eval", "pandas.core.computation.eval", "eval", "runs-code"),
    calls("torch.ops", "torch._ops", "_Ops.load_library", "loads-native-code"),
    calls("cffi", "cffi.api", "FFI", "loads-native-code"),
    calls("torch.hub", "torch.hub", "load", "opens-network"),
    calls("sqlite3", "sqlite3", "connect", "touches-files"),
    calls("linecache", "linecache", "getline", "touches-files"),
    calls("pathlib", "pathlib", "Path.write_text", "touches-files"),
    calls("zipimport", "zipimport", "zipimporter", "imports-module"),
    calls("atexit", "atexit", "register", "other-dangerous-callable"),
    calls("numpy runstring", "numpy.testing._private.utils", "runstring", "runs-code"),
    calls("torch codecache", "torch._inductor.codecache", "compile_file", "runs-process"),
    calls("io.FileIO", "_io", "FileIO", "touches-files"),
    calls("logging.FileHandler", "logging", "FileHandler", "touches-files"),
    calls("urlopen", "urllib.request", "urlopen", "opens-network"),
    calls("ssl exfiltration", "ssl", "get_server_certificate", "opens-network"),
    calls("CodeType", "types", "CodeType", "runs-code"),
    calls("cloudpickle", "cloudpickle.cloudpickle", "_make_function", "runs-code"),
    calls("marshal", "marshal", "loads", "loads-nested"),
    calls("joblib", "joblib", "load", "loads-nested"),
    calls("sys.modules", "sys", "modules.pop", "other-dangerous-callable"),
    calls("venv", "venv", "create", "runs-process"),
    calls("pydoc pager", "pydoc", "pipepager", "runs-process"),
)

# The same os.system, through innocent modules and by other spellings.
REEXPORTS: tuple[Sample, ...] = (
    calls("re-export through torch", "torch.serialization", "os.system", "runs-process"),
    calls("re-export under a private name", "random", "_os.system", "runs-process"),
    calls("posix", "posix", "system", "runs-process"),
    calls("nt", "nt", "system", "runs-process"),
    calls("dotted name in a data class", "collections", "OrderedDict.__init__.__globals__", "other-dangerous-callable"),
    calls("sys.modules walk", "torch", "sys.modules.get", "other-dangerous-callable"),
    calls("GHSA-g38g-8gr9-h9xp finder", "_osx_support", "_find_build_tool", "runs-process"),
    calls("os through a test module", "test.support", "os.system", "runs-process"),
    calls("subprocess by a name of its own", "torch.utils.cpp_extension", "subprocess.Popen", "runs-process"),
    calls("the call of the call", "os", "system.__call__", "runs-process"),
    calls("globals of a function", "torch._utils", "_rebuild_tensor.__globals__", "other-dangerous-callable"),
    calls("subclasses of everything", "builtins", "object.__subclasses__", "other-dangerous-callable"),
    by_text("python 2 name", "GLOBAL __builtin__ eval\nMARK\nSTRING '1'\nTUPLE\nREDUCE\nSTOP", "runs-code"),
    by_text(
        "commands of python 2", "GLOBAL commands getoutput\nMARK\nSTRING 'echo'\nTUPLE\nREDUCE\nSTOP", "runs-process"
    ),
)

_GETATTR = Name("builtins", "getattr")
_IMPORT = Name("builtins", "__import__")
LINKED: tuple[Sample, ...] = (
    by_value(
        "getattr of an import",
        Call(Call(_GETATTR, (Call(_IMPORT, ("os",)), "system")), ("echo forged",)),
        "runs-process",
        "imports-module",
        rejected=True,
    ),
    by_value(
        "GHSA-955r-x9j8-7rhh methodcaller",
        Call(Call(Name("_operator", "methodcaller"), ("system", "echo forged")), (Call(_IMPORT, ("os",)),)),
        "runs-process",
        "imports-module",
        rejected=True,
    ),
    by_value(
        "GHSA-46h3-79wf-xr6c attrgetter",
        Call(Call(Call(Name("_operator", "attrgetter"), ("system",)), (Call(_IMPORT, ("os",)),)), ("echo forged",)),
        "runs-process",
        "imports-module",
        rejected=True,
    ),
    by_value(
        "GHSA-vvpj-8cmc-gx39 resolve_name",
        Call(Call(Name("pkgutil", "resolve_name"), ("os:system",)), ("echo forged",)),
        "runs-process",
        "imports-module",
        rejected=True,
    ),
    by_value(
        "GHSA-84r2-jw7c-4r5q pydoc.locate",
        Call(Call(Name("pydoc", "locate"), ("os.system",)), ("echo forged",)),
        "runs-process",
        "imports-module",
        rejected=True,
    ),
    by_value(
        "partial", Call(Call(Name("functools", "partial"), (_SYSTEM, "echo forged"))), "runs-process", rejected=True
    ),
    by_value(
        "partial by its state",
        Call(
            Call(Name("functools", "partial"), (Name("builtins", "len"),), state=(_SYSTEM, ("echo forged",), {}, None))
        ),
        "runs-process",
        rejected=True,
    ),
    by_value(
        "partial of partial",
        Call(Call(Name("functools", "partial"), (Call(Name("functools", "partial"), (_SYSTEM,)),)), ("echo forged",)),
        "runs-process",
        rejected=True,
    ),
    by_value(
        "map",
        Call(Name("builtins", "list"), (Call(Name("builtins", "map"), (_SYSTEM, ["echo forged"])),)),
        "runs-process",
        rejected=True,
    ),
    by_value("reduce", Call(Name("functools", "reduce"), (_SYSTEM, ["a", "b"])), "runs-process", rejected=True),
    by_value(
        "apply",
        Call(Name("__builtin__", "apply"), (_SYSTEM, ("echo forged",))),
        "runs-process",
        protocol=2,
        rejected=True,
    ),
    by_value(
        "rebuild_from_type_v2",
        Call(
            Name("torch._tensor", "_rebuild_from_type_v2"), (_SYSTEM, Name("torch", "Tensor"), ("echo forged",), None)
        ),
        "runs-process",
        rejected=True,
    ),
    by_value(
        "reconstructor",
        Call(Name("copyreg", "_reconstructor"), (Name("subprocess", "Popen"), Name("builtins", "object"), None)),
        "runs-process",
        rejected=True,
    ),
    by_value(
        "method type", Call(Call(Name("types", "MethodType"), (_SYSTEM, "echo forged"))), "runs-process", rejected=True
    ),
    by_value(
        "sys.modules item",
        Call(
            Call(_GETATTR, (Call(Name("operator", "getitem"), (Name("sys", "modules"), "os")), "system")),
            ("echo forged",),
        ),
        "runs-process",
        "carried-code",
        rejected=True,
    ),
    by_value(
        "vars item",
        Call(
            Call(
                Call(Name("operator", "itemgetter"), ("system",)),
                (Call(_GETATTR, (Call(_IMPORT, ("os",)), "__dict__")),),
            ),
            ("echo forged",),
        ),
        "runs-process",
        "imports-module",
        "carried-code",
        rejected=True,
    ),
    by_value(
        "ufunc reconstruct",
        Call(Call(Name("numpy.core", "_ufunc_reconstruct"), ("os", "system")), ("echo forged",)),
        "runs-process",
        rejected=True,
    ),
    by_value("defaultdict", Call(Name("collections", "defaultdict"), (_SYSTEM,)), "runs-process", rejected=True),
    by_value(
        "handed to an unknown function",
        Call(Name("helpers", "run_later"), (_SYSTEM, "echo forged")),
        "runs-process",
        "unknown-callable",
        rejected=True,
    ),
    by_value(
        "handed over inside a container",
        Call(Name("helpers", "run_later"), ([{"hook": (_SYSTEM,)}],)),
        "runs-process",
        "unknown-callable",
        rejected=True,
    ),
)
