"""Paragraphs of a file of lines, and the sentences of a paragraph."""

from collections.abc import Callable, Iterable, Iterator

from keras_textvae.corpora.reading import extra

WIDEST = 120  # most characters of a line that is one of several of a paragraph
LONGEST = 10_000  # most lines of a paragraph


def splitter(language: str) -> Callable[[str], list[str]]:
    """Returns what splits a paragraph into its sentences.

    A sentence may still have line breaks in it, and blanks around it.

    Args:
        language: its code of two or three letters, such as "en" or "de".

    Raises:
        ValueError: if it is no such code, or sentencex is not installed.
    """
    if not (language.isascii() and language.isalpha() and 2 <= len(language) <= 3):
        raise ValueError(
            '`language` (--language) is a code of two or three letters, such as "en". '
            f"Received: language={language!r}"
        )
    segment = extra("sentencex", "`language` (--language)").segment
    return lambda paragraph: segment(language.lower(), paragraph)


def paragraphs(chunks: Iterable[tuple[int, list[bytes]]]) -> Iterator[str]:
    """Joins the lines of a file to paragraphs, which keep their line breaks.

    Each line is one, but in a file like a book's, whose lines are broken: of at most
    120 characters, with blank lines between the paragraphs. The first chunk decides.

    Args:
        chunks: as `read_chunks` yields them.
    """
    broken, lines = None, []
    for _, chunk in chunks:
        chunk = [line.decode() for line in chunk]
        broken = _are_broken(chunk) if broken is None else broken
        for line in chunk:
            if broken and line.strip() and len(lines) < LONGEST:
                lines.append(line)
                continue
            if lines:
                yield "\n".join(lines)
            lines = [line] if line.strip() else []
    if lines:
        yield "\n".join(lines)


def _are_broken(lines) -> bool:
    """Whether a paragraph is several lines, up to a blank one."""
    text = "\n".join(line.strip() for line in lines).strip()
    return "\n\n" in text and max(map(len, lines)) <= WIDEST
