"""Channels of a run: what kind each is, what it holds, and which of them a superstep has to ask.

LangGraph asks every channel of a graph in every superstep whether it is available and tells it
that nothing was written. For a channel of a built-in type the answer follows from its type and one
slot, and most types ignore an empty update. The table keeps the few that do not.

Only exact types are known here: anything else is `OPAQUE` and answers by its own methods, in the
order and as often as upstream calls them.
"""

from langgraph._internal._typing import MISSING as _MISSING
from langgraph.channels.any_value import AnyValue as _AnyValue
from langgraph.channels.base import BaseChannel as _BaseChannel
from langgraph.channels.binop import BinaryOperatorAggregate as _BinaryOperatorAggregate
from langgraph.channels.ephemeral_value import EphemeralValue as _EphemeralValue
from langgraph.channels.last_value import LastValue as _LastValue
from langgraph.channels.last_value import LastValueAfterFinish as _LastValueAfterFinish
from langgraph.channels.named_barrier_value import NamedBarrierValue as _NamedBarrierValue
from langgraph.channels.named_barrier_value import (
    NamedBarrierValueAfterFinish as _NamedBarrierValueAfterFinish,
)
from langgraph.channels.topic import Topic as _Topic
from langgraph.channels.untracked_value import UntrackedValue as _UntrackedValue

from fastgraph.kernels.tally cimport Tally

try:
    from langgraph.channels.delta import DeltaChannel as _DeltaChannel
except ImportError:  # before LangGraph 1.2
    _DeltaChannel = None

MISSING = _MISSING

cdef object BaseChannel = _BaseChannel
cdef object LastValue = _LastValue
cdef object EphemeralValue = _EphemeralValue
cdef object AnyValue = _AnyValue
cdef object UntrackedValue = _UntrackedValue
cdef object BinaryOperatorAggregate = _BinaryOperatorAggregate
cdef object Topic = _Topic
cdef object LastValueAfterFinish = _LastValueAfterFinish
cdef object NamedBarrierValue = _NamedBarrierValue
cdef object NamedBarrierValueAfterFinish = _NamedBarrierValueAfterFinish
cdef object DeltaChannel = _DeltaChannel

cdef Slot last_value = Slot(LastValue, "value")
cdef Slot ephemeral_value = Slot(EphemeralValue, "value")
cdef Slot last_key = Slot(LastValue, "key")
cdef Slot last_type = Slot(LastValue, "typ")
cdef Slot ephemeral_key = Slot(EphemeralValue, "key")
cdef Slot ephemeral_type = Slot(EphemeralValue, "typ")
cdef Slot ephemeral_guard = Slot(EphemeralValue, "guard")
cdef Slot any_value = Slot(AnyValue, "value")
cdef Slot untracked_value = Slot(UntrackedValue, "value")
cdef Slot aggregate_value = Slot(BinaryOperatorAggregate, "value")
cdef Slot delta_value = None if DeltaChannel is None else Slot(DeltaChannel, "value")
cdef Slot topic_values = Slot(Topic, "values")
cdef Slot topic_accumulate = Slot(Topic, "accumulate")
cdef Slot after_finish_value = Slot(LastValueAfterFinish, "value")
cdef Slot after_finish_finished = Slot(LastValueAfterFinish, "finished")
cdef Slot barrier_names = Slot(NamedBarrierValue, "names")
cdef Slot barrier_seen = Slot(NamedBarrierValue, "seen")
cdef Slot barrier_after_names = Slot(NamedBarrierValueAfterFinish, "names")
cdef Slot barrier_after_seen = Slot(NamedBarrierValueAfterFinish, "seen")
cdef Slot barrier_after_finished = Slot(NamedBarrierValueAfterFinish, "finished")

# A table belongs to one epoch of patching: while a target was off, stock wrote to the channels
# and the table did not see it.
cdef object current_epoch = object()


cpdef object invalidate_tables():
    """Make every table look at its channels again before it is next used."""
    global current_epoch
    current_epoch = object()


