"""keras_textvae: variational autoencoders for text in Keras 3.

Everything that computes runs on Keras's TensorFlow and JAX backends. What handles text
needs TensorFlow, and is imported when it is first used: `import keras_textvae` works
without it.

Loading is quiet: `command_line` drops TensorFlow's greetings, and sets, where they are
not set yet, the two variables that TensorFlow reads when it is loaded.
"""

import importlib.util as _util
import typing as _typing
from importlib import import_module as _import_module

from keras_textvae.command_line import load_keras as _load_keras
from keras_textvae.command_line import quiet_imports as _quiet_imports

with _quiet_imports():
    _load_keras()
    from keras_textvae import atomic_files as atomic_files
    from keras_textvae import batches as batches
    from keras_textvae import callbacks as callbacks
    from keras_textvae import command_line as command_line
    from keras_textvae import corpora as corpora
    from keras_textvae import decoders as decoders
    from keras_textvae import encoders as encoders
    from keras_textvae import evaluation as evaluation
    from keras_textvae import generation as generation
    from keras_textvae import grammar as grammar
    from keras_textvae import imputation as imputation
    from keras_textvae import layers as layers
    from keras_textvae import losses as losses
    from keras_textvae import mixtures as mixtures
    from keras_textvae import models as models
    from keras_textvae import objectives as objectives
    from keras_textvae import paths as paths
    from keras_textvae import posteriors as posteriors
    from keras_textvae import prepared as prepared
    from keras_textvae import pretrained as pretrained
    from keras_textvae import replicas as replicas
    from keras_textvae import safetensors as safetensors
    from keras_textvae import samplers as samplers
    from keras_textvae import schedules as schedules
    from keras_textvae import space_files as space_files
    from keras_textvae import tokens as tokens
    from keras_textvae import training as training
    from keras_textvae import zoo as zoo
    from keras_textvae.callbacks import KLAnnealing as KLAnnealing
    from keras_textvae.callbacks import TargetKL as TargetKL
    from keras_textvae.corpora import Corpus as Corpus
    from keras_textvae.decoders import ByteNetDecoder as ByteNetDecoder
    from keras_textvae.decoders import DeconvolutionalDecoder as DeconvolutionalDecoder
    from keras_textvae.decoders import HybridDecoder as HybridDecoder
    from keras_textvae.decoders import LSTMDecoder as LSTMDecoder
    from keras_textvae.encoders import ConvolutionalEncoder as ConvolutionalEncoder
    from keras_textvae.encoders import LSTMEncoder as LSTMEncoder
    from keras_textvae.mixtures import GaussianMixture as GaussianMixture
    from keras_textvae.models import LanguageModel as LanguageModel
    from keras_textvae.models import SemiSupervisedTextVAE as SemiSupervisedTextVAE
    from keras_textvae.models import TextClassifier as TextClassifier
    from keras_textvae.models import TextVAE as TextVAE
    from keras_textvae.objectives import Objective as Objective
    from keras_textvae.posteriors import DiagonalGaussian as DiagonalGaussian
    from keras_textvae.prepared import PreparedCorpus as PreparedCorpus
    from keras_textvae.prepared import Text as Text
    from keras_textvae.prepared import prepare as prepare
    from keras_textvae.pretrained import presets as presets
    from keras_textvae.training import Run as Run
    from keras_textvae.training import train as train
    from keras_textvae.zoo import bag_of_words_vae as bag_of_words_vae
    from keras_textvae.zoo import bytenet_vae as bytenet_vae
    from keras_textvae.zoo import feedforward_vae as feedforward_vae
    from keras_textvae.zoo import hybrid_vae as hybrid_vae
    from keras_textvae.zoo import lstm_vae as lstm_vae
    from keras_textvae.zoo import recipe as recipe
    from keras_textvae.zoo import rnnlm as rnnlm

__version__ = "0.1.0"

# Public name -> the module, on TensorFlow, that it comes from.
_TEXT = {
    "text_space": "text_space",
    "tokenizers": "tokenizers",
    "transfer": "transfer",
    "CharacterTokenizer": "tokenizers",
    "Codec": "tokenizers",
    "Batching": "text_space",
    "SubwordTokenizer": "tokenizers",
    "TextSpace": "text_space",
    "WordTokenizer": "tokenizers",
    "open_space": "text_space",
}

if _typing.TYPE_CHECKING:  # a checker reads these, not `_TEXT` and `__all__`
    from keras_textvae import text_space as text_space
    from keras_textvae import tokenizers as tokenizers
    from keras_textvae import transfer as transfer
    from keras_textvae.text_space import Batching as Batching
    from keras_textvae.text_space import TextSpace as TextSpace
    from keras_textvae.text_space import open_space as open_space
    from keras_textvae.tokenizers import CharacterTokenizer as CharacterTokenizer
    from keras_textvae.tokenizers import Codec as Codec
    from keras_textvae.tokenizers import SubwordTokenizer as SubwordTokenizer
    from keras_textvae.tokenizers import WordTokenizer as WordTokenizer
else:
    __all__ = [name for name in globals() if not name.startswith("_")]
    if _util.find_spec("tensorflow") and _util.find_spec("tensorflow_text"):
        __all__ += _TEXT


def __getattr__(name):
    if name not in _TEXT:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = _import_module(f"{__name__}.{_TEXT[name]}")
    except ModuleNotFoundError as error:
        raise ImportError(
            f"{__name__}.{name} handles text, and needs TensorFlow: {error}"
        ) from error
    return module if name == _TEXT[name] else getattr(module, name)


def __dir__():
    return sorted({*globals(), *_TEXT})
