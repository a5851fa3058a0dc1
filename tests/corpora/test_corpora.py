"""Corpora from folders, from a server that misbehaves and from the built-in grammar."""

import contextlib
import gzip
import hashlib
import http.server
import io
import os
import pathlib
import re
import threading

import pytest

from keras_textvae import corpora, grammar

# Without the time of day, which would be in the names of the tests that are given it.
GZIPPED = gzip.compress(b"a\n" * 9999, mtime=0)

CONTENT = {
    f"ptb.{split}.txt": (f" {split} one \n {split} two \n" * 1000).encode()
    for split in corpora.SPLITS
}


class Server(http.server.BaseHTTPRequestHandler):
    """Serves `CONTENT`; `limit` ends answers early, `ranges` says if it resumes."""

    limit = None
    ranges = True
    asked: list = []

    def do_GET(self):
        content = CONTENT.get(os.path.basename(self.path))
        if content is None:
            return self.send_error(404)
        wanted = self.headers["Range"]
        type(self).asked.append(wanted)
        start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) if self.ranges else 0
        if start >= len(content):
            return self.send_error(416)
        self.send_response(206 if self.ranges else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start:][: self.limit])

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    class Handler(Server):
        asked = []

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(
            target=running.serve_forever, args=[0.01], daemon=True
        )
        thread.start()
        address = f"http://127.0.0.1:{running.server_port}"
        monkeypatch.setattr(corpora.loading, "PTB_ADDRESS", address)
        sums = {s: sha256(CONTENT[f"ptb.{s}.txt"]) for s in corpora.SPLITS}
        monkeypatch.setattr(corpora.loading, "PTB_SHA256", sums)
        yield Handler
        running.shutdown()
        thread.join()


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def test_ptb_is_downloaded_once(server, tmp_path, capsys):
    corpus = corpora.load("ptb", cache_dir=str(tmp_path))
    assert corpus.name == "ptb"
    for split in corpora.SPLITS:
        (path,) = getattr(corpus, split)
        with open(path, "rb") as file:
            assert file.read() == CONTENT[f"ptb.{split}.txt"]
    assert "ptb.train.txt: 24,000 of 24,000 B" in capsys.readouterr().err
    del server.asked[:]
    assert corpora.load("ptb", cache_dir=str(tmp_path)) == corpus
    assert server.asked == []


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_download_is_resumed(server, tmp_path, monkeypatch, ranges):
    monkeypatch.setattr(server, "ranges", ranges)
    monkeypatch.setattr(server, "limit", 10_000)
    with pytest.raises(ConnectionError, match="ended after 10,000 of 24,000 bytes"):
        corpora.load("ptb", cache_dir=str(tmp_path))
    assert sorted(os.listdir(tmp_path / "ptb")) == [".lock", "ptb.train.txt.part"]
    monkeypatch.setattr(server, "limit", None)
    (train,) = corpora.load("ptb", cache_dir=str(tmp_path)).train
    assert server.asked[:2] == ["bytes=0-", "bytes=10000-"]
    with open(train, "rb") as file:
        assert file.read() == CONTENT["ptb.train.txt"]


def test_a_download_killed_before_it_was_renamed_is_used(server, tmp_path):
    path = str(tmp_path / "ptb.test.txt")
    content = CONTENT["ptb.test.txt"]
    with open(path + ".part", "wb") as file:
        file.write(content)
    corpora.download(
        f"{corpora.loading.PTB_ADDRESS}/ptb.test.txt", path, sha256(content)
    )
    assert os.listdir(tmp_path) == ["ptb.test.txt"]


def test_a_wrong_checksum_keeps_nothing(server, tmp_path):
    path = str(tmp_path / "ptb.test.txt")
    address = f"{corpora.loading.PTB_ADDRESS}/ptb.test.txt"
    with pytest.raises(ValueError, match="SHA-256 is [0-9a-f]{64}, not 0123"):
        corpora.download(address, path, "0123")
    assert os.listdir(tmp_path) == []


def test_a_failed_download_says_why_in_one_line(server, tmp_path):
    path = str(tmp_path / "none.txt")
    with pytest.raises(ConnectionError, match="none.txt: HTTP Error 404") as raised:
        corpora.download(f"{corpora.loading.PTB_ADDRESS}/none.txt", path, "0123")
    assert "\n" not in str(raised.value)
    with pytest.raises(ConnectionError, match="Connection refused"):
        corpora.download("http://127.0.0.1:1/none.txt", path, "0123")
    assert os.listdir(tmp_path) == []


def write(folder, names, compress=False):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        content = f"{name}\n".encode()
        (folder / name).write_bytes(gzip.compress(content) if compress else content)


