//! The rows, by group.

use crate::row::Row;

mod acted_on;
mod call;
mod client_control;
mod conference;
mod discovery;
mod events;
mod ice_servers;
mod network;
mod participant;
mod participant_later;
mod presentation;
mod reception;
mod refusals;
mod refusals_in_the_field;
mod waiting_room;

/// Every row, in the order of the table.
pub(crate) fn all() -> Vec<Row> {
    [
        client_control::rows(),
        conference::rows(),
        participant::rows(),
        participant_later::rows(),
        call::rows(),
        events::rows(),
        acted_on::rows(),
        presentation::rows(),
        refusals::rows(),
        refusals_in_the_field::rows(),
        discovery::rows(),
        ice_servers::rows(),
        network::rows(),
        reception::rows(),
        waiting_room::rows(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
