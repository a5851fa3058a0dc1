"""The card of a preset: what it is, in Markdown, as the Hugging Face Hub shows it."""

import json

from keras_textvae.pretrained.preset import Preset

# What a card calls the figures of a report; {piece} is a word or a character.
LABELS = {
    "bound": "bound, nats a text",
    "reconstruction": "reconstruction, nats a text",
    "kl": "KL, nats a text",
    "importance_weighted": "importance-weighted NLL, nats a text",
    "mutual_information": "mutual information, nats",
    "active": "active dimensions",
    "dimensions": "dimensions",
    "in_place": "{piece}s in place, share",
    "exact": "exact reconstructions, share",
    "bleu": "BLEU of reconstructions",
    "neighbour_bleu": "BLEU between neighbours of a path",
    "samples": "nats a {piece} of greedy samples, over reconstructions'",
    "midpoints": "nats a {piece} of paths' midpoints, over reconstructions'",
}
# What a report counts, where it is no word; by what texts are cut into.
PIECES = {"characters": "character", "bytes": "character"}
_ENDS = "It was raining.", "I am going home."


def card(preset: Preset) -> str:
    """Returns the card; what the maker did not say is left out."""
    about = preset.about
    piece = PIECES.get(preset.level, "word")
    return "\n\n".join([*_head(preset), *_sections(about, piece)]) + "\n"


def _head(preset):
    about = preset.about
    yield _front_matter(about)
    yield f"# {preset.name}"
    yield (
        f"{about.summary} A text space of keras_textvae, {preset.level}, "
        f"{preset.parameters:,} parameters, {preset.size / 1e6:.1f} MB."
    ).strip()
    yield "\n".join(["```python", *_use(preset), "```"])


def _use(preset):
    """Yields lines of Python that show what the space can do."""
    start, end = (
        json.dumps(text, ensure_ascii=False) for text in preset.about.ends or _ENDS
    )
    show = {
        "sample": r'print(*space.sample(10), sep="\n")',
        "interpolate": (
            f'print(*space.interpolate({start}, {end}, steps=10), sep="\\n")'
        ),
        "encode": f"print(space.features([{start}, {end}]).shape)  # see `transfer`",
    }
    yield "from keras_textvae import TextSpace"
    yield ""
    yield f'space = TextSpace.from_preset("{preset.name}")'
    for method, line in show.items():
        if method in preset.methods:
            yield line


def _front_matter(about):
    """Returns what the Hub reads: YAML, of which JSON strings are a part."""
    fields = {
        "library_name": "keras_textvae",
        "license": about.licence.lower(),
        "language": about.language,
    }
    lines = [f"{key}: {json.dumps(value)}" for key, value in fields.items() if value]
    tags = "tags: [variational-autoencoder, text-generation, keras]"
    return "\n".join(["---", *lines, tags, "---"])


def _sections(about, piece):
    said = {
        "Data and licence": " ".join(
            filter(
                None,
                (
                    about.corpus and f"Trained on {about.corpus}.",
                    about.licence and f"The weights are {about.licence}.",
                    about.attribution,
                ),
            )
        ),
        "Figures": _table(about.figures, piece),
        **{heading: _block(texts) for heading, texts in about.excerpts.items()},
        "Limits": about.limits,
        "How it was trained": about.command and _block([about.command]),
    }
    for heading, content in said.items():
        if content:
            yield f"## {heading}\n\n{content}"


def _table(figures, piece):
    if not figures:
        return ""
    rows = [
        f"| {LABELS.get(name, name).format(piece=piece)} | {value:.4g} |"
        for name, value in figures.items()
    ]
    return "\n".join(["| | |", "|---|---|", *rows])


def _block(texts):
    return "\n".join(f"    {text}" for text in texts)
