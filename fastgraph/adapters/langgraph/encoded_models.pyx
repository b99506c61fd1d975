"""Pydantic models and LangChain messages, written from their fields.

Upstream writes what `model_dump` gives: a dict that pydantic builds from the model's own, value by
value. Where every value of a model is of exactly the type that its field declares, and nothing
that a user wrote takes part, that dict is equal to the model's own, and is written from there.

A `Plan` is what is known about a class: pydantic's schema of it, as far as every node of the
schema is known to hand on what it is given. A class with serializers of its own, computed fields,
aliases for the output, or types that are not listed here has none. A model is written by its
plan or, as soon as one value does not fit, not at all: nothing has run by then that anybody could
see, and `model_dump` decides, with its warnings.

Domain: pydantic 2 in its "python" mode with the options that `model_dump()` has by default.
"""


cimport cython

from fastgraph.kernels.msgpack_writer cimport (
    Writer,
    put_array,
    put_blob,
    put_byte,
    put_double,
    put_map,
    put_raw,
    put_signed,
    put_text,
    put_unsigned,
)
from fastgraph.kernels.slots cimport Slot

from pydantic import BaseModel
from pydantic_core import SchemaSerializer

cdef extern from "Python.h":
    PyTypeObject PyUnicode_Type
    PyTypeObject PyBytes_Type
    PyTypeObject PyLong_Type
    PyTypeObject PyBool_Type
    PyTypeObject PyFloat_Type
    PyTypeObject PyList_Type
    PyTypeObject PyDict_Type
    PyTypeObject PyTuple_Type
    PyObject* Py_None
    PyObject* Py_True
    Py_ssize_t PyDict_GET_SIZE(PyObject*) noexcept
    int PyDict_Next(PyObject*, Py_ssize_t*, PyObject**, PyObject**) noexcept
    PyObject* PyList_GET_ITEM(PyObject*, Py_ssize_t) noexcept
    Py_ssize_t PyList_GET_SIZE(PyObject*) noexcept
    PyObject* PyTuple_GET_ITEM(PyObject*, Py_ssize_t) noexcept
    Py_ssize_t PyTuple_GET_SIZE(PyObject*) noexcept
    double PyFloat_AS_DOUBLE(PyObject*) noexcept
    char* PyBytes_AS_STRING(PyObject*) noexcept
    Py_ssize_t PyBytes_GET_SIZE(PyObject*) noexcept
    long long PyLong_AsLongLongAndOverflow(PyObject*, int*) noexcept
    unsigned long long PyLong_AsUnsignedLongLong(PyObject*) noexcept
    PyObject* PyErr_Occurred() noexcept
    const char* utf8_or_null "PyUnicode_AsUTF8AndSize"(PyObject*, Py_ssize_t*) noexcept
    object PyUnicode_AsEncodedString(PyObject*, const char*, const char*)
    PyObject* PyDict_GetItemWithError(PyObject*, PyObject*) except? NULL
    int PySet_Contains(object, PyObject*) except -1
    object PyObject_GenericGetDict(PyObject*, void*)
    void PyErr_Clear() noexcept

#: What a model's fields are nested in at most: pydantic gives up at some depth of its own.
cdef int DEEPEST = 100

cdef enum:
    ANY
    STR
    INT
    FLOAT
    BOOL
    BYTES
    LITERAL
    LIST
    DICT
    NULLABLE
    UNION
    TYPED
    MODEL
    LEAF
    NEVER


cdef class Leaves:
    cdef int put_leaf(self, Writer out, PyObject* value) except -1:
        return 0


@cython.final
cdef class Node:
    """One node of a schema."""

    cdef int kind
    cdef Node inner  # of a list its items, of a dict its values
    cdef bint any_keys
    cdef bint only_scalars
    cdef bint is_open
    cdef tuple choices
    cdef frozenset words
    cdef dict fields
    cdef tuple order
    cdef Py_ssize_t required
    cdef PyTypeObject* cls  # nobody's: only compared, together with its version
    cdef unsigned int version
    cdef Py_ssize_t extra  # where its instances have what is none of their fields
    cdef bint slim


