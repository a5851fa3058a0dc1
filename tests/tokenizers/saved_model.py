"""A tokenizer in a SavedModel."""

import keras
import tensorflow as tf


def export(tokenizer, folder):
    """Writes the endpoints `encode` and `decode` of a tokenizer, and loads them."""
    archive = keras.export.ExportArchive()
    for resource in tokenizer.resources:
        archive.track(resource)
    text = tf.TensorSpec([None], tf.string, name="text")
    ids = tf.TensorSpec([None, None], tf.int32, name="ids")
    archive.add_endpoint("encode", tokenizer.encode, [text])
    archive.add_endpoint("decode", tokenizer.decode, [ids])
    archive.write_out(str(folder), verbose=False)
    return tf.saved_model.load(folder)
