"""What runs beside a runtime, in this process: choosing tokens, writing, distributions, pooling, images, sound, templates."""

from __future__ import annotations

import itertools
import json
import math
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvet.engines._chat import Chat
from openvet.engines._distributions import Reader, Writer, text_in
from openvet.engines._engine import CannotError
from openvet.engines._folder import Folder, Pooling
from openvet.engines._language import LanguageModel, log_probabilities
from openvet.engines._png import read_png
from openvet.engines._shapes import cut_out, rectangle, regions, resize
from openvet.engines._sound import log_mel, of_bytes
from openvet.engines._speech import Speech
from openvet.engines._spelling import Spelling
from openvet.engines._vectors import pooled
from openvet.engines._writing import Chooser, Written

# --- writing ---


@given(st.text("ab<>é", max_size=40), st.lists(st.text("ab<>", min_size=1, max_size=4), max_size=3), st.data())
def test_pieces_are_the_text_up_to_the_first_stop(text: str, stops: list[str], data: st.DataObject) -> None:
    raw = text.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=6)))
    written = Written(stops)
    said = ""
    for begin, end in zip([0, *cuts], [*cuts, len(raw)], strict=True):
        said += written.add(raw[begin:end])
        if written.stopped:
            break
    said += written.end()
    found = [(text.index(each) + len(each), text.index(each)) for each in stops if each in text]
    assert said == (text[: min(found)[1]] if found else text)  # of the stop that is whole first
    assert written.stopped == bool(found)


def test_of_stops_that_overlap_the_one_that_is_whole_first_counts() -> None:
    for pieces in ([b"<><"], [b"<", b"><"], [b"<", b">", b"<"]):
        written = Written([">", "<><"])
        assert ("".join(map(written.add, pieces[: 1 if len(pieces) == 1 else 2])), written.stopped) == ("<", True)


def test_the_likeliest_is_taken_without_heat_and_a_nucleus_with() -> None:
    row = np.array([0.0, 3.0, 2.0, -9.0], np.float32)
    assert Chooser(0.0, 1.0, 0).choose(row) == 1
    narrow = Chooser(1.0, 0.7, 4)
    assert {narrow.choose(row) for _ in range(50)} == {1}
    wide = Chooser(1.0, 0.95, 4)
    assert {wide.choose(row) for _ in range(200)} == {1, 2}
    assert [Chooser(1.0, 1.0, 9).choose(row) for _ in range(3)] == [Chooser(1.0, 1.0, 9).choose(row)] * 3
    with pytest.raises(CannotError, match="top_p above 0"):
        Chooser(1.0, 0.0, 0)
    with pytest.raises(CannotError, match="temperature"):
        Chooser(math.nan, 1.0, 0)


@pytest.mark.parametrize("heat", [5e-324, 1e-308, 1e-12])
def test_next_to_no_heat_takes_the_likeliest(heat: float) -> None:
    row = np.array([-300.0, 3.0, 2.0, -np.inf], np.float32)
    assert Chooser(heat, 1.0, 0).choose(row) == Chooser(heat, 0.9, 0).choose(row) == 1


@pytest.mark.parametrize("heat", [0.0, 1.0])
@pytest.mark.parametrize("logit", [np.nan, np.inf])
def test_nothing_is_chosen_where_a_logit_is_no_number(heat: float, logit: float) -> None:
    with pytest.raises(CannotError, match="NaN or infinity"):
        Chooser(heat, 1.0, 0).choose(np.array([0.0, logit], np.float32))


# --- a language model whose figures can be computed ---


