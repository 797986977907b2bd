"""XML texts: PMML, OpenVINO, SVG, hostile and ordinary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from openvet.testing.case import Case

__all__ = ["CASES"]

_PMML = '<PMML version="4.4" xmlns="http://www.dmg.org/PMML-4_4"><Header/><DataDictionary/>%s</PMML>'
_SVG = '<svg xmlns="http://www.w3.org/2000/svg"><rect width="1"/>%s</svg>'
_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


def _case(
    name: str,
    technique: str,
    text: str | bytes | Mapping[str, bytes],
    decision: Literal["admit", "review", "reject"],
    *rules: str,
    file: str = "model.pmml",
    encoding: str = "utf-8",
    advisories: tuple[str, ...] = (),
) -> Case:
    made = text.encode(encoding) if isinstance(text, str) else text
    return Case(
        id=f"xml/{name}",
        technique=technique,
        forge=lambda: made,
        decision=decision,
        rules=frozenset(rules),
        formats=("xml",),
        advisories=advisories,
        name=file,
    )


def _external(name: str, technique: str, declared: str, encoding: str = "utf-8", file: str = "model.pmml",
              more: tuple[str, ...] = ()) -> Case:  # fmt: skip
    text = f'<?xml version="1.0"?><!DOCTYPE PMML [{declared}]>{_PMML % ""}'
    return _case(name, technique, text, "reject", "xml/external-entity", *more, encoding=encoding, file=file)


def _net(layers: str, weights: int = 24) -> Mapping[str, bytes]:
    text = f'<?xml version="1.0"?><net name="m" version="11"><layers>{layers}</layers><edges/></net>'
    return {"openvino_model.xml": text.encode(), "openvino_model.bin": bytes(range(1, weights + 1))}


def _const(offset: int = 0, size: int = 24) -> str:
    data = f'<data element_type="f32" shape="2, 3" offset="{offset}" size="{size}"/>'
    return f'<layer id="0" name="w" type="Const" version="opset1">{data}</layer>'


_DECODER = '<java version="1.8" class="java.beans.XMLDecoder"><object class="java.lang.ProcessBuilder"/></java>'
_ILLUSTRATOR = '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd" [%s]>'
_ENTITY, _REFERENCE = ("xml/external-entity",), ("xml/external-reference",)
_NETWORK = '<net name="m" version="11"><layers/><edges/></net>'
_Types = tuple[str, str, str, str, Literal["admit", "review", "reject"], tuple[str, ...], str]
_TYPES: tuple[_Types, ...] = (
    ("document-type-file", "the document type is a file of the machine", 'a SYSTEM "file:///etc/x.dtd"', "<a/>", "reject", _ENTITY, "model.xml"),
    ("document-type-share", "the document type lies on another machine's share", r'a SYSTEM "\\192.0.2.1\s\x.dtd"', "<a/>", "reject",
     _ENTITY, "model.xml"),
    ("document-type-above", "the document type lies above the folder", 'a SYSTEM "../../x.dtd"', "<a/>", "reject", _ENTITY, "model.xml"),
    ("document-type-public", "a model's document type has a public name and a foreign address",
     'PMML PUBLIC "-//X//Y//EN" "http://192.0.2.1/x.dtd"', _PMML % "", "reject", _ENTITY, "model.pmml"),
    ("document-type-network", "a network of OpenVINO takes its document type from an address",
     'net SYSTEM "https://example.org/x.dtd"', _NETWORK, "reject", _ENTITY, "model.xml"),
    ("document-type-foreign", "a document type with a public name at an unusual address",
     'note PUBLIC "-//X//Y//EN" "http://example.org/note.dtd"', "<note/>", "review", _REFERENCE, "note.xml"),
    ("document-type-beside", "the document type lies beside the file", 'note SYSTEM "note.dtd"', "<note/>", "review", _REFERENCE, "note.xml"),
    ("document-type-ordinary", "document types that everybody knows",
     'plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd"', "<plist/>", "admit", (), "a.xml"),
    ("document-type-ordinary-java", "the document type of a Java tool",
     'module PUBLIC "-//Checkstyle//DTD Checkstyle Configuration 1.3//EN" "https://checkstyle.org/dtds/configuration_1_3.dtd"',
     "<module/>", "admit", (), "a.xml"),
    ("document-type-own", "a document type within the file", "note [<!ELEMENT note (#PCDATA)>]", "<note>x</note>", "admit", (), "a.xml"),
)  # fmt: skip

CASES: tuple[Case, ...] = (
    _external("external-entity", "an entity stands for a file", '<!ENTITY x SYSTEM "file:///etc/passwd">'),
    _external("external-entity-public", "an entity with a public name", '<!ENTITY x PUBLIC "a" "http://localhost/">'),
    _external(
        "external-parameter-entity",
        "a parameter entity stands for an address",
        '<!ENTITY % x SYSTEM "http://localhost/a.dtd">',
    ),
    _external(
        "external-entity-wide",
        "an entity stands for a file, in UTF-16",
        '<!ENTITY x SYSTEM "file:///etc/passwd">',
        "utf-16",
    ),
    _external(
        "external-entity-svg",
        "an entity stands for a file, in a picture",
        '<!ENTITY x SYSTEM "/etc/passwd">',
        file="logo.svg",
    ),
    _case(
        "billion-laughs",
        "entities in entities",
        f'<!DOCTYPE PMML [<!ENTITY l0 "ha">{_LAUGHS}]>{_PMML % "&l9;"}',
        "reject",
        "xml/entity-bomb",
        advisories=("CVE-2013-0340",),
    ),
    _case(
        "endless-entity",
        "entities that hold each other",
        f'<!DOCTYPE PMML [<!ENTITY a "&b;"><!ENTITY b "&a;">]>{_PMML % "&a;"}',
        "reject",
        "xml/entity-bomb",
    ),
    _case("java-decoder", "an object graph for XMLDecoder", _DECODER, "reject", "xml/object-graph", file="model.xml"),
    _case(
        "xstream-proxy",
        "a gadget of XStream",
        '<sorted-set><dynamic-proxy><handler class="java.beans.EventHandler"/></dynamic-proxy></sorted-set>',
        "reject",
        "xml/object-graph",
        file="model.xml",
        advisories=("CVE-2013-7285",),
    ),
    _case(
        "stylesheet-java",
        "a style sheet that calls Java",
        '<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" '
        'xmlns:r="http://xml.apache.org/xalan/java/java.lang.Runtime"/>',
        "reject",
        "xml/object-graph",
        file="model.xsl",
    ),
    _case(
        "pmml-command",
        "a command in an extension of PMML",
        _PMML % '<Extension name="x-script" value="Runtime.getRuntime()"/>',
        "reject",
        "xml/object-graph",
        "xml/script",
    ),
    _case(
        "openvino-outside", "a constant beyond the weights", _net(_const(16, 4096)), "reject", "openvino/bytes-outside"
    ),
    _case(
        "openvino-huge",
        "a constant with a size that is no number",
        _net(_const() + _const().replace('"24"', '"-1"')),
        "reject",
        "openvino/bytes-outside",
    ),
    _case(
        "svg-script",
        "a script in a picture",
        _SVG % "<script>alert(1)</script>",
        "review",
        "xml/script",
        file="logo.svg",
    ),
    _case(
        "svg-onload",
        "a script in an attribute of a picture",
        _SVG % '<g onload="alert(1)"/>',
        "review",
        "xml/script",
        file="logo.svg",
    ),
    _case(
        "svg-link",
        "a link that is a script",
        _SVG % '<a href=" javascript:alert(1)"/>',
        "review",
        "xml/script",
        file="logo.svg",
    ),
    _case(
        "pmml-script",
        "a script extension of PMML",
        _PMML % '<Extension name="x-script" value="1"/>',
        "review",
        "xml/script",
    ),
    _case(
        "xinclude",
        "a file of the machine is drawn in",
        '<a xmlns:i="http://www.w3.org/2001/XInclude"><i:include href="/etc/passwd"/></a>',
        "reject",
        "xml/external-entity",
        file="model.xml",
    ),
    _case(
        "xinclude-address",
        "what an address gives is drawn in",
        '<a xmlns:i="http://www.w3.org/2001/XInclude"><i:include href="http://192.0.2.1/x" parse="text"/></a>',
        "reject",
        "xml/external-entity",
        file="model.xml",
    ),
    _case(
        "xinclude-above",
        "a file outside of the folder is drawn in",
        '<a xmlns:i="http://www.w3.org/2001/XInclude"><i:include href="part/../../../secrets.xml"/></a>',
        "reject",
        "xml/external-entity",
        file="model.xml",
    ),
    _case(
        "xinclude-beside",
        "a file beside is drawn in",
        '<a xmlns:i="http://www.w3.org/2001/XInclude"><i:include href="part.xml"/></a>',
        "review",
        "xml/external-reference",
        file="model.xml",
    ),
    _case(
        "document-type-elsewhere",
        "the document type lies elsewhere",
        f'<!DOCTYPE PMML SYSTEM "http://localhost/x.dtd">{_PMML % ""}',
        "reject",
        "xml/external-entity",
    ),
    *(
        _case(name, technique, f"<!DOCTYPE {declared}>{text}", decision, *rules, file=file)
        for name, technique, declared, text, decision, rules, file in _TYPES
    ),
    _external(
        "entity-in-parameter-entity",
        "a parameter entity of the file that declares an entity which stands for a file",
        "<!ENTITY % x \"<!ENTITY y SYSTEM 'file:///etc/passwd'>\"> %x;",
        more=("xml/external-reference",),
    ),
    _external(
        "entity-behind-parameter-entity",
        "an entity that stands for a file, behind a reference where some parsers stop to listen",
        '<!ENTITY % x ""> %x; <!ENTITY y SYSTEM "file:///etc/passwd">',
        more=("xml/external-reference",),
    ),
    _case(
        "hidden-markup",
        "an entity that holds markup",
        f"<!DOCTYPE svg [<!ENTITY x '<g/>'>]>{_SVG % '&x;'}",
        "review",
        "xml/external-reference",
        file="logo.svg",
    ),
    _case(
        "openvino-custom-layer",
        "a layer of a library",
        _net(_const() + '<layer id="1" name="c" type="MyOp" version="extension"/>'),
        "review",
        "openvino/custom-layer",
    ),
    _case("cut-off", "a model that breaks off", (_PMML % "")[:-9], "review", "file/malformed"),
    _case(
        "pmml",
        "an ordinary model in PMML",
        '<?xml version="1.0" encoding="UTF-8"?>' + _PMML % '<RegressionModel functionName="'
        'regression"><RegressionTable intercept="1"/></RegressionModel><Extension name="author" value="me"/>',
        "admit",
    ),
    _case(
        "pmml-latin",
        "an ordinary model in another encoding",
        '<?xml version="1.0" encoding="ISO-8859-1"?>' + _PMML % "<!-- Zürich -->",
        "admit",
        encoding="latin-1",
    ),
    _case(
        "openvino",
        "an ordinary network of OpenVINO",
        _net(_const() + '<layer id="1" name="r" type="Result" version="opset1"/>'),
        "admit",
    ),
    _case(
        "svg",
        "an ordinary picture",
        _SVG % '<a href="https://example.org"><title>on load</title></a>',
        "admit",
        file="logo.svg",
    ),
    _case(
        "svg-illustrator",
        "a picture with names of namespaces as entities",
        _ILLUSTRATOR % '<!ENTITY ns_svg "http://www.w3.org/2000/svg">' + _SVG % "",
        "admit",
        file="logo.svg",
    ),
    _case(
        "xml",
        "any other text",
        '<?xml version="1.0"?><annotation><object><name>os.system</name></object></annotation>',
        "admit",
        file="a.xml",
    ),
)
