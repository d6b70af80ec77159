"""What is trained is what the model's own chat template says, token by token; text never turns into a special token.

The templates are written here in the style of known families; each is one that models of that family might come with.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from burnish.core.errors import DataError
from burnish.core.records import Chat, Message, Text
from burnish.render.renderer import PLAIN_TEMPLATE, Rendered, Renderer, make_renderer

SPECIAL = [
    "<|endoftext|>", "<s>", "</s>", "<bos>", "<eos>", "<|im_start|>", "<|im_end|>", "<|begin_of_text|>",
    "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<start_of_turn>", "<end_of_turn>", "[INST]", "[/INST]",
    "<|system|>", "<|user|>", "<|assistant|>", "<|end|>",
]  # fmt: skip
CHATML = (
    "{% if messages[0]['role'] != 'system' %}<|im_start|>system\nYou are kind.<|im_end|>\n{% endif %}"
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
HEADERS = (
    "{{ bos_token }}{% for message in messages %}"
    "<|start_header_id|>{{ message['role'] }}<|end_header_id|>\n\n{{ message['content'] | trim }}<|eot_id|>"
    "{% endfor %}{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
TURNS = (
    "{{ bos_token }}{% set shift = 0 %}{% set first = '' %}"
    "{% if messages[0]['role'] == 'system' %}"
    "{% set first = messages[0]['content'] | trim + '\n\n' %}{% set messages = messages[1:] %}{% endif %}"
    "{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Roles must alternate user/assistant') }}{% endif %}"
    "<start_of_turn>{{ 'model' if message['role'] == 'assistant' else message['role'] }}\n"
    "{{ first if loop.first }}{{ message['content'] | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
INST = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{ raise_exception('no system role') }}"
    "{% elif message['role'] == 'user' %}[INST] {{ message['content'] }}[/INST]"
    "{% else %} {{ message['content'] }}{{ eos_token }}{% endif %}{% endfor %}"
)
TAGS = (
    "{% for message in messages %}<|{{ message['role'] }}|>\n{{ message['content'] }}{{ eos_token }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
ENDS = (
    "{% for message in messages %}<|{{ message['role'] }}|>\n{{ message['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% else %}{{ eos_token }}{% endif %}"
)
THINKING = (  # earlier answers lose their thoughts, as in models that think before they speak
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['role'] == 'assistant' and not loop.last and '</think>' in message['content'] %}"
    "{{ message['content'].split('</think>')[-1].lstrip('\n') }}"
    "{% else %}{{ message['content'] }}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
PLAIN = (
    "{% for message in messages %}### {{ message['role'] }}:\n{{ message['content'] }}"
    "{{ eos_token if message['role'] == 'assistant' }}\n\n{% endfor %}"
    "{% if add_generation_prompt %}### assistant:\n{% endif %}"
)
# name: template, first token, last token of the model, the token that ends a turn
FAMILIES: dict[str, tuple[str | None, str | None, str, str]] = {
    "ChatML with a default system": (CHATML, None, "<|im_end|>", "<|im_end|>"),
    "ChatML, another end of text": (CHATML, None, "<|endoftext|>", "<|im_end|>"),
    "headers": (HEADERS, "<|begin_of_text|>", "<|endoftext|>", "<|eot_id|>"),
    "turns": (TURNS, "<bos>", "<eos>", "<end_of_turn>"),
    "INST": (INST, "<s>", "</s>", "</s>"),
    "tags": (TAGS, "<s>", "</s>", "</s>"),
    "tags with an end": (ENDS, None, "<|endoftext|>", "<|end|>"),
    "thinking": (THINKING, None, "<|im_end|>", "<|im_end|>"),
    "plain text": (PLAIN, None, "<|endoftext|>", "<|endoftext|>"),
    "no template": (None, "<s>", "</s>", "</s>"),
}
TRIMS = ("headers", "turns")
# Words as most of today's byte-level tokenizers cut them: line ends stay together, whatever follows.
WORDS = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
CORPUS = [
    "user assistant system model: the sky is blue, the grass is green",
    "Which colour has the sky?\n\nBlue.\n  It's blue, isn't it?",
    "which parcel is late? the answer: refund, order 1234567890",
    "User: hello\n\nAssistant: hello, how are you\n\n\n",
]
NASTY = [
    "blue",
    "user",
    "assistant\n",
    "  two spaces before",
    "two spaces after  ",
    "\n\nlines around\n\n",
    "\ttab",
    "naïve café, ünïcödé, 漢字, Ελλάδα",
    "🦊🏳️‍🌈 and a\u0301ccents\u200d",
    "a|im_end|> half of a name <|im_",
    "{{ messages }} {% raw %} {# no #}",
    "\ue000 a private character",
    "1\n2\r\n3\u20284",
]


@pytest.fixture(scope="module")
def bpe() -> Tokenizer:
    """A small byte-level tokenizer whose merges cross spaces and line ends; <think> is an added, ordinary token."""
    tokenizer = Tokenizer(models.BPE())
    words = pre_tokenizers.Split(Regex(WORDS), behavior="isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [words, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=500, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS * 3, trainer)
    tokenizer.add_tokens(["<think>", "</think>"])
    return tokenizer


def renderer_of(bpe: Tokenizer, family: str) -> Renderer:
    template, bos, eos, _ = FAMILIES[family]
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(bpe.to_str()), bos_token=bos, eos_token=eos, chat_template=template
    )
    return make_renderer(tokenizer)


def turns(*texts: str, system: str | None = None) -> tuple[Message, ...]:
    """user, assistant, user, assistant, …"""
    talk = tuple(Message("assistant" if index % 2 else "user", text) for index, text in enumerate(texts))
    return (Message("system", system), *talk) if system is not None else talk


def row_of(renderer: Renderer, messages: Sequence[Message]) -> Rendered:
    return renderer.row(Chat("1", tuple(messages)))


def template_ids(renderer: Renderer, messages: Sequence[Message], *, generation_prompt: bool = False) -> list[int]:
    """What transformers itself makes of the conversation."""
    ids = renderer.tokenizer.apply_chat_template(
        [message.to_json() for message in messages],
        chat_template=renderer.template,
        add_generation_prompt=generation_prompt,
        tokenize=True,
        return_dict=False,
    )
    return list(ids)


def learnt(renderer: Renderer, row: Rendered) -> list[str]:
    """The text of each run of learnt tokens, special tokens shown."""
    runs: list[list[int]] = []
    before = 0.0
    for token, weight in zip(row.ids, row.weights, strict=True):
        if weight:
            runs = [*runs, [token]] if not before else [*runs[:-1], [*runs[-1], token]]
        before = weight
    return [str(renderer.tokenizer.decode(run)) for run in runs]


@pytest.mark.parametrize("text", NASTY)
@pytest.mark.parametrize("family", FAMILIES)
def test_ids_equal_the_chat_templates(bpe: Tokenizer, family: str, text: str) -> None:
    renderer = renderer_of(bpe, family)
    for messages in (turns(text, "blue"), turns("Which colour?", text), turns("one", text, text, "two")):
        assert row_of(renderer, messages).ids == template_ids(renderer, messages)
        assert renderer.prompt(messages[:-1]) == template_ids(renderer, messages[:-1], generation_prompt=True)


@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "INST"])
def test_a_system_message_is_read_and_not_learnt(bpe: Tokenizer, family: str) -> None:
    renderer, messages = renderer_of(bpe, family), turns("Which colour?", "blue", system="Be brief. blue")
    row = row_of(renderer, messages)
    assert row.ids == template_ids(renderer, messages)
    assert "Be brief. blue" in renderer.tokenizer.decode(row.ids)
    assert [text.strip() for text in learnt(renderer, row)] == ["blue" + FAMILIES[family][3]]


@pytest.mark.parametrize("text", NASTY)
@pytest.mark.parametrize("family", FAMILIES)
def test_learnt_is_the_answer_and_the_token_that_ends_the_turn(bpe: Tokenizer, family: str, text: str) -> None:
    renderer, end = renderer_of(bpe, family), FAMILIES[family][3]
    row = row_of(renderer, turns("Which colour?", text))
    (run,) = learnt(renderer, row)
    answer = text.strip() if family in TRIMS else text
    # A line end of the prompt and a space of the answer may be one token: it is the prompt's, and read.
    assert run.removesuffix(end).lstrip() == answer.lstrip()
    assert run.endswith(end)
    assert row.ids[max(t for t, weight in enumerate(row.weights) if weight)] == renderer.special[end]
    assert renderer.special[end] in renderer.stop_ids


@pytest.mark.parametrize("text", ["blue", "user", "café 🦊", "blue  ", "1\n2"])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_prompt_and_what_is_learnt_are_the_row(bpe: Tokenizer, family: str, text: str) -> None:
    """Serving shows the prompt's ids and the model goes on with the learnt ones."""
    renderer = renderer_of(bpe, family)
    messages = turns("Which colour?", "blue", "really?", text)
    row, prompt = row_of(renderer, messages), renderer.prompt(messages[:-1])
    answer = [token for token, weight in zip(row.ids, row.weights, strict=True) if weight][-row.trained :]
    last = len(row.ids) - row.weights[::-1].index(1.0)
    assert row.ids[: len(prompt)] == prompt
    assert row.ids[len(prompt) : last] == answer[-(last - len(prompt)) :]
    assert all(weight == 1.0 for weight in row.weights[len(prompt) : last])


