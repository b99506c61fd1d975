"""Pending writes: what the tasks of the superstep under way have written, kept and saved.

Upstream makes the whole list anew for each task that finishes, to drop what the task had in it
before, which is nothing unless writes were loaded with the checkpoint or the task wrote twice.

Domain of `put_writes`: the first writes of a task in a run that no channel stores specially, with
nothing loaded left in the list. Writes for no task in particular, and everything that upstream
rebuilds the list for, are upstream's.
"""

from langgraph._internal import _constants
from langgraph.checkpoint.base import WRITES_IDX_MAP as _WRITES_IDX_MAP
from langgraph.pregel import _loop

from fastgraph.adapters.langgraph.channels cimport ChannelTable
from fastgraph.adapters.langgraph.checkpoint cimport with_configurable
from fastgraph.kernels.tally cimport Tally

cdef extern from "Python.h":
    dict PyObject_GenericGetDict(object instance, void* context)

cdef dict WRITES_IDX_MAP = _WRITES_IDX_MAP
cdef object SyncPregelLoop = _loop.SyncPregelLoop
cdef object AsyncPregelLoop = _loop.AsyncPregelLoop
cdef str NULL_TASK_ID = _constants.NULL_TASK_ID
cdef str ERROR_SOURCE_NODE = getattr(_constants, "ERROR_SOURCE_NODE", "")
cdef str CONF = _constants.CONF
cdef str CHECKPOINT_ID = _constants.CONFIG_KEY_CHECKPOINT_ID
cdef str CHECKPOINT_NS = _constants.CONFIG_KEY_CHECKPOINT_NS

cdef object stock
cdef object stock_sync
cdef object stock_async
cdef object stock_reapply
cdef Tally tally_
cdef Tally sync_tally
cdef Tally async_tally
cdef Tally reapply_tally


cdef bint is_first_of_task(set written, object task_id, list pending) except -1:
    """Whether nothing in the list is the task's, and nothing was loaded with the checkpoint.

    What was loaded comes first in the list, and what a task wrote in this run replaced it, so if
    the first entry is of a task that wrote in this run, all of them are.
    """
    if task_id in written:
        return False
    if not pending:
        return True
    first = pending[0][0]
    return first != NULL_TASK_ID and first in written


cdef bint are_special(object writes) except -1:
    """Whether there is an error among the writes to be routed, or nothing but control writes."""
    cdef bint only_control = True
    for channel, _ in writes:
        if channel == ERROR_SOURCE_NODE:
            return True
        if channel not in WRITES_IDX_MAP:
            only_control = False
    return only_control


cdef str outside(object loop, dict own, object task_id, object writes):
    """Why upstream has to run; None inside the domain."""
    cdef object kind = type(loop)
    if kind is not SyncPregelLoop and kind is not AsyncPregelLoop:
        return "a subclass of the loop"
    if task_id == NULL_TASK_ID:
        return "writes for no task in particular"
    channels, pending = own["channels"], own["checkpoint_pending_writes"]
    if type(channels) is not ChannelTable or type(pending) is not list:
        return "channels or pending writes of another type"
    (<ChannelTable>channels).ensure()
    if not (<ChannelTable>channels).stores_plainly:
        return "a channel that is stored specially"
    if not is_first_of_task(own["_written_task_ids"], task_id, pending):
        return "writes that may replace others"
    if are_special(writes):
        return "an error to be routed, or control writes alone"
    return None


cdef int save(object loop, object task_id, object writes, object tasks) except -1:
    """Have the saver store the writes, without waiting."""
    cdef dict config = with_configurable(
        loop.checkpoint_config,
        {
            CHECKPOINT_NS: loop.config[CONF].get(CHECKPOINT_NS, ""),
            CHECKPOINT_ID: loop.checkpoint["id"],
        },
    )
    if not loop.checkpointer_put_writes_accepts_task_path:
        loop.submit(loop.checkpointer_put_writes, config, writes, task_id)
        return 0
    task = None if tasks is None else tasks.get(task_id)
    path = _loop.task_path_str(task.path) if task else ""
    loop.submit(loop.checkpointer_put_writes, config, writes, task_id, path)
    return 0


