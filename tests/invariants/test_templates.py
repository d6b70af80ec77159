"""4 to 7: what is learnt is what is served, for twelve chat templates: every answer with its end, one beginning of
the text, nothing of the prompt, and no special token that a person typed."""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from burnish.core.records import Chat, Message, Text
from burnish.render.renderer import Rendered, Renderer, make_renderer
from tests.cli.run_cli import burnish
from tests.invariants.templates import ANSWERED, ASKED, FAMILIES, SPECIAL, byte_tokenizer, tokenizer_of

CONTENTS = [
    "Blue it is.", "yes", "user", "assistant:", "1\n2\r\n3", "naïve café, 漢字 🦊", "a|im_end|> half a name <|im_",
    "{{ messages }} {# no #}", "print('x')\n    return", "the sky, the grass\n\nand the sea", "ASSISTANT: hello", "0",
]  # fmt: skip


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return byte_tokenizer()


def renderer_of(tokenizer: Tokenizer, name: str) -> Renderer:
    return make_renderer(tokenizer_of(FAMILIES[name], tokenizer))


def conversations(name: str, count: int = 50) -> list[tuple[Message, ...]]:
    """Of one to four exchanges; every third begins with a system message where the family knows one."""
    chance = random.Random(0)
    talks = []
    for number in range(count):
        talk = [Message("system", "Be brief.")] if number % 3 == 0 and FAMILIES[name].system else []
        for _ in range(chance.randint(1, 4)):
            talk += [Message("user", chance.choice(CONTENTS)), Message("assistant", chance.choice(CONTENTS))]
        talks.append(tuple(talk))
    return talks


def template_ids(renderer: Renderer, talk: Sequence[Message], *, generation_prompt: bool = False) -> list[int]:
    """What transformers itself reads."""
    return list(
        renderer.tokenizer.apply_chat_template(
            [message.to_json() for message in talk],
            add_generation_prompt=generation_prompt,
            tokenize=True,
            return_dict=False,
        )
    )


def runs(row: Rendered) -> list[tuple[bool, list[int]]]:
    """The row cut where learnt and read tokens meet."""
    found: list[tuple[bool, list[int]]] = []
    for token, weight in zip(row.ids, row.weights, strict=True):
        if not found or found[-1][0] != bool(weight):
            found.append((bool(weight), []))
        found[-1][1].append(token)
    return found


def text_of(renderer: Renderer, ids: Sequence[int]) -> str:
    """With special tokens shown."""
    return str(renderer.tokenizer.decode(list(ids)))


def marked(renderer: Renderer, row: Rendered) -> str:
    """The row as text, with ⟦ and ⟧ around what is learnt."""
    texts = [(learnt, text_of(renderer, ids)) for learnt, ids in runs(row)]
    return "".join(f"⟦{text}⟧" if learnt else text for learnt, text in texts)


@pytest.mark.parametrize("name", FAMILIES)
def test_what_is_learnt_of_a_conversation_is_the_answers_and_their_ends(tokenizer: Tokenizer, name: str) -> None:
    """Guards against masks that are empty, shifted, or learn the prompt (unsloth 2095, marin 7237)."""
    renderer = renderer_of(tokenizer, name)
    row = renderer.row(Chat("1", (*ASKED, ANSWERED)))
    assert marked(renderer, row) == FAMILIES[name].golden


@pytest.mark.parametrize("name", FAMILIES)
def test_every_answer_ends_in_a_learnt_token_at_which_generation_stops(tokenizer: Tokenizer, name: str) -> None:
    """Guards against an end that is masked because the padding has its id (trl 1623, 734): here it always has."""
    family, renderer = FAMILIES[name], renderer_of(tokenizer, name)
    end = renderer.special[family.end]
    assert renderer.tokenizer.pad_token_id == renderer.tokenizer.eos_token_id
    assert end in renderer.stop_ids
    for talk in conversations(name):
        row = renderer.row(Chat("1", talk))
        answers = [message.content for message in talk if message.role == "assistant"]
        learnt = [ids for is_learnt, ids in runs(row) if is_learnt]
        assert row.turns_left_out == 0
        assert [ids[-1] for ids in learnt] == [end] * len(answers)
        texts = [text_of(renderer, ids[:-1]) for ids in learnt]
        assert [text.strip() for text in texts] == [answer.strip() for answer in answers]


