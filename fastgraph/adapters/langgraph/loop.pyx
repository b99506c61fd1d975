"""The loop: what happens between the runs of the tasks of two supersteps.

Domain: exactly LangGraph's sync and async loops, channels in a table, none of them stored as
deltas. Interrupts, drained runs and whatever else is rare are handled by upstream's own methods,
called as upstream calls them; what nobody streams is not built.
"""

from langgraph._internal import _constants
from langgraph.pregel import _loop

from fastgraph.adapters.langgraph.channels cimport ChannelTable
from fastgraph.adapters.langgraph.outputs cimport emit_values, wants
from fastgraph.adapters.langgraph.tasks cimport Superstep, writes_slot
from fastgraph.adapters.langgraph.triggers cimport next_tasks, prepares_supersteps
from fastgraph.kernels.tally cimport Tally

cdef extern from "Python.h":
    dict PyObject_GenericGetDict(object instance, void* context)

cdef object SyncPregelLoop = _loop.SyncPregelLoop
cdef object AsyncPregelLoop = _loop.AsyncPregelLoop
cdef str CONF = _constants.CONF
cdef str RESUMING = _constants.CONFIG_KEY_RESUMING

cdef object stock_tick
cdef object stock_after_tick
cdef object stock_prepare
cdef Tally tick_tally
cdef Tally after_tick_tally
cdef Tally prepare_tally


cdef str outside(object loop, dict own):
    """Why upstream has to run; None inside the domain.

    `own` is the loop's `__dict__`: of these exact types, it holds all that a superstep reads, and
    reading it there needs no look at the classes.
    """
    cdef object kind = type(loop)
    if kind is not SyncPregelLoop and kind is not AsyncPregelLoop:
        return "a subclass of the loop"
    channels = own["channels"]
    if type(channels) is not ChannelTable:
        return "channels are not a table"
    (<ChannelTable>channels).ensure()
    if not (<ChannelTable>channels).stores_plainly:
        return "a channel that is stored specially"
    return None


# _prepare_tasks_and_emit_checkpoint

def prepare_tasks(self):
    """Prepare the tasks of the next superstep and stream the checkpoint they start from.

    Replaces `langgraph.pregel._loop.PregelLoop._prepare_tasks_and_emit_checkpoint`.
    """
    cdef dict own = PyObject_GenericGetDict(self, NULL)

    prepare_tally.calls += 1
    stream = own["stream"]
    if wants(stream, "checkpoints") or wants(stream, "debug"):
        prepare_tally.fell_back("checkpoints are streamed")
        return stock_prepare(self)
    if prepares_supersteps(_loop.prepare_next_tasks):
        own["tasks"] = next_tasks(
            superstep_of(own), own["trigger_to_nodes"], own.get("updated_channels")
        )
        return
    own["tasks"] = _loop.prepare_next_tasks(
        own["checkpoint"],
        own["checkpoint_pending_writes"],
        own["nodes"],
        own["channels"],
        own["managed"],
        own["config"],
        own["step"],
        own["stop"],
        for_execution=True,
        manager=own["manager"],
        store=own["store"],
        checkpointer=own["checkpointer"],
        trigger_to_nodes=own["trigger_to_nodes"],
        updated_channels=own.get("updated_channels"),
        retry_policy=own["retry_policy"],
        cache_policy=own["cache_policy"],
    )


cdef Superstep superstep_of(dict own):
    cdef Superstep superstep = Superstep.__new__(Superstep)
    superstep.checkpoint = own["checkpoint"]
    superstep.pending_writes = own["checkpoint_pending_writes"]
    superstep.processes = own["nodes"]
    superstep.channels = own["channels"]
    superstep.managed = own["managed"]
    superstep.config = own["config"]
    superstep.step = own["step"]
    superstep.stop = own["stop"]
    superstep.for_execution = True
    superstep.store = own["store"]
    superstep.checkpointer = own["checkpointer"]
    superstep.manager = own["manager"]
    superstep.retry_policy = own["retry_policy"]
    superstep.cache_policy = own["cache_policy"]
    return superstep