cdef Kind kind_of(object channel):
    cdef object cls = type(channel)
    if cls is LastValue:
        return LAST_VALUE
    if cls is EphemeralValue:
        return EPHEMERAL
    if cls is BinaryOperatorAggregate:
        return AGGREGATE
    if cls is Topic:
        return TOPIC
    if cls is NamedBarrierValue:
        return BARRIER
    if cls is AnyValue:
        return ANY_VALUE
    if cls is UntrackedValue:
        return UNTRACKED
    if cls is LastValueAfterFinish:
        return AFTER_FINISH
    if cls is NamedBarrierValueAfterFinish:
        return BARRIER_AFTER_FINISH
    if cls is DeltaChannel and DeltaChannel is not None:
        return DELTA
    return OPAQUE


cdef Slot value_slot(Kind kind):
    """The slot that holds the value of a channel that stores one value; None for the others."""
    if kind == LAST_VALUE:
        return last_value
    if kind == EPHEMERAL:
        return ephemeral_value
    if kind == AGGREGATE:
        return aggregate_value
    if kind == ANY_VALUE:
        return any_value
    if kind == UNTRACKED:
        return untracked_value
    if kind == DELTA:
        return delta_value
    return None


cdef object held(Kind kind, object channel):
    """The stored value of a channel of a one-value kind, `MISSING` if it is empty."""
    return value_slot(kind).get(channel)


cdef int hold(Kind kind, object channel, object value) except -1:
    return value_slot(kind).set(channel, value)


cdef bint available(Kind kind, object channel) except -1:
    """`channel.is_available()`."""
    if kind == LAST_VALUE:
        return last_value.get(channel) is not MISSING
    if kind == EPHEMERAL:
        return ephemeral_value.get(channel) is not MISSING
    if kind == OPAQUE:
        return bool(channel.is_available())
    if kind == TOPIC:
        return bool(topic_values.get(channel))
    if kind == BARRIER:
        return barrier_seen.get(channel) == barrier_names.get(channel)
    if kind == AFTER_FINISH:
        return (
            after_finish_value.get(channel) is not MISSING
            and bool(after_finish_finished.get(channel))
        )
    if kind == BARRIER_AFTER_FINISH:
        return (
            bool(barrier_after_finished.get(channel))
            and barrier_after_seen.get(channel) == barrier_after_names.get(channel)
        )
    return held(kind, channel) is not MISSING


cdef object read(Kind kind, object channel):
    """`channel.get()` of a channel that is available."""
    cdef Slot slot = value_slot(kind)
    if slot is not None:
        return slot.get(channel)
    # A topic hands out a copy, a barrier None, an opaque channel what it likes.
    return channel.get()


cdef object stored(Kind kind, object channel):
    """`channel.checkpoint()`: what a checkpoint stores of the channel, `MISSING` for nothing."""
    if kind == UNTRACKED or kind == DELTA:
        return MISSING
    cdef Slot slot = value_slot(kind)
    if slot is not None:
        return slot.get(channel)
    if kind == TOPIC:
        return topic_values.get(channel)
    return channel.checkpoint()


cdef object topic_list(object channel):
    """What a `Topic` holds, not a copy."""
    return topic_values.get(channel)


cdef bint is_step_bound(Kind kind, object channel) except -1:
    """Whether an empty update empties the channel: what it holds lasts for one superstep."""
    if kind == EPHEMERAL or kind == ANY_VALUE:
        return True
    return kind == TOPIC and not topic_accumulate.get(channel)


cdef bint is_stored_specially(Kind kind, object channel) except -1:
    """Whether the channel has rules of its own for what of it, and of writes to it, is stored."""
    if kind == OPAQUE:
        return isinstance(channel, UntrackedValue) or (
            DeltaChannel is not None and isinstance(channel, DeltaChannel)
        )
    return kind == UNTRACKED or kind == DELTA


