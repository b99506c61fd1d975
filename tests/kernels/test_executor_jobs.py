"""Jobs of executors: what a caller gets is what `concurrent.futures` and asyncio give."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import thread as futures_thread
from typing import Any

import pytest

executor_jobs = pytest.importorskip("fastgraph.kernels.executor_jobs", reason="nothing compiled")


def stock_submit(executor: ThreadPoolExecutor, *args: Any, **kwargs: Any) -> Future[Any]:
    return executor.submit(*args, **kwargs)


async def stock_run(executor: ThreadPoolExecutor, function: Callable[..., Any]) -> Any:
    return await asyncio.get_running_loop().run_in_executor(executor, function)


async def own_run(executor: ThreadPoolExecutor, function: Callable[..., Any]) -> Any:
    loop = asyncio.get_running_loop()
    return await executor_jobs.run_in_executor(loop, executor, function)


SUBMITS = pytest.mark.parametrize("submit", [stock_submit, executor_jobs.submit])
RUNS = pytest.mark.parametrize("run", [stock_run, own_run])


def raising(error: BaseException) -> Callable[[], None]:
    def function() -> None:
        raise error

    return function


class Occupied:
    """An executor of one thread that waits until it is let go."""

    def __enter__(self) -> ThreadPoolExecutor:
        self.go = threading.Event()
        self.executor = ThreadPoolExecutor(1)
        began = threading.Event()
        self.executor.submit(lambda: (began.set(), self.go.wait(10)))
        assert began.wait(10)
        self.executor.let_go = self.go.set  # type: ignore[attr-defined]
        return self.executor

    def __exit__(self, *_: object) -> None:
        self.go.set()
        self.executor.shutdown()


# submit


@SUBMITS
def test_a_job_has_its_result_and_tells_it(submit: Any) -> None:
    told = []
    with ThreadPoolExecutor() as executor:
        future = submit(executor, sorted, [2, 1], reverse=True)
        future.add_done_callback(told.append)
        assert type(future) is Future
        assert future.result(10) == [2, 1]
    assert told == [future]


@SUBMITS
@pytest.mark.parametrize("error", [KeyError("x"), SystemExit(3), KeyboardInterrupt()])
def test_a_job_has_its_error(submit: Any, error: BaseException) -> None:
    with ThreadPoolExecutor() as executor:
        assert submit(executor, raising(error)).exception(10) is error
        assert submit(executor, abs, -1).result(10) == 1


@SUBMITS
def test_a_job_that_waits_can_be_cancelled(submit: Any) -> None:
    ran = []
    with Occupied() as executor:
        future = submit(executor, ran.append, 1)
        assert future.cancel()
        executor.let_go()  # type: ignore[attr-defined]
        assert concurrent.futures.wait([future], 10).done
    assert not ran
    assert future.cancelled()


@SUBMITS
def test_a_job_that_runs_cannot_be_cancelled(submit: Any) -> None:
    began, go = threading.Event(), threading.Event()
    with ThreadPoolExecutor() as executor:
        future = submit(executor, lambda: (began.set(), go.wait(10)))
        assert began.wait(10)
        assert future.running()
        assert not future.cancel()
        go.set()
        assert future.result(10) == (None, True)


@SUBMITS
def test_those_who_wait_for_a_job_are_told(submit: Any) -> None:
    with Occupied() as executor:
        several = [submit(executor, abs, -number) for number in range(5)]
        threading.Timer(0.02, executor.let_go).start()  # type: ignore[attr-defined]
        done, _ = concurrent.futures.wait(several, 10)
        assert done == {*several}
        assert [future.result(0) for future in several] == [0, 1, 2, 3, 4]
        assert {*concurrent.futures.as_completed(several, 10)} == {*several}


@SUBMITS
def test_after_the_shutdown_there_are_no_jobs(submit: Any) -> None:
    executor = ThreadPoolExecutor()
    executor.shutdown()
    with pytest.raises(RuntimeError, match="cannot schedule new futures after shutdown"):
        submit(executor, abs, -1)


@SUBMITS
def test_a_shutdown_cancels_what_waits(submit: Any) -> None:
    with Occupied() as executor:
        future = submit(executor, abs, -1)
        executor.shutdown(wait=False, cancel_futures=True)
        assert future.cancelled()


@SUBMITS
@pytest.mark.parametrize("jobs", [1, 2, 3, 7])
def test_as_many_threads_are_started(submit: Any, jobs: int) -> None:
    """Jobs that all wait have a thread each, up to the executor's number."""
    go = threading.Event()
    with ThreadPoolExecutor(3) as executor:
        several = [submit(executor, go.wait, 10) for _ in range(jobs)]
        assert len(executor._threads) == min(jobs, 3)
        go.set()
        assert all(future.result(10) for future in several)


@SUBMITS
def test_an_idle_thread_is_taken_first(submit: Any) -> None:
    with ThreadPoolExecutor(3) as executor:
        for _ in range(5):
            submit(executor, abs, -1).result(10)
            idle = executor._idle_semaphore
            while not idle._value:  # it is counted after the result is told
                threading.Event().wait(0.001)
        assert len(executor._threads) == 1


