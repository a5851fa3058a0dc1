"""How fast is a training step on a GPU, and what would PyTorch take?

    KERAS_BACKEND=jax python benchmarks/gpu_training_step.py --model=rnnlm
    python benchmarks/gpu_training_step.py --model=rnnlm --framework=torch

Models of words at the sizes of the recipes `bowman2016-ptb-rnnlm` and `bowman2016-ptb`:
Keras's own `fit` on JAX, and the same network around `torch.nn.LSTM` (cuDNN) in a plain
loop, Adam and clipping in both. One line for each precision and batch size: steps and
tokens a second, the median of --rounds rounds of --steps, host included; and the share
of the card's peak, a product of 8192 x 8192 in the same dtype in the same process.
Needs no TensorFlow.
"""

import contextlib
import os
import pathlib
import statistics
import sys
import time

import numpy as np
from absl import app, flags

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

FLAGS = flags.FLAGS
flags.DEFINE_enum("model", "rnnlm", ["rnnlm", "vae"], "what to train")
flags.DEFINE_enum("framework", "keras", ["keras", "torch"], "with what")
flags.DEFINE_list("precisions", ["float32", "bfloat16", "float16"], "of products")
flags.DEFINE_list("batches", ["32", "256"], "sentences in a step")
flags.DEFINE_integer("steps", 100, "steps in a round", 1)
flags.DEFINE_integer("rounds", 3, "rounds that count", 1)

VOCABULARY, TOKENS = 10_000, 24  # of a PTB batch
UNITS, ENCODER, LATENT = 640, 256, 16
LARGE = 8192  # of the product that is the peak


def main(argv):
    del argv
    step_seconds, peak = {
        "keras": (keras_seconds, jax_peak),
        "torch": (torch_seconds, torch_peak),
    }[FLAGS.framework]
    for precision in FLAGS.precisions:
        most = peak(precision) / 1e12
        for batch in map(int, FLAGS.batches):
            seconds = step_seconds(precision, batch)
            reached = work(batch * TOKENS) / seconds / 1e12
            print(
                f"{FLAGS.framework} {FLAGS.model} {precision} batch {batch}: "
                f"{1 / seconds:.0f} steps a second, {batch * TOKENS / seconds:,.0f} "
                f"tokens a second, {reached:.1f} of {most:.0f} TFLOP/s "
                f"({reached / most:.1%})",
                flush=True,
            )


def ids(batch):
    """Returns ids without padding, int32 [batch, TOKENS + 1]."""
    drawn = np.random.default_rng(0).integers(4, VOCABULARY, (batch, TOKENS + 1))
    drawn[:, 0] = 1
    return drawn.astype("int32")


def work(rows) -> float:
    """Floating-point operations of a step's matrix products, forward and backward."""
    decoder = 8 * UNITS * UNITS + UNITS * VOCABULARY
    encoder = 4 * ENCODER * (UNITS + ENCODER) if FLAGS.model == "vae" else 0
    return 3 * 2 * rows * (decoder + encoder)


