"""What clients may send, as OpenAI's API has it. Types are taken as they stand: a number in quotes is no number. A
field that OpenAI does not know, or whose wish could not be met here, is refused rather than passed over."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue

Json: TypeAlias = dict[str, JsonValue]
Short: TypeAlias = Annotated[str, Field(max_length=1000)]
Count: TypeAlias = Annotated[int, Field(ge=0, le=2**31)]
STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, protected_namespaces=())
LOOSE = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False)


class StreamOptions(BaseModel):
    """What a stream holds beside the answer."""

    model_config = STRICT
    include_usage: bool | None = None
    include_obfuscation: bool | None = None  # padding against eavesdroppers: there is none on loopback


class Wanted(BaseModel):
    """What both routes of answers share."""

    model_config = STRICT
    model: str
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    logit_bias: dict[Annotated[str, Field(pattern=r"^\d{1,9}$")], Annotated[float, Field(ge=-100, le=100)]] | None = (
        Field(None, max_length=1024)
    )
    max_tokens: Annotated[int, Field(ge=1, le=2**31)] | None = None
    n: int | None = Field(None, ge=1, le=128)
    seed: int | None = Field(None, ge=-(2**63), lt=2**63)
    stop: str | Annotated[list[str], Field(max_length=4)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, ge=0, le=1)
    user: str | None = None  # tells OpenAI who abuses it: nothing to do here

    @property
    def stops(self) -> tuple[str, ...]:
        """The texts at which an answer ends."""
        given = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return tuple(stop for stop in given if stop)

    @property
    def with_usage(self) -> bool:
        """Whether a stream ends with the count of its tokens."""
        return bool(self.stream_options and self.stream_options.include_usage)


class TextPart(BaseModel):
    """Text is the only kind of content that these models read."""

    model_config = LOOSE
    type: Literal["text"]
    text: str


class CalledFunction(BaseModel):
    """A function that the assistant called, with the JSON text of its arguments."""

    model_config = LOOSE
    name: str
    arguments: str = "{}"


class Call(BaseModel):
    """A call in a conversation."""

    model_config = LOOSE
    id: str = ""
    type: Literal["function"] = "function"
    function: CalledFunction


class Turn(BaseModel):
    """A message. Clients send back what they were sent, so that fields unknown here are passed over."""

    model_config = LOOSE
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[TextPart] | None = None
    name: str | None = None
    tool_calls: list[Call] | None = None
    tool_call_id: str | None = None


class Function(BaseModel):
    """The definition of a function."""

    model_config = LOOSE
    name: str = Field(min_length=1, max_length=64, pattern=r"^[\w.-]+$")
    description: str | None = None
    parameters: Json | None = None
    strict: bool | None = None


class Tool(BaseModel):
    """A tool that the assistant may call."""

    model_config = LOOSE
    type: Literal["function"]
    function: Function


class NamedSchema(BaseModel):
    """The schema of an answer."""

    model_config = ConfigDict(strict=True, extra="ignore", protected_namespaces=())
    name: str = ""
    description: str | None = None
    schema_: Json | None = Field(None, alias="schema")
    strict: bool | None = None


class Format(BaseModel):
    """The form of an answer."""

    model_config = LOOSE
    type: Literal["text", "json_object", "json_schema"]
    json_schema: NamedSchema | None = None


class WantedChat(Wanted):
    """POST /v1/chat/completions."""

    messages: list[Turn] = Field(min_length=1, max_length=4096)
    logprobs: bool | None = None
    top_logprobs: int | None = Field(None, ge=0, le=20)
    max_completion_tokens: Annotated[int, Field(ge=1, le=2**31)] | None = None
    response_format: Format | None = None
    tools: Annotated[list[Tool], Field(max_length=128)] | None = None
    tool_choice: str | dict[str, Any] | None = None
    # What has no effect on an answer here, or only the value that changes nothing.
    parallel_tool_calls: bool | None = None
    metadata: Json | None = None
    store: bool | None = None
    service_tier: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    modalities: list[Literal["text"]] | None = None


class WantedCompletion(Wanted):
    """POST /v1/completions: text, or token ids, to go on with."""

    prompt: (
        str
        | Annotated[list[str], Field(min_length=1, max_length=128)]
        | Annotated[list[Count], Field(min_length=1)]
        | Annotated[list[Annotated[list[Count], Field(min_length=1)]], Field(min_length=1, max_length=128)]
    )
    best_of: int | None = Field(None, ge=1, le=128)
    echo: bool | None = None
    logprobs: int | None = Field(None, ge=0, le=5)
    suffix: str | None = None


class WantedEmbeddings(BaseModel):
    """POST /v1/embeddings."""

    model_config = STRICT
    model: str
    input: str | list[str] | list[Count] | list[list[Count]]
    dimensions: int | None = None
    encoding_format: Literal["float", "base64"] | None = None
    user: str | None = None


class WantedAdapter(BaseModel):
    """POST /v1/load_lora_adapter, as vLLM has it; `base` is ours, for where several models are served."""

    model_config = STRICT
    lora_name: str = Field(min_length=1, max_length=200)
    lora_path: str = Field(min_length=1, max_length=4096)
    load_inplace: bool = False
    base: str | None = None


class UnwantedAdapter(BaseModel):
    """POST /v1/unload_lora_adapter."""

    model_config = STRICT
    lora_name: str = Field(min_length=1, max_length=200)
    lora_int_id: int | None = None
