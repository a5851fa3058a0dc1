"""Warm-up requests are read, and answered before a version is served."""

import shutil

import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from serving.models import ModelConfig, ModelVersions
from serving.saved_model import Engine, warm_up


def predict_log(request) -> bytes:
    return prediction_log_pb2.PredictionLog(
        predict_log={"request": request}
    ).SerializeToString()


def write(directory, records) -> None:
    path = directory / warm_up.FILE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            writer.write(record)


def test_requests_are_read_in_order(tmp_path, make_request):
    requests = [make_request("reconstruct", text=[text]) for text in ("a", "b")]
    write(tmp_path, map(predict_log, requests))
    assert list(warm_up.read(tmp_path)) == requests


def test_model_may_bring_no_requests(tmp_path):
    assert list(warm_up.read(tmp_path)) == []


CLASSIFY = prediction_log_pb2.PredictionLog()
CLASSIFY.classify_log.request.model_spec.name = "toy"


@pytest.mark.parametrize(
    "records, line",
    [
        ([b"\xff\xff"], "record 1 is no PredictionLog$"),
        ([CLASSIFY.SerializeToString()], "record 1 is no Predict request$"),
        ([b""], "record 1 is no Predict request$"),
    ],
)
def test_wrong_record_is_refused(tmp_path, records, line):
    write(tmp_path, records)
    with pytest.raises(ValueError, match=f"tf_serving_warmup_requests: {line}"):
        list(warm_up.read(tmp_path))


def test_damaged_file_is_refused(tmp_path, make_request):
    write(tmp_path, [predict_log(make_request("reconstruct", text=["a"]))])
    with open(tmp_path / warm_up.FILE, "ab") as file:
        file.write(b"not a record, but long enough")
    with pytest.raises(ValueError, match="requests: corrupted record at"):
        list(warm_up.read(tmp_path))


def test_number_of_records_is_limited(tmp_path, make_request):
    record = predict_log(make_request("reconstruct", text=["a"]))
    write(tmp_path, [record] * 1000)
    assert len(list(warm_up.read(tmp_path))) == 1000
    write(tmp_path, [record] * 1001)
    with pytest.raises(ValueError, match="requests: more than 1000 records$"):
        list(warm_up.read(tmp_path))


def test_engine_answers_the_requests_with_their_filters(base_path, make_request):
    engine = Engine(base_path / "7")
    request = make_request("encode", text=["a"])
    request.output_filter.append("kl")
    engine.warm_up([request, make_request(seed=tf.constant([1], tf.int64))])
    request.output_filter.append("no such output")
    with pytest.raises(ValueError, match="^warm-up request 2: output tensor alias"):
        engine.warm_up([make_request("reconstruct", text=["a"]), request])


def test_version_whose_warm_up_fails_is_not_served(base_path, tmp_path, make_request):
    for version, signature in ((1, "reconstruct"), (2, "fail")):
        shutil.copytree(base_path / "7", tmp_path / str(version))
        request = make_request(signature, text=["a"])
        write(tmp_path / str(version), [predict_log(request)])
    versions = ModelVersions(ModelConfig("toy", tmp_path))
    versions.load()
    assert versions.find()[0] == 1
    newest = versions.statuses()[0]
    assert (newest.version, newest.status.error_code) == (2, tf.errors.INVALID_ARGUMENT)
    assert newest.status.error_message.startswith("warm-up request 1: ")
    assert "assertion failed" in newest.status.error_message
    versions.close()
