"""Hostile pickles that differ in how the stream is written: tricks with the machine, broken streams, carried programs."""

from __future__ import annotations

from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_bytecode import import_and_call
from openvet.testing.forge_sample import Sample, by_text, by_value

__all__ = ["BROKEN", "CARRIED", "TRICKS"]

_SYSTEM = Name("os", "system")
_PAYLOAD = Call(_SYSTEM, ("echo forged",))
TRICKS: tuple[Sample, ...] = (
    by_text(
        "MEMOIZE counts entries, PUT does not (picklescan 14)",
        """
        PROTO 4
        SHORT_BINUNICODE 'harmless'
        PUT 1
        POP
        SHORT_BINUNICODE 'os'
        MEMOIZE
        POP
        BINGET 1
        SHORT_BINUNICODE 'system'
        STACK_GLOBAL
        SHORT_BINUNICODE 'echo forged'
        TUPLE1
        REDUCE
        STOP""",
        "runs-process",
    ),
    by_text(
        "PUT stores the top, not the last literal (modelscan 85)",
        """
        SHORT_BINUNICODE 'os'
        SHORT_BINUNICODE 'collections'
        POP
        PUT 0
        SHORT_BINUNICODE 'system'
        STACK_GLOBAL
        SHORT_BINUNICODE 'echo forged'
        TUPLE1
        REDUCE
        STOP""",
        "runs-process",
    ),
    by_value(
        "INST (picklescan 13)", Call(_SYSTEM, ("echo forged",), how="INST"), "runs-process", protocol=0, rejected=True
    ),
    by_value("OBJ", Call(_SYSTEM, ("echo forged",), how="OBJ"), "runs-process", protocol=1, rejected=True),
    by_value(
        "NEWOBJ", Call(Name("subprocess", "Popen"), (["echo", "forged"],), how="NEWOBJ"), "runs-process", rejected=True
    ),
    by_text(
        "NEWOBJ_EX",
        """
        PROTO 4
        GLOBAL subprocess Popen
        SHORT_BINUNICODE 'echo'
        TUPLE1
        EMPTY_DICT
        NEWOBJ_EX
        STOP""",
        "runs-process",
    ),
    by_text(
        "POP hides the call",
        """
        PROTO 2
        GLOBAL os system
        SHORT_BINUNICODE 'echo forged'
        TUPLE1
        REDUCE
        POP
        EMPTY_DICT
        STOP""",
        "runs-process",
    ),
    by_text(
        "POP_MARK hides the call",
        """
        PROTO 2
        MARK
        GLOBAL os system
        SHORT_BINUNICODE 'echo forged'
        TUPLE1
        REDUCE
        POP_MARK
        EMPTY_DICT
        STOP""",
        "runs-process",
    ),
    by_text(
        "BUILD on a function (modelscan 330)",
        """
        PROTO 4
        GLOBAL numpy prod
        EMPTY_DICT
        SHORT_BINUNICODE '__wrapped__'
        GLOBAL os system
        SETITEM
        BUILD
        STOP""",
        "state-on-callable",
        "carried-code",
    ),
    by_text(
        "SETITEM on os.environ",
        """
        PROTO 4
        GLOBAL os environ
        SHORT_BINUNICODE 'LD_PRELOAD'
        SHORT_BINUNICODE './x.so'
        SETITEM
        STOP""",
        "state-on-callable",
        "carried-code",
    ),
    by_text(
        "APPEND on sys.path",
        """
        PROTO 4
        GLOBAL sys path
        SHORT_BINUNICODE '/tmp'
        APPEND
        STOP""",
        "state-on-callable",
        "carried-code",
    ),
    by_text(
        "__setstate__ planted in an instance",
        """
        PROTO 4
        GLOBAL collections Counter
        EMPTY_TUPLE
        NEWOBJ
        EMPTY_DICT
        SHORT_BINUNICODE '__setstate__'
        GLOBAL os system
        SETITEM
        BUILD
        SHORT_BINUNICODE 'echo forged'
        BUILD
        STOP""",
        "runs-process",
        "state-on-callable",
    ),
    by_text(
        "append planted in an instance",
        """
        PROTO 4
        GLOBAL __main__ Box
        EMPTY_TUPLE
        NEWOBJ
        EMPTY_DICT
        SHORT_BINUNICODE 'append'
        GLOBAL os system
        SETITEM
        BUILD
        SHORT_BINUNICODE 'echo forged'
        APPEND
        STOP""",
        "runs-process",
        "state-on-callable",
        "project-class",
    ),
    by_text(
        "a name joined at run time (modelscan 331)",
        """
        PROTO 4
        GLOBAL builtins getattr
        SHORT_BINUNICODE ''
        SHORT_BINUNICODE 'join'
        TUPLE2
        REDUCE
        EMPTY_LIST
        SHORT_BINUNICODE 'o'
        APPEND
        SHORT_BINUNICODE 's'
        APPEND
        TUPLE1
        REDUCE
        SHORT_BINUNICODE 'system'
        STACK_GLOBAL
        SHORT_BINUNICODE 'echo forged'
        TUPLE1
        REDUCE
        STOP""",
        "computed-name",
        "unknown-callable",
    ),
    by_text(
        "getattr with a name that is computed",
        """
        PROTO 4
        GLOBAL builtins getattr
        GLOBAL collections OrderedDict
        GLOBAL builtins chr
        BININT1 111
        TUPLE1
        REDUCE
        TUPLE2
        REDUCE
        STOP""",
        "computed-name",
    ),
    by_text(
        "an extension code that the pickle registers",
        """
        PROTO 2
        GLOBAL copyreg add_extension
        SHORT_BINUNICODE 'os'
        SHORT_BINUNICODE 'system'
        BININT1 240
        TUPLE3
        REDUCE
        POP
        EXT1 240
        SHORT_BINUNICODE 'echo forged'
        TUPLE1
        REDUCE
        STOP""",
        "runs-process",
        "extension-code",
        "other-dangerous-callable",
    ),
    by_text("an extension code of somebody else", "PROTO 2\nEXT2 4660\nSTOP", "extension-code"),
    by_value(
        "__reduce__ in a nested value", {"layers": [1, 2, {"deep": (1, [_PAYLOAD])}]}, "runs-process", rejected=True
    ),
    by_text(
        "protocol 5 without a PROTO opcode",
        """
        SHORT_BINUNICODE 'os'
        SHORT_BINUNICODE 'system'
        STACK_GLOBAL
        SHORT_BINUNICODE 'echo forged'
        TUPLE1
        REDUCE
        STOP""",
        "runs-process",
    ),
    by_text(
        "a payload behind protocol 1's header",
        """
        PROTO 1
        GLOBAL os system
        SHORT_BINUNICODE 'echo forged'
        TUPLE1
        REDUCE
        STOP""",
        "runs-process",
    ),
    Sample(
        "the second pickle of a file",
        lambda: dump({"a": 1}, 4) + dump(_PAYLOAD, 2),
        frozenset({"pickle/runs-process"}),
        rejected=True,
    ),
    Sample(
        "the second pickle is of protocol 0",
        lambda: dump({"a": 1}, 4) + dump(_PAYLOAD, 0),
        frozenset({"pickle/runs-process"}),
        rejected=True,
    ),
)

