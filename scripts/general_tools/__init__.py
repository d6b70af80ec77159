"""How the general rows are made: tables of our own, templates, a seed. `scripts/make_general.py` writes them."""
