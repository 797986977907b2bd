"""What a compiled library takes from the system to start programs: its dynamic imports, as the loader of the system binds them.

::

    ELF      program headers: the dynamic section; relocations name symbols, and those without a section are imports
    Mach-O   the table of symbols: those that are external and undefined; a fat file has several
    PE       the tables of imports, at once and delayed

A program may start others; that is told of libraries alone, which come with a model to compute. A heuristic: libraries that AOTInductor,
TVM, XLA and custom operators build import mathematics, memory and threads, and none of these. Large libraries of runtimes (PyTorch,
ggml, XGBoost, Python itself) do, some to print where they broke; they offer hundreds of functions, so only a library that offers few is
told. It sees no function that is looked up by its name while the library runs, and no system call.

Specification: https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html ; ``mach-o/loader.h`` ; https://learn.microsoft.com/windows/win32/debug/pe-format
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from openvet.errors import ReadError
from openvet.io.source import Source

__all__ = ["starts_programs"]

#: A name, and whether it is taken from elsewhere; otherwise it is offered to others.
_Symbol = tuple[str, bool]
_UNIX = frozenset({
    "system", "popen", "execl", "execle", "execlp", "execv", "execve", "execvp", "execvpe", "fexecve", "execveat", "posix_spawn",
    "posix_spawnp", "wordexp",
})  # fmt: skip
_WINDOWS = frozenset({
    "system", "_wsystem", "_popen", "_wpopen", "winexec", "createprocessa", "createprocessw", "createprocessasusera",
    "createprocessasuserw", "createprocesswithlogonw", "createprocesswithtokenw", "shellexecutea", "shellexecutew", "shellexecuteexa",
    "shellexecuteexw", *(f"_{wide}{verb}{how}" for wide in ("", "w") for verb in ("exec", "spawn") for how in
                         ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")),
})  # fmt: skip
#: Headers, relocations, symbols and libraries that are looked at.
_HEADERS, _RELOCATIONS, _SYMBOLS, _LIBRARIES, _SLICES = 256, 1_000_000, 1_000_000, 500, 8
_NAME = 64
#: A library of a runtime offers more functions than this.
_FEW = 64


def starts_programs(source: Source, kind: str) -> list[str]:
    """The functions by which a small library of this kind starts programs; none of a program, and of what is broken."""
    found: set[str] = set()
    offered = 0
    try:
        for name, taken in _NAMES[kind](source) if kind in _NAMES else ():
            offered += not taken
            if offered > _FEW:
                return []
            if taken and ((name.lower() in _WINDOWS) if kind == "pe" else (name in _UNIX)):
                found.add(name)
    except (ReadError, struct.error, ValueError):
        pass  # the loader of the system does not get further either
    return sorted(found)


def _text(source: Source, at: int) -> str:
    return source.upto(at, _NAME).partition(b"\0")[0].decode("latin-1") if 0 <= at < source.size else ""


def _elf(source: Source) -> Iterator[_Symbol]:
    head = source.read(0, 52)
    wide, order = head[4] == 2, "<" if head[5] == 1 else ">"
    found = _segments(source, wide=wide, order=order)
    if found is None:
        return
    tags, place = found
    texts, symbols = place(tags.get(5, -1)), place(tags.get(6, -1))
    each = struct.Struct(order + ("IBBHQQ" if wide else "IIIBBH"))

    def entry(symbol: int) -> tuple[int, int, int]:
        """Where its name begins, its kind, and its section: 0 where it is taken from elsewhere."""
        fields = each.unpack(source.read(symbols + symbol * each.size, each.size))
        return (fields[0], fields[1], fields[3]) if wide else (fields[0], fields[3], fields[5])

    for symbol in dict.fromkeys(_bound(source, tags, place, wide=wide, order=order)):
        name, _, section = entry(symbol)
        if section == 0:
            yield _text(source, texts + name), True
    for symbol in range(_counted(source, order, wide, place(tags.get(4, -1)), place(tags.get(0x6FFFFEF5, -1)))):
        _, kind, section = entry(symbol)
        if section and kind >> 4 in (1, 2) and kind & 15 in (2, 10):  # global or weak; a function
            yield "", False


def _segments(source: Source, *, wide: bool, order: str) -> tuple[dict[int, int], Callable[[int], int]] | None:
    """The dynamic section of a library, and where an address lies in the file; ``None`` for anything else."""
    head = source.read(0, 64 if wide else 52)
    kind = struct.unpack_from(order + "H", head, 16)[0]
    start = struct.unpack_from(order + ("Q" if wide else "I"), head, 32 if wide else 28)[0]
    size, count = struct.unpack_from(order + "HH", head, 54 if wide else 42)
    layout = struct.Struct(order + ("IIQQQQQQ" if wide else "8I"))
    loads: list[tuple[int, int, int]] = []
    dynamic: tuple[int, int] | None = None
    for index in range(min(count, _HEADERS)):
        fields = layout.unpack(source.read(start + index * size, layout.size))
        offset, address, length = (fields[2], fields[3], fields[5]) if wide else (fields[1], fields[2], fields[4])
        if fields[0] == 1:
            loads.append((address, length, offset))
        elif fields[0] == 2:
            dynamic = offset, length
    if kind != 3 or dynamic is None:
        return None
    pair = struct.Struct(order + ("qQ" if wide else "iI"))
    tags: dict[int, int] = {}
    for tag, value in pair.iter_unpack(source.read(dynamic[0], min(dynamic[1], 1 << 16) // pair.size * pair.size)):
        if tag == 0:
            break
        tags.setdefault(tag, value)
    if tags.get(0x6FFFFFFB, 0) & 0x08000000:  # says that it is a program; the loader takes no such thing for a library
        return None

    def place(address: int) -> int:
        return next(
            (offset + address - begin for begin, length, offset in loads if begin <= address < begin + length), -1
        )

    return tags, place


def _bound(
    source: Source, tags: dict[int, int], place: Callable[[int], int], *, wide: bool, order: str
) -> Iterator[int]:
    """The numbers of the symbols that relocations name."""
    word = struct.Struct(order + ("Q" if wide else "I"))
    for begin, length, added in ((23, 2, tags.get(20) == 7), (7, 8, True), (17, 18, False)):
        at = place(tags.get(begin, -1))
        width = word.size * (3 if added else 2)
        data = source.upto(at, min(tags.get(length, 0), _RELOCATIONS * width)) if at >= 0 else b""
        for base in range(word.size, len(data) - width + word.size + 1, width):
            info = word.unpack_from(data, base)[0]
            symbol = info >> 32 if wide else info >> 8
            if symbol:
                yield symbol


def _counted(source: Source, order: str, wide: bool, plain: int, gnu: int) -> int:
    """How many symbols there are, by either of the tables by which the loader looks them up."""
    if plain >= 0:
        return min(int(struct.unpack(order + "I", source.read(plain + 4, 4))[0]), _SYMBOLS)
    if gnu < 0:
        return 0
    buckets, first, bloom, _ = struct.unpack(order + "4I", source.read(gnu, 16))
    at = gnu + 16 + bloom * (8 if wide else 4)
    count = min(buckets, _SYMBOLS)
    last = max(struct.unpack(f"{order}{count}I", source.read(at, count * 4)), default=0)
    if last < first:
        return 0
    chain = at + buckets * 4 + (last - first) * 4
    data = source.upto(chain, 1 << 16)
    run = next((index for index in range(len(data) // 4) if data[index * 4 + (0 if order == "<" else 3)] & 1), 0)
    return min(last + run + 1, _SYMBOLS)


def _mach_o(source: Source) -> Iterator[_Symbol]:
    magic = source.read(0, 4)
    if magic[:3] == b"\xca\xfe\xba":
        wide = magic[3] == 0xBF
        width = 32 if wide else 20
        for index in range(min(int.from_bytes(source.read(4, 4), "big"), _SLICES)):
            entry = source.read(8 + index * width, width)
            at, size = struct.unpack_from(">QQ" if wide else ">II", entry, 8)
            yield from _slice(source.window(at, size))
    else:
        yield from _slice(source)


def _slice(source: Source) -> Iterator[_Symbol]:
    magic = source.read(0, 4)
    order = "<" if magic[1:] == b"\xfa\xed\xfe" else ">"
    wide = b"\xcf" in (magic[:1], magic[3:])
    kind, count = struct.unpack(order + "II", source.read(12, 8))
    at = 32 if wide else 28
    if kind not in (6, 8):  # a library or a bundle
        return
    for _ in range(min(count, _HEADERS)):
        command, size = struct.unpack(order + "II", source.read(at, 8))
        if command == 2:
            symbols, many, texts, _ = struct.unpack(order + "4I", source.read(at + 8, 16))
            entry = struct.Struct(order + ("IBBHQ" if wide else "IBBHI"))
            data = source.upto(symbols, min(many, _SYMBOLS) * entry.size)
            for name, type_, _, _, _ in entry.iter_unpack(data[: len(data) // entry.size * entry.size]):
                if type_ & 0xE1 == 1:  # external, and nothing for a debugger
                    yield _text(source, texts + name).removeprefix("_").partition("$")[0], not type_ & 0x0E
        at += max(size, 8)


def _pe(source: Source) -> Iterator[_Symbol]:
    start = int.from_bytes(source.read(60, 4), "little")
    if source.read(start, 4) != b"PE\0\0":
        return
    sections, optional, flags = struct.unpack("<2xH12xHH", source.read(start + 4, 20))
    if not flags & 0x2000:  # no library
        return
    wide = source.read(start + 24, 2) == b"\x0b\x02"
    directories = start + 24 + (112 if wide else 96)
    table = [
        struct.unpack("<4I", source.read(start + 24 + optional + index * 40 + 8, 16))
        for index in range(min(sections, _HEADERS))
    ]

    def place(address: int) -> int:
        return next(
            (
                offset + address - begin
                for length, begin, size, offset in table
                if begin <= address < begin + max(length, size)
            ),
            -1,
        )

    exports = place(int.from_bytes(source.read(directories, 4), "little"))
    if exports >= 0:
        for _ in range(min(int.from_bytes(source.read(exports + 20, 4), "little"), _SYMBOLS)):
            yield "", False
    for number, width, names in ((1, 20, 0), (13, 32, 16)):
        at = place(int.from_bytes(source.read(directories + number * 8, 4), "little"))
        if at < 0:
            continue
        for index in range(_LIBRARIES):
            entry = source.read(at + index * width, width)
            if not any(entry):
                break
            listed = int.from_bytes(entry[names : names + 4], "little") or int.from_bytes(entry[16:20], "little")
            yield from _listed(source, place(listed), place, wide=wide)


def _listed(source: Source, at: int, place: Callable[[int], int], *, wide: bool) -> Iterator[_Symbol]:
    """The names of one library of a PE file."""
    width = 8 if wide else 4
    for index in range(_SYMBOLS if at >= 0 else 0):
        value = int.from_bytes(source.read(at + index * width, width), "little")
        if not value:
            return
        if not value >> (width * 8 - 1):  # by name
            yield _text(source, place(value) + 2), True


_NAMES: dict[str, Callable[[Source], Iterator[_Symbol]]] = {"elf": _elf, "mach-o": _mach_o, "pe": _pe}
