"""WAV of every kind that is taken becomes 16 kHz, mono; everything else is refused by name, and nothing ends in a fault."""

from __future__ import annotations

import array
import io
import math
import struct
import tracemalloc
import wave

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvet.gateway.audio import RATE, to_pcm
from openvet.gateway.refusal import RefusalError
from tests.gateway.conftest import Client


def tone(rate: int, hertz: float, seconds: float = 0.5, loud: float = 0.5) -> list[float]:
    return [loud * math.sin(2 * math.pi * hertz * at / rate) for at in range(int(rate * seconds))]


def wav(
    values: list[float], rate: int, bits: int = 16, channels: int = 1, *, floats: bool = False, extensible: bool = False
) -> bytes:
    out = bytearray()
    for each in values:
        if floats:
            one = struct.pack("<f" if bits == 32 else "<d", each)
        elif bits == 8:
            one = bytes([max(0, min(255, round(each * 128) + 128))])
        else:
            one = round(each * (2 ** (bits - 1) - 1)).to_bytes(bits // 8, "little", signed=True)
        out += one * channels
    form = 3 if floats else 1
    block = channels * bits // 8
    head = struct.pack("<HHIIHH", 0xFFFE if extensible else form, channels, rate, rate * block, block, bits)
    if extensible:
        head += struct.pack("<HHIH", 22, bits, 0, form) + bytes.fromhex("000000001000800000aa00389b71")
    chunks = (
        b"fmt "
        + struct.pack("<I", len(head))
        + head
        + b"LIST\x03\x00\x00\x00abc\x00"
        + b"data"
        + struct.pack("<I", len(out))
        + out
    )
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WAVE" + chunks


def power(data: bytes, hertz: float) -> float:
    """How loud one tone is (Goertzel), from 0 to 1."""
    values = array.array("h", data)
    middle = values[len(values) // 4 : 3 * len(values) // 4]
    sine = sum(each * math.sin(2 * math.pi * hertz * at / RATE) for at, each in enumerate(middle))
    cosine = sum(each * math.cos(2 * math.pi * hertz * at / RATE) for at, each in enumerate(middle))
    return 2 * math.hypot(sine, cosine) / len(middle) / 32767


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 24_000, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_every_rate(rate: int, channels: int) -> None:
    out = to_pcm(wav(tone(rate, 440), rate, channels=channels), 10)
    assert abs(len(out) // 2 - RATE // 2) <= 1
    assert power(out, 440) == pytest.approx(0.5, abs=0.01)
    assert power(out, 1234) < 0.01


@pytest.mark.parametrize(
    ("bits", "floats"), [(8, False), (16, False), (24, False), (32, False), (32, True), (64, True)]
)
@pytest.mark.parametrize("extensible", [False, True])
def test_every_kind_of_sample(bits: int, *, floats: bool, extensible: bool) -> None:
    plain = array.array("h", to_pcm(wav(tone(16_000, 300), 16_000), 10))
    other = array.array("h", to_pcm(wav(tone(16_000, 300), 16_000, bits, floats=floats, extensible=extensible), 10))
    assert len(plain) == len(other)
    assert max(abs(a - b) for a, b in zip(plain, other, strict=True)) <= (260 if bits == 8 else 2)


def test_sixteen_bits_at_our_rate_are_left_as_they_are() -> None:
    values = array.array("h", [0, 1, -1, 32767, -32768, 1234])
    held = io.BytesIO()
    with wave.open(held, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(values.tobytes())
    assert to_pcm(held.getvalue(), 1) == values.tobytes()


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100])
@pytest.mark.parametrize("channels", [1, 2])
def test_what_is_made_part_by_part_is_what_is_made_at_once(
    rate: int, channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = wav(tone(rate, 700, 0.2), rate, 24, channels)
    monkeypatch.setattr("openvet.gateway.audio._PART", 10**9)
    whole = to_pcm(data, 10)
    for size in (1, 7, 999):
        monkeypatch.setattr("openvet.gateway.audio._PART", size)
        assert to_pcm(data, 10) == whole


def test_it_takes_little_memory_and_ends_where_nobody_wants_it() -> None:
    data = wav([0.1] * 100_000, 16_000, 8)
    tracemalloc.start()
    try:
        out = to_pcm(data, 20)
        assert tracemalloc.get_traced_memory()[1] < 2 * len(out) + 1_000_000
    finally:
        tracemalloc.stop()
    asked = []

    def go_on() -> None:
        asked.append(1)
        if len(asked) == 3:
            raise RefusalError(504, "time_limit", "too long")

    with pytest.raises(RefusalError, match="too long"):
        to_pcm(data, 20, go_on)


def test_what_is_too_high_is_not_folded_down() -> None:
    """12 kHz at 48 kHz would be heard as 4 kHz, if every third sample were taken."""
    out = to_pcm(wav(tone(48_000, 12_000), 48_000), 10)
    assert power(out, 4_000) < 0.003
    # and what is low is not lost
    assert power(to_pcm(wav(tone(48_000, 6_000), 48_000), 10), 6_000) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no WAV"), (b"ID3\x04" + bytes(50), "MP3"), (b"fLaC" + bytes(50), "FLAC"), (b"OggS" + bytes(50), "Ogg"), (b"\x00\x00\x00\x20ftypM4A ", "MP4"),
        (b"\x1a\x45\xdf\xa3" + bytes(50), "WebM"), (b"RIFF\x04\x00\x00\x00AVI ", "no WAV"), (b"RIFF\x04\x00\x00\x00WAVE", "cut"),
        (wav(tone(16_000, 100), 16_000)[:-7], "is cut"), (wav([], 16_000), "no sound"), (wav([0.1] * 10, 96_000), "96000"), (wav([0.1] * 10, 16_000, 16, 6), "6 channels"),
        (b"RIFF\x00\x00\x00\x00WAVEdata\x02\x00\x00\x00ab", "before"), (b"RIFF\x00\x00\x00\x00WAVEfmt \x02\x00\x00\x00ab", "cut"),
        (wav([0.1] * 10, 16_000).replace(struct.pack("<HH", 2, 16), struct.pack("<HH", 7, 16)), "contradicts"),
        (wav([0.1] * 10, 16_000).replace(b"\x01\x00\x01\x00", b"\x11\x00\x01\x00"), "format 17"),
        (wav([0.0] * 40_000, 16_000), "limit"), (b"RIFF\x00\x00\x00\x00WAVE" + b"LIST\x00\x00\x00\x00" * 2_000 + wav([0.1], 16_000)[12:], "first 1000 parts"),
    ],
)  # fmt: skip
def test_what_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(RefusalError, match=said):
        to_pcm(data, 2.0)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_file_ends_in_a_fault(data: st.DataObject) -> None:
    """A good file in which bytes were changed, cut out or put in."""
    rate = data.draw(st.sampled_from([8_000, 16_000, 48_000]))
    bits, floats = data.draw(st.sampled_from([(8, False), (16, False), (24, False), (32, True), (64, True)]))
    raw = bytearray(
        wav(
            tone(rate, 440, 0.005),
            rate,
            bits,
            data.draw(st.sampled_from([1, 2])),
            floats=floats,
            extensible=data.draw(st.booleans()),
        )
    )
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(raw)))
        raw[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    try:
        out = to_pcm(bytes(raw), 1.0)
    except RefusalError:
        return
    assert len(out) % 2 == 0
    assert len(out) <= 2 * RATE


@given(st.binary(max_size=200))
def test_no_bytes_end_in_a_fault(raw: bytes) -> None:
    for each in (raw, b"RIFF\x00\x00\x00\x00WAVE" + raw):
        try:
            to_pcm(each, 1.0)
        except RefusalError:
            pass


# --- through the server ---


def form(fields: dict[str, str], file: bytes, name: str = "file") -> tuple[bytes, dict[str, str]]:
    parts = [
        f'--xyz\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    parts.append(
        f'--xyz\r\nContent-Disposition: form-data; name="{name}"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n'.encode()
        + file
        + b"\r\n--xyz--\r\n"
    )
    return b"".join(parts), {"Content-Type": "multipart/form-data; boundary=xyz"}


def test_a_transcription(client: Client) -> None:
    body, headers = form({"model": "stand-in", "language": "en"}, wav(tone(48_000, 440, 1.0), 48_000, channels=2))
    assert client.post("/v1/audio/transcriptions", body, headers) == (
        200,
        {"text": "16000 samples in en", "usage": {"type": "duration", "seconds": 1.0}},
    )
    body, headers = form(
        {"model": "stand-in", "response_format": "text", "temperature": "0"}, wav(tone(16_000, 440, 0.1), 16_000)
    )
    assert client.post("/v1/audio/transcriptions", body, headers) == (200, "1600 samples in any\n")


@pytest.mark.parametrize(
    ("fields", "file", "code"),
    [
        ({}, "good", "invalid_value"),
        ({"model": "other"}, "good", "model_not_found"),
        ({"model": "stand-in", "response_format": "srt"}, "good", "unsupported_parameter"),
        ({"model": "stand-in", "response_format": "verbose_json"}, "good", "unsupported_parameter"),
        ({"model": "stand-in", "prompt": "names"}, "good", "unsupported_parameter"),
        ({"model": "stand-in", "stream": "true"}, "good", "unsupported_parameter"),
        ({"model": "stand-in", "timestamp_granularities[]": "word"}, "good", "unsupported_parameter"),
        ({"model": "stand-in", "language": "../en"}, "good", "invalid_value"),
        ({"model": "stand-in", "what": "x"}, "good", "unknown_parameter"),
        ({"model": "stand-in"}, "", "invalid_value"),
        ({"model": "stand-in"}, "ID3 mp3", "unsupported_file"),
        ({"model": "stand-in"}, "nothing", "invalid_file"),
    ],
)
def test_a_transcription_that_is_refused(client: Client, fields: dict[str, str], file: str, code: str) -> None:
    body, headers = form(fields, wav([0.1] * 100, 16_000) if file == "good" else file.encode())
    status, found = client.post("/v1/audio/transcriptions", body, headers)
    assert status in (400, 404)
    assert found["error"]["code"] == code


@pytest.mark.parametrize(
    "body",
    [b"", b"--xyz", b"--xyz--", b"--abc\r\n\r\n", b"--xyz\r\nContent-Disposition: x\r\n\r\n\r\n--xyz--", b"\x00" * 100],
)
def test_forms_that_are_none(client: Client, body: bytes) -> None:
    status, found = client.post("/v1/audio/transcriptions", body, {"Content-Type": "multipart/form-data; boundary=xyz"})
    assert (status, found["error"]["type"]) == (400, "invalid_request_error")
    assert client.post("/v1/audio/transcriptions", body, {"Content-Type": "multipart/form-data"})[0] == 400
    assert client.post("/v1/audio/transcriptions", body)[0] == 415


def test_more_than_one_file(client: Client) -> None:
    one, _ = form({"model": "stand-in"}, b"x")
    two, headers = form({}, b"y", "more")
    assert client.post("/v1/audio/transcriptions", one.removesuffix(b"--xyz--\r\n") + two, headers)[0] == 400
