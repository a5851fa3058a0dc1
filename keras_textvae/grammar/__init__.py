"""A built-in corpus of English-like sentences with exactly known entropy and labels."""

from keras_textvae.grammar.english import SPLITS as SPLITS
from keras_textvae.grammar.english import Example as Example
from keras_textvae.grammar.english import Labels as Labels
from keras_textvae.grammar.english import english as english
from keras_textvae.grammar.english import generate as generate
from keras_textvae.grammar.english import labels_of as labels_of
from keras_textvae.grammar.pcfg import ProbabilisticGrammar as ProbabilisticGrammar
from keras_textvae.grammar.pcfg import Sample as Sample
from keras_textvae.grammar.rules import Rule as Rule
