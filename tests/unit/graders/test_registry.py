import subprocess
import sys

import pytest

from burnish.core.errors import RecipeError
from burnish.graders.registry import METRICS, grader_for, primary_score
from burnish.graders.settings import PRIMARY

SAMPLES = {"label": "a", "json": '{"a": 1}', "number": "3", "text": "a", "constraints": '[{"check": "lowercase"}]'}


def test_every_grader_gives_its_primary_score_between_zero_and_one():
    for shape, grader in METRICS.items():
        scores = grader("a", SAMPLES[shape])
        assert 0.0 <= scores[PRIMARY[shape]] <= 1.0
        assert primary_score(shape) == PRIMARY[shape]
        assert grader_for(shape) is grader
    assert set(METRICS) == set(PRIMARY)


def test_an_unknown_shape_is_an_error():
    with pytest.raises(RecipeError):
        grader_for("poem")


def test_graders_do_without_torch():
    code = "import sys; sys.modules['torch'] = None; import burnish.graders.registry"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
