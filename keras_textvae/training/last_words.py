"""Passes on what a process prints on stderr, and JAX's last words in one line.

    python last_words.py LINE < what the process prints

JAX ends a process by itself once another one is gone, and prints its errors and the
trace of its stack. In their place a line says which of the processes it was, once the
process has sent their names; or, of one that never met the others, LINE. Needs nothing
but Python.
"""

import re
import signal
import sys

NAMES = "\0"  # begins the line of all processes' names, and stands between them
SERVICE = re.compile(r"[EF]\d{4} .*(coordination_service|client\.h)")
FATAL = "Terminating process because the JAX distributed service"
SILENT = re.compile(r"stopped sending heartbeats\):\s*(\d[\d\s,]*)")


def main(absent: str):
    """Copies stdin to stderr until its end; `absent` is LINE."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal, for the process
    names, held = [], []
    for line in sys.stdin:
        if line.startswith(NAMES):
            names = line.strip(f"{NAMES}\n").split(NAMES)
        elif held or SERVICE.match(line):
            held.append(line)
        else:
            sys.stderr.write(line)
            sys.stderr.flush()
    words = "".join(held)
    if FATAL in words:
        words = f"{verdict(words, names) if names else absent}\n"
    sys.stderr.write(words)


def verdict(words: str, names: list[str]) -> str:
    """Returns one line that says which process ended, by JAX's last words."""
    silent = SILENT.search(words)
    numbers = [int(number) for number in silent[1].split()] if silent else [0]
    lost = ", ".join(names[number] for number in numbers if number < len(names))
    return f"{lost} has ended or cannot be reached; the same command goes on"


if __name__ == "__main__":
    main(*sys.argv[1:])
