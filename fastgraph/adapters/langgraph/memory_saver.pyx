"""The in-memory saver: what it does around the codec, and nothing twice.

New savers keep writes and blobs in dicts that know which keys are a thread's, and a thread's
checkpoints in dicts that know the latest: deleting a thread takes what the thread is large, and
loading the latest checkpoint does not depend on how many there are. Savers that were made without
fastgraph, and dicts that somebody replaced, are looked through as upstream does.

Domain: exactly `InMemorySaver`, whatever its serializer and its dicts; configs and checkpoints in
plain dicts.
"""

from collections import defaultdict, deque
from operator import itemgetter

from langgraph.checkpoint import memory as _memory
from langgraph.checkpoint.base import WRITES_IDX_MAP as _WRITES_IDX_MAP
from langgraph.checkpoint.base import CheckpointTuple

from fastgraph.kernels.indexed_dicts import GroupedDict
from fastgraph.kernels.indexed_dicts cimport LatestDict
from fastgraph.kernels.tally cimport Tally

cdef object InMemorySaver = _memory.InMemorySaver
cdef dict WRITES_IDX_MAP = _WRITES_IDX_MAP
cdef object FIRST = itemgetter(0)
cdef str A_SUBCLASS = "a subclass of the saver"
cdef str NOT_PLAIN = "a config or checkpoint of another type"

#: The order in which writes are loaded: as they came, before LangGraph sorted them.
cdef str AS_STORED = "as stored"

cdef object stock_init
cdef object stock_put
cdef object stock_put_writes
cdef object stock_get
cdef object stock_list
cdef object stock_delete
cdef Tally init_tally
cdef Tally put_tally
cdef Tally put_writes_tally
cdef Tally get_tally
cdef Tally list_tally
cdef Tally delete_tally
cdef bint is_sorted = True


cdef str outside(object saver, object config):
    """Why upstream has to run; None inside the domain."""
    if type(saver) is not InMemorySaver:
        return A_SUBCLASS
    if type(config) is not dict or type((<dict>config).get("configurable")) is not dict:
        return NOT_PLAIN
    return None


# __init__

def init(self, *, serde=None, factory=defaultdict):
    """Make a saver.

    Replaces `langgraph.checkpoint.memory.InMemorySaver.__init__`.
    """
    init_tally.calls += 1
    stock_init(self, serde=serde, factory=factory)
    if type(self) is InMemorySaver and factory is defaultdict:
        self.writes = GroupedDict(dict)
        self.blobs = GroupedDict()
    else:
        init_tally.fell_back("a subclass of the saver, or dicts of another type")


# put, put_writes

cdef object checkpoints_to_put(object storage, object thread_id, object checkpoint_ns):
    """The checkpoints of a namespace, a dict that knows the latest if there are none yet."""
    spaces = storage[thread_id]
    checkpoints = spaces[checkpoint_ns]
    if type(checkpoints) is dict and not <dict>checkpoints and type(spaces) is defaultdict:
        spaces[checkpoint_ns] = checkpoints = LatestDict()
    return checkpoints


def put(self, config, checkpoint, metadata, new_versions):
    """Save a checkpoint.

    Replaces `langgraph.checkpoint.memory.InMemorySaver.put`.
    """
    cdef dict configurable, rest, values
    put_tally.calls += 1
    reason = outside(self, config)
    if reason is None and not (
        type(checkpoint) is dict
        and type(new_versions) is dict
        and type((<dict>checkpoint).get("channel_values")) is dict
    ):
        reason = NOT_PLAIN
    if reason is not None:
        put_tally.fell_back(reason)
        return stock_put(self, config, checkpoint, metadata, new_versions)
    configurable = (<dict>config)["configurable"]
    thread_id, checkpoint_ns = configurable["thread_id"], configurable["checkpoint_ns"]
    rest = (<dict>checkpoint).copy()
    values = rest.pop("channel_values")
    dumps = self.serde.dumps_typed
    for channel, version in (<dict>new_versions).items():
        blob = dumps(values[channel]) if channel in values else ("empty", b"")
        self.blobs[(thread_id, checkpoint_ns, channel, version)] = blob
    checkpoints = checkpoints_to_put(self.storage, thread_id, checkpoint_ns)
    checkpoint_id = (<dict>checkpoint)["id"]
    stored = (
        dumps(rest),
        dumps(_memory.get_checkpoint_metadata(config, metadata)),
        configurable.get("checkpoint_id"),
    )
    if type(checkpoints) is LatestDict:
        (<LatestDict>checkpoints)[checkpoint_id] = stored
    else:
        checkpoints.update({checkpoint_id: stored})
    return {"configurable": place(thread_id, checkpoint_ns, checkpoint_id)}


