from fastgraph.adapters.langgraph.config cimport ConfigSkeleton
from fastgraph.kernels.slots cimport Slot

# The fields of a `PregelExecutableTask`; of other tasks, read as attributes.
cdef Slot id_slot
cdef Slot name_slot
cdef Slot path_slot
cdef Slot triggers_slot
cdef Slot writes_slot
cdef Slot config_slot


cdef class RunPlan:
    cdef object config
    cdef object manager
    cdef dict configurable
    cdef Py_ssize_t size
    cdef object runtime
    cdef object parent_ns
    cdef object run_id
    cdef ConfigSkeleton skeleton
    cdef dict own_configurable

    @staticmethod
    cdef RunPlan of(object config, object manager)
    cdef bint fits(self, object config, object manager) except -1


cdef class Superstep:
    # As `prepare_next_tasks` and `prepare_single_task` are given them.
    cdef object checkpoint
    cdef object checkpoint_id_bytes
    cdef object null_version
    cdef object pending_writes
    cdef object processes
    cdef object channels
    cdef object managed
    cdef object config
    cdef object step
    cdef object stop
    cdef bint for_execution
    cdef object store
    cdef object checkpointer
    cdef object manager
    cdef object input_cache
    cdef object cache_policy
    cdef object retry_policy
    cdef RunPlan plan  # None until the first task needs it

    cdef int begin(self) except -1


cdef object prepared(Superstep superstep, object task_path, bint known_triggered)
cdef bint prepares_tasks(object name) except -1
