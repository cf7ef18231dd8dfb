//! JSON Schemas (draft 2020-12) of what is written for programs.
//!
//! They are strict, and come with the program that wrote what they describe: tests hold them against the
//! types, name by name and both ways round.

/// The schema of `result.json`.
pub const RESULT: &str = include_str!("../schema/result.schema.json");

/// The schema of a line of `series.ndjson`.
pub const SERIES: &str = include_str!("../schema/series.schema.json");

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::*;
    use crate::report::{series, tests::example};
    use crate::{Counter, Generator, Unit, metric};

    fn parsed(schema: &str) -> Value {
        serde_json::from_str(schema).expect("JSON")
    }

    /// Every name of a property that a schema has, and every name that a value has: whatever is a name
    /// of ours, not one of a caller, a reason or a state.
    fn of_schema(schema: &Value, into: &mut BTreeSet<String>) {
        match schema {
            Value::Object(object) => {
                if let Some(Value::Object(properties)) = object.get("properties") {
                    into.extend(properties.keys().cloned());
                }
                object.values().for_each(|value| of_schema(value, into));
            }
            Value::Array(array) => array.iter().for_each(|value| of_schema(value, into)),
            _ => {}
        }
    }

    fn of_value(value: &Value, into: &mut BTreeSet<String>) {
        match value {
            Value::Object(object) => {
                into.extend(object.keys().cloned());
                object.values().for_each(|value| of_value(value, into));
            }
            Value::Array(array) => array.iter().for_each(|value| of_value(value, into)),
            _ => {}
        }
    }

    #[test]
    fn the_schemas_name_what_the_types_have_and_nothing_else() {
        // That the types have nothing more is told by results that follow the schema.
        let mut result = example();
        result.run.master = Some("locust:5557".to_owned());
        let cut_short = Some("after 2 of 60 s".to_owned());
        let generator = Generator {
            cut_short,
            ..Generator::default()
        };
        result.measurements.generator(1, generator);
        result.judge_by(&[]);
        result.verdict.thresholds = example().verdict.thresholds;
        let lines = series(&result);
        let line = lines.lines().last().expect("a line").to_owned();
        for (schema, written) in [(RESULT, result.to_json()), (SERIES, line)] {
            let (mut named, mut there) = (BTreeSet::new(), BTreeSet::new());
            of_schema(&parsed(schema), &mut named);
            of_value(&parsed(&written), &mut there);
            assert!(named.len() > 5);
            let strange: Vec<_> = named.difference(&there).collect();
            assert!(strange.is_empty(), "not in any result: {strange:?}");
        }
    }

    #[test]
    fn figures_counts_and_units_are_those_there_are() {
        let names = |schema: &Value, at: &str| -> Vec<String> {
            let names = schema.pointer(at).and_then(Value::as_array);
            let names = names.unwrap_or_else(|| panic!("no {at}")).iter();
            names
                .map(|name| name.as_str().expect("a name").to_owned())
                .collect()
        };
        let figures: Vec<&str> = metric::ALL.iter().map(|metric| metric.name).collect();
        let counters = Counter::ALL.map(Counter::name);
        let (result, series) = (parsed(RESULT), parsed(SERIES));
        let of = |what: &str| format!("/$defs/measurements/properties/{what}/propertyNames/enum");
        assert_eq!(names(&result, &of("histograms")), figures);
        assert_eq!(names(&result, &of("counters")), counters);
        let of = |what: &str| format!("/properties/{what}/propertyNames/enum");
        assert_eq!(names(&series, &of("figures")), figures);
        assert_eq!(names(&series, &of("counters")), counters);
        let units = [
            Unit::Seconds,
            Unit::Ratio,
            Unit::Score,
            Unit::Rate,
            Unit::BitsPerSecond,
            Unit::Count,
        ];
        let units = units.map(|unit| json!(unit).as_str().expect("a name").to_owned());
        assert_eq!(
            names(&result, "/$defs/histogram/properties/unit/enum"),
            units
        );
    }

    fn validator(schema: &str) -> jsonschema::Validator {
        let schema = parsed(schema);
        jsonschema::meta::validate(&schema).expect("a schema");
        jsonschema::validator_for(&schema).expect("a schema")
    }

    #[test]
    fn results_follow_the_schema_and_spoilt_ones_do_not() {
        let schema = validator(RESULT);
        let good: Value = serde_json::from_str(&example().to_json()).expect("JSON");
        let wrong: Vec<String> = schema
            .iter_errors(&good)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert_eq!(wrong, [""; 0]);
        for (at, spoilt) in [
            ("/version", json!("2")),
            ("/run/seed", json!(-1)),
            ("/run/started_ms", Value::Null),
            ("/verdict/conclusion", json!("passed")),
            ("/verdict/thresholds/0/holds", json!("yes")),
            ("/measurements/histograms/rtt/unit", json!("ms")),
            ("/measurements/histograms/rtt/sum", json!("12.5")),
            ("/measurements/counters/joins.ok", json!(1.5)),
            ("/measurements/callers/3/join", json!([])),
            ("/knee/end", json!("broken")),
        ] {
            let mut result = good.clone();
            *result.pointer_mut(at).unwrap_or_else(|| panic!("no {at}")) = spoilt;
            assert!(!schema.is_valid(&result), "{at}");
        }
        let within = |at: &str, key: &str| {
            let mut result = good.clone();
            let object = result.pointer_mut(at).and_then(Value::as_object_mut);
            let object = object.unwrap_or_else(|| panic!("no {at}"));
            if object.remove(key).is_none() {
                let any = object.values().next().cloned();
                object.insert(key.to_owned(), any.unwrap_or(json!(0)));
            }
            schema.is_valid(&result)
        };
        assert!(!within("", "measurements"), "it is needed");
        assert!(!within("/run", "titel"), "nothing is called so");
        assert!(!within("/measurements/histograms", "round.trip"));
        assert!(!within("/measurements/counters", "joins.failed"));
    }

    #[test]
    fn lines_of_the_series_follow_the_schema_and_spoilt_ones_do_not() {
        let schema = validator(SERIES);
        let text = series(&example());
        assert!(text.lines().count() > 10);
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).expect("JSON");
            assert!(schema.is_valid(&line), "{line:#}");
            for (at, spoilt) in [
                ("/from_s", json!("0")),
                ("/callers", json!([])),
                ("/figures/rtt/count", json!(-1)),
                ("/figures/rtt", json!({ "count": 1, "p51": 0.2 })),
            ] {
                let mut line = line.clone();
                *line.pointer_mut(at).unwrap_or_else(|| panic!("no {at}")) = spoilt;
                assert!(!schema.is_valid(&line), "{at}");
            }
        }
    }
}
