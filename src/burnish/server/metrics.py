"""What Prometheus reads at /metrics. A registry of its own: several servers may live in one process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.routing import Route

from burnish.server.worker import Worker

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    """Names of models are labels only where they are served, so that clients cannot make new ones."""

    def __init__(self, worker: Worker) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter("burnish_requests", "Requests answered.", ("route", "status"), registry=self._registry)
        self.prompt_tokens = Counter("burnish_prompt_tokens", "Tokens of prompts.", ("model",), registry=self._registry)
        self.completion_tokens = Counter(
            "burnish_completion_tokens", "Tokens written.", ("model",), registry=self._registry
        )
        self.latency = Histogram(
            "burnish_request_seconds",
            "From a request to the end of its answer.",
            ("route",),
            buckets=SECONDS,
            registry=self._registry,
        )
        self.first_token = Histogram(
            "burnish_first_token_seconds",
            "From a request to its first token.",
            buckets=SECONDS,
            registry=self._registry,
        )
        self.models = Gauge("burnish_models", "Names that are served.", registry=self._registry)
        load = Gauge("burnish_answers_in_work", "Answers at work or waiting.", registry=self._registry)
        load.set_function(lambda: worker.load)
        Gauge("burnish_answers_capacity", "Answers beyond which requests get 429.", registry=self._registry).set(
            worker.capacity
        )

    def count(self, scope: Mapping[str, Any], status: int, seconds: float) -> None:
        """A request that is over. Its route as the app knows it, never the path that somebody made up."""
        route = scope.get("route")
        path = route.path if isinstance(route, Route) else "none"
        self.requests.labels(path, str(status)).inc()
        self.latency.labels(path).observe(seconds)

    def page(self) -> bytes:
        """The text format."""
        return bytes(generate_latest(self._registry))
