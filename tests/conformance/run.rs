//! Running rows: each in both profiles and by both hands, and without each thing that it needs.

use std::fmt;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use infinity::Profile;
use tokio::sync::Semaphore;

use crate::fixtures;
use crate::row::{Hand, Row, Stop, Told, V10};
use crate::scene::{Scene, Setting};

/// So many tellings at once.
static TURNS: Semaphore = Semaphore::const_new(24);
/// So many at once in which media flows: two cores decode it all.
static MEDIA_TURNS: Semaphore = Semaphore::const_new(2);

/// The longest a telling may take.
const LONGEST: Duration = Duration::from_secs(180);

/// What a cell of the table says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    Good,
    /// It is not as it should be, and why.
    Red(String),
    /// There is no such thing for this row.
    None,
}

impl Cell {
    pub(crate) fn is_red(&self) -> bool {
        matches!(self, Self::Red(_))
    }

    /// The worse of two.
    fn and(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::Red(_), _) | (_, Self::None) => self,
            _ => other,
        }
    }
}

/// What became of a row.
pub(crate) struct Results {
    pub(crate) row: Row,
    pub(crate) client: Cell,
    pub(crate) api: Cell,
    pub(crate) node: Cell,
    pub(crate) fixture: Cell,
    pub(crate) v10: Cell,
    /// What it was told without, and the cells that turned red then.
    pub(crate) without: Vec<(&'static str, Result<&'static str, ()>)>,
}

impl Results {
    pub(crate) fn cells(&self) -> [(&'static str, &Cell); 5] {
        [
            ("client call", &self.client),
            ("standin api", &self.api),
            ("node behaviour", &self.node),
            ("fixture", &self.fixture),
            ("v10", &self.v10),
        ]
    }

    pub(crate) fn is_red(&self) -> bool {
        self.cells().iter().any(|(_, cell)| cell.is_red())
    }

    /// Whether the row holds, and misses whatever is left out.
    pub(crate) fn is_good(&self) -> bool {
        !self.is_red() && self.without.iter().all(|(_, red)| red.is_ok())
    }
}

impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.is_good() { "ok" } else { "FAILED" };
        writeln!(f, "row {} ... {word}", self.row.title())?;
        for (name, cell) in self.cells() {
            if let Cell::Red(why) = cell {
                writeln!(f, "    {name}: {why}")?;
            }
        }
        for (handler, red) in &self.without {
            match red {
                Ok(cells) => writeln!(f, "    without {handler}: {cells} red")?,
                Err(()) => writeln!(f, "    without {handler}: NOT RED")?,
            }
        }
        Ok(())
    }
}

/// Runs all rows and returns their results in the same order.
pub(crate) async fn all(rows: Vec<Row>) -> Vec<Results> {
    let mut running: FuturesUnordered<_> = rows
        .into_iter()
        .enumerate()
        .map(|(place, row)| async move { (place, one(row).await) })
        .collect();
    let mut results = Vec::new();
    while let Some((place, result)) = running.next().await {
        print!("{result}");
        results.push((place, result));
    }
    results.sort_by_key(|(place, _)| *place);
    results.into_iter().map(|(_, result)| result).collect()
}

async fn one(row: Row) -> Results {
    let setting = |hand, profile, without| Setting {
        hand,
        profile,
        without,
    };
    let modern = Profile::Modern;
    let api = async {
        if row.has_api {
            Some(tell(&row, setting(Hand::Api, modern, None)).await)
        } else {
            None
        }
    };
    let without = futures_util::future::join_all(row.handlers.iter().map(|handler| {
        let telling = tell(&row, setting(Hand::Library, modern, Some(*handler)));
        async move { (*handler, turned_red(&telling.await)) }
    }));
    let (library, api, v10, without) = tokio::join!(
        tell(&row, setting(Hand::Library, modern, None)),
        api,
        in_v10(&row),
        without,
    );
    let asked = |told: &Told| match told {
        Ok(()) | Err(Stop::Observed(_)) => Cell::Good,
        Err(stop) => Cell::Red(stop.why().to_owned()),
    };
    let observed = |told: &Told| match told {
        Ok(()) => Cell::Good,
        Err(stop) => Cell::Red(stop.why().to_owned()),
    };
    Results {
        client: asked(&library),
        api: api.as_ref().map_or(Cell::None, asked),
        node: observed(&library).and(api.as_ref().map_or(Cell::None, observed)),
        fixture: fixtures::check(&row),
        v10,
        without,
        row,
    }
}

/// Tells a row to a node of version 10, by both hands.
async fn in_v10(row: &Row) -> Cell {
    if row.v10 == V10::Nothing {
        return Cell::None;
    }
    let mut cell = Cell::Good;
    for hand in [Hand::Library, Hand::Api] {
        // What flows is the same by either hand.
        if hand == Hand::Api && (row.has_media || !row.has_api) {
            continue;
        }
        let setting = Setting {
            hand,
            profile: Profile::V10,
            without: None,
        };
        let told = tell(row, setting).await;
        cell = cell.and(match (row.v10, told) {
            (V10::NotFound, Err(Stop::NotThere(_))) | (V10::Same, Ok(())) => Cell::Good,
            (V10::NotFound, Ok(())) => Cell::Red("it is there".to_owned()),
            (_, Err(stop)) => Cell::Red(format!("{hand:?}: {}", stop.why())),
            (V10::Nothing, Ok(())) => Cell::None,
        });
    }
    cell
}

/// Says which cells a telling turns red, if it does.
fn turned_red(told: &Told) -> Result<&'static str, ()> {
    match told {
        Ok(()) => Err(()),
        Err(Stop::Observed(_)) => Ok("node behaviour"),
        Err(Stop::Asked(_) | Stop::NotThere(_)) => Ok("client call, node behaviour"),
    }
}

/// Tells a row's story once.
async fn tell(row: &Row, setting: Setting) -> Told {
    // First the rarer turn: whoever waits for it is not to keep the others waiting.
    let _media_turn = if row.has_media && Scene::has_media(row, setting) {
        Some(MEDIA_TURNS.acquire().await.expect("never closed"))
    } else {
        None
    };
    let _turn = TURNS.acquire().await.expect("never closed");
    let mut scene = Scene::open(row, setting).await;
    let story = (row.story)(&mut scene);
    tokio::time::timeout(LONGEST, story)
        .await
        .unwrap_or_else(|_| {
            Err(Stop::Observed(
                "it takes more than three minutes".to_owned(),
            ))
        })
}
