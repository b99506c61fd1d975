"""What AG-UI's agent makes of an event of the stream: nothing, for most, or a piece of a text.

Upstream asks several questions of every event that only those of tools and subagents answer, and
goes through six hundred lines for a token. Here a token of a text that has begun is looked at for
what those lines would find in it, and becomes the one event that they make of it.

Domain: a chunk of text as `message_chunks` has it, in a message that its lane has begun, while
nobody reasons; agents whose methods on that way are upstream's. All else goes upstream's way, and
so does whoever treats what `_handle_single_event` returns as a generator.
"""

from ag_ui_langgraph import agent as _agent
from cpython.object cimport PyObject, PyTypeObject

from fastgraph.adapters.ag_ui.event_models cimport new_event
from fastgraph.adapters.ag_ui.message_chunks cimport text_chunk
from fastgraph.kernels.tally cimport Tally

cdef extern from "Python.h":
    PyObject* _PyType_Lookup(PyTypeObject* cls, object name)

cdef object Agent = _agent.LangGraphAgent
cdef object CONTENT = _agent.EventType.TEXT_MESSAGE_CONTENT
cdef object ROOT_LANE = _agent._ROOT_LANE
cdef str TOKEN = _agent.LangGraphEventTypes.OnChatModelStream.value
cdef str CHAIN_STARTS = _agent.LangGraphEventTypes.OnChainStart.value
cdef str TOOL_STARTS = _agent.LangGraphEventTypes.OnToolStart.value
cdef str TOOL_ENDS = _agent.LangGraphEventTypes.OnToolEnd.value
cdef str TOOL_FAILS = _agent.LangGraphEventTypes.OnToolError.value
cdef dict agent_names = _agent.__dict__

#: What is done without here: somebody may have replaced one, for all agents or for his own.
cdef list METHODS = [
    (name, Agent.__dict__[name])
    for name in (
        "get_message_in_progress", "_current_lane", "_get_reasoning_process", "_record_usage",
    )
]
cdef list FUNCTIONS = [
    (name, agent_names[name])
    for name in (
        "resolve_reasoning_content",
        "resolve_encrypted_reasoning_content",
        "resolve_message_content",
        "TextMessageContentEvent",
    )
]
cdef list BOUNDARIES = [
    (name, agent_names[name])
    for name in ("_record_subagent_boundaries", "derive_subagent_context")
]

cdef object stock_dispatches
cdef object stock_meta
cdef object stock_finish
cdef object stock_reconcile
cdef object stock_single
cdef Tally dispatches_tally
cdef Tally meta_tally
cdef Tally finish_tally
cdef Tally reconcile_tally
cdef Tally single_tally


cdef inline str name_of(object event):
    """The name of an event; None if it has none that is text."""
    if type(event) is not dict:
        return None
    name = (<dict>event).get("event")
    return name if type(name) is str else None


cdef bint are_own(list known) except -1:
    """Whether the agent's module has its own functions by these names."""
    for name, function in known:
        if agent_names.get(name) is not function:
            return False
    return True


# Events that say nothing of tools and subagents

def _capture_task_tool_dispatch(self, event):
    """Note which call of a tool starts a subagent.

    Replaces `ag_ui_langgraph.agent.LangGraphAgent._capture_task_tool_dispatch`.
    """
    cdef str name = name_of(event)
    dispatches_tally.calls += 1
    if name is not None and name != CHAIN_STARTS:
        return None
    dispatches_tally.fell_back("a chain starts")
    return stock_dispatches(self, event)


def _capture_subagent_task_meta(self, event):
    """Note what a subagent is called.

    Replaces `ag_ui_langgraph.agent.LangGraphAgent._capture_subagent_task_meta`.
    """
    cdef str name = name_of(event)
    meta_tally.calls += 1
    if name is not None and name != TOOL_STARTS:
        return None
    meta_tally.fell_back("a tool starts")
    return stock_meta(self, event)


def _finish_subagent_on_task_end(self, event):
    """Make the events of a subagent that is done.

    Replaces `ag_ui_langgraph.agent.LangGraphAgent._finish_subagent_on_task_end`.
    """
    cdef str name = name_of(event)
    finish_tally.calls += 1
    if name is not None and name != TOOL_ENDS and name != TOOL_FAILS:
        return []
    finish_tally.fell_back("a tool ends")
    return stock_finish(self, event)


def reconcile_subagents(active_run, ns, lc_agent_name, subgraphs):
    """Make the events of a subagent that begins.

    Replaces `ag_ui_langgraph.agent.reconcile_subagents`.
    """
    cdef dict run
    reconcile_tally.calls += 1
    # A namespace of one part is the graph's own node, of no tool's.
    if type(active_run) is dict and type(ns) is str and "|" not in ns and are_own(BOUNDARIES):
        run = <dict>active_run
        if "subagent_segments" not in run:
            run["subagent_segments"] = set()
        run["current_subagent_run_id"] = None
        if "closed_subagents" not in run:
            run["closed_subagents"] = set()
        return []
    reconcile_tally.fell_back("within a subgraph")
    return stock_reconcile(active_run, ns, lc_agent_name, subgraphs)


# Tokens

cdef bint is_bare(object agent) except -1:
    """Whether an agent's methods are upstream's where they are done without."""
    cdef dict own = agent.__dict__
    cdef object kind = type(agent)
    for name, function in METHODS:
        if _PyType_Lookup(<PyTypeObject*>kind, name) != <PyObject*>function or name in own:
            return False
    return are_own(FUNCTIONS)


