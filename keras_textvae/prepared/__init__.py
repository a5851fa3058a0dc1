"""A corpus as ids in a folder: written once with TensorFlow, read without."""

from keras_textvae.corpora import Progress as Progress
from keras_textvae.corpora import sha256 as sha256
from keras_textvae.prepared.corpus import PreparedCorpus as PreparedCorpus
from keras_textvae.prepared.corpus import Split as Split
from keras_textvae.prepared.corpus import files_config as files_config
from keras_textvae.prepared.corpus import files_from_config as files_from_config
from keras_textvae.prepared.preparing import folder_of as folder_of
from keras_textvae.prepared.preparing import prepare as prepare
from keras_textvae.prepared.text import LEVELS as LEVELS
from keras_textvae.prepared.text import TOO_LONG as TOO_LONG
from keras_textvae.prepared.text import Text as Text
