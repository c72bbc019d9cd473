#!/bin/sh
# Tells somebody how a run ended: a hook of jobs/nightly.toml.
#
# What is told is in S3SYNC_RUN_*, and the whole report is on standard input. WEBHOOK takes a text
# by POST (a chat's incoming webhook, ntfy.sh and the like); without it the words go to standard
# error, and so to the log.
set -eu

words="s3sync $S3SYNC_RUN_JOB: ${S3SYNC_RUN_STATUS:-started}, exit code ${S3SYNC_RUN_EXIT_CODE:--}
${S3SYNC_RUN_STATUS_REASON:-}
${S3SYNC_RUN_TRANSFERRED:-0} transferred, ${S3SYNC_RUN_FAILED:-0} failed, ${S3SYNC_RUN_WARNINGS:-0} warnings
$S3SYNC_RUN_REPORT"

if [ -n "${WEBHOOK:-}" ]; then
    printf '%s\n' "$words" | curl --fail --silent --show-error --max-time 20 --data-binary @- "$WEBHOOK"
else
    printf '%s\n' "$words" >&2
fi
