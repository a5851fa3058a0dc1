"""The texts of a corpus, as the programs read them that report on a space."""

from collections.abc import Iterable, Iterator

from keras_textvae import corpora


def lines_of(files: Iterable[str]) -> Iterator[str]:
    """Yields the lines of files.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: at a line that is not UTF-8, and if a file has no text.
    """
    for _, _, lines in corpora.read_corpus(files, lambda size: None):
        yield from map(bytes.decode, lines)
