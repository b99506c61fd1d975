"""Checkpoints: making the next one of a run and handing it to the saver.

A superstep without a saver, or with `durability="exit"`, needs of a checkpoint its id and nothing
else: no timestamp, no copies. With a saver the values are read from the channels' slots.

Domain of `create_checkpoint`: a checkpoint in plain dicts, no channel to be snapshotted.
Domain of `get_new_channel_versions`: versions as savers make them, text in dicts.
Domain of `_put_checkpoint`: a superstep's checkpoint of a run that no channel stores specially (as
deltas, or not at all); the one at the exit of a run is upstream's.
"""

from datetime import datetime as _datetime
from datetime import timezone as _timezone

from cpython.datetime cimport (
    datetime_day,
    datetime_hour,
    datetime_microsecond,
    datetime_minute,
    datetime_month,
    datetime_second,
    datetime_tzinfo,
    datetime_year,
    import_datetime,
)
from cpython.dict cimport PyDict_Contains
from libc.string cimport memcpy

from langgraph._internal import _constants
from langgraph.checkpoint.base import id as _id
from langgraph.pregel import _checkpoint, _loop

from fastgraph.adapters.langgraph.channels cimport MISSING, ChannelTable, kind_of, stored
from fastgraph.kernels.tally cimport Tally

cdef extern from "Python.h":
    dict PyObject_GenericGetDict(object instance, void* context)

import_datetime()

cdef object datetime = _datetime
cdef object UTC = _timezone.utc
cdef object SyncPregelLoop = _loop.SyncPregelLoop
cdef object AsyncPregelLoop = _loop.AsyncPregelLoop
cdef str CONF = _constants.CONF
cdef str CHECKPOINT_ID = _constants.CONFIG_KEY_CHECKPOINT_ID
cdef str CHECKPOINT_MAP = _constants.CONFIG_KEY_CHECKPOINT_MAP
cdef str CHECKPOINT_NS = _constants.CONFIG_KEY_CHECKPOINT_NS
cdef object LATEST_VERSION = _checkpoint.LATEST_VERSION
cdef object stock_uuid6 = _id.uuid6

# 100 ns intervals from the epoch of UUIDs, 1582-10-15, to that of Unix.
cdef unsigned long long UUID_EPOCH = 0x01B21DD213814000

cdef object stock_create
cdef object stock_copy
cdef object stock_put
cdef object stock_versions
cdef Tally create_tally
cdef Tally copy_tally
cdef Tally put_tally
cdef Tally versions_tally
cdef Tally empty_tally


# Ids

cdef str checkpoint_id(object step):
    """`str(uuid6(clock_seq=step))`.

    Shares upstream's last timestamp, so that ids increase whoever makes them, and draws from the
    same generator the same bits, so that a seeded program gets the same ids.
    """
    cdef unsigned long long timestamp, last, node
    if _checkpoint.uuid6 is not stock_uuid6:
        return str(_checkpoint.uuid6(clock_seq=step))
    timestamp = <unsigned long long>_id.time.time_ns() // 100 + UUID_EPOCH
    before = _id._last_v6_timestamp
    if before is not None:
        last = before
        if timestamp <= last:
            timestamp = last + 1
    _id._last_v6_timestamp = timestamp
    node = _id.random.getrandbits(48)
    return uuid6_text(timestamp, <long long>step, node)


cdef str uuid6_text(unsigned long long timestamp, long long clock_seq, unsigned long long node):
    """The 60 bits of a timestamp from the highest down, version 6, variant, sequence, node."""
    cdef char text[36]
    cdef unsigned long long high = (timestamp >> 12) << 16 | 0x6000 | (timestamp & 0x0FFF)
    cdef unsigned long long low = (
        (<unsigned long long>(0x8000 | (clock_seq & 0x3FFF)) << 48) | (node & 0xFFFFFFFFFFFF)
    )
    cdef int position = 0
    cdef int digit
    for digit in range(32):
        if digit == 8 or digit == 12 or digit == 16 or digit == 20:
            text[position] = b"-"
            position += 1
        if digit < 16:
            text[position] = hex_digit((high >> (60 - 4 * digit)) & 0xF)
        else:
            text[position] = hex_digit((low >> (124 - 4 * digit)) & 0xF)
        position += 1
    return text[:36].decode("ascii")


