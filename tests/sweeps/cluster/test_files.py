"""The cluster files: valid by Ray's own schema, closed to others, and without a secret."""

import subprocess
from pathlib import Path

import pytest
import yaml
from ray.autoscaler._private.util import fillout_defaults, validate_config

import sweeps

FOLDER = Path(sweeps.__file__).parent / "cluster"
LAUNCHED = ["local.yaml", "aws.yaml"]


def read(name):
    return yaml.safe_load((FOLDER / name).read_text())


@pytest.mark.parametrize("name", LAUNCHED)
def test_ray_takes_the_file(name, monkeypatch):
    monkeypatch.setattr("ray.autoscaler._private.aws.config.bootstrap_aws", lambda config: config)
    validate_config(fillout_defaults(read(name)))


@pytest.mark.parametrize("name", LAUNCHED)
def test_nodes_ask_for_the_token_which_is_a_file_of_the_users_own(name):
    about = read(name)
    assert about["file_mounts"]["~/.ray/auth_token"] == "~/.ray/auth_token"
    (shell,) = [command for command in about["setup_commands"] if ".bashrc" in command]
    assert "RAY_AUTH_MODE=token RAY_ADDRESS=auto" in shell
    (start,) = [command for command in about["head_start_ray_commands"] if "--head" in command]
    assert "--dashboard-host=127.0.0.1" in start
    assert all(pattern.startswith("/") for pattern in about["rsync_exclude"])


def test_the_job_on_kubernetes_is_the_command_and_has_its_token_from_a_secret():
    job = read("kuberay.yaml")["spec"]
    assert job["entrypoint"].startswith("python -m sweeps.run cb_focal ")
    groups = [job["rayClusterSpec"]["headGroupSpec"], *job["rayClusterSpec"]["workerGroupSpecs"]]
    for group in groups:
        (container,) = group["template"]["spec"]["containers"]
        by_name = {entry["name"]: entry for entry in container["env"]}
        assert by_name["RAY_AUTH_MODE"]["value"] == "token"
        reference = {"secretKeyRef": {"name": "ray-token", "key": "auth_token"}}
        assert by_name["RAY_AUTH_TOKEN"] == {"name": "RAY_AUTH_TOKEN", "valueFrom": reference}


def test_the_script_for_slurm_is_a_script():
    subprocess.run(["bash", "-n", FOLDER / "slurm.sh"], check=True)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.*")), ids=lambda path: path.name)
def test_a_file_says_what_to_change(path):
    assert "CHANGE" in path.read_text()
