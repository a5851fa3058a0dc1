"""Decoders: ids [B, T], z [B, D] -> logits [B, T, V], and the same one step at a time.

B: batch size. T: time. V: vocabulary size. D: latent size.

`Decoder` says what each of them does.
"""

from keras_textvae.decoders.bag_of_words import BagOfWordsDecoder as BagOfWordsDecoder
from keras_textvae.decoders.bytenet import ByteNetDecoder as ByteNetDecoder
from keras_textvae.decoders.decoder import Decoder as Decoder
from keras_textvae.decoders.deconvolutional import (
    DeconvolutionalDecoder as DeconvolutionalDecoder,
)
from keras_textvae.decoders.hybrid import HybridDecoder as HybridDecoder
from keras_textvae.decoders.lstm import LSTMDecoder as LSTMDecoder
