#!/usr/bin/env bash
# Slurm: Ray on every node of the allocation, the sweep's driver on the first.
#
#   python3 -m venv ~/.venv && ~/.venv/bin/pip install -e '.[cluster]'     once: every node sees ~/.venv
#   sbatch sweeps/cluster/slurm.sh cb_focal --trials 256 --time-budget 460m --resume-if-any
#
# With a time budget some 20 minutes below --time, for nodes that start late, the sweep ends calmly; the same line
# again, from the same folder, goes on with it. The lines to change are marked CHANGE.
#SBATCH --job-name=longtail
#SBATCH --nodes=4                # CHANGE
#SBATCH --ntasks-per-node=1
#SBATCH --exclusive
#SBATCH --mem=0                  # all of it
#SBATCH --gpus-per-node=1        # CHANGE: without GPUs, leave it out
#SBATCH --time=08:00:00          # CHANGE
#SBATCH --no-kill                # a node that is lost does not end the sweep
set -euo pipefail

source ~/.venv/bin/activate
umask 077                        # the token is for this user alone
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH=$HOME/.ray/token-$SLURM_JOB_ID
mkdir -p ~/.ray
python -c 'import secrets; print(secrets.token_hex(32), end="")' > "$RAY_AUTH_TOKEN_PATH"
trap 'rm -f "$RAY_AUTH_TOKEN_PATH"' EXIT

# This script runs on the first node. Some name themselves 127.0.1.1, where no other node would find them.
first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | awk 'NR == 1')
ip=$(getent ahostsv4 "$first" | awk '$1 !~ /^127[.]/ && !found++ { print $1 }' || true)
HEAD_IP=${ip:-$(hostname -I | awk '{ print $1 }')}
export HEAD_IP RAY_ADDRESS=$HEAD_IP:6379

# Nodes of a busy cluster need more than the 30 s that the head waits for them. A worker's own wait is not set by
# that: it ends after 35 s if the head does not answer. So a worker begins when the head does.
export RAY_SYMMETRIC_RUN_CLUSTER_WAIT_TIMEOUT=600
# shellcheck disable=SC2016      # of each node, not of this one
srun --no-kill --kill-on-bad-exit=0 --cpu-bind=none bash -c '
    if [ "$SLURM_NODEID" != 0 ]; then
        timeout "$RAY_SYMMETRIC_RUN_CLUSTER_WAIT_TIMEOUT" \
            bash -c "until : > /dev/tcp/$HEAD_IP/6379; do sleep 2; done" 2> /dev/null || exit
    fi
    exec ray symmetric-run --address "$RAY_ADDRESS" --min-nodes "$SLURM_JOB_NUM_NODES" \
        --dashboard-host=127.0.0.1 --disable-usage-stats -- python -m sweeps.run "$@"
' sweep "$@"
