"""A report on a latent space: figures, what is wrong, plots and examples."""

from keras_textvae.evaluation.space_report.figures import Finding as Finding
from keras_textvae.evaluation.space_report.reporting import report as report
from keras_textvae.evaluation.space_report.results import Report as Report
