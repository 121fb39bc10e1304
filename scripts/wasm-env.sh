# Which tools this project uses, as environment. Source it in bash: . scripts/wasm-env.sh
# Downloads and builds nothing; scripts/setup-wasm.sh does. WASM_TOOLS moves the folder the tools live in.
wasm_repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export WASM_TOOLS=${WASM_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/wasm-tools}
WASM_PACK_VERSION=0.15.1
# The command line tool and the library of wasm-bindgen must be the same version: Cargo.lock decides.
WASM_BINDGEN_VERSION=$(sed -n '/^name = "wasm-bindgen"$/{n;s/^version = "\(.*\)"$/\1/p;}' "$wasm_repo/Cargo.lock")
# node_modules comes before the system, for npm's wasm-opt: Debian's breaks the module without a word.
export PATH=$WASM_TOOLS/wasm-pack-$WASM_PACK_VERSION/bin:$WASM_TOOLS/wasm-bindgen-cli-$WASM_BINDGEN_VERSION/bin:$wasm_repo/node_modules/.bin:$PATH
if [ -z "${RUSTUP_TOOLCHAIN:-}" ] && [ -e "$WASM_TOOLS/use-debian-wasm" ]; then export RUSTUP_TOOLCHAIN=debian-wasm; fi
# The defaults (20 s and 5 s) are too short for a busy machine.
export WASM_BINDGEN_TEST_TIMEOUT=${WASM_BINDGEN_TEST_TIMEOUT:-120} WASM_BINDGEN_TEST_DRIVER_TIMEOUT=${WASM_BINDGEN_TEST_DRIVER_TIMEOUT:-30}
