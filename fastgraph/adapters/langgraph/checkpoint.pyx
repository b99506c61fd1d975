"""Creating a checkpoint: upstream makes it, the run's version vector moves on to its versions."""

from fastgraph.adapters.langgraph.channels cimport ChannelTable
from fastgraph.kernels.tally cimport Tally

cdef object stock_create_checkpoint
cdef Tally tally_


def create_checkpoint(checkpoint, channels, *args, **kwargs):
    """Upstream's checkpoint; the versions in it keep their known maximum."""
    tally_.calls += 1
    created = stock_create_checkpoint(checkpoint, channels, *args, **kwargs)
    # A snapshot of a delta channel may bump its version, past the maximum; without one the new
    # versions are an exact copy.
    if (
        type(channels) is ChannelTable
        and not kwargs.get("channels_to_snapshot")
        and type(checkpoint) is dict
        and type(created) is dict
    ):
        before, after = checkpoint["channel_versions"], created["channel_versions"]
        if type(before) is dict and type(after) is dict:
            (<ChannelTable>channels).moved(before, after)
    return created


def make_create_checkpoint(original, Tally tally not None, str variant):
    global stock_create_checkpoint, tally_
    stock_create_checkpoint, tally_ = original, tally
    return create_checkpoint
