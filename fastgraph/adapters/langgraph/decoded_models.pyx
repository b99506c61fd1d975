"""Instances of well-known classes, made without running their constructors.

What these constructors do to a value that was stored is known: they check it and keep it. The
validation of a chat message by pydantic takes most of the time that it takes to load one, and
`UUID` is a class in Python. A maker looks at what it is given, exact types only, and makes the
instance where the constructor would certainly make an equal one; otherwise it makes none, and the
constructor decides.

Of pydantic the release is not known. Each maker of messages is therefore tried when it is made: a
few messages are made both ways and compared, down to the order of what they keep, and a maker that
differs is not used. Afterwards, whoever changes one of the classes is noticed once per decoding.
"""

import uuid as _uuid

from langchain_core.load.serializable import Serializable as _Serializable
from langchain_core.messages import AIMessage as _AIMessage
from langchain_core.messages import BaseMessage as _BaseMessage
from langchain_core.messages import HumanMessage as _HumanMessage
from langchain_core.messages import SystemMessage as _SystemMessage
from langchain_core.messages import ToolMessage as _ToolMessage
from langgraph.types import Send as _Send
from pydantic import BaseModel as _BaseModel
from pydantic_core import SchemaValidator as _SchemaValidator

from cpython.dict cimport PyDict_CheckExact, PyDict_Next
from cpython.object cimport PyObject
from cpython.unicode cimport PyUnicode_CheckExact

from fastgraph.kernels.msgpack_reader cimport remember
from fastgraph.kernels.slots cimport Slot

cdef extern from *:
    """
    #include <Python.h>

    /* The number that 32 hexadecimal digits stand for; None if that is not what they are. */
    static PyObject *fastgraph_hexadecimal(PyObject *text)
    {
        char digits[33];
        int i;
        if (!PyUnicode_IS_COMPACT_ASCII(text) || PyUnicode_GET_LENGTH(text) != 32)
            Py_RETURN_NONE;
        memcpy(digits, PyUnicode_1BYTE_DATA(text), 32);
        for (i = 0; i < 32; i++)
            if (!Py_ISXDIGIT(digits[i]))
                Py_RETURN_NONE;
        digits[32] = 0;
        return PyLong_FromString(digits, NULL, 16);
    }

    static PyObject *fastgraph_instance(PyObject *cls, PyObject *nothing)
    {
        return ((PyTypeObject *)cls)->tp_new((PyTypeObject *)cls, nothing, NULL);
    }
    """
    object fastgraph_hexadecimal(str text)
    object fastgraph_instance(object cls, tuple nothing)
    int PyObject_GenericSetDict(object instance, object value, void* context) except -1

# What upstream writes of an object says by which of these codes it is to be made again.
cdef enum:
    SINGLE_ARGUMENT = 0
    POSITIONAL_ARGUMENTS = 1
    PYDANTIC_V2 = 5


cdef class Maker:
    """Makes instances of one class.

    Attributes
    ----------
    cls : type
        The class.
    code : int
        The extension code that its instances are stored under.
    """

    cdef bint is_intact(self) except -1:
        """Whether the class is as it was when its constructor was proven."""
        return False

    cdef object make(self, object payload, bint is_plain):
        """An instance; None where the constructor has to decide.

        `payload` is not used by anybody else afterwards. `is_plain` says that no object in it was
        itself made by an extension, so that nobody else can hold a container in it.
        """
        return None

    def made(self, payload):
        """`make`, of a payload without objects, if the class is intact. For tests."""
        return self.make(payload, True) if self.is_intact() else None


cdef class UuidMaker(Maker):
    """`uuid.UUID(hex)`."""

    cdef object init
    cdef object setter
    cdef object unknown
    cdef Slot number
    cdef Slot safety

    def __init__(self):
        self.cls = _uuid.UUID
        self.code = SINGLE_ARGUMENT
        self.init = _uuid.UUID.__init__
        self.setter = _uuid.UUID.__setattr__
        self.unknown = _uuid.SafeUUID.unknown
        self.number = Slot(_uuid.UUID, "int")
        self.safety = Slot(_uuid.UUID, "is_safe")

    cdef bint is_intact(self) except -1:
        return (
            self.cls.__init__ is self.init
            and self.cls.__new__ is object.__new__
            and self.cls.__setattr__ is self.setter
        )

    cdef object make(self, object payload, bint is_plain):
        if not PyUnicode_CheckExact(payload):
            return None
        number = fastgraph_hexadecimal(<str>payload)
        if number is None:
            return None
        made = fastgraph_instance(self.cls, ())
        self.number.set(made, number)
        self.safety.set(made, self.unknown)
        return made


