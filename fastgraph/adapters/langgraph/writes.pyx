"""Write application: the end of a superstep, where the tasks' writes become channel values.

Domain: checkpoint, versions and channels in plain dicts, all writes to channels of the graph. A
write to an unknown channel makes upstream log, from its own line, so upstream runs then.
Channels of exact built-in types are written natively where their `update` is plain storing; every
other channel, and every update that is going to raise, goes through the channel's own method.
"""

from cpython.dict cimport PyDict_Contains, PyDict_GetItemWithError
from cpython.long cimport PyLong_AsLongLongAndOverflow
from cpython.object cimport PyObject

from langgraph._internal import _constants
from langgraph._internal._typing import EMPTY_SEQ
from langgraph.pregel import _algo

from fastgraph.adapters.langgraph.channels cimport (
    AFTER_FINISH,
    ANY_VALUE,
    BARRIER,
    BARRIER_AFTER_FINISH,
    EPHEMERAL,
    LAST_VALUE,
    MISSING,
    OPAQUE,
    ChannelTable,
    Kind,
    available,
    hold,
    kind_of,
    table_over,
    unusual,
)
from fastgraph.adapters.langgraph.task_ids cimport path_text
from fastgraph.adapters.langgraph.tasks cimport (
    name_slot,
    path_slot,
    triggers_slot,
    writes_slot,
)
from fastgraph.kernels.tally cimport Tally
from fastgraph.kernels.version_vector cimport VersionVector

# Writes to these names are for the engine, not for a channel.
cdef set SPECIAL = {
    _constants.NO_WRITES,
    _constants.PUSH,
    _constants.RESUME,
    _constants.INTERRUPT,
    _constants.RETURN,
    _constants.ERROR,
    getattr(_constants, "ERROR_SOURCE_NODE", _constants.ERROR),  # from LangGraph 1.2 on
}
cdef object RESERVED = _constants.RESERVED
cdef object NOTHING = EMPTY_SEQ
cdef object writes_sort_key = getattr(_algo, "writes_sort_key", None)  # where paths count whole
cdef str PUSH = _constants.PUSH
cdef long long TEN_DIGITS = 10 ** 10  # from here on, numbers no longer sort as their text does

cdef object stock
cdef Tally tally_
cdef bint whole_path
# Whether tasks, which have no more than a path here, sort as the texts of their paths do.
cdef bint sorts_by_path_alone


cdef object path_key(object task):
    """What upstream sorts a task by; releases differ in how much of the path counts."""
    path = path_slot.get(task)
    if sorts_by_path_alone:
        return path_text(path)
    if whole_path:
        return writes_sort_key(path_text(path))
    return path_text(path[:3])


cdef bint are_sorted(list keys) except -1:
    cdef Py_ssize_t i
    for i in range(1, len(keys)):
        if keys[i] < keys[i - 1]:
            return False
    return True


cdef long long place_of(object path) except -2:
    """The place of a `Send` among those of its superstep; -1 of other tasks."""
    cdef long long place
    cdef int overflow = 0
    if type(path) is not tuple or len(<tuple>path) != 3:
        return -1
    if (<tuple>path)[0] != PUSH or type((<tuple>path)[1]) is not int:
        return -1
    if (<tuple>path)[2] is not False:
        return -1
    place = PyLong_AsLongLongAndOverflow((<tuple>path)[1], &overflow)
    return place if not overflow and 0 <= place < TEN_DIGITS else -1


cdef bint are_sends_in_order(list tasks) except -1:
    """Whether all tasks are pushed by a `Send`, each later than the one before."""
    cdef long long before = -1, place
    for task in tasks:
        place = place_of(path_slot.get(task))
        if place <= before:
            return False
        before = place
    return True


cdef list in_path_order(object tasks):
    """The tasks in the order in which their writes apply; they are nearly always in it already."""
    cdef list ordered = list(tasks)
    cdef list keys
    if len(ordered) < 2 or are_sends_in_order(ordered):
        return ordered
    keys = [path_key(task) for task in ordered]
    if are_sorted(keys):
        return ordered
    return [ordered[i] for i in sorted(range(len(keys)), key=keys.__getitem__)]


cdef dict grouped(list tasks, ChannelTable table):
    """The written values by channel, in writing order; None if a channel is unknown."""
    cdef dict groups = {}
    cdef PyObject* found
    for task in tasks:
        for channel, value in writes_slot.get(task):
            found = PyDict_GetItemWithError(groups, channel)
            if found != NULL:
                (<list>found).append(value)
            elif channel in SPECIAL:
                continue
            elif PyDict_Contains(table, channel):
                groups[channel] = [value]
            else:
                return None
    return groups


cdef int mark_seen(list tasks, dict versions, dict versions_seen) except -1:
    """Each task has seen the current versions of its triggers."""
    cdef PyObject* found
    for task in tasks:
        seen = versions_seen.setdefault(name_slot.get(task), {})
        fresh = {}
        for channel in triggers_slot.get(task):
            found = PyDict_GetItemWithError(versions, channel)
            if found != NULL:
                version = <object>found  # held before the name's own hash may run again
                fresh[channel] = version
        seen.update(fresh)
    return 0


cdef bint consumable(object channel) noexcept:
    """Whether the channel has something to do when a subscribed task ran."""
    cdef Kind kind = kind_of(channel)
    return kind == BARRIER or kind == AFTER_FINISH or kind == BARRIER_AFTER_FINISH or kind == OPAQUE


