"""Threads of executors: what a job sees is what it sees in a thread of its own."""

from __future__ import annotations

import contextvars
import gc
import os
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import pytest

import fastgraph

kept_threads = pytest.importorskip("fastgraph.kernels.kept_threads", reason="nothing was compiled")

PROGRAM = Path(__file__).parents[1] / "isolated" / "kept_threads_alone.py"
LOCAL = threading.local()
VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE", default="unset")

pytestmark = pytest.mark.skipif(
    sys.version_info >= (3, 13), reason="threads of these Pythons are not kept"
)


def stock(*args) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(*args)


def kept(*args) -> ThreadPoolExecutor:
    executor = ThreadPoolExecutor(*args)
    assert kept_threads.keep_threads(executor)
    return executor


@pytest.fixture(params=[stock, kept], ids=["stock", "kept"])
def make(request) -> Callable[..., ThreadPoolExecutor]:
    return request.param


@pytest.fixture(autouse=True)
def none_idle() -> Iterator[None]:
    kept_threads.end_idle()
    yield
    kept_threads.end_idle()
    assert kept_threads.idle_threads() == 0


def native_thread() -> int:
    return threading.get_native_id()


def test_a_thread_is_used_again():
    seen = []
    for _ in range(5):
        with kept() as executor:
            seen.append(executor.submit(native_thread).result())
        assert kept_threads.idle_threads() == 1
    assert len(set(seen)) == 1


def test_what_a_thread_is_called(make):
    with make(3, "prefix") as executor:
        names = {executor.submit(lambda: threading.current_thread().name).result()}
    assert names == {"prefix_0"}


def test_what_a_thread_is_while_it_runs_and_afterwards(make):
    def seen():
        me = threading.current_thread()
        return (
            me,
            me in threading.enumerate(),
            me.ident == threading.get_ident(),
            me.native_id == threading.get_native_id(),
            me.is_alive(),
            me.daemon,
        )

    before = threading.enumerate()
    for _ in range(3):
        with make() as executor:
            thread, *facts = executor.submit(seen).result()
            assert facts == [True, True, True, True, False]
        assert not thread.is_alive()
        thread.join()
        assert threading.enumerate() == before


def test_locals_end_with_their_thread(make):
    class Value:
        pass

    ended = []

    def leave():
        assert not hasattr(LOCAL, "value")
        LOCAL.value = Value()
        weakref.finalize(LOCAL.value, lambda: ended.append(threading.get_ident()))
        return threading.get_ident()

    for count in range(1, 4):
        with make() as executor:
            ident = executor.submit(leave).result()
        assert len(ended) == count
        assert ended[-1] == ident


def test_context_variables_do_not_reach_the_next(make):
    def change():
        before = VARIABLE.get()
        VARIABLE.set("changed")
        return before

    VARIABLE.set("of the test")
    for _ in range(3):
        with make(1) as executor:
            assert executor.submit(change).result() == "unset"
            assert executor.submit(VARIABLE.get).result() == "changed"


def test_a_trace_function_ends_with_its_thread(make):
    for _ in range(2):
        with make() as executor:
            assert executor.submit(sys.gettrace).result() is None
            executor.submit(sys.settrace, lambda *args: None).result()


def test_trace_functions_for_new_threads_are_called(make):
    traced = []
    with kept() as executor:
        executor.submit(int).result()  # leaves an idle thread
    threading.settrace(lambda frame, *args: traced.append(frame.f_code.co_name))
    try:
        with make() as executor:
            executor.submit(native_thread).result()
    finally:
        threading.settrace(None)
    assert "native_thread" in traced


def test_somebody_elses_start_is_called(monkeypatch, make):
    started = []
    start = threading.Thread.start

    def counting(self):
        started.append(self)
        start(self)

    monkeypatch.setattr(threading.Thread, "start", counting)
    with make() as executor:
        executor.submit(int).result()
    assert len(started) == 1


def test_an_executor_gets_as_many_as_it_asks_for(make):
    barrier = threading.Barrier(20, timeout=20)
    for _ in range(3):
        with make(20) as executor:
            list(executor.map(lambda _: barrier.wait(), range(20)))


def test_errors_and_initializers(make):
    def fail():
        raise LookupError("no")

    with make() as executor:
        with pytest.raises(LookupError, match="no"):
            executor.submit(fail).result()
        assert executor.submit(int).result() == 0
    started = []
    with ThreadPoolExecutor(1, initializer=started.append, initargs=(1,)) as executor:
        assert kept_threads.keep_threads(executor)
        executor.submit(int).result()
    assert started == [1]


def test_a_base_exception_is_the_futures(make):
    def leave():
        raise SystemExit(3)

    with make() as executor:
        with pytest.raises(SystemExit):
            executor.submit(leave).result()
        assert executor.submit(int).result() == 0


def test_nothing_is_held_by_an_idle_thread(make):
    class Job:
        def __call__(self) -> Job:
            return self

    job = Job()
    gone = weakref.ref(job)
    with make() as executor:
        executor.submit(job).result()
    dead = weakref.ref(executor)
    del job, executor
    gc.collect()
    assert gone() is None
    assert dead() is None


def test_a_lost_executor_lets_its_threads_go(make):
    executor = make()
    thread = executor.submit(threading.current_thread).result()
    del executor
    gc.collect()
    thread.join(20)
    assert not thread.is_alive()


def test_a_shut_down_executor_takes_no_more(make):
    executor: Executor = make()
    executor.shutdown()
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(int)


def test_another_stack_size_is_another_thread():
    with kept() as executor:
        first = executor.submit(native_thread).result()
    before = threading.stack_size(2**20)
    try:
        with kept() as executor:
            assert executor.submit(native_thread).result() != first
    finally:
        threading.stack_size(before)
    assert kept_threads.idle_threads() == 2


def test_many_threads_at_once_use_each_others():
    def use(number):
        for _ in range(20):
            with kept(2) as executor:
                assert list(executor.map(abs, [number] * 4)) == [number] * 4

    with ThreadPoolExecutor(8) as users:
        list(users.map(use, range(8)))
    assert 0 < kept_threads.idle_threads() <= 16


def test_only_executors_keep_threads():
    with pytest.raises(TypeError, match="a ThreadPoolExecutor is needed, not 'list'"):
        kept_threads.keep_threads([])


def test_an_executor_of_another_kind_is_left_alone():
    class Other(ThreadPoolExecutor):
        def _adjust_thread_count(self) -> None:
            super()._adjust_thread_count()

    with Other() as executor:
        assert not kept_threads.keep_threads(executor)
        assert executor.submit(int).result() == 0
    assert kept_threads.idle_threads() == 0


SCENARIOS = ["forks", "forks_in_a_job", "ends", "ends_in_use", "times_out"]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_process_of_its_own(scenario):
    if "fork" in scenario and not hasattr(os, "fork"):
        pytest.skip("needs fork")
    since = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-W", "error", str(PROGRAM), scenario],
        env={**os.environ, "PYTHONPATH": str(Path(fastgraph.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{scenario}: done\n", "")
    assert time.monotonic() - since < 30
