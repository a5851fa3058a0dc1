"""Files that are replaced, and folders that are written, whole or not at all."""

import contextlib
import json
import os
import shutil
from collections.abc import Generator


@contextlib.contextmanager
def replacing(path: str | os.PathLike) -> Generator[str]:
    """Gives the path of a new file beside `path`, which takes its name at the end.

    An error, a full disk or a kill in the middle leaves the old file as it was. The new
    one is on the disk before it takes the name.

        with replacing("metrics.csv") as partial:
            write_rows(partial)

    Raises:
        OSError: with the path, if it cannot be written; NumPy's own names none.
    """
    folder, name = os.path.split(path)
    partial = os.path.join(folder, f"part.{name}")  # some writers look at the suffix
    try:
        yield partial
        with open(partial, "rb") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException as error:
        with contextlib.suppress(FileNotFoundError):
            os.remove(partial)
        if isinstance(error, OSError) and error.errno is None:
            raise OSError(f"{path} cannot be written: {error}.") from error
        raise


@contextlib.contextmanager
def new_folder(path: str | os.PathLike) -> Generator[str]:
    """Gives the path of an empty folder beside `path`, to be renamed once it is whole.

    What was not renamed is removed at the end; after a kill, by the next call.

        with new_folder("corpus") as partial:
            write(partial)
            os.replace(partial, "corpus")
    """
    partial = f"{os.fspath(path)}.part"
    shutil.rmtree(partial, ignore_errors=True)
    os.makedirs(partial)
    try:
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def read_json(path: str | os.PathLike):
    """Reads what `write_json` wrote.

    Raises:
        ValueError: if the file holds something else.
    """
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        try:
            return json.load(file)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path} is not JSON ({error}).") from None


def write_json(path: str | os.PathLike, content: object):
    """Writes `content` as JSON, replacing the file whole.

    Paths in it may be those of files whose names are no UTF-8.
    """
    with (
        replacing(path) as partial,
        open(partial, "w", encoding="utf-8", errors="surrogateescape") as file,
    ):
        json.dump(content, file, indent=2, ensure_ascii=False)
        file.write("\n")
