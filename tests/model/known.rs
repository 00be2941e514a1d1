//! Values that are compared and hashed by a fingerprint taken once: most of a world is as it was a step before.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

/// A value with its fingerprint.
#[derive(Debug)]
pub(crate) struct Known<T> {
    fingerprint: u64,
    value: Arc<T>,
}

impl<T: Hash> Known<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            fingerprint: fingerprint(&value),
            value: Arc::new(value),
        }
    }
}

impl<T> Clone for Known<T> {
    fn clone(&self) -> Self {
        Self {
            fingerprint: self.fingerprint,
            value: Arc::clone(&self.value),
        }
    }
}

impl<T> Deref for Known<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> PartialEq for Known<T> {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

impl<T> Eq for Known<T> {}

impl<T> Hash for Known<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.fingerprint.hash(state);
    }
}

/// A set that looks the same in whatever order it was filled.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Bag<T>(BTreeMap<u64, Known<T>>);

impl<T: Hash> Bag<T> {
    pub(crate) fn new() -> Self {
        Self(BTreeMap::new())
    }

    pub(crate) fn insert(&mut self, thing: T) {
        let known = Known::new(thing);
        self.0.insert(known.fingerprint, known);
    }

    pub(crate) fn remove(&mut self, thing: &Known<T>) {
        self.0.remove(&thing.fingerprint);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Known<T>> {
        self.0.values()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The same for what is the same, in every run.
pub(crate) fn fingerprint(thing: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    thing.hash(&mut hasher);
    hasher.finish()
}
