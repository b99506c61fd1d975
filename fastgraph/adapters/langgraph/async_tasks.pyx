"""The asyncio tasks of an async superstep whose node is one plain function.

Upstream makes two tasks for each: one for the attempt, which runs the node's sequence, and in it
one for the function. So does this, for both can be seen (names, contexts, who cancels whom). What
they run are not coroutines that call coroutines, though, but objects that know what comes next.
With thousands of tasks waiting at once, what each of them holds is what the garbage collector goes
through again and again, so what only the function sees of its run (config, callbacks, runtime) is
made when the function is called, an iteration of the event loop later.

Domain: nodes that are one async function and channel writers, in runs without handlers; attempts
as `async_retry` makes them; asyncio's own loops and executors as `executor` has them. Anything else
that happens (a failure, a cancellation, a handler that joins, a node that returns a runnable) goes
on in a coroutine. Tasks outside of the domain run `arun_with_retry`, here as there.
"""

import time
import uuid
import warnings
from functools import partial as _partial

from langchain_core.callbacks.manager import AsyncCallbackManager as _AsyncCallbackManager
from langchain_core.runnables.config import var_child_runnable_config as _child_config
from langgraph._internal import _constants
from langgraph.pregel import _runner

from cpython.object cimport PyObject

from fastgraph.adapters.langgraph.async_futures cimport Entry, Futures
from fastgraph.adapters.langgraph.async_nodes cimport (
    count_call,
    ended,
    failed,
    is_one_call,
    next_step,
    starts_quietly,
)
from fastgraph.adapters.langgraph.async_retry cimport count_attempt, is_attempted_here, meaning
from fastgraph.adapters.langgraph.callbacks cimport child_of, new_run_id, ready_manager, tells
from fastgraph.adapters.langgraph.channel_writes cimport is_runnable, write_channels
from fastgraph.adapters.langgraph.executor cimport background_of, forget, keep
from fastgraph.adapters.langgraph.nodes cimport inject
from fastgraph.adapters.langgraph.retry cimport attempt_config, outside
from fastgraph.adapters.langgraph.thread_calls cimport called
from fastgraph.adapters.langgraph.turns cimport (
    is_plain,
    joins_contexts,
    paused,
    plain_task,
    shielded_nothing,
)

cdef extern from *:
    """
    #include <Python.h>

    /* Lets tasks step a coroutine without a StopIteration for what it returns. */
    static void fastgraph_steps_by(PyObject *cls, sendfunc step)
    {
        ((PyTypeObject *)cls)->tp_as_async->am_send = step;
    }
    """
    ctypedef int (*sendfunc)(object self, object value, PyObject** result) except -1
    void fastgraph_steps_by(object cls, sendfunc step)
    int PYGEN_RETURN
    int PYGEN_NEXT
    int PyIter_Send(object iterator, object value, PyObject** result) except -1
    bint PyCoro_CheckExact(object o)
    void Py_INCREF(object o)
    void Py_DECREF(object o)
    object PyWeakref_NewRef(object referent, object callback)
    object PyObject_Call(object function, tuple args, dict kwargs)
    object PyContext_CopyCurrent()
    int PyContext_Enter(object context) except -1
    int PyContext_Exit(object context) except -1
    object PyContextVar_Set(object var, object value)
    int PyContextVar_Reset(object var, object token) except -1

cdef object UUID = uuid.UUID
cdef object partial = _partial
cdef object AsyncCallbackManager = _AsyncCallbackManager
cdef object child_config_var = _child_config
cdef str CONF = _constants.CONF
cdef str CALL = _constants.CONFIG_KEY_CALL


# What a task gets

cdef object calls_of(
    object runner, object task, object retry_policy, Futures futures, object schedule_task
):
    """What a task's `@task` calls go through."""
    return partial(
        _runner._acall,
        PyWeakref_NewRef(task, None),
        stream=runner.use_astream,
        retry_policy=retry_policy,
        futures=PyWeakref_NewRef(futures, None),
        schedule_task=schedule_task,
        submit=runner.submit,
        loop=futures.loop,
    )


# Starting

cdef class Start:
    """What the tasks of a superstep have in common."""

    cdef int run(self, Futures futures, object task) except -1:
        """Start a task."""
        cdef NodeRun run = NodeRun.__new__(NodeRun)
        run.start = self
        run.task = task
        run.tells_at_once = run.tells_its_end = True
        run.is_covered = self.covers(task)
        # What runs in the context of a covered attempt sets nothing in it.
        future = plain_task(
            run, self.loop, task.name, self.context if run.is_covered else PyContext_CopyCurrent()
        )
        keep(self.executor, future, self.on_exit)
        futures.enter(run, future, task, self.context)
        return 0

    cdef object calls_of(self, object task):
        return PyObject_Call(
            partial, (self.call, PyWeakref_NewRef(task, None)), self.call_keywords
        )

    cdef bint covers(self, object task) except -1:
        """Whether the attempt at a task is in the domain."""
        node = task.proc
        if self.node is not node:
            self.is_one_call = is_one_call(node)
            self.node = node
        return (
            self.is_one_call
            and outside(task, self.retry_policy) is None
            and starts_quietly(<dict>task.config)
        )


