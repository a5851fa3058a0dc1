"""A tiny trained text space, and its run folder."""

import keras
import pytest

from keras_textvae import Codec, TextSpace, WordTokenizer, lstm_vae

SENTENCES = [
    "the cat sees a dog",
    "a dog likes the bird",
    "the bird hates a cat",
    "the dog sees the cat",
]


@pytest.fixture(scope="session")
def space():
    keras.utils.set_random_seed(0)
    tokenizer = WordTokenizer("the a cat dog bird sees likes hates".split())
    model = lstm_vae(tokenizer.vocabulary_size, 8, 16, 4, z_every_step=True)
    model.compile(keras.optimizers.Adam(1e-2))
    model.fit(tokenizer.encode(SENTENCES * 8).numpy(), epochs=15, verbose=0)
    return TextSpace(model, Codec(tokenizer, 7))


@pytest.fixture(scope="session")
def space_dir(space, tmp_path_factory):
    folder = tmp_path_factory.mktemp("space")
    space.save(str(folder))
    return str(folder)


@pytest.fixture(scope="session")
def exported(space, tmp_path_factory):
    from export.export_saved_model import export

    return export(space, str(tmp_path_factory.mktemp("exported")))
