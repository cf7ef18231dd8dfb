//! The practice node as its clients see it: over real HTTP and SSE, with what one does seen by
//! another; and the logic of a conference in virtual time.

mod calls;
mod changes;
mod dialling;
mod faults;
mod front;
mod hosts;
mod http;
mod ice_servers;
mod joining;
mod lifecycle;
mod logic;
mod operator;
mod presenting;
mod receptions;
mod roster;
mod shapes;
mod support;
mod tokens;
mod transferring;
mod v10;
