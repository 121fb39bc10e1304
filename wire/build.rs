//! Compiles the `.proto` files with protoc.
//! Nothing else is generated, and nothing generated is committed.

fn main() -> std::io::Result<()> {
    println!("cargo:rerun-if-changed=proto");
    prost_build::Config::new()
        // `proto.rs` writes Debug for messages, by name alone; enums hold nothing to hide.
        .skip_debug(["."])
        .enum_attribute(".", "#[derive(Debug)]")
        .compile_protos(
            &[
                "proto/websocket.proto",
                "proto/provisioning.proto",
                "proto/service.proto",
                "proto/lockstep.proto",
                "proto/archive.proto",
                "proto/history.proto",
                "proto/linking.proto",
            ],
            &["proto"],
        )
}
