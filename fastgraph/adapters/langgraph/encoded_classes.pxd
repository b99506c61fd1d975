# What upstream's encoder makes of the instances of a class, found out once.

cimport cython
from cpython.object cimport PyObject, PyTypeObject

from fastgraph.adapters.langgraph.encoded_models cimport Plan


cdef enum Way:
    # What `ormsgpack` writes itself.
    TEXT
    INTEGER
    SEQUENCE
    MAPPING
    BUFFER
    BYTEARRAY
    PACKED
    # What `_msgpack_default` makes something of.
    STOCK
    METHOD
    FIELDS
    NAMED
    DELTA
    AS_TEXT
    AS_TUPLE
    ONE
    UNIQUE
    MOMENT
    DURATION
    DAY
    CLOCK
    ENUM
    SEND
    ARRAY
    FAILURE


cdef enum:
    # Extension codes.
    SINGLE = 0
    POSITIONS = 1
    KEYWORDS = 2
    CALL = 3
    MODEL_1 = 4
    MODEL_2 = 5
    NUMPY = 6
    SNAPSHOT = 7


@cython.final
cdef class Kind:
    # How upstream writes the instances of one class.
    cdef Way way
    cdef int code
    cdef int header  # what the head of its extension took last time
    cdef unsigned int version
    cdef PyTypeObject* cls  # nobody's: only compared, together with its version
    cdef bint on_heap
    cdef str name
    cdef bytes head  # the array up to the payload
    cdef str attribute
    cdef PyObject* function  # nobody's, too: as long as the class is as it was, it has it
    cdef tuple names
    cdef tuple keys
    cdef tuple absent  # what no instance may have of its own, or upstream has to look
    cdef bint may_be_send
    cdef Plan plan
    cdef bint simple_value


cdef Kind kind_of(PyTypeObject* cls)
cpdef int forget() except -1
