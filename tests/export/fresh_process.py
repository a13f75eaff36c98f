"""Runs artefacts on layers in a process that cannot import eznas: python fresh_process.py FOLDER."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np

sys.modules["eznas"] = None
sys.modules["eznas_kernels"] = None


def loaded(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def python_runner(path, terminals):
    import torch

    module = loaded(path)
    assert terminals == module.TERMINALS
    return lambda layer: float(module.layer_score(**{name: torch.from_numpy(layer[name]) for name in layer}))


def numba_runner(path, terminals):
    module = loaded(path)
    assert "torch" not in sys.modules
    return lambda layer: module.score_layers([layer])[0]


def torchscript_runner(path, terminals):
    import torch

    extra = {"eznas.json": ""}
    module = torch.jit.load(str(path), _extra_files=extra)
    assert json.loads(extra["eznas.json"])["terminals"] == terminals

    def run(layer):
        with torch.jit.optimized_execution(False):
            return float(module(*[torch.from_numpy(layer[name]) for name in terminals]))

    return run


def torch_export_runner(path, terminals):
    import torch

    extra = {"eznas.json": ""}
    module = torch.export.load(str(path), extra_files=extra).module()
    assert json.loads(extra["eznas.json"])["terminals"] == terminals
    return lambda layer: float(module(*[torch.from_numpy(layer[name]) for name in terminals]))


def aoti_runner(path, terminals):
    import torch

    package = torch._inductor.aoti_load_package(str(path))
    assert json.loads(package.loader.get_metadata()["eznas.json"])["terminals"] == terminals
    # The layer behind another one of its shape, to which its own numbers belong.
    return lambda layer: float(
        package(*[torch.from_numpy(np.stack([1 - layer[name], layer[name]])) for name in terminals])[1]
    )


def onnx_runner(path, terminals):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    described = json.loads(session.get_modelmeta().custom_metadata_map["eznas.json"])
    assert described["terminals"] == terminals
    return lambda layer: float(session.run(None, layer)[0].item())


def main():
    folder = Path(sys.argv[1])
    numbers = []
    layers = np.load(folder / "layers.npz")
    for artefact in json.loads((folder / "artefacts.json").read_text()):
        runner = globals()[f"{artefact['format'].replace('-', '_')}_runner"]
        run = runner(folder / artefact["file"], artefact["terminals"])
        for index in artefact["layers"]:
            numbers.append(run({name: layers[f"{index} {name}"] for name in artefact["terminals"]}))
    (folder / "numbers.json").write_text(json.dumps(numbers))


main()
