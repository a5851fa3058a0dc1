"""The notebooks run from top to bottom, and show what they say.

To execute one anew, in a checkout with the extra `dev`:

    jupyter execute --inplace --allow-errors=false examples/latent_space.ipynb
"""

import json
import pathlib
import shutil

import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")

ROOT = pathlib.Path(__file__).parents[2]
LARGEST = 150_000  # bytes
LIMIT = 300  # seconds a cell
# The first cell of code of a notebook that trains, for a model of seconds.
SMALL = {
    "own_corpus": """
SENTENCES = 300
EPOCHS = 1
SIZES = {"embedding_dim": 4, "units": 4, "latent_dim": 3}
"""
}
NOTEBOOKS = {path.stem: path for path in sorted((ROOT / "examples").glob("*.ipynb"))}


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def printed(cell):
    """What a cell has printed, line by line."""
    outputs = [x.text for x in cell.outputs if x.output_type == "stream"]
    return "".join(outputs).splitlines()


@pytest.fixture
def execute(tmp_path):
    """A function that executes a notebook as if the checkout were a temporary one."""
    folder = tmp_path / "examples"
    folder.mkdir()
    for name in ("export", "serving"):
        (tmp_path / name).symlink_to(ROOT / name)

    def execute(name):
        shutil.copy(NOTEBOOKS[name], folder)
        notebook = nbformat.read(folder / f"{name}.ipynb", 4)
        if name in SMALL:
            code_cells(notebook)[0].source = SMALL[name]
        client = nbclient.NotebookClient(
            notebook,
            timeout=LIMIT,
            kernel_name="python3",
            coalesce_streams=True,
            resources={"metadata": {"path": str(folder)}},
        )
        return client.execute()

    return execute


def test_there_are_two():
    assert set(NOTEBOOKS) == {"own_corpus", "latent_space"}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_what_is_kept_is_small_and_clean(name):
    assert NOTEBOOKS[name].stat().st_size < LARGEST
    content = json.loads(NOTEBOOKS[name].read_text())
    assert set(content["metadata"]) == {"kernelspec", "language_info"}
    notebook = nbformat.read(NOTEBOOKS[name], 4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert not cell.metadata
    for cell in code_cells(notebook)[2:]:
        assert cell.outputs or "def " in cell.source or '"""' in cell.source
        assert all(x.output_type != "error" for x in cell.outputs)
        assert all(x.get("name") != "stderr" for x in cell.outputs)


def test_the_road_from_a_file_to_a_server_runs(execute):
    cells = {cell.id: cell for cell in code_cells(execute("own_corpus"))}
    (answers,) = [x for x in printed(cells["serve"]) if "same answers" in x]
    assert answers.count("True") == 4 and "False" not in answers
    assert printed(cells["report"])[0].startswith("latent space, on ")


def test_what_the_space_shows_is_what_is_kept(execute):
    """Almost: another processor may choose otherwise between two words as likely."""
    pytest.importorskip("matplotlib")
    kept = code_cells(nbformat.read(NOTEBOOKS["latent_space"], 4))
    again = code_cells(execute("latent_space"))
    pairs = [
        (old, new)
        for before, now in zip(kept, again, strict=True)
        for old, new in zip(printed(before), printed(now), strict=False)
    ]
    assert len(pairs) > 80
    assert sum(old == new for old, new in pairs) > 0.8 * len(pairs)
    assert any(x.output_type == "display_data" for cell in again for x in cell.outputs)
