"""MessagePack, written into a buffer that grows.

The buffer is a `bytes` object that nobody else has seen: the result is that object, cut to what
was written, and a value of many megabytes is copied into it once. The body of an extension, whose
length its head tells, is written in place with room for a head of the size expected; where that
was wrong, the body is moved by a few bytes (`close_ext`).

What is written is the specification's shortest form for each value
(https://github.com/msgpack/msgpack/blob/master/spec.md). A length of 2**32 or more, which it has
no form for, raises.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.long cimport PyLong_AsLongLongAndOverflow, PyLong_AsUnsignedLongLong
from cpython.unicode cimport PyUnicode_AsUTF8AndSize

cdef extern from "Python.h":
    Py_ssize_t PY_SSIZE_T_MAX
    void Py_XDECREF(PyObject*)
    void Py_INCREF(object)
    int _PyBytes_Resize(PyObject** block, Py_ssize_t size) except -1

__all__ = ("Writer",)

cdef enum:
    # With the head of its object it fits the allocator's small blocks.
    FIRST = 960
    # Results up to here are copied, and the buffer stays for the next one.
    SMALL = 512


cdef class Writer:
    """A growing buffer of MessagePack.

    Examples
    --------
    >>> writer = Writer()
    >>> writer.array(2); writer.text("é"); writer.integer(-1)
    >>> writer.take().hex()
    '92a2c3a9ff'
    """

    def __cinit__(self):
        self.block = NULL
        self.data = NULL
        self.size = self.capacity = 0

    def __dealloc__(self):
        Py_XDECREF(self.block)

    cdef int grow(self, Py_ssize_t more) except -1:
        """Make room for so many bytes more, and for as many as there are."""
        cdef Py_ssize_t wanted = self.size + more
        if more > PY_SSIZE_T_MAX // 2 - self.size:
            raise MemoryError()
        if self.block == NULL:
            fresh = PyBytes_FromStringAndSize(NULL, max(wanted, FIRST))
            Py_INCREF(fresh)
            self.block = <PyObject*>fresh
            self.capacity = max(wanted, FIRST)
            del fresh  # before anybody else resizes it
        else:
            wanted = max(wanted, 2 * self.capacity)
            self.data = NULL
            self.capacity = 0
            _PyBytes_Resize(&self.block, wanted)
            self.capacity = wanted
        self.data = <unsigned char*>PyBytes_AS_STRING(<object>self.block)
        return 0

    cdef bytes finish(self):
        """Give away what was written and start again."""
        cdef PyObject* block
        cdef Py_ssize_t size = self.size
        self.size = 0
        if size <= SMALL:
            return PyBytes_FromStringAndSize(<char*>self.data, size)
        block = self.block
        self.block = NULL
        self.data = NULL
        self.capacity = 0
        _PyBytes_Resize(&block, size)
        result = <bytes>block
        Py_XDECREF(block)
        return result

    cdef int close_ext(self, Py_ssize_t start, int header, int code) except -1:
        """Write the head of an extension whose body is everything after `start` + `header`.

        Parameters
        ----------
        start : int
            Where the extension begins.
        header : int
            How many bytes were left free for its head.
        code : int
            From 0 to 127.
        """
        cdef Py_ssize_t length = self.size - start - header
        cdef int needed = ext_header(length)
        cdef unsigned char* to
        if needed != header:
            if needed > header:
                reserve(self, needed - header)
            to = self.data + start
            memmove(to + needed, to + header, length)
            self.size += needed - header
        to = self.data + start
        if needed == 2:
            to[0] = 0xD4 if length == 1 else 0xD5 if length == 2 else 0xD6 if length == 4 else (
                0xD7 if length == 8 else 0xD8
            )
        elif needed == 3:
            to[0] = 0xC7
            to[1] = <unsigned char>length
        elif needed == 4:
            to[0] = 0xC8
            store16(to + 1, <unsigned int>length)
        elif length <= 0xFFFFFFFFLL:
            to[0] = 0xC9
            store32(to + 1, length)
        else:
            raise TypeError("write error")
        to[needed - 1] = <unsigned char>code
        return 0

    def __len__(self):
        return self.size

    def nil(self):
        """Write nil."""
        put_byte(self, 0xC0)

    def boolean(self, bint value):
        """Write true or false."""
        put_byte(self, 0xC3 if value else 0xC2)

    def integer(self, value):
        """Write an integer from -2**63 to 2**64 - 1.

        Raises
        ------
        OverflowError
            If it is none of these.
        """
        cdef int overflow = 0
        cdef long long small = PyLong_AsLongLongAndOverflow(value, &overflow)
        if overflow > 0:
            put_unsigned(self, PyLong_AsUnsignedLongLong(value))
        elif overflow < 0:
            raise OverflowError("int too small to convert")
        else:
            put_signed(self, small)

    def real(self, double value):
        """Write a float of 64 bits."""
        put_double(self, value)

    def text(self, str value not None):
        """Write a string.

        Raises
        ------
        UnicodeEncodeError
            If it has lone surrogates.
        """
        cdef Py_ssize_t length
        cdef const char* utf8 = PyUnicode_AsUTF8AndSize(value, &length)
        put_text(self, utf8, length)

    def blob(self, bytes value not None):
        """Write bytes."""
        put_blob(self, PyBytes_AS_STRING(value), len(value))

    def array(self, Py_ssize_t length):
        """Write the head of an array; its values have to follow.

        Raises
        ------
        ValueError
            If the length is negative.
        """
        put_array(self, counted(length))

    def map(self, Py_ssize_t length):
        """Write the head of a map; its keys and values have to follow.

        Raises
        ------
        ValueError
            If the length is negative.
        """
        put_map(self, counted(length))

    def ext(self, int code, bytes body not None, int expected=3):
        """Write an extension.

        Parameters
        ----------
        code : int
            From 0 to 127.
        body : bytes
            What it holds.
        expected : int, default 3
            For how long a head to leave room before the body is known; from 2 to 6.

        Raises
        ------
        ValueError
            If the code or the size expected is out of its range.
        """
        cdef Py_ssize_t start = self.size
        if not 0 <= code <= 127 or not 2 <= expected <= 6:
            raise ValueError("expected a code from 0 to 127 and a head of 2 to 6 bytes")
        reserve(self, expected + len(body))
        self.size += expected
        put_raw(self, PyBytes_AS_STRING(body), len(body))
        self.close_ext(start, expected, code)

    def take(self):
        """What was written so far; the writer is empty then."""
        return self.finish()


cdef Py_ssize_t counted(Py_ssize_t length) except -1:
    if length < 0:
        raise ValueError("a length is not negative")
    return length
