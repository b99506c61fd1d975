"""The kernels: channel versions, triggers, slots, records, threads, with no framework in sight.

They know mappings, names and versions, never LangGraph, and may be used by themselves. Nothing is
imported here, so each costs only what it is:

==========================  =====================================================================
`slots.Slot`                reads and writes of one ``__slots__`` attribute at its offset
`record.Record`             frozen dataclasses, made and copied field by field
`version_vector`            `VersionVector`: channel versions that know which is the highest
`trigger_index`             `TriggerIndex`: from the channels that changed to the nodes that run
`tally.Tally`               counts of calls and of fallbacks by reason
`kept_threads`              threads of executors, kept from one executor for the next
`executor_jobs`             jobs of thread pools, handed over and answered without Python calls
`msgpack_writer`            `Writer`: MessagePack into a buffer that grows
`msgpack_reader`            `Reader`: MessagePack, with every length checked
`indexed_dicts`             dicts that know a group of their keys, or the greatest
`numba_version_vector`      `VersionVector` over NumPy arrays, for where nothing was compiled
`numba_trigger_index`       `TriggerIndex` over NumPy arrays, likewise
`numba_core`                their numeric core, for data that is in arrays already
==========================  =====================================================================

All but the ``numba_`` modules are compiled extensions; `tally` is interpreted where nothing was
compiled, and the ``numba_`` modules need the extra ``numba``. A vector and an index of one kind go
together, and both kinds have the same API:

>>> from fastgraph.kernels.trigger_index import TriggerIndex
>>> from fastgraph.kernels.version_vector import VersionVector
>>> versions = VersionVector({"question": 3, "answer": 2})
>>> versions.bump(["answer"], 4)
>>> versions.maximum
4
>>> index = TriggerIndex({"ask": ["question"], "check": ["answer"]})
>>> index.triggered(versions, {"ask": {"question": 3}}, available=["question", "answer"])
['check']
"""
