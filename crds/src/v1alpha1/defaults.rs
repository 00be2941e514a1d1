//! `Default` for structs whose fields carry the defaults.

/// Makes `Default` the same as reading `{}`, so that a struct that is left out can never mean anything else.
macro_rules! default_is_the_empty_object {
    ($($type:ty),+ $(,)?) => {$(
        impl Default for $type {
            fn default() -> Self {
                serde_json::from_value(serde_json::json!({})).expect("every field has a default")
            }
        }
    )+};
}

pub(super) use default_is_the_empty_object;