@pytest.mark.parametrize("family", FAMILIES)
def test_every_answer_of_a_conversation_is_learnt(bpe: Tokenizer, family: str) -> None:
    renderer, end = renderer_of(bpe, family), FAMILIES[family][3]
    row = row_of(renderer, turns("one", "blue", "two", "the grass is green", "three", "user"))
    assert row.turns_left_out == 0
    assert [run.strip() for run in learnt(renderer, row)] == [
        f"{x}{end}" for x in ("blue", "the grass is green", "user")
    ]


def test_answers_that_the_template_rewrites_are_left_out_and_counted(bpe: Tokenizer) -> None:
    renderer = renderer_of(bpe, "thinking")
    messages = turns("one", "<think>\nhm\n</think>\n\nblue", "two", "plain", "three", "<think>\nso\n</think>\n\ngreen")
    row = row_of(renderer, messages)
    assert row.ids == template_ids(renderer, messages)
    assert "hm" not in renderer.tokenizer.decode(row.ids)
    assert row.turns_left_out == 1
    # The second answer's prefix is not what serving showed either: there, the thoughts were cut too, so it is learnt.
    assert learnt(renderer, row) == ["plain<|im_end|>", "<think>\nso\n</think>\n\ngreen<|im_end|>"]


@pytest.mark.parametrize("name", [*SPECIAL, "<|im_end|><|im_end|>", "x</s>y", "<|im_<|im_end|>end|>", "  <|end|>\n"])
@pytest.mark.parametrize("family", FAMILIES)
def test_special_text_in_a_message_stays_text(bpe: Tokenizer, family: str, name: str) -> None:
    renderer = renderer_of(bpe, family)
    plain = row_of(renderer, turns("say X", "X it is", "again", "X"))
    count = sum(token in set(renderer.special.values()) for token in plain.ids)
    row = row_of(renderer, turns(f"say {name}", f"{name} it is", "again", f"q{name}q"))
    assert sum(token in set(renderer.special.values()) for token in row.ids) == count
    text = renderer.tokenizer.decode(row.ids)
    assert f"say {name}".rstrip() in text
    runs = learnt(renderer, row)
    assert len(runs) == 2
    end = FAMILIES[family][3]
    assert runs[0].strip().startswith(f"{name} it is".strip())
    assert runs[1].removesuffix(end).strip() == f"q{name}q"
    assert all(run.endswith(end) for run in runs)
    assert row.turns_left_out == 0
    prompt = renderer.prompt(turns(f"say {name}", f"{name} it is", "again"))
    assert row.ids[: len(prompt)] == prompt


