"""Defects planted by chance into real sets, with the truth kept, and how many of them are found.

`python -m tests.planted` runs the whole stage on such sets; BURNISH_DATA names the folder they are made from.
"""
