"""The devices that share a training, of this host and of the others.

Each has the whole model and an equal part of every batch; what a step computes is that
of the whole batch, statistics of batch normalisation included.
"""

import contextlib
import functools
from collections.abc import Generator

import keras

from keras_textvae import replicas
from keras_textvae.training import hosts


class Devices:
    """The devices among which batches are shared.

    Args:
        wanted: how many of each host's devices, or None for as many as share a batch
            equally.
        batch_size: rows of a batch, all devices together.

    Attributes:
        local: those of this host.
        count: of all hosts.

    Raises:
        ValueError: if the host has not as many, or they cannot share a batch equally.
    """

    def __init__(self, wanted: int | None, batch_size: int):
        processes, there = hosts.count(), _local_devices()
        if wanted is None:
            shared = [
                n for n in range(1, len(there) + 1) if batch_size % (n * processes) == 0
            ]
            wanted = max(shared, default=len(there))
        if not 1 <= wanted <= len(there):
            raise ValueError(
                f"{wanted} devices are wanted; this machine has {len(there)}: "
                f"{', '.join(map(_name, there))}."
            )
        self.local = there[:wanted]
        self.count = wanted * processes
        if batch_size % self.count:
            raise ValueError(
                f"{self.count} devices cannot share a batch equally. "
                f"Received: batch_size={batch_size}"
            )

    @property
    def shard(self) -> tuple[int, int]:
        """Which of the hosts this is, and of how many."""
        return hosts.index(), hosts.count()

    def __str__(self) -> str:
        name = _name(self.local[0])
        if self.count == 1:
            return f"device {name}"
        places = f" of {hosts.count()} processes" if hosts.count() > 1 else ""
        return f"{self.count} devices{places} ({name}, ...)"

    def scope(self) -> contextlib.AbstractContextManager:
        """Has models inside made for these devices, and trained on them."""
        return self._shared.scope() if self.count > 1 else contextlib.nullcontext()

    @functools.cached_property
    def _shared(self):
        if keras.backend.backend() == "tensorflow":
            return replicas.strategy(self.local)
        import jax

        chosen = [
            device
            for process in range(hosts.count())
            for device in jax.local_devices(process)[: len(self.local)]
        ]
        # Each process reads its own rows.
        return keras.distribution.DataParallel(devices=chosen, auto_shard_dataset=False)


@contextlib.contextmanager
def alone() -> Generator[None]:
    """Has models inside made for one device, whatever the scope."""
    before = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(before)


def _local_devices():
    if keras.backend.backend() == "tensorflow":
        return replicas.devices()
    import jax

    return jax.local_devices()


def _name(device):
    if isinstance(device, str):
        return device.removeprefix("/device:").lower()
    return f"{device.platform}:{device.id}"
