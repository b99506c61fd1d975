"""Triggers: which nodes run in the next superstep.

Domain: checkpoint, versions, nodes and channels in plain dicts; a tasks channel that is a `Topic`.
Upstream asks every node whenever it does not know what was updated, which is at both ends of each
run. With `trigger_to_nodes`, and unless a channel is of a type of the user's, the trigger index
answers from the channels that hold a value. It describes the graph as `validate()` last saw it,
as `trigger_to_nodes` does.
"""

import binascii
import functools
import weakref

from cpython.dict cimport PyDict_GetItemWithError, PyDict_Next
from cpython.object cimport PyObject

from langgraph._internal._constants import PULL as _PULL
from langgraph._internal._constants import PUSH as _PUSH
from langgraph._internal._constants import TASKS as _TASKS
from langgraph.channels.topic import Topic as _Topic
from langgraph.pregel import _algo

from fastgraph.adapters.langgraph.channels cimport (
    ChannelTable,
    available,
    kind_of,
    topic_list,
    unusual,
)
from fastgraph.adapters.langgraph.tasks cimport Superstep, prepared, prepares_tasks
from fastgraph.kernels.tally cimport Tally
from fastgraph.kernels.trigger_index cimport TriggerIndex
from fastgraph.kernels.version_vector cimport VersionVector, later

cdef object PULL = _PULL
cdef object PUSH = _PUSH
cdef object TASKS = _TASKS
cdef object Topic = _Topic
cdef object unhexlify = binascii.unhexlify

cdef object stock_prepare
cdef Tally triggers_tally
cdef Tally prepare_tally


# The trigger index of a graph

# id(first node) -> (weak reference to it, [(trigger_to_nodes, number of nodes, index), ...]). A
# graph is a plain dict of nodes and cannot be referred to weakly; its first node can, and dies
# with it. Two threads may both build an index for a new graph; either will do.
cdef dict indexes = {}

# Copies of a graph (`with_config`) share their nodes but not their `trigger_to_nodes`.
cdef enum:
    COPIES = 8


cdef TriggerIndex build_index(dict nodes, dict trigger_to_nodes):
    """The index of a graph; None if `trigger_to_nodes` says something else than its nodes."""
    cdef TriggerIndex index = TriggerIndex({name: node.triggers for name, node in nodes.items()})
    if index.nodes_of.keys() != trigger_to_nodes.keys():
        return None
    for channel, names in trigger_to_nodes.items():
        if set(index.nodes_of[channel]) != set(names):
            return None
    return index


def forget(key, reference):
    indexes.pop(key, None)


cdef list known_indexes(object anchor):
    """The indexes of the graphs that start with the node `anchor`; forgotten when it dies."""
    cdef object key = id(anchor)
    entry = indexes.get(key)
    if entry is not None and entry[0]() is anchor:
        return entry[1]
    entry = (weakref.ref(anchor, functools.partial(forget, key)), [])
    indexes[key] = entry
    return entry[1]


cdef TriggerIndex index_of(dict nodes, dict trigger_to_nodes):
    cdef Py_ssize_t position = 0
    cdef PyObject* anchor
    cdef list known
    cdef tuple entry
    if not PyDict_Next(nodes, &position, NULL, &anchor):
        return None
    known = known_indexes(<object>anchor)
    for entry in known:
        if entry[0] is trigger_to_nodes and entry[1] == len(nodes):
            return entry[2]
    index = build_index(nodes, trigger_to_nodes)
    known.append((trigger_to_nodes, len(nodes), index))
    if len(known) > COPIES:
        del known[0]
    return index


# _triggers

cdef object version_of(object versions, object channel, object null):
    cdef PyObject* found
    if type(versions) is dict:
        found = PyDict_GetItemWithError(versions, channel)
        return <object>found if found != NULL else null
    return versions.get(channel, null)


cdef bint triggers_node(
    object channels, object versions, object seen, object null, object node
) except -1:
    """Whether `node` has a trigger that is available and, once it has run, newer than it saw."""
    for channel in node.triggers:
        instance = channels[channel]
        if available(kind_of(instance), instance) and (
            seen is None
            or later(version_of(versions, channel, null), version_of(seen, channel, null))
        ):
            return True
    return False


