"""Twelve chat templates in the shapes of the known families, each with a conversation as it must be read and learnt.

`golden` is the conversation of ASKED and ANSWERED as the template writes it; ⟦ and ⟧ stand around what is learnt.
"""

from __future__ import annotations

from dataclasses import dataclass

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from burnish.core.records import Message

ASKED = (Message("user", "Which colour?"), Message("assistant", "Blue it is."), Message("user", "Sure?"))
ANSWERED = Message("assistant", "Yes.")


@dataclass(frozen=True)
class Family:
    """bos and eos are the tokenizer's own tokens, `end` is the one that ends an answer."""

    template: str
    bos: str | None
    eos: str
    end: str
    golden: str
    trims: bool = False
    system: bool = True


ROLES = "{% for m in messages %}"
PROMPTED = "{% if add_generation_prompt %}"
FAMILIES: dict[str, Family] = {
    "ChatML": Family(
        ROLES + "<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
        + PROMPTED + "<|im_start|>assistant\n{% endif %}",
        None, "<|endoftext|>", "<|im_end|>",
        "<|im_start|>user\nWhich colour?<|im_end|>\n<|im_start|>assistant\n⟦Blue it is.<|im_end|>⟧\n"
        "<|im_start|>user\nSure?<|im_end|>\n<|im_start|>assistant\n⟦Yes.<|im_end|>⟧\n",
    ),
    "Llama 2": Family(
        ROLES + "{% if m.role == 'system' %}{{ bos_token }}[INST] <<SYS>>\n{{ m.content }}\n<</SYS>>\n\n"
        "{% elif m.role == 'user' %}"
        "{% if loop.index0 == 0 or messages[loop.index0 - 1].role != 'system' %}{{ bos_token }}[INST] {% endif %}"
        "{{ m.content }} [/INST]{% else %} {{ m.content }} {{ eos_token }}{% endif %}{% endfor %}",
        "<s>", "</s>", "</s>",
        "<s>[INST] Which colour? [/INST]⟦ Blue it is. </s>⟧<s>[INST] Sure? [/INST]⟦ Yes. </s>⟧",
    ),
    "Llama 3": Family(
        "{{ bos_token }}" + ROLES + "<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n{{ m.content | trim }}"
        "<|eot_id|>{% endfor %}" + PROMPTED + "<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}",
        "<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>",
        "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nWhich colour?<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n⟦Blue it is.<|eot_id|>⟧"
        "<|start_header_id|>user<|end_header_id|>\n\nSure?<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n⟦Yes.<|eot_id|>⟧",
        trims=True,
    ),
    "Gemma": Family(
        "{{ bos_token }}" + ROLES + "{% if m.role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
        "<start_of_turn>{{ 'model' if m.role == 'assistant' else m.role }}\n{{ m.content | trim }}<end_of_turn>\n"
        "{% endfor %}" + PROMPTED + "<start_of_turn>model\n{% endif %}",
        "<bos>", "<eos>", "<end_of_turn>",
        "<bos><start_of_turn>user\nWhich colour?<end_of_turn>\n<start_of_turn>model\n⟦Blue it is.<end_of_turn>⟧\n"
        "<start_of_turn>user\nSure?<end_of_turn>\n<start_of_turn>model\n⟦Yes.<end_of_turn>⟧\n",
        trims=True, system=False,
    ),
    "Mistral": Family(
        "{{ bos_token }}{% set ns = namespace(rules='') %}" + ROLES
        + "{% if m.role == 'system' %}{% set ns.rules = m.content + '\n\n' %}"
        "{% elif m.role == 'user' %}[INST]{{ ns.rules }}{{ m.content }}[/INST]{% set ns.rules = '' %}"
        "{% else %}{{ m.content }}{{ eos_token }}{% endif %}{% endfor %}",
        "<s>", "</s>", "</s>",
        "<s>[INST]Which colour?[/INST]⟦Blue it is.</s>⟧[INST]Sure?[/INST]⟦Yes.</s>⟧",
    ),
    "Zephyr": Family(
        ROLES + "<|{{ m.role }}|>\n{{ m.content }}{{ eos_token }}\n{% endfor %}"
        + PROMPTED + "<|assistant|>\n{% endif %}",
        "<s>", "</s>", "</s>",
        "<|user|>\nWhich colour?</s>\n<|assistant|>\n⟦Blue it is.</s>⟧\n"
        "<|user|>\nSure?</s>\n<|assistant|>\n⟦Yes.</s>⟧\n",
    ),
    "Phi": Family(
        ROLES + "<|{{ m.role }}|>\n{{ m.content }}<|end|>\n{% endfor %}"
        + PROMPTED + "<|assistant|>\n{% else %}{{ eos_token }}{% endif %}",
        None, "<|endoftext|>", "<|end|>",
        "<|user|>\nWhich colour?<|end|>\n<|assistant|>\n⟦Blue it is.<|end|>⟧\n"
        "<|user|>\nSure?<|end|>\n<|assistant|>\n⟦Yes.<|end|>⟧\n<|endoftext|>",
    ),
    "Vicuna": Family(
        "{{ bos_token }}" + ROLES + "{% if m.role == 'system' %}{{ m.content }} "
        "{% elif m.role == 'user' %}USER: {{ m.content }} "
        "{% else %}ASSISTANT: {{ m.content }}{{ eos_token }}{% endif %}{% endfor %}"
        + PROMPTED + "ASSISTANT:{% endif %}",
        "<s>", "</s>", "</s>",
        "<s>USER: Which colour? ASSISTANT:⟦ Blue it is.</s>⟧USER: Sure? ASSISTANT:⟦ Yes.</s>⟧",
    ),
    "Alpaca": Family(
        ROLES + "{% if m.role == 'system' %}{{ m.content }}\n\n"
        "{% elif m.role == 'user' %}### Instruction:\n{{ m.content }}\n\n"
        "{% else %}### Response:\n{{ m.content }}{{ eos_token }}\n\n{% endif %}{% endfor %}"
        + PROMPTED + "### Response:\n{% endif %}",
        None, "<|endoftext|>", "<|endoftext|>",
        "### Instruction:\nWhich colour?\n\n### Response:\n⟦Blue it is.<|endoftext|>⟧\n\n"
        "### Instruction:\nSure?\n\n### Response:\n⟦Yes.<|endoftext|>⟧\n\n",
    ),
    "DeepSeek": Family(
        "{{ bos_token }}" + ROLES + "{% if m.role == 'system' %}{{ m.content }}"
        "{% elif m.role == 'user' %}<|User|>{{ m.content }}{% else %}<|Assistant|>{{ m.content }}{{ eos_token }}"
        "{% endif %}{% endfor %}" + PROMPTED + "<|Assistant|>{% endif %}",
        "<|begin_of_sentence|>", "<|end_of_sentence|>", "<|end_of_sentence|>",
        "<|begin_of_sentence|><|User|>Which colour?<|Assistant|>⟦Blue it is.<|end_of_sentence|>⟧"
        "<|User|>Sure?<|Assistant|>⟦Yes.<|end_of_sentence|>⟧",
    ),
    "Qwen 3, which drops earlier thoughts": Family(
        ROLES + "<|im_start|>{{ m.role }}\n"
        "{% if m.role == 'assistant' and not loop.last and '</think>' in m.content %}"
        "{{ m.content.split('</think>')[-1].lstrip('\n') }}{% else %}{{ m.content }}{% endif %}<|im_end|>\n{% endfor %}"
        + PROMPTED + "<|im_start|>assistant\n{% endif %}",
        None, "<|im_end|>", "<|im_end|>",
        "<|im_start|>user\nWhich colour?<|im_end|>\n<|im_start|>assistant\n⟦Blue it is.<|im_end|>⟧\n"
        "<|im_start|>user\nSure?<|im_end|>\n<|im_start|>assistant\n⟦Yes.<|im_end|>⟧\n",
    ),
    "Command R": Family(
        "{{ bos_token }}" + ROLES + "<|START_OF_TURN_TOKEN|>"
        "{{ {'system': '<|SYSTEM_TOKEN|>', 'user': '<|USER_TOKEN|>', 'assistant': '<|CHATBOT_TOKEN|>'}[m.role] }}"
        "{{ m.content | trim }}<|END_OF_TURN_TOKEN|>{% endfor %}"
        + PROMPTED + "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>{% endif %}",
        "<BOS_TOKEN>", "<EOS_TOKEN>", "<|END_OF_TURN_TOKEN|>",
        "<BOS_TOKEN><|START_OF_TURN_TOKEN|><|USER_TOKEN|>Which colour?<|END_OF_TURN_TOKEN|>"
        "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>⟦Blue it is.<|END_OF_TURN_TOKEN|>⟧"
        "<|START_OF_TURN_TOKEN|><|USER_TOKEN|>Sure?<|END_OF_TURN_TOKEN|>"
        "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>⟦Yes.<|END_OF_TURN_TOKEN|>⟧",
        trims=True,
    ),
}  # fmt: skip

