"""Text to ids and ids to text, as TensorFlow graph operations; and the codec.

Every method works eagerly, in `tf.function`, in `tf.data` and in a SavedModel; there,
track each of `resources`: `archive.track(resource)`.
"""

from keras_textvae.tokenizers.characters import CharacterTokenizer as CharacterTokenizer
from keras_textvae.tokenizers.codec import Codec as Codec
from keras_textvae.tokenizers.loading import learn as learn
from keras_textvae.tokenizers.loading import load as load
from keras_textvae.tokenizers.subwords import SubwordTokenizer as SubwordTokenizer
from keras_textvae.tokenizers.tokenizer import Tokenizer as Tokenizer
from keras_textvae.tokenizers.tokenizer import without_mark as without_mark
from keras_textvae.tokenizers.tweets import (
    replace_names_and_links as replace_names_and_links,
)
from keras_textvae.tokenizers.words import WordTokenizer as WordTokenizer
