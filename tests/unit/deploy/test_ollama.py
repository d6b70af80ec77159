"""Modelfiles: a Go template only where it is certain."""

from __future__ import annotations

import pytest

from burnish.deploy.ollama import modelfile, recognised
from burnish.render.renderer import make_renderer
from tests.tiny import TEMPLATE, make_tokenizer

LLAMA3 = (
    "{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m['role'] }}<|end_header_id|>\n\n"
    "{{ m['content'] | trim }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
GEMMA = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'system' %}{{ raise_exception('no') }}{% endif %}"
    "<start_of_turn>{{ 'model' if m['role'] == 'assistant' else m['role'] }}\n{{ m['content'] | trim }}<end_of_turn>\n"
    "{% endfor %}{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
DEFAULT = "{% if messages[0]['role'] != 'system' %}<|im_start|>system\nBe kind.<|im_end|>\n{% endif %}" + TEMPLATE


@pytest.mark.parametrize(
    ("template", "name", "system"),
    [
        (TEMPLATE, "chatml", ""),
        (DEFAULT, "chatml", "Be kind."),
        (LLAMA3, "llama3", ""),
        (GEMMA, "gemma", ""),
        (TEMPLATE.replace("<|im_end|>", "<|im_end|> "), None, ""),
        (TEMPLATE + "{{ '!' if messages | length > 2 }}", None, ""),
    ],
)
def test_families_are_recognised_by_what_they_render(template: str, name: str | None, system: str) -> None:
    tokenizer = make_tokenizer()
    tokenizer.chat_template = template
    family = recognised(make_renderer(tokenizer))
    assert (family.name if family else None) == name
    if family:
        assert family.default_system == system


def test_the_file_names_template_stops_and_context() -> None:
    text = modelfile("model-q8_0.gguf", make_renderer(make_tokenizer()), 512, licence="apache-2.0")
    assert text == (
        "FROM ./model-q8_0.gguf\n"
        'TEMPLATE """{{- range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}<|im_end|>\n{{ end }}'
        '<|im_start|>assistant\n"""\n'
        'PARAMETER stop "<|im_end|>"\nPARAMETER temperature 0\nPARAMETER repeat_penalty 1\n'
        'PARAMETER num_ctx 512\nLICENSE """apache-2.0"""\n'
    )


def test_an_uncertain_template_is_left_out_and_said() -> None:
    tokenizer = make_tokenizer()
    tokenizer.chat_template = TEMPLATE + " "
    text = modelfile("m.gguf", make_renderer(tokenizer), 100_000)
    assert 'TEMPLATE "' not in text
    assert "# No TEMPLATE" in text
    assert "num_ctx 8192" in text
