#!/usr/bin/env bash
# Gets this machine ready to build (and with --with-browser, to test) the project. Safe to run again; takes a second
# when nothing is missing. Everything it installs outside the clone is named in a line as it happens.
#
#   scripts/setup-wasm.sh [--with-browser]
#   WASM_FROM=rustup   the wasm32 target comes from rustup
#   WASM_FROM=debian   it comes from Debian's rustc-web, its standard library built here from Debian's own sources
#   WASM_FROM=auto     what is there already, else rustup, else Debian (the default)
#
# It knows nothing of what is built with these tools. A step that cannot be done ends with one sentence.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/wasm-env.sh"
unset RUSTUP_TOOLCHAIN RUSTFLAGS CARGO_BUILD_TARGET CARGO_TARGET_DIR RUSTC_WRAPPER
exec 3>&2
target=wasm32-unknown-unknown mark=$WASM_TOOLS/use-debian-wasm log=$WASM_TOOLS/setup.log rustlib=/usr/lib/rustlib
total=6 browser='' worked=''

say() { printf 'set-up: %s\n' "$*" >&3; }
die() { say "$*"; exit 70; }

case "${1:-}" in
  --with-browser) browser=yes total=8 ;;
  '') ;;
  *) die "unknown option $1; the only one is --with-browser." ;;
esac

# step NUMBER WHAT HOW-LONG ADVICE COMMAND...: runs the command, shows that it is alive, and speaks when it fails.
step() {
  local number=$1 what=$2 advice=$4 beat code
  worked=yes
  say "$number/$total $what ($3)"
  SECONDS=0
  while sleep 15 </dev/null >/dev/null 2>&1 3>&- 9>&- && kill -0 $$ 2>/dev/null; do
    say "$number/$total ... $SECONDS s: $(tail -n 1 "$log" | tr -d '\r' | cut -c 1-70)"
  done &
  beat=$!
  set +e
  (set -e; "${@:5}") >"$log" 2>&1
  code=$?
  set -e
  kill "$beat" 2>/dev/null; wait "$beat" 2>/dev/null || true
  [ $code -ne 0 ] || { say "$number/$total done in $SECONDS s"; return 0; }
  [ $code -eq 70 ] || { tail -n 15 "$log" >&3; say "$number/$total did not work. $advice"; }
  exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }
can_apt() { has apt-get && has dpkg-query && { [ "$EUID" -eq 0 ] || sudo -n true 2>/dev/null || { [ -t 0 ] && has sudo; }; }; }
as_root() { if [ "$EUID" -eq 0 ]; then "$@"; else sudo "$@"; fi; }
apt_get() {
  as_root apt-get -o DPkg::Lock::Timeout=300 update -q
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -q --no-install-recommends "$@"
}
packaged() { # are all of these installed?
  local p
  for p; do dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || return 1; done
}

