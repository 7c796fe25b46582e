//! Two of a kind: the model's orders, processes and workers.

use std::ops::{Index, IndexMut};

/// Which of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Nth {
    /// The one.
    First,
    /// The other.
    Second,
}

impl Nth {
    /// Both of them.
    pub const BOTH: [Nth; 2] = [Nth::First, Nth::Second];

    /// The one that this is not.
    pub fn other(self) -> Nth {
        match self {
            Nth::First => Nth::Second,
            Nth::Second => Nth::First,
        }
    }
}

/// Two of a kind, each reached by its [`Nth`], so that none can be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Two<T> {
    first: T,
    second: T,
}

impl<T: Copy> Two<T> {
    /// Two that are alike.
    pub fn of(each: T) -> Two<T> {
        Two { first: each, second: each }
    }

    /// The same two the other way round.
    #[must_use]
    pub fn swapped(self) -> Two<T> {
        Two { first: self.second, second: self.first }
    }

    /// The same two, the lesser one first.
    #[must_use]
    pub fn sorted(self) -> Two<T>
    where
        T: Ord,
    {
        if self.first <= self.second { self } else { self.swapped() }
    }

    /// Both of them.
    pub fn both(self) -> [T; 2] {
        [self.first, self.second]
    }
}

impl<T> Index<Nth> for Two<T> {
    type Output = T;

    fn index(&self, nth: Nth) -> &T {
        match nth {
            Nth::First => &self.first,
            Nth::Second => &self.second,
        }
    }
}

impl<T> IndexMut<Nth> for Two<T> {
    fn index_mut(&mut self, nth: Nth) -> &mut T {
        match nth {
            Nth::First => &mut self.first,
            Nth::Second => &mut self.second,
        }
    }
}
