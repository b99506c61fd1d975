# MessagePack, written into a buffer that grows: one primitive per kind of value.
#
# The functions that run for each value are here, so that whoever imports them has them inlined.

cimport cython
from cpython.object cimport PyObject
from libc.string cimport memcpy, memmove


cdef extern from *:
    """
    #include <Python.h>
    #include <string.h>

    /* Big-endian stores; compilers make one instruction of each. */
    static inline void fastgraph_store16(unsigned char *to, unsigned int value)
    {
        to[0] = (unsigned char)(value >> 8);
        to[1] = (unsigned char)value;
    }

    static inline void fastgraph_store32(unsigned char *to, unsigned long long value)
    {
        to[0] = (unsigned char)(value >> 24);
        to[1] = (unsigned char)(value >> 16);
        to[2] = (unsigned char)(value >> 8);
        to[3] = (unsigned char)value;
    }

    static inline void fastgraph_store64(unsigned char *to, unsigned long long value)
    {
        fastgraph_store32(to, value >> 32);
        fastgraph_store32(to + 4, value);
    }

    static inline unsigned long long fastgraph_bits_of(double value)
    {
        unsigned long long bits;
        memcpy(&bits, &value, sizeof(bits));
        return bits;
    }
    """
    void store16 "fastgraph_store16"(unsigned char* to, unsigned int value) noexcept
    void store32 "fastgraph_store32"(unsigned char* to, unsigned long long value) noexcept
    void store64 "fastgraph_store64"(unsigned char* to, unsigned long long value) noexcept
    unsigned long long bits_of "fastgraph_bits_of"(double value) noexcept


@cython.final
cdef class Writer:
    cdef unsigned char* data
    cdef Py_ssize_t size
    cdef Py_ssize_t capacity
    cdef PyObject* block
    cdef int grow(self, Py_ssize_t more) except -1
    cdef bytes finish(self)
    cdef int close_ext(self, Py_ssize_t start, int header, int code) except -1


cdef inline int reserve(Writer out, Py_ssize_t more) except -1:
    """Make sure that so many bytes can be written."""
    if out.capacity - out.size < more:
        out.grow(more)
    return 0


cdef inline int put_byte(Writer out, unsigned char byte) except -1:
    """One byte as it is: nil, false, true, and what is encoded already."""
    reserve(out, 1)
    out.data[out.size] = byte
    out.size += 1
    return 0


cdef inline int put_raw(Writer out, const void* data, Py_ssize_t length) except -1:
    """Bytes that are encoded already."""
    reserve(out, length)
    memcpy(out.data + out.size, data, length)
    out.size += length
    return 0


cdef inline int put_unsigned(Writer out, unsigned long long value) except -1:
    cdef unsigned char* to
    reserve(out, 9)
    to = out.data + out.size
    if value < 0x80:
        to[0] = <unsigned char>value
        out.size += 1
    elif value < 0x100:
        to[0] = 0xCC
        to[1] = <unsigned char>value
        out.size += 2
    elif value < 0x10000:
        to[0] = 0xCD
        store16(to + 1, <unsigned int>value)
        out.size += 3
    elif value < 0x100000000ULL:
        to[0] = 0xCE
        store32(to + 1, value)
        out.size += 5
    else:
        to[0] = 0xCF
        store64(to + 1, value)
        out.size += 9
    return 0


cdef inline int put_signed(Writer out, long long value) except -1:
    cdef unsigned char* to
    if value >= 0:
        return put_unsigned(out, <unsigned long long>value)
    reserve(out, 9)
    to = out.data + out.size
    if value >= -0x20:
        to[0] = <unsigned char>value
        out.size += 1
    elif value >= -0x80:
        to[0] = 0xD0
        to[1] = <unsigned char>value
        out.size += 2
    elif value >= -0x8000:
        to[0] = 0xD1
        store16(to + 1, <unsigned int>value)
        out.size += 3
    elif value >= -0x80000000LL:
        to[0] = 0xD2
        store32(to + 1, <unsigned long long>value)
        out.size += 5
    else:
        to[0] = 0xD3
        store64(to + 1, <unsigned long long>value)
        out.size += 9
    return 0


cdef inline int put_double(Writer out, double value) except -1:
    reserve(out, 9)
    out.data[out.size] = 0xCB
    store64(out.data + out.size + 1, bits_of(value))
    out.size += 9
    return 0


cdef inline int put_text(Writer out, const char* utf8, Py_ssize_t length) except -1:
    """A string, given as UTF-8."""
    cdef unsigned char* to
    reserve(out, length + 5)
    to = out.data + out.size
    if length < 0x20:
        to[0] = <unsigned char>(0xA0 | length)
        to += 1
    elif length < 0x100:
        to[0] = 0xD9
        to[1] = <unsigned char>length
        to += 2
    elif length < 0x10000:
        to[0] = 0xDA
        store16(to + 1, <unsigned int>length)
        to += 3
    elif length <= 0xFFFFFFFFLL:
        to[0] = 0xDB
        store32(to + 1, length)
        to += 5
    else:
        raise TypeError("write error")
    memcpy(to, utf8, length)
    out.size = to - out.data + length
    return 0


cdef inline int put_blob(Writer out, const void* data, Py_ssize_t length) except -1:
    """Bytes as a value."""
    cdef unsigned char* to
    reserve(out, length + 5)
    to = out.data + out.size
    if length < 0x100:
        to[0] = 0xC4
        to[1] = <unsigned char>length
        to += 2
    elif length < 0x10000:
        to[0] = 0xC5
        store16(to + 1, <unsigned int>length)
        to += 3
    elif length <= 0xFFFFFFFFLL:
        to[0] = 0xC6
        store32(to + 1, length)
        to += 5
    else:
        raise TypeError("write error")
    memcpy(to, data, length)
    out.size = to - out.data + length
    return 0


cdef inline int put_array(Writer out, Py_ssize_t length) except -1:
    """The head of an array: so many values have to follow."""
    cdef unsigned char* to
    reserve(out, 5)
    to = out.data + out.size
    if length < 0x10:
        to[0] = <unsigned char>(0x90 | length)
        out.size += 1
    elif length < 0x10000:
        to[0] = 0xDC
        store16(to + 1, <unsigned int>length)
        out.size += 3
    elif length <= 0xFFFFFFFFLL:
        to[0] = 0xDD
        store32(to + 1, length)
        out.size += 5
    else:
        raise TypeError("write error")
    return 0


cdef inline int put_map(Writer out, Py_ssize_t length) except -1:
    """The head of a map: so many keys, each with its value, have to follow."""
    cdef unsigned char* to
    reserve(out, 5)
    to = out.data + out.size
    if length < 0x10:
        to[0] = <unsigned char>(0x80 | length)
        out.size += 1
    elif length < 0x10000:
        to[0] = 0xDE
        store16(to + 1, <unsigned int>length)
        out.size += 3
    elif length <= 0xFFFFFFFFLL:
        to[0] = 0xDF
        store32(to + 1, length)
        out.size += 5
    else:
        raise TypeError("write error")
    return 0


cdef inline int ext_header(Py_ssize_t length) noexcept:
    """How many bytes come before the body of an extension of this length."""
    if length in (1, 2, 4, 8, 16):
        return 2
    return 3 if length < 0x100 else 4 if length < 0x10000 else 6
