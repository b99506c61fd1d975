from fastgraph.kernels.slots cimport Slot
from fastgraph.kernels.trigger_index cimport TriggerIndex
from fastgraph.kernels.version_vector cimport VersionVector


cdef enum Kind:
    OPAQUE = 0  # not one of the exact built-in types: only its own methods are used
    LAST_VALUE
    EPHEMERAL
    ANY_VALUE
    UNTRACKED
    AGGREGATE
    DELTA
    TOPIC
    AFTER_FINISH
    BARRIER
    BARRIER_AFTER_FINISH


cdef Kind kind_of(object channel)
cdef object held(Kind kind, object channel)
cdef int hold(Kind kind, object channel, object value) except -1
cdef bint available(Kind kind, object channel) except -1
cdef object read(Kind kind, object channel)
cdef object stored(Kind kind, object channel)
cdef object topic_list(object channel)
cdef bint is_step_bound(Kind kind, object channel) except -1

cdef object MISSING


cdef class ChannelTable(dict):
    cdef VersionVector vector
    cdef list opaque
    cdef list finishing
    cdef set live
    cdef dict positions
    cdef list standing
    cdef TriggerIndex standing_index
    cdef bint stores_plainly  # no channel is untracked or stored as deltas
    cdef object announced  # the epoch in which `invoke` was told where to read the state
    cdef int keeps_outputs  # -1: not looked at yet
    cdef object output_keys
    cdef frozenset outputs
    cdef int copies_silently  # -1: not looked at yet
    cdef object epoch
    cdef object written
    cdef Py_ssize_t size

    cdef int refresh(self) except -1
    cdef int ensure(self) except -1
    cdef int ensure_live(self) except -1
    cdef int note(self, object name, Kind kind, object channel) except -1
    cdef VersionVector versions_over(self, dict versions)
    cdef int moved(self, dict before, dict after) except -1
    cdef list notified(self, set updated)
    cdef frozenset output_names(self, object output_keys)
    cdef list available_triggers(self, TriggerIndex index)
    cdef list standing_triggers(self, TriggerIndex index)


cdef ChannelTable table_over(object channels)
cdef str unusual(object checkpoint, object channels)
cpdef object invalidate_tables()
