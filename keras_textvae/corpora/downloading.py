"""Downloads with a checksum, and the folder that keeps what is made once."""

import contextlib
import fcntl
import hashlib
import http.client
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Generator

_SECONDS_WITHOUT_ANSWER = 60


def cache_folder(folder: str | os.PathLike | None = None) -> str:
    """Returns the folder in which downloads are kept: a given one, or the default."""
    default = os.environ.get("KERAS_TEXTVAE_CACHE") or "~/.cache/keras_textvae"
    return os.path.expanduser(os.fspath(folder or default))


def download(address: str, path: str | os.PathLike, checksum: str | None):
    """Downloads a file once, to `path` + ".part" until its checksum is verified.

    Args:
        address: of the web.
        path: of the file.
        checksum: SHA-256, in hexadecimal; None takes what comes.

    Raises:
        ConnectionError: if it fails. What has been downloaded is kept, and the next
            call resumes.
        ValueError: if the checksum is wrong; then nothing is kept.
    """
    if os.path.exists(path):
        return
    partial = os.fspath(path) + ".part"
    try:
        _fetch(address, partial)
    except (OSError, http.client.HTTPException) as error:
        raise ConnectionError(f"Cannot download {address}: {error}") from error
    digest = sha256(partial)
    if checksum not in (None, digest):
        os.remove(partial)
        raise ValueError(f"{address}: SHA-256 is {digest}, not {checksum}.")
    os.replace(partial, path)


def sha256(path: str | os.PathLike) -> str:
    """Returns the SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetch(address, partial):
    """Appends to `partial` what it lacks, showing the progress on standard error."""
    size = os.path.getsize(partial) if os.path.exists(partial) else 0
    request = urllib.request.Request(address, headers={"Range": f"bytes={size}-"})
    try:
        response = urllib.request.urlopen(request, timeout=_SECONDS_WITHOUT_ANSWER)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # All of it had come before; the checksum decides.
        raise
    with response:
        resumed = response.status == http.HTTPStatus.PARTIAL_CONTENT
        size = size if resumed else 0
        total = size + int(response.headers.get("Content-Length", 0))
        with open(partial, "ab" if resumed else "wb") as file:
            while block := response.read(1 << 18):
                file.write(block)
                size += len(block)
                print(f"\r{address}: {size:,} of {total:,} B", end="", file=sys.stderr)
        print(file=sys.stderr)
    if size < total:
        raise ConnectionError(f"it ended after {size:,} of {total:,} bytes")


@contextlib.contextmanager
def locked(folder: str | os.PathLike, name: str = ".lock") -> Generator[None]:
    """Lets one process at a time write what `name` guards in a folder; others wait."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting for another process, at work in {folder}", file=sys.stderr)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
