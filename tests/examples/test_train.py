"""The program that trains: what it says, how it goes on, and what it refuses."""

import importlib.util
import json
import resource
import shutil
import signal
import subprocess
import sys
import time

import pytest
from absl import flags

from examples import recipe_flags, train
from keras_textvae import grammar, zoo
from keras_textvae.training import console
from tests.examples.conftest import run_program

TINY = (
    "--recipe=lstm-grammar",
    "--model=units=4",
    "--model=embedding_dim=4",
    "--model=latent_dim=2",
    "--vocabulary=40",
)
EPOCHS = 4
CODEC = "best/text_space.json"


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


def epochs_of(folder):
    """The lines of a run's figures, one an epoch, without the header."""
    return (folder / "metrics.csv").read_text().splitlines()[1:]


def test_a_killed_run_ends_like_one_that_was_not(run, files, straight, tmp_path):
    killed, alone = tmp_path / "run", tmp_path / "alone"
    killed_after_an_epoch(files, killed)
    assert 1 <= len(epochs_of(killed)) < EPOCHS
    assert not (killed / "result.json").exists()
    shutil.copytree(killed, alone)
    expected, code = straight
    assert code == 0
    for folder, arguments in (
        (killed, command(files, killed)),
        (alone, [f"--run_dir={alone}", "--samples=0"]),
    ):
        ended = run(train, *arguments)
        assert ended.code == 0, ended.errors
        assert any("training: going on after epoch " in line for line in ended.output)
        for name in ("metrics.csv", "result.json", "config.json", CODEC):
            assert (folder / name).read_bytes() == (expected / name).read_bytes(), name
        if importlib.util.find_spec("matplotlib"):
            assert (folder / "curves.png").exists()


@pytest.mark.usefixtures("eagerly")
def test_a_run_goes_on_further_where_its_corpus_is_now(
    run, files, straight, tmp_path, monkeypatch
):
    folder, moved = tmp_path / "run", tmp_path / "moved"
    shutil.copytree(straight[0], folder)
    # As if the files were moved, and the cache with the prepared corpus emptied.
    monkeypatch.setenv("KERAS_TEXTVAE_CACHE", str(tmp_path / "cache"))
    config = json.loads((folder / "config.json").read_text())
    moved.mkdir()
    for split in grammar.SPLITS:
        (path,) = config["files"][split]
        shutil.copy(path, moved / f"{split}.txt")
        config["files"][split] = [f"{tmp_path}/gone/{split}.txt"]
    config["prepared"] = f"{tmp_path}/gone"
    (folder / "config.json").write_text(json.dumps(config))
    longer = [f"--run_dir={folder}", f"--epochs={EPOCHS + 1}", "--samples=0"]
    ended = run(train, *longer)
    assert (ended.code, ended.output) == (2, [])
    (line,) = ended.errors
    assert f"nor where its files were ({tmp_path}/gone/train.txt)" in line
    here = [f"--{split}_files={moved}/{split}.txt" for split in grammar.SPLITS]
    ended = run(train, *longer, *here)
    assert ended.code == 0, ended.errors
    assert f"training: going on after epoch {EPOCHS}" in ended.output
    assert len(epochs_of(folder)) == EPOCHS + 1
    assert epochs_of(folder)[:EPOCHS] == epochs_of(straight[0])
    # It knows where they are from now on.
    assert run(train, f"--run_dir={folder}", "--samples=0").code == 0
    assert len(epochs_of(folder)) == EPOCHS + 1


