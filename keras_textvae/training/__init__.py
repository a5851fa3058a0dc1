"""Training: a recipe, a prepared corpus and a folder; on TensorFlow and JAX alike."""

from keras_textvae.training import console as console
from keras_textvae.training import hosts as hosts
from keras_textvae.training.devices import Devices as Devices
from keras_textvae.training.folder import config_of as config_of
from keras_textvae.training.folder import recipe_of as recipe_of
from keras_textvae.training.one_call import train as train
from keras_textvae.training.run import Run as Run
