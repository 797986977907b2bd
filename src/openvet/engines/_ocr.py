"""Lines of text in an image, by the two or three graphs of PP-OCR: where text is, whether it stands on its head, and what it says.

Source: PaddleOCR, ``DBPostProcess`` (M. Liao et al., AAAI 2020: real-time scene text detection with differentiable binarization), ``CTCLabelDecode``;
the numbers as RapidOCR has them for these graphs.
"""

from __future__ import annotations

import base64
import math
import os
from typing import TYPE_CHECKING, Any, Final

from openvet.engines._engine import CannotError, Opened, Piece
from openvet.engines._graph import Graph
from openvet.engines._png import read_png
from openvet.engines._shapes import cut_out, rectangle, regions, resize

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

__all__ = ["Ocr", "graphs_of"]

_SHORT: Final = 736
_LONG: Final = 2016
_INSIDE: Final = 0.3
_BOX: Final = 0.5
_GROW: Final = 1.6
_LEAST: Final = 3.0
_MOST: Final = 1000
_HEIGHT: Final = 48
_WIDTH: Final = 320
_WIDEST: Final = 4800
_TURNED: Final = 0.9
_SURE: Final = 0.5


def graphs_of(folder: str) -> dict[str, str]:
    """The graphs of a folder (or those below it) by what they do, ``det``, ``rec`` and ``cls``, where there is one of each of the first two."""
    found: dict[str, list[str]] = {"det": [], "rec": [], "cls": []}
    for root, folders, names in os.walk(folder):
        folders.sort()
        if root.count(os.sep) - folder.rstrip(os.sep).count(os.sep) > 2:
            continue
        for each in sorted(names):
            words = (
                os.path.relpath(os.path.join(root, each), folder)
                .lower()
                .replace("-", "_")
                .replace(os.sep, "_")
                .split("_")
            )
            for part, listed in found.items():
                if each.endswith(".onnx") and (part in words or f"{part}.onnx" in words):
                    listed.append(os.path.join(root, each))
    if any(len(found[part]) != 1 for part in ("det", "rec")) or len(found["cls"]) > 1:
        return {}
    return {part: listed[0] for part, listed in found.items() if listed}


