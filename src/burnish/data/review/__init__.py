"""A page and a table from which a person judges prepared rows, and the marks that the next run reads back."""
