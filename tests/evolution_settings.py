"""The settings of an evolution run of seconds on the embedded tasks."""

TINY = {
    "stored_networks": 6,
    "networks_per_task": 4,
    "population": 8,
    "parents": 4,
    "offspring": 8,
    "generations": 4,
    "finalists": 4,
    "test_networks": 6,
    "bootstrap_resamples": 100,
    "threads": 1,
}
