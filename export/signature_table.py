"""Prints the table of signatures that docs/serving.md has.

python export/signature_table.py
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from keras_textvae.command_line import quiet_imports

with quiet_imports():
    from keras_textvae.text_space import signatures

if __name__ == "__main__":
    print(
        signatures.table(
            signatures.declare("D", labels="C", fitted=False, subwords=True)
        )
    )
