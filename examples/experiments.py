"""Experiments: sets of runs in parallel processes, their tables and plots.

What the programs `reproduce_<paper>.py` and `tune.py` share. Each trial is a run folder
of its own, so that an experiment that was killed goes on where it was.
"""

import csv
import itertools
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from multiprocessing import connection
from typing import NamedTuple

from keras_textvae.command_line import quiet_imports

with quiet_imports():
    import keras

    from keras_textvae import PreparedCorpus, Run, corpora, prepare, zoo


class Trial(NamedTuple):
    """One run of an experiment.

    Attributes:
        name: of its folder inside the experiment's.
        recipe: what is trained.
        seed: of weights, noise and the order of the data.
    """

    name: str
    recipe: zoo.Recipe
    seed: int = 0

    @property
    def work(self) -> float:
        """What an epoch costs, up to a factor that trials are taken to share."""
        steps = self.recipe.data.steps_per_epoch
        return self.recipe.text.length * (steps or 1)


class Settings(NamedTuple):
    """What all trials of an experiment share.

    Attributes:
        folder: of the experiment.
        data_dir: where the corpora are; None downloads what can be.
        precision: Keras's precision policy.
        jobs: trials that are trained at a time, each in a process of its own.
    """

    folder: str
    data_dir: str | None
    precision: str
    jobs: int


def train_all(trials: list[Trial], settings: Settings) -> dict[str, list[dict]]:
    """Trains what is not trained yet, with a line of progress now and then.

    Returns:
        Each trial's rows of figures, one an epoch (see `callbacks.RunHistory`), by its
        name, with the number of `parameters` in each.

    Raises:
        ValueError, OSError: the first mistake or failure of a trial; the others stop.
    """
    progress = Progress(trials, settings.folder)
    rows = {
        trial.name: epochs
        for trial, epochs in train_each(iter(trials), settings, progress)
    }
    return {trial.name: rows[trial.name] for trial in trials}


