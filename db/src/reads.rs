use std::ops::Deref;

use crate::Db;

/// A database with a pool for reads alone. A read that ran into its time limit is not run a second
/// time: its reader has waited long enough, and the second run would cost as much as the first.
#[derive(Clone, Debug)]
pub struct Reads(Db);

impl From<Db> for Reads {
    fn from(mut db: Db) -> Reads {
        db.gives_up = true;
        Reads(db)
    }
}

impl Deref for Reads {
    type Target = Db;

    fn deref(&self) -> &Db {
        &self.0
    }
}
