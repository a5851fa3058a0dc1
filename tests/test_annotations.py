"""Every public argument that is a Python value says its type."""

import importlib
import inspect
import pkgutil

import keras_textvae
from keras_textvae import layers

# Tensors: their shapes and types stand in the docstrings. An argument of a constructor,
# or one with a value for its default, is no tensor, whatever its name.
TENSORS = {
    *("ids", "x", "y", "y_pred", "sample_weight", "targets", "fixed", "hidden"),
    *("begins", "most", "kernel", "bias"),
    *("features", "mean", "log_var", "noise", "z", "log_det", "first", "last", "share"),
    *("state", "h", "c", "t", "rows", "buffer", "recurrent_kernel", "projected"),
    *("outputs", "logits", "kl", "kl_weight", "reconstruction", "divergence"),
    *("data", "arrays", "values", "y_true", "condition", "conditions", "uniform"),
    *("allowed", "begins"),
}
# In rooms where text is a tensor too.
TEXTS = {
    "keras_textvae.tokenizers": {"text", "texts", "lines", "unknown", "written"},
    "keras_textvae.text_space.graph": {
        *("text", "start", "end", "steps", "spherical"),
        *("seed", "temperature", "top_k", "top_p", "fitted", "max_pieces"),
    },
}
SHAPES = ("_shape", "shapes")  # how they end, of tensors, which Keras hands to `build`


def functions():
    """Yields the name and the function of all that a user may call."""
    for found in pkgutil.walk_packages(keras_textvae.__path__, "keras_textvae."):
        if any(part.startswith("_") for part in found.name.split(".")):
            continue
        for name, member in vars(importlib.import_module(found.name)).items():
            if name.startswith("_") or getattr(member, "__module__", "") != found.name:
                continue
            if inspect.isclass(member):
                yield from methods(f"{found.name}.{name}", member)
            elif inspect.isfunction(inspect.unwrap(member)):
                yield f"{found.name}.{name}", member


def methods(path, kind):
    """Yields those of a class, also what it inherits from a private class of ours."""
    for name in dir(kind):
        if name.startswith("_") and name not in ("__init__", "__call__"):
            continue
        function = inspect.unwrap(getattr(kind, name))
        function = getattr(function, "__func__", function)
        if inspect.isfunction(function) and "keras_textvae" in function.__module__:
            yield f"{path}.{name}", function


def unannotated(name, function):
    """Returns the arguments of a function that lack a type and are no tensors."""
    constructs = name.endswith(".__init__")
    tensors = TENSORS.union(*(t for room, t in TEXTS.items() if name.startswith(room)))
    return [
        argument.name
        for argument in inspect.signature(function).parameters.values()
        if argument.annotation is argument.empty
        and argument.kind not in (argument.VAR_POSITIONAL, argument.VAR_KEYWORD)
        and argument.name not in ("self", "cls")
        and not argument.name.endswith(SHAPES)
        and (
            constructs
            or argument.name not in tensors
            or argument.default not in (argument.empty, None)
        )
    ]


def test_every_public_argument_but_tensors_says_its_type():
    missing = {name: unannotated(name, function) for name, function in functions()}
    assert {name: arguments for name, arguments in missing.items() if arguments} == {}


def test_the_walk_sees_what_lacks_a_type():
    def call(self, ids, size, z=None, x=1.0, *rest, training: bool = False, **options):
        """`ids` and `z` are tensors, `x` with this default is none."""

    assert unannotated("call", call) == ["size", "x"]
    assert unannotated("C.__init__", call) == ["ids", "size", "z", "x"]


def test_the_walk_sees_inherited_constructors_and_wrapped_functions():
    names = [name for name, _ in methods("PlanarFlow", layers.PlanarFlow)]
    assert {"PlanarFlow.__init__", "PlanarFlow.call"} <= {*names}
    seen = dict(functions())
    assert "keras_textvae.objectives.Objective.from_config" in seen  # a class method
    assert "keras_textvae.corpora.downloading.locked" in seen  # a context manager
    assert "keras_textvae.grammar.english.english" in seen  # with a cache
