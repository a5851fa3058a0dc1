"""The README's Python works as it stands."""

import contextlib
import io
import itertools
import pathlib

import numpy as np

from keras_textvae import grammar

README = pathlib.Path(__file__).parents[1] / "README.md"


def sentences_about_food(split, count):
    """The first of at most nine words: fewer will do than of longer ones."""
    examples = grammar.generate(60 * count, 0, split)
    texts = (e.text for e in examples if e.labels.topic == "food")
    short = (text for text in texts if len(text.split()) <= 9)
    return list(itertools.islice(short, count))


def test_your_own_sentences_get_a_latent_space_that_is_used(tmp_path, monkeypatch):
    section = README.read_text().partition("\n## Your own sentences\n")[2]
    snippets = [part.partition("```")[0] for part in section.split("```python\n")]
    (snippet,) = [text for text in snippets if "model.fit(" in text]
    valid = sentences_about_food("valid", 300)
    train = sentences_about_food("train", 2_500)
    (tmp_path / "sentences.txt").write_text("\n".join(train) + "\n")
    (tmp_path / "validation.txt").write_text("\n".join(valid) + "\n")
    monkeypatch.chdir(tmp_path)
    names, output = {}, io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(snippet, names)
    space = names["space"]
    assert float(names["model"].kl_weight) == 1.0  # the annealing is over
    assert np.mean(space.score(valid).kl) > 2.0
    printed = output.getvalue().splitlines()[-13:]
    assert printed == space.sample(5) + space.interpolate(*valid[:2])
    paths = [space.interpolate(*valid[i : i + 2]) for i in range(0, 20, 2)]
    assert all(text for path in paths for text in path)
    assert all(len({*path}) > 1 for path in paths)
    texts = [text for path in paths for text in path]
    correct = sum(grammar.labels_of(text.split()) is not None for text in texts)
    assert correct > len(texts) / 2
