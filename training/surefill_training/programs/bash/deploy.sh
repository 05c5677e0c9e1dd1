#!/usr/bin/env bash
#
# Deploys the web application to a server:
#   ./deploy.sh [-b BRANCH] [-n] staging|production

set -euo pipefail

APP_NAME="webshop"
BRANCH="main"
KEEP_RELEASES=5
DRY_RUN=false

usage() {
    echo "Usage: $0 [-b BRANCH] [-n] staging|production" >&2
    exit 2
}

log() {
    printf '[%s] %s\n' "$(date '+%H:%M:%S')" "$*"
}

die() {
    log "ERROR: $*" >&2
    exit 1
}

run() {
    if [[ "$DRY_RUN" == true ]]; then
        log "would run: $*"
    else
        "$@"
    fi
}

while getopts "b:nh" option; do
    case "$option" in
        b) BRANCH="$OPTARG" ;;
        n) DRY_RUN=true ;;
        *) usage ;;
    esac
done
shift $((OPTIND - 1))

[[ $# -eq 1 ]] || usage

case "$1" in
    staging)
        HOST="staging.example.com"
        ;;
    production)
        HOST="www.example.com"
        read -r -p "Really deploy $BRANCH to production? [y/N] " answer
        [[ "$answer" == [yY] ]] || die "aborted"
        ;;
    *)
        usage
        ;;
esac

RELEASE="$(date +%Y%m%d%H%M%S)"
BASE="/srv/$APP_NAME"
TARGET="$BASE/releases/$RELEASE"
BUILD_DIR="$(mktemp -d)"
trap 'rm -rf "$BUILD_DIR"' EXIT

for tool in git npm rsync ssh; do
    command -v "$tool" >/dev/null || die "$tool is not installed"
done

log "Checking out $BRANCH"
git clone --quiet --depth 1 --branch "$BRANCH" git@git.example.com:shop/webshop.git "$BUILD_DIR"

log "Building"
(
    cd "$BUILD_DIR"
    npm ci --silent
    npm run build
)

log "Uploading to $HOST"
run ssh "deploy@$HOST" "mkdir -p '$TARGET'"
run rsync -az --delete "$BUILD_DIR/dist/" "deploy@$HOST:$TARGET/"

log "Switching to release $RELEASE"
run ssh "deploy@$HOST" "ln -sfn '$TARGET' '$BASE/current' && sudo systemctl reload nginx"

# Roll back if the health check does not answer in time.
if [[ "$DRY_RUN" == false ]]; then
    for attempt in 1 2 3 4 5; do
        if curl --silent --fail --max-time 5 "https://$HOST/health" >/dev/null; then
            log "Health check passed"
            break
        fi
        if [[ $attempt -eq 5 ]]; then
            previous="$(ssh "deploy@$HOST" "ls -1 '$BASE/releases' | tail -n 2 | head -n 1")"
            ssh "deploy@$HOST" "ln -sfn '$BASE/releases/$previous' '$BASE/current'"
            die "health check failed, rolled back to $previous"
        fi
        sleep 3
    done
fi

log "Removing old releases"
run ssh "deploy@$HOST" "cd '$BASE/releases' && ls -1 | head -n -$KEEP_RELEASES | xargs -r rm -rf"
log "Done"
