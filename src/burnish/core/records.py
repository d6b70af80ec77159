"""The records that pass between the stages. Each has one JSON form, which is what the run folder holds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Role: TypeAlias = Literal["system", "user", "assistant", "tool"]
Tools: TypeAlias = tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class ToolCall:
    """One call of a function by the assistant. `arguments` is the JSON text of an object, as the model wrote it."""

    name: str
    arguments: str
    id: str = ""

    def to_json(self) -> dict[str, Any]:
        """OpenAI's form."""
        call = {"type": "function", "function": {"name": self.name, "arguments": self.arguments}}
        return {"id": self.id, **call} if self.id else call


@dataclass(frozen=True)
class Message:
    """One turn of a conversation.

    `tool_calls` are the assistant's; `tool_call_id` says which call a message of the role tool answers. `trained` is
    False where an answer is context only.
    """

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""
    name: str = ""
    trained: bool = True

    @property
    def said(self) -> str:
        """The content, then each call as a line of JSON."""
        if not self.tool_calls:
            return self.content
        calls = (
            f'{{"name": {json.dumps(call.name, ensure_ascii=False)}, "arguments": {call.arguments}}}'
            for call in self.tool_calls
        )
        return "\n".join((self.content, *calls) if self.content else calls)

    def to_json(self) -> dict[str, Any]:
        """OpenAI's form: `weight` 0 stands for what is not trained."""
        value: dict[str, Any] = {"role": self.role, "content": self.content}
        if self.tool_calls:
            value["tool_calls"] = [call.to_json() for call in self.tool_calls]
        if self.tool_call_id:
            value["tool_call_id"] = self.tool_call_id
        if self.name:
            value["name"] = self.name
        if not self.trained:
            value["weight"] = 0
        return value


@dataclass(frozen=True)
class Chat:
    """A conversation whose last message is the assistant's answer to be learnt.

    `id` is unique in its part of the data, `source` is "file:line", `group` names the cluster of duplicates that must
    stay on one side of train, dev and test. `tools` are the definitions of the functions that the assistant may call,
    in OpenAI's form. `meta` is what else is known of the row: columns that the verdict groups by, or that it is a
    canary.
    """

    id: str
    messages: tuple[Message, ...]
    source: str = ""
    group: str = ""
    tools: Tools = ()
    meta: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def prompt(self) -> tuple[Message, ...]:
        """All but the answer."""
        return self.messages[:-1]

    @property
    def prompt_text(self) -> str:
        """The prompt as a reader sees it: one message as it is, several with their roles."""
        if len(self.prompt) == 1:
            return self.prompt[0].content
        return "\n\n".join(f"{message.role}: {message.content}" for message in self.prompt)

    @property
    def answer(self) -> str:
        return self.messages[-1].said

    def to_json(self) -> dict[str, Any]:
        value = {
            "id": self.id,
            "messages": _list(self.messages),
            "source": self.source,
            "group": self.group,
        }
        return _with_meta(_with_tools(value, self.tools), self.meta)


@dataclass(frozen=True)
class Text:
    """Plain text: every token is learnt."""

    id: str
    text: str
    source: str = ""
    group: str = ""
    meta: Mapping[str, str] = field(default_factory=dict, hash=False)

    def to_json(self) -> dict[str, Any]:
        value = {"id": self.id, "text": self.text, "source": self.source, "group": self.group}
        return _with_meta(value, self.meta)


@dataclass(frozen=True)
class Pair:
    """Two answers of the assistant to one prompt: `chosen` is preferred to `rejected`."""

    id: str
    prompt: tuple[Message, ...]
    chosen: str
    rejected: str
    source: str = ""
    group: str = ""
    tools: Tools = ()
    meta: Mapping[str, str] = field(default_factory=dict, hash=False)

    def answered(self, answer: str) -> tuple[Message, ...]:
        """The conversation that ends on one of the two answers."""
        return (*self.prompt, Message("assistant", answer))

    def to_json(self) -> dict[str, Any]:
        value = {
            "id": self.id,
            "prompt": _list(self.prompt),
            "chosen": self.chosen,
            "rejected": self.rejected,
            "source": self.source,
            "group": self.group,
        }
        return _with_meta(_with_tools(value, self.tools), self.meta)


@dataclass(frozen=True)
class Rated:
    """One answer and how it was rated: `score` is True for good, False for bad, or a number, where more is better."""

    id: str
    prompt: tuple[Message, ...]
    answer: str
    score: float | bool
    source: str = ""
    group: str = ""
    tools: Tools = ()

    @property
    def messages(self) -> tuple[Message, ...]:
        """The conversation that ends on the answer."""
        return (*self.prompt, Message("assistant", self.answer))

    def to_json(self) -> dict[str, Any]:
        return _with_tools(
            {
                "id": self.id,
                "prompt": _list(self.prompt),
                "answer": self.answer,
                "score": self.score,
                "source": self.source,
                "group": self.group,
            },
            self.tools,
        )


