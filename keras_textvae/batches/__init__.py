"""Batches for `fit`, `evaluate` and loops, from ids in memory or on disk.

Without TensorFlow. Any batch of a run is a function of its number alone.
"""

from keras_textvae.batches.arrays import ArrayBatches as ArrayBatches
from keras_textvae.batches.batches import Batches as Batches
from keras_textvae.batches.batches import require_positive as require_positive
from keras_textvae.batches.crops import CropBatches as CropBatches
from keras_textvae.batches.even import EvenBatches as EvenBatches
from keras_textvae.batches.sentences import SentenceBatches as SentenceBatches
