from cpython.object cimport PyObject

from fastgraph.adapters.langgraph.async_futures cimport Entry, Futures


cdef class Start:
    cdef object call
    cdef dict call_keywords
    cdef object retry_policy
    cdef object loop
    cdef object executor
    cdef object context
    cdef tuple on_exit
    cdef object node
    cdef bint is_one_call

    cdef int run(self, Futures futures, object task) except -1
    cdef object calls_of(self, object task)
    cdef bint covers(self, object task) except -1


cdef enum Phase:
    NEW
    CALLING
    ENDING
    DELEGATED
    OVER


cdef class NodeRun(Entry):
    cdef Start start
    cdef Phase phase
    cdef bint is_covered
    cdef double started
    cdef object inner
    cdef object delegate
    cdef object manager
    cdef object run_id  # or its number
    cdef dict own
    cdef object value

    cdef int send_to(self, object value, PyObject** result) except -1
    cdef object advance(self, object value)
    cdef object begin(self)
    cdef object write(self, object value)
    cdef object go_on(self, object value)
    cdef int prepare(self) except -1
    cdef object id_of_run(self)
    cdef int forget_own(self) except -1
    cdef dict config(self)
    cdef int end(self) except -1


cdef class NodeCall:
    cdef NodeRun run
    cdef Phase phase
    cdef object step
    cdef object input
    cdef object waiting
    cdef object token
    cdef dict own

    cdef int send_to(self, object value, PyObject** result) except -1
    cdef int begin(self) except -1
    cdef bint returned(self, object value) except -1
    cdef int end(self) except -1


cdef Start start_of(
    object runner, object retry_policy, Futures futures, object schedule_task, object reraise
)
cdef object calls_of(
    object runner, object task, object retry_policy, Futures futures, object schedule_task
)
