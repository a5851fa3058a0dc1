"""Decoders: ids [B, T], z [B, D] -> logits [B, T, V], and the same one step at a time.

B: batch size. T: time. V: vocabulary size. D: latent size.

Each decoder has
- `call(ids, z)`: teacher forcing; position t sees ids up to t and predicts id t + 1;
- `initial_state(z) -> features, state`: all that does not depend on history, done once;
- `step(ids [B], features, state) -> logits [B, V], state`.
`call` equals repeated `step`. Logits that are the same at every step are [B, 1, V].
"""

from keras_textvae.decoders.bag_of_words import BagOfWordsDecoder as BagOfWordsDecoder
from keras_textvae.decoders.bytenet import ByteNetDecoder as ByteNetDecoder
from keras_textvae.decoders.deconvolutional import (
    DeconvolutionalDecoder as DeconvolutionalDecoder,
)
from keras_textvae.decoders.hybrid import HybridDecoder as HybridDecoder
from keras_textvae.decoders.lstm import LSTMDecoder as LSTMDecoder