# 1: what must be there before anything else.
at_least() { [ "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }
check_basics() {
  local node
  has node && has npm || die "Node.js with npm is missing: install Node.js 20 or newer (https://nodejs.org)."
  node=$(node -p 'process.versions.node')
  at_least 20 "$node" || die "Node.js is version $node: install 20 or newer (https://nodejs.org)."
  has cargo && has rustc || die "Rust is missing: install it with rustup (https://rustup.rs)."
  has cc || die "A C compiler is missing: install one (Debian: apt-get install gcc libc6-dev; macOS: xcode-select --install)."
}
check_rust_version() { # after the choice of toolchain
  local wanted have
  wanted=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' "$wasm_repo/Cargo.toml" | head -n 1)
  have=$(. "$wasm_repo/scripts/wasm-env.sh"; rustc --version | cut -d ' ' -f 2)
  at_least "${wanted:-1.95}" "$have" || die "Rust is version $have: ${wanted:-1.95} or newer is needed (rustup update stable)."
}

# 2 and 3: the wasm32 target.
debian_packages=(rustc-web cargo-web rust-web-src rust-web-clippy rustfmt-web)
no_target="Install the target with: rustup target add $target (rustup: https://rustup.rs)."
has_std() { compgen -G "$(rustc --print target-libdir --target $target 2>/dev/null)/libstd-*.rlib" >/dev/null; }
debian_std_ready() {
  [ "$(cat $rustlib/$target/built-by 2>/dev/null)" = "$(/usr/bin/rustc -vV)" ] && [ -e "$mark" ] &&
    { ! has rustup || rustup toolchain list | grep -q '^debian-wasm'; }
}
debian_linker() { # Debian packs no rust-lld: use rustup's, or Debian's lld
  local host lld
  host=$(/usr/bin/rustc -vV | sed -n 's/^host: //p')
  [ ! -x "$rustlib/$host/bin/rust-lld" ] || return 0
  lld=$(rustc --print sysroot)/lib/rustlib/$host/bin/rust-lld
  [ -x "$lld" ] || { apt_get lld-19; lld=/usr/bin/lld-19; }
  as_root mkdir -p "$rustlib/$host/bin"
  as_root ln -sfn "$lld" "$rustlib/$host/bin/rust-lld"
}
debian_std() {
  local tmp
  debian_linker
  if [ "$(cat $rustlib/$target/built-by 2>/dev/null)" != "$(/usr/bin/rustc -vV)" ]; then
    tmp=$(mktemp -d); mkdir "$tmp/src"; : >"$tmp/src/lib.rs"
    printf '[package]\nname = "only-std"\nversion = "0.0.0"\nedition = "2021"\n[profile.release]\ncodegen-units = 1\n' >"$tmp/Cargo.toml"
    # embed-bitcode lets the rlibs take part in lto; std's own dependencies come from Debian's package.
    (cd "$tmp" && RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Cembed-bitcode=yes \
      /usr/bin/cargo build --offline --release --target $target --target-dir "$tmp/target" \
      -Zbuild-std=std,panic_abort,panic_unwind,proc_macro,test --config 'source.crates-io.replace-with="rust-src"' \
      --config 'source.rust-src.directory="/usr/lib/rustlib/src/rust/library/vendor"')
    rm -f "$tmp"/target/$target/release/deps/libonly_std-*.rlib
    as_root rm -rf $rustlib/$target
    as_root mkdir -p $rustlib/$target/lib
    as_root cp "$tmp"/target/$target/release/deps/lib*.rlib $rustlib/$target/lib/
    /usr/bin/rustc -vV | as_root tee $rustlib/$target/built-by >/dev/null
    rm -rf "$tmp"
  fi
  ! has rustup || rustup toolchain link debian-wasm /usr
  touch "$mark"
}
debian_toolchain() {
  has rustup || [ "$(command -v cargo)" = /usr/bin/cargo ] ||
    die "cargo is neither rustup's nor Debian's, so the wasm32 target cannot be added to it: install rustup (https://rustup.rs)."
  if has dpkg-query && packaged "${debian_packages[@]}" && debian_std_ready; then return 0; fi
  can_apt || die "The wasm32 target is missing and cannot be installed here without rustup's server or root and apt-get. $no_target"
  packaged "${debian_packages[@]}" ||
    step 2 "installing Debian's Rust for the web" "about 1 min, once" "$no_target" apt_get "${debian_packages[@]}"
  step 3 "building the standard library for wasm32" "about 30 s, once" "$no_target" debian_std
}
choose_target() {
  case ${WASM_FROM:-auto} in
    debian) debian_toolchain ;;
    rustup)
      has_std || { has rustup || die "rustup is missing: install it (https://rustup.rs) or set WASM_FROM=debian."
        step 2 "adding the wasm32 target with rustup" "a few seconds, once" "$no_target" rustup target add $target; }
      rm -f "$mark" ;;
    auto)
      if has_std; then [ "$(rustc --print sysroot)" = /usr ] || rm -f "$mark"
      elif [ ! -e "$mark" ] && has rustup && rustup_target; then :
      else debian_toolchain; fi ;;
    *) die "WASM_FROM is ${WASM_FROM}: it can be auto, rustup or debian." ;;
  esac
}
rustup_target() {
  say "2/$total adding the wasm32 target with rustup (a few seconds, once)"
  worked=yes
  rustup target add $target >"$log" 2>&1 || { say "2/$total rustup could not; trying Debian's packages"; return 1; }
}

