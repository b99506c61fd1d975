"""Deliberate mistakes, one for each thing that a checked build has to notice."""

from libc.limits cimport INT_MAX
from libc.stdlib cimport free, malloc


cdef extern from *:
    """
    #include <assert.h>
    #ifndef __Pyx_GOTREF
    #define __Pyx_GOTREF(r)
    #endif
    static int assert_that(int fact) { assert(fact); return fact; }
    """
    void count_reference "__Pyx_GOTREF" (object)
    int assert_that(int fact)


cdef class Held:
    cdef int number


def read_beyond(int size):
    cdef char* memory = <char*>malloc(size)
    memory[0] = 1
    try:
        return memory[size]
    finally:
        free(memory)


def read_freed(int size):
    cdef char* memory = <char*>malloc(size)
    memory[0] = 1
    free(memory)
    return memory[0]


def add(int number):
    return number + INT_MAX


def shift(int bits):
    return 1 << bits


def assert_in_c(int fact):
    return assert_that(fact)


def item_of_tuple(tuple items, Py_ssize_t index):
    return items[index]


def attribute_of(Held held):
    return held.number


def divide(int number, int by):
    return number // by


def lose_reference(thing):
    count_reference(thing)
