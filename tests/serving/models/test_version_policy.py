"""Which versions a policy selects."""

import pytest

from serving.models.version_policy import All, Latest, Specific


@pytest.mark.parametrize(
    "policy, expected",
    [
        (Latest(), {10}),
        (Latest(2), {9, 10}),
        (Latest(5), {2, 9, 10}),
        (All(), {2, 9, 10}),
        (Specific(frozenset({2, 10, 11})), {2, 10}),
    ],
)
def test_policy_selects_of_the_versions_there_are(policy, expected):
    assert policy.select([9, 10, 2]) == expected
    assert policy.select([]) == set()
