"""The operations behind a text space, as graph functions of tensors.

B: rows. D: latent size. L: ids of a generated text. S: steps of an interpolation.
"""

import tensorflow as tf

from keras_textvae import samplers
from keras_textvae.generation import generate
from keras_textvae.imputation import impute
from keras_textvae.losses import sentence_nll
from keras_textvae.text_space import paths
from keras_textvae.text_space.endpoints import Input, guarded, require
from keras_textvae.tokens import BOS, EOS, PAD, UNK

MAX_STEPS = 256
# Of an imputation: beams, and steps; Bowman et al. 2016, section 5. As much work
# without z, in one search.
SEARCH, SEARCH_WITHOUT_Z = (5, 3), (15, 1)

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
_SPHERICAL = Input(
    "spherical", tf.bool, (), default=False, meaning="along an arc, not a line"
)
_WITH_HIDDEN = Input(
    "text", tf.string, meaning='one text a row, "_" for each hidden word or character'
)
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
        self.latent_dim = model.latent_dim
        z = Input("z", tf.float32, (None, self.latent_dim), meaning="latent vectors")
        self.inputs = {
            "sample": [_SEED, _TEMPERATURE, _TOP_K, _TOP_P],
            "impute": [_WITH_HIDDEN],
            "score": [_TEXT, _NOISE_SEED],
        }
        if self.latent_dim:
            self.inputs |= {
                "interpolate": [_START, _END, _STEPS, _SPHERICAL],
                "reconstruct": [_TEXT],
                "encode": [_TEXT],
                "decode": [z],
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

    def interpolate(self, start, end, steps, spherical):
        """Decodes greedily from one posterior's mode to another's.

        Along the line between them, or along the arc of the sphere.
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
        """Returns the posterior's mode, `mean` [B, D], its `kl` [B], and `log_var`.

        The last if it is a Gaussian; of other families the KL is an estimate.
        """
        posterior = self._infer(self._ids(text), tf.constant(0, tf.int64))
        names = ("mean", "log_var", "kl")
        return {name: posterior[name] for name in names if name in posterior}

    def decode(self, z):
        """Decodes z greedily."""
        return {"text": self._text(z)}

    def score(self, text, seed):
        """Returns the bound on -log p(text) and its parts, nats per text, [B] each."""
        ids = self._ids(text)
        posterior = self._infer(ids, seed)
        logits = self.model.decoder(ids[:, :-1], posterior["z"])
        reconstruction = sentence_nll(ids[:, 1:], logits)
        kl = posterior["kl"]
        bound = reconstruction + kl
        return {"bound": bound, "reconstruction": reconstruction, "kl": kl}

    def impute(self, text, width=None, steps=None):
        """Replaces each hidden word or character by the likeliest, see `imputation`."""
        ids, hidden = self._ids_hidden(text)
        known = ~hidden & (ids != PAD) & (ids != BOS) & (ids != EOS)
        checks = [
            require(_in_each_row(hidden), "a text has no hidden word (_)"),
            require(_in_each_row(known), "a text has hidden words only"),
        ]
        with tf.control_dependencies(checks):
            ids = tf.identity(ids)
        usual = SEARCH if self.latent_dim else SEARCH_WITHOUT_Z
        width, steps = width or usual[0], steps or usual[1]
        completed = impute(self.model, ids, hidden, width, steps).ids
        return {"text": self.tokenizer.decode(completed)}

    def _ids(self, text):  # [B] -> [B, T]
        if self.crops:
            return self._crop(self.tokenizer.split(text))
        return self._padded(self.tokenizer.tokenize(text))

    def _ids_hidden(self, text):  # [B] -> [B, T], [B, T]
        ids, hidden = self.tokenizer.tokenize_hidden(text)
        if not self.crops:
            return self._padded(ids), hidden.to_tensor()
        shown = hidden[:, 1:-1][:, : self.length]  # without <bos> and <eos>
        shown = shown.to_tensor(shape=[None, self.length])
        return self._crop(ids[:, 1:-1]), tf.pad(shown, [[0, 0], [1, 0]])

    def _padded(self, ids):  # [B, (T)] -> [B, T]
        message = f"a text has more than {self.length - 1} words or characters"
        fits = tf.reduce_all(ids.row_lengths() <= self.length + 1)
        with tf.control_dependencies([require(fits, message)]):
            return tf.identity(ids.to_tensor(PAD))

    def _crop(self, ids):  # [B, (N)] -> [B, 1 + L]
        blank = self.tokenizer.split(tf.constant([" "])).flat_values[0]
        crop = ids[:, : self.length].to_tensor(blank, shape=[None, self.length])
        return tf.pad(crop, [[0, 0], [1, 0]], constant_values=BOS)

    def _infer(self, ids, seed):
        noise = tf.random.stateless_normal([self.latent_dim], tf.stack([seed, 0]))
        shape = [tf.shape(ids)[0], self.latent_dim]
        return self.model.infer(ids, tf.broadcast_to(noise, shape))

    def _mode(self, text):  # [B] -> [B, D]
        return self.model.mode(self._ids(text))

    def _text(self, z, sampler=samplers.greedy, noise=None):  # [B, D] -> [B]
        forbidden = (UNK, EOS) if self.crops else (UNK,)
        ids = generate(self.model.decoder, z, self.length, sampler, noise, forbidden)
        return self.tokenizer.decode(ids)


def _in_each_row(flags):  # [B, T] -> []
    return tf.reduce_all(tf.reduce_any(flags, axis=1))


def _per_row(draw, seeds, stream, size):  # [B] -> [B, size]
    """Draws each row from its own seed, so that rows never depend on each other."""
    pairs = tf.stack([seeds, tf.fill(tf.shape(seeds), tf.cast(stream, seeds.dtype))], 1)
    return tf.map_fn(
        lambda pair: draw([size], pair), pairs, fn_output_signature=tf.float32
    )
