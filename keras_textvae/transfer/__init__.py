"""Pretrained encoders under classifiers: from a text space to one that classifies.

    space = keras_textvae.open_space("runs/bag-of-words-tweets")
    labelled = transfer.classifier(space, ["joy", "sadness"])
    transfer.fit(labelled, texts, labels)
    labelled.classify(["what a day"]).label

docs/transfer.md is the guide.
"""

from keras_textvae.transfer.fitting import ENCODERS as ENCODERS
from keras_textvae.transfer.fitting import fit as fit
from keras_textvae.transfer.fitting import label_numbers as label_numbers
from keras_textvae.transfer.probe import Probe as Probe
from keras_textvae.transfer.probe import linear_probe as linear_probe
from keras_textvae.transfer.spaces import classifier as classifier
from keras_textvae.transfer.spaces import semi_supervised as semi_supervised
