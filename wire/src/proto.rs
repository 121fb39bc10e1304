//! The generated protobuf types, one module a file of `proto/`.
//! Raw: nothing in them is checked. The modules beside this one turn them into checked types.
#![expect(
    missing_docs,
    reason = "generated; the .proto files carry the documentation"
)]

/// Socket frames.
pub mod websocket {
    include!(concat!(env!("OUT_DIR"), "/lockstep.websocket.rs"));
}
/// Linking.
pub mod provisioning {
    include!(concat!(env!("OUT_DIR"), "/lockstep.provisioning.rs"));
}
/// Envelopes and content.
pub mod service {
    include!(concat!(env!("OUT_DIR"), "/lockstep.service.rs"));
}
/// Bundles.
pub mod bundle {
    include!(concat!(env!("OUT_DIR"), "/lockstep.bundle.rs"));
}
/// Conversations as they are kept or handed on.
pub mod archive {
    include!(concat!(env!("OUT_DIR"), "/lockstep.archive.rs"));
}

/// Linking by digits.
pub mod linking {
    include!(concat!(env!("OUT_DIR"), "/lockstep.linking.rs"));
}

/// Pieces of an archive, on their way or in a file.
pub mod history {
    include!(concat!(env!("OUT_DIR"), "/lockstep.history.rs"));
}

/// prost wants `Debug`; ours prints the name alone, so that no content or key reaches a log.
macro_rules! opaque_debug {
    ($($module:ident: $($name:ident)|+;)+) => {$($(
        impl std::fmt::Debug for $module::$name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )+)+};
}

opaque_debug! {
    websocket: WebSocketRequestMessage | WebSocketResponseMessage | WebSocketMessage;
    provisioning: ProvisioningAddress | ProvisionEnvelope | ProvisionMessage | DeviceName;
    service: Envelope | Content | Binding | NullMessage | ReceiptMessage | ReceiptsTold | TypingMessage | EditMessage | DataMessage | AttachmentPointer | SyncMessage | ContactSnapshot | ContactEntry | History
        | Register | AppMessage | Verified | Staff;
    bundle: Bundle | Recipient | LeftOut | DeviceMessage | BundleAccepted | BundleMismatch | AccountMismatch;
    archive: ArchivedMessage | ArchivedConversation | Repair;
    history: Piece;
    linking: RendezvousOpen | RendezvousOpened | RendezvousWaiting | LinkCommit | LinkAnswer | LinkReveal | LinkPayload;
}

/// The same for messages that stand in others.
macro_rules! opaque_debug_inside {
    ($($path:path = $name:literal;)+) => {$(
        impl std::fmt::Debug for $path {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str($name)
            }
        }
    )+};
}

opaque_debug_inside! {
    archive::archived_message::Quote = "Quote";
    archive::archived_message::Version = "Version";
    archive::archived_message::Reaction = "Reaction";
    archive::repair::Group = "Group";
    archive::repair::Groups = "Groups";
    archive::repair::Items = "Items";
    archive::repair::Wanted = "Wanted";
    archive::repair::Gone = "Gone";
    service::staff::Member = "Member";
    service::history::Piece = "Piece";
    service::history::Taken = "Taken";
    service::data_message::Quote = "Quote";
    service::data_message::Reaction = "Reaction";
    service::data_message::Delete = "Delete";
    service::sync_message::Sent = "Sent";
    service::sync_message::Request = "Request";
    service::sync_message::Read = "Read";
    service::sync_message::Blocked = "Blocked";
    service::sync_message::Configuration = "Configuration";
    service::sync_message::MessageRequestResponse = "MessageRequestResponse";
    service::sync_message::DeleteForMe = "DeleteForMe";
    service::sync_message::delete_for_me::ConversationIdentifier = "ConversationIdentifier";
    service::sync_message::delete_for_me::AddressableMessage = "AddressableMessage";
    service::sync_message::delete_for_me::MessageDeletes = "MessageDeletes";
}
