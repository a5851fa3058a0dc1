r"""Draws sentences from the prior of a trained model, or from its fitted density.

    python examples/sample.py --run_dir=runs/demo --count=10
    python examples/sample.py --run_dir=runs/demo --temperature=0.8 \
        --top_p=0.95 --json

--fitted draws z from the density that train.py --density fitted to the posteriors. The
same seed draws the same sentences. --json prints `seed` and `text` of each.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from absl import flags

from keras_textvae.command_line import quiet_imports, run

with quiet_imports():
    from examples import texts
    from export import space_flags

FLAGS = flags.FLAGS


def define_flags():
    # In a function, so that importing this module leaves a program's flags alone.
    space_flags.define()
    flags.DEFINE_integer("count", 10, "how many sentences", 1)
    flags.DEFINE_integer("seed", 0, "of the first sentence; each next one has the next")
    flags.DEFINE_float("temperature", 1.0, "below 1, closer to the likeliest; 0 greedy")
    flags.DEFINE_integer("top_k", 0, "only from the k likeliest words; 0 is off")
    flags.DEFINE_float("top_p", 1.0, "only from the likeliest words of this sum")
    flags.DEFINE_bool("fitted", None, "from the fitted density (default: the model's)")
    texts.define_json()


def main(argv):
    space = space_flags.open_space(argv)
    samples = space.sample(
        FLAGS.count,
        FLAGS.seed,
        FLAGS.temperature,
        FLAGS.top_k,
        FLAGS.top_p,
        FLAGS.fitted,
    )
    for seed, text in enumerate(samples, start=FLAGS.seed):
        texts.show({"seed": seed, "text": text})


if __name__ == "__main__":
    run(main, define_flags)
