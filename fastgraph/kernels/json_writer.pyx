"""JSON as `pydantic_core.to_json` writes it: compact, in UTF-8, with as few escapes as possible.

Domain: exactly the built-in types None, bool, int within 64 bits, float, str, list, tuple and dict
with keys of str, nested up to `DEEPEST` deep. Of anything else nothing is promised but that it is
told: the buffer may hold a part of it then. Reals are left to `to_json` itself, whose shortest
digits they are, infinities and no numbers as null.
"""

from cpython.long cimport PyLong_AsLongLongAndOverflow
from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from libc.stdio cimport snprintf

from pydantic_core import to_json as _to_json

from fastgraph.kernels.msgpack_writer cimport Writer, put_byte, put_raw

__all__ = ("dumps",)

cdef object to_json = _to_json
cdef int DEEPEST = 100

#: What stands behind the backslash for a byte; u: its number does; 0: the byte stands for itself.
cdef unsigned char[256] ESCAPES


cdef void fill_escapes() noexcept:
    cdef int byte
    for byte in range(256):
        ESCAPES[byte] = c"u" if byte < 0x20 else 0
    ESCAPES[8], ESCAPES[9], ESCAPES[10] = c"b", c"t", c"n"
    ESCAPES[12], ESCAPES[13] = c"f", c"r"
    ESCAPES[34], ESCAPES[92] = c'"', c"\\"


fill_escapes()


cdef bint put_json_text(Writer out, object value) except -1:
    """A str; False if it has no UTF-8."""
    cdef Py_ssize_t size = 0
    cdef Py_ssize_t start = 0
    cdef Py_ssize_t at
    cdef unsigned char escape
    cdef const char* text
    cdef char[8] number
    try:
        text = PyUnicode_AsUTF8AndSize(value, &size)
    except UnicodeEncodeError:
        return False
    put_byte(out, c'"')
    for at in range(size):
        escape = ESCAPES[<unsigned char>text[at]]
        if escape:
            put_raw(out, text + start, at - start)
            start = at + 1
            put_byte(out, c"\\")
            put_byte(out, escape)
            if escape == c"u":
                snprintf(number, 8, "%04x", <unsigned int><unsigned char>text[at])
                put_raw(out, number, 4)
    put_raw(out, text + start, size - start)
    put_byte(out, c'"')
    return True


cdef bint put_integer(Writer out, object value) except -1:
    cdef int overflow = 0
    cdef long long number = PyLong_AsLongLongAndOverflow(value, &overflow)
    cdef char[32] digits
    if overflow:
        return False
    put_raw(out, digits, snprintf(digits, 32, "%lld", number))
    return True


cdef bint put_list(Writer out, object value, int depth) except -1:
    cdef Py_ssize_t index = 0
    put_byte(out, c"[")
    # Nothing of the user's runs meanwhile that could change it.
    for item in (<list>value if type(value) is list else value):
        if index:
            put_byte(out, c",")
        index += 1
        if not put_json(out, item, depth):
            return False
    put_byte(out, c"]")
    return True


cdef bint put_dict(Writer out, dict value, int depth) except -1:
    cdef bint first = True
    put_byte(out, c"{")
    for key, item in value.items():
        if type(key) is not str:
            return False
        if not first:
            put_byte(out, c",")
        first = False
        if not put_json_text(out, key):
            return False
        put_byte(out, c":")
        if not put_json(out, item, depth):
            return False
    put_byte(out, c"}")
    return True


cdef bint put_json(Writer out, object value, int depth) except -1:
    """A value within so many others; False outside the domain."""
    cdef bytes real
    kind = type(value)
    if kind is str:
        return put_json_text(out, value)
    if value is None:
        put_raw(out, b"null", 4)
    elif value is True:
        put_raw(out, b"true", 4)
    elif value is False:
        put_raw(out, b"false", 5)
    elif kind is int:
        return put_integer(out, value)
    elif kind is float:
        real = to_json(value, inf_nan_mode="null")
        put_raw(out, <const char*>real, len(real))
    elif depth >= DEEPEST:
        return False
    elif kind is dict:
        return put_dict(out, <dict>value, depth + 1)
    elif kind is list or kind is tuple:
        return put_list(out, value, depth + 1)
    else:
        return False
    return True


def dumps(value):
    """Write a value.

    Parameters
    ----------
    value : object
        What is written.

    Returns
    -------
    bytes or None
        What `pydantic_core.to_json(value, inf_nan_mode="null")` gives; None
        outside the domain.

    Examples
    --------
    >>> dumps({"é": [1, None, "\\n"]}).decode()
    '{"é":[1,null,"\\\\n"]}'
    """
    cdef Writer out = Writer.__new__(Writer)
    return out.finish() if put_json(out, value, 0) else None