cdef inline char hex_digit(unsigned long long value) noexcept:
    return <char>(value + 48 if value < 10 else value + 87)  # "0" is 48, "a" is 97


# Timestamps

cdef str timestamp_now():
    """`datetime.now(timezone.utc).isoformat()`."""
    now = _checkpoint.datetime.now(_checkpoint.timezone.utc)
    if type(now) is not datetime or datetime_tzinfo(now) is not UTC:
        return now.isoformat()
    return timestamp_text(now)


cdef str timestamp_text(object now):
    """The ISO format of a datetime in UTC; whole seconds are written without a fraction."""
    cdef char text[32]
    cdef int length = 19
    put_digits(text, 4, datetime_year(now))
    text[4] = b"-"
    put_digits(text + 5, 2, datetime_month(now))
    text[7] = b"-"
    put_digits(text + 8, 2, datetime_day(now))
    text[10] = b"T"
    put_digits(text + 11, 2, datetime_hour(now))
    text[13] = b":"
    put_digits(text + 14, 2, datetime_minute(now))
    text[16] = b":"
    put_digits(text + 17, 2, datetime_second(now))
    if datetime_microsecond(now):
        text[19] = b"."
        put_digits(text + 20, 6, datetime_microsecond(now))
        length = 26
    memcpy(text + length, b"+00:00", 6)
    return text[:length + 6].decode("ascii")


cdef void put_digits(char* text, int count, int number) noexcept:
    cdef int index
    for index in range(count - 1, -1, -1):
        text[index] = <char>(48 + number % 10)  # "0" is 48
        number //= 10


# empty_checkpoint

def empty_checkpoint():
    """The checkpoint that a new thread starts from.

    Replaces `langgraph.pregel._checkpoint.empty_checkpoint`.
    """
    empty_tally.calls += 1
    return {
        "v": LATEST_VERSION,
        "id": checkpoint_id(-2),
        "ts": timestamp_now(),
        "channel_values": {},
        "channel_versions": {},
        "versions_seen": {},
    }


def make_empty_checkpoint(original, Tally tally not None, str variant):
    global empty_tally
    empty_tally = tally
    return empty_checkpoint


# create_checkpoint, copy_checkpoint

cdef dict stored_values(object channels, dict versions):
    """What a checkpoint stores of the channels that were ever written."""
    cdef dict values = {}
    for name, channel in channels.items():
        if PyDict_Contains(versions, name):
            value = stored(kind_of(channel), channel)
            if value is not MISSING:
                values[name] = value
    return values


cdef dict created(
    dict checkpoint, object channels, object step, object id, object updated_channels, object ts
):
    """The checkpoint after `checkpoint`; `channels` None: its values and versions stay."""
    cdef dict versions = checkpoint["channel_versions"]
    cdef object values
    if channels is None:
        values = checkpoint["channel_values"]
    else:
        versions = versions.copy()
        values = stored_values(channels, versions)
        if type(channels) is ChannelTable:
            (<ChannelTable>channels).moved(checkpoint["channel_versions"], versions)
    return {
        "v": LATEST_VERSION,
        "ts": ts,
        "id": id or checkpoint_id(step),
        "channel_values": values,
        "channel_versions": versions,
        "versions_seen": checkpoint["versions_seen"],
        "updated_channels": None if updated_channels is None else sorted(updated_channels),
    }


cdef str outside(object checkpoint, object channels, object channels_to_snapshot):
    """Why upstream has to run; None inside the domain."""
    if channels_to_snapshot:
        return "channels to snapshot"
    if type(checkpoint) is not dict or type(checkpoint["channel_versions"]) is not dict:
        return "checkpoint or its versions are not a dict"
    if channels is not None and type(channels) is not ChannelTable and type(channels) is not dict:
        return "channels are not a dict"
    return None


