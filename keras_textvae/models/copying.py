"""Copies of a model: without its optimizer, and in float32."""

from keras_textvae.models.sentence_model import SentenceModel


def copied(model: SentenceModel, float32: bool = False) -> SentenceModel:
    """Returns a copy of a model, weights and random states, without its optimizer.

    Args:
        model: one of `models`.
        float32: bool. Whether the copy computes in float32, whatever the model does.

    Raises:
        ValueError: for a model whose weights are not those of its configuration.
    """
    config = model.get_config()
    copy = type(model).from_config(_in_float32(config) if float32 else config)
    if [v.shape for v in copy.state] != [v.shape for v in model.state]:
        raise ValueError(
            "A model with LoRA or quantized weights has no copy. `model.save` keeps "
            "it, and `keras.saving.load_model` returns it with LoRA's weights merged."
        )
    for variable, value in zip(copy.state, model.state, strict=True):
        variable.assign(value)
    return copy


def computes_in_float32(model: SentenceModel) -> bool:
    """Whether every layer of a model computes in float32."""
    config = model.get_config()
    return _in_float32(config) == config


def _in_float32(config):
    """Returns a Keras configuration with float32 for every precision policy."""
    if isinstance(config, dict):
        if config.get("class_name") == "DTypePolicy":
            return config | {"config": {"name": "float32"}}
        return {key: _in_float32(value) for key, value in config.items()}
    return [_in_float32(v) for v in config] if isinstance(config, list) else config
