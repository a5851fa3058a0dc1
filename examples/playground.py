"""Shows the latent space of a trained model in the browser, to play with.

    python examples/playground.py                          # the preset short-english
    python examples/playground.py --run_dir=runs/demo      # or --preset=NAME
    python examples/playground.py --address=127.0.0.1:8500 --model=textvae

A run's or a preset's space is exported into a temporary folder and served by a process
on this machine; with --address it is one that TensorFlow Serving, or serving/server.py,
serves already. All that the page shows comes over gRPC. It has a tab for whatever the
model's signatures allow: samples, the path between two sentences, reconstructions,
blanks to fill in, scores, labels, a map of many sentences, arithmetic, and single
dimensions.

Open the address that is printed. Only this machine can: from another, go by way of
`ssh -L 7860:127.0.0.1:7860 HOST`. Nothing is fetched from elsewhere. Ctrl-C ends the
page, and the server with it. Needs the extra `playground`, which is Gradio.
"""

import contextlib
import os
import pathlib
import signal
import socket
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from absl import flags, logging

from keras_textvae.command_line import quiet_imports, run

# Read by Gradio when it is imported.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

with quiet_imports():
    from examples.playground_app import opening
    from export import space_flags
    from serving.server import usable_port

FLAGS = flags.FLAGS

PRESET = "short-english"


def define_flags():
    space_flags.define()
    flags.DEFINE_string("address", None, "host:port of a server instead")
    flags.DEFINE_string("model", "textvae", "name the server gives the model")
    flags.DEFINE_integer("port", 7860, "of the page; 0 is any free one", 0, 65535)
    flags.DEFINE_float("timeout", 30.0, "seconds that an answer may take", 0.1)


def main(argv):
    logging.set_verbosity(logging.ERROR)
    sources = [FLAGS.run_dir, FLAGS.preset, FLAGS.address]
    if len(argv) > 1 or sources.count(None) < 2:
        raise ValueError(
            "At most one of --run_dir, --preset and --address is taken, and no "
            "argument without a name."
        )
    if sources == [None] * 3:
        FLAGS.preset = PRESET
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit())
    with contextlib.ExitStack() as opened:
        uploads = opened.enter_context(tempfile.TemporaryDirectory())
        page = import_page(uploads)
        listener = opened.enter_context(
            socket.create_server((page.HOST, usable_port(page.HOST, FLAGS.port)))
        )
        address, title = open_space(argv, opened)
        explorer = opened.enter_context(
            opening.explored(address, FLAGS.model, FLAGS.timeout)
        )
        blocks = page.build(explorer, title)
        port = listener.getsockname()[1]
        print(f"http://{page.HOST}:{port} until Ctrl-C", flush=True)
        page.serve(blocks, listener)


def open_space(argv: list[str], opened: contextlib.ExitStack) -> tuple[str, str]:
    """Returns the address of the space that the flags name, and a title for it.

    Args:
        argv: what `main` received.
        opened: what must be closed at the end is entered here.
    """
    if FLAGS.address is not None:
        return FLAGS.address, f"{FLAGS.model} at {FLAGS.address}"
    space, title = space_flags.open_space(argv), FLAGS.preset or FLAGS.run_dir
    print(f"exporting and serving {title}", flush=True)
    return opened.enter_context(opening.served(space, FLAGS.model)), title


def import_page(uploads: str):
    """Imports the page, whose uploads are to go into a folder.

    Raises:
        ValueError: if Gradio is missing.
    """
    os.environ["GRADIO_TEMP_DIR"] = uploads
    try:
        import gradio  # noqa: F401
    except ImportError:
        raise ValueError("needs: pip install keras_textvae[playground]") from None
    from examples.playground_app import page

    return page


if __name__ == "__main__":
    run(main, define_flags)