cdef dict place(object thread_id, object checkpoint_ns, object checkpoint_id):
    return {
        "thread_id": thread_id,
        "checkpoint_ns": checkpoint_ns,
        "checkpoint_id": checkpoint_id,
    }


cdef bint are_pairs(object writes) except -1:
    """Whether writes are what the engine makes them: pairs, that can be looked at twice."""
    cdef object kind = type(writes)
    if kind is not list and kind is not deque and kind is not tuple:
        return False
    for each in writes:
        if type(each) is not tuple or len(<tuple>each) != 2:
            return False
    return True


def put_writes(self, config, writes, task_id, task_path=""):
    """Save what a task wrote.

    Replaces `langgraph.checkpoint.memory.InMemorySaver.put_writes`.
    """
    cdef dict configurable
    cdef Py_ssize_t number = 0
    put_writes_tally.calls += 1
    reason = outside(self, config)
    if reason is None and not are_pairs(writes):
        reason = "writes of another type"
    if reason is not None:
        put_writes_tally.fell_back(reason)
        return stock_put_writes(self, config, writes, task_id, task_path)
    configurable = (<dict>config)["configurable"]
    key = (
        configurable["thread_id"],
        configurable.get("checkpoint_ns", ""),
        configurable["checkpoint_id"],
    )
    before = self.writes.get(key)
    dumps = self.serde.dumps_typed
    for channel, value in writes:
        index = WRITES_IDX_MAP.get(channel)
        if index is None:
            index = number
            inner_key = (task_id, index)
            if before and inner_key in before:
                number += 1
                continue
        else:
            inner_key = (task_id, index)
        number += 1
        written = (task_id, channel, dumps(value), task_path)
        self.writes[key][inner_key] = written


# get_tuple, list

cdef list ordered_writes(
    object saver, object thread_id, object checkpoint_ns, object checkpoint_id
):
    """The writes of a checkpoint, in the order of the tasks."""
    key = (thread_id, checkpoint_ns, checkpoint_id)
    if not is_sorted:
        return list(saver.writes[key].values())
    stored = saver.writes.get(key)
    if type(stored) is not dict:
        return saver._ordered_writes(thread_id, checkpoint_ns, checkpoint_id)
    if len(<dict>stored) < 2:
        return list((<dict>stored).values())
    # No two entries have the same task and index, so the entries themselves are not compared.
    keyed = [(entry[3], task_id, index, entry) for (task_id, index), entry in stored.items()]
    keyed.sort()
    return [each[3] for each in keyed]


cdef dict loaded_blobs(
    object saver, object thread_id, object checkpoint_ns, object versions, object loads
):
    """The values of the channels of a checkpoint."""
    cdef dict found = {}
    blobs = saver.blobs
    for channel, version in versions.items():
        key = (thread_id, checkpoint_ns, channel, version)
        if key in blobs:
            blob = blobs[key]
            if blob[0] != "empty":
                found[channel] = loads(blob)
    return found


cdef object loaded(object saver, object config, object where, object stored, object metadata):
    """The checkpoint tuple of what is stored at a place.

    The metadata is loaded after the checkpoint unless it is given, which is None where upstream
    does the same.
    """
    thread_id, checkpoint_ns, checkpoint_id = where
    checkpoint_b, metadata_b, parent_id = stored
    writes = ordered_writes(saver, thread_id, checkpoint_ns, checkpoint_id)
    loads = saver.serde.loads_typed
    checkpoint = loads(checkpoint_b)
    checkpoint = {
        **checkpoint,
        "channel_values": loaded_blobs(
            saver, thread_id, checkpoint_ns, checkpoint["channel_versions"], loads
        ),
    }
    return CheckpointTuple(
        config,
        checkpoint,
        loads(metadata_b) if metadata is None else metadata,
        {"configurable": place(thread_id, checkpoint_ns, parent_id)} if parent_id else None,
        [(task_id, channel, loads(value)) for task_id, channel, value, _ in writes],
    )


def get_tuple(self, config):
    """Load a checkpoint, the latest of its thread unless the config names one.

    Replaces `langgraph.checkpoint.memory.InMemorySaver.get_tuple`.
    """
    cdef dict configurable
    get_tally.calls += 1
    reason = outside(self, config)
    if reason is not None:
        get_tally.fell_back(reason)
        return stock_get(self, config)
    configurable = (<dict>config)["configurable"]
    thread_id = configurable["thread_id"]
    checkpoint_ns = configurable.get("checkpoint_ns", "")
    checkpoint_id = configurable.get("checkpoint_id")
    checkpoints = self.storage[thread_id][checkpoint_ns]
    if checkpoint_id:
        stored = checkpoints.get(checkpoint_id)
        if not stored:
            return None
    else:
        if not checkpoints:
            return None
        if type(checkpoints) is LatestDict:
            checkpoint_id = (<LatestDict>checkpoints).latest()
        else:
            checkpoint_id = max(checkpoints)
        stored = checkpoints[checkpoint_id]
        config = {"configurable": place(thread_id, checkpoint_ns, checkpoint_id)}
    return loaded(self, config, (thread_id, checkpoint_ns, checkpoint_id), stored, None)


