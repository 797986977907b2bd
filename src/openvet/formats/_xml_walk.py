"""The walk over the events of an XML text, and what is recorded of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.errors import LimitError, MalformedError
from openvet.formats._format import Facts, Tensor
from openvet.io.source import Source

if TYPE_CHECKING:
    from xml.parsers.expat import XMLParserType

__all__ = ["walk"]

#: Characters that one entity may stand for before it is a bomb.
_EXPANSION = 1 << 20
_DEPTH = 10_000
_ENTITIES = 10_000
#: What an attribute costs beside its characters, and the characters of attributes that a document type may give to all elements.
_ATTRIBUTE = 32
_GIVEN = 32 * 1024 * 1024
_AMPLIFICATION = 43
#: Where document types that everybody knows are kept; parsers have them in a catalogue, or they say nothing.
_KNOWN_TYPES = pattern(
    r"https?://(?:[\w-]+\.)*(?:w3\.org|dmg\.org|openoffice\.org|apple\.com|docbook\.org|oasis-open\.org|sun\.com|jcp\.org|"
    r"apache\.org|springframework\.org|hibernate\.org|mybatis\.org|puppycrawl\.com|checkstyle\.org|nih\.gov|freedesktop\.org|"
    r"gnome\.org|mozilla\.org|eclipse\.org|jboss\.org|tei-c\.org|wapforum\.org|sourceforge\.net|inkscape\.org)/",
    re.IGNORECASE,
)
#: An address on a network, of the machine, or outside of the folder. Anything else lies beside the file.
_ELSEWHERE = pattern(r"\s*(?:[A-Za-z][\w+.-]*:|[\\/])|(?:.*[\\/])?\.\.[\\/]", re.DOTALL)
_MODELS = {"PMML", "net"}
_XINCLUDE = "http://www.w3.org/2001/XInclude"
#: What Java, XStream, XSLT processors and Spring rebuild or call when they read XML.
#: An address of a host, or of a file that is none of the folder.
_BLANK = "".join(map(chr, range(33)))
_OUTSIDE = pattern(r"(?:[A-Za-z][A-Za-z0-9+.-]*:|[/\\]|(?:[^?#]*[/\\])?\.\.(?:[/\\]|$))")
_OBJECTS = pattern(
    r"java\.beans\.(?:XMLDecoder|EventHandler)|java\.lang\.(?:ProcessBuilder|Runtime)|javax\.script\.|dynamic-proxy"
    r"|xml\.apache\.org/(?:xalan|xslt)/java|saxon\.sf\.net/java|^java:|http://php\.net/xsl|ClassPathXmlApplicationContext"
    r"|FileSystemXmlApplicationContext|com\.sun\.rowset\.JdbcRowSetImpl|javax\.naming\.|TemplatesImpl|urn:schemas-microsoft-com:xslt"
    r"|System\.Diagnostics\.Process|ObjectDataProvider",
)
_COMMANDS = pattern(
    r"Runtime\.getRuntime|ProcessBuilder|os\.system|subprocess|/bin/(?:ba)?sh|cmd\.exe|powershell", re.IGNORECASE
)
_INTERNAL = {"type_relaxed_opset", "ie_internal_opset", "gpu_opset", "util"}
_WORDS = {"f32": "F32", "f16": "F16", "bf16": "BF16", "f64": "F64", "i64": "I64", "i32": "I32", "i16": "I16", "i8": "I8", "u8": "U8",
          "u16": "U16", "u32": "U32", "u64": "U64", "boolean": "BOOL"}  # fmt: skip


def _not_opened(_context: str | None, _base: str | None, _system: str | None, _public: str | None) -> int:
    return 1  # go on without it


class _StopError(Exception):
    """What follows would only be read by a parser that was blown up already."""


def walk(source: Source, facts: Facts) -> None:
    """Walk all of ``source``.

    Raises:
        MalformedError: is no well-formed XML.
        LimitError: elements are nested too deeply.
    """
    from xml.parsers import expat

    parser = expat.ParserCreate()
    parser.buffer_text = True
    # what parameter entities of the file itself declare is declared as well; nothing outside is opened
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_ALWAYS)
    parser.ExternalEntityRefHandler = _not_opened
    state = _Walk(parser, facts)
    parser.StartDoctypeDeclHandler = state.doctype
    parser.EntityDeclHandler = state.entity
    parser.AttlistDeclHandler = state.attlist
    parser.EndDoctypeDeclHandler = state.end_doctype
    parser.StartElementHandler = state.start
    parser.EndElementHandler = state.end
    parser.CharacterDataHandler = state.characters
    parser.ProcessingInstructionHandler = state.instruction
    parser.DefaultHandler = state.ignore  # with it expat expands no entity in content
    try:
        for block in source.chunks():
            parser.Parse(block, False)
            facts.budget.check_time()
        parser.Parse(b"", True)
    except _StopError:
        facts.unknown("malformed", "what follows the document type was not read", parser.CurrentByteIndex)
    except expat.ExpatError as error:
        if error.code == _AMPLIFICATION:
            state.bomb("the entities in attributes")
        raise MalformedError(
            f"is no well-formed XML: {expat.ErrorString(error.code)}", offset=parser.ErrorByteIndex
        ) from None
    except (ValueError, LookupError) as error:  # an encoding that Python does not know, or one of several bytes
        raise MalformedError(f"is in an encoding that is not read: {printable(str(error))}", offset=0) from None
    finally:
        state.put()


class _Walk:
    def __init__(self, parser: XMLParserType, facts: Facts) -> None:
        self.parser = parser
        self.facts = facts
        self.depth = 0
        self.elements = 0
        self.defaults = 0
        self.given = 0
        self.root = ""
        self.entities: dict[str, str] = {}
        self.includes = False
        self.script = 0
        self.layers = 0
        self.layer = ("", "")
        self.custom: dict[str, None] = {}
        self.ranges: list[tuple[int, int]] = []

    def tell(self, rule: str, message: str, **evidence: Any) -> None:
        self.facts.anomaly(rule, message, self.parser.CurrentByteIndex, line=self.parser.CurrentLineNumber, **evidence)

    def put(self) -> None:
        if self.root:
            self.facts.note("root", shorten(printable(self.root), 100))
            self.facts.note("elements", self.elements)
        if self.root == "net" and self.layers:
            self.facts.note("layers", self.layers)
            if self.custom:
                self.facts.note("custom_layers", list(self.custom))
            base = self.facts.name.rsplit("/", 1)[-1]
            if self.ranges and base.lower().endswith(".xml"):
                self.facts.claims[base[:-4] + ".bin"] = self.ranges

    # ----------------------------------------------------------- document type

    def doctype(self, name: str, system: str | None, public: str | None, _internal: bool) -> None:
        """A parser that fetches the document type takes from it what an entity of this file could say, and worse: a parameter
        entity that sends files away. So an address is as bad as an external entity; a file beside this one has to be looked at,
        and so has a foreign address that a public name goes with (catalogues have those) where the file is no model.
        """
        if system is None or _KNOWN_TYPES.match(system):
            return
        public_name = (public or "").startswith("-//")
        if _ELSEWHERE.match(system) and (name in _MODELS or not public_name):
            self.tell(
                "xml/external-entity",
                f"takes its document type, which may declare any entity, from {_shown(system)}",
                target=_shown(system),
            )
        elif _ELSEWHERE.match(system) or not public_name:
            self.tell("xml/external-reference", f"takes its document type from {_shown(system)}", target=_shown(system))

    def entity(
        self, name: str, is_parameter: bool, value: str | None, _base: Any, system: Any, _public: Any, _note: Any
    ) -> None:
        if system is not None:
            self.tell(
                "xml/external-entity", f"the entity {_shown(name)} stands for {_shown(system)}", target=_shown(system)
            )
        elif is_parameter:
            self.tell(
                "xml/external-reference", f"declares the parameter entity {_shown(name)}, which may declare others"
            )
        elif value is not None:
            if len(self.entities) >= _ENTITIES:
                self.bomb("more than ten thousand entities")
                raise _StopError
            self.entities.setdefault(name, value)
            if "<" in value:
                self.tell(
                    "xml/external-reference",
                    f"the entity {_shown(name)} holds markup, which scanners do not see in place",
                )

    def attlist(self, _element: str, _name: str, _kind: str, default: str | None, _required: bool) -> None:
        if default is not None:
            self.defaults += _ATTRIBUTE + len(default)

    def bomb(self, what: str) -> None:
        self.tell("xml/entity-bomb", f"{what} expand to more than a parser can hold")

    def end_doctype(self) -> None:
        """How long each entity is when all in it are expanded, without expanding one."""
        sizes: dict[str, int] = {}
        for name in self.entities:
            stack = [(name, False)]
            open_names: set[str] = set()
            while stack:
                each, ready = stack.pop()
                inner = re.findall(r"&([^#;&\s][^;&\s]*);", self.entities.get(each, ""))
                if ready:
                    open_names.discard(each)
                    total = len(self.entities.get(each, "")) + sum(sizes.get(one, 1) for one in inner)
                    sizes[each] = min(total, _EXPANSION * 2)
                elif each in open_names:
                    self.bomb(f"the entity {_shown(each)}, which holds itself, would")
                    raise _StopError
                elif each not in sizes:
                    open_names.add(each)
                    stack.append((each, True))
                    stack.extend((one, False) for one in dict.fromkeys(inner) if one in self.entities)
            if sizes[name] > _EXPANSION:
                self.bomb(f"the entity {_shown(name)} and those in it")
                raise _StopError

    # ---------------------------------------------------------------- elements

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.elements += 1
        self.given += self.defaults
        if self.given > _GIVEN:
            self.bomb("the attributes that the document type gives to elements")
            raise _StopError
        if self.depth > _DEPTH:
            raise LimitError("nesting", _DEPTH, "elements are nested too deeply", offset=self.parser.CurrentByteIndex)
        local = name.rsplit(":", 1)[-1]
        if not self.root:
            self.root = local
        if local == "script" or (self.script and local != "script"):
            self.script += 1
        if local == "script":
            self.tell("xml/script", "holds a script", element=_shown(name))
        elif local == "Extension" and "script" in attributes.get("name", "").lower():
            self.tell("xml/script", f"a PMML extension is named {_shown(attributes['name'])}")
        if _OBJECTS.search(name):
            self.tell("xml/object-graph", f"an element is named {_shown(name)}")
        if self.root == "net":
            self.network(local, attributes)
        for key, value in attributes.items():
            self.attribute(local, key, value)

    def attribute(self, element: str, key: str, value: str) -> None:
        if value == _XINCLUDE:
            self.includes = True
        if _OBJECTS.search(value):
            self.tell("xml/object-graph", f"{_shown(element)} names {_shown(value)}")
        elif element == "Extension" and _COMMANDS.search(value):
            self.tell("xml/object-graph", f"a PMML extension holds {_shown(value)}")
        if element == "include" and key == "href" and self.includes:
            rule = "external-entity" if _OUTSIDE.match(value.lstrip().lstrip(_BLANK)) else "external-reference"
            self.tell(f"xml/{rule}", f"includes {_shown(value)}", target=_shown(value))
        low = key.lower()
        if self.root == "svg" and low.startswith("on") and low.isalpha() and len(value) > 1:
            self.tell("xml/script", f"the attribute {_shown(key)} holds a script")
        elif low.endswith("href") and re.match(
            r"[\s\x00-\x20]*(?:javascript|vbscript|data:text/html)", value, re.IGNORECASE
        ):
            self.tell("xml/script", f"a link runs a script: {_shown(value)}")

    def characters(self, data: str) -> None:
        if self.script and _COMMANDS.search(data):
            self.tell("xml/object-graph", "a script starts programs")
        elif self.root in {"java", "PMML"} and _COMMANDS.search(data):
            self.tell("xml/object-graph", f"holds {_shown(data.strip())}")

    def end(self, _name: str) -> None:
        self.depth -= 1
        if self.script:
            self.script -= 1

    def instruction(self, target: str, data: str) -> None:
        if target == "xml-stylesheet":
            found = re.search(r"href\s*=\s*[\"']([^\"'#][^\"']*)", data)
            if found:
                self.tell("xml/external-reference", f"is styled by {_shown(found[1])}", target=_shown(found[1]))

    def ignore(self, _data: str) -> None:
        """References to entities, comments and the like."""

    # ---------------------------------------------------------------- OpenVINO

    def network(self, local: str, attributes: dict[str, str]) -> None:
        if local == "layer":
            self.layers += 1
            self.layer = (attributes.get("name", ""), attributes.get("type", ""))
            version = attributes.get("version")
            known = version is None or re.fullmatch(r"opset\d{1,2}", version) is not None or version in _INTERNAL
            if not known and len(self.custom) < 1000:
                self.custom[f"{_shown(self.layer[1])} ({_shown(version or '')})"] = None
        elif local == "data" and "offset" in attributes and "size" in attributes and self.layer[1] == "Const":
            self.constant(attributes)

    def constant(self, attributes: dict[str, str]) -> None:
        numbers = [attributes["offset"], attributes["size"], *attributes.get("shape", "").replace(" ", "").split(",")]
        if not all(re.fullmatch(r"\d{1,18}", each) for each in numbers if each):
            self.tell("openvino/bytes-outside", "a constant's offset, size or shape is no whole number")
            return
        offset, size = int(numbers[0] or 0), int(numbers[1] or 0)
        shape = tuple(int(each) for each in numbers[2:] if each)[:64]
        if len(self.facts.tensors) >= self.facts.limits.tensors:
            raise LimitError("tensors", self.facts.limits.tensors, "describes too many constants")
        word = attributes.get("element_type", "")
        self.facts.tensors.append(
            Tensor(printable(self.layer[0]), _WORDS.get(word, _shown(word).upper()), shape, None, size)
        )
        self.ranges.append((offset, size))


def _shown(text: str) -> str:
    return printable(shorten(text, 100))
