"""Prints precision and recall by kind, and the time for a text."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence

from burnish.data.private.find import find
from burnish.data.private.settings import PrivateSettings
from tests.private_corpus.carriers import SEEN, UNSEEN
from tests.private_corpus.corpus import corpus, scores


def main(seed: int) -> None:
    show("sentences the rules were made with", seed, SEEN)
    show("sentences written afterwards", seed, UNSEEN)


def show(title: str, seed: int, sentences: Mapping[str, Sequence[str]]) -> None:
    samples = corpus(seed, sentences)
    settings = PrivateSettings()
    begin = time.perf_counter()
    by_kind = scores(samples, lambda text: find(text, settings))
    microseconds = (time.perf_counter() - begin) / len(samples) * 1e6
    print(f"{title}: {len(samples)} texts, seed {seed}, {microseconds:.0f} µs each")
    print(f"{'kind':12} {'true':>5} {'recall':>7} {'exact':>7} {'false':>6} {'precision':>9}")
    for kind, score in by_kind.items():
        exact = score.exact / score.true if score.true else 1.0
        print(f"{kind:12} {score.true:5} {score.recall:7.3f} {exact:7.3f} {score.false:6} {score.precision:9.3f}")
    print()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
