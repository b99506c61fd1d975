"""A reader of MessagePack: what a message says, as Python objects, and nothing past its end.

The format is the one of https://github.com/msgpack/msgpack/blob/master/spec.md. Arrays come back as
lists (as tuples inside of a map's key), maps as dicts, `bin` as bytes. What an extension means is
for a subclass to say: `Reader.ext` is handed its code and where its body lies.

Bytes come from anywhere, so a length is believed only as far as there are bytes left, containers
that are announced are allocated as they fill, and nesting is bounded twice: in one message, and in
all the messages that are open because they lie in each other as extensions.

Short keys of maps come out of a cache, as state has the same ones over and over.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.list cimport PyList_New, PyList_SET_ITEM
from cpython.ref cimport Py_INCREF

__all__ = ("Reader",)

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>

    #define FASTGRAPH_CACHED_KEYS 1024  /* a power of two */

    static uint64_t fastgraph_load(const unsigned char *at, Py_ssize_t size)
    {
        uint64_t word = 0;
        memcpy(&word, at, (size_t)size);
        return word;
    }

    static int fastgraph_is_ascii(const unsigned char *at, Py_ssize_t size)
    {
        uint64_t seen = 0;
        for (; size >= 8; at += 8, size -= 8)
            seen |= fastgraph_load(at, 8);
        for (; size > 0; at++, size--)
            seen |= *at;
        return (seen & UINT64_C(0x8080808080808080)) == 0;
    }

    /* UTF-8 as a str; ValueError if it is not UTF-8. */
    static PyObject *fastgraph_text(const unsigned char *at, Py_ssize_t size)
    {
        PyObject *text;
        if (!fastgraph_is_ascii(at, size))
            return PyUnicode_DecodeUTF8((const char *)at, size, NULL);
        text = PyUnicode_New(size, 127);
        if (text != NULL && size > 0)
            memcpy(PyUnicode_1BYTE_DATA(text), at, (size_t)size);
        return text;
    }

    /* Guarded by the GIL: nothing between look-up and replacement runs Python code. */
    static PyObject *fastgraph_keys[FASTGRAPH_CACHED_KEYS];

    static size_t fastgraph_key_place(const unsigned char *at, Py_ssize_t size)
    {
        uint64_t mixed = (uint64_t)size * UINT64_C(0x9E3779B97F4A7C15);
        for (; size >= 8; at += 8, size -= 8)
            mixed = (mixed ^ fastgraph_load(at, 8)) * UINT64_C(0xFF51AFD7ED558CCD) ^ (mixed >> 29);
        if (size & 4) {
            uint32_t half;
            memcpy(&half, at, 4);
            mixed = (mixed ^ half) * UINT64_C(0xFF51AFD7ED558CCD) ^ (mixed >> 29);
            at += 4;
        }
        for (size &= 3; size > 0; at++, size--)
            mixed = (mixed ^ *at) * UINT64_C(0xC4CEB9FE1A85EC53);
        mixed ^= mixed >> 33;
        return (size_t)(mixed * UINT64_C(0x9E3779B97F4A7C15) >> 32) & (FASTGRAPH_CACHED_KEYS - 1);
    }

    /* A short key. Only ASCII is cached, of which the str holds the very bytes. */
    static PyObject *fastgraph_key(const unsigned char *at, Py_ssize_t size)
    {
        PyObject **place = &fastgraph_keys[fastgraph_key_place(at, size)];
        PyObject *key = *place;
        if (key != NULL && PyUnicode_GET_LENGTH(key) == size
                && memcmp(PyUnicode_1BYTE_DATA(key), at, (size_t)size) == 0) {
            Py_INCREF(key);
            return key;
        }
        key = fastgraph_text(at, size);
        if (key != NULL && PyUnicode_IS_COMPACT_ASCII(key)) {
            PyObject *previous = *place;
            Py_INCREF(key);
            *place = key;
            Py_XDECREF(previous);
        }
        return key;
    }

    /* Have a key come back as this very str from now on, as far as its place is not taken again. */
    static void fastgraph_remember(PyObject *key)
    {
        PyObject **place, *previous;
        if (!PyUnicode_IS_COMPACT_ASCII(key))
            return;
        place = &fastgraph_keys[fastgraph_key_place(
            PyUnicode_1BYTE_DATA(key), PyUnicode_GET_LENGTH(key))];
        previous = *place;
        Py_INCREF(key);
        *place = key;
        Py_XDECREF(previous);
    }

    static uint64_t fastgraph_big_endian(const unsigned char *at, int size)
    {
        uint64_t number = 0;
        for (; size > 0; at++, size--)
            number = number << 8 | *at;
        return number;
    }

    static double fastgraph_double(uint64_t bits)
    {
        double number;
        memcpy(&number, &bits, sizeof number);
        return number;
    }

    static double fastgraph_single(uint64_t bits)
    {
        uint32_t narrow = (uint32_t)bits;
        float number;
        memcpy(&number, &narrow, sizeof number);
        return number;
    }
    """
    ctypedef unsigned long long uint64_t
    str fastgraph_text(const unsigned char* at, Py_ssize_t size)
    str fastgraph_key(const unsigned char* at, Py_ssize_t size)
    void fastgraph_remember(str key)
    uint64_t fastgraph_big_endian(const unsigned char* at, int size)
    double fastgraph_double(uint64_t bits)
    double fastgraph_single(uint64_t bits)

