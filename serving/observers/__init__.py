"""What is told of each call: a line of a log, and Prometheus' metrics.

`metrics` is imported by its own name, since it needs the extra `serving`.
"""

from serving.observers.call_log import CallLog as CallLog
