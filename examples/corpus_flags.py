"""The flags that say which texts are trained on: a corpus's name, or one's own files.

    --train_files='my/*.csv' --text_column=review       lines, .csv, .tsv, .jsonl (also
                                                        .ndjson, .json), .parquet
    --train_files=my/folder                             the files of texts in it
    zcat big.gz | ... --train_files=-                   standard input, a text a line

Files may be .gz or .zst, but not Parquet. Without --valid_files, a twentieth of the
texts is held out for validation and as many for testing, by their hashes: the same ones
at every run. What is no plain file of lines is first collected into such files, in the
cache, once. Parquet, .zst and --language need the extra `files`.
"""

from absl import flags

from keras_textvae import Corpus, corpora
from keras_textvae.training import console

FLAGS = flags.FLAGS
FILES = ("train_files", "valid_files", "test_files")
OPTIONS = (
    "text_column",
    "label_column",
    "valid_share",
    "drop_duplicates",
    "language",
)


def define():
    """Defines the flags."""
    text, files = flags.DEFINE_string, flags.DEFINE_list
    text("data_dir", None, "folder of the corpus (default: it is downloaded)")
    text("corpus", None, "a name, or a folder of yours (default: the recipe's)")
    files(
        "train_files",
        None,
        "your own training files (.txt, .csv, .tsv, .jsonl, .parquet, compressed by "
        ".gz or .zst), patterns, a folder, or - for standard input (default: none)",
    )
    files(
        "valid_files",
        None,
        "your own validation files (default: --valid_share of the training texts)",
    )
    files(
        "test_files",
        [],
        "your own test files (default: the validation files, or --valid_share of the "
        "training texts)",
    )
    text(
        "text_column",
        None,
        "of the texts, in files with columns (default: the only one, or the one that "
        "is called text or sentence)",
    )
    text("label_column", None, "of labels, which are kept beside them (default: none)")
    flags.DEFINE_float(
        "valid_share",
        None,
        "share of the texts held out for validation, and as many for testing; the "
        "text's hash decides (default: 0.05 without --valid_files)",
    )
    flags.DEFINE_bool(
        "drop_duplicates", False, "drop texts that stood before (default: count them)"
    )
    text(
        "language",
        None,
        "split paragraphs into sentences by the rules of a language, such as en or de "
        "(default: a text is a sentence)",
    )


def are_set() -> bool:
    """Whether the flags name a corpus, not the recipe."""
    names = any(FLAGS[name].value for name in ("corpus", "data_dir", *FILES))
    return names or bool(_options())


def files(default: str) -> Corpus:
    """Returns the files of the corpus that the flags name, and prints their figures.

    Args:
        default: the name of the corpus if they name none.
    """
    if any(FLAGS[name].value for name in FILES):
        if FLAGS.corpus or FLAGS.data_dir:
            raise ValueError("--train_files excludes --corpus and --data_dir.")
        named = (FLAGS[name].value or () for name in FILES)
        corpus = corpora.collect(*named, **_options())
    else:
        corpus = corpora.load(FLAGS.corpus or default, FLAGS.data_dir, **_options())
    console.describe_files(corpus)
    return corpus


def _options() -> dict:
    values = {name: FLAGS[name].value for name in OPTIONS}
    return {name: x for name, x in values.items() if x is not None and x is not False}
