from __future__ import annotations

import torch
from safetensors.torch import load

from burnish.train.tensor_file import tensor_pieces


def test_the_library_reads_what_we_write() -> None:
    tensors = {
        "model.weight/exp_avg": torch.randn(3, 5),
        "odd ü": torch.randn(7, dtype=torch.float64),
        "narrow": torch.randn(5).bfloat16(),
        "step": torch.tensor(12.0),
        "turned": torch.randn(4, 6).T,
        "empty": torch.zeros(0, 3),
    }
    content = b"".join(bytes(piece) for piece in tensor_pieces(tensors))
    read = load(content)
    assert set(read) == set(tensors)
    for name, tensor in tensors.items():
        assert read[name].dtype == tensor.dtype
        assert torch.equal(read[name], tensor)
    assert (8 + int.from_bytes(content[:8], "little")) % 8 == 0
