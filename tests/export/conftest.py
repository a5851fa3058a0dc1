"""A tiny text space, whose texts differ, a classifier of its texts, and its export."""

import keras
import pytest

from keras_textvae import Codec, TextSpace, WordTokenizer, lstm_vae, transfer
from tests.text_space.conftest import stirred


@pytest.fixture(scope="session")
def space():
    keras.utils.set_random_seed(0)
    tokenizer = WordTokenizer("the a cat dog bird sees likes hates".split())
    model = lstm_vae(tokenizer.vocabulary_size, 8, 16, 4, z_every_step=True)
    return TextSpace(stirred(model), Codec(tokenizer, 7))


@pytest.fixture(scope="session")
def labelled(space):
    """A classifier, which has the fewest signatures, and so the quickest export."""
    labelled = transfer.classifier(space, ["cat", "dog"])
    stirred(labelled.model)  # or every text is as likely a cat as a dog
    return labelled


@pytest.fixture(scope="session")
def exported(space, tmp_path_factory):
    from export.export_saved_model import export

    return export(space, str(tmp_path_factory.mktemp("exported")))
