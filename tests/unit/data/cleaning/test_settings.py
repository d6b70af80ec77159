from __future__ import annotations

import subprocess
import sys

from burnish.data.cleaning.settings import CleanSettings


def test_nothing_is_dropped_unless_it_is_asked_for() -> None:
    assert set(CleanSettings().model_dump().values()) == {"repair", "flag"}


def test_settings_import_nothing_heavy() -> None:
    code = (
        "import sys, burnish.data.cleaning.settings, burnish.data.private.settings; "
        "print({'numpy', 'ftfy', 'py3langid', 'phonenumbers', 'stdnum', 'torch'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
