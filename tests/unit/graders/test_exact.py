from burnish.graders.exact import grade_exact


def test_white_space_alone_does_not_matter():
    assert grade_exact(" a  B\n", "a B") == {"exact": 1.0}
    for output in ("a b", "a B.", '"a B"', ""):
        assert grade_exact(output, "a B") == {"exact": 0.0}, output
