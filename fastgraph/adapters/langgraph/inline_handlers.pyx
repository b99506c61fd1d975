"""Telling upstream's own handler of messages what happens, without a coroutine for each event.

In async runs upstream tells each handler in a coroutine, gathers those that are not called inline
and does so in a shielded task of its own when a run ends. The handler that streams messages is
called inline, waits for nothing, reads no context variable and does not ask which task is running:
it is called directly, in the turn of the event loop in which that task would call it, and the
caller goes on in the turn in which the shield would let it.

Domain: exactly upstream's handlers of messages, with upstream's methods. Whatever else hears a run
is told by upstream.
"""

from langchain_core.callbacks import manager as _manager
from langchain_core.callbacks.manager import AsyncCallbackManager as _AsyncCallbackManager
from langgraph.pregel import _messages

from fastgraph.adapters.langgraph.callbacks cimport (
    asks_stock,
    is_stock,
    new_run_id,
    plain,
    run_of,
)
from fastgraph.adapters.langgraph.turns cimport Turns, plain_loop, shielded

cdef object AsyncCallbackManager = _AsyncCallbackManager
cdef object AsyncChainRun = _manager.AsyncCallbackManagerForChainRun
cdef dict manager_names = _manager.__dict__
cdef object tell_all = _manager.ahandle_event
cdef object tell_one = _manager._ahandle_event_for_handler
cdef object MessagesHandler = _messages.StreamMessagesHandler
cdef object MessagesHandlerV2 = getattr(_messages, "StreamMessagesHandlerV2", MessagesHandler)
cdef object starts = MessagesHandler.on_chain_start
cdef object ends = MessagesHandler.on_chain_end


cdef bint is_own(object handler) except -1:
    """Whether a handler is upstream's and does as upstream wrote it."""
    cls = type(handler)
    return (
        (cls is MessagesHandler or cls is MessagesHandlerV2)
        and is_stock(cls, "on_chain_start", starts)
        and is_stock(cls, "on_chain_end", ends)
        and handler.run_inline is True
        and not handler.raise_error
        and not handler.ignore_chain
    )


cdef bint all_own(object handlers) except -1:
    """The same of several, which may be others than those that heard the start."""
    for handler in handlers:
        if not is_own(handler):
            return False
    return True


cdef bint are_own(object manager) except -1:
    """Whether all that hear what `manager` starts are upstream's, and so is how they are told."""
    if type(manager) is not AsyncCallbackManager or type(manager.handlers) is not list:
        return False
    if not plain(manager) or not asks_stock():
        return False
    if (
        manager_names.get("ahandle_event") is not tell_all
        or manager_names.get("_ahandle_event_for_handler") is not tell_one
    ):
        return False
    return all_own(manager.handlers)


class Raising:
    """A handler of the given class that raises `error` at every event."""

    run_inline = True

    def __init__(self, handler, error):
        self.kind = type(handler)
        self.raise_error = handler.raise_error
        self.error = error

    @property
    def __class__(self):
        return self.kind

    def on_chain_start(self, *args, **kwargs):
        raise self.error

    def on_chain_end(self, *args, **kwargs):
        raise self.error


cdef int report(object handler, str event, object error) except -1:
    """Have upstream log that `handler` raised `error`."""
    try:
        tell_one(Raising(handler, error), event, None).send(None)
    except StopIteration:
        pass
    return 0


cdef object begun(object manager, object inputs, object run_id, object name):
    """`await manager.on_chain_start(None, inputs, name=name, run_id=run_id)`; see `are_own`."""
    if run_id is None:
        run_id = new_run_id()
    for handler in list(manager.handlers):
        try:
            handler.on_chain_start(
                None,
                inputs,
                run_id=run_id,
                parent_run_id=manager.parent_run_id,
                tags=manager.tags,
                metadata=manager.metadata,
                name=name,
            )
        except Exception as error:
            report(handler, "on_chain_start", error)
    return run_of(manager, AsyncChainRun, run_id)


cdef class Ending(Turns):
    """Tells the handlers of a run that it is over, in the turn in which upstream's task would."""

    cdef object run
    cdef object outputs

    cdef bint act(self) except -1:
        run = self.run
        for handler in list(run.handlers):
            try:
                handler.on_chain_end(
                    self.outputs,
                    run_id=run.run_id,
                    parent_run_id=run.parent_run_id,
                    tags=run.tags,
                )
            except Exception as error:
                report(handler, "on_chain_end", error)
        return True


cdef object finished(object run, object outputs):
    """What to await for `run.on_chain_end(outputs)` of a run that `begun` started; None if nothing.
    """
    cdef Ending ending
    loop = plain_loop()
    if loop is None or not all_own(run.handlers):
        return run.on_chain_end(outputs)
    ending = Ending.__new__(Ending)
    ending.run = run
    ending.outputs = outputs
    return shielded(ending, loop)