def keras_seconds(precision, batch) -> float:
    """Seconds of a step of `fit`."""
    import keras

    from keras_textvae import recipe

    policy = precision if precision == "float32" else f"mixed_{precision}"
    keras.config.set_dtype_policy(policy)
    name = "bowman2016-ptb" + ("-rnnlm" if FLAGS.model == "rnnlm" else "")
    model = recipe(name).build_model(VOCABULARY)
    model.compile(optimizer=recipe(name).training.build_optimizer())
    batch_of_ids = ids(batch)

    def batches():
        while True:
            yield (batch_of_ids,)

    times = []

    class Rounds(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.started = time.perf_counter()

        def on_epoch_end(self, epoch, logs=None):
            float(logs["loss"])  # waits for the last step
            times.append(time.perf_counter() - self.started)

    model.fit(
        batches(),
        steps_per_epoch=FLAGS.steps,
        epochs=FLAGS.rounds + 1,
        verbose=0,
        callbacks=[Rounds()],
    )
    return statistics.median(times[1:]) / FLAGS.steps


def torch_seconds(precision, batch) -> float:
    """Seconds of a step of a plain loop."""
    import torch

    torch.backends.cuda.matmul.allow_tf32 = True  # as JAX's default
    model = torch_model().cuda()
    optimizer = torch.optim.Adam(model.parameters(), 1.5e-3, fused=True)
    scaler = torch.amp.GradScaler(enabled=precision == "float16")
    inputs = torch.tensor(ids(batch), dtype=torch.long, device="cuda")
    casting = contextlib.nullcontext
    if precision != "float32":
        dtype = getattr(torch, precision)
        casting = lambda: torch.autocast("cuda", dtype)  # noqa: E731

    def step():
        with casting():
            logits, kl = model(inputs)
        targets = inputs[:, 1:].flatten()
        rows = logits.float().flatten(0, 1)
        nll = torch.nn.functional.cross_entropy(rows, targets, reduction="sum")
        scaler.scale(nll / batch + kl).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()

    times = []
    for _ in range(FLAGS.rounds + 1):
        started = time.perf_counter()
        for _ in range(FLAGS.steps):
            step()
        torch.cuda.synchronize()
        times.append(time.perf_counter() - started)
    return statistics.median(times[1:]) / FLAGS.steps


def torch_model():
    """Returns the network of the recipe, around `torch.nn.LSTM`."""
    import torch
    from torch import nn

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            latent = LATENT if FLAGS.model == "vae" else 0
            self.embedding = nn.Embedding(VOCABULARY, UNITS)
            self.dropout = nn.Dropout(0.5)
            self.lstm = nn.LSTM(UNITS + latent, UNITS, batch_first=True)
            self.bias = nn.Parameter(torch.zeros(VOCABULARY))
            if latent:
                self.source = nn.Embedding(VOCABULARY, UNITS)
                self.encoder = nn.LSTM(UNITS, ENCODER, batch_first=True)
                self.posterior = nn.Linear(ENCODER, 2 * LATENT)
                self.initial = nn.Linear(LATENT, 2 * UNITS)

        def forward(self, ids):
            x, state, kl = self.dropout(self.embedding(ids[:, :-1])), None, 0.0
            if FLAGS.model == "vae":
                features = self.encoder(self.source(ids))[0][:, -1]
                mean, log_var = self.posterior(features).float().chunk(2, -1)
                z = mean + torch.exp(0.5 * log_var) * torch.randn_like(mean)
                kl = 0.5 * (log_var.exp() + mean**2 - 1 - log_var).sum(-1).mean()
                state = torch.tanh(self.initial(z))[None].chunk(2, -1)
                state = tuple(part.contiguous() for part in state)
                every = z[:, None].expand(-1, x.shape[1], -1)
                x = torch.cat([x, every.to(x.dtype)], -1)
            outputs = self.dropout(self.lstm(x, state)[0])
            logits = nn.functional.linear(outputs, self.embedding.weight, self.bias)
            return logits, kl

    return Network()


def jax_peak(precision) -> float:
    """Floating-point operations a second of a large product."""
    import jax

    key = jax.random.key(0)
    a = jax.random.normal(key, (LARGE, LARGE), precision)
    product = jax.jit(lambda a: a @ a)
    return _peak(lambda: product(a).block_until_ready())


def torch_peak(precision) -> float:
    """Floating-point operations a second of a large product."""
    import torch

    torch.backends.cuda.matmul.allow_tf32 = True
    a = torch.randn(LARGE, LARGE, device="cuda", dtype=getattr(torch, precision))

    def product():
        torch.matmul(a, a)
        torch.cuda.synchronize()

    return _peak(product)


def _peak(product):
    seconds = []
    for _ in range(8):
        started = time.perf_counter()
        product()
        seconds.append(time.perf_counter() - started)
    return 2 * LARGE**3 / statistics.median(seconds[2:])


if __name__ == "__main__":
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    app.run(main)
