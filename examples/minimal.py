"""From a file of sentences to a path between its first two, part by part.

    python examples/minimal.py --file=sentences.txt

Words are separated by blanks. A few thousand sentences of one kind take minutes.
`train.py` has what is not here: validation, texts of any kind, recipes, runs.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from absl import flags

from keras_textvae.command_line import quiet_imports, run

with quiet_imports():
    import keras
    import numpy as np

    import keras_textvae as tv

FLAGS = flags.FLAGS


def define_flags():
    flags.DEFINE_string("file", None, "sentences, one a line; must be given")
    flags.DEFINE_integer("epochs", 10, "times that each sentence is seen", 1)


def main(argv):
    if len(argv) > 1 or not FLAGS.file:
        raise ValueError("--file is needed, and no argument without a name.")
    tokenizer = tv.WordTokenizer.learn(FLAGS.file, size=10_000)
    codec = tv.Codec(tokenizer, length=20)
    texts = np.array([text for _, text in tv.corpora.read_lines(FLAGS.file)])
    x = codec.ids(texts[codec.fits(texts)]).numpy()  # [N, T]
    if len(x) < 2:
        raise ValueError("--file needs two sentences of at most 20 words.")

    encoder = tv.LSTMEncoder(codec.vocabulary_size, 128, 128, pooling="max")
    posterior = tv.DiagonalGaussian(latent_dim=32)  # N(mean(x), variance(x))
    decoder = tv.LSTMDecoder(codec.vocabulary_size, 128, 128, keep_rate=0.6)
    # -log p(x|z) + beta KL(q(z|x) || N(0, I)), where the KL's weight rises from 0
    objective = tv.Objective(beta=0.2)
    annealing = tv.KLAnnealing(tv.schedules.linear(0, 2 * -(-len(x) // 32)))

    vae = tv.TextVAE(encoder, posterior, decoder, objective)
    vae.compile(keras.optimizers.Adam(3e-3))
    vae.fit(x, batch_size=32, epochs=FLAGS.epochs, callbacks=[annealing])

    first, last = posterior.mode(encoder(x[:2]))  # [D], [D]
    z = tv.paths.line(first, last, np.linspace(0, 1, 8, dtype="float32")[:, None])
    ids = tv.generation.generate(decoder, z, codec.positions)  # the likeliest of p(x|z)
    print(*(text.decode() for text in codec.decode(ids).numpy()), sep="\n")


if __name__ == "__main__":
    run(main, define_flags)
