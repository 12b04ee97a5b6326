#!/usr/bin/env bash
# The console in a real Chromium: every page as each role, by keyboard, without script, and attacked. docs/TESTING.md
# says what is in it. Usage: tests/browser.sh [FILE.test.mjs...]
#
# Uses the release binary that ./test built; PROVOST_BINARY names another.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

CARGO_TARGET_DIR=$(realpath -m "${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/provost/target}")
export PROVOST_BINARY=${PROVOST_BINARY:-$CARGO_TARGET_DIR/release/provost}
if [[ ! -x $PROVOST_BINARY ]]; then
    cargo build --release --locked -p provost-cli
fi

.ci/need-packages chromium fonts-dejavu-core openssl curl
# Node may be another than Debian's, which brings an npm of its own.
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    .ci/need-packages nodejs npm
fi
if ! command -v chromium >/dev/null || ! command -v npm >/dev/null; then
    echo "skipped: there is no Chromium or no npm here"
    exit 77
fi

# Packages live beside what cargo builds, a folder for each lock: the checkout stays as it is.
key=$(sha256sum tests/browser/package-lock.json | cut -c1-16)
tools=$CARGO_TARGET_DIR/tools/browser-$key
if [[ ! -f $tools/.whole ]]; then
    echo "installing npm packages of tests/browser into $tools" >&2
    mkdir -p "$tools"
    cp tests/browser/package.json tests/browser/package-lock.json tests/browser/.npmrc "$tools"
    (cd "$tools" && npm ci --ignore-scripts --no-audit --no-fund >&2)
    touch "$tools/.whole"
fi

# The tests run beside their packages, in a folder of this run's own.
run=$(mktemp -d "$tools/run.XXXXXX")
trap 'rm -rf "$run"' EXIT
cp -r tests/browser/. "$run"
cd "$run"
files=("$@")
# The longest first, two at a time where Node can be told so.
if [[ ${#files[@]} == 0 ]]; then
    files=(pages.test.mjs tasks.test.mjs)
    for file in *.test.mjs; do
        [[ " ${files[*]} " == *" $file "* ]] || files+=("$file")
    done
fi
beside=()
if node --help | grep -q -- --test-concurrency; then
    beside=(--test-concurrency=2)
fi
export TZ=UTC
node --test "${beside[@]}" --test-reporter=spec "${files[@]}"
