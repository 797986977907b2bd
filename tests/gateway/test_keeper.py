"""The keeper and the desk in this process, with a model that takes the time that it is told to."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any, cast

import pytest

from openvet.engines.model import Generated, Message, Model
from openvet.gateway.asked import Chat, Embed, Transcribe
from openvet.gateway.desk import Limits, ModelDesk
from openvet.gateway.keeper import Keeper
from openvet.gateway.refusal import RefusalError
from tests.gateway.test_audio import wav


class Slow:
    """Answers, and takes its time for each question."""

    def __init__(self, takes: float = 0.0) -> None:
        self.takes, self.alive = takes, True
        self.can = frozenset({"generate", "count", "embed", "transcribe"})
        self.facts = {"context": 8}
        self.seconds: list[float] = []

    def _take(self, seconds: float | None) -> None:
        assert seconds is not None, "a question without a time limit"
        self.seconds.append(seconds)
        time.sleep(self.takes)

    def count(self, prompt: Any, seconds: float | None = None) -> int:
        self._take(seconds)
        return 2

    def generate(
        self, prompt: Any, sampling: Any = None, piece: Any = None, seconds: float | None = None, prefix: Any = None
    ) -> Generated:
        self._take(seconds)
        piece("")
        piece("a")
        return Generated("a", "stop", 2, 1)

    def embed(self, texts: Any, seconds: float | None = None) -> Any:
        self._take(seconds)
        return ((1.0,),) * len(texts), 1

    def transcribe(self, audio: bytes, language: str, piece: Any, seconds: float) -> tuple[str, float]:
        self._take(seconds)
        return "said", len(audio) / 32000

    def kill(self) -> None:
        self.alive = False

    close = kill


def opener(made: Callable[[], Slow]) -> Callable[[], Model]:
    return lambda: cast("Model", made())


def ask(keeper: Keeper, asked: Any, seconds: float) -> list[Any]:
    async def heard() -> list[Any]:
        return [each async for each in ModelDesk(keeper, Limits(seconds=seconds)).ask(asked)]

    return asyncio.run(heard())


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("asked", [Chat((Message("user", "a b"),)), Embed(("a b c d",) * 5)])
def test_all_that_one_request_asks_has_the_time_of_one(asked: Any) -> None:
    model = Slow(0.3)
    keeper = Keeper(opener(lambda: model))
    keeper.start()
    try:
        with pytest.raises(RefusalError, match=r"more than 0\.5 seconds"):
            ask(keeper, asked, 0.5)
        assert len(model.seconds) == 2
        assert model.seconds[1] < model.seconds[0] - 0.25
        model.takes = 0.0
        assert ask(keeper, asked, 0.5)
    finally:
        keeper.close()


def test_audio_is_made_ready_in_the_time_of_its_request() -> None:
    model = Slow()
    keeper = Keeper(opener(lambda: model))
    keeper.start()
    try:
        assert ask(keeper, Transcribe(wav([0.1] * 800, 8_000)), 5.0)[0].seconds == pytest.approx(0.1)
        with pytest.raises(RefusalError, match=r"more than 0\.1 seconds"):
            ask(keeper, Transcribe(wav([0.1] * 800_000, 8_000, 8)), 0.1)
        assert len(model.seconds) == 1
    finally:
        keeper.close()


def test_a_piece_without_text_is_no_part() -> None:
    keeper = Keeper(opener(Slow))
    keeper.start()
    try:
        assert len(ask(keeper, Chat((Message("user", "a b"),)), 5.0)) == 2
    finally:
        keeper.close()


def test_whatever_keeps_it_from_being_opened_again_it_is_given_up_in_the_end() -> None:
    said: list[str] = []
    first = Slow()
    found = iter([first])

    def made() -> Slow:
        for each in found:
            return each
        raise FileNotFoundError("model.gguf")

    keeper = Keeper(opener(made), tries=1, given_up=said.append)
    keeper.start()
    try:
        first.alive = False
        until(lambda: bool(said))
        assert "FileNotFoundError: model.gguf" in said[0]
        with pytest.raises(RefusalError, match="is not started again") as refused:
            ask(keeper, Embed(("a",)), 1.0)
        assert refused.value.code == "model_failed"
    finally:
        keeper.close()


def test_one_that_is_loaded_while_it_closes_is_let_go_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openvet.gateway.keeper._END", 0.05)
    models: list[Slow] = []
    loading, may = threading.Event(), threading.Event()

    def made() -> Slow:
        if models:
            loading.set()
            may.wait(10)
        models.append(Slow())
        return models[-1]

    keeper = Keeper(opener(made))
    keeper.start()
    models[0].alive = False
    assert loading.wait(10)
    keeper.close()
    may.set()
    until(lambda: len(models) == 2 and not models[1].alive)
    assert keeper.state == "closed"
