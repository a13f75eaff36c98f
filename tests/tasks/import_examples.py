"""Small files in the official layouts of the benchmarks."""

from __future__ import annotations

import bz2
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np

from eznas import spaces

SPLITS = {
    "cifar10": ["ori-test"],
    "cifar10-valid": ["x-valid", "ori-test"],
    "cifar100": ["ori-test", "x-valid", "x-test"],
    "ImageNet16-120": ["ori-test", "x-valid", "x-test"],
}


def accuracy(index: int, data_set: str, split: str, epochs: int, seed: int) -> float:
    """Any number that differs with each of its arguments."""
    places = list(SPLITS).index(data_set), SPLITS[data_set].index(split)
    return 40 + 10 * places[0] + 2 * places[1] + (seed % 7) / 4 + index / 64 + (epochs > 12) / 8


def state(space: str, index: int, epochs: int, seeds: list[int], **changes: Any) -> dict[str, Any]:
    """What a benchmark records of an architecture for one set of hyper-parameters."""
    results = OrderedDict()
    for data_set, splits in SPLITS.items():
        for seed in seeds:
            results[data_set, seed] = {
                "name": data_set,
                "seed": f"{seed:04d}",
                "params": np.float64(0.1 + index / 1000),
                "flop": 12.5 + index,
                "epochs": epochs,
                "eval_names": splits,
                "eval_acc1es": {
                    f"{split}@{epoch}": accuracy(index, data_set, split, epochs, seed) - (epochs - 1 - epoch)
                    for split in splits
                    for epoch in range(max(0, epochs - 3), epochs)
                },
                "train_acc5es": None,
                "net_state_dict": None,
            }
    architecture = spaces.get(space).architectures()[index]
    return {
        "arch_index": index,
        "arch_str": architecture,
        "all_results": results,
        "dataset_seed": dict.fromkeys(SPLITS, seeds),
        "clear_net_done": True,
        **changes,
    }


def states(space: str, index: int, seeds: list[int], **changes: Any) -> dict[str, Any]:
    """All that a benchmark records of an architecture."""
    lengths = {"nats-tss": {"12": 12, "200": 200}, "nats-sss": {"01": 1, "12": 12, "90": 90}}[space]
    return OrderedDict(
        (label, state(space, index, epochs, seeds, **changes)) for label, epochs in lengths.items()
    )


def write_bz2(path: Path, content: Any) -> Path:
    path.write_bytes(bz2.compress(pickle.dumps(content)))
    return path


def release_folder(folder: Path, space: str, seeds_of: dict[int, list[int]]) -> Path:
    """A folder with the files of some architectures."""
    folder.mkdir()
    write_bz2(folder / "meta.pickle.pbz2", {"meta_archs": [], "total_archs": 0, "arch2infos": None})
    for index, seeds in seeds_of.items():
        write_bz2(folder / f"{index:06d}.pickle.pbz2", states(space, index, seeds))
    return folder


def single_file(space: str, seeds_of: dict[int, list[int]]) -> dict[str, Any]:
    """The content of a release in one file."""
    return {
        "meta_archs": list(spaces.get(space).architectures()),
        "arch2infos": {index: states(space, index, seeds) for index, seeds in seeds_of.items()},
        "evaluated_indexes": set(seeds_of),
    }