def make_prepare_tasks(original, Tally tally not None, str variant):
    global stock_prepare, prepare_tally
    stock_prepare, prepare_tally = original, tally
    return prepare_tasks


# tick

cdef int output_reapplied(object loop, dict tasks) except -1:
    """Stream the writes of tasks that had finished before this run."""
    for task in tasks.values():
        if writes_slot.get(task):
            loop.output_writes(task.id, task.writes, cached=True)
    return 0


def tick(self):
    """Prepare a superstep; whether there is one to run.

    Replaces `langgraph.pregel._loop.PregelLoop.tick`.
    """
    cdef dict own = PyObject_GenericGetDict(self, NULL)
    cdef dict tasks

    tick_tally.calls += 1
    reason = outside(self, own)
    if reason is None and own["step"] > own["stop"]:
        reason = "out of steps"
    if reason is not None:
        tick_tally.fell_back(reason)
        return stock_tick(self)
    self._prepare_tasks_and_emit_checkpoint()
    tasks = own["tasks"]
    if not tasks:
        own["status"] = "done"
        return False
    if own["checkpoint_pending_writes"] and self._reapplies_pending_writes:
        self._reapply_writes_to_succeeded_nodes(tasks)
        self._resume_error_handlers_if_applicable()
        tasks = own["tasks"]
    interrupt_before = own["interrupt_before"]
    if interrupt_before and _loop.should_interrupt(
        own["checkpoint"], interrupt_before, tasks.values()
    ):
        own["status"] = "interrupt_before"
        raise _loop.GraphInterrupt()
    control = own["control"]
    if control is not None and control.drain_requested:
        own["status"] = "draining"
        return False
    stream = own["stream"]
    if wants(stream, "tasks") or wants(stream, "debug"):
        self._emit("tasks", _loop.map_debug_tasks, tasks.values())
    output_reapplied(self, tasks)
    return True


def make_tick(original, Tally tally not None, str variant):
    global stock_tick, tick_tally
    stock_tick, tick_tally = original, tally
    return tick


# after_tick

cdef int finish_first(object loop, dict own) except -1:
    """What upstream keeps of a run's first superstep for the channels stored as deltas."""
    if own.get("_resume_loaded_writes"):
        own["_resume_loaded_writes"] = ()
    if own.get("_exit_delta_writes") is not None and loop._exit_first_step is None:
        loop._exit_first_step = own["step"]
    return 0


def after_tick(self):
    """Finish a superstep: apply the writes, stream the values, put the checkpoint.

    Replaces `langgraph.pregel._loop.PregelLoop.after_tick`.
    """
    cdef dict own = PyObject_GenericGetDict(self, NULL)
    cdef ChannelTable table
    cdef dict tasks

    after_tick_tally.calls += 1
    reason = outside(self, own)
    if reason is not None:
        after_tick_tally.fell_back(reason)
        return stock_after_tick(self)
    table = own["channels"]
    tasks = own["tasks"]
    updated = _loop.apply_writes(
        own["checkpoint"], table, tasks.values(), own["checkpointer_get_next_version"],
        own["trigger_to_nodes"],
    )
    own["updated_channels"] = updated
    output_keys = own["output_keys"]
    if not table.output_names(output_keys).isdisjoint(updated):
        emit_values(self, own["stream"], table, output_keys, tasks)
    finish_first(self, own)
    own["checkpoint_pending_writes"].clear()
    own["is_replaying"] = False
    self._put_checkpoint({"source": "loop"})
    interrupt_after = own["interrupt_after"]
    if interrupt_after and _loop.should_interrupt(
        own["checkpoint"], interrupt_after, tasks.values()
    ):
        own["status"] = "interrupt_after"
        self._prepare_tasks_and_emit_checkpoint()
        raise _loop.GraphInterrupt()
    own["config"][CONF].pop(RESUMING, None)


def make_after_tick(original, Tally tally not None, str variant):
    global stock_after_tick, after_tick_tally
    stock_after_tick, after_tick_tally = original, tally
    return after_tick