@cython.final
cdef class Field:
    """One field of a model or of a typed dict."""

    cdef str name
    cdef bytes head
    cdef Node node
    cdef bint required
    cdef bint has_default
    cdef object default


# Writing: 1 if it was written, 0 if it does not fit (what was written so far is then void).

cdef int put_string(Writer out, PyObject* text) except -1:
    """A string, lone surrogates replaced."""
    cdef Py_ssize_t length = 0
    cdef const char* utf8
    if is_compact_ascii(text):
        return put_text(out, ascii_of(text), PyUnicode_GET_LENGTH(text))
    utf8 = utf8_or_null(text, &length)
    if utf8 != NULL:
        return put_text(out, utf8, length)
    PyErr_Clear()
    replaced = PyUnicode_AsEncodedString(text, b"UTF-8", b"replace")
    return put_text(out, PyBytes_AS_STRING(<PyObject*>replaced), len(<bytes>replaced))


cdef int put_sound(Writer out, PyObject* text) except -1:
    """A string without surrogates."""
    cdef Py_ssize_t length = 0
    cdef const char* utf8
    if is_compact_ascii(text):
        put_text(out, ascii_of(text), PyUnicode_GET_LENGTH(text))
        return 1
    utf8 = utf8_or_null(text, &length)
    if utf8 == NULL:
        PyErr_Clear()
        return 0
    put_text(out, utf8, length)
    return 1


cdef int put_integer(Writer out, PyObject* value) except -1:
    cdef int overflow = 0
    cdef long long whole = PyLong_AsLongLongAndOverflow(value, &overflow)
    cdef unsigned long long large
    if overflow == 0:
        put_signed(out, whole)
        return 1
    if overflow < 0:
        return 0
    large = PyLong_AsUnsignedLongLong(value)
    if PyErr_Occurred() != NULL:
        PyErr_Clear()
        return 0
    put_unsigned(out, large)
    return 1


cdef int put_any(Leaves leaves, Writer out, PyObject* value, int depth) except -1:
    """What pydantic infers to be native, and hands on as it is."""
    cdef PyTypeObject* cls = Py_TYPE(value)
    cdef Py_ssize_t index, length
    if cls == &PyUnicode_Type:
        return put_sound(out, value)
    if value == Py_None:
        put_byte(out, 0xC0)
        return 1
    if cls == &PyLong_Type:
        return put_integer(out, value)
    if cls == &PyBool_Type:
        put_byte(out, 0xC3 if value == Py_True else 0xC2)
        return 1
    if cls == &PyFloat_Type:
        put_double(out, PyFloat_AS_DOUBLE(value))
        return 1
    if depth > DEEPEST:
        return 0
    if cls == &PyDict_Type:
        return put_dict(leaves, out, None, True, value, depth)
    if cls == &PyList_Type:
        return put_list(leaves, out, None, value, depth)
    if cls == &PyTuple_Type:
        length = PyTuple_GET_SIZE(value)
        put_array(out, length)
        for index in range(length):
            if not put_any(leaves, out, PyTuple_GET_ITEM(value, index), depth + 1):
                return 0
        return 1
    if cls == &PyBytes_Type:
        put_blob(out, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))
        return 1
    return leaves.put_leaf(out, value)


cdef int put_list(
    Leaves leaves, Writer out, Node items, PyObject* value, int depth
) except -1:
    """A list of what `items` says; of anything if it is None."""
    cdef Py_ssize_t index, length = PyList_GET_SIZE(value)
    cdef int fits
    put_array(out, length)
    for index in range(length):
        if index >= PyList_GET_SIZE(value):
            return 0
        if items is None:
            fits = put_any(leaves, out, PyList_GET_ITEM(value, index), depth + 1)
        else:
            fits = put_node(leaves, out, items, PyList_GET_ITEM(value, index), depth + 1)
        if not fits:
            return 0
    return 1


