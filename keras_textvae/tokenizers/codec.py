"""The codec: texts to what a model is called on, and ids back to texts.

B: batch size. T: time, with <bos>. (T) differs from row to row (`tf.RaggedTensor`).
"""

import tensorflow as tf

from keras_textvae.tokenizers.loading import from_config
from keras_textvae.tokenizers.tokenizer import Tokenizer
from keras_textvae.tokens import BOS, EOS, PAD, UNK, positions


class Codec:
    """A tokenizer, a length, and the form in which a model reads texts.

    It works in graph functions, eagerly and in a SavedModel alike. The forms:

    "sentence"  a text is `<bos> w ... w <eos>`, at most `length` words long;
    "crop"      a text is a piece of running text, `<bos> c ... c` with exactly `length`
                characters and no end: a longer one is cut, a shorter one filled up with
                blanks (Semeniuta et al. 2017, section 4.1).

    Args:
        tokenizer: see `tokenizers`.
        length: int. The most words, or other units of the tokenizer, of a text. Neither
            `<bos>` nor `<eos>` counts.
        form: "sentence" or "crop".

    Attributes:
        positions: int. The most ids that a model of such texts predicts.

    Raises:
        ValueError: for no length, another form, or crops by a tokenizer that does not
            know the newline, or reads from right to left.
    """

    def __init__(self, tokenizer: Tokenizer, length: int, form: str = "sentence"):
        self.positions = positions(length, form)
        if form == "crop":
            _check_running_text(tokenizer)
        self.tokenizer = tokenizer
        self.length = length
        self.form = form

    @property
    def vocabulary_size(self) -> int:
        """V, special ids included."""
        return self.tokenizer.vocabulary_size

    @property
    def unemitted(self) -> tuple[int, ...]:
        """The ids that generated text never has, beside `<pad>` and `<bos>`."""
        return (UNK,) if self.form == "sentence" else (UNK, EOS)

    def ids(self, texts):  # [B] -> int32 [B, T]
        """Returns what a model is called on.

        Raises:
            tf.errors.InvalidArgumentError: for a sentence that is too long.
        """
        if self.form == "crop":
            return self._crop(self.tokenizer.split(texts))
        return self._padded(self.tokenizer.tokenize(texts))

    def fits(self, texts):  # [B] -> bool [B]
        """Returns which texts `ids` takes; of a crop all, since a longer one is cut."""
        lengths = self.tokenizer.split(texts).row_lengths()
        return (lengths <= self.length) | (self.form == "crop")

    def hidden_ids(self, texts):  # [B] -> int32, bool and string [B, T]
        """Returns ids, which of them are hidden, and the words as they were written.

        A hidden word, or character, is written "_", and its id is `<unk>`.
        """
        ids, *others = self.tokenizer.tokenize_hidden(texts)
        if self.form == "sentence":
            return self._padded(ids), *(x.to_tensor() for x in others)
        shape = [None, 1 + self.length]  # without <eos>
        others = (x[:, :-1].to_tensor(shape=shape) for x in others)
        return self._crop(ids[:, 1:-1]), *others

    def running_ids(self, lines):  # [L] -> int32 [L, (T)]
        """Returns the ids of lines of a corpus, as they are kept and batched.

        Of sentences `<bos> w ... w <eos>`; of running text each line's characters and a
        newline, from which crops are taken anywhere. The length plays no part yet.
        """
        if self.form == "crop":
            return self.tokenizer.split(tf.strings.join([lines, "\n"]))
        return self.tokenizer.tokenize(lines)

    def decode(self, ids, unknown=None):  # int and string [B, T] -> [B]
        """Returns texts, see `Tokenizer.decode`."""
        return self.tokenizer.decode(ids, unknown)

    def _padded(self, ids):  # [B, (T)] -> [B, T]
        message = f"a text has more than {self.length} {self.tokenizer.unit}s"
        fits = ids.row_lengths() <= self.length + 2
        row = tf.where(~fits)[:1, 0]  # the first that is too long, from 0
        check = tf.debugging.Assert(tf.reduce_all(fits), [message, row])
        with tf.control_dependencies([check]):
            return tf.identity(ids.to_tensor(PAD))

    def _crop(self, ids):  # [B, (N)] -> [B, 1 + length]
        blank = self.tokenizer.split(tf.constant([" "])).flat_values[0]
        crop = ids[:, : self.length].to_tensor(blank, shape=[None, self.length])
        return tf.pad(crop, [[0, 0], [1, 0]], constant_values=BOS)

    def get_config(self) -> dict:
        """Returns what `from_config` restores this codec from; JSON can hold it."""
        return {
            "tokenizer": self.tokenizer.description(),
            "length": self.length,
            "form": self.form,
        }

    @classmethod
    def from_config(cls, config: dict) -> "Codec":
        """Returns the codec of a configuration.

        Raises:
            ValueError: if it describes no tokenizer of ours.
        """
        return cls(from_config(config["tokenizer"]), config["length"], config["form"])


def _check_running_text(tokenizer):
    newline = tokenizer.split(["\n"]).flat_values.numpy().tolist()
    if len(newline) != 1 or newline == [UNK]:
        raise ValueError("Crops need a character tokenizer that knows the newline.")
    if tokenizer.right_to_left:
        raise ValueError("Crops of running text are read from left to right only.")
