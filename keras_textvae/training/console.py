"""What a training prints: what it is on, how far it is, and what came of it."""

import os
import random
import sys
import time
from typing import TYPE_CHECKING

import keras

from keras_textvae import corpora, evaluation
from keras_textvae.callbacks import CollapseWarning
from keras_textvae.corpora import Corpus
from keras_textvae.prepared import PreparedCorpus
from keras_textvae.training.curves import Curves
from keras_textvae.training.run import Run

if TYPE_CHECKING:
    from keras_textvae.text_space import TextSpace

UNKNOWN_SHARE = 0.05  # of all words; above it there is a warning
REPORTED = 1000  # sentences, most, from which the latent space is judged


class Remaining(keras.callbacks.Callback):
    """Prints the bound after each epoch, and when the last one should end."""

    def on_train_begin(self, logs: dict | None = None):
        self.started = time.monotonic()
        self.epochs = 0

    def on_epoch_end(self, epoch: int, logs: dict):
        self.epochs += 1
        epochs = (self.params or {})["epochs"]
        seconds = (time.monotonic() - self.started) / self.epochs
        left = seconds * (epochs - epoch - 1) / 60
        parts = f"{logs['val_reconstruction']:.2f} + KL {logs.get('val_kl', 0.0):.2f}"
        print(
            f"epoch {epoch + 1} of {epochs}: valid bound {logs['val_loss']:.2f} = "
            f"{parts} nats, {seconds:.0f} s an epoch, at most {left:.0f} min left",
            flush=True,
        )


def train(run: Run):
    """Trains a run, and prints how far it is: on a terminal, after each step.

    Of several processes the first alone prints.
    """
    if not run.leads:
        run.train(verbose=0)
        return
    describe(run)
    verbose = 1 if sys.stdout.isatty() else 2
    curves = Curves(run)

    def begin(run):
        announce(run)
        curves.run = run

    run.train([Remaining(), CollapseWarning(), curves], verbose, begin)


def describe_files(corpus: Corpus):
    """Prints the figures of a corpus that was collected, see `corpora.collect`."""
    if (collected := corpora.collected(corpus)) is None:
        return
    print(f"texts: {_counts(collected.texts)}, in {os.path.dirname(corpus.train[0])}")
    if collected.paragraphs:
        print(f"split into sentences: {collected.paragraphs:,}")
    if collected.empty:
        print(f"blank, skipped: {collected.empty:,}")
    if any(collected.duplicates.values()):
        kept = "dropped" if collected.dropped else "kept (see --drop_duplicates)"
        print(f"duplicates, {kept}: {_counts(collected.duplicates)}")


def describe_corpus(corpus: PreparedCorpus):
    """Prints what is in each split of a corpus."""
    pieces = corpus.text.get("level", "words or characters")
    for split in corpus.splits:
        width = split.characters_a_piece
        characters = f" of {width:.1f} characters" if width and width > 1 else ""
        repeated = f", {split.duplicates:,} duplicates" if split.duplicates else ""
        print(
            f"{split.name}: {split.sentences:,} sentences of {split.shortest} to "
            f"{split.longest} {pieces}{characters}, {split.tokens:,} tokens, "
            f"{split.unknown_share:.1%} unknown, {split.too_long:,} too long{repeated}"
        )
        if split.unknown_share > UNKNOWN_SHARE:
            limited = corpus.vocabulary_size == corpus.text.get("vocabulary")
            remedy = "a larger --vocabulary" if limited else "more training text"
            print(
                f"warning: {split.unknown_share:.1%} of {split.name}'s {pieces} are "
                "unknown to the vocabulary, and no model can write them: try "
                f"{remedy}, or subwords (--level)."
            )
    usual = ", which 99% of the training sentences have at most"
    chosen = usual if corpus.text.get("length") is None else ""
    print(f"vocabulary {corpus.vocabulary_size:,}, length {corpus.length}{chosen}")


def describe(run: Run):
    """Prints what is about to be trained, on what, and with how much."""
    print(run.recipe.reference)
    print(f"{run.devices}, {run.model.count_params():,} parameters")
    describe_corpus(run.corpus)
    print(f"{run.steps_per_epoch:,} steps an epoch, {_epochs(run)} at most")
    print(f"run folder: {run.folder}", flush=True)


def announce(run: Run):
    """Prints which run begins, a stage or the last, and where it goes on."""
    stage = os.path.basename(run.folder) if "stages" in run.folder else "training"
    if run.epochs_done:
        print(f"{stage}: going on after epoch {run.epochs_done}", flush=True)
    elif stage != "training" or run.recipe.stages:
        print(f"{stage}: {_epochs(run)} at most", flush=True)


def _epochs(run):
    epochs = run.recipe.training.epochs
    return f"{epochs} epoch" + "s" * (epochs != 1)


def report(run: Run, samples: int = 5):
    """Prints the test set's figures of the best epoch.

    Args:
        run: `Run`, trained.
        samples: int. Texts of the prior to print at the end, if the model writes any,
            after a look at the latent space; 0 for neither.
    """
    result = run.test(run.best_model())
    split = "test" if run.corpus.has_test else "valid"
    text = run.recipe.text
    unit = f"crop of {text.length}" if text.form == "crop" else "sentence"
    print(
        f"{split}: bound {result.bound:.2f} nats per {unit} = reconstruction "
        f"{result.reconstruction:.2f} + KL {result.kl:.2f}"
    )
    if text.level == "words" and run.corpus.test.too_long and text.too_long == "cut":
        print(f"perplexity {result.perplexity:.1f}")  # not every sentence has an end
    elif text.level == "words":
        print(
            f"perplexity {result.perplexity:.1f} with the end of sentence counted, "
            f"{result.perplexity_without_eos:.1f} without"
        )
    else:
        print(f"{result.bits_per_token:.3f} bits per {text.level.removesuffix('s')}")
    if components := run.recipe.density.components:
        flag = "" if run.recipe.density.fitted else " --fitted"
        gaussians = "a Gaussian" if components == 1 else f"{components} Gaussians"
        print(f"density of {gaussians}: examples/sample.py{flag} draws from it")
    if not samples:
        return
    if keras.backend.backend() != "tensorflow":
        print(f"for samples, on TensorFlow: examples/sample.py --run_dir={run.folder}")
        return
    space = run.best()
    if space.model.latent_dim:
        report_space(run, space)
    if not space.model.decoder.ordered:
        return
    print("samples:")
    texts = space.sample(samples, seed=run.seed)
    print(*(f"  {text}" for text in texts), sep="\n")


def report_space(run: Run, space: "TextSpace"):
    """Prints the report on the latent space in short, on some test sentences."""
    try:
        texts = list(corpora.read_texts(run.corpus.files.held_out))
    except OSError as error:  # the ids may be all there is
        print(f"no look at the latent space: {error}")
        return
    some = random.Random(run.seed).sample(texts, min(len(texts), REPORTED))
    judged = evaluation.report(
        space, some, samples=0, paths=0, importance_samples=0, seed=run.seed
    )
    print(judged.short())
    print(f"all of it: examples/report.py --run_dir={run.folder}")


def _counts(by_split) -> str:
    counts = ", ".join(f"{split} {count:,}" for split, count in by_split.items())
    return f"{sum(by_split.values()):,} ({counts})"
