# The managers and runs of a chain, made without upstream's constructors.

cdef object ready_manager(object config, object tags, object cls)
cdef bint is_quiet(object manager) except -1
cdef bint is_aquiet(object manager) except -1
cdef object new_run_id()
cdef object child_of(object source, object run_id, object cls, object tag)
cdef object grandchild_of(object source, object run_id, object cls, object metadata)
cdef int end_late(object manager, object run_id, object value) except -1
cdef int fail_late(object manager, object run_id, object error) except -1
cdef object late_run(object manager, object run_id)
cdef bint tells(object manager) except -1
cdef bint is_stock(object cls, str name, object function) noexcept
cdef object new(object cls)
cdef bint plain(object run_manager) except -1
cdef bint asks_stock() noexcept
cdef object run_of(object manager, object cls, object run_id)
cdef dict merged(object base, object incoming)
cdef object own_function(object module, object function)
cdef bint has_stock_init(object cls) noexcept
cdef object own_add_metadata()
