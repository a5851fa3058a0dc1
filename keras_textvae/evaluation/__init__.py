"""Evaluation: likelihoods, the latent space, and discriminators of sentences."""

from keras_textvae.evaluation.adversarial import CLASSIFIERS as CLASSIFIERS
from keras_textvae.evaluation.adversarial import AdversarialError as AdversarialError
from keras_textvae.evaluation.adversarial import adversarial_error as adversarial_error
from keras_textvae.evaluation.bits import BitsPerByte as BitsPerByte
from keras_textvae.evaluation.bits import bits_per_byte as bits_per_byte
from keras_textvae.evaluation.bound import Bound as Bound
from keras_textvae.evaluation.bound import evaluate_bound as evaluate_bound
from keras_textvae.evaluation.curves import draw_curves as draw_curves
from keras_textvae.evaluation.importance import (
    ImportanceWeightedBound as ImportanceWeightedBound,
)
from keras_textvae.evaluation.importance import (
    importance_weighted_nll as importance_weighted_nll,
)
from keras_textvae.evaluation.latent import ActiveUnits as ActiveUnits
from keras_textvae.evaluation.latent import active_units as active_units
from keras_textvae.evaluation.latent import kl_per_dimension as kl_per_dimension
from keras_textvae.evaluation.latent import mutual_information as mutual_information
from keras_textvae.evaluation.latent import posterior_samples as posterior_samples
from keras_textvae.evaluation.space_report import Report as Report
from keras_textvae.evaluation.space_report import report as report
from keras_textvae.evaluation.space_report.overlap import bleu as bleu
from keras_textvae.evaluation.space_report.text_figures import Reader as Reader
from keras_textvae.evaluation.space_report.trigrams import TrigramModel as TrigramModel
