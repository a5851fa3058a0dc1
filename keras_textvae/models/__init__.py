"""Models: an encoder, a posterior and a decoder under one objective."""

from keras_textvae.models.language_model import LanguageModel as LanguageModel
from keras_textvae.models.text_vae import TextVAE as TextVAE