def test_a_replaced_part_of_the_library_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    class Watched(futures_thread._WorkItem):  # type: ignore[misc]
        def __init__(self, *args: Any) -> None:
            made.append(args)
            super().__init__(*args)

    monkeypatch.setattr(futures_thread, "_WorkItem", Watched)
    with ThreadPoolExecutor() as executor:
        assert executor_jobs.submit(executor, abs, -1).result(10) == 1
    assert len(made) == 1


def test_a_job_is_let_go() -> None:
    class Argument:
        pass

    argument = Argument()
    gone = weakref.ref(argument)
    with ThreadPoolExecutor() as executor:
        future = executor_jobs.submit(executor, id, argument)
        future.result(10)
        del argument, future
        executor_jobs.submit(executor, abs, -1).result(10)
        gc.collect()
        assert gone() is None


@pytest.mark.parametrize("wrong", [None, 1, object()])
def test_only_thread_pools_are_taken(wrong: Any) -> None:
    with pytest.raises(TypeError, match="a ThreadPoolExecutor is needed, not"):
        executor_jobs.submit(wrong, abs, -1)
    with pytest.raises(TypeError, match="a ThreadPoolExecutor is needed, not"):
        executor_jobs.run_in_executor(None, wrong, abs, -1)


# run_in_executor


@RUNS
def test_a_coroutine_gets_the_result(run: Any) -> None:
    async def main(executor: ThreadPoolExecutor) -> list[int]:
        return [await run(executor, lambda number=number: number) for number in range(20)]

    with ThreadPoolExecutor() as executor:
        assert asyncio.run(main(executor)) == [*range(20)]


@RUNS
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (KeyError("x"), KeyError),
        (concurrent.futures.CancelledError("c"), asyncio.CancelledError),
        (concurrent.futures.InvalidStateError("i"), asyncio.InvalidStateError),
        (TimeoutError("t"), TimeoutError),
    ],
)
def test_a_coroutine_gets_the_error(run: Any, error: BaseException, kind: type) -> None:
    async def main(executor: ThreadPoolExecutor) -> str:
        try:
            await run(executor, raising(error))
        except kind as caught:
            return str(caught)
        raise AssertionError

    with ThreadPoolExecutor() as executor:
        assert asyncio.run(main(executor)) == str(error)


@RUNS
def test_what_waits_does_not_run_once_it_is_cancelled(run: Any) -> None:
    ran = []

    async def main(executor: ThreadPoolExecutor) -> None:
        task = asyncio.ensure_future(run(executor, lambda: ran.append(1)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0)
        executor.let_go()  # type: ignore[attr-defined]

    with Occupied() as executor:
        asyncio.run(main(executor))
    assert not ran


@RUNS
def test_what_runs_goes_on_when_its_coroutine_is_cancelled(run: Any) -> None:
    ran = []
    began, go = threading.Event(), threading.Event()

    def function() -> None:
        began.set()
        go.wait(10)
        ran.append(1)

    async def main(executor: ThreadPoolExecutor) -> None:
        task = asyncio.ensure_future(run(executor, function))
        while not began.is_set():
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go.set()

    with ThreadPoolExecutor() as executor:
        asyncio.run(main(executor))
    assert ran == [1]


@RUNS
def test_a_loop_that_closed_meanwhile_is_told_nothing(run: Any) -> None:
    began, go = threading.Event(), threading.Event()
    loop = asyncio.new_event_loop()
    with ThreadPoolExecutor() as executor:
        task = loop.create_task(run(executor, lambda: (began.set(), go.wait(10))))
        loop.run_until_complete(asyncio.sleep(0))
        assert began.wait(10)
        task.cancel()
        loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
        loop.close()
        go.set()
        assert executor.submit(abs, -1).result(10) == 1


@RUNS
def test_a_shutdown_of_the_executor_cancels_the_coroutine(run: Any) -> None:
    async def main(executor: ThreadPoolExecutor) -> bool:
        task = asyncio.ensure_future(run(executor, abs))
        await asyncio.sleep(0)
        executor.shutdown(wait=False, cancel_futures=True)
        await asyncio.wait([task], timeout=10)
        return task.cancelled()

    with Occupied() as executor:
        assert asyncio.run(main(executor))


@RUNS
def test_an_executor_whose_threads_cannot_begin_fails_the_coroutine(
    run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def main(executor: ThreadPoolExecutor) -> None:
        await run(executor, abs)

    broken = ThreadPoolExecutor(1, initializer=raising(KeyError("x")))
    with broken as executor, pytest.raises(concurrent.futures.BrokenExecutor):
        asyncio.run(main(executor))
    assert "Exception in initializer" in caplog.text


@RUNS
def test_the_coroutine_goes_on_after_as_many_turns(run: Any) -> None:
    """The loop is told in one turn, and the coroutine goes on in the next."""

    async def main(executor: ThreadPoolExecutor) -> list[str]:
        seen: list[str] = []
        loop = asyncio.get_running_loop()
        finished = threading.Event()

        async def runs() -> None:
            await run(executor, lambda: None)
            seen.append("the coroutine")

        task = asyncio.ensure_future(runs())
        await asyncio.sleep(0)
        executor.submit(finished.set).result(10)  # the job before it is done
        loop.call_soon(seen.append, "first turn")
        loop.call_soon(loop.call_soon, seen.append, "second turn")
        await task
        return seen

    with ThreadPoolExecutor(1) as executor:
        assert asyncio.run(main(executor)) == ["first turn", "the coroutine", "second turn"]
