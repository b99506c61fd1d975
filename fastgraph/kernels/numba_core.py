"""The numeric core of the kernels, over NumPy arrays, compiled by numba.

Channels and nodes are numbers here, versions are ranks: int64 values in the order of the versions.
Who subscribes to what comes as a sparse matrix in compressed form: row ``r`` holds
``indices[indptr[r]:indptr[r + 1]]``, and a position in ``indices`` is an *edge*. All arrays are
one-dimensional, C-contiguous and writable, of dtype int64 (masks: bool); anything else is a
TypeError, so that there is exactly one compiled version of each function.

The functions check no bounds. They are compiled when this module is imported, not in the middle of
a run, and cached on disk: beside this file or, where that directory cannot be written, in numba's
directory for the user; the environment variable ``NUMBA_CACHE_DIR`` names another. Where none of
them can be written, every process compiles them anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

Integers: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]

#: The rank that is behind every other: what a node has seen that never ran.
NEVER = -(2**63)

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _compiled(signature: str) -> Callable[[_Function], _Function]:
    def compile_now(function: _Function) -> _Function:
        try:
            return cast(_Function, njit(signature, cache=True)(function))
        except (RuntimeError, OSError):  # no directory to cache in, or a full one
            return cast(_Function, njit(signature)(function))

    return compile_now


@_compiled("int64(int64[::1])")
def first_maximum(ranks: Integers) -> int:
    """Find the highest rank.

    Parameters
    ----------
    ranks : ndarray of int64, shape (channels,)

    Returns
    -------
    int
        Its position, the first of equal ones; -1 if there are no ranks.
    """
    position = -1
    for i in range(ranks.size):
        if position < 0 or ranks[i] > ranks[position]:
            position = i
    return position


@_compiled("boolean(int64[::1], int64[::1])")
def any_newer(ranks: Integers, seen: Integers) -> bool:
    """Tell whether a channel is ahead of what was seen of it.

    Parameters
    ----------
    ranks, seen : ndarray of int64, shape (channels,)

    Returns
    -------
    bool
    """
    for i in range(ranks.size):  # noqa: SIM110 - numba compiles no generator expression
        if ranks[i] > seen[i]:
            return True
    return False


@_compiled("int64[::1](int64[::1], int64[::1], int64[::1], int64[::1], boolean[::1])")
def triggered_nodes(
    indptr: Integers, indices: Integers, versions: Integers, seen: Integers, available: Mask
) -> Integers:
    """Find the nodes with an available channel that is ahead of what they have seen of it.

    Parameters
    ----------
    indptr : ndarray of int64, shape (nodes + 1,)
        Where the edges of each node begin.
    indices : ndarray of int64, shape (edges,)
        The channel of each edge: the triggers of node 0, of node 1, ...
    versions : ndarray of int64, shape (channels,)
        The rank of the version of each channel.
    seen : ndarray of int64, shape (edges,)
        The rank that the edge's node has seen of the edge's channel, or `NEVER`.
    available : ndarray of bool, shape (channels,)
        Which channels hold a value.

    Returns
    -------
    ndarray of int64
        The nodes, ascending.
    """
    found = np.empty(indptr.size - 1, np.int64)
    count = 0
    for node in range(indptr.size - 1):
        for edge in range(indptr[node], indptr[node + 1]):
            channel = indices[edge]
            if available[channel] and versions[channel] > seen[edge]:
                found[count] = node
                count += 1
                break
    return found[:count]


@_compiled("int64[::1](int64[::1], int64[::1], int64, int64[::1])")
def nodes_behind(
    indptr: Integers, indices: Integers, node_count: int, channels: Integers
) -> Integers:
    """Find the nodes that subscribe to one of the channels.

    Parameters
    ----------
    indptr : ndarray of int64, shape (all channels + 1,)
        Where the edges of each channel begin.
    indices : ndarray of int64, shape (edges,)
        The node of each edge: the subscribers of channel 0, of channel 1, ...
    node_count : int
        How many nodes there are.
    channels : ndarray of int64
        The channels to look behind; repeating one changes nothing.

    Returns
    -------
    ndarray of int64
        The nodes, ascending, each once.
    """
    behind = np.zeros(node_count, np.bool_)
    for channel in channels:
        for edge in range(indptr[channel], indptr[channel + 1]):
            behind[indices[edge]] = True
    return np.flatnonzero(behind)
