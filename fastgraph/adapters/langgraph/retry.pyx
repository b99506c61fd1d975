"""The attempt at a task: its config and runtime, and what its exceptions mean to the engine.

Domain: tasks without a retry policy and without a timeout, so with one attempt; with either,
upstream runs the whole loop, and its log records come from its own lines.
"""

import asyncio
import dataclasses
import sys
import time

from langgraph._internal import _constants
from langgraph.errors import GraphBubbleUp as _GraphBubbleUp
from langgraph.errors import ParentCommand as _ParentCommand
from langgraph.pregel import _retry
from langgraph.runtime import Runtime as _Runtime
from langgraph.types import Command as _Command

from fastgraph.adapters.langgraph.runtime cimport first_attempt
from fastgraph.kernels.tally cimport Tally

cdef object GraphBubbleUp = _GraphBubbleUp
cdef object ParentCommand = _ParentCommand
cdef object Runtime = _Runtime
cdef object Command = _Command
cdef object CancelledError = asyncio.CancelledError
cdef object NodeCancelledError = getattr(_retry, "NodeCancelledError", None)
cdef bint adds_notes = sys.version_info >= (3, 11)
cdef str CONF = _constants.CONF
cdef str RUNTIME = _constants.CONFIG_KEY_RUNTIME
cdef str CHECKPOINT_NS = _constants.CONFIG_KEY_CHECKPOINT_NS

cdef object stock
cdef Tally tally_
cdef bint converts_cancellation


cdef str outside(object task, object retry_policy):
    """Why upstream has to run; None inside the domain."""
    if task.retry_policy or retry_policy:
        return "a retry policy"
    if task.timeout is not None:
        return "a timeout"
    if type(task.config) is not dict or CONF not in task.config:
        return "no plain config"
    return None


cdef dict attempt_config(object task, object configurable, double started):
    """The task's config, told that this is its first attempt and when it began."""
    cdef dict config = (<dict>task.config).copy()
    cdef dict own = {**config[CONF], **(configurable or {})}
    config[CONF] = own
    runtime = own.get(RUNTIME)
    if isinstance(runtime, Runtime):
        runtime = _retry._ensure_execution_info(runtime, config, task)
        own[RUNTIME] = first_attempt(runtime, started)
    return config


cdef bint handles_parent_command(object task, dict config, object error) except -1:
    """Run the writers for a command that is for this graph; else re-address it to the parent."""
    namespace = config[CONF][CHECKPOINT_NS]
    command = error.args[0]
    if command.graph in (namespace, _retry.recast_checkpoint_ns(namespace), task.name):
        for writer in task.writers:
            writer.invoke(command, config)
        return True
    if command.graph == Command.PARENT:
        parent = _retry._checkpoint_ns_for_parent_command(namespace)
        error.args = (dataclasses.replace(command, graph=parent),)
    return False


def run_with_retry(task, retry_policy, configurable=None):
    """Run a task.

    Replaces `langgraph.pregel._retry.run_with_retry`.
    """
    cdef dict config
    cdef str reason = outside(task, retry_policy)

    tally_.calls += 1
    if reason is not None:
        tally_.fell_back(reason)
        return stock(task, retry_policy, configurable)
    config = attempt_config(task, configurable, time.time())
    try:
        task.writes.clear()
        return task.proc.invoke(task.input, config)
    except ParentCommand as error:
        if handles_parent_command(task, config, error):
            return None
        raise
    except GraphBubbleUp:
        raise
    except CancelledError as error:
        # No event loop cancels a sync node: the node raised this itself.
        if converts_cancellation:
            raise NodeCancelledError(task.name) from error
        raise
    except Exception as error:
        if adds_notes:
            error.add_note(f"During task with name '{task.name}' and id '{task.id}'")
        raise


def make_run_with_retry(original, Tally tally not None, str variant not None):
    """`variant`: "cancellation is a failure" or "cancellation passes"."""
    global stock, tally_, converts_cancellation
    stock, tally_ = original, tally
    converts_cancellation = variant == "cancellation is a failure"
    return run_with_retry
