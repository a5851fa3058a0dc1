"""The program that compares classifiers, over a space of random weights."""

import json
import pathlib

import pytest

from examples import classify
from examples.classification import labelled, methods, report
from keras_textvae import open_space
from keras_textvae.transfer import fitting

CATS = ["the cat sees", "a cat likes the cat", "big cat", "the old cat", "cat"]
DOGS = ["the dog sees", "a dog likes the dog", "big dog", "the old dog", "dog"]


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    """Trains for as long as it takes to see that it does."""
    monkeypatch.setattr(fitting, "MIN_STEPS", 3)
    monkeypatch.setattr(fitting, "MIN_EPOCHS", 3)


@pytest.fixture
def files(tmp_path):
    """A labelled file and a test file."""
    rows = [f"{name}\t{text}" for name, texts in TEXTS.items() for text in texts]
    for name in ("train", "test"):
        (tmp_path / f"{name}.tsv").write_text("\n".join(rows) + "\n")
    return tmp_path


TEXTS = {"cat": CATS, "dog": DOGS}


def arguments(files, opened, *more):
    return [
        f"--run_dir={opened}",
        f"--labelled={files / 'train.tsv'}",
        f"--test={files / 'test.tsv'}",
        f"--output_dir={files / 'out'}",
        "--labels_per_class=2,all",
        "--seeds=2",
        *more,
    ]


@pytest.mark.usefixtures("eagerly")
def test_methods_are_compared_once_and_the_rest_is_kept(run, opened, files):
    ways = "--methods=bag_of_words,frozen"
    ended = run(classify, *arguments(files, opened, ways))
    assert (ended.code, ended.errors) == (0, [])
    out = files / "out"
    lines = (out / "results.jsonl").read_text().splitlines(keepends=True)
    rows = [json.loads(line) for line in lines]
    cells = {(row["seed"], row["size"], row["method"]) for row in rows}
    assert len(rows) == len(cells) == 8
    of_all = {row["macro_f1"] for row in rows if row["method"] == "bag_of_words"}
    assert 1.0 in of_all  # all labels tell cats from dogs
    table = (out / "table.md").read_text()
    assert "| labels per class | bag_of_words | frozen |" in table
    assert "| all | 100.0 ± 0.0 |" in table
    assert (out / "table.png").read_bytes().startswith(b"\x89PNG")
    # As after a kill: the last row is gone, and made again alone.
    (out / "results.jsonl").write_text("".join(lines[:-1]))
    ended = run(classify, *arguments(files, opened, ways))
    assert sum("min left" in line for line in ended.output) == 1
    assert (out / "results.jsonl").read_text().splitlines(keepends=True) == lines
    # Half a last line, as a kill in the middle of it leaves: its cell is done again.
    (out / "results.jsonl").write_text("".join(lines)[:-9])
    ended = run(classify, *arguments(files, opened, ways))
    assert sum("min left" in line for line in ended.output) == 1
    assert (out / "results.jsonl").read_text().splitlines(keepends=True) == lines
    # Other labels in the same file are another comparison.
    labelled = (files / "train.tsv").read_text()
    swapped = labelled.replace("cat\t", "?\t").replace("dog\t", "cat\t")
    (files / "train.tsv").write_text(swapped.replace("?\t", "dog\t"))
    ended = run(classify, *arguments(files, opened, ways))
    (files / "train.tsv").write_text(labelled)
    assert ended.code == 2 and "another comparison: labelled is" in ended.errors[-1]
    # Another command's methods and sizes are shown beside those that are there.
    fewer = ["--methods=bag_of_words", "--labels_per_class=3", "--seeds=1"]
    assert run(classify, *arguments(files, opened, *fewer)).code == 0
    rows = (out / "table.md").read_text().split("Accuracy")[0].splitlines()
    assert [row.split("|")[1].strip() for row in rows[4:7]] == ["2", "3", "all"]
    assert rows[5].endswith(" ± 0.0 | - |")
    ended = run(classify, *arguments(files, opened, ways, "--hidden=3"))
    assert ended.code == 2
    assert "hidden is 0 there" in ended.errors[-1]


def test_a_classifier_of_all_labels_is_kept(run, opened, files):
    kept = files / "kept"
    more = ["--methods=bag_of_words", "--seeds=1", f"--save_dir={kept}"]
    assert run(classify, *arguments(files, opened, *more)).code == 0
    assert open_space(str(kept)).classify(["a cat"]).label[0] in TEXTS


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("method", methods.METHODS)
def test_each_method_predicts_labels_it_was_given(space, files, method):
    train = labelled.read(str(files / "train.tsv"))
    unlabelled = [text for texts in TEXTS.values() for text in texts]
    problem = methods.Problem(space, train.names, unlabelled, "both", 1e-3, 0)
    predict = methods.METHODS[method](problem, train, 0)
    assert {*predict(unlabelled)} <= {*TEXTS}
    score = methods.score(predict, train)
    assert 0.0 <= score.macro_f1 <= 1.0


