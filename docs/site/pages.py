"""The site's pages: those of the repository, and one for each room of the package.

A page has the place in the site that it has in the repository, so that links from one
to the other hold in both.
"""

import ast
import base64
import json
import pathlib
import re

from mkdocs.structure.files import File

ROOT = pathlib.Path(__file__).parents[2]
PAGES = (
    *("README.md", "CHANGELOG.md", "serving/README.md", "benchmarks/README.md"),
    *("docs/*.md", "docs/*/*.md", "docs/*.png", "docs/*/*.png"),
    "docs/presets/*.html",
)
CARDS = "keras_textvae/pretrained/weights/*/README.md"
PROGRAMS = "examples/*.py"
NOTEBOOKS = "examples/*.ipynb"
PACKAGE = "keras_textvae"


def on_config(config):
    """Puts the pages of the API and the presets' cards into the navigation."""
    (presets,) = [x["Trained spaces"] for x in config.nav if "Trained spaces" in x]
    for card in sorted(ROOT.glob(CARDS)):
        presets.append({card.parent.name: card.relative_to(ROOT).as_posix()})
    (api,) = [entry for entry in config.nav if "API" in entry]
    pages = {"Overview": "api/index.md"} | {x: f"api/{x}.md" for x in rooms()}
    api["API"] = [{title: page} for title, page in pages.items()]
    return config


def on_page_markdown(markdown, page, config, files):
    """Leaves out the navigation beside a page that stands alone in it.

    Links to notebooks lead to their pages.
    """
    if page.parent is None:
        page.meta["hide"] = ["navigation"]
    return re.sub(r"\(([\w/.]+)\.ipynb\)", r"(\1.md)", markdown)


def on_files(files, config):
    """Adds the repository's pages, the programs as text, and the pages of the API."""
    for pattern in (*PAGES, CARDS, PROGRAMS):
        for path in sorted(ROOT.glob(pattern)):
            place = path.relative_to(ROOT).as_posix()
            file = File.generated(config, place, abs_src_path=str(path))
            if pattern == PROGRAMS:
                file.dest_uri = f"{place}.txt"  # browsers show text, and save Python
            files.append(file)
    for path in sorted(ROOT.glob(NOTEBOOKS)):
        place = path.relative_to(ROOT).with_suffix(".md").as_posix()
        markdown, images = of_notebook(path)
        files.append(File.generated(config, place, content=markdown))
        for name, image in images.items():
            files.append(File.generated(config, f"examples/{name}", content=image))
    files.append(File.generated(config, "api/index.md", content=overview()))
    for room in rooms():
        content = api_of(room)
        files.append(File.generated(config, f"api/{room}.md", content=content))
    return files


def of_notebook(path: pathlib.Path) -> tuple[str, dict[str, bytes]]:
    """Returns a notebook as Markdown, with its outputs, and its images by name."""
    parts, images = [], {}
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        parts.append(
            source if cell["cell_type"] == "markdown" else f"```py\n{source}\n```"
        )
        for output in cell.get("outputs", []):
            if output["output_type"] == "stream":
                parts.append(f"```text\n{''.join(output['text'])}```")
            elif image := output.get("data", {}).get("image/png"):
                name = f"{path.stem}-{cell['id']}.png"
                images[name] = base64.b64decode(image)
                parts.append(f"![{cell['id']}]({name})")
    return "\n\n".join(parts), images


def rooms() -> list[str]:
    """Returns the package's rooms, its folders and files, by name."""
    folder = ROOT / PACKAGE
    names = [path.stem for path in folder.glob("[!_]*.py")]
    return sorted(names + [path.parent.name for path in folder.glob("*/__init__.py")])


def syntax_of(room: str | None = None) -> ast.Module:
    """Returns the syntax of what a room's `__init__.py`, or only file, has."""
    folder = ROOT / PACKAGE / (room or "")
    path = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    return ast.parse(path.read_text(encoding="utf-8"))


def public_names(room: str) -> list[str]:
    """Returns what a room imports as `X as X`, and what it defines without a `_`."""
    names = []
    for node in syntax_of(room).body:
        if isinstance(node, ast.ImportFrom):
            names += [x.name for x in node.names if x.name == x.asname]
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.Assign):
            names += [x.id for target in node.targets for x in _names(target)]
        elif isinstance(node, ast.AnnAssign):
            names.append(node.target.id)
    return [name for name in names if not name.startswith("_")]


def _names(target):
    return [node for node in ast.walk(target) if isinstance(node, ast.Name)]


def api_of(room: str) -> str:
    """Returns the page of a room: what its docstring says, and each public name."""
    module = f"{PACKAGE}.{room}"
    options = "{members: false, show_root_heading: false, show_root_toc_entry: false}"
    about = f"::: {module}\n    options: {options}"
    names = [f"::: {module}.{name}" for name in public_names(room)]
    return "\n\n".join([f"# {module}", about, *names])


def overview() -> str:
    """Returns the page of all rooms, and of what `keras_textvae` itself names."""
    lines = [
        "# The API",
        "Names below a room's purpose are those that `keras_textvae` itself has too.",
        "",
        "| room | what it is for |",
        "|---|---|",
    ]
    for room in rooms():
        purpose = ast.get_docstring(syntax_of(room)).split("\n\n")[0]
        purpose = " ".join(purpose.split()).replace("|", "\\|")
        names = [f"[`{x}`][{PACKAGE}.{room}.{x}]" for x in names_of_package(room)]
        cell = purpose + ("<br>" + " ".join(names) if names else "")
        lines.append(f"| [`{room}`]({room}.md) | {cell} |")
    return "\n".join(lines)


def names_of_package(room: str) -> list[str]:
    """Returns the names of a room that the package's `__init__.py` imports."""
    imports = [x for x in ast.walk(syntax_of()) if isinstance(x, ast.ImportFrom)]
    own = [node for node in imports if node.module == f"{PACKAGE}.{room}"]
    names = [x.name for node in own for x in node.names if x.name == x.asname]
    return [name for name in names if name in public_names(room)]
