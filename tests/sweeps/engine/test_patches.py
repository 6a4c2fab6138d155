"""What we rely on in Ray beyond what it promises, on the real thing: a new version must pass here first."""

import ast
import inspect
import os
from pathlib import Path

import pytest
import ray
from ray import tune
from ray._private import services, worker
from ray.tune.execution.tune_controller import TuneController
from ray.tune.schedulers import FIFOScheduler

from sweeps.engine import patches
from sweeps.engine.connection import QUIET, connected

ENGINE = Path(patches.__file__).parent
RAY = Path(ray.__file__).parent


@pytest.fixture(scope="module")
def ray_here():
    with connected(None):
        yield ray.cluster_resources()


def trainable(end):
    """A trial that reports twice; ``end(number, step)`` may end it otherwise. Workers get it by value."""

    class Reports(tune.Trainable):
        def setup(self, config):
            self.number = config["number"]

        def reset_config(self, new_config):
            self.setup(new_config)
            return True

        def step(self):
            end(self.number, self.iteration)
            return {"score": 1.0, "done": self.iteration == 1}

    return Reports


def fit(folder, end=lambda number, step: None, trials=1, cpus=1):
    """Run trials as we do; return the scheduler, which has kept them."""

    class Keeps(FIFOScheduler):
        def __init__(self):
            super().__init__()
            self.controllers, self.seen = [], []

        def on_trial_add(self, tune_controller, trial):
            self.seen.append(trial)

        def on_trial_complete(self, tune_controller, trial, result):
            self.controllers.append(tune_controller)

    scheduler = Keeps()
    tune.Tuner(
        tune.with_resources(trainable(end), {"cpu": cpus}),
        param_space={"number": tune.grid_search(list(range(trials)))},
        tune_config=tune.TuneConfig(scheduler=scheduler, reuse_actors=True, max_concurrent_trials=2),
        run_config=tune.RunConfig(
            storage_path=str(folder),
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            failure_config=tune.FailureConfig(max_failures=0),
            verbose=0,
        ),
    ).fit()
    return scheduler


def test_nothing_else_of_ours_uses_what_ray_does_not_promise():
    for path in ENGINE.glob("*.py"):
        imported = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported |= {f"{node.module}.{alias.name}" for alias in node.names}
        ours = ("ray._", "ray.tune.execution", "ray.exceptions.RayTaskError")
        private = [name for name in imported if name.startswith(ours)]
        assert bool(private) == (path.name == "patches.py"), (path, private)


@pytest.mark.parametrize("name", QUIET)
def test_ray_reads_the_variables_that_are_set_for_it(name):
    read = [RAY / "tune/constants.py", RAY / "air/constants.py", RAY / "_private/ray_constants.py"]
    read += [RAY / "_private/accelerators/accelerator.py", RAY / "_common/usage/usage_constants.py"]
    assert any(f'"{name}"' in path.read_text() for path in read)


def test_ray_runs_in_sessions_of_its_own(ray_here):
    assert services.ConsolePopen is patches.OwnSession
    children = [path.parent for path in Path("/proc").glob("[0-9]*/stat") if parent(path) == os.getpid()]
    programs = {path.joinpath("comm").read_text().strip(): int(path.name) for path in children}
    found = {program: os.getsid(pid) for program, pid in programs.items()}
    assert {"gcs_server", "raylet"} <= set(found)
    assert os.getsid(0) not in found.values()


def parent(stat):
    try:
        return int(stat.read_text().rpartition(")")[2].split()[1])
    except OSError:  # it has just ended
        return None


def test_a_local_ray_is_on_loopback(ray_here):
    assert ray.util.get_node_ip_address() == "127.0.0.1"
    assert [node["NodeManagerAddress"] for node in ray.nodes()] == ["127.0.0.1"]


def test_the_method_that_is_overridden_is_as_it_was():
    ours = patches.PatientController._maybe_reuse_cached_actor
    theirs = TuneController._maybe_reuse_cached_actor
    assert inspect.signature(ours) == inspect.signature(theirs)
    assert "_maybe_reuse_cached_actor" in inspect.getsource(TuneController._maybe_add_actors)


def test_a_fit_is_controlled_by_ours(ray_here, tmp_path):
    (controller,) = fit(tmp_path).controllers
    assert type(controller) is patches.PatientController
    assert isinstance(controller._trial_to_actor, dict)
    assert isinstance(controller._resetting_trials, set)


def test_a_worker_that_starts_is_waited_for(ray_here, tmp_path):
    """Trials of a moment, two at once: Ray would let the first worker run all of them."""
    seen = fit(tmp_path, trials=6, cpus=ray_here["CPU"] / 2).seen
    assert len({trial.last_result["pid"] for trial in seen}) == 2


def test_the_statistics_of_a_trial_can_be_forgotten(ray_here, tmp_path):
    (trial,) = fit(tmp_path).seen
    assert trial.run_metadata.metric_analysis["score"]["max"] == 1
    assert list(trial.run_metadata.metric_n_steps["score"]["5"]) == [1, 1]
    patches.forget(trial)
    assert trial.run_metadata.metric_analysis == trial.run_metadata.metric_n_steps == {}
    assert trial.last_result["score"] == 1


def test_how_a_trial_failed_is_known_and_nothing_is_printed(ray_here, tmp_path, capfd):
    def end(number, step):
        if number == 0 and step == 1:
            raise ValueError("its own")
        if number == 1 and step == 1:
            os.kill(os.getpid(), 9)

    raised, killed, fine = fit(tmp_path, end, trials=3).seen
    assert [trial.status for trial in (raised, killed, fine)] == ["ERROR", "ERROR", "TERMINATED"]
    assert [patches.raised_itself(trial) for trial in (raised, killed, fine)] == [True, False, False]
    assert patches.error_line(raised) == "ValueError: its own"
    assert "died" in Path(killed.error_file).read_text()
    assert "print_to_stdstream" in worker.listen_error_messages.__code__.co_names
    message = {"lines": ["a worker died"], "pid": "raylet", "is_err": False}
    worker.print_to_stdstream(message, ignore_prefix=False)
    assert capfd.readouterr() == ("", "")
