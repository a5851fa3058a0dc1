"""The whole road in minutes: train, look, export, serve, call over gRPC.

    make demo

trains an LSTM VAE on the built-in corpus in runs/demo, compares its bound with the
corpus's exact entropy, says how many of its samples are sentences of the corpus's
grammar, interpolates and reconstructs, exports a SavedModel, serves it, and calls it
through the client. Run again, it finds the model trained.
"""

import contextlib
import itertools
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from absl import flags, logging

from keras_textvae import command_line

with command_line.quiet_imports():
    from examples.train import INTERRUPTED
    from export.export_saved_model import export
    from keras_textvae import Run, TextSpace, corpora, grammar, prepare, zoo
    from keras_textvae.training import console
    from serving.client import TextVAEClient
    from serving.server import Server

FLAGS = flags.FLAGS

START = "the chef cooked the soup ."
END = "the old farmers will feed the horse ."
SAMPLES = 200  # of which the share is told that are sentences of the grammar
SHOWN = 5


def define_flags():
    flags.DEFINE_string("demo_dir", os.path.join("runs", "demo"), "folder of the demo")


def main(argv):
    if len(argv) > 1:
        raise ValueError(f"Unexpected argument {argv[1]!r}.")
    logging.set_verbosity(logging.ERROR)
    with step("train an LSTM VAE on the built-in corpus"):
        run = train()
    space = run.best()
    with step("compare the bound with the exact entropy"):
        compare(run, space)
    with step("sample, interpolate and reconstruct"):
        look(run, space)
    with step("export a SavedModel"):
        versions = os.path.join(FLAGS.demo_dir, "exported")
        print(export(space, versions))
    with step("serve it, and call it over gRPC"):
        call(versions)
    print("\nDone. The run, its model and the export are in", FLAGS.demo_dir)


@contextlib.contextmanager
def step(what):
    """Announces a step; a failure in it ends the program, saying which it was."""
    print(f"\n== {what} ==", flush=True)
    try:
        yield
    except Exception as error:
        reason = str(error).splitlines() or [type(error).__name__]
        sys.exit(f"demo: failed to {what}: {reason[0]}")


def train() -> Run:
    """Trains the recipe `demo`, or goes on where a killed demo was."""
    recipe = zoo.recipe("demo")
    corpus = prepare(corpora.load("grammar"), recipe.text)
    run = Run(FLAGS.demo_dir, recipe, corpus)
    console.train(run)
    return run


def compare(run: Run, space: TextSpace):
    """Prints the test bound beside what no model can beat."""
    bound = run.test(space.model)
    print(f"bound on the test sentences  {bound.bound:.2f} nats per sentence")
    print(f"  of which reconstruction    {bound.reconstruction:.2f}")
    print(f"  of which KL                {bound.kl:.2f}")
    print(f"exact entropy of the corpus  {grammar.english().entropy():.2f}")


def look(run: Run, space: TextSpace):
    """Prints samples, a path between two sentences, and reconstructions."""
    samples = space.sample(SAMPLES, seed=1)
    in_language = [grammar.labels_of(text.split()) is not None for text in samples]
    print(
        f"{sum(in_language) / SAMPLES:.0%} of {SAMPLES} samples are sentences of the "
        "corpus's language, as those with * are:"
    )
    for text, marked in zip(samples[:SHOWN], in_language, strict=False):
        print(f" {'*' if marked else ' '} {text}")
    print("from one sentence to another:")
    for text in (START, *space.interpolate(START, END, 5), END):
        print(f"   {text}")
    print("sentences of the test set, and their reconstructions:")
    lines = corpora.read_lines(run.corpus.files.test[0])
    originals = [text for _, text in itertools.islice(lines, SHOWN)]
    for original, text in zip(originals, space.reconstruct(originals), strict=True):
        print(f"   {original}\n-> {text}")


def call(versions: str):
    """Serves the newest version, calls `sample` and `interpolate`, and stops."""
    with Server(versions) as server, TextVAEClient(server.address) as client:
        print(f"serving version {server.version} on {server.address}")
        for text in client.sample([1, 2, 3]):
            print(f"   sample       {text}")
        for text in client.interpolate([START], [END], 4)[0]:
            print(f"   interpolate  {text}")
    print("server stopped")


if __name__ == "__main__":
    command_line.run(main, define_flags, INTERRUPTED)
