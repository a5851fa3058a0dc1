"""The models and the published configurations, by name."""

from keras_textvae.zoo.architectures import bag_of_words_vae as bag_of_words_vae
from keras_textvae.zoo.architectures import bytenet_vae as bytenet_vae
from keras_textvae.zoo.architectures import feedforward_vae as feedforward_vae
from keras_textvae.zoo.architectures import hybrid_vae as hybrid_vae
from keras_textvae.zoo.architectures import lstm_vae as lstm_vae
from keras_textvae.zoo.architectures import rnnlm as rnnlm
from keras_textvae.zoo.configuration import Preset as Preset
from keras_textvae.zoo.configuration import Schedule as Schedule
from keras_textvae.zoo.presets import PRESETS as PRESETS
from keras_textvae.zoo.presets import preset as preset
