//! What an operator writes, or takes from somebody else.

use media::SourceSpec;

use super::files::with_file;

/// A source in its notation: what is written of it is read as the same.
pub(crate) fn source(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    match text.parse::<SourceSpec>() {
        Ok(spec) => {
            let written = spec.to_string();
            let again = written.parse::<SourceSpec>();
            assert!(
                again.as_ref().is_ok_and(|again| *again == spec),
                "{spec:?}: {again:?}"
            );
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// A playlist, or a list of slides.
pub(crate) fn list(bytes: &[u8]) {
    with_file(bytes, |path| match media::fuzzing::list(path) {
        Ok(sources) => assert!(!sources.is_empty()),
        Err(error) => assert!(!error.to_string().is_empty()),
    });
}
