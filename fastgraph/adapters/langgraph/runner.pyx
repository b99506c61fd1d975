"""The runner: handing a finished task's writes on.

Domain of `commit`: tasks that succeeded. Failures, interrupts and cancellations are upstream's.
"""

from langgraph._internal import _constants
from langgraph.constants import TAG_HIDDEN as _TAG_HIDDEN
from langgraph.pregel import _runner

from fastgraph.kernels.tally cimport Tally

cdef object TAG_HIDDEN = _TAG_HIDDEN
cdef str NO_WRITES = _constants.NO_WRITES
# From LangGraph 1.2.13 on, a task that left only these is marked as finished, too.
cdef object CONTROL_WRITES = getattr(_runner, "CONTROL_WRITES", ())

cdef object stock
cdef Tally tally_


cdef bint wrote_output(object writes) except -1:
    for channel, _ in writes:
        if channel not in CONTROL_WRITES:
            return True
    return False


def commit(self, task, exception):
    """Save what a task wrote.

    Replaces `langgraph.pregel._runner.PregelRunner.commit`.
    """
    tally_.calls += 1
    if exception:
        tally_.fell_back("the task did not succeed")
        return stock(self, task, exception)
    if self.node_finished and (
        task.config is None or TAG_HIDDEN not in task.config.get("tags", [])
    ):
        self.node_finished(task.name)
    if not wrote_output(task.writes):
        task.writes.append((NO_WRITES, None))
    self.put_writes()(task.id, task.writes)


def make_commit(original, Tally tally not None, str variant):
    global stock, tally_
    stock, tally_ = original, tally
    return commit
