"""Where a process is among those that train together, by its environment."""

import os
import re
from collections.abc import Mapping
from typing import NamedTuple

# What says where a process is among the others: Keras's own variables, those of
# Kubeflow Trainer (and others that start JAX), of a step of SLURM, and the number that
# Kubernetes gives each pod of an indexed Job.
ADDRESS = ("KERAS_DISTRIBUTION_JOB_ADDRESSES", "JAX_COORDINATOR_ADDRESS")
COUNT = (
    "KERAS_DISTRIBUTION_NUM_PROCESSES",
    "JAX_NUM_PROCESSES",
    "SLURM_STEP_NUM_TASKS",
)
INDEX = (
    "KERAS_DISTRIBUTION_PROCESS_ID",
    "JAX_PROCESS_ID",
    "SLURM_PROCID",
    "JOB_COMPLETION_INDEX",
)


class Place(NamedTuple):
    """Where a process is among those that train together.

    Attributes:
        index: 0 for the first, which listens at the address.
        count: of processes.
        address: HOST:PORT, or None where SLURM says it.
    """

    index: int
    count: int
    address: str | None


def place(environment: Mapping[str, str] = os.environ) -> Place | None:
    """Returns where this process is, by its environment, or None if it is alone.

    Raises:
        ValueError: if the environment says how many there are, but not which this is or
            where the first one listens.
    """
    count = _whole_number(environment, COUNT)
    if count is None or count == 1:
        return None
    index = _whole_number(environment, INDEX)
    addresses = _first(environment, ADDRESS)
    if index is None or index >= count:
        raise ValueError(
            f"There are {count} processes, but which this one is ({', '.join(INDEX)}) "
            f"is {'not said' if index is None else index}."
        )
    if addresses is None and "SLURM_STEP_NODELIST" not in environment:
        raise ValueError(
            f"There are {count} processes, but where the first one listens "
            f"({' or '.join(ADDRESS)}, HOST:PORT) is not said."
        )
    address = addresses and addresses.split(",")[0]
    if address is not None and not re.fullmatch(r".+:\d+", address):
        raise ValueError(
            f"{' or '.join(ADDRESS)} must be HOST:PORT. Received: {address!r}"
        )
    return Place(index, count, address)


def _first(environment, names):
    return next((environment[name] for name in names if environment.get(name)), None)


def _whole_number(environment, names):
    value = _first(environment, names)
    if value is not None and not value.isdecimal():
        raise ValueError(f"{' or '.join(names)} must be a number. Received: {value!r}")
    return None if value is None else int(value)
