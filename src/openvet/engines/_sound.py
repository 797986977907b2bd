"""What Whisper hears: sound as the logarithm of its strength in bands of the mel scale, a column for each hundredth of a second.

Source: openai/whisper, ``audio.py`` (log_mel_spectrogram, with Slaney's filters as librosa makes them).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

__all__ = ["COLUMNS", "RATE", "log_mel", "of_bytes"]

#: Samples a second, columns a second.
RATE: Final = 16000
COLUMNS: Final = 100
_WIDTH: Final = 400
_HOP: Final = 160


def of_bytes(data: bytes) -> Array:
    """Samples from -1 to 1, of signed 16 bits, little-endian."""
    import numpy as np

    return np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.float32) / 32768.0


def _filters(bands: int) -> Array:
    """The weight of each frequency in each band: triangles on Slaney's mel scale, each of the same area."""
    import numpy as np

    def hertz(mel: Array) -> Array:
        return np.where(mel < 15.0, mel * (200.0 / 3.0), 1000.0 * np.exp((mel - 15.0) * (np.log(6.4) / 27.0)))

    top = 15.0 + np.log(RATE / 2 / 1000.0) / (np.log(6.4) / 27.0)
    edges = hertz(np.linspace(0.0, top, bands + 2))
    at = np.linspace(0.0, RATE / 2, _WIDTH // 2 + 1)
    slopes = edges[:, None] - at[None, :]
    widths = np.diff(edges)
    rising, falling = -slopes[:-2] / widths[:-1, None], slopes[2:] / widths[1:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    found: Array = (triangles * (2.0 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)
    return found


def log_mel(samples: Array, bands: int, columns: int) -> Array:
    """``bands`` x ``columns``, of as many samples as that are; silence behind the sound where it is shorter."""
    import numpy as np

    samples = samples[: columns * _HOP]
    samples = np.pad(samples, (0, columns * _HOP - len(samples)))
    padded = np.pad(samples, (_WIDTH // 2, _WIDTH // 2), mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WIDTH)[::_HOP][:columns]
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(_WIDTH) / _WIDTH)
    power = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2
    values = np.log10(np.maximum(_filters(bands) @ power.T.astype(np.float32), 1e-10))
    values = np.maximum(values, values.max() - 8.0)
    found: Array = ((values + 4.0) / 4.0).astype(np.float32)
    return found
