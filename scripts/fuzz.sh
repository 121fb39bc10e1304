#!/bin/sh
# scripts/fuzz.sh TARGET [libFuzzer's options]: runs a target of fuzz/ under libFuzzer, on the stable compiler and without cargo-fuzz.
#
#   scripts/fuzz.sh decode -max_total_time=600
#   scripts/fuzz.sh world -max_total_time=900 -max_len=241
#   scripts/fuzz.sh world fuzz/artifacts/world/crash-...     repeats a finding
#
# What it has learned is kept in fuzz/corpus/TARGET, findings in fuzz/artifacts/TARGET.
set -eu
cd "$(dirname "$0")/.."
target=${1:?"which target: decode or world"}
shift
cp Cargo.lock fuzz/Cargo.lock # the same dependencies as everywhere else
out=${CARGO_TARGET_DIR:-$PWD/target}/fuzz
RUSTC_WRAPPER="$PWD/scripts/lib/fuzz-rustc.sh" CARGO_TARGET_DIR="$out" \
  cargo build --release --manifest-path fuzz/Cargo.toml --bin "$target"
mkdir -p "fuzz/corpus/$target" "fuzz/artifacts/$target"
case ${1:-} in
  "" | -*) set -- "fuzz/corpus/$target" "$@" ;;
esac
exec "$out/release/$target" -artifact_prefix="fuzz/artifacts/$target/" "$@"
