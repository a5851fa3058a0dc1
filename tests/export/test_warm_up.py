"""What a version is warmed up with: every signature, one row and the most rows."""

from export import warm_up
from serving.saved_model import warm_up as reading


def rows(request):
    shapes = [p.tensor_shape.dim for p in request.inputs.values()]
    (count,) = {shape[0].size for shape in shapes}
    return count


def test_every_signature_is_called_with_one_row_and_with_the_most(space):
    found = [
        (request.model_spec.signature_name, rows(request))
        for request in warm_up.requests(space)
    ]
    assert found == [
        (name, count)
        for name, signature in space.graph.signatures.items()
        for count in (1, signature.max_rows)
    ]


def test_optional_inputs_are_left_to_their_defaults(space):
    for request in warm_up.requests(space):
        signature = space.graph.signatures[request.model_spec.signature_name]
        required = {i.name for i in signature.inputs if i.default is None}
        assert {*request.inputs} == required


def test_a_server_reads_what_was_written(space, tmp_path):
    asked = warm_up.requests(space)
    warm_up.write(asked, tmp_path)
    assert [*reading.read(tmp_path)] == asked
