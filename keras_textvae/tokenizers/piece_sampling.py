"""Segmentations that are drawn, not the best ones, by which training is regularised.

References: Kudo 2018, Subword Regularization; Provilkov et al. 2020, BPE-Dropout.

B: texts.
"""

from collections.abc import Sequence

import numpy as np

from keras_textvae.tokenizers.piece_learning import messages, package

# By SentencePiece's number of the algorithm: of unigram pieces the exponent of the
# probabilities, with which a segmentation is drawn from all there are; of BPE the share
# of merges that are left out.
_ALPHA = {1: 0.2, 2: 0.1}


class PieceSampler:
    """Draws segmentations by a SentencePiece model.

    Args:
        model: bytes of a unigram or BPE model.

    Raises:
        ValueError: for a model of another kind; or if the package `sentencepiece` is
            not installed.
    """

    def __init__(self, model: bytes):
        self._package = package()
        kind = messages().ModelProto.FromString(model).trainer_spec.model_type
        if kind not in _ALPHA:
            raise ValueError("Only unigram and BPE models draw segmentations.")
        self._alpha = _ALPHA[kind]
        self._processor = self._package.SentencePieceProcessor(model_proto=model)

    def draw(self, texts: Sequence[str], seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Draws a segmentation of each text.

        Args:
            texts: B of them, as the model is given them.
            seed: int below 2**32. The same one draws the same.

        Returns:
            The ids of all texts, int32, and how many each has, int64 [B].
        """
        self._package.set_random_generator_seed(seed)
        rows = self._processor.encode(
            list(texts),
            out_type=int,
            enable_sampling=True,
            alpha=self._alpha,
            nbest_size=-1,
            num_threads=1,  # or each would go on with what it finds
        )
        lengths = np.array([*map(len, rows)], "int64")
        ids = np.fromiter((i for row in rows for i in row), "int32", lengths.sum())
        return ids, lengths
