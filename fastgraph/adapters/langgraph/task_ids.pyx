"""Task ids: the text of a task's path, and the hash that names a task.

Domain of `task_path_str`: paths of tuples, strings and numbers as the engine makes them, calls in
calls to a fixed depth; deeper ones and everything else are upstream's to spell.
"""

from langgraph.pregel import _algo

from fastgraph.kernels.tally cimport Tally

cdef object hexdigest = _algo.xxh3_128_hexdigest
cdef int DEEPEST = 20
cdef int DIGITS = 10
cdef long long LARGEST = 10 ** 10

# Called by upstream's name for what is not spelled here, until the target has its original.
cdef object stock = _algo.task_path_str
cdef Tally tally_


cdef str padded(object number):
    """`f"{number:010d}"`."""
    cdef char text[10]
    cdef long long rest
    cdef int index
    if type(number) is not int or not 0 <= number < LARGEST:
        return f"{number:010d}"
    rest = number
    for index in range(DIGITS - 1, -1, -1):
        text[index] = <char>(48 + rest % 10)  # "0" is 48
        rest //= 10
    return text[:DIGITS].decode("ascii")


cdef str spelled(object path, int depth):
    cdef object kind = type(path)
    if kind is str:
        return path
    if kind is int or kind is bool:
        return padded(path)
    if kind is tuple and depth < DEEPEST:
        return "~" + ", ".join([spelled(item, depth + 1) for item in <tuple>path])
    return stock(path)


cdef str path_text(object path):
    """`task_path_str(path)`: numbers in ten digits, a tuple's items after a tilde."""
    return spelled(path, 0)


def task_path_str(tup):
    """The text of a task's path, by which tasks and their writes are ordered.

    Replaces `langgraph.pregel._algo.task_path_str`.
    """
    tally_.calls += 1
    return spelled(tup, 0)


cdef str hashed_id(object namespace, str parts):
    """`_xxhash_str`: the task's id from the checkpoint's and everything that tells it apart."""
    cdef str digest = hexdigest(namespace + parts.encode())
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"


def make_task_path_str(original, Tally tally not None, str variant):
    global stock, tally_
    stock, tally_ = original, tally
    return task_path_str
