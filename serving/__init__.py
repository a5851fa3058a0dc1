"""The embedded gRPC server for exported models, and a client for it."""
