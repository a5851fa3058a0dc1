"""Models: an encoder, a posterior and a decoder under one objective."""

from keras_textvae.models.classifier import FEATURES as FEATURES
from keras_textvae.models.classifier import TextClassifier as TextClassifier
from keras_textvae.models.classifier import check_features as check_features
from keras_textvae.models.classifier import selected as selected
from keras_textvae.models.copying import computes_in_float32 as computes_in_float32
from keras_textvae.models.copying import copied as copied
from keras_textvae.models.generative_model import UNLABELLED as UNLABELLED
from keras_textvae.models.generative_model import GenerativeModel as GenerativeModel
from keras_textvae.models.language_model import LanguageModel as LanguageModel
from keras_textvae.models.semi_supervised import (
    SemiSupervisedTextVAE as SemiSupervisedTextVAE,
)
from keras_textvae.models.sentence_model import SentenceModel as SentenceModel
from keras_textvae.models.text_vae import TextVAE as TextVAE
