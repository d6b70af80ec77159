import xml.etree.ElementTree as ElementTree

import pytest

from burnish.evals.report_plots import Axis, axis_around, element, interval_plot, loss_curve, thinned


def test_attributes_and_content_are_escaped():
    drawn = element("text", "<script>", class_='"><script>', x=1.5)
    assert str(drawn) == '<text class="&#34;&gt;&lt;script&gt;" x="1.5">&lt;script&gt;</text>'


def test_positions_keep_two_per_cent_at_both_ends():
    # 2 + 96·0.25 = 26
    axis = Axis(0.0, 2.0)
    assert axis.percent(0.5) == "26.000%"
    assert (axis.percent(-9), axis.percent(9)) == ("2.000%", "98.000%")


def test_ticks_are_round_and_inside():
    assert Axis(0.0, 1.0).ticks() == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert Axis(-0.07, 0.32).ticks() == pytest.approx([0, 0.1, 0.2, 0.3])


def test_an_axis_around_one_value_has_a_width():
    axis = axis_around([0.5, 0.5])
    assert axis.start < 0.5 < axis.end


def test_an_interval_is_drawn_as_a_line_and_a_dot():
    drawing = ElementTree.fromstring(str(interval_plot(0.5, 0.25, 0.75, Axis(0, 1), label="a & b", marks=(0.0, 1.0))))
    whisker = next(line for line in drawing if line.get("class", "").startswith("whisker"))
    assert (whisker.get("x1"), whisker.get("x2")) == ("26.000%", "74.000%")
    assert drawing.get("aria-label") == "a & b"
    assert [line.get("class") for line in drawing][:3] == ["track", "zero", "margin"]


def test_a_loss_curve_marks_the_kept_step():
    train = [(float(step), 3.0 / step) for step in range(1, 31)]
    dev = [(10.0, 0.5), (20.0, 0.4), (30.0, 0.45)]
    drawing = str(loss_curve(train, dev, chosen_step=20))
    ElementTree.fromstring(drawing)
    assert "step 20 was kept" in drawing
    assert drawing.count('class="ring"') == 1
    assert drawing.count("<polyline") == 2


def test_too_little_training_draws_nothing():
    assert loss_curve([], [], chosen_step=None) == ""
    assert loss_curve([(1, 2.0)], [], chosen_step=None) == ""


def test_many_points_are_thinned_to_means():
    # 1000 points, at most 400: groups of 3, the first with x = (0 + 1 + 2) / 3.
    points = thinned([(float(x), 2.0 * x) for x in range(1000)])
    assert len(points) == 334
    assert points[0] == (1.0, 2.0)
