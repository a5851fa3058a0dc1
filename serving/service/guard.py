"""What stands between grpcio and the services: parsing, and the last word on errors."""

import grpc
from absl import logging
from google.protobuf.message import DecodeError


class Guard(grpc.ServerInterceptor):
    """Parses the requests and catches every exception, so that grpcio need not.

    A request that grpcio itself cannot parse costs it 20 kB for ever; and the message
    of an exception, which it writes to the log, may hold a user's text. A refusal goes
    without the empty message that grpcio would send before it: a client whose gRPC
    tries again on UNAVAILABLE does so only if nothing has come.
    """

    def intercept_service(self, continuation, handler_call_details):
        handler = continuation(handler_call_details)
        if handler is None or handler.request_streaming:
            return handler
        method = handler.unary_stream or handler.unary_unary

        def answer(data, context):
            try:
                request = handler.request_deserializer(data)
            except DecodeError:
                context.abort(grpc.StatusCode.INTERNAL, "Malformed request")
            try:
                response = method(request, context)
            except NotImplementedError:
                context.abort(grpc.StatusCode.UNIMPLEMENTED, "Method not implemented")
            except Exception as error:
                message = f"Internal {type(error).__name__}"
                logging.error("%s: %s", handler_call_details.method, message)
                context.abort(grpc.StatusCode.INTERNAL, message)
            if context.code() not in (None, grpc.StatusCode.OK):
                context.abort(context.code(), context.details().decode())
            return response

        make_handler = grpc.unary_unary_rpc_method_handler
        if handler.response_streaming:
            make_handler = grpc.unary_stream_rpc_method_handler
        return make_handler(answer, response_serializer=handler.response_serializer)
