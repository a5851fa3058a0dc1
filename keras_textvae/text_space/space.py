"""`TextSpace`: text in, text out.

B: texts. D: latent size. S: steps of an interpolation.
"""

import os
from collections.abc import Iterable

import numpy as np
import tensorflow as tf

from keras_textvae import pretrained, space_files
from keras_textvae.evaluation import posterior_samples
from keras_textvae.mixtures import GaussianMixture
from keras_textvae.models import (
    SentenceModel,
    check_features,
    computes_in_float32,
    copied,
    selected,
)
from keras_textvae.text_space import saved_model
from keras_textvae.text_space.conversion import (
    answered,
    as_rows,
    as_seeds,
    as_tensor,
    as_texts,
    in_one_line,
)
from keras_textvae.text_space.endpoints import guarded
from keras_textvae.text_space.graph import TextGraph
from keras_textvae.text_space.parts import check_parts
from keras_textvae.text_space.results import Classification, Encoding, Score
from keras_textvae.text_space.saved_model import Batching
from keras_textvae.text_space.signatures import Input, Signature
from keras_textvae.tokenizers import Codec

_TEXT = Input("text", tf.string)
_TEXTS = Signature("any number of texts", [_TEXT], [], max_rows=2**31 - 1)
FEATURE_ROWS = 256  # of texts that are encoded together


