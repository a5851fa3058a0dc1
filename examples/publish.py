r"""Makes a preset of a trained run: small, with a card, for `TextSpace.from_preset`.

    python examples/report.py --run_dir=runs/short-english --paths=500
    python examples/publish.py --run_dir=runs/short-english --output=short-english \
        --about=about.json

The folder is what `TextSpace.from_preset` takes, and what the Hugging Face Hub shows as
a model (`hf upload OWNER/NAME short-english`). Its card has the report's figures, its
first paths, reconstructions and samples, and what about.json says, as far as it does:

    {"summary": "...", "corpus": "...", "language": "en", "licence": "CC-BY-2.0",
     "attribution": "...", "command": "...", "limits": "...",
     "ends": ["one text", "another, to which its example leads"]}
"""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from absl import flags

from keras_textvae.command_line import quiet_imports, run

with quiet_imports():
    import keras_textvae
    from keras_textvae import pretrained
    from keras_textvae.atomic_files import read_json

FLAGS = flags.FLAGS
SAID = (
    *("summary", "corpus", "language", "licence", "attribution", "command"),
    *("limits", "ends"),
)


def define_flags():
    # In a function, so that importing this module leaves a program's flags alone.
    text = flags.DEFINE_string
    text("run_dir", None, "run or text space; must be given")
    text("output", None, "folder of the preset, whose name is its own; must be given")
    text("about", None, "JSON file of what its card says, see above (default: nothing)")
    text("report", None, "report.json of it (default: RUN_DIR/report/report.json)")
    flags.DEFINE_bool("bfloat16", True, "round the weights to half of their bytes")


def main(argv):
    if len(argv) > 1 or not (FLAGS.run_dir and FLAGS.output):
        raise ValueError(
            "--run_dir and --output are needed, and no argument without a name."
        )
    said = read_json(FLAGS.about) if FLAGS.about else {}
    if not isinstance(said, dict) or not {*said} <= {*SAID}:
        raise ValueError(f"{FLAGS.about} has no fields but {', '.join(SAID)}.")
    report = FLAGS.report or os.path.join(FLAGS.run_dir, "report", "report.json")
    if not os.path.exists(report):
        raise ValueError(
            f"{report} is not there: examples/report.py --run_dir={FLAGS.run_dir} "
            "writes it."
        )
    content = read_json(report)
    about = pretrained.About(
        **said, figures=figures(content), excerpts=excerpts(content)
    )
    space = keras_textvae.open_space(FLAGS.run_dir)
    space.save_to_preset(FLAGS.output, about, FLAGS.bfloat16)
    print(pretrained.read(FLAGS.output))


def figures(report: dict) -> dict[str, float]:
    """Returns the figures of a report that a card has."""
    likelihood, use = report["likelihood"], report["use"]
    weighted = likelihood["importance_weighted"] or {}
    paths = report["paths"] or {}
    again = report["reconstruction"] or {}
    found = {
        "bound": likelihood["bound"],
        "reconstruction": likelihood["reconstruction"],
        "kl": likelihood["kl"],
        "importance_weighted": weighted.get("nll"),
        "mutual_information": use["mutual_information"],
        "active": use["active"],
        "dimensions": use["dimensions"],
        "in_place": again.get("in_place"),
        "exact": again.get("exact"),
        "bleu": again.get("bleu"),
        "neighbour_bleu": paths.get("neighbour_bleu"),
        **fluency(report["texts"]),
    }
    return {name: value for name, value in found.items() if value is not None}


def fluency(texts: list[dict]) -> dict[str, float | None]:
    """Returns nats a word of what a space writes, over those of its reconstructions.

    Of the greedy samples that are its own, and of paths' midpoints.
    """
    nats = {judged["name"]: judged["nll"] for judged in texts}
    written = nats.get("reconstructions")
    if not written:
        return {}
    samples = next(nats[name] for name in nats if name.endswith(", greedy"))
    ratios = {"samples": samples, "midpoints": nats.get("midpoints of paths")}
    return {name: value and value / written for name, value in ratios.items()}


def excerpts(report: dict) -> dict[str, list[str]]:
    """Returns the first examples of a report, by heading."""
    examples = report["examples"]
    pairs = [[text, f"-> {again}"] for text, again in examples["reconstructions"]]
    parts = {"Reconstructions": sum(pairs, [])}
    for name, texts in examples["samples"].items():
        parts[f"Samples: {name}"] = texts
    for number, path in enumerate(examples["paths"], start=1):
        parts[f"Path {number}"] = path
    return {f"{heading} (unpicked)": texts for heading, texts in parts.items() if texts}


if __name__ == "__main__":
    run(main, define_flags)