cdef class ChannelTable(dict):
    """The channels of one run: the mapping that upstream made, and what a superstep asks of it.

    It is the dict that upstream's code sees, so it lives exactly as long as the run. Only the
    thread that drives the run writes to channels; node threads read.
    """

    def __cinit__(self, *args, **kwargs):
        self.vector = VersionVector.__new__(VersionVector)
        self.vector.follow({})
        self.epoch = self.written = self.announced = None

    def __init__(self, channels):
        dict.__init__(self, channels)

    def __reduce__(self):
        # A copy or a pickle of a config takes the channels along, as the plain dict they were.
        return dict, (dict(self),)

    def __copy__(self):
        return dict(self)

    cdef int ensure(self) except -1:
        if self.epoch is not current_epoch or self.size != len(self):
            self.refresh()
        return 0

    cdef int ensure_live(self) except -1:
        """For who reads what is live: it is known only while the table hears of all writes."""
        if self.written is not current_epoch:
            self.epoch = None
        return self.ensure()

    cdef int refresh(self) except -1:
        """Look at every channel once.

        What is found is taken over at the end, in one go: a channel's finalizer may run meanwhile,
        and with it another thread that switches targets.
        """
        cdef Kind kind
        cdef object epoch = current_epoch
        cdef list opaque = [], finishing = []
        cdef set live = set()
        cdef bint stores_plainly = True
        for name, channel in self.items():
            kind = kind_of(channel)
            if is_stored_specially(kind, channel):
                stores_plainly = False
            if kind == OPAQUE:
                opaque.append(name)
                finishing.append(name)
            elif kind == AFTER_FINISH or kind == BARRIER_AFTER_FINISH:
                finishing.append(name)
            elif is_step_bound(kind, channel) and available(kind, channel):
                live.add(name)
        self.opaque, self.finishing, self.live = opaque, finishing, live
        self.stores_plainly = stores_plainly
        self.positions = None
        self.output_keys = None
        self.standing = None
        self.standing_index = None
        self.copies_silently = -1
        self.keeps_outputs = -1
        self.vector.follow({})
        self.size = len(self)
        self.epoch = epoch
        return 0

    cdef int note(self, object name, Kind kind, object channel) except -1:
        """Keep track of a channel that was just written or emptied."""
        if is_step_bound(kind, channel):
            if available(kind, channel):
                self.live.add(name)
            else:
                self.live.discard(name)
        return 0

    cdef VersionVector versions_over(self, dict versions):
        if not self.vector.follows(versions):
            self.vector.follow(versions)
        return self.vector

    cdef int moved(self, dict before, dict after) except -1:
        """The run goes on with `after`, an exact copy of the versions `before`."""
        if self.vector.follows(before) and len(after) == len(before):
            self.vector.versions = after
        return 0

    cdef list notified(self, set updated):
        """The channels that may listen to an empty update, in the channels' order.

        Opaque channels that were updated are among them: they are asked whether they are available.
        """
        cdef list names = [name for name in self.live if name not in updated]
        names.extend(self.opaque)
        if len(names) > 1:
            if self.positions is None:
                self.positions = {name: i for i, name in enumerate(self)}
            names.sort(key=self.positions.__getitem__)
        return names

    cdef frozenset output_names(self, object output_keys):
        """The run's output channels as a set: `output_keys` is a list that nobody changes."""
        if self.output_keys is not output_keys:
            if isinstance(output_keys, str):
                self.outputs = frozenset((output_keys,))
            else:
                self.outputs = frozenset(output_keys)
            self.output_keys = output_keys
        return self.outputs

    cdef list available_triggers(self, TriggerIndex index):
        """The channels that are available and trigger nodes; None for another graph's index.

        Meant for tables without opaque channels. A channel of a step-bound kind is available only
        while it is live, so only the others have to be asked: the ones that keep what they hold
        and have subscribers.
        """
        cdef list names
        if self.standing_index is not index:
            self.standing = self.standing_triggers(index)
            self.standing_index = index
        if self.standing is None:
            return None
        names = [name for name in self.live if name in index.nodes_of]
        for name, kind in self.standing:
            if available(<Kind><int>kind, self[name]):
                names.append(name)
        return names

    cdef list standing_triggers(self, TriggerIndex index):
        """The index's channels that are not step-bound, with their kinds; None if one is missing.
        """
        cdef list standing = []
        cdef Kind kind
        for name in index.nodes_of:
            if name not in self:
                return None
            channel = self[name]
            kind = kind_of(channel)
            if not is_step_bound(kind, channel):
                standing.append((name, <int>kind))
        return standing


cdef ChannelTable table_over(object channels):
    """The table that `channels` is, or one made for this call from a plain dict; else None."""
    cdef ChannelTable table
    if type(channels) is ChannelTable:
        table = <ChannelTable>channels
    elif type(channels) is dict:
        table = ChannelTable(channels)
    else:
        return None
    table.ensure()
    return table


