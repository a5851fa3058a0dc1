"""The models and the published configurations, by name."""

from keras_textvae.zoo.architectures import bag_of_words_vae as bag_of_words_vae
from keras_textvae.zoo.architectures import bytenet_vae as bytenet_vae
from keras_textvae.zoo.architectures import feedforward_vae as feedforward_vae
from keras_textvae.zoo.architectures import hybrid_vae as hybrid_vae
from keras_textvae.zoo.architectures import lstm_vae as lstm_vae
from keras_textvae.zoo.architectures import rnnlm as rnnlm
from keras_textvae.zoo.parts import CONSTANT as CONSTANT
from keras_textvae.zoo.parts import PARTS as PARTS
from keras_textvae.zoo.parts import Data as Data
from keras_textvae.zoo.parts import Density as Density
from keras_textvae.zoo.parts import Model as Model
from keras_textvae.zoo.parts import Schedule as Schedule
from keras_textvae.zoo.parts import Stage as Stage
from keras_textvae.zoo.parts import Terms as Terms
from keras_textvae.zoo.parts import Training as Training
from keras_textvae.zoo.parts import check_keep as check_keep
from keras_textvae.zoo.recipe import Recipe as Recipe
from keras_textvae.zoo.recipes import RECIPES as RECIPES
from keras_textvae.zoo.recipes import recipe as recipe