cdef Start start_of(
    object runner, object retry_policy, Futures futures, object schedule_task, object reraise
):
    """None where tasks have to be started in upstream's way."""
    cdef Start start
    if (
        not joins_contexts
        or runner.use_astream
        or not is_attempted_here(_runner.arun_with_retry)
        or not is_plain(futures.loop)
    ):
        return None
    executor = background_of(runner.submit())
    if executor is None or executor.loop is not futures.loop:
        return None
    start = Start.__new__(Start)
    start.call = _runner._acall
    start.call_keywords = {
        "stream": runner.use_astream,
        "retry_policy": retry_policy,
        "futures": PyWeakref_NewRef(futures, None),
        "schedule_task": schedule_task,
        "submit": runner.submit,
        "loop": futures.loop,
    }
    start.retry_policy = retry_policy
    start.loop = futures.loop
    start.executor = executor
    start.context = PyContext_CopyCurrent()
    start.on_exit = (True, reraise)
    return start


# The attempt

cdef class NodeRun(Entry):
    """The coroutine of a task's attempt, and what is called when it is done."""

    def __call__(self, future):
        forget(self.start.executor, future)
        # The context is that of all tasks; what is called may set something in it.
        context = PyContext_CopyCurrent()
        PyContext_Enter(context)
        try:
            self.settle(future)
        finally:
            PyContext_Exit(context)

    # As a coroutine

    def __await__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        return self.send(None)

    def send(self, value):
        """Run up to where it waits next."""
        cdef PyObject* result = NULL
        status = self.send_to(value, &result)
        found = <object>result
        Py_DECREF(found)
        if status == PYGEN_RETURN:
            raise StopIteration(found)
        return found

    def throw(self, kind, value=None, traceback=None):
        """Go on with an exception."""
        error = thrown(kind, value, traceback)
        if self.phase == DELEGATED:
            try:
                return self.delegate.throw(error)
            except BaseException:
                self.end()
                raise
        if self.phase == NEW or self.phase == OVER:
            self.end()
            raise error
        self.delegate = _fail(self, error, self.phase == ENDING)
        self.phase = DELEGATED
        self.inner = self.value = None
        return self.send(None)

    def close(self):
        """End it where it waits."""
        if self.phase == NEW or self.phase == OVER:
            self.end()
            return
        try:
            self.throw(GeneratorExit())
        except (GeneratorExit, StopIteration):
            return
        raise RuntimeError("coroutine ignored GeneratorExit")

    def __del__(self):
        if self.phase == NEW:
            warnings._warn_unawaited_coroutine(self)
        elif self.phase == CALLING or self.phase == ENDING:
            self.close()

    @property
    def __name__(self):
        return "arun_with_retry"

    @property
    def __qualname__(self):
        return "arun_with_retry"

    @property
    def cr_await(self):
        """What it waits for."""
        return self.delegate if self.phase == DELEGATED else self.inner

    @property
    def cr_origin(self):
        return None

    cdef int send_to(self, object value, PyObject** result) except -1:
        try:
            waited_for = self.advance(value)
        except BaseException:
            self.end()
            raise
        Py_INCREF(waited_for)
        result[0] = <PyObject*>waited_for
        return PYGEN_RETURN if self.phase == OVER else PYGEN_NEXT

    cdef object advance(self, object value):
        if self.phase == NEW:
            return self.begin()
        if self.phase == CALLING:
            inner, self.inner = self.inner, None
            return self.write(inner.result())
        if self.phase == ENDING:
            value, self.value = self.value, None
            self.inner = None
            self.end()
            return value
        if self.phase == DELEGATED:
            return self.go_on(value)
        raise RuntimeError("cannot reuse already awaited coroutine")

    cdef object begin(self):
        """Begin the attempt: have the function called in a task of its own."""
        cdef NodeCall call
        if not self.is_covered:
            self.delegate = _runner.arun_with_retry(
                self.task,
                self.start.retry_policy,
                stream=False,
                configurable={CALL: self.start.calls_of(self.task)},
            )
            return self.go_on(None)
        count_attempt()
        count_call()
        self.started = time.time()
        self.task.writes.clear()
        config = <dict>self.task.config
        self.manager = config["callbacks"]
        run_id = config.get("run_id")
        if run_id is None:
            run_id = new_run_id()
        # A number is nothing to the garbage collector.
        self.run_id = run_id.int if type(run_id) is UUID else run_id
        call = NodeCall.__new__(NodeCall)
        call.run = self
        call.step = (<list>self.task.proc.steps)[0]
        call.input = self.task.input
        self.inner = plain_task(call, self.start.loop, None, PyContext_CopyCurrent())
        self.phase = CALLING
        return awaited(self.inner)

    cdef int prepare(self) except -1:
        """Make the config with which the function is called, its callbacks and its runtime."""
        cdef dict config = attempt_config(
            self.task, {CALL: self.start.calls_of(self.task)}, self.started
        )
        self.manager = ready_manager(config, None, AsyncCallbackManager)
        config["callbacks"] = child_of(
            self.manager, self.id_of_run(), AsyncCallbackManager, "seq:step:1"
        )
        # They were for the callbacks that are replaced.
        config.pop("run_name", None)
        config.pop("run_id", None)
        self.own = config
        return 0

    cdef int forget_own(self) except -1:
        """Nobody was given the function's config, or what was is gone."""
        self.own = None
        if type(self.run_id) is UUID:
            self.run_id = self.run_id.int
        return 0

    cdef object id_of_run(self):
        """The id of the run, which stays the same one once it is made."""
        if type(self.run_id) is int:
            self.run_id = UUID(int=self.run_id)
        return self.run_id

    cdef dict config(self):
        """The config of the attempt, which the function's own was made from."""
        cdef dict config
        if self.own is None:
            return self.task.config
        config = self.own.copy()
        config["callbacks"] = self.manager
        if "run_name" in self.task.config:
            config["run_name"] = self.task.config["run_name"]
        return config

    cdef object write(self, object value):
        """Write what the function returned, and tell nobody of the end, as upstream does."""
        cdef list steps = self.task.proc.steps
        cdef Py_ssize_t index
        try:
            for index in range(1, len(steps)):
                if self.own is None:
                    # Writers look for where to write to, and have that from the task's config.
                    if not is_runnable(value) and write_channels(
                        steps[index], value, self.task.config
                    ):
                        continue
                    self.prepare()
                waiting = next_step(
                    index, steps[index], value, self.own, self.manager, self.id_of_run(), None
                )
                if waiting is not None:
                    self.delegate = _go_on(self, index, waiting)
                    return self.go_on(None)
        except BaseException as error:
            self.delegate = _fail(self, error, False)
        if self.delegate is not None:
            return self.go_on(None)
        if tells(self.manager):
            self.delegate = _told(self, ended(self.manager, self.id_of_run(), value), value)
            return self.go_on(None)
        loop = self.start.loop
        waiting = paused(loop) if is_plain(loop) else shielded_nothing()
        if waiting is None:
            self.end()
            return value
        self.value = value
        self.inner = waiting
        self.phase = ENDING
        return awaited(waiting)

    cdef object go_on(self, object value):
        """Have the coroutine go on that took over."""
        cdef PyObject* result = NULL
        self.phase = DELEGATED
        status = PyIter_Send(self.delegate, value, &result)
        found = <object>result
        Py_DECREF(found)
        if status == PYGEN_RETURN:
            self.end()
        return found

    cdef int end(self) except -1:
        """The task is done next."""
        if self.phase == OVER:
            return 0
        self.phase = OVER
        self.delegate = self.inner = None
        if self.futures is not None and not self.futures.closed:
            self.futures.ended.append(self)
        return 0

    cdef int let_go(self) except -1:
        Entry.let_go(self)
        self.start = self.manager = self.run_id = self.own = None
        return 0


