"""Models: an encoder, a posterior and a decoder under one objective."""

from keras_textvae.models.text_vae import TextVAE as TextVAE
