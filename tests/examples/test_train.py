"""The program that trains: what it says, how it goes on, and what it refuses."""

import json
import shutil
import signal
import subprocess
import sys
import time

import pytest
from absl import flags

from examples import train
from keras_textvae import grammar, zoo
from tests.examples.conftest import run_program

TINY = (
    "--preset=lstm-grammar",
    "--model=units=4",
    "--model=embedding_dim=4",
    "--model=latent_dim=2",
    "--vocabulary=40",
)
EPOCHS = 4


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Flags of sentences of one's own."""
    folder = tmp_path_factory.mktemp("sentences")
    for split, size in (("train", 200), ("valid", 30), ("test", 30)):
        lines = [example.text for example in grammar.generate(size, 0, split)]
        (folder / f"{split}.txt").write_text("\n".join(lines) + "\n")
    return [f"--{split}_files={folder}/{split}.txt" for split in grammar.SPLITS]


@pytest.fixture(scope="module")
def straight(files, tmp_path_factory):
    """The folder of a run that nothing interrupts, and its exit code."""
    folder = tmp_path_factory.mktemp("straight") / "run"
    return folder, run_program(train, command(files, folder))


def command(files, folder):
    options = [f"--epochs={EPOCHS}", f"--run_dir={folder}", "--samples=0"]
    return [*TINY, *files, *options]