cdef int put_dict(
    Leaves leaves, Writer out, Node values, bint any_keys, PyObject* value, int depth
) except -1:
    """A dict of what `values` says; of anything if it is None."""
    cdef Py_ssize_t position = 0
    cdef PyObject* key
    cdef PyObject* item
    cdef int fits
    put_map(out, PyDict_GET_SIZE(value))
    while PyDict_Next(value, &position, &key, &item):
        if Py_TYPE(key) == &PyUnicode_Type:
            fits = put_sound(out, key)
        elif any_keys and Py_TYPE(key) == &PyLong_Type:
            fits = put_integer(out, key)
        else:
            return 0
        if fits:
            if values is None:
                fits = put_any(leaves, out, item, depth + 1)
            else:
                fits = put_node(leaves, out, values, item, depth + 1)
        if not fits:
            return 0
    return 1


cdef int put_typed(Leaves leaves, Writer out, Node node, PyObject* value, int depth) except -1:
    """A typed dict: all that it requires, and what it does not know where it may have that."""
    cdef Py_ssize_t position = 0, required = 0, count = PyDict_GET_SIZE(value)
    cdef PyObject* key
    cdef PyObject* item
    cdef PyObject* found
    if node.slim:
        while PyDict_Next(value, &position, &key, &item):
            found = PyDict_GetItemWithError(<PyObject*>node.fields, key)
            count -= found != NULL and is_default(<Field>found, item)
        position = 0
    put_map(out, count)
    while PyDict_Next(value, &position, &key, &item):
        if Py_TYPE(key) != &PyUnicode_Type:
            return 0
        found = PyDict_GetItemWithError(<PyObject*>node.fields, key)
        if found != NULL and node.slim and is_default(<Field>found, item):
            required += (<Field>found).required
        elif found != NULL:
            put_raw(out, PyBytes_AS_STRING(<PyObject*>(<Field>found).head),
                    PyBytes_GET_SIZE(<PyObject*>(<Field>found).head))
            required += (<Field>found).required
            if not put_node(leaves, out, (<Field>found).node, item, depth + 1):
                return 0
        elif not node.is_open or not put_sound(out, key):
            return 0
        elif not put_any(leaves, out, item, depth + 1):
            return 0
    return required == node.required


cdef int put_choice(Leaves leaves, Writer out, Node node, PyObject* value, int depth) except -1:
    """One of several: whichever it is, what is handed on is the same."""
    cdef Py_ssize_t start = out.size
    cdef PyTypeObject* cls = Py_TYPE(value)
    if node.only_scalars and (cls == &PyDict_Type or cls == &PyList_Type or cls == &PyTuple_Type):
        return 0
    for choice in node.choices:
        if put_node(leaves, out, <Node>choice, value, depth):
            return 1
        out.size = start
    return 0


cdef bint is_default(Field field, PyObject* value) except -1:
    """Whether a value is what its field has where nothing is given."""
    cdef PyTypeObject* cls = Py_TYPE(value)
    if not field.has_default or cls != Py_TYPE(<PyObject*>field.default):
        return False
    if value == <PyObject*>field.default:
        return True
    if cls == &PyDict_Type:
        return PyDict_GET_SIZE(value) == 0
    if cls == &PyList_Type:
        return PyList_GET_SIZE(value) == 0
    # Floats only if it is the very one: 0.0 is equal to -0.0.
    if cls == &PyUnicode_Type or cls == &PyLong_Type or cls == &PyBytes_Type:
        return <object>value == field.default
    return False


cdef int put_slim(Leaves leaves, Writer out, Node node, PyObject* held, int depth) except -1:
    """The fields of a model without those that are as they would be anyway."""
    cdef Py_ssize_t position = 0, count = 0
    cdef PyObject* key
    cdef PyObject* item
    cdef PyObject* found
    while PyDict_Next(held, &position, &key, &item):
        found = PyDict_GetItemWithError(<PyObject*>node.fields, key)
        if found == NULL:
            return 0
        count += not is_default(<Field>found, item)
    put_map(out, count)
    position = 0
    while PyDict_Next(held, &position, &key, &item):
        found = PyDict_GetItemWithError(<PyObject*>node.fields, key)
        if found == NULL or not is_default(<Field>found, item):
            if found == NULL or not put_field(leaves, out, <Field>found, item, depth):
                return 0
    return 1


