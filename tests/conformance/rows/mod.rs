//! The rows, by group.

use crate::row::Row;

mod call;
mod client_control;
mod conference;
mod events;
mod participant;
mod participant_later;
mod presentation;
mod reception;
mod refusals;
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
        presentation::rows(),
        refusals::rows(),
        reception::rows(),
        waiting_room::rows(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
