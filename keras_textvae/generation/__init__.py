"""Generation: z -> ids, by drawing or choosing one id after the other, or by search."""

from keras_textvae.generation.beam_search import HIDDEN as HIDDEN
from keras_textvae.generation.beam_search import Beams as Beams
from keras_textvae.generation.beam_search import beam_search as beam_search
from keras_textvae.generation.decoding import generate as generate