def killed_after_an_epoch(files, folder):
    """Starts the program in a process of its own, and kills it in the second epoch."""
    program = subprocess.Popen(
        [sys.executable, train.__file__, *command(files, folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not (folder / "metrics.csv").exists():
        assert program.poll() is None
        time.sleep(0.01)
    program.send_signal(signal.SIGKILL)
    assert program.wait() == -signal.SIGKILL


def test_a_killed_run_ends_like_one_that_was_not(run, files, straight, tmp_path):
    killed = tmp_path / "run"
    killed_after_an_epoch(files, killed)
    done = len((killed / "metrics.csv").read_text().splitlines()) - 1
    assert 1 <= done < EPOCHS
    assert not (killed / "result.json").exists()
    ended = run(train, *command(files, killed))
    assert ended.code == 0
    assert any(line.startswith("going on after epoch ") for line in ended.output)
    expected, code = straight
    assert code == 0
    for name in ("metrics.csv", "result.json", "tokenizer.json", "config.json"):
        assert (killed / name).read_bytes() == (expected / name).read_bytes(), name


def test_a_finished_run_only_reports(run, files, straight):
    folder, _ = straight
    figures = (folder / "metrics.csv").read_bytes()
    result = json.loads((folder / "result.json").read_text())
    ended = run(train, *command(files, folder), "--samples=3")
    assert ended.code == 0
    text = "\n".join(ended.output)
    assert "lstm-grammar: A small LSTM VAE" in text
    assert "parameters" in text
    assert "train: 200 sentences" in text
    assert "vocabulary 40, 7 steps an epoch, 4 epochs at most" in text
    assert f"test: bound {result['bound']:.2f} nats per sentence" in text
    assert f"KL {result['kl']:.2f}" in text
    assert "perplexity" in text
    assert "epoch 5" not in text
    assert ended.output[-4] == "samples:"
    assert (folder / "metrics.csv").read_bytes() == figures


def test_a_full_disk_is_one_line_and_loses_no_epoch(files, straight, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(straight[0], folder)
    checkpoint = (folder / "checkpoint.npz").read_bytes()
    longer = [*command(files, folder), f"--epochs={EPOCHS + 1}"]
    # Stands for a full disk: no file may grow beyond 4 kB, less than a model has.
    limited = ["bash", "-c", 'ulimit -f 4; exec "$@"', "bash", sys.executable]
    ended = subprocess.run(
        [*limited, train.__file__, *longer], capture_output=True, text=True
    )
    assert ended.returncode == 2, ended.stderr
    # AutoGraph, whose temporary files are limited too, warns before.
    assert ended.stderr.splitlines()[-1] == "train.py: File too large"
    assert "Traceback" not in ended.stderr
    assert (folder / "checkpoint.npz").read_bytes() == checkpoint


def test_the_folder_of_another_run_is_refused(run, files, straight):
    folder, _ = straight
    ended = run(train, *command(files, folder), "--learning_rate=0.5")
    assert ended.code == 2
    (line,) = ended.errors
    assert "preset.learning_rate is 0.002 there, 0.5 here" in line


REFUSED = {
    "preset": (["--preset=nope"], "Unknown preset 'nope'. Known presets: bag-of-words"),
    "argument": (["extra"], "Unexpected argument 'extra'"),
    "flag": (["--epoch=3"], "Unknown command line flag 'epoch'"),
    "no epochs": (["--epochs=0"], "--epochs=0"),
    "no batch": (["--batch_size=0"], "--batch_size=0"),
    "negative steps": (["--steps_per_epoch=-1"], "--steps_per_epoch=-1"),
    "annealing": (["--annealing=cyclical,9"], "there is no schedule 'cyclical'. It is"),
    "numbers": (["--annealing=sigmoid,9"], "two numbers are needed"),
    "steepness": (["--annealing=sigmoid,9,0"], "`steepness` must be positive"),
    "no number": (["--seed=one"], "--seed=one"),
    "small vocabulary": (["--vocabulary=4"], "--vocabulary=4"),
    "corpus": (["--corpus=nope"], "Unknown corpus 'nope'"),
    "data_dir": (["--preset=bowman2016-ptb", "--data_dir=DIR"], "lack ptb.train.txt"),
    "missing": (["--train_files=DIR/no.txt", "GOOD"], "no.txt matches no file"),
    "empty": (["--train_files=DIR/empty.txt", "GOOD"], "empty.txt is empty"),
    "blank": (["--train_files=DIR/blank.txt", "GOOD"], "has only blank lines"),
    "bytes": (["--train_files=DIR/latin.txt", "GOOD"], "latin.txt, line 2: not UTF-8"),
    "bad valid": (["--train_files=DIR/good.txt", "--valid_files=DIR/latin.txt"], "UTF"),
    "long": (["--train_files=DIR/long.txt", "GOOD"], "long.txt, line 2: 62 ids"),
    "no valid": (["--train_files=DIR/good.txt"], "are needed together"),
    "no train": (["GOOD"], "are needed together"),
    "no such": (["--model=depth=3"], "--model=depth=3: the arguments are keep_rate"),
    "no value": (["--model=units"], "--model=units: a value like 128 is needed"),
    "no int": (["--model=units=4.5"], "--model=units=4.5: a value like 128 is needed"),
    "no bool": (["--model=z_every_step=1"], "a value like True is needed"),
    "no units": (["--model=units=0", "--train_files=DIR/good.txt", "GOOD"], "units=0"),
}


@pytest.fixture
def sentences(tmp_path):
    contents = {
        "good.txt": b"a cat\na dog\n",
        "empty.txt": b"",
        "blank.txt": b"\n  \n",
        "latin.txt": b"a cat\ncaf\xe9\n",
        "long.txt": b"a cat\n" + b"a " * 60 + b"\n",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.mark.parametrize("name", REFUSED)
def test_a_mistake_is_told_in_one_line_and_leaves_no_folder(run, sentences, name):
    arguments, message = REFUSED[name]
    good = f"--valid_files={sentences}/good.txt"
    arguments = [good if argument == "GOOD" else argument for argument in arguments]
    arguments = [argument.replace("DIR", str(sentences)) for argument in arguments]
    folder = sentences / "run"
    ended = run(train, "--preset=lstm-grammar", f"--run_dir={folder}", *arguments)
    assert ended.code == 2
    assert ended.output == []
    (line,) = ended.errors
    assert line.startswith("train.py: ")
    assert message in line
    assert not folder.exists()


def test_long_sentences_are_counted_when_they_are_dropped(run, sentences, monkeypatch):
    # What it says before it trains is enough here.
    monkeypatch.setattr(train.runs.Run, "train", lambda *_, **__: None)
    files = [f"--{s}_files={sentences}/long.txt" for s in ("train", "valid")]
    folder = f"--run_dir={sentences}/run"
    ended = run(train, *TINY, *files, folder, "--too_long=drop")
    line = next(line for line in ended.output if line.startswith("train: "))
    assert line.startswith("train: 1 sentences, ")
    assert "1 too long" in line


def test_model_arguments_take_the_type_of_the_preset_s(monkeypatch):
    monkeypatch.setattr(train, "FLAGS", type("Flags", (), {}))
    train.FLAGS.model = ["units=3", "channels=4,6", "alpha=0.5", "keep_rate=0.7"]
    expected = {"units": 3, "channels": (4, 6), "alpha": 0.5, "keep_rate": 0.7}
    assert train.model_arguments(zoo.preset("hybrid-grammar").arguments) == expected
    # What a preset leaves out can be given too.
    train.FLAGS.model = ["units=3", "shared_dropout=True", "initial_range=0.1"]
    expected = {"units": 3, "shared_dropout": True, "initial_range": 0.1}
    assert train.model_arguments(zoo.preset("lstm-grammar").arguments) == expected


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ("none", [1.0, 1.0, 1.0]),
        ("linear,10,20", [0.0, 0.5, 1.0]),
        ("sigmoid,15,0.1", [0.18, 0.5, 0.82]),
    ],
)
def test_annealing_is_any_schedule_of_the_library_or_none(text, weights):
    schedule = train.annealing(text).build()
    found = [schedule(step) for step in (0, 15, 30)]
    assert found == pytest.approx(weights, abs=0.005)


def test_help_names_every_preset():
    known = set(flags.FLAGS)
    train.define_flags()
    # Lines are broken to the width of the terminal, after hyphens too.
    text = "".join(flags.FLAGS.module_help(train).split())
    for name in set(flags.FLAGS) - known:
        delattr(flags.FLAGS, name)
    for name in zoo.PRESETS:
        assert name in text


def test_the_process_ends_with_2_on_a_mistake():
    command = [sys.executable, train.__file__, "--preset=nope"]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith("train.py: Unknown preset")
