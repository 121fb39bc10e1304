//! The static files: types, policy, freshness, compression.

mod support;

use support::{Relay, http_get};

#[tokio::test]
async fn pages_and_package_come_with_types_and_a_strict_policy() {
    let folder = tempfile::tempdir().unwrap();
    let (www, pkg) = (folder.path().join("www"), folder.path().join("pkg"));
    std::fs::create_dir_all(&www).unwrap();
    std::fs::create_dir_all(&pkg).unwrap();
    std::fs::write(www.join("index.html"), "<!doctype html>").unwrap();
    std::fs::write(pkg.join("lockstep.js"), "x".repeat(1000)).unwrap();
    std::fs::write(pkg.join("lockstep_bg.wasm"), "\0asm".repeat(1000)).unwrap();
    let (www, pkg) = (www.to_str().unwrap(), pkg.to_str().unwrap());
    let relay = Relay::start(&["--dev", "--www", www, "--pkg", pkg]).await;
    let port = relay.port();

    let page = http_get(port, "/", &[]).await;
    assert!(page.starts_with("http/1.1 200"), "{page}");
    assert!(page.contains("content-type: text/html"));
    assert!(page.contains("cache-control: no-cache"));
    assert!(page.contains("last-modified:"));
    assert!(page.contains("cross-origin-opener-policy: same-origin"));
    assert!(page.contains("x-content-type-options: nosniff"));
    let sockets = format!("connect-src 'self' ws://127.0.0.1:{port} wss://127.0.0.1:{port};");
    assert!(page.contains(&sockets), "{page}");
    assert!(page.contains("script-src 'self' 'wasm-unsafe-eval';"));

    let wasm = http_get(port, "/pkg/lockstep_bg.wasm", &["accept-encoding: gzip"]).await;
    assert!(wasm.contains("content-type: application/wasm"), "{wasm}");
    assert!(wasm.contains("content-encoding: gzip"));
    let js = http_get(port, "/pkg/lockstep.js", &[]).await;
    assert!(js.contains("javascript") && !js.contains("content-encoding"));
    let unchanged = ["if-modified-since: Fri, 01 Jan 2100 00:00:00 GMT"];
    let js = http_get(port, "/pkg/lockstep.js", &unchanged).await;
    assert!(js.starts_with("http/1.1 304"), "{js}");
    let outside = http_get(port, "/pkg/..%2f..%2frelay.db", &[]).await;
    assert!(outside.starts_with("http/1.1 404"), "{outside}");

    let health = http_get(port, "/health", &[]).await;
    assert!(health.contains(r#""database":"ok""#), "{health}");
}
