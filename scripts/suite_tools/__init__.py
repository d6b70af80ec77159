"""How the shipped suites are made: tables of our own, templates, a seed. `scripts/make_suites.py` writes them."""
