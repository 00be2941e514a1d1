//! A shop on a real Kubernetes, from the resource to the purchase, and what becomes of it when things break.
//!
//! The scenarios share one shop and go one after the other: `tests/cluster/test.sh` brings up what they need. Without a
//! cluster there is nothing to run them against, and they say so.

mod backups;
mod chart;
mod command;
mod deaths;
mod deletion;
mod edges;
mod faults;
mod input;
mod install;
mod playbooks;
mod rights;
mod rollouts;
mod scale;
mod stores;
mod tutorial;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bigtix_tests::cluster::Cluster;
use futures::future::LocalBoxFuture;

/// The namespace of the shop.
const NAMESPACE: &str = "shop-under-test";

/// After so long a scenario has got stuck.
const LONGEST: Duration = Duration::from_secs(900);

/// What happens to the shop, and what must come of it.
type Scenario = fn(&Cluster) -> LocalBoxFuture<'_, Result<()>>;

macro_rules! scenarios {
    ($($module:ident::$name:ident),* $(,)?) => {
        &[$((concat!(stringify!($module), "::", stringify!($name)), |cluster| Box::pin($module::$name(cluster)))),*]
    };
}

/// In order: the first brings the shop up.
const SCENARIOS: &[(&str, Scenario)] = scenarios![
    install::a_shop_of_three_lines_is_ready_within_ninety_seconds,
    install::a_ticket_is_bought_through_the_ingress,
    install::the_example_is_followed_through_the_ingress,
    install::a_shop_at_rest_costs_no_write,
    install::broken_resources_are_refused_by_the_api_server,
    command::a_shop_is_shown_and_nothing_is_the_matter,
    command::a_plan_is_exactly_what_then_happens,
    command::what_failed_is_explained_and_gone_back_from,
    edges::declared_connections_work_and_no_others,
    chart::it_is_linted_and_what_it_renders_is_accepted,
    chart::an_operator_of_one_namespace_reads_no_secret_elsewhere,
    chart::it_is_upgraded_taken_away_and_installed_while_tickets_are_bought,
    faults::what_is_deleted_or_edited_is_mended,
    faults::all_pods_at_once_come_back_with_every_order,
    faults::a_database_that_is_killed_has_lost_nothing,
    faults::session_keys_are_rotated_and_nobody_is_signed_out,
    faults::the_operator_is_replaced_and_no_pod_restarts,
    rollouts::an_image_that_does_not_exist_is_taken_back,
    rollouts::an_image_that_crashes_is_taken_back,
    rollouts::an_image_that_never_gets_ready_is_taken_back,
    rollouts::an_image_that_fails_requests_is_taken_back,
    rollouts::a_restart_fails_no_request,
    rollouts::an_eviction_of_each_service_fails_no_request,
    playbooks::a_release_fails_no_purchase_and_a_second_run_changes_nothing,
    playbooks::a_bad_release_ends_red_and_the_one_of_before_serves,
    playbooks::a_rollback_fails_no_purchase,
    rollouts::an_autoscaler_takes_over_without_a_drop,
    scale::an_autoscaler_follows_the_load_and_nobody_fights_it,
    stores::a_volume_grows_while_tickets_are_bought,
    stores::the_database_grows_to_three_loses_its_primary_and_shrinks,
    stores::the_bus_grows_to_three_and_shrinks,
    backups::a_restore_brings_back_what_was_bought_and_nothing_that_came_later,
    backups::a_schedule_makes_backups_and_keeps_as_many_as_it_says,
    backups::what_is_in_a_bucket_is_restored_and_goes_with_its_backup,
    deletion::a_shop_that_is_deleted_leaves_its_final_backup_and_nothing_else,
    deletion::a_final_backup_that_fails_keeps_everything_until_it_is_mended,
    faults::of_two_operators_one_works,
    deaths::an_operator_that_dies_after_each_write_gets_there,
    install::a_secret_that_is_missing_is_asked_for,
    input::somebody_else_who_sets_a_field_is_named,
    input::a_release_that_is_too_far_away_is_refused,
    input::a_kind_that_is_missing_is_said_and_noticed_when_it_comes,
    input::what_is_no_longer_wanted_goes,
    input::a_resource_that_cannot_be_read_is_reported_and_passed_over,
    input::a_storage_class_that_is_missing_is_asked_for,
    input::a_stripe_key_that_is_refused_is_said,
    tutorial::what_the_tutorial_says_is_typed_and_the_shop_is_ready_after_it,
    faults::a_shop_sleeps_and_wakes,
    scale::many_shops_at_rest_cost_next_to_nothing,
    faults::a_shop_that_is_deleted_goes_with_its_namespace,
    rights::no_right_of_the_operator_is_unused,
];

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        for (name, _) in SCENARIOS {
            println!("{name}: test");
        }
        return ExitCode::SUCCESS;
    }
    let wanted: Vec<&String> = arguments
        .iter()
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let Ok(cluster) = Cluster::find(NAMESPACE) else {
        println!("no cluster is up, so nothing was tested here: tests/cluster/test.sh brings one up");
        return ExitCode::SUCCESS;
    };
    println!("running {} scenarios", SCENARIOS.len());
    let mut failed = Vec::new();
    for (name, scenario) in SCENARIOS {
        if !wanted.is_empty() && !wanted.iter().any(|word| name.contains(word.as_str())) {
            continue;
        }
        let began = Instant::now();
        let outcome = tokio::time::timeout(LONGEST, scenario(&cluster))
            .await
            .context("it took too long")
            .and_then(|outcome| outcome);
        let seconds = began.elapsed().as_secs_f64();
        match outcome {
            Ok(()) => println!("test {name} ... ok ({seconds:.0} s)"),
            Err(error) => {
                println!("test {name} ... FAILED ({seconds:.0} s)\n  {error:#}");
                println!("{}", cluster.describe());
                failed.push((name, error));
            }
        }
    }
    // Again, where somebody who looks at the end of a long log sees it.
    for (name, error) in &failed {
        println!("failed: {name}: {error:#}");
    }
    if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
