"""One decoder for Llama-, Mistral-, Qwen- and Gemma-like models. Modules and parameters are named as transformers
names them, so weights and adapters of either read the other.

Names: T tokens, D width, H heads, K key-value heads, d width of a head.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from burnish.model.attention import Attend, forest_attention
from burnish.model.attention_rule import AttentionRule
from burnish.model.config import DecoderConfig, Rope
from burnish.model.forest import Forest
from burnish.model.logprobs import slices, target_scores
from burnish.model.opening import Opening, opening_ids
from burnish.model.pointwise import PLAIN, Pointwise, gated, gated_again, normed, rotated, wide
from burnish.model.remade import recomputed, remade
from burnish.model.shapes import filled
from burnish.model.stored import StoredTable

if TYPE_CHECKING:
    from burnish.model.bank import Bank


class _Narrowed(torch.autograd.Function):
    """x Wᵀ with W cast to the precision of x, once for each direction: the narrow copy is not kept between them."""

    @staticmethod
    def forward(ctx: Any, x_T_D: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x_T_D, weight)
        return F.linear(x_T_D, weight.to(x_T_D.dtype))

    @staticmethod
    def backward(ctx: Any, *slopes: Any) -> Any:
        x_T_D, weight = ctx.saved_tensors
        (slope,) = slopes
        into_x = slope @ weight.to(slope.dtype) if ctx.needs_input_grad[0] else None
        return into_x, (slope.T @ x_T_D).to(weight.dtype) if ctx.needs_input_grad[1] else None


class Linear(nn.Linear):
    """x Wᵀ + b in the precision of x: a float32 master copy multiplies in bf16 when the activations are bf16."""

    def reset_parameters(self) -> None:
        """Weights are always read; to draw random ones first would import torch's compiler, a second and a half."""

    def dense(self, dtype: torch.dtype) -> Tensor:
        """(out, in): the weight in `dtype`. Where another form is kept, made anew at each call."""
        return self.weight.to(dtype)

    def forward(self, x: Tensor) -> Tensor:
        if self.weight.dtype == x.dtype:
            return F.linear(x, self.weight, self.bias)
        product: Tensor = _Narrowed.apply(x, self.weight)  # type: ignore[no-untyped-call]
        return product if self.bias is None else product + self.bias.to(x.dtype)


class Embedding(nn.Embedding):
    """A row for each token."""

    def reset_parameters(self) -> None:
        """As `Linear`'s."""


class RMSNorm(nn.Module):
    """x / rms(x) · (weight + offset), in at least float32 (arXiv 1910.07467). Gemma stores weight - 1."""

    def __init__(self, width: int, epsilon: float, offset: float, pointwise: Pointwise) -> None:
        super().__init__()
        self.pointwise = pointwise
        self.weight = nn.Parameter(torch.ones(width))
        self.epsilon = epsilon
        self.offset = offset

    def forward(self, x: Tensor) -> Tensor:
        weight = wide(self.weight) + self.offset if self.offset else wide(self.weight)
        return normed(x, weight, self.epsilon, self.pointwise)


class Attention(nn.Module):
    """Queries, keys and values of one layer; who sees whom is the business of `attend`."""

    def __init__(self, config: DecoderConfig, layer: int, pointwise: Pointwise) -> None:
        super().__init__()
        wide, narrow = config.heads * config.head_width, config.key_value_heads * config.head_width
        self.q_proj = Linear(config.width, wide, bias=config.attention_bias)
        self.k_proj = Linear(config.width, narrow, bias=config.attention_bias)
        self.v_proj = Linear(config.width, narrow, bias=config.attention_bias)
        self.o_proj = Linear(wide, config.width, bias=config.output_bias)
        self.head_width = config.head_width
        self.layer = layer
        self.pointwise = pointwise
        self.rule = AttentionRule(config.attention_scale, config.windows[layer], config.softcap)
        offset = 1.0 if config.gemma else 0.0
        self.q_norm = (
            RMSNorm(config.head_width, config.norm_epsilon, offset, pointwise) if config.query_key_norm else None
        )
        self.k_norm = (
            RMSNorm(config.head_width, config.norm_epsilon, offset, pointwise) if config.query_key_norm else None
        )

    def forward(self, x_T_D: Tensor, cosine_T_d: Tensor, sine_T_d: Tensor, attend: Attend) -> Tensor:
        query = self.q_proj(x_T_D).unflatten(-1, (-1, self.head_width))
        key = self.k_proj(x_T_D).unflatten(-1, (-1, self.head_width))
        value = self.v_proj(x_T_D).unflatten(-1, (-1, self.head_width))
        if self.q_norm is not None and self.k_norm is not None:
            query, key = self.q_norm(query), self.k_norm(key)
        query, key = (rotated(part, cosine_T_d, sine_T_d, self.pointwise) for part in (query, key))
        output: Tensor = self.o_proj(attend(self.layer, query, key, value, self.rule))
        return output


