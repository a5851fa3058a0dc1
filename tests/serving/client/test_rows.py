"""Rows from a flag and from standard input, and what becomes of bad ones."""

import io

import grpc
import pytest

from serving.client import rows


class Failure(grpc.RpcError):
    """As a call raises it."""

    def __init__(self, code, details):
        super().__init__()
        self.code = lambda: code
        self.details = lambda: details


def batch(*contents):
    return [rows.Row(f"line {n}", text.encode()) for n, text in enumerate(contents)]


def refusing(code, bad, calls):
    """Asks for texts in upper case, which fails if a bad one is among them."""

    def ask(texts):
        calls.append(texts)
        if bad & {*texts}:
            raise Failure(code, "a text is bad")
        return {"text": [text.upper() for text in texts]}

    return ask


@pytest.mark.parametrize("bad", [{}, {"a"}, {"g"}, {"b", "c"}, {*"abcdefg"}])
def test_all_but_the_bad_rows_are_answered_in_order(bad):
    calls = []
    ask = refusing(grpc.StatusCode.INVALID_ARGUMENT, {*bad}, calls)
    answers = [*rows.answers(batch(*"abcdefg"), ask)]
    refused = [answer for answer in answers if isinstance(answer, rows.Refused)]
    good = [answer["text"] for answer in answers if isinstance(answer, dict)]
    assert "".join(sum(good, [])) == "".join(
        c.upper() for c in "abcdefg" if c not in bad
    )
    reason = "INVALID_ARGUMENT: a text is bad"
    expected = [(f"line {n}", reason) for n, c in enumerate("abcdefg") if c in bad]
    assert refused == expected
    assert len(calls) <= 1 + 6 * len(bad)  # a path down a tree for each


def test_another_failure_is_nobody_s_row():
    ask = refusing(grpc.StatusCode.UNAVAILABLE, {"a"}, [])
    with pytest.raises(grpc.RpcError):
        [*rows.answers(batch("a", "b"), ask)]


def test_a_row_that_is_not_utf_8_is_refused():
    given = [rows.Row("line 1", b"a"), rows.Row("line 2", b"\xe9t\xe9")]
    good, refused = rows.answers(given, lambda texts: {"text": texts})
    assert good == {"text": ["a"]}
    assert refused.place == "line 2" and refused.reason.startswith("not UTF-8")


def test_rows_have_places(monkeypatch):
    content = "\ufeffa \r\n\n\ufeffb".encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert [*rows.of_input()] == [
        ("standard input, line 1", b"a "),
        ("standard input, line 2", b""),
        ("standard input, line 3", "\ufeffb".encode()),
    ]
    assert [*rows.of_flag("text", ["a", "\udce9"])] == [
        ("--text 1", b"a"),
        ("--text 2", b"\xe9"),
    ]
