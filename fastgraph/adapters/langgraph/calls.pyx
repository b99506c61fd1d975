"""Calls of the functional API: from a `@task` called in a running task to a task of its own.

What is left out: the scan over all futures of the superstep for one whose *task* equals the new
task's *id*, which no task does, so that a call costs the same whether it is the tenth or the
thousandth; and most of the merging and copying of configs for the new task.

Domain of `_call`, `_acall` and `_acall_impl`: all calls. Domain of `prepare_push_task_functional`:
tasks for execution without a cache policy, on checkpoints that hash task ids with XXH3.
"""

import asyncio
import collections
import concurrent.futures
import functools
import inspect

from langgraph._internal import _constants
from langgraph._internal._typing import MISSING as _MISSING
from langgraph.pregel import _algo, _runner
from langgraph.runtime import DEFAULT_RUNTIME as _DEFAULT_RUNTIME
from langgraph.types import PregelExecutableTask as _PregelExecutableTask

from fastgraph.adapters.langgraph.runtime cimport new_info, with_changes
from fastgraph.adapters.langgraph.task_ids cimport hashed_id, path_text
from fastgraph.kernels.record cimport Record
from fastgraph.kernels.tally cimport Tally

cdef extern from "Python.h":
    object PyWeakref_NewRef(object referent, object callback)

cdef object partial = functools.partial
cdef object deque = collections.deque
cdef object Future = concurrent.futures.Future
cdef object AsyncFuture = asyncio.Future
cdef object current_task = asyncio.current_task
cdef object MISSING = _MISSING
cdef object DEFAULT_RUNTIME = _DEFAULT_RUNTIME
cdef object PregelTaskWrites = _algo.PregelTaskWrites
cdef object hexdigest = _algo.xxh3_128_hexdigest
cdef object hashed_with_xxh3 = _algo._xxhash_str
cdef Record executables = Record(_PregelExecutableTask)

cdef str PUSH = _constants.PUSH
cdef str CONF = _constants.CONF
cdef str NS_SEP = _constants.NS_SEP
cdef str ERROR = _constants.ERROR
cdef str RETURN = _constants.RETURN
cdef str CALL = _constants.CONFIG_KEY_CALL
cdef str TASK_ID = _constants.CONFIG_KEY_TASK_ID
cdef str SEND = _constants.CONFIG_KEY_SEND
cdef str READ = _constants.CONFIG_KEY_READ
cdef str CHECKPOINTER = _constants.CONFIG_KEY_CHECKPOINTER
cdef str CHECKPOINT_MAP = _constants.CONFIG_KEY_CHECKPOINT_MAP
cdef str CHECKPOINT_ID = _constants.CONFIG_KEY_CHECKPOINT_ID
cdef str CHECKPOINT_NS = _constants.CONFIG_KEY_CHECKPOINT_NS
cdef str SCRATCHPAD = _constants.CONFIG_KEY_SCRATCHPAD
cdef str RUNTIME = _constants.CONFIG_KEY_RUNTIME
cdef str RESUME_MAP = _constants.CONFIG_KEY_RESUME_MAP
cdef str THREAD_ID = _constants.CONFIG_KEY_THREAD_ID

cdef object stock_prepare
cdef Tally call_tally
cdef Tally acall_tally
cdef Tally acall_impl_tally
cdef Tally prepare_tally
cdef bint id_per_interrupt


# Making the call's task

cdef str outside(
    object task_id_checksum, object for_execution, object call, object cache_policy,
    object config, object task_id_func,
):
    """Why upstream has to prepare the task; None inside the domain."""
    if not for_execution:
        return "a task for display"
    if task_id_checksum is not None:
        return "a task id to be checked"
    if call.cache_policy or cache_policy:
        return "a cache policy"
    if CONF not in config:
        return "a config without configurable values"
    if task_id_func is not hashed_with_xxh3:
        return "task ids of an old checkpoint"
    return None


cdef object config_for(object config, dict metadata, str name, object callbacks, dict own):
    """`patch_config(merge_configs(config, own metadata), ...)`; what is merged is a copy."""
    merged = _algo.merge_configs(config, {"metadata": metadata})
    if callbacks is not None:
        # The name and id of the run were for the callbacks that are replaced here.
        merged["callbacks"] = callbacks
        merged.pop("run_name", None)
        merged.pop("run_id", None)
    merged["run_name"] = name
    merged[CONF] = {**merged.get(CONF, {}), **own}
    return merged


