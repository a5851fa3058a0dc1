"""Callbacks: the KL's weight, and runs that survive being killed."""

from keras_textvae.callbacks.annealing import KLAnnealing as KLAnnealing
from keras_textvae.callbacks.checkpoint import TrainingCheckpoint as TrainingCheckpoint
from keras_textvae.callbacks.collapse import CollapseWarning as CollapseWarning
from keras_textvae.callbacks.history import Row as Row
from keras_textvae.callbacks.history import RunHistory as RunHistory
from keras_textvae.callbacks.history import annealed_first as annealed_first
from keras_textvae.callbacks.target_kl import TargetKL as TargetKL
from keras_textvae.callbacks.target_kl import near_target_first as near_target_first