cdef inline int put_field(
    Leaves leaves, Writer out, Field field, PyObject* value, int depth
) except -1:
    put_raw(out, PyBytes_AS_STRING(<PyObject*>field.head),
            PyBytes_GET_SIZE(<PyObject*>field.head))
    return put_node(leaves, out, field.node, value, depth + 1)


cdef int put_model(Leaves leaves, Writer out, Node node, PyObject* model, int depth) except -1:
    cdef PyObject* extras
    cdef Py_ssize_t position = 0, count = 0
    cdef PyObject* key
    cdef PyObject* item
    cdef PyObject* found
    if Py_TYPE(model) != node.cls or type_version(node.cls) != node.version or depth > DEEPEST:
        return 0
    extras = (<PyObject**>(<char*>model + node.extra))[0]
    if extras != Py_None:
        if extras == NULL or Py_TYPE(extras) != &PyDict_Type or PyDict_GET_SIZE(extras):
            return 0
    own = PyObject_GenericGetDict(model, NULL)
    if type(own) is not dict or len(<dict>own) != len(node.order):
        return 0
    if node.slim:
        return put_slim(leaves, out, node, <PyObject*>own, depth)
    put_map(out, len(<dict>own))
    while PyDict_Next(<PyObject*>own, &position, &key, &item):
        # As a rule they are held in the order that they are declared in.
        found = PyTuple_GET_ITEM(<PyObject*>node.order, count)
        count += 1
        if <PyObject*>(<Field>found).name != key:
            found = PyDict_GetItemWithError(<PyObject*>node.fields, key)
            if found == NULL:
                return 0
        if not put_field(leaves, out, <Field>found, item, depth):
            return 0
    return 1


cdef int put_node(Leaves leaves, Writer out, Node node, PyObject* value, int depth) except -1:
    cdef PyTypeObject* cls
    cdef int kind = node.kind
    if kind == NULLABLE:
        if value == Py_None:
            put_byte(out, 0xC0)
            return 1
        node = node.inner
        kind = node.kind
    if kind == ANY:
        return put_any(leaves, out, value, depth)
    cls = Py_TYPE(value)
    if kind == STR:
        return put_sound(out, value) if cls == &PyUnicode_Type else 0
    if kind == LITERAL:
        if cls != &PyUnicode_Type or not PySet_Contains(node.words, value):
            return 0
        return put_sound(out, value)
    if kind == LIST:
        if cls != &PyList_Type or depth > DEEPEST:
            return 0
        return put_list(leaves, out, node.inner, value, depth)
    if kind == DICT:
        if cls != &PyDict_Type or depth > DEEPEST:
            return 0
        return put_dict(leaves, out, node.inner, node.any_keys, value, depth)
    if kind == UNION:
        return put_choice(leaves, out, node, value, depth)
    if kind == TYPED:
        if cls != &PyDict_Type or depth > DEEPEST:
            return 0
        return put_typed(leaves, out, node, value, depth)
    if kind == INT:
        return put_integer(out, value) if cls == &PyLong_Type else 0
    if kind == MODEL:
        return put_model(leaves, out, node, value, depth)
    if kind == FLOAT:
        if cls != &PyFloat_Type:
            return 0
        put_double(out, PyFloat_AS_DOUBLE(value))
        return 1
    if kind == BOOL:
        if cls != &PyBool_Type:
            return 0
        put_byte(out, 0xC3 if value == Py_True else 0xC2)
        return 1
    if kind == BYTES:
        if cls != &PyBytes_Type:
            return 0
        put_blob(out, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))
        return 1
    if kind == LEAF:
        return leaves.put_leaf(out, value) if cls == node.cls else 0
    return 0


cdef class Plan:
    """How the instances of one class are written.

    Attributes
    ----------
    slim : bool
        Whether fields that have their default are left out.
    """

    cdef int put(self, Leaves leaves, Writer out, PyObject* model) except -1:
        """Write what `model_dump` gives, within an array; 0 if only that itself knows.

        With `slim`, what is never read is not written either.
        """
        return put_model(leaves, out, <Node>self.root, model, 1)


# Making a plan.

class Unknown(Exception):
    """Part of a schema that is not proven to hand on what it is given."""


