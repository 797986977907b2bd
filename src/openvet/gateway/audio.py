"""WAV -> what models of speech take: 16 kHz, mono, signed 16 bits, little-endian. The standard library alone, and bounded.

Taken are PCM of 8, 16, 24 and 32 bits and floats of 32 and 64 bits, plain or as WAVE_FORMAT_EXTENSIBLE, of one or two channels, of 8 to 48 kHz. Rates that
are not ours are turned into it by windowed sinc interpolation with the pass band of the lower rate, so that nothing is folded into what
is heard.

Source: Microsoft, "Multimedia Programming Interface and Data Specifications 1.0", RIFF WAVE; RFC 2361; J. O. Smith, "Digital Audio Resampling".
"""

from __future__ import annotations

import array
import math
import struct
import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import mul
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.gateway.refusal import RefusalError

__all__ = ["RATE", "check_wav", "to_pcm"]

#: Samples a second that come out.
RATE: Final = 16_000
_RATES: Final = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
#: Samples of the lower rate on each side that the interpolation looks at.
_REACH: Final = 8
#: Samples that are made at a time: half a second.
_PART: Final = 8_000
#: Parts of a file (RIFF chunks) that are looked at; others have a handful.
_CHUNKS: Final = 1_000
#: The fixed end of the GUID of a format in WAVE_FORMAT_EXTENSIBLE.
_GUID: Final = b"\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
_CONTAINERS: Final = (
    (b"ID3", 0, "MP3"), (b"\xff\xfb", 0, "MP3"), (b"\xff\xf3", 0, "MP3"), (b"fLaC", 0, "FLAC"), (b"OggS", 0, "Ogg"),
    (b"ftyp", 4, "MP4/M4A"), (b"\x1a\x45\xdf\xa3", 0, "WebM/Matroska"), (b"FORM", 0, "AIFF"), (b"RIFX", 0, "big-endian WAV"), (b"RF64", 0, "RF64"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Wav:
    """How the samples are written, and where they are in the file."""

    form: int
    bits: int
    channels: int
    rate: int
    samples: memoryview[int]

    @property
    def frames(self) -> int:
        return len(self.samples) // (self.channels * self.bits // 8)


def check_wav(data: bytes, most_seconds: float) -> None:
    """See that :func:`to_pcm` takes a file, which costs next to nothing.

    Raises:
        RefusalError: it is no WAV, of a kind that is not taken, damaged, or longer than ``most_seconds``.
    """
    _taken(data, most_seconds)


def to_pcm(data: bytes, most_seconds: float, go_on: Callable[[], None] = lambda: None) -> bytes:
    """The audio of a WAV file as 16 kHz, mono, signed 16 bits, little-endian; made part by part, in little more memory than it has itself.

    Args:
        go_on: is called before each part, and raises where nobody wants the rest.

    Raises:
        RefusalError: as :func:`check_wav`.
    """
    wav = _taken(data, most_seconds)
    if (wav.form, wav.bits, wav.channels, wav.rate) == (_PCM, 16, 1, RATE):
        return wav.samples[: 2 * wav.frames].tobytes()
    common = math.gcd(wav.rate, RATE)
    up, down = RATE // common, wav.rate // common
    out = array.array("h")
    for begin in range(0, wav.frames * up // down, _PART):
        go_on()
        part = _part(wav, begin, min(begin + _PART, wav.frames * up // down), up, down)
        out.extend(array.array("h", [max(-32768, min(32767, round(each * 32767))) for each in part]))
    if sys.byteorder == "big":
        out.byteswap()
    return out.tobytes()


def _taken(data: bytes, most_seconds: float) -> _Wav:
    wav = _Wav(*_taken_apart(data))
    if not wav.frames:
        raise _wrong("it holds no sound")
    if wav.frames / wav.rate > most_seconds:
        raise RefusalError(413, "audio_too_long", f"the audio has {wav.frames / wav.rate:.0f} seconds, and {most_seconds:g} is the limit", param="file")  # fmt: skip
    return wav


def _taken_apart(data: bytes) -> tuple[int, int, int, int, memoryview[int]]:
    """Format, bits, channels, rate and the bytes of samples."""
    for magic, place, container in _CONTAINERS:
        if data[place : place + len(magic)] == magic:
            raise RefusalError(400, "unsupported_file", f"file: {container} is not supported here; send WAV with PCM, such as `ffmpeg -i FILE -ar 16000 -ac 1 out.wav` makes", param="file")  # fmt: skip
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise _wrong("it is no WAV file; WAV with PCM is taken")
    at, found, whole = 12, None, memoryview(data)
    for _ in range(_CHUNKS):
        if at + 8 > len(data):
            break
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = whole[at + 8 : at + 8 + size]
        if name == b"fmt ":
            found = _format(body[:40].tobytes())
        elif name == b"data":
            if found is None:
                raise _wrong("the samples come before what says how they are written")
            # what streams is written with a size of as much as there could be
            if len(body) < size and size < 0xFFFF_FF00:
                raise _wrong("it is cut: fewer samples are there than it says")
            return *found, body
        at += 8 + size + (size & 1)
    raise _wrong(f"it is cut, or holds no samples in its first {_CHUNKS} parts")


def _format(body: bytes) -> tuple[int, int, int, int]:
    if len(body) < 16:
        raise _wrong("its format is cut")
    form, channels, rate, _, block, bits = struct.unpack_from("<HHIIHH", body)
    if form == _EXTENSIBLE:
        if len(body) < 40 or body[26:40] != _GUID:
            raise _wrong("its format is not known")
        form = int.from_bytes(body[24:26], "little")
    if (form, bits) not in {(_PCM, 8), (_PCM, 16), (_PCM, 24), (_PCM, 32), (_FLOAT, 32), (_FLOAT, 64)}:
        raise _wrong(f"format {form} with {bits} bits is not taken: PCM of 8, 16, 24 or 32 bits, or floats, are")
    if channels not in (1, 2):
        raise _wrong(f"{channels} channels are not taken: one or two are")
    if rate not in _RATES:
        raise _wrong(f"{rate} samples a second are not taken: {', '.join(map(str, _RATES))} are")
    if block != channels * bits // 8:
        raise _wrong("its format contradicts itself")
    return form, bits, channels, rate


def _decoded(data: memoryview[int], form: int, bits: int) -> Sequence[float]:
    """The samples, from -1 to 1."""
    if bits == 8:
        return [(each - 128) / 128 for each in data]
    if form == _PCM and bits == 24:
        values = array.array("i", bytes(4 * (len(data) // 3)))
        raw = memoryview(values).cast("B")
        for at in range(3):  # the upper three bytes of four
            raw[at + 1 :: 4] = data[at::3]
        raw.release()
        return _scaled(values, 2.0**31)
    values = array.array({(_PCM, 16): "h", (_PCM, 32): "i", (_FLOAT, 32): "f", (_FLOAT, 64): "d"}[form, bits])
    values.frombytes(data)
    if form == _FLOAT:
        if sys.byteorder == "big":
            values.byteswap()
        return [max(-1.0, min(1.0, each)) if math.isfinite(each) else 0.0 for each in values]
    return _scaled(values, 2.0 ** (bits - 1))


def _scaled(values: array.array[int], by: float) -> list[float]:
    if sys.byteorder == "big":
        values.byteswap()
    return [each / by for each in values]


def _mono(wav: _Wav, begin: int, end: int) -> Sequence[float]:
    """The samples of some frames, with silence before the first frame and behind the last."""
    size = wav.channels * wav.bits // 8
    first, last = max(begin, 0), min(end, wav.frames)
    values = _decoded(wav.samples[first * size : last * size], wav.form, wav.bits)
    if wav.channels == 2:
        values = [(left + right) / 2 for left, right in zip(values[::2], values[1::2], strict=True)]
    return [0.0] * (first - begin) + list(values) + [0.0] * (end - last)


def _part(wav: _Wav, begin: int, end: int, up: int, down: int) -> Sequence[float]:
    """The samples from ``begin`` to ``end`` of what comes out."""
    if up == down:
        return _mono(wav, begin, end)
    reach, phases = _phases(up, down)
    first = begin * down // up
    values = _mono(wav, first - reach, (end - 1) * down // up + reach + 1)
    out = []
    for number in range(begin, end):
        at, phase = divmod(number * down, up)
        out.append(sum(map(mul, phases[phase], values[at - first : at - first + 2 * reach + 1])))
    return out


@lru_cache(4)
def _phases(up: int, down: int) -> tuple[int, tuple[tuple[float, ...], ...]]:
    """How far the filter reaches in samples that come in, and its weights for each place between two of them."""
    cut = min(1.0, up / down)
    reach = math.ceil(_REACH / cut)
    rows = []
    for phase in range(up):
        middle = phase / up
        row = [_weight(each - middle, cut, reach) for each in range(-reach, reach + 1)]
        total = math.fsum(row)
        rows.append(tuple(each / total for each in row))
    return reach, tuple(rows)


def _weight(distance: float, cut: float, reach: int) -> float:
    """A sinc of the lower rate's band, under a Hann window."""
    if abs(distance) >= reach:
        return 0.0
    angle = math.pi * distance * cut
    sinc = 1.0 if angle == 0 else math.sin(angle) / angle
    return cut * sinc * (0.5 + 0.5 * math.cos(math.pi * distance / reach))


def _wrong(message: str) -> RefusalError:
    return RefusalError(400, "invalid_file", f"file: {message}", param="file")
