"""What the integration tests stand on: a Docker Engine of their own, davit processes on it, and clients of both."""
