"""What several of these tests train on."""

WORDS = "the a cat dog bird sees likes hears old young".split()


def write_corpus(folder, train, valid):
    """Writes so many sentences of several lengths; returns the flags that name them."""
    lines = [
        " ".join(WORDS[(i * j + j) % 10] for j in range(2, 4 + i % 11))
        for i in range(train + valid)
    ]
    for split, some in (("train", lines[:train]), ("valid", lines[train:])):
        (folder / f"{split}.txt").write_text("\n".join(some) + "\n")
    return [f"--{split}_files={folder}/{split}.txt" for split in ("train", "valid")]
