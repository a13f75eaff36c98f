"""Stores of version 1 as their layout was documented; eznas itself no longer writes them."""

import json
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import torch
from sample_stores import NAMES, SETTINGS, made_up, sealed

FAMILIES = ("T1", "T2", "T3", "T4")
STORED = ("T1_D", "T3", "T4_P", "T3G_N")
"""`sample_stores.SOME` in the order of all terminals, in which stores keep them."""


def write_version_one(folder: Path) -> Path:
    """A finished store of the `STORED` terminals of the networks of `NAMES`, which shares nothing."""
    folder.mkdir()
    networks = [made_up(name) for name in NAMES]
    layers = [layer for network in networks for layer in network.layers]
    kept = {terminal[:2]: terminal for terminal in STORED}
    shapes = [
        [layer[kept[name]].shape if name in kept else (-1,) * 4 for name in FAMILIES] for layer in layers
    ]
    sizes = [[layer[kept[name]].size if name in kept else 0 for name in FAMILIES] for layer in layers]
    values = [
        [b"".join(layer[name].tobytes() for layer in each.layers) for name in STORED] for each in networks
    ]
    arrays = {
        "shapes.npy": np.array(shapes, np.int64),
        "offsets.npy": np.cumsum([[0] * 4, *sizes], axis=0, dtype=np.int64),
        "first_layers.npy": np.cumsum([0, *map(len, networks)], dtype=np.int64),
        "checksums.npy": np.array([[crc32(each) for each in network] for network in values], np.uint32),
    }
    marks: dict[str, dict[str, int | None]] = {}
    for terminal, *parts in zip(STORED, *values, strict=True):
        (folder / f"{terminal}.f32").write_bytes(b"".join(parts))
        marks[f"{terminal}.f32"] = {"bytes": sum(map(len, parts)), "crc32": None}
    for name, array in arrays.items():
        np.save(folder / name, array)
        content = (folder / name).read_bytes()
        marks[name] = {"bytes": len(content), "crc32": crc32(content)}
    (folder / "manifest.json").write_bytes(sealed({**plan(), "files": marks}))
    return folder


def begin_version_one(folder: Path) -> Path:
    """A store that was begun and holds the first network, in the form in which version 1 kept it."""
    whole = write_version_one(folder)
    first = made_up(NAMES[0])
    shapes = np.load(whole / "shapes.npy")[: len(first)].tolist()
    checksums = np.load(whole / "checksums.npy")[0].tolist()
    for file in [*whole.glob("*.npy"), whole / "manifest.json"]:
        file.unlink()
    for terminal in STORED:
        size = sum(layer[terminal].nbytes for layer in first.layers)
        file = whole / f"{terminal}.f32"
        file.write_bytes(file.read_bytes()[:size])
    line = {"name": NAMES[0], "shapes": shapes, "checksums": checksums}
    (whole / "journal.jsonl").write_text(json.dumps(line, separators=(",", ":")) + "\n")
    (whole / "plan.json").write_bytes(sealed(plan()))
    return whole


def plan() -> dict[str, Any]:
    return {
        "format": "eznas-statistics",
        "version": 1,
        "names": NAMES,
        "terminals": STORED,
        "settings": SETTINGS,
        "torch": str(torch.__version__),
    }
