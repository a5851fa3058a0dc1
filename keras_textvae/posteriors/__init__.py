"""Posterior families q(z|x) over the standard normal prior p(z) = N(0, I)."""

from keras_textvae.posteriors.batch_normalized_gaussian import (
    BatchNormalizedGaussian as BatchNormalizedGaussian,
)
from keras_textvae.posteriors.densities import MAX_LOG_VAR as MAX_LOG_VAR
from keras_textvae.posteriors.densities import (
    kl_to_standard_normal as kl_to_standard_normal,
)
from keras_textvae.posteriors.densities import log_prob as log_prob
from keras_textvae.posteriors.densities import log_ratio as log_ratio
from keras_textvae.posteriors.densities import sample as sample
from keras_textvae.posteriors.densities import total_kl as total_kl
from keras_textvae.posteriors.deterministic import Deterministic as Deterministic
from keras_textvae.posteriors.diagonal_gaussian import (
    DiagonalGaussian as DiagonalGaussian,
)
from keras_textvae.posteriors.flow import NormalizingFlow as NormalizingFlow
from keras_textvae.posteriors.multi_step import MultiStep as MultiStep
from keras_textvae.posteriors.posterior import Posterior as Posterior
