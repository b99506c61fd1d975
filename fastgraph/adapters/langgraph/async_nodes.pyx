"""Running an async node: the sequence of its function and its writers, in their callback runs.

As in sync runs, run managers without handlers and child runs of channel writers and branches are
not made. A node's function and the path of a branch run in a task of their own in a copy of the
context, as upstream has it; what suspends upstream suspends here for as many turns of the loop.

Domain: exactly `RunnableSeq` without trace transforms; any `RunnableCallable` with an async
function, as long as its config is a plain dict.
"""

from langchain_core.callbacks.manager import AsyncCallbackManager as _AsyncCallbackManager
from langgraph._internal import _runnable
from langgraph.graph import state as _state
from langgraph.pregel import _write

from fastgraph.adapters.langgraph.branches cimport Branch, branch_of
from fastgraph.adapters.langgraph.callbacks cimport (
    child_of,
    grandchild_of,
    is_aquiet,
    is_stock,
    late_run,
    new_run_id,
    ready_manager,
    tells,
)
from fastgraph.adapters.langgraph.channel_writes cimport (
    is_runnable,
    write_channels,
    writes_channels,
)
from fastgraph.adapters.langgraph.inline_handlers cimport begun, finished, starts_inline
from fastgraph.adapters.langgraph.nodes cimport (
    hides_config,
    inject,
    is_method,
    traced_run,
    traces_as_is,
    with_callbacks,
    writes_alone,
)
from fastgraph.adapters.langgraph.thread_calls cimport called
from fastgraph.adapters.langgraph.turns cimport (
    enter_scope,
    joins_contexts,
    leave_scope,
    new_task,
    shielded_nothing,
)
from fastgraph.kernels.tally cimport Tally

cdef object AsyncCallbackManager = _AsyncCallbackManager
cdef object Sequence = _runnable.RunnableSeq
cdef str upstreams_mappers = _state.__name__
cdef object Callable = _runnable.RunnableCallable
cdef object ChannelWrite = _write.ChannelWrite

cdef object stock_seq_ainvoke
cdef object stock_callable_ainvoke
cdef Tally seq_tally
cdef Tally callable_tally


cdef object run_id_of(dict config):
    """The id of the run that starts with `config`, which gives it away."""
    run_id = config.pop("run_id", None)
    return new_run_id() if run_id is None else run_id


cdef object ended(object manager, object run_id, object value):
    """What to await for `on_chain_end(value)` of a run that had nobody to tell; None if nothing."""
    if tells(manager):
        return late_run(manager, run_id).on_chain_end(value)
    return shielded_nothing()


cdef object failed(object manager, object run_id, object error):
    """The same for `on_chain_error(error)`."""
    if tells(manager) or isinstance(error, GeneratorExit):
        return late_run(manager, run_id).on_chain_error(error)
    return shielded_nothing()


# Branches

cdef dict step_config(dict config, object source, object run_id, str tag, bint was_started):
    """The config of a step of the run `run_id`; of a step whose run was started, if so."""
    manager = child_of(source, run_id, AsyncCallbackManager, tag)
    if was_started and config.get("metadata"):
        manager.add_metadata(config["metadata"])
    return with_callbacks(config, manager)


cdef bint answers_unseen(Branch branch, dict config, object source, str tag) except -1:
    """Whether the path can be called without the manager of the step."""
    path = branch.path
    return (
        hides_config(path, config)
        and bool(path.afunc)
        and is_method(path.ainvoke, own_callable_ainvoke)
        and tag not in source.inheritable_tags
    )


async def _answer(Branch branch, value, dict config, source, run_id, str tag):
    """`await path.ainvoke(value, config)` for a path without handlers."""
    callable_tally.calls += 1
    path = branch.path
    given = (<dict>path.kwargs).copy()
    inject(path, config, given)
    path_id = new_run_id()
    own = with_callbacks(
        config, grandchild_of(source, path_id, AsyncCallbackManager, config.get("metadata"))
    )
    try:
        coroutine = called(path.afunc, value, given)
        if joins_contexts:
            scope = enter_scope(own, None)
            try:
                answer = await new_task(coroutine, scope[0])
            finally:
                leave_scope(scope, None)
        else:
            answer = await coroutine
    except BaseException as error:
        waiting = (
            late_run(child_of(source, run_id, AsyncCallbackManager, tag), path_id)
            .on_chain_error(error)
            if isinstance(error, GeneratorExit)
            else shielded_nothing()
        )
        if waiting is not None:
            try:
                await waiting
            except BaseException as thrown:
                # An interpreted coroutine gives what is thrown into it the error it handles.
                if thrown.__context__ is None and thrown is not error:
                    thrown.__context__ = error
                raise
        raise
    waiting = shielded_nothing()
    if waiting is not None:
        await waiting
    if path.recurse and is_runnable(answer):
        return await answer.ainvoke(value, step_config(config, source, run_id, tag, True))
    return answer