#: Of a schema: what says nothing about how its values are written.
SILENT = frozenset(
    "type metadata ref strict schema cls config root_model custom_init post_init frozen "
    "generic_origin extra_behavior revalidate_instances fields model_name computed_fields "
    "default default_factory default_factory_takes_data copy_default validate_default on_error "
    "function field_name items_schema keys_schema values_schema choices mode auto_collapse "
    "discriminator from_attributes custom_error_type custom_error_message custom_error_context "
    "expected pattern min_length max_length strip_whitespace to_lower to_upper regex_engine "
    "coerce_numbers_to_str multiple_of le ge lt gt allow_inf_nan total cls_name cls_repr "
    "definitions schema_ref fail_fast tz_constraint now_op now_utc_offset microseconds_precision "
    "version allow_none tzinfo ascii_only".split()
)
#: The same of a field.
SILENT_FIELD = frozenset("type schema required validation_alias frozen metadata".split())
#: The same of a model's configuration.
SILENT_CONFIG = frozenset(
    "title extra_fields_behavior typed_dict_total from_attributes loc_by_alias "
    "revalidate_instances validate_default str_max_length str_min_length str_strip_whitespace "
    "str_to_lower str_to_upper allow_inf_nan ser_json_timedelta ser_json_temporal ser_json_bytes "
    "ser_json_inf_nan val_json_bytes val_temporal_unit strict hide_input_in_errors "
    "validation_error_cause coerce_numbers_to_str regex_engine cache_strings validate_by_alias "
    "validate_by_name populate_by_name validate_assignment frozen".split()
)
SCALARS = {"str": STR, "int": INT, "float": FLOAT, "bool": BOOL, "bytes": BYTES}
WRAPPERS = frozenset(("function-before", "function-after", "function-wrap", "default"))


cdef dict leaf_classes():
    import datetime
    import decimal
    import uuid

    return {
        "uuid": uuid.UUID,
        "datetime": datetime.datetime,
        "date": datetime.date,
        "time": datetime.time,
        "timedelta": datetime.timedelta,
        "decimal": decimal.Decimal,
    }


LEAF_CLASSES = leaf_classes()
cdef object MODEL_DUMP = BaseModel.__dict__["model_dump"]


cdef bytes encoded_text(str text):
    cdef Writer out = Writer()
    if not put_sound(out, <PyObject*>text):
        raise Unknown("a name with surrogates")
    return out.finish()


class Reading:
    """Reads the schema of one class."""

    def __init__(self, slim):
        self.slim = slim
        self.definitions = {}
        self.nodes = {}

    def node(self, schema):
        """The node of a schema.

        Raises
        ------
        Unknown
            If it is not known to hand on what it is given.
        """
        ref = schema.get("ref")
        if ref in self.nodes:
            return self.nodes[ref]
        if not schema.keys() <= SILENT:
            raise Unknown(schema["type"])
        kind = schema["type"]
        if kind == "definitions":
            self.definitions.update({each["ref"]: each for each in schema["definitions"]})
            return self.node(schema["schema"])
        if kind == "definition-ref":
            return self.referred(schema["schema_ref"])
        if kind in WRAPPERS:
            return self.node(schema["schema"])
        return self.filled(new_node(), kind, schema)

    def referred(self, ref):
        if ref not in self.nodes:
            if ref not in self.definitions:
                raise Unknown("a reference to nothing")
            self.node(self.definitions[ref])
        return self.nodes[ref]

    def filled(self, node, kind, schema):
        if "ref" in schema:
            self.nodes[schema["ref"]] = node  # before what is in it, which may refer to it
        try:
            fill(self, node, kind, schema)
        except Unknown:
            self.nodes.pop(schema.get("ref"), None)
            raise
        return node

    def maybe(self, schema):
        """The node of a schema; one that no value fits if it is not known."""
        try:
            return self.node(schema)
        except Unknown:
            return never()


cdef Node new_node():
    return Node.__new__(Node)


cdef Node never():
    cdef Node node = new_node()
    node.kind = NEVER
    return node