def create_checkpoint(
    checkpoint,
    channels,
    step,
    *,
    id=None,
    updated_channels=None,
    get_next_version=None,
    channels_to_snapshot=None,
    stored_versions=None,
    trigger_to_nodes=None,
):
    """A new checkpoint from the previous one and what the channels hold.

    Replaces `langgraph.pregel._checkpoint.create_checkpoint`.
    """
    create_tally.calls += 1
    reason = outside(checkpoint, channels, channels_to_snapshot)
    if reason is None:
        return created(checkpoint, channels, step, id, updated_channels, timestamp_now())
    create_tally.fell_back(reason)
    return stock_create(
        checkpoint, channels, step, id=id, updated_channels=updated_channels,
        get_next_version=get_next_version, channels_to_snapshot=channels_to_snapshot,
        stored_versions=stored_versions, trigger_to_nodes=trigger_to_nodes,
    )


cdef dict copied(dict checkpoint):
    cdef dict seen = {}
    for node, versions in checkpoint["versions_seen"].items():
        seen[node] = versions.copy()
    return {
        "v": checkpoint["v"],
        "ts": checkpoint["ts"],
        "id": checkpoint["id"],
        "channel_values": checkpoint["channel_values"].copy(),
        "channel_versions": checkpoint["channel_versions"].copy(),
        "versions_seen": seen,
        "updated_channels": checkpoint.get("updated_channels", None),
    }


def copy_checkpoint(checkpoint):
    """A copy of a checkpoint that shares nothing but the values of its channels.

    Replaces `langgraph.pregel._checkpoint.copy_checkpoint`.
    """
    copy_tally.calls += 1
    if type(checkpoint) is dict:
        return copied(checkpoint)
    copy_tally.fell_back("checkpoint is not a dict")
    return stock_copy(checkpoint)


def create_upstreams(checkpoint, channels, *args, **kwargs):
    """Upstream's checkpoint; the versions in it keep their known maximum."""
    create_tally.calls += 1
    made = stock_create(checkpoint, channels, *args, **kwargs)
    # A snapshot of a delta channel may bump its version, past the maximum; without one the new
    # versions are an exact copy.
    if (
        type(channels) is ChannelTable
        and outside(checkpoint, channels, kwargs.get("channels_to_snapshot")) is None
    ):
        (<ChannelTable>channels).moved(checkpoint["channel_versions"], made["channel_versions"])
    return made


def make_create_checkpoint(original, Tally tally not None, str variant not None):
    """`variant`: "from the channels", or "by upstream" on the releases that make it otherwise."""
    global stock_create, create_tally
    stock_create, create_tally = original, tally
    return create_checkpoint if variant == "from the channels" else create_upstreams


def make_copy_checkpoint(original, Tally tally not None, str variant):
    global stock_copy, copy_tally
    stock_copy, copy_tally = original, tally
    return copy_checkpoint


# get_new_channel_versions

cdef bint are_texts(dict versions) except -1:
    for version in versions.values():
        if type(version) is not str:
            return False
    return True


cdef str versions_outside(object previous, object current):
    """Why upstream has to run; None inside the domain."""
    if type(previous) is not dict or type(current) is not dict:
        return "versions are not in dicts"
    if previous and not (are_texts(<dict>previous) and are_texts(<dict>current)):
        return "versions that are not text"
    return None


cdef dict newer(dict previous, dict current):
    cdef dict found = {}
    for channel, version in current.items():
        before = previous.get(channel, "")
        if before is not version and <str>version > <str>before:
            found[channel] = version
    return found


def get_new_channel_versions(previous_versions, current_versions):
    """The versions that are newer than those of the checkpoint saved before.

    Replaces `langgraph.pregel._utils.get_new_channel_versions`.
    """
    versions_tally.calls += 1
    reason = versions_outside(previous_versions, current_versions)
    if reason is not None:
        versions_tally.fell_back(reason)
        return stock_versions(previous_versions, current_versions)
    return newer(previous_versions, current_versions) if previous_versions else current_versions


