"""Corpora, by name, by folder or as the user's files, and the lines in them."""

from keras_textvae.corpora.collecting import Collected as Collected
from keras_textvae.corpora.collecting import collect as collect
from keras_textvae.corpora.collecting import collect_texts as collect_texts
from keras_textvae.corpora.collecting import collected as collected
from keras_textvae.corpora.corpus import SPLITS as SPLITS
from keras_textvae.corpora.corpus import Corpus as Corpus
from keras_textvae.corpora.corpus import from_files as from_files
from keras_textvae.corpora.dealing import one_line as one_line
from keras_textvae.corpora.downloading import cache_folder as cache_folder
from keras_textvae.corpora.downloading import download as download
from keras_textvae.corpora.downloading import locked as locked
from keras_textvae.corpora.downloading import sha256 as sha256
from keras_textvae.corpora.loading import PTB_SHA256 as PTB_SHA256
from keras_textvae.corpora.loading import load as load
from keras_textvae.corpora.progress import Progress as Progress
from keras_textvae.corpora.reading import read_chunks as read_chunks
from keras_textvae.corpora.reading import read_corpus as read_corpus
from keras_textvae.corpora.reading import read_input as read_input
from keras_textvae.corpora.reading import read_lines as read_lines
from keras_textvae.corpora.reading import read_texts as read_texts
from keras_textvae.corpora.tables import format_of as format_of
from keras_textvae.corpora.tables import read_rows as read_rows
from keras_textvae.corpora.tables import row_place as row_place
