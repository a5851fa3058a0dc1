"""What a text space is made of, and whether its parts belong together."""

from keras_textvae.mixtures import GaussianMixture
from keras_textvae.models import SentenceModel
from keras_textvae.tokenizers import Codec


def check_parts(model: SentenceModel, codec: Codec, density: GaussianMixture | None):
    """Raises ValueError unless model, codec and density fit each other."""
    if not isinstance(codec, Codec):
        raise ValueError(
            "A `Codec` is needed, such as Codec(tokenizer, length=50). "
            f"Received: {type(codec).__name__}"
        )
    if codec.vocabulary_size != model.vocabulary_size:
        raise ValueError(
            "The codec's vocabulary is not the model's. Received: "
            f"{codec.vocabulary_size} and {model.vocabulary_size} ids"
        )
    reader = model.decoder if hasattr(model, "decoder") else model.encoder
    longest = getattr(reader, "length", codec.positions)
    if codec.positions > longest:
        raise ValueError(
            f"The model predicts {longest} ids at most, and the codec's texts have "
            f"{codec.positions}. Received: length={codec.length}"
        )
    if density and density.latent_dim != model.latent_dim:
        raise ValueError(
            "The density is not of the model's z. Received: "
            f"{density.latent_dim} and {model.latent_dim} dimensions"
        )