class Counts(LanguageModel):
    """Foretells from the sum of what it read; keeps what it is asked to, and says what it evaluated."""

    def __init__(self, begin: int = -1) -> None:
        self.context, self.vocabulary, self.begin, self.before = 40, 256, begin, 0
        self.table = np.random.default_rng(2).normal(size=(256, 256))
        self.evaluated: list[int] = []
        self.kept: list[int] = []
        self._tokens: list[int] = []

    def encode(self, text: str, control: bool = True) -> list[int]:
        return list(text.encode())

    def ends(self, text: str, tokens: Sequence[int]) -> list[int]:
        return list(range(1, len(tokens) + 1))

    def length(self, text: str) -> int:
        return len(text.encode())

    def speech(self) -> Speech:
        return Speech(Chat("{% for each in messages %}<{{ each.role }}>{{ each.content }}{% endfor %}", {}), {})

    def spelled(self, token: int) -> bytes:
        return bytes([token])

    def over(self, token: int) -> bool:
        return token == 0

    def _row(self, tokens: Sequence[int]) -> Any:
        self.evaluated.append(len(tokens))
        return self.table[list(tokens)].sum(axis=0).astype(np.float32)

    def start(self, tokens: Sequence[int], kept: int | None) -> Any:
        self.kept = list(tokens[: kept or 0])
        self._tokens = list(tokens)
        return self._row(self._tokens)

    def step(self, token: int) -> Any:
        self._tokens.append(token)
        return self._row(self._tokens)

    def branches(
        self, base: Sequence[int], kept: int, behind: Sequence[Sequence[int]]
    ) -> Iterator[tuple[int, int, Any]]:
        self.kept = list(base[:kept])
        yield -1, 0, self._row(base)
        for branch, tokens in enumerate(behind):
            for place in range(len(tokens)):
                yield branch, place, self._row([*base, *tokens[: place + 1]])

    def rows(self, tokens: Sequence[int]) -> Iterator[Any]:
        return (self._row(tokens[: at + 1]) for at in range(len(tokens)))


def likelihood(model: Counts, context: str, continuation: str) -> float:
    """By the definition: each token after all before it."""
    whole = ([model.begin] if model.begin >= 0 else []) + list((context + continuation).encode())
    if not context and model.begin < 0:
        whole = [model.before, *whole]
    inside = len(whole) - len(continuation.encode())
    return math.fsum(log_probabilities(model._row(whole[:at]))[whole[at]] for at in range(inside, len(whole)))


@given(
    st.text("abc", max_size=8), st.lists(st.text("abcé", min_size=1, max_size=6), min_size=1, max_size=5), st.integers(0, 9),
    st.sampled_from([-1, 1]),
)  # fmt: skip
def test_likelihoods_are_those_of_each_continuation_alone(
    context: str, choices: list[str], prefix: int, begin: int
) -> None:
    model = Counts(begin)
    found = model.likelihoods({"context": context, "prefix": prefix, "continuations": choices}, lambda _: True)
    assert found["logprobs"] == pytest.approx([likelihood(model, context, each) for each in choices], abs=1e-4)
    assert found["tokens"] == [len(each.encode()) for each in choices]


class Merges(Counts):
    """One token for "and"."""

    def encode(self, text: str, control: bool = True) -> list[int]:
        return list(text.replace("and", "\x7f").encode())

    def ends(self, text: str, tokens: Sequence[int]) -> list[int]:
        return list(itertools.accumulate(3 if each == 0x7F else 1 for each in tokens))


def test_a_token_over_the_border_is_foretold_from_where_the_others_are() -> None:
    """Of "a" + "nd" no token lies in the context: all begin with the same token then."""
    model = Merges()
    found = model.likelihoods({"context": "a", "prefix": 0, "continuations": ["nd", " b"]}, lambda _: True)
    rows = [log_probabilities(model._row(each)) for each in ([0], [0, ord("a")], [0, *b"a "])]
    assert found["logprobs"] == pytest.approx([rows[0][0x7F], rows[1][ord(" ")] + rows[2][ord("b")]])
    assert found["tokens"] == [1, 2]


@pytest.mark.parametrize("context", ["", "a"])
def test_nothing_is_no_continuation(context: str) -> None:
    for begin in (-1, 1):
        with pytest.raises(CannotError, match="no token of its own"):
            Counts(begin).likelihoods({"context": context, "prefix": 0, "continuations": ["b", ""]}, lambda _: True)


def test_who_waits_is_asked_at_each_token() -> None:
    model = Counts()
    model.spelled = lambda token: b""  # type: ignore[method-assign]
    model.over = lambda token: False  # type: ignore[method-assign]
    asked = {"prompt": "ab", "max_tokens": 30, "temperature": 0, "top_p": 1, "seed": 0, "stop": []}
    assert model.generate(asked, lambda _: False)["completion_tokens"] == 1


def test_what_is_kept_is_what_all_requests_begin_with_but_for_its_last_token() -> None:
    model = Counts()
    model.likelihoods({"context": "examples and a question", "prefix": 8, "continuations": ["x"]}, lambda _: True)
    assert bytes(model.kept) == b"example"
    model.generate(
        {"prompt": "examples!", "prefix": 8, "max_tokens": 1, "temperature": 0, "top_p": 1, "seed": 0, "stop": []},
        lambda _: True,
    )
    assert bytes(model.kept) == b"example"
    chat = [{"role": "user", "content": "examples and more"}]
    model.generate(
        {"messages": chat, "prefix": 8, "max_tokens": 1, "temperature": 0, "top_p": 1, "seed": 0, "stop": []},
        lambda _: True,
    )
    assert bytes(model.kept) == b"<user>example"


