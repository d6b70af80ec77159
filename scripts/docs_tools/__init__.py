"""Pages of docs/generated, each made from the code that it describes."""