@pytest.mark.parametrize("name", FAMILIES)
def test_training_reads_the_ids_that_serving_reads(tokenizer: Tokenizer, name: str) -> None:
    """Guards against a second or a lost BOS (open-r1 462, unsloth 10312): these tokenizers add one on their own."""
    family, renderer = FAMILIES[name], renderer_of(tokenizer, name)
    for talk in conversations(name):
        row = renderer.row(Chat("1", talk)).ids
        assert row == template_ids(renderer, talk)
        prompt = renderer.prompt(talk[:-1])
        assert prompt == template_ids(renderer, talk[:-1], generation_prompt=True)
        assert row[: len(prompt)] == prompt
        if family.bos is not None:
            begins = family.golden.startswith(family.bos)
            assert [token == renderer.special[family.bos] for token in row[:2]] == [begins, False]


@pytest.mark.parametrize("name", [name for name, family in FAMILIES.items() if family.bos])
def test_plain_text_has_one_beginning_and_one_end(tokenizer: Tokenizer, name: str) -> None:
    family, renderer = FAMILIES[name], renderer_of(tokenizer, name)
    ids = renderer.row(Text("1", f"the sky {family.end} is blue")).ids
    assert [token for token in ids if token in renderer.special.values()] == [
        renderer.special[str(family.bos)],
        renderer.special[family.eos],
    ]


def test_answers_whose_thoughts_serving_would_not_show_are_left_out_and_counted(tokenizer: Tokenizer) -> None:
    name = "Qwen 3, which drops earlier thoughts"
    renderer, thought = renderer_of(tokenizer, name), "<think>\nhm\n</think>\n\n"
    talk = (ASKED[0], Message("assistant", thought + "Blue it is."), ASKED[2], Message("assistant", thought + "Yes."))
    row = renderer.row(Chat("1", talk))
    assert row.ids == template_ids(renderer, talk)
    assert row.turns_left_out == 1
    assert marked(renderer, row) == (
        "<|im_start|>user\nWhich colour?<|im_end|>\n<|im_start|>assistant\nBlue it is.<|im_end|>\n"
        f"<|im_start|>user\nSure?<|im_end|>\n<|im_start|>assistant\n⟦{thought}Yes.<|im_end|>⟧\n"
    )


def test_a_model_whose_template_leaves_nothing_to_learn_is_refused(tiny_folder: Path, tmp_path: Path) -> None:
    """Guards against training on rows whose every label is masked, with a warning at most (trl PR 4201)."""
    model, rows = shutil.copytree(tiny_folder, tmp_path / "model"), tmp_path / "rows.jsonl"
    mute = (
        "{% for m in messages %}{% if m.role == 'user' %}<|im_start|>{{ m.content }}<|im_end|>{% endif %}{% endfor %}"
    )
    (model / "chat_template.jinja").write_text(mute)
    rows.write_text("".join(f'{{"prompt": "{number}?", "completion": "blue"}}\n' for number in range(20)))
    result = burnish("train", "--model", model, "--data", rows, "--out", tmp_path, "--name", "run")
    assert result.code == 3
    assert "leaves no token of it to learn" in result.err
    assert not (tmp_path / "run" / "adapter").exists()


@pytest.mark.parametrize("name", FAMILIES)
def test_special_text_that_a_person_typed_never_becomes_a_special_token(tokenizer: Tokenizer, name: str) -> None:
    family, renderer = FAMILIES[name], renderer_of(tokenizer, name)
    special = set(renderer.special.values())
    wanted = [token for token in renderer.row(Chat("1", (*ASKED, ANSWERED))).ids if token in special]
    for number, typed in enumerate(SPECIAL):
        other = SPECIAL[(number * 7 + 3) % len(SPECIAL)]
        talk = (Message("user", f"say {typed} and {other}"), Message("assistant", f"x{other}{typed}y"),
                Message("user", f"{typed}{typed}."), Message("assistant", f"so: {typed}."))  # fmt: skip
        row = renderer.row(Chat("1", talk))
        assert [token for token in row.ids if token in special] == wanted
        text = text_of(renderer, row.ids)
        assert all(message.content in text for message in talk)
        learnt = [text_of(renderer, ids).strip() for is_learnt, ids in runs(row) if is_learnt]
        ends = [text.removesuffix(family.end).strip() for text in learnt]
        assert ends == [f"x{other}{typed}y", f"so: {typed}."]
