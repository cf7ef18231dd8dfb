//! Measurements as a person writes them: `NAME=VALUE`.

use infinity::MediaStatistics;
use serde_json::{Map, Value};

use crate::exit::Failure;

/// Reads the measurements of one kind of media; nothing if there are none.
pub(super) fn read(pairs: &[String]) -> Result<Option<MediaStatistics>, Failure> {
    let mut fields = Map::new();
    for pair in pairs {
        let (name, value) = pair.split_once('=').ok_or_else(|| {
            Failure::usage(format!("{pair:?} is no measurement: write NAME=VALUE"))
        })?;
        let value = read_one(name, value)?;
        fields.insert(name.to_owned(), value);
    }
    if fields.is_empty() {
        return Ok(None);
    }
    serde_json::from_value(Value::Object(fields))
        .map(Some)
        .map_err(Failure::usage)
}

/// Reads one value as a number if it is one and the measurement takes it, else as text.
fn read_one(name: &str, text: &str) -> Result<Value, Failure> {
    let number = serde_json::from_str::<serde_json::Number>(text).map(Value::Number);
    let candidates = number.into_iter().chain([Value::String(text.to_owned())]);
    let mut is_known = false;
    for value in candidates {
        let alone = Value::Object(Map::from_iter([(name.to_owned(), value.clone())]));
        match serde_json::from_value::<MediaStatistics>(alone) {
            // A name it does not know is passed over, and nothing is measured.
            Ok(measured) if measured == MediaStatistics::default() => {}
            Ok(_) => return Ok(value),
            Err(_) => is_known = true,
        }
    }
    Err(Failure::usage(if is_known {
        format!("{text:?} is no value for {name}: give a number; counts have no decimals")
    } else {
        format!("no measurement is called {name:?}: `standin api statistics --help` lists them")
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Result<MediaStatistics, String> {
        read(&[text.to_owned()])
            .map(Option::unwrap_or_default)
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn measurements_are_names_with_values() {
        assert_eq!(one("rx_bitrate=31.5").expect("read").rx_bitrate, Some(31.5));
        assert_eq!(one("tx_bitrate=640").expect("read").tx_bitrate, Some(640.0));
        assert_eq!(
            one("rx_packets_lost=-1").expect("read").rx_packets_lost,
            Some(-1)
        );
        assert_eq!(
            one("rx_resolution=1280x720").expect("read").rx_resolution,
            Some("1280x720".to_owned())
        );
        assert_eq!(read(&[]).ok(), Some(None));
    }

    #[test]
    fn what_is_no_measurement_is_refused_with_the_reason() {
        assert!(
            one("rx_bitrate")
                .expect_err("no value")
                .contains("NAME=VALUE")
        );
        assert!(
            one("colour=7")
                .expect_err("no such name")
                .contains("--help")
        );
        assert!(
            one("rx_packets_received=1.5")
                .expect_err("a count")
                .contains("decimals")
        );
        assert!(
            one("rx_bitrate=fast")
                .expect_err("a number")
                .contains("number")
        );
    }
}
