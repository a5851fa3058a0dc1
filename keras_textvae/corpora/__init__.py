"""Corpora, by name, by folder or as the user's files, and the lines in them."""

from keras_textvae.corpora.corpus import PTB_SHA256 as PTB_SHA256
from keras_textvae.corpora.corpus import SPLITS as SPLITS
from keras_textvae.corpora.corpus import Corpus as Corpus
from keras_textvae.corpora.corpus import from_files as from_files
from keras_textvae.corpora.corpus import load as load
from keras_textvae.corpora.downloading import cache_folder as cache_folder
from keras_textvae.corpora.downloading import download as download
from keras_textvae.corpora.downloading import locked as locked
from keras_textvae.corpora.reading import read_chunks as read_chunks
from keras_textvae.corpora.reading import read_corpus as read_corpus
from keras_textvae.corpora.reading import read_input as read_input
from keras_textvae.corpora.reading import read_lines as read_lines
