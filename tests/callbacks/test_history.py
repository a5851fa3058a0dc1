"""What is decided at the end of an epoch."""

import numpy as np
import pytest

from keras_textvae.callbacks import RunHistory, near_target_first
from tests.callbacks.trained import fake_model


class Epochs:
    """A `RunHistory` fed with the bounds or other figures of validations."""

    def __init__(self, **options):
        self.best = []
        self.history = RunHistory(
            lambda: self.best.append(len(self.history.rows)), **options
        )
        self.model = fake_model()
        self.history.set_model(self.model)

    def run(self, *bounds, kl_weight=1.0, objectives=None, kls=None):
        for index, bound in enumerate(bounds):
            logs = {"loss": 1.0, "val_loss": bound, "kl_weight": kl_weight}
            if kls:
                logs["kl"] = kls[index]
            if objectives:
                logs["val_objective"] = objectives[index]
            self.history.on_epoch_end(len(self.history.rows), logs)
        return self


def test_every_better_bound_is_the_best():
    assert Epochs().run(5.0, 4.0, 4.5, 3.0, 3.0).best == [1, 2, 4]


def test_training_stops_when_patience_is_used_up():
    epochs = Epochs(patience=2).run(5.0, 4.0, 4.5)
    assert not epochs.model.stop_training
    assert epochs.run(4.5).model.stop_training
    assert epochs.history.out_of_patience


def test_without_patience_training_never_stops():
    epochs = Epochs().run(*range(20))
    assert not epochs.model.stop_training
    assert not epochs.history.out_of_patience


def test_what_is_compared_is_the_objective_where_there_is_one():
    epochs = Epochs(patience=1)
    epochs.run(110.0, 130.0, 149.0, objectives=[101.0, 94.0, 95.0])
    assert epochs.best == [1, 2]
    assert epochs.model.stop_training


def test_the_row_of_an_epoch_says_its_learning_rate():
    rows = Epochs().run(1.0).history.rows
    assert rows[0]["learning_rate"] == pytest.approx(0.8)


def test_while_the_kl_weight_is_low_nothing_stops():
    epochs = Epochs(patience=1).run(1.0, 2.0, 3.0, kl_weight=0.5)
    assert not epochs.model.stop_training
    assert not epochs.history.out_of_patience
    assert epochs.best == [1]


def test_epochs_of_a_low_kl_weight_stop_counting_once_it_is_passed():
    epochs = Epochs(patience=2).run(1.0, kl_weight=0.1).run(9.0, 8.0, 8.5)
    assert epochs.best == [1, 2, 3]
    assert epochs.history.epochs_since_best == 1
    assert epochs.run(8.5).model.stop_training


def test_an_epoch_of_a_low_kl_weight_after_others_is_not_the_best():
    # As a cyclical schedule has it.
    epochs = Epochs(patience=1).run(9.0, 8.0).run(1.0, kl_weight=0.1)
    assert epochs.best == [1, 2]
    assert not epochs.model.stop_training
    assert epochs.run(8.5).model.stop_training


def near_8(**options):
    return Epochs(rank=near_target_first(8.0), **options)


def test_until_the_kl_is_near_its_target_the_nearest_epoch_is_the_best():
    epochs = near_8(patience=1)
    epochs.run(1.0, 2.0, 3.0, 4.0, kls=[20.0, 4.0, 3.0, 9.0], kl_weight=0.0)
    assert epochs.best == [1, 2, 4]
    assert not epochs.model.stop_training


def test_near_the_target_the_best_epoch_has_the_lowest_bound():
    kls = [20.0, 7.3, 8.0, 8.7, 9.0, 7.1, 8.1]
    epochs = near_8(patience=2).run(1.0, 9.0, 9.5, 8.0, 7.0, 6.0, 8.5, kls=kls)
    assert epochs.best == [1, 2, 4]
    assert epochs.history.epochs_since_best == 1
    assert not epochs.model.stop_training
    assert epochs.run(7.0, kls=[9.0]).history.epochs_since_best == 1
    assert epochs.run(8.5, kls=[8.0], kl_weight=0.1).model.stop_training


def test_a_kl_that_is_not_a_number_is_the_farthest_from_its_target():
    assert near_8().run(1.0, 2.0, 3.0, kls=[np.nan, 99.0, np.nan]).best == [1, 2]


def test_a_bound_that_is_not_a_number_is_never_the_best():
    epochs = Epochs(patience=3).run(3.0, np.nan, np.inf, 2.0, np.nan)
    assert epochs.best == [1, 4]
    assert epochs.history.epochs_since_best == 1


def test_a_history_without_validation_is_refused():
    epochs = Epochs()
    with pytest.raises(ValueError, match="validation_data"):
        epochs.history.on_epoch_end(0, {"loss": 1.0})
