"""Figures of costs as `capture.costs.pieces` keeps them, made up."""

from typing import Any

COSTS: dict[str, dict[str, Any]] = {
    "breaks-cnn": {
        "model": "cnn",
        "us": {"0": 100.0, "1": 120.0, "2": 140.0, "4": 180.0, "8": 260.0},
        **{"slope_us": 20.0, "slope_us_low": 19.0, "slope_us_high": 21.0, "start_us": 100.0},
        **{"replicates": 8, "warnings": [], "machine": "a machine"},
    },
    "tools-cnn": {
        "model": "cnn",
        "eager_us": 200.0,
        "lazy_graphs": 3,
        "over_eager": {
            "one graph": [2.0, 1.9, 2.1],
            "nine graphs": [0.8, 0.7, 0.9],
            "LazyTensor, one graph": [0.5, 0.4, 0.6],
            "LazyTensor, nine graphs": [0.25, 0.2, 0.3],
        },
        "parts_over_whole": {"compile": [2.5, 2.4, 2.6], "lazy": [2.0, 1.9, 2.1]},
        **{"replicates": 8, "warnings": [], "machine": "a machine"},
    },
    "guards-8": {
        **{"model": "8", "us": 20.0, "share": [0.4, 0.38, 0.42], "guards_us": 8.0},
        **{"replicates": 8, "warnings": [], "machine": "a machine"},
    },
    "guards-512": {
        **{"model": "512", "us": 400.0, "share": [0.02, 0.01, 0.03], "guards_us": 8.0},
        **{"replicates": 8, "warnings": [], "machine": "a machine"},
    },
    "shapes-cnn": {
        "model": "cnn",
        "first": {
            "off": {"seconds": 40.0, "seconds_low": 39.0, "seconds_high": 41.0, "graphs": 8},
            "on": {"seconds": 6.0, "seconds_low": 5.9, "seconds_high": 6.1, "graphs": 1},
        },
        "over_eager": {"off": [1.5, 1.4, 1.6], "on": [1.3, 1.2, 1.4]},
        **{"replicates": 8, "warnings": [], "machine": "a machine"},
    },
}
