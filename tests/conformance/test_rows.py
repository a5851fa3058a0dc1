"""Every row of the table, against a server, and through TensorFlow Serving's path."""

import re

import grpc
import pytest
import tensorflow as tf

from tests.conformance import rows
from tests.conformance.conftest import option
from tests.conformance.session import Session


@pytest.fixture(scope="module")
def well(target):
    """What a server says that is well."""
    texts = target.sample()
    assert len(set(texts)) == 2
    return texts


def answer(target, row):
    """Returns the status code and the line of a server's answer."""
    try:
        target.ask(row.request(target.latent_dim))
    except grpc.RpcError as error:
        return error.code(), error.details()
    return grpc.StatusCode.OK, ""


def assert_conforms(target, row):
    code, line = answer(target, row)
    assert code == row.code, line
    if code != grpc.StatusCode.OK:
        assert row.has(line), line


@pytest.mark.parametrize("name", rows.ROWS)
def test_a_server_answers_as_the_table_says_and_is_well_after(target, well, name):
    assert_conforms(target, rows.ROWS[name])
    assert target.sample() == well


@pytest.mark.parametrize(("reads", "name", "row"), rows.BY_LEVEL)
def test_a_server_answers_by_what_its_model_reads(target, well, reads, name, row):
    if target.level != reads:
        pytest.skip(f"a model of {target.level}")
    assert_conforms(target, row)
    assert target.sample() == well


@pytest.mark.parametrize("name", rows.OURS)
def test_ours_refuses_what_others_may_not(target, well, name):
    if target.process is None:
        pytest.skip("the embedded server alone promises it")
    assert_conforms(target, rows.OURS[name])
    assert target.sample() == well


def test_memory_is_back_after_all_rows_many_times(request, target):
    repeat = option(request.config, "--repeat", 1)
    if target.process is None or repeat == 1:
        pytest.skip("needs --repeat, and the embedded server")
    every = [*rows.ROWS.values(), *rows.OURS.values()]

    def run():
        for row in every:
            answer(target, row)
        return resident(target.process.pid)

    for _ in range(3):  # the first rounds fill the allocator's pools
        before = run()
    for _ in range(repeat):
        after = run()
    print(f"\nresident memory: {before:.0f} MB before, {after:.0f} MB after")
    assert after < 1.05 * before


def resident(pid):
    """Returns a process's resident memory in MB."""
    with open(f"/proc/{pid}/status") as status:
        line = next(line for line in status if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1e3


@pytest.fixture(scope="module")
def session(exported):
    session = Session(str(exported / "1"))
    yield session
    session.close()


OF_THE_MODEL = [name for name, row in rows.ROWS.items() if row.session]


@pytest.mark.parametrize("name", OF_THE_MODEL)
def test_the_model_itself_answers_so_in_a_session(session, name):
    assert_answered(session, rows.ROWS[name])


@pytest.mark.parametrize(("reads", "name", "row"), rows.BY_LEVEL)
def test_a_model_answers_in_a_session_by_what_it_reads(
    session, level, reads, name, row
):
    if level != reads:
        pytest.skip(f"a model of {level}")
    assert_answered(session, row)


def assert_answered(session, row):
    request = row.request(latent_dim=3)
    if row.code == grpc.StatusCode.OK:
        assert session.ask(request)
        return
    with pytest.raises(tf.errors.InvalidArgumentError) as refusal:
        session.ask(request)
    # The runtime's words are "Expects arg[0] to be string but float is provided".
    assert re.search(row.line, refusal.value.message), refusal.value.message
