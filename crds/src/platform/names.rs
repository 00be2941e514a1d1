//! Texts whose form has been checked, told apart by what they name.

use std::fmt;

macro_rules! checked_texts {
    ($($(#[$doc:meta])+ $name:ident;)+) => {$(
        $(#[$doc])+
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Only for texts that the schema has accepted.
            pub(crate) fn accepted(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    )+};
}

checked_texts! {
    /// The name of a BigTix: lower-case letters, digits and `-`, at most 40 characters.
    InstanceName;
    /// The name of some object in Kubernetes.
    ObjectName;
    /// The name of a Secret in the same namespace.
    SecretName;
    /// The name of a ConfigMap in the same namespace.
    ConfigMapName;
    /// A host name without port.
    Host;
    /// An email address in lower case.
    Email;
    /// An `http` or `https` URL.
    Url;
    /// An image with its tag or digest.
    Image;
    /// Five numeric fields of cron.
    Cron;
}

impl Image {
    /// An image that was accepted once and has been written down since, as in a status.
    #[must_use]
    pub fn recorded(text: &str) -> Self {
        Self::accepted(text)
    }
}