def prepare_push_task_functional(
    task_path,
    task_id_checksum,
    *,
    checkpoint,
    checkpoint_id_bytes,
    pending_writes,
    channels,
    managed,
    config,
    step,
    stop,
    for_execution,
    store=None,
    checkpointer=None,
    manager=None,
    cache_policy=None,
    retry_policy=(),
    parent_ns,
    task_id_func,
):
    """The task that a call of the functional API runs as.

    Replaces `langgraph.pregel._algo.prepare_push_task_functional`.
    """
    cdef str reason

    prepare_tally.calls += 1
    call = task_path[-1]
    reason = outside(
        task_id_checksum, for_execution, call, cache_policy, config, task_id_func
    )
    if reason is not None:
        prepare_tally.fell_back(reason)
        return stock_prepare(
            task_path, task_id_checksum, checkpoint=checkpoint,
            checkpoint_id_bytes=checkpoint_id_bytes, pending_writes=pending_writes,
            channels=channels, managed=managed, config=config, step=step, stop=stop,
            for_execution=for_execution, store=store, checkpointer=checkpointer, manager=manager,
            cache_policy=cache_policy, retry_policy=retry_policy, parent_ns=parent_ns,
            task_id_func=task_id_func,
        )
    configurable = config[CONF]
    runnable = _algo.get_runnable_for_task(call.func)
    name = runnable.name
    if name is None:
        raise ValueError("`call` functions must have a `__name__` attribute")
    call_ns = f"{parent_ns}{NS_SEP}{name}" if parent_ns else name
    task_id = hashed_id(
        checkpoint_id_bytes,
        f"{call_ns}{step}{name}{PUSH}{path_text(task_path[1])}{task_path[2]}",
    )
    namespace = f"{call_ns}:{task_id}"
    # True: a call is made, so interrupts of this task are its caller's to return.
    path = (*task_path[:3], True)
    triggers = _algo.PUSH_TRIGGER
    metadata = {
        "langgraph_step": step,
        "langgraph_node": name,
        "langgraph_triggers": triggers,
        "langgraph_path": path,
        "langgraph_checkpoint_ns": namespace,
    }
    writes = deque()
    scratchpad = _algo._scratchpad(
        configurable.get(SCRATCHPAD),
        pending_writes,
        task_id,
        namespace if id_per_interrupt else hexdigest(namespace.encode()),
        configurable.get(RESUME_MAP),
        step,
        stop,
    )
    run_id = config.get("run_id")
    runtime = with_changes(
        configurable.get(RUNTIME, DEFAULT_RUNTIME),
        {
            "store": store,
            "execution_info": new_info(
                checkpoint["id"],
                namespace,
                task_id,
                configurable.get(THREAD_ID),
                str(run_id) if run_id else None,
            ),
        },
    )
    callbacks = call.callbacks
    if not callbacks:
        callbacks = manager.get_child(f"graph:step:{step}") if manager else None
    own = {
        TASK_ID: task_id,
        SEND: writes.extend,
        READ: partial(
            _algo.local_read,
            scratchpad,
            channels,
            managed,
            PregelTaskWrites(path, name, writes, triggers),
        ),
        CHECKPOINTER: checkpointer or configurable.get(CHECKPOINTER),
        CHECKPOINT_MAP: {**configurable.get(CHECKPOINT_MAP, {}), parent_ns: checkpoint["id"]},
        CHECKPOINT_ID: None,
        CHECKPOINT_NS: namespace,
        SCRATCHPAD: scratchpad,
        RUNTIME: runtime,
    }
    return executables.make(
        (
            name,
            call.input,
            runnable,
            writes,
            config_for(config, metadata, name, callbacks, own),
            triggers,
            call.retry_policy or retry_policy,
            None,
            task_id,
            path,
            (),
            (),
            call.timeout,
        )
    )


# Calling

cdef object with_outcome(object future, object task):
    """The future of a task that ran before, with what it left then."""
    cdef object error = None
    cdef object returned = MISSING
    for channel, value in task.writes:
        if channel == RETURN:
            returned = value
            break
    if returned is not MISSING:
        future.set_result(returned)
        return future
    for channel, value in task.writes:
        if channel == ERROR:
            error = value
            break
    if error:
        future.set_exception(error if isinstance(error, BaseException) else Exception(error))
    else:
        future.set_result(None)
    return future