cdef str unusual(object checkpoint, object channels):
    """Why a run with these cannot be read natively; None if all of them are plain dicts."""
    if type(checkpoint) is not dict:
        return "checkpoint is not a dict"
    if type((<dict>checkpoint)["channel_versions"]) is not dict:
        return "channel versions are not a dict"
    if type((<dict>checkpoint)["versions_seen"]) is not dict:
        return "versions seen are not a dict"
    if type(channels) is not ChannelTable and type(channels) is not dict:
        return "channels are not a dict"
    return None


# channels_from_checkpoint, achannels_from_checkpoint

cdef object stock_channels_from_checkpoint
cdef object stock_achannels_from_checkpoint
cdef Tally channels_tally
cdef Tally achannels_tally


cdef object tabled(object result, Tally tally):
    """Upstream's result with its channels as a table."""
    channels, managed = result
    if type(channels) is dict:
        return ChannelTable(channels), managed
    tally.fell_back("channels are not a dict")
    return result


cdef object fresh(Kind kind, object spec, object value):
    """`spec.from_checkpoint(value)`."""
    if kind == LAST_VALUE:
        channel = LastValue.__new__(LastValue)
        last_type.set(channel, last_type.get(spec))
        last_key.set(channel, last_key.get(spec))
        last_value.set(channel, value)
    elif kind == EPHEMERAL:
        channel = EphemeralValue.__new__(EphemeralValue)
        ephemeral_type.set(channel, ephemeral_type.get(spec))
        ephemeral_key.set(channel, ephemeral_key.get(spec))
        ephemeral_guard.set(channel, ephemeral_guard.get(spec))
        ephemeral_value.set(channel, value)
    else:
        channel = spec.from_checkpoint(value)
    return channel


cdef tuple hydrated(object specs, object checkpoint):
    """The channels of a checkpoint and the managed values; None where upstream has to look.

    It looks where values may have to be rebuilt from the history of the thread: for channels that
    store deltas, and for those that did when the checkpoint was made.
    """
    cdef dict channels = {}
    cdef dict managed = {}
    cdef dict values
    cdef Kind kind
    if type(specs) is not dict or type(checkpoint) is not dict:
        return None
    if type(checkpoint["channel_values"]) is not dict:
        return None
    values = checkpoint["channel_values"]
    for name, spec in (<dict>specs).items():
        kind = kind_of(spec)
        if kind == OPAQUE:
            if isinstance(spec, BaseChannel):
                return None
            managed[name] = spec
            continue
        value = values.get(name, MISSING)
        if kind == DELTA:
            return None
        if kind == AGGREGATE and value is MISSING and name in checkpoint["channel_versions"]:
            return None
        channels[name] = spec
    # Not before, as some channels ask a type of the user's for what is empty.
    for name, spec in channels.items():
        channels[name] = fresh(kind_of(spec), spec, values.get(name, MISSING))
    return ChannelTable(channels), managed


def channels_from_checkpoint(specs, checkpoint, **kwargs):
    """A run's channels with what a checkpoint stores of them, as a `ChannelTable`.

    Replaces `langgraph.pregel._checkpoint.channels_from_checkpoint`.
    """
    channels_tally.calls += 1
    result = hydrated(specs, checkpoint)
    if result is not None:
        return result
    channels_tally.fell_back("a channel of another type, or a history to replay")
    return tabled(stock_channels_from_checkpoint(specs, checkpoint, **kwargs), channels_tally)


async def achannels_from_checkpoint(specs, checkpoint, **kwargs):
    """The same for async runs.

    Replaces `langgraph.pregel._checkpoint.achannels_from_checkpoint`.
    """
    achannels_tally.calls += 1
    result = hydrated(specs, checkpoint)
    if result is not None:
        return result
    achannels_tally.fell_back("a channel of another type, or a history to replay")
    return tabled(
        await stock_achannels_from_checkpoint(specs, checkpoint, **kwargs), achannels_tally
    )


def make_channels_from_checkpoint(original, Tally tally not None, str variant):
    global stock_channels_from_checkpoint, channels_tally
    stock_channels_from_checkpoint, channels_tally = original, tally
    return channels_from_checkpoint


def make_achannels_from_checkpoint(original, Tally tally not None, str variant):
    global stock_achannels_from_checkpoint, achannels_tally
    stock_achannels_from_checkpoint, achannels_tally = original, tally
    return achannels_from_checkpoint
