"""How texts are dealt out to the files of splits."""

import hashlib

import numpy as np
import pytest

from keras_textvae.corpora import dealing


def dealt(folder, *parts, drop=False, share=0.2):
    """Deals texts, and returns the lines of each split, and duplicates."""
    folder.mkdir()
    splits = ["train", "valid", "test"]
    with dealing.Dealer(str(folder), splits, splits[1:], share, "kind") as dealer:
        for texts in parts:
            dealer.add("train", texts, [None] * len(texts))
        duplicates = dealer.finish(drop)
    lines = {s: (folder / f"{s}.txt").read_bytes().splitlines() for s in splits}
    assert {s: len(some) for s, some in lines.items()} == dealer.counts
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        f"{split}.txt" for split in splits
    )
    return lines, duplicates


def test_the_hash_of_a_text_decides_on_its_split(tmp_path):
    texts = [b"text %d" % number for number in range(2000)]
    lines, duplicates = dealt(tmp_path / "a", texts[:300], texts[300:])
    assert sum(duplicates.values()) == 0

    def owner(text):
        digest = hashlib.blake2b(text, digest_size=8).digest()
        place = int.from_bytes(digest, "little") / 2**64
        return "valid" if place < 0.2 else "test" if place < 0.4 else "train"

    for split, some in lines.items():
        assert some == [text for text in texts if owner(text) == split]
    assert abs(len(lines["valid"]) - 400) < 60 and abs(len(lines["test"]) - 400) < 60
    mixed = [texts[n] for n in np.random.default_rng(0).permutation(len(texts))]
    other, _ = dealt(tmp_path / "b", mixed)
    assert {s: {*some} for s, some in other.items()} == {
        s: {*some} for s, some in lines.items()
    }


def test_duplicates_are_on_one_side_and_dropped_if_asked(tmp_path):
    texts = [b"text %d" % (number % 70) for number in range(200)]
    lines, duplicates = dealt(tmp_path / "a", texts[:90], texts[90:])
    assert sum(map(len, lines.values())) == 200
    assert sum(len({*some}) for some in lines.values()) == 70
    assert sum(duplicates.values()) == 130
    dropped, same = dealt(tmp_path / "b", texts[:90], texts[90:], drop=True)
    assert same == duplicates
    assert dropped == {split: [*dict.fromkeys(some)] for split, some in lines.items()}


def test_a_text_is_one_line(tmp_path):
    texts = [b" a\r\n\nb\t", b"\n", b"\xef\xbb\xbf c", b"d\re", b"", b"f\x0bg\xc2\x85h"]
    with dealing.Dealer(str(tmp_path), ["train"], [], 0.0, "kind") as dealer:
        dealer.add("train", texts, ["1", None, "2", "3", None, "4"])
        dealer.finish(False)
    lines = [b"a b", b"c", b"d e", b"f\x0bg\xc2\x85h"]
    assert dealer.empty == 2
    assert (tmp_path / "train.txt").read_bytes() == b"".join(x + b"\n" for x in lines)
    table = [b"kind\ttext", *(b"%d\t%b" % row for row in enumerate(lines, start=1))]
    assert (tmp_path / "train.tsv").read_bytes() == b"".join(x + b"\n" for x in table)


def test_all_texts_have_labels_or_none(tmp_path):
    with dealing.Dealer(str(tmp_path), ["train"], [], 0.0, "kind") as dealer:
        dealer.add("train", [b" ", b"a"], [None, "x"])
        for labels in ([None, "y"], [None, None]):
            with pytest.raises(ValueError, match="Some of the texts have labels"):
                dealer.add("train", [b"b", b"c"], labels)