cdef int fill(object reading, Node node, str kind, dict schema) except -1:
    if kind == "any":
        node.kind = ANY
    elif kind in SCALARS:
        node.kind = SCALARS[kind]
    elif kind in LEAF_CLASSES:
        node.kind = LEAF
        node.cls = <PyTypeObject*><PyObject*>LEAF_CLASSES[kind]
    elif kind == "literal":
        node.kind = LITERAL
        if not all(type(word) is str for word in schema["expected"]):
            raise Unknown("a literal that is no string")
        node.words = frozenset(schema["expected"])
    elif kind == "list":
        node.kind = LIST
        node.inner = reading.node(schema["items_schema"]) if "items_schema" in schema else None
    elif kind == "dict":
        node.kind = DICT
        keys = schema.get("keys_schema", {"type": "any"})
        if keys["type"] not in ("any", "str") or not keys.keys() <= SILENT:
            raise Unknown("a dict with keys of its own")
        node.any_keys = keys["type"] == "any"
        node.inner = reading.node(schema["values_schema"]) if "values_schema" in schema else None
    elif kind == "nullable":
        inner = reading.maybe(schema["schema"])
        node.kind = NULLABLE
        node.inner = inner
        if (<Node>inner).kind == NULLABLE:
            node.inner = (<Node>inner).inner
    elif kind == "union":
        fill_union(reading, node, schema)
    elif kind == "typed-dict":
        fill_typed(reading, node, schema)
    elif kind == "model":
        fill_model(reading, node, schema)
    else:
        raise Unknown(kind)
    return 0


cdef int fill_union(object reading, Node node, dict schema) except -1:
    cdef Node choice
    choices = []
    for each in schema["choices"]:
        if type(each) is not dict:
            raise Unknown("a choice with a label")
        choice = reading.maybe(each)
        # What a choice would make of a value, or whether it would take it, is not known of these.
        if choice.kind in (TYPED, MODEL, NEVER, NULLABLE, UNION):
            node.only_scalars = True
        else:
            choices.append(choice)
    node.kind = UNION
    node.choices = tuple(choices)
    return 0


cdef tuple fields_of(object reading, dict fields, bint all_required):
    made = []
    for name, each in fields.items():
        if not each.keys() <= SILENT_FIELD:
            raise Unknown(f"the field {name}")
        made.append(field_of(reading, name, each, all_required))
    return tuple(made)


cdef Field field_of(object reading, str name, dict schema, bint all_required):
    cdef Field field = Field.__new__(Field)
    field.name = name
    field.head = encoded_text(name)
    field.node = reading.node(schema["schema"])
    field.required = schema.get("required", all_required)
    if reading.slim and "validation_alias" not in schema:
        find_default(field, schema["schema"])
    return field


cdef int find_default(Field field, dict schema) except -1:
    """Note the default of a field, if it is one that every instance gets for itself."""
    while schema["type"] in WRAPPERS and schema["type"] != "default":
        schema = schema["schema"]
    if schema["type"] != "default" or schema.get("validate_default"):
        return 0
    factory = schema.get("default_factory")
    if factory is None and "default" in schema:
        default = schema["default"]
    elif factory is list or factory is dict:
        default = factory()
    else:
        return 0
    kind = type(default)
    if kind in (type(None), bool, int, float, str, bytes) or kind in (list, dict) and not default:
        field.has_default = True
        field.default = default
    return 0


cdef int fill_typed(object reading, Node node, dict schema) except -1:
    config = schema.get("config", {})
    if not config.keys() <= SILENT_CONFIG or schema.get("computed_fields"):
        raise Unknown("a typed dict that is written in a way of its own")
    behaviour = schema.get("extra_behavior", config.get("extra_fields_behavior", "ignore"))
    node.kind = TYPED
    node.is_open = behaviour == "allow"
    total = schema.get("total", config.get("typed_dict_total", True))
    node.order = fields_of(reading, schema["fields"], total)
    node.fields = {(<Field>field).name: field for field in node.order}
    node.required = sum(1 for field in node.order if (<Field>field).required)
    return 0


