"""The plane, the cosines and the widest dimensions, against NumPy's own."""

import numpy as np
import pytest

from examples.playground_app import geometry

POINTS = np.random.default_rng(0).normal(size=(40, 5)) * [1.0, 5.0, 0.2, 3.0, 0.0] + 7.0


def test_the_plane_is_that_of_the_singular_value_decomposition():
    plane = geometry.plane(POINTS)
    u, values, _ = np.linalg.svd(POINTS - POINTS.mean(axis=0))
    expected = u[:, :2] * values[:2]
    signs = np.sign((plane.points * expected).sum(axis=0))
    np.testing.assert_allclose(plane.points, expected * signs, atol=1e-9)
    shares = np.square(values[:2]) / np.square(values).sum()
    np.testing.assert_allclose(plane.shares, shares)


def test_the_plane_does_not_depend_on_the_order_of_the_points():
    order = np.random.default_rng(1).permutation(len(POINTS))
    shuffled = geometry.plane(POINTS[order]).points
    np.testing.assert_allclose(shuffled, geometry.plane(POINTS).points[order])


@pytest.mark.parametrize("points", [np.ones((1, 4)), np.ones((3, 2)), np.zeros((2, 1))])
def test_points_that_are_alike_have_no_extent(points):
    plane = geometry.plane(points)
    np.testing.assert_array_equal(plane.points, np.zeros((len(points), 2)))
    np.testing.assert_array_equal(plane.shares, [0.0, 0.0])


def test_a_line_has_one_axis():
    plane = geometry.plane(np.array([[0.0], [1.0], [5.0]]))
    np.testing.assert_allclose(plane.points, [[-2.0, 0.0], [-1.0, 0.0], [3.0, 0.0]])
    np.testing.assert_allclose(plane.shares, [1.0, 0.0])


def test_cosines_are_those_of_the_angles():
    points = np.array([[2.0, 0.0], [1.0, 1.0], [0.0, -3.0], [-5.0, 0.0], [0.0, 0.0]])
    cosines = geometry.cosines(points, np.array([4.0, 0.0]))
    np.testing.assert_allclose(cosines, [1.0, np.sqrt(0.5), 0.0, -1.0, 0.0])
    np.testing.assert_array_equal(geometry.cosines(points, np.zeros(2)), np.zeros(5))


def test_the_widest_dimensions_come_first():
    np.testing.assert_array_equal(geometry.widest(POINTS, 3), [1, 3, 0])
    assert len(geometry.widest(POINTS, 8)) == 5
