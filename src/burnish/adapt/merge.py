"""Where exports find the merged weights."""

from burnish.adapt.methods import merged_tensors

__all__ = ["merged_tensors"]