def test_another_corpus_is_refused(run, sentences, straight):
    good = [f"--train_files={sentences}/good.txt", f"--valid_files={sentences}/v.txt"]
    ended = run(train, f"--run_dir={straight[0]}", *good)
    assert (ended.code, ended.output) == (2, [])
    (line,) = ended.errors
    assert "another configuration: sources." in line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--run_dir=DIR"], "DIR holds no run (config.json)"),
        (["--run_dir=RUN", "--seed=1"], "--seed is fixed in RUN"),
        (["--run_dir=RUN", "--precision=mixed_float16"], "--precision is fixed in RUN"),
        (["--run_dir=RUN", "--start_from=RUN"], "--start_from is fixed in RUN"),
        (["--run_dir=RUN", "--learning_rate=1"], "training.learning_rate is 0.002"),
        (["--run_dir=RUN", "--model=units=5"], "model.arguments.units is 4 there, 5"),
        (["--run_dir=RUN", "--length=20"], "prepared for another text: length is 39"),
        (["--run_dir=RUN", "--prepared=DIR"], "DIR holds no prepared corpus"),
    ],
)
def test_a_mistake_with_a_run_is_told_in_one_line(
    run, straight, tmp_path, arguments, message
):
    before = {path: path.read_bytes() for path in straight[0].glob("*.*")}

    def named(text):
        return text.replace("RUN", str(straight[0])).replace("DIR", str(tmp_path))

    ended = run(train, *map(named, arguments))
    assert (ended.code, ended.output) == (2, [])
    (line,) = ended.errors
    assert named(message) in line
    assert {path: path.read_bytes() for path in straight[0].glob("*.*")} == before


def test_a_finished_run_only_reports(run, files, straight):
    folder, _ = straight
    figures = (folder / "metrics.csv").read_bytes()
    result = json.loads((folder / "result.json").read_text())
    ended = run(train, *command(files, folder), "--samples=3")
    assert ended.code == 0
    text = "\n".join(ended.output)
    assert "A small LSTM VAE of Bowman et al. 2016" in text
    assert "parameters" in text
    assert "train: 200 sentences" in text
    assert "vocabulary 40, length 39" in text.splitlines()
    assert "6 steps an epoch, 4 epochs at most" in text
    assert f"test: bound {result['bound']:.2f} nats per sentence" in text
    assert f"KL {result['kl']:.2f}" in text
    assert "perplexity" in text
    assert "epoch 5" not in text
    assert ended.output[-4] == "samples:"
    assert "latent space, on 30 sentences:" in ended.output
    assert ended.output[-5] == f"all of it: examples/report.py --run_dir={folder}"
    assert (folder / "metrics.csv").read_bytes() == figures


