"""What all savers do for each checkpoint: version strings, and what metadata is stored.

Domain of `get_checkpoint_metadata`: config and metadata in plain dicts, or chains of them. Of
`get_next_version`: versions as it makes them, and those it starts from.
"""

from cpython.unicode cimport PyUnicode_FindChar, PyUnicode_GET_LENGTH, PyUnicode_READ_CHAR

from langgraph.checkpoint import base

from fastgraph.adapters.langgraph.config cimport flattened
from fastgraph.kernels.tally cimport Tally

cdef extern from "Python.h":
    object PyUnicode_New(Py_ssize_t size, Py_UCS4 maxchar)
    void PyUnicode_WRITE(int kind, void* data, Py_ssize_t index, Py_UCS4 value)
    int PyUnicode_KIND(object text)
    void* PyUnicode_DATA(object text)

# Digits before the dot of a version, and the most of them whose number is sure to fit.
cdef Py_ssize_t DIGITS = 32
cdef long long LARGEST = 10 ** 17
cdef long long ZERO = 48  # the code of "0"

cdef object stock_metadata
cdef Tally metadata_tally


cdef inline object without_nul(object text):
    """`text.replace("\\0", "")`."""
    if type(text) is str and PyUnicode_FindChar(text, 0, 0, PyUnicode_GET_LENGTH(text), 1) == -1:
        return text
    return text.replace("\u0000", "")


cdef inline bint is_private(object key) except -1:
    """`key.startswith("__")`."""
    if type(key) is not str:
        return key.startswith("__")
    return (
        PyUnicode_GET_LENGTH(key) >= 2
        and PyUnicode_READ_CHAR(key, 0) == u"_"
        and PyUnicode_READ_CHAR(key, 1) == u"_"
    )


cdef int add_simple(dict found, dict given, object excluded) except -1:
    """Add what is simple and not a matter of the engine's own."""
    for key, value in given.items():
        if key in found or key in excluded or is_private(key):
            continue
        if isinstance(value, str):
            found[key] = without_nul(value)
        elif isinstance(value, (int, float)):  # a bool is an int
            found[key] = value
    return 0


def get_checkpoint_metadata(config, metadata):
    """Return the metadata to store with a checkpoint: its own, and what is simple in the config's.

    Replaces `langgraph.checkpoint.base.get_checkpoint_metadata`.
    """
    cdef dict found = {}
    cdef dict flat
    metadata_tally.calls += 1
    if type(config) is not dict or type(metadata) is not dict:
        metadata_tally.fell_back("a config or metadata of another type")
        return stock_metadata(config, metadata)
    given = []
    for each in ((<dict>config).get("metadata"), (<dict>config).get("configurable")):
        if each is None:
            continue
        flat = flattened(each)
        if flat is None:
            metadata_tally.fell_back("a config or metadata of another type")
            return stock_metadata(config, metadata)
        given.append(flat)
    for key, value in (<dict>metadata).items():
        found[key] = without_nul(value) if isinstance(value, str) else value
    excluded = base.EXCLUDED_METADATA_KEYS
    for flat in given:
        add_simple(found, flat, excluded)
    return found


def make_get_checkpoint_metadata(original, Tally tally not None, str variant):
    global stock_metadata, metadata_tally
    stock_metadata, metadata_tally = original, tally
    return get_checkpoint_metadata


# get_next_version

cdef long long number_of(object version) except -1:
    """The number before the dot of a version as savers make them; -2 for any other."""
    cdef long long number = 0
    cdef Py_UCS4 digit
    cdef Py_ssize_t index
    if version is None:
        return 0
    if type(version) is int:
        return version if 0 <= version < LARGEST else -2
    if type(version) is not str or PyUnicode_GET_LENGTH(version) <= DIGITS:
        return -2
    if PyUnicode_READ_CHAR(version, DIGITS) != u".":
        return -2
    for index in range(DIGITS):
        digit = PyUnicode_READ_CHAR(version, index)
        if not u"0" <= digit <= u"9":
            return -2
        number = number * 10 + (<long long>digit - ZERO)
        if number >= LARGEST:
            return -2
    return number


cdef str written(long long number, str fraction):
    """The number in as many digits as they have before the dot, then the fraction."""
    cdef Py_ssize_t length = PyUnicode_GET_LENGTH(fraction)
    cdef Py_ssize_t index
    cdef object text = PyUnicode_New(DIGITS + 1 + length, 127)
    cdef int kind = PyUnicode_KIND(text)
    cdef void* data = PyUnicode_DATA(text)
    for index in range(DIGITS - 1, -1, -1):
        PyUnicode_WRITE(kind, data, index, <Py_UCS4>(ZERO + number % 10))
        number //= 10
    PyUnicode_WRITE(kind, data, DIGITS, u".")
    for index in range(length):
        PyUnicode_WRITE(
            kind, data, DIGITS + 1 + index, PyUnicode_READ_CHAR(fraction, index)
        )
    return text


def make_get_next_version(original, Tally tally not None, str variant):
    """Of any saver that has it; each reads the random numbers that its module knows."""
    cdef dict upstream = original.__globals__

    def get_next_version(self, current, channel):
        """Return the version after another, with random digits behind it.

        Replaces `get_next_version` of upstream's savers.
        """
        cdef long long number
        tally.calls += 1
        number = number_of(current)
        if number < 0:
            tally.fell_back("a version of another form")
            return original(self, current, channel)
        fraction = upstream["random"].random()
        if type(fraction) is not float or not 0.0 <= <double>fraction < 1.0:
            return f"{number + 1:032}.{fraction:016}"
        return written(number + 1, f"{fraction:016}")

    return get_next_version
