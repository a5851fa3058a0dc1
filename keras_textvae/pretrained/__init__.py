"""Trained text spaces by name or address, with a card; nothing in them is a program."""

from keras_textvae.pretrained.addresses import find as find
from keras_textvae.pretrained.catalogue import presets as presets
from keras_textvae.pretrained.folder import read as read
from keras_textvae.pretrained.folder import write as write
from keras_textvae.pretrained.preset import About as About
from keras_textvae.pretrained.preset import Preset as Preset
