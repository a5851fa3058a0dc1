"""The special ids that every room agrees on.

A sentence is ``<bos> w ... w <eos> <pad> ...``; words and characters follow from
`FIRST_WORD` on.
"""

PAD = 0
BOS = 1
EOS = 2
UNK = 3
SPECIAL_TOKENS = ("<pad>", "<bos>", "<eos>", "<unk>")
FIRST_WORD = len(SPECIAL_TOKENS)