@dataclass(frozen=True)
class Prompt:
    """A prompt whose answers the model writes itself; `reference` is JSON that a grader compares them with."""

    id: str
    prompt: tuple[Message, ...]
    reference: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""
    group: str = ""
    tools: Tools = ()

    def to_json(self) -> dict[str, Any]:
        return _with_tools(
            {
                "id": self.id,
                "prompt": _list(self.prompt),
                "reference": dict(self.reference),
                "source": self.source,
                "group": self.group,
            },
            self.tools,
        )


Row: TypeAlias = Chat | Text | Pair | Rated | Prompt


def _list(messages: Iterable[Message]) -> list[dict[str, Any]]:
    return [message.to_json() for message in messages]


def _with_tools(value: dict[str, Any], tools: Tools) -> dict[str, Any]:
    return {**value, "tools": [dict(tool) for tool in tools]} if tools else value


def _with_meta(value: dict[str, Any], meta: Mapping[str, str]) -> dict[str, Any]:
    return {**value, "meta": dict(meta)} if meta else value


def row_from_json(value: Mapping[str, Any]) -> Row:
    """The inverse of `to_json`, for every kind of row."""
    common = {"id": value["id"], "source": value.get("source", ""), "group": value.get("group", "")}
    meta = dict(value.get("meta", {}))
    if "text" in value:
        return Text(text=value["text"], meta=meta, **common)
    common["tools"] = tuple(value.get("tools", ()))
    if "messages" in value:
        return Chat(messages=_messages(value["messages"]), meta=meta, **common)
    prompt = _messages(value["prompt"])
    if "chosen" in value:
        return Pair(prompt=prompt, chosen=value["chosen"], rejected=value["rejected"], meta=meta, **common)
    if "score" in value:
        return Rated(prompt=prompt, answer=value["answer"], score=value["score"], **common)
    return Prompt(prompt=prompt, reference=value["reference"], **common)


def _messages(values: Iterable[Mapping[str, Any]]) -> tuple[Message, ...]:
    return tuple(Message(value["role"], value["content"]) if len(value) == 2 else _message(value) for value in values)


def _message(value: Mapping[str, Any]) -> Message:
    calls = tuple(
        ToolCall(call["function"]["name"], call["function"]["arguments"], call.get("id", ""))
        for call in value.get("tool_calls", ())
    )
    return Message(
        value["role"],
        value["content"],
        calls,
        value.get("tool_call_id", ""),
        value.get("name", ""),
        trained=value.get("weight", 1) != 0,
    )


@dataclass(frozen=True)
class Dropped:
    """A row that was left out, with the reason (a short code) and its place."""

    source: str
    reason: str
    detail: str = ""
    row: Any = None

    def to_json(self) -> dict[str, Any]:
        return {"source": self.source, "reason": self.reason, "detail": self.detail, "row": self.row}


@dataclass(frozen=True)
class Changed:
    """A repair of one field of a row, with all that is needed to take it back.

    `path` leads to the field in the row's JSON form, such as "messages.1.content"; `id` is the row's after all repairs.
    """

    source: str
    id: str
    reason: str
    path: str
    before: str
    after: str

    def to_json(self) -> dict[str, str]:
        return dict(vars(self))


@dataclass(frozen=True)
class Flagged:
    """A doubt about a row that was kept."""

    source: str
    id: str
    reason: str
    detail: str = ""

    def to_json(self) -> dict[str, str]:
        return dict(vars(self))


@dataclass(frozen=True)
class Sample:
    """One of several answers that an arm drew for an item, with its own scores."""

    output: str
    scores: Mapping[str, float]


@dataclass(frozen=True)
class Item:
    """One answer of one arm to one item of a suite, with its scores: a line of items.jsonl.

    Where several answers were drawn, `samples` holds all of them, `output` is the first, and `scores` are the means.
    `facts` is what side effects are told by: tokens of the answer and whether it stopped by itself, the likeliest label
    and its confidence, the columns that the verdict groups by.
    """

    suite: str
    id: str
    arm: str
    prompt: str
    expected: str | None
    output: str
    scores: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    samples: tuple[Sample, ...] = ()

    def to_json(self) -> dict[str, Any]:
        drawn = [{"output": one.output, "scores": dict(one.scores)} for one in self.samples]
        return {
            "suite": self.suite,
            "id": self.id,
            "arm": self.arm,
            "prompt": self.prompt,
            "expected": self.expected,
            "output": self.output,
            "scores": dict(self.scores),
            **({"samples": drawn} if drawn else {}),
            **({"facts": dict(self.facts)} if self.facts else {}),
        }

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> Item:
        """The inverse of `to_json`."""
        samples = tuple(Sample(one["output"], one["scores"]) for one in value.get("samples", ()))
        plain = {key: value[key] for key in Item.__dataclass_fields__ if key not in ("samples", "facts")}
        return Item(**plain, samples=samples, facts=value.get("facts", {}))
