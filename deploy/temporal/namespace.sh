#!/bin/sh
# Makes the namespace (TEMPORAL_NAMESPACE, at TEMPORAL_ADDRESS) and the search attributes Onward sets. Safe at every
# start: what exists is left alone.
set -eu

retry() { # COMMAND..., for a minute
    tries=30
    until "$@"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return 1
        sleep 2
    done
}

retry temporal operator cluster health

if ! temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention 30d
fi

# Tried again because the server's own caches learn of a new namespace some seconds late.
retry temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" \
    --name OnwardStatus --type Keyword \
    --name OnwardReason --type Keyword \
    --name OnwardSequence --type Keyword \
    --name OnwardContact --type Keyword \
    --name OnwardMailbox --type Keyword
