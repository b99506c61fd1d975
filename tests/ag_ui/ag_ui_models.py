"""A chat model that streams what it is told to, and the chunks there are."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Iterator
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

TEXTS = [
    "Hello",
    " world",
    "é😀",
    "",
    ' "quoted"\n',
    "\u2028\x7f\x00",
    "</data>",
    "\t\\",
    "a" * 300,
]


class Scripted(BaseChatModel):
    """Streams its chunks, whatever it is asked."""

    chunks: list[Any]
    streams: bool = True

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _generate(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        whole = sum(self.chunks[1:], self.chunks[0])
        message = AIMessage(
            content=whole.content,
            tool_calls=whole.tool_calls,
            id=whole.id,
            usage_metadata=whole.usage_metadata,
        )
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        for message in self.chunks:
            chunk = ChatGenerationChunk(message=message.model_copy(deep=True))
            if run_manager is not None:
                run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk

    async def _astream(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        for message in self.chunks:
            chunk = ChatGenerationChunk(message=message.model_copy(deep=True))
            if run_manager is not None:
                await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk


def text(rng: random.Random, name: str) -> list[AIMessageChunk]:
    """An answer in a few chunks, some of them empty, some in blocks."""
    chunks = []
    for _ in range(rng.randint(1, 6)):
        content: Any = rng.choice(TEXTS)
        if rng.random() < 0.2:
            content = [{"type": "text", "text": content, "index": 0}]
        chunks.append(AIMessageChunk(content=content, id=name))
    if rng.random() < 0.5:
        usage = {"input_tokens": 3, "output_tokens": rng.randint(1, 9), "total_tokens": 12}
        chunks.append(
            AIMessageChunk(
                content="",
                id=name,
                usage_metadata=usage,
                response_metadata={"finish_reason": "stop"} if rng.random() < 0.5 else {},
            )
        )
    return chunks


def reasoning(rng: random.Random, name: str) -> list[AIMessageChunk]:
    """What a model thinks, as one of the providers writes it, then an answer."""
    kind = rng.randrange(5)
    chunks = []
    for _ in range(rng.randint(1, 4)):
        if rng.random() < 0.3:
            kind = rng.randrange(5)
        thought = rng.choice(TEXTS)
        more: dict[str, Any] = {}
        content: Any = ""
        if kind == 0:
            content = [{"type": "thinking", "thinking": thought, "signature": "s", "index": 0}]
        elif kind == 1:
            content = [{"type": "reasoning", "reasoning": thought, "index": 0}]
        elif kind == 2:
            content = [
                {"type": "reasoning", "summary": [{"text": thought, "index": 0}], "id": "rs1"}
            ]
        elif kind == 3:
            more = {"additional_kwargs": {"reasoning_content": thought}}
        else:
            content = [{"type": "redacted_thinking", "data": "secret"}]
        chunks.append(AIMessageChunk(content=content, id=name, **more))
    return chunks + text(rng, name)


def calls(rng: random.Random, name: str, tools: list[str]) -> list[AIMessageChunk]:
    """Calls of tools, one after the other, their arguments in pieces."""
    chunks = text(rng, name)[:2] if rng.random() < 0.4 else []
    for index in range(rng.randint(1, 2)):
        tool = rng.choice(tools)
        whole = json.dumps({"value": rng.choice(["x", "é", "1"])})
        cut = rng.randrange(len(whole))
        for piece, first in ((whole[:cut], True), (whole[cut:], False)):
            chunks.append(
                AIMessageChunk(
                    content="",
                    id=name,
                    tool_call_chunks=[
                        {
                            "name": tool if first else None,
                            "args": piece,
                            "id": f"{name}-call-{index}" if first else None,
                            "index": index,
                            "type": "tool_call_chunk",
                        }
                    ],
                )
            )
    return chunks
