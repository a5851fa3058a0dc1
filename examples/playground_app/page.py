"""The page: a tab for whatever a served model can do, on this machine alone."""

import contextlib
import pathlib
import socket

import fastapi
import gradio as gr
import uvicorn
from starlette.middleware.trustedhost import TrustedHostMiddleware

from examples.playground_app.asking import Page
from examples.playground_app.explorer import SAMPLES, Collection, Explorer
from examples.playground_app.rendering import noted
from examples.playground_app.tabs import (
    arithmetic,
    classify,
    dimensions,
    fill,
    mapping,
    path,
    reconstruct,
    sample,
    score,
)

HOST = "127.0.0.1"
STYLE = pathlib.Path(__file__).with_name("style.css")
# The browser itself refuses whatever a page would fetch from elsewhere.
POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; form-action 'self'"
)
LARGEST_FILE = "16mb"
CLOSING = 1  # seconds that open pages have when the program ends
TABS = sample, path, reconstruct, fill, score, classify, mapping, arithmetic, dimensions


def build(explorer: Explorer, title: str) -> gr.Blocks:
    """Returns the page of a model.

    Args:
        explorer: `Explorer`.
        title: str, the model's name and where it is.
    """
    collection = first_collection(explorer)
    with gr.Blocks(title="Text VAE playground", analytics_enabled=False) as blocks:
        gr.Markdown("## Text VAE playground")
        gr.HTML(noted(title))
        sentences = examples(explorer, collection)
        ends = [
            gr.Textbox(text, label=label, render=False)
            for text, label in zip(sentences[:2], ("From", "To"), strict=True)
        ]
        page = Page(explorer, gr.State(collection), sentences, tuple(ends))
        for tab in TABS:
            if explorer.offers(*tab.NEEDS):
                with gr.Tab(tab.TITLE):
                    tab.build(page)
    return blocks


def first_collection(explorer: Explorer) -> Collection | None:
    """Returns samples of a model, or None of one that does not sample or encode.

    It is also None where all samples are empty, or too long for the model itself.
    """
    if explorer.offers("sample", "encode"):
        with contextlib.suppress(ValueError):
            return explorer.collect_samples()
    return None


def examples(explorer: Explorer, collection: Collection | None) -> list[str]:
    """Returns three sentences to begin with, "" where the model has none."""
    texts = []
    if collection:
        texts = collection.texts
    elif explorer.offers("sample"):
        texts = explorer.sample(SAMPLES, temperature=0.0)
    several = [text for text in texts if 4 <= len(text.split()) <= 12]
    return [*(several or filter(str.strip, texts)), "", "", ""][:3]


def serve(blocks: gr.Blocks, listener: socket.socket):
    """Serves a page until SIGINT or SIGTERM.

    Args:
        blocks: the page.
        listener: a socket of `HOST` that listens already.
    """
    app = fastapi.FastAPI(openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])
    app.add_middleware(Policy)
    gr.mount_gradio_app(
        app,
        blocks,
        path="/",
        server_name=HOST,
        server_port=listener.getsockname()[1],
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size=LARGEST_FILE,
        ssr_mode=False,
        mcp_server=False,
        enable_monitoring=False,
        theme=gr.themes.Default(
            primary_hue="blue", font=["system-ui"], font_mono=["ui-monospace"]
        ),
        css_paths=STYLE,
    )
    config = uvicorn.Config(
        app, log_level="critical", timeout_graceful_shutdown=CLOSING
    )
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])


class Policy:
    """Adds `POLICY` to every answer of an ASGI app."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        async def send_with_policy(message):
            if message["type"] == "http.response.start":
                header = (b"content-security-policy", POLICY.encode())
                message["headers"] = [*message.get("headers", []), header]
            await send(message)

        await self.app(scope, receive, send_with_policy)