@pytest.fixture
def full_disk():
    """Stands for one: no file may grow beyond 4 kB, less than a model has."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.usefixtures("eagerly")
def test_a_full_disk_is_one_line_and_loses_no_epoch(
    run, files, straight, tmp_path, request
):
    folder = tmp_path / "run"
    shutil.copytree(straight[0], folder)
    checkpoint = (folder / "checkpoint.npz").read_bytes()
    request.getfixturevalue("full_disk")
    ended = run(train, *command(files, folder), f"--epochs={EPOCHS + 1}")
    assert ended.code == 2
    assert ended.errors == ["train.py: File too large"]
    assert f"training: going on after epoch {EPOCHS}" in ended.output
    assert (folder / "checkpoint.npz").read_bytes() == checkpoint


def test_the_folder_of_another_run_is_refused(run, files, straight):
    folder, _ = straight
    ended = run(train, *command(files, folder), "--learning_rate=0.5")
    assert ended.code == 2
    (line,) = ended.errors
    assert "recipe.training.learning_rate is 0.002 there, 0.5 here" in line


REFUSED = {
    "recipe": (["--recipe=nope"], "Unknown recipe 'nope'. Known recipes: bag-of-words"),
    "argument": (["extra"], "Unexpected argument 'extra'"),
    "flag": (["--epoch=3"], "Unknown command line flag 'epoch'"),
    "no epochs": (["--epochs=0"], "--epochs=0"),
    "no batch": (["--batch_size=0"], "--batch_size=0"),
    "negative steps": (["--steps_per_epoch=-1"], "--steps_per_epoch=-1"),
    "annealing": (["--annealing=square,9,2"], "there is no schedule 'square'. It is"),
    "cycles": (["--annealing=cyclical,9"], "two numbers are needed"),
    "free bits": (["--free_bits=-1"], "free_bits"),
    "target": (["--target_kl=0"], "`target` must be positive. Received: target=0"),
    "two": (["--target_kl=8", "--annealing=linear,1,2"], "not both. Received: target"),
    "out of reach": (["--target_kl=8", "--free_bits=9"], "9 nats of the KL are free"),
    "no KL": (
        ["--target_kl=8", "--model=posterior=deterministic"],
        "is never above 0 nats. Received: target=8",
    ),
    "numbers": (["--annealing=sigmoid,9"], "two numbers are needed"),
    "floors": (["--annealing=sigmoid,9,1,0.1"], "two numbers are needed"),
    "floor": (["--annealing=linear,1,2,3"], "`floor` must lie in [0, 1]"),
    "steepness": (["--annealing=sigmoid,9,0"], "`steepness` must be positive"),
    "no number": (["--seed=one"], "--seed=one"),
    "small vocabulary": (["--vocabulary=4"], "--vocabulary=4"),
    "no weight": (["--beta=-1"], "--beta=-1"),
    "corpus": (["--corpus=nope"], "Unknown corpus 'nope'"),
    "data_dir": (["--recipe=bowman2016-ptb", "--data_dir=DIR"], "lack ptb.train.txt"),
    "missing": (["--train_files=DIR/no.txt", "GOOD"], "no.txt matches no file"),
    "empty": (["--train_files=DIR/empty.txt", "GOOD"], "empty.txt is empty"),
    "blank": (["--train_files=DIR/blank.txt", "GOOD"], "has only blank lines"),
    "bytes": (["--train_files=DIR/latin.txt", "GOOD"], "latin.txt, line 2: not UTF-8"),
    "bad valid": (["--train_files=DIR/good.txt", "--valid_files=DIR/latin.txt"], "UTF"),
    "long": (["--train_files=DIR/long.txt", "GOOD"], "long.txt, line 2: 60 words"),
    "no valid": (["--train_files=DIR/good.txt"], "2 texts leave none for valid"),
    "no train": (["GOOD"], "Training files are needed"),
    "no columns": (
        ["--train_files=DIR/v.txt", "--text_column=a"],
        "no file has columns",
    ),
    "share": (["--train_files=DIR/good.txt", "GOOD", "--valid_share=0.1"], "excludes"),
    "no folder": (["--language=en"], "grammar takes no language: a folder does"),
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
        "v.txt": b"a dog\na cat\na cat\n",
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
    good = f"--valid_files={sentences}/v.txt"
    arguments = [good if argument == "GOOD" else argument for argument in arguments]
    arguments = [argument.replace("DIR", str(sentences)) for argument in arguments]
    folder = sentences / "run"
    ended = run(train, "--recipe=lstm-grammar", f"--run_dir={folder}", *arguments)
    assert ended.code == 2
    assert ended.output == []
    (line,) = ended.errors
    assert line.startswith("train.py: ")
    assert message in line
    assert not folder.exists()


def test_long_sentences_are_counted_when_they_are_dropped(run, sentences, monkeypatch):
    # What it says before it trains is enough here.
    monkeypatch.setattr(train.Run, "train", lambda *_, **__: None)
    monkeypatch.setattr(console, "report", lambda run, samples: None)
    files = [f"--train_files={sentences}/long.txt", f"--valid_files={sentences}/v.txt"]
    folder = f"--run_dir={sentences}/run"
    ended = run(train, *TINY, *files, folder, "--too_long=drop")
    assert ended.code == 0, ended.errors
    line = next(line for line in ended.output if line.startswith("train: "))
    assert line.startswith("train: 1 sentences of 2 to 60 words")
    assert "1 too long" in line


@pytest.fixture
def recipe_from():
    """A function that returns the recipe which flags describe."""
    known = set(flags.FLAGS)

    def recipe_from(*arguments):
        recipe_flags.define()
        flags.FLAGS(["program", *arguments])
        try:
            return recipe_flags.recipe()
        finally:
            for name in set(flags.FLAGS) - known:
                delattr(flags.FLAGS, name)

    return recipe_from


# Of each recipe an argument's value as it is written, and as it is; all of the first.
ARGUMENTS = {
    "hybrid-grammar": {
        "units": ("3", 3),
        "latent_dim": ("2", 2),
        "channels": ("4,6", (4, 6)),
        "features": ("5", 5),
        "keep_rate": ("0.7", 0.7),
        "initial_range": ("0.2", 0.2),
        "posterior": ("batch_normalized", "batch_normalized"),
        "mean_scale": ("0.5", 0.5),
        "convolution_norm": ("batch", "batch"),
        "chunked_loss": ("true", True),
    },
    # What a recipe leaves out can be given too, and what has no value.
    "lstm-grammar": {
        "units": ("3", 3),
        "shared_dropout": ("True", True),
        "initial_range": ("0.1", 0.1),
        "encoder_units": ("2", 2),
        "pooling": ("max", "max"),
    },
    "bag-of-words-tweets": {"hidden": ("7", 7)},
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_model_arguments_take_the_type_of_the_recipe_s(recipe_from, name):
    arguments = ARGUMENTS[name]
    given = [f"--model={key}={text}" for key, (text, _) in arguments.items()]
    before = zoo.recipe(name).model.all_arguments
    recipe = recipe_from(f"--recipe={name}", *given)
    expected = before | {key: value for key, (_, value) in arguments.items()}
    assert recipe.model.all_arguments == expected
    recipe.build_model(30)
    assert name != "hybrid-grammar" or arguments.keys() == before.keys()


def test_the_weights_of_the_terms_are_those_of_the_flags(recipe_from):
    weights = ["--beta=0.5", "--alpha=0.3", "--annealing=linear,10,20,0.1"]
    weights += ["--free_bits=3", "--free_bits_over=sentence"]
    recipe = recipe_from("--recipe=hybrid-grammar", *weights)
    schedule = zoo.Schedule("linear", (10.0, 20.0, 0.1))
    assert recipe.terms == zoo.Terms(0.5, schedule, 0.3, 3.0, "sentence")
    objective = recipe.build_model(30).objective
    assert (objective.beta, objective.alpha) == (0.5, 0.3)
    assert objective.kl.get_config() == {"nats": 3.0, "over": "sentence"}
    assert recipe.replace(terms=zoo.recipe("hybrid-grammar").terms) == zoo.recipe(
        "hybrid-grammar"
    )


def test_the_density_is_that_of_the_flags(recipe_from):
    recipe = recipe_from(
        "--recipe=hybrid-grammar",
        *("--density=7", "--fitted", "--density_noise=0", "--density_scale=0.5"),
    )
    assert recipe.density == zoo.Density(7, True, density_noise=0.0, density_scale=0.5)


def test_a_target_of_the_kl_takes_the_place_of_annealing(recipe_from):
    recipe = recipe_from("--recipe=lstm-grammar", "--target_kl=8")
    assert recipe.terms == zoo.Terms(target_kl=8.0)
    assert recipe.terms.weighing().target == 8.0
    assert zoo.Recipe.from_config(recipe.get_config()) == recipe


def test_a_recipe_of_words_is_trained_on_characters(run, eagerly, files, tmp_path):
    level = ["--level=characters", "--lower=true", "--samples=0"]
    given = [flag for flag in TINY if not flag.startswith("--vocabulary")]
    short = ["--epochs=1", "--steps_per_epoch=2"]
    ended = run(train, *given, *level, *short, *files, f"--run_dir={tmp_path}/run")
    assert (ended.code, ended.errors) == (0, [])
    (sizes,) = [line for line in ended.output if line.startswith("vocabulary")]
    assert sizes.endswith(", which 99% of the training sentences have at most")
    config = json.loads((tmp_path / "run" / CODEC).read_text())
    assert str(config["codec"]["length"]) == sizes.split()[3].rstrip(",")
    assert ended.output[-1].endswith(" bits per character")


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ("none", [1.0, 1.0, 1.0]),
        ("linear,10,20", [0.0, 0.5, 1.0]),
        ("linear,10,20,0.1", [0.1, 0.55, 1.0]),
        ("sigmoid,15,0.1", [0.18, 0.5, 0.82]),
        ("cyclical,20,2,1", [0.0, 0.75, 0.5]),
    ],
)
def test_annealing_is_any_schedule_of_the_library_or_none(text, weights):
    schedule = recipe_flags.annealing(text).build()
    found = [schedule(step) for step in (0, 15, 30)]
    assert found == pytest.approx(weights, abs=0.005)


def test_help_names_every_recipe():
    known = set(flags.FLAGS)
    train.define_flags()
    # Lines are broken to the width of the terminal, after hyphens too.
    text = "".join(flags.FLAGS.module_help(recipe_flags).split())
    for name in set(flags.FLAGS) - known:
        delattr(flags.FLAGS, name)
    for name in zoo.RECIPES:
        assert name in text


def test_the_process_ends_with_2_on_a_mistake():
    command = [sys.executable, train.__file__, "--recipe=nope"]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith("train.py: Unknown recipe")
