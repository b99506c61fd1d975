"""The reducer of chat messages, `add_messages`, where a channel applies it.

Upstream makes a table of all the messages there are to add one. Here a new message's id is looked
for from the end of the list, and the table is made only for many new messages at once.

Channels keep the function that they were declared with, so it is not the name `add_messages` that
is replaced but the method that calls it.

Domain: exactly `BinaryOperatorAggregate` with exactly `add_messages`, updates in plain lists, of
messages of LangChain's four kinds for chats with ids that are strings. Chunks, removals, dicts and
other things to be made messages of are upstream's.
"""

from langchain_core.messages import AIMessage as _AIMessage
from langchain_core.messages import HumanMessage as _HumanMessage
from langchain_core.messages import SystemMessage as _SystemMessage
from langchain_core.messages import ToolMessage as _ToolMessage
from langgraph._internal._typing import MISSING as _MISSING
from langgraph.channels.binop import BinaryOperatorAggregate as _BinaryOperatorAggregate
from langgraph.graph import message as _message

from fastgraph.kernels.slots cimport Slot
from fastgraph.kernels.tally cimport Tally

cdef object AIMessage = _AIMessage
cdef object HumanMessage = _HumanMessage
cdef object SystemMessage = _SystemMessage
cdef object ToolMessage = _ToolMessage
cdef object MISSING = _MISSING
cdef object BinaryOperatorAggregate = _BinaryOperatorAggregate
cdef object add_messages = _message.add_messages
cdef Slot channel_value = Slot(BinaryOperatorAggregate, "value")
cdef Slot channel_operator = Slot(BinaryOperatorAggregate, "operator")
#: From so many new messages on, a table of ids is cheaper than looking for each of them.
cdef Py_ssize_t MANY = 5

cdef object stock_update
cdef Tally update_tally


cdef bint are_messages(list messages) except -1:
    """Whether all are messages of chats, with ids that are strings or still to be given."""
    for message in messages:
        kind = type(message)
        if (
            kind is not AIMessage
            and kind is not ToolMessage
            and kind is not HumanMessage
            and kind is not SystemMessage
        ):
            return False
        own_id = message.id
        if own_id is not None and type(own_id) is not str:
            return False
    return True


cdef int give_ids(list messages) except -1:
    for message in messages:
        if message.id is None:
            message.id = str(_message.uuid.uuid4())
    return 0


cdef Py_ssize_t last_with(list messages, str wanted) except -2:
    """Where the last message with an id is; -1 if there is none."""
    cdef Py_ssize_t index
    for index in range(len(messages) - 1, -1, -1):
        if <str>messages[index].id == wanted:
            return index
    return -1


cdef list merged_one_by_one(list left, list right):
    cdef list messages = left[:]
    cdef Py_ssize_t index
    for message in right:
        index = last_with(messages, message.id)
        if index < 0:
            messages.append(message)
        else:
            messages[index] = message
    return messages


cdef list merged_by_table(list left, list right):
    cdef list messages = left[:]
    cdef dict places = {}
    cdef Py_ssize_t index = 0
    for message in messages:
        places[message.id] = index
        index += 1
    for message in right:
        own_id = message.id
        place = places.get(own_id)
        if place is None:
            places[own_id] = len(messages)
            messages.append(message)
        else:
            messages[<Py_ssize_t>place] = message
    return messages


cdef list merged(list left, list right):
    """`add_messages(left, right)`; None outside the domain."""
    if not are_messages(left) or not are_messages(right):
        return None
    give_ids(left)
    give_ids(right)
    if len(right) < MANY:
        return merged_one_by_one(left, right)
    return merged_by_table(left, right)


cdef bint all_lists(object values) except -1:
    for value in values:
        if type(value) is not list:
            return False
    return True


def update(self, values):
    """Apply the reducer to the values written to the channel in one superstep.

    Replaces `langgraph.channels.binop.BinaryOperatorAggregate.update`.
    """
    cdef list messages
    cdef Py_ssize_t index

    update_tally.calls += 1
    if (
        type(self) is not BinaryOperatorAggregate
        or channel_operator.get(self) is not add_messages
        or (type(values) is not list and type(values) is not tuple)
        or not values
        or not all_lists(values)
    ):
        return stock_update(self, values)
    left = channel_value.get(self)
    if left is MISSING or type(left) is not list:
        return stock_update(self, values)
    for index in range(len(values)):
        messages = merged(left, values[index])
        if messages is None:
            # Upstream's from here on: these are lists, so none of them overwrites the value.
            return stock_update(self, values[index:])
        left = messages
        channel_value.set(self, messages)
    return True


def make_update(original, Tally tally not None, str variant):
    global stock_update, update_tally
    stock_update, update_tally = original, tally
    return update
