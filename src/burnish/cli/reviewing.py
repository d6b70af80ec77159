"""`burnish prepare --review`: the page and the table by which a person judges the rows."""

from __future__ import annotations

from pathlib import Path

from burnish.cli.runs import say
from burnish.core.run_folder import RunFolder
from burnish.data.private.names import name_finder
from burnish.data.review.tokens import token_views
from burnish.data.review.write import write_review
from burnish.pipeline.workshop import Workshop
from burnish.recipe.recipe import read_recipe


def review(run: RunFolder) -> None:
    """Writes both for a prepared run and says what to do with them. Marks made in an earlier table are kept."""
    recipe, base = read_recipe(run.recipe)
    private = recipe.data.private
    written = write_review(
        run,
        private=private,
        names=name_finder(base / Path(private.names_model).expanduser()) if private.names_model else None,
        show_tokens=token_views(Workshop(recipe, base, run).renderer),
    )
    say(f"review: {written.page}")
    say(
        f"table:  {written.table} ({written.rows} of {written.of_rows} rows): write keep or drop into its first "
        f"column, then prepare again with --fresh --set data.review={written.table}"
    )
