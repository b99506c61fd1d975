"""A call of a chat model: one list of messages, with nobody to tell of it.

Upstream makes the run, what handlers would be told of its start, and the result twice, once for
the handlers. The model's own methods are called as upstream calls them.

Domain: one list of messages, no handlers. Whoever is told goes through upstream's function.
"""

from langchain_core.callbacks import manager as _manager
from langchain_core.callbacks.manager import CallbackManager as _CallbackManager
from langchain_core.language_models import chat_models as _chat_models
from langchain_core.outputs import ChatResult as _ChatResult
from pydantic import BaseModel as _BaseModel

from fastgraph.adapters.langgraph.callbacks cimport is_stock, new_run_id, own_function, run_of
from fastgraph.adapters.langgraph.core_managers cimport configured, is_unheard
from fastgraph.kernels.tally cimport Tally

from cpython.object cimport PyObject, PyTypeObject

cdef extern from "Python.h":
    PyObject* _PyType_Lookup(PyTypeObject* cls, object name)

cdef object CallbackManager = _CallbackManager
cdef object LLMRun = _manager.CallbackManagerForLLMRun
cdef object ChatResult = _ChatResult
cdef object run_init = own_function(_manager, LLMRun.__init__)
cdef object chat_model_start = own_function(_manager, _CallbackManager.on_chat_model_start)
cdef object llm_end = own_function(_manager, LLMRun.on_llm_end)
cdef object llm_error = own_function(_manager, LLMRun.on_llm_error)
cdef dict chat_names = _chat_models.__dict__
cdef object model_getattr = _BaseModel.__dict__.get("__getattr__")
cdef object object_getattribute = object.__dict__["__getattribute__"]

cdef object stock_generate
cdef Tally generate_tally
cdef Tally ls_params_tally


cdef bint makes_runs() noexcept:
    """Whether upstream's own methods start and end the runs of models."""
    return (
        is_stock(CallbackManager, "on_chat_model_start", chat_model_start)
        and is_stock(LLMRun, "__init__", run_init)
        and is_stock(LLMRun, "on_llm_end", llm_end)
        and is_stock(LLMRun, "on_llm_error", llm_error)
    )


cdef int fail(object run, object error) except -1:
    """Tell the handlers that joined meanwhile of an error."""
    if run.handlers:
        generations = chat_names["_generate_response_from_error"](error)
        run.on_llm_error(error, response=chat_names["LLMResult"](generations=[generations]))
    return 0


cdef bint is_plain(object result) except -1:
    """Whether a result cannot fail to be made one for the handlers."""
    return type(result) is ChatResult and (
        result.llm_output is None or type(result.llm_output) is dict
    )


cdef object finished(object self, object run, object result):
    """What upstream makes of the model's result; the handlers that joined meanwhile are told."""
    LLMResult = chat_names["LLMResult"]
    told = None
    if run.handlers or not is_plain(result):
        told = LLMResult(generations=[result.generations], llm_output=result.llm_output)
    output = LLMResult(
        generations=[result.generations],
        llm_output=self._combine_llm_outputs([result.llm_output]),
    )
    if told is not None:
        run.on_llm_end(told)
    output.run = [chat_names["RunInfo"](run_id=run.run_id)]
    return output


cdef object unheard(
    object self, list messages, object stop, object callbacks, object tags, object metadata,
    object run_id, dict kwargs,
):
    """`generate` with nobody to tell of it."""
    self._get_invocation_params(stop=stop, **kwargs)  # a model's own code
    inheritable_metadata = {
        **(metadata or {}),
        **self._get_ls_params_with_defaults(stop=stop, **kwargs),
    }
    manager = configured(
        CallbackManager, callbacks, self.callbacks, tags, self.tags, inheritable_metadata,
        self.metadata,
    )
    self._serialized  # kept by the model from its first call on
    run = run_of(manager, LLMRun, new_run_id() if run_id is None else run_id)
    given = chat_names["_normalize_messages"](messages[0])
    try:
        result = self._generate_with_cache(given, stop=stop, run_manager=run, **kwargs)
    except BaseException as error:
        fail(run, error)
        raise
    return finished(self, run, result)


def generate(
    self,
    messages,
    stop=None,
    callbacks=None,
    *,
    tags=None,
    metadata=None,
    run_name=None,
    run_id=None,
    **kwargs,
):
    """Pass lists of messages to the model.

    Replaces `langchain_core.language_models.chat_models.BaseChatModel.generate`.
    """
    generate_tally.calls += 1
    if (
        type(messages) is list
        and len(<list>messages) == 1
        and "ls_structured_output_format" not in kwargs
        and "structured_output_format" not in kwargs
        and not self.verbose
        and is_unheard(callbacks, self.callbacks)
        and makes_runs()
    ):
        return unheard(self, messages, stop, callbacks, tags, metadata, run_id, kwargs)
    generate_tally.fell_back("handlers, several lists, or structured output")
    return stock_generate(
        self,
        messages,
        stop,
        callbacks,
        tags=tags,
        metadata=metadata,
        run_name=run_name,
        run_id=run_id,
        **kwargs,
    )


def make_generate(original, Tally tally not None, str variant):
    global stock_generate, generate_tally
    stock_generate, generate_tally = original, tally
    return generate


# What LangSmith is told of a model

cdef bint lacks(object model, str name) except -1:
    """Whether a model surely has no such attribute, told without an `AttributeError`."""
    cls = type(model)
    return (
        _PyType_Lookup(<PyTypeObject*>cls, name) == NULL
        and _PyType_Lookup(<PyTypeObject*>cls, "__getattr__") == <PyObject*>model_getattr
        and _PyType_Lookup(<PyTypeObject*>cls, "__getattribute__")
        == <PyObject*>object_getattribute
        and name not in model.__dict__
        and name not in cls.__private_attributes__
        and not model.__pydantic_extra__
    )


cdef object found(object model, dict kwargs, str name, object kinds):
    """A parameter of the call, else an attribute of the model, of the right kind; else None."""
    if name in kwargs and isinstance(kwargs[name], kinds):
        return kwargs[name]
    if not lacks(model, name) and hasattr(model, name) and isinstance(getattr(model, name), kinds):
        return getattr(model, name)
    return None


def _get_ls_params(self, stop=None, **kwargs):
    """The parameters of a model that LangSmith shows.

    Replaces `langchain_core.language_models.chat_models.BaseChatModel._get_ls_params`.
    """
    cdef dict params
    cdef str provider
    ls_params_tally.calls += 1
    provider = self.__class__.__name__
    if provider.startswith("Chat"):
        provider = provider[4:].lower()
    elif provider.endswith("Chat"):
        provider = provider[:-4]
    params = {"ls_provider": provider.lower(), "ls_model_type": "chat"}
    if stop:
        params["ls_stop"] = stop
    name = found(self, kwargs, "model", str)
    if name is None and not lacks(self, "model_name"):
        name = found(self, {}, "model_name", str)
    if name is not None:
        params["ls_model_name"] = name
    temperature = found(self, kwargs, "temperature", (int, float))
    if temperature is not None:
        params["ls_temperature"] = temperature
    max_tokens = found(self, kwargs, "max_tokens", int)
    if max_tokens is not None:
        params["ls_max_tokens"] = max_tokens
    return params


def make_get_ls_params(original, Tally tally not None, str variant):
    global ls_params_tally
    ls_params_tally = tally
    return _get_ls_params
