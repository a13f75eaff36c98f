import tomllib

import pytest
import tomli_w

from eznas.errors import ConfigError
from eznas.evolution import EvolutionConfig, Preset, make_config
from eznas.evolution.config import checked_config


def test_the_default_is_the_paper():
    config = make_config()
    assert config == EvolutionConfig()
    assert (config.generations, config.population, config.networks_per_task, config.stored_networks) == (
        15,
        50,
        20,
        80,
    )
    assert (config.tournament_size, config.parents, config.offspring) == (4, 25, 50)
    assert (config.crossover, config.mutation, config.height_limit) == (0.4, 0.4, 10)
    assert (config.least_initial_height, config.most_initial_height) == (2, 10)
    assert config.representation == "tree"
    assert len(config.operations) == 34
    assert len(config.terminals) == 22


def test_flags_stand_over_the_file_and_the_file_over_the_preset(tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text('generations = 7\npopulation = 30\ntasks = ["mnist-size"]\n')
    config = make_config(Preset.QUICK, file, {"population": 40})
    assert (config.generations, config.population, config.tasks) == (7, 40, ("mnist-size",))
    assert config.stored_networks == make_config(Preset.QUICK).stored_networks


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"generatoins": 3}, "unknown field 'generatoins'; expected among tasks, seed"),
        ({"generations": 0}, "generations: input should be greater than or equal to 1, got 0"),
        ({"generations": "many"}, "generations: input should be a valid integer"),
        ({"population": 51}, "population: must be even"),
        ({"networks_per_task": 90}, r"networks_per_task \(90\) must not exceed stored_networks \(80\)"),
        ({"crossover": 0.7, "mutation": 0.5}, "must not exceed 1 together"),
        ({"height_limit": 4}, "least_initial_height <= most_initial_height <= height_limit"),
        ({"operations": ["add", "plus"]}, "operations: unknown plus; expected among add"),
        ({"terminals": ["T9"]}, "terminals: unknown T9; expected among T1_D"),
        ({"terminals": []}, "terminals: must be distinct names, at least one, got none"),
        ({"tasks": ["mnist-size", "mnist-size"]}, "tasks: must be distinct names"),
        ({"backend": "gpu"}, "backend: unknown gpu; expected among auto, tile, fused, torchscript, eager"),
        ({"structure": "rbc"}, "structure: input should be 'rcb' or 'cbr', got 'rbc'"),
        ({"to_scalar": "max"}, "to_scalar: input should be 'mean' or 'l2'"),
        ({"threads": 0}, "threads: input should be greater than or equal to 1"),
        ({"representation": "graph"}, "representation: input should be 'tree' or 'sequential', got 'graph'"),
        ({"length_limit": 10}, "least_initial_length <= most_initial_length <= length_limit, got 4, 24, 10"),
        ({"length_limit": 1001}, "length_limit: input should be less than or equal to 1000"),
        ({"reuse": 1.5}, "reuse: input should be less than or equal to 1"),
        ({"remove_weight": -1}, "remove_weight: input should be greater than or equal to 0"),
        (
            dict.fromkeys(("insert_weight", "remove_weight", "operation_weight", "argument_weight"), 0),
            "expected a weight above 0 for one of insert, remove, operation and argument",
        ),
    ],
)  # fmt: skip
def test_a_bad_setting_is_named(settings, message):
    with pytest.raises(ConfigError, match=message):
        make_config(overrides=settings)


def test_all_bad_settings_are_named_at_once():
    with pytest.raises(ConfigError, match=r"generations: .*; population: "):
        make_config(overrides={"generations": 0, "population": 1})


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="cannot read the configuration .*nothing.toml"):
        make_config(file=tmp_path / "nothing.toml")


@pytest.mark.parametrize("content", [b"generations = ", b"\xff\xfe"])
def test_a_file_that_is_no_toml_is_named(tmp_path, content):
    file = tmp_path / "broken.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match="broken.toml is not valid TOML"):
        make_config(file=file)


def test_a_configuration_survives_toml():
    config = make_config(
        Preset.QUICK, overrides={"threads": 2, "structure": "cbr", "representation": "sequential"}
    )
    text = tomli_w.dumps(config.model_dump(mode="json", exclude_none=True))
    assert checked_config(tomllib.loads(text)) == config
