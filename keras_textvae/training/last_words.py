"""Passes on what a process prints on stderr, and JAX's last words in one line.

    python last_words.py NAME... < what the process prints

JAX ends a process by itself once another one is gone, and prints its errors and the
trace of its stack. In their place a line says which of the processes, whose names are
the arguments, it was. Needs nothing but Python.
"""

import re
import signal
import sys

SERVICE = re.compile(r"[EF]\d{4} .*(coordination_service|client\.h)")
FATAL = "Terminating process because the JAX distributed service"
SILENT = re.compile(r"stopped sending heartbeats\):\s*(\d[\d\s,]*)")


def main(names: list[str]):
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal, for the process
    held = []
    for line in sys.stdin:
        if held or SERVICE.match(line):
            held.append(line)
            continue
        sys.stderr.write(line)
        sys.stderr.flush()
    words = "".join(held)
    sys.stderr.write(f"{verdict(words, names)}\n" if FATAL in words else words)


def verdict(words: str, names: list[str]) -> str:
    """Returns one line that says which process ended, by JAX's last words."""
    silent = SILENT.search(words)
    numbers = [int(number) for number in silent[1].split()] if silent else [0]
    lost = ", ".join(names[number] for number in numbers if number < len(names))
    return f"{lost} has ended or cannot be reached; the same command goes on"


if __name__ == "__main__":
    main(sys.argv[1:])
