"""The folder of a preset: nothing in it is run, and its card says what it is."""

import json
import re

import pytest

from keras_textvae import pretrained
from keras_textvae.pretrained import folder
from keras_textvae.text_space import TextSpace
from keras_textvae.tokenizers import Codec, WordTokenizer
from keras_textvae.zoo import bag_of_words_vae, rnnlm
from tests.pretrained.conftest import ABOUT


def test_what_is_said_of_a_preset_comes_back(space, preset):
    read = pretrained.read(preset)
    assert (read.name, read.about, read.level) == ("cats", ABOUT, "words")
    assert read.parameters == space.model.count_params()
    assert read.methods == tuple(space.graph.signatures)
    names = ["text_space.json", "weights.safetensors", "density.safetensors"]
    assert list(read.files) == names
    assert read.size == sum((preset / name).stat().st_size for name in names)


def test_a_card_says_what_the_hub_and_a_reader_want_to_know(preset):
    card = (preset / "README.md").read_text()
    assert card.startswith('---\nlibrary_name: "keras_textvae"\nlicense: "cc-by-2.0"\n')
    for said in (
        "# cats",
        ABOUT.summary,
        "Trained on eight words. The weights are CC-BY-2.0. By nobody.",
        "| bound, nats a text | 12.5 |",
        "    the cat\n    a dog",
        'TextSpace.from_preset("cats")',
        'space.interpolate("the cät", "a dog", steps=10)',
        ABOUT.limits,
        f"    {ABOUT.command}",
    ):
        assert said in card


def test_what_a_maker_does_not_say_is_left_out(space, tmp_path):
    space.save_to_preset(tmp_path / "bare")
    headings = [
        line
        for line in (tmp_path / "bare" / "README.md").read_text().splitlines()
        if line.startswith("#")
    ]
    assert headings == ["# bare"]


def test_a_card_shows_what_the_model_can_do(preset, tmp_path):
    tokenizer = WordTokenizer(["a", "cat"])
    models = {
        "encoder": bag_of_words_vae(tokenizer.vocabulary_size, 4, 4, 2),
        "rnnlm": rnnlm(tokenizer.vocabulary_size, 4, 4),
    }
    shown = {"cats": shown_methods(preset)}
    for name, model in models.items():
        TextSpace(model, Codec(tokenizer, 3)).save_to_preset(tmp_path / name)
        shown[name] = shown_methods(tmp_path / name)
    assert shown == {
        "cats": ["sample", "interpolate", "features"],
        "encoder": ["features"],
        "rnnlm": ["sample"],
    }


def shown_methods(folder):
    return re.findall(r"space\.(\w+)\(", (folder / "README.md").read_text())


EVIL = {
    "a lambda": {"class_name": "__lambda__", "config": {"value": ["4wE="]}},
    "a function": {"class_name": "function", "config": "eval", "module": "builtins"},
    "a layer that runs Python": {
        "class_name": "Lambda",
        "config": {},
        "module": "keras.layers",
        "registered_name": None,
    },
    "a class of another package": {
        "class_name": "Popen",
        "config": {"args": "true"},
        "module": "subprocess",
        "registered_name": "Popen",
    },
    "our name for nothing of ours": {
        "class_name": "Popen",
        "config": {},
        "module": "subprocess",
        "registered_name": "keras_textvae>Popen",
    },
}


@pytest.mark.parametrize("name", EVIL)
def test_a_model_of_other_parts_is_refused(preset, name):
    path = preset / "text_space.json"
    description = json.loads(path.read_text())
    description["model"]["config"]["encoder"] = EVIL[name]
    path.write_text(json.dumps(description))
    folder.write(
        preset, ABOUT, "words", 1, ["sample"]
    )  # by whoever wants it to be loaded
    kind = EVIL[name]["class_name"]
    with pytest.raises(ValueError, match=f"has a part that is not ours: {kind}"):
        pretrained.find(preset)