def _triggers(channels, versions, seen, null_version, proc):
    """Whether one of the node's triggers is newer than what it has seen.

    Replaces `langgraph.pregel._algo._triggers`.
    """
    triggers_tally.calls += 1
    return triggers_node(channels, versions, seen, null_version, proc)


def make_triggers(original, Tally tally not None, str variant):
    global triggers_tally
    triggers_tally = tally
    return _triggers


# prepare_next_tasks

cdef str outside(object checkpoint, object processes, object channels, object trigger_to_nodes):
    """Why upstream has to run; None inside the domain."""
    if type(processes) is not dict:
        return "nodes are not a dict"
    if trigger_to_nodes is not None and type(trigger_to_nodes) is not dict:
        return "trigger_to_nodes is not a dict"
    reason = unusual(checkpoint, channels)
    if reason is None and TASKS in channels and type(channels[TASKS]) is not Topic:
        return "the tasks channel is not a Topic"
    return reason


cdef list after_update(dict nodes, dict trigger_to_nodes, object updated):
    """The nodes that subscribe to an updated channel, sorted by name."""
    cdef TriggerIndex index = index_of(nodes, trigger_to_nodes)
    if index is not None:
        return index.updated_nodes(updated)
    names = set()
    for channel in updated:
        subscribers = trigger_to_nodes.get(channel)
        if subscribers:
            names.update(subscribers)
    return sorted(names)


cdef list from_index(
    dict checkpoint, dict nodes, ChannelTable table, dict trigger_to_nodes
):
    """The nodes that the index finds triggered; None where it cannot tell."""
    cdef TriggerIndex index
    cdef VersionVector vector
    table.ensure_live()
    if table.opaque:
        return None
    index = index_of(nodes, trigger_to_nodes)
    if index is None:
        return None
    names = table.available_triggers(index)
    if names is None:
        return None
    vector = table.versions_over(checkpoint["channel_versions"])
    return index.triggered_nodes(vector, checkpoint["versions_seen"], names)


cdef object triggered_among(dict checkpoint, dict nodes, object channels, object names):
    """Those of `names` that are triggered, as far as finding that out runs no user's code.

    With channels of the user's own, or in a plain dict, all of them: preparing the task asks.
    """
    cdef dict versions, seen
    cdef list found = []
    cdef PyObject* held
    if type(channels) is not ChannelTable:
        return names
    (<ChannelTable>channels).ensure()
    if (<ChannelTable>channels).opaque:
        return names
    versions, seen = checkpoint["channel_versions"], checkpoint["versions_seen"]
    null = null_version(versions)
    for name in names:
        held = PyDict_GetItemWithError(nodes, name)
        if held == NULL:
            continue
        node = <object>held
        if triggers_node(channels, versions, seen.get(name), null, node):
            found.append(name)
    return found


cdef object null_version(dict versions):
    for version in versions.values():
        return type(version)()
    return None


cdef object candidates(
    dict checkpoint,
    dict nodes,
    object channels,
    object trigger_to_nodes,
    object updated,
    bint* known_triggered,
):
    """The names of the nodes to prepare, in upstream's order; whether all of them are triggered."""
    if null_version(checkpoint["channel_versions"]) is None:
        return ()
    if updated and trigger_to_nodes:
        names = after_update(nodes, trigger_to_nodes, updated)
    else:
        names = nodes
    # What goes wrong in here goes wrong again, after what upstream does first, when the task is
    # prepared.
    try:
        if names is nodes and trigger_to_nodes and type(channels) is ChannelTable:
            triggered = from_index(checkpoint, nodes, <ChannelTable>channels, trigger_to_nodes)
            if triggered is not None:
                known_triggered[0] = True
                return triggered
        triggered = triggered_among(checkpoint, nodes, channels, names)
    except Exception:
        return names
    known_triggered[0] = triggered is not names
    return triggered


