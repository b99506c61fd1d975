"""The attempt at a task of an async run.

Domain: tasks without a retry policy and without a timeout, so with one attempt, that are not
streamed; with any of these upstream runs the whole loop, and its log records come from its own
lines.
"""

import asyncio
import time

from langgraph.errors import GraphBubbleUp as _GraphBubbleUp
from langgraph.errors import ParentCommand as _ParentCommand
from langgraph.pregel import _retry

from fastgraph.adapters.langgraph.retry cimport (
    adds_notes,
    attempt_config,
    handles_parent_command,
    outside,
)
from fastgraph.kernels.tally cimport Tally

cdef object GraphBubbleUp = _GraphBubbleUp
cdef object ParentCommand = _ParentCommand
cdef object CancelledError = asyncio.CancelledError
cdef object NodeCancelledError = getattr(_retry, "NodeCancelledError", None)

cdef object stock
cdef Tally tally_
cdef bint converts_cancellation


cdef object meaning(object task, dict config, object error):
    """What is raised for an attempt's error; None if it was a command to this graph, carried out.

    Called in the task of the attempt.
    """
    if isinstance(error, ParentCommand):
        return None if handles_parent_command(task, config, error) else error
    if isinstance(error, GraphBubbleUp):
        return error
    if isinstance(error, CancelledError):
        # The node raised it itself, or somebody cancels the task.
        if converts_cancellation and _retry._is_user_raised_cancelled():
            return NodeCancelledError(task.name)
        return error
    if adds_notes and isinstance(error, Exception):
        error.add_note(f"During task with name '{task.name}' and id '{task.id}'")
    return error


cdef bint is_attempted_here(object name) except -1:
    """Whether `name`, as upstream's module has it, makes attempts as this module does."""
    return name is arun_with_retry or name is arun_with_cache


cdef int count_attempt() except -1:
    tally_.calls += 1
    return 0


async def arun_with_retry(task, retry_policy, stream=False, configurable=None):
    """Run a task of an async run.

    Replaces `langgraph.pregel._retry.arun_with_retry`.
    """
    tally_.calls += 1
    reason = "streamed" if stream else outside(task, retry_policy)
    if reason is not None:
        tally_.fell_back(reason)
        return await stock(task, retry_policy, stream=stream, configurable=configurable)
    config = attempt_config(task, configurable, time.time())
    try:
        task.writes.clear()
        return await task.proc.ainvoke(task.input, config)
    except BaseException as error:
        raised = meaning(task, config, error)
        if raised is error:
            raise
        if raised is not None:
            raise raised from error


def arun_with_cache(
    task, retry_policy, stream=False, match_cached_writes=None, configurable=None
):
    """Run a task of an async run, unless its writes are found in the cache.

    Replaces `langgraph.pregel._retry.arun_with_retry` before LangGraph 1.2.15. Returns a coroutine
    of upstream's name, which a warning says if nobody awaits it.
    """
    if match_cached_writes is not None and task.cache_key is not None:
        tally_.calls += 1
        tally_.fell_back("a cache policy")
        return stock(
            task,
            retry_policy,
            stream=stream,
            match_cached_writes=match_cached_writes,
            configurable=configurable,
        )
    return arun_with_retry(task, retry_policy, stream, configurable)


def make_arun_with_retry(original, Tally tally not None, str variant not None):
    """`variant`: how cancellation counts, and whether there is a cache to look into."""
    global stock, tally_, converts_cancellation
    stock, tally_ = original, tally
    converts_cancellation = variant.startswith("cancellation is a failure")
    return arun_with_cache if variant.endswith("cache") else arun_with_retry