def make_get_new_channel_versions(original, Tally tally not None, str variant):
    global stock_versions, versions_tally
    stock_versions, versions_tally = original, tally
    return get_new_channel_versions


# _put_checkpoint

cdef str not_a_plain_step(object loop, dict own, object metadata):
    """Why upstream has to put the checkpoint; None inside the domain."""
    cdef object kind = type(loop)
    if kind is not SyncPregelLoop and kind is not AsyncPregelLoop:
        return "a subclass of the loop"
    if metadata is own["checkpoint_metadata"]:
        return "the exit of a run"
    channels = own["channels"]
    if type(channels) is not ChannelTable:
        return "channels are not a table"
    (<ChannelTable>channels).ensure()
    if not (<ChannelTable>channels).stores_plainly:
        return "a channel that is stored specially"
    if type(own["checkpoint"]) is not dict or _loop.create_checkpoint is not create_checkpoint:
        return "checkpoint or its creation of another kind"
    return None


cdef dict with_configurable(dict config, dict changes):
    """`patch_configurable(config, changes)` of a config that has configurable values."""
    cdef dict patched = config.copy()
    cdef dict configurable = (<dict>patched[CONF]).copy()
    configurable.update(changes)
    patched[CONF] = configurable
    return patched


cdef int save(object loop, dict checkpoint, object metadata) except -1:
    """Hand the checkpoint to the saver, after the one before it, without waiting."""
    cdef dict config = loop.checkpoint_config
    loop.prev_checkpoint_config = config if config[CONF].get(CHECKPOINT_ID) else None
    config = with_configurable(
        config, {CHECKPOINT_NS: loop.config[CONF].get(CHECKPOINT_NS, "")}
    )
    versions = (<dict>checkpoint["channel_versions"]).copy()
    new_versions = _loop.get_new_channel_versions(loop.checkpoint_previous_versions, versions)
    loop.checkpoint_previous_versions = versions
    delta_writes, loop._delta_write_futs = loop._delta_write_futs, []
    loop._put_checkpoint_fut = loop.submit(
        loop._checkpointer_put_after_previous,
        getattr(loop, "_put_checkpoint_fut", None),
        delta_writes,
        config,
        _loop.copy_checkpoint(checkpoint),
        metadata,
        new_versions,
    )
    loop.checkpoint_config = with_configurable(config, {CHECKPOINT_ID: checkpoint["id"]})
    return 0


def _put_checkpoint(self, metadata):
    """Make the checkpoint of a superstep and have it saved.

    Replaces `langgraph.pregel._loop.PregelLoop._put_checkpoint`.
    """
    cdef dict own = PyObject_GenericGetDict(self, NULL)
    cdef dict checkpoint
    cdef bint saves

    put_tally.calls += 1
    reason = not_a_plain_step(self, own, metadata)
    if reason is not None:
        put_tally.fell_back(reason)
        return stock_put(self, metadata)
    step = own["step"]
    metadata["step"] = step
    metadata["parents"] = own["config"][CONF].get(CHECKPOINT_MAP, {})
    own["checkpoint_metadata"] = metadata
    # In a run without a saver, the loop shadows its method with None.
    saves = self._checkpointer_put_after_previous is not None and own["durability"] != "exit"
    previous = own["checkpoint"]
    create_tally.calls += 1
    # The timestamp is for the saver; the one at the exit of a run makes its own.
    checkpoint = created(
        previous,
        own["channels"] if saves else None,
        step,
        None,
        own.get("updated_channels"),
        timestamp_now() if saves else previous["ts"],
    )
    own["checkpoint"] = checkpoint
    if saves:
        save(self, checkpoint, metadata)
    own["step"] = step + 1


def make_put_checkpoint(original, Tally tally not None, str variant):
    global stock_put, put_tally
    stock_put, put_tally = original, tally
    return _put_checkpoint
