//! `standin load --plan`: who comes when and does what, before anybody does.

use load::{Plan, Scenario};
use serde_json::json;

use super::shard::Part;
use crate::print;

/// Prints each caller of this part, in the order of their numbers; times are in seconds since the start.
pub(super) fn print(scenario: &Scenario, part: Part) {
    for caller in Plan::shard(scenario, part.index, part.count).callers {
        let stays: Vec<_> = caller
            .stays
            .iter()
            .map(|stay| [stay.start.as_secs_f64(), stay.end.as_secs_f64()])
            .collect();
        // A plan is of the scenario that it was made from.
        let conference = &scenario.conferences[caller.conference];
        print::json(&json!({
            "caller": caller.number,
            "display_name": caller.display_name,
            "node": scenario.nodes[caller.node].to_string(),
            "conference": conference,
            "role": caller.role.name(),
            "stays": stays,
            "is_impaired": caller.impairment.or(caller.inbound_impairment).is_some(),
        }));
    }
}
