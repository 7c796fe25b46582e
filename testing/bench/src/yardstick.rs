//! What the servers do on this machine when nobody asks more of them than they must.

pub(super) mod broker;
pub(super) mod inserts;
