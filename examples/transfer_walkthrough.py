r"""From unlabelled sentences to a served classifier, step by step.

    python examples/transfer_walkthrough.py

A script to read and to copy: each cell (`# %%`) is a step, and can be run alone in an
editor that knows cells. The sentences are the built-in corpus's, whose topics are
known, so that nothing is downloaded; docs/transfer.md explains the choices. On two
cores it takes some minutes.
"""

# %% The package: it need not be installed to run this from its folder.
import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # see `keras_textvae.command_line`
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import keras
import numpy as np

from keras_textvae import (
    Objective,
    Text,
    TextSpace,
    bag_of_words_vae,
    corpora,
    grammar,
    open_space,
    prepare,
    transfer,
)

FOLDER = pathlib.Path("runs/transfer-walkthrough")
FOLDER.mkdir(parents=True, exist_ok=True)
keras.utils.set_random_seed(0)

# %% 1. Many sentences without labels, one a line.
unlabelled = [example.text for example in grammar.generate(20_000, seed=0)]
(FOLDER / "sentences.txt").write_text("\n".join(unlabelled[:-1000]) + "\n")
(FOLDER / "valid.txt").write_text("\n".join(unlabelled[-1000:]) + "\n")

# %% 2. Pretrain a VAE on them. Words are hidden from the encoder (`keep_rate`), and the
# KL weighs little (`beta`), so that z says as much as it can of what a text is about.
corpus = prepare(
    corpora.from_files(FOLDER / "sentences.txt", FOLDER / "valid.txt"),
    Text("words", length=40),
)
model = bag_of_words_vae(
    corpus.vocabulary_size, 64, 64, latent_dim=16, objective=Objective(beta=0.1)
)
model.compile(keras.optimizers.Adam(5e-3))
model.fit(
    corpus.train.batches(64, shuffle=True),
    validation_data=corpus.valid.batches(64),
    epochs=6,
    verbose=2,
)
space = TextSpace(model, corpus.codec)
space.save(str(FOLDER / "space"))

# %% 3. A few sentences with labels: 20 of each topic; and others to test with.
examples = [*grammar.generate(3000, seed=1)]
labels = [example.labels.topic for example in examples]
topics = sorted({*labels})
rows = [i for t in topics for i in np.flatnonzero(np.array(labels) == t)[:20]]
texts, few = [examples[i].text for i in rows], [labels[i] for i in rows]
test = [*grammar.generate(1000, seed=2)]
test_texts = [example.text for example in test]
test_labels = np.array([example.labels.topic for example in test])


def accuracy(labelled):
    """Returns the share of test sentences whose topic is found."""
    return np.mean(np.array(labelled.classify(test_texts).label) == test_labels)


# %% 4. What can a linear classifier read off the encoder as it is?
probe = transfer.linear_probe(space, texts, few, folds=5)
print(f"linear probe: {np.mean(probe.accuracy):.1%} of the labelled sentences")

# %% 5. A head on the encoder: frozen, and trained along with it; and, to compare, the
# same network from new weights.
for name, pretrained, encoder in (
    ("from scratch", False, "fine_tuned"),
    ("frozen", True, "frozen"),
    ("fine-tuned", True, "fine_tuned"),
):
    labelled = transfer.classifier(space, topics, pretrained=pretrained)
    transfer.fit(labelled, texts, few, encoder=encoder, learning_rate=3e-3)
    print(f"{name}: {accuracy(labelled):.1%} of the test sentences")

# %% 6. Labels and the bound of unlabelled sentences at once.
joint = transfer.semi_supervised(space, topics, vae_weight=0.05)
transfer.fit(joint, texts, few, unlabelled=unlabelled, learning_rate=3e-3)
print(f"semi-supervised: {accuracy(joint):.1%} of the test sentences")

# %% 7. Keep it. `export/export_saved_model.py --run_dir=runs/transfer-walkthrough/joint
# --output_dir=exported/topics` exports it, `serving/server.py` serves it, and
# `python serving/client classify --text="..."` asks it.
joint.save(str(FOLDER / "joint"))
again = open_space(str(FOLDER / "joint"))
print(test_texts[0], "->", again.classify(test_texts[:1]).label[0])
