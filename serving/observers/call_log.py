"""One JSON line a call: what was called and how it went, never what it said."""

import datetime
import json
import threading

# A client makes up the names; more of one is not worth a line.
MAX_NAME_CHARACTERS = 64


class CallLog:
    """Writes a line for each Predict call.

    Args:
        stream: where to write, such as `sys.stderr`.
    """

    def __init__(self, stream):
        self._stream = stream
        self._lock = threading.Lock()  # or the lines of two threads may mix

    def observe(self, call) -> None:
        """Logs one call, a `serving.service.Call`."""
        line = json.dumps(
            {
                "time": datetime.datetime.now(datetime.UTC).isoformat(),
                "model": call.model[:MAX_NAME_CHARACTERS],
                "version": call.version,
                "signature": call.signature[:MAX_NAME_CHARACTERS],
                "rows": call.rows,
                "code": call.code.name,
                "milliseconds": round(call.seconds * 1000, 3),
            }
        )
        with self._lock:
            try:
                print(line, file=self._stream, flush=True)
            except OSError:
                pass  # a log that is full or gone is no reason to fail the call
