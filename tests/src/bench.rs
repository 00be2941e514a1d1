//! Measuring a running shop: through the edge, with everything running and its data on a disk, by distinct buyers who
//! are signed in. Each figure stands beside what a bare driver or a bare server does on the same machine in the same
//! run, because the machine is shared with the load generator and is never the same twice.

pub mod baselines;
pub mod bench_run;
pub mod buyers;
pub mod cage;
pub mod load;
pub mod machine;
pub mod overload;
pub mod quiet;
pub mod report;
pub mod reservations;
pub mod sales;
pub mod servers;
pub mod sessions;
pub mod wire;
