#!/bin/sh
# A rustc that instruments the project's own crates for libFuzzer, and no others: what a fuzzer is to find its way through is our
# code, and cryptography with counters in it takes many minutes to compile. These are cargo-fuzz's flags without a
# sanitizer, which stable compilers take, too.
case " $* " in
  *" --crate-name wire "* | *" --crate-name engine "* | *" --crate-name relay "* | *" --crate-name sim "* | \
    *" --crate-name decode "* | *" --crate-name world "*)
    exec "$@" --cfg fuzzing -Cdebug-assertions -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
      -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
      -Cllvm-args=-sanitizer-coverage-trace-compares
    ;;
esac
exec "$@"
