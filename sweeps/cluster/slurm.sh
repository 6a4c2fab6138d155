#!/usr/bin/env bash
# Slurm: Ray on every node of the allocation, the sweep's driver on the first.
#
#   sbatch sweeps/cluster/slurm.sh cb_focal --trials 256 --time-budget 470m --resume-if-any
#
# The project is installed in ~/.venv, which every node sees. With a time budget a little below --time the sweep
# ends calmly; the same line again goes on with it. The lines to change are marked CHANGE.
#SBATCH --job-name=longtail
#SBATCH --nodes=4                # CHANGE
#SBATCH --ntasks-per-node=1
#SBATCH --exclusive
#SBATCH --gpus-per-node=1        # CHANGE: without GPUs, leave it out
#SBATCH --time=08:00:00          # CHANGE
set -euo pipefail

source ~/.venv/bin/activate
umask 077                        # the token is for this user alone
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH=$HOME/.ray/token-$SLURM_JOB_ID
mkdir -p ~/.ray
python -c 'import secrets; print(secrets.token_hex(32), end="")' > "$RAY_AUTH_TOKEN_PATH"
trap 'rm -f "$RAY_AUTH_TOKEN_PATH"' EXIT

head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
address=$(getent hosts "$head" | awk '{print $1; exit}'):6379
export RAY_SYMMETRIC_RUN_CLUSTER_WAIT_TIMEOUT=600    # nodes of a busy cluster need more than Ray's 30 s
export RAY_ADDRESS=$address

srun ray symmetric-run --address "$address" --min-nodes "$SLURM_JOB_NUM_NODES" --disable-usage-stats \
    -- python -m sweeps.run "$@"
