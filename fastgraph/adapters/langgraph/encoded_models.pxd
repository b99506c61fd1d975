# Pydantic models and LangChain messages, written from their fields.

from cpython.object cimport PyObject, PyTypeObject

from fastgraph.kernels.msgpack_writer cimport Writer


cdef extern from *:
    """
    #include <Python.h>

    /* Changes with whatever is set on a class or on one of its bases, and is never used again:
       equal numbers mean that the class is as it was. 0 if it has none. */
    static inline unsigned int fastgraph_type_version(PyTypeObject *type)
    {
    #if PY_VERSION_HEX >= 0x030D0000
        return type->tp_version_tag;
    #else
        return PyType_HasFeature(type, Py_TPFLAGS_VALID_VERSION_TAG) ? type->tp_version_tag : 0;
    #endif
    }

    static inline int fastgraph_is_compact_ascii(PyObject *text)
    {
        return PyUnicode_IS_COMPACT_ASCII(text);
    }

    static inline const char *fastgraph_ascii(PyObject *text)
    {
        return (const char *)(((PyASCIIObject *)text) + 1);
    }
    """
    unsigned int type_version "fastgraph_type_version"(PyTypeObject* type) noexcept
    bint is_compact_ascii "fastgraph_is_compact_ascii"(PyObject* text) noexcept
    const char* ascii_of "fastgraph_ascii"(PyObject* text) noexcept
    Py_ssize_t PyUnicode_GET_LENGTH(PyObject* text) noexcept
    PyTypeObject* Py_TYPE(PyObject*) noexcept


cdef class Leaves:
    # Writes what a model's fields may hold beside the native types; 0 if it does not know it.
    cdef int put_leaf(self, Writer out, PyObject* value) except -1


cdef class Plan:
    # How the instances of one class are written.
    cdef readonly bint slim
    cdef object root
    cdef int put(self, Leaves leaves, Writer out, PyObject* model) except -1


cpdef Plan plan_of(object cls, bint slim)
cdef int put_string(Writer out, PyObject* text) except -1
