"""Ctrl-C while nodes run: in the main thread, while it waits for others, and in other threads."""

from __future__ import annotations

import concurrent.futures
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace

import faults_worlds
import pytest
from faults_worlds import INJECTED, Case, assert_same

POINTS = ["node.plan", "node.work", "node.join", "edge", "reducer"]


@pytest.fixture
def _sigint(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As a terminal's Ctrl-C does it, whatever this process was started with."""
    assert threading.current_thread() is threading.main_thread()

    def pressed() -> BaseException:
        signal.raise_signal(signal.SIGINT)
        # In another thread it is the main one that gets it.
        return faults_worlds.FaultError("the node's own")

    monkeypatch.setitem(faults_worlds.ERRORS, "signal", pressed)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_sigint")
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("point", POINTS)
def test_ctrl_c_in_the_main_thread(point: str, is_async: bool) -> None:
    if point == "node.work" and not is_async:
        pytest.skip("when the main thread hears of it is chance")
    for at in (1, 2):
        shown = assert_same(Case(is_async=is_async, point=point, at=at, error="signal"))
        assert shown["first"][0] == "error"
        assert shown["first"][1][0] == "KeyboardInterrupt"
        INJECTED["Ctrl-C"] += 1


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("point", POINTS)
def test_keyboard_interrupt_in_a_run_of_another_thread(point: str, is_async: bool) -> None:
    case = Case(is_async=is_async, concurrency=None if is_async else 1, error="keyboard")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        for at in (1, 2):
            running = pool.submit(assert_same, replace(case, point=point, at=at))
            assert running.result()["first"][1][0] == "KeyboardInterrupt"
            INJECTED["keyboard raised in other threads"] += 1
