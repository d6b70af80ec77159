from burnish.train.choice import Point, best_within, scale_at_limit

POINTS = [
    Point(10, 0.0, 3.0, 0.0),
    Point(10, 0.5, 2.0, 0.02),
    Point(10, 1.0, 1.5, 0.10),
    Point(20, 0.5, 1.9, 0.04),
    Point(20, 1.0, 1.0, 0.30),
]


def test_the_best_on_dev_within_the_limit_is_taken() -> None:
    assert best_within(POINTS, 0.05) == Point(20, 0.5, 1.9, 0.04)
    assert best_within(POINTS, 1.0) == Point(20, 1.0, 1.0, 0.30)
    assert best_within(POINTS, 0.03) == Point(10, 0.5, 2.0, 0.02)
    assert best_within(POINTS, 0.0) == Point(10, 0.0, 3.0, 0.0)


def test_of_equals_the_smaller_scale_is_taken_and_what_is_not_finite_never() -> None:
    assert best_within([Point(1, 1.0, 2.0, 0.0), Point(2, 0.5, 2.0, 0.0)], 1.0) == Point(2, 0.5, 2.0, 0.0)
    assert best_within([Point(1, 1.0, float("nan"), 0.0)], 1.0) is None


def test_the_scale_at_the_limit_lies_on_the_straight_line_between_its_neighbours() -> None:
    # from (0.5, 0.02) to (1.0, 0.10): 0.06 is half of the way, 0.75
    assert scale_at_limit(POINTS, 10, 0.06) == 0.75
    # from (0, 0) to (0.5, 0.04): 0.01 is a quarter of the way
    assert scale_at_limit(POINTS, 20, 0.01) == 0.125
    assert scale_at_limit(POINTS, 10, 0.10) is None, "all are within"
    assert scale_at_limit(POINTS, 20, 0.0001) is None, "a scale of 0.00125 is none"
