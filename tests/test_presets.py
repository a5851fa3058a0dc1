"""The presets in the checkout are what their cards and the documentation say."""

import itertools
import pathlib
import re

import numpy as np
import pytest

import keras_textvae
from keras_textvae import pretrained, zoo
from keras_textvae.pretrained import catalogue

ROOT = pathlib.Path(__file__).parents[1]
PAGE = ROOT / "docs/presets.md"
LARGEST, ALL = 12_000_000, 40_000_000  # bytes
FORBIDDEN = "ptb", "Penn Treebank", "yelp", "tweets"  # by the terms of their texts
PRESETS = {preset.name: preset for preset in keras_textvae.presets()}


def shown(text):
    """The indented lines after a text of the README."""
    lines = (ROOT / "README.md").read_text().partition(text)[2].splitlines()
    lines = itertools.dropwhile(lambda line: not line.startswith("    "), lines)
    return [line[4:] for line in itertools.takewhile(str.strip, lines)]


def test_all_are_small_and_of_texts_that_allow_it():
    assert PRESETS
    assert sum(preset.size for preset in PRESETS.values()) <= ALL
    for preset in PRESETS.values():
        assert preset.size <= LARGEST
        said = f"{preset.about.corpus} {preset.about.command}"
        assert not any(name in said for name in FORBIDDEN)
        assert preset.about.licence and preset.about.limits


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_of_its_recipe(name):
    command = PRESETS[name].about.command
    recipe = zoo.recipe(re.search(r"--recipe=(\S+)", command)[1])
    space = keras_textvae.TextSpace.from_preset(name)
    built = recipe.build_model(space.codec.vocabulary_size, space.codec.length)
    assert [v.shape for v in space.model.state] == [v.shape for v in built.state]
    assert (space.density.components, space.fitted) == (
        recipe.density.components,
        recipe.density.fitted,
    )


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_writes_what_its_card_shows(name):
    """Almost: another processor may choose otherwise between two words as likely."""
    excerpts = PRESETS[name].about.excerpts
    lines = excerpts["Reconstructions (unpicked)"]
    space = keras_textvae.TextSpace.from_preset(name)
    again = space.reconstruct(lines[::2])
    expected = [line.removeprefix("-> ") for line in lines[1::2]]
    assert np.mean([a == b for a, b in zip(again, expected, strict=True)]) >= 0.8


def test_the_guide_has_them_all():
    page = PAGE.read_text()
    for name, preset in PRESETS.items():
        (row,) = re.findall(rf"^\| \[`{name}`\]\(.*$", page, re.M)
        figures = preset.about.figures
        for part in (
            f"{preset.size / 1e6:.1f} MB",
            f"{figures['in_place']:.1%}".replace("%", " %"),
            f"{figures['exact']:.1%}".replace("%", " %"),
            f"{figures['kl']:.1f}",
        ):
            assert part in row
        assert (ROOT / f"docs/presets/{name}.html").exists()
        assert (catalogue.WEIGHTS / name / pretrained.folder.CARD).exists()


def test_the_readme_s_path_is_that_of_the_preset():
    """See `test_a_preset_writes_what_its_card_shows`."""
    expected = shown("print(*space.interpolate(*ends, steps=10)")
    space = keras_textvae.TextSpace.from_preset("short-english")
    path = space.interpolate(expected[0], expected[-1], 10)
    assert np.mean([a == b for a, b in zip(path, expected, strict=True)]) >= 0.8
