"""The house's walls: which room may import which, and where TensorFlow may appear."""

import ast
import pathlib

import pytest

from tests.on_jax import run_on_jax

ROOT = pathlib.Path(__file__).parents[1]
PACKAGE = "keras_textvae"
TOP = "__init__"  # the package's own `__init__.py`, which names what is public

_LEAVES = (
    *("replicas", "losses", "schedules", "samplers", "grammar", "batches", "paths"),
    "mixtures",
    "safetensors",
)
# Every room may also import itself, `tokens` and `atomic_files`.
TABLE = {
    "tokens": set(),
    "atomic_files": set(),
    **{leaf: set() for leaf in _LEAVES},
    "layers": {"losses", "replicas"},
    "posteriors": {"layers"},
    "corpora": {"grammar"},
    "tokenizers": {"corpora"},
    "prepared": {"batches", "corpora", "tokenizers"},
    "encoders": {"layers"},
    "decoders": {"layers"},
    "generation": {"samplers"},
    "imputation": {"generation", "posteriors"},
    "objectives": {"losses", "posteriors", "replicas"},
    "models": {"posteriors", "losses", "objectives", "replicas"},
    "callbacks": set(),
    "evaluation": {
        "encoders",
        "losses",
        "objectives",
        "posteriors",
        "generation",
        "paths",
    },
    "text_space": {
        "generation",
        "imputation",
        "samplers",
        "losses",
        "objectives",
        "posteriors",
        "tokenizers",
        "evaluation",
        "models",
    },
    "space_files": {"mixtures", "models", "safetensors"},
    "pretrained": {"corpora", "space_files"},
    "transfer": {"batches", "models", "text_space"},
}
# What a room may name besides, under `if TYPE_CHECKING`, where nothing is imported.
HINTS = {
    "generation": {"decoders"},
    "imputation": {"models"},
    "models": {"decoders"},
    "evaluation": {"models", "text_space"},
}
TABLE["text_space"] |= {"mixtures", "paths", "pretrained", "space_files"}
TABLE["command_line"] = set()
TABLE["zoo"] = set(TABLE)
TABLE["training"] = set(TABLE)
TABLE[TOP] = set(TABLE)

TENSORFLOW = {"tensorflow", "tensorflow_text"}
# Rooms, or single files of a room, that handle text or TensorFlow's training step.
MAY_USE_TENSORFLOW = {
    "batches/batches.py",
    "replicas",
    "prepared/writing.py",
    "tokenizers",
    "text_space",
    "transfer",
    "models/guarded_step.py",
}

PROGRAMS = ("examples", "export", "serving", "benchmarks")
# Every folder of serving may also import itself, and the servers beside them all.
SERVING = {
    "client": set(),
    "wire": set(),
    "saved_model": {"wire"},
    "models": {"saved_model", "wire"},
    "service": {"models", "saved_model", "wire"},
    "observers": set(),
    "replicas": {"server", "models", "service", "observers"},
}