cdef class SendMaker(Maker):
    """`Send(node, arg)`."""

    cdef object init
    cdef Slot node
    cdef Slot arg
    cdef Slot timeout

    def __init__(self):
        self.cls = _Send
        self.code = POSITIONAL_ARGUMENTS
        self.init = _Send.__init__
        self.node = Slot(_Send, "node")
        self.arg = Slot(_Send, "arg")
        # Since LangGraph 1.2.
        self.timeout = Slot(_Send, "timeout") if "timeout" in _Send.__slots__ else None

    cdef bint is_intact(self) except -1:
        return (
            self.cls.__init__ is self.init
            and self.cls.__new__ is object.__new__
            and self.cls.__setattr__ is object.__setattr__
        )

    cdef object make(self, object payload, bint is_plain):
        if type(payload) is not list or len(<list>payload) != 2:
            return None
        made = fastgraph_instance(self.cls, ())
        self.node.set(made, (<list>payload)[0])
        self.arg.set(made, (<list>payload)[1])
        if self.timeout is not None:
            self.timeout.set(made, None)
        return made


# Messages

cdef enum Kind:
    CONTENT
    TABLE
    LITERAL
    TEXT
    OPTIONAL_TEXT
    TOOL_CALLS
    NO_TOOL_CALLS
    USAGE
    ANYTHING
    STATUS

cdef dict BASE = {
    "content": CONTENT,
    "additional_kwargs": TABLE,
    "response_metadata": TABLE,
    "type": LITERAL,
    "name": OPTIONAL_TEXT,
    "id": OPTIONAL_TEXT,
}
#: By class, its fields in pydantic's order, and what is kept of each as it is.
cdef dict KINDS = {
    _HumanMessage: BASE,
    _SystemMessage: BASE,
    _AIMessage: {
        **BASE,
        "tool_calls": TOOL_CALLS,
        "invalid_tool_calls": NO_TOOL_CALLS,
        "usage_metadata": USAGE,
    },
    _ToolMessage: {**BASE, "tool_call_id": TEXT, "artifact": ANYTHING, "status": STATUS},
}
cdef tuple TOOL_CALL = ("name", "args", "id", "type")
cdef tuple COUNTS = ("input_tokens", "output_tokens", "total_tokens")
cdef tuple DETAILS = ("input_token_details", "output_token_details")
cdef tuple INPUT_DETAILS = ("audio", "cache_creation", "cache_read")
cdef tuple OUTPUT_DETAILS = ("audio", "reasoning")


cdef bint is_content(object value) except -1:
    if PyUnicode_CheckExact(value):
        return True
    if type(value) is not list:
        return False
    for item in <list>value:
        if not PyUnicode_CheckExact(item) and not PyDict_CheckExact(item):
            return False
    return True


cdef bint are_all_names(dict table) except -1:
    cdef Py_ssize_t position = 0
    cdef PyObject* name
    while PyDict_Next(table, &position, &name, NULL):
        if not PyUnicode_CheckExact(<object>name):
            return False
    return True


cdef bint is_tool_call(object call) except -1:
    """Whether a tool call is in the form that the message's validator would bring it into."""
    cdef Py_ssize_t position = 0
    cdef Py_ssize_t i = 0
    cdef PyObject* name
    cdef PyObject* value
    if not PyDict_CheckExact(call) or len(<dict>call) != 4:
        return False
    while PyDict_Next(<dict>call, &position, &name, &value):
        if not is_name(<object>name, <str>TOOL_CALL[i]):
            return False
        if i == 1:
            if not PyDict_CheckExact(<object>value) or not are_all_names(<dict>value):
                return False
        elif i == 2 and <object>value is None:
            pass
        elif not PyUnicode_CheckExact(<object>value):
            return False
        i += 1
    return <str><object>value == "tool_call"


cdef bint are_tool_calls(object value) except -1:
    if type(value) is not list:
        return False
    for call in <list>value:
        if not is_tool_call(call):
            return False
    return True


cdef bint is_name(object name, str expected) except -1:
    return name is expected or (PyUnicode_CheckExact(name) and <str>name == expected)


cdef bint are_counts(object value, tuple names, bint is_complete, Py_ssize_t* following) except -1:
    """Whether a table of numbers begins with `names` in order, all of them if `is_complete`.

    `following` is how many of its entries these are. Other entries are kept as they are, after
    those.
    """
    cdef Py_ssize_t position = 0
    cdef Py_ssize_t i = 0
    cdef Py_ssize_t counted = 0
    cdef PyObject* name
    cdef PyObject* number
    if not PyDict_CheckExact(value):
        return False
    while PyDict_Next(<dict>value, &position, &name, &number):
        if not PyUnicode_CheckExact(<object>name):
            return False
        while i < len(names) and not is_name(<object>name, <str>names[i]):
            if is_complete:
                return False
            i += 1
        if i == len(names):
            break
        if type(<object>number) is not int:
            return False
        i += 1
        counted += 1
    following[0] = counted
    return not is_complete or counted == len(names)


