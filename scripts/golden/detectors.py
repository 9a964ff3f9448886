#!/usr/bin/env python3
"""Detections of river 0.26.1 on seeded streams, for tests/stats. Run with river==0.26.1; JSON to stdout.

    python3 scripts/golden/detectors.py > tests/golden/detectors.json

The streams are made by a generator that the tests repeat: x = x * 6364136223846793005 + 1442695040888963407
(mod 2^64), uniform u = (x >> 11) / 2^53; segments of [length, kind, a, b]: bernoulli(a), or a + b * (sum of 12 u - 6).
"""
import json

from river import drift


class Lcg:
    def __init__(self, seed):
        self.x = seed

    def uniform(self):
        self.x = (self.x * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.x >> 11) / 2**53


def stream(seed, segments):
    rng = Lcg(seed)
    for length, kind, a, b in segments:
        for _ in range(length):
            if kind == "bernoulli":
                yield 1.0 if rng.uniform() < a else 0.0
            else:
                total = 0.0
                for _ in range(12):
                    total += rng.uniform()
                yield a + b * (total - 6.0)


STREAMS = {
    "stable_errors": (1, [[5000, "bernoulli", 0.2, 0]]),
    "errors_rise": (2, [[2000, "bernoulli", 0.1, 0], [2000, "bernoulli", 0.4, 0], [1500, "bernoulli", 0.1, 0]]),
    "errors_fall": (3, [[2000, "bernoulli", 0.6, 0], [2000, "bernoulli", 0.2, 0]]),
    "values_step": (4, [[1500, "normal", 0.0, 1.0], [1500, "normal", 1.0, 1.0], [1500, "normal", -1.0, 0.5]]),
    "values_steps_small": (5, [[800, "normal", 0.5, 0.1], [800, "normal", 0.55, 0.1], [800, "normal", 0.5, 0.1], [800, "normal", 0.7, 0.2]]),
    "constant_then_step": (6, [[700, "normal", 3.0, 0.0], [700, "normal", 4.0, 0.0]]),
    "large_offset": (7, [[1000, "normal", 1e6, 1.0], [1000, "normal", 1e6 + 3, 1.0]]),
}
DETECTORS = {
    "adwin": [{}, {"delta": 0.05}, {"clock": 1, "min_window_length": 10}, {"max_buckets": 3, "grace_period": 50}],
    "page_hinkley": [{}, {"threshold": 10.0, "mode": "up"}, {"threshold": 10.0, "mode": "down", "alpha": 0.99}, {"delta": 0.5, "min_instances": 100}],
    "ddm": [{}, {"warm_start": 100, "warning": 1.5, "drift": 2.5}],
}


def make(name, p):
    p = dict(p)
    if name == "adwin":
        return drift.ADWIN(**p)
    if name == "page_hinkley":
        return drift.PageHinkley(**p)
    if "warning" in p:
        p["warning_threshold"] = p.pop("warning")
        p["drift_threshold"] = p.pop("drift")
    return drift.binary.DDM(**p)


runs = []
for stream_name, (seed, segments) in STREAMS.items():
    for name, variants in DETECTORS.items():
        if name == "ddm" and any(s[1] != "bernoulli" for s in segments):
            continue
        for params in variants:
            detector = make(name, params)
            drifts, warnings = [], 0
            for i, x in enumerate(stream(seed, segments)):
                detector.update(x if name != "ddm" else bool(x))
                if detector.drift_detected:
                    drifts.append(i)
                warnings += bool(getattr(detector, "warning_detected", False))
            runs.append({"stream": stream_name, "detector": name, "params": {k: str(v) for k, v in params.items()}, "drifts": drifts, "warnings": warnings})
print(json.dumps({"streams": {k: {"seed": s, "segments": g} for k, (s, g) in STREAMS.items()}, "runs": runs}, separators=(",", ":")).replace('{"stream":', '\n{"stream":'))
