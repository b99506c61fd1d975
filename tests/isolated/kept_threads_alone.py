"""Kept threads in a process of their own: forks, and the end of the interpreter.

python kept_threads_alone.py SCENARIO
"""

from __future__ import annotations

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fastgraph.kernels import kept_threads


def executor() -> ThreadPoolExecutor:
    made = ThreadPoolExecutor(4)
    assert kept_threads.keep_threads(made)
    return made


def use(times: int = 1) -> None:
    for _ in range(times):
        with executor() as pool:
            assert list(pool.map(abs, range(-8, 0))) == list(range(8, 0, -1))


def native_threads() -> int:
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.exists() else threading.active_count()


def waited_for(child: int) -> int:
    """The exit status of a child; it is killed if it hangs."""
    for _ in range(2000):
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(child, 9)
    raise AssertionError("the child hangs")


def forks() -> None:
    use()
    assert kept_threads.idle_threads()
    # With -W error a fork beside other threads is an error from Python 3.12 on.
    child = os.fork()
    if not child:
        try:
            assert kept_threads.idle_threads() == 0
            assert native_threads() == 1
            use(3)
        except BaseException:
            os._exit(1)
        os._exit(0)
    assert waited_for(child) == 0
    use(3)


def forks_in_a_job() -> None:
    import warnings

    def fork() -> int:
        warnings.simplefilter("ignore")
        child = os.fork()
        if child:
            return waited_for(child)
        # The child goes on in this thread alone, which ends after the job, and the process with it.
        pool.shutdown(wait=False)
        return 0

    use()
    with executor() as pool:
        job = pool.submit(fork)
        if job.result() != 0:
            raise AssertionError("the child failed")


def ends() -> None:
    use(3)


def ends_in_use() -> None:
    globals()["pool"] = executor()
    globals()["pool"].submit(time.sleep, 0.2)


def times_out() -> None:
    # The module reads its own name each time.
    vars(kept_threads)["IDLE_SECONDS"] = 0.05
    use()
    for _ in range(400):
        if not kept_threads.idle_threads():
            break
        time.sleep(0.01)
    assert kept_threads.idle_threads() == 0
    use()


def main() -> None:
    scenario = sys.argv[1]
    globals()[scenario]()
    print(f"{scenario}: done")


if __name__ == "__main__":
    main()
