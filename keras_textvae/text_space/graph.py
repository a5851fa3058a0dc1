"""The operations behind a text space, as graph functions of tensors.

B: rows. D: latent size. L: the codec's length. S: steps of an interpolation.
"""

import contextlib
import functools
from collections.abc import Callable

import keras
import tensorflow as tf

from keras_textvae import paths, samplers
from keras_textvae.generation import generate
from keras_textvae.imputation import impute, impute_in_pieces
from keras_textvae.losses import sentence_nll
from keras_textvae.mixtures import GaussianMixture
from keras_textvae.models import SentenceModel
from keras_textvae.objectives import bound
from keras_textvae.posteriors import DiagonalGaussian, total_kl
from keras_textvae.text_space.endpoints import guarded, require_rows
from keras_textvae.text_space.signatures import declare
from keras_textvae.tokenizers import Codec, SubwordTokenizer, without_mark
from keras_textvae.tokens import BOS, EOS, PAD, UNK

# Of an imputation: beams, and steps; Bowman et al. 2016, section 5. As much work
# without z, in one search.
SEARCH, SEARCH_WITHOUT_Z = (5, 3), (15, 1)


class TextGraph:
    """Endpoints over a trained model and its codec.

    Args:
        model: `TextVAE`, built.
        codec: see `tokenizers.Codec`.
        density, fitted: see `TextSpace`.
        together: makes of a function, tensors [B, ...] -> tensor [B, ...], one that
            joins concurrent calls; or None. z is decoded through it.
        scope: context manager without arguments, around everything.

    Raises:
        ValueError: if Keras's backend is not TensorFlow.
    """

    def __init__(
        self,
        model: SentenceModel,
        codec: Codec,
        density: GaussianMixture | None = None,
        fitted: bool = False,
        together: Callable | None = None,
        scope: Callable = contextlib.nullcontext,
    ):
        if keras.backend.backend() != "tensorflow":
            raise ValueError(
                "A text space computes on Keras's TensorFlow backend. Received: "
                f"KERAS_BACKEND={keras.backend.backend()}"
            )
        self.model = model
        self.codec = codec
        self.latent_dim = model.latent_dim
        decoder = getattr(model, "decoder", None)
        scores, writes = decoder is not None, getattr(decoder, "ordered", False)
        self.signatures = declare(
            self.latent_dim,
            _is_gaussian(model),
            len(getattr(model, "labels", ())),
            writes,
            scores,
            fitted if density else None,
            isinstance(codec.tokenizer, SubwordTokenizer),
        )
        # Variables, so that an export has them once, and not in its graph.
        arrays = vars(density) if density else {}
        self.density_weights = {x: tf.Variable(arrays[x], False) for x in arrays}
        self.together = together
        self.endpoints = {
            name: guarded(signature, _within(scope, getattr(self, name)))
            for name, signature in self.signatures.items()
        }
        self._imputers = {(None, None): self.endpoints.get("impute")}

    def sample(self, seed, temperature, top_k, top_p, fitted=None):
        """Draws z from the prior, or the fitted density, and decodes it."""
        z = _per_row(tf.random.stateless_normal, seed, 0, self.latent_dim)
        if fitted is not None:
            z = tf.cond(fitted, lambda: self._from_density(z, seed), lambda: z)
        words = _per_row(tf.random.stateless_uniform, seed, 1, self.codec.length)
        options = temperature, top_k, top_p
        if self.together:  # the rows of other calls have options of their own
            options = [tf.fill(tf.shape(seed), option) for option in options]
        return {"text": self._text(z, 1.0 - words, *options)}

    def interpolate(self, start, end, steps, spherical):
        """Decodes greedily from one posterior's mode to another's.

        The path is the line between them, or an arc, see `paths`.
        """
        first, last = self._mode(start)[:, None], self._mode(end)[:, None]  # [B, 1, D]
        share = tf.linspace(0.0, 1.0, steps)[None, :, None]  # [1, S, 1]
        path = tf.cond(
            spherical,
            lambda: paths.arc(first, last, share),
            lambda: paths.line(first, last, share),
        )  # [B, S, D]
        texts = self._text(tf.reshape(path, [-1, self.latent_dim]))
        return {"text": tf.reshape(texts, [-1, steps])}

    def reconstruct(self, text):
        """Decodes greedily from the mode of the posterior."""
        return {"text": self._text(self._mode(text))}

    def encode(self, text):
        """Returns the posterior's mode, `mean` [B, D], its `kl` [B], and `unknown` [B].

        A Gaussian posterior also has `log_var` [B, D]; for other families the KL is an
        estimate. `unknown` says how many words of each text are <unk>.
        """
        ids = self.codec.ids(text)
        features = self.model.encoder(ids, training=False)
        noise = self._noise(tf.constant(0, tf.int64), tf.shape(ids)[0])
        posterior = self.model.posterior.draw(features, noise)
        names = ("mean", "log_var")
        parameters = {name: posterior[name] for name in names if name in posterior}
        kl = total_kl(posterior["kl"])
        return parameters | {"kl": kl, "unknown": _unknown(ids)}

    def classify(self, text):
        """Returns the likeliest `label` [B], all `labels` and `probabilities` [B, C].

        The labels are the same in every row, so that an answer can be read by itself.
        """
        has_text = tf.strings.strip(without_mark(text)) != ""
        with tf.control_dependencies([require_rows(has_text, "a text is empty")]):
            probabilities = self.model.classify(self.codec.ids(text))
        names = tf.constant(self.model.labels)
        return {
            "label": tf.gather(names, tf.argmax(probabilities, axis=-1)),
            "labels": tf.broadcast_to(names, tf.shape(probabilities)),
            "probabilities": probabilities,
        }

    def decode(self, z):
        """Decodes z greedily."""
        return {"text": self._text(z)}

    def score(self, text, seed):
        """Returns the bound on -log p(text) and its parts, nats per text, [B] each.

        `unknown` [B] says how many words of each text are <unk>.
        """
        ids = self.codec.ids(text)
        posterior = self.model.infer(ids, self._noise(seed, tf.shape(ids)[0]))
        logits = self.model.decoder(ids[:, :-1], posterior["z"])
        reconstruction = sentence_nll(ids[:, 1:], logits)
        kl = total_kl(posterior["kl"])
        return {
            "bound": bound(reconstruction, kl),
            "reconstruction": reconstruction,
            "kl": kl,
            "unknown": _unknown(ids),
        }

    def impute(
        self, text, max_pieces=None, width: int | None = None, steps: int | None = None
    ):
        """Replaces each hidden word or character by the likeliest, see `imputation`.

        All others stay as they are, even those outside the vocabulary. In a space of
        subwords a word has up to `max_pieces`.
        """
        ids, hidden, written = self.codec.hidden_ids(text)
        visible = ~hidden & (ids != PAD) & (ids != BOS) & (ids != EOS)
        checks = [
            require_rows(_in_row(hidden), "a text has no hidden word (_)"),
            require_rows(_in_row(visible), "a text has hidden words only"),
        ]
        with tf.control_dependencies(checks):
            ids = tf.identity(ids)
        usual = SEARCH if self.latent_dim else SEARCH_WITHOUT_Z
        width = usual[0] if width is None else width
        steps = usual[1] if steps is None else steps
        tokenizer = self.codec.tokenizer
        if not isinstance(tokenizer, SubwordTokenizer):
            completed = impute(self.model, ids, hidden, width, steps).ids
            return {"text": self.codec.decode(completed, written)}
        completed = impute_in_pieces(
            self.model,
            ids,
            hidden,
            tokenizer.begins(written),
            max_pieces,
            tokenizer.fillings,
            1 + self.codec.positions,
            width,
            steps,
            tokenizer.right_to_left,
        )
        return {"text": self.codec.decode(completed.ids)}

    def imputer(self, width: int | None, steps: int | None) -> tf.function:
        """Returns the endpoint `impute` with a search of one's own, made once."""
        if (width, steps) not in self._imputers:
            compute = functools.partial(self.impute, width=width, steps=steps)
            self._imputers[width, steps] = guarded(self.signatures["impute"], compute)
        return self._imputers[width, steps]

    def _from_density(self, noise, seed):  # [B, D], [B] -> [B, D]
        uniform = _per_row(tf.random.stateless_uniform, seed, 2, 1)[:, 0]
        parts = {name: x.read_value() for name, x in self.density_weights.items()}
        return GaussianMixture(**parts).sample(noise, uniform)

    def _noise(self, seed, rows):  # -> [B, D], the same in each row
        noise = tf.random.stateless_normal([self.latent_dim], tf.stack([seed, 0]))
        return tf.broadcast_to(noise, [rows, self.latent_dim])

    def _mode(self, text):  # [B] -> [B, D]
        return self.model.mode(self.codec.ids(text))

    def _text(self, z, *sampling):  # [B, D] -> [B]
        generated = self._generated
        if self.together:
            generated = self.together(generated)
        return self.codec.decode(generated(z, *sampling))

    def _generated(self, z, noise=None, *options):  # [B, D] -> [B, L]
        sampler = samplers.categorical(*options) if options else samplers.greedy
        codec = self.codec
        return generate(
            self.model.decoder, z, codec.length, sampler, noise, codec.unemitted
        )


def _within(scope, compute):
    @functools.wraps(compute)
    def computed(*values):
        with scope():
            return compute(*values)

    return computed


def _is_gaussian(model):
    return isinstance(getattr(model, "posterior", None), DiagonalGaussian)


def _unknown(ids):  # [B, T] -> int32 [B]
    return tf.math.count_nonzero(ids == UNK, axis=1, dtype=tf.int32)


def _in_row(flags):  # [B, T] -> [B]
    return tf.reduce_any(flags, axis=1)


def _per_row(draw, seeds, stream, size):  # [B] -> [B, size]
    """Draws each row from its own seed, so that rows never depend on each other."""
    pairs = tf.stack([seeds, tf.fill(tf.shape(seeds), tf.cast(stream, seeds.dtype))], 1)
    return tf.map_fn(
        lambda pair: draw([size], pair), pairs, fn_output_signature=tf.float32
    )