class MLP(nn.Module):
    """down(act(gate(x)) · up(x)) (arXiv 2002.05202)."""

    def __init__(self, config: DecoderConfig, pointwise: Pointwise) -> None:
        super().__init__()
        self.gate_proj = Linear(config.width, config.mlp_width, bias=False)
        self.up_proj = Linear(config.width, config.mlp_width, bias=False)
        self.down_proj = Linear(config.mlp_width, config.width, bias=False)
        self.activation = config.activation
        self.pointwise = pointwise

    def forward(self, x_T_D: Tensor) -> Tensor:
        gate_T_M, up_T_M = self.gate_proj(x_T_D), self.up_proj(x_T_D)
        made_T_M = gated(gate_T_M, up_T_M, self.activation, self.pointwise)
        with remade(made_T_M, gated_again(made_T_M)):
            output: Tensor = self.down_proj(made_T_M)
        return output


class Layer(nn.Module):
    """Attention and MLP, each added to the stream. Gemma norms before and after each part, the others before."""

    def __init__(self, config: DecoderConfig, layer: int, pointwise: Pointwise) -> None:
        super().__init__()
        offset = 1.0 if config.gemma else 0.0
        self.self_attn = Attention(config, layer, pointwise)
        self.mlp = MLP(config, pointwise)
        self.input_layernorm = RMSNorm(config.width, config.norm_epsilon, offset, pointwise)
        self.post_attention_layernorm = RMSNorm(config.width, config.norm_epsilon, offset, pointwise)
        self.gemma = config.gemma
        if config.gemma:
            self.pre_feedforward_layernorm = RMSNorm(config.width, config.norm_epsilon, offset, pointwise)
            self.post_feedforward_layernorm = RMSNorm(config.width, config.norm_epsilon, offset, pointwise)

    def forward(self, x_T_D: Tensor, cosine_T_d: Tensor, sine_T_d: Tensor, attend: Attend) -> Tensor:
        attended = self.self_attn(self.input_layernorm(x_T_D), cosine_T_d, sine_T_d, attend)
        if self.gemma:
            x_T_D = x_T_D + self.post_attention_layernorm(attended)
            made: Tensor = self.post_feedforward_layernorm(self.mlp(self.pre_feedforward_layernorm(x_T_D)))
        else:
            x_T_D = x_T_D + attended
            made = self.mlp(self.post_attention_layernorm(x_T_D))
        return x_T_D + made


class Trunk(nn.Module):
    """Embeddings, layers and the last norm."""

    def __init__(self, config: DecoderConfig, pointwise: Pointwise) -> None:
        super().__init__()
        self.embed_tokens = Embedding(config.vocab, config.width)
        self.layers = nn.ModuleList(Layer(config, layer, pointwise) for layer in range(config.layers))
        self.norm = RMSNorm(config.width, config.norm_epsilon, 1.0 if config.gemma else 0.0, pointwise)


