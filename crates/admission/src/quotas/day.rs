//! What was taken of a day.

/// Seconds of a day.
pub(super) const DAY: i64 = 86_400;
/// Bits of a counter that hold tokens; those above hold the day.
const BITS: u32 = 44;
/// The most tokens that a day may count.
const MOST: i64 = (1 << BITS) - 1;

/// A day's tokens. The day is that of UTC and the highest that was seen: a clock that goes back over midnight hands
/// nothing out again. What other servers on the same store took is known from the last exchange with it.
#[derive(Debug, Default)]
pub(super) struct Day {
    day: i64,
    /// What this server took.
    mine: i64,
    /// What of it the store knows.
    told: i64,
    /// What the store has beside.
    others: i64,
    /// The store was asked since the day began.
    asked: bool,
}

/// What the store has to be told: add to a counter, which then says the day and the tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Telling {
    pub(super) day: i64,
    pub(super) tokens: i64,
}

impl Day {
    /// Begins the day of `unix` where it is another. A clock that was more than a day ahead is believed when it is put
    /// right, with what was taken.
    pub(super) fn turn(&mut self, unix: i64) {
        let today = unix.div_euclid(DAY);
        if today > self.day {
            *self = Self { day: today, ..Self::default() };
        } else if today + 1 < self.day {
            *self = Self { day: today, told: 0, others: 0, asked: false, mine: self.mine };
        }
    }

    pub(super) fn number(&self) -> i64 {
        self.day
    }

    pub(super) fn used(&self) -> u64 {
        u64::try_from(self.mine.saturating_add(self.others)).unwrap_or(0)
    }

    pub(super) fn take(&mut self, tokens: u64) {
        self.mine = self.mine.saturating_add(small(tokens)).min(MOST);
    }

    /// Counts `used` in place of `reserved`, which was taken on `day`; that of another day is over.
    pub(super) fn correct(&mut self, day: i64, reserved: u64, used: u64) {
        if day == self.day {
            self.mine = self.mine.saturating_sub(small(reserved)).saturating_add(small(used)).clamp(0, MOST);
        }
    }

    /// Seconds until the next day begins.
    pub(super) fn left(&self, unix: i64) -> u64 {
        u64::try_from((self.day + 1) * DAY - unix).unwrap_or(0).clamp(1, DAY.unsigned_abs())
    }

    /// What the store does not know; none where it knows everything.
    pub(super) fn untold(&self) -> Option<Telling> {
        let tokens = self.mine - self.told;
        (self.day > 0 && (tokens != 0 || !self.asked)).then_some(Telling { day: self.day, tokens })
    }

    /// The store was told, and has `sum` of that day.
    pub(super) fn told(&mut self, telling: Telling, day: i64, sum: i64) {
        if day > self.day {
            // Another server, or this one before its clock was put back, was there already.
            *self = Self { day, mine: telling.tokens.max(0), ..Self::default() };
        } else if telling.day != self.day {
            return;
        } else {
            self.told += telling.tokens;
        }
        self.others = (sum - self.told).max(0);
        self.asked = true;
    }

    /// Nothing of today is in it, or nothing ever was.
    pub(super) fn is_over(&self, unix: i64) -> bool {
        self.mine == 0 && self.others == 0 || unix.div_euclid(DAY) > self.day
    }
}

impl Telling {
    /// The bounds within which a counter speaks of this day.
    pub(super) fn bounds(self) -> (i64, i64) {
        (self.day << BITS, (self.day << BITS) + MOST)
    }
}

/// The day and the tokens of a counter.
pub(super) fn read(counter: i64) -> (i64, i64) {
    (counter >> BITS, counter & MOST)
}

fn small(tokens: u64) -> i64 {
    i64::try_from(tokens).unwrap_or(MOST).min(MOST)
}
