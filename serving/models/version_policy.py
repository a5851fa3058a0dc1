"""Which of the versions on disk a model serves.

A policy has one method, `select(versions) -> set`: of the versions that there are,
those to serve. The names are those of TensorFlow Serving's `model_version_policy`.
"""

from collections.abc import Iterable
from typing import NamedTuple


class Latest(NamedTuple):
    """The versions with the highest numbers.

    Args:
        num_versions: how many.
    """

    num_versions: int = 1

    def select(self, versions: Iterable[int]) -> set[int]:
        return set(sorted(versions, reverse=True)[: self.num_versions])


class All(NamedTuple):
    """Every version."""

    def select(self, versions: Iterable[int]) -> set[int]:
        return set(versions)


class Specific(NamedTuple):
    """The versions named, and no other.

    Args:
        versions: their numbers.
    """

    versions: frozenset[int]

    def select(self, versions: Iterable[int]) -> set[int]:
        return self.versions & set(versions)


VersionPolicy = Latest | All | Specific
