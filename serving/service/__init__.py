"""The gRPC service: who may call, what is parsed, and the answers.

`health` is imported by its own name, since it needs the extra `serving`.
"""

from serving.service.credentials import BearerToken as BearerToken
from serving.service.credentials import Certificates as Certificates
from serving.service.guard import Guard as Guard
from serving.service.servicer import Call as Call
from serving.service.servicer import Servicer as Servicer
