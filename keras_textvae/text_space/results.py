"""What the methods of a text space return, where that is more than texts.

B: texts. C: labels. D: latent size.
"""

from typing import NamedTuple

import numpy as np


class Encoding(NamedTuple):
    """The posteriors of some texts.

    Attributes:
        mean: float32 [B, D], the mode.
        kl: float32 [B], in nats; a one-sample estimate for families without a closed
            form.
        unknown: int32 [B], how many words, or characters, are `<unk>` to the model.
        log_var: float32 [B, D], or None for a posterior that is not Gaussian.
    """

    mean: np.ndarray
    kl: np.ndarray
    unknown: np.ndarray
    log_var: np.ndarray | None = None


class Score(NamedTuple):
    """Bounds on the likelihood of some texts, as the model reads them.

    Attributes:
        bound: float32 [B], nats per text: `reconstruction` + `kl` >= -log p(text).
        reconstruction: float32 [B], nats per text.
        kl: float32 [B], nats per text.
        unknown: int32 [B], how many words, or characters, are `<unk>` to the model. The
            bound is that of the text with `<unk>` in their places.
    """

    bound: np.ndarray
    reconstruction: np.ndarray
    kl: np.ndarray
    unknown: np.ndarray


class Classification(NamedTuple):
    """What a classifier makes of some texts.

    Attributes:
        label: list of B names, the likeliest of each text.
        probabilities: float32 [B, C], in the order of the model's `labels`.
    """

    label: list[str]
    probabilities: np.ndarray