SPECIAL = [
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<s>", "</s>", "<|begin_of_text|>", "<|end_of_text|>",
    "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>",
    "[INST]", "[/INST]", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>", "<|begin_of_sentence|>",
    "<|end_of_sentence|>", "<|User|>", "<|Assistant|>", "<BOS_TOKEN>", "<EOS_TOKEN>", "<|START_OF_TURN_TOKEN|>",
    "<|END_OF_TURN_TOKEN|>", "<|SYSTEM_TOKEN|>", "<|USER_TOKEN|>", "<|CHATBOT_TOKEN|>",
]  # fmt: skip
WORDS = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
CORPUS = [
    "user assistant system model: which colour has the sky?\n\nBlue it is.\n  Sure? Yes.",
    "USER: ASSISTANT: hello",
]


def byte_tokenizer() -> Tokenizer:
    """A byte-level tokenizer that knows the special tokens of every family; its merges cross spaces and line ends."""
    tokenizer = Tokenizer(models.BPE())
    words = pre_tokenizers.Split(Regex(WORDS), behavior="isolated")
    bytes_ = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([words, bytes_])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=420,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS * 3, trainer)
    return tokenizer


def tokenizer_of(family: Family, tokenizer: Tokenizer) -> PreTrainedTokenizerFast:
    """As such a model ships it: a tokenizer that puts its BOS before any text, and no token for padding but EOS."""
    own = Tokenizer.from_str(tokenizer.to_str())
    if family.bos:
        first = (family.bos, own.token_to_id(family.bos))
        own.post_processor = processors.TemplateProcessing(single=f"{family.bos} $A", special_tokens=[first])
    return PreTrainedTokenizerFast(
        tokenizer_object=own,
        bos_token=family.bos,
        eos_token=family.eos,
        pad_token=family.eos,
        chat_template=family.template,
    )
