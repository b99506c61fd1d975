from fastgraph.kernels.msgpack_writer cimport Writer

cdef bint put_json(Writer out, object value, int depth) except -1
cdef bint put_json_text(Writer out, object value) except -1
