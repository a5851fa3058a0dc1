"""Files of text to batches of ids, streamed; only the vocabulary stays in memory."""

from keras_textvae.pipeline.crops import CropBatches as CropBatches
from keras_textvae.pipeline.sentences import SentenceBatches as SentenceBatches
from keras_textvae.pipeline.stream import Count as Count
