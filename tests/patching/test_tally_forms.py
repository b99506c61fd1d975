"""The tally counts alike interpreted and compiled."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import threading
from pathlib import Path
from types import ModuleType

import pytest

from fastgraph.kernels import tally as imported


def interpreted() -> ModuleType:
    path = Path(imported.__file__).with_name("tally.py")
    spec = importlib.util.spec_from_file_location("_interpreted_tally", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(params=["interpreted", "compiled"])
def form(request: pytest.FixtureRequest) -> ModuleType:
    if request.param == "interpreted":
        return interpreted()
    if not imported.__file__.endswith(tuple(importlib.machinery.EXTENSION_SUFFIXES)):
        pytest.skip("the extensions are not built")
    return imported


def test_counting(form: ModuleType) -> None:
    tally = form.Tally("work")
    tally.calls += 1
    tally.calls += 1
    tally.fell_back("odd")
    tally.fell_back("odd")
    tally.fell_back("big")
    assert (tally.name, tally.calls) == ("work", 2)
    assert tally.fallbacks == {"odd": 2, "big": 1}
    tally.fallbacks.clear()
    assert tally.fallbacks == {"odd": 2, "big": 1}
    tally.reset()
    assert (tally.name, tally.calls, tally.fallbacks) == ("work", 0, {})


def test_it_has_no_other_attributes(form: ModuleType) -> None:
    with pytest.raises(AttributeError):
        form.Tally("work").cals = 1


def test_fallbacks_are_exact_under_threads(form: ModuleType) -> None:
    tally = form.Tally("work")

    def fall_back() -> None:
        for _ in range(2000):
            tally.fell_back("odd")

    threads = [threading.Thread(target=fall_back) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tally.fallbacks == {"odd": 8000}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_counts_although_another_thread_held_the_lock() -> None:
    form = interpreted()
    tally, held, done = form.Tally("work"), threading.Event(), threading.Event()

    def hold() -> None:
        with form._lock:
            held.set()
            done.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    child = os.fork()
    if not child:
        tally.fell_back("odd")
        os._exit(tally.fallbacks["odd"])
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    done.set()
    holder.join()
