//! Platforms go in, objects come out.

mod environment;
mod golden;
mod ingress;
mod network;
mod objects;
mod references;
mod restricted;
mod shops;
mod workloads;
