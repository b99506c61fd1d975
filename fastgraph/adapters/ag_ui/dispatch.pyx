"""The point that every event passes on its way out: what rides along is made JSON.

Domain: exactly the event models of `ag_ui.core`, a run that hides nothing, no subagent at work.
"""

from ag_ui.core import events as _events
from ag_ui_langgraph import agent as _agent

from fastgraph.adapters.ag_ui.event_models cimport fields_of, set_field
from fastgraph.adapters.ag_ui.json_safe cimport json_safe
from fastgraph.adapters.ag_ui.json_safe import make_json_safe as _ours
from fastgraph.kernels.tally cimport Tally

cdef object RAW = _events.EventType.RAW
cdef object HIDDEN = _agent.SUBAGENT_VISIBILITY_HIDDEN
cdef object ours = _ours
cdef dict agent_names = _agent.__dict__
cdef object stock_accumulate = _agent.LangGraphAgent._accumulate_subagent_message
cdef object stock_dispatch
cdef Tally dispatch_tally


cdef inline object plain(object value):
    """`make_json_safe(value)`, whoever has replaced it."""
    function = agent_names["make_json_safe"]
    return json_safe(value) if function is ours else function(value)


cdef bint is_plain_run(object agent, object run) except -1:
    """Whether a run sends what it is told to, of no subagent's."""
    if run is None:
        return True
    return (
        type(run) is dict
        and agent.subagent_visibility != HIDDEN
        and not (
            run and agent.emit_subagent_events and (<dict>run).get("current_subagent_run_id")
        )
    )


cdef bint remembers(object agent, object run, dict own) except -1:
    """Whether `_accumulate_subagent_message` would note anything of an event."""
    if run is None:
        return False
    if own.get("subagent_run_id") is not None:
        return True
    for name in ("subagent_messages", "subagent_tool_call_owner"):
        known = (<dict>run).get(name)
        if known is not None and (type(known) is not dict or len(<dict>known)):
            return True
    return False


cdef bint dispatched(object agent, object event) except -1:
    """Do what `_dispatch_event` does to an event; False outside the domain."""
    cdef dict own
    run = getattr(agent, "active_run", None)
    if fields_of(type(event)) is None or not is_plain_run(agent, run):
        return False
    accumulate = agent._accumulate_subagent_message
    if getattr(accumulate, "__func__", None) is not stock_accumulate:
        return False
    own = event.__dict__
    if own["type"] is RAW:
        set_field(event, own, "event", plain(own["event"]))
    elif own["raw_event"]:
        if agent.emit_raw_events:
            set_field(event, own, "raw_event", plain(own["raw_event"]))
        else:
            set_field(event, own, "raw_event", None)
    if remembers(agent, run, own):
        accumulate(event)
    return True


def _dispatch_event(self, event):
    """Make an event ready to be sent.

    Replaces `ag_ui_langgraph.agent.LangGraphAgent._dispatch_event`.
    """
    dispatch_tally.calls += 1
    if dispatched(self, event):
        return event
    dispatch_tally.fell_back("subagents, or no event of AG-UI's")
    return stock_dispatch(self, event)


def make_dispatch_event(original, Tally tally not None, str variant):
    global stock_dispatch, dispatch_tally
    stock_dispatch, dispatch_tally = original, tally
    return _dispatch_event