cdef enum:
    # Values in values in one message: the most deeply nested one is at 1,023.
    DEPTH = 1024
    # Containers open at once in all messages. Each takes some 200 bytes of the C stack.
    LEVELS = 12000
    # Longer arrays grow as they are read: five bytes may announce four thousand million values.
    PREALLOCATED = 64
    # Of more values than this, an array for which there are too few bytes is not a mistake.
    ABSURD = 1000000
    # Longer keys are not looked up in the cache.
    SHORT = 64


cdef class Reader:
    """Reads one message.

    Parameters
    ----------
    source : bytes
        The message; what follows it is not looked at.
    """

    def __init__(self, bytes source not None):
        self.open(source)

    def read(self):
        """The next value.

        Raises
        ------
        ValueError
            If the bytes end too early, are not MessagePack, or are nested too deeply; and for an
            extension, about which this class knows nothing.
        """
        return self.value()

    cdef int open(self, bytes source) except -1:
        """Start at the beginning of `source`, which is kept alive."""
        self.source = source
        self.at = <const unsigned char*>PyBytes_AS_STRING(source)
        self.end = self.at + PyBytes_GET_SIZE(source)
        self.depth = 0
        self.levels = 0
        self.is_oversized = False
        return 0

    cdef object value(self):
        return value(self)

    cdef str name(self):
        """The next value if it is a short string, from the cache of keys; else None, unread."""
        cdef Py_ssize_t size
        cdef Py_ssize_t header = 1
        cdef const unsigned char* at = self.at
        if self.end - at < 2:
            return None
        if at[0] & 0xE0 == 0xA0:
            size = at[0] & 0x1F
        elif at[0] == 0xD9 and at[1] <= SHORT:
            size = at[1]
            header = 2
        else:
            return None
        if self.end - at < header + size:
            return None
        self.at = at + header + size
        return fastgraph_key(at + header, size)

    cdef bint array_of(self, unsigned int size) except -1:
        """Enter the array that comes next if it is of `size` values, less than 16."""
        if self.at >= self.end or self.at[0] != (0x90 | size):
            return False
        self.at += 1
        enter(self, size)
        return True

    cdef object ext(self, int code, const unsigned char* body, Py_ssize_t size):
        raise ValueError(f"an extension of code {code}")


cdef void remember(str key):
    """Have a key come back as this very `str`, such as one that attributes are looked up by."""
    fastgraph_remember(key)


cdef int truncated() except -1:
    raise ValueError("the bytes end before the message does")


cdef inline int need(Reader self, size_t size) except -1:
    if size > <size_t>(self.end - self.at):
        truncated()
    return 0


cdef inline uint64_t number(Reader self, int size) except? 0:
    """A big-endian unsigned number of `size` bytes."""
    cdef const unsigned char* at = self.at
    need(self, size)
    self.at = at + size
    return fastgraph_big_endian(at, size)


cdef inline int enter(Reader self, size_t size) except -1:
    """One container more is open; `leave` is not called on errors, which end the message."""
    if size > ABSURD and size > <size_t>(self.end - self.at):
        self.is_oversized = True  # what follows is read nevertheless, as far as it goes
    self.depth += 1
    self.levels += 1
    if self.depth + 1 >= DEPTH or self.levels > LEVELS:
        raise ValueError("nested too deeply")
    return 0


cdef inline void leave(Reader self) noexcept:
    self.depth -= 1
    self.levels -= 1


cdef inline str text(Reader self, size_t size):
    cdef const unsigned char* at = self.at
    need(self, size)
    self.at = at + size
    return fastgraph_text(at, size)


cdef inline str text_key(Reader self, size_t size):
    cdef const unsigned char* at = self.at
    need(self, size)
    self.at = at + size
    return fastgraph_key(at, size) if size <= SHORT else fastgraph_text(at, size)


cdef inline bytes binary(Reader self, size_t size):
    cdef const unsigned char* at = self.at
    need(self, size)
    self.at = at + size
    return PyBytes_FromStringAndSize(<const char*>at, size)


