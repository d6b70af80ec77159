"""Defects planted by chance into real sets, with the truth kept, and how many of them are found.

`python -m tests.planted` plants those that single steps find and scores the steps; BURNISH_DATA names the sets.
"""
