"""What is said of how far a long reading is."""

from keras_textvae.corpora import progress


def test_progress_says_what_is_done_and_left(monkeypatch, capsys):
    clock = iter([0.0, 0.5, 2.0, 3.0, 12.5, 20.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    with progress.Progress("reading", 100) as reading:
        for _ in range(4):
            reading.add(10)
    assert capsys.readouterr().err.splitlines() == [
        "reading: 20%, about 8 s left",
        "reading: 40%, about 19 s left",
        "reading: 20 s",
    ]


def test_without_a_total_it_says_how_much_is_done(monkeypatch, capsys):
    clock = iter([0.0, 2.0, 20.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    with progress.Progress("texts collected", None) as reading:
        reading.add(12_345)
    assert capsys.readouterr().err.splitlines() == [
        "texts collected: 12,345",
        "texts collected: 20 s",
    ]