def test_special_text_gives_the_ids_of_the_same_text_where_it_is_not_special(bpe: Tokenizer) -> None:
    renderer = renderer_of(bpe, "ChatML with a default system")
    row = row_of(renderer, turns("a", "<|im_end|>"))
    first = row.weights.index(1.0)
    expected = renderer.tokenizer.encode("<|im_end|>", add_special_tokens=False, split_special_tokens=True)
    assert row.ids[first : first + len(expected)] == expected
    assert len(expected) > 1


def test_each_token_knows_its_message(bpe: Tokenizer) -> None:
    renderer = renderer_of(bpe, "headers")
    row = row_of(renderer, turns("the sky", "blue", "the grass", "green", system="system"))
    for index, text in enumerate(("system", "the sky", "blue", "the grass", "green")):
        owned = [token for token, owner in zip(row.ids, row.message_T, strict=True) if owner == index]
        assert text in renderer.tokenizer.decode(owned)
    assert row.message_T == sorted(row.message_T)


def test_a_refusal_of_the_template_names_the_roles(bpe: Tokenizer) -> None:
    with pytest.raises(DataError, match="refuses") as caught:
        row_of(renderer_of(bpe, "INST"), turns("one", "two", system="be brief"))
    assert caught.value.seen == "no system role"
    assert "system, user, assistant" in caught.value.where
    with pytest.raises(DataError, match="refuses"):
        row_of(renderer_of(bpe, "turns"), (*turns("one"), *turns("two", "three")))


