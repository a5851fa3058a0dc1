"""The latent space in terms of texts: the object that is saved, loaded, exported."""

from keras_textvae.text_space import signatures as signatures
from keras_textvae.text_space.conversion import failed_check as failed_check
from keras_textvae.text_space.results import Classification as Classification
from keras_textvae.text_space.results import Encoding as Encoding
from keras_textvae.text_space.results import Score as Score
from keras_textvae.text_space.saved_model import Batching as Batching
from keras_textvae.text_space.saved_model import check_path as check_path
from keras_textvae.text_space.space import TextSpace as TextSpace
from keras_textvae.text_space.space import open_space as open_space
