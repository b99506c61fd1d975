"""The runtime that a node is given: copies of it with some fields changed.

Upstream copies it three times for each task, and the execution info in it twice.
Domain: exactly `Runtime` and `ExecutionInfo`, and changes of their own fields.
"""

from langgraph.runtime import ExecutionInfo as _ExecutionInfo
from langgraph.runtime import Runtime as _Runtime

from fastgraph.kernels.record cimport Record
from fastgraph.kernels.slots cimport Slot
from fastgraph.kernels.tally cimport Tally

cdef Record runtimes = Record(_Runtime)
cdef Record infos = Record(_ExecutionInfo)
cdef Slot info_attempt = infos.slot("node_attempt")
cdef Slot info_started = infos.slot("node_first_attempt_time")
cdef Slot runtime_info = runtimes.slot("execution_info")

cdef object stock_override
cdef object stock_patch
cdef Tally override_tally
cdef Tally patch_tally


cdef object with_changes(object runtime, dict changes):
    """`runtime.override(**changes)`."""
    changed = runtimes.changed(runtime, changes)
    return runtime.override(**changes) if changed is None else changed


cdef object new_info(
    object checkpoint_id, object checkpoint_ns, object task_id, object thread_id, object run_id
):
    """`ExecutionInfo` of a task that has not been tried yet."""
    return infos.make((checkpoint_id, checkpoint_ns, task_id, thread_id, run_id, 1, None))


cdef object first_attempt(object runtime, object started):
    """The runtime of a task's first attempt, which began at `started`."""
    info = infos.duplicate(runtime.execution_info) if type(runtime) is runtimes.cls else None
    copy = None if info is None else runtimes.duplicate(runtime)
    if copy is None:
        return runtime.patch_execution_info(node_first_attempt_time=started).patch_execution_info(
            node_attempt=1
        )
    info_attempt.set(info, 1)
    info_started.set(info, started)
    runtime_info.set(copy, info)
    return copy


def override(self, **overrides):
    """A copy of the runtime with some fields changed.

    Replaces `langgraph.runtime.Runtime.override`.
    """
    override_tally.calls += 1
    changed = runtimes.changed(self, overrides)
    if changed is not None:
        return changed
    override_tally.fell_back("a subclass of Runtime, or a field that it does not have")
    return stock_override(self, **overrides)


def patch_execution_info(self, **overrides):
    """A copy of the runtime with some fields of its execution info changed.

    Replaces `langgraph.runtime.Runtime.patch_execution_info`.
    """
    patch_tally.calls += 1
    if type(self) is runtimes.cls:
        info = infos.changed(self.execution_info, overrides)
        if info is not None:
            return runtimes.changed(self, {"execution_info": info})
    patch_tally.fell_back("a subclass of Runtime or ExecutionInfo, or none, or an unknown field")
    return stock_patch(self, **overrides)


def make_override(original, Tally tally not None, str variant):
    global stock_override, override_tally
    stock_override, override_tally = original, tally
    return override


def make_patch_execution_info(original, Tally tally not None, str variant):
    global stock_patch, patch_tally
    stock_patch, patch_tally = original, tally
    return patch_execution_info