cdef bint are_details(object value, tuple names) except -1:
    """Whether the validator would keep the details of a number of tokens as they are."""
    cdef Py_ssize_t counted
    if not are_counts(value, names, False, &counted) or not are_all_names(<dict>value):
        return False
    # A known name that comes later would be moved to its place.
    known = 0
    for name in names:
        known += name in <dict>value
    return known == counted


cdef bint is_usage(object value) except -1:
    cdef Py_ssize_t counted
    cdef Py_ssize_t i = 0
    if value is None:
        return True
    if not are_counts(value, COUNTS, True, &counted) or not are_all_names(<dict>value):
        return False
    for name in <dict>value:
        if i >= len(COUNTS):
            if name == DETAILS[0]:
                if i != len(COUNTS) or not are_details((<dict>value)[name], INPUT_DETAILS):
                    return False
            elif name == DETAILS[1]:
                if i != len(COUNTS) + (DETAILS[0] in <dict>value):
                    return False
                if not are_details((<dict>value)[name], OUTPUT_DETAILS):
                    return False
        i += 1
    return True


cdef class MessageMaker(Maker):
    """`cls(**fields)` for one class of chat messages."""

    cdef tuple names
    cdef int kinds[16]
    cdef str literal
    cdef tuple constructors
    cdef object validator
    cdef Slot fields_set
    cdef Slot extra
    cdef Slot private

    def __init__(self, cls):
        kinds = KINDS[cls]
        if list(cls.model_fields) != list(kinds):
            raise TypeError(f"{cls.__qualname__} has other fields")
        self.cls = cls
        self.code = PYDANTIC_V2
        self.names = tuple(cls.model_fields)
        for i, kind in enumerate(kinds.values()):
            self.kinds[i] = kind
        self.literal = cls.model_fields["type"].default
        self.constructors = tuple([each.__init__ for each in self.chain()])
        self.validator = cls.__pydantic_validator__
        self.fields_set = Slot(cls, "__pydantic_fields_set__")
        self.extra = Slot(cls, "__pydantic_extra__")
        self.private = Slot(cls, "__pydantic_private__")
        for name in self.names:
            remember(name)

    def chain(self):
        """The classes whose constructors one after the other do nothing but call the next."""
        return (self.cls, _BaseMessage, _Serializable, _BaseModel)

    cdef bint is_intact(self) except -1:
        for each, constructor in zip(self.chain(), self.constructors):
            if each.__init__ is not constructor:
                return False
        cls = self.cls
        return (
            cls.__pydantic_validator__ is self.validator
            # With a plugin of pydantic's it is of another class, and somebody is listening.
            and type(self.validator) is _SchemaValidator
            and cls.__pydantic_post_init__ is None
            and cls.__new__ is object.__new__
            and not cls.__private_attributes__
        )

    cdef bint keeps(self, Py_ssize_t i, object value) except -1:
        """Whether the validator would keep the value of a field as it is."""
        cdef int kind = self.kinds[i]
        if kind == CONTENT:
            return is_content(value)
        elif kind == TABLE:
            return PyDict_CheckExact(value)
        elif kind == OPTIONAL_TEXT:
            return value is None or PyUnicode_CheckExact(value)
        elif kind == LITERAL:
            return PyUnicode_CheckExact(value) and <str>value == self.literal
        elif kind == TEXT:
            return PyUnicode_CheckExact(value)
        elif kind == TOOL_CALLS:
            return are_tool_calls(value)
        elif kind == NO_TOOL_CALLS:
            return type(value) is list and not <list>value
        elif kind == USAGE:
            return is_usage(value)
        elif kind == STATUS:
            return PyUnicode_CheckExact(value) and (
                <str>value == "success" or <str>value == "error"
            )
        return True

    cdef bint are_in_order(self, dict fields) except -1:
        """Whether these are all of the fields, in the order in which the model keeps them."""
        cdef Py_ssize_t position = 0
        cdef Py_ssize_t i = 0
        cdef PyObject* name
        if len(fields) != len(self.names):
            return False
        while PyDict_Next(fields, &position, &name, NULL):
            if not is_name(<object>name, <str>self.names[i]):
                return False
            i += 1
        return True

    cdef dict completed(self, dict given):
        """All fields in order, those not given at their defaults; None if one has none."""
        cdef dict fields = {}
        cdef Py_ssize_t i
        cdef Py_ssize_t used = 0
        cdef int kind
        for i in range(len(self.names)):
            name = self.names[i]
            kind = self.kinds[i]
            if name in given:
                fields[name] = given[name]
                used += 1
            elif kind == CONTENT or kind == TEXT:
                return None
            elif kind == TABLE:
                fields[name] = {}
            elif kind == TOOL_CALLS or kind == NO_TOOL_CALLS:
                fields[name] = []
            elif kind == LITERAL:
                fields[name] = self.literal
            elif kind == STATUS:
                fields[name] = "success"
            else:
                fields[name] = None
        return fields if used == len(given) else None

    cdef object make(self, object payload, bint is_plain):
        cdef dict fields
        cdef set names = set()
        cdef Py_ssize_t position = 0
        cdef Py_ssize_t i = 0
        cdef PyObject* value
        if not is_plain or not PyDict_CheckExact(payload):
            return None
        fields = <dict>payload
        if not self.are_in_order(fields):
            fields = self.completed(fields)
            if fields is None:
                return None
        while PyDict_Next(fields, &position, NULL, &value):
            if not self.keeps(i, <object>value):
                return None
            i += 1
        # An AI message without tool calls looks for some in what the provider sent.
        if (
            self.cls is _AIMessage
            and not fields["tool_calls"]
            and "tool_calls" in <dict>fields["additional_kwargs"]
        ):
            return None
        # In the order in which pydantic adds them, which is the set's own order.
        for name in self.names:
            if fields is payload or name in <dict>payload:
                names.add(name)
        made = fastgraph_instance(self.cls, ())
        PyObject_GenericSetDict(made, fields, NULL)
        self.fields_set.set(made, names)
        self.extra.set(made, {})
        self.private.set(made, None)
        return made


