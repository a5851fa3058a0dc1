"""The Python of the README and of the documentation works as it stands."""

import contextlib
import csv
import io
import itertools
import pathlib
import re

import keras
import numpy as np
import pytest

from keras_textvae import Codec, TextSpace, WordTokenizer, grammar, lstm_vae, zoo
from keras_textvae.transfer import fitting

ROOT = pathlib.Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
PAGES += [ROOT / folder / "README.md" for folder in ("benchmarks", "serving")]
EMOTIONS = ["anger", "joy", "optimism", "sadness"]
TINY = {"embedding_dim": 4, "units": 4, "latent_dim": 2, "epochs": 1}
TINY |= {"steps_per_epoch": 2}


def code_blocks(page):
    """The Python of a page, a string for each block; nothing opts out."""
    return re.findall(r"^```python\n(.*?)^```$", page.read_text(), re.M | re.S)


WITH_CODE = [page for page in PAGES if code_blocks(page)]


def sentences_about_food(split, count):
    """The first of at most nine words: fewer will do than of longer ones."""
    examples = grammar.generate(60 * count, 0, split)
    texts = (e.text for e in examples if e.labels.topic == "food")
    short = (text for text in texts if len(text.split()) <= 9)
    return list(itertools.islice(short, count))


@pytest.fixture(scope="module")
def texts():
    """Sentences that a small training has enough of."""
    return sentences_about_food("train", 2_500)


@pytest.fixture(scope="module")
def folder(texts, tmp_path_factory):
    """A folder with the files, runs and exports that pages speak of."""
    folder = tmp_path_factory.mktemp("user")
    valid = sentences_about_food("valid", 300)
    (folder / "sentences.txt").write_text("\n".join(texts) + "\n")
    (folder / "validation.txt").write_text("\n".join(valid) + "\n")
    with open(folder / "reviews.csv", "w", newline="") as file:
        csv.writer(file).writerows([["review"], *([text] for text in texts[:300])])
    keras.utils.set_random_seed(0)
    tokenizer = WordTokenizer(sorted({word for x in texts for word in x.split()}))
    model = lstm_vae(tokenizer.vocabulary_size, 4, 4, 2)
    space = TextSpace(model, Codec(tokenizer, 9))
    for run in ("mine", "bag-of-words-tweets"):
        space.save(folder / "runs" / run)
    space.export(folder / "exported/textvae/1")
    return folder


@pytest.fixture
def run_page(folder, texts, monkeypatch):
    """A function that runs a page's blocks, and returns their names and output."""
    monkeypatch.chdir(folder)
    small = zoo.recipe("short-texts").replace(**TINY)
    monkeypatch.setitem(zoo.RECIPES, "short-texts", small)

    def run_page(page):
        labels = [EMOTIONS[len(text) % 4] for text in texts[:40]]
        names = {"texts": texts[:40], "labels": labels, "names": EMOTIONS}
        names |= {"more_texts": texts[40:80]}
        names |= {"dataset": [{"text": text} for text in texts[:40]]}
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            for block in code_blocks(page):
                exec(block, names)
        return names, output.getvalue().splitlines()

    return run_page


def test_pages_with_code_are_found():
    found = {str(page.relative_to(ROOT)) for page in WITH_CODE}
    assert found >= {"README.md", "docs/serving.md", "docs/transfer.md"}
    fences = sum(page.read_text().count("\n```py") for page in PAGES)
    assert fences == sum(len(code_blocks(page)) for page in PAGES)


@pytest.mark.parametrize(
    "page", WITH_CODE[1:], ids=lambda page: str(page.relative_to(ROOT))
)
def test_the_code_of_a_page_runs(run_page, page, eagerly, monkeypatch):
    monkeypatch.setattr(fitting, "MIN_STEPS", 2)
    monkeypatch.setattr(fitting, "MIN_EPOCHS", 1)
    run_page(page)


def test_your_own_sentences_get_a_latent_space_that_is_used(run_page, folder):
    names, output = run_page(ROOT / "README.md")
    valid = (folder / "validation.txt").read_text().splitlines()
    space = names["space"]
    assert float(names["model"].kl_weight) == 1.0  # the annealing is over
    assert np.mean(space.score(valid).kl) > 2.0
    assert output[-13:] == space.sample(5) + space.interpolate(*valid[:2])
    paths = [space.interpolate(*valid[i : i + 2]) for i in range(0, 20, 2)]
    assert all(text for path in paths for text in path)
    assert all(len({*path}) > 1 for path in paths)
    texts = [text for path in paths for text in path]
    correct = sum(grammar.labels_of(text.split()) is not None for text in texts)
    assert correct > len(texts) / 2


def test_the_guide_to_recipes_has_them_all():
    page = (ROOT / "docs/recipes.md").read_text()
    rows = [f"| `{name}` | {x.reference} |" for name, x in zoo.RECIPES.items()]
    assert page.partition("## All recipes\n")[2].splitlines()[-len(rows) :] == rows
