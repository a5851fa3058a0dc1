"""A client of a served text VAE: a class here, and a program in `__main__`.

It needs grpcio, NumPy and tensorflow-serving-api, and absl for the program: none of
keras_textvae, and no running TensorFlow.
"""

from serving.client.channel import tls_credentials as tls_credentials
from serving.client.text_vae_client import TextVAEClient as TextVAEClient
