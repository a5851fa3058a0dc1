"""Callbacks: the KL's weight, and runs that survive being killed."""

from keras_textvae.callbacks.annealing import KLAnnealing as KLAnnealing
from keras_textvae.callbacks.checkpoint import TrainingCheckpoint as TrainingCheckpoint
from keras_textvae.callbacks.history import RunHistory as RunHistory
