cdef class Entry:
    cdef Futures futures
    cdef object future
    cdef object task
    cdef Py_ssize_t number
    # Whether being done is told the runner by a callback that comes later than this one.
    cdef Notice notice
    cdef bint tells_at_once
    # Whether `Futures.ended` hears of it; of others, one has to ask whether they are done.
    cdef bint tells_its_end
    cdef bint waited_for
    cdef bint wakes
    cdef bint is_settled
    # Whether the runner is through with it; it may have seen it done before this was called.
    cdef bint is_taken

    cdef int settle(self, object future) except -1
    cdef int take(self) except -1
    cdef int let_go(self) except -1


cdef class Notice:
    cdef Entry entry


cdef class Futures:
    cdef object __weakref__
    cdef object runner
    cdef object handled_exceptions
    cdef object loop
    cdef object sleeper
    cdef object event
    cdef dict running
    # Of those running: the ones to be asked, those added since the runner last slept, and the ones
    # that ended since it last looked.
    cdef dict asked
    cdef list added
    cdef list ended
    cdef set failed
    cdef Py_ssize_t count
    cdef Py_ssize_t unfinished
    cdef Py_ssize_t waited_for
    cdef bint all_finished
    cdef bint waits_for_all
    cdef bint closed

    cdef int begin(self) except -1
    cdef int add(self, object future, object task, bint tells_at_once) except -1
    cdef int enter(self, Entry entry, object future, object task, object context) except -1
    cdef int fail(self, object error) except -1
    cdef int settle(self, Entry entry, object future) except -1
    cdef bint should_stop(self, set failed) except -1
    cdef object sleep_until_done(self)
    cdef list take_finished(self)
    cdef int close(self) except -1
    cdef set undecided(self)


cdef object error_of(object future)
