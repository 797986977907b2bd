#!/usr/bin/env bash
# What action.yml runs: `install FOLDER` puts OpenVet into an environment of its own, from the locks; `check FOLDER` checks models with it.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
job=$1
home=$2

install() {
    python3 -m venv "$home"
    local pip=("$home/bin/python" -m pip --disable-pip-version-check --no-input install --quiet --no-deps)
    "${pip[@]}" --require-hashes -r "$root/requirements/build.txt" -r "$root/requirements/core.txt"
    "${pip[@]}" --no-build-isolation "$root"
}

check() {
    local fail_on=${OPENVET_FAIL_ON:-review} page=${OPENVET_PAGE:-openvet.html} sarif=${OPENVET_SARIF:-openvet.sarif}
    case $fail_on in
        review | reject | never) ;;
        *) echo "::error::fail-on has to be review, reject or never" && exit 2 ;;
    esac
    local summary options=()
    summary=$(mktemp --suffix=.md)
    [ -z "${OPENVET_CONFIG:-}" ] || options=(--config "$OPENVET_CONFIG")

    # the decision is asked with every outcome, and fail-on is applied below: what a workflow reads is always the decision itself
    local code=0 paths
    paths=$(printf '%s\n' "${OPENVET_PATHS:-}" | sed '/^[[:space:]]*$/d; s/^[[:space:]]*//; s/[[:space:]]*$//')
    printf '%s\n' "$paths" | "$home/bin/openvet" check --no-progress --fail-on review --format sarif --output "$sarif" \
        --report "$page" --report "$summary" ${options[@]+"${options[@]}"} - || code=$?

    local verdict
    case $code in
        0) verdict=admit ;;
        1) verdict=reject ;;
        3) verdict=review ;;
        *) verdict=failed ;;
    esac
    [ -z "${GITHUB_STEP_SUMMARY:-}" ] || cat "$summary" >>"$GITHUB_STEP_SUMMARY"
    [ -z "${GITHUB_OUTPUT:-}" ] || {
        echo "verdict=$verdict"
        [[ $page == *$'\n'* ]] || echo "page=$page"
        [[ $sarif == *$'\n'* ]] || echo "sarif=$sarif"
    } >>"$GITHUB_OUTPUT"
    rm -f "$summary"

    case $verdict:$fail_on in
        failed:*) exit 2 ;;
        admit:* | *:never | review:reject) exit 0 ;;
        *) exit "$code" ;;
    esac
}

case $job in
    install | check) "$job" ;;
    *) echo "usage: tools/action.sh install|check FOLDER" >&2 && exit 2 ;;
esac
