"""What is shown: every text escaped, and no more of mistakes than can be read."""

from examples.playground_app import rendering


def test_many_mistakes_are_some_lines_and_their_number():
    lines = [f"sentence {number}: too long" for number in range(1, 8)]
    shown = rendering.wrong(lines)
    assert shown.count("<p ") == 6
    assert "sentence 5: too long" in shown and "sentence 6" not in shown
    assert "and 2 more" in shown
    assert "more" not in rendering.wrong(lines[:5])


def test_shares_have_bars_and_escape_every_text():
    rows = [("<a>", [("<b>", 0.75), ("c", 0.25)]), ("d", [("e", 1.0)])]
    shown = rendering.shares(("text", "name", "share"), rows)
    assert "<td dir=auto rowspan=2>&lt;a&gt;</td><td dir=auto>&lt;b&gt;</td>" in shown
    assert [shown.count(f"--share:{share}%") for share in (75.0, 25.0, 100.0)] == [
        1
    ] * 3
    assert shown.count("<tr>") == 4