class Decoder(nn.Module):
    """Tokens → hidden states → log-probabilities.

    `compute` is the precision of the activations; weights that train are float32 and multiply in `compute`. With
    `recompute` only the input of each layer is kept for the backward pass.
    """

    def __init__(
        self, config: DecoderConfig, compute: torch.dtype = torch.float32, pointwise: Pointwise = PLAIN
    ) -> None:
        super().__init__()
        self.config = config
        self.compute = compute
        self.pointwise = pointwise
        self.model = Trunk(config, pointwise)
        self.recompute = False
        self.step = 0  # the update at which training stands: what is random in it follows from that
        self.adaptation: object = None  # what adapt put in, for it to find again
        self.opening: Opening | None = None
        self.bank: Bank | None = None  # adapters that a batch may mix, where generation has several
        self.speak: Callable[[Tensor], Tensor] | None = (
            None  # the output layer's product, where it has a form of its own
        )
        self.tokens = config.vocab  # ids from here on only fill the tables up: never sampled
        self.new_ids: tuple[int, ...] = ()  # tokens that were added for this run
        self.lm_head = None if config.tied else Linear(config.width, config.vocab, bias=False)

    @property
    def head(self) -> Tensor | StoredTable:
        """The output layer (V, D), which is the embedding itself in tied models."""
        kept: nn.Module = self.model.embed_tokens if self.lm_head is None else self.lm_head
        return kept if isinstance(kept, StoredTable) else cast(Tensor, kept.weight)

    @property
    def head_weight(self) -> Tensor:
        """(V, D): the whole output layer; where it is kept in blocks, made anew at each call."""
        head = self.head
        return head if isinstance(head, Tensor) else head.rows(slice(None), self.compute)

    @property
    def opening_ids(self) -> tuple[int, ...]:
        """Tokens that stand before everything the model reads; empty unless a method has put some there."""
        return opening_ids(self.opening)

    @property
    def device(self) -> torch.device:
        return self.model.norm.weight.device

    def forward(self, tokens_T: Tensor, position_T: Tensor, attend: Attend) -> Tensor:
        """(T, D) hidden states after the last norm, for tokens that see what `attend` shows them."""
        known_T = tokens_T if self.opening is None else tokens_T.clamp(min=0)
        x_T_D = self.model.embed_tokens(known_T).to(self.compute)
        if self.config.gemma:
            x_T_D = x_T_D * torch.tensor(self.config.width**0.5, dtype=self.compute)
        if self.opening is not None:
            x_T_D, attend = self.opening(tokens_T, x_T_D, attend)
        waves = {rope: self._waves(rope, position_T) for rope in dict.fromkeys(self.config.ropes)}
        for layer, rope in zip(self.model.layers, self.config.ropes, strict=True):
            run = partial(layer, cosine_T_d=waves[rope][0], sine_T_d=waves[rope][1], attend=attend)
            x_T_D = recomputed(run, x_T_D) if self.recompute else run(x_T_D)
        normed: Tensor = self.model.norm(x_T_D)
        return normed

    def _waves(self, rope: Rope, position_T: Tensor) -> tuple[Tensor, Tensor]:
        """cos and sin of each position's angles, (T, d): worked out in float64, since positions × angles are large."""
        angles = rope.inverse_frequencies(self.config.head_width)
        turn = position_T.cpu().double()[:, None] * torch.tensor(angles, dtype=torch.float64)
        cosine, sine = (wave.to(self.device, self.compute).repeat(1, 2) for wave in (turn.cos(), turn.sin()))
        return cosine, sine

    def hidden(self, forest: Forest) -> Tensor:
        """(T, D) hidden states of all tokens of a forest."""
        opened = forest.under(self.opening_ids)
        whole = opened.lengthened(filled(opened.tokens))
        hidden: Tensor = self(whole.tokens_T, whole.position_T, forest_attention(whole))
        return hidden[opened.tokens - forest.tokens : opened.tokens]

    def logprobs(self, hidden_T_D: Tensor, forest: Forest) -> Tensor:
        """(N,) log-probability of each target."""
        return self.scores(hidden_T_D, forest)[0]

    def scores(self, hidden_T_D: Tensor, forest: Forest) -> tuple[Tensor, Tensor]:
        """(N,) log-probability of each target, and (N,) whether it is the likeliest token. Only the targets' positions
        reach the output layer."""
        return target_scores(hidden_T_D[forest.target_at_N], self.head, forest.target_id_N)

    def logits(self, hidden_N_D: Tensor) -> Tensor:
        """(N, V) in float32, for generation."""
        if self.speak is not None:
            return self.speak(hidden_N_D).float()
        head = self.head
        if isinstance(head, Tensor):
            return F.linear(hidden_N_D, head.to(hidden_N_D.dtype)).float()
        parts = [F.linear(hidden_N_D, rows_v_D) for _, rows_v_D in slices(head, hidden_N_D)]
        return torch.cat(parts, -1).float()
