//! `Debug` of what must not be seen in logs: the name alone.
//! It does not know which bodies those are.

/// For bodies that hold a password, a credential or a link token.
macro_rules! debug_by_name {
    ($($name:ident)+) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )+};
}

pub(crate) use debug_by_name;