def test_samples_nest_and_hold_as_many_of_each_label():
    texts = [f"text {i}" for i in range(60)]
    every = labelled.Labelled(texts, ["a", "b", "b"] * 20)
    small, large = (labelled.sample(every, n, seed=3) for n in (5, 10))
    assert sorted(small.labels) == ["a"] * 5 + ["b"] * 5
    assert {*small.texts} < {*large.texts}
    assert labelled.sample(every, None, 0) is every
    assert len(labelled.sample(every, 1000, 0).texts) == 60
    train, held = labelled.split(every, 0.2, seed=0)
    assert sorted(held.labels) == ["a"] * 4 + ["b"] * 8
    assert sorted(train.texts + held.texts) == sorted(texts)


@pytest.mark.usefixtures("eagerly")
def test_a_label_with_one_text_is_trained_on_and_named(run, opened, files):
    rare = "rare\ta big old dog\n"
    with (files / "train.tsv").open("a") as file:
        file.write(rare)
    train, held = labelled.split(labelled.read(files / "train.tsv"), 0.2, seed=0)
    assert train.labels.count("rare") == 1
    assert (train.names, held.names) == (["cat", "dog", "rare"], ["cat", "dog"])
    kept = files / "kept"
    more = ["--methods=bag_of_words", "--seeds=1", "--test=", f"--save_dir={kept}"]
    ended = run(classify, *arguments(files, opened, *more))
    message = "one text each of rare: trained on, and not tested."
    assert (ended.code, ended.errors) == (0, [message])
    assert open_space(str(kept)).model.labels == ("cat", "dog", "rare")


def test_a_byte_order_mark_is_no_part_of_a_label(files):
    content = (files / "train.tsv").read_bytes()
    (files / "train.tsv").write_bytes(b"\xef\xbb\xbf" + content)
    assert labelled.read(files / "train.tsv").names == ["cat", "dog"]


def test_labelled_texts_may_be_columns_of_a_table(files, space):
    path = files / "train.csv"
    path.write_text('stars,review\n1,a cat\n2,"a\n\ndog"\n,\n1,big\n')
    expected = labelled.Labelled(["a cat", "a dog", "big"], ["1", "2", "1"])
    for columns in (["stars", "review"], ["stars"]):
        assert labelled.read(path, columns=columns) == expected
    with pytest.raises(ValueError, match="train.csv, line 3: '2' was never seen"):
        labelled.read(path, ["1"], ["stars"])
    with pytest.raises(ValueError, match="--labelled_columns=a,b,c: label, text"):
        labelled.read(path, columns=["a", "b", "c"])
    path.write_text(f"{path.read_text()}2,{'big ' * 9}\n")
    with pytest.raises(ValueError, match="train.csv, line 8: more than the 5 words"):
        labelled.read_fitting(path, space.codec, columns=["stars"])


def test_the_table_has_each_figure_under_its_name():
    scores = {("a", "10"): [methods.Score(0.5, 0.25), methods.Score(0.5, 0.25)]}
    f1, accuracy = report.text(["a", "b"], ["10"], scores).split("Accuracy")
    assert f1.startswith("Macro-F1") and "| 10 | 25.0 ± 0.0 | - |" in f1
    assert "| 10 | 50.0 ± 0.0 | - |" in accuracy
    assert "Means over 2 seeds" in accuracy


def scores_by_seed(**percents):
    """Returns (seed, size, method) -> score, from macro-F1 a seed of each method."""
    return {
        (seed, "10", method): methods.Score(0.0, percent / 100)
        for method, values in percents.items()
        for seed, percent in enumerate(values)
    }


@pytest.mark.parametrize(
    ("percents", "behind"),
    [
        ({"scratch": [77], "frozen": [55], "fine_tuned": [61]}, ["22.0", "16.0"]),
        ({"scratch": [77, 78], "frozen": [73, 74]}, ["4.0"]),
        ({"scratch": [77, 78], "frozen": [75, 76]}, []),  # little
        ({"scratch": [70, 80], "frozen": [69, 61]}, []),  # t(0.975; 1) = 12.7: chance
        ({"scratch": [70], "frozen": [80]}, []),
        ({"frozen": [55], "fine_tuned": [61]}, []),
        ({"scratch": [70], "bag_of_words": [50]}, []),
    ],
)
def test_what_is_behind_new_weights_is_told(percents, behind):
    scores = scores_by_seed(**percents)
    warning = report.warning([*percents], ["10"], scores)
    names = [name for name in percents if name not in report.WITHOUT_PRETRAINING]
    if not behind:
        assert warning is None
        return
    pairs = zip(names, behind, strict=True)
    parts = [f"{name} by {points} points (10 a class)" for name, points in pairs]
    assert f"in macro-F1: {', '.join(parts)}. " in warning


