"""What runs in the processes of Ray Serve.

It names nothing, since the processes that only pass calls on import `services` alone.
"""