def test_a_model_without_a_template_gets_the_plain_one(bpe: Tokenizer) -> None:
    renderer = renderer_of(bpe, "no template")
    assert renderer.template == PLAIN_TEMPLATE
    assert not renderer.own_template
    assert renderer_of(bpe, "INST").own_template
    assert renderer.text(turns("hello", "blue")) == "<s>User: hello\n\nAssistant: blue</s>\n\n"


def test_generation_stops_at_the_end_of_a_turn_and_of_the_text_and_nowhere_else(bpe: Tokenizer) -> None:
    for family, (_, _, eos, end) in FAMILIES.items():
        renderer = renderer_of(bpe, family)
        assert renderer.stop_ids == {renderer.special[eos], renderer.special[end]}, family


def test_the_stop_tokens_of_the_generation_settings_count(bpe: Tokenizer) -> None:
    tokenizer = renderer_of(bpe, "headers").tokenizer
    listed = make_renderer(tokenizer, {"eos_token_id": [1, 2]})
    single = make_renderer(tokenizer, {"eos_token_id": 5})
    own = {listed.special["<|endoftext|>"], listed.special["<|eot_id|>"]}
    assert listed.stop_ids == {1, 2} | own
    assert single.stop_ids == {5} | own


def test_a_special_token_that_opens_every_answer_does_not_end_it(bpe: Tokenizer) -> None:
    """A template may write <think> before each answer; generation must not stop there."""
    tokenizer = renderer_of(bpe, "tags").tokenizer
    tokenizer.add_special_tokens({"additional_special_tokens": ["<pause>"]})
    tokenizer.chat_template = (
        "{% for message in messages %}<|{{ message['role'] }}|>"
        "{{ '<pause>' if message['role'] == 'assistant' }}{{ message['content'] }}<|end|>{% endfor %}"
        "{% if add_generation_prompt %}<|assistant|>{% endif %}"
    )
    renderer = make_renderer(tokenizer)
    assert renderer.stop_ids == {renderer.special["</s>"], renderer.special["<|end|>"]}
    assert learnt(renderer, row_of(renderer, turns("a", "b"))) == ["<pause>b<|end|>"]


def test_every_token_of_plain_text_is_learnt(bpe: Tokenizer) -> None:
    renderer = renderer_of(bpe, "INST")
    row = renderer.row(Text("1", "the sky </s> is blue"))
    assert row.ids[0] == renderer.special["<s>"]
    assert row.ids[-1] == renderer.special["</s>"]
    assert row.weights == [1.0] * len(row.ids)
    assert renderer.special["</s>"] not in row.ids[:-1]
    assert renderer.tokenizer.decode(row.ids[1:-1]) == "the sky </s> is blue"