def test_a_choice_of_one_token_costs_no_evaluation_of_its_own() -> None:
    model = Counts()
    model.likelihoods({"context": "abcd", "prefix": 0, "continuations": ["x", "y", "z"]}, lambda _: True)
    assert model.evaluated == [4]


@pytest.mark.parametrize("begin", [-1, 1])
def test_windows_are_scored_from_nothing(begin: int, tmp_path: Path) -> None:
    model = Counts(begin)
    text, base = "abcdefghij" * 3, str(tmp_path / "base")
    found = model.score({"text": text, "window": 8, "write": base}, lambda _: True)
    head = [begin] if begin >= 0 else []
    size = 8 - len(head)
    parts = [head + list(text[at : at + size].encode()) for at in range(0, len(text), size)]
    wanted = [-log_probabilities(model._row(part[:at]))[part[at]] for part in parts for at in range(1, len(part))]
    assert found["nll"] == pytest.approx(wanted, abs=1e-6)
    again = model.score({"text": text, "window": 8, "against": base}, lambda _: True)
    assert max(again["kl"]) < 1e-6
    assert all(again["same"])
    other = Counts(begin)
    other.table = model.table * 0.5
    moved = other.score({"text": text, "window": 8, "against": base}, lambda _: True)
    row, its = (log_probabilities(each._row(parts[0][:1])) for each in (model, other))
    assert moved["kl"][0] == pytest.approx(float(np.dot(np.exp(row), row - its)), rel=1e-3)


def test_a_model_that_gives_no_numbers_is_told() -> None:
    with pytest.raises(CannotError, match="NaN or infinity"):
        log_probabilities(np.array([1.0, np.nan], np.float32))


def test_a_file_of_distributions_is_checked(tmp_path: Path) -> None:
    path = str(tmp_path / "d")
    writer = Writer(path, 4, [1, 2, 3], -1, [1, 2])
    row = log_probabilities(np.array([0.0, 1.0, 2.0, -1e9]))
    writer.add(row)
    writer.add(row)
    writer.close()
    reader = Reader(path, 4, [1, 2, 3], [1, 2])
    values, top = reader.next()
    assert top == 2
    assert np.exp(values).sum() == pytest.approx(1.0)
    assert values[:3] == pytest.approx(row[:3], abs=1e-5)
    reader.close()
    assert text_in(path, 4) == ([1, 2, 3], -1)
    with pytest.raises(CannotError, match="over 4 tokens"):
        text_in(path, 5)
    for asked, why in (
        ((5, [1, 2, 3], [1, 2]), "over 4 tokens"),
        ((4, [1, 2, 4], [1, 2]), "other tokens"),
        ((4, [1, 2, 3], [1]), "other tokens"),
    ):
        with pytest.raises(CannotError, match=why):
            Reader(path, *asked)
    for text, why in (
        (b"", "holds no distributions"),
        (b"[" * 100_000, "holds no distributions"),
        (b'{"kind": 3}\n', "holds no"),
    ):
        (tmp_path / "d").write_bytes(text)
        with pytest.raises(CannotError, match=why):
            Reader(path, 4, [1, 2, 3], [1, 2])


def test_tokens_of_a_file_are_numbers_of_its_vocabulary(tmp_path: Path) -> None:
    """Another model's process wrote it: what it names is looked up in a table."""
    for tokens, begin in (
        ([4], -1),
        ([-1], -1),
        ([True], -1),
        (["1"], -1),
        ("12", -1),
        ([1], 4),
        ([1], -2),
        ([1], None),
    ):
        head = {"kind": "openvet distributions 2", "vocabulary": 4, "tokens": tokens, "begin": begin, "foretold": []}
        (tmp_path / "d").write_text(json.dumps(head) + "\n")
        with pytest.raises(CannotError, match=r"something else than tokens|what a window begins with"):
            text_in(str(tmp_path / "d"), 4)


# --- what lies beside weights ---


