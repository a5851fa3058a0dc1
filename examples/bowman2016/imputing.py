"""Tables 3 and 4 of Bowman et al. 2016: missing words on fiction.

The models read from right to left. The last fifth of each test sentence is hidden, and
completed by the RNNLM with one search of 15 beams, by the VAE with 3 steps of 5. What a
model completed is told apart from true sentences, the validation set's, by classifiers.
Sentences with a word outside the vocabulary are left out of both: no model may complete
one with `<unk>`.
"""

import functools
import math
import time

import keras
import numpy as np

from examples import experiments
from examples.bowman2016.scales import changed
from examples.experiments import Trial, markdown
from examples.keeping import once
from keras_textvae import corpora, evaluation
from keras_textvae.tokens import UNK

HIDDEN_SHARE = 0.2
EXAMPLES = 8
ROWS = 128  # completed, or judged, together
SPLITS = 5  # of the sentences that each classifier is trained and tested on
# Beams, and steps.
SEARCHES = {"RNNLM": (15, 1), "VAE": (5, 3)}
# Table 4: adversarial errors in percent, and nats per sentence.
PAPER_TABLE_4 = {
    "RNNLM": ("28.32", "38.92", "46.01"),
    "VAE": ("22.39", "35.59", "46.14"),
}


def table3(scale, settings):
    """Sentences whose last words are hidden, and how each model ends them."""
    models, judge = trained(scale, settings)
    texts = sentences(judge.corpus.files.test, judge.corpus.codec.tokenizer, EXAMPLES)
    ends = {"true": texts}
    for name, run in models.items():
        ends[name] = run.best().impute([hide(text) for text in texts], *SEARCHES[name])
    lines = []
    for row, text in enumerate(texts):
        shown = len(text.split()) - hidden_words(text)
        lines.append(f"\n    {hide(text)}")
        for name, completed in ends.items():
            end = " ".join(completed[row].split()[shown:])
            lines.append(f"      {name}: {end}")
    text = f"The first {EXAMPLES} test sentences of fiction, unpicked.\n"
    experiments.save_report(settings.folder, "table3", text + "\n".join(lines))


def table4(scale, settings):
    """Adversarial error, and likelihood under another language model."""
    models, judge = trained(scale, settings)
    table = []
    for name, run in models.items():
        print(f"completing and judging: {name}", flush=True)
        inputs = {"sentences": scale.imputed, "splits": SPLITS}
        inputs |= {"judge": judge.epochs_done, "search": SEARCHES[name]}
        judging = functools.partial(judged, run, name, judge, scale.imputed)
        results = once(run, "table4", inputs, judging)
        judgements = [results[kind] for kind in ("unigram", "lstm")]
        errors = [
            f"{100 * kind['error']:.2f} ± {100 * kind['standard']:.2f}"
            for kind in judgements
        ]
        cells = [*errors, f"{results['nll']:.2f}", f"{results['speed']:.1f}"]
        table.append([name, *cells, *PAPER_TABLE_4[name]])
    header = ["model", "unigram, %", "LSTM, %", "NLL", "sentences a second"]
    header += ["paper: unigram", "LSTM", "NLL"]
    text = (
        "Adversarial error, the gap between a classifier's accuracy and 50 %, mean of "
        f"{SPLITS} splits, with its standard error; and the likelihood of the "
        "completed sentences under an RNNLM from left to right, nats per sentence. "
        "Lower is better. "
        f"{scale.imputed or 'All'} test sentences completed, as many true ones of the "
        "validation set.\n\n"
    )
    experiments.save_report(settings.folder, "table4", text + markdown(header, table))


def trained(scale, settings):
    """Trains the models that complete, and the judge; returns their runs, and its."""
    backwards = {"right_to_left": True}
    trials = {
        "RNNLM": changed("bowman2016-fiction-rnnlm", scale, **backwards),
        "VAE": changed("bowman2016-fiction", scale, **backwards),
        "judge": changed("bowman2016-fiction-rnnlm", scale),
    }
    trials = {
        name: Trial(f"fiction/{name}, imputation", recipe, seed)
        for seed, (name, recipe) in enumerate(trials.items())
    }
    experiments.train_all([*trials.values()], settings)
    runs = {name: experiments.load_run(t, settings) for name, t in trials.items()}
    judge = runs.pop("judge")
    return runs, judge


def sentences(files, tokenizer, count):
    """Returns the first sentences of two words or more, all in the vocabulary."""
    texts = [line for path in files for _, line in corpora.read_lines(path)]
    ids = tokenizer.split(texts).to_list()
    usable = [UNK not in row and len(row) > 1 for row in ids]
    return [text for text, keep in zip(texts, usable, strict=True) if keep][:count]


def hidden_words(text) -> int:
    """Returns how many words are the last fifth of a sentence, at least one."""
    return max(1, math.floor(HIDDEN_SHARE * len(text.split())))


def hide(text) -> str:
    """Returns a sentence with "_" for each word of its last fifth."""
    words, count = text.split(), hidden_words(text)
    return " ".join([*words[:-count], *["_"] * count])


def judged(run, name, judge, imputed) -> dict:
    """Completes the test sentences and judges them."""
    space, corpus = judge.best(), judge.corpus.files
    true, source = (
        sentences(files, space.codec.tokenizer, imputed)
        for files in (corpus.valid, corpus.test)
    )
    count = min(len(true), len(source))
    started = time.monotonic()
    completed = complete(run.best(), source[:count], *SEARCHES[name])
    results = {"speed": count / (time.monotonic() - started)}
    with open(run.path("completed.txt"), "w", encoding="utf-8") as file:
        file.writelines(f"{text}\n" for text in completed)
    halves = [
        space.codec.running_ids(texts).to_list() for texts in (true[:count], completed)
    ]
    for kind in evaluation.CLASSIFIERS:
        result = told_apart(halves, space.codec.vocabulary_size, kind)
        results[kind] = {"error": result.error, "standard": result.standard_error}
    scores = [space.score(rows).bound for rows in in_batches(completed)]
    results["nll"] = float(np.mean(np.concatenate(scores)))
    return results


def told_apart(halves, vocabulary_size, kind) -> evaluation.AdversarialError:
    """Returns the mean adversarial error of several splits, as if of one large test.

    Its standard error assumes that the splits test different sentences, as they mostly
    do.
    """
    progress = keras.utils.Progbar(SPLITS, unit_name=f"{kind} split")
    results = []
    for seed in range(SPLITS):
        results.append(
            evaluation.adversarial_error(*halves, vocabulary_size, kind, seed)
        )
        progress.add(1)
    return evaluation.AdversarialError(
        accuracy=float(np.mean([result.accuracy for result in results])),
        sentences=sum(result.sentences for result in results),
        epochs=sum(result.epochs for result in results),
    )


def complete(space, texts, beams, steps) -> list[str]:
    """Hides and completes the last fifth of sentences, with a progress bar."""
    order = np.argsort([len(text.split()) for text in texts], kind="stable")
    batches = in_batches([texts[row] for row in order])
    progress = keras.utils.Progbar(len(batches), unit_name="batch")
    completed = []
    for rows in batches:
        completed += space.impute([hide(text) for text in rows], beams, steps)
        progress.add(1)
    return [completed[row] for row in np.argsort(order)]


def in_batches(texts):
    return [texts[start : start + ROWS] for start in range(0, len(texts), ROWS)]
