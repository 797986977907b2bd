"""PNG to numbers, by the standard library and NumPy: images of a stranger are read by no library written in C.

Source: W3C PNG (Third Edition), sections 5, 9 and 10. Interlaced images are refused.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any, Final

from openvet.engines._engine import CannotError

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

__all__ = ["read_png"]

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_MOST_PIXELS: Final = 36_000_000
#: Colour type -> samples of a pixel.
_SAMPLES: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def read_png(data: bytes) -> Array:
    """Height x width x red, green, blue, from 0 to 255; what is transparent lies on white.

    Raises:
        CannotError: it is no PNG, is cut off, or is larger than 36 million pixels.
    """
    import numpy as np

    width, height, depth, colour, palette, alpha, packed = _chunks(data)
    samples = _SAMPLES[colour]
    stride = (width * samples * depth + 7) // 8
    try:
        raw = zlib.decompressobj().decompress(packed, height * (stride + 1))
    except zlib.error as error:
        raise CannotError(f"the image is no PNG: {error}") from error
    if len(raw) < height * (stride + 1):
        raise CannotError("the image is cut off")
    lines = np.frombuffer(raw, np.uint8).reshape(height, stride + 1)
    pixels = _unfilter(lines, max(1, samples * depth // 8))
    if depth == 16:
        pixels = pixels[:, 0::2]
    elif depth < 8:
        bits = np.unpackbits(pixels, axis=1).reshape(height, -1, depth)
        pixels = (bits @ (1 << np.arange(depth)[::-1])).astype(np.uint8)[:, :width]
        if colour == 0:
            pixels = (pixels.astype(np.uint16) * 255 // ((1 << depth) - 1)).astype(np.uint8)
    pixels = pixels.reshape(height, width, samples)
    if colour == 3:
        if not len(palette) or int(pixels.max()) >= len(palette):
            raise CannotError("the image names a colour that its palette does not have")
        opaque = np.full(len(palette), 255, np.uint8)
        opaque[: len(alpha)] = alpha[: len(palette)]
        pixels = np.concatenate([palette, opaque[:, None]], axis=1)[pixels[:, :, 0]]
    rgb, over = (
        (pixels[:, :, :1].repeat(3, 2), pixels[:, :, 1:])
        if pixels.shape[2] < 3
        else (pixels[:, :, :3], pixels[:, :, 3:])
    )
    if over.shape[2]:
        share = over.astype(np.float32) / 255.0
        rgb = np.rint(rgb * share + 255.0 * (1.0 - share)).astype(np.uint8)
    return np.ascontiguousarray(rgb)


def _chunks(data: bytes) -> tuple[int, int, int, int, Array, Array, bytes]:
    """Width, height, bits, colour type, palette, its opacities, and the packed lines."""
    import numpy as np

    if not data.startswith(_SIGNATURE) or data[12:16] != b"IHDR" or len(data) < 33:
        raise CannotError("the image is no PNG")
    width, height, depth, colour, packing, filters, interlace = struct.unpack(">IIBBBBB", data[16:29])
    if (
        colour not in _SAMPLES
        or depth not in (1, 2, 4, 8, 16)
        or packing
        or filters
        or (depth < 8 and colour not in (0, 3))
    ):
        raise CannotError("the image is a PNG of a kind that there is not")
    if interlace:
        raise CannotError("the image is interlaced, which is not read here; save it without that")
    if not 0 < width * height <= _MOST_PIXELS:
        raise CannotError(f"the image has {width} x {height} pixels, and may have {_MOST_PIXELS}")
    palette, alpha = np.zeros((0, 3), np.uint8), np.zeros(0, np.uint8)
    parts, at = [], 33
    while at + 12 <= len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + size]
        if kind == b"IDAT":
            parts.append(body)
        elif kind == b"PLTE":
            palette = np.frombuffer(body[: len(body) // 3 * 3], np.uint8).reshape(-1, 3)
        elif kind == b"tRNS" and colour == 3:
            alpha = np.frombuffer(body, np.uint8)
        elif kind == b"IEND":
            break
        at += 12 + size
    return width, height, depth, colour, palette, alpha, b"".join(parts)


def _unfilter(lines: Array, step: int) -> Array:
    """Lines as they were before they were made easier to pack. The last two filters depend on what is left of a byte, one after another."""
    import numpy as np

    height, stride = lines.shape[0], lines.shape[1] - 1
    out = np.zeros((height, stride), np.uint8)
    above = np.zeros(stride, np.uint8)
    for at in range(height):
        kind, line = int(lines[at, 0]), lines[at, 1:]
        if kind == 0:
            out[at] = line
        elif kind == 1:
            whole = np.zeros((stride + step - 1) // step * step, np.uint8)
            whole[:stride] = line
            out[at] = np.cumsum(whole.reshape(-1, step), axis=0, dtype=np.uint8).ravel()[:stride]
        elif kind == 2:
            out[at] = line + above
        elif kind in (3, 4):
            out[at] = _sequential(kind, bytes(line), bytes(above), step)
        else:
            raise CannotError("the image is a PNG with a filter that there is not")
        above = out[at]
    return out


def _sequential(kind: int, line: bytes, above: bytes, step: int) -> Array:
    import numpy as np

    row = bytearray(len(line))
    for at, value in enumerate(line):
        left = row[at - step] if at >= step else 0
        up = above[at]
        if kind == 3:
            row[at] = (value + ((left + up) >> 1)) & 255
            continue
        corner = above[at - step] if at >= step else 0
        guess = left + up - corner
        a, b, c = abs(guess - left), abs(guess - up), abs(guess - corner)
        row[at] = (value + (left if a <= b and a <= c else up if b <= c else corner)) & 255
    return np.frombuffer(bytes(row), np.uint8)
