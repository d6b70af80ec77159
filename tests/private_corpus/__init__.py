"""Texts with private data whose places are known, and texts that only look so: made by chance from a seed.

`python -m tests.private_corpus` prints how much of it is found and how much of what is found is right.
"""