cdef object awaited(object future):
    """What a coroutine yields to a task to wait for a future."""
    future._asyncio_future_blocking = True
    return future


cdef object thrown(object kind, object value, object traceback):
    """The exception that the arguments of a coroutine's `throw` stand for."""
    if isinstance(kind, BaseException):
        error = kind
    elif isinstance(value, BaseException):
        error = value
    else:
        error = kind() if value is None else kind(value)
    return error if traceback is None else error.with_traceback(traceback)


async def _ended(NodeRun run, coroutine):
    """The end of an attempt, as `arun_with_retry` has it."""
    task, config = run.task, run.config()
    try:
        return await coroutine
    except BaseException as error:
        raised = meaning(task, config, error)
        if raised is error:
            raise
        if raised is not None:
            raise raised from error


async def _fail_quietly(manager, run_id, error, bint is_told):
    """An error of the node's run, once what waits upstream has waited."""
    try:
        raise error
    except BaseException:
        waiting = None if is_told else failed(manager, run_id, error)
        if waiting is not None:
            try:
                await waiting
            except BaseException as other:
                # An interpreted coroutine gives what is thrown into it the error it handles.
                if other.__context__ is None and other is not error:
                    other.__context__ = error
                raise
        raise


cdef object _fail(NodeRun run, object error, bint is_told):
    return _ended(run, _fail_quietly(run.manager, run.id_of_run(), error, is_told))


