//! Before anything else: which nodes there are.

use std::pin::pin;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::run::story::Story;
use crate::run::wakeup::Order;
use crate::{CallerSettings, EndReason, Program, Rejoin, State, discovery};

/// What came of looking for nodes.
#[derive(Debug, Default)]
pub(super) struct Search {
    /// The nodes in their order; none where the search failed, and the story knows why.
    pub(super) nodes: Vec<url::Url>,
    /// The program was allowed to start meanwhile.
    pub(super) may_play: bool,
    /// The program is to be silent.
    pub(super) is_hushed: bool,
    /// Another program is to be played, by its number.
    pub(super) program: Option<(u32, Program)>,
    /// The caller was told to stop meanwhile.
    pub(super) stop: Option<Order>,
}

/// Looks for the nodes of the settings; over and over, if that is how the caller joins.
pub(super) async fn search(
    settings: &CallerSettings,
    story: &mut Story,
    orders: &mut mpsc::UnboundedReceiver<Order>,
) -> Search {
    let mut search = Search::default();
    let mut finding = pin!(find(settings, story));
    loop {
        tokio::select! {
            biased;
            order = orders.recv() => match order.unwrap_or(Order::Abandoned) {
                Order::Play => search.may_play = true,
                Order::Talk(aloud) => search.is_hushed = !aloud,
                Order::Program(number, program) => search.program = Some((number, program)),
                // Nobody yet.
                Order::Introduce(_) => {}
                order => {
                    search.stop = Some(order);
                    return search;
                }
            },
            nodes = &mut finding => {
                search.nodes = nodes;
                return search;
            }
        }
    }
}

async fn find(settings: &CallerSettings, story: &mut Story) -> Vec<url::Url> {
    if settings.nodes.is_empty() {
        story.fault(EndReason::Unreachable("no node is given: name one".into()));
        return Vec::new();
    }
    let mut random = settings
        .seed
        .map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
    let mut pause = match settings.rejoin {
        Rejoin::Never => Duration::ZERO,
        Rejoin::Always { first, .. } => first,
    };
    loop {
        let found = discovery::nodes_of(&settings.client, &settings.nodes, &mut random).await;
        let reason = match found {
            Ok(nodes) => return nodes,
            Err(error) => error.to_string(),
        };
        let Rejoin::Always { longest, .. } = settings.rejoin else {
            story.fault(EndReason::Unreachable(reason));
            return Vec::new();
        };
        story.state(Instant::now(), State::Rejoining { reason, pause });
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(longest);
    }
}
