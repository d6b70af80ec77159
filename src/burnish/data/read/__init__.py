"""Files, folders and addresses → raw rows, streamed. `Raw` is what the other parts of `data` see of it."""

from burnish.data.read.raw import FileFacts, Raw, RawOrDropped, Reading

__all__ = ["FileFacts", "Raw", "RawOrDropped", "Reading"]