class Ocr(Opened):
    """Graphs that read.

    Args:
        sessions: by what they do.
        folder: beside which the characters lie where the graph that reads does not name them itself.
    """

    def __init__(self, sessions: dict[str, Any], folder: str) -> None:
        self._sessions = sessions
        named = sessions["rec"].get_modelmeta().custom_metadata_map.get("character", "")
        characters = named.splitlines() if named else _beside(folder)
        classes = sessions["rec"].get_outputs()[0].shape[-1]
        # the first class is nothing, and behind the characters there may be a space
        self._characters = ["", *characters, " "]
        if isinstance(classes, int):
            if not 0 <= len(self._characters) - classes <= 1:
                raise CannotError(
                    f"the graph that reads knows {classes} characters, and its list has {len(characters)}"
                )
            self._characters = self._characters[:classes]

    def facts(self) -> dict[str, Any]:
        return {"graphs": " ".join(sorted(self._sessions)), "characters": len(self._characters) - 1}

    def read(self, request: dict[str, Any], piece: Piece) -> dict[str, Any]:  # noqa: ARG002 - as every kind
        """The lines of an image, from the top, each with how sure the graph is."""
        image = read_png(base64.b64decode(request["image"]))[:, :, ::-1]  # these graphs take blue first
        lines = []
        for centre, direction, length, height in _in_order(self._boxes(image)):
            part = cut_out(image, centre, direction, length, height)
            if self._turned(part):
                part = part[::-1, ::-1]
            text, sure = self._line(part)
            if text and sure >= _SURE:
                lines.append({"text": text, "confidence": sure})
        return {"lines": lines}

    def compute(self, request: dict[str, Any], piece: Piece) -> dict[str, Any]:
        """Each graph by itself, on zeros, or on what is drawn from a seed."""
        if request.get("inputs"):
            raise CannotError("these graphs have inputs of their own: name the file of one to give it some")
        outputs: dict[str, Any] = {}
        seconds = 0.0
        for part, session in sorted(self._sessions.items()):
            found = Graph(session, part).compute(request, piece)
            outputs |= {f"{part}: {name}": each for name, each in found["outputs"].items()}
            seconds += found["seconds"]
        return {"outputs": outputs, "seconds": seconds}

    def _run(self, part: str, values: Array) -> Array:
        session = self._sessions[part]
        found: Array = session.run(None, {session.get_inputs()[0].name: values})[0]
        return found

    def _boxes(self, image: Array) -> list[tuple[Array, Array, float, float]]:
        """The rectangles of text: where it is likelier than 0.3, likely enough as a whole, and grown again to what it was shrunk from in training."""
        import numpy as np

        height, width = image.shape[:2]
        ratio = max(1.0, _SHORT / min(height, width))
        ratio = min(ratio, _LONG / max(height, width)) if max(height, width) * ratio > _LONG else ratio
        tall, wide = (max(round(each * ratio / 32), 1) * 32 for each in (height, width))
        shown = (resize(image, tall, wide) / 255.0 - 0.5) / 0.5
        likely = self._run("det", shown.transpose(2, 0, 1)[None].astype(np.float32))[0, 0]
        scale = np.array([height / tall, width / wide])
        mask = likely > _INSIDE
        grown = mask.copy()  # by one pixel to the right and down, which closes gaps
        grown[1:] |= mask[:-1]
        grown[:, 1:] |= grown[:, :-1].copy()
        out = []
        for places in regions(grown, _MOST):
            centre, direction, length, thick = rectangle(places)
            if 2 * thick < _LEAST or float(likely[places[:, 0], places[:, 1]].mean()) < _BOX:
                continue
            more = 4 * length * thick * _GROW / (4 * (length + thick))
            across = np.array([-direction[1], direction[0]])
            ends = direction * scale * (length + more), across * scale * (thick + more)
            sides = float(np.hypot(*ends[0])), float(np.hypot(*ends[1]))
            if 2 * min(sides) < _LEAST + 2:
                continue
            out.append(((centre + 0.5) * scale - 0.5, ends[0] / sides[0], *sides))
        return out

    def _turned(self, part: Array) -> bool:
        """Whether a line stands on its head."""
        if "cls" not in self._sessions:
            return False
        found = self._run("cls", _fitted(part, 192))[0]
        return bool(found[1] > found[0] and found[1] > _TURNED)

    def _line(self, part: Array) -> tuple[str, float]:
        """What a line says, and how sure that is: each class once for as long as it lasts, and nothing left out."""
        found = self._run(
            "rec", _fitted(part, min(max(_WIDTH, math.ceil(_HEIGHT * part.shape[1] / part.shape[0])), _WIDEST))
        )[0]
        best, sure = found.argmax(axis=1), found.max(axis=1)
        kept = [at for at in range(len(best)) if best[at] and (at == 0 or best[at] != best[at - 1])]
        kept = [at for at in kept if best[at] < len(self._characters)]
        if not kept:
            return "", 0.0
        return "".join(self._characters[best[at]] for at in kept).strip(), float(sure[kept].mean())


def _fitted(part: Array, width: int) -> Array:
    """A line as the graphs take one: 48 pixels high, and grey behind its end."""
    import numpy as np

    wide = min(width, max(math.ceil(_HEIGHT * part.shape[1] / part.shape[0]), 1))
    out = np.zeros((1, 3, _HEIGHT, width), np.float32)
    out[0, :, :, :wide] = ((resize(part, _HEIGHT, wide) / 255.0 - 0.5) / 0.5).transpose(2, 0, 1)
    return out


def _in_order(boxes: list[Any]) -> list[Any]:
    """From the top, and from the left where two stand at the same height."""
    listed = sorted(boxes, key=lambda each: (each[0][0], each[0][1]))
    for at in range(1, len(listed)):
        place = at
        while (
            place
            and abs(listed[place][0][0] - listed[place - 1][0][0]) < min(listed[place][3], listed[place - 1][3])
            and listed[place][0][1] < listed[place - 1][0][1]
        ):
            listed[place - 1], listed[place] = listed[place], listed[place - 1]
            place -= 1
    return listed


def _beside(folder: str) -> list[str]:
    for name in sorted(os.listdir(folder)):
        if name.endswith(".txt") and ("dict" in name or "keys" in name):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                return file.read(1 << 20).splitlines()
    raise CannotError(
        "the graph that reads does not name its characters, and no list of them (dict or keys, .txt) lies beside it"
    )
