"""The loop: what happens between the runs of the tasks of two supersteps.

Domain: exactly LangGraph's sync and async loops, channels in a table, none of them stored as
deltas. Interrupts, drained runs and whatever else is rare are handled by upstream's own methods,
called as upstream calls them; what nobody streams is not built.
"""

from langgraph._internal import _constants
from langgraph.pregel import _loop

from fastgraph.adapters.langgraph.channels cimport ChannelTable
from fastgraph.adapters.langgraph.outputs cimport emit_values, wants
from fastgraph.kernels.tally cimport Tally

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


cdef str outside(object loop):
    """Why upstream has to run; None inside the domain."""
    cdef object kind = type(loop)
    if kind is not SyncPregelLoop and kind is not AsyncPregelLoop:
        return "a subclass of the loop"
    if type(loop.channels) is not ChannelTable:
        return "channels are not a table"
    (<ChannelTable>loop.channels).ensure()
    if not (<ChannelTable>loop.channels).stores_plainly:
        return "a channel that is stored specially"
    return None


# _prepare_tasks_and_emit_checkpoint

def prepare_tasks(self):
    """Prepare the tasks of the next superstep and stream the checkpoint they start from.

    Replaces `langgraph.pregel._loop.PregelLoop._prepare_tasks_and_emit_checkpoint`.
    """
    prepare_tally.calls += 1
    stream = self.stream
    if wants(stream, "checkpoints") or wants(stream, "debug"):
        prepare_tally.fell_back("checkpoints are streamed")
        return stock_prepare(self)
    self.tasks = _loop.prepare_next_tasks(
        self.checkpoint,
        self.checkpoint_pending_writes,
        self.nodes,
        self.channels,
        self.managed,
        self.config,
        self.step,
        self.stop,
        for_execution=True,
        manager=self.manager,
        store=self.store,
        checkpointer=self.checkpointer,
        trigger_to_nodes=self.trigger_to_nodes,
        updated_channels=self.updated_channels,
        retry_policy=self.retry_policy,
        cache_policy=self.cache_policy,
    )


def make_prepare_tasks(original, Tally tally not None, str variant):
    global stock_prepare, prepare_tally
    stock_prepare, prepare_tally = original, tally
    return prepare_tasks


# tick

cdef int output_reapplied(object loop) except -1:
    """Stream the writes of tasks that had finished before this run."""
    for task in loop.tasks.values():
        if task.writes:
            loop.output_writes(task.id, task.writes, cached=True)
    return 0


def tick(self):
    """Prepare a superstep; whether there is one to run.

    Replaces `langgraph.pregel._loop.PregelLoop.tick`.
    """
    tick_tally.calls += 1
    reason = outside(self)
    if reason is None and self.step > self.stop:
        reason = "out of steps"
    if reason is not None:
        tick_tally.fell_back(reason)
        return stock_tick(self)
    self._prepare_tasks_and_emit_checkpoint()
    tasks = self.tasks
    if not tasks:
        self.status = "done"
        return False
    if self.checkpoint_pending_writes and self._reapplies_pending_writes:
        self._reapply_writes_to_succeeded_nodes(tasks)
        self._resume_error_handlers_if_applicable()
        tasks = self.tasks
    interrupt_before = self.interrupt_before
    if interrupt_before and _loop.should_interrupt(
        self.checkpoint, interrupt_before, tasks.values()
    ):
        self.status = "interrupt_before"
        raise _loop.GraphInterrupt()
    control = self.control
    if control is not None and control.drain_requested:
        self.status = "draining"
        return False
    stream = self.stream
    if wants(stream, "tasks") or wants(stream, "debug"):
        self._emit("tasks", _loop.map_debug_tasks, tasks.values())
    output_reapplied(self)
    return True


def make_tick(original, Tally tally not None, str variant):
    global stock_tick, tick_tally
    stock_tick, tick_tally = original, tally
    return tick


# after_tick

cdef int finish_first(object loop) except -1:
    """What upstream keeps of a run's first superstep for the channels stored as deltas."""
    if loop._resume_loaded_writes:
        loop._resume_loaded_writes = ()
    if loop._exit_delta_writes is not None and loop._exit_first_step is None:
        loop._exit_first_step = loop.step
    return 0


def after_tick(self):
    """Finish a superstep: apply the writes, stream the values, put the checkpoint.

    Replaces `langgraph.pregel._loop.PregelLoop.after_tick`.
    """
    cdef ChannelTable table

    after_tick_tally.calls += 1
    reason = outside(self)
    if reason is not None:
        after_tick_tally.fell_back(reason)
        return stock_after_tick(self)
    table = self.channels
    tasks = self.tasks
    updated = _loop.apply_writes(
        self.checkpoint, table, tasks.values(), self.checkpointer_get_next_version,
        self.trigger_to_nodes,
    )
    self.updated_channels = updated
    output_keys = self.output_keys
    if not table.output_names(output_keys).isdisjoint(updated):
        emit_values(self, table, output_keys, tasks)
    finish_first(self)
    self.checkpoint_pending_writes.clear()
    self.is_replaying = False
    self._put_checkpoint({"source": "loop"})
    interrupt_after = self.interrupt_after
    if interrupt_after and _loop.should_interrupt(
        self.checkpoint, interrupt_after, tasks.values()
    ):
        self.status = "interrupt_after"
        self._prepare_tasks_and_emit_checkpoint()
        raise _loop.GraphInterrupt()
    self.config[CONF].pop(RESUMING, None)


def make_after_tick(original, Tally tally not None, str variant):
    global stock_after_tick, after_tick_tally
    stock_after_tick, after_tick_tally = original, tally
    return after_tick