def test_settings_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"max_position_embeddings": 512, "eos_token_id": [2, 3]}')
    (tmp_path / "tokenizer_config.json").write_text(
        '{"chat_template": [{"name": "default", "template": "T"}], "bos_token": {"content": "<s>"}}'
    )
    folder = Folder(str(tmp_path))
    assert (folder.context(0), folder.ids("eos_token_id"), folder.template) == (512, [2, 3], "T")
    assert folder.special() == {"bos_token": "<s>"}
    assert folder.pooling() == Pooling(longest=512)
    (tmp_path / "modules.json").write_text(
        '[{"type": "a.Transformer"}, {"type": "a.Pooling", "path": "1_Pooling"}, {"type": "a.Normalize"}]'
    )
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling/config.json").write_text('{"pooling_mode_cls_token": true}')
    assert folder.pooling() == Pooling("cls", normalize=True, longest=512, stated=True)
    (tmp_path / "1_Pooling/config.json").write_text('{"pooling_mode_weightedmean_tokens": true}')
    with pytest.raises(CannotError, match="pools its vectors in a way"):
        folder.pooling()
    (tmp_path / "modules.json").write_text('[{"type": "a.Dense"}]')
    with pytest.raises(CannotError, match="a step that is not known here: Dense"):
        folder.pooling()
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(CannotError, match=r"config\.json is no JSON"):
        Folder(str(tmp_path))


def test_vectors_are_pooled() -> None:
    rows = np.array([[1.0, 0.0], [3.0, 4.0]], np.float32)
    assert pooled(rows, Pooling("mean")) == [2.0, 2.0]
    assert pooled(rows, Pooling("max")) == [3.0, 4.0]
    assert pooled(rows, Pooling("last", normalize=True)) == pytest.approx([0.6, 0.8])
    with pytest.raises(CannotError, match="NaN"):
        pooled(rows * np.nan, Pooling())


def test_a_template_is_filled_in_a_sandbox() -> None:
    chat = Chat(
        "{{ bos_token }}{% for m in messages %}{{ m.role }}:{{ m.content }}|{% endfor %}{{ strftime_now is defined }}",
        {"bos_token": "<s>"},
    )
    assert chat.fill([{"role": "user", "content": "hi"}]) == "<s>user:hi|False"
    for template, why in (
        ("{{ ''.__class__.__mro__ }}", "SecurityError"),
        ("{{ raise_exception('no system here') }}", "no system here"),
        ("{% for x in range(99999999) %}{% endfor %}", "OverflowError"),
    ):
        with pytest.raises(CannotError, match=why):
            Chat(template, {}).fill([])
    with pytest.raises(CannotError, match="cannot be read"):
        Chat("{% if %}", {})
    with pytest.raises(CannotError, match="writes on"):
        Chat("", {})


class Inner:
    """As ``tokenizers.Tokenizer`` says it."""

    def __init__(self, decoder: Any, tokens: Sequence[str], added: Sequence[Any] = ()) -> None:
        self._said = json.dumps({"decoder": decoder, "added_tokens": list(added)})
        self._tokens = tokens

    def to_str(self) -> str:
        return self._said

    def id_to_token(self, number: int) -> str | None:
        return self._tokens[number] if number < len(self._tokens) else None


def test_tokens_spell_themselves() -> None:
    level = Spelling(Inner({"type": "ByteLevel"}, ["ĠParis", "Ã", "©", "</s>"], [{"id": 3, "special": True}]))
    assert [level.spelled(each) for each in range(5)] == [b" Paris", b"\xc3", b"\xa9", b"", b""]
    mark = {
        "type": "Sequence",
        "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}],
    }
    piece = Spelling(Inner(mark, ["▁Paris", "<0xC3>", "s"]))
    assert [piece.spelled(each) for each in range(3)] == [b" Paris", b"\xc3", b"s"]


# --- images and sound ---