async def _branch(Branch branch, value, dict config, source, run_id, str tag):
    """`await step.ainvoke(value, config)` of a step that is a branch."""
    state = branch.state(value, config)
    if answers_unseen(branch, config, source, tag):
        answer = await _answer(branch, state, config, source, run_id, tag)
    else:
        answer = await branch.path.ainvoke(
            state, step_config(config, source, run_id, tag, False)
        )
    entries = branch.go(answer, config)
    if entries is None:
        return value
    return await ChannelWrite(entries).ainvoke(
        value, step_config(config, source, run_id, tag, True)
    )


async def _told_branch(Branch branch, value, dict config):
    """The same where handlers hear the run of the path."""
    answer = await branch.path.ainvoke(branch.state(value, config), config)
    entries = branch.go(answer, config)
    if entries is None:
        return value
    return await ChannelWrite(entries).ainvoke(value, config)


# RunnableSeq.ainvoke

cdef object next_step(
    Py_ssize_t index, object step, object value, dict config, object source, object run_id,
    object run,
):
    """What to await for a step after the first; None if it was a writer, which has written."""
    cdef Branch branch = None
    cdef str tag
    if not is_runnable(value):
        if writes_channels(step) and write_channels(step, value, config):
            return None
        branch = branch_of(step, True)
    tag = f"seq:step:{index + 1}"
    if run is not None:
        config = with_callbacks(config, run.get_child(tag))
        if branch is not None:
            return _told_branch(branch, value, config)
        return step.ainvoke(value, config)
    if branch is not None:
        return _branch(branch, value, config, source, run_id, tag)
    return step.ainvoke(value, step_config(config, source, run_id, tag, False))


class RunnableSeq:
    """A coroutine's name is its method's, in reprs, warnings and `Task.get_coro()`: upstream's."""

    async def ainvoke(self, input, config=None, **kwargs):
        """Run the steps of a sequence one after the other.

        Replaces `langgraph._internal._runnable.RunnableSeq.ainvoke`.
        """
        cdef Py_ssize_t index
        cdef list steps

        seq_tally.calls += 1
        if type(self) is not Sequence or type(config) is not dict or type(self.steps) is not list:
            seq_tally.fell_back("a subclass, or no plain config")
            return await stock_seq_ainvoke(self, input, config, **kwargs)
        if not traces_as_is(self):
            seq_tally.fell_back("a trace transform")
            return await stock_seq_ainvoke(self, input, config, **kwargs)
        manager = ready_manager(config, None, AsyncCallbackManager)
        run = run_id = traced = None
        if is_aquiet(manager):
            run_id = run_id_of(config)
        elif starts_inline(manager):
            name = config.get("run_name") or self.get_name()
            run = begun(manager, input, config.pop("run_id", None), name)
        else:
            run = await manager.on_chain_start(
                None,
                input,
                name=config.get("run_name") or self.get_name(),
                run_id=config.pop("run_id", None),
            )
        value = input
        steps = self.steps
        try:
            if run is None:
                own = with_callbacks(
                    config, child_of(manager, run_id, AsyncCallbackManager, "seq:step:1")
                )
            else:
                own = with_callbacks(config, run.get_child("seq:step:1"))
            if joins_contexts:
                if run is not None:
                    traced = traced_run(run)
                scope = enter_scope(own, traced)
                try:
                    value = await new_task(steps[0].ainvoke(value, own, **kwargs), scope[0])
                finally:
                    leave_scope(scope, traced)
            else:
                value = await steps[0].ainvoke(value, own, **kwargs)
            for index in range(1, len(steps)):
                waiting = next_step(index, steps[index], value, own, manager, run_id, run)
                if waiting is not None:
                    value = await waiting
        except BaseException as error:
            if run is None:
                waiting = failed(manager, run_id, error)
            else:
                waiting = run.on_chain_error(error)
            if waiting is not None:
                try:
                    await waiting
                except BaseException as thrown:
                    # An interpreted coroutine gives what is thrown into it the error it handles.
                    if thrown.__context__ is None and thrown is not error:
                        thrown.__context__ = error
                    raise
            raise
        waiting = ended(manager, run_id, value) if run is None else finished(run, value)
        if waiting is not None:
            await waiting
        return value


seq_ainvoke = RunnableSeq.ainvoke


