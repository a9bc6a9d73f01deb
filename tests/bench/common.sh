# Sourced by the benchmarks of `./gos bench NAME`, which run as root in the machine, in an empty directory of the root's disk. Each prints a JSON object a
# line: {"name": ..., "unit": ..., "value": ...}.
set -eu

# Ends with status 69 where a program is missing in the image.
need() {
    local program
    for program in "$@"; do
        command -v "$program" > /dev/null || { echo "the image has no $program" >&2; exit 69; }
    done
}

now_us() { echo "${EPOCHREALTIME/./}"; }

report() { printf '{"name": "%s", "unit": "%s", "value": %s}\n' "$1" "$2" "$3"; }

# report_seconds NAME COMMAND...: how long the command takes.
report_seconds() {
    local name=$1 begun; shift
    begun=$(now_us)
    "$@"
    report "$name" s "$(awk -v us=$(($(now_us) - begun)) 'BEGIN { printf "%.4f", us / 1e6 }')"
}

# report_rate NAME UNIT AMOUNT COMMAND...: how much a second.
report_rate() {
    local name=$1 unit=$2 amount=$3 begun; shift 3
    begun=$(now_us)
    "$@"
    report "$name" "$unit" "$(awk -v us=$(($(now_us) - begun)) -v amount="$amount" 'BEGIN { printf "%.4f", amount * 1e6 / us }')"
}