_CALL_SYSTEM = "PROTO 4\nGLOBAL os system\nSHORT_BINUNICODE 'echo forged'\nTUPLE1\nREDUCE\n"
BROKEN: tuple[Sample, ...] = (
    by_text("nullifAI: no opcode behind the payload", _CALL_SYSTEM + "RAW ff", "runs-process", "broken-stream"),
    by_text("no STOP", _CALL_SYSTEM, "runs-process", "broken-stream"),
    by_text("stops on an empty stack", _CALL_SYSTEM + "POP\nSTOP", "runs-process", "broken-stream"),
    by_text("pops an empty stack", _CALL_SYSTEM + "POP\nPOP\nSTOP", "runs-process", "broken-stream"),
    by_text("a literal that is cut off", _CALL_SYSTEM + "RAW 58ffffff7f41", "runs-process", "broken-stream"),
    by_text("a memo entry that is not there", _CALL_SYSTEM + "BINGET 99\nSTOP", "runs-process", "broken-stream"),
    by_text("no mark", _CALL_SYSTEM + "TUPLE\nSTOP", "runs-process", "broken-stream"),
    by_text(
        "an impossible protocol behind the payload", _CALL_SYSTEM + "PROTO 99\nSTOP", "runs-process", "broken-stream"
    ),
    by_text(
        "GHSA-9gvj-pp9x-gcfr: an exception on purpose", _CALL_SYSTEM + "NONE\nTUPLE1\nREDUCE\nSTOP", "runs-process"
    ),
    by_text(
        "calls a number behind the payload",
        _CALL_SYSTEM + "BININT1 1\nEMPTY_TUPLE\nREDUCE\nSTOP",
        "runs-process",
        "broken-stream",
    ),
    by_text(
        "a frame that is too short",
        """
        PROTO 4
        FRAME 3
        GLOBAL os system
        SHORT_BINUNICODE 'echo forged'
        TUPLE1
        REDUCE
        STOP""",
        "runs-process",
        "frame-mismatch",
        "unknown-callable",  # the unpickler in C, reading a file, takes its name from behind the frame: ".system"
    ),
    Sample(
        "a name that only the unpickler in C reads, since a frame cuts it",
        lambda: b"\x80\x04\x95" + (12).to_bytes(8, "little") + b"cos\nharmlesssystem\n(S'echo forged'\ntR.",
        frozenset({"pickle/runs-process", "pickle/frame-mismatch", "pickle/other-dangerous-callable"}),
        rejected=True,
    ),
    Sample(
        "a name that only the unpickler in Python reads, since the file ends in it",
        lambda: b"(S'echo forged'\nios\nsystemX",
        frozenset({"pickle/runs-process", "pickle/broken-stream"}),
        rejected=True,
    ),
    by_text(
        "a frame that is too long",
        """
        PROTO 4
        FRAME 4096
        GLOBAL os system
        SHORT_BINUNICODE 'echo forged'
        TUPLE1
        REDUCE
        STOP""",
        "runs-process",
        "frame-mismatch",
    ),
    by_text(
        "a frame inside a frame",
        """
        PROTO 4
        FRAME 60
        FRAME 2
        GLOBAL os system
        SHORT_BINUNICODE 'echo forged'
        TUPLE1
        REDUCE
        NONE
        POP
        NONE
        POP
        NONE
        POP
        NONE
        POP
        STOP
        RAW 00000000000000000000000000000000""",
        "runs-process",
        "frame-mismatch",
    ),
)