def samples(cls):
    """Fields of messages on which a maker is tried; each call gives new ones."""
    base = {
        "content": "".join(["te", "xt"]),
        "additional_kwargs": {"a": {"b": None}},
        "response_metadata": {1: [2.5]},
        "type": cls.model_fields["type"].default,
        "name": "name",
        "id": "1",
    }
    blocks = [{"type": "text", "text": "é", 3: ()}, "text"]
    for own in OWN[cls]():
        yield {**base, **own}
        yield {**base, **own, "content": blocks, "id": None, "name": None}
        yield dict(reversed({**base, **own}.items()))
        yield {"content": "text", **own}


def of_ai():
    usage = {"input_tokens": 1, "output_tokens": 2**70, "total_tokens": -3}
    details = {
        "input_token_details": {"audio": 1, "cache_read": 2, "other": {}},
        "output_token_details": {"reasoning": 0, "other": None},
    }
    call = {"name": "f", "args": {"a": [1], "": None}, "id": None, "type": "tool_call"}
    for metadata in (None, usage, {**usage, **details, "other": True}):
        yield {
            "tool_calls": [dict(call), {**call, "id": "2"}],
            "invalid_tool_calls": [],
            "usage_metadata": metadata,
        }
    yield {"tool_calls": [], "invalid_tool_calls": [], "usage_metadata": None}


def of_tool():
    yield {"tool_call_id": "1", "artifact": {"a": (1,)}, "status": "error"}
    yield {"tool_call_id": "", "artifact": None, "status": "success"}


def of_others():
    yield {}


cdef dict OWN = {
    _HumanMessage: of_others,
    _SystemMessage: of_others,
    _AIMessage: of_ai,
    _ToolMessage: of_tool,
}


def parts(message):
    """All that pydantic keeps of a message, in order and with its types."""
    return repr(
        [
            type(message),
            list(message.__dict__.items()),
            list(message.__pydantic_fields_set__),
            message.__pydantic_extra__,
            message.__pydantic_private__,
        ]
    )


cdef bint stands_trial(MessageMaker maker) except -1:
    """Whether a maker makes what the class makes of itself."""
    if not maker.is_intact():
        return False
    for one, other in zip(samples(maker.cls), samples(maker.cls)):
        made = maker.make(one, True)
        if made is None or parts(made) != parts(maker.cls(**other)):
            return False
    return True


cdef list made_makers():
    cdef list found = []
    of_messages = [(MessageMaker, (cls,)) for cls in KINDS]
    for make, argument in [(UuidMaker, ()), (SendMaker, ()), *of_messages]:
        try:
            maker = make(*argument)
            if not isinstance(maker, MessageMaker) or stands_trial(maker):
                found.append(maker)
        except Exception:
            # The constructor is as good as before.
            continue
    return found


cdef list makers = made_makers()


cdef Maker maker_of(object cls):
    """The maker of a class; None if it is made by calling it."""
    for maker in makers:
        if (<Maker>maker).cls is cls:
            return maker
    return None


def known_makers():
    """The makers in use. For tests."""
    return list(makers)
