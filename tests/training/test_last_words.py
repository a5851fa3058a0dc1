"""What is passed on of a process's last words, against what JAX 0.10 prints."""

import subprocess
import sys

import pytest

from keras_textvae.training import last_words
from keras_textvae.training.last_words import NAMES

OTHERS = ["process 0 of 3 (a)", "process 1 of 3 (b)", "process 2 of 3 (c)"]
FATAL = (
    "F1128 14:04:05.917723   25276 client.h:80] Terminating process because the JAX "
    "distributed service detected fatal errors. This most likely indicates that "
    "another task died; see the other task logs for more details. absl::Status: "
)
SILENT = (
    "E1128 14:04:05.917572   25276 coordination_service_agent.cc:289] Polled an error\n"
    + FATAL
    + "UNAVAILABLE: The following tasks are unhealthy (stopped sending heartbeats):\n"
    "{}\nThe tasks have crashed. Check the task logs.\n"
    "*** Check failure stack trace: ***\n    @     0x7fbf22840634  absl::SendToLog()\n"
)
GONE = FATAL + "UNAVAILABLE: Failed to send RPC to coordination service.\n    @  0x7f\n"


def passed_on(text):
    command = [sys.executable, "-S", last_words.__file__, "not all came"]
    ended = subprocess.run(command, input=text, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (0, "")
    return ended.stderr


@pytest.mark.parametrize(
    ("words", "lost"),
    [
        (SILENT.format("1"), "process 1 of 3 (b)"),
        (SILENT.format("1\n2"), "process 1 of 3 (b), process 2 of 3 (c)"),
        (GONE, "process 0 of 3 (a)"),
    ],
)
def test_jax_s_last_words_become_one_line(words, lost):
    line = f"{lost} has ended or cannot be reached; the same command goes on\n"
    names = NAMES + NAMES.join(OTHERS) + "\n"
    assert passed_on(f"{names}a warning\n{words}") == f"a warning\n{line}"
    assert passed_on("a warning\n" + words) == "a warning\nnot all came\n"


def test_what_is_no_last_word_is_passed_on_as_it_is():
    text = "E1128 14:04:05.9 1 coordination_service.cc:1] An error.\nAnd more\nEnd"
    assert passed_on(text) == text
    assert passed_on("") == ""
