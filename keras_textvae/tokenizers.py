"""Text to ids and ids to text, as TensorFlow graph operations.

Every method works eagerly, in `tf.function`, in `tf.data` and in a SavedModel; there,
track each of `resources`: `archive.track(resource)`.

B: batch size. T: time, with <bos> and <eos>. N: time without them. V: vocabulary size.
(T) and (N) in round brackets differ from row to row (`tf.RaggedTensor`).
"""

import collections
import json
import os

import keras
import tensorflow as tf
import tensorflow_text as tf_text

from keras_textvae.atomic_files import write_json
from keras_textvae.tokens import BOS, EOS, FIRST_WORD, PAD, SPECIAL_TOKENS, UNK

_LINES_AT_ONCE = 1024

# What ICU calls white space beyond ASCII. `WhitespaceTokenizer` splits there too, but
# leaves a part of the character at the end of the word. NUL is added because
# `tf.strings.lower` ends the text at the first one.
_RARE_BLANKS = (
    r"[\x{0}\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}"
    r"\x{3000}]+"
)


# Parts of a tweet between spaces: user names and links (Semeniuta et al. 2017, the
# authors' code).
_USER_NAME = r"(^| )@[^ ]*"
_LINK = r"(^| )https?://[^ ]*"


class Tokenizer:
    """What the tokenizers share; a subclass adds `split` and `get_config`.

    Args:
        tokens: V strings for people to read; the index is the id.
        texts: V strings, what `decode` writes for each id.
        separator: what `decode` writes between two of them.
    """

    def __init__(self, tokens, texts, separator: str):
        self.tokens = list(tokens)
        repeated = [t for t, n in collections.Counter(tokens).items() if n > 1]
        if repeated or len(tokens) == FIRST_WORD:
            raise ValueError(
                "A vocabulary has something beside the special tokens, each once. "
                f"Received: {len(tokens)} tokens, repeated: {repeated[:5]}"
            )
        self._separator = separator
        self._texts = _table(tf.range(len(texts)), texts, default=SPECIAL_TOKENS[UNK])

    @property
    def vocabulary_size(self) -> int:
        """V, special tokens included."""
        return len(self.tokens)

    @property
    def resources(self) -> list:
        """The lookup tables that an `ExportArchive` must track."""
        return [self._texts]

    def split(self, text):  # [B] -> int32 [B, (N)]
        """Ids of the words or characters alone, without <bos> and <eos>."""
        raise NotImplementedError

    def tokenize(self, text):  # [B] -> int32 [B, (T)]
        """Ids of `<bos> w ... w <eos>`."""
        ids = self.split(text)
        column = [ids.nrows(), 1]
        return tf.concat([tf.fill(column, BOS), ids, tf.fill(column, EOS)], axis=1)

    def encode(self, text, length: int | None = None):  # [B] -> int32 [B, T]
        """Ids padded with <pad> to the longest sentence, or to exactly `length`.

        A sentence longer than `length` is cut and then has no <eos>: callers that may
        not lose words look at `tokenize(text).row_lengths()` first.
        """
        return self.tokenize(text).to_tensor(PAD, shape=[None, length])

    def decode(self, ids):  # int [B, T] -> [B]
        """Text up to the first <eos>, without <pad> and <bos>; always valid UTF-8.

        <unk>, and any id outside the vocabulary, is written as `<unk>`.
        """
        ids = tf.ensure_shape(tf.cast(ids, tf.int32), [None, None])
        ended = tf.cumsum(tf.cast(tf.equal(ids, EOS), tf.int32), axis=1) > 0
        blank = tf.equal(ids, PAD) | tf.equal(ids, BOS)
        texts = tf.ragged.boolean_mask(self._texts.lookup(ids), ~(ended | blank))
        joined = tf.strings.reduce_join(texts, axis=1, separator=self._separator)
        return tf.strings.unicode_transcode(joined, "UTF-8", "UTF-8", errors="replace")

    def get_config(self) -> dict:
        raise NotImplementedError

    @classmethod
    def from_config(cls, config: dict):
        return cls(**config)

    def save(self, path: str):
        """Writes the tokenizer as JSON; `load` reads it. Never leaves half a file."""
        content = {"class_name": type(self).__name__, "config": self.get_config()}
        write_json(path, content)