async def _steps_from(NodeRun run, Py_ssize_t index, waiting):
    """The steps after one that waits."""
    cdef list steps = run.task.proc.steps
    own, manager, run_id = run.own, run.manager, run.id_of_run()
    try:
        value = await waiting
        for place in range(index + 1, len(steps)):
            waiting = next_step(place, steps[place], value, own, manager, run_id, None)
            if waiting is not None:
                value = await waiting
    except BaseException as error:
        await _fail_quietly(manager, run_id, error, False)
    waiting = ended(manager, run_id, value)
    if waiting is not None:
        await waiting
    return value


cdef object _go_on(NodeRun run, Py_ssize_t index, object waiting):
    return _ended(run, _steps_from(run, index, waiting))


async def _waited_for(waiting, value):
    await waiting
    return value


cdef object _told(NodeRun run, object waiting, object value):
    """The handlers that joined are told of the end."""
    return _ended(run, _waited_for(waiting, value))


# The call of the function

async def _result(awaitable):
    return await awaitable


cdef class NodeCall:
    """The coroutine of the task in which a node's function runs."""

    def __await__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        return self.send(None)

    def send(self, value):
        """Run up to where the function waits next."""
        cdef PyObject* result = NULL
        status = self.send_to(value, &result)
        found = <object>result
        Py_DECREF(found)
        if status == PYGEN_RETURN:
            raise StopIteration(found)
        return found

    def throw(self, kind, value=None, traceback=None):
        """Go on with an exception."""
        error = thrown(kind, value, traceback)
        if self.phase != CALLING:
            self.end()
            raise error
        try:
            return self.waiting.throw(error)
        except StopIteration as stop:
            value = stop.value
        except BaseException:
            self.end()
            raise
        if self.returned(value):
            raise StopIteration(value)
        return self.send(None)

    def close(self):
        """End it where it waits."""
        if self.phase == CALLING:
            self.phase = OVER
            self.waiting.close()
        self.phase = OVER

    def __del__(self):
        if self.phase == NEW:
            warnings._warn_unawaited_coroutine(self)

    @property
    def __name__(self):
        return "ainvoke"

    @property
    def __qualname__(self):
        return "RunnableCallable.ainvoke"

    @property
    def cr_await(self):
        """What it waits for."""
        return self.waiting

    @property
    def cr_origin(self):
        return None

    cdef int send_to(self, object value, PyObject** result) except -1:
        cdef PyObject* found = NULL
        if self.phase == OVER:
            raise RuntimeError("cannot reuse already awaited coroutine")
        try:
            if self.phase == NEW:
                self.begin()
            while True:
                status = PyIter_Send(self.waiting, value, &found)
                if status != PYGEN_RETURN or self.returned(<object>found):
                    break
                Py_DECREF(<object>found)
                value = None
        except StopIteration as error:
            self.end()
            raise RuntimeError("coroutine raised StopIteration") from error
        except BaseException:
            self.end()
            raise
        result[0] = found
        return status

    cdef int begin(self) except -1:
        """Call the function, in the context of its run."""
        cdef NodeRun run = self.run
        cdef dict given
        step = self.step
        self.phase = CALLING
        run.prepare()
        self.own = run.own
        self.token = PyContextVar_Set(child_config_var, self.own)
        given = dict(step.kwargs)
        inject(step, self.own, given)
        coroutine = called(step.afunc, self.input, given)
        self.waiting = coroutine if PyCoro_CheckExact(coroutine) else _result(coroutine)
        return 0

    cdef bint returned(self, object value) except -1:
        """The function returned; False if what it returned is to be run in its place."""
        step = self.step
        if step is not None and step.recurse and is_runnable(value):
            self.step = None
            self.waiting = _result(value.ainvoke(self.input, self.own))
            return False
        self.end()
        return True

    cdef int end(self) except -1:
        """Leave the context as it was: somebody may have kept it."""
        self.phase = OVER
        if self.run is not None:
            if self.step is not None and not self.step.func_accepts:
                self.run.forget_own()
            self.run = None
        self.step = self.input = self.waiting = self.own = None
        if self.token is not None:
            token, self.token = self.token, None
            PyContextVar_Reset(child_config_var, token)
        return 0


cdef int step_run(object self, object value, PyObject** result) except -1:
    return (<NodeRun>self).send_to(value, result)


cdef int step_call(object self, object value, PyObject** result) except -1:
    return (<NodeCall>self).send_to(value, result)


fastgraph_steps_by(NodeRun, <sendfunc>step_run)
fastgraph_steps_by(NodeCall, <sendfunc>step_call)
