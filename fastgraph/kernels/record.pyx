"""Frozen dataclasses, made and copied without one `object.__setattr__` call for each field.

A frozen dataclass assigns its fields one by one through `object.__setattr__`, and
`dataclasses.replace` reads all of them back to do so again: microseconds for what is a handful of
stores. Where the fields are slots, `Record` stores them directly.
"""

import dataclasses

from cpython.dict cimport PyDict_GetItemWithError
from cpython.object cimport PyObject

from fastgraph.kernels.slots cimport Slot

__all__ = ("Record",)


cdef list field_slots(object cls, tuple names):
    """The slots of the fields, or None where the class keeps them in a `__dict__`."""
    try:
        return [Slot(cls, name) for name in names]
    except TypeError:
        return None


cdef class Record:
    """Makes and copies instances of one dataclass.

    Parameters
    ----------
    cls : type
        A dataclass that only stores its fields: all of them `init`, no ``__post_init__``.

    Raises
    ------
    TypeError
        If `cls` is not such a dataclass.
    """

    def __init__(self, cls):
        if not (isinstance(cls, type) and dataclasses.is_dataclass(cls)):
            raise TypeError(f"{cls!r} is not a dataclass")
        fields = dataclasses.fields(cls)
        if hasattr(cls, "__post_init__") or not all([field.init for field in fields]):
            raise TypeError(f"{cls.__qualname__} does more than store its fields")
        self.cls = cls
        self.names = tuple([field.name for field in fields])
        self.position = {name: i for i, name in enumerate(self.names)}
        self.slots = field_slots(cls, self.names)

    def __repr__(self):
        return f"Record({self.cls.__qualname__})"

    def new(self, *values):
        """An instance with `values` for its fields, in the order in which they are declared."""
        if len(values) != len(self.names):
            raise TypeError(
                f"{self.cls.__qualname__} has {len(self.names)} fields, got {len(values)} values"
            )
        return self.make(values)

    def replace(self, instance, **changes):
        """A copy of `instance` with some fields changed, as `dataclasses.replace` makes it."""
        copy = self.changed(instance, changes)
        return dataclasses.replace(instance, **changes) if copy is None else copy

    cdef object make(self, tuple values):
        cdef Slot slot
        cdef Py_ssize_t i
        if self.slots is None:
            return self.cls(**dict(zip(self.names, values)))
        instance = self.cls.__new__(self.cls)
        for i in range(len(values)):
            slot = self.slots[i]
            slot.set(instance, values[i])
        return instance

    cdef object changed(self, object instance, dict changes):
        """The copy; None for an instance of a subclass or a change of no known field."""
        cdef Slot slot
        cdef Py_ssize_t i
        cdef Py_ssize_t taken = 0
        cdef PyObject* change
        if self.slots is None or type(instance) is not self.cls:
            return None
        copy = self.cls.__new__(self.cls)
        for i in range(len(self.slots)):
            slot = <Slot>self.slots[i]
            change = PyDict_GetItemWithError(changes, self.names[i])
            if change != NULL:
                taken += 1
                slot.set(copy, <object>change)
            else:
                slot.set(copy, slot.get(instance))
        return copy if taken == len(changes) else None

    cdef object duplicate(self, object instance):
        """A copy of `instance`; None if it is of a subclass."""
        cdef Slot slot
        cdef Py_ssize_t i
        if self.slots is None or type(instance) is not self.cls:
            return None
        copy = self.cls.__new__(self.cls)
        for i in range(len(self.slots)):
            slot = <Slot>self.slots[i]
            slot.set(copy, slot.get(instance))
        return copy

    cdef Slot slot(self, str name):
        """The slot of a field; None where the class has none."""
        return None if self.slots is None else self.slots[self.position[name]]
