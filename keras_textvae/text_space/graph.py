"""The operations behind a text space, as graph functions of tensors.

B: rows. D: latent size. L: ids of a generated text. S: steps of an interpolation.
"""

import tensorflow as tf

from keras_textvae import samplers
from keras_textvae.generation import generate
from keras_textvae.losses import sentence_nll
from keras_textvae.posteriors import sample
from keras_textvae.text_space.endpoints import Input, guarded
from keras_textvae.tokens import BOS, EOS, UNK

MAX_STEPS = 256

_TEXT = Input("text", tf.string, meaning="one text a row")
_SEED = Input("seed", tf.int64, meaning="one seed a row; the same seed, the same text")
_TEMPERATURE = Input(
    "temperature", tf.float32, (), 0.0, 100.0, 1.0, "0 decodes greedily"
)
_TOP_K = Input("top_k", tf.int32, (), 0, None, 0, "keep the k likeliest; 0 keeps all")
_TOP_P = Input("top_p", tf.float32, (), 0.0, 1.0, 1.0, "nucleus; 1 keeps all")
_START = Input("start", tf.string, meaning="first text of each path")
_END = Input("end", tf.string, meaning="last text of each path")
_STEPS = Input("steps", tf.int32, (), 2, MAX_STEPS, 8, "texts of a path, ends included")
_NOISE_SEED = Input(
    "seed", tf.int64, (), None, None, 0, "of the one draw of noise that all rows share"
)


class TextGraph:
    """Endpoints over a trained model and its tokenizer.

    Args:
        model: `TextVAE`, built.
        tokenizer: see `tokenizers`.
        length: int. L, the most ids of a text, `<eos>` included.
        crops: bool. Whether the model was trained on crops of running text: then texts
            have exactly L characters, without an end. A longer one is cut, a shorter
            one filled up with blanks.
    """

    def __init__(self, model, tokenizer, length, crops):
        self.model = model
        self.tokenizer = tokenizer
        self.length = length
        self.crops = crops
        self.latent_dim = model.posterior.latent_dim
        z = Input("z", tf.float32, (None, self.latent_dim), meaning="latent vectors")
        self.inputs = {
            "sample": [_SEED, _TEMPERATURE, _TOP_K, _TOP_P],
            "interpolate": [_START, _END, _STEPS],
            "reconstruct": [_TEXT],
            "encode": [_TEXT],
            "decode": [z],
            "score": [_TEXT, _NOISE_SEED],
        }
        # The first endpoint becomes the SavedModel's default signature.
        self.endpoints = {
            name: guarded(inputs, getattr(self, name))
            for name, inputs in self.inputs.items()
        }

    def sample(self, seed, temperature, top_k, top_p):
        """Draws z from the prior and decodes it."""
        z = _per_row(tf.random.stateless_normal, seed, 0, self.latent_dim)
        words = _per_row(tf.random.stateless_uniform, seed, 1, self.length)
        sampler = samplers.categorical(temperature, top_k, top_p)
        return {"text": self._text(z, sampler, 1.0 - words)}

    def interpolate(self, start, end, steps):
        """Decodes greedily along the line between the means of two posteriors."""
        first, last = self._mean(start), self._mean(end)  # [B, D]
        share = tf.linspace(0.0, 1.0, steps)[None, :, None]  # [1, S, 1]
        line = first[:, None] * (1.0 - share) + last[:, None] * share  # [B, S, D]
        texts = self._text(tf.reshape(line, [-1, self.latent_dim]))
        return {"text": tf.reshape(texts, [-1, steps])}

    def reconstruct(self, text):
        """Decodes greedily from the mean of the posterior."""
        return {"text": self._text(self._mean(text))}

    def encode(self, text):
        """Returns the posterior's `mean` and `log_var` [B, D], and its `kl` [B]."""
        posterior = self.model.posterior(self._features(self._ids(text)))
        return {name: posterior[name] for name in ("mean", "log_var", "kl")}

    def decode(self, z):
        """Decodes z greedily."""
        return {"text": self._text(z)}

    def score(self, text, seed):
        """Returns the bound on -log p(text) and its parts, nats per text, [B] each."""
        ids = self._ids(text)
        posterior = self.model.posterior(self._features(ids))
        noise = tf.random.stateless_normal([self.latent_dim], tf.stack([seed, 0]))
        z = sample(posterior["mean"], posterior["log_var"], noise)
        logits = self.model.decoder(ids[:, :-1], z)
        reconstruction = sentence_nll(ids[:, 1:], logits)
        kl = posterior["kl"]
        bound = reconstruction + kl
        return {"bound": bound, "reconstruction": reconstruction, "kl": kl}

    def _ids(self, text):  # [B] -> [B, T]
        if self.crops:
            return self._crop(text)
        ids = self.tokenizer.tokenize(text)
        message = f"a text has more than {self.length - 1} words or characters"
        fits = tf.reduce_all(ids.row_lengths() <= self.length + 1)
        with tf.control_dependencies([tf.debugging.Assert(fits, [message])]):
            return tf.identity(ids.to_tensor())

    def _crop(self, text):  # [B] -> [B, 1 + L]
        blank = self.tokenizer.split(tf.constant([" "])).flat_values[0]
        ids = self.tokenizer.split(text)
        crop = ids[:, : self.length].to_tensor(blank, shape=[None, self.length])
        return tf.pad(crop, [[0, 0], [1, 0]], constant_values=BOS)

    def _features(self, ids):
        return self.model.encoder(ids, training=False)

    def _mean(self, text):  # [B] -> [B, D]
        return self.model.posterior.parameters(self._features(self._ids(text)))[0]

    def _text(self, z, sampler=samplers.greedy, noise=None):  # [B, D] -> [B]
        forbidden = (UNK, EOS) if self.crops else (UNK,)
        ids = generate(self.model.decoder, z, self.length, sampler, noise, forbidden)
        return self.tokenizer.decode(ids)


def _per_row(draw, seeds, stream, size):  # [B] -> [B, size]
    """Draws each row from its own seed, so that rows never depend on each other."""
    pairs = tf.stack([seeds, tf.fill(tf.shape(seeds), tf.cast(stream, seeds.dtype))], 1)
    return tf.map_fn(
        lambda pair: draw([size], pair), pairs, fn_output_signature=tf.float32
    )