cdef bint is_text(dict held) except -1:
    """Whether a chunk has nothing but a piece of text."""
    cdef dict given = held["response_metadata"]
    cdef dict more = held["additional_kwargs"]
    if not held["content"] or (given and given.get("finish_reason")):
        return False
    return not more or ("reasoning" not in more and "reasoning_content" not in more)


cdef object message_of(object agent, dict run):
    """The message that a lane has begun; None if it has not, or reasons or calls a tool."""
    lane = ROOT_LANE
    if agent.emit_subagent_events:
        lane = run.get("current_subagent_run_id") or ROOT_LANE
    reasoning = run.get("reasoning_processes")
    if reasoning and (type(reasoning) is not dict or (<dict>reasoning).get(lane) is not None):
        return None
    messages = agent.messages_in_process
    if type(messages) is not dict or "id" not in run:
        return None
    lanes = (<dict>messages).get(run["id"])
    if type(lanes) is not dict:
        return None
    begun = (<dict>lanes).get(lane)
    if type(begun) is not dict or (<dict>begun).get("tool_call_id"):
        return None
    return (<dict>begun).get("id") or None


cdef object content_of(object agent, dict event):
    """The event of a token of a text that has begun; None outside the domain."""
    cdef dict held
    run = agent.active_run
    metadata = event.get("metadata")
    data = event.get("data")
    if type(run) is not dict or type(metadata) is not dict or type(data) is not dict:
        return None
    if (<dict>metadata).get("emit-messages", True) is not True or not is_bare(agent):
        return None
    held = text_chunk((<dict>data).get("chunk"))
    if held is None or not is_text(held):
        return None
    message = message_of(agent, <dict>run)
    if type(message) is not str:
        return None
    return new_event(
        agent_names["TextMessageContentEvent"],
        {"type": CONTENT, "message_id": message, "delta": held["content"], "raw_event": event},
    )


async def _closed():
    pass


async def _raised(error, value=None, trace=None):
    """What a generator does with an error that is thrown into it: pass it on."""
    if isinstance(error, BaseException):
        raise error
    raise value if isinstance(value, BaseException) else error(*(() if value is None else (value,)))


cdef class Events:
    """The events that are made of a token: what a generator is for whoever goes through it.

    Nothing is looked at before the first event is asked for, or sent before it is awaited.
    """

    cdef object agent
    cdef object event
    cdef object state
    cdef object generator  # upstream's, if it goes its way
    cdef object ready
    cdef bint is_begun

    cdef object stock(self):
        """Upstream's generator, if this has not gone another way."""
        if not self.is_begun:
            self.is_begun = True
            self.generator = stock_single(self.agent, self.event, self.state)
        return self.generator

    def __aiter__(self):
        return self

    def __anext__(self):
        if not self.is_begun:
            try:
                self.ready = content_of(self.agent, <dict>self.event)
            except Exception:  # which upstream is to raise, if it does
                self.ready = None
            if self.ready is None:
                single_tally.fell_back("not of a text that has begun")
                self.stock()
            else:
                self.is_begun = True
        return self if self.generator is None else self.generator.__anext__()

    def __await__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        event, self.ready = self.ready, None
        if event is None:
            raise StopAsyncIteration
        try:
            event = self.agent._dispatch_event(event)
        except StopIteration as error:
            raise RuntimeError("async generator raised StopIteration") from error
        except StopAsyncIteration as error:
            raise RuntimeError("async generator raised StopAsyncIteration") from error
        raise StopIteration(event)

    def asend(self, value):
        generator = self.stock()
        return self if generator is None else generator.asend(value)

    def athrow(self, *error):
        generator = self.stock()
        if generator is not None:
            return generator.athrow(*error)
        self.ready = None
        return _raised(*error)

    def aclose(self):
        generator = self.stock()
        if generator is not None:
            return generator.aclose()
        self.ready = None
        return _closed()


def _handle_single_event(self, event, state):
    """Translate an event of the stream.

    Replaces `ag_ui_langgraph.agent.LangGraphAgent._handle_single_event`.
    """
    cdef Events events
    single_tally.calls += 1
    if name_of(event) != TOKEN:
        single_tally.fell_back("no token")
        return stock_single(self, event, state)
    events = Events.__new__(Events)
    events.agent, events.event, events.state = self, event, state
    return events


def make_capture_task_tool_dispatch(original, Tally tally not None, str variant):
    global stock_dispatches, dispatches_tally
    stock_dispatches, dispatches_tally = original, tally
    return _capture_task_tool_dispatch


def make_capture_subagent_task_meta(original, Tally tally not None, str variant):
    global stock_meta, meta_tally
    stock_meta, meta_tally = original, tally
    return _capture_subagent_task_meta


def make_finish_subagent_on_task_end(original, Tally tally not None, str variant):
    global stock_finish, finish_tally
    stock_finish, finish_tally = original, tally
    return _finish_subagent_on_task_end


def make_reconcile_subagents(original, Tally tally not None, str variant):
    global stock_reconcile, reconcile_tally
    stock_reconcile, reconcile_tally = original, tally
    return reconcile_subagents


def make_handle_single_event(original, Tally tally not None, str variant):
    global stock_single, single_tally
    stock_single, single_tally = original, tally
    return _handle_single_event
