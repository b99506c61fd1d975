from fastgraph.kernels.record cimport Record

cdef Record runtimes

cdef object with_changes(object runtime, dict changes)
cdef object new_info(
    object checkpoint_id, object checkpoint_ns, object task_id, object thread_id, object run_id
)
cdef object first_attempt(object runtime, object started)
