//! The load generator: visits at a constant rate or by so many clients, over connections of its own, what came of them,
//! and whether it agrees with what the shop says afterwards. `bigtix-load` sends it to a shop, `bigtix-bench` measures by it.
//!
//! * [`drive`]: the two loops. A visit is an async closure that asks over a [`wire`] and says what came of it.
//! * [`shopping`]: what visitors do, step by step.
//! * [`audit`]: the promises, as a comparison of what buyers were told with the shop's [`books`].
//! * [`subject`]: a shop that is started to be measured; [`market`]: what is sold in it, and to whom.

pub mod audit;
pub mod books;
pub mod drive;
pub mod machine;
pub mod market;
pub mod progress;
pub mod quiet;
pub mod servers;
pub mod sessions;
pub mod shopping;
pub mod subject;
pub mod tally;
pub mod wire;
