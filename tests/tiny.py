"""A tiny model folder, made in a second: random weights, a small byte-level tokenizer, a ChatML template."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from burnish.deploy.gguf_metadata import model_metadata, rotary_divisors
from burnish.deploy.gguf_write import write_gguf
from burnish.model.checkpoint import read_checkpoint
from burnish.model.load import build_decoder, decoder_tensors
from burnish.render.renderer import make_renderer

TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TEXTS = ["the colour of the sky is blue and the grass is green", "which parcel of mine is late? answer: refund, order"]


def make_tokenizer(vocab: int = 320) -> PreTrainedTokenizerFast:
    """Every byte has a token, so every text can be written."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    fast.chat_template = TEMPLATE
    return fast


def make_model(vocab: int, *, tied: bool = True, seed: int = 0) -> LlamaForCausalLM:
    """Two layers of width 64."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocab,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        tie_word_embeddings=tied,
        eos_token_id=2,
        bos_token_id=None,
        pad_token_id=0,
    )
    model = LlamaForCausalLM(config).float().eval()
    with torch.no_grad():
        # As large as in a trained model: rows of size 0.02 cap the logits of a tied head near 1, whatever LoRA learns.
        model.model.embed_tokens.weight.mul_(10)
    return model


def write_model(folder: Path, *, tied: bool = True) -> Path:
    """A folder as people download it: config.json, model.safetensors, tokenizer."""
    tokenizer = make_tokenizer()
    make_model(len(tokenizer), tied=tied).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def write_gguf_model(path: Path, folder: Path) -> Path:
    """The model of a folder as one file with weights in float32."""
    checkpoint = read_checkpoint(folder)
    decoder = build_decoder(checkpoint.config, checkpoint.tensors, dtype=torch.float32, device=torch.device("cpu"))
    renderer = make_renderer(checkpoint.tokenizer, checkpoint.generation)
    metadata = model_metadata(
        checkpoint, decoder.config, name="tiny", template=renderer.template, stop_ids=renderer.stop_ids
    )
    write_gguf(path, metadata, decoder_tensors(decoder), decoder.config, "f32", rotary_divisors(decoder.config))
    return path
