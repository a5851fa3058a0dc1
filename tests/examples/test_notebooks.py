"""The notebooks run from top to bottom, and show what they say.

After a change, this writes a notebook anew with its outputs:

    python -c "from tests.examples import test_notebooks as t; t.write('latent_space')"
"""

import ast
import itertools
import pathlib
import re
import tempfile

import pytest

REASON = "needs nbclient and ipykernel"
nbclient = pytest.importorskip("nbclient", reason=REASON)
nbformat = pytest.importorskip("nbformat", reason=REASON)
pytest.importorskip("ipykernel", reason=REASON)

ROOT = pathlib.Path(__file__).parents[2]
NOTEBOOKS = {path.stem: path for path in sorted((ROOT / "examples").glob("*.ipynb"))}
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
LARGEST = 150_000  # bytes
LIMIT = 600  # seconds a cell
# The first cell of code of the notebook that trains, for a model of seconds.
SMALL = """
SENTENCES = 300
EPOCHS = 1
SIZES = {"embedding_dim": 4, "units": 4, "latent_dim": 3}
"""


def read(name):
    return nbformat.read(NOTEBOOKS[name], 4)


def execute(notebook, folder):
    """Runs a notebook in a fresh kernel, of this checkout, in another folder."""
    client = nbclient.NotebookClient(
        notebook,
        timeout=LIMIT,
        kernel_name="python3",
        coalesce_streams=True,
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        return client.execute()


def write(name):
    """Runs a notebook as it is, and writes it with what it shows."""
    with tempfile.TemporaryDirectory() as folder:
        notebook = execute(read(name), folder)
    notebook.metadata = nbformat.from_dict(METADATA)
    nbformat.write(notebook, NOTEBOOKS[name])


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook):
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def printed(notebook):
    """The lines that each cell prints, by its id."""
    return {
        cell.id: "".join(x.text for x in outputs_of_text(cell)).splitlines()
        for cell in code_cells(notebook)
    }


def outputs_of_text(cell):
    return [x for x in cell.outputs if x.output_type == "stream"]


def names_in(source):
    """What a cell of code assigns."""
    names = [x for x in ast.walk(ast.parse(source)) if isinstance(x, ast.Name)]
    return {name.id for name in names if isinstance(name.ctx, ast.Store)}


def test_there_are_two():
    assert set(NOTEBOOKS) == {"own_corpus", "latent_space"}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_what_is_kept_is_complete_small_and_clean(name):
    notebook = read(name)
    nbformat.validate(notebook)
    assert NOTEBOOKS[name].stat().st_size < LARGEST
    assert notebook.metadata == METADATA
    assert not any(cell.metadata for cell in notebook.cells)
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == [*range(1, len(cells) + 1)]
    kinds = [output.output_type for output in outputs(notebook)]
    assert set(kinds) <= {"stream", "display_data"}
    assert kinds.count("stream") > len(cells) / 2
    assert kinds.count("display_data") <= 2


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_nothing_is_kept_of_warnings_and_of_the_machine(name):
    notebook = read(name)
    assert all(x.get("name", "stdout") == "stdout" for x in outputs(notebook))
    text = "\n".join(itertools.chain(*printed(notebook).values()))
    assert not re.search(r"warning|info:|%\||(?<![\w.])/\w+/", text, re.IGNORECASE)


def test_the_road_from_a_file_to_a_server_runs(tmp_path):
    notebook = read("own_corpus")
    sizes = code_cells(notebook)[0]
    assert names_in(sizes.source) == names_in(SMALL)
    sizes.source = SMALL
    lines = printed(execute(notebook, tmp_path))
    assert lines.keys() == printed(read("own_corpus")).keys()
    assert lines["serve"][-1].count("True") == 4
    assert "False" not in lines["serve"][-1]
    assert lines["report"][0].startswith("latent space, on ")


def test_what_the_space_shows_is_what_is_kept(tmp_path):
    """Nine lines in ten: another processor may choose between two words otherwise."""
    pytest.importorskip("matplotlib")
    notebook = execute(read("latent_space"), tmp_path)
    kept, lines = printed(read("latent_space")), printed(notebook)
    pairs = [
        pair for cell in kept for pair in itertools.zip_longest(kept[cell], lines[cell])
    ]
    assert len(pairs) > 80
    assert sum(old == new for old, new in pairs) > 0.9 * len(pairs)
    assert [x.output_type for x in outputs(notebook)].count("display_data") == 2