@pytest.mark.parametrize("folder", ["", "ptb"])
@pytest.mark.parametrize("prefix", ["", "ptb."])
@pytest.mark.parametrize("suffix", [".txt", ".txt.gz"])
def test_ptb_is_found_in_a_folder(tmp_path, folder, prefix, suffix):
    names = [f"{prefix}{split}{suffix}" for split in corpora.SPLITS]
    write(tmp_path / folder, names, compress=suffix.endswith(".gz"))
    corpus = corpora.load("ptb", data_dir=str(tmp_path))
    assert corpus[1:4] == tuple((str(tmp_path / folder / name),) for name in names)
    assert corpus.train and corpus.test


def test_ptb_with_a_file_missing_says_what_is_expected(tmp_path):
    write(tmp_path, ["train.txt", "valid.txt", "ptb.test.txt"])
    with pytest.raises(FileNotFoundError, match="lack ptb.train.txt, ptb.valid.txt"):
        corpora.load("ptb", data_dir=str(tmp_path))


def test_a_folder_is_a_corpus_and_needs_no_test_split(tmp_path):
    write(tmp_path / "mine", ["train.txt", "valid.txt.gz"])
    corpus = corpora.load(str(tmp_path / "mine"))
    assert corpus.train == (str(tmp_path / "mine" / "train.txt"),)
    assert corpus.valid == (str(tmp_path / "mine" / "valid.txt.gz"),)
    assert corpus.test == corpus.labels == ()
    assert corpora.load("mine", data_dir=str(tmp_path))[1:] == corpus[1:]
    os.remove(corpus.valid[0])
    with pytest.raises(FileNotFoundError, match="mine has train.txt, but no valid.txt"):
        corpora.load(str(tmp_path / "mine"))


def test_an_unknown_name_lists_the_known_ones(tmp_path):
    message = (
        f"Unknown corpus 'treebank': there is no folder {tmp_path}/treebank or treebank"
        ".* by name only grammar and ptb are known"
    )
    with pytest.raises(ValueError, match=message):
        corpora.load("treebank", data_dir=str(tmp_path))


def test_files_are_paths_patterns_or_lists(tmp_path):
    write(tmp_path, ["a1.txt", "a2.txt", "b[1].txt", "c.txt"])
    one, two, odd, last = (
        str(tmp_path / name) for name in sorted(os.listdir(tmp_path))
    )
    corpus = corpora.from_files(tmp_path / "a*.txt", odd, [pathlib.Path(last)])
    assert corpus == corpora.Corpus("files", (one, two), (odd,), (last,))
    with pytest.raises(FileNotFoundError, match=r"d\*.txt matches no file"):
        corpora.from_files(str(tmp_path / "d*.txt"), one)
    with pytest.raises(FileNotFoundError, match="is a folder: name its files"):
        corpora.from_files(tmp_path, one)


def test_a_file_of_another_split_is_left_out_of_a_pattern(tmp_path, capsys):
    write(tmp_path, ["a.txt", "b.txt", "valid.txt"])
    one, two, valid = (str(tmp_path / name) for name in sorted(os.listdir(tmp_path)))
    corpus = corpora.from_files(str(tmp_path / "*.txt"), valid)
    assert corpus == corpora.Corpus("files", (one, two), (valid,))
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{valid} is named for valid: left out of ")
    for train, valid_files in ([one, one], [[one, one], two], [one, [two, one]]):
        with pytest.raises(ValueError, match="is named twice"):
            corpora.from_files(train, valid_files)
    with pytest.raises(ValueError, match=r"a.txt matches for train and for valid"):
        corpora.from_files(str(tmp_path / "*.txt"), str(tmp_path / "[ab].txt"))
    with pytest.raises(FileNotFoundError, match="only files that are named elsewhere"):
        corpora.from_files(str(tmp_path / "v*.txt"), valid)


SIZES = (30, 4, 3)


def grammar_corpus(folder, **options):
    return corpora.load("grammar", cache_dir=str(folder), sizes=SIZES, **options)


def lines(paths):
    return [text for path in paths for _, text in corpora.read_lines(path)]


def test_the_grammar_is_written_with_its_labels(tmp_path):
    corpus = grammar_corpus(tmp_path, seed=7)
    splits = (corpus.train, corpus.valid, corpus.test)
    for split, paths, size, labels in zip(
        corpora.SPLITS, splits, SIZES, corpus.labels, strict=True
    ):
        examples = list(grammar.generate(size, 7, split))
        assert lines(paths) == [example.text for example in examples]
        header, *rows = [row.split("\t") for row in lines([labels])]
        assert header == ["topic", "sentiment", "tense", "number", "text"]
        assert rows == [[*example.labels, example.text] for example in examples]


