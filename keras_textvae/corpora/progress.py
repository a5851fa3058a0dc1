"""How far a long reading of files is, and when it would end."""

import sys
import time

FIRST = 1.0  # second at which the first line is written; what takes less has none
SECONDS = {True: 0.2, False: 10.0}  # between two lines, on a terminal and elsewhere
CLEARED = "\r\x1b[K"  # a terminal's line


class Progress:
    """Lines on standard error: what is done, its share, and the time left.

    Args:
        what: what is done.
        total: int. The work in all, in units of `add`; None if that is not known, and
            the lines say how much is done.
        verbose: 0 prints nothing.
    """

    def __init__(self, what: str, total: int | None, verbose: int = 1):
        self.what = what
        self.total = None if total is None else max(total, 1)
        self.verbose = verbose
        self.done = 0

    def __enter__(self):
        self._started = time.monotonic()
        self._next = self._started + FIRST
        self._terminal = sys.stderr.isatty()
        self._shown = False
        return self

    def __exit__(self, error, *_):
        if self._shown and not error:
            self._write(f"{time.monotonic() - self._started:.0f} s\n")
        elif self._shown and self._terminal:
            print(file=sys.stderr)

    def add(self, amount: int):
        """Adds work that is done."""
        self.done += amount
        now = time.monotonic()
        if now < self._next or not self.done:
            return
        self._next = now + SECONDS[self._terminal]
        ending = "" if self._terminal else "\n"
        self._write(f"{self._so_far(now - self._started)}{ending}")

    def _so_far(self, seconds) -> str:
        if self.total is None:
            return f"{self.done:,}"
        share = min(self.done / self.total, 1.0)
        return f"{share:.0%}, about {seconds * (1.0 - share) / share:.0f} s left"

    def clear(self):
        """Clears the terminal's line, for another message."""
        if self._shown and self._terminal:
            print(CLEARED, end="", file=sys.stderr, flush=True)

    def _write(self, text):
        if self.verbose:
            self._shown = True
            start = CLEARED if self._terminal else ""
            print(f"{start}{self.what}: {text}", end="", file=sys.stderr, flush=True)