cdef object own_seq_ainvoke = seq_ainvoke


cdef bint is_one_call(object sequence) except -1:
    """Whether a node is one plain async function, and channel writers after it."""
    cdef Py_ssize_t index
    cdef list steps
    if type(sequence) is not Sequence or not is_stock(Sequence, "ainvoke", own_seq_ainvoke):
        return False
    if type(sequence.steps) is not list or not traces_as_is(sequence):
        return False
    steps = sequence.steps
    if not steps or not calls_function(steps[0]):
        return False
    for index in range(1, len(steps)):
        if not writes_channels(steps[index]) or maps_values(steps[index]):
            return False
    return True


cdef bint maps_values(object writer) except -1:
    """Whether a channel writer has a function of somebody's to call."""
    for entry in writer.writes:
        mapper = getattr(entry, "mapper", None)
        if mapper is not None and getattr(mapper, "__module__", None) != upstreams_mappers:
            return True
    return False


cdef bint calls_function(object step) except -1:
    """Whether a step does no more than to call its async function."""
    return (
        type(step) is Callable
        and is_stock(Callable, "ainvoke", own_callable_ainvoke)
        and not step.trace
        and not step.explode_args
        and bool(step.afunc)
    )


cdef bint starts_quietly(dict config) except -1:
    """Whether a chain with this config tells nobody of its start."""
    return is_aquiet(config.get("callbacks"))


cdef int count_call() except -1:
    """Count a node that was run without going through the functions here."""
    seq_tally.calls += 1
    callable_tally.calls += 1
    return 0


def make_seq_ainvoke(original, Tally tally not None, str variant):
    global stock_seq_ainvoke, seq_tally
    stock_seq_ainvoke, seq_tally = original, tally
    return seq_ainvoke


# RunnableCallable.ainvoke

async def _traced(self, input, dict config, dict given):
    """Call the function as a run of its own."""
    manager = ready_manager(config, self.tags, AsyncCallbackManager)
    run = run_id = traced = None
    if is_aquiet(manager):
        run_id = run_id_of(config)
    elif starts_inline(manager):
        name = config.get("run_name") or self.name
        run = begun(manager, input, config.pop("run_id", None), name)
    else:
        run = await manager.on_chain_start(
            None,
            input,
            name=config.get("run_name") or self.name,
            run_id=config.pop("run_id", None),
        )
    try:
        if run is None:
            own = with_callbacks(config, child_of(manager, run_id, AsyncCallbackManager, None))
        else:
            own = with_callbacks(config, run.get_child())
        coroutine = called(self.afunc, input, given)
        if joins_contexts:
            if run is not None:
                traced = traced_run(run)
            scope = enter_scope(own, traced)
            try:
                value = await new_task(coroutine, scope[0])
            finally:
                leave_scope(scope, traced)
        else:
            value = await coroutine
    except BaseException as error:
        if run is None:
            waiting = failed(manager, run_id, error)
        else:
            waiting = run.on_chain_error(error)
        if waiting is not None:
            try:
                await waiting
            except BaseException as thrown:
                # An interpreted coroutine gives what is thrown into it the error it handles.
                if thrown.__context__ is None and thrown is not error:
                    thrown.__context__ = error
                raise
        raise
    waiting = ended(manager, run_id, value) if run is None else finished(run, value)
    if waiting is not None:
        await waiting
    return value


class RunnableCallable:
    """For the name of the coroutine, as above."""

    async def ainvoke(self, input, config=None, **kwargs):
        """Call the async function with its input and with what it asks to be given.

        Replaces `langgraph._internal._runnable.RunnableCallable.ainvoke`.
        """
        callable_tally.calls += 1
        if not self.afunc or type(config) is not dict or self.explode_args:
            callable_tally.fell_back("no async function, no plain config, or exploded arguments")
            return await stock_callable_ainvoke(self, input, config, **kwargs)
        if not kwargs and writes_alone(self, input, config):
            return input
        given = dict(self.kwargs)
        if kwargs:
            given.update(kwargs)
        inject(self, config, given)
        if self.trace:
            value = await _traced(self, input, config, given)
        else:
            value = await called(self.afunc, input, given)
        if self.recurse and is_runnable(value):
            return await value.ainvoke(input, config)
        return value


callable_ainvoke = RunnableCallable.ainvoke


cdef object own_callable_ainvoke = callable_ainvoke


def make_callable_ainvoke(original, Tally tally not None, str variant):
    global stock_callable_ainvoke, callable_tally
    stock_callable_ainvoke, callable_tally = original, tally
    return callable_ainvoke
