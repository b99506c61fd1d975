"""`Slot` against the attribute protocol, and what it must refuse to touch."""

from __future__ import annotations

import copy
import dataclasses
import gc
import sys

import pytest

slots = pytest.importorskip("fastgraph.kernels.slots", reason="the extensions are not built")
Slot = slots.Slot


class Box:
    __slots__ = ("first", "second")


class Wider(Box):
    __slots__ = ("third",)


class Unrelated:
    __slots__ = ("a", "b", "c", "far")


@dataclasses.dataclass(frozen=True)
class Frozen:
    __slots__ = ("value",)
    value: object


class Borrower:
    far = Unrelated.far


def test_a_slot_reads_and_writes_what_the_attribute_is():
    box, value = Box(), object()
    Slot(Box, "second").write(box, value)
    assert box.second is value
    box.second = other = object()
    assert Slot(Box, "second").read(box) is other
    assert not hasattr(box, "first")


def test_a_slot_of_a_base_is_one_of_the_class():
    wider = Wider()
    Slot(Wider, "first").write(wider, 1)
    Slot(Wider, "third").write(wider, 3)
    assert (wider.first, wider.third) == (1, 3)


def test_a_frozen_dataclass_can_be_written():
    frozen = Frozen(1)
    Slot(Frozen, "value").write(frozen, 2)
    assert frozen.value == 2


def test_an_unset_slot_is_an_attribute_error():
    with pytest.raises(AttributeError, match="first"):
        Slot(Box, "first").read(Box())


def test_a_deleted_slot_is_an_attribute_error():
    box = Box()
    box.first = 1
    del box.first
    with pytest.raises(AttributeError, match="first"):
        Slot(Box, "first").read(box)


def test_other_types_are_read_by_the_attribute_protocol():
    wider = Wider()
    wider.first = 5
    assert Slot(Box, "first").read(wider) == 5
    with pytest.raises(AttributeError):
        Slot(Box, "first").read(object())


@pytest.mark.parametrize("instance", [Wider(), Unrelated(), object(), None])
def test_other_types_are_not_written(instance):
    with pytest.raises(TypeError, match=r"expected exactly Box, got <class"):
        Slot(Box, "first").write(instance, 1)
    assert not hasattr(instance, "first")


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (Box, "missing"),
        (Box, "__init__"),
        (Box, "__class__"),
        (property, "fset"),  # a member of C type, which says None where it is NULL
        (complex, "real"),  # a member that is no object
        (Borrower, "far"),  # the slot of a class that `Borrower` has no part of
    ],
)
def test_what_is_no_slot_of_the_class_is_a_type_error(owner, name):
    with pytest.raises(TypeError, match=rf"{owner.__qualname__}\.{name} is not a slot"):
        Slot(owner, name)


def test_the_owner_is_a_class_and_the_name_a_string():
    with pytest.raises(TypeError, match="expected a class"):
        Slot(Box(), "first")
    with pytest.raises(TypeError, match="name"):
        Slot(Box, None)


def test_a_slot_says_what_it_is():
    slot = Slot(Box, "first")
    assert (slot.owner, slot.name, repr(slot)) == (Box, "first", "Slot(Box.first)")


def test_reading_and_writing_count_references_right():
    box, slot, value = Box(), Slot(Box, "first"), object()
    before = sys.getrefcount(value)
    slot.write(box, value)
    assert sys.getrefcount(value) == before + 1
    for _ in range(10):
        slot.read(box)
        slot.write(box, value)
    assert sys.getrefcount(value) == before + 1
    slot.write(box, None)
    assert sys.getrefcount(value) == before


def test_the_old_values_finalizer_sees_the_new_value():
    box, slot, seen = Box(), Slot(Box, "first"), []

    class Old:
        def __del__(self):
            seen.append(slot.read(box))
            slot.write(box, "from the finalizer")

    slot.write(box, Old())
    slot.write(box, "new")
    gc.collect()
    assert seen == ["new"]
    assert slot.read(box) == "from the finalizer"


def test_a_pickle_looks_the_offset_up_again():
    maker, arguments = Slot(Box, "first").__reduce__()
    assert (maker, arguments) == (Slot, (Box, "first"))
    box = Box()
    box.first = 1
    assert copy.copy(Slot(Box, "first")).read(box) == 1
    # What would set a slot to an offset from elsewhere.
    assert not hasattr(Slot, "__setstate__")