@keras.saving.register_keras_serializable(package="keras_textvae")
class WordTokenizer(Tokenizer):
    """Words between blanks; a word outside the vocabulary is <unk>.

    Blanks are Unicode white space and NUL. `<pad>`, `<bos>`, `<eos>` and `<unk>` in a
    text are <unk>: a text cannot end its own sentence. Decoded words are joined by one
    space.

    Args:
        words: list of str, most frequent first, without the special tokens. The first
            has the id `FIRST_WORD`.
        lower: bool. Whether text is lower-cased before the words are looked up.

    Raises:
        ValueError: if `words` is empty, or has one twice, special or with a blank.
    """

    def __init__(self, words, lower: bool = False):
        words = list(words)
        tokens = [*SPECIAL_TOKENS, *words]
        super().__init__(tokens, tokens, separator=" ")
        found = zip(words, _words(words, lower=False).to_list(), strict=True)
        if wrong := [word for word, split in found if split != [word.encode()]]:
            raise ValueError(f"A word has no blank in it. Received: {wrong[:5]}")
        self.lower = lower
        self._ids = _id_table(words)

    @classmethod
    def learn(cls, files, size=None, min_count: int = 1, lower: bool = False):
        """Learns the vocabulary from plain or .gz files, streaming.

        Args:
            files: paths of UTF-8 text, one sentence a line.
            size: int or None. The largest vocabulary, special tokens included.
            min_count: int. How often a word must occur.
            lower: as in the constructor.

        Returns:
            A tokenizer whose most frequent word comes first; equally frequent words
            are in the order of their characters.
        """
        _check_size(size)
        counts = _count(files, lambda text: _words(text, lower).flat_values)
        for token in SPECIAL_TOKENS:
            counts.pop(token.encode(), None)
        words = _most_frequent(counts, size, min_count)
        return cls([word.decode() for word in words], lower)

    @property
    def resources(self) -> list:
        return [*super().resources, self._ids]

    def split(self, text):  # [B] -> int32 [B, (N)]
        words = _words(text, self.lower)
        return words.with_flat_values(self._ids.lookup(words.flat_values))

    def get_config(self) -> dict:
        return {"words": self.tokens[FIRST_WORD:], "lower": self.lower}


@keras.saving.register_keras_serializable(package="keras_textvae")
class CharacterTokenizer(Tokenizer):
    """UTF-8 bytes, which know every text, or the characters of a list.

    Args:
        characters: None for bytes: V is 260, and byte b has the id `FIRST_WORD + b`.
            Or a list of single Unicode characters, most frequent first; another
            character, or a byte that is not UTF-8, is <unk>.
        tweets: bool. Whether user names and links are replaced first, see
            `replace_names_and_links`.

    Raises:
        ValueError: if `characters` is empty, or has one twice or one not single.
    """

    def __init__(self, characters=None, tweets: bool = False):
        if characters is None:
            texts = [bytes([byte]) for byte in range(256)]
            names = [f"<0x{byte:02X}>" for byte in range(256)]
        else:
            texts = names = list(characters)
        tokens = [*SPECIAL_TOKENS, *names]
        super().__init__(tokens, [*SPECIAL_TOKENS, *texts], separator="")
        self.tweets = tweets
        self._ids = None
        if characters is not None:
            if wrong := [name for name in names if len(name) != 1]:
                raise ValueError(f"A character has length 1. Received: {wrong[:5]}")
            self._ids = _id_table([ord(name) for name in names])

    @classmethod
    def learn(cls, files, size=None, min_count: int = 1, tweets: bool = False):
        """Learns the characters of plain or .gz files, the newline included.

        Args and order are those of `WordTokenizer.learn`; `tweets` is the
        constructor's.
        """
        _check_size(size)

        def split(text):
            text = replace_names_and_links(text) if tweets else text
            return _characters(text + "\n").flat_values

        codes = _most_frequent(_count(files, split), size, min_count)
        return cls([chr(code) for code in codes], tweets)

    @property
    def resources(self) -> list:
        return [*super().resources, *([] if self._ids is None else [self._ids])]

    def split(self, text):  # [B] -> int32 [B, (N)]
        text = _batch_of_text(text)
        if self.tweets:
            text = replace_names_and_links(text)
        if self._ids is None:
            codes = tf_text.ByteSplitter().split(text)
            return tf.cast(codes, tf.int32) + FIRST_WORD
        codes = _characters(text)
        return codes.with_flat_values(self._ids.lookup(codes.flat_values))

    def get_config(self) -> dict:
        known = None if self._ids is None else self.tokens[FIRST_WORD:]
        return {"characters": known, "tweets": self.tweets}