def imports(tree):
    """Returns (module, name) of every import in a file, wherever it stands."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            found += [(module, alias.name) for alias in node.names]
    return found


def take_hints(tree):
    """Takes what stands under `if TYPE_CHECKING` out of a tree, and returns it."""
    blocks = [node for node in ast.walk(tree) if is_type_checking(node)]
    hints = [statement for block in blocks for statement in block.body]
    for block in blocks:
        block.body = []
    return ast.Module(hints, [])


def is_type_checking(node):
    if not isinstance(node, ast.If):
        return False
    return ast.unparse(node.test).split(".")[-1] == "TYPE_CHECKING"


def rooms_imported(tree, package=PACKAGE):
    """Returns the rooms of ours that a file imports; "" is the package as a whole."""
    rooms = set()
    for module, name in imports(tree):
        if module.startswith("."):
            raise ValueError(f"relative import of {module}")
        if module == package:
            rooms.add(name or "")
        elif module.startswith(f"{package}."):
            rooms.add(module.split(".")[1])
    return rooms


def room_of(path):
    return path.relative_to(ROOT / PACKAGE).parts[0].removesuffix(".py")


def parse(path):
    return ast.parse(path.read_text())


def files(folder):
    return sorted((ROOT / folder).rglob("*.py"))


def named(paths):
    return pytest.mark.parametrize(
        "path", paths, ids=[str(path.relative_to(ROOT)) for path in paths]
    )


@named(files(PACKAGE))
def test_a_room_imports_only_what_the_table_allows(path):
    room = room_of(path)
    assert room in TABLE, f"the table lacks the room {room!r}"
    allowed = TABLE[room] | {room, "tokens", "atomic_files"}
    tree = parse(path)
    assert rooms_imported(take_hints(tree)) <= allowed | HINTS.get(room, set())
    assert rooms_imported(tree) <= allowed


def test_the_table_has_no_room_that_is_not_there():
    assert set(TABLE) == {room_of(path) for path in files(PACKAGE)}


@named(files(PACKAGE))
def test_tensorflow_appears_only_where_text_and_training_need_it(path):
    place = path.relative_to(ROOT / PACKAGE).as_posix()
    modules = {module.split(".")[0] for module, _ in imports(parse(path))}
    if not {room_of(path), place} & MAY_USE_TENSORFLOW:
        assert not modules & TENSORFLOW


def public_names(module):
    """Returns what the package or a room names: `X as X`, or what its file defines."""
    path = ROOT / module.replace(".", "/")
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    names, statements = set(), parse(path).body
    for block in [*statements]:
        if isinstance(block, ast.With) or is_type_checking(block):
            statements += block.body
    for statement in statements:
        match statement:
            case ast.ImportFrom(names=aliases):
                names |= {alias.name for alias in aliases if alias.asname == alias.name}
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Assign(targets=targets):
                stored = [node for target in targets for node in ast.walk(target)]
                names |= {node.id for node in stored if isinstance(node, ast.Name)}
    return {name for name in names if not name.startswith("_") or name == "__version__"}


def names_used(tree):
    """Returns (module, name) of whatever a file uses of ours, by import or by a dot."""
    used = [pair for pair in imports(tree) if pair[0].split(".")[0] == PACKAGE]
    rooms = {name for module, name in used if module == PACKAGE} & set(TABLE)
    modules = {PACKAGE: PACKAGE} | {room: f"{PACKAGE}.{room}" for room in rooms}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if module := modules.get(node.value.id):
                used.append((module, node.attr))
    return used


@named([path for folder in PROGRAMS for path in files(folder)])
def test_programs_use_only_what_is_named_publicly(path):
    for module, name in names_used(parse(path)):
        rooms = module.split(".")[1:]
        assert {*rooms} <= public_names(PACKAGE), f"{module} is not public"
        if name:
            assert name in public_names(module), f"{module}.{name} is not public"


@pytest.mark.parametrize(
    ("text", "used"),
    [
        ("import keras_textvae\nkeras_textvae.zoo", (PACKAGE, "zoo")),
        ("from keras_textvae import zoo\nzoo.Recipe", (f"{PACKAGE}.zoo", "Recipe")),
        ("from keras_textvae.zoo import Recipe", (f"{PACKAGE}.zoo", "Recipe")),
    ],
)
def test_the_walk_sees_every_way_to_use_a_name(text, used):
    assert used in names_used(ast.parse(text))


def test_a_room_of_one_file_and_one_of_many_tell_what_is_public():
    assert "write_json" in public_names(f"{PACKAGE}.atomic_files")
    assert not {"os", "path"} & public_names(f"{PACKAGE}.atomic_files")
    assert {"PAD", "BOS"} <= public_names(f"{PACKAGE}.tokens")
    assert "copied" in public_names(f"{PACKAGE}.models")
    assert "copying" not in public_names(f"{PACKAGE}.text_space")
    assert "open_space" in public_names(PACKAGE)


def test_a_star_import_gives_what_is_public():
    names = {}
    exec(f"from {PACKAGE} import *", names)
    del names["__builtins__"]
    assert {*names} == public_names(PACKAGE) - {"__version__"}
    assert not {"importlib", "typing", "quiet_imports"} & {*names}
    assert all(names[name].__name__.split(".")[-1] == name for name in names)


@named(files("serving"))
def test_serving_needs_no_other_programs(path):
    modules = {module.split(".")[0] for module, _ in imports(parse(path))}
    assert not modules & ({*PROGRAMS} - {"serving"})


@named(sorted((ROOT / "serving").glob("*/*.py")))
def test_a_folder_of_serving_imports_only_what_the_table_allows(path):
    folder = path.parent.name
    imported = rooms_imported(parse(path), "serving")
    assert imported <= SERVING[folder] | {folder}


@named(files("export"))
def test_export_needs_no_programs_but_serving(path):
    modules = {module.split(".")[0] for module, _ in imports(parse(path))}
    assert not modules & ({*PROGRAMS} - {"export", "serving"})


def test_the_client_needs_nothing_of_ours():
    ours = {PACKAGE, *PROGRAMS, "keras"} | TENSORFLOW
    for path in files("serving/client"):
        for module, _ in imports(parse(path)):
            if not f"{module}.".startswith("serving.client."):
                assert module.split(".")[0] not in ours, f"{path.name}: {module}"


@pytest.mark.parametrize(
    ("line", "room"),
    [
        ("import keras_textvae.zoo as z", "zoo"),
        ("from keras_textvae import zoo", "zoo"),
        ("from keras_textvae.layers.lstm import LSTM", "layers"),
        ("def f():\n    from keras_textvae import zoo", "zoo"),
        ("import keras_textvae", ""),
        ("from keras import layers", None),
    ],
)
def test_the_walk_sees_every_way_to_import(line, room):
    assert rooms_imported(ast.parse(line)) == ({room} - {None})


def test_the_walk_tells_hints_from_imports():
    tree = ast.parse(
        "if TYPE_CHECKING:\n    from keras_textvae import zoo\n"
        "from keras_textvae import losses"
    )
    assert rooms_imported(take_hints(tree)) == {"zoo"}
    assert rooms_imported(tree) == {"losses"}


def test_the_walk_refuses_relative_imports():
    with pytest.raises(ValueError, match="relative import of .lstm"):
        rooms_imported(ast.parse("from .lstm import LSTM"))


ON_JAX = """
import keras
import keras_textvae
from keras_textvae import *
assert TextVAE is keras_textvae.TextVAE and not {"TextSpace", "transfer"} & {*globals()}
model = keras_textvae.lstm_vae(11, embedding_dim=3, units=4, latent_dim=2)
outputs = model(keras.ops.array([[1, 5, 6, 2]]))
assert outputs["logits"].shape == (1, 3, 11)
ids = keras_textvae.generation.generate(model.decoder, outputs["z"], 3)
assert ids.shape == (1, 3)
bound = keras_textvae.evaluation.importance_weighted_nll(model, [[[1, 5, 2]]], 4)
assert bound.samples == 4
try:
    keras_textvae.WordTokenizer
except ImportError as error:
    assert "keras_textvae.WordTokenizer handles text, and needs" in str(error)
    print("the text rooms load lazily")
"""


def test_everything_but_text_works_on_jax_without_tensorflow():
    pytest.importorskip("jax")
    ended = run_on_jax(ON_JAX)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip() == "the text rooms load lazily"