def _call(
    task,
    func,
    input,
    *,
    retry_policy=None,
    cache_policy=None,
    timeout=None,
    callbacks=None,
    futures,
    schedule_task,
    submit,
):
    """Run a function as a task of its own, called in a task of a sync run.

    Replaces `langgraph.pregel._runner._call`.
    """
    call_tally.calls += 1
    if inspect.iscoroutinefunction(func):
        raise RuntimeError("In an sync context async tasks cannot be called")
    future = None
    scratchpad = task().config[CONF][SCRATCHPAD]
    next_task = schedule_task(
        task(),
        scratchpad.call_counter(),
        _runner.Call(
            func,
            input,
            retry_policy=retry_policy,
            cache_policy=cache_policy,
            callbacks=callbacks,
            timeout=timeout,
        ),
    )
    if next_task:
        # The superstep may be over; then upstream ends here, too, and with the same error.
        futures().items
        if next_task.writes:
            future = with_outcome(Future(), next_task)
        else:
            future = submit()(
                _runner.run_with_retry,
                next_task,
                retry_policy,
                configurable={
                    CALL: partial(
                        _runner._call,
                        PyWeakref_NewRef(next_task, None),
                        futures=futures,
                        retry_policy=retry_policy,
                        callbacks=callbacks,
                        schedule_task=schedule_task,
                        submit=submit,
                    ),
                },
                __reraise_on_exit__=False,
                # What this task wrote is committed and streamed before the next one starts.
                __next_tick__=True,
            )
            # What the called task raises is raised in its caller, not at the superstep's end.
            _runner.SKIP_RERAISE_SET.add(future)
            futures()[future] = next_task
    # Chained, so that what was written is committed before the caller gets its result.
    return _runner.chain_future(future, Future())


def _acall(
    task,
    func,
    input,
    *,
    retry_policy=None,
    cache_policy=None,
    timeout=None,
    callbacks=None,
    futures,
    schedule_task,
    submit,
    loop,
    stream=False,
):
    """Run a function as a task of its own, called in a task of an async run.

    Replaces `langgraph.pregel._runner._acall`.
    """
    acall_tally.calls += 1
    try:
        in_async = current_task() is not None
    except RuntimeError:
        in_async = False
    future = AsyncFuture(loop=loop) if in_async else Future()
    _runner.run_coroutine_threadsafe(
        _runner._acall_impl(
            future,
            task,
            func,
            input,
            retry_policy=retry_policy,
            cache_policy=cache_policy,
            timeout=timeout,
            callbacks=callbacks,
            futures=futures,
            schedule_task=schedule_task,
            submit=submit,
            loop=loop,
            stream=stream,
        ),
        loop,
        lazy=False,
    )
    return future


async def _acall_impl(
    destination,
    task,
    func,
    input,
    *,
    retry_policy=None,
    cache_policy=None,
    timeout=None,
    callbacks=None,
    futures,
    schedule_task,
    submit,
    loop,
    stream=False,
):
    """Schedule a called task and chain its outcome to `destination`.

    Replaces `langgraph.pregel._runner._acall_impl`.
    """
    acall_impl_tally.calls += 1
    try:
        future = None
        scratchpad = task().config[CONF][SCRATCHPAD]
        next_task = await schedule_task(
            task(),
            scratchpad.call_counter(),
            _runner.Call(
                func,
                input,
                retry_policy=retry_policy,
                cache_policy=cache_policy,
                callbacks=callbacks,
                timeout=timeout,
            ),
        )
        if next_task:
            futures().items
            if next_task.writes:
                future = with_outcome(AsyncFuture(loop=loop), next_task)
            else:
                future = submit()(
                    _runner.arun_with_retry,
                    next_task,
                    retry_policy,
                    stream=stream,
                    configurable={
                        CALL: partial(
                            _runner._acall,
                            PyWeakref_NewRef(next_task, None),
                            stream=stream,
                            futures=futures,
                            schedule_task=schedule_task,
                            submit=submit,
                            loop=loop,
                        ),
                    },
                    __name__=next_task.name,
                    __cancel_on_exit__=True,
                    __reraise_on_exit__=False,
                    __next_tick__=True,
                )
                _runner.SKIP_RERAISE_SET.add(future)
                futures()[future] = next_task
        if future is not None:
            _runner.chain_future(future, destination)
        else:
            destination.set_exception(RuntimeError("Task not scheduled"))
    except Exception as error:
        destination.set_exception(error)


def make_prepare_push_task_functional(original, Tally tally not None, str variant not None):
    """`variant`: "id per interrupt" or "id per task", what the scratchpad is given."""
    global stock_prepare, prepare_tally, id_per_interrupt
    stock_prepare, prepare_tally = original, tally
    id_per_interrupt = variant == "id per interrupt"
    return prepare_push_task_functional


def make_call(original, Tally tally not None, str variant):
    global call_tally
    call_tally = tally
    return _call


def make_acall(original, Tally tally not None, str variant):
    global acall_tally
    acall_tally = tally
    return _acall


def make_acall_impl(original, Tally tally not None, str variant):
    global acall_impl_tally
    acall_impl_tally = tally
    return _acall_impl