cdef Py_ssize_t pending_sends(object channels) except -1:
    """How many `Send`s wait in the tasks channel."""
    channel = channels.get(TASKS)
    return 0 if channel is None else len(topic_list(channel))


def prepare_next_tasks(
    checkpoint,
    pending_writes,
    processes,
    channels,
    managed,
    config,
    step,
    stop,
    *,
    for_execution,
    store=None,
    checkpointer=None,
    manager=None,
    trigger_to_nodes=None,
    updated_channels=None,
    retry_policy=(),
    cache_policy=None,
):
    """The tasks of the next superstep by id: first the pending `Send`s, then triggered nodes.

    Replaces `langgraph.pregel._algo.prepare_next_tasks`; upstream prepares each single task.
    """
    cdef str reason = outside(checkpoint, processes, channels, trigger_to_nodes)
    cdef Superstep superstep
    cdef dict tasks = {}
    cdef bint natively
    cdef bint known_triggered = False

    prepare_tally.calls += 1
    if reason is not None:
        prepare_tally.fell_back(reason)
        return stock_prepare(
            checkpoint, pending_writes, processes, channels, managed, config, step, stop,
            for_execution=for_execution, store=store, checkpointer=checkpointer, manager=manager,
            trigger_to_nodes=trigger_to_nodes, updated_channels=updated_channels,
            retry_policy=retry_policy, cache_policy=cache_policy,
        )
    superstep = Superstep.__new__(Superstep)
    superstep.checkpoint = checkpoint
    superstep.checkpoint_id_bytes = unhexlify(checkpoint["id"].replace("-", ""))
    superstep.null_version = null_version(checkpoint["channel_versions"])
    superstep.pending_writes = pending_writes
    superstep.processes = processes
    superstep.channels = channels
    superstep.managed = managed
    superstep.config = config
    superstep.step = step
    superstep.stop = stop
    superstep.for_execution = bool(for_execution)
    superstep.store = store
    superstep.checkpointer = checkpointer
    superstep.manager = manager
    superstep.input_cache = {}
    superstep.cache_policy = cache_policy
    superstep.retry_policy = retry_policy
    # Looked up at each call, as upstream's own globals are: somebody may have wrapped them.
    prepare_one = _algo.prepare_single_task
    natively = prepares_tasks(prepare_one)
    for index in range(pending_sends(channels)):
        add(tasks, prepare(superstep, (PUSH, index), False, natively, prepare_one))
    # Found before any of them is prepared: preparing may run a mapper, but writes to no channel.
    names = candidates(
        checkpoint, processes, channels, trigger_to_nodes, updated_channels, &known_triggered
    )
    known_triggered = known_triggered and _algo._triggers is _triggers
    for name in names:
        add(tasks, prepare(superstep, (PULL, name), known_triggered, natively, prepare_one))
    return tasks


cdef int add(dict tasks, object task) except -1:
    if task:
        tasks[task.id] = task
    return 0


cdef object prepare(
    Superstep superstep, tuple path, bint known_triggered, bint natively, object prepare_one
):
    if natively:
        return prepared(superstep, path, known_triggered)
    return prepare_one(
        path,
        None,
        checkpoint=superstep.checkpoint,
        checkpoint_id_bytes=superstep.checkpoint_id_bytes,
        checkpoint_null_version=superstep.null_version,
        pending_writes=superstep.pending_writes,
        processes=superstep.processes,
        channels=superstep.channels,
        managed=superstep.managed,
        config=superstep.config,
        step=superstep.step,
        stop=superstep.stop,
        for_execution=superstep.for_execution,
        store=superstep.store,
        checkpointer=superstep.checkpointer,
        manager=superstep.manager,
        input_cache=superstep.input_cache,
        cache_policy=superstep.cache_policy,
        retry_policy=superstep.retry_policy,
    )


def make_prepare_next_tasks(original, Tally tally not None, str variant):
    global stock_prepare, prepare_tally
    stock_prepare, prepare_tally = original, tally
    return prepare_next_tasks
