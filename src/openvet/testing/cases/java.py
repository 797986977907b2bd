"""Serialized Java objects: chains that run commands, models of others, values of Java itself."""

from __future__ import annotations

import gzip
from functools import partial
from typing import Literal

from openvet.testing.case import Case
from openvet.testing.forge_archive import ZipPart, forge_zip
from openvet.testing.forge_java import array_of, java_object, java_stream, text_of

__all__ = ["CASES"]

_OBJECT = "Ljava/lang/Object;"
_CHAINS = {
    "commons-collections": "org.apache.commons.collections.functors.InvokerTransformer",
    "commons-collections-4": "org.apache.commons.collections4.functors.InstantiateTransformer",
    "templates": "com.sun.org.apache.xalan.internal.xsltc.trax.TemplatesImpl",
    "groovy": "org.codehaus.groovy.runtime.MethodClosure",
    "spring": "org.springframework.core.SerializableTypeWrapper$MethodInvokeTypeProvider",
    "c3p0": "com.mchange.v2.c3p0.impl.PoolBackedDataSourceBase",
    "beanutils": "org.apache.commons.beanutils.BeanComparator",
    "rowset": "com.sun.rowset.JdbcRowSetImpl",
    "rmi": "java.rmi.server.RemoteObjectInvocationHandler",
    "beanshell": "bsh.XThis",
    "bad-attribute": "javax.management.BadAttributeValueExpException",
    "signed": "java.security.SignedObject",
}


def _spelled(name: str) -> bytes:
    """Every letter with two bytes, as Java takes it and no other reader of UTF-8."""
    return b"".join(bytes([0xC0 | ord(each) >> 6, 0x80 | ord(each) & 0x3F]) for each in name)


def _chain(name: str | bytes) -> bytes:
    inner = java_object(name, text_of("exec"), [("iMethodName", "Ljava/lang/String;")])
    table = java_object("java.util.HashMap", b"\x3f\x40\x00\x00\x00\x00\x00\x0cw\x08\x00\x00\x00\x10\x00\x00\x00\x01" + text_of("a") + inner + b"x",
                        [("loadFactor", "F"), ("threshold", "I")], flags=3)  # fmt: skip
    return java_stream(table)


def _number(value: int) -> bytes:
    number = b"r\x00\x10java.lang.Number" + bytes(8) + b"\x02\x00\x00xp"
    return java_object("java.lang.Integer", value.to_bytes(4, "big"), [("value", "I")], parent=number)


def _tree() -> bytes:
    fields = [("m_Root", "Lweka/classifiers/trees/j48/ClassifierTree;"), ("m_Options", "[I")]
    return java_stream(java_object("weka.classifiers.trees.J48", b"pp", fields))


def _zipped() -> bytes:
    return forge_zip(
        [ZipPart(b"configuration.json", b"{}"), ZipPart(b"preprocessor.bin", _chain(_CHAINS["commons-collections"]))]
    )


def _address() -> bytes:
    """An address as Java writes it."""
    text = "Ljava/lang/String;"
    fields = [
        ("hashCode", "I"),
        ("port", "I"),
        *((each, text) for each in ("authority", "file", "host", "protocol", "ref")),
    ]
    host = text_of("example.com")
    return (
        java_object("java.net.URL", b"\xff" * 8 + host + text_of("") + host + text_of("http") + b"p", fields, flags=3)
        + b"x"
    )


def _table(key: bytes, value: bytes) -> bytes:
    return java_object("java.util.HashMap", b"\x3f\x40\x00\x00\x00\x00\x00\x0cw\x08\x00\x00\x00\x10\x00\x00\x00\x01" + key + value + b"x",
                       [("loadFactor", "F"), ("threshold", "I")], flags=3)  # fmt: skip


def _list(item: bytes) -> bytes:
    return java_object(
        "java.util.ArrayList", b"\x00\x00\x00\x01w\x04\x00\x00\x00\x01" + item + b"x", [("size", "I")], flags=3
    )


def _set(item: bytes) -> bytes:
    return java_object(
        "java.util.HashSet", b"w\x0c\x00\x00\x00\x10\x3f\x40\x00\x00\x00\x00\x00\x01" + item + b"x", flags=3
    )


_Decision = Literal["admit", "review", "reject"]


def _case(
    name: str,
    technique: str,
    data: bytes,
    decision: _Decision,
    *rules: str,
    file: str = "model.ser",
    formats: tuple[str, ...] = ("java-serialized",),
) -> Case:
    return Case(f"java/{name}", technique, partial(bytes, data), decision, frozenset(rules), formats, (), file)


_RULE = "java/serialized-object"
CASES: tuple[Case, ...] = (
    *(_case(f"chain-{name}", f"objects of {class_.rpartition('.')[2]}, by which commands are run", _chain(class_), "reject", _RULE)
      for name, class_ in _CHAINS.items()),
    _case("spelled", "the class is spelled with more bytes than it needs", _chain(_spelled(_CHAINS["commons-collections"])), "reject", _RULE),
    _case("in-an-array", "the class stands in the second object of the file",
          java_stream(text_of("a"), array_of("[Ljava.lang.Object;", b"p", java_object(_CHAINS["templates"]))), "reject", _RULE, file="model.model"),
    _case("as-a-field", "only a field is of the class", java_stream(java_object("a.B", b"p", [("a", "Lorg/apache/commons/collections/functors/ChainedTransformer;")])),
          "reject", _RULE),
    _case("behind-a-break", "the stream breaks before the class", java_stream(b"\x60", java_object(_CHAINS["groovy"])), "reject", _RULE,
          "file/malformed"),
    _case("in-zip", "a chain in an archive of a model", _zipped(), "reject", _RULE, file="model.zip", formats=("zip", "java-serialized")),
    _case("in-gzip", "a chain that is compressed", gzip.compress(_chain(_CHAINS["spring"]), mtime=0), "reject", _RULE, file="model.ser.gz",
          formats=("gzip", "java-serialized")),
    _case("address-as-key", "a table with an address as its key: its host is looked up when the file is read", java_stream(_table(_address(), text_of("a"))),
          "reject", _RULE, file="j48.model"),
    _case("address-in-set", "a set with an address", java_stream(_set(_address())), "reject", _RULE),
    _case("address-in-key", "a table with a list as its key that holds an address", java_stream(_table(_list(_address()), b"p")), "reject", _RULE),
    _case("address-in-gzip", "a table with an address as its key, compressed", gzip.compress(java_stream(_table(_address(), b"p")), mtime=0), "reject",
          _RULE, file="classifier.ser.gz", formats=("gzip", "java-serialized")),
    _case("address-as-value", "a table with an address as a value, which is not looked up", java_stream(_table(text_of("home"), _address())), "review",
          _RULE),
    _case("address-in-list", "an address in a list", java_stream(_list(_address())), "review", _RULE),
    _case("table-of-texts", "a table of texts, one of which is an address", java_stream(_table(text_of("home"), text_of("http://example.com/"))), "admit"),
    _case("weka", "a model of Weka", _tree(), "review", _RULE, file="j48.model"),
    _case("values", "numbers and texts in an array", java_stream(array_of("[Ljava.lang.Object;", _number(1), text_of("os.system"), b"p")), "admit"),
    _case("numbers", "an array of numbers", java_stream(b"ur\x00\x02[D" + bytes(8) + b"\x02\x00\x00xp\x00\x00\x00\x02" + bytes(16)), "admit"),
)  # fmt: skip