def train_each(
    trials: Iterator[Trial], settings: Settings, progress: "Progress"
) -> Iterator[tuple[Trial, list[dict]]]:
    """Trains trials and yields each, with its rows of figures, when it has ended.

    The next trial is taken when a process is free for it, after those that have ended
    were yielded: what it is may depend on them.

    Raises:
        ValueError, OSError: see `train_all`.
    """
    threads = max(1, (os.cpu_count() or 1) // settings.jobs)
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(name, str(threads))
    running, finished = {}, [*progress.finished]
    try:
        while True:
            for trial in itertools.islice(trials, settings.jobs - len(running)):
                answer, progress.counters[trial.name] = _start(trial, settings)
                running[answer] = trial
            if not running:
                return
            for answer in connection.wait([*running], progress.seconds):
                trial = running.pop(answer)
                yield trial, _receive(answer, trial)
                finished.append(trial.name)
            progress.show(finished)
    finally:
        for process in multiprocessing.active_children():
            process.terminate()


def _start(trial, settings):
    """Trains a trial in a new process.

    Returns:
        The connection that it answers on, and what counts its epochs.
    """
    # What is missing is said, downloaded or prepared once, and not by each process.
    prepared_corpus(trial.recipe, settings)
    # TensorFlow does not survive a fork.
    context = multiprocessing.get_context("spawn")
    answer, sender = context.Pipe(duplex=False)
    counter = context.Value("d", 0.0)
    arguments = (trial, settings, sender, counter)
    context.Process(target=_train, args=arguments, daemon=True).start()
    sender.close()
    return answer, counter


def _receive(answer, trial):
    """Returns what a trial's process sends, or raises the error that it had."""
    try:
        result = answer.recv()
    except EOFError:
        raise OSError(f"{trial.name}: its process was killed.") from None
    if isinstance(result, Exception):
        raise result
    return result


def _train(trial, settings, sender, counter):
    # Ctrl-C ends this process without a word: its parent has one.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        run = load_run(trial, settings)
        run.train([_Counting(counter)], verbose=0)
        size = {"parameters": run.model.count_params()}
        sender.send([row | size for row in run.history.rows])
    except (ValueError, OSError) as error:
        sender.send(error)


class _Counting(keras.callbacks.Callback):
    """Counts the epochs that are done, with the part of the one that runs."""

    def __init__(self, counter):
        super().__init__()
        self.counter = counter

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        self.counter.value = self.epoch + (batch + 1) / self.params["steps"]


def _end_with_parent():
    """Ends this process when its parent is killed, lest the next train beside it."""
    multiprocessing.parent_process().join()
    os._exit(1)


def load_run(trial: Trial, settings: Settings) -> Run:
    """Returns a trial's run as it stands."""
    corpus = prepared_corpus(trial.recipe, settings)
    folder = os.path.join(settings.folder, trial.name)
    return Run(folder, trial.recipe, corpus, trial.seed, settings.precision)


def prepared_corpus(recipe: zoo.Recipe, settings: Settings) -> PreparedCorpus:
    """Returns the corpus of a recipe as ids."""
    files = corpora.load(recipe.data.corpus, settings.data_dir)
    return prepare(files, recipe.text)


class Progress:
    """Lines that say how far an experiment is, and when it would end.

    Args:
        trials: those that are known; more may be appended to `trials`.
        folder: of the experiment.
        finished: names of those that need no training.
        count: how many trials there will be. None means the known ones.

    Attributes:
        counters: of the trials that are being trained, by name: their `value` is in
            epochs.
    """

    seconds = 60.0  # between two lines, if nothing ends

    def __init__(self, trials, folder, finished=(), count=None):
        self.trials = [*trials]
        self.folder = folder
        self.finished = [*finished]
        self.count = count or len(self.trials)
        self.counters = {}
        self.started = time.monotonic()
        self.before = sum(map(self._done, self.trials))

    def show(self, finished):
        """Prints what has ended since the last line, what runs, and the time left."""
        for name in finished[len(self.finished) :]:
            print(f"{name}: done ({len(finished)} of {self.count})", flush=True)
        self.finished = [*finished]
        running = [
            f"{trial.name} {self._epochs(trial):.1f}/{trial.recipe.training.epochs}"
            for trial in self.trials
            if trial.name not in finished and self._epochs(trial)
        ]
        done = sum(map(self._done, self.trials))
        if running and done > self.before:
            elapsed = time.monotonic() - self.started
            left = elapsed * (self._total() - done) / (done - self.before)
            line = f"epochs: {', '.join(running)}; about {left / 60:.0f} min left"
            print(line, flush=True)

    def _total(self):
        """The work of all trials; unknown ones count as the mean of the others."""
        work = sum(
            self._done(trial)  # it may have stopped early
            if trial.name in self.finished
            else trial.work * trial.recipe.training.epochs
            for trial in self.trials
        )
        return work * self.count / len(self.trials)

    def _done(self, trial):
        return trial.work * self._epochs(trial)

    def _epochs(self, trial):
        counter = self.counters.get(trial.name)
        return max(self._epochs_written(trial), counter.value if counter else 0.0)

    def _epochs_written(self, trial):
        path = os.path.join(self.folder, trial.name, "metrics.csv")
        if not os.path.exists(path):
            return 0
        with open(path, newline="", encoding="utf-8") as file:
            return sum(1 for _ in csv.DictReader(file))


def markdown(header: list[str], rows: list[list]) -> str:
    """Returns a Markdown table; numbers stand as they were formatted."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def save_report(folder: str, name: str, text: str, figure=None):
    """Writes `name`.md and, where there is a Matplotlib figure, `name`.png."""
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, name)
    if figure is not None:
        figure.savefig(path + ".png", dpi=150, bbox_inches="tight")
        text += f"\n\n![{name}]({name}.png)"
    with open(path + ".md", "w", encoding="utf-8") as file:
        file.write(text + "\n")
    print(f"{text}\n\nwritten: {path}.md", flush=True)


def new_figure(columns: int = 1, width: float = 6.0):
    """Returns a Matplotlib figure and its axes in a row.

    Raises:
        ValueError: if Matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ValueError(
            "Plots need Matplotlib: pip install keras_textvae[plot]"
        ) from None
    figure = Figure(figsize=(width * columns, 4.0), layout="constrained")
    return figure, figure.subplots(1, columns, squeeze=False)[0]