# 4 to 8: programs.
tool() { # tool CRATE VERSION [FLAG...]; a debug build takes 40% of the time and is fast enough
  local dir=$WASM_TOOLS/$1-$2
  # --locked fails at once where the lock file names a version that is not served; then try without.
  CARGO_PROFILE_DEV_DEBUG=0 cargo install --debug --locked --root "$dir" "$1@$2" "${@:3}" ||
    CARGO_PROFILE_DEV_DEBUG=0 cargo install --debug --root "$dir" "$1@$2" "${@:3}"
}
npm_packages() { npm ci --ignore-scripts --no-audit --no-fund && cp package-lock.json node_modules/.installed-lock.json; }
system_programs() { # system_programs NUMBER WHAT HOW-LONG SENTENCE PACKAGE...
  can_apt || die "$4"
  step "$1" "$2" "$3" "$4" apt_get "${@:5}"
}
install_programs() {
  local net="cargo must reach crates.io, npm its registry; the whole output is in $log."
  # Not Debian's binaryen: its wasm-opt 108 breaks the module; npm's is used.
  has protoc || system_programs 4 "installing protoc, which libsignal's build needs" "a few seconds, once" \
    "protoc is missing: install the Protocol Buffers compiler (Debian: protobuf-compiler; macOS: brew install protobuf) and run this again." \
    protobuf-compiler
  [ -x "$WASM_TOOLS/wasm-pack-$WASM_PACK_VERSION/bin/wasm-pack" ] ||
    step 5 "building wasm-pack $WASM_PACK_VERSION" "1 to 2 min, once" "$net" tool wasm-pack "$WASM_PACK_VERSION"
  # Both programs share every dependency: the second costs a second.
  [ -x "$WASM_TOOLS/wasm-bindgen-cli-$WASM_BINDGEN_VERSION/bin/wasm-bindgen-test-runner" ] ||
    step 5 "building wasm-bindgen $WASM_BINDGEN_VERSION" "1 to 2 min, once" "$net" tool wasm-bindgen-cli "$WASM_BINDGEN_VERSION" \
      --no-default-features --bin wasm-bindgen --bin wasm-bindgen-test-runner
  cmp -s package-lock.json node_modules/.installed-lock.json ||
    step 6 "installing npm packages" "about 10 s, when package-lock.json changes" "$net" npm_packages
}
install_browser() {
  local hint="Chromium and its driver are missing: install both (Debian: chromium chromium-driver), or name them in CHROMIUM and CHROMEDRIVER."
  { has chromium || [ -n "${CHROMIUM:-}" ]; } && { has chromedriver || [ -n "${CHROMEDRIVER:-}" ]; } ||
    system_programs 7 "installing Chromium and its driver for the tests" "about 1 min, once" "$hint" chromium chromium-driver
  (. "$wasm_repo/scripts/wasm-env.sh"; cargo clippy --version && cargo fmt --version) >/dev/null 2>&1 || {
    has rustup || die "clippy and rustfmt are missing: install them beside your cargo."
    step 8 "adding clippy and rustfmt" "a few seconds, once" "Run: rustup component add clippy rustfmt." rustup component add clippy rustfmt
  }
}

mkdir -p "$WASM_TOOLS" 2>/dev/null || die "The folder $WASM_TOOLS cannot be made: set WASM_TOOLS to one that can."
cd "$wasm_repo"
check_basics
exec 9>"$WASM_TOOLS/setup.lock"
if has flock && ! flock -n 9; then say "another set-up is at work here; waiting for it"; flock 9; fi
choose_target
check_rust_version
install_programs
[ -z "$browser" ] || install_browser
[ -z "$worked" ] || say "everything is there"
