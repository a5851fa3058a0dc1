#!/bin/bash
# Trains in N processes on this machine:
#
#     examples/launch/one_machine.sh N --recipe=short-english --prepared=ids
#
# On a machine with several GPUs one process has them all, without this.
set -eu
count=$1; shift
trap 'trap - INT TERM; kill $(jobs -p); wait; exit 130' INT TERM
export KERAS_BACKEND=jax KERAS_DISTRIBUTION_NUM_PROCESSES=$count
export KERAS_DISTRIBUTION_JOB_ADDRESSES=127.0.0.1:${PORT:-1234}
for i in $(seq 0 $((count - 1))); do
  KERAS_DISTRIBUTION_PROCESS_ID=$i python "$(dirname "$0")/../train.py" "$@" &
done
wait
