//! Session descriptions as text: what webrtc does not do for us.