def replace_names_and_links(text):  # [B] -> [B]
    """Replaces each part between spaces that is a user name by `@userid`, a link `url`.

    A user name begins with "@", a link with "http://" or "https://". A text that has
    been through it stays as it is. Semeniuta et al. 2017, section 4.3.
    """
    text = tf.strings.regex_replace(text, _USER_NAME, r"\1@userid")
    return tf.strings.regex_replace(text, _LINK, r"\1url")


def load(path: str) -> Tokenizer:
    """Reads a tokenizer that `save` wrote.

    Raises:
        ValueError: if the file is not one of ours.
    """
    classes = {kind.__name__: kind for kind in (WordTokenizer, CharacterTokenizer)}
    with open(path, "rb") as file:
        content = file.read()
    try:
        saved = json.loads(content)
        return classes[saved["class_name"]].from_config(saved["config"])
    except (ValueError, KeyError, TypeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise ValueError(f"{path} is not a saved tokenizer ({reason}).") from error


def _batch_of_text(text):
    # The operations of tensorflow-text kill the process when given a scalar.
    return tf.ensure_shape(tf.convert_to_tensor(text, tf.string), [None])


def _words(text, lower):  # [B] -> string [B, (N)]
    text = tf.strings.regex_replace(_batch_of_text(text), _RARE_BLANKS, " ")
    if lower:
        text = tf.strings.lower(text, encoding="utf-8")
    return tf_text.WhitespaceTokenizer().tokenize(text)


def _characters(text):  # [B] -> int32 code points [B, (N)]
    return tf_text.UnicodeCharTokenizer().tokenize(_batch_of_text(text))


def _count(files, split) -> collections.Counter:
    """How often each item of `split(lines)` occurs in the files."""
    counts = collections.Counter()
    for path in [files] if isinstance(files, str) else files:
        if not os.path.exists(path):
            raise FileNotFoundError(f"{path} does not exist.")
        compression = "GZIP" if str(path).endswith(".gz") else ""
        lines = tf.data.TextLineDataset(path, compression).batch(_LINES_AT_ONCE)
        try:
            for items in lines.map(_require_utf8).map(split).as_numpy_iterator():
                counts.update(items.tolist())
        except tf.errors.OpError as error:
            reason = error.message.splitlines()[0]
            raise ValueError(f"{path} is not UTF-8 text: {reason}") from error
    return counts


def _require_utf8(text):
    return tf.strings.unicode_transcode(text, "UTF-8", "UTF-8", errors="strict")


def _check_size(size):
    if size is not None and size <= FIRST_WORD:
        raise ValueError(
            f"`size` counts the {FIRST_WORD} special tokens. Received: size={size}"
        )


def _most_frequent(counts, size, min_count) -> list:
    items = [item for item, count in counts.items() if count >= min_count]
    items.sort(key=lambda item: (-counts[item], item))
    return items if size is None else items[: size - FIRST_WORD]


def _id_table(keys):
    ids = tf.range(FIRST_WORD, FIRST_WORD + len(keys))
    return _table(keys, ids, default=UNK)


def _table(keys, values, default):
    initializer = tf.lookup.KeyValueTensorInitializer(keys, values)
    return tf.lookup.StaticHashTable(initializer, default)