def test_the_grammar_is_written_once_for_a_seed_and_sizes(tmp_path):
    first = grammar_corpus(tmp_path)
    with open(first.train[0], "a") as file:
        file.write("still here\n")
    assert lines(grammar_corpus(tmp_path).train)[-1] == "still here"
    assert lines(grammar_corpus(tmp_path, seed=1).train) != lines(first.train)[:-1]


def test_a_killed_writer_of_the_grammar_leaves_no_half_corpus(tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, contextlib.suppress(KeyboardInterrupt):
        patched.setattr(corpora.loading.grammar, "generate", killed)
        grammar_corpus(tmp_path)
    assert [name for name in os.listdir(tmp_path) if name.endswith(".part")]
    corpus = grammar_corpus(tmp_path)
    assert len(lines(corpus.train)) == SIZES[0]
    assert not [name for name in os.listdir(tmp_path) if name.endswith(".part")]


def test_the_cache_can_be_named_by_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_TEXTVAE_CACHE", str(tmp_path))
    corpus = corpora.load("grammar", sizes=SIZES)
    assert corpus.train[0].startswith(str(tmp_path))


def test_lines_are_numbered_and_lose_only_their_end(tmp_path):
    content = "a \r\n\n é\0\nlast".encode()
    expected = [(1, "a "), (2, ""), (3, " é\0"), (4, "last")]
    for name, stored in (("a.txt", content), ("a.txt.gz", gzip.compress(content))):
        (tmp_path / name).write_bytes(stored)
        assert list(corpora.read_lines(str(tmp_path / name))) == expected


def test_a_byte_order_mark_at_the_beginning_is_dropped(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffa b\n\ufeffc\n".encode())
    assert [*corpora.read_lines(path)] == [(1, "a b"), (2, "\ufeffc")]


def test_a_pipe_is_read_too():
    read, write = os.pipe()
    with open(write, "w") as end:
        end.write("a\nb\n")
    try:
        lines = corpora.read_lines(f"/dev/fd/{read}")
        assert list(lines) == [(1, "a"), (2, "b")]
    finally:
        os.close(read)


def test_standard_input_is_read_as_a_file_is(monkeypatch):
    def lines_of(content):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
        return [*corpora.read_input()]

    assert lines_of("\ufeffa b\r\n\né".encode()) == [(1, "a b"), (2, ""), (3, "é")]
    with pytest.raises(ValueError, match="standard input, line 2: not UTF-8"):
        lines_of(b"a\n\xe9t\xe9\n")


def test_chunks_are_the_lines_and_report_what_they_took(tmp_path):
    text = "".join(f"line {number}\n" for number in range(300_000))
    plain, zipped = tmp_path / "a.txt", tmp_path / "a.txt.gz"
    plain.write_text(text)
    zipped.write_bytes(gzip.compress(text.encode()))
    for path in (plain, zipped):
        sizes, lines = [], []
        for number, chunk in corpora.read_chunks(path, sizes.append):
            assert number == len(lines) + 1
            lines += chunk
        assert b"\n".join([*lines, b""]).decode() == text
        assert len(sizes) > 1 and sum(sizes) == path.stat().st_size


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"", "a.txt is empty"),
        ("a.txt", b"\n \r\n", "a.txt has only blank lines"),
        ("a.txt", b"a\nb\n\xe9t\xe9\n", "a.txt, line 3: not UTF-8"),
        ("a.txt.gz", GZIPPED[:-9], "a.txt.gz, after line .*gzip"),
        ("a.txt.gz", b"a\nb\n", "a.txt.gz, after line 0: broken gzip data"),
        ("a.txt.gz", GZIPPED[:-8] + b"\0" * 8, "broken gzip data"),
        ("a.txt.gz", b"", "a.txt.gz is empty"),
    ],
)
def test_a_bad_file_is_named_with_its_line(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        [*corpora.read_corpus([str(path)], lambda size: None)]


def test_a_folder_is_called_one(tmp_path):
    with pytest.raises(IsADirectoryError, match=f"Is a directory: .*{tmp_path.name}"):
        [*corpora.read_corpus([tmp_path], lambda size: None)]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.txt does not exist"):
        [*corpora.read_corpus([tmp_path / "none.txt"], lambda size: None)]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le"])
@pytest.mark.parametrize("count", [1, 100])
def test_utf16_without_a_mark_is_not_taken_for_words(tmp_path, encoding, count):
    path = tmp_path / "train.txt"
    path.write_bytes(("the chef sang .\n" * count).encode(encoding))
    with pytest.raises(ValueError, match="train.txt, line 1: not UTF-8, but UTF-16"):
        [*corpora.read_lines(path)]
