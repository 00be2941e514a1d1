//! What comes of a world once nothing goes wrong any more.

use std::collections::HashSet;
use std::sync::PoisonError;

use stateright::Model;

use super::known::{Known, fingerprint};
use super::saga::{Action, Copies, Luck, Saga};
use super::stripe::Happening;
use super::world::{Request, World};

impl Saga {
    /// What happens next when nothing goes wrong any more; `None` when the world is at rest.
    pub(crate) fn calm_step(&self, world: &World) -> Option<World> {
        let mut actions: Vec<Action> = world.answers.iter().cloned().map(Action::Learn).collect();
        let arrive = |request: &Known<Request>| Action::Arrive(request.clone(), Luck::None, Copies::Last);
        actions.extend(world.requests.iter().map(arrive));
        let settles = |what: &Happening| matches!(what, Happening::Approved | Happening::RefundArrived);
        let happens = |place: usize| {
            let happenings = world.books[place].happenings();
            happenings
                .into_iter()
                .find(settles)
                .map(|what| Action::AtStripe(place, what))
        };
        actions.extend((0..world.payments.len()).filter_map(happens));
        actions.extend(
            (0..world.payments.len())
                .filter(|at| world.notices[*at])
                .map(Action::ReadNotice),
        );
        if usize::from(world.tick) < self.bounds.orders {
            actions.push(Action::Tick);
        }
        for (place, versions) in world.orders.iter().enumerate().filter(|(_, it)| !it.is_empty()) {
            actions.extend([
                Action::Expire(place),
                Action::HearOrder(place, versions.len() - 1),
            ]);
        }
        actions.extend(
            (0..world.payments.len())
                .filter(|at| world.due(*at).is_some())
                .map(Action::Send),
        );
        actions
            .into_iter()
            .find_map(|action| self.next_state(world, action))
    }

    /// Whether the world comes to rest once nothing goes wrong any more.
    pub(crate) fn comes_to_rest(&self, world: &World) -> bool {
        let (mut world, mut way, mut on_way) = (world.clone(), Vec::new(), HashSet::new());
        loop {
            let here = fingerprint(&world);
            if self
                .resting
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .contains(&here)
            {
                break;
            }
            way.push(here);
            if !on_way.insert(here) {
                return false;
            }
            match self.calm_step(&world) {
                Some(next) => world = next,
                None => break,
            }
        }
        self.resting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(way);
        true
    }
}
