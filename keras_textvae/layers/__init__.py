"""Layers that Keras lacks."""

from keras_textvae.layers.causal_convolution import ByteNetBlock as ByteNetBlock
from keras_textvae.layers.causal_convolution import (
    CausalConvolution as CausalConvolution,
)
from keras_textvae.layers.causal_convolution import HighwayBlock as HighwayBlock
from keras_textvae.layers.deconvolution import Deconvolution as Deconvolution
from keras_textvae.layers.flow import AutoregressiveFlow as AutoregressiveFlow
from keras_textvae.layers.flow import PlanarFlow as PlanarFlow
from keras_textvae.layers.highway import Highway as Highway
from keras_textvae.layers.highway import highway_layers as highway_layers
from keras_textvae.layers.id_inputs import EmbeddedIds as EmbeddedIds
from keras_textvae.layers.id_inputs import OneHotIds as OneHotIds
from keras_textvae.layers.id_inputs import id_inputs as id_inputs
from keras_textvae.layers.initializers import Initializer as Initializer
from keras_textvae.layers.initializers import dense as dense
from keras_textvae.layers.initializers import own_initializer as own_initializer
from keras_textvae.layers.latent_input import LatentInput as LatentInput
from keras_textvae.layers.logits import DenseLogits as DenseLogits
from keras_textvae.layers.logits import TiedLogits as TiedLogits
from keras_textvae.layers.lstm import LSTM as LSTM
from keras_textvae.layers.lstm import time_first as time_first
from keras_textvae.layers.noise import standard_normal as standard_normal
from keras_textvae.layers.noise import uniform as uniform
from keras_textvae.layers.normalization import (
    batch_normalization as batch_normalization,
)
from keras_textvae.layers.normalization import normalization as normalization
from keras_textvae.layers.word_dropout import WordDropout as WordDropout
