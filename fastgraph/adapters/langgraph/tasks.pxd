from fastgraph.adapters.langgraph.config cimport ConfigSkeleton


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
    # What follows from the config for all tasks; None until the first of them needs it.
    cdef object configurable
    cdef object runtime
    cdef object parent_ns
    cdef object run_id
    cdef ConfigSkeleton skeleton

    cdef int begin(self) except -1


cdef object prepared(Superstep superstep, object task_path, bint known_triggered)
cdef bint prepares_tasks(object name) except -1
