import pytest

from eznas import studies, tasks
from eznas.errors import ConfigError, TaskError
from eznas.evolution import EvolutionConfig
from eznas.studies.config import StudyConfig
from eznas.studies.runs import evolved_on, planned_runs
from eznas.tasks import network_statistics
from eznas.tasks.embedded import embedded_folder

OWN = """
question = "Does the batch size matter?"
axis = "batch_size"
values = [1, 2]
seeds = 2

[evolution]
generations = 3
population = 10

[quick]
seeds = 1

[quick.evolution]
generations = 2
"""


def make(**settings):
    return StudyConfig.model_validate({"name": "own", "question": "?", **settings})


@pytest.fixture
def own(tmp_path):
    file = tmp_path / "own.toml"
    file.write_text(OWN)
    return str(file)


@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize("name", studies.names())
def test_ready_studies_plan_runs_of_the_embedded_tasks(name, quick):
    study = studies.get(name, quick=quick)
    values = study.values or study.tasks
    assert study.name == name
    assert set(study.tasks) <= set(tasks.names())
    assert len(planned_runs(study)) == len(values) * study.seeds


def test_the_ready_studies_are_those_of_the_paper():
    varied = {name: (studies.get(name).axis, studies.get(name).values) for name in studies.names()}
    assert varied == {
        "transfer": ("tasks", ()),
        "structure": ("structure", ("rcb", "cbr")),
        "to-scalar": ("to_scalar", ("mean", "l2")),
        "representation": ("representation", ("tree", "sequential")),
    }


@pytest.mark.parametrize("name", studies.names())
def test_full_studies_keep_the_settings_of_the_paper(name):
    config = planned_runs(studies.get(name))[0].config
    paper = EvolutionConfig()
    for setting in ("generations", "population", "stored_networks", "networks_per_task", "crossover"):
        assert getattr(config, setting) == getattr(paper, setting)


def test_the_smallest_network_of_the_study_of_structures_has_layers_of_both():
    for name in studies.get("structure").tasks:
        task = tasks.get(name)
        smallest = min(task.architectures, key=lambda text: task.space.parameters(text, task.classes))
        for structure in studies.get("structure").values:
            assert network_statistics(task, smallest, ["T3"], structure=structure).layers


def test_the_axis_tasks_evolves_on_each_task_alone_and_others_on_all():
    alone = planned_runs(make(axis="tasks", seeds=2))
    assert [(run.label, run.config.tasks, run.config.seed) for run in alone] == [
        (name, (name,), seed) for name in tasks.names() for seed in (0, 1)
    ]
    together = planned_runs(make(axis="structure", values=["rcb", "cbr"]))
    assert [(run.label, run.config.structure) for run in together] == [("rcb", "rcb"), ("cbr", "cbr")]
    assert {run.config.tasks for run in together} == {tuple(tasks.names())}


def test_a_study_of_ones_own_is_read_from_its_file(own):
    study = studies.get(own)
    assert (study.name, study.values, study.seeds) == ("own", (1, 2), 2)
    assert [run.name for run in planned_runs(study)] == ["1-seed0", "1-seed1", "2-seed0", "2-seed1"]


def test_the_quick_settings_go_over_the_others_and_overrides_over_both(own):
    quick = studies.get(own, quick=True, overrides={"tasks": ("mnist-size",)})
    assert (quick.seeds, quick.tasks) == (1, ("mnist-size",))
    assert quick.evolution == {"generations": 2, "population": 10}
    assert studies.get(own, quick=True, overrides={"seeds": 5}).seeds == 5


def test_networks_that_any_run_evolves_on_are_known():
    runs = planned_runs(make(axis="data_seed", values=[0, 1], evolution={"stored_networks": 30}))
    task = tasks.get("mnist-size")
    expected = {row for seed in (0, 1) for row in task.split(30, seed)[0].tolist()}
    assert len(expected) > 30
    assert evolved_on(runs, task) == expected


def test_a_task_on_which_no_run_evolves_is_wholly_left_to_the_test():
    runs = planned_runs(make(axis="structure", values=["rcb"], tasks=["mnist-size"]))
    assert evolved_on(runs, tasks.get("mnist-topology")) == frozenset()


def test_a_task_in_a_folder_is_found_again_from_any_directory(monkeypatch):
    table = embedded_folder("mnist-size")
    monkeypatch.chdir(table.parent)
    (run,) = planned_runs(make(axis="tasks", tasks=["./mnist-size"]))
    assert (run.label, run.config.tasks) == ("mnist-size", (str(table),))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"axis": "speed", "values": [1]}, "must be a setting of an evolution"),
        ({"axis": "seed", "values": [1]}, "must be a setting of an evolution"),
        ({"axis": "structure"}, "expected none for the axis tasks and some for any other, got 0"),
        ({"axis": "tasks", "values": ["mnist-size"]}, "expected none for the axis tasks"),
        ({"axis": "structure", "values": ["rcb"], "seeds": 0}, "seeds"),
        ({"axis": "structure", "values": ["rcb"], "references": ["synfow"]}, "unknown synfow"),
        (
            {"axis": "structure", "values": ["rcb"], "evolution": {"seed": 3}},
            "seed must be left to the study",
        ),
        ({"axis": "structure", "values": ["rcb"], "speed": 3}, "speed"),
        ({"axis": "tasks", "tasks": []}, "tasks: expected at least one"),
    ],
)
def test_a_malformed_study_is_refused_with_what_is_wrong(tmp_path, settings, message):
    (tmp_path / "own.toml").write_text('question = "?"\n')
    with pytest.raises(ConfigError, match=message):
        studies.get(str(tmp_path / "own.toml"), overrides=settings)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"axis": "structure", "values": ["rbc"]}, ConfigError, "structure"),
        ({"axis": "structure", "values": ["rcb", "rcb"]}, ConfigError, "rcb-seed0 more than once"),
        ({"axis": "tasks", "tasks": ["mnist-size", "mnist-size"]}, ConfigError, "mnist-size more than once"),
        ({"axis": "tasks", "tasks": ["mnist-siez"]}, TaskError, "mnist-siez"),
        ({"axis": "tasks", "evolution": {"generatoins": 3}}, ConfigError, "generatoins"),
    ],
)
def test_a_study_that_cannot_be_run_is_refused_before_it_begins(settings, error, message):
    with pytest.raises(error, match=message):
        planned_runs(make(**settings))


def test_an_unknown_study_is_refused_with_the_nearest_name():
    with pytest.raises(ConfigError, match="did you mean 'transfer'"):
        studies.get("trasnfer")


def test_a_study_without_quick_settings_says_so(tmp_path):
    (tmp_path / "own.toml").write_text('question = "?"\naxis = "tasks"\n')
    with pytest.raises(ConfigError, match="no quick variant"):
        studies.get(str(tmp_path / "own.toml"), quick=True)