cdef inline object extension(Reader self, size_t size):
    cdef const unsigned char* at = self.at
    need(self, size + 1)
    self.at = at + 1 + size
    return self.ext(<signed char>at[0], at + 1, size)


cdef list array(Reader self, size_t size):
    cdef size_t i
    cdef size_t _
    cdef size_t first = size if size < PREALLOCATED else PREALLOCATED
    cdef list items = PyList_New(first)
    if size == 0:
        return items
    enter(self, size)
    for i in range(first):
        item = value(self)
        Py_INCREF(item)
        PyList_SET_ITEM(items, i, item)
    for _ in range(first, size):
        items.append(value(self))
    leave(self)
    return items


cdef dict mapping(Reader self, size_t size):
    cdef size_t _
    cdef dict items = {}
    if size == 0:
        return items
    enter(self, size)
    for _ in range(size):
        name = key(self)
        items[name] = value(self)
    leave(self)
    return items


cdef tuple array_key(Reader self, size_t size):
    cdef size_t _
    cdef list items = []
    if size == 0:
        return ()
    enter(self, size)
    for _ in range(size):
        items.append(key(self))
    leave(self)
    return tuple(items)


cdef object scalar(Reader self, unsigned int marker):
    """What is the same in a key as elsewhere: no string, no container, no extension."""
    if marker == 0xC0:
        return None
    elif marker == 0xC2:
        return False
    elif marker == 0xC3:
        return True
    elif marker == 0xC4:
        return binary(self, number(self, 1))
    elif marker == 0xC5:
        return binary(self, number(self, 2))
    elif marker == 0xC6:
        return binary(self, number(self, 4))
    elif marker == 0xCA:
        return fastgraph_single(number(self, 4))
    elif marker == 0xCB:
        return fastgraph_double(number(self, 8))
    elif marker == 0xCC:
        return number(self, 1)
    elif marker == 0xCD:
        return number(self, 2)
    elif marker == 0xCE:
        return number(self, 4)
    elif marker == 0xCF:
        return number(self, 8)
    elif marker == 0xD0:
        return <signed char>number(self, 1)
    elif marker == 0xD1:
        return <short>number(self, 2)
    elif marker == 0xD2:
        return <int>number(self, 4)
    elif marker == 0xD3:
        return <long long>number(self, 8)
    raise ValueError(f"no value begins with 0x{marker:02x} here")


cdef object value(Reader self):
    cdef unsigned int marker
    need(self, 1)
    marker = self.at[0]
    self.at += 1
    if marker < 0x80:
        return marker
    if marker < 0x90:
        return mapping(self, marker & 0x0F)
    if marker < 0xA0:
        return array(self, marker & 0x0F)
    if marker < 0xC0:
        return text(self, marker & 0x1F)
    if marker >= 0xE0:
        return <signed char>marker
    if marker == 0xD9:
        return text(self, number(self, 1))
    elif marker == 0xDA:
        return text(self, number(self, 2))
    elif marker == 0xDB:
        return text(self, number(self, 4))
    elif marker == 0xDC:
        return array(self, number(self, 2))
    elif marker == 0xDD:
        return array(self, number(self, 4))
    elif marker == 0xDE:
        return mapping(self, number(self, 2))
    elif marker == 0xDF:
        return mapping(self, number(self, 4))
    elif marker == 0xC7:
        return extension(self, number(self, 1))
    elif marker == 0xC8:
        return extension(self, number(self, 2))
    elif marker == 0xC9:
        return extension(self, number(self, 4))
    elif marker == 0xD4:
        return extension(self, 1)
    elif marker == 0xD5:
        return extension(self, 2)
    elif marker == 0xD6:
        return extension(self, 4)
    elif marker == 0xD7:
        return extension(self, 8)
    elif marker == 0xD8:
        return extension(self, 16)
    return scalar(self, marker)


cdef object key(Reader self):
    """The key of a map: hashable, and made without anybody's code."""
    cdef unsigned int marker
    need(self, 1)
    marker = self.at[0]
    self.at += 1
    if marker < 0x80:
        return marker
    if 0xA0 <= marker < 0xC0:
        return text_key(self, marker & 0x1F)
    if marker >= 0xE0:
        return <signed char>marker
    if 0x90 <= marker < 0xA0:
        return array_key(self, marker & 0x0F)
    if marker == 0xD9:
        return text_key(self, number(self, 1))
    elif marker == 0xDA:
        return text_key(self, number(self, 2))
    elif marker == 0xDB:
        return text_key(self, number(self, 4))
    elif marker == 0xDC:
        return array_key(self, number(self, 2))
    elif marker == 0xDD:
        return array_key(self, number(self, 4))
    return scalar(self, marker)