cdef int consume(list tasks, ChannelTable table, VersionVector vector, object version) except -1:
    """Tell the channels that were read so; only barriers and opaque channels listen.

    Upstream walks a set here. Building the same set in the same order gives the same walk.
    """
    cdef bint heard = False
    cdef set channels = set()
    cdef PyObject* found
    for task in tasks:
        for channel in triggers_slot.get(task):
            found = PyDict_GetItemWithError(table, channel)
            if found == NULL:
                continue
            instance = <object>found
            if channel not in RESERVED:
                heard = heard or consumable(instance)
                channels.add(channel)
    if not heard:
        return 0
    for channel in channels:
        instance = table[channel]
        if consumable(instance) and instance.consume() and version is not None:
            vector.put(channel, version)
    return 0


cdef bint store(ChannelTable table, object name, Kind kind, object channel, list values) except -1:
    """`channel.update(values)`; whether the channel changed."""
    if len(values) == 1 and (kind == LAST_VALUE or kind == EPHEMERAL):
        hold(kind, channel, values[0])
        if kind == EPHEMERAL:
            table.note(name, kind, channel)
        return True
    if kind == ANY_VALUE:
        hold(kind, channel, values[len(values) - 1])
        table.note(name, kind, channel)
        return True
    changed = bool(channel.update(values))
    table.note(name, kind, channel)
    return changed


cdef bint empty(ChannelTable table, object name, Kind kind, object channel) except -1:
    """`channel.update(())` on an available channel that may listen to it."""
    if kind == EPHEMERAL or kind == ANY_VALUE:
        hold(kind, channel, MISSING)
        table.live.discard(name)
        return True
    changed = bool(channel.update(NOTHING))
    table.note(name, kind, channel)
    return changed


cdef int bump(
    VersionVector vector, object name, Kind kind, object channel, object version, set updated
) except -1:
    """A changed channel gets the new version; one that is available may trigger tasks."""
    vector.put(name, version)
    if available(kind, channel):
        updated.add(name)
    return 0


cdef int notify_step(
    ChannelTable table, VersionVector vector, object version, set updated
) except -1:
    """The channels that nobody wrote hear of the new superstep."""
    cdef Kind kind
    for name in table.notified(updated):
        channel = table[name]
        kind = kind_of(channel)
        # Asked again: an opaque channel before this one may have added its name meanwhile.
        if available(kind, channel) and name not in updated:
            if empty(table, name, kind, channel) and version is not None:
                bump(vector, name, kind, channel, version, updated)
    return 0


cdef int notify_finish(
    ChannelTable table, VersionVector vector, object version, set updated
) except -1:
    """This is, for now, the last superstep: channels that wait for it become available."""
    for name in table.finishing:
        channel = table[name]
        if channel.finish() and version is not None:
            bump(vector, name, kind_of(channel), channel, version, updated)
    return 0


cdef bint is_last(set updated, object trigger_to_nodes) except -1:
    """Whether nothing that was updated triggers a node."""
    if type(trigger_to_nodes) is not dict:
        return bool(updated.isdisjoint(trigger_to_nodes))
    for name in updated:
        if PyDict_Contains(<dict>trigger_to_nodes, name):
            return False
    return True


cdef object fall_back(
    str reason, object checkpoint, object channels, object tasks, object get_next_version,
    object trigger_to_nodes
):
    tally_.fell_back(reason)
    if type(channels) is ChannelTable:
        # Stock is about to write to the channels behind the table's back.
        (<ChannelTable>channels).epoch = None
    return stock(checkpoint, channels, tasks, get_next_version, trigger_to_nodes)


def apply_writes(checkpoint, channels, tasks, get_next_version, trigger_to_nodes):
    """Apply the writes of `tasks` to the channels and their versions.

    Replaces `langgraph.pregel._algo.apply_writes`.

    Returns
    -------
    set of str
        The channels that were updated and are available.
    """
    cdef ChannelTable table
    cdef VersionVector vector
    cdef list ordered
    cdef dict groups, versions
    cdef set updated = set()
    cdef Kind kind
    cdef bint bump_step = False
    cdef str reason = unusual(checkpoint, channels)

    tally_.calls += 1
    if reason is not None:
        return fall_back(reason, checkpoint, channels, tasks, get_next_version, trigger_to_nodes)
    table = table_over(channels)
    table.written = table.epoch
    ordered = in_path_order(tasks)
    groups = grouped(ordered, table)
    if groups is None:
        return fall_back(
            "write to an unknown channel",
            checkpoint, channels, ordered, get_next_version, trigger_to_nodes,
        )

    versions = checkpoint["channel_versions"]
    for task in ordered:
        if triggers_slot.get(task):
            bump_step = True
            break
    mark_seen(ordered, versions, checkpoint["versions_seen"])
    vector = table.versions_over(versions)
    version = None if get_next_version is None else get_next_version(vector.top(), None)
    consume(ordered, table, vector, version)

    for name, values in groups.items():
        channel = table[name]
        kind = kind_of(channel)
        if store(table, name, kind, channel, values) and version is not None:
            bump(vector, name, kind, channel, version, updated)
    if bump_step:
        notify_step(table, vector, version, updated)
        if is_last(updated, trigger_to_nodes):
            notify_finish(table, vector, version, updated)
    return updated


def make_apply_writes(original, Tally tally not None, str variant not None):
    """`variant`: "whole path" or "path[:3]", what upstream sorts tasks by."""
    global stock, tally_, whole_path, sorts_by_path_alone
    stock, tally_, whole_path = original, tally, variant == "whole path"
    sorts_by_path_alone = whole_path and writes_sort_key("path") == ("path", "", 0)
    return apply_writes