class TextSpace:
    """The latent space of a trained model, in terms of texts.

    The methods are the signatures of the exported SavedModel, and run the same graphs;
    they take any number of texts, as many requests as that needs one after another.
    A language model, which has no z, offers only `sample`, `impute` and `score`; a
    model whose decoder knows no order of words only `encode` and `score`; a
    `TextClassifier` only `classify` and `encode`.

    Args:
        model: `TextVAE` or another of `models`.
        codec: `tokenizers.Codec`; its vocabulary must be the model's.
        density: `mixtures.GaussianMixture`, fitted to the model's posteriors, see
            `with_density`; or None. A model that is trained further needs another.
        fitted: bool. Whether `sample` draws from it unless told otherwise.

    Raises:
        ValueError: if Keras's backend is not TensorFlow, codec and model disagree on
            the vocabulary, density and model on D, or the model's own length is
            shorter. The methods raise ValueError, with one line, for texts, seeds or
            vectors that they can't take.
    """

    def __init__(
        self,
        model: SentenceModel,
        codec: Codec,
        density: GaussianMixture | None = None,
        fitted: bool = False,
    ):
        check_parts(model, codec, density)
        self.model = model
        self.codec = codec
        self.density = density
        self.fitted = bool(density) and fitted
        self.graph = TextGraph(model, codec, density, self.fitted)
        self._ids = guarded(_TEXTS, codec.ids)
        self._read = tf.function(self._features, reduce_retracing=True, autograph=False)

    def sample(
        self,
        count: int = 1,
        seed: int = 0,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        fitted: bool | None = None,
    ) -> list[str]:
        """Draws texts from the prior, or from the space's density.

        Args:
            count: int. How many.
            seed: int. Text i is that of seed + i, whatever the count.
            temperature, top_k, top_p: see `samplers.categorical`.
            fitted: bool. Whether z comes from the density; None means the space's own
                `fitted`. The noise of a seed is the same.
        """
        options = [temperature, top_k, top_p]
        if self.density:
            options.append(self.fitted if fitted is None else fitted)
        elif fitted:
            raise ValueError("sample: there is no density yet, see `with_density`.")
        return as_texts(self._call("sample", as_seeds(seed, count), *options)["text"])

    def reconstruct(self, texts: Iterable[str]) -> list[str]:
        """Decodes each text from the mode of its posterior, greedily."""
        return as_texts(self._call("reconstruct", as_rows(texts))["text"])

    def interpolate(
        self, start: str, end: str, steps: int = 8, spherical: bool = False
    ) -> list[str]:
        """Decodes `steps` points between two texts' posterior modes, ends included.

        Bowman et al. 2016, section 6.3, a homotopy: along the line, or with `spherical`
        along an arc, see `paths`.
        """
        path = self._call("interpolate", [start], [end], steps, spherical)
        return as_texts(path["text"][0])

    def impute(
        self,
        texts: str | bytes | Iterable[str | bytes],
        width: int | None = None,
        steps: int | None = None,
        max_pieces: int | None = None,
    ) -> str | list[str]:
        """Replaces each hidden word, or character, "_" by the likeliest.

        All others stay as they are, even those outside the vocabulary.

        Args:
            texts: list of str, or one str.
            width, steps: int. See `imputation.impute`. None means 5 beams and 3 steps,
                or 15 beams and one step for a language model, as in the SavedModel.
            max_pieces: int. The most subwords of a word, each as much work. None is 4.

        Returns:
            list of str, or one str for one text.
        """
        if isinstance(texts, str | bytes):
            return self.impute([texts], width, steps, max_pieces)[0]
        if width is not None and width > self.codec.vocabulary_size:
            raise ValueError(
                f"impute: more beams than the vocabulary has ids. Received: {width} "
                f"beams, {self.codec.vocabulary_size} ids"
            )
        _, *options = self._signature("impute").inputs
        if max_pieces is not None and not options:
            raise ValueError("impute: `max_pieces` is for spaces of subwords.")
        pieces = [i.default if max_pieces is None else max_pieces for i in options]
        by = self.graph.imputer(width, steps)
        return as_texts(self._call("impute", as_rows(texts), *pieces, by=by)["text"])

    def encode(self, texts: Iterable[str]) -> Encoding:
        """Returns the posteriors of texts, and how many of their words are unknown."""
        return self._arrays(Encoding, "encode", as_rows(texts))

    def decode(self, z) -> list[str]:
        """Decodes latent vectors [B, D] greedily."""
        return as_texts(self._call("decode", z)["text"])

    def score(self, texts: Iterable[str], seed: int = 0) -> Score:
        """Bounds -log p(text), with one draw of noise that all texts share."""
        return self._arrays(Score, "score", as_rows(texts), seed)

    def classify(self, texts: Iterable[str]) -> Classification:
        """Returns the likeliest label of each text, and the probabilities of all.

        Needs a model with labels, see `transfer`.
        """
        outputs = self._call("classify", as_rows(texts))
        return Classification(as_texts(outputs["label"]), outputs["probabilities"])

    def ids(self, texts: Iterable[str]) -> np.ndarray:
        """Returns the ids of texts as the model is called on them, int32 [B, T]."""
        rows = as_rows(texts)
        return in_one_line("ids", lambda: self._ids(as_tensor(rows, _TEXT)).numpy())

    def features(self, texts: Iterable[str], kind: str = "both") -> np.ndarray:
        """Returns what a classifier's head reads of texts, float32 [B, F].

        Args:
            texts: list of str.
            kind: "encoder", "mean" or "both", see `models.TextClassifier`.
        """
        check_features(kind)
        if not self.model.latent_dim:
            raise ValueError("features: a language model has no encoder.")
        ids = self.ids(texts)
        starts = range(0, len(ids), FEATURE_ROWS)
        parts = [self._read(ids[s : s + FEATURE_ROWS], kind).numpy() for s in starts]
        return np.concatenate(parts)

    def _features(self, ids, kind):
        features = self.model.encoder(ids, training=False)
        return selected(kind, features, self.model.posterior)

    def with_density(
        self,
        texts: Iterable[str],
        components: int = 1,
        seed: int = 0,
        fitted: bool = False,
        noise: float = 1.0,
    ) -> "TextSpace":
        """Returns this space with a density fitted to one z of each text's posterior.

        Where posteriors do not fill the prior, texts drawn from it are more like the
        training texts (Ghosh et al. 2020, section 4). The model is shared.

        Args:
            texts: those that the model was trained on, or some thousands of them.
            components: int. Gaussians; more than one need scikit-learn.
            seed: int. Of the draws and of the fit.
            fitted: bool. See `TextSpace`.
            noise: float. What the posteriors' noise is multiplied by. Of a space that
                holds sentences, 0, a density of their means, draws more fluent texts;
                of a nearly empty one it draws nearly the same text each time.

        Raises:
            ValueError: for a model that decodes no z; as `GaussianMixture.fit`.
        """
        if "decode" not in self.graph.signatures:
            kind = type(self.model).__name__
            raise ValueError(f"with_density: this {kind} draws no texts from z.")
        z = posterior_samples(self.model, self.ids(texts), seed, noise)
        density = GaussianMixture.fit(z, components, seed)
        return TextSpace(self.model, self.codec, density, fitted)

    def save(self, folder: str | os.PathLike, bfloat16: bool = False):
        """Saves all that it consists of, see `space_files`; `load` reads it.

        Args:
            folder: created if it does not exist.
            bfloat16: bool. Whether weights are rounded to half of their bytes.
        """
        config, density = self.codec.get_config(), self.density
        space_files.save(folder, self.model, config, density, self.fitted, bfloat16)

    @classmethod
    def load(cls, folder: str | os.PathLike) -> "TextSpace":
        """Loads what `save` wrote.

        Raises:
            FileNotFoundError: if there is no text space in the folder.
            ValueError: if the folder's description is not one of ours.
        """
        codec = Codec.from_config(space_files.read_description(folder)["codec"])
        density, fitted = space_files.load_density(folder)
        return cls(space_files.load_model(folder), codec, density, fitted)

    @classmethod
    def from_preset(cls, name_or_address: str | os.PathLike) -> "TextSpace":
        """Loads a trained space by its name or address, downloaded at the first time.

        Nothing of it is run: it is checksums, JSON and numbers.

        Args:
            name_or_address: a name of `keras_textvae.presets()`, a folder, "https://..."
                or "hf://OWNER/NAME", see `pretrained.find`.

        Raises:
            FileNotFoundError, ConnectionError, ValueError, ImportError: as
                `pretrained.find`.
        """
        return cls.load(pretrained.find(name_or_address))

    def save_to_preset(
        self,
        folder: str | os.PathLike,
        about: pretrained.About | None = None,
        bfloat16: bool = True,
    ):
        """Saves the space as `from_preset` and the Hugging Face Hub take it.

        It computes in float32 there, however it was trained, so that it writes the same
        on every processor, as far as rounding goes.

        Args:
            folder: created if it does not exist; its name is the preset's.
            about: what its card says, see `pretrained.About`.
            bfloat16: bool. Whether weights are rounded to half of their bytes.
        """
        self.in_float32().save(folder, bfloat16)
        level = f"{self.codec.tokenizer.unit}s"
        parameters = self.model.count_params()
        about = about or pretrained.About()
        pretrained.write(folder, about, level, parameters, self.graph.signatures)

    def in_float32(self) -> "TextSpace":
        """Returns this space with a model that computes in float32.

        For a model trained in mixed precision that is a copy, which is faster on a
        processor without matrix products in half precision.
        """
        if computes_in_float32(self.model):
            return self
        model = copied(self.model, float32=True)
        return TextSpace(model, self.codec, self.density, self.fitted)

    def export(
        self,
        folder: str | os.PathLike,
        batching: Batching | None = None,
        bfloat16: bool = False,
    ):
        """Writes a SavedModel with the methods as signatures, text in and text out.

        The first of `sample`, `classify` and `encode` is also `serving_default`. The
        folder is written in place: for an atomic, versioned export see
        `export/export_saved_model.py`.

        Args:
            folder: its path, without `*`, `?`, a bracket or a backslash.
            batching: `Batching`, by which the graph decodes the rows of concurrent
                calls together; None decodes each call alone.
            bfloat16: bool. Whether the weights are kept in half the bytes, and made
                float32 at each call.

        Raises:
            ValueError: if TensorFlow would take the path for a pattern.
        """
        saved_model.write(self, folder, batching, bfloat16)

    def _call(self, name, *values, by=None):
        signature = self._signature(name)
        return answered(name, signature, by or self.graph.endpoints[name], values)

    def _signature(self, name):
        if name not in self.graph.signatures:
            kind, methods = type(self.model).__name__, ", ".join(self.graph.signatures)
            raise ValueError(f"{name}: this {kind} has no such method, only {methods}.")
        return self.graph.signatures[name]

    def _arrays(self, result, name, *values):
        return result(**self._call(name, *values))


def open_space(folder: str | os.PathLike) -> TextSpace:
    """Loads the best text space of a run folder, or a text space's own folder.

    Raises:
        FileNotFoundError: if there is none yet.
    """
    return TextSpace.load(space_files.folder_of(folder))