cdef int put(object loop, object task_id, object writes, bint cached) except -1:
    """`PregelLoop.put_writes`."""
    cdef dict own
    cdef list pending
    tally_.calls += 1
    if not writes:
        return 0
    own = PyObject_GenericGetDict(loop, NULL)
    reason = outside(loop, own, task_id, writes)
    if reason is not None:
        tally_.fell_back(reason)
        stock(loop, task_id, writes, cached=cached)
        return 0
    (<set>own["_written_task_ids"]).add(task_id)
    pending = own["checkpoint_pending_writes"]
    for channel, value in writes:
        pending.append((task_id, channel, value))
    tasks = own.get("tasks")
    if own["durability"] != "exit" and own["checkpointer_put_writes"] is not None:
        save(loop, task_id, writes, tasks)
    if tasks is not None:
        loop.output_writes(task_id, writes, cached=cached)
    return 0


def put_writes(self, task_id, writes, *, cached=False):
    """Put writes for a task, to be read by the next superstep.

    Replaces `langgraph.pregel._loop.PregelLoop.put_writes`.
    """
    put(self, task_id, writes, cached)


cdef bint is_cached_nowhere(object loop) except -1:
    """Whether the loop's own `put_writes` adds nothing to that of its base, which is ours."""
    return loop.cache is None and _loop.PregelLoop.put_writes is put_writes


def sync_put_writes(self, task_id, writes, *, cached=False):
    """Put writes for a task, and into the cache if there is one.

    Replaces `langgraph.pregel._loop.SyncPregelLoop.put_writes`.
    """
    sync_tally.calls += 1
    if is_cached_nowhere(self):
        put(self, task_id, writes, cached)
    else:
        sync_tally.fell_back("a cache")
        stock_sync(self, task_id, writes, cached=cached)


def async_put_writes(self, task_id, writes, *, cached=False):
    """Put writes for a task, and into the cache if there is one.

    Replaces `langgraph.pregel._loop.AsyncPregelLoop.put_writes`.
    """
    async_tally.calls += 1
    if is_cached_nowhere(self):
        put(self, task_id, writes, cached)
    else:
        async_tally.fell_back("a cache")
        stock_async(self, task_id, writes, cached=cached)


# _reapply_writes_to_succeeded_nodes

cdef bint has_writes_of(dict own, dict tasks) except -1:
    """Whether the pending writes may have some of one of the tasks."""
    written = own.get("_written_task_ids")
    pending = own["checkpoint_pending_writes"]
    if type(written) is not set or type(pending) is not list:
        return True
    for task_id in tasks:
        if not is_first_of_task(<set>written, task_id, <list>pending):
            return True
    return False


def reapply_writes(self, tasks):
    """Give tasks back what they wrote before this run.

    Replaces `langgraph.pregel._loop.PregelLoop._reapply_writes_to_succeeded_nodes`, which looks
    through all that was written in the superstep, for each call of a task.
    """
    reapply_tally.calls += 1
    if type(tasks) is dict and not has_writes_of(PyObject_GenericGetDict(self, NULL), tasks):
        return
    reapply_tally.fell_back("tasks that may have written")
    return stock_reapply(self, tasks)


def make_reapply_writes(original, Tally tally not None, str variant):
    global stock_reapply, reapply_tally
    stock_reapply, reapply_tally = original, tally
    return reapply_writes


def make_put_writes(original, Tally tally not None, str variant):
    global stock, tally_
    stock, tally_ = original, tally
    return put_writes


def make_sync_put_writes(original, Tally tally not None, str variant):
    global stock_sync, sync_tally
    stock_sync, sync_tally = original, tally
    return sync_put_writes


def make_async_put_writes(original, Tally tally not None, str variant):
    global stock_async, async_tally
    stock_async, async_tally = original, tally
    return async_put_writes