cdef int fill_model(object reading, Node node, dict schema) except -1:
    cls = schema["cls"]
    if schema.get("root_model") or not schema.get("config", {}).keys() <= SILENT_CONFIG:
        raise Unknown("a model that is written in a way of its own")
    inner = schema["schema"]
    while inner["type"] in WRAPPERS and inner.keys() <= SILENT:
        inner = inner["schema"]
    if inner["type"] != "model-fields" or inner.get("computed_fields"):
        raise Unknown("a model of something else than fields")
    if not inner.keys() <= SILENT:
        raise Unknown("fields that are written in a way of their own")
    if not is_plain(cls):
        raise Unknown("a model with a serializer")
    node.kind = MODEL
    # The slot itself would keep the class.
    node.extra = Slot(cls, "__pydantic_extra__").offset
    node.slim = reading.slim and can_be_slim(cls)
    node.order = fields_of(reading, inner["fields"], False)
    node.fields = {(<Field>field).name: field for field in node.order}
    if node.slim and "tool_calls" in node.fields:
        forget_type((<Field>node.fields["tool_calls"]).node)
    node.cls = <PyTypeObject*><PyObject*>cls
    node.version = type_version(node.cls)
    if node.version == 0:
        raise Unknown("a class whose changes cannot be told")
    return 0


cdef int forget_type(Node calls) except -1:
    """Leave out of a message's tool calls that they are tool calls: its validator says so."""
    if calls.kind == LIST and calls.inner is not None and calls.inner.kind == TYPED:
        kind = calls.inner.fields.get("type")
        if kind is not None:
            (<Field>kind).has_default = True
            (<Field>kind).default = "tool_call"
            calls.inner.slim = True
    return 0


def held(cls, name):
    """An attribute as a class or its bases have it in their dicts; None if none has."""
    for each in cls.__mro__:
        if name in each.__dict__:
            return each.__dict__[name]
    return None


def is_plain(cls):
    """Whether nothing but pydantic has a say in how the fields of a model are read."""
    if not isinstance(cls, type) or held(cls, "__getattribute__") is not object.__getattribute__:
        return False
    decorators = cls.__pydantic_decorators__
    return (
        type(cls.__dict__.get("__pydantic_serializer__")) is SchemaSerializer
        and not decorators.field_serializers
        and not decorators.model_serializers
        and not decorators.computed_fields
    )


def can_be_slim(cls):
    """Whether a class takes what is missing for its default, and asks nobody about it."""
    if (cls.__module__, cls.__name__) in SLIM_MESSAGES and cls.__module__ in sys_modules():
        return True
    decorators = cls.__pydantic_decorators__
    return (
        held(cls, "__init__") is BaseModel.__dict__["__init__"]
        and held(cls, "__new__") is object.__new__
        and cls.__pydantic_post_init__ is None
        and not decorators.validators
        and not decorators.root_validators
        and not decorators.model_validators
        and not decorators.field_validators
    )


def sys_modules():
    import sys

    return sys.modules


#: Messages have validators and an `__init__`, which do the same for a default as for its absence.
SLIM_MESSAGES = frozenset(
    (f"langchain_core.messages.{module}", f"{name}Message{chunk}")
    for module, name in (
        ("human", "Human"),
        ("ai", "AI"),
        ("system", "System"),
        ("tool", "Tool"),
        ("chat", "Chat"),
        ("function", "Function"),
    )
    for chunk in ("", "Chunk")
) | {("langchain_core.documents.base", "Document")}


cpdef Plan plan_of(object cls, bint slim):
    """How the instances of a class are written; None if only `model_dump` knows.

    Parameters
    ----------
    cls : type
        Any class.
    slim : bool
        Whether to leave out fields that have their default.
    """
    cdef Plan plan
    if not isinstance(cls, type) or not issubclass(cls, BaseModel):
        return None
    schema = cls.__dict__.get("__pydantic_core_schema__")
    if type(schema) is not dict or held(cls, "model_dump") is not MODEL_DUMP:
        return None
    try:
        root = Reading(slim).node(schema)
    except (Unknown, TypeError, KeyError, AttributeError):
        return None
    if (<Node>root).kind != MODEL or (<Node>root).cls != <PyTypeObject*><PyObject*>cls:
        return None
    plan = Plan.__new__(Plan)
    plan.root = root
    plan.slim = (<Node>root).slim
    return plan