CARRIED: tuple[Sample, ...] = (
    by_value("a callable as a value", {"hook": _SYSTEM}, "carried-code", rejected=True),
    by_value(
        "a partial that nobody calls",
        Call(Name("functools", "partial"), (_SYSTEM, "echo forged")),
        "carried-code",
        rejected=True,
    ),
    by_value("nothing but os.system", Name("posix", "system"), "carried-code", rejected=True),
    by_value(
        "a transformer whose function is os.system",
        Call(
            Name("sklearn.preprocessing._function_transformer", "FunctionTransformer"),
            state={"func": _SYSTEM},
            how="NEWOBJ",
        ),
        "carried-code",
        rejected=True,
    ),
    by_value(
        "a vectorizer whose tokenizer is eval",
        Call(
            Name("sklearn.feature_extraction.text", "CountVectorizer"),
            state={"tokenizer": Name("builtins", "eval")},
            how="NEWOBJ",
        ),
        "carried-code",
        rejected=True,
    ),
    by_value(
        "a forward hook that starts a process",
        Call(
            Name("torch.nn.modules.linear", "Linear"),
            state={"_forward_hooks": {0: Name("subprocess", "check_output")}},
            how="NEWOBJ",
        ),
        "carried-code",
        rejected=True,
    ),
    by_value(
        "a vectorizer whose tokenizer reads literals",
        Call(
            Name("sklearn.feature_extraction.text", "CountVectorizer"),
            state={"tokenizer": Name("ast", "literal_eval")},
            how="NEWOBJ",
        ),
        "carried-code",
    ),
    by_value(
        "what an object holds is called",
        Call(
            Call(
                Name("builtins", "getattr"),
                (Call(Name("types", "SimpleNamespace"), state={"x": Name("shutil", "rmtree")}, how="NEWOBJ"), "x"),
            ),
            ("forged",),
        ),
        "touches-files",
        "unknown-callable",
        rejected=True,
    ),
    by_value(
        "what a deque gives back is called",
        Call(
            Call(
                Name("collections", "deque.pop"), (Call(Name("collections", "deque"), ([Name("shutil", "rmtree")],)),)
            ),
            ("forged",),
        ),
        "touches-files",
        rejected=True,
    ),
    by_text(
        "a memo index that takes gigabytes",
        """
        PROTO 2
        BININT1 1
        LONG_BINPUT 2147483647
        STOP""",
        "memory-bomb",
    ),
    by_value("a pickle in a literal", {"blob": dump(_PAYLOAD, 4)}, "nested-pickle", rejected=True),
    by_value(
        "a pickle in base64",
        {"blob": "gASVMAAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjAtlY2hvIGZvcmdlZJSFlFKULg=="},
        "nested-pickle",
        rejected=True,
    ),
    by_value(
        "a pickle that is loaded",
        Call(Name("pickle", "loads"), (dump(_PAYLOAD, 4),)),
        "loads-nested",
        "runs-process",
        rejected=True,
    ),
    by_value(
        "a tensor's bytes that run code",
        Call(Name("torch.storage", "_load_from_bytes"), (dump(_PAYLOAD, 2),)),
        "runs-process",
        rejected=True,
    ),
    by_value("marshalled code", {"code": import_and_call((3, 11))}, "carried-code"),
    by_value("a codec that is not plain", Call(Name("_codecs", "encode"), ("x", "rot13")), "unknown-callable"),
    by_value(
        "a class of the project", Call(Name("__main__", "Net"), (), state={"a": 1}, how="NEWOBJ"), "project-class"
    ),
    by_value("a function that nobody knows", Call(Name("helpers", "rebuild"), (1,)), "unknown-callable"),
    Sample("data behind the end", lambda: dump({"a": 1}, 4) + b"\xff\xfehidden", frozenset({"pickle/trailing-data"})),
)