cdef object candidates(object checkpoints, object checkpoint_id):
    """The checkpoints of a namespace to list, the latest first; one at most if it is named."""
    if type(checkpoint_id) is str and checkpoint_id:
        stored = checkpoints.get(checkpoint_id)
        return () if stored is None else ((checkpoint_id, stored),)
    return sorted(checkpoints.items(), key=FIRST, reverse=True)


cdef bint matches(object wanted, object metadata) except -1:
    """Whether metadata has what is wanted of it."""
    for key, value in wanted.items():
        if not value == metadata.get(key):
            return False
    return True


def listed(saver, config, wanted, before, limit):
    """Yield the checkpoints that match, loading only those."""
    configurable = config["configurable"] if config else None
    only_ns = configurable.get("checkpoint_ns") if config else None
    only_id = configurable.get("checkpoint_id") if config else None
    for thread_id in (configurable["thread_id"],) if config else saver.storage:
        for checkpoint_ns in saver.storage[thread_id].keys():
            if only_ns is not None and checkpoint_ns != only_ns:
                continue
            for checkpoint_id, stored in candidates(
                saver.storage[thread_id][checkpoint_ns], only_id
            ):
                if only_id and checkpoint_id != only_id:
                    continue
                before_id = before["configurable"].get("checkpoint_id") if before else None
                if before_id and checkpoint_id >= before_id:
                    continue
                metadata = saver.serde.loads_typed(stored[1])
                if wanted and not matches(wanted, metadata):
                    continue
                if limit is not None:
                    if limit <= 0:
                        break
                    limit -= 1
                found = {"configurable": place(thread_id, checkpoint_ns, checkpoint_id)}
                where = thread_id, checkpoint_ns, checkpoint_id
                yield loaded(saver, found, where, stored, metadata)


def list_checkpoints(self, config, *, filter=None, before=None, limit=None):
    """List the checkpoints of a thread, or of all.

    Replaces `langgraph.checkpoint.memory.InMemorySaver.list`.
    """
    list_tally.calls += 1
    if type(self) is not InMemorySaver:
        list_tally.fell_back(A_SUBCLASS)
        return stock_list(self, config, filter=filter, before=before, limit=limit)
    return listed(self, config, filter, before, limit)


# delete_thread

cdef int drop(object entries, object thread_id) except -1:
    """Remove what begins with a thread's id."""
    if type(entries) is GroupedDict and entries.drop_group(thread_id):
        return 0
    for key in [key for key in list(entries) if key[0] == thread_id]:
        del entries[key]
    return 0


def delete_thread(self, thread_id):
    """Delete everything about a thread.

    Replaces `langgraph.checkpoint.memory.InMemorySaver.delete_thread`.
    """
    delete_tally.calls += 1
    if type(self) is not InMemorySaver:
        delete_tally.fell_back(A_SUBCLASS)
        return stock_delete(self, thread_id)
    if thread_id in self.storage:
        del self.storage[thread_id]
    drop(self.writes, thread_id)
    drop(self.blobs, thread_id)


# The factories.

def make_init(original, Tally tally not None, str variant):
    global stock_init, init_tally
    stock_init, init_tally = original, tally
    return init


def make_put(original, Tally tally not None, str variant):
    global stock_put, put_tally
    stock_put, put_tally = original, tally
    return put


def make_put_writes(original, Tally tally not None, str variant):
    global stock_put_writes, put_writes_tally
    stock_put_writes, put_writes_tally = original, tally
    return put_writes


def make_get_tuple(original, Tally tally not None, str variant):
    global stock_get, get_tally, is_sorted
    stock_get, get_tally = original, tally
    is_sorted = variant != AS_STORED
    return get_tuple


def make_list(original, Tally tally not None, str variant):
    global stock_list, list_tally, is_sorted
    stock_list, list_tally = original, tally
    is_sorted = variant != AS_STORED
    return list_checkpoints


def make_delete_thread(original, Tally tally not None, str variant):
    global stock_delete, delete_tally
    stock_delete, delete_tally = original, tally
    return delete_thread