def test_the_largest_gap_and_common_seeds_count():
    scores = scores_by_seed(scratch=[80], frozen=[70, 0])
    scores |= {
        (0, "all", "scratch"): methods.Score(0.0, 0.9),
        (0, "all", "frozen"): methods.Score(0.0, 0.6),
    }
    warning = report.warning(["scratch", "frozen"], ["10", "all"], scores)
    assert "frozen by 30.0 points (all a class)." in warning
    del scores[0, "all", "scratch"]
    warning = report.warning(["scratch", "frozen"], ["10", "all"], scores)
    assert "frozen by 10.0 points (10 a class)." in warning


def test_the_warning_comes_after_the_table(run, opened, files, monkeypatch):
    wrong = {"cat": "dog", "dog": "cat"}
    of_words = methods.bag_of_words

    def frozen(problem, train, seed):
        predict = of_words(problem, train, seed)
        return lambda texts: [wrong[label] for label in predict(texts)]

    monkeypatch.setitem(methods.METHODS, "scratch", of_words)
    monkeypatch.setitem(methods.METHODS, "frozen", frozen)
    ended = run(classify, *arguments(files, opened, "--methods=scratch,frozen"))
    assert ended.code == 0
    (line,) = ended.errors
    assert line.startswith("warning: behind the same network from new weights")
    assert "in macro-F1: frozen by 100.0 points (" in line


def test_intervals_are_student_s():
    assert report.half_interval([1.0]) == 0.0
    # t(0.975; 2) = 4.3027, s = 1
    assert report.half_interval([1.0, 2.0, 3.0]) == pytest.approx(4.3027 / 3**0.5, 1e-4)


BAD_FILES = {
    "no tab": ("cat the cat\n", "train.tsv, line 1: a label, a tab and a text"),
    "no text": ("cat\ta cat\ndog\t \n", "train.tsv, line 2: a label, a tab and a text"),
    "no label": ("\ta cat\n", "train.tsv, line 1: a label"),
    "one label": ("cat\ta cat\ncat\tthe cat\n", "2 texts with 1 labels"),
    "empty": ("", "0 texts with 0 labels"),
    "too long": (
        "cat\ta cat\ndog\ta dog\ndog\t" + 6 * "a ",
        "train.tsv, line 3: more than the 5 words",
    ),
}


def test_an_unlabelled_text_that_is_too_long_is_named(run, opened, files):
    (files / "more.txt").write_text("a cat\n\n" + 6 * "a " + "\n")
    more = f"--unlabelled={files / 'more.txt'}"
    ended = run(classify, *arguments(files, opened, more))
    assert ended.code == 2
    assert "more.txt, line 3: more than the 5 words" in ended.errors[0]


def test_nothing_to_test_on_is_told(run, opened, files):
    (files / "train.tsv").write_text("cat\ta cat\ndog\ta dog\n")
    ended = run(classify, *arguments(files, opened, "--test="))
    assert ended.code == 2
    assert "train.tsv: each label has one text, and none can be held" in ended.errors[0]


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_is_told_in_one_line(run, opened, files, case):
    content, message = BAD_FILES[case]
    pathlib.Path(files / "train.tsv").write_text(content)
    ended = run(classify, *arguments(files, opened))
    assert ended.code == 2
    (line,) = ended.errors
    assert message in line


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--run_dir="], "--run_dir or --preset and --labelled are needed"),
        (["--run_dir=/nowhere"], "/nowhere holds no text space"),
        (["--labels_per_class=few"], 'a number, or "all"'),
        (["--methods=magic"], "the methods are bag_of_words"),
        (["--test=MOUSE"], "'mouse' was never seen in training, only cat, dog"),
    ],
)
def test_a_mistake_is_told_in_one_line(run, opened, files, more, message):
    (files / "mouse.tsv").write_text("mouse\ta mouse\n")
    more = [text.replace("MOUSE", str(files / "mouse.tsv")) for text in more]
    ended = run(classify, *arguments(files, opened, *more))
    assert ended.code == 2
    (line,) = ended.errors
    assert message in line