def png(pixels: Any, colour: int, filters: Sequence[int], depth: int = 8, extra: bytes = b"") -> bytes:
    """Made by the definition of each filter, a byte after another."""
    height, width = pixels.shape[:2]
    raw = pixels.reshape(height, -1).astype(np.uint8)
    step = max(1, raw.shape[1] // width)
    out = bytearray()
    for at in range(height):
        kind = filters[at % len(filters)]
        out.append(kind)
        for place in range(raw.shape[1]):
            left = int(raw[at, place - step]) if place >= step else 0
            up = int(raw[at - 1, place]) if at else 0
            corner = int(raw[at - 1, place - step]) if at and place >= step else 0
            guess = left + up - corner
            paeth = min((left, up, corner), key=lambda each: abs(guess - each))
            out.append((int(raw[at, place]) - (0, left, up, (left + up) // 2, paeth)[kind]) & 255)

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + extra
        + chunk(b"IDAT", zlib.compress(bytes(out)))
        + chunk(b"IEND", b"")
    )


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([(0, 1), (2, 3), (4, 2), (6, 4)]),
    st.lists(st.integers(0, 4), min_size=1, max_size=5),
)
def test_png_by_every_filter(seed: int, kind: tuple[int, int], filters: list[int]) -> None:
    colour, samples = kind
    pixels = np.random.default_rng(seed).integers(0, 256, (4, 5, samples), np.uint8)
    if samples in (2, 4):
        pixels[:, :, -1] = 255
    wanted = pixels[:, :, :1].repeat(3, 2) if samples < 3 else pixels[:, :, :3]
    assert (read_png(png(pixels, colour, filters)) == wanted).all()


def test_png_with_a_palette_bits_and_what_is_transparent() -> None:
    palette = struct.pack(">I", 6) + b"PLTE" + bytes([255, 0, 0, 0, 0, 255]) + bytes(4)
    assert read_png(png(np.array([[0, 1]]), 3, [0], extra=palette)).tolist() == [[[255, 0, 0], [0, 0, 255]]]
    with pytest.raises(CannotError, match="palette does not have"):
        read_png(png(np.array([[0, 2]]), 3, [0], extra=palette))
    clear = np.array([[[10, 20, 30, 0]]], np.uint8)
    assert read_png(png(clear, 6, [0])).tolist() == [[[255, 255, 255]]]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda data: b"GIF89a", "is no PNG"),
        (lambda data: data[:40], "cut off"),
        (lambda data: data[:16] + struct.pack(">II", 2**31, 2**31) + data[24:], "and may have"),
        (lambda data: data[:28] + b"\x01" + data[29:], "interlaced"),
        (lambda data: data[:25] + b"\x07" + data[26:], "a kind that there is not"),
        (lambda data: data.replace(b"IDAT", b"IDAX"), "cut off"),
    ],
)
def test_png_that_is_none(change: Any, why: str) -> None:
    with pytest.raises(CannotError, match=why):
        read_png(change(png(np.zeros((2, 2, 3), np.uint8), 2, [0])))


@given(st.integers(0, 2**32 - 1))
def test_regions_are_those_of_a_flood(seed: int) -> None:
    mask = np.random.default_rng(seed).random((9, 11)) < 0.35
    found = sorted(sorted(map(tuple, each.tolist())) for each in regions(mask, 1000))
    left: set[Any] = {tuple(each) for each in np.argwhere(mask).tolist()}
    wanted = []
    while left:
        part: set[Any] = set()
        edge: set[Any] = {min(left)}
        while edge:
            part |= edge
            near = {(a + x, b + y) for a, b in edge for x in (-1, 0, 1) for y in (-1, 0, 1)}
            edge = (near & left) - part
        left -= part
        wanted.append(sorted(part))
    assert found == sorted(wanted)


def test_the_smallest_rectangle_and_what_is_in_it() -> None:
    angle = math.radians(20)
    rows, columns = np.mgrid[0:80, 0:100]
    along = (columns - 50) * math.cos(angle) + (rows - 40) * math.sin(angle)
    across = -(columns - 50) * math.sin(angle) + (rows - 40) * math.cos(angle)
    mask = (abs(along) <= 30) & (abs(across) <= 8)
    (places,) = regions(mask, 10)
    centre, direction, length, thick = rectangle(places)
    assert centre == pytest.approx([40, 50], abs=1)
    assert (length, thick) == pytest.approx((30, 8), abs=1)
    assert abs(direction @ np.array([math.sin(angle), math.cos(angle)])) > 0.99
    part = cut_out(np.where(mask, 255.0, 0.0)[:, :, None], centre, direction, length - 1, thick - 1)
    assert part.mean() > 240
    assert rectangle(np.array([[3, 4]]))[2:] == (0.5, 0.5)
    assert resize(np.arange(4.0).reshape(2, 2, 1), 4, 4)[:, :, 0].tolist()[0] == [0.0, 0.25, 0.75, 1.0]


def test_a_tone_is_loudest_in_its_band() -> None:
    at = np.arange(16000) / 16000
    sound = of_bytes((np.sin(2 * np.pi * 1000 * at) * 20000).astype("<i2").tobytes())
    shown = log_mel(sound, 80, 100)
    assert shown.shape == (80, 100)
    top = int(shown.mean(axis=1).argmax())
    # 1,000 Hz is 15 mels on Slaney's scale, of 45.2 up to 8,000 Hz, in 81 steps
    assert top == pytest.approx(15 / 45.245 * 81 - 1, abs=1)
    assert log_mel(of_bytes(b""), 80, 10) == pytest.approx(-1.5)  # silence
