"""Writes the README's two pictures from a finished run: what the terminal shows, and the report.

    python scripts/make_pictures.py runs/demo docs/pictures

Needs Chromium for the report's picture (on Debian: apt install chromium).
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

COLUMNS = 110


def terminal_picture(run: Path, path: Path) -> None:
    """`burnish run RUN` as an SVG. The run is finished, so it prints what came out."""
    command = [sys.executable, "-m", "burnish", "run", str(run)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [line for line in result.stdout.splitlines() if "done before" not in line]
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), highlight=False)
    console.print(Text(f"$ burnish run {run}", style="bold"))
    for line in lines:
        console.print(Text(line, style="bold green" if line.startswith(("BETTER", "NOT PROVEN", "WORSE")) else ""))
    # rich's template asks a server for its font; the viewer's own monospace font will do.
    drawn = re.sub(r"@font-face \{.*?\}", "", console.export_svg(title="burnish"), flags=re.DOTALL)
    path.write_text(drawn, "utf-8")


def report_picture(run: Path, path: Path) -> None:
    """The top of report.html as a PNG."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("error: Chromium is needed for the report's picture")
    command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1100,1300",
               f"--screenshot={path.absolute()}", (run / "report.html").absolute().as_uri()]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)


def main() -> None:
    run, folder = Path(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    terminal_picture(run, folder / "run.svg")
    report_picture(run, folder / "report.png")


if __name__ == "__main__":
    main()
