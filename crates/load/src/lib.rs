//! The load tester: many callers on Conferencing Nodes, what each lived through, and one verdict.
#![warn(missing_docs)]
