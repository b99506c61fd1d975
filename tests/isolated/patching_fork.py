"""Fork while another thread holds the lock and is in the middle of a factory.

Usage: patching_fork.py FRAMEWORK
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
import warnings

import patching_fake

name = sys.argv[1]
fastgraph = patching_fake.install(name)
factories = importlib.import_module(f"{name}.factories")
stock_factory = factories.make_work
building, forked = threading.Event(), threading.Event()


def slow_factory(original: object, tally: object, variant: str) -> object:
    if threading.current_thread() is not threading.main_thread():
        building.set()
        forked.wait()
    return stock_factory(original, tally, variant)


factories.make_work = slow_factory
patcher = threading.Thread(target=fastgraph.patch)
patcher.start()
building.wait()
warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn of threads and fork
child = os.fork()
core = importlib.import_module(f"{name}.core")
if child == 0:
    signal.alarm(60)  # a deadlock must not outlive the test
    fastgraph.patch(strict=True)
    assert core.work(1) == ("fast", 1)
    fastgraph.unpatch()
    assert core.work(1) == ("stock", 1)
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert core.work(1) == ("stock", 1)
forked.set()
patcher.join()
assert core.work(1) == ("fast", 1)
