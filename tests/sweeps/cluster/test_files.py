"""The cluster files: valid by Ray's own schema, closed to others, and without a secret."""

import os
import re
import shutil
import subprocess
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml
from ray.autoscaler._private.command_runner import SSHCommandRunner
from ray.autoscaler._private.util import fillout_defaults, validate_config

import sweeps

FOLDER = Path(sweeps.__file__).parent / "cluster"
ROOT = FOLDER.parents[1]
LAUNCHED = ["local.yaml", "aws.yaml"]
FILES = sorted(path.name for path in FOLDER.glob("*.*"))
# Long hexadecimal numbers, keys of AWS, private keys, and values given to what sounds like one of them.
SECRET = re.compile(
    r"[0-9a-f]{32}|AKIA[0-9A-Z]{16}|PRIVATE KEY|(?:password|RAY_AUTH_TOKEN|SECRET_ACCESS_KEY)[=:] *[^ .]",
    re.I,
)


def read(name):
    return yaml.safe_load((FOLDER / name).read_text())


def test_the_files_are_these_and_are_packaged():
    assert FILES == ["aws.yaml", "kuberay.yaml", "local.yaml", "slurm.sh"]
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"][
        "sweeps"
    ]
    assert all(any(fnmatch(f"cluster/{name}", pattern) for pattern in data) for name in FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_file_says_what_to_change_and_holds_no_secret(name):
    text = (FOLDER / name).read_text()
    assert "CHANGE" in text
    assert SECRET.search(text) is None


@pytest.mark.parametrize(
    "leak", ["RAY_AUTH_TOKEN=abc", "x: 0123456789abcdef0123456789abcdef", "password: me"]
)
def test_a_secret_would_be_found(leak):
    assert SECRET.search(leak)


@pytest.mark.parametrize("name", LAUNCHED)
def test_ray_takes_the_file(name):
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


def test_the_head_of_machines_one_has_starts_the_old_autoscaler():
    (start,) = [command for command in read("local.yaml")["head_start_ray_commands"] if "--head" in command]
    assert start.startswith("RAY_enable_autoscaler_v2=0 ray start --head ")


def test_on_aws_the_head_runs_no_trial_and_gpus_are_spot_instances():
    kinds = read("aws.yaml")["available_node_types"]
    assert kinds["head"]["resources"] == {"CPU": 0}
    assert kinds["gpu"]["resources"]["GPU"] == 1
    assert kinds["gpu"]["node_config"]["InstanceMarketOptions"] == {"MarketType": "spot"}
    assert kinds["gpu"]["min_workers"] < kinds["gpu"]["max_workers"] == read("aws.yaml")["max_workers"]


@pytest.mark.skipif(shutil.which("rsync") is None, reason="rsync is not installed")
@pytest.mark.parametrize("name", LAUNCHED)
def test_a_node_gets_the_code_without_data_and_the_results_come_back(name, tmp_path):
    checkout, node, back = (tmp_path / folder for folder in ("checkout", "node", "back"))
    kept = {"lt_core/data/split.py", "sweeps/run.py", "docs/results/README.md"}
    for path in (*kept, "data/images", "results/cb_focal/sweep.json", ".git/config", ".venv/bin/python"):
        (checkout / path).parent.mkdir(parents=True, exist_ok=True)
        (checkout / path).touch()
    shutil.copy(ROOT / ".gitignore", checkout)
    rsync = ["rsync", "-a", *SSHCommandRunner._create_rsync_filter_args(None, read(name))]
    subprocess.run([*rsync, f"{checkout}/", node], check=True)
    there = {str(path.relative_to(node)) for path in node.rglob("*") if path.is_file()}
    assert there == kept | {".gitignore"}
    # The way back has the same filters, and ~/results may be written with or without a slash at its end.
    for place in (f"{checkout}/results/", f"{checkout}/results"):
        shutil.rmtree(back, ignore_errors=True)
        (home := tmp_path / "home").mkdir(exist_ok=True)
        shutil.copytree(checkout / "results", home / "results", dirs_exist_ok=True)
        subprocess.run([*rsync, place.replace(str(checkout), str(home)), back], check=True)
        assert [path.name for path in back.rglob("*") if path.is_file()] == ["sweep.json"]


def test_the_job_on_kubernetes_is_the_command_and_has_its_token_from_a_secret():
    job = read("kuberay.yaml")
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    entrypoint, cluster = job["spec"]["entrypoint"], job["spec"]["rayClusterSpec"]
    assert entrypoint.startswith("python -m sweeps.run cb_focal ")
    assert " --address auto " in entrypoint
    assert " --results s3://" in entrypoint
    assert entrypoint.endswith(" --resume-if-any")  # it is submitted again, see backoffLimit
    assert cluster["authOptions"] == {"mode": "token", "secretName": "ray-token"}
    head, (workers,) = cluster["headGroupSpec"], cluster["workerGroupSpecs"]
    # On loopback neither the operator nor the pod that submits would reach the dashboard.
    assert "dashboard-host" not in head["rayStartParams"]
    (on_head,), (on_worker,) = (group["template"]["spec"]["containers"] for group in (head, workers))
    assert on_head["image"] == on_worker["image"]
    assert on_head["envFrom"] == [{"secretRef": {"name": "store"}}]
    assert "env" not in on_head
    assert not {"env", "envFrom"} & set(on_worker)
    assert on_worker["resources"]["limits"]["nvidia.com/gpu"] == "1"


def test_the_options_of_the_job_on_kubernetes_are_the_commands():
    from sweeps.terminal.options import parser

    given = parser().parse_args(read("kuberay.yaml")["spec"]["entrypoint"].split()[3:])
    assert (given.experiment, given.trials, given.gpus_per_trial) == ("cb_focal", 256, 1.0)


STUBS = {
    "scontrol": "echo node1; echo node2",
    "getent": "echo '127.0.1.1 STREAM node1'",  # as some distributions name themselves
    "hostname": "echo 10.0.0.1 10.1.0.1",
    "srun": 'while [ "${1#--}" != "$1" ]; do echo "srun $1"; shift; done; SLURM_NODEID=0 exec "$@"',
    "ray": 'echo ray "$@"; env | grep ^RAY_; cd ~/.ray; stat -c %a token-7; wc -c < token-7',
}


def test_the_script_for_slurm_starts_the_sweep_with_a_token_of_its_own(tmp_path):
    """Slurm's commands and Ray's only say how they were called."""
    script = FOLDER / "slurm.sh"
    subprocess.run(["bash", "-n", script], check=True)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/activate").touch()
    for name, body in STUBS.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    slurm = {"SLURM_JOB_ID": "7", "SLURM_JOB_NODELIST": "node[1-2]", "SLURM_JOB_NUM_NODES": "2"}
    mine = {"HOME": str(tmp_path), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    line = ["bash", script, "cb_focal", "--set", "a=b c"]
    said = subprocess.run(line, env=os.environ | slurm | mine, check=True, capture_output=True, text=True)
    lines = said.stdout.splitlines()
    start = "ray symmetric-run --address 10.0.0.1:6379 --min-nodes 2 --dashboard-host=127.0.0.1"
    assert f"{start} --disable-usage-stats -- python -m sweeps.run cb_focal --set a=b c" in lines
    token = tmp_path / ".ray/token-7"
    for variable in (
        "RAY_AUTH_MODE=token",
        f"RAY_AUTH_TOKEN_PATH={token}",
        "RAY_ADDRESS=10.0.0.1:6379",
        "RAY_SYMMETRIC_RUN_CLUSTER_WAIT_TIMEOUT=600",
    ):
        assert variable in lines
    assert lines[-2:] == ["600", "64"]
    assert not token.exists()


def test_ray_has_the_variable_that_the_script_for_slurm_sets(monkeypatch):
    from ray.scripts import symmetric_run

    assert '"RAY_SYMMETRIC_RUN_CLUSTER_WAIT_TIMEOUT"' in Path(symmetric_run.__file__).read_text()
    taken = symmetric_run.curate_and_validate_ray_start_args
    own = ["--dashboard-host=127.0.0.1", "--disable-usage-stats"]
    monkeypatch.setattr("sys.argv", ["ray", "symmetric-run"])
    assert taken(["--address", "10.0.0.1:6379", "--min-nodes", "2", *own]) == own
